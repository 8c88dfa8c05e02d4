//! From OPEN to CLOSE: the life of a connection, as the host wants it.

use std::time::Instant;

use atmq_protocol::dialect::Refused;
use atmq_protocol::mqtt::{Connect, ConnectionId, Urc};

use super::connection::{Link, Purpose};
use super::credentials::{connect_options, registration_options};
use super::{Modem, NOT_ALLOWED};
use crate::mqtt::{Client, ConnectOptions};
use crate::network::NetworkRequest;

impl Modem {
    /// Makes the link of a connection.
    pub(super) fn open(&mut self, id: ConnectionId, peer: (String, u16), cid: u8, tls: Option<u8>) {
        let connection = self.connection(id);
        connection.link = Link::Opening { then: None };
        connection.peer = peer;
        connection.cid = cid;
        connection.tls = tls;
        self.request_link(id);
    }

    /// Has the link of a connection made, to the peer of its OPEN.
    pub(super) fn request_link(&mut self, id: ConnectionId) {
        let connection = &self.connections[usize::from(id.0)];
        let tls = connection
            .tls
            .map(|context| self.store.tls_options(context));
        let (host, port) = connection.peer.clone();
        self.network.push_back(NetworkRequest::Open {
            link: id.0,
            host,
            port,
            tls,
        });
    }

    /// Sends CONNECT, once the link stands.
    pub(super) fn connect(&mut self, connect: Box<Connect>, now: Instant) -> Result<(), Refused> {
        let id = connect.connection;
        let connection = &mut self.connections[usize::from(id.0)];
        match &mut connection.link {
            Link::Opening { then } => {
                *then = Some(connect);
                return Ok(());
            }
            Link::Open => {}
            _ => return Err(NOT_ALLOWED),
        }
        let secured = connection.tls.is_some();
        let method = self.profile.quirks.sign_method;
        let registered = connect
            .device
            .as_ref()
            .and_then(|device| self.store.registered(device));
        if registered.is_none()
            && let Some(options) = registration_options(&connect, method)
        {
            return self.register(id, options, connect, now);
        }
        let options = connect_options(&connect, registered, method, secured);
        self.begin_session(id, options, Purpose::Asked, now)
    }

    /// Sends CONNECT on the open link.
    pub(super) fn begin_session(
        &mut self,
        id: ConnectionId,
        options: ConnectOptions,
        purpose: Purpose,
        now: Instant,
    ) -> Result<(), Refused> {
        let client_id = options.client_id.clone();
        // It stays as it is until the link ends: the broker may refuse the client.
        let session = self.sessions.get(&client_id).cloned().unwrap_or_default();
        let client = Client::connect(&options, session, now).map_err(|error| {
            tracing::debug!(%error, "no CONNECT can carry this");
            NOT_ALLOWED
        })?;
        self.connection(id).link = Link::Mqtt {
            client: Box::new(client),
            client_id,
            connected: false,
            purpose,
            options: Box::new(options),
        };
        Ok(())
    }

    pub(super) fn disconnect(
        &mut self,
        connection: ConnectionId,
        freed: bool,
        now: Instant,
    ) -> Result<(), Refused> {
        self.client(connection)?.disconnect();
        self.send_queued(connection);
        self.keep_session(connection);
        if freed {
            self.free(connection);
            let link = connection.0;
            self.network.push_back(NetworkRequest::Close { link });
        } else {
            self.connection(connection).link = Link::Disconnected;
        }
        let result = Ok(());
        self.tell(Urc::Disconnected { connection, result }, now);
        Ok(())
    }

    pub(super) fn close(&mut self, connection: ConnectionId, now: Instant) -> Result<(), Refused> {
        if self.connection(connection).is_closed() {
            return Err(NOT_ALLOWED);
        }
        if let Some(client) = self.connection(connection).connected() {
            client.disconnect();
            self.send_queued(connection);
        }
        self.free(connection);
        let link = connection.0;
        self.network.push_back(NetworkRequest::Close { link });
        let result = Ok(());
        self.tell(Urc::Closed { connection, result }, now);
        Ok(())
    }
}
