use std::borrow::Cow;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::mqtt::{Formats, Setting, SettingKey, Timeouts, Version, Will};

use crate::cloud;
use crate::mqtt::ConnectOptions;

/// `cloud_type` of Alibaba Cloud (documented).
const ALIBABA: u8 = 2;

/// The configuration of one connection, as `AT+LMQTTCFG` sets it. Nothing of it is stored: it is
/// gone after CLOSE (measured, reference `lmqtt.md` 1.3).
#[derive(Debug, Clone)]
pub(super) struct Config {
    version: Version,
    clean_session: bool,
    keep_alive: u16,
    timeouts: Timeouts,
    will: Option<Will<'static>>,
    cloud: (u8, u8),
    device: Option<Device>,
    tls: Option<u8>,
    /// Whether outcomes of publishes are reported.
    pub(super) result_urcs: bool,
}

#[derive(Debug, Clone)]
struct Device {
    product_key: String,
    device_name: String,
    device_secret: Secret<'static>,
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
            result_urcs,
        }
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
            Setting::AliAuth {
                product_key,
                device_name,
                device_secret,
            } => {
                self.device = Some(Device {
                    product_key: product_key.to_string(),
                    device_name: device_name.to_string(),
                    device_secret: device_secret.clone().into_owned(),
                });
            }
            Setting::Will(will) => {
                self.will = will.as_ref().map(|will| Will {
                    topic: Cow::Owned(will.topic.to_string()),
                    payload: Cow::Owned(will.payload.to_vec()),
                    ..*will
                });
            }
            Setting::ReceiveMode { .. }
            | Setting::SendMode(_)
            | Setting::DataFormats { .. }
            | Setting::Cache(_) => {}
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
            SettingKey::Cache => Setting::Cache(false),
            SettingKey::ResultUrcs => Setting::ResultUrcs(self.result_urcs),
            SettingKey::Cloud => Setting::Cloud {
                platform: self.cloud.0,
                data_type: self.cloud.1,
            },
            SettingKey::AliAuth => {
                let (key, name, secret) = match &self.device {
                    Some(device) => (
                        device.product_key.as_str(),
                        device.device_name.as_str(),
                        device.device_secret.expose(),
                    ),
                    None => ("", "", ""),
                };
                Setting::AliAuth {
                    product_key: key.into(),
                    device_name: name.into(),
                    device_secret: secret.into(),
                }
            }
            SettingKey::Tls => Setting::Tls {
                enabled: self.tls.is_some(),
                context: self.tls.unwrap_or(0),
            },
            SettingKey::Will => Setting::Will(self.will.clone()),
        }
    }

    /// Whether the link is TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// What CONNECT carries.
    pub(super) fn connect_options(
        &self,
        client_id: &str,
        username: Option<&str>,
        password: Option<&str>,
    ) -> ConnectOptions {
        let mut options = ConnectOptions::new(client_id);
        options.username = username.map(str::to_owned);
        options.password = password.map(|password| password.as_bytes().to_vec());
        if self.cloud.0 == ALIBABA
            && let Some(device) = &self.device
        {
            let credentials = cloud::alibaba(
                client_id,
                &device.product_key,
                &device.device_name,
                device.device_secret.expose(),
                self.is_secure(),
            );
            options.client_id = credentials.client_id;
            options.username = Some(credentials.username);
            options.password = Some(credentials.password.into_bytes());
        }
        options.version = self.version;
        options.clean_session = self.clean_session;
        options.keep_alive = self.keep_alive;
        options.packet_timeout = Duration::from_secs(self.timeouts.packet_seconds.into());
        options.retries = self.timeouts.retries.into();
        options.will = self.will.as_ref().map(|will| crate::mqtt::Will {
            topic: will.topic.to_string(),
            payload: will.payload.to_vec(),
            qos: will.qos,
            retain: will.retain,
        });
        options
    }
}
