//! Every byte of the module and of the host is typed by hand from the reference.

mod exchanges;
mod fences;
mod hostile;
mod power;
mod prompts;
mod reports;
mod splits;
mod steps;
mod uploads;

use std::time::{Duration, Instant};

use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::lmqtt::NT35E;
use atmq_protocol::dialect::{self, Model, Next, StepEnd};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connect, Connected, ConnectionId, ConnectionState, LinkStatus, Operation, PayloadFormat,
    Publish, PublishResult, QoS, Reason, ReasonKind, TopicFilter, Urc,
};
use atmq_protocol::standard::{
    Registration, RegistrationChanged, RegistrationDomain, SignalQuality, StandardInformation,
    StandardRequest, StandardUrc,
};

use super::{Answer, Command, Event, ExchangeId, RawCommand, Response, Session};
use crate::error::{ExchangeError, Reached, RequestError};

const ID: ConnectionId = ConnectionId(0);

/// A session and a clock that only tests move.
struct Host {
    session: Session,
    now: Instant,
}

impl Host {
    fn new() -> Self {
        Self {
            session: Session::new(&NT35E),
            now: Instant::now(),
        }
    }

    /// A module that accepts something else.
    fn accepts(&mut self, limits: Limits) {
        let mut model: Model = NT35E;
        model.limits = limits;
        self.session.set_model(&model);
    }

    /// Asks for an exchange.
    fn request(&mut self, wanted: impl Into<Wanted>) -> Result<ExchangeId, RequestError> {
        self.request_within(wanted, None)
    }

    fn request_within(
        &mut self,
        wanted: impl Into<Wanted>,
        limit: Option<Duration>,
    ) -> Result<ExchangeId, RequestError> {
        let command = match wanted.into() {
            Wanted::Command(command) => command,
            Wanted::StepOf(operation, name) => {
                let mut plan = self.session.plan(operation)?;
                let mut next = plan.begin().map(Next::Step);
                loop {
                    match next {
                        Some(Next::Step(step)) if step.line.starts_with(name) => {
                            break Command::Step(step);
                        }
                        Some(Next::Step(_)) => {
                            next = Some(plan.next(&StepEnd::Done {
                                answers: &[],
                                report: None,
                            }));
                        }
                        other => panic!("no such step: {other:?}"),
                    }
                }
            }
        };
        self.session.request(command, limit, self.now)
    }

    /// Asks for an exchange; what is written for it.
    fn ask(&mut self, wanted: impl Into<Wanted>) -> String {
        self.request(wanted).unwrap();
        self.written()
    }

    /// What is written to the port.
    fn written(&mut self) -> String {
        let mut bytes = Vec::new();
        while let Some(transmit) = self.session.poll_transmit() {
            bytes.extend_from_slice(&transmit.bytes);
        }
        bytes.escape_ascii().to_string()
    }

    /// The module sends these bytes; what the session makes of them.
    fn hear(&mut self, bytes: impl AsRef<[u8]>) -> Vec<Event> {
        self.session.receive(bytes.as_ref(), self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// Time passes without a byte; what is written meanwhile, and what happens.
    fn wait(&mut self, seconds: f64) -> (String, Vec<Event>) {
        let end = self.now + Duration::from_secs_f64(seconds);
        let (mut written, mut events) = (String::new(), Vec::new());
        while let Some(deadline) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = deadline;
            self.session.handle_timeout(deadline);
            written += &self.written();
            events.append(&mut self.events());
        }
        self.now = end;
        (written, events)
    }

    /// Asks, hears the answer, and expects it to be good.
    fn done(&mut self, wanted: impl Into<Wanted>, answer: &str) -> Answer {
        self.ask(wanted);
        match &self.hear(answer)[..] {
            [Event::Completed(Ok(answer))] => answer.clone(),
            other => panic!("{other:?}"),
        }
    }
}

/// What a test asks for.
#[derive(Clone)]
enum Wanted {
    Command(Command),
    /// The first step of the operation whose line begins so.
    StepOf(Operation, &'static [u8]),
}

impl From<Command> for Wanted {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

fn attention() -> Command {
    Command::Standard(StandardRequest::Attention)
}

fn signal() -> Command {
    Command::Standard(StandardRequest::SignalQuality)
}

fn quality(rssi: u8) -> Answer {
    let quality = SignalQuality { rssi, ber: 0 };
    Answer::Standard(vec![StandardInformation::SignalQuality(quality)])
}

fn connection() -> Connect {
    let mut connect = Connect::new(ID, "h", 1883, "id");
    connect.username = Some("u".into());
    connect.password = Some("p".into());
    connect
}

fn step_of_connect(connect: Connect, name: &'static [u8]) -> Wanted {
    Wanted::StepOf(Operation::Connect(Box::new(connect)), name)
}

fn show_length() -> Wanted {
    step_of_connect(connection(), b"AT+LMQTTCFG=\"recv/mode\"")
}

fn open() -> Wanted {
    step_of_connect(connection(), b"AT+LMQTTOPEN")
}

fn connect() -> Wanted {
    step_of_connect(connection(), b"AT+LMQTTCONN")
}

fn query_state() -> Wanted {
    Wanted::StepOf(Operation::State { connection: ID }, b"AT+LMQTTCONN?")
}

fn disconnect() -> Wanted {
    let operation = Operation::Disconnect {
        connection: ID,
        connected: true,
    };
    Wanted::StepOf(operation, b"AT+LMQTTDISC")
}

fn close() -> Wanted {
    let operation = Operation::Disconnect {
        connection: ID,
        connected: false,
    };
    Wanted::StepOf(operation, b"AT+LMQTTCLOSE")
}

fn subscribe(message_id: u16) -> Wanted {
    let operation = Operation::Subscribe {
        connection: ID,
        message_id,
        filters: vec![TopicFilter {
            filter: "t".into(),
            qos: QoS::AtLeastOnce,
        }],
    };
    Wanted::StepOf(operation, b"AT+LMQTTSUBUNSUB")
}

fn publish(message_id: u16, payload: &[u8]) -> Wanted {
    publish_as(QoS::AtLeastOnce, message_id, payload)
}

fn publish_as(qos: QoS, message_id: u16, payload: &[u8]) -> Wanted {
    let publish = Publish {
        connection: ID,
        message_id,
        qos,
        retain: false,
        topic: "t".into(),
        payload: payload.into(),
    };
    Wanted::StepOf(Operation::Publish(publish), b"AT+LMQTTPUB")
}

fn raw(line: &str) -> Command {
    Command::Raw(RawCommand::new(line))
}

fn plain() -> Answer {
    Answer::Mqtt {
        answers: Vec::new(),
        report: None,
    }
}

fn reported(report: Urc) -> Answer {
    Answer::Mqtt {
        answers: Vec::new(),
        report: Some(report),
    }
}

fn published(message_id: u16) -> Urc {
    Urc::Published {
        connection: ID,
        message_id,
        result: PublishResult::Done,
        reason: Reason::NONE,
    }
}

fn received(payload: &[u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id: 1,
        topic: "t".into(),
        payload: payload.to_vec(),
    }
}

fn completed(answer: Answer) -> Event {
    Event::Completed(Ok(answer))
}

fn failed(error: ExchangeError) -> Event {
    Event::Completed(Err(error))
}
