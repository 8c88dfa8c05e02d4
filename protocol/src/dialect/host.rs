//! The host's face of a dialect: what a host wants becomes steps, what the module says becomes
//! answers and reports.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::time::Duration;

use super::{EncodeError, Power};
use crate::at::framing::{DataEnd, Extent};
use crate::at::result_code::FinalResult;
use crate::limits::Limits;
use crate::mqtt::{
    Connect, Connected, ConnectionId, ConnectionState, Intent, LinkStatus, Operation, Outcome,
    Proof, Publish, SubscriptionChange, Urc,
};
use crate::standard::{StandardInformation, StandardRequest};

/// One host's side of a conversation with a module, without I/O and clock.
///
/// It remembers what the module was told, as far as later lines depend on it: formats, which
/// messages wait to be read, what a message that comes in several lines has brought so far. So it
/// must be shown every command that was carried out ([`carried_out`](Self::carried_out)) and every
/// line ([`read`](Self::read)), and told of a module that has started anew
/// ([`started`](Self::started)).
pub trait Host: fmt::Debug + Send {
    /// The steps of an operation. All of them are written down, so nothing is begun that cannot be
    /// sent to its end.
    ///
    /// # Errors
    /// The module does not take the operation, or no command can carry it.
    fn perform(&mut self, operation: Operation) -> Result<Plan, EncodeError>;

    /// What a command line does that somebody else has written, with its `AT`, with or without its
    /// carriage return; `None` if it is none of the dialect's.
    fn command(&self, line: &[u8]) -> Option<Commanded>;

    /// A command line was answered with `OK`: what it has set holds from now on. Tells if messages
    /// of a connection wait in the module from now on, or no longer.
    fn carried_out(&mut self, line: &[u8]) -> Option<Caching>;

    /// The module has started anew, and has forgotten what it was told.
    fn started(&mut self);

    /// The port was lost, or the module reset from outside: files that were stored may be gone.
    fn estranged(&mut self);

    /// What the module accepts turns out to be this.
    fn set_limits(&mut self, limits: &Limits) {
        let _ = limits;
    }

    /// Whether a message could be published on a connection that is made so, as far as that is
    /// known beforehand.
    ///
    /// # Errors
    /// It could not.
    fn check_publish(&self, connect: &Connect, publish: Publish) -> Result<(), EncodeError> {
        let _ = (connect, publish);
        Ok(())
    }

    /// How far the line that begins with these bytes reaches.
    fn extent(&self, line: &[u8]) -> Extent;

    /// What a line says. `pending`: the command that waits for its final result code.
    fn read(&mut self, line: &[u8], pending: Option<&[u8]>) -> Option<Said>;

    /// The connection that a received message is for, by the beginning of its line, however the
    /// rest is written; `None` if it is no message.
    fn addressee(&self, line: &[u8]) -> Option<ConnectionId>;

    /// What a line says of the module's power; `None` if nothing.
    fn power(&self, line: &[u8]) -> Option<Power>;

    /// What finds out where a module is that owes an answer.
    fn probe(&self) -> Probe {
        Probe::ERROR_REPORTS
    }
}

/// A command whose answer answers nothing else and that changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// The line with its carriage return.
    pub line: &'static [u8],
    /// Whether a line is its information response.
    pub answers: fn(&[u8]) -> bool,
}

impl Probe {
    /// `AT+CMEE?`, which is answered with `+CMEE: <n>` and nothing else is.
    pub const ERROR_REPORTS: Self = Self {
        line: b"AT+CMEE?\r",
        answers: |line| {
            StandardInformation::decode(&StandardRequest::QueryErrorReports, line).is_some()
        },
    };
}

/// Whether messages of a connection wait in the module until they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caching {
    /// The connection.
    pub connection: ConnectionId,
    /// Whether they wait.
    pub on: bool,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It answers the pending command.
    Answer(Answer),
    /// The module reports it by itself.
    Urc(Urc),
    /// A part of a report that goes over several lines; the last of them says it all.
    Part,
}

/// A line read as a report, without knowing earlier commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised<'l> {
    /// A report that is known.
    Known(Urc),
    /// It begins like a report, but no report has this name.
    Unknown(&'l [u8]),
}

/// What stands between a command and its final result code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// How far a connection is.
    State {
        /// The connection.
        connection: ConnectionId,
        /// How far it is.
        state: ConnectionState,
    },
    /// An open link.
    Link {
        /// The connection.
        connection: ConnectionId,
        /// The host, as it was given.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// A message out of the module's cache.
    Message {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; 0 with QoS 0.
        message_id: u16,
        /// The topic.
        topic: String,
        /// The payload, decoded if it was written in hexadecimal digits.
        payload: Vec<u8>,
    },
    /// The messages of a connection that wait in the module's cache, oldest first.
    Unread {
        /// The connection.
        connection: ConnectionId,
        /// Their packet identifiers.
        message_ids: Vec<u16>,
    },
    /// Something that no operation asks for, such as the value of a setting.
    Other,
}

/// What a command line does that somebody else has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commanded {
    /// What it asks for.
    pub intent: Intent,
    /// The data that the module asks for before it says `OK`.
    pub ask: Option<Ask>,
    /// The report that tells what came of it, unless it is switched off.
    pub report: Option<Expected>,
    /// The longest time from the command to its end.
    pub limit: Duration,
}

/// How a module asks for data, and how that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What asks for it.
    pub prompt: Prompt,
    /// How many bytes are announced; `None` if nothing but the end tells.
    pub length: Option<usize>,
    /// What ends it.
    pub end: DataEnd,
    /// How long the module waits for the next byte; `None` is for ever.
    pub patience: Option<Duration>,
    /// Whether an ESC leaves the prompt.
    pub escapable: bool,
}

/// What asks for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// These bytes at the beginning of a line, a blank behind them perhaps: `>`, `>>>`.
    Sign(&'static [u8]),
    /// The same, behind an `OK` which is not the end of the command: that is another final result
    /// code behind the data, or the report.
    SignAfterOk(&'static [u8]),
    /// A line of these bytes, or one that goes on behind a blank: `CONNECT`, `DOWNLOAD`.
    Line(&'static [u8]),
    /// Nothing: the data may follow `OK`, which is not the end of the command.
    AfterOk,
}

impl Prompt {
    /// The sign to look for at the beginning of a line, if a sign asks.
    pub fn sign(self) -> Option<&'static [u8]> {
        match self {
            Self::Sign(sign) | Self::SignAfterOk(sign) => Some(sign),
            Self::Line(_) | Self::AfterOk => None,
        }
    }
}

/// One command of a [`Plan`], with all that a session needs to see it through.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// The line from `AT` to its carriage return.
    pub line: Vec<u8>,
    /// So many bytes of it name it in errors and logs, and hold no secret.
    pub name: usize,
    /// Where secrets stand in the line.
    pub secrets: Vec<Range<usize>>,
    /// What follows when the module asks for it.
    pub data: Option<Data>,
    /// The report that gives the outcome; without one the final result code does. `OK` frees the
    /// line either way.
    pub report: Option<Expected>,
    /// The connection without whose link it cannot be carried out.
    pub link: Option<ConnectionId>,
    /// The longest time from the command to its end.
    pub limit: Duration,
    /// How long the report may still follow an error.
    pub report_after_error: Duration,
    /// Whom the time until the plan's next step belongs to.
    pub then: Then,
    /// From this step on the module's reports about the connection are about this operation.
    pub begins_link: bool,
    /// What it means that the module refuses it.
    pub if_refused: IfRefused,
}

/// What it means that a step is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfRefused {
    /// What the plan says.
    #[default]
    Fails,
    /// Nothing: the plan goes on.
    Nothing,
    /// The plan goes on, and this is lost, which is worth a warning.
    Costs(&'static str),
}

/// Data for the module.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// How it is asked for.
    pub ask: Ask,
    /// The bytes, with what ends them.
    pub bytes: Vec<u8>,
    /// Whether they are a secret, such as a key.
    pub secret: bool,
}

/// Who may speak to the module between a step and the next one of its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Then {
    /// Anybody.
    #[default]
    Anybody,
    /// Anybody but plans with a step of this kind: the module has one of what they set up.
    NoOtherSetUp,
    /// Nobody: the two belong together, such as the topic and the payload of a message.
    Nobody,
}

impl Step {
    /// A command whose final result code is its outcome.
    pub fn new(line: Vec<u8>, limit: Duration) -> Self {
        let end = line.iter().position(|byte| matches!(byte, b'=' | b'\r'));
        Self {
            name: end.unwrap_or(line.len()),
            line,
            secrets: Vec::new(),
            data: None,
            report: None,
            link: None,
            limit,
            report_after_error: Duration::ZERO,
            then: Then::Anybody,
            begins_link: false,
            if_refused: IfRefused::Fails,
        }
    }

    /// What the command is called in errors and logs.
    pub fn name(&self) -> &[u8] {
        self.line[..self.name].trim_ascii_end()
    }
}

/// What the data of a publish holds is nobody's business, and a line may hold a password.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("name", &format_args!("{}", self.name().escape_ascii()))
            .field(
                "data_length",
                &self.data.as_ref().map(|data| data.bytes.len()),
            )
            .field("report", &self.report)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A report that is waited for: of what, on which connection, by which identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Of what.
    pub what: Reported,
    /// On which connection.
    pub connection: ConnectionId,
    /// The packet identifier; `None` where the set knows none, and reports come in the order of
    /// the commands.
    pub message_id: Option<u16>,
}

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the past participle of its command")]
pub enum Reported {
    Opened,
    Closed,
    Connected,
    Disconnected,
    Subscribed,
    Unsubscribed,
    Published,
    /// The packet data context that the connection goes over can be used.
    Activated,
}

impl Expected {
    /// Whether `urc` reports that the packet was sent again: the outcome is still to come.
    pub fn is_repeated_by(&self, urc: &Urc) -> bool {
        matches!(
            (self.what, urc),
            (
                Reported::Connected,
                Urc::Connected { connection, result: Connected::Retransmitted(_) },
            ) if *connection == self.connection
        )
    }

    /// Whether `urc` reports this very outcome.
    pub fn is_met_by(&self, urc: &Urc) -> bool {
        let Self {
            what, message_id, ..
        } = *self;
        let same = |reported: u16| message_id.is_none_or(|expected| expected == reported);
        urc.connection() == self.connection
            && !self.is_repeated_by(urc)
            && match (what, urc) {
                (Reported::Opened, Urc::Opened { .. })
                | (Reported::Closed, Urc::Closed { .. })
                | (Reported::Connected, Urc::Connected { .. })
                | (Reported::Disconnected, Urc::Disconnected { .. }) => true,
                (
                    Reported::Subscribed,
                    Urc::SubscriptionChanged {
                        message_id, change, ..
                    },
                ) => same(*message_id) && *change != Some(SubscriptionChange::Unsubscribed),
                (
                    Reported::Unsubscribed,
                    Urc::SubscriptionChanged {
                        message_id, change, ..
                    },
                ) => same(*message_id) && *change != Some(SubscriptionChange::Subscribed),
                (Reported::Published, Urc::Published { message_id, .. }) => same(*message_id),
                (Reported::Activated, Urc::Status { status, .. }) => *status == LinkStatus::Fine,
                _ => false,
            }
    }
}

/// How a step has ended.
#[derive(Debug, Clone, Copy)]
pub enum StepEnd<'a> {
    /// `OK`, and the report if there was one to wait for.
    Done {
        /// What was answered.
        answers: &'a [Answer],
        /// The report; `None` where none was expected, or none can be told for this step's.
        report: Option<&'a Urc>,
    },
    /// The module refused it.
    Refused(&'a FinalResult),
    /// `OK`, but no report in time.
    Unreported {
        /// Whether the module reported that it sent the packet again.
        sent_again: bool,
    },
    /// The link was lost meanwhile.
    LinkLost(LinkStatus),
    /// It could not be seen through: no answer, a reboot, a lost port.
    Broken,
}

/// What comes behind a step.
#[derive(Debug)]
pub enum Next {
    /// Another step.
    Step(Box<Step>),
    /// The end.
    Done(Outcome),
}

/// The steps of an operation, one after the other: what follows may depend on what was answered.
pub struct Plan {
    first: Option<Box<Step>>,
    course: Course,
}

/// How a plan goes on behind its first step.
pub enum Course {
    /// Not at all: what that step's end means.
    Judge(fn(&StepEnd<'_>) -> Outcome),
    /// As a state machine says.
    Follow(Box<dyn Follow>),
}

/// Decides what comes behind a step.
pub trait Follow: fmt::Debug + Send {
    /// What comes behind the step that has ended so.
    fn next(&mut self, end: &StepEnd<'_>) -> Next;
}

impl Plan {
    /// A plan that begins with this step.
    pub fn new(first: Step, course: Course) -> Self {
        Self {
            first: Some(Box::new(first)),
            course,
        }
    }

    /// The first step, once.
    pub fn begin(&mut self) -> Option<Box<Step>> {
        self.first.take()
    }

    /// What comes behind the step that has ended so.
    pub fn next(&mut self, end: &StepEnd<'_>) -> Next {
        match &mut self.course {
            Course::Judge(judge) => Next::Done(judge(end)),
            Course::Follow(course) => course.next(end),
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}

/// A step that has been carried out is what was asked for; else it failed, and nothing is known of
/// what else has come of it.
pub fn done_or_failed(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done { .. } => Outcome::Done,
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}
