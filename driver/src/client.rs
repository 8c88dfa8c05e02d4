use std::sync::Arc;

use atmq_protocol::mqtt::{
    ConnectionId, ConnectionState, Operation, Outcome, Proof, Publish, PublishResult, QoS,
    TopicFilter, check_filter, check_topic,
};

use crate::error::{Disconnected, Error, ExchangeError, PublishError, Reached, RequestError};
use crate::messages::Link;
use crate::modem::Modem;
use crate::operations::Performed;

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
        let connection = self.link.connection;
        let performed = self.perform(Operation::State { connection }).await?;
        match performed.into_outcome()? {
            Outcome::State(state) => Ok(state),
            _ => Ok(None),
        }
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
            let filter = checked_filter(filter)?;
            Ok(TopicFilter { filter, qos })
        });
        let filters = filters.collect::<Result<Vec<_>, RequestError>>()?;
        let names: Vec<_> = filters.iter().map(|of| of.filter.clone()).collect();
        let operation = Operation::Subscribe {
            connection: self.link.connection,
            message_id: self.link.next_message_id(),
            filters,
        };
        self.change_subscription(operation, &names.join(", ")).await
    }

    /// Takes a subscription back, and waits until the broker has acknowledged it.
    ///
    /// # Errors
    /// As for [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<(), Error> {
        let filter = checked_filter(filter)?;
        let operation = Operation::Unsubscribe {
            connection: self.link.connection,
            message_id: self.link.next_message_id(),
            filters: vec![filter.clone()],
        };
        self.change_subscription(operation, &filter).await
    }

    async fn change_subscription(&self, operation: Operation, filter: &str) -> Result<(), Error> {
        match self.perform(operation).await?.into_outcome()? {
            Outcome::SubscriptionFailed(reason) => Err(Error::Subscription {
                filter: filter.into(),
                reason,
            }),
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
        let performed = match self.perform(Operation::Publish(publish)).await {
            Ok(performed) => performed,
            Err(error) => return Err(unpublished(error, Proof::MayHaveArrived)),
        };
        match (performed.outcome, performed.error) {
            (Outcome::Failed(proof), Some(error)) => Err(unpublished(error, proof)),
            (
                Outcome::Published {
                    result,
                    reason,
                    proof,
                },
                _,
            ) => match (proof, result) {
                (Proof::Acknowledged, _) if qos == QoS::AtMostOnce => Ok(Delivery::Sent),
                (Proof::Acknowledged, _) => Ok(Delivery::Acknowledged),
                (_, PublishResult::WrongAcknowledgement) => {
                    Err(PublishError::WrongAcknowledgement { reason })
                }
                (proof, _) => Err(PublishError::Failed {
                    reason,
                    may_have_arrived: proof == Proof::MayHaveArrived,
                }),
            },
            _ => Ok(Delivery::Accepted),
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
            None => {
                let Self { modem, link } = self.clone();
                let operation = Operation::Disconnect {
                    connection: link.connection,
                    connected: true,
                };
                let leaving =
                    tokio::spawn(async move { modem.perform(operation, Some(link)).await });
                let left = leaving.await.map_err(|_| self.modem.closed())??;
                left.map_or(Ok(()), |left| left.into_outcome().map(drop))
            }
        }
    }

    async fn perform(&self, operation: Operation) -> Result<Performed, Error> {
        let link = Some(self.link.clone());
        let performed = self.modem.perform(operation, link).await?;
        performed.ok_or_else(|| self.modem.closed())
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

/// What it says of a message that its publish failed with this error, behind which this is proved.
fn unpublished(error: Error, proof: Proof) -> PublishError {
    match proof == Proof::NeverLeft || is_unsent(&error) {
        true => PublishError::NotSent(error),
        false => PublishError::Unknown(error),
    }
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
