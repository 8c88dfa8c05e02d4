mod hint;
mod url;

use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_driver::{
    Client, ConnectError, ConnectOptions, Error, ExchangeError, Messages, Modem, PublishError, QoS,
    Version, Will,
};
use atmq_protocol::mqtt::{check_filter, check_topic};
use clap::ValueEnum;
use tokio::time::timeout;

use self::url::BrokerUrl;
use crate::cloud::CloudArguments;
use crate::failure::{Failure, FailureKind, chain};
use crate::messages::tell;
use crate::secret;
use crate::tls::TlsArguments;

/// Which broker, and as whom; named as `mosquitto_pub` and `mosquitto_sub` name them.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Broker")]
pub(crate) struct BrokerArguments {
    /// Host of the broker, which the module resolves [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST", value_parser = host)]
    host: Option<String>,
    /// Broker, user and topic in one: mqtt://USER:PASSWORD@HOST:PORT/TOPIC, or mqtts:// for TLS; all
    /// but the host can be left out, and other users of this machine can see the password
    #[arg(short = 'L', long, value_name = "URL",
          conflicts_with_all = ["host", "broker_port", "username", "aliyun", "onenet"])]
    url: Option<String>,
    /// TCP port of the broker [default: 1883, or 8883 with TLS]
    #[arg(short = 'p', long, value_name = "PORT",
          value_parser = clap::value_parser!(u16).range(1..))]
    broker_port: Option<u16>,
    /// Client id [default: a unique one]
    #[arg(short = 'i', long, value_name = "ID", allow_hyphen_values = true)]
    id: Option<String>,
    /// Prefix of the unique client id
    #[arg(
        short = 'I',
        long,
        value_name = "PREFIX",
        default_value = "atmq-",
        allow_hyphen_values = true,
        conflicts_with = "id"
    )]
    id_prefix: String,
    /// User name
    #[arg(short = 'u', long, value_name = "NAME", allow_hyphen_values = true)]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordArguments,
    /// Keep-alive interval of the connection; 0 turns it off
    #[arg(short = 'k', long, value_name = "SECONDS", default_value_t = 60)]
    keepalive: u16,
    /// Have the broker keep the session, with subscriptions and queued messages; needs -i
    #[arg(short = 'c', long)]
    disable_clean_session: bool,
    /// Version of MQTT
    #[arg(
        short = 'V',
        long,
        value_name = "VERSION",
        value_enum,
        default_value = "mqttv311"
    )]
    protocol_version: ProtocolVersion,
    #[command(flatten)]
    tls: TlsArguments,
    #[command(flatten)]
    cloud: CloudArguments,
    #[command(flatten)]
    will: WillArguments,
}

/// The password goes with the user name. The first that is given counts, the environment last.
#[derive(Debug, clap::Args)]
struct PasswordArguments {
    /// Password; other users of this machine can see it
    #[arg(
        short = 'P',
        long,
        visible_alias = "pw",
        value_name = "PASSWORD",
        allow_hyphen_values = true
    )]
    password: Option<String>,
    /// Prompt for the password
    #[arg(long, conflicts_with = "password")]
    ask_password: bool,
    /// Read the password from the first line of a file; without any of these options, it is taken
    /// from the environment variable ATMQ_PASSWORD
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password", "ask_password"])]
    password_file: Option<PathBuf>,
}

/// What the broker publishes when the connection is lost.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Will")]
struct WillArguments {
    /// Topic of the will, a message that the broker publishes if the connection is lost
    #[arg(long, value_name = "TOPIC", value_parser = topic, allow_hyphen_values = true)]
    will_topic: Option<String>,
    /// Payload of the will
    #[arg(
        long,
        value_name = "TEXT",
        requires = "will_topic",
        allow_hyphen_values = true
    )]
    will_payload: Option<String>,
    /// Quality of service of the will
    #[arg(long, value_name = "QOS", default_value = "0", value_parser = qos,
          requires = "will_topic")]
    will_qos: QoS,
    /// Ask the broker to retain the will
    #[arg(long, requires = "will_topic")]
    will_retain: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProtocolVersion {
    /// MQTT 3.1
    #[value(alias = "31")]
    Mqttv31,
    /// MQTT 3.1.1
    #[value(alias = "311")]
    Mqttv311,
}

impl BrokerArguments {
    /// Whether a broker was named, by its host or as a platform.
    pub(crate) fn is_given(&self) -> bool {
        self.host.is_some() || self.url.is_some() || self.cloud.knows_its_host()
    }

    /// A connection that could not be made, with what to try.
    pub(crate) fn connect_failure(&self, error: &ConnectError) -> Failure {
        hint::connect_failure(error, self.cloud.option(), Some(self.tls.when_closed()))
    }

    /// The client id that was given.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn url(&self) -> Result<Option<BrokerUrl>, Failure> {
        self.url.as_deref().map(BrokerUrl::read).transpose()
    }

    /// The topic or filter of `-L`, if it has one.
    pub(crate) fn topic(&self) -> Result<Option<String>, Failure> {
        Ok(self.url()?.and_then(|url| url.topic))
    }

    /// `HOST:PORT`
    pub(crate) fn address(&self) -> Result<String, Failure> {
        let (host, port) = self.place()?;
        Ok(format!("{host}:{port}"))
    }

    fn place(&self) -> Result<(String, u16), Failure> {
        Ok(match self.url()? {
            Some(url) => (url.host, url.port),
            None => {
                let host = self.host.clone().unwrap_or_else(|| "localhost".into());
                (host, self.port())
            }
        })
    }

    fn port(&self) -> u16 {
        self.broker_port
            .unwrap_or(default_port(self.tls.is_wanted()))
    }

    /// How to connect. Asks the terminal for the password if it is to.
    pub(crate) fn options(&self) -> Result<ConnectOptions, Failure> {
        let id = self.id.clone();
        // A profile may give it, too, which clap would not count.
        if self.disable_clean_session && id.is_none() && !self.cloud.is_given() {
            let what = "-c keeps a session, and there is no client id to keep it for";
            return Err(Failure::new(FailureKind::Usage, what).hint("give -i"));
        }
        let device = self.cloud.options(self.host.as_deref(), self.port())?;
        let is_device = device.is_some();
        let (host, port) = self.place()?;
        let url = self.url()?;
        if url.as_ref().is_some_and(|url| url.is_tls) && !self.tls.is_wanted() {
            let what = "mqtts:// is TLS, and a module brings no certificates to verify a broker by";
            let hint = "add --cafile, or --insecure if the broker is not to be verified";
            return Err(Failure::new(FailureKind::Usage, what).hint(hint));
        }
        let options = device.unwrap_or_else(|| {
            let client_id = id.unwrap_or_else(|| unique_client_id(&self.id_prefix));
            ConnectOptions::new(host, port, client_id)
        });
        let mut options = self
            .tls
            .add_to(options)?
            .keep_alive(Duration::from_secs(self.keepalive.into()))
            .clean_session(!self.disable_clean_session)
            .version(match self.protocol_version {
                ProtocolVersion::Mqttv31 => Version::V3_1,
                ProtocolVersion::Mqttv311 => Version::V3_1_1,
            });
        // A profile may have a user name for other calls.
        let (name, password) = url.map_or((None, None), |url| (url.username, url.password));
        let username = name.or_else(|| self.username.clone());
        if username.is_none() && !is_device && self.password.is_given() {
            let what = "a password goes with a user name, and there is none";
            return Err(Failure::new(FailureKind::Usage, what).hint("give -u"));
        }
        if let Some(username) = username.filter(|_| !is_device) {
            options = match self.password.read(password)? {
                Some(password) => options.credentials(username, password),
                None => options.username(username),
            };
        }
        if let Some(topic) = self.will.will_topic.clone() {
            let payload = self.will.will_payload.clone().unwrap_or_default();
            let will = Will::new(topic, payload);
            options = options.will(will.qos(self.will.will_qos).retain(self.will.will_retain));
        }
        Ok(options)
    }
}

impl PasswordArguments {
    /// Whether an option gives it; the environment may do so for other calls.
    fn is_given(&self) -> bool {
        self.password.is_some() || self.ask_password || self.password_file.is_some()
    }

    /// The password; `of_url` is that of `-L`.
    fn read(&self, of_url: Option<String>) -> Result<Option<String>, Failure> {
        if of_url.is_some() && (self.password.is_some() || self.ask_password) {
            let what = "the password is in the URL of -L, and another is given";
            return Err(Failure::new(FailureKind::Usage, what));
        }
        if let Some(password) = of_url.or_else(|| self.password.clone()) {
            return Ok(Some(password));
        }
        if self.ask_password {
            let instead = "name a file with --password-file, or set ATMQ_PASSWORD";
            return secret::from_terminal("password", instead).map(Some);
        }
        match &self.password_file {
            Some(file) => secret::from_file(file).map(Some),
            None => secret::from_environment("ATMQ_PASSWORD"),
        }
    }
}

/// Has the module connect, unless the program is stopped first: then the module is disconnected.
pub(crate) async fn connect(
    modem: &Modem,
    broker: &BrokerArguments,
    options: ConnectOptions,
    stopped: impl Future<Output = ()>,
) -> Result<(Client, Messages), Failure> {
    let mut connecting = pin!(modem.connect(options));
    tokio::select! {
        biased;
        () = stopped => {}
        connected = &mut connecting => {
            return connected.map_err(|error| broker.connect_failure(&error));
        }
    }
    let leaving = async {
        // The module takes no other command before this one has ended. A connect that fails closes
        // the link itself.
        match connecting.await {
            Ok((client, _messages)) => disconnect(&client).await,
            Err(_) => Ok(()),
        }
    };
    // That it was stopped counts more than what came of disconnecting.
    let _ = leave(leaving, LEAVE).await;
    Err(stopped_early())
}

/// Does what comes before the connection, unless the program is stopped first.
pub(crate) async fn unless_stopped<T>(
    stopped: impl Future<Output = ()>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = stopped => Err(stopped_early()),
    }
}

/// The program was stopped while there was no connection yet.
pub(crate) fn stopped_early() -> Failure {
    let what = "stopped before the connection was made";
    Failure::new(FailureKind::Stopped, what)
}

/// Has the module disconnect, unless the connection is what was lost.
pub(crate) async fn disconnect(client: &Client) -> Result<(), Failure> {
    match client.ended() {
        None => client.disconnect().await,
        Some(_) => Ok(()),
    }
    .map_err(|error| exchange_failure(&error))
}

/// How long the program waits for the module to disconnect when a signal stops it. Ours: what
/// manuals allow a disconnect.
pub(crate) const LEAVE: Duration = Duration::from_secs(5);

/// Disconnects, unless the module takes longer for it than this: it may still be busy with what was
/// given up.
pub(crate) async fn leave(
    disconnecting: impl Future<Output = Result<(), Failure>>,
    limit: Duration,
) -> Result<(), Failure> {
    timeout(limit, disconnecting).await.unwrap_or_else(|_| {
        let seconds = limit.as_secs();
        tell(&format!(
            "atmq: the module has not disconnected in {seconds} s, and is left as it is"
        ));
        Ok(())
    })
}

fn default_port(is_tls: bool) -> u16 {
    if is_tls { 8883 } else { 1883 }
}

/// Checks a topic filter.
pub(crate) fn topic_filter(text: &str) -> Result<String, String> {
    check_filter(text).map_err(|error| format!("the topic filter {error}"))?;
    Ok(text.to_owned())
}

/// Checks a topic to publish to.
pub(crate) fn topic(text: &str) -> Result<String, String> {
    check_topic(text).map_err(|error| format!("the topic {error}"))?;
    Ok(text.to_owned())
}

/// Checks a host. What else belongs to a broker would be looked up as a part of its name.
fn host(text: &str) -> Result<String, String> {
    if text.contains("://") {
        return Err("it is a URL, which -L takes".into());
    }
    match text.split_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => {
            Err(format!("a host stands alone: -h HOST -p {port}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Reads a quality of service.
pub(crate) fn qos(text: &str) -> Result<QoS, String> {
    let level = text.parse().ok();
    level
        .and_then(QoS::from_level)
        .ok_or_else(|| "0, 1 or 2".into())
}

/// Two programs at the same broker must not have the same id: each would throw the other out.
pub(crate) fn unique_client_id(prefix: &str) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = time.map(|time| time.subsec_nanos()).unwrap_or_default();
    format!("{prefix}{}-{nanoseconds:x}", std::process::id())
}

/// A connection that could not be made, with what to try.
pub(crate) fn connect_failure(error: &ConnectError) -> Failure {
    hint::connect_failure(error, None, None)
}

pub(crate) fn publish_failure(error: &PublishError) -> Failure {
    match error {
        PublishError::NotSent(error) => exchange_failure(error),
        PublishError::Unknown(source) => {
            Failure::new(exchange_failure(source).kind(), chain(error)).hint("it may have arrived")
        }
        error if error.may_have_arrived() => {
            Failure::new(FailureKind::Refused, chain(error)).hint("it may have arrived")
        }
        error => Failure::new(FailureKind::Refused, chain(error)),
    }
}

pub(crate) fn exchange_failure(error: &Error) -> Failure {
    let kind = match error {
        Error::Request(_) => FailureKind::Usage,
        Error::Disconnected(_)
        | Error::PortClosed(_)
        | Error::PortLost(_)
        | Error::PortAway(_)
        | Error::Exchange(ExchangeError::LinkLost { .. } | ExchangeError::Rebooted { .. }) => {
            FailureKind::Unavailable
        }
        Error::Exchange(
            ExchangeError::Timeout { .. }
            | ExchangeError::NoReport { .. }
            | ExchangeError::NoPrompt { .. }
            | ExchangeError::Unresponsive { .. },
        ) => FailureKind::TimedOut,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, chain(error))
}
