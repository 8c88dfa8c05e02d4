//! Does what the shell's own commands say.

use std::path::Path;
use std::time::Duration;

use atmq_protocol::dialect::Step;
use atmq_protocol::mqtt::{ConnectionId, Operation, Publish, QoS};
use regex::bytes::Regex;
use tokio::time::Instant;

use super::session::{Event, Flow, LOST, Session};
use super::slash::{self, Slash};
use crate::explain::{explain_line, explain_text};
use crate::failure::Failure;
use crate::visible::printable;

/// The connection of `/publish`.
const CONNECTION: ConnectionId = ConnectionId(0);

impl Session {
    /// Does what a command of the shell says.
    pub(super) async fn slash(&mut self, slash: Slash) -> Result<Flow, Failure> {
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

    /// Records into a file from now on, or no longer.
    fn record(&mut self, path: Option<&Path>) -> Result<(), Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            return self.note(LOST);
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

    /// Waits until a line matches.
    async fn wait(&mut self, regex: &Regex, limit: Duration) -> Result<Flow, Failure> {
        if self.input.is_terminal() {
            self.note(&format!("waits for {regex}; Ctrl-C ends it"))?;
        }
        let deadline = Instant::now() + limit;
        loop {
            match self.event(false, Some(deadline)).await {
                Event::Heard(heard) => {
                    if self
                        .show(heard)?
                        .is_some_and(|line| regex.is_match(&line.bytes))
                    {
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

    /// Explains what came last.
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
            lines.push(printable(line));
            match explain_line(line, asked.as_deref()) {
                Some(meaning) => lines.extend(meaning.lines().iter().map(|l| format!("  {l}"))),
                None => lines.push("  nothing is known of it".to_owned()),
            }
        }
        self.screen.tell(&self.input, &lines)
    }

    /// Publishes, inline or behind the prompt, as the payload needs it.
    async fn publish(&mut self, topic: &str, payload: &[u8], qos: QoS) -> Result<Flow, Failure> {
        let Some(dialogue) = &mut self.dialogue else {
            self.note(LOST)?;
            return Ok(Flow::Go);
        };
        let message_id = match qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce | QoS::ExactlyOnce => self.message_id % u16::MAX + 1,
        };
        let plan = dialogue.listener.perform(Operation::Publish(Publish {
            connection: CONNECTION,
            message_id,
            qos,
            retain: false,
            topic: topic.to_owned(),
            payload: payload.to_vec(),
        }));
        let step = match plan {
            Ok(mut plan) => plan.begin().expect("a plan has a first step"),
            Err(error) => {
                self.note(&error.to_string())?;
                return Ok(Flow::Go);
            }
        };
        if message_id != 0 {
            self.message_id = message_id;
        }
        let Step { line, data, .. } = *step;
        let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        self.note(&format!("sends {line}"))?;
        self.command(&line, data.map(|data| data.bytes)).await
    }
}
