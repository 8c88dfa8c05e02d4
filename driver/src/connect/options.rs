use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::cloud::onenet::studio;
use atmq_protocol::cloud::{Credentials, aliyun};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, DataFormat, Request, Setting, Timeouts, Version, Will};

use super::payload_format::PayloadFormat;
use crate::cloud::{Identity, Presented};
use crate::error::ConnectError;
use crate::session::Command;
use crate::tls::Tls;

/// How to connect to a broker.
///
/// ```
/// use std::time::Duration;
///
/// use atmq_driver::ConnectOptions;
///
/// let options = ConnectOptions::new("broker.example", 1883, "meter-7")
///     .credentials("meter", "secret")
///     .keep_alive(Duration::from_secs(60));
/// ```
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    pub(crate) connection: ConnectionId,
    pub(super) host: String,
    pub(super) port: u16,
    identity: Identity,
    keep_alive: Duration,
    clean_session: bool,
    version: Version,
    timeouts: Option<Timeouts>,
    will: Option<Will>,
    tls: Option<Secured>,
    pub(super) open_limit: Option<Duration>,
    payloads: PayloadFormat,
    receive_hex: bool,
    cached: bool,
}

impl ConnectOptions {
    /// MQTT 3.1.1 over TCP with a clean session, a keepalive of 120 s, and no credentials, on
    /// connection 0.
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            connection: ConnectionId(0),
            host: host.into(),
            port,
            identity: Identity::Given {
                client_id: client_id.into(),
                username: None,
                password: None,
            },
            keep_alive: KEEP_ALIVE,
            clean_session: true,
            version: Version::default(),
            timeouts: None,
            will: None,
            tls: None,
            open_limit: None,
            payloads: PayloadFormat::Automatic,
            receive_hex: false,
            cached: false,
        }
    }

    /// A device of Alibaba Cloud IoT, over TCP on connection 0; add [`tls`](Self::tls) for TLS.
    /// User name and password are computed here at each connect, by HMAC-SHA256 with the device's
    /// secret, or taken from what a [registration](aliyun::Registered) has brought. The client id
    /// is the device's name.
    ///
    /// `region`: such as `cn-shanghai`. Of an instance with a host of its own, name that by
    /// [`broker`](Self::broker).
    ///
    /// ```
    /// use atmq_driver::cloud::aliyun;
    /// use atmq_driver::{ConnectOptions, Secret};
    ///
    /// let device = aliyun::Device::new("a1B2c3D4e5F", "dev001");
    /// let secret = Secret::from("0123456789abcdef0123456789abcdef");
    /// let options = ConnectOptions::aliyun_device(device, "cn-shanghai", secret);
    /// ```
    pub fn aliyun_device(
        device: aliyun::Device,
        region: &str,
        credential: impl Into<aliyun::Registered>,
    ) -> Self {
        let mut options = Self::new(device.host(region), aliyun::PORT, "");
        options.identity = Identity::Aliyun {
            device,
            credential: credential.into(),
        };
        options
    }

    /// A device of OneNET Studio, over TCP on connection 0; add [`tls`](Self::tls) for TLS. A new
    /// token is made at each connect, signed with HMAC-SHA256, which is good for `lifetime` from
    /// then on by the clock of this computer.
    pub fn onenet_studio(
        host: impl Into<String>,
        port: u16,
        device: studio::Device,
        key: studio::AccessKey,
        lifetime: Duration,
    ) -> Self {
        let mut options = Self::new(host, port, "");
        options.identity = Identity::Studio {
            device,
            key,
            lifetime,
        };
        options
    }

    /// The broker, where it is another than first said.
    pub fn broker(mut self, host: impl Into<String>, port: u16) -> Self {
        self.host = host.into();
        self.port = port;
        self
    }

    /// User name and password. They take the place of any other credentials.
    pub fn credentials(self, username: impl Into<String>, password: impl Into<String>) -> Self {
        let password = Some(Secret::from(password.into()));
        self.given(username.into(), password)
    }

    /// A user name without a password. It takes the place of any other credentials.
    pub fn username(self, username: impl Into<String>) -> Self {
        self.given(username.into(), None)
    }

    /// Client id, user name and password as a platform wants them.
    pub fn cloud_credentials(mut self, credentials: Credentials) -> Self {
        self.identity = Identity::Given {
            client_id: credentials.client_id,
            username: Some(credentials.username),
            password: Some(credentials.password),
        };
        self
    }

    /// The same, asked for at each connect, so that what expires can be made anew. The function
    /// must not block. What it says when it fails is the reason of
    /// [`ConnectError::NoCredentials`].
    pub fn cloud_credentials_by<E: fmt::Display>(
        mut self,
        provider: impl Fn() -> Result<Credentials, E> + Send + Sync + 'static,
    ) -> Self {
        self.identity = Identity::Asked(Arc::new(move || {
            provider().map_err(|error| ConnectError::NoCredentials {
                reason: error.to_string(),
            })
        }));
        self
    }

    /// A device of Alibaba Cloud IoT whose user name and password the module computes itself
    /// (`aliauth`); the client id stays. They take the place of any other credentials.
    pub fn aliauth(mut self, device: aliyun::Device, secret: impl Into<Secret<'static>>) -> Self {
        let client_id = match self.identity {
            Identity::Given { client_id, .. } | Identity::Aliauth { client_id, .. } => client_id,
            _ => device.device_name.clone(),
        };
        self.identity = Identity::Aliauth {
            client_id,
            device,
            secret: secret.into(),
        };
        self
    }

    /// The time without a packet after which the module sends a PINGREQ, in whole seconds; zero
    /// is never.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// Whether the broker forgets the session that this client id had before.
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.clean_session = clean;
        self
    }

    /// The version of MQTT.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// How long and how often the module waits for an acknowledgement. Unless set, as its
    /// firmware does.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// What the broker publishes when the connection is lost. The payload must be text.
    pub fn will(mut self, will: Will) -> Self {
        self.will = Some(will);
        self
    }

    /// Which of the module's connections to use, 0 unless set.
    pub fn connection(mut self, connection: ConnectionId) -> Self {
        self.connection = connection;
        self
    }

    /// TLS, with a context of the module that is set up at each connect.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(Secured::Here(tls));
        self
    }

    /// TLS with one of the module's TLS contexts, 0 to 5, which must have been set up.
    pub fn tls_context(mut self, context: u8) -> Self {
        self.tls = Some(Secured::Before(context));
        self
    }

    /// How long the module may take to open the link; unless set as long as its manual says,
    /// which for LMQTT is 160 s.
    pub fn open_limit(mut self, limit: Duration) -> Self {
        self.open_limit = Some(limit);
        self
    }

    /// How payloads to publish are given to the module, [`PayloadFormat::Automatic`] unless set.
    pub fn payload_format(mut self, format: PayloadFormat) -> Self {
        self.payloads = format;
        self
    }

    /// Whether the module reports received payloads in hexadecimal digits; unless set as they are.
    ///
    /// Topic and payload come from strangers, and the module escapes neither: a message whose topic
    /// or payload holds a quote and a number may look like another one, and is dropped and counted
    /// ([`Messages::missed`](crate::Messages::missed)). Digits leave one way to read it. They take
    /// twice the time on the line, and no module is known to have them tried.
    pub fn receive_hex(mut self, hex: bool) -> Self {
        self.receive_hex = hex;
        self
    }

    /// Whether the module keeps received messages until they are read, instead of reporting them
    /// whole; unless set it does not.
    ///
    /// The driver reads them by itself, oldest first, in turn with the commands of callers, as long
    /// as [`Messages`](crate::Messages) has room; also those that waited when the connection was made. A module
    /// keeps few (five are known of), and drops what comes beyond that. For modules whose reports
    /// get lost or cut; costs an exchange for each message.
    pub fn cached(mut self, cached: bool) -> Self {
        self.cached = cached;
        self
    }

    fn given(mut self, username: String, password: Option<Secret<'static>>) -> Self {
        let client_id = match self.identity {
            Identity::Given { client_id, .. } | Identity::Aliauth { client_id, .. } => client_id,
            _ => String::new(),
        };
        self.identity = Identity::Given {
            client_id,
            username: Some(username),
            password,
        };
        self
    }
}

/// What the driver makes of them.
impl ConnectOptions {
    /// Whether the link is TLS.
    pub(crate) fn is_secured(&self) -> bool {
        self.tls.is_some()
    }

    /// The time without a packet after which the module sends a PINGREQ.
    pub(crate) fn keep_alive_seconds(&self) -> u64 {
        self.keep_alive.as_secs()
    }

    /// The TLS context to set up, if there is one.
    pub(super) fn tls_here(&self) -> Option<&Tls> {
        match &self.tls {
            Some(Secured::Here(tls)) => Some(tls),
            _ => None,
        }
    }

    /// Where the will is published, if there is one.
    pub(crate) fn will_topic(&self) -> Option<&str> {
        self.will.as_ref().map(|will| &*will.topic)
    }

    /// Whether the broker forgets what it knew of the client.
    pub(crate) fn is_clean(&self) -> bool {
        self.clean_session
    }

    /// How payloads to publish are given to a module with these limits.
    pub(crate) fn send_format(&self, limits: &Limits) -> DataFormat {
        self.payloads.on(limits)
    }

    /// The settings on a module with these limits.
    ///
    /// What matters to the way this driver reads is set even where it is the default, because a
    /// firmware may keep what another program has set. What is the module's default (reference
    /// `lmqtt.md` 1.3) is not needed: a module that has no such key does so by itself.
    pub(super) fn settings(&self, limits: &Limits) -> Vec<Wanted> {
        let seconds = u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX);
        let text = DataFormat::Text;
        let send = self.send_format(limits);
        let is_default = |setting| Wanted {
            setting,
            needed: false,
            without: None,
        };
        let needed = |setting| Wanted {
            setting,
            needed: true,
            without: None,
        };
        let needed_if = |needed, setting| Wanted {
            needed,
            ..is_default(setting)
        };
        let mut settings = vec![
            Wanted {
                // With the length before it, any payload arrives whole.
                setting: Setting::ReceiveMode {
                    format: match self.receive_hex {
                        true => DataFormat::HexString,
                        false => text,
                    },
                    show_length: true,
                },
                needed: self.receive_hex,
                without: Some(
                    "messages come without their length, so one ends at a line end in it",
                ),
            },
            needed_if(send != text, Setting::SendMode(send)),
            needed_if(self.cached, Setting::Cache(self.cached)),
            // Some firmware has no such key, and reports.
            is_default(Setting::ResultUrcs(true)),
            needed_if(
                self.version != Version::default(),
                Setting::Version(self.version),
            ),
            // The manual's default is a session that is kept.
            needed(Setting::CleanSession(self.clean_session)),
            needed_if(self.keep_alive != KEEP_ALIVE, Setting::KeepAlive(seconds)),
        ];
        let optional = [
            self.timeouts.map(Setting::Timeouts),
            self.will.clone().map(|will| Setting::Will(Some(will))),
            self.tls.as_ref().map(|tls| Setting::Tls {
                enabled: true,
                context: match tls {
                    Secured::Before(context) => *context,
                    Secured::Here(tls) => tls.context(),
                },
            }),
        ];
        let optional = optional.into_iter().flatten();
        settings.extend(optional.chain(self.identity.settings()).map(needed));
        settings
    }

    pub(super) fn configure(&self, setting: Setting<'static>) -> Command {
        Command::Mqtt(Request::Configure {
            connection: self.connection,
            setting,
        })
    }

    pub(super) fn open(&self) -> Command {
        Command::Mqtt(Request::Open {
            connection: self.connection,
            host: Cow::Owned(self.host.clone()),
            port: self.port,
        })
    }

    /// What is presented at a connect at this moment.
    pub(super) fn connect(&self) -> Result<Command, ConnectError> {
        let tls = self.is_secured();
        let Presented {
            client_id,
            username,
            password,
        } = self.identity.present(tls, self.keep_alive)?;
        Ok(Command::Mqtt(Request::Connect {
            connection: self.connection,
            client_id: Cow::Owned(client_id),
            username: username.map(Cow::Owned),
            password,
        }))
    }
}

/// A setting that a connect makes.
pub(super) struct Wanted {
    pub(super) setting: Setting<'static>,
    /// Whether the connection is not what was asked for without it.
    pub(super) needed: bool,
    /// What else it means that the module refuses it, if that is worth a warning.
    pub(super) without: Option<&'static str>,
}

/// The keepalive unless set, which is the manual's too (reference `lmqtt.md` 1.3).
const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// Who sets a TLS context up.
#[derive(Debug, Clone)]
enum Secured {
    /// Somebody has done so before.
    Before(u8),
    /// The driver does, at each connect.
    Here(Tls),
}
