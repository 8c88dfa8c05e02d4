//! What the network does to the connections.

use std::time::Instant;

use atmq_protocol::mqtt::{
    Connected, ConnectionId, Formats, LinkStatus, OpenFailure, PublishResult, QoS, Refusal,
    SubscriptionChange, Urc,
};

use super::Modem;
use super::config::Config;
use super::connection::Link;
use super::mqtt::NOT_SENT;
use crate::mqtt::{Event, Loss};
use crate::network::{NetworkEvent, NetworkRequest, OpenFailure as LinkFailure};

impl Modem {
    /// The connection is closed, and its configuration is gone with it.
    pub(super) fn free(&mut self, id: ConnectionId) {
        self.keep_session(id);
        let config = Config::new(self.profile.result_urcs);
        let connection = self.connection(id);
        connection.link = Link::Closed;
        connection.config = config;
        self.formats[id] = Formats::default();
    }

    /// The network is gone, and every link with it.
    pub(super) fn drop_links(&mut self, now: Instant) {
        for id in self.ids() {
            if !self.connection(id).is_closed() {
                self.network.push_back(NetworkRequest::Close { link: id.0 });
                self.lose(id, LinkStatus::Closed, now);
            }
        }
    }

    /// What has happened on the network.
    pub(super) fn network_event(&mut self, event: NetworkEvent, now: Instant) {
        match event {
            NetworkEvent::Opened { link } => {
                let id = ConnectionId(link);
                self.connection(id).link = Link::Open;
                self.report_opened(id, Ok(()), now);
            }
            NetworkEvent::OpenFailed { link, reason } => {
                let id = ConnectionId(link);
                tracing::debug!(link, %reason, "link not opened");
                let failure = match reason {
                    LinkFailure::Resolve => OpenFailure::Dns,
                    _ => OpenFailure::Network,
                };
                self.free(id);
                self.report_opened(id, Err(failure), now);
                if matches!(reason, LinkFailure::Tls(_)) {
                    self.report_status(id, LinkStatus::Tls, now);
                }
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
                    _ => self.lose(id, LinkStatus::ClosedByServer, now),
                }
            }
        }
        self.settle(now);
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
        due.min()
    }

    pub(super) fn clients_timeout(&mut self, now: Instant) {
        for connection in &mut self.connections {
            if let Link::Mqtt { client, .. } = &mut connection.link {
                client.handle_timeout(now);
            }
        }
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
            Event::Connected { .. } => {
                if let Link::Mqtt { connected, .. } = &mut self.connection(id).link {
                    *connected = true;
                }
                self.report_connected(id, Connected::Accepted, now);
            }
            Event::Refused { code } => {
                let refusal = Connected::Refused(Refusal::from_code(code));
                self.report_connected(id, refusal, now);
                self.connection(id).link = Link::Open;
            }
            Event::ConnectTimedOut => {
                self.report_connected(id, Connected::Failed(None), now);
                self.connection(id).link = Link::Open;
            }
            Event::Published { message_id } => {
                self.report_published(id, message_id, PublishResult::Done, None, now);
            }
            Event::PublishFailed { message_id, .. } => {
                // It was sent, and may have arrived.
                let result = PublishResult::WrongAcknowledgement;
                self.report_published(id, message_id, result, None, now);
            }
            Event::Subscribed { message_id, codes } => {
                let refused = codes.iter().any(|code| *code > QoS::ExactlyOnce.level());
                let result = if refused {
                    Err(None)
                } else {
                    // The module shows how many filters were acknowledged.
                    Ok(i32::try_from(codes.len()).ok())
                };
                self.report_subscription(id, message_id, subscribed, result, now);
            }
            Event::SubscribeTimedOut { message_id } => {
                self.report_subscription(id, message_id, subscribed, Err(Some(NOT_SENT)), now);
            }
            Event::Unsubscribed { message_id } => {
                self.report_subscription(id, message_id, unsubscribed, Ok(None), now);
            }
            Event::UnsubscribeTimedOut { message_id } => {
                self.report_subscription(id, message_id, unsubscribed, Err(Some(NOT_SENT)), now);
            }
            Event::Retransmitted {
                message_id,
                attempt,
            } => tracing::debug!(message_id, attempt, "packet sent again"),
            Event::Received(message) => {
                let urc = Urc::Received {
                    connection: id,
                    message_id: message.message_id,
                    topic: message.topic.into(),
                    payload: message.payload.into(),
                };
                self.report(id, &urc, now);
            }
            Event::Lost(loss) => {
                tracing::debug!(%loss, "link given up");
                let status = match loss {
                    Loss::Protocol(_) => LinkStatus::Protocol,
                    Loss::KeepaliveTimeout { .. } => LinkStatus::ClosedByServer,
                };
                self.network.push_back(NetworkRequest::Close { link: id.0 });
                self.lose(id, status, now);
            }
        }
    }

    /// The link is gone without the host having asked for it.
    fn lose(&mut self, id: ConnectionId, status: LinkStatus, now: Instant) {
        self.send_queued(id);
        self.free(id);
        self.report_status(id, status, now);
    }

    pub(super) fn send_queued(&mut self, id: ConnectionId) {
        if let Link::Mqtt { client, .. } = &mut self.connections[usize::from(id.0)].link
            && let Some(bytes) = client.poll_transmit()
        {
            let link = id.0;
            self.network.push_back(NetworkRequest::Send { link, bytes });
        }
    }
}
