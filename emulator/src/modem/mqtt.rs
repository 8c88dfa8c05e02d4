//! The MQTT commands.

use std::time::Instant;

use atmq_protocol::Secret;
use atmq_protocol::command::{Command, Form};
use atmq_protocol::dialect::{Context, Dialect};
use atmq_protocol::mqtt::{
    ConnectionId, Information, OpenFailure, PublishPayload, PublishResult, QoS, Request, Setting,
    SubscriptionChange, Urc,
};

use super::command::Done;
use super::connection::{Connection, Link};
use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::{Client, Publication, RequestError};
use crate::network::{NetworkRequest, TlsOptions};

/// `<extend>` of an outcome: the packet could not be sent.
pub(super) const NOT_SENT: i32 = 6;
/// `<extend>` of an outcome: a parameter is bad.
const BAD_PARAMETER: i32 = 7;

/// A publish whose payload comes behind the prompt.
#[derive(Debug)]
pub(super) struct Publish {
    connection: ConnectionId,
    message_id: u16,
    qos: QoS,
    retain: bool,
    topic: String,
    length: usize,
}

impl Publish {
    /// Bytes to come.
    pub(super) fn length(&self) -> usize {
        self.length
    }
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
            NOT_ALLOWED
        })?;
        // Before this moment the host must not hear what came of the command.
        if let Some(id) = request.connection()
            && self.profile.dialect.exchange(&request).reported
        {
            let latency = self.profile.latency.result;
            let from = now + self.spread(latency);
            self.connection(id).outcome_from = from;
        }
        match request {
            Request::Configure {
                connection,
                setting,
            } => self.configure(connection, &setting)?,
            Request::QuerySetting { connection, key } => {
                let formats = self.formats[connection];
                let config = &self.connections[usize::from(connection.0)].config;
                let information = Information::Setting(config.get(key, formats));
                let dialect = &self.profile.dialect;
                self.output
                    .line(|out| dialect.encode_information(&information, out));
            }
            Request::QueryOpen => {
                for (id, connection) in numbered(&self.connections) {
                    if !connection.is_closed() {
                        let (host, port) = &connection.peer;
                        let information = Information::Opened {
                            connection: id,
                            host: host.into(),
                            port: *port,
                        };
                        let dialect = &self.profile.dialect;
                        self.output
                            .line(|out| dialect.encode_information(&information, out));
                    }
                }
            }
            Request::QueryState => {
                for (id, connection) in numbered(&self.connections) {
                    if let Some(state) = connection.state() {
                        let information = Information::State {
                            connection: id,
                            state,
                        };
                        let dialect = &self.profile.dialect;
                        self.output
                            .line(|out| dialect.encode_information(&information, out));
                    }
                }
            }
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
                let mut publish = Publish {
                    connection,
                    message_id,
                    qos,
                    retain,
                    topic: topic.into_owned(),
                    length: 0,
                };
                self.client(connection)?;
                match payload {
                    PublishPayload::Inline(payload) => self.publish(&publish, &payload, now)?,
                    PublishPayload::Prompted(length) => {
                        publish.length = length;
                        return Ok(Done::Prompt(publish));
                    }
                }
            }
            Request::Disconnect { connection } => self.disconnect(connection, now)?,
            Request::Close { connection } => self.close(connection, now)?,
        }
        self.settle(now);
        Ok(Done::Answered)
    }

    /// Publishes with the payload that came behind the prompt.
    pub(super) fn publish_prompted(
        &mut self,
        publish: &Publish,
        wire: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        let latency = self.profile.latency.result;
        let from = now + self.spread(latency);
        self.connection(publish.connection).outcome_from = from;
        let payload = self.formats[publish.connection].send.decode(wire);
        let payload = payload.ok_or(NOT_ALLOWED)?;
        self.publish(publish, &payload, now)?;
        self.settle(now);
        Ok(())
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
        // There is no command yet by which a buffered message could be read.
        if matches!(setting, Setting::Cache(true)) {
            return Err(NOT_ALLOWED);
        }
        connection.config.set(setting);
        self.formats[id].apply(setting);
        Ok(())
    }

    fn open(&mut self, id: ConnectionId, host: &str, port: u16, now: Instant) {
        let attached = self.is_attached();
        let connection = self.connection(id);
        let failure = if !connection.is_closed() {
            Some(OpenFailure::InUse)
        } else if attached {
            None
        } else {
            Some(OpenFailure::PdpActivation)
        };
        if let Some(failure) = failure {
            return self.report_opened(id, Err(failure), now);
        }
        connection.link = Link::Opening;
        connection.peer = (host.to_owned(), port);
        // Which certificate authority a TLS context trusts cannot be set yet, and a context that
        // nobody has set up does not verify (Quectel's `seclevel` 0, inferred for Lierda).
        let tls = connection.config.is_secure().then(TlsOptions::default);
        self.network.push_back(NetworkRequest::Open {
            link: id.0,
            host: host.to_owned(),
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
        let options = connection
            .config
            .connect_options(client_id, username, password);
        let client_id = options.client_id.clone();
        let session = self.sessions.remove(&client_id).unwrap_or_default();
        let client = Client::connect(&options, session, now).map_err(|error| {
            tracing::debug!(%error, "no CONNECT can carry this");
            NOT_ALLOWED
        })?;
        self.connection(id).link = Link::Mqtt {
            client: Box::new(client),
            client_id,
            connected: false,
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

    fn publish(&mut self, publish: &Publish, payload: &[u8], now: Instant) -> Result<(), Refused> {
        let Publish {
            connection,
            message_id,
            qos,
            retain,
            ref topic,
            ..
        } = *publish;
        let publication = Publication {
            message_id,
            qos,
            retain,
            topic,
            payload,
        };
        if let Err(error) = self.client(connection)?.publish(&publication, now) {
            let extend = Some(extend_of(&error));
            self.report_published(connection, message_id, PublishResult::NotSent, extend, now);
        }
        Ok(())
    }

    fn disconnect(&mut self, id: ConnectionId, now: Instant) -> Result<(), Refused> {
        self.client(id)?.disconnect();
        self.send_queued(id);
        self.keep_session(id);
        let connection = self.connection(id);
        connection.link = Link::Disconnected;
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

    pub(super) fn ids(&self) -> impl Iterator<Item = ConnectionId> + use<> {
        (0..self.profile.limits.connections).map(ConnectionId)
    }

    pub(super) fn connection(&mut self, id: ConnectionId) -> &mut Connection {
        &mut self.connections[usize::from(id.0)]
    }

    /// The MQTT client of a connection; without one the command is not allowed.
    fn client(&mut self, id: ConnectionId) -> Result<&mut Client, Refused> {
        self.connection(id).connected().ok_or(NOT_ALLOWED)
    }
}

fn numbered(connections: &[Connection]) -> impl Iterator<Item = (ConnectionId, &Connection)> {
    (0..).map(ConnectionId).zip(connections)
}

/// Why a packet was not sent, in the manual's numbers.
fn extend_of(error: &RequestError) -> i32 {
    match error {
        RequestError::NotConnected | RequestError::TooManyInFlight { .. } => NOT_SENT,
        RequestError::IdInFlight { .. } | RequestError::Unencodable(_) => BAD_PARAMETER,
    }
}
