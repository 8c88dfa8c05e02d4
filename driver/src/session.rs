//! The conversation with one module, without port, clock or task.
//!
//! A [`Session`] is a plain struct. Bytes from the module go into [`receive`](Session::receive),
//! commands into [`request`](Session::request), such as the steps of a
//! [`plan`](Session::plan), the passing of time into
//! [`handle_timeout`](Session::handle_timeout). After each of them, take what comes out until
//! there is nothing left: bytes to write from [`poll_transmit`](Session::poll_transmit), what
//! has happened from [`poll_event`](Session::poll_event); then wait until bytes come or until
//! [`poll_timeout`](Session::poll_timeout). Any way of cutting the received bytes into pieces
//! gives the same events.
//!
//! ```
//! use std::time::Instant;
//!
//! use atmq_driver::session::{Command, Event, Session};
//! use atmq_protocol::dialect;
//! use atmq_protocol::standard::StandardRequest;
//!
//! let now = Instant::now();
//! let mut session = Session::new(&dialect::UNKNOWN);
//! session.request(Command::Standard(StandardRequest::SignalQuality), None, now)?;
//! assert_eq!(session.poll_transmit().unwrap().bytes, b"AT+CSQ\r");
//! session.receive(b"\r\n+CSQ: 29,0\r\n\r\nOK\r\n", now);
//! assert!(matches!(session.poll_event(), Some(Event::Completed(Ok(_)))));
//! # Ok::<(), atmq_driver::RequestError>(())
//! ```
//!
//! # Whose answer is it?
//!
//! `OK` carries no identity, so one exchange has the line at a time. It has it until its final
//! result code; where the command has a result URC, the exchange waits for that beside the line,
//! while others have it. Commands about the same connection wait for it
//! ([`takes`](Session::takes)), so that no two exchanges can be meant by one URC. Which exchange
//! has ended [`ended`](Session::ended) tells.
//!
//! What comes is shown to the exchange that has the line first: its echo, a final result code, its
//! information response; a result URC goes to the oldest exchange that waits for it. Then it is
//! read as a URC, then as a boot banner, and else reported as unrecognised. While no exchange has
//! the line, nothing is a final result code.
//!
//! The order differs in one point from what one would expect: a final result code is recognised
//! before an information response, because the answers to `AT+CGMM` and its like are free text,
//! and `OK` would be a model.
//!
//! # Fences
//!
//! When an exchange is given up while its final result code is still owed, that code may come at
//! any time, and would end the next exchange in its place. So the session puts up a *fence*:
//! nothing of a caller is sent until what is owed has come or can no longer come.
//!
//! - The fence is down when as many final result codes have come as were owed.
//! - Else, after a short silence, the session sends a probe, `AT+CMEE?`. A module works through
//!   its commands in order and `+CMEE: <n>` answers nothing else, so the `OK` behind that line is
//!   the probe's, and nothing older can follow it. A probe that is answered later still, after
//!   another one brought the fence down, is recognised by the same line, and dropped with its
//!   `OK`.
//! - If the prompt did not come, or the data behind it was not answered, the module may be
//!   waiting for data, and every byte of a probe would be published. It gives up after 30 s
//!   without a byte (inferred); so the session sends nothing for 35 s.
//!   Then it sends `AT`, once for each command that waits, as long as all of it stays shorter
//!   than the data that may be missing: a module that waits in spite of that is not to publish
//!   what no caller gave it. Any answer proves that it takes commands, and the probe follows. A
//!   prompt that comes late starts the 35 s anew. Where Escape leaves the prompt, it is sent
//!   instead.
//! - A module of which nobody knows what it was sent before is in the same state, of unknown
//!   length: it is sent `AT` once, and probes when that is answered or the 35 s are over.
//! - A module that answers two probes in a row with one final result code each has no better
//!   answer.
//! - If a probe is not answered and the line is quiet, an incomplete line may have swallowed the
//!   answer: a payload that was cut short takes what follows for its rest. It is dropped before
//!   the next probe.
//! - The same is done when the line has been quiet for 10 s in the middle of a counted payload.
//!   What is dropped is searched for what a module prints when it starts: a module that reboots
//!   in the middle of a message would else go unnoticed.
//! - Four probes within 15 s without an answer are enough: a command that waits fails with
//!   [`Unresponsive`](crate::ExchangeError::Unresponsive). The fence stays; the next command
//!   starts over.
//!
//! After an error there is a pause of 30 ms, because some firmware answers `+CME ERROR` and
//! `ERROR` to the same command.

mod channel;
mod command;
mod event;
mod fence;
mod pending;
#[cfg(test)]
mod tests;
mod unread;
mod wire;

use std::fmt;
use std::time::{Duration, Instant};

use atmq_protocol::at::framing::{Frame, MESSAGE_GAP, ResponseReader};
use atmq_protocol::dialect::{Model, Plan, Step};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, Operation};

use crate::counters::Counters;
use crate::error::RequestError;

use channel::{Awaited, Channel};
pub(crate) use channel::{PROMPT_MARGIN, is_loss};
pub use command::{Command, ExchangeId, RawCommand};
pub(crate) use event::redact;
pub use event::{Answer, Event, Response, Transmit};

/// The longest line that is kept, in bytes. Ours: no module is known to report more than 8000
/// bytes of payload, which are 16000 hexadecimal digits.
const MAX_LINE: usize = 64 * 1024;

/// Silence in the middle of a counted payload after which its rest is not waited for. Ours: on a
/// line of 1200 Bd a byte takes 8 ms.
const CUT_SHORT: Duration = Duration::from_secs(10);

/// One conversation with one module. See the [module](self) for how to drive it.
pub struct Session {
    reader: ResponseReader,
    channel: Channel,
    ended: Option<ExchangeId>,
}

impl Session {
    /// A session with a module that has nothing left to answer.
    pub fn new(model: &Model) -> Self {
        Self {
            reader: ResponseReader::new(MAX_LINE),
            channel: Channel::new(model),
            ended: None,
        }
    }

    /// Puts up the fence, because nobody knows what the module still owes. The exchange that has
    /// the line fails; those that wait for a report still do. `unknown`: if the module has answered nothing yet, another program may have used it,
    /// and left it waiting for data.
    pub fn synchronise(&mut self, unknown: bool, now: Instant) {
        let at_prompt = self.is_at_prompt();
        self.channel.synchronise(unknown, at_prompt, now);
    }

    /// The module waits for no data of another program: it has answered, or has had the time to
    /// give up.
    pub fn takes_commands(&mut self) {
        self.channel.takes_commands();
    }

    /// Nothing of what is under way will be answered any more: the port was lost, or the module
    /// is reset. An exchange in progress, or one that waits, ends without an
    /// [`Event::Completed`], and the fence goes up.
    pub fn interrupt(&mut self, now: Instant) {
        self.channel.interrupt(now);
        self.reader.abandon();
        self.follow_prompt();
    }

    /// How many bytes the module may be waiting for, if a command of so many bytes could complete
    /// them: it is not to be [forced](Self::force) then.
    pub fn awaits_data(&self, length: usize) -> Option<usize> {
        self.channel.awaits_data(length)
    }

    /// As [`interrupt`](Self::interrupt), but without a fence: what is asked for next is sent at
    /// once, `length` bytes. For a module that answers nothing, and is to be reset all the same; 0
    /// if it just was.
    pub fn force(&mut self, length: usize, now: Instant) {
        self.channel.interrupt(now);
        self.channel.force(length, now);
        self.reader.abandon();
        self.follow_prompt();
    }

    /// The module turns out to be of this model. What it was told so far stays known, unless it
    /// speaks another language than was thought.
    pub fn set_model(&mut self, model: &Model) {
        self.channel.wire.set_model(model);
    }

    /// What the module accepts.
    pub fn limits(&self) -> &Limits {
        &self.channel.wire.limits
    }

    /// Whether [`Event::Line`] is wanted. At the beginning it is not.
    pub fn report_lines(&mut self, on: bool) {
        self.channel.report_lines = on;
    }

    /// Whether [`Event::Unrecognised`] is wanted; each keeps a copy of its line. At the beginning
    /// it is. Such lines are counted in any case.
    pub fn report_unrecognised(&mut self, on: bool) {
        self.channel.report_unrecognised = on;
    }

    /// Whether an exchange can be asked for. It can be while a fence is up; then it waits.
    pub fn is_ready(&self) -> bool {
        self.channel.is_ready()
    }

    /// Whether no report that is still to come keeps a command back: there is none about the same
    /// connection, nor one that its answer could be taken for. A command that is asked for all the
    /// same waits for it, and all others behind it.
    pub fn takes(&self, command: &Command) -> bool {
        self.channel.takes(command)
    }

    /// The same for a step.
    pub(crate) fn takes_step(&self, step: &Step) -> bool {
        self.channel.takes_step(step)
    }

    /// Whether a report about the connection is still to come.
    pub(crate) fn awaits_report(&self, connection: ConnectionId) -> bool {
        self.channel.awaits_report(connection)
    }

    /// Whether answers of the module are awaited, so that its bytes must be read.
    pub fn is_listening(&self) -> bool {
        self.channel.is_listening()
    }

    /// The steps of an operation, in the language of the module. Each is sent by
    /// [`Command::Step`]; who follows the plan decides what comes behind it.
    ///
    /// # Errors
    /// The module does not take it, or no command can carry it. Nothing is sent.
    pub fn plan(&mut self, operation: Operation) -> Result<Plan, RequestError> {
        self.channel.wire.plan(operation)
    }

    /// Starts an exchange, which ends with [`Event::Completed`]. Its time limit is the manual's
    /// unless `limit` is given, and counts from when the command is sent.
    ///
    /// # Errors
    /// The command cannot be written, or another exchange has the line. Nothing is sent then.
    pub fn request(
        &mut self,
        command: Command,
        limit: Option<Duration>,
        now: Instant,
    ) -> Result<ExchangeId, RequestError> {
        let id = self.channel.request(command, limit, now)?;
        self.follow_prompt();
        Ok(id)
    }

    /// Whether a message of a connection that is `wanted` waits in the module's cache, or may.
    pub fn has_unread(&self, wanted: impl Fn(ConnectionId) -> bool) -> bool {
        self.channel.has_unread(wanted)
    }

    /// Takes the next message out of the module's cache, for a connection that is `wanted`, in an
    /// exchange of the session's own: it can be begun when others can ([`is_ready`](Self::is_ready)),
    /// and ends with [`Urc::Received`](atmq_protocol::mqtt::Urc::Received) in an [`Event::Urc`]
    /// instead of [`Event::Completed`]. `false` if nothing is to be read.
    ///
    /// The session knows what to read in cached mode: from `Urc::Buffered`, and when a connection
    /// is made, by asking.
    pub fn read_unread(&mut self, wanted: impl Fn(ConnectionId) -> bool, now: Instant) -> bool {
        let begun = self.channel.read_unread(wanted, now);
        self.follow_prompt();
        begun
    }

    /// Whether messages of a connection wait in the module until they are read.
    pub fn is_cached(&self, connection: ConnectionId) -> bool {
        self.channel.is_cached(connection)
    }

    /// Takes in bytes as they come from the module.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.channel.count_received(bytes.len(), now);
        self.reader.push(bytes);
        self.read(now);
    }

    fn read(&mut self, now: Instant) {
        loop {
            let host = &self.channel.wire.host;
            let extent = |line: &[u8]| host.extent(line);
            let Some(frame) = self.reader.next(extent) else {
                break;
            };
            match frame {
                Frame::Line(line) => self.channel.line(line, now),
                Frame::Message { line, deviation } => self.channel.message(line, deviation, now),
                Frame::Lost { bytes, ambiguous } => self.channel.lost(bytes, ambiguous, now),
                Frame::Torn(line) => self.channel.torn(line, now),
                Frame::Prompt => self.channel.prompt(now),
                Frame::Overlong { length } => self.channel.overlong(length),
            }
            self.follow_prompt();
        }
    }

    /// Tells that time has passed, at the latest when [`poll_timeout`](Self::poll_timeout) said.
    pub fn handle_timeout(&mut self, now: Instant) {
        // An answer that was held has come in time.
        if self.settles_at().is_some_and(|at| at <= now) {
            self.reader.settle();
            self.read(now);
        }
        let at_prompt = self.is_at_prompt();
        self.channel.handle_timeout(at_prompt, now);
        let cut_short = self.stalls_at().is_some_and(|at| at <= now);
        if self.channel.is_stalled() || cut_short {
            self.channel.search(self.reader.incomplete(), now);
            self.channel.abandoned(self.reader.abandon());
        }
        self.follow_prompt();
    }

    /// Tells that the port is not read from now on, or read again. Meanwhile the silence of the
    /// module means nothing.
    pub fn hold_back(&mut self, held: bool, now: Instant) {
        self.channel.hold_back(held, now);
    }

    /// Whether the module has sent what would be a prompt, were one expected.
    fn is_at_prompt(&self) -> bool {
        self.reader.incomplete().starts_with(b">")
    }

    /// When the rest of a counted payload is no longer waited for.
    fn stalls_at(&self) -> Option<Instant> {
        let since = self.channel.quiet_since()?;
        self.reader.is_counting().then(|| since + CUT_SHORT)
    }

    /// When what has come of a message is all of it.
    fn settles_at(&self) -> Option<Instant> {
        let since = self.channel.quiet_since()?;
        self.reader.is_held().then(|| since + MESSAGE_GAP)
    }

    /// The next bytes to write to the port.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.channel.transmit.pop_front()
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.channel.events.pop_front()?;
        if let Event::Completed(_) = event {
            self.ended = self.channel.ended.pop_front();
        }
        Some(event)
    }

    /// Which exchange the last [`Event::Completed`] is about that was polled; `None` before the
    /// first.
    pub fn ended(&self) -> Option<ExchangeId> {
        self.ended
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadlines = [self.channel.deadline(), self.stalls_at(), self.settles_at()];
        deadlines.into_iter().flatten().min()
    }

    /// What has been counted so far.
    pub fn counters(&self) -> &Counters {
        &self.channel.counters
    }

    /// A `>` is a prompt only while one is awaited.
    fn follow_prompt(&mut self) {
        match self.channel.prompt_awaited() {
            Some(Awaited::Anew(sign)) => self.reader.expect_prompt(sign),
            Some(Awaited::Still) => self.reader.still_expect_prompt(),
            Some(Awaited::Not) => self.reader.forget_prompt(),
            None => {}
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}
