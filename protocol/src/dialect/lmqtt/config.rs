//! `AT+LMQTTCFG`: the settings of a connection, both ways (reference `lmqtt.md` 1.3).
//!
//! | key | values behind `<id>` | source |
//! |---|---|---|
//! | `version` | 3 or 4 | seen in code; that 4 is MQTT 3.1.1 is inferred |
//! | `session` | 0 keep, 1 clean | documented |
//! | `keepalive` | seconds, 0–3600 | documented |
//! | `timeout` | packet seconds 1–60, retries 1–10, notice 0/1 | seen in code, ranges inferred |
//! | `will` | flag[,qos,retain,"topic","message"] | documented |
//! | `recv/mode` | format, show length | documented |
//! | `send/mode` | format | documented |
//! | `dataformat` | send, receive | documented |
//! | `cache` | 0/1 | documented |
//! | `urc` | 0/1 | measured |
//! | `cloud` | platform, data type | documented for 2,1; else inferred |
//! | `aliauth` | "product key","device name","device secret" | documented |
//! | `aliauth` | the same,"product name","product secret","register/regnwl","sign method","tls-ca",secure mode,"instance id",dynreg | ECMT's, inferred |
//! | `raimode` | 0/1 | documented name, inferred range |
//! | `pdpcid` | 1–15 | probably not supported: refused unless the dialect says otherwise |
//! | `sslenable` | 0/1, context 0–5 | documented |
//!
//! Without values the command asks for the setting (inferred from ECMT and QMT).

use super::{DataFormat, Request, Setting, SettingKey, aliauth, keys};
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::dialect::EncodeError;
use crate::dialect::shared::{carriable, decode_qos, in_range};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, Timeouts, Version, Will};
use crate::spec::Values;

/// `cloud_type` of OneNET (inferred from ECMT).
#[cfg(feature = "cloud")]
pub(super) const ONENET: u8 = 1;

/// `cloud_type` of Alibaba Cloud (documented).
pub(super) const ALIBABA: u8 = 2;

/// Every key by its name on the wire.
pub(super) const KEYS: [(SettingKey, &str); 15] = [
    (SettingKey::Version, "version"),
    (SettingKey::CleanSession, "session"),
    (SettingKey::KeepAlive, "keepalive"),
    (SettingKey::Timeouts, "timeout"),
    (SettingKey::Will, "will"),
    (SettingKey::ReceiveMode, "recv/mode"),
    (SettingKey::SendMode, "send/mode"),
    (SettingKey::DataFormats, "dataformat"),
    (SettingKey::Cache, "cache"),
    (SettingKey::ResultUrcs, "urc"),
    (SettingKey::Cloud, "cloud"),
    (SettingKey::AliAuth, "aliauth"),
    (SettingKey::QuickRelease, "raimode"),
    (SettingKey::PdpContext, "pdpcid"),
    (SettingKey::Tls, "sslenable"),
];

pub(super) fn name(key: SettingKey) -> &'static str {
    let found = KEYS.iter().find(|(known, _)| *known == key);
    found.expect("every key stands in the table").1
}

pub(super) fn key(name: &[u8]) -> Option<SettingKey> {
    let found = KEYS
        .iter()
        .find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes()));
    found.map(|(key, _)| *key)
}

/// Whether a setting may change while a link stands.
pub(super) fn may_follow_open(key: SettingKey) -> bool {
    let mut known = keys::KEYS.iter();
    known.any(|known| known.any_time && known.name == name(key))
}

/// What stands behind `AT+LMQTTCFG=`.
pub(super) fn encode(
    connection: ConnectionId,
    setting: &Setting<'_>,
    limits: &Limits,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    check(setting, limits)?;
    writer.quoted(name(setting.key())).integer(connection.0);
    encode_values(setting, writer);
    Ok(())
}

/// What stands behind `+LMQTTCFG: `.
pub(super) fn encode_answer(setting: &Setting<'_>, writer: &mut ParameterWriter<'_>) {
    writer.quoted(name(setting.key()));
    encode_values(setting, writer);
}

fn check(setting: &Setting<'_>, limits: &Limits) -> Result<(), EncodeError> {
    match setting {
        Setting::KeepAlive(seconds) => {
            in_range("the keepalive", *seconds, 0, limits.keep_alive)?;
        }
        Setting::Timeouts(timeouts) => {
            in_range("the packet timeout", timeouts.packet_seconds, 1, 60)?;
            in_range("the number of retries", timeouts.retries, 1, 10)?;
        }
        Setting::Tls { context, .. } => {
            in_range("the TLS context", *context, 0, 5)?;
        }
        Setting::PdpContext(cid) => {
            in_range("the packet data context", *cid, 1, 15)?;
        }
        Setting::AliDevice(device) => aliauth::check(device, limits)?,
        Setting::AliAuth {
            product_key,
            device_name,
            device_secret,
        } => {
            carriable("the product key", product_key, limits.username)?;
            carriable("the device name", device_name, limits.username)?;
            carriable("the device secret", device_secret.expose(), limits.password)?;
        }
        Setting::Will(Some(will)) => {
            carriable("the will topic", &will.topic, limits.topic)?;
            let payload = core::str::from_utf8(&will.payload).map_err(|_| {
                EncodeError::Contradiction(
                    "the will's payload is not text, this module takes no other",
                )
            })?;
            carriable("the will payload", payload, limits.will_payload)?;
        }
        _ => {}
    }
    Ok(())
}

fn encode_values(setting: &Setting<'_>, writer: &mut ParameterWriter<'_>) {
    match setting {
        Setting::Version(version) => writer.integer(*version as u8),
        Setting::CleanSession(on)
        | Setting::Cache(on)
        | Setting::ResultUrcs(on)
        | Setting::QuickRelease(on) => writer.flag(*on),
        Setting::KeepAlive(seconds) => writer.integer(*seconds),
        Setting::Timeouts(timeouts) => writer
            .integer(timeouts.packet_seconds)
            .integer(timeouts.retries)
            .flag(timeouts.notice),
        Setting::ReceiveMode {
            format,
            show_length,
        } => writer.integer(*format as u8).flag(*show_length),
        Setting::SendMode(format) => writer.integer(*format as u8),
        Setting::DataFormats { send, receive } => {
            writer.integer(*send as u8).integer(*receive as u8)
        }
        Setting::Cloud {
            platform,
            data_type,
        } => writer.integer(*platform).integer(*data_type),
        Setting::AliAuth {
            product_key,
            device_name,
            device_secret,
        } => writer
            .quoted(product_key.as_bytes())
            .quoted(device_name.as_bytes())
            .quoted(device_secret.expose()),
        Setting::AliDevice(device) => aliauth::encode(device, writer),
        Setting::PdpContext(cid) => writer.integer(*cid),
        Setting::Tls { enabled, context } => writer.flag(*enabled).integer(*context),
        Setting::Will(None) => writer.flag(false),
        Setting::Will(Some(will)) => writer
            .flag(true)
            .integer(will.qos.level())
            .flag(will.retain)
            .quoted(will.topic.as_bytes())
            .quoted(&will.payload),
    };
}

/// Reads what stands behind `AT+LMQTTCFG=`: a change, or without values a query.
pub(super) fn decode<'a>(values: &mut Values<'a, '_>) -> Result<Request<'a>, ParameterError> {
    let key = decode_key(values)?;
    let connection = values.integer().map(ConnectionId)?;
    if values.is_empty() {
        return Ok(Request::QuerySetting { connection, key });
    }
    let setting = decode_setting(key, values)?;
    Ok(Request::Configure {
        connection,
        setting,
    })
}

/// Reads what stands behind `+LMQTTCFG: ` in the answer to a query of `key`: the connection is left
/// out there.
pub(super) fn decode_answer<'a>(
    key: SettingKey,
    values: &mut Values<'a, '_>,
) -> Result<Setting<'a>, ParameterError> {
    if decode_key(values)? != key {
        return Err(ParameterError::Unknown { name: "key" });
    }
    values.pass();
    decode_setting(key, values)
}

fn decode_key(values: &mut Values<'_, '_>) -> Result<SettingKey, ParameterError> {
    let known = values.key()?;
    values.known(key(known.name.as_bytes()))
}

fn decode_setting<'a>(
    key: SettingKey,
    values: &mut Values<'a, '_>,
) -> Result<Setting<'a>, ParameterError> {
    Ok(match key {
        SettingKey::Version => Setting::Version(match values.integer()? {
            3u8 => Version::V3_1,
            _ => Version::V3_1_1,
        }),
        SettingKey::CleanSession => Setting::CleanSession(values.flag()?),
        SettingKey::KeepAlive => Setting::KeepAlive(values.integer()?),
        SettingKey::Timeouts => Setting::Timeouts(Timeouts {
            packet_seconds: values.integer()?,
            retries: values.integer()?,
            notice: values.flag()?,
        }),
        SettingKey::ReceiveMode => Setting::ReceiveMode {
            format: decode_format(values)?,
            show_length: values.flag()?,
        },
        SettingKey::SendMode => Setting::SendMode(decode_format(values)?),
        SettingKey::DataFormats => Setting::DataFormats {
            send: decode_format(values)?,
            receive: decode_format(values)?,
        },
        SettingKey::Cache => Setting::Cache(values.flag()?),
        SettingKey::ResultUrcs => Setting::ResultUrcs(values.flag()?),
        SettingKey::Cloud => Setting::Cloud {
            platform: values.integer()?,
            data_type: values.integer()?,
        },
        SettingKey::AliAuth => aliauth::decode(values)?,
        SettingKey::QuickRelease => Setting::QuickRelease(values.flag()?),
        SettingKey::PdpContext => Setting::PdpContext(values.integer()?),
        SettingKey::Tls => Setting::Tls {
            enabled: values.flag()?,
            context: values.optional_integer()?.unwrap_or(0),
        },
        SettingKey::Will if values.flag()? => {
            let (qos, retain) = (decode_qos(values)?, values.flag()?);
            Setting::Will(Some(Will {
                topic: values.filled_text()?.into(),
                payload: values.text()?.as_bytes().into(),
                qos,
                retain,
            }))
        }
        SettingKey::Will => {
            // Whatever else is given describes no will.
            values.rest();
            Setting::Will(None)
        }
    })
}

fn decode_format(values: &mut Values<'_, '_>) -> Result<DataFormat, ParameterError> {
    let number = values.integer()?;
    values.known(DataFormat::from_number(number))
}
