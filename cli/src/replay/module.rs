//! Plays the module's side to a host.

use std::time::Duration;

use atmq_emulator::Port;
use atmq_protocol::at::framing::{CommandReader, DataEnd, Input};
use atmq_protocol::dialect::Ask;
use atmq_protocol::redact::HIDDEN;
use tokio::time::{sleep, timeout};

use super::compare::Comparison;
use super::script::{Said, Script, Step};
use crate::capture::Kind;
use crate::dialect::{LINE_LIMIT, Listener, data_behind};
use crate::failure::{Failure, FailureKind};

/// How far ahead in the capture a command is looked for that is not the next one.
const AHEAD: usize = 32;

/// How long it is watched for more commands behind the last answer.
const BEHIND: Duration = Duration::from_secs(1);

/// What a command that the capture does not have is answered.
const NOT_RECORDED: &[u8] = b"\r\nERROR\r\n";

pub(super) struct Player<P> {
    port: P,
    reader: CommandReader,
    listener: Listener,
    comparison: Comparison,
    /// What times of the capture are divided by; `None` takes no time at all.
    speed: Option<f64>,
    /// A command as it was recorded and as it came, if they differ: its echo is the one that came.
    echo: Option<(Vec<u8>, Vec<u8>)>,
    /// How the last command has the module ask for data.
    ask: Option<Ask>,
    /// The host has said all that the capture holds.
    complete: bool,
}

impl<P: Port> Player<P> {
    pub(super) fn new(port: P, comparison: Comparison, speed: Option<f64>) -> Self {
        Self {
            port,
            reader: CommandReader::new(LINE_LIMIT),
            listener: Listener::of_others(),
            comparison,
            speed,
            echo: None,
            ask: None,
            complete: false,
        }
    }

    /// Plays the script to its end.
    pub(super) async fn play(&mut self, script: &Script) -> Result<(), Failure> {
        let steps = &script.steps;
        let mut place = 0;
        let mut before = Duration::ZERO;
        while let Some(step) = steps.get(place) {
            match step {
                Step::Module { at, bytes } => {
                    if let Some(speed) = self.speed {
                        sleep(at.saturating_sub(before).div_f64(speed)).await;
                    }
                    let bytes = self.with_echo(bytes);
                    self.write(&bytes).await?;
                    place += 1;
                }
                Step::Host(expected) => match self.host(expected, steps, place).await? {
                    Some(next) => place = next,
                    None => continue,
                },
            }
            before = step.at();
        }
        self.complete = true;
        self.watch(before).await
    }

    /// How the comparison ended, or that it was stopped before.
    pub(super) fn end(&self) -> Result<(), Failure> {
        if !self.complete {
            let what = "stopped before the host had said all that the capture holds";
            return Err(Failure::new(FailureKind::Stopped, what));
        }
        self.comparison.end()
    }

    /// Waits for the host, and compares. Returns the place behind what it said; `None` if that is
    /// not in the capture.
    async fn host(
        &mut self,
        expected: &Said,
        steps: &[Step],
        place: usize,
    ) -> Result<Option<usize>, Failure> {
        if expected.kind == Kind::Data {
            let data = self.ask.take().as_ref().and_then(data_behind);
            let (length, end) = data.unwrap_or((expected.bytes.len(), DataEnd::Length));
            self.reader.expect_data(Some(length), end);
        }
        let (kind, got) = self.said().await?;
        if kind == Kind::Command {
            self.ask = self.listener.command(&got).and_then(|command| command.ask);
        }
        self.echo = None;
        if kind == expected.kind && self.comparison.alike(&expected.bytes, &got) {
            if expected.bytes != got {
                self.echo = Some((expected.bytes.clone(), got));
            }
            self.comparison.found_alike();
            return Ok(Some(place + 1));
        }
        if let Some(later) = self.later(kind, &got, steps, place) {
            for step in &steps[place..later] {
                if let Step::Host(said) = step {
                    self.comparison.missing(said.at, &said.bytes)?;
                }
            }
            self.comparison.found_alike();
            return Ok(Some(later + 1));
        }
        if kind == expected.kind && name(&expected.bytes) == name(&got) {
            self.comparison.found(expected.at, &expected.bytes, &got)?;
            self.echo = Some((expected.bytes.clone(), got));
            return Ok(Some(place + 1));
        }
        self.comparison.extra(expected.at, &got)?;
        if kind == Kind::Command {
            self.write(NOT_RECORDED).await?;
        }
        Ok(None)
    }

    /// Where else in the capture the host says this.
    fn later(&self, kind: Kind, got: &[u8], steps: &[Step], place: usize) -> Option<usize> {
        let rest = steps.iter().enumerate().skip(place + 1);
        let host = rest.filter_map(|(place, step)| match step {
            Step::Host(said) => Some((place, said)),
            Step::Module { .. } => None,
        });
        let mut near = host.take(AHEAD);
        let found =
            near.find(|(_, said)| said.kind == kind && self.comparison.alike(&said.bytes, got));
        found.map(|(place, _)| place)
    }

    /// The next thing that the host says.
    async fn said(&mut self) -> Result<(Kind, Vec<u8>), Failure> {
        loop {
            match self.reader.next(&mut Vec::new()) {
                Some(Input::Command(body)) => return Ok((Kind::Command, [b"AT", body].concat())),
                Some(Input::Repeat) => return Ok((Kind::Command, b"A/".to_vec())),
                Some(Input::Data(data)) => return Ok((Kind::Data, data.to_vec())),
                Some(Input::Noise(line)) => return Ok((Kind::Unknown, line.to_vec())),
                Some(Input::Cancelled) => return Ok((Kind::Unknown, vec![0x1b])),
                Some(Input::Overlong { length }) => {
                    let line = format!("({length} bytes without a line end)");
                    return Ok((Kind::Unknown, line.into_bytes()));
                }
                None => {}
            }
            let mut piece = [0; 1024];
            match self.port.read(&mut piece).await {
                Ok(0) => return Err(abandoned()),
                Ok(length) => self.reader.push(&piece[..length]),
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    /// What the host says behind the end of the capture is too much.
    async fn watch(&mut self, at: Duration) -> Result<(), Failure> {
        while let Ok(said) = timeout(BEHIND, self.said()).await {
            match said {
                Ok((_, got)) => {
                    self.comparison.extra(at, &got)?;
                    self.write(NOT_RECORDED).await?;
                }
                // It has gone, as it may.
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn with_echo(&self, bytes: &[u8]) -> Vec<u8> {
        let Some((recorded, came)) = &self.echo else {
            return bytes.to_vec();
        };
        let at = bytes
            .windows(recorded.len().max(1))
            .position(|window| window == recorded);
        match at {
            Some(at) => [&bytes[..at], came, &bytes[at + recorded.len()..]].concat(),
            None => bytes.to_vec(),
        }
    }

    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let written = self
                .port
                .write(bytes)
                .await
                .map_err(|error| failed(&error))?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

fn abandoned() -> Failure {
    let what = "ended before the host had said all that the capture holds";
    Failure::new(FailureKind::Refused, what)
}

/// The command without its parameters.
fn name(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| matches!(byte, b'=' | b'?'));
    let line = &line[..end.unwrap_or(line.len())];
    line.strip_suffix(HIDDEN).unwrap_or(line)
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("the host's port failed: {error}"),
    )
}
