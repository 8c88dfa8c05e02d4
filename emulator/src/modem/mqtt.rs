//! The MQTT commands.

use std::time::Instant;

use atmq_protocol::Secret;
use atmq_protocol::command::{Command, Form};
use atmq_protocol::dialect::{Context, Dialect};
use atmq_protocol::mqtt::{
    ConnectionId, Information, OpenFailure, PublishPayload, Request, Setting, SubscriptionChange,
    Urc,
};

use super::command::Done;
use super::connection::{Connection, Link, Purpose};
use super::publish::{Publish, extend_of};
use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{Client, ConnectOptions, RequestError};
use crate::network::NetworkRequest;
use crate::quirks::ResultOrder;

/// Writes an information response. A macro, because what it says may be borrowed from the modem.
macro_rules! inform {
    ($modem:ident, $information:expr) => {{
        let (dialect, formats) = (&$modem.profile.dialect, &$modem.formats);
        let information = $information;
        $modem
            .output
            .line(|out| dialect.encode_information(&information, formats, out));
    }};
}

impl Modem {
    pub(super) fn execute_mqtt(
        &mut self,
        command: &Command<'_>,
        now: Instant,
    ) -> Result<Done, Refused> {
        if command.form == Form::Test {
            for line in self.profile.dialect.describe(command, &self.profile.limits) {
                self.output
                    .line(|out| out.extend_from_slice(line.as_bytes()));
            }
            return Ok(Done::Answered);
        }
        let context = Context {
            limits: &self.profile.limits,
            formats: &self.formats,
        };
        let request = self.profile.dialect.decode_request(command, context);
        let request = request.map_err(|error| {
            tracing::debug!(%error, "bad parameter");
            self.lint.unreadable(command, &error);
            NOT_ALLOWED
        })?;
        self.lint.request(&request, command, &self.formats);
        if self.profile.quirks.strict_message_ids && !has_strict_message_id(&request) {
            return Err(NOT_ALLOWED);
        }
        let reported = self.is_reported(&request);
        if let Some(id) = request.connection()
            && reported
        {
            self.begin_outcome(id, now);
        }
        match request {
            Request::Configure {
                connection,
                setting,
            } => self.configure(connection, &setting)?,
            Request::QuerySetting { connection, key } => {
                let config = &self.connections[usize::from(connection.0)].config;
                let setting = config.get(key, self.formats[connection]);
                inform!(self, Information::Setting(setting));
            }
            Request::QueryOpen => {
                for (id, connection) in numbered(&self.connections) {
                    if !connection.is_closed() {
                        let (host, port) = &connection.peer;
                        let opened = Information::Opened {
                            connection: id,
                            host: host.into(),
                            port: *port,
                        };
                        inform!(self, opened);
                    }
                }
            }
            Request::QueryState => {
                for (id, connection) in numbered(&self.connections) {
                    if let Some(state) = connection.state() {
                        let connection = id;
                        inform!(self, Information::State { connection, state });
                    }
                }
            }
            Request::QueryUnread => {
                for (id, connection) in numbered(&self.connections) {
                    let message_ids = connection.cache.message_ids();
                    if !message_ids.is_empty() {
                        let unread = Information::Unread {
                            connection: id,
                            message_ids,
                        };
                        inform!(self, unread);
                    }
                }
            }
            Request::Read {
                connection,
                message_id,
            } => {
                if let Some(message) = self.connection(connection).cache.take(message_id) {
                    let message = Information::Message {
                        connection,
                        message_id,
                        topic: message.topic.into(),
                        payload: message.payload.into(),
                    };
                    inform!(self, message);
                }
            }
            Request::ConfigureTls { context, setting } => self.store.configure(context, setting),
            Request::QueryTls { context, key } => {
                let setting = self.store.setting(context, key);
                inform!(self, Information::TlsSetting { context, setting });
            }
            Request::Upload {
                name,
                length,
                timeout_seconds,
            } => return self.upload(&name, length, timeout_seconds),
            Request::Open {
                connection,
                host,
                port,
            } => self.open(connection, &host, port, now),
            Request::Connect {
                connection,
                client_id,
                username,
                password,
            } => {
                let password = password.as_ref().map(Secret::expose);
                self.connect(connection, &client_id, username.as_deref(), password, now)?;
            }
            Request::Subscribe {
                connection,
                message_id,
                filters,
            } => {
                let filters: Vec<_> = filters.iter().map(|f| (&*f.filter, f.qos)).collect();
                let result = self
                    .client(connection)?
                    .subscribe(message_id, &filters, now);
                let change = SubscriptionChange::Subscribed;
                self.check_subscription(connection, message_id, change, result, now);
            }
            Request::Unsubscribe {
                connection,
                message_id,
                filters,
            } => {
                let filters: Vec<_> = filters.iter().map(|filter| &**filter).collect();
                let result = self
                    .client(connection)?
                    .unsubscribe(message_id, &filters, now);
                let change = SubscriptionChange::Unsubscribed;
                self.check_subscription(connection, message_id, change, result, now);
            }
            Request::Publish {
                connection,
                message_id,
                qos,
                retain,
                topic,
                payload,
            } => {
                self.client(connection)?;
                let mut publish = Publish {
                    connection,
                    message_id,
                    qos,
                    retain,
                    topic: topic.into_owned(),
                    length: 0,
                    extended: false,
                };
                match payload {
                    PublishPayload::Inline(payload) => {
                        self.publish_inline(&publish, &payload, now)?;
                    }
                    PublishPayload::Prompted(length) => {
                        publish.length = length;
                        return Ok(Done::Prompt(publish));
                    }
                }
            }
            Request::PublishExtended {
                connection,
                message_id,
                qos,
                retain,
                topic,
                length,
            } => {
                self.client(connection)?;
                return Ok(Done::Prompt(Publish {
                    connection,
                    message_id,
                    qos,
                    retain,
                    topic: topic.into_owned(),
                    length,
                    extended: true,
                }));
            }
            Request::Disconnect { connection } => self.disconnect(connection, now)?,
            Request::Close { connection } => self.close(connection, now)?,
        }
        self.settle(now);
        if reported && self.profile.quirks.result_order != ResultOrder::OkFirst {
            return Ok(Done::Reported);
        }
        Ok(Done::Answered)
    }

    /// The settings that shape the MQTT session must come before OPEN (documented); the others
    /// may come at any time (inferred).
    fn configure(&mut self, id: ConnectionId, setting: &Setting<'_>) -> Result<(), Refused> {
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

    fn open(&mut self, id: ConnectionId, host: &str, port: u16, now: Instant) {
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

    fn connect(
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

    fn check_subscription(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        change: SubscriptionChange,
        result: Result<(), RequestError>,
        now: Instant,
    ) {
        if let Err(error) = result {
            let extend = extend_of(&error);
            self.report_subscription(id, message_id, change, Err(Some(extend)), now);
        }
    }

    fn disconnect(&mut self, id: ConnectionId, now: Instant) -> Result<(), Refused> {
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

    fn close(&mut self, id: ConnectionId, now: Instant) -> Result<(), Refused> {
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

fn numbered(connections: &[Connection]) -> impl Iterator<Item = (ConnectionId, &Connection)> {
    (0..).map(ConnectionId).zip(connections)
}

/// Whether the msgID is one that the manual allows: 0 for a publish with QoS 0, others for what
/// is acknowledged.
fn has_strict_message_id(request: &Request<'_>) -> bool {
    match request {
        Request::Subscribe { message_id, .. } | Request::Unsubscribe { message_id, .. } => {
            *message_id != 0
        }
        Request::Publish {
            message_id, qos, ..
        }
        | Request::PublishExtended {
            message_id, qos, ..
        } => (*message_id == 0) == (qos.level() == 0),
        _ => true,
    }
}
