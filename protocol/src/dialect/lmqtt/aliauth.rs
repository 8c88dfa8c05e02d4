//! The key `aliauth`, both ways: an Alibaba Cloud device, as documented with three values, or with
//! what ECMT takes behind them (reference `ecmt.md` 2.2; inferred for LMQTT).

use super::Setting;
use super::command::{carriable, decode_text};
use crate::at::parameter::{ParameterError, ParameterWriter, Parameters};
use crate::dialect::EncodeError;
use crate::limits::Limits;
use crate::mqtt::{AliDevice, Registration, SignMethod};

/// The only way to secure the link that we have; ECMT knows `tls-psk` as well.
const AUTH_MODE: &str = "tls-ca";

pub(super) fn check(device: &AliDevice<'_>, limits: &Limits) -> Result<(), EncodeError> {
    carriable("the product key", &device.product_key, limits.username)?;
    carriable("the device name", &device.device_name, limits.username)?;
    let secret = device.device_secret.expose();
    carriable("the device secret", secret, limits.password)?;
    carriable("the product name", &device.product_name, limits.client_id)?;
    let secret = device.product_secret.expose();
    carriable("the product secret", secret, limits.password)?;
    carriable("the instance id", &device.instance_id, limits.username)?;
    Ok(())
}

pub(super) fn encode<'w, 'o>(
    device: &AliDevice<'_>,
    writer: &'w mut ParameterWriter<'o>,
) -> &'w mut ParameterWriter<'o> {
    writer
        .quoted(device.product_key.as_bytes())
        .quoted(device.device_name.as_bytes())
        .quoted(device.device_secret.expose())
        .quoted(device.product_name.as_bytes())
        .quoted(device.product_secret.expose())
        .quoted(device.registration.map_or("", Registration::name))
        .quoted(device.sign_method.map_or("", SignMethod::name));
    if let Some(registration) = device.registration {
        writer
            .quoted(AUTH_MODE)
            .integer(registration.secure_mode())
            .quoted(device.instance_id.as_bytes());
    }
    writer
}

pub(super) fn decode<'a>(
    parameters: &mut Parameters<'a>,
    limits: &Limits,
) -> Result<Setting<'a>, ParameterError> {
    let product_key = decode_text(parameters, "product_key", limits.username)?;
    let device_name = decode_text(parameters, "device_name", limits.username)?;
    let device_secret = parameters.text("device_secret", limits.password)?;
    if parameters.is_empty() {
        if device_secret.is_empty() {
            let name = "device_secret";
            return Err(ParameterError::Empty { name });
        }
        return Ok(Setting::AliAuth {
            product_key,
            device_name,
            device_secret: device_secret.into(),
        });
    }
    let product_name = optional(parameters, "product_name", limits.client_id)?;
    let product_secret = optional(parameters, "product_secret", limits.password)?;
    let registration = word(parameters, "auth_type", Registration::from_name)?;
    let sign_method = word(parameters, "sign_method", SignMethod::from_name)?;
    word(parameters, "auth_mode", |mode| {
        (mode == AUTH_MODE).then_some(())
    })?;
    let secure_mode = parameters.optional_integer::<i8>("secure_mode", -2, 2)?;
    if secure_mode.is_some() && secure_mode != registration.map(Registration::secure_mode) {
        return Err(ParameterError::Unknown {
            name: "secure_mode",
        });
    }
    let instance_id = optional(parameters, "instance_id", limits.username)?;
    // What the numbers mean is not known; those that ECMT takes are taken.
    parameters.optional_integer::<u8>("dynreg", 0, 8)?;
    Ok(Setting::AliDevice(AliDevice {
        product_key,
        device_name,
        device_secret: device_secret.into(),
        product_name: product_name.into(),
        product_secret: product_secret.into(),
        registration,
        sign_method,
        instance_id: instance_id.into(),
    }))
}

fn optional<'a>(
    parameters: &mut Parameters<'a>,
    name: &'static str,
    max: usize,
) -> Result<&'a str, ParameterError> {
    Ok(parameters.optional_text(name, max)?.unwrap_or_default())
}

/// One of a few words; none if it is empty or omitted.
fn word<T>(
    parameters: &mut Parameters<'_>,
    name: &'static str,
    meaning: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ParameterError> {
    match optional(parameters, name, usize::MAX)? {
        "" => Ok(None),
        word => match meaning(word) {
            Some(meaning) => Ok(Some(meaning)),
            None => Err(ParameterError::Unknown { name }),
        },
    }
}
