//! `AT+QMTCFG`: the settings of a connection, both ways (reference `qmt.md` 3).

use alloc::string::String;
use alloc::vec::Vec;

use super::keys::{CLOSE_TIME, CLOSE_TIMES, KEYS};
use crate::Secret;
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::mqtt::{QoS, Timeouts, Version, Will};
use crate::spec::{Key, Values};

/// A value of a connection's configuration.
#[derive(Debug, Clone)]
pub(super) enum Setting {
    Version(Version),
    PdpContext(u8),
    /// The TLS context, if the link is to be secured.
    Tls(Option<u8>),
    KeepAlive(u16),
    CleanSession(bool),
    Timeouts(Timeouts),
    Will(Option<Will>),
    /// A will whose payload comes behind a prompt, with so many bytes.
    WillLater(Will, usize),
    ReceiveMode {
        buffered: bool,
        show_length: bool,
    },
    /// Whether payloads to publish are written in hexadecimal digits.
    SendMode(bool),
    /// Whether payloads to publish, and received ones, are.
    DataFormats(bool, bool),
    /// Whether a received payload stands in the line that announces it.
    ViewMode(bool),
    /// Whether the prompt is left, and after how many seconds.
    PromptTimeout(bool, Option<u8>),
    AliAuth {
        product_key: String,
        device_name: String,
        device_secret: Secret<'static>,
    },
    OneNet {
        product_id: String,
        access_key: Secret<'static>,
    },
    /// What is kept and shown, and changes nothing here: the values as they were given. They may
    /// hold a secret.
    Kept(&'static Key, Kept),
}

/// Values as they were given.
#[derive(Clone)]
pub(super) struct Kept(pub(super) Vec<u8>);

impl core::fmt::Debug for Kept {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("***")
    }
}

impl Setting {
    /// Its name on the wire.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Version(_) => "version",
            Self::PdpContext(_) => "pdpcid",
            Self::Tls(_) => "ssl",
            Self::KeepAlive(_) => "keepalive",
            Self::CleanSession(_) => "session",
            Self::Timeouts(_) => "timeout",
            Self::Will(_) => "will",
            Self::WillLater(..) => "willex",
            Self::ReceiveMode { .. } => "recv/mode",
            Self::SendMode(_) => "send/mode",
            Self::DataFormats(..) => "dataformat",
            Self::ViewMode(_) => "view/mode",
            Self::PromptTimeout(..) => "edit/timeout",
            Self::AliAuth { .. } => "aliauth",
            Self::OneNet { .. } => "onenet",
            Self::Kept(key, _) => key.name,
        }
    }
}

/// Reads what stands behind key and connection.
pub(super) fn decode(
    key: &'static Key,
    values: &mut Values<'_, '_>,
) -> Result<Setting, ParameterError> {
    Ok(match key.name {
        "version" => Setting::Version(match values.integer()? {
            3u8 => Version::V3_1,
            _ => Version::V3_1_1,
        }),
        "pdpcid" => Setting::PdpContext(values.integer()?),
        "ssl" => {
            let (on, context) = (values.flag()?, values.optional_integer()?);
            Setting::Tls(on.then(|| context.unwrap_or(0)))
        }
        "keepalive" => Setting::KeepAlive(values.integer()?),
        "session" => Setting::CleanSession(values.flag()?),
        "timeout" => {
            let usual = TIMEOUTS;
            Setting::Timeouts(Timeouts {
                packet_seconds: values.integer()?,
                retries: values.optional_integer()?.unwrap_or(usual.retries),
                notice: values
                    .optional_integer::<u8>()?
                    .map_or(usual.notice, |n| n == 1),
            })
        }
        "will" if values.flag()? => {
            let mut will = decode_will(values)?;
            will.payload = values.text()?.as_bytes().into();
            Setting::Will(Some(will))
        }
        "willex" if values.flag()? => Setting::WillLater(decode_will(values)?, values.integer()?),
        "will" | "willex" => Setting::Will(None),
        "recv/mode" => Setting::ReceiveMode {
            buffered: values.flag()?,
            show_length: values.optional_integer::<u8>()? == Some(1),
        },
        "send/mode" => Setting::SendMode(values.flag()?),
        "dataformat" => Setting::DataFormats(values.flag()?, values.flag()?),
        "view/mode" => Setting::ViewMode(values.flag()?),
        "edit/timeout" => Setting::PromptTimeout(values.flag()?, values.optional_integer()?),
        "aliauth" => Setting::AliAuth {
            product_key: values.filled_text()?.into(),
            device_name: values.filled_text()?.into(),
            device_secret: Secret::from(String::from(values.filled_text()?)),
        },
        "onenet" => Setting::OneNet {
            product_id: values.filled_text()?.into(),
            access_key: Secret::from(String::from(values.filled_text()?)),
        },
        _ => {
            let given = values.ahead().rest().unwrap_or_default().to_vec();
            for param in key.values {
                match param.longest(values.limits()) {
                    Some(_) => drop(values.text()?),
                    None => drop(values.integer::<i64>()?),
                }
            }
            Setting::Kept(key, Kept(given))
        }
    })
}

/// Reads the value of the key that has no connection.
pub(super) fn decode_close_time(
    key: &'static Key,
    values: &mut Values<'_, '_>,
) -> Result<Setting, ParameterError> {
    let given = values.ahead().rest().unwrap_or_default().to_vec();
    let seconds: u16 = values.integer_up_to((*CLOSE_TIMES.end()).into())?;
    values.known(CLOSE_TIMES.contains(&seconds).then_some(()))?;
    Ok(Setting::Kept(key, Kept(given)))
}

/// Without its payload.
fn decode_will(values: &mut Values<'_, '_>) -> Result<Will, ParameterError> {
    let qos = values.integer()?;
    let qos = values.known(QoS::from_level(qos))?;
    let retain = values.flag()?;
    Ok(Will::new(values.filled_text()?, "").qos(qos).retain(retain))
}

/// How long and how often the module tries unless the host says otherwise (reference `qmt.md` 3).
pub(super) const TIMEOUTS: Timeouts = Timeouts {
    packet_seconds: 5,
    retries: 3,
    notice: false,
};

/// Writes the values of a setting.
pub(super) fn encode(setting: &Setting, writer: &mut ParameterWriter<'_>) {
    match setting {
        Setting::Version(version) => writer.integer(*version as u8),
        Setting::PdpContext(cid) => writer.integer(*cid),
        Setting::Tls(None) | Setting::Will(None) => writer.flag(false),
        Setting::Tls(Some(context)) => writer.flag(true).integer(*context),
        Setting::KeepAlive(seconds) => writer.integer(*seconds),
        Setting::CleanSession(on) | Setting::SendMode(on) | Setting::ViewMode(on) => {
            writer.flag(*on)
        }
        Setting::Timeouts(timeouts) => writer
            .integer(timeouts.packet_seconds)
            .integer(timeouts.retries)
            .flag(timeouts.notice),
        Setting::Will(Some(will)) => encode_will(will, writer).quoted(&will.payload),
        // No limit is above what an i64 holds.
        Setting::WillLater(will, length) => encode_will(will, writer).integer(*length as i64),
        Setting::ReceiveMode {
            buffered,
            show_length,
        } => writer.flag(*buffered).flag(*show_length),
        Setting::DataFormats(send, receive) => writer.flag(*send).flag(*receive),
        Setting::PromptTimeout(on, seconds) => writer.flag(*on).optional_integer(*seconds),
        Setting::AliAuth {
            product_key,
            device_name,
            device_secret,
        } => writer
            .quoted(product_key.as_bytes())
            .quoted(device_name.as_bytes())
            .quoted(device_secret.expose()),
        Setting::OneNet {
            product_id,
            access_key,
        } => writer
            .quoted(product_id.as_bytes())
            .quoted(access_key.expose()),
        Setting::Kept(_, Kept(given)) => writer.bare(given),
    };
}

fn encode_will<'w, 'o>(
    will: &Will,
    writer: &'w mut ParameterWriter<'o>,
) -> &'w mut ParameterWriter<'o> {
    writer
        .flag(true)
        .integer(will.qos.level())
        .flag(will.retain)
        .quoted(will.topic.as_bytes())
}

/// The key of this name.
pub(super) fn key(name: &str) -> &'static Key {
    let mut keys = KEYS.iter();
    let found = keys.find(|key| key.name == name);
    found.expect("every setting stands in the table")
}

/// Whether the key has no connection.
pub(super) fn is_common(key: &Key) -> bool {
    key.name == CLOSE_TIME
}
