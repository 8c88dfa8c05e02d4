//! What the commands do.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::request::{Request, Setting, Taken};
use super::super::table::{ACCQ, CFG, CONNECT, DISC, PROMPT, PUB, REL, START, STOP, SUB, UNSUB};
use super::super::{Family, codes, host};
use super::client::{Acquired, Client, Draft, Peer};
use super::{Asked, CmqttModule, PATIENCE, Service, reports};
use crate::at::framing::DataEnd;
use crate::dialect::{Act, Ask, Finish, Ground, Refused};
use crate::mqtt::{AliDevice, Connect, ConnectionId, Intent, Timeouts, TopicFilter, Will};

/// The shortest address (documented).
const SHORTEST_URL: usize = 9;

impl CmqttModule {
    /// What a command asks for, with what was given before.
    pub(super) fn known(&self, intent: Intent) -> Intent {
        let of = |id: ConnectionId| &self.clients[usize::from(id.0)];
        let mut intent = intent;
        match &mut intent {
            Intent::Publish {
                connection,
                topic,
                length,
                ..
            } if topic.is_empty() => {
                let client = of(*connection);
                *topic = client.topic.clone().unwrap_or_default();
                *length = client.payload.len();
            }
            Intent::Subscribe {
                connection,
                filters,
                ..
            } if filters.is_empty() => filters.clone_from(&of(*connection).collected),
            Intent::Unsubscribe {
                connection,
                filters,
                ..
            } if filters.is_empty() => filters.clone_from(&of(*connection).unwanted),
            _ => {}
        }
        intent
    }

    /// Does what a request asks for, if it may be asked for now.
    pub(super) fn execute(
        &mut self,
        name: &'static str,
        id: ConnectionId,
        request: Request<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match request {
            Request::Start { cid } => return self.start(cid, acts),
            _ if self.service != Service::Runs => return Err(Refused::Plain),
            Request::Stop => {
                if self.clients.iter().any(|client| client.acquired.is_some()) {
                    return Ok(Self::refuse(
                        format!("{STOP}: {}", codes::NOT_RELEASED),
                        acts,
                    ));
                }
                self.service = Service::Stopped;
                acts.push(Act::Announce(format!("{STOP}: 0").into_bytes()));
                return Ok(Finish::Announced);
            }
            _ => {}
        }
        if request.needs_client() && self.client(id).acquired.is_none() {
            return match request {
                Request::Configure(_) => Err(Refused::Plain),
                _ => Ok(Self::fail(name, id, codes::NOT_ACQUIRED, acts)),
            };
        }
        match request {
            Request::Start { .. } | Request::Stop => {}
            Request::Query(name) => self.answer(name, acts),
            Request::Acquire {
                client_id,
                secured,
                version,
            } => {
                let client = self.client(id);
                if client.acquired.is_some() {
                    return Ok(Self::fail(ACCQ, id, codes::USED, acts));
                }
                let client_id = client_id.to_string();
                client.acquired = Some(Acquired { client_id, secured });
                client.settings.version = version.unwrap_or(client.settings.version);
            }
            Request::Release => {
                let measured = self.dialect.family == Family::Sim76xx;
                let client = self.client(id);
                if client.acquired.is_none() && !measured {
                    return Ok(Self::fail(REL, id, codes::NOT_ACQUIRED, acts));
                }
                if client.connected || client.connecting {
                    return Ok(Self::fail(REL, id, codes::BUSY, acts));
                }
                *client = Client::default();
            }
            Request::UseContext(context) => {
                if ground.state(id).is_some() {
                    return Err(Refused::Plain);
                }
                self.client(id).context = Some(context);
            }
            Request::Configure(setting) => self.configure(id, setting, ground, acts)?,
            Request::Connect {
                url,
                keep_alive,
                clean_session,
                username,
                password,
            } => {
                let peer = Peer {
                    url: url.into(),
                    keep_alive,
                    clean_session,
                    username: username.map(String::from),
                    password: password.map(|text| text.to_string().into()),
                };
                return self.connect(id, peer, ground, acts);
            }
            Request::Disconnect => {
                if ground.state(id).is_none() {
                    return Ok(Self::fail(DISC, id, codes::NOT_CONNECTED, acts));
                }
                let finish = self.reported(DISC, id);
                self.client(id).disconnecting = true;
                acts.push(Act::Close { connection: id });
                return Ok(finish);
            }
            Request::Take(taken, length) => {
                let will = matches!(taken, Taken::WillTopic | Taken::WillMessage(_));
                if !will && !self.client(id).connected {
                    return Ok(Self::fail(name, id, codes::NOT_CONNECTED, acts));
                }
                return Ok(self.ask(id, Asked::Part(taken), length));
            }
            Request::PublishTo {
                topic,
                qos,
                retain,
                length,
            } => {
                self.one_line(id)?;
                let draft = Draft {
                    topic: topic.into(),
                    qos,
                    retain,
                    payload: Vec::new(),
                };
                return Ok(self.ask(id, Asked::Message(draft), length));
            }
            Request::Publish { qos, retain } => {
                let client = self.client(id);
                // Both are forgotten, whatever comes of it.
                let payload = core::mem::take(&mut client.payload);
                let Some(topic) = client.topic.take() else {
                    return Ok(Self::fail(PUB, id, codes::NO_TOPIC, acts));
                };
                let draft = Draft {
                    topic,
                    qos,
                    retain,
                    payload,
                };
                return Ok(self.publish(id, draft, acts));
            }
            Request::Subscribe => {
                let filters = core::mem::take(&mut self.client(id).collected);
                return Ok(self.subscribe(id, filters, acts));
            }
            Request::SubscribeTo { topic, qos } => {
                self.one_line(id)?;
                let filter = topic.into();
                return Ok(self.subscribe(id, [TopicFilter { filter, qos }].into(), acts));
            }
            Request::Unsubscribe => {
                let filters = core::mem::take(&mut self.client(id).unwanted);
                return Ok(self.unsubscribe(id, filters, acts));
            }
            Request::UnsubscribeFrom { topic } => {
                self.one_line(id)?;
                return Ok(self.unsubscribe(id, [topic.into()].into(), acts));
            }
        }
        Ok(Finish::Ok)
    }

    fn start(&mut self, cid: Option<u8>, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        let measured = self.dialect.family == Family::Sim76xx;
        match (self.service, measured) {
            (Service::Stopped, _) => {
                self.service = Service::Starting {
                    named: cid.is_some(),
                };
                self.cid = cid.unwrap_or(self.cid);
                let (cid, active) = (self.cid, true);
                acts.push(Act::Activate { cid, active });
                Ok(match measured {
                    true => Finish::Outcome(PATIENCE),
                    false => Finish::Announced,
                })
            }
            (_, true) => Ok(Self::refuse(format!("{START}: {}", codes::STARTED), acts)),
            (_, false) => Err(Refused::Plain),
        }
    }

    /// The settings hold from ACCQ to CONNECT, and are lost with REL.
    fn configure(
        &mut self,
        id: ConnectionId,
        setting: Setting<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<(), Refused> {
        match setting {
            Setting::Context(None) => {
                acts.push(Act::Say(
                    format!("{CFG}: \"CID\",{}", self.cid).into_bytes(),
                ));
                return Ok(());
            }
            Setting::Context(Some(cid)) => {
                self.cid = cid;
                return Ok(());
            }
            Setting::ContextOfOne(None) => {
                let cid = self.client(id).settings.cid.unwrap_or(self.cid);
                acts.push(Act::Say(format!("{CFG}: \"SCID\",{id},{cid}").into_bytes()));
                return Ok(());
            }
            _ => {}
        }
        if ground.state(id).is_some() {
            return Err(Refused::Plain);
        }
        let client = self.client(id);
        let settings = &mut client.settings;
        match setting {
            Setting::CheckUtf8(on) => settings.check_utf8 = on,
            Setting::OperationTimeout(seconds) => settings.timeout = seconds,
            Setting::Device {
                product_key,
                name,
                secret,
            } => {
                let device = AliDevice::new(product_key, name, secret.into());
                settings.device = Some(device.into_owned());
            }
            Setting::Version(version) => settings.version = version,
            Setting::OneLine { on, length } => client.one_line = on.then_some(length),
            Setting::ContextOfOne(cid) => settings.cid = cid,
            Setting::Context(_) => {}
        }
        Ok(())
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        peer: Peer,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        // A second CONNECT fails alone, and says nothing that the first could be taken to.
        if ground.state(id).is_some() || peer.url.len() < SHORTEST_URL {
            return Err(Refused::Plain);
        }
        let (host, port) = host::address(&peer.url).ok_or(Refused::Plain)?;
        let host = String::from(host);
        let (service, finish) = (self.cid, self.reported(CONNECT, id));
        let client = self.client(id);
        let acquired = client.acquired.clone().ok_or(Refused::Plain)?;
        let settings = &client.settings;
        let mut connect = Connect::new(id, host.clone(), port, acquired.client_id);
        connect.version = settings.version;
        connect.clean_session = peer.clean_session;
        connect.keep_alive = peer.keep_alive;
        connect.username.clone_from(&peer.username);
        connect.password.clone_from(&peer.password);
        connect.device.clone_from(&settings.device);
        connect.timeouts = Some(Timeouts {
            packet_seconds: settings.timeout,
            retries: 0,
            notice: false,
        });
        connect.will = client.will.take();
        let cid = settings.cid.unwrap_or(service);
        let tls = acquired.secured.then(|| client.context.unwrap_or(id.0));
        client.peer = Some(peer);
        client.connecting = true;
        acts.push(Act::Open {
            connection: id,
            host,
            port,
            cid,
            tls,
        });
        acts.push(Act::Connect(connect.into()));
        Ok(finish)
    }

    /// Takes what was asked for behind a prompt.
    pub(super) fn take(
        &mut self,
        id: ConnectionId,
        taken: Taken,
        data: &[u8],
        acts: &mut Vec<Act>,
    ) -> Finish {
        let client = self.client(id);
        if taken == Taken::Payload {
            if client.settings.check_utf8 && core::str::from_utf8(data).is_err() {
                return Self::fail(reports(taken), id, codes::BAD_UTF8, acts);
            }
            client.payload = data.to_vec();
            return Finish::Ok;
        }
        if let Taken::WillMessage(qos) = taken {
            let Some(topic) = client.will_topic.take() else {
                return Self::fail(reports(taken), id, codes::NO_TOPIC, acts);
            };
            client.will = Some(Will::new(topic, data).qos(qos));
            return Finish::Ok;
        }
        let Ok(text) = core::str::from_utf8(data) else {
            return Self::fail(reports(taken), id, codes::BAD_UTF8, acts);
        };
        let text = String::from(text);
        match taken {
            Taken::WillTopic => client.will_topic = Some(text),
            Taken::Filter(qos) => client.collected.push(TopicFilter { filter: text, qos }),
            Taken::UnwantedFilter => client.unwanted.push(text),
            Taken::OneFilter(qos) => {
                return self.subscribe(id, [TopicFilter { filter: text, qos }].into(), acts);
            }
            Taken::OneUnwantedFilter => return self.unsubscribe(id, [text].into(), acts),
            _ => client.topic = Some(text),
        }
        Finish::Ok
    }

    fn ask(&mut self, id: ConnectionId, asked: Asked, length: usize) -> Finish {
        self.asked = Some((id, asked));
        Finish::Data(Ask {
            prompt: PROMPT,
            length: Some(length),
            end: DataEnd::Length,
            patience: Some(self.limits.prompt_timeout),
            escapable: false,
        })
    }

    /// Commands may have their topic on the line.
    fn one_line(&mut self, id: ConnectionId) -> Result<(), Refused> {
        let client = self.client(id);
        let good = client.one_line.is_some() && client.connected;
        good.then_some(()).ok_or(Refused::Plain)
    }

    pub(super) fn publish(
        &mut self,
        id: ConnectionId,
        draft: Draft,
        acts: &mut Vec<Act>,
    ) -> Finish {
        let client = self.client(id);
        let refused = match () {
            () if !client.connected => Some(codes::NOT_CONNECTED),
            () if client.publishing => Some(codes::BUSY),
            () => None,
        };
        if let Some(code) = refused {
            return Self::fail(PUB, id, code, acts);
        }
        client.publishing = true;
        let Draft {
            topic,
            qos,
            retain,
            payload,
        } = draft;
        acts.push(Act::Publish {
            connection: id,
            message_id: None,
            qos,
            retain,
            topic,
            payload,
        });
        self.reported(PUB, id)
    }

    fn subscribe(
        &mut self,
        id: ConnectionId,
        filters: Vec<TopicFilter>,
        acts: &mut Vec<Act>,
    ) -> Finish {
        let client = self.client(id);
        if let Some(code) = client.refuses_change(filters.is_empty()) {
            return Self::fail(SUB, id, code, acts);
        }
        client.subscribing = true;
        client.changing = filters.iter().map(|filter| filter.filter.clone()).collect();
        acts.push(Act::Subscribe {
            connection: id,
            message_id: None,
            filters,
        });
        self.reported(SUB, id)
    }

    fn unsubscribe(
        &mut self,
        id: ConnectionId,
        filters: Vec<String>,
        acts: &mut Vec<Act>,
    ) -> Finish {
        let client = self.client(id);
        if let Some(code) = client.refuses_change(filters.is_empty()) {
            return Self::fail(UNSUB, id, code, acts);
        }
        client.unsubscribing = true;
        client.changing.clone_from(&filters);
        acts.push(Act::Unsubscribe {
            connection: id,
            message_id: None,
            filters,
        });
        self.reported(UNSUB, id)
    }
}

impl Client {
    /// The result with which a subscribe or unsubscribe is refused now.
    fn refuses_change(&self, empty: bool) -> Option<i32> {
        match () {
            () if !self.connected => Some(codes::NOT_CONNECTED),
            () if self.subscribing || self.unsubscribing => Some(codes::BUSY),
            () if empty => Some(codes::NO_TOPIC),
            () => None,
        }
    }
}
