use std::time::{Duration, SystemTime, UNIX_EPOCH};

use atmq_driver::{
    Client, ConnectError, ConnectOptions, Error, ExchangeError, Messages, Modem, PublishError,
};
use atmq_protocol::mqtt::QoS;

use crate::failure::{Failure, FailureKind, chain};

/// Which broker, and as whom; named as `mosquitto_pub` and `mosquitto_sub` name them.
#[derive(Debug, clap::Args)]
pub(crate) struct BrokerArguments {
    /// The broker's host, as the module is to resolve it
    #[arg(short = 'h', long, value_name = "HOST", default_value = "localhost")]
    host: String,
    /// The broker's TCP port
    #[arg(short = 'p', long, value_name = "PORT", default_value_t = 1883,
          value_parser = clap::value_parser!(u16).range(1..))]
    broker_port: u16,
    /// The client id; one of its own if not given
    #[arg(short = 'i', long, value_name = "ID")]
    id: Option<String>,
    /// The user name
    #[arg(short = 'u', long, value_name = "NAME")]
    username: Option<String>,
    /// The password; better in the environment, where other users do not see it
    #[arg(
        short = 'P',
        long,
        value_name = "PASSWORD",
        env = "ATMQ_PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,
    /// Seconds after which a silent module sends a ping; 0 is never
    #[arg(short = 'k', long, value_name = "SECONDS", default_value_t = 60)]
    keepalive: u16,
}

impl BrokerArguments {
    /// Has the module connect.
    pub(crate) async fn connect(&self, modem: &Modem) -> Result<(Client, Messages), Failure> {
        let client_id = self.id.clone().unwrap_or_else(unique_client_id);
        let keep_alive = Duration::from_secs(self.keepalive.into());
        let mut options =
            ConnectOptions::new(&self.host, self.broker_port, client_id).keep_alive(keep_alive);
        match (&self.username, &self.password) {
            (Some(username), Some(password)) => options = options.credentials(username, password),
            (Some(username), None) => options = options.username(username),
            // The variable may be set for other calls.
            (None, _) => {}
        }
        modem
            .connect(options)
            .await
            .map_err(|error| connect_failure(&error))
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
pub(crate) fn unique_client_id() -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = time.map(|time| time.subsec_nanos()).unwrap_or_default();
    format!("atmq-{}-{nanoseconds:x}", std::process::id())
}

pub(crate) fn connect_failure(error: &ConnectError) -> Failure {
    let text = chain(error);
    match error {
        ConnectError::Open { .. } => Failure::new(FailureKind::Unavailable, text)
            .hint("check -h and -p, and that the module can reach the broker"),
        ConnectError::Refused(_) => {
            Failure::new(FailureKind::Refused, text).hint("check -u, -P and -i")
        }
        ConnectError::NotAccepted { .. } => Failure::new(FailureKind::TimedOut, text)
            .hint("does a broker listen there, and without TLS?"),
        ConnectError::Failed(error) => exchange_failure(error),
        _ => Failure::new(FailureKind::Unavailable, text),
    }
}

pub(crate) fn publish_failure(error: &PublishError) -> Failure {
    match error {
        PublishError::NotSent(error) => exchange_failure(error),
        PublishError::Unknown(_) => {
            Failure::new(FailureKind::TimedOut, chain(error)).hint("it may have arrived")
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
