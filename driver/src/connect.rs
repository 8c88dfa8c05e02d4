//! From options to a connection.

mod options;

use std::sync::Arc;

use atmq_protocol::mqtt::{LinkStatus, OpenFailure, Outcome};

use crate::client::{Client, checked_topic};
use crate::error::{ConnectError, Disconnected, Error, ExchangeError};
use crate::messages::{Link, Messages};
use crate::modem::Modem;
use crate::tls;

pub use options::ConnectOptions;

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
    let connect = options.connect()?;
    if let Some(will) = &connect.will {
        checked_topic("the will topic", &will.topic).map_err(Error::from)?;
    }
    if let Some(set_up) = connect.tls.as_ref().and_then(|tls| tls.set_up.as_ref()) {
        tls::check(set_up)?;
    }
    let (host, port) = (connect.host.clone(), connect.port);
    let performed = modem.perform_connect(connect, link).await?;
    let performed = performed.ok_or(ConnectError::Occupied(link.connection))?;
    // That TLS failed is reported behind the failure of the link, or behind its success, and has
    // come by the time the link is closed.
    let tls_failed = |ended| {
        matches!(
            ended,
            Some(Disconnected::LinkLost {
                status: LinkStatus::Tls,
                ..
            })
        )
    };
    Err(match (performed.outcome, performed.error) {
        (Outcome::NotOpened(OpenFailure::Tls), _) => ConnectError::Tls { host, port },
        (Outcome::NotOpened(_) | Outcome::Failed(_), _) if tls_failed(link.ended()) => {
            ConnectError::Tls { host, port }
        }
        (Outcome::NotOpened(failure), _) => ConnectError::Open {
            host,
            port,
            failure,
        },
        (Outcome::Refused(refusal), _) => ConnectError::Refused(refusal),
        (Outcome::NotAccepted(reason), _) => ConnectError::NotAccepted { reason },
        (Outcome::TlsNotTaken, Some(error)) => ConnectError::TlsSetUp(error),
        (Outcome::Unheard(remedy), Some(error)) => ConnectError::Unheard { remedy, error },
        (
            Outcome::Failed(_),
            Some(Error::Exchange(ExchangeError::LinkLost {
                status: LinkStatus::Tls,
                ..
            })),
        ) => ConnectError::Tls { host, port },
        (Outcome::Failed(_), Some(error)) => error.into(),
        _ => return Ok(Client::new(modem.clone(), link.clone())),
    })
}
