use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::cloud::onenet::studio;
use atmq_protocol::cloud::{Credentials, aliyun};
use atmq_protocol::mqtt::{Connect, ConnectionId, PayloadFormat, Timeouts, TlsUse, Version, Will};

use crate::cloud::Identity;
use crate::error::ConnectError;
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
    /// All but what is presented anew at each connect.
    connect: Connect,
    identity: Identity,
}

impl ConnectOptions {
    /// MQTT 3.1.1 over TCP with a clean session, a keepalive of 120 s, and no credentials, on
    /// connection 0.
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            connect: Connect::new(ConnectionId(0), host, port, ""),
            identity: Identity::Given {
                client_id: client_id.into(),
                username: None,
                password: None,
            },
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
        self.connect.host = host.into();
        self.connect.port = port;
        self
    }

    /// User name and password. They take the place of any other credentials.
    pub fn credentials(self, username: impl Into<String>, password: impl Into<String>) -> Self {
        let password = Some(Secret::from(password.into()));
        self.presenting(username.into(), password)
    }

    /// A user name without a password. It takes the place of any other credentials.
    pub fn username(self, username: impl Into<String>) -> Self {
        self.presenting(username.into(), None)
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
        let seconds = keep_alive.as_secs();
        self.connect.keep_alive = u16::try_from(seconds).unwrap_or(u16::MAX);
        self
    }

    /// Whether the broker forgets the session that this client id had before.
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.connect.clean_session = clean;
        self
    }

    /// The version of MQTT.
    pub fn version(mut self, version: Version) -> Self {
        self.connect.version = version;
        self
    }

    /// How long and how often the module waits for an acknowledgement. Unless set, as its
    /// firmware does.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.connect.timeouts = Some(timeouts);
        self
    }

    /// What the broker publishes when the connection is lost. The payload must be text.
    pub fn will(mut self, will: Will) -> Self {
        self.connect.will = Some(will);
        self
    }

    /// Which of the module's connections to use, 0 unless set.
    pub fn connection(mut self, connection: ConnectionId) -> Self {
        self.connect.connection = connection;
        self
    }

    /// TLS, with a context of the module that is set up at each connect.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.connect.tls = Some(tls.into());
        self
    }

    /// TLS with one of the module's TLS contexts, 0 to 5, which must have been set up.
    pub fn tls_context(mut self, context: u8) -> Self {
        self.connect.tls = Some(TlsUse {
            context,
            set_up: None,
        });
        self
    }

    /// How long the module may take to open the link; unless set as long as its manual says, some
    /// minutes.
    pub fn open_limit(mut self, limit: Duration) -> Self {
        self.connect.open_limit = Some(limit);
        self
    }

    /// How payloads to publish are given to the module, [`PayloadFormat::Automatic`] unless set.
    pub fn payload_format(mut self, format: PayloadFormat) -> Self {
        self.connect.payloads = format;
        self
    }

    /// Whether the module reports received payloads in hexadecimal digits; unless set as they are.
    ///
    /// Topic and payload come from strangers, and the module escapes neither: a message whose topic
    /// or payload holds a quote and a number may look like another one, and is dropped and counted
    /// ([`Messages::missed`](crate::Messages::missed)). Digits leave one way to read it. They take
    /// twice the time on the line, and no module is known to have them tried.
    pub fn receive_hex(mut self, hex: bool) -> Self {
        self.connect.receive_hex = hex;
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
        self.connect.cached = cached;
        self
    }

    fn presenting(mut self, username: String, password: Option<Secret<'static>>) -> Self {
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
    /// What has been asked for, without what is presented anew at each connect.
    pub(crate) fn given(&self) -> &Connect {
        &self.connect
    }

    /// All of it, with what is presented at a connect at this moment.
    pub(super) fn connect(&self) -> Result<Connect, ConnectError> {
        let mut connect = self.connect.clone();
        let keep_alive = Duration::from_secs(connect.keep_alive.into());
        let presented = self.identity.present(connect.tls.is_some(), keep_alive)?;
        connect.client_id = presented.client_id;
        connect.username = presented.username;
        connect.password = presented.password;
        connect.device = self.identity.device();
        Ok(connect)
    }
}
