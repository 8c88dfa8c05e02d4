use alloc::borrow::Cow;
use alloc::string::String;

use super::super::config::ALIBABA;
use crate::Secret;
use crate::dialect::lmqtt::{Formats, Setting, SettingKey};
use crate::mqtt::{AliDevice, Connect, ConnectionId, Timeouts, TlsUse, Version, Will};

/// The configuration of one connection, as `AT+LMQTTCFG` sets it. Nothing of it is stored: it is
/// gone after CLOSE (measured, reference `lmqtt.md` 1.3) unless the firmware keeps it.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    version: Version,
    clean_session: bool,
    keep_alive: u16,
    timeouts: Timeouts,
    will: Option<Will>,
    cloud: (u8, u8),
    device: Option<AliDevice<'static>>,
    tls: Option<u8>,
    /// Whether the radio is to be released as soon as there is nothing more to say.
    pub(super) quick_release: bool,
    /// The packet data context that the link goes over.
    pub(super) pdp_context: u8,
    /// Whether received messages wait until they are read.
    pub(super) cache: bool,
    /// Whether outcomes of publishes are reported.
    pub(super) result_urcs: bool,
}

impl Configuration {
    /// The defaults: the manual's for session and keepalive, ECMT's for the timeouts (reference
    /// `lmqtt.md` 1.3).
    pub(super) fn new(result_urcs: bool) -> Self {
        Self {
            version: Version::default(),
            clean_session: false,
            keep_alive: Connect::KEEP_ALIVE,
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

    /// The TLS context of the link, if it is to be secured.
    pub(super) fn tls_context(&self) -> Option<u8> {
        self.tls
    }

    /// Whether repetitions of a packet are reported.
    pub(super) fn notices(&self) -> bool {
        self.timeouts.notice
    }

    /// Takes over a setting, except for the formats, which are not kept here.
    pub(super) fn set(&mut self, setting: Setting<'_>) {
        match setting {
            Setting::Version(version) => self.version = version,
            Setting::CleanSession(on) => self.clean_session = on,
            Setting::KeepAlive(seconds) => self.keep_alive = seconds,
            Setting::Timeouts(timeouts) => self.timeouts = timeouts,
            Setting::ResultUrcs(on) => self.result_urcs = on,
            Setting::Cloud {
                platform,
                data_type,
            } => self.cloud = (platform, data_type),
            Setting::Tls { enabled, context } => self.tls = enabled.then_some(context),
            Setting::Cache(on) => self.cache = on,
            Setting::QuickRelease(on) => self.quick_release = on,
            Setting::PdpContext(cid) => self.pdp_context = cid,
            Setting::AliAuth {
                product_key,
                device_name,
                device_secret,
            } => {
                let device = AliDevice {
                    product_key,
                    device_name,
                    device_secret,
                    product_name: "".into(),
                    product_secret: "".into(),
                    registration: None,
                    sign_method: None,
                    instance_id: "".into(),
                };
                self.device = Some(device.into_owned());
            }
            Setting::AliDevice(device) => self.device = Some(device.into_owned()),
            Setting::Will(will) => self.will = will,
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

    /// The CONNECT that it shapes. Host and port are those of the link.
    pub(super) fn connect(
        &self,
        connection: ConnectionId,
        client_id: String,
        username: Option<String>,
        password: Option<Secret<'static>>,
    ) -> Connect {
        Connect {
            username,
            password,
            version: self.version,
            clean_session: self.clean_session,
            keep_alive: self.keep_alive,
            timeouts: Some(self.timeouts),
            will: self.will.clone(),
            tls: self.tls.map(|context| TlsUse {
                context,
                set_up: None,
            }),
            device: self.device.clone().filter(|_| self.cloud.0 == ALIBABA),
            ..Connect::new(connection, "", 0, client_id)
        }
    }

    /// What the module makes of an inline payload: for OneNET's data points, a frame. `None`: the
    /// payload is not what the configured type says.
    #[cfg(feature = "cloud")]
    pub(super) fn frame<'p>(&self, topic: &str, payload: Cow<'p, [u8]>) -> Option<Cow<'p, [u8]>> {
        use super::super::config::ONENET;
        use crate::cloud::onenet;

        match self.cloud {
            (ONENET, number) if topic == onenet::DATA_POINTS => {
                match onenet::DataType::from_number(number) {
                    Some(data_type) => onenet::frame(data_type, &payload).ok().map(Cow::Owned),
                    // Of other types the host has written the frame.
                    None => Some(payload),
                }
            }
            _ => Some(payload),
        }
    }

    /// What the module makes of an inline payload. The frames of platforms are known with the
    /// feature `cloud` only.
    #[cfg(not(feature = "cloud"))]
    #[allow(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as with the feature"
    )]
    pub(super) fn frame<'p>(&self, _: &str, payload: Cow<'p, [u8]>) -> Option<Cow<'p, [u8]>> {
        Some(payload)
    }
}
