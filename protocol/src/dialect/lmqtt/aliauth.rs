//! The key `aliauth`, both ways: an Alibaba Cloud device, as documented with three values, or with
//! what ECMT takes behind them (reference `ecmt.md` 2.2; inferred for LMQTT).

use super::Setting;
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::dialect::EncodeError;
use crate::dialect::shared::carriable;
use crate::limits::Limits;
use crate::mqtt::{AliDevice, Registration, SignMethod};
use crate::spec::Values;

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

pub(super) fn decode<'a>(values: &mut Values<'a, '_>) -> Result<Setting<'a>, ParameterError> {
    let product_key = values.filled_text()?.into();
    let device_name = values.filled_text()?.into();
    let device_secret = values.text()?;
    if values.is_empty() {
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
    let product_name = values.optional_text()?.unwrap_or_default();
    let product_secret = values.optional_text()?.unwrap_or_default();
    let registration = values.optional_word(Registration::from_name)?;
    let sign_method = values.optional_word(SignMethod::from_name)?;
    values.optional_word(|mode| (mode == AUTH_MODE).then_some(()))?;
    let secure_mode = values.optional_integer::<i8>()?;
    let fits = secure_mode.is_none() || secure_mode == registration.map(Registration::secure_mode);
    values.known(fits.then_some(()))?;
    let instance_id = values.optional_text()?.unwrap_or_default();
    values.optional_integer::<u8>()?;
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
