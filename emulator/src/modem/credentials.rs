//! What the module's own client is given to connect with: by the host, or computed for an Alibaba
//! Cloud device.

use std::time::Duration;

use atmq_protocol::cloud::Credentials;
use atmq_protocol::cloud::aliyun::{Device, Registered, RegistrationRequest, Signing};
use atmq_protocol::mqtt::{AliDevice, Connect, SignMethod};

use crate::mqtt::ConnectOptions;

/// The timestamp of signatures, and the random number of registrations, that EigenComm's module
/// source has built in (read in ECMT source, inferred for other modules).
const TIMESTAMP: u64 = 20_130_219;

/// What CONNECT carries on a link that is secured, or is not. `registered` is what the device was
/// given when it registered.
pub(super) fn connect_options(
    connect: &Connect,
    registered: Option<&Registered>,
    sign_method: SignMethod,
    secured: bool,
) -> ConnectOptions {
    let mut options = shaped(connect);
    options.username.clone_from(&connect.username);
    options.password = connect
        .password
        .as_ref()
        .map(|password| password.expose().as_bytes().to_vec());
    if let Some(device) = &connect.device {
        let signing = Signing::new(&*connect.client_id)
            .method(device.sign_method.unwrap_or(sign_method))
            .timestamp(TIMESTAMP)
            .tls(secured);
        let named = named(device);
        let credentials = match registered {
            None => named.sign(&device.device_secret, &signing),
            Some(registered) => registered.sign(&named, &signing),
        };
        carry(credentials, &mut options);
    }
    options.clean_session = connect.clean_session;
    if let Some(timeouts) = connect.timeouts {
        options.retries = timeouts.retries.into();
    }
    options.will = connect.will.as_ref().map(|will| crate::mqtt::Will {
        topic: will.topic.clone(),
        payload: will.payload.clone(),
        qos: will.qos,
        retain: will.retain,
    });
    options
}

/// What the CONNECT carries by which a device without a secret registers; `None` for a device
/// that does not.
pub(super) fn registration_options(
    connect: &Connect,
    sign_method: SignMethod,
) -> Option<ConnectOptions> {
    let device = connect.device.as_ref()?;
    let registration = device.registration?;
    if !device.device_secret.expose().is_empty() {
        return None;
    }
    let client_id = match &*device.product_name {
        "" => &connect.client_id,
        product_name => product_name,
    };
    let mut request = RegistrationRequest::new(client_id, registration, TIMESTAMP)
        .method(device.sign_method.unwrap_or(sign_method));
    if !device.instance_id.is_empty() {
        request = request.instance_id(&*device.instance_id);
    }
    let credentials = named(device).sign_registration(&device.product_secret, &request);
    let mut options = shaped(connect);
    carry(credentials, &mut options);
    options.clean_session = true;
    Some(options)
}

/// What both have in common.
fn shaped(connect: &Connect) -> ConnectOptions {
    let mut options = ConnectOptions::new(&*connect.client_id);
    options.version = connect.version;
    options.keep_alive = connect.keep_alive;
    if let Some(timeouts) = connect.timeouts {
        options.packet_timeout = Duration::from_secs(timeouts.packet_seconds.into());
    }
    options
}

/// What a device is called.
pub(super) fn named(device: &AliDevice<'_>) -> Device {
    Device::new(&*device.product_key, &*device.device_name)
}

fn carry(credentials: Credentials, options: &mut ConnectOptions) {
    options.client_id = credentials.client_id;
    options.username = Some(credentials.username);
    options.password = Some(credentials.password.expose().as_bytes().to_vec());
}
