//! From the settings and OPEN to CLOSE: the life of a connection, as the host wants it.

use std::time::Instant;

use atmq_protocol::mqtt::{ConnectionId, OpenFailure, Setting, Urc};

use super::connection::{Link, Purpose};
use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{Client, ConnectOptions};
use crate::network::NetworkRequest;

impl Modem {
    /// The settings that shape the MQTT session must come before OPEN (documented); the others
    /// may come at any time (inferred).
    pub(super) fn configure(
        &mut self,
        id: ConnectionId,
        setting: &Setting<'_>,
    ) -> Result<(), Refused> {
        let any_time = matches!(
            setting,
            Setting::ReceiveMode { .. }
                | Setting::SendMode(_)
                | Setting::DataFormats { .. }
                | Setting::Cache(_)
                | Setting::ResultUrcs(_)
        );
        let connection = self.connection(id);
        if !any_time && !connection.is_closed() {
            return Err(NOT_ALLOWED);
        }
        connection.config.set(setting);
        self.formats[id].apply(setting);
        Ok(())
    }

    pub(super) fn open(&mut self, id: ConnectionId, host: &str, port: u16, now: Instant) {
        let cid = self.connection(id).config.pdp_context();
        let active = self.is_active(cid);
        let connection = self.connection(id);
        let failure = if !connection.is_closed() {
            Some(OpenFailure::InUse)
        } else if active {
            None
        } else {
            Some(OpenFailure::PdpActivation)
        };
        if let Some(failure) = failure {
            return self.report_opened(id, Err(failure), now);
        }
        connection.link = Link::Opening;
        connection.peer = (host.to_owned(), port);
        self.request_link(id);
    }

    /// Has the link of a connection made, to the peer of its OPEN.
    pub(super) fn request_link(&mut self, id: ConnectionId) {
        let connection = &self.connections[usize::from(id.0)];
        let context = connection.config.tls_context();
        let tls = context.map(|context| self.store.tls_options(context));
        let (host, port) = connection.peer.clone();
        self.network.push_back(NetworkRequest::Open {
            link: id.0,
            host,
            port,
            tls,
        });
    }

    pub(super) fn connect(
        &mut self,
        id: ConnectionId,
        client_id: &str,
        username: Option<&str>,
        password: Option<&str>,
        now: Instant,
    ) -> Result<(), Refused> {
        let connection = &self.connections[usize::from(id.0)];
        if !matches!(connection.link, Link::Open) {
            return Err(NOT_ALLOWED);
        }
        let config = &connection.config;
        let method = self.profile.quirks.sign_method;
        let registered = config
            .device()
            .and_then(|device| self.store.registered(device));
        if registered.is_none()
            && let Some(options) = config.registration_options(client_id, method)
        {
            return self.register(id, options, client_id, now);
        }
        let options = config.connect_options(client_id, username, password, registered, method);
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

    pub(super) fn disconnect(&mut self, id: ConnectionId, now: Instant) -> Result<(), Refused> {
        self.client(id)?.disconnect();
        self.send_queued(id);
        self.keep_session(id);
        if self.profile.quirks.disconnect_frees {
            self.free(id);
            self.network.push_back(NetworkRequest::Close { link: id.0 });
        } else {
            self.connection(id).link = Link::Disconnected;
        }
        let urc = Urc::Disconnected {
            connection: id,
            result: Ok(()),
        };
        self.report_outcome(id, &urc, now);
        Ok(())
    }

    pub(super) fn close(&mut self, id: ConnectionId, now: Instant) -> Result<(), Refused> {
        if self.connection(id).is_closed() {
            return Err(NOT_ALLOWED);
        }
        if let Some(client) = self.connection(id).connected() {
            client.disconnect();
            self.send_queued(id);
        }
        self.free(id);
        self.network.push_back(NetworkRequest::Close { link: id.0 });
        let urc = Urc::Closed {
            connection: id,
            result: Ok(()),
        };
        self.report_outcome(id, &urc, now);
        Ok(())
    }
}
