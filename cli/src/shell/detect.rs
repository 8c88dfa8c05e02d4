//! What kind of module is at the other end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Dialect as _;
use tokio::time::Instant;

use super::session::{Event, Flow, Session};
use crate::dialogue::{DIALECT, Heard};
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
        let settings = self.probe("AT+LMQTTCFG=?").await?.unwrap_or_default();
        let mqtt = settings.iter().any(|line| line.starts_with("+LMQTTCFG"));
        self.limits = atmq_protocol::dialect::of_model(&model).limits;
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
                        lines.push(printable(&line));
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
