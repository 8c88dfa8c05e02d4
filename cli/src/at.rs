use std::io::{Write as _, stdout};
use std::time::Duration;

use atmq_driver::Port;
use atmq_protocol::command::Command;
use atmq_protocol::dialect::{Context, Dialect, Lmqtt};
use atmq_protocol::framing::{Frame, ResponseReader};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{Connected, FormatTable, PublishPayload, PublishResult, Request, Urc};
use atmq_protocol::result_code::FinalResult;
use atmq_protocol::standard::StandardRequest;
use regex::bytes::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::failure::{Failure, FailureKind};
use crate::port::PortArguments;

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

/// How long a command may take of which nothing is known: what the LMQTT manual allows a query.
const LIMIT: Duration = Duration::from_secs(5);

/// The longest payload of a prompt, in hexadecimal digits, with its topic.
const LINE_LIMIT: usize = 20 * 1024;

const DIALECT: Lmqtt = Lmqtt::DEFAULT;

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut session = Session {
        port: arguments.port.open().await?,
        reader: ResponseReader::new(LINE_LIMIT),
        formats: FormatTable::default(),
    };
    let mut commands = arguments.commands.iter();
    while let Some(command) = commands.next() {
        let awaited = Awaited::by(command, &session.formats);
        let data = awaited.data(&mut commands)?;
        let expect = match commands.as_slice() {
            [] => arguments.expect.as_ref(),
            _ => None,
        };
        let limit = arguments.timeout.unwrap_or(awaited.limit);
        let exchange = session.exchange(command, &awaited, data, expect, limit);
        exchange.await?;
    }
    Ok(())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// What a command brings.
struct Awaited<'c> {
    command: &'c str,
    /// The request whose outcome is reported.
    reported: Option<Request<'c>>,
    /// How many bytes of data the command announces.
    announced: Option<usize>,
    limit: Duration,
}

impl<'c> Awaited<'c> {
    fn by(command: &'c str, formats: &FormatTable) -> Self {
        let mut awaited = Self {
            command,
            reported: None,
            announced: None,
            limit: LIMIT,
        };
        let Some(("AT" | "at", body)) = command.split_at_checked(2) else {
            return awaited;
        };
        let (first, _) = Command::split_first(body.as_bytes(), |name| DIALECT.owns(name));
        if !DIALECT.owns(first.name) {
            if let Some(Ok(request)) = StandardRequest::decode(&first) {
                awaited.limit = request.limit();
            }
            return awaited;
        }
        let context = Context {
            limits: &Limits::NT35E,
            formats,
        };
        // The module says itself what is wrong with a command that cannot be read here.
        let Ok(request) = DIALECT.decode_request(&first, context) else {
            return awaited;
        };
        let exchange = DIALECT.exchange(&request);
        awaited.limit = exchange.limit;
        if let Request::Publish {
            payload: PublishPayload::Prompted(length),
            ..
        }
        | Request::PublishExtended { length, .. } = request
        {
            awaited.announced = Some(length);
        }
        awaited.reported = exchange.reported.then_some(request);
        awaited
    }

    /// Takes the data off the commands. A module that asks for data and gets none is deaf for a
    /// while, so this is checked before anything is sent.
    fn data<'a>(
        &self,
        commands: &mut impl Iterator<Item = &'a String>,
    ) -> Result<Option<&'a [u8]>, Failure> {
        let Some(announced) = self.announced else {
            return Ok(None);
        };
        let data = commands.next().map(|data| data.as_bytes());
        let given = data.map_or(0, <[u8]>::len);
        if data.is_none() || given != announced {
            let command = self.command;
            return Err(Failure::new(
                FailureKind::Usage,
                format!("{command} announces {announced} bytes of data, {given} are given"),
            )
            .hint("give exactly that many as the next argument"));
        }
        Ok(data)
    }
}

enum Event {
    Line(Vec<u8>),
    Prompt,
}

struct Session {
    port: Port,
    reader: ResponseReader,
    formats: FormatTable,
}

impl Session {
    async fn exchange(
        &mut self,
        command: &str,
        awaited: &Awaited<'_>,
        mut data: Option<&[u8]>,
        expect: Option<&Regex>,
        limit: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        if data.is_some() {
            self.reader.expect_prompt();
        }
        self.write(format!("{command}\r").as_bytes()).await?;
        let mut answered = false;
        let mut reported = awaited.reported.is_none();
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
                    let seconds = limit.as_secs_f64();
                    return Err(Failure::new(
                        FailureKind::TimedOut,
                        format!("{command}: the module {missing} within {seconds} s"),
                    )
                    .hint("a longer --timeout may help"));
                }
            };
            if !answered && line.trim_ascii_end() == command.as_bytes() {
                // The echo.
                continue;
            }
            print(&line)?;
            matched |= expect.is_some_and(|expect| expect.is_match(&line));
            if !answered && let Some(result) = FinalResult::decode(&line) {
                if !matches!(result, FinalResult::Ok | FinalResult::Connect(_)) {
                    return Err(Failure::new(
                        FailureKind::Refused,
                        format!("the module answered {command} with {result}"),
                    ));
                }
                answered = true;
            } else if let Some(request) = &awaited.reported
                && let Some(urc) = DIALECT.decode_urc(&line, &self.formats)
                && request.is_answered_by(&urc)
            {
                reported = true;
                if !is_success(&urc) {
                    let line = String::from_utf8_lossy(&line);
                    return Err(Failure::new(
                        FailureKind::Refused,
                        format!("{command} did not succeed: {line}"),
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
                Some(Frame::Line(line)) => return Ok(Some(Event::Line(line.to_vec()))),
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

fn print(line: &[u8]) -> Result<(), Failure> {
    let mut output = stdout().lock();
    let written = output
        .write_all(line)
        .and_then(|()| output.write_all(b"\n"))
        .and_then(|()| output.flush());
    written.map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("cannot write to standard output: {error}"),
        )
    })
}
