use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use atmq_driver::Port;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Model;
use atmq_protocol::mqtt::Urc;
use atmq_protocol::standard::RegistrationChanged;
use rustix::process::Signal as Kill;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};

use super::input::{Input, Typed};
use super::reopen::Reopening;
use super::screen::{Kind, Screen};
use super::slash;
use crate::capture::{Recorded, Recorder};
use crate::dialogue::{Dialogue, Heard, Line, is_success};
use crate::failure::Failure;
use crate::port::PortArguments;
use crate::signals::{stopped, stopped_by};
use crate::terminal::BACK;

/// After so long a silence an unfinished line is shown.
const SILENCE: Duration = Duration::from_secs(1);

/// So many lines are remembered for `/explain`.
const RECENT: usize = 32;

/// What is said instead of sending anything.
pub(super) const LOST: &str =
    "the port is lost; it is opened again once it is back, and /reconnect tries at once";

/// Why a loop ends before the input does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    Quit,
}

/// What happens.
pub(super) enum Event {
    Heard(Heard),
    Typed(Typed),
    /// Ctrl-C, while no line is being typed.
    Interrupted,
    /// A signal has stopped the program.
    Stopped,
    /// The time is over.
    Late,
    /// The port is lost.
    Lost(Failure),
}

/// A person, a module, and what is said between them.
pub(super) struct Session {
    pub(super) ports: Rc<PortArguments>,
    reopening: Reopening,
    /// None while the port is lost.
    pub(super) dialogue: Option<Dialogue<Recorded<Port>>>,
    pub(super) input: Input,
    pub(super) screen: Screen,
    pub(super) mqtt: Arc<AtomicBool>,
    interrupted: Signal,
    /// Resolves when a signal stops the program.
    ending: Pin<Box<dyn Future<Output = ()>>>,
    /// The module, as far as it is known.
    pub(super) model: Model,
    /// The command that was sent last, while lines may answer it.
    pub(super) asked: Option<Vec<u8>>,
    /// What came last, with the command that it may have answered.
    pub(super) recent: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The packet identifier that `/publish` takes next.
    pub(super) message_id: u16,
    /// The unfinished line that has been shown.
    shown_tail: Vec<u8>,
    /// What `/record` has begun.
    pub(super) recorder: Option<Recorder>,
    /// Whether a signal has stopped the program.
    stopped: bool,
}

impl Session {
    pub(super) fn new(
        ports: PortArguments,
        port: Recorded<Port>,
        input: Input,
        screen: Screen,
        mqtt: Arc<AtomicBool>,
        model: Model,
    ) -> Self {
        // To a person Ctrl-C ends a wait; where none types it ends the program.
        let ending: Pin<Box<dyn Future<Output = ()>>> = match input.is_terminal() {
            true => Box::pin(stopped_by(&[Kill::TERM, Kill::HUP])),
            false => Box::pin(stopped()),
        };
        let interrupted = signal(SignalKind::interrupt()).expect("Ctrl-C can be handled");
        let ports = Rc::new(ports);
        Self {
            reopening: Reopening::new(ports.clone()),
            ports,
            dialogue: Some(Dialogue::new(port, model.clone())),
            input,
            screen,
            mqtt,
            interrupted,
            ending,
            model,
            asked: None,
            recent: Vec::new(),
            message_id: 0,
            shown_tail: Vec::new(),
            recorder: None,
            stopped: false,
        }
    }

    /// Talks until the input or the program ends.
    ///
    /// # Errors
    /// The port is lost and nobody is there to open it again, or the input cannot be read.
    pub(super) async fn run(&mut self, detect: bool) -> Result<(), Failure> {
        if self.input.is_terminal() {
            let name = self.ports.name().to_owned();
            self.note(&format!("{name} is open; /help helps, Ctrl-D leaves"))?;
            if detect && self.detect().await? == Flow::Quit {
                return Ok(());
            }
        }
        loop {
            let line = match self.idle().await? {
                Typed::Line(line) => line,
                Typed::Interrupted => continue,
                Typed::End => return Ok(()),
                Typed::Failed(why) => {
                    let kind = crate::failure::FailureKind::Unavailable;
                    return Err(Failure::new(kind, format!("cannot read lines: {why}")));
                }
            };
            if self.execute(line.trim()).await? == Flow::Quit {
                return Ok(());
            }
        }
    }

    /// Waits for a line, and shows what comes meanwhile.
    async fn idle(&mut self) -> Result<Typed, Failure> {
        loop {
            if self.stopped {
                return Ok(Typed::End);
            }
            // It stays on the screen when a lost port comes back, so it says nothing of the port.
            self.input.ask("> ", false).await;
            match self.event(true, None).await {
                Event::Typed(typed) => return Ok(typed),
                Event::Heard(heard) => self.show(heard).map(drop)?,
                Event::Stopped => return Ok(Typed::End),
                Event::Interrupted if !self.input.is_terminal() => return Ok(Typed::End),
                Event::Interrupted | Event::Late => {}
                Event::Lost(failure) => self.lose(failure)?,
            }
        }
    }

    /// What happens next; silence is taken care of. `typing`: a line is being typed.
    pub(super) async fn event(&mut self, typing: bool, deadline: Option<Instant>) -> Event {
        loop {
            let quiet = tokio::select! {
                heard = hear(&mut self.dialogue) => return match heard {
                    Ok(heard) => Event::Heard(heard),
                    Err(failure) => Event::Lost(failure),
                },
                () = &mut self.ending, if !self.stopped => return self.stop(),
                _ = self.interrupted.recv() => {
                    self.input.forget_paste();
                    return Event::Interrupted;
                }
                typed = self.input.next(), if typing => return Event::Typed(typed),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Event::Late;
                }
                () = BACK.notified() => self.note("here again"),
                opened = self.reopening.opened(), if self.dialogue.is_none() => match opened {
                    Ok(port) => self.take(port),
                    Err(failure) => self.note(&failure.to_string()),
                },
                () = sleep(SILENCE) => self.silence(),
            };
            if let Err(failure) = quiet {
                return Event::Lost(failure);
            }
        }
    }

    fn stop(&mut self) -> Event {
        self.stopped = true;
        Event::Stopped
    }

    /// Nothing has happened for a while.
    fn silence(&mut self) -> Result<(), Failure> {
        match &self.dialogue {
            Some(dialogue) => {
                let tail = dialogue.unfinished().trim_ascii();
                // A prompt has no end.
                if tail.is_empty() || tail == b">" || tail == self.shown_tail {
                    return Ok(());
                }
                let tail = tail.to_vec();
                let text = crate::visible::printable(&tail);
                let strange = tail
                    .iter()
                    .filter(|byte| !(b' '..=b'~').contains(*byte))
                    .count();
                let hint = match strange > tail.len() / 4 {
                    true => "; that is no text: is --baud right?",
                    false => "",
                };
                self.shown_tail = tail;
                self.note(&format!("came without a line end: {text}{hint}"))
            }
            None => Ok(()),
        }
    }

    /// Shows a line, and returns it.
    pub(super) fn show(&mut self, heard: Heard) -> Result<Option<Line>, Failure> {
        self.shown_tail.clear();
        let line = match heard {
            Heard::Line(line) => line,
            Heard::Prompt => return Ok(None),
            Heard::Overlong(length) => {
                self.note(&format!(
                    "a line of {length} bytes was too long and is passed over"
                ))?;
                return Ok(None);
            }
        };
        let kind = self.kind(&line);
        self.screen.line(&self.input, kind, &line.bytes)?;
        if kind != Kind::Echo {
            if self.recent.len() == RECENT {
                self.recent.remove(0);
            }
            self.recent.push((line.bytes.clone(), self.asked.clone()));
        }
        Ok(Some(line))
    }

    fn kind(&self, line: &Line) -> Kind {
        let bytes = &line.bytes[..];
        if self.asked.as_deref() == Some(bytes.trim_ascii_end()) {
            return Kind::Echo;
        }
        if RegistrationChanged::decode(bytes).is_some() {
            return Kind::Report;
        }
        match FinalResult::decode(bytes) {
            Some(FinalResult::Ok | FinalResult::Connect(_)) => return Kind::Good,
            Some(_) => return Kind::Bad,
            None => {}
        }
        match line.urc() {
            Some(Urc::Received { .. } | Urc::Buffered { .. }) => Kind::Report,
            Some(Urc::Status { .. }) => Kind::Bad,
            Some(outcome) if is_success(outcome) => Kind::Good,
            Some(_) => Kind::Bad,
            None if self.asked.is_none() => Kind::Report,
            None => Kind::Answer,
        }
    }

    pub(super) fn note(&self, text: &str) -> Result<(), Failure> {
        self.screen.note(&self.input, text)
    }

    /// The port is lost: the end, unless a person can open it again.
    pub(super) fn lose(&mut self, failure: Failure) -> Result<(), Failure> {
        self.dialogue = None;
        self.asked = None;
        self.reopening.begin();
        if !self.input.is_terminal() {
            return Err(failure);
        }
        self.note(&format!("{failure}; it is opened again once it is back"))
    }

    pub(super) async fn reconnect(&mut self) -> Result<(), Failure> {
        // One that is open would be busy.
        self.dialogue = None;
        self.reopening.begin();
        match self.ports.open().await {
            Ok(port) => self.take(port),
            Err(failure) => self.note(&failure.to_string()),
        }
    }

    fn take(&mut self, mut port: Recorded<Port>) -> Result<(), Failure> {
        if self.recorder.is_some() {
            port.record_to(self.recorder.clone());
        }
        self.dialogue = Some(Dialogue::new(port, self.model.clone()));
        let text = format!("{} is open again", self.ports.name());
        self.note(&text)
    }

    /// Does what a line says.
    async fn execute(&mut self, line: &str) -> Result<Flow, Failure> {
        if line.is_empty() {
            return Ok(Flow::Go);
        }
        if !line.starts_with('/') {
            return self.command(line, None).await;
        }
        match slash::parse(line) {
            Ok(slash) => self.slash(slash).await,
            Err(why) => self.note(&why).map(|()| Flow::Go),
        }
    }

    /// Sends a command line.
    pub(super) async fn send_command(&mut self, line: &str) -> Result<(), Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            return self.note(LOST);
        };
        match dialogue.command(line.as_bytes()).await {
            Ok(()) => Ok(()),
            Err(failure) => self.lose(failure),
        }
    }

    /// Sends bytes as they are. What comes of it is shown as it comes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            return self.note(LOST);
        };
        match dialogue.write(bytes).await {
            Ok(()) => Ok(()),
            Err(failure) => self.lose(failure),
        }
    }
}

/// What the module sends next; nothing while the port is lost.
async fn hear(dialogue: &mut Option<Dialogue<Recorded<Port>>>) -> Result<Heard, Failure> {
    match dialogue {
        Some(dialogue) => dialogue.hear().await,
        None => std::future::pending().await,
    }
}
