//! The settings of `AT+SMCONF`: on the line, and as the module keeps them.
//!
//! | line | source |
//! |---|---|
//! | `AT+SMCONF="<key>",<value>` | documented; quotes are taken around numbers and may be missing around text and keys: seen in code |
//! | `+SMCONF:` and a line without prefix for each key | documented |

use alloc::format;
use alloc::string::{String, ToString as _};

use super::keys::{
    ASYNCMODE, CLEANSS, CLIENTID, KEEPTIME, KEYS, MESSAGE, PASSWORD, RETAIN, SUBHEX, TOPIC, URL,
    USERNAME, WILL_QOS,
};
use super::request::{Device, Setting};
use super::{ID, Sm};
use crate::Secret;
use crate::at::parameter::{ParameterError, ParameterWriter};
use crate::dialect::shared::{carriable, decode_qos, in_range, not_empty};
use crate::dialect::{Dialect as _, EncodeError};
use crate::limits::Limits;
use crate::mqtt::{AliDevice, Connect, QoS, Will};
use crate::spec::Values;

const DEFAULT_PORT: u16 = 1883;
/// The broker of a module that was told none.
const NO_HOST: &str = "0.0.0.0";

/// The key of a setting.
pub(super) fn key(setting: &Setting<'_>) -> &'static str {
    match setting {
        Setting::ClientId(_) => CLIENTID,
        Setting::Url { .. } => URL,
        Setting::KeepAlive(_) => KEEPTIME,
        Setting::Username(_) => USERNAME,
        Setting::Password(_) => PASSWORD,
        Setting::CleanSession(_) => CLEANSS,
        Setting::WillQos(_) => WILL_QOS,
        Setting::WillTopic(_) => TOPIC,
        Setting::WillMessage(_) => MESSAGE,
        Setting::WillRetain(_) => RETAIN,
        Setting::SubHex(_) => SUBHEX,
        Setting::Async(_) => ASYNCMODE,
    }
}

/// What stands behind `AT+SMCONF=`.
pub(super) fn encode(
    setting: &Setting<'_>,
    limits: &Limits,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    writer.quoted(key(setting));
    let text = |field, text, max| carriable(field, text, max);
    match setting {
        Setting::ClientId(id) => writer.quoted(text("the client id", id, limits.client_id)?),
        Setting::Url { host, port } => {
            let host = not_empty("the host name", host)?;
            writer
                .quoted(text("the host name", host, limits.host)?)
                .integer(*port)
        }
        Setting::KeepAlive(seconds) => {
            writer.integer(in_range("the keepalive", *seconds, 0, limits.keep_alive)?)
        }
        Setting::Username(name) => writer.quoted(text("the user name", name, limits.username)?),
        Setting::Password(password) => {
            writer.quoted(text("the password", password.expose(), limits.password)?)
        }
        Setting::WillQos(qos) => writer.integer(qos.level()),
        Setting::WillTopic(topic) => writer.quoted(text("the will topic", topic, limits.topic)?),
        Setting::WillMessage(payload) => {
            writer.quoted(text("the will payload", payload, limits.will_payload)?)
        }
        Setting::CleanSession(on)
        | Setting::WillRetain(on)
        | Setting::SubHex(on)
        | Setting::Async(on) => writer.flag(*on),
    };
    Ok(())
}

/// Reads it.
pub(super) fn decode<'a>(values: &mut Values<'a, '_>) -> Result<Setting<'a>, ParameterError> {
    Ok(match values.key()?.name {
        CLIENTID => Setting::ClientId(values.text()?.into()),
        URL => Setting::Url {
            host: values.text()?.into(),
            port: values.optional_integer()?.unwrap_or(DEFAULT_PORT),
        },
        KEEPTIME => Setting::KeepAlive(values.integer()?),
        USERNAME => Setting::Username(values.text()?.into()),
        PASSWORD => Setting::Password(values.text()?.into()),
        CLEANSS => Setting::CleanSession(values.flag()?),
        WILL_QOS => Setting::WillQos(decode_qos(values)?),
        TOPIC => Setting::WillTopic(values.text()?.into()),
        MESSAGE => Setting::WillMessage(values.text()?.into()),
        RETAIN => Setting::WillRetain(values.flag()?),
        SUBHEX => Setting::SubHex(values.flag()?),
        _ => Setting::Async(values.flag()?),
    })
}

/// The settings as the module keeps them: over a disconnect (inferred: they are the module's, not
/// the connection's), not over a start (inferred).
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    client_id: String,
    host: String,
    port: u16,
    keep_alive: u16,
    username: String,
    password: Secret<'static>,
    clean_session: bool,
    will: Will,
    pub(super) sub_hex: bool,
    pub(super) asynchronous: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            host: String::new(),
            port: DEFAULT_PORT,
            keep_alive: 60,
            username: String::new(),
            password: "".into(),
            clean_session: false,
            will: Will::new("", ""),
            sub_hex: false,
            asynchronous: false,
        }
    }
}

impl Configuration {
    pub(super) fn set(&mut self, setting: Setting<'_>) {
        match setting {
            Setting::ClientId(id) => self.client_id = id.into_owned(),
            Setting::Url { host, port } => (self.host, self.port) = (host.into_owned(), port),
            Setting::KeepAlive(seconds) => self.keep_alive = seconds,
            Setting::Username(name) => self.username = name.into_owned(),
            Setting::Password(password) => self.password = password.into_owned(),
            Setting::CleanSession(on) => self.clean_session = on,
            Setting::WillQos(qos) => self.will.qos = qos,
            Setting::WillTopic(topic) => self.will.topic = topic.into_owned(),
            Setting::WillMessage(payload) => self.will.payload = payload.into_owned().into_bytes(),
            Setting::WillRetain(on) => self.will.retain = on,
            Setting::SubHex(on) => self.sub_hex = on,
            Setting::Async(on) => self.asynchronous = on,
        }
    }

    /// What CONNECT is sent with; `None` if no broker can be reached so: none was named, or by a
    /// name with its port in it (measured).
    pub(super) fn connect(&self, device: Option<&Device<'static>>) -> Option<Connect> {
        let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
        let host = filled(&self.host).filter(|host| !host.contains(':'))?;
        let mut connect = Connect::new(ID, host, self.port, self.client_id.clone());
        connect.keep_alive = self.keep_alive;
        // The manual's example connects without a client id, which no broker takes for a session
        // that is kept (inferred).
        connect.clean_session = self.clean_session || self.client_id.is_empty();
        connect.username = filled(&self.username);
        // MQTT has no password without a user name.
        let password = Some(self.password.clone()).filter(|text| !text.expose().is_empty());
        connect.password = password.filter(|_| connect.username.is_some());
        connect.will = Some(self.will.clone()).filter(|will| !will.topic.is_empty());
        connect.device = device.map(|device| {
            AliDevice::new(
                device.product_key.clone(),
                device.device_name.clone(),
                device.secret.clone(),
            )
        });
        Some(connect)
    }

    /// The answer to `AT+SMCONF?`: one information response of many lines.
    pub(super) fn show(&self, dialect: &Sm) -> String {
        let mut block = String::from("+SMCONF:");
        for key in KEYS.iter().filter(|key| dialect.has_key(key)) {
            let quoted = |text: &str| format!("\"{text}\"");
            let flag = |on: bool| u8::from(on).to_string();
            let value = match key.name {
                CLIENTID => quoted(&self.client_id),
                URL => {
                    let host = match self.host.as_str() {
                        "" => NO_HOST,
                        host => host,
                    };
                    format!("\"{host}\",{}", self.port)
                }
                KEEPTIME => self.keep_alive.to_string(),
                USERNAME => quoted(&self.username),
                PASSWORD => quoted(self.password.expose()),
                CLEANSS => flag(self.clean_session),
                WILL_QOS => QoS::level(self.will.qos).to_string(),
                TOPIC => quoted(&self.will.topic),
                MESSAGE => quoted(&String::from_utf8_lossy(&self.will.payload)),
                RETAIN => flag(self.will.retain),
                SUBHEX => flag(self.sub_hex),
                _ => flag(self.asynchronous),
            };
            block.push_str(&format!("\r\n{}: {value}", key.name));
        }
        block
    }
}
