use std::borrow::Cow;
use std::time::Duration;

use atmq_protocol::cloud::aliyun::{Device, Registered, RegistrationRequest, Signing};
use atmq_protocol::cloud::{Credentials, onenet};
use atmq_protocol::mqtt::{
    AliDevice, Formats, Setting, SettingKey, SignMethod, Timeouts, Version, Will,
};

use crate::mqtt::ConnectOptions;

/// `cloud_type` of OneNET (inferred from ECMT).
const ONENET: u8 = 1;

/// `cloud_type` of Alibaba Cloud (documented).
const ALIBABA: u8 = 2;

/// The timestamp of signatures, and the random number of registrations, that EigenComm's module
/// source has built in (read in ECMT source, inferred for LMQTT).
const TIMESTAMP: u64 = 20_130_219;

/// The configuration of one connection, as `AT+LMQTTCFG` sets it. Nothing of it is stored: it is
/// gone after CLOSE (measured, reference `lmqtt.md` 1.3) unless the profile keeps it.
#[derive(Debug, Clone)]
pub(super) struct Config {
    version: Version,
    clean_session: bool,
    keep_alive: u16,
    timeouts: Timeouts,
    will: Option<Will>,
    cloud: (u8, u8),
    device: Option<AliDevice<'static>>,
    tls: Option<u8>,
    quick_release: bool,
    pdp_context: u8,
    /// Whether received messages wait until they are read.
    pub(super) cache: bool,
    /// Whether outcomes of publishes are reported.
    pub(super) result_urcs: bool,
}

impl Config {
    /// The defaults: the manual's for session and keepalive, ECMT's for the timeouts (reference
    /// `lmqtt.md` 1.3).
    pub(super) fn new(result_urcs: bool) -> Self {
        Self {
            version: Version::default(),
            clean_session: false,
            keep_alive: 120,
            timeouts: Timeouts::default(),
            will: None,
            cloud: (0, 0),
            device: None,
            tls: None,
            quick_release: false,
            pdp_context: 1,
            cache: false,
            result_urcs,
        }
    }

    /// Whether the radio is to be released as soon as there is nothing more to say.
    pub(super) fn releases_quickly(&self) -> bool {
        self.quick_release
    }

    /// The packet data context that the link goes over.
    pub(super) fn pdp_context(&self) -> u8 {
        self.pdp_context
    }

    /// Takes over a setting, except for the formats, which are not kept here.
    pub(super) fn set(&mut self, setting: &Setting<'_>) {
        match setting {
            Setting::Version(version) => self.version = *version,
            Setting::CleanSession(on) => self.clean_session = *on,
            Setting::KeepAlive(seconds) => self.keep_alive = *seconds,
            Setting::Timeouts(timeouts) => self.timeouts = *timeouts,
            Setting::ResultUrcs(on) => self.result_urcs = *on,
            Setting::Cloud {
                platform,
                data_type,
            } => self.cloud = (*platform, *data_type),
            Setting::Tls { enabled, context } => self.tls = enabled.then_some(*context),
            Setting::Cache(on) => self.cache = *on,
            Setting::QuickRelease(on) => self.quick_release = *on,
            Setting::PdpContext(cid) => self.pdp_context = *cid,
            Setting::AliAuth {
                product_key,
                device_name,
                device_secret,
            } => {
                let device = AliDevice {
                    product_key: product_key.clone(),
                    device_name: device_name.clone(),
                    device_secret: device_secret.clone(),
                    product_name: "".into(),
                    product_secret: "".into(),
                    registration: None,
                    sign_method: None,
                    instance_id: "".into(),
                };
                self.device = Some(device.into_owned());
            }
            Setting::AliDevice(device) => self.device = Some(device.clone().into_owned()),
            Setting::Will(will) => self.will = will.clone(),
            Setting::ReceiveMode { .. } | Setting::SendMode(_) | Setting::DataFormats { .. } => {}
        }
    }

    /// The value of a setting, to answer a query.
    pub(super) fn get(&self, key: SettingKey, formats: Formats) -> Setting<'_> {
        match key {
            SettingKey::Version => Setting::Version(self.version),
            SettingKey::CleanSession => Setting::CleanSession(self.clean_session),
            SettingKey::KeepAlive => Setting::KeepAlive(self.keep_alive),
            SettingKey::Timeouts => Setting::Timeouts(self.timeouts),
            SettingKey::ReceiveMode => Setting::ReceiveMode {
                format: formats.receive,
                show_length: formats.show_length,
            },
            SettingKey::SendMode => Setting::SendMode(formats.send),
            SettingKey::DataFormats => Setting::DataFormats {
                send: formats.send,
                receive: formats.receive,
            },
            SettingKey::Cache => Setting::Cache(self.cache),
            SettingKey::QuickRelease => Setting::QuickRelease(self.quick_release),
            SettingKey::PdpContext => Setting::PdpContext(self.pdp_context),
            SettingKey::ResultUrcs => Setting::ResultUrcs(self.result_urcs),
            SettingKey::Cloud => Setting::Cloud {
                platform: self.cloud.0,
                data_type: self.cloud.1,
            },
            SettingKey::AliAuth => match &self.device {
                Some(device) if device.registration.is_some() || device.sign_method.is_some() => {
                    Setting::AliDevice(device.clone())
                }
                Some(device) => Setting::AliAuth {
                    product_key: (&*device.product_key).into(),
                    device_name: (&*device.device_name).into(),
                    device_secret: device.device_secret.clone(),
                },
                None => Setting::AliAuth {
                    product_key: "".into(),
                    device_name: "".into(),
                    device_secret: "".into(),
                },
            },
            SettingKey::Tls => Setting::Tls {
                enabled: self.tls.is_some(),
                context: self.tls.unwrap_or(0),
            },
            SettingKey::Will => Setting::Will(self.will.clone()),
        }
    }

    /// The TLS context of the link, if it is to be secured.
    pub(super) fn tls_context(&self) -> Option<u8> {
        self.tls
    }

    /// Whether repetitions of a packet are reported.
    pub(super) fn notices(&self) -> bool {
        self.timeouts.notice
    }

    /// The Alibaba Cloud device that the module computes credentials for.
    pub(super) fn device(&self) -> Option<&AliDevice<'static>> {
        self.device.as_ref().filter(|_| self.cloud.0 == ALIBABA)
    }

    /// What the module makes of an inline payload: for OneNET's data points, a frame. `None`: the
    /// payload is not what the configured type says.
    pub(super) fn frame<'p>(&self, topic: &str, payload: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        match self.cloud {
            (ONENET, number) if topic == onenet::DATA_POINTS => {
                match onenet::DataType::from_number(number) {
                    Some(data_type) => onenet::frame(data_type, payload).ok().map(Cow::Owned),
                    // Of other types the host has written the frame.
                    None => Some(Cow::Borrowed(payload)),
                }
            }
            _ => Some(Cow::Borrowed(payload)),
        }
    }

    /// What CONNECT carries. `registered` is what the device was given when it registered.
    pub(super) fn connect_options(
        &self,
        client_id: &str,
        username: Option<&str>,
        password: Option<&str>,
        registered: Option<&Registered>,
        sign_method: SignMethod,
    ) -> ConnectOptions {
        let mut options = ConnectOptions::new(client_id);
        options.username = username.map(str::to_owned);
        options.password = password.map(|password| password.as_bytes().to_vec());
        if let Some(device) = self.device() {
            let signing = Signing::new(client_id)
                .method(device.sign_method.unwrap_or(sign_method))
                .timestamp(TIMESTAMP)
                .tls(self.tls.is_some());
            let named = named(device);
            let credentials = match registered {
                None => named.sign(&device.device_secret, &signing),
                Some(registered) => registered.sign(&named, &signing),
            };
            carry(credentials, &mut options);
        }
        options.version = self.version;
        options.clean_session = self.clean_session;
        options.keep_alive = self.keep_alive;
        options.packet_timeout = Duration::from_secs(self.timeouts.packet_seconds.into());
        options.retries = self.timeouts.retries.into();
        options.will = self.will.as_ref().map(|will| crate::mqtt::Will {
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
        &self,
        client_id: &str,
        sign_method: SignMethod,
    ) -> Option<ConnectOptions> {
        let device = self.device()?;
        let registration = device.registration?;
        if !device.device_secret.expose().is_empty() {
            return None;
        }
        let client_id = match &*device.product_name {
            "" => client_id,
            product_name => product_name,
        };
        let mut request = RegistrationRequest::new(client_id, registration, TIMESTAMP)
            .method(device.sign_method.unwrap_or(sign_method));
        if !device.instance_id.is_empty() {
            request = request.instance_id(&*device.instance_id);
        }
        let credentials = named(device).sign_registration(&device.product_secret, &request);
        let mut options = ConnectOptions::new("");
        carry(credentials, &mut options);
        options.version = self.version;
        options.clean_session = true;
        options.keep_alive = self.keep_alive;
        options.packet_timeout = Duration::from_secs(self.timeouts.packet_seconds.into());
        Some(options)
    }
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
