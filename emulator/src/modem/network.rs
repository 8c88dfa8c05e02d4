//! What the network does to the connections.

use std::time::Instant;

use atmq_protocol::mqtt::{
    Connected, ConnectionId, LinkStatus, OpenFailure, PublishResult, QoS, Reason, ReasonKind,
    Refusal, SubscriptionChange, Urc,
};

use super::connection::{Link, Purpose};
use super::http::HTTP_LINK;
use super::{Happening, Modem};
use crate::mqtt::{Event, Loss, Message, ProtocolError};
use crate::network::{NetworkEvent, NetworkRequest, OpenFailure as LinkFailure};

impl Modem {
    /// The network is gone, and every link with it.
    pub(super) fn drop_links(&mut self, now: Instant) {
        self.drop_http(None, now);
        for id in self.ids() {
            self.drop_link(id, now);
        }
    }

    /// A packet data context is gone, and every link over it.
    pub(super) fn drop_links_of(&mut self, cid: u8, now: Instant) {
        self.drop_http(Some(cid), now);
        for id in self.ids() {
            if self.connection(id).cid == cid {
                self.drop_link(id, now);
            }
        }
    }

    fn drop_link(&mut self, id: ConnectionId, now: Instant) {
        if !matches!(
            self.connection(id).link,
            Link::Closed | Link::Waiting { .. }
        ) {
            self.network.push_back(NetworkRequest::Close { link: id.0 });
            self.lose(id, LinkStatus::Closed, None, now);
        }
    }

    /// What has happened on the network.
    pub(super) fn network_event(&mut self, event: NetworkEvent, now: Instant) {
        if event.link() == HTTP_LINK {
            return self.http_event(event, now);
        }
        if usize::from(event.link()) >= self.connections.len() {
            tracing::debug!(link = event.link(), "event of a link that was never opened");
            return;
        }
        match event {
            NetworkEvent::Opened { link } => self.link_opened(ConnectionId(link), now),
            NetworkEvent::OpenFailed { link, reason } => {
                self.log_failure(link, &reason, now);
                self.link_not_opened(ConnectionId(link), &reason, now);
            }
            NetworkEvent::Received { link, bytes } => {
                let connection = self.connection(ConnectionId(link));
                if let Link::Mqtt { client, .. } = &mut connection.link {
                    client.receive(&bytes, now);
                }
            }
            NetworkEvent::Drained { .. } => {}
            NetworkEvent::Closed { link, .. } => {
                let id = ConnectionId(link);
                match self.connection(id).link {
                    Link::Closed | Link::Disconnected => {}
                    _ => self.lose(id, LinkStatus::ClosedByServer, None, now),
                }
            }
        }
        self.settle(now);
    }

    fn link_opened(&mut self, id: ConnectionId, now: Instant) {
        match std::mem::replace(&mut self.connection(id).link, Link::Open) {
            Link::Reopening { options, purpose } => {
                // It was written before, and has not grown.
                if self.begin_session(id, *options, purpose, now).is_err() {
                    self.free(id);
                }
            }
            Link::Opening {
                then: Some(connect),
            } => {
                self.tell_opened(id, Ok(()), now);
                if self.connect(connect, now).is_err() {
                    let reason = ReasonKind::BadParameter.into();
                    self.tell_connected(id, Connected::Failed(reason), now);
                }
            }
            _ => self.tell_opened(id, Ok(()), now),
        }
    }

    fn link_not_opened(&mut self, id: ConnectionId, reason: &LinkFailure, now: Instant) {
        let failure = match reason {
            LinkFailure::Resolve => OpenFailure::Dns,
            LinkFailure::Tls(_) => OpenFailure::Tls,
            _ => OpenFailure::Network,
        };
        let status = match reason {
            LinkFailure::Tls(_) => LinkStatus::Tls,
            LinkFailure::Resolve => LinkStatus::Dns,
            LinkFailure::TimedOut => LinkStatus::ConnectTimeout,
            _ => LinkStatus::ConnectFailed,
        };
        let link = &mut self.connection(id).link;
        match std::mem::replace(link, Link::Closed) {
            Link::Reopening {
                options,
                purpose: Purpose::Reconnect { attempt },
            } => {
                self.wait(id, options, attempt, now);
                self.tell_status(id, status, None, now);
            }
            Link::Reopening { .. } => {
                self.free(id);
                self.tell_connected(id, Connected::Failed(Reason::NONE), now);
                self.tell_status(id, status, None, now);
            }
            _ => {
                self.free(id);
                self.tell_opened(id, Err(failure), now);
                if status == LinkStatus::Tls {
                    self.tell_status(id, status, None, now);
                }
            }
        }
    }

    /// When the next of the MQTT clients has something to do.
    pub(super) fn clients_due(&self) -> Option<Instant> {
        let due = self
            .connections
            .iter()
            .filter_map(|connection| match &connection.link {
                Link::Mqtt { client, .. } => client.poll_timeout(),
                _ => None,
            });
        due.chain(self.registrations_due())
            .chain(self.reconnects_due())
            .chain(self.http.as_ref().map(|http| http.give_up))
            .min()
    }

    pub(super) fn clients_timeout(&mut self, now: Instant) {
        for connection in &mut self.connections {
            if let Link::Mqtt { client, .. } = &mut connection.link {
                client.handle_timeout(now);
            }
        }
        self.registrations_timeout(now);
        self.reconnects_timeout(now);
        self.http_timeout(now);
        self.settle(now);
    }

    /// Hands on what the MQTT clients have to send and to say.
    pub(super) fn settle(&mut self, now: Instant) {
        for id in self.ids() {
            while let Link::Mqtt { client, .. } = &mut self.connection(id).link
                && let Some(event) = client.poll_event()
            {
                self.client_event(id, event, now);
            }
            self.send_queued(id);
        }
    }

    fn client_event(&mut self, id: ConnectionId, event: Event, now: Instant) {
        let subscribed = SubscriptionChange::Subscribed;
        let unsubscribed = SubscriptionChange::Unsubscribed;
        match event {
            Event::Connected { session_present } => {
                self.connection(id).resumed = session_present;
                self.connected(id, now);
            }
            Event::Refused { code } => {
                let refusal = Connected::Refused(Refusal::from_code(code));
                self.not_connected(id, refusal, Some(code.into()), now);
            }
            Event::ConnectTimedOut => {
                self.not_connected(id, Connected::Failed(Reason::NONE), None, now);
            }
            Event::Published { message_id } => {
                self.tell_published(id, message_id, PublishResult::Done, Reason::NONE, now);
            }
            Event::PublishFailed { message_id, .. } => {
                // It was sent, and may have arrived.
                let result = PublishResult::WrongAcknowledgement;
                self.tell_published(id, message_id, result, Reason::NONE, now);
            }
            Event::Subscribed { message_id, codes } => {
                self.face.acknowledged(id, message_id, &codes);
                self.tell_subscription(id, message_id, subscribed, granted(&codes), now);
            }
            Event::SubscribeTimedOut { message_id } => {
                self.tell_subscription(
                    id,
                    message_id,
                    subscribed,
                    Err(ReasonKind::NotSent.into()),
                    now,
                );
            }
            Event::Unsubscribed { message_id } => {
                self.tell_subscription(id, message_id, unsubscribed, Ok(None), now);
            }
            Event::UnsubscribeTimedOut { message_id } => {
                self.tell_subscription(
                    id,
                    message_id,
                    unsubscribed,
                    Err(ReasonKind::NotSent.into()),
                    now,
                );
            }
            Event::Retransmitted {
                message_id,
                attempt,
                publish,
            } => {
                tracing::debug!(message_id, attempt, "packet sent again");
                if publish {
                    self.tell_repeated(id, message_id, attempt, now);
                }
            }
            Event::Received(message) => self.received(id, message, now),
            Event::Lost(loss) => {
                tracing::debug!(%loss, "link given up");
                let status = match loss {
                    // The broker is right to send it, and the module cannot take it.
                    Loss::Protocol(ProtocolError::TooLarge { limit }) => {
                        if let Some(held_back) = self.drops.pass(now) {
                            tracing::warn!(
                                connection = %id, limit, held_back,
                                "link given up, the broker sent a packet longer than the module takes"
                            );
                        }
                        LinkStatus::Closed
                    }
                    Loss::Protocol(_) => LinkStatus::Protocol,
                    Loss::KeepaliveTimeout { .. } => LinkStatus::PingTimeout,
                };
                self.network.push_back(NetworkRequest::Close { link: id.0 });
                self.lose(id, status, None, now);
            }
        }
    }

    /// The broker has accepted the client.
    fn connected(&mut self, id: ConnectionId, now: Instant) {
        let Link::Mqtt {
            connected, purpose, ..
        } = &mut self.connection(id).link
        else {
            return;
        };
        // While the device registers, there is nothing that the host could do on this link.
        *connected = !matches!(purpose, Purpose::Registration { .. });
        match purpose {
            Purpose::Asked => self.tell_connected(id, Connected::Accepted, now),
            // All is well again.
            Purpose::Reconnect { attempt } => {
                *attempt = 0;
                self.tell_status(id, LinkStatus::Fine, None, now);
            }
            Purpose::Registration { .. } => {}
        }
    }

    /// The broker has not accepted the client.
    fn not_connected(
        &mut self,
        id: ConnectionId,
        result: Connected,
        code: Option<i32>,
        now: Instant,
    ) {
        if let Link::Mqtt {
            purpose: Purpose::Reconnect { attempt },
            options,
            ..
        } = &self.connection(id).link
        {
            let (attempt, options) = (*attempt, options.clone());
            self.network.push_back(NetworkRequest::Close { link: id.0 });
            self.wait(id, options, attempt, now);
            return self.tell_status(id, LinkStatus::Refused, code, now);
        }
        self.connection(id).link = Link::Open;
        self.tell_connected(id, result, now);
    }

    /// A message has come.
    fn received(&mut self, id: ConnectionId, message: Message, now: Instant) {
        let quirks = &self.profile.quirks;
        let connection = &mut self.connections[usize::from(id.0)];
        if let Link::Mqtt {
            purpose: Purpose::Registration { .. },
            ..
        } = connection.link
        {
            return self.registration_message(id, &message);
        }
        let limits = &self.profile.limits;
        let (topic, payload) = (message.topic.len(), message.payload.len());
        if topic > limits.topic || payload > limits.received_payload {
            if let Some(held_back) = self.drops.pass(now) {
                tracing::warn!(
                    connection = %id, topic, payload, held_back,
                    "message dropped, it is longer than the module reports"
                );
            }
            return;
        }
        if !quirks.takes_control_topics && message.topic.contains(|c: char| c.is_control()) {
            tracing::debug!(connection = %id, "link given up, a topic holds control characters");
            self.network.push_back(NetworkRequest::Close { link: id.0 });
            return self.lose(id, LinkStatus::Protocol, None, now);
        }
        self.messages.received += 1;
        let urc = Urc::Received {
            connection: id,
            message_id: message.message_id,
            topic: message.topic,
            payload: message.payload,
        };
        self.tell(urc, now);
    }

    /// The link is gone without the host having asked for it.
    pub(super) fn lose(
        &mut self,
        id: ConnectionId,
        status: LinkStatus,
        code: Option<i32>,
        now: Instant,
    ) {
        self.happened(Happening::LinkLost(id));
        self.send_queued(id);
        let again = match &self.connection(id).link {
            Link::Mqtt {
                connected: true,
                options,
                ..
            } => Some((options.clone(), 0)),
            Link::Mqtt {
                purpose: Purpose::Reconnect { attempt },
                options,
                ..
            }
            | Link::Reopening {
                purpose: Purpose::Reconnect { attempt },
                options,
            } => Some((options.clone(), attempt + 1)),
            _ => None,
        };
        match again {
            Some((options, attempt)) if self.profile.quirks.reconnects => {
                self.begin_reconnect(id, options, attempt, now);
            }
            _ => self.free(id),
        }
        self.tell_status(id, status, code, now);
    }

    pub(super) fn send_queued(&mut self, id: ConnectionId) {
        if let Link::Mqtt { client, .. } = &mut self.connections[usize::from(id.0)].link
            && let Some(bytes) = client.poll_transmit()
        {
            let link = id.0;
            self.network.push_back(NetworkRequest::Send { link, bytes });
        }
    }

    /// Tells why a link was not opened. The module has one number for all that TLS may not like, so
    /// that whoever has started it must see what it was.
    pub(super) fn log_failure(&mut self, link: u8, reason: &LinkFailure, now: Instant) {
        if !matches!(reason, LinkFailure::Tls(_)) {
            tracing::debug!(link, %reason, "link not opened");
        } else if let Some(held_back) = self.tls_failures.pass(now) {
            tracing::warn!(link, %reason, held_back, "link not opened");
        }
    }
}

/// What came of a subscribe, by the return codes of its SUBACK.
fn granted(codes: &[u8]) -> Result<Option<i32>, Reason> {
    if codes.iter().any(|code| *code > QoS::ExactlyOnce.level()) {
        return Err(Reason::NONE);
    }
    // How many filters were acknowledged.
    Ok(i32::try_from(codes.len()).ok())
}
