use alloc::string::String;
use alloc::vec::Vec;

use super::super::received::Formats;
use super::super::setting::{Kept, Setting, TIMEOUTS};
use crate::Secret;
use crate::dialect::qmt::Qmt;
use crate::mqtt::{AliDevice, Connect, ConnectionId, Timeouts, TlsUse, Version, Will};
use crate::spec::Key;

/// The configuration of one connection, as `AT+QMTCFG` sets it. It outlasts the link, and is gone
/// after a reboot.
#[derive(Debug, Clone)]
pub(super) struct Configuration {
    version: Version,
    clean_session: bool,
    keep_alive: u16,
    pub(super) timeouts: Timeouts,
    pub(super) will: Option<Will>,
    pub(super) tls: Option<u8>,
    /// The packet data context that the link goes over.
    pub(super) pdp_context: u8,
    /// Whether received messages wait until they are read.
    pub(super) buffered: bool,
    pub(super) formats: Formats,
    /// Whether the prompt is left, and after how many seconds.
    pub(super) prompt_timeout: (bool, Option<u8>),
    platform: Platform,
    /// What is kept and shown.
    kept: Vec<(&'static Key, Kept)>,
}

/// From what the module computes its credentials.
#[derive(Debug, Clone)]
enum Platform {
    None,
    Alibaba {
        product_key: String,
        device_name: String,
        device_secret: Secret<'static>,
    },
    OneNet {
        product_id: String,
        access_key: Secret<'static>,
    },
}

/// How long the prompt waits for the next byte if it is to be left, unless the host says otherwise.
/// Inferred: no source has it.
pub(super) const PROMPT_SECONDS: u8 = 60;

/// When tokens for OneNET expire, in seconds since 1970: the module has no clock of its own, and the
/// platform takes any time that is to come.
#[cfg(feature = "cloud")]
const EXPIRES: u64 = 4_102_444_800;

impl Configuration {
    /// The defaults of the notes (reference `qmt.md` 3).
    pub(super) fn new(dialect: &Qmt) -> Self {
        Self {
            version: match dialect.defaults_to_3_1 {
                true => Version::V3_1,
                false => Version::V3_1_1,
            },
            clean_session: true,
            keep_alive: Connect::KEEP_ALIVE,
            timeouts: TIMEOUTS,
            will: None,
            tls: None,
            pdp_context: 1,
            buffered: false,
            formats: Formats {
                next_line: dialect.payload_on_next_line,
                ..Formats::default()
            },
            prompt_timeout: (false, None),
            platform: Platform::None,
            kept: Vec::new(),
        }
    }

    /// Takes over a setting; a will whose payload is still to come is none yet.
    pub(super) fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Version(version) => self.version = version,
            Setting::PdpContext(cid) => self.pdp_context = cid,
            Setting::Tls(context) => self.tls = context,
            Setting::KeepAlive(seconds) => self.keep_alive = seconds,
            Setting::CleanSession(on) => self.clean_session = on,
            Setting::Timeouts(timeouts) => self.timeouts = timeouts,
            Setting::Will(will) => self.will = will,
            Setting::WillLater(..) => {}
            Setting::ReceiveMode {
                buffered,
                show_length,
            } => {
                self.buffered = buffered;
                self.formats.show_length = show_length;
            }
            Setting::SendMode(hex) => self.formats.send_hex = hex,
            Setting::DataFormats(send, receive) => {
                self.formats.send_hex = send;
                self.formats.receive_hex = receive;
            }
            Setting::ViewMode(one_line) => self.formats.next_line = !one_line,
            Setting::PromptTimeout(on, seconds) => self.prompt_timeout = (on, seconds),
            Setting::AliAuth {
                product_key,
                device_name,
                device_secret,
            } => {
                self.platform = Platform::Alibaba {
                    product_key,
                    device_name,
                    device_secret,
                };
            }
            Setting::OneNet {
                product_id,
                access_key,
            } => {
                self.platform = Platform::OneNet {
                    product_id,
                    access_key,
                };
            }
            Setting::Kept(key, values) => {
                self.kept.retain(|(known, _)| known.name != key.name);
                self.kept.push((key, values));
            }
        }
    }

    /// The value of a setting, to answer a query; `None` if it was never set and has no default.
    pub(super) fn get(&self, key: &'static Key) -> Option<Setting> {
        Some(match key.name {
            "version" => Setting::Version(self.version),
            "pdpcid" => Setting::PdpContext(self.pdp_context),
            "ssl" => Setting::Tls(self.tls),
            "keepalive" => Setting::KeepAlive(self.keep_alive),
            "session" => Setting::CleanSession(self.clean_session),
            "timeout" => Setting::Timeouts(self.timeouts),
            "will" => Setting::Will(self.will.clone()),
            "willex" => match self.will.clone() {
                Some(will) => {
                    let length = will.payload.len();
                    Setting::WillLater(will, length)
                }
                None => Setting::Will(None),
            },
            "recv/mode" => Setting::ReceiveMode {
                buffered: self.buffered,
                show_length: self.formats.show_length,
            },
            "send/mode" => Setting::SendMode(self.formats.send_hex),
            "dataformat" => Setting::DataFormats(self.formats.send_hex, self.formats.receive_hex),
            "view/mode" => Setting::ViewMode(!self.formats.next_line),
            "edit/timeout" => {
                let (on, seconds) = self.prompt_timeout;
                Setting::PromptTimeout(on, seconds.filter(|_| on))
            }
            "aliauth" => match &self.platform {
                Platform::Alibaba {
                    product_key,
                    device_name,
                    device_secret,
                } => Setting::AliAuth {
                    product_key: product_key.clone(),
                    device_name: device_name.clone(),
                    device_secret: device_secret.clone(),
                },
                _ => return None,
            },
            "onenet" => match &self.platform {
                Platform::OneNet {
                    product_id,
                    access_key,
                } => Setting::OneNet {
                    product_id: product_id.clone(),
                    access_key: access_key.clone(),
                },
                _ => return None,
            },
            name => {
                let mut kept = self.kept.iter();
                let (key, values) = kept.find(|(known, _)| known.name == name)?;
                Setting::Kept(key, values.clone())
            }
        })
    }

    /// The CONNECT that it shapes. Host and port are those of the link.
    pub(super) fn connect(
        &self,
        connection: ConnectionId,
        client_id: String,
        username: Option<String>,
        password: Option<Secret<'static>>,
    ) -> Connect {
        let mut connect = Connect {
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
            ..Connect::new(connection, "", 0, client_id)
        };
        match &self.platform {
            Platform::Alibaba {
                product_key,
                device_name,
                device_secret,
            } => {
                connect.device = Some(AliDevice {
                    product_key: product_key.clone().into(),
                    device_name: device_name.clone().into(),
                    device_secret: device_secret.clone(),
                    product_name: "".into(),
                    product_secret: "".into(),
                    registration: None,
                    sign_method: None,
                    instance_id: "".into(),
                });
            }
            Platform::OneNet {
                product_id,
                access_key,
            } => one_net(&mut connect, product_id, access_key),
            Platform::None => {}
        }
        connect
    }
}

/// Computes the credentials of a device of OneNET, whose name is the client id. What is no key gives
/// no credentials, and the platform refuses the client.
#[cfg(feature = "cloud")]
fn one_net(connect: &mut Connect, product_id: &str, access_key: &Secret<'_>) {
    use crate::cloud::Hash;
    use crate::cloud::onenet::studio::{AccessKey, Device};

    let device = Device::new(product_id, &*connect.client_id);
    let key = AccessKey::product(access_key.expose());
    let credentials = key.and_then(|key| device.credentials(&key, Hash::Sha256, EXPIRES));
    if let Ok(credentials) = credentials {
        connect.username = Some(credentials.username);
        connect.password = Some(credentials.password);
    }
}

/// Credentials of platforms are computed with the feature `cloud` only.
#[cfg(not(feature = "cloud"))]
fn one_net(_: &mut Connect, _: &str, _: &Secret<'_>) {}
