//! A command set that no module has: it shows that another one fits in.
//!
//! It has what LMQTT has not. `#` begins the names. `OK` comes when the outcome is known, and is
//! all that is said of it. There are no packet identifiers. A message is published behind two
//! prompts, each of which stands behind an `OK` and ends with Ctrl-Z. One that was received is
//! reported in two lines, the second with its payload as a block behind it.
//!
//! ```text
//! AT#PSTART   AT#PSTOP   the service that connections need
//! AT#POPEN="<host>",<port>,"<client>"[,"<user>","<password>"]   opens and connects
//! AT#PSUB=<qos>,"<filter>"[,...]   AT#PUNSUB="<filter>"[,...]
//! AT#PTOPIC   AT#PPUB=<qos>,<retain>
//! AT#PCLOSE
//! #PFROM: <topic>
//! #PDATA: <length>   and the payload
//! #PLOST: <status>
//! ```

use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::framing::{CTRL_Z, DataEnd, Extent};
use atmq_protocol::at::parameter::{ParameterError, ParameterWriter, Parameters, integer};
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::lmqtt::NT26;
use atmq_protocol::dialect::{
    Act, Ask, Caching, Commanded, Course, Data, Dialect, EncodeError, Event, Face, Finish, Follow,
    Ground, Host, Model, Module, Next, NoData, Plan, Power, Prompt, Refused, Report, Said, Step,
    StepEnd, Then, Value, done_or_failed,
};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connect, Connected, ConnectionId, Intent, LinkStatus, OpenFailure, Operation, Outcome, Proof,
    Publish, PublishResult, QoS, Queried, Reason, Refusal, TopicFilter, Urc,
};
use atmq_protocol::spec::{Source, Spec};

/// A module that speaks it.
pub const MODEL: Model = Model::new(
    "PROOF",
    &Set,
    Limits {
        prompt_end: DataEnd::ControlCharacters,
        ..NT26.limits
    },
);

const ID: ConnectionId = ConnectionId(0);
const CID: u8 = 1;
const LIMIT: Duration = Duration::from_secs(30);
const TOPIC: &[u8] = b"#PFROM: ";
const PAYLOAD: &[u8] = b"#PDATA: ";
const LOST: &[u8] = b"#PLOST: ";
/// What is refused because the broker refuses it has this code and the broker's.
const BROKER: u16 = 100;

const SOURCE: Source = Source::inferred("made up");
const COMMANDS: &[Spec] = &[
    Spec::new("#PSTART", "starts the service", SOURCE).executes(),
    Spec::new("#PSTOP", "stops the service", SOURCE).executes(),
    Spec::new("#POPEN", "opens and connects", SOURCE).takes(&[]),
    Spec::new("#PCLOSE", "disconnects", SOURCE).executes(),
    Spec::new("#PSUB", "subscribes", SOURCE).takes(&[]),
    Spec::new("#PUNSUB", "takes back subscriptions", SOURCE).takes(&[]),
    Spec::new("#PTOPIC", "takes the topic of a message", SOURCE).executes(),
    Spec::new("#PPUB", "publishes a message", SOURCE).takes(&[]),
];

/// The command set.
#[derive(Debug)]
pub struct Set;

impl Dialect for Set {
    fn name(&self) -> &'static str {
        "proof"
    }

    fn models(&self) -> &'static [Model] {
        &[MODEL]
    }

    fn recognised_by(&self) -> &'static str {
        "AT#POPEN=?"
    }

    fn reports(&self) -> &'static [&'static str] {
        &["#PFROM", "#PLOST"]
    }

    fn with(&self, _: &[(&str, Value<'_>)]) -> Arc<dyn Dialect> {
        Arc::new(Set)
    }

    fn specs(&self) -> &'static [Spec] {
        COMMANDS
    }

    fn host(&self, limits: &Limits) -> Box<dyn Host> {
        Box::new(ProofHost {
            limits: limits.clone(),
            from: None,
        })
    }

    fn module(&self, _: &Limits) -> Box<dyn Module> {
        Box::new(ProofModule::default())
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        (line == self.farewell().as_bytes()).then_some(Power::Down)
    }

    fn farewell(&self) -> &'static str {
        "POWER DOWN"
    }
}

/// How topic and payload are asked for.
const ASK: Ask = Ask {
    prompt: Prompt::SignAfterOk(b">"),
    length: None,
    end: DataEnd::ControlCharacters,
    patience: Some(LIMIT),
    escapable: true,
};

#[derive(Debug)]
struct ProofHost {
    limits: Limits,
    /// The topic of the message whose payload comes next.
    from: Option<String>,
}

fn line(name: &str, write: impl FnOnce(&mut ParameterWriter<'_>)) -> Vec<u8> {
    let mut line = ["AT", name, "="].concat().into_bytes();
    write(&mut ParameterWriter::new(&mut line));
    line.push(b'\r');
    line
}

impl ProofHost {
    fn data(&self, mut bytes: Vec<u8>) -> Result<Option<Data>, EncodeError> {
        self.limits.check_prompt_data(&bytes)?;
        bytes.push(CTRL_Z);
        let (ask, secret) = (ASK, false);
        Ok(Some(Data { ask, bytes, secret }))
    }

    fn publish(&self, publish: Publish) -> Result<Plan, EncodeError> {
        let mut topic = Step::new(b"AT#PTOPIC\r".to_vec(), LIMIT);
        topic.data = self.data(publish.topic.into_bytes())?;
        topic.then = Then::Nobody;
        let line = line("#PPUB", |values| {
            values.integer(publish.qos.level()).flag(publish.retain);
        });
        let mut payload = Step::new(line, LIMIT);
        payload.data = self.data(publish.payload)?;
        Ok(two(topic, payload, published))
    }
}

/// A step that has to be taken before the one that decides.
#[derive(Debug)]
struct Two {
    second: Option<Box<Step>>,
    judge: fn(&StepEnd<'_>) -> Outcome,
}

fn two(first: Step, second: Step, judge: fn(&StepEnd<'_>) -> Outcome) -> Plan {
    let second = Some(Box::new(second));
    Plan::new(first, Course::Follow(Box::new(Two { second, judge })))
}

impl Follow for Two {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        match (end, self.second.take()) {
            (StepEnd::Done { .. }, Some(second)) => Next::Step(second),
            (_, None) => Next::Done((self.judge)(end)),
            (_, Some(_)) => Next::Done(Outcome::Failed(Proof::NeverLeft)),
        }
    }
}

fn published(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done { .. } => Outcome::Published {
            result: PublishResult::Done,
            reason: Reason::NONE,
            proof: Proof::Acknowledged,
        },
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

fn connected(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done { .. } => Outcome::Done,
        StepEnd::Refused(FinalResult::Cme(CmeError::Code(code))) => {
            let refused = code
                .checked_sub(BROKER)
                .and_then(|code| u8::try_from(code).ok());
            refused.map_or(
                Outcome::NotAccepted(Reason::number((*code).into())),
                |code| Outcome::Refused(Refusal::from_code(code)),
            )
        }
        StepEnd::Refused(_) => Outcome::NotOpened(OpenFailure::Network),
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

impl Host for ProofHost {
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError> {
        let line = match operation {
            Operation::Publish(publish) => return self.publish(publish),
            Operation::Connect(connect) => {
                let line = line("#POPEN", |values| {
                    values.quoted(&connect.host).integer(connect.port);
                    values.quoted(&connect.client_id);
                    if let (Some(user), Some(password)) = (&connect.username, &connect.password) {
                        values.quoted(user).quoted(password.expose());
                    }
                });
                let start = Step::new(b"AT#PSTART\r".to_vec(), LIMIT);
                let mut open = Step::new(line, LIMIT);
                open.begins_link = true;
                return Ok(two(start, open, connected));
            }
            Operation::Disconnect { .. } => b"AT#PCLOSE\r".to_vec(),
            Operation::Subscribe { filters, .. } => line("#PSUB", |values| {
                for TopicFilter { filter, qos } in &filters {
                    values.integer(qos.level()).quoted(filter);
                }
            }),
            Operation::Unsubscribe { filters, .. } => line("#PUNSUB", |values| {
                for filter in &filters {
                    values.quoted(filter);
                }
            }),
            _ => return Err(EncodeError::Contradiction("this module cannot do that")),
        };
        Ok(Plan::new(
            Step::new(line, LIMIT),
            Course::Judge(done_or_failed),
        ))
    }

    fn command(&self, line: &[u8]) -> Option<Commanded> {
        let (command, _) = Command::split_first(line.get(2..)?.trim_ascii_end(), |_| true);
        Set.owns(command.name).then(|| Commanded {
            intent: Intent::Query {
                connection: Some(ID),
                what: Queried::States,
            },
            ask: (command.is("#PTOPIC") || command.is("#PPUB")).then_some(ASK),
            report: None,
            limit: LIMIT,
        })
    }

    fn carried_out(&mut self, _: &[u8]) -> Option<Caching> {
        None
    }

    fn started(&mut self) {}

    fn estranged(&mut self) {}

    fn extent(&self, line: &[u8]) -> Extent {
        match line.strip_prefix(PAYLOAD) {
            Some(length) => length_of(length).map_or(Extent::Incomplete, Extent::Block),
            None if PAYLOAD.starts_with(line) => Extent::Incomplete,
            None => Extent::Line,
        }
    }

    fn read(&mut self, line: &[u8], _: Option<&[u8]>) -> Option<Said> {
        if let Some(topic) = line.strip_prefix(TOPIC) {
            self.from = String::from_utf8(topic.to_vec()).ok();
            return Some(Said::Part);
        }
        if let Some(code) = line.strip_prefix(LOST) {
            return Some(Said::Urc(Urc::Status {
                connection: ID,
                status: LinkStatus::Other(integer(code)?.try_into().ok()?),
                code: None,
            }));
        }
        let message = line.strip_prefix(PAYLOAD)?;
        let end = message.iter().position(|byte| *byte == b'\n')?;
        Some(Said::Urc(Urc::Received {
            connection: ID,
            message_id: 0,
            topic: self.from.take()?,
            payload: message[end + 1..].to_vec(),
        }))
    }

    fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        line.starts_with(PAYLOAD).then_some(ID)
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        Set.power(line)
    }
}

fn length_of(digits: &[u8]) -> Option<usize> {
    integer(digits.trim_ascii_end())?.try_into().ok()
}

#[derive(Debug, Default, PartialEq)]
enum Service {
    #[default]
    Stopped,
    Changing,
    Runs,
}

#[derive(Debug, Default)]
struct ProofModule {
    /// Whether the service runs, or is to run: its outcome is awaited then.
    service: Service,
    topic: Option<String>,
    /// Quality of service and retain flag of the message whose payload is asked for.
    publish: Option<(QoS, bool)>,
}

fn qos(values: &mut Parameters<'_>) -> Result<QoS, Refused> {
    let level = values.integer("qos", 0, 2)?;
    QoS::from_level(level).ok_or(Refused::NOT_ALLOWED)
}

fn open(values: &mut Parameters<'_>, acts: &mut Vec<Act>) -> Result<(), ParameterError> {
    let host = values.text("host", 256)?;
    let port = values.integer("port", 1, 65535)?;
    let mut connect = Connect::new(ID, host, port, values.text("client", 256)?);
    if !values.is_empty() {
        connect.username = Some(values.text("user", 256)?.into());
        connect.password = Some(values.text("password", 256)?.to_owned().into());
    }
    acts.push(Act::Open {
        connection: ID,
        host: host.into(),
        port,
        cid: CID,
        tls: None,
    });
    acts.push(Act::Connect(connect.into()));
    Ok(())
}

impl Face for ProofModule {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let mut values = Parameters::new(match command.form {
            Form::Set(values) => values,
            _ => b"",
        });
        if command.is("#PTOPIC") {
            self.publish = None;
            return Ok(Finish::Data(ASK));
        } else if command.is("#PPUB") && self.topic.is_some() {
            self.publish = Some((qos(&mut values)?, values.flag("retain")?));
            return Ok(Finish::Data(ASK));
        } else if command.is("#PSTART") || command.is("#PSTOP") {
            self.service = Service::Changing;
            let active = command.is("#PSTART");
            acts.push(Act::Activate { cid: CID, active });
        } else if command.is("#POPEN")
            && self.service == Service::Runs
            && ground.state(ID).is_none()
        {
            open(&mut values, acts)?;
        } else if command.is("#PCLOSE") {
            acts.push(Act::Close { connection: ID });
        } else if command.is("#PSUB") {
            let mut filters = Vec::new();
            while !values.is_empty() {
                let (qos, filter) = (qos(&mut values)?, values.text("filter", 256)?.into());
                filters.push(TopicFilter { filter, qos });
            }
            acts.push(Act::Subscribe {
                connection: ID,
                message_id: None,
                filters,
            });
        } else if command.is("#PUNSUB") {
            let mut filters = Vec::new();
            while !values.is_empty() {
                filters.push(values.text("filter", 256)?.into());
            }
            acts.push(Act::Unsubscribe {
                connection: ID,
                message_id: None,
                filters,
            });
        } else {
            return Err(Refused::NOT_ALLOWED);
        }
        Ok(Finish::Outcome(LIMIT))
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let Some((qos, retain)) = self.publish.take() else {
            self.topic = Some(String::from_utf8(data.to_vec()).map_err(|_| Refused::NOT_ALLOWED)?);
            return Ok(Finish::Ok);
        };
        acts.push(Act::Publish {
            connection: ID,
            message_id: None,
            qos,
            retain,
            topic: self.topic.take().ok_or(Refused::NOT_ALLOWED)?,
            payload: data.to_vec(),
        });
        Ok(Finish::Outcome(LIMIT))
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        (self.topic, self.publish) = (None, None);
        Err(Refused::NOT_ALLOWED)
    }

    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        if let Event::Context { cid: CID, active } = event {
            let runs = if active {
                Service::Runs
            } else {
                Service::Stopped
            };
            if std::mem::replace(&mut self.service, runs) == Service::Changing {
                acts.push(Act::Finish(Ok(())));
            }
        }
    }

    fn restarted(&mut self) {
        *self = Self::default();
    }
}

impl Module for ProofModule {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        let good = match &urc {
            Urc::Received { .. } => return acts.push(Act::Report(self.report(urc))),
            Urc::Status { .. } => {
                acts.push(Act::Report(self.report(urc)));
                Err(Refused::NoCarrier)
            }
            Urc::Opened { result: Ok(()), .. } | Urc::Buffered { .. } => return,
            Urc::Connected { result, .. } => match result {
                Connected::Accepted => Ok(()),
                Connected::Refused(refusal) => {
                    Err(Refused::Cme(BROKER + u16::from(refusal.code())))
                }
                _ => Err(Refused::NoCarrier),
            },
            Urc::Opened { .. } => Err(Refused::NoCarrier),
            Urc::SubscriptionChanged { result, .. } => {
                result.map(drop).map_err(|_| Refused::NOT_ALLOWED)
            }
            Urc::Published { result, .. } if *result != PublishResult::Done => {
                Err(Refused::NOT_ALLOWED)
            }
            Urc::Published { .. } | Urc::Closed { .. } | Urc::Disconnected { .. } => Ok(()),
        };
        acts.push(Act::Finish(good));
    }

    fn sent_again(&mut self, _: ConnectionId, _: u16, _: u32, _: &mut Vec<Act>) {}

    fn report(&self, urc: Urc) -> Report {
        let line = match &urc {
            Urc::Received { topic, payload, .. } => {
                let length = payload.len().to_string();
                let head = [
                    TOPIC,
                    topic.as_bytes(),
                    b"\r\n\r\n",
                    PAYLOAD,
                    length.as_bytes(),
                ];
                [&head.concat()[..], b"\r\n", payload].concat()
            }
            _ => [LOST, b"1"].concat(),
        };
        Report {
            line,
            urc,
            outcome: false,
            unframed: false,
        }
    }

    fn freed(&mut self, _: ConnectionId) {}

    fn releases_quickly(&self, _: ConnectionId) -> bool {
        false
    }
}
