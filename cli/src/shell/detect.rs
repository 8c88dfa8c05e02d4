//! What kind of module is at the other end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{ALL, UNKNOWN, any_model, of_model};
use tokio::time::Instant;

use super::session::{Event, Flow, Session};
use crate::dialect::Listener;
use crate::dialogue::Heard;
use crate::failure::Failure;
use crate::visible::printable;

/// How long a question to a module that may not be there may take.
const PROBE: Duration = Duration::from_secs(1);

impl Session {
    /// Asks the module what it is, and whether it has the MQTT commands.
    pub(super) async fn detect(&mut self) -> Result<Flow, Failure> {
        let Some(_) = self.probe("AT").await? else {
            self.note(
                "the module does not answer AT: check power, cable and --baud; it may be asleep, or \
                 waiting for data that an earlier program announced, which takes it 30 s to give up",
            )?;
            return Ok(Flow::Go);
        };
        let model = self.probe("AT+CGMM").await?.unwrap_or_default();
        let model = model.iter().find(|line| !line.starts_with("AT"));
        let model = model.map_or("a module", String::as_str).to_owned();
        let known = of_model(&model);
        let candidates = match &known {
            Some(known) => vec![known.dialect],
            None => ALL.to_vec(),
        };
        self.model = known.unwrap_or(UNKNOWN);
        let mut mqtt = false;
        for dialect in candidates {
            let question = dialect.recognised_by();
            let answers = self.probe(question).await?.unwrap_or_default();
            mqtt = answers.iter().any(|line| is_answer(line, question));
            if mqtt {
                if !std::ptr::eq(dialect, self.model.dialect) {
                    self.model = any_model(dialect);
                }
                break;
            }
        }
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.listener = Listener::new(self.model.clone());
        }
        let dialect = self.model.dialect;
        self.mqtt.store(mqtt, Ordering::Relaxed);
        match mqtt {
            true => self.note(&format!("{model}, with {} commands", dialect.name()))?,
            false => self.note(&format!(
                "{model}, without MQTT commands that are known here"
            ))?,
        }
        Ok(Flow::Go)
    }

    /// The lines that answer a question; `None` if it is not answered in time. What else comes is
    /// shown.
    async fn probe(&mut self, command: &str) -> Result<Option<Vec<String>>, Failure> {
        self.send_command(command).await?;
        let deadline = Instant::now() + PROBE;
        let mut lines = Vec::new();
        loop {
            match self.event(false, Some(deadline)).await {
                Event::Heard(Heard::Line(line)) => {
                    if FinalResult::decode(&line.bytes).is_some() {
                        return Ok(Some(lines));
                    }
                    let shown = printable(&line.bytes);
                    if shown.starts_with('+') && !is_answer(&shown, command) {
                        self.show(Heard::Line(line))?;
                    } else {
                        lines.push(shown);
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

/// Whether a line answers a test command by its name.
fn is_answer(line: &str, command: &str) -> bool {
    let name = command.strip_prefix("AT").unwrap_or(command);
    let rest = line.strip_prefix(name.trim_end_matches("=?"));
    rest.is_some_and(|rest| rest.starts_with(':'))
}
