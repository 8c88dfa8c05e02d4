//! A command, its data, and what comes of it.

use std::time::Duration;

use atmq_protocol::at::result_code::FinalResult;
use tokio::time::Instant;

use super::input::Typed;
use super::session::{Event, Flow, LOST, Session};
use crate::at::step::Step;
use crate::data::data;
use crate::dialogue::Line;
use crate::failure::Failure;
use crate::grammar::is_redacted;

/// How long a command may take of which nothing is known: a search for networks takes minutes.
const UNKNOWN: Duration = Duration::from_secs(180);

/// The longest line that is sent. Modules take a few kilobytes.
const LINE_LIMIT: usize = 16 * 1024;

/// So much longer than a module waits for data it is waited for the module. Ours.
const BEHIND: Duration = Duration::from_secs(5);

/// How far an exchange is.
struct Waits {
    answered: bool,
    reported: bool,
    deadline: Instant,
}

impl Session {
    /// Sends a line and waits for what it brings: its final result code, its outcome, its data.
    /// `given` is the data, if it is known; else it is asked for.
    pub(super) async fn command(
        &mut self,
        line: &str,
        mut given: Option<Vec<u8>>,
    ) -> Result<Flow, Failure> {
        if let Some(why) = self.refusal(line) {
            self.note(&why)?;
            return Ok(Flow::Go);
        }
        let Some(dialogue) = &mut self.dialogue else {
            self.note(LOST)?;
            return Ok(Flow::Go);
        };
        // What is no command is sent as it is; it may be answered or not.
        let mut step = Step::new(line).ok();
        let announced = step
            .as_mut()
            .and_then(|step| step.read(&mut dialogue.listener));
        let known = step.as_ref().is_some_and(|step| step.known);
        let limit = match &step {
            Some(step) if known => step.limit,
            Some(_) => UNKNOWN,
            None => Duration::ZERO,
        };
        if announced.is_some() || step.as_ref().is_none_or(Step::may_prompt) {
            let sign = step.as_ref().and_then(|step| step.prompt.sign());
            dialogue.expect_prompt(sign.unwrap_or(b">"));
        }
        self.asked = Some(line.as_bytes().to_vec());
        self.send_command(line).await?;
        let mut waits = Waits {
            answered: step.is_none(),
            reported: step.as_ref().is_none_or(|step| step.report.is_none()),
            deadline: Instant::now() + limit,
        };
        let mut flow = Flow::Go;
        while self.dialogue.is_some() && !(waits.answered && waits.reported) {
            match self.event(false, Some(waits.deadline)).await {
                Event::Heard(heard) => {
                    let prompted = heard == crate::dialogue::Heard::Prompt;
                    let shown = self.show(heard)?;
                    let ready = match &shown {
                        Some(line) => self.judge(line, step.as_ref(), &mut waits, announced),
                        None => prompted,
                    };
                    if ready {
                        flow = self.data(announced, given.take(), &mut waits).await?;
                        if flow == Flow::Quit {
                            break;
                        }
                    }
                }
                Event::Interrupted if self.input.is_terminal() => {
                    self.note("no longer waiting; what still comes is shown")?;
                    break;
                }
                Event::Interrupted | Event::Stopped => {
                    flow = Flow::Quit;
                    break;
                }
                Event::Late => {
                    let missing = match waits.answered {
                        true => "did not report what came of it",
                        false => "did not answer",
                    };
                    let seconds = limit.as_secs();
                    self.note(&format!("the module {missing} within {seconds} s"))?;
                    break;
                }
                Event::Lost(failure) => self.lose(failure)?,
                Event::Typed(_) => {}
            }
        }
        self.asked = None;
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.forget_prompt();
        }
        Ok(flow)
    }

    /// Why a line is not sent.
    fn refusal(&self, line: &str) -> Option<String> {
        if is_redacted(line) {
            return Some("the history does not keep secrets: type it in place of ***".to_owned());
        }
        if line.len() > LINE_LIMIT {
            let length = line.len();
            return Some(format!(
                "the line has {length} bytes, the limit is {LINE_LIMIT}; nothing was sent"
            ));
        }
        let control = line.bytes().find(u8::is_ascii_control)?;
        Some(format!(
            "the line holds the control character {control:#04x}; nothing was sent. /hex sends bytes"
        ))
    }

    /// What a line means for the command that waits. Whether the module is ready for data.
    fn judge(
        &mut self,
        line: &Line,
        step: Option<&Step<'_>>,
        waits: &mut Waits,
        announced: Option<usize>,
    ) -> bool {
        let Some(step) = step else { return false };
        if !waits.answered
            && let Some(result) = FinalResult::decode(&line.bytes)
        {
            if matches!(result, FinalResult::Connect(_)) {
                // Else the module shows data, up to its `OK`.
                return announced.is_some() || step.may_prompt();
            }
            waits.answered = true;
            if result != FinalResult::Ok {
                waits.reported = true;
            }
        } else if let Some(report) = &step.report
            && line.urc().is_some_and(|urc| report.is_met_by(urc))
        {
            waits.reported = true;
        }
        false
    }

    /// Sends data: what is given, or what is typed until as many bytes as announced have gone.
    async fn data(
        &mut self,
        announced: Option<usize>,
        given: Option<Vec<u8>>,
        waits: &mut Waits,
    ) -> Result<Flow, Failure> {
        if let Some(given) = given {
            self.send(&given).await?;
            return Ok(Flow::Go);
        }
        let mut missing = announced;
        while missing != Some(0) && self.dialogue.is_some() {
            let prompt = match missing {
                Some(1) => "data, 1 byte missing> ".to_owned(),
                Some(missing) => format!("data, {missing} bytes missing> "),
                // What ends it is the command's: Ctrl-Z for a short message.
                None => "data, \\x1a ends> ".to_owned(),
            };
            self.input.ask(&prompt, true).await;
            match self.event(true, None).await {
                Event::Typed(Typed::Line(line)) => match data(&line) {
                    Err(why) => self.note(&format!("{why}; nothing was sent"))?,
                    Ok(bytes) => match missing {
                        Some(left) if bytes.len() > left => {
                            let length = bytes.len();
                            self.note(&format!(
                                "these are {length} bytes, {left} are missing; nothing was sent"
                            ))?;
                        }
                        _ => {
                            self.send(&bytes).await?;
                            missing = missing.map(|left| left - bytes.len());
                            if missing.is_none() && bytes.ends_with(b"\x1a") {
                                break;
                            }
                        }
                    },
                },
                Event::Typed(Typed::Interrupted | Typed::End | Typed::Failed(_))
                | Event::Interrupted => {
                    return self.give_up(missing, waits);
                }
                Event::Heard(heard) => {
                    let result = self
                        .show(heard)?
                        .and_then(|line| FinalResult::decode(&line.bytes));
                    if result.is_some() {
                        waits.answered = true;
                        waits.reported = true;
                        let over = "the module no longer waits for data";
                        match self.input.is_terminal() {
                            true => self.note(&format!("{over}: Enter or Ctrl-C goes back"))?,
                            false => self.note(over)?,
                        }
                        // What is being typed was meant as data, and is dropped.
                        return self.drop_line().await;
                    }
                }
                Event::Stopped => return Ok(Flow::Quit),
                Event::Late => {}
                Event::Lost(failure) => self.lose(failure)?,
            }
        }
        waits.deadline = waits.deadline.max(Instant::now() + Duration::from_secs(30));
        Ok(Flow::Go)
    }

    /// No more data is coming. The module counts, so nothing that could be sent would end it.
    fn give_up(&mut self, missing: Option<usize>, waits: &mut Waits) -> Result<Flow, Failure> {
        let missing = match missing {
            Some(missing) => format!("{missing} more bytes"),
            None => "more".to_owned(),
        };
        let patience = self.model.limits.prompt_timeout;
        self.note(&format!(
            "the module waits for {missing} and takes whatever is sent for it; it gives up after about {} s. Ctrl-C: do not wait for that",
            patience.as_secs()
        ))?;
        waits.reported = true;
        waits.deadline = Instant::now() + patience + BEHIND;
        Ok(Flow::Go)
    }

    /// Waits for the end of the line that is being typed, and drops it.
    async fn drop_line(&mut self) -> Result<Flow, Failure> {
        if !self.input.is_terminal() {
            return Ok(Flow::Go);
        }
        loop {
            match self.event(true, None).await {
                Event::Typed(Typed::End) | Event::Stopped => return Ok(Flow::Quit),
                Event::Typed(_) => return Ok(Flow::Go),
                Event::Heard(heard) => self.show(heard).map(drop)?,
                Event::Lost(failure) => self.lose(failure)?,
                Event::Interrupted | Event::Late => {}
            }
        }
    }
}
