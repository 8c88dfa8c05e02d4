use alloc::borrow::Cow;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::{config, host};
use super::{Asked, LmqttModule, Publish, connected};
use crate::Secret;
use crate::dialect::lmqtt::{Information, PublishPayload, Request, Setting};
use crate::dialect::{Act, Ask, Finish, Ground, Prompt, Refused};
use crate::mqtt::{ConnectionId, OpenFailure, QoS, Urc};

impl LmqttModule {
    /// Does what a request asks for, if it may be asked for now.
    pub(super) fn execute(
        &mut self,
        request: Request<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if self.dialect.strict_message_ids && !has_strict_message_id(&request) {
            return Err(Refused::NOT_ALLOWED);
        }
        match request {
            Request::Configure {
                connection,
                setting,
            } => self.configure(connection, setting, ground)?,
            Request::QuerySetting { .. }
            | Request::QueryOpen
            | Request::QueryState
            | Request::QueryUnread
            | Request::QueryTls { .. } => self.answer(&request, ground, acts),
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
                    self.inform(&message, acts);
                }
            }
            Request::ConfigureTls { context, setting } => {
                let setting = setting.into_owned();
                acts.push(Act::ConfigureTls { context, setting });
            }
            Request::Upload {
                name,
                length,
                timeout_seconds,
            } => {
                if !ground.has_room(&name) {
                    return Err(Refused::NOT_ALLOWED);
                }
                self.asked = Some(Asked::File(name.into_owned()));
                let seconds = timeout_seconds.map(|seconds| Duration::from_secs(seconds.into()));
                return Ok(Finish::Data(host::ask_file(&self.limits, length, seconds)));
            }
            Request::Open {
                connection,
                host,
                port,
            } => {
                let configuration = self.configuration(connection);
                let failure = if ground.state(connection).is_some() {
                    OpenFailure::InUse
                } else if !ground.is_active(configuration.pdp_context) {
                    OpenFailure::PdpActivation
                } else {
                    acts.push(Act::Open {
                        connection,
                        host: host.into_owned(),
                        port,
                        cid: configuration.pdp_context,
                        tls: configuration.tls_context(),
                    });
                    return Ok(Finish::Reported(connection));
                };
                let result = Err(failure);
                let urc = Urc::Opened { connection, result };
                acts.push(Act::Report(self.report_as(urc, false)));
                return Ok(Finish::Reported(connection));
            }
            Request::Connect {
                connection,
                client_id,
                username,
                password,
            } => {
                if !ground.is_open(connection) {
                    return Err(Refused::NOT_ALLOWED);
                }
                let connect = self.configuration(connection).connect(
                    connection,
                    client_id.into_owned(),
                    username.map(Cow::into_owned),
                    password.map(Secret::into_owned),
                );
                acts.push(Act::Connect(connect.into()));
                return Ok(Finish::Reported(connection));
            }
            Request::Subscribe {
                connection,
                message_id,
                filters,
            } => {
                connected(connection, ground)?;
                acts.push(Act::Subscribe {
                    connection,
                    message_id: Some(message_id),
                    filters,
                });
                return Ok(Finish::Reported(connection));
            }
            Request::Unsubscribe {
                connection,
                message_id,
                filters,
            } => {
                connected(connection, ground)?;
                acts.push(Act::Unsubscribe {
                    connection,
                    message_id: Some(message_id),
                    filters: filters.iter().map(ToString::to_string).collect(),
                });
                return Ok(Finish::Reported(connection));
            }
            Request::Publish {
                connection,
                message_id,
                qos,
                retain,
                topic,
                payload,
                extended,
            } => {
                connected(connection, ground)?;
                let publish = Publish {
                    connection,
                    message_id,
                    qos,
                    retain,
                    topic: topic.into_owned(),
                    extended,
                };
                return match payload {
                    PublishPayload::Inline(payload) => {
                        let configuration = self.configuration(connection);
                        let payload = configuration.frame(&publish.topic, payload);
                        let payload = payload.ok_or(Refused::NOT_ALLOWED)?.into_owned();
                        Ok(self.publish(publish, payload, acts))
                    }
                    PublishPayload::Prompted(length) => Ok(self.ask(publish, length)),
                };
            }
            Request::Disconnect { connection } => {
                connected(connection, ground)?;
                let freed = self.dialect.disconnect_frees;
                acts.push(Act::Disconnect { connection, freed });
                return Ok(Finish::Reported(connection));
            }
            Request::Close { connection } => {
                if ground.state(connection).is_none() {
                    return Err(Refused::NOT_ALLOWED);
                }
                acts.push(Act::Close { connection });
                return Ok(Finish::Reported(connection));
            }
        }
        Ok(Finish::Ok)
    }

    /// The settings that shape the MQTT session must come before OPEN (documented); the others
    /// may come at any time (inferred).
    fn configure(
        &mut self,
        id: ConnectionId,
        setting: Setting<'_>,
        ground: &dyn Ground,
    ) -> Result<(), Refused> {
        if !config::may_follow_open(setting.key()) && ground.state(id).is_some() {
            return Err(Refused::NOT_ALLOWED);
        }
        self.formats[id].apply(&setting);
        self.connection(id).configuration.set(setting);
        Ok(())
    }

    /// Answers a query.
    fn answer(&self, request: &Request<'_>, ground: &dyn Ground, acts: &mut Vec<Act>) {
        match *request {
            Request::QuerySetting { connection, key } => {
                let setting = self
                    .configuration(connection)
                    .get(key, self.formats[connection]);
                self.inform(&Information::Setting(setting), acts);
            }
            Request::QueryTls { context, key } => {
                let setting = ground.tls(context, key);
                self.inform(&Information::TlsSetting { context, setting }, acts);
            }
            Request::QueryOpen => {
                for connection in self.ids() {
                    if let Some((host, port)) = ground.peer(connection) {
                        let opened = Information::Opened {
                            connection,
                            host: host.into(),
                            port,
                        };
                        self.inform(&opened, acts);
                    }
                }
            }
            Request::QueryState => {
                for connection in self.ids() {
                    if let Some(state) = ground.state(connection) {
                        self.inform(&Information::State { connection, state }, acts);
                    }
                }
            }
            _ => {
                for connection in self.ids() {
                    let cache = &self.connections[usize::from(connection.0)].cache;
                    let message_ids = cache.message_ids();
                    if !message_ids.is_empty() {
                        let unread = Information::Unread {
                            connection,
                            message_ids,
                        };
                        self.inform(&unread, acts);
                    }
                }
            }
        }
    }

    fn ask(&mut self, publish: Publish, length: usize) -> Finish {
        self.asked = Some(Asked::Payload(publish.into()));
        Finish::Data(Ask {
            prompt: Prompt::Sign(b"> "),
            ..host::ask_payload(&self.limits, length)
        })
    }

    pub(super) fn publish(
        &mut self,
        publish: Publish,
        payload: Vec<u8>,
        acts: &mut Vec<Act>,
    ) -> Finish {
        let Publish {
            connection,
            message_id,
            qos,
            retain,
            topic,
            extended,
        } = publish;
        let known = self.connection(connection);
        if extended {
            known.extended.push(message_id);
        }
        let reported = known.configuration.result_urcs;
        acts.push(Act::Publish {
            connection,
            message_id: Some(message_id),
            qos,
            retain,
            topic,
            payload,
        });
        match reported {
            true => Finish::Reported(connection),
            false => Finish::Ok,
        }
    }
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
        } => (*message_id == 0) == (*qos == QoS::AtMostOnce),
        _ => true,
    }
}
