use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::Secret;
use atmq_protocol::framing::DataEnd;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connected, ConnectionId, ConnectionState, DataFormat, Information, Refusal, Request, Setting,
    Timeouts, Urc, Version, Will,
};
use tokio::sync::oneshot;

use crate::client::Client;
use crate::error::{ConnectError, Error, ExchangeError};
use crate::messages::{Link, Messages};
use crate::modem::Modem;
use crate::port_task::Call;
use crate::session::{Answer, Command};

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
    host: String,
    port: u16,
    client_id: String,
    username: Option<String>,
    password: Option<Secret<'static>>,
    keep_alive: Duration,
    clean_session: bool,
    version: Version,
    timeouts: Option<Timeouts>,
    will: Option<Will<'static>>,
    tls_context: Option<u8>,
    aliyun: Option<[Setting<'static>; 2]>,
    open_limit: Option<Duration>,
    payloads: PayloadFormat,
}

/// How payloads to publish are given to the module. It holds for a connection as long as it is
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum PayloadFormat {
    /// As they are, inside of the command or behind a prompt, where the module carries every byte
    /// so; in hexadecimal digits on a module whose prompt ends at Ctrl-Z and ESC
    /// ([`Limits::prompt_end`]).
    #[default]
    Automatic,
    /// In hexadecimal digits. Two of them make a byte, so half as much fits.
    Hex,
}

impl PayloadFormat {
    fn on(self, limits: &Limits) -> DataFormat {
        match (self, limits.prompt_end) {
            (Self::Automatic, DataEnd::Length) => DataFormat::Text,
            (Self::Automatic, DataEnd::ControlCharacters) | (Self::Hex, _) => DataFormat::HexString,
        }
    }
}

impl ConnectOptions {
    /// MQTT 3.1.1 over TCP with a clean session, a keepalive of 120 s, and no credentials, on
    /// connection 0.
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            connection: ConnectionId(0),
            host: host.into(),
            port,
            client_id: client_id.into(),
            username: None,
            password: None,
            keep_alive: Duration::from_secs(120),
            clean_session: true,
            version: Version::default(),
            timeouts: None,
            will: None,
            tls_context: None,
            aliyun: None,
            open_limit: None,
            payloads: PayloadFormat::Automatic,
        }
    }

    /// User name and password.
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self.password = Some(Secret::from(password.into()));
        self
    }

    /// A user name without a password.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
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
    pub fn will(mut self, will: Will<'static>) -> Self {
        self.will = Some(will);
        self
    }

    /// Which of the module's connections to use, 0 unless set.
    pub fn connection(mut self, connection: ConnectionId) -> Self {
        self.connection = connection;
        self
    }

    /// TLS with one of the module's TLS contexts, 0 to 5, which must have been set up.
    pub fn tls(mut self, context: u8) -> Self {
        self.tls_context = Some(context);
        self
    }

    /// A device of Alibaba Cloud IoT: the module computes user name and password from these
    /// three itself. Credentials given by [`credentials`](Self::credentials) are not used.
    pub fn aliyun(
        mut self,
        product_key: impl Into<String>,
        device_name: impl Into<String>,
        device_secret: impl Into<String>,
    ) -> Self {
        self.aliyun = Some([
            // Alibaba Cloud, JSON (reference: article S).
            Setting::Cloud {
                platform: 2,
                data_type: 1,
            },
            Setting::AliAuth {
                product_key: Cow::Owned(product_key.into()),
                device_name: Cow::Owned(device_name.into()),
                device_secret: Secret::from(device_secret.into()),
            },
        ]);
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

    /// The settings on a module with these limits, each with whether the connection depends on it.
    ///
    /// What matters to the way this driver reads is set even where it is the default, because a
    /// firmware may keep what another program has set.
    fn settings(&self, limits: &Limits) -> Vec<(Setting<'static>, bool)> {
        let seconds = u16::try_from(self.keep_alive.as_secs()).unwrap_or(u16::MAX);
        let text = DataFormat::Text;
        let send = self.payloads.on(limits);
        let mut settings = vec![
            // With the length before it, any payload arrives whole.
            (
                Setting::ReceiveMode {
                    format: text,
                    show_length: true,
                },
                true,
            ),
            (Setting::SendMode(send), send != text),
            (Setting::Cache(false), false),
            // Some firmware has no such key, and reports.
            (Setting::ResultUrcs(true), false),
            (Setting::Version(self.version), true),
            (Setting::CleanSession(self.clean_session), true),
            (Setting::KeepAlive(seconds), true),
        ];
        let optional = [
            self.timeouts.map(Setting::Timeouts),
            self.will.clone().map(|will| Setting::Will(Some(will))),
            self.tls_context.map(|context| Setting::Tls {
                enabled: true,
                context,
            }),
        ];
        let optional = optional.into_iter().flatten();
        let cloud = self.aliyun.iter().flatten().cloned();
        settings.extend(optional.chain(cloud).map(|setting| (setting, true)));
        settings
    }

    fn configure(&self, setting: Setting<'static>) -> Command {
        Command::Mqtt(Request::Configure {
            connection: self.connection,
            setting,
        })
    }

    fn open(&self) -> Command {
        Command::Mqtt(Request::Open {
            connection: self.connection,
            host: Cow::Owned(self.host.clone()),
            port: self.port,
        })
    }

    fn connect(&self) -> Command {
        let own = self.aliyun.is_none();
        let username = self.username.clone().filter(|_| own);
        Command::Mqtt(Request::Connect {
            connection: self.connection,
            client_id: Cow::Owned(self.client_id.clone()),
            username: username.map(Cow::Owned),
            password: self.password.clone().filter(|_| own),
        })
    }
}

pub(crate) async fn connect(
    modem: &Modem,
    options: ConnectOptions,
) -> Result<(Client, Messages), ConnectError> {
    let link = modem.new_link(&options);
    let messages = Messages::new(link.clone());
    let client = Client::new(modem.clone(), link.clone());
    let limits = attach(modem, &options, &link).await?;
    match establish(modem, &options, &limits, &link).await {
        Ok(()) => Ok((client, messages)),
        Err(error) => {
            client.abandon().await;
            Err(error)
        }
    }
}

/// Makes sure that every command can be written, takes the connection, and tells what the module
/// accepts.
async fn attach(
    modem: &Modem,
    options: &ConnectOptions,
    link: &Arc<Link>,
) -> Result<Limits, ConnectError> {
    // Each module can be told of either format.
    let settings = options.settings(&Limits::NT26).into_iter();
    let configure = settings.map(|(setting, _)| options.configure(setting));
    let commands = configure.chain([options.open(), options.connect()]);
    let (reply, answer) = oneshot::channel();
    let call = Call::Attach {
        link: link.clone(),
        commands: commands.collect(),
        reply,
    };
    modem.send(call).await?;
    let attached = answer.await.map_err(|_| modem.closed())?;
    let limits = attached.map_err(Error::from)?;
    limits.ok_or(ConnectError::Occupied(options.connection))
}

async fn establish(
    modem: &Modem,
    options: &ConnectOptions,
    limits: &Limits,
    link: &Arc<Link>,
) -> Result<(), ConnectError> {
    let connection = options.connection;
    // A link or a configuration may be left of an earlier program.
    let close = Command::Mqtt(Request::Close { connection });
    tolerate(modem.exchange(close, None, None).await)?;
    for (setting, needed) in options.settings(limits) {
        let outcome = modem.exchange(options.configure(setting), None, None).await;
        if needed {
            outcome?;
        } else {
            tolerate(outcome)?;
        }
    }
    link.arm();
    let link = || Some(link.clone());
    let opened = modem
        .exchange(options.open(), options.open_limit, link())
        .await?;
    if let Some(Urc::Opened {
        result: Err(failure),
        ..
    }) = report(opened)
    {
        return Err(ConnectError::Open {
            host: options.host.clone(),
            port: options.port,
            failure,
        });
    }
    let connected = modem.exchange(options.connect(), None, link()).await?;
    match report(connected) {
        Some(Urc::Connected { result, .. }) => match result {
            Connected::Accepted => Ok(()),
            // MQTT reserves these codes; a module that shows one speaks of itself.
            Connected::Refused(Refusal::Other(code)) => Err(ConnectError::NotAccepted {
                code: Some(code.into()),
            }),
            Connected::Refused(refusal) => Err(ConnectError::Refused(refusal)),
            Connected::Failed(code) => Err(ConnectError::NotAccepted { code }),
            // The packet was sent again: only the state tells what came of it.
            Connected::Retransmitted(code) => match state(modem, link()).await? {
                Some(ConnectionState::Connected) => Ok(()),
                _ => Err(ConnectError::NotAccepted { code }),
            },
        },
        _ => Ok(()),
    }
}

/// Asks how far the link's connection is; `None` if the module knows nothing of it.
pub(crate) async fn state(
    modem: &Modem,
    link: Option<Arc<Link>>,
) -> Result<Option<ConnectionState>, Error> {
    let connection = link.as_ref().map(|link| link.connection);
    let query = Command::Mqtt(Request::QueryState);
    let Answer::Mqtt { information, .. } = modem.exchange(query, None, link).await? else {
        return Ok(None);
    };
    Ok(information.into_iter().find_map(|found| match found {
        Information::State {
            connection: of,
            state,
        } if Some(of) == connection => Some(state),
        _ => None,
    }))
}

/// The result URC of an exchange.
pub(crate) fn report(answer: Answer) -> Option<Urc<'static>> {
    match answer {
        Answer::Mqtt { report, .. } => report,
        _ => None,
    }
}

/// The module may refuse: there may be nothing to close, or no such setting.
pub(crate) fn tolerate(outcome: Result<Answer, Error>) -> Result<(), Error> {
    match outcome {
        Err(Error::Exchange(ExchangeError::Refused { .. } | ExchangeError::NoReport { .. })) => {
            Ok(())
        }
        other => other.map(drop),
    }
}
