//! The module's face: what the commands do, and how the module reports what has happened.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::configuration::Configuration;
use super::request::{Device, Request, Setting, Tls};
use super::{CID, ID, Sm, command, host, received, table};
use crate::at::command::{Command, Form};
use crate::at::parameter::decode_hex;
use crate::dialect::{
    Act, DecodeError, Dialect as _, Event, Face, Finish, Ground, Module, NoData, Refused, Report,
};
use crate::limits::Limits;
use crate::mqtt::{
    Connected, ConnectionId, ConnectionState, LinkStatus, PublishResult, QoS, SecurityLevel,
    TlsSetting, TopicFilter, Urc,
};

/// How long the module waits for what the network has to answer (inferred: hosts wait up to a
/// minute).
const PATIENCE: Duration = Duration::from_secs(60);

/// How many messages wait for a final result code. Ours: it bounds what a broker can fill.
const HELD: usize = 16;

/// A module that speaks SM.
#[derive(Debug)]
pub(super) struct SmModule {
    dialect: Sm,
    limits: Limits,
    configuration: Configuration,
    /// Whether payloads are given in hexadecimal digits.
    publish_hex: bool,
    tls: Tls<'static>,
    device: Option<Device<'static>>,
    /// The device that would register itself.
    unregistered: Option<Device<'static>>,
    /// How long the task that receives sleeps, in milliseconds.
    sleep: Option<u16>,
    /// Whether the bearer has been switched on.
    bearer: bool,
    /// Whether the broker has accepted the client.
    connected: bool,
    /// The command whose outcome is awaited.
    awaited: Option<Awaited>,
    /// Messages that came meanwhile: they are reported behind the final result code (documented in
    /// the manual's example).
    held: Vec<Report>,
    /// The message whose payload is asked for.
    asked: Option<Box<Publish>>,
    /// The packet identifier of the last packet that is acknowledged.
    last_id: u16,
}

/// What the final result code waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Connect,
    /// The acknowledgement of this packet.
    Acknowledgement(u16),
}

/// A publish without its payload.
#[derive(Debug)]
struct Publish {
    topic: String,
    qos: QoS,
    retain: bool,
}

impl SmModule {
    pub(super) fn new(dialect: Sm, limits: Limits) -> Self {
        Self {
            dialect,
            limits,
            configuration: Configuration::default(),
            publish_hex: false,
            tls: Tls::default(),
            device: None,
            unregistered: None,
            sleep: None,
            bearer: false,
            connected: false,
            awaited: None,
            held: Vec::new(),
            asked: None,
            last_id: 0,
        }
    }

    fn execute(
        &mut self,
        request: Request<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let mut say = |text: String| acts.push(Act::Say(text.into_bytes()));
        match request {
            Request::Configure(setting) => self.configure(setting, ground)?,
            Request::QueryConfiguration => say(self.configuration.show(&self.dialect)),
            Request::QueryState => say(format!("{}: {}", table::STATE, self.state(ground))),
            Request::QueryPublishHex => {
                say(format!("{}: {}", table::PUBHEX, u8::from(self.publish_hex)));
            }
            Request::QueryTls => {
                let Tls {
                    index,
                    ca,
                    certificate,
                } = &self.tls;
                say(format!(
                    "{}: {index},\"{ca}\",\"{certificate}\"",
                    table::SSL
                ));
            }
            Request::QueryAliAuth => {
                say(show_device(table::ALIAUTH, "Device Secret", &self.device));
            }
            Request::QueryAliDyna => say(show_device(
                table::ALIDYNA,
                "Product Secret",
                &self.unregistered,
            )),
            Request::QuerySleep => say(match self.sleep {
                Some(time) => format!("{}: 1,{time}", table::SLEEP),
                None => format!("{}: 0", table::SLEEP),
            }),
            Request::PublishHex(on) => self.publish_hex = on,
            Request::Tls(tls) => self.tls = tls.into_owned(),
            Request::AliAuth(device) => self.device = given(device),
            Request::AliDyna(device) => self.unregistered = given(device),
            Request::Sleep(time) => self.sleep = time,
            Request::Connect => return self.connect(ground, acts),
            Request::Disconnect => {
                let state = ground.state(ID).ok_or(Refused::NOT_ALLOWED)?;
                self.connected = false;
                acts.push(match state {
                    ConnectionState::Connected => Act::Disconnect {
                        connection: ID,
                        freed: true,
                    },
                    _ => Act::Close { connection: ID },
                });
            }
            Request::Publish {
                topic,
                length,
                qos,
                retain,
            } => {
                connected(ground)?;
                self.asked = Some(Box::new(Publish {
                    topic: topic.into_owned(),
                    qos,
                    retain,
                }));
                return Ok(Finish::Data(host::ask(&self.limits, length)));
            }
            Request::Subscribe { filter, qos } => {
                connected(ground)?;
                let filter = filter.into_owned();
                let message_id = self.next_id();
                acts.push(Act::Subscribe {
                    connection: ID,
                    message_id: Some(message_id),
                    filters: Vec::from([TopicFilter { filter, qos }]),
                });
                return Ok(self.awaits(Awaited::Acknowledgement(message_id)));
            }
            Request::Unsubscribe { filter } => {
                connected(ground)?;
                let message_id = self.next_id();
                acts.push(Act::Unsubscribe {
                    connection: ID,
                    message_id: Some(message_id),
                    filters: Vec::from([filter.into_owned()]),
                });
                return Ok(self.awaits(Awaited::Acknowledgement(message_id)));
            }
        }
        Ok(Finish::Ok)
    }

    /// While the module is connected nothing can be set (inferred).
    fn configure(&mut self, setting: Setting<'_>, ground: &dyn Ground) -> Result<(), Refused> {
        if ground.state(ID).is_some() {
            return Err(Refused::NOT_ALLOWED);
        }
        self.configuration.set(setting);
        Ok(())
    }

    fn state(&self, ground: &dyn Ground) -> u8 {
        match ground.state(ID) {
            Some(ConnectionState::Connected) => {
                1 + u8::from(self.dialect.session_state && ground.resumed(ID))
            }
            _ => 0,
        }
    }

    /// The bearer must have been switched on (inferred: every host does so first).
    fn connect(&mut self, ground: &dyn Ground, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        let usable = self.bearer && ground.is_active(CID) && ground.state(ID).is_none();
        let connect = self.configuration.connect(self.device.as_ref());
        let connect = connect.filter(|_| usable).ok_or(Refused::NOT_ALLOWED)?;
        if let Some(context) = self.tls.context() {
            let (ca, certificate) = (&self.tls.ca, &self.tls.certificate);
            let level = match (ca.is_empty(), certificate.is_empty()) {
                (true, _) => SecurityLevel::None,
                (false, true) => SecurityLevel::Server,
                (false, false) => SecurityLevel::Mutual,
            };
            let settings = [
                TlsSetting::CaCertificate(ca.clone()),
                // Converted, the two are one file.
                TlsSetting::ClientCertificate(certificate.clone()),
                TlsSetting::ClientKey(certificate.clone()),
                TlsSetting::SecurityLevel(level),
            ];
            acts.extend(settings.map(|setting| Act::ConfigureTls { context, setting }));
        }
        acts.push(Act::Open {
            connection: ID,
            host: connect.host.clone(),
            port: connect.port,
            cid: CID,
            tls: self.tls.context(),
        });
        acts.push(Act::Connect(Box::new(connect)));
        match self.configuration.asynchronous {
            true => Ok(Finish::Ok),
            false => Ok(self.awaits(Awaited::Connect)),
        }
    }

    fn awaits(&mut self, what: Awaited) -> Finish {
        self.awaited = Some(what);
        Finish::Outcome(PATIENCE)
    }

    /// The outcome of a command, if it is this one that is awaited.
    fn finish(&mut self, what: Awaited, good: bool, acts: &mut Vec<Act>) {
        if self.awaited == Some(what) {
            self.awaited = None;
            let result = if good {
                Ok(())
            } else {
                Err(Refused::NOT_ALLOWED)
            };
            acts.push(Act::Finish(result));
            acts.extend(self.held.drain(..).map(Act::Report));
        }
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }
}

/// A command that needs MQTT to be connected.
fn connected(ground: &dyn Ground) -> Result<(), Refused> {
    match ground.state(ID) {
        Some(ConnectionState::Connected) => Ok(()),
        _ => Err(Refused::NOT_ALLOWED),
    }
}

/// A device without a product is none.
fn given(device: Device<'_>) -> Option<Device<'static>> {
    let device = device.into_owned();
    (!device.product_key.is_empty()).then_some(device)
}

fn show_device(name: &str, secret_name: &str, device: &Option<Device<'_>>) -> String {
    let (key, device_name, secret) = match device {
        Some(device) => (
            &*device.product_key,
            &*device.device_name,
            device.secret.expose(),
        ),
        None => ("", "", ""),
    };
    format!(
        "{name}:\r\nProduct Key: \"{key}\"\r\nDevice Name: \"{device_name}\"\r\n\
         {secret_name}: \"{secret}\""
    )
}

impl Face for SmModule {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let spec = self.dialect.spec(command.name).ok_or(Refused::Unknown)?;
        if command.form == Form::Test {
            let lines = self.dialect.describe(command, &self.limits);
            acts.extend(lines.into_iter().map(|line| Act::Say(line.into_bytes())));
            return Ok(Finish::Ok);
        }
        match command::decode(command, spec, &self.limits) {
            Ok(Request::Configure(Setting::SubHex(_))) if !self.dialect.sub_hex => {
                Err(Refused::NOT_ALLOWED)
            }
            Ok(Request::Configure(Setting::Async(_))) if !self.dialect.async_mode => {
                Err(Refused::NOT_ALLOWED)
            }
            Ok(request) => self.execute(request, ground, acts),
            Err(error) => {
                if let DecodeError::Parameter(error) = error {
                    acts.push(Act::Unreadable(error));
                }
                Err(Refused::NOT_ALLOWED)
            }
        }
    }

    fn data(
        &mut self,
        data: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let publish = self.asked.take().ok_or(Refused::NOT_ALLOWED)?;
        connected(ground)?;
        let payload = match self.publish_hex {
            true => decode_hex(data).ok_or(Refused::NOT_ALLOWED)?,
            false => data.to_vec(),
        };
        let message_id = self.next_id();
        acts.push(Act::Publish {
            connection: ID,
            message_id: Some(message_id),
            qos: publish.qos,
            retain: publish.retain,
            topic: publish.topic,
            payload,
        });
        Ok(self.awaits(Awaited::Acknowledgement(message_id)))
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        self.asked = None;
        Err(Refused::NOT_ALLOWED)
    }

    fn noticed(&mut self, event: Event, _: &mut Vec<Act>) {
        if let Event::Context { cid: CID, active } = event {
            self.bearer = active;
        }
    }

    fn restarted(&mut self) {
        *self = Self::new(self.dialect.clone(), self.limits.clone());
    }
}

impl Module for SmModule {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        match urc {
            Urc::Opened { result: Err(_), .. } => self.finish(Awaited::Connect, false, acts),
            Urc::Connected { result, .. } => {
                self.connected = result == Connected::Accepted;
                self.finish(Awaited::Connect, self.connected, acts);
                if !self.connected {
                    acts.push(Act::Close { connection: ID });
                }
            }
            Urc::SubscriptionChanged {
                message_id, result, ..
            } => {
                let awaited = Awaited::Acknowledgement(message_id);
                self.finish(awaited, result.is_ok(), acts);
            }
            Urc::Published {
                message_id, result, ..
            } => {
                let awaited = Awaited::Acknowledgement(message_id);
                self.finish(awaited, result == PublishResult::Done, acts);
            }
            Urc::Received { .. } => {
                let report = self.report(urc);
                if self.awaited.is_some() && self.held.len() < HELD {
                    return self.held.push(report);
                }
                acts.extend(self.held.drain(..).map(Act::Report));
                acts.push(Act::Report(report));
            }
            Urc::Status {
                status: LinkStatus::Fine | LinkStatus::CacheOverflow,
                ..
            } => {}
            Urc::Status { .. } => {
                if let Some(awaited) = self.awaited {
                    self.finish(awaited, false, acts);
                }
                if core::mem::take(&mut self.connected) {
                    acts.push(Act::Report(self.report(urc)));
                }
            }
            _ => {}
        }
    }

    fn sent_again(&mut self, _: ConnectionId, _: u16, _: u32, _: &mut Vec<Act>) {}

    fn report(&self, urc: Urc) -> Report {
        let hexadecimal = self.configuration.sub_hex;
        Report {
            line: received::encode(&urc, hexadecimal),
            outcome: false,
            unframed: match &urc {
                Urc::Received { payload, .. } => {
                    !hexadecimal && memchr::memchr3(b'\r', b'\n', 0, payload).is_some()
                }
                _ => false,
            },
            urc,
        }
    }

    fn freed(&mut self, _: ConnectionId) {}

    fn releases_quickly(&self, _: ConnectionId) -> bool {
        false
    }
}
