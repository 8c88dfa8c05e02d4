//! CONNECT: who is let in, and which session it gets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use atmq_protocol::mqtt::check_topic;

use super::{ConnectionId, Core};
use crate::broker::packet::{Connect, Message, Qos, Reply};
use crate::broker::session::{Delivery, Session, SessionKey, Unfinished};
use crate::broker::{CloseReason, ConnectReturnCode, Greeting, Violation};

impl Core {
    pub(super) fn connect(
        &mut self,
        id: ConnectionId,
        mut connect: Connect,
        now: Instant,
    ) -> Result<(), CloseReason> {
        let code = self.judge(&connect);
        if code != ConnectReturnCode::Accepted {
            return self.refuse(id, code);
        }
        if connect.credentials.client_id.is_empty() {
            connect.credentials.client_id = self.assign_client_id();
        }
        let client_id = connect.credentials.client_id.as_str();
        self.take_over(client_id);
        let (key, resumed) = match self.clients.get(client_id) {
            Some(&key) => (key, true),
            None if self.sessions.len() >= self.limits.sessions => {
                return self.refuse(id, ConnectReturnCode::ServerUnavailable);
            }
            None => (self.create_session(client_id.into()), false),
        };
        // What follows a session that is to be clean is a new one under the same id.
        let (key, resumed) = if resumed && connect.clean_session {
            self.discard(key);
            (self.create_session(client_id.into()), false)
        } else {
            (key, resumed)
        };
        if let Some(session) = self.sessions.get_mut(&key) {
            session.connection = Some(id);
            session.clean = connect.clean_session;
        }
        if let Some(connection) = self.live(id) {
            connection.session = Some(key);
            connection.will = connect.will;
            // One and a half times: section 3.1.2.10.
            connection.patience = (connect.keep_alive_secs > 0)
                .then(|| Duration::from_millis(u64::from(connect.keep_alive_secs) * 1_500));
            let deadline = connection.patience.map(|patience| now + patience);
            self.set_deadline(id, deadline);
        }
        // MQTT 3.1 reserves the byte that holds the flag.
        let session_present = resumed && !connect.level_3;
        self.reply(
            id,
            &Reply::Connack(session_present, ConnectReturnCode::Accepted),
        );
        if let Some(Greeting { topic, payload }) = self.authenticator.greet(&connect.credentials)
            && check_topic(&topic).is_ok()
        {
            let payload = payload.into();
            let greeting = Delivery {
                message: Arc::new(Message { topic, payload }),
                qos: Qos::AtMostOnce,
                retain: false,
            };
            self.send(id, &greeting, None, false);
        }
        self.resume(id, key);
        Ok(())
    }

    /// CONNECT for a protocol level that we do not speak.
    pub(super) fn refuse_level(&mut self, id: ConnectionId) -> Result<(), CloseReason> {
        let connected = self
            .live(id)
            .is_some_and(|connection| connection.session.is_some());
        if connected {
            return Err(Violation::SecondConnect.into());
        }
        self.refuse(id, ConnectReturnCode::UnacceptableProtocolVersion)
    }

    /// Parts a session from its connection; it ends if it was a clean one.
    pub(super) fn detach(&mut self, key: SessionKey) {
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        session.connection = None;
        if session.clean {
            self.discard(key);
        }
    }

    fn judge(&mut self, connect: &Connect) -> ConnectReturnCode {
        // An id of zero bytes is for clean sessions of MQTT 3.1.1 only (section 3.1.3.1). MQTT 3.1
        // also forbids more than 23 characters; like other brokers, we do not mind.
        let assignable = connect.clean_session && !connect.level_3;
        if connect.credentials.client_id.is_empty() && !assignable {
            return ConnectReturnCode::IdentifierRejected;
        }
        self.authenticator.authenticate(&connect.credentials)
    }

    fn refuse(&mut self, id: ConnectionId, code: ConnectReturnCode) -> Result<(), CloseReason> {
        self.reply(id, &Reply::Connack(false, code));
        Err(CloseReason::Refused(code))
    }

    /// Ends the connection that uses this client id, if there is one (section 3.1.4).
    fn take_over(&mut self, client_id: &str) {
        let session = self
            .clients
            .get(client_id)
            .and_then(|key| self.sessions.get(key));
        if let Some(previous) = session.and_then(|session| session.connection) {
            self.end(previous, CloseReason::TakenOver);
            self.act_on_ends();
        }
    }

    fn assign_client_id(&mut self) -> String {
        loop {
            let client_id = format!("assigned-{}", self.next_assigned_client_id);
            self.next_assigned_client_id += 1;
            if !self.clients.contains_key(client_id.as_str()) {
                return client_id;
            }
        }
    }

    fn create_session(&mut self, client_id: Arc<str>) -> SessionKey {
        let key = SessionKey(self.next_session);
        self.next_session += 1;
        self.clients.insert(Arc::clone(&client_id), key);
        self.sessions.insert(key, Session::new(client_id));
        key
    }

    fn discard(&mut self, key: SessionKey) {
        if let Some(session) = self.sessions.remove(&key) {
            self.clients.remove(&session.client_id);
            for filter in &session.filters {
                self.subscriptions.remove(filter, key);
            }
        }
    }

    /// Sends again what was unfinished, then what queued up meanwhile.
    fn resume(&mut self, id: ConnectionId, key: SessionKey) {
        let unfinished = self.sessions.get(&key).map(Session::unfinished);
        for packet in unfinished.unwrap_or_default() {
            match packet {
                Unfinished::Publish(packet_id, delivery) => {
                    self.send(id, &delivery, Some(packet_id), true);
                }
                Unfinished::Pubrel(packet_id) => self.reply(id, &Reply::Pubrel(packet_id)),
            }
        }
        self.pump(key);
    }
}
