use alloc::vec::Vec;
use core::time::Duration;

use super::super::information::SLOTS;
use super::super::request::{Payload, Publish, Request};
use super::super::setting::Setting;
use super::super::switches::{Extended, WhenClosed};
use super::super::table::{PORTS, RECV};
use super::super::{information, publishing, received};
use super::configuration::PROMPT_SECONDS;
use super::{Asked, QmtModule, connected};
use crate::at::parameter::ParameterWriter;
use crate::dialect::{Act, Ask, Finish, Ground, Prompt, Refused};
use crate::mqtt::{ConnectionId, OpenFailure, QoS, Reason, Urc};
use crate::spec::Key;

impl QmtModule {
    /// Does what a request asks for, if it may be asked for now.
    pub(super) fn execute(
        &mut self,
        request: Request,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match request {
            Request::Configure {
                connection,
                setting,
            } => return Ok(self.configure(connection, setting)),
            Request::QuerySetting { connection, key } => self.show(connection, key, acts),
            Request::Port(None) => acts.push(Act::Say(information::port(PORTS[self.port]))),
            Request::Port(Some(place)) => self.port = place,
            Request::QueryOpen => {
                let open = self.ids().filter_map(|id| Some((id, ground.peer(id)?)));
                let lines = open.map(|(id, (host, port))| information::opened(id, host, port));
                acts.extend(lines.map(Act::Say));
            }
            Request::QueryState => {
                let states = self.ids().filter_map(|id| Some((id, ground.state(id)?)));
                acts.extend(states.map(|(id, state)| Act::Say(information::state(id, state))));
            }
            Request::QueryUnread => self.list(ground, acts),
            Request::Read { connection, slot } => self.read(connection, slot, acts),
            Request::Open {
                connection,
                host,
                port,
            } => {
                let configuration = self.configuration(connection);
                let cid = configuration.pdp_context;
                let failure = if ground.state(connection).is_some() {
                    OpenFailure::InUse
                } else if !ground.is_active(cid) {
                    OpenFailure::PdpActivation
                } else {
                    let tls = configuration.tls;
                    acts.push(Act::Open {
                        connection,
                        host,
                        port,
                        cid,
                        tls,
                    });
                    return Ok(Finish::Reported(connection));
                };
                let result = Err(failure);
                self.tell(
                    self.report_as(Urc::Opened { connection, result }, false, &[]),
                    acts,
                );
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
                let configuration = self.configuration(connection);
                let connect = configuration.connect(connection, client_id, username, password);
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
                    filters,
                });
                return Ok(Finish::Reported(connection));
            }
            Request::Publish(publish, payload) => {
                return self.begin_publish(publish, payload, ground, acts);
            }
            Request::Disconnect(connection) => {
                if connected(connection, ground).is_err() {
                    return self.not_open(connection, acts, |connection, result| {
                        Urc::Disconnected { connection, result }
                    });
                }
                // It closes the link, too.
                let freed = true;
                acts.push(Act::Disconnect { connection, freed });
                return Ok(Finish::Reported(connection));
            }
            Request::Close(connection) => {
                if ground.state(connection).is_none() {
                    return self.not_open(connection, acts, |connection, result| Urc::Closed {
                        connection,
                        result,
                    });
                }
                acts.push(Act::Close { connection });
                return Ok(Finish::Reported(connection));
            }
        }
        Ok(Finish::Ok)
    }

    fn configure(&mut self, id: ConnectionId, setting: Setting) -> Finish {
        if let Setting::WillLater(will, length) = setting {
            self.asked = Some(Asked::Will(id, will));
            return Finish::Data(self.ask(id, Some(length)));
        }
        self.connection(id).configuration.set(setting);
        Finish::Ok
    }

    /// A key that was never set and has no default is answered with `OK` alone.
    fn show(&self, id: ConnectionId, key: &'static Key, acts: &mut Vec<Act>) {
        let setting = self.configuration(id).get(key);
        acts.extend(setting.map(|setting| Act::Say(information::setting(&setting))));
    }

    /// A line for each client, or one of zeros (seen on a host's wire).
    fn list(&self, ground: &dyn Ground, acts: &mut Vec<Act>) {
        let before = acts.len();
        let full = |id: ConnectionId, slot: usize| {
            let slots = &self.connections[usize::from(id.0)].slots;
            slots.get(slot).is_some_and(Option::is_some)
        };
        for id in self.ids().filter(|id| ground.state(*id).is_some()) {
            acts.push(Act::Say(information::unread(id, |slot| full(id, slot))));
        }
        if acts.len() == before {
            acts.push(Act::Say(information::unread(ConnectionId(0), |_| false)));
        }
    }

    /// Takes one message, or all; an empty slot is answered with `OK` alone (inferred).
    fn read(&mut self, id: ConnectionId, slot: Option<u8>, acts: &mut Vec<Act>) {
        let connection = &mut self.connections[usize::from(id.0)];
        let formats = connection.configuration.formats;
        let wanted = (0..SLOTS).filter(|at| slot.is_none_or(|slot| usize::from(slot) == *at));
        for at in wanted {
            let Some(message) = connection.slots.get_mut(at).and_then(Option::take) else {
                continue;
            };
            let mut line = [RECV.as_bytes(), b": "].concat();
            ParameterWriter::new(&mut line)
                .integer(id.0)
                .integer(message.message_id);
            line.push(b',');
            received::encode(&message.topic, &message.payload, formats, &mut line);
            acts.push(Act::Say(line));
        }
    }

    /// What CLOSE and DISC come to where there is nothing to end.
    fn not_open(
        &self,
        connection: ConnectionId,
        acts: &mut Vec<Act>,
        urc: impl FnOnce(ConnectionId, Result<(), Reason>) -> Urc,
    ) -> Result<Finish, Refused> {
        let result = match self.dialect.when_closed {
            WhenClosed::Error => return Err(Refused::NOT_ALLOWED),
            WhenClosed::Done => Ok(()),
            WhenClosed::Failed => Err(Reason::NONE),
        };
        self.tell(self.report_as(urc(connection, result), false, &[]), acts);
        Ok(Finish::Reported(connection))
    }

    fn begin_publish(
        &mut self,
        publish: Publish,
        payload: Payload,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let agrees = (publish.message_id == 0) == (publish.qos == QoS::AtMostOnce);
        if self.dialect.strict_message_ids && !agrees {
            return Err(Refused::NOT_ALLOWED);
        }
        connected(publish.connection, ground)?;
        let length = match payload {
            Payload::Inline(payload) => return Ok(self.publish(publish, payload, acts)),
            Payload::Counted(length) => Some(length),
            Payload::Ended => None,
        };
        let ask = self.ask(publish.connection, length);
        self.asked = Some(Asked::Payload(publish));
        Ok(Finish::Data(ask))
    }

    fn ask(&self, id: ConnectionId, length: Option<usize>) -> Ask {
        let (leaves, seconds) = self.configuration(id).prompt_timeout;
        let seconds = seconds.unwrap_or(PROMPT_SECONDS).into();
        Ask {
            prompt: Prompt::Sign(b"> "),
            patience: leaves.then(|| Duration::from_secs(seconds)),
            ..publishing::ask(length)
        }
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
        if extended && self.dialect.publish_extended == Extended::Length {
            self.connection(connection).extended.push(message_id);
        }
        acts.push(Act::Publish {
            connection,
            message_id: Some(message_id),
            qos,
            retain,
            topic,
            payload,
        });
        Finish::Reported(connection)
    }
}
