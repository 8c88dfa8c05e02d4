//! From options to a connection.

mod options;
mod payload_format;

use std::sync::Arc;

use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connected, ConnectionState, Information, LinkStatus, Reason, ReasonKind, Refusal, Request, Urc,
};
use tokio::sync::oneshot;

use crate::client::{Client, checked_topic};
use crate::error::{ConnectError, Disconnected, Error, ExchangeError};
use crate::messages::{Link, Messages};
use crate::modem::Modem;
use crate::port_task::Call;
use crate::session::{Answer, Command};
use crate::tls::Tls;

pub use options::ConnectOptions;
use options::Wanted;
pub use payload_format::PayloadFormat;

pub(crate) async fn connect(
    modem: &Modem,
    options: ConnectOptions,
) -> Result<(Client, Messages), ConnectError> {
    let link = modem.new_link(&options);
    let messages = Messages::new(&link);
    let client = connect_link(modem, &options, &link).await?;
    Ok((client, messages))
}

/// Connects on behalf of a link that has not been used before.
pub(crate) async fn connect_link(
    modem: &Modem,
    options: &ConnectOptions,
    link: &Arc<Link>,
) -> Result<Client, ConnectError> {
    let client = Client::new(modem.clone(), link.clone());
    // Once, so that a function that gives credentials is asked once for a connect.
    let login = options.connect()?;
    if let Some(topic) = options.will_topic() {
        checked_topic("the will topic", topic).map_err(Error::from)?;
    }
    if let Some(tls) = options.tls_here() {
        tls.check()?;
    }
    let limits = attach(modem, options, &login, link).await?;
    match establish(modem, options, &limits, login, link).await {
        Ok(()) => Ok(client),
        Err(error) => {
            client.abandon().await;
            Err(explain(modem, options, error, link).await)
        }
    }
}

/// Makes sure that every command can be written, takes the connection, and tells what the module
/// accepts.
async fn attach(
    modem: &Modem,
    options: &ConnectOptions,
    login: &Command,
    link: &Arc<Link>,
) -> Result<Limits, ConnectError> {
    // Each module can be told of either format.
    let settings = options
        .settings(&atmq_protocol::dialect::lmqtt::NT26.limits)
        .into_iter();
    let configure = settings.map(|wanted| options.configure(wanted.setting));
    let tls = options.tls_here().into_iter().flat_map(Tls::commands);
    let commands = tls.chain(configure).chain([options.open(), login.clone()]);
    let (reply, answer) = oneshot::channel();
    let call = Call::Attach {
        link: link.clone(),
        commands: commands.collect(),
        reply,
    };
    modem.send(call).await?;
    let attached = answer.await.map_err(|_| modem.closed())?;
    let limits = attached?;
    limits.ok_or(ConnectError::Occupied(options.connection))
}

async fn establish(
    modem: &Modem,
    options: &ConnectOptions,
    limits: &Limits,
    login: Command,
    link: &Arc<Link>,
) -> Result<(), ConnectError> {
    let connection = options.connection;
    // A link or a configuration may be left of an earlier program.
    let close = Command::Mqtt(Request::Close { connection });
    tolerate(modem.exchange(close, None, None).await)?;
    if let Some(tls) = options.tls_here() {
        tls.set_up(modem).await.map_err(|error| match error {
            Error::Exchange(ExchangeError::Refused { .. }) => ConnectError::TlsSetUp(error),
            other => other.into(),
        })?;
    }
    for Wanted {
        setting,
        needed,
        without,
    } in options.settings(limits)
    {
        match modem.exchange(options.configure(setting), None, None).await {
            Err(Error::Exchange(error @ ExchangeError::Refused { .. })) if !needed => match without
            {
                Some(consequence) => tracing::warn!(%error, consequence, "setting refused"),
                None => tracing::debug!(%error, "setting refused, which changes nothing"),
            },
            outcome => outcome.map(drop)?,
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
    let connected = match modem.exchange(login, None, link()).await {
        // It may have connected all the same: the state tells.
        Err(Error::Exchange(
            error @ ExchangeError::NoReport {
                sent_again: true, ..
            },
        )) => {
            return match state(modem, link()).await? {
                Some(ConnectionState::Connected) => Ok(()),
                _ => Err(Error::from(error).into()),
            };
        }
        outcome => outcome?,
    };
    match report(connected) {
        Some(Urc::Connected { result, .. }) => match result {
            Connected::Accepted => Ok(()),
            // MQTT reserves these codes; a module that shows one speaks of itself.
            Connected::Refused(Refusal::Other(code)) => Err(ConnectError::NotAccepted {
                reason: Reason::number(code.into()),
            }),
            Connected::Refused(refusal) => Err(ConnectError::Refused(refusal)),
            Connected::Failed(reason) => Err(ConnectError::NotAccepted { reason }),
            Connected::Retransmitted(code) => Err(ConnectError::NotAccepted {
                reason: Reason::new(ReasonKind::Unknown, code),
            }),
        },
        _ => Ok(()),
    }
}

/// What a failure was about. That TLS failed is reported behind the failure of the link, and has
/// come by the time the link is closed.
async fn explain(
    modem: &Modem,
    options: &ConnectOptions,
    error: ConnectError,
    link: &Link,
) -> ConnectError {
    let reported = match (&error, link.ended()) {
        (ConnectError::Failed(Error::Exchange(ExchangeError::LinkLost { status, .. })), _) => {
            Some(*status)
        }
        (ConnectError::Open { .. }, Some(Disconnected::LinkLost { status, .. })) => Some(status),
        _ => None,
    };
    if reported != Some(LinkStatus::Tls) {
        return error;
    }
    if let Some(tls) = options.tls_here() {
        tls.failed(modem).await;
    }
    ConnectError::Tls {
        host: options.host.clone(),
        port: options.port,
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
pub(crate) fn report(answer: Answer) -> Option<Urc> {
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
