//! Publishing, inline and behind the prompt.

use std::time::Instant;

use atmq_protocol::mqtt::{ConnectionId, PublishResult, QoS, ReasonKind};

use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{Publication, RequestError};

/// A publish without its payload.
#[derive(Debug)]
pub(super) struct Publish {
    pub(super) connection: ConnectionId,
    pub(super) message_id: u16,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) topic: String,
    /// Bytes to come behind the prompt.
    pub(super) length: usize,
    /// By the command that knows no other way than the prompt.
    pub(super) extended: bool,
}

impl Modem {
    /// Publishes what stood in the command line, in the frame that its platform wants.
    pub(super) fn publish_inline(
        &mut self,
        publish: &Publish,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        let config = &self.connection(publish.connection).config;
        let payload = config.frame(&publish.topic, payload).ok_or(NOT_ALLOWED)?;
        self.publish(publish, &payload, now)
    }

    /// Publishes with the payload that came behind the prompt. Frames are the host's matter here
    /// (an ECMT host was seen to send its own).
    pub(super) fn publish_prompted(
        &mut self,
        publish: &Publish,
        wire: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        self.begin_outcome(publish.connection, now);
        let payload = self.formats[publish.connection].send.decode(wire);
        let payload = payload.ok_or(NOT_ALLOWED)?;
        self.publish(publish, &payload, now)?;
        self.settle(now);
        Ok(())
    }

    fn publish(&mut self, publish: &Publish, payload: &[u8], now: Instant) -> Result<(), Refused> {
        let Publish {
            connection,
            message_id,
            qos,
            retain,
            ref topic,
            extended,
            ..
        } = *publish;
        let publication = Publication {
            message_id,
            qos,
            retain,
            topic,
            payload,
        };
        let result = self.client(connection)?.publish(&publication, now);
        if extended {
            self.connection(connection).extended.push(message_id);
        }
        if result.is_ok() {
            self.messages.published += 1;
        }
        if let Err(error) = result {
            let reason = reason_of(&error).into();
            self.report_published(connection, message_id, PublishResult::NotSent, reason, now);
        }
        Ok(())
    }
}

/// Why a packet was not sent.
pub(super) fn reason_of(error: &RequestError) -> ReasonKind {
    match error {
        RequestError::NotConnected | RequestError::TooManyInFlight { .. } => ReasonKind::NotSent,
        RequestError::IdInFlight { .. } | RequestError::Unencodable(_) => ReasonKind::BadParameter,
    }
}
