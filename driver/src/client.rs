use std::sync::Arc;

use atmq_protocol::mqtt::{
    ConnectionId, ConnectionState, Proof, PublishEnd, PublishResult, QoS, Request, TopicFilter,
    Urc, check_filter, check_topic,
};

use crate::connect::{report, state, tolerate};
use crate::error::{Disconnected, Error, ExchangeError, PublishError, Reached, RequestError};
use crate::messages::Link;
use crate::modem::Modem;
use crate::port_task::Call;
use crate::session::{Command, Publish};

/// A connection to a broker. Cheap to clone; all clones are the same connection.
///
/// All methods can be cancelled: dropping a future gives up the result, while a command that has
/// been sent is exchanged to its end. One whose turn has not come is not sent.
///
/// Dropping the last client does not disconnect: call [`disconnect`](Self::disconnect).
#[derive(Debug, Clone)]
pub struct Client {
    modem: Modem,
    link: Arc<Link>,
}

/// What is known of a message that was published without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Delivery {
    /// Quality of service 1 or 2: the broker has it.
    Acknowledged,
    /// Quality of service 0: the module has sent it. Whether it arrives nobody will tell.
    Sent,
    /// The module has taken it, and nothing more is known: its reports are switched off (some
    /// firmware has them so), or, with quality of service 0, the report of an earlier message
    /// that was given up cannot be told from this one's. No acknowledgement.
    Accepted,
}

impl Client {
    pub(crate) fn new(modem: Modem, link: Arc<Link>) -> Self {
        Self { modem, link }
    }

    /// The modem behind the connection.
    pub fn modem(&self) -> &Modem {
        &self.modem
    }

    /// Which of the module's connections this is.
    pub fn connection(&self) -> ConnectionId {
        self.link.connection
    }

    /// Why the connection has ended; `None` while it has not.
    pub fn ended(&self) -> Option<Disconnected> {
        self.link.ended()
    }

    /// Asks the module how far the connection is; `None` if it knows nothing of it.
    ///
    /// # Errors
    /// The connection has ended, or the module does not answer.
    pub async fn state(&self) -> Result<Option<ConnectionState>, Error> {
        state(&self.modem, Some(self.link.clone())).await
    }

    /// Subscribes to a topic filter, and waits until the broker has acknowledged it.
    ///
    /// # Errors
    /// The filter is none, or cannot be written as a command; the module or the broker does not
    /// take it, or the connection has ended.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<(), Error> {
        self.subscribe_many([(filter, qos)]).await
    }

    /// Subscribes to several topic filters in one packet.
    ///
    /// # Errors
    /// As for [`subscribe`](Self::subscribe), for all filters together.
    pub async fn subscribe_many(
        &self,
        filters: impl IntoIterator<Item = (impl Into<String>, QoS)>,
    ) -> Result<(), Error> {
        let filters = filters.into_iter().map(|(filter, qos)| {
            let filter = checked_filter(filter)?.into();
            Ok(TopicFilter { filter, qos })
        });
        let filters = filters.collect::<Result<Vec<_>, RequestError>>()?;
        let names: Vec<_> = filters.iter().map(|of| of.filter.clone()).collect();
        let request = Request::Subscribe {
            connection: self.link.connection,
            message_id: self.link.next_message_id(),
            filters,
        };
        self.change_subscription(request, &names.join(", ")).await
    }

    /// Takes a subscription back, and waits until the broker has acknowledged it.
    ///
    /// # Errors
    /// As for [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        let filter = checked_filter(filter)?;
        let request = Request::Unsubscribe {
            connection: self.link.connection,
            message_id: self.link.next_message_id(),
            filters: vec![filter.clone().into()],
        };
        self.change_subscription(request, &filter).await
    }

    async fn change_subscription(
        &self,
        request: Request<'static>,
        filter: &str,
    ) -> Result<(), Error> {
        let answer = self.exchange(Command::Mqtt(request)).await?;
        match report(answer) {
            Some(Urc::SubscriptionChanged { result, .. }) => match result {
                Ok(_) => Ok(()),
                Err(reason) => Err(Error::Subscription {
                    filter: filter.into(),
                    reason,
                }),
            },
            // A dialect that reports nothing ends with its final result code.
            _ => Ok(()),
        }
    }

    /// Publishes a message, and waits until it is known what came of it.
    ///
    /// Any payload is carried unchanged, behind a prompt if it must. With quality of service 1
    /// and 2, [`Delivery::Acknowledged`] means that the broker has the message; what else comes
    /// without an error is told by [`Delivery`]. Dropping the future gives up the knowledge, not
    /// the message.
    ///
    /// # Errors
    /// See [`PublishError`]; [`may_have_arrived`](PublishError::may_have_arrived) tells whether
    /// publishing again may deliver twice.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: QoS,
        retain: bool,
    ) -> Result<Delivery, PublishError> {
        let topic = topic.into();
        checked_topic("the topic", &topic).map_err(|error| PublishError::NotSent(error.into()))?;
        let message_id = match qos {
            QoS::AtMostOnce => 0,
            _ => self.link.next_message_id(),
        };
        let publish = Publish {
            connection: self.link.connection,
            message_id,
            qos,
            retain,
            topic,
            payload: payload.into(),
        };
        let dialect = self.modem.dialect();
        let answer = match self.exchange(Command::Publish(publish)).await {
            Ok(answer) => answer,
            Err(error) => {
                let unsent = match &error {
                    Error::Exchange(ExchangeError::Refused { .. }) => {
                        dialect.proof(PublishEnd::Refused) == Proof::NeverLeft
                    }
                    error => is_unsent(error),
                };
                return Err(match unsent {
                    true => PublishError::NotSent(error),
                    false => PublishError::Unknown(error),
                });
            }
        };
        let Some(Urc::Published { result, reason, .. }) = report(answer) else {
            return Ok(Delivery::Accepted);
        };
        match (dialect.proof(PublishEnd::Reported(result, reason)), result) {
            (Proof::Acknowledged, _) if qos == QoS::AtMostOnce => Ok(Delivery::Sent),
            (Proof::Acknowledged, _) => Ok(Delivery::Acknowledged),
            (_, PublishResult::WrongAcknowledgement) => {
                Err(PublishError::WrongAcknowledgement { reason })
            }
            (proof, _) => Err(PublishError::Failed {
                reason,
                may_have_arrived: proof == Proof::MayHaveArrived,
            }),
        }
    }

    /// Disconnects from the broker and closes the link. That the module finds nothing to close
    /// is no error.
    ///
    /// Once begun it goes on to its end, even if the future is dropped.
    ///
    /// # Errors
    /// The connection had ended before, or the module does not answer.
    pub async fn disconnect(&self) -> Result<(), Error> {
        match self.link.ended() {
            Some(reason) => Err(Error::Disconnected(reason)),
            None => self.leave(true, Disconnected::Requested).await,
        }
    }

    /// Gives up a connection that was not established.
    pub(crate) async fn abandon(&self) {
        // Why it was not is what the caller is told.
        let _ = self.leave(false, Disconnected::NotEstablished).await;
    }

    async fn leave(&self, connected: bool, reason: Disconnected) -> Result<(), Error> {
        let Self { modem, link } = self.clone();
        let connection = link.connection;
        let leaving = tokio::spawn(async move {
            let disconnect = Command::Mqtt(Request::Disconnect { connection });
            let close = Command::Mqtt(Request::Close { connection });
            let disconnected = match connected {
                true => tolerate(modem.exchange(disconnect, None, None).await),
                false => Ok(()),
            };
            let closed = tolerate(modem.exchange(close, None, None).await);
            modem.send(Call::Detach { link, reason }).await?;
            disconnected.and(closed)
        });
        leaving.await.map_err(|_| self.modem.closed())?
    }

    async fn exchange(&self, command: Command) -> Result<crate::session::Answer, Error> {
        let link = Some(self.link.clone());
        self.modem.exchange(command, None, link).await
    }
}

/// The topic filter, if it is one.
pub(crate) fn checked_filter(filter: impl Into<String>) -> Result<String, RequestError> {
    let filter = filter.into();
    let field = "the topic filter";
    check_filter(&filter).map_err(|error| RequestError::Topic { field, error })?;
    Ok(filter)
}

/// Refuses what is no topic to publish to.
pub(crate) fn checked_topic(field: &'static str, topic: &str) -> Result<(), RequestError> {
    check_topic(topic).map_err(|error| RequestError::Topic { field, error })
}

/// Whether the module was not given the message of a publish that failed with this error.
fn is_unsent(error: &Error) -> bool {
    match error {
        Error::Exchange(error) => matches!(
            error,
            // Without a prompt no byte of the data was sent.
            ExchangeError::NoPrompt { .. }
                | ExchangeError::Unresponsive { .. }
                | ExchangeError::Rebooted {
                    reached: Reached::Waiting,
                    ..
                }
                | ExchangeError::PoweredDown {
                    reached: Reached::Waiting,
                    ..
                }
        ),
        Error::PortClosed(_) | Error::PortLost(_) | Error::Reset => false,
        _ => true,
    }
}
