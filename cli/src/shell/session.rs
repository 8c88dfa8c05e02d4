use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use atmq_driver::Port;
use atmq_protocol::dialect::{Context, Dialect as _};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{ConnectionId, FormatTable, PublishPayload, QoS, Request, Urc};
use atmq_protocol::result_code::FinalResult;
use atmq_protocol::standard::RegistrationChanged;
use regex::bytes::Regex;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};

use super::input::{Input, Typed};
use super::screen::{Kind, Screen};
use super::slash::{self, Slash};
use crate::capture::{Recorded, Recorder};
use crate::dialogue::{DIALECT, Dialogue, Heard, is_success};
use crate::explain::{explain_line, explain_text};
use crate::failure::Failure;
use crate::port::PortArguments;

/// After so long a silence an unfinished line is shown, and a lost port is looked for.
const SILENCE: Duration = Duration::from_secs(1);

/// So many lines are remembered for `/explain`.
const RECENT: usize = 32;

/// The connection of `/publish`.
const CONNECTION: ConnectionId = ConnectionId(0);

/// How long a question to a module that may not be there may take.
const PROBE: Duration = Duration::from_secs(1);

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
    /// The program is told to end.
    Stopped,
    /// The time is over.
    Late,
    /// The port is lost.
    Lost(Failure),
}

/// A person, a module, and what is said between them.
pub(super) struct Session {
    ports: PortArguments,
    /// None while the port is lost.
    pub(super) dialogue: Option<Dialogue<Recorded<Port>>>,
    pub(super) input: Input,
    pub(super) screen: Screen,
    mqtt: Arc<AtomicBool>,
    interrupted: Signal,
    terminated: Signal,
    hung_up: Signal,
    /// The command that was sent last, while lines may answer it.
    pub(super) asked: Option<Vec<u8>>,
    /// What came last, with the command that it may have answered.
    recent: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// The packet identifier that `/publish` takes next.
    message_id: u16,
    /// The unfinished line that has been shown.
    shown_tail: Vec<u8>,
    /// A person has been told that the device is there again.
    told_back: bool,
    /// What `/record` has begun.
    recorder: Option<Recorder>,
    /// The program has been told to end.
    stopped: bool,
}

impl Session {
    pub(super) fn new(
        ports: PortArguments,
        port: Recorded<Port>,
        input: Input,
        screen: Screen,
        mqtt: Arc<AtomicBool>,
    ) -> Self {
        let handler = |kind| signal(kind).expect("signals can be handled");
        Self {
            ports,
            dialogue: Some(Dialogue::new(port)),
            input,
            screen,
            mqtt,
            interrupted: handler(SignalKind::interrupt()),
            terminated: handler(SignalKind::terminate()),
            hung_up: handler(SignalKind::hangup()),
            asked: None,
            recent: Vec::new(),
            message_id: 0,
            shown_tail: Vec::new(),
            told_back: false,
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
            // A paste may have brought several.
            for line in line.split('\n') {
                if self.execute(line.trim()).await? == Flow::Quit {
                    return Ok(());
                }
            }
        }
    }

    /// Waits for a line, and shows what comes meanwhile.
    async fn idle(&mut self) -> Result<Typed, Failure> {
        loop {
            if self.stopped {
                return Ok(Typed::End);
            }
            let prompt = if self.dialogue.is_some() {
                "> "
            } else {
                "(lost) > "
            };
            self.input.ask(prompt, false).await;
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
                _ = self.terminated.recv() => return self.stop(),
                _ = self.hung_up.recv() => return self.stop(),
                _ = self.interrupted.recv() => return Event::Interrupted,
                typed = self.input.next(), if typing => return Event::Typed(typed),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Event::Late;
                }
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
                if tail.is_empty() || tail == self.shown_tail {
                    return Ok(());
                }
                let tail = tail.to_vec();
                let text = super::screen::shown(&tail);
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
            None => {
                let name = self.ports.name();
                if self.told_back || name.starts_with("tcp://") || !Path::new(name).exists() {
                    return Ok(());
                }
                let back = format!("{name} is there again: /reconnect, or Enter, opens it");
                self.told_back = true;
                self.note(&back)
            }
        }
    }

    /// Shows a line, and returns it.
    pub(super) fn show(&mut self, heard: Heard) -> Result<Option<Vec<u8>>, Failure> {
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
        self.screen.line(&self.input, kind, &line)?;
        if kind != Kind::Echo {
            if self.recent.len() == RECENT {
                self.recent.remove(0);
            }
            self.recent.push((line.clone(), self.asked.clone()));
        }
        if line.starts_with(b"^boot.rom")
            && let Some(dialogue) = &mut self.dialogue
        {
            // A module that has started writes payloads as it did in the factory.
            dialogue.formats = FormatTable::default();
        }
        Ok(Some(line))
    }

    fn kind(&self, line: &[u8]) -> Kind {
        if self.asked.as_deref() == Some(line.trim_ascii_end()) {
            return Kind::Echo;
        }
        if RegistrationChanged::decode(line).is_some() {
            return Kind::Report;
        }
        match FinalResult::decode(line) {
            Some(FinalResult::Ok | FinalResult::Connect(_)) => return Kind::Good,
            Some(_) => return Kind::Bad,
            None => {}
        }
        let default = FormatTable::default();
        let formats = self
            .dialogue
            .as_ref()
            .map_or(&default, |dialogue| &dialogue.formats);
        match DIALECT.decode_urc(line, formats) {
            Some(Urc::Received { .. } | Urc::Buffered { .. }) => Kind::Report,
            Some(Urc::Status { .. }) => Kind::Bad,
            Some(outcome) if is_success(&outcome) => Kind::Good,
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
        self.told_back = false;
        if !self.input.is_terminal() {
            return Err(failure);
        }
        self.note(&format!("{failure}; /reconnect opens it again"))
    }

    async fn reconnect(&mut self) -> Result<(), Failure> {
        // One that is open would be busy.
        self.dialogue = None;
        match self.ports.open().await {
            Ok(mut port) => {
                if self.recorder.is_some() {
                    port.record_to(self.recorder.clone());
                }
                self.dialogue = Some(Dialogue::new(port));
                let text = format!("{} is open again", self.ports.name());
                self.note(&text)
            }
            Err(failure) => self.note(&failure.to_string()),
        }
    }

    /// Does what a line says.
    async fn execute(&mut self, line: &str) -> Result<Flow, Failure> {
        if line.is_empty() {
            if self.told_back && self.dialogue.is_none() {
                self.reconnect().await?;
            }
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

    async fn slash(&mut self, slash: Slash) -> Result<Flow, Failure> {
        let switched = |on: bool| if on { "on" } else { "off" };
        match slash {
            Slash::Quit => return Ok(Flow::Quit),
            Slash::Help => self.screen.tell(&self.input, &slash::help())?,
            Slash::Hex => {
                self.screen.hex = !self.screen.hex;
                self.note(&format!(
                    "hexadecimal digits: {}",
                    switched(self.screen.hex)
                ))?;
            }
            Slash::Time => {
                self.screen.times = !self.screen.times;
                self.note(&format!("times: {}", switched(self.screen.times)))?;
            }
            Slash::Echo => {
                self.screen.echo = !self.screen.echo;
                self.note(&format!("echo: {}", switched(self.screen.echo)))?;
            }
            Slash::Send(bytes) => self.send(&bytes).await?,
            Slash::Wait(regex, limit) => return self.wait(&regex, limit).await,
            Slash::Explain(Some(text)) => match explain_text(&text, None) {
                Some(meaning) => self.screen.tell(&self.input, &meaning.lines())?,
                None => self.note("nothing is known of it")?,
            },
            Slash::Explain(None) => self.explain_recent()?,
            Slash::Reconnect => self.reconnect().await?,
            Slash::Record(path) => self.record(path.as_deref())?,
            Slash::Publish {
                topic,
                payload,
                qos,
            } => return self.publish(&topic, &payload, qos).await,
        }
        Ok(Flow::Go)
    }

    /// Sends bytes as they are. What comes of it is shown as it comes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            return self.note("the port is lost; /reconnect opens it again");
        };
        match dialogue.write(bytes).await {
            Ok(()) => Ok(()),
            Err(failure) => self.lose(failure),
        }
    }

    /// Records into a file from now on, or no longer.
    fn record(&mut self, path: Option<&Path>) -> Result<(), Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            return self.note("the port is lost; /reconnect opens it again");
        };
        let recorder = match path.map(|path| self.ports.recorder_to(path)).transpose() {
            Ok(recorder) => recorder,
            Err(failure) => return self.note(&failure.to_string()),
        };
        dialogue.port_mut().record_to(recorder.clone());
        self.recorder = recorder;
        match path {
            Some(path) => self.note(&format!(
                "records into {}, without secrets; /record alone ends it",
                path.display()
            )),
            None => self.note("no longer recording"),
        }
    }

    async fn wait(&mut self, regex: &Regex, limit: Duration) -> Result<Flow, Failure> {
        if self.input.is_terminal() {
            self.note(&format!("waits for {regex}; Ctrl-C ends it"))?;
        }
        let deadline = Instant::now() + limit;
        loop {
            match self.event(false, Some(deadline)).await {
                Event::Heard(heard) => {
                    if self.show(heard)?.is_some_and(|line| regex.is_match(&line)) {
                        return Ok(Flow::Go);
                    }
                }
                Event::Typed(_) => {}
                Event::Interrupted if self.input.is_terminal() => {
                    self.note("no longer waiting")?;
                    return Ok(Flow::Go);
                }
                Event::Interrupted | Event::Stopped => return Ok(Flow::Quit),
                Event::Late => {
                    let seconds = limit.as_secs_f64();
                    self.note(&format!("no line matched within {seconds} s"))?;
                    return Ok(Flow::Go);
                }
                Event::Lost(failure) => {
                    self.lose(failure)?;
                    return Ok(Flow::Go);
                }
            }
        }
    }

    fn explain_recent(&self) -> Result<(), Failure> {
        let Some((_, last)) = self.recent.last() else {
            return self.note("nothing has come yet; /explain TEXT explains a text");
        };
        // All lines that came for the last command, or the last line alone.
        let from = match last {
            Some(_) => self
                .recent
                .iter()
                .rposition(|(_, asked)| asked != last)
                .map_or(0, |at| at + 1),
            None => self.recent.len() - 1,
        };
        let mut lines = Vec::new();
        for (line, asked) in &self.recent[from..] {
            lines.push(super::screen::shown(line));
            match explain_line(line, asked.as_deref()) {
                Some(meaning) => lines.extend(meaning.lines().iter().map(|l| format!("  {l}"))),
                None => lines.push("  nothing is known of it".to_owned()),
            }
        }
        self.screen.tell(&self.input, &lines)
    }

    async fn publish(&mut self, topic: &str, payload: &[u8], qos: QoS) -> Result<Flow, Failure> {
        let Some(dialogue) = &self.dialogue else {
            self.note("the port is lost; /reconnect opens it again")?;
            return Ok(Flow::Go);
        };
        let limits = &Limits::NT26;
        let formats = dialogue.formats.clone();
        let format = formats[CONNECTION];
        let message_id = match qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.message_id % u16::MAX + 1,
        };
        let mut line = Vec::new();
        let way = DIALECT.publish_payload(format, limits, payload.into());
        let prompted = matches!(way, Ok(PublishPayload::Prompted(_)));
        let encoded = way.and_then(|payload| {
            let request = Request::Publish {
                connection: CONNECTION,
                message_id,
                qos,
                retain: false,
                topic: topic.into(),
                payload,
            };
            let context = Context {
                limits,
                formats: &formats,
            };
            DIALECT.encode_request(&request, context, &mut line)
        });
        if let Err(error) = encoded {
            self.note(&error.to_string())?;
            return Ok(Flow::Go);
        }
        if message_id != 0 {
            self.message_id = message_id;
        }
        let data = prompted.then(|| format.send.encode(payload.into()).into_owned());
        let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        self.note(&format!("sends {line}"))?;
        self.command(&line, data).await
    }

    /// Asks the module what it is, and whether it has the MQTT commands.
    async fn detect(&mut self) -> Result<Flow, Failure> {
        let Some(_) = self.probe("AT").await? else {
            self.note(
                "the module does not answer: check power, cable and --baud; it may be asleep",
            )?;
            return Ok(Flow::Go);
        };
        let model = self.probe("AT+CGMM").await?.unwrap_or_default();
        let model = model.iter().find(|line| !line.starts_with("AT"));
        let model = model.map_or("a module", String::as_str).to_owned();
        let settings = self.probe("AT+LMQTTCFG=?").await?.unwrap_or_default();
        let mqtt = settings.iter().any(|line| line.starts_with("+LMQTTCFG"));
        self.mqtt.store(mqtt, Ordering::Relaxed);
        match mqtt {
            true => self.note(&format!("{model}, with {} commands", DIALECT.name()))?,
            false => self.note(&format!(
                "{model}, without MQTT commands that are known here"
            ))?,
        }
        Ok(Flow::Go)
    }

    /// The lines that answer a question; `None` if it is not answered in time. What else comes is
    /// shown.
    async fn probe(&mut self, command: &str) -> Result<Option<Vec<String>>, Failure> {
        self.send(format!("{command}\r").as_bytes()).await?;
        let deadline = Instant::now() + PROBE;
        let mut lines = Vec::new();
        loop {
            match self.event(false, Some(deadline)).await {
                Event::Heard(Heard::Line(line)) => {
                    if FinalResult::decode(&line).is_some() {
                        return Ok(Some(lines));
                    }
                    let reports = line.starts_with(b"+") && !line.starts_with(b"+LMQTTCFG: \"");
                    if reports {
                        self.show(Heard::Line(line))?;
                    } else {
                        lines.push(super::screen::shown(&line));
                    }
                }
                Event::Heard(other) => self.show(other).map(drop)?,
                Event::Lost(failure) => {
                    self.lose(failure)?;
                    return Ok(None);
                }
                Event::Typed(_) => {}
                Event::Interrupted | Event::Stopped | Event::Late => return Ok(None),
            }
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
