//! The MQTT commands.

use std::time::Instant;

use atmq_protocol::Secret;
use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::dialect::{Context, Dialect};
use atmq_protocol::mqtt::{ConnectionId, Information, PublishPayload, Request, SubscriptionChange};

use super::command::Done;
use super::connection::Connection;
use super::publish::{Publish, reason_of};
use super::{Modem, NOT_ALLOWED, Refused};
use crate::mqtt::RequestError;
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

    fn check_subscription(
        &mut self,
        id: ConnectionId,
        message_id: u16,
        change: SubscriptionChange,
        result: Result<(), RequestError>,
        now: Instant,
    ) {
        if let Err(error) = result {
            let reason = reason_of(&error).into();
            self.report_subscription(id, message_id, change, Err(reason), now);
        }
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
