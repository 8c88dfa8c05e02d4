mod step;

use std::time::Duration;

use atmq_driver::Port;
use atmq_protocol::dialect::{Dialect, Lmqtt};
use atmq_protocol::framing::{Frame, ResponseReader};
use atmq_protocol::mqtt::{Connected, FormatTable, PublishResult, Urc};
use atmq_protocol::result_code::FinalResult;
use regex::bytes::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use self::step::Step;
use crate::capture::Recorded;
use crate::failure::{Failure, FailureKind};
use crate::output::print_line;
use crate::port::PortArguments;
use crate::seconds::seconds;

/// Send commands as they are, one after another, and print what comes back
///
/// Waits for the final result code of each, and for the result URC of a command that has one. If
/// a command brings the prompt `> `, the next COMMAND is sent as its data. Ends at the first
/// command that is refused.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    /// After the last command wait until a line matches
    #[arg(long, value_name = "REGEX")]
    expect: Option<Regex>,
    /// How long each command may take; if not given, what the manual allows it
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// A command with its AT, or the data of the one before
    #[arg(value_name = "COMMAND", required = true)]
    commands: Vec<String>,
}

/// The longest payload of a prompt, in hexadecimal digits, with its topic.
const LINE_LIMIT: usize = 20 * 1024;

const DIALECT: Lmqtt = Lmqtt::DEFAULT;

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let steps = Step::plan(&arguments.commands)?;
    let mut session = Session {
        port: arguments.port.open().await?,
        reader: ResponseReader::new(LINE_LIMIT),
        formats: FormatTable::default(),
    };
    for (left, step) in (0..steps.len()).rev().zip(&steps) {
        let expect = arguments.expect.as_ref().filter(|_| left == 0);
        let limit = arguments.timeout.unwrap_or(step.limit);
        session.exchange(step, expect, limit).await?;
    }
    Ok(())
}

enum Event {
    Line(Vec<u8>),
    Prompt,
}

struct Session {
    port: Recorded<Port>,
    reader: ResponseReader,
    formats: FormatTable,
}

impl Session {
    async fn exchange(
        &mut self,
        step: &Step<'_>,
        expect: Option<&Regex>,
        limit: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        let Step { command, .. } = step;
        let mut data = step.data;
        if data.is_some() {
            self.reader.expect_prompt();
        }
        self.write(format!("{command}\r").as_bytes()).await?;
        let mut answered = false;
        let mut reported = step.reported.is_none();
        let mut matched = expect.is_none();
        while !(answered && reported && matched) {
            let line = match self.next(deadline).await? {
                Some(Event::Line(line)) => line,
                Some(Event::Prompt) => {
                    self.write(data.take().unwrap_or_default()).await?;
                    continue;
                }
                None => {
                    let missing = match (answered, reported, data) {
                        (false, _, Some(_)) => "did not ask for the data",
                        (false, ..) => "did not answer",
                        (true, false, _) => "did not report what came of it",
                        (true, true, _) => "sent no line that --expect matches",
                    };
                    let (shown, seconds) = (step.shown(), limit.as_secs_f64());
                    return Err(Failure::new(
                        FailureKind::TimedOut,
                        format!("{shown}: the module {missing} within {seconds} s"),
                    )
                    .hint("a longer --timeout may help"));
                }
            };
            if !answered && line.trim_ascii_end() == command.as_bytes() {
                // The echo.
                continue;
            }
            print_line(&line)?;
            matched |= expect.is_some_and(|expect| expect.is_match(&line));
            if !answered && let Some(result) = FinalResult::decode(&line) {
                if !matches!(result, FinalResult::Ok | FinalResult::Connect(_)) {
                    return Err(Failure::new(
                        FailureKind::Refused,
                        format!("the module answered {} with {result}", step.shown()),
                    ));
                }
                answered = true;
                self.formats = step.formats.clone();
            } else if let Some(request) = &step.reported
                && let Some(urc) = DIALECT.decode_urc(&line, &self.formats)
                && request.is_answered_by(&urc)
            {
                reported = true;
                if !is_success(&urc) {
                    let line = String::from_utf8_lossy(&line);
                    return Err(Failure::new(
                        FailureKind::Refused,
                        format!("{} did not succeed: {line}", step.shown()),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The next thing the module sends; `None` if it sends nothing in time.
    async fn next(&mut self, deadline: Instant) -> Result<Option<Event>, Failure> {
        loop {
            let formats = &self.formats;
            match self.reader.next(|line| DIALECT.extent(line, formats)) {
                Some(Frame::Line(line) | Frame::Torn(line)) => {
                    return Ok(Some(Event::Line(line.to_vec())));
                }
                Some(Frame::Prompt) => return Ok(Some(Event::Prompt)),
                Some(Frame::Overlong { length }) => {
                    eprintln!("atmq: a line of {length} bytes has been passed over");
                    continue;
                }
                None => {}
            }
            let mut buffer = [0; 1024];
            let Ok(read) = timeout_at(deadline, self.port.read(&mut buffer)).await else {
                return Ok(None);
            };
            match read {
                Ok(0) => return Err(lost("it was closed")),
                Ok(length) => self.reader.push(&buffer[..length]),
                Err(error) => return Err(lost(&error.to_string())),
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.port.write_all(bytes).await;
        written.map_err(|error| lost(&error.to_string()))
    }
}

fn lost(why: &str) -> Failure {
    Failure::new(FailureKind::Unavailable, format!("the port is lost: {why}"))
}

fn is_success(outcome: &Urc<'_>) -> bool {
    match outcome {
        Urc::Opened { result, .. } => result.is_ok(),
        Urc::Closed { result, .. } | Urc::Disconnected { result, .. } => result.is_ok(),
        Urc::Connected { result, .. } => *result == Connected::Accepted,
        Urc::SubscriptionChanged { result, .. } => result.is_ok(),
        Urc::Published { result, .. } | Urc::PublishedExtended { result, .. } => {
            *result == PublishResult::Done
        }
        Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. } => true,
    }
}
