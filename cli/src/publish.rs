mod bar;

use std::io::{self, IsTerminal as _, stderr};
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use atmq_driver::{Client, Delivery, PublishError, QoS};
use clap::ValueEnum;
use data_encoding::BASE64;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::io::{BufReader, Stdin, stdin};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use self::bar::bar;
use crate::broker::{self, BrokerArguments, publish_failure, qos, topic};
use crate::duration::{milliseconds, seconds};
use crate::failure::{Failure, FailureKind, chain};
use crate::format::from_hex;
use crate::input::{
    DATA_LIMIT, LINE_LIMIT, pass_over_line, read_all, read_file, read_line, unreadable,
};
use crate::messages::tell;
use crate::output::{count, print_line, print_meanwhile, with_end};
use crate::port::PortArguments;
use crate::signals::stopped;
use crate::summary::Summary;
use crate::visible::{json as to_line, printable};

/// Publish messages through a module, with the options of mosquitto_pub
///
/// Exits with 0 only if all messages have been published and, with -q 1 and 2, acknowledged by the
/// broker. After several messages, prints a summary with latencies if stderr is a terminal.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct Arguments {
    /// Topic to publish to; if repeated, the last one is used
    #[arg(short = 't', long, value_name = "TOPIC", value_parser = topic, allow_hyphen_values = true,
          overrides_with = "topic", required_unless_present = "url")]
    topic: Option<String>,
    #[command(flatten)]
    payload: Payload,
    /// Encoding of the payload given by -m, -f, -s or -l
    #[arg(long, value_name = "ENCODING", value_enum, default_value = "raw")]
    encoding: Encoding,
    /// Quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: QoS,
    /// Ask the broker to retain the message
    #[arg(short = 'r', long)]
    retain: bool,
    /// Publish the message this many times
    #[arg(long, value_name = "NUMBER", default_value_t = 1, conflicts_with = "stdin_line",
          value_parser = clap::value_parser!(u64).range(1..))]
    repeat: u64,
    /// Pause between repetitions
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    repeat_delay: Duration,
    /// Print one line of JSON for each message, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Payload {
    /// Payload
    #[arg(short = 'm', long, value_name = "TEXT", allow_hyphen_values = true)]
    message: Option<String>,
    /// Publish the contents of a file
    #[arg(short = 'f', long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Publish all of stdin as one message, up to 64 KiB
    #[arg(short = 's', long)]
    stdin: bool,
    /// Publish each line of stdin as a message
    #[arg(short = 'l', long)]
    stdin_line: bool,
    /// Publish an empty message
    #[arg(short = 'n', long)]
    null_message: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Encoding {
    /// Bytes as they are
    Raw,
    /// Hexadecimal digits
    Hex,
    /// Base64
    Base64,
}

pub(crate) async fn run(arguments: Arguments, quiet: bool) -> Result<(), Failure> {
    // Before signals are handled: Ctrl-C would not end a prompt for the password any more.
    let options = arguments.broker.options()?;
    let mut stopped = pin!(stopped());
    // What cannot be read must not cost a connection.
    let topic = arguments.topic()?;
    let source = broker::unless_stopped(&mut stopped, Source::of(&arguments)).await?;
    let modem = broker::unless_stopped(&mut stopped, arguments.port.modem()).await?;
    let (client, _messages) =
        broker::connect(&modem, &arguments.broker, options, &mut stopped).await?;
    let mut run = Run {
        progress: source.progress(quiet),
        arguments: &arguments,
        topic: &topic,
        client: &client,
        summary: Summary::new(),
    };
    let mut is_stopped = false;
    let published = tokio::select! {
        published = run.publish(source) => published,
        () = &mut stopped => {
            is_stopped = true;
            Err(Failure::new(
                FailureKind::Stopped,
                format!("stopped after publishing {}", run.summary.messages()),
            ))
        }
    };
    let summed_up = run.sum_up(quiet);
    let disconnecting = broker::disconnect(&client);
    let disconnected = match is_stopped {
        true => broker::leave(disconnecting, broker::LEAVE).await,
        false => disconnecting.await,
    };
    published.and(summed_up).and(disconnected)
}

impl Arguments {
    /// The topic of `-t` or of the URL.
    fn topic(&self) -> Result<String, Failure> {
        let of_url = self.broker.topic()?;
        let usage = |what: &str| Failure::new(FailureKind::Usage, what);
        match (&self.topic, of_url) {
            (Some(_), Some(_)) => Err(usage("the topic is in the URL of -L, and -t gives another")),
            (Some(topic), None) => Ok(topic.clone()),
            (None, Some(url)) => topic(&url).map_err(|why| usage(&why).hint("it is that of -L")),
            (None, None) => Err(usage("there is no topic").hint("give -t, or one behind -L")),
        }
    }
}

/// Where messages come from.
enum Source {
    Repeated { payload: Vec<u8>, times: u64 },
    Lines(BufReader<Stdin>),
}

impl Source {
    async fn of(arguments: &Arguments) -> Result<Self, Failure> {
        match arguments.payload.read().await? {
            Some(payload) => Ok(Self::Repeated {
                payload: arguments.encoding.decode(payload)?,
                times: arguments.repeat,
            }),
            None => Ok(Self::Lines(BufReader::new(stdin()))),
        }
    }

    /// How far it is; nothing for one message, nor where nobody looks.
    fn progress(&self, quiet: bool) -> ProgressBar {
        match self {
            _ if quiet || !stderr().is_terminal() => ProgressBar::hidden(),
            Self::Repeated { times: 1, .. } => ProgressBar::hidden(),
            Self::Repeated { times, .. } => bar(Some(*times)),
            Self::Lines(_) => bar(None),
        }
    }
}

/// Messages on their way.
struct Run<'a> {
    arguments: &'a Arguments,
    topic: &'a str,
    client: &'a Client,
    summary: Summary,
    progress: ProgressBar,
}

impl Run<'_> {
    async fn publish(&mut self, source: Source) -> Result<(), Failure> {
        let Arguments { repeat_delay, .. } = self.arguments;
        match source {
            Source::Repeated { payload, times } => {
                for left in (0..times).rev() {
                    self.message(payload.clone()).await?;
                    if left > 0 && !repeat_delay.is_zero() {
                        sleep(*repeat_delay).await;
                    }
                }
            }
            Source::Lines(lines) => self.lines(lines).await?,
        }
        Ok(())
    }

    /// Publishes each line. One that cannot be a message is reported, and the rest is published.
    async fn lines(&mut self, mut lines: BufReader<Stdin>) -> Result<(), Failure> {
        let mut left_out: u64 = 0;
        for number in 1_u64.. {
            let line = read_line(&mut lines, DATA_LIMIT).await;
            let published = match line.map_err(|error| unreadable("standard input", &error)) {
                Ok(None) => break,
                Ok(Some(line)) => match self.arguments.encoding.decode(line) {
                    Ok(payload) => self.message(payload).await,
                    Err(failure) => self.no_message(failure).await,
                },
                Err(failure) if failure.kind() == FailureKind::Usage => {
                    let passed_over = pass_over_line(&mut lines, LINE_LIMIT).await;
                    passed_over.map_err(|error| unreadable("standard input", &error))?;
                    self.no_message(failure).await
                }
                Err(failure) => return Err(failure),
            };
            match published {
                Err(failure) if failure.kind() == FailureKind::Usage => {
                    left_out += 1;
                    tell(&format!(
                        "atmq: line {number}: {}",
                        printable(failure.to_string())
                    ));
                }
                Err(failure) => return Err(failure.within(format!("line {number}"))),
                Ok(()) => {}
            }
        }
        match left_out {
            0 => Ok(()),
            left_out => {
                let what = format!("{} could not be published", count(left_out, "line"));
                Err(Failure::new(FailureKind::Refused, what))
            }
        }
    }

    /// Something was to be a message and cannot be one.
    async fn no_message(&mut self, failure: Failure) -> Result<(), Failure> {
        self.summary.failed();
        if self.arguments.json {
            let line = json!({
                "event": "published",
                "topic": self.topic,
                "qos": self.arguments.qos.level(),
                "outcome": NOT_SENT,
                "may_have_arrived": false,
                "error": failure.what(),
            });
            print_meanwhile(with_end(to_line(&line))).await?;
        }
        Err(failure)
    }

    async fn message(&mut self, payload: Vec<u8>) -> Result<(), Failure> {
        let topic = self.topic;
        let Arguments { qos, retain, .. } = self.arguments;
        let (start, length) = (Instant::now(), payload.len());
        let published = self.client.publish(topic, payload, *qos, *retain).await;
        let latency = start.elapsed();
        match &published {
            Ok(_) => self.summary.passed(length, latency),
            Err(_) => self.summary.failed(),
        }
        self.progress.inc(1);
        if self.arguments.json {
            let mut line = json!({
                "event": "published",
                "topic": topic,
                "qos": qos.level(),
                "length": length,
                "outcome": outcome(&published),
                "latency_ms": milliseconds(latency),
            });
            if let Err(error) = &published {
                line["may_have_arrived"] = error.may_have_arrived().into();
                line["error"] = chain(error).into();
            }
            print_meanwhile(with_end(to_line(&line))).await?;
        }
        published.map(drop).map_err(|error| publish_failure(&error))
    }

    fn sum_up(&self, quiet: bool) -> Result<(), Failure> {
        self.progress.finish_and_clear();
        if self.arguments.json {
            return print_line(to_line(&self.summary.to_json()));
        }
        let several = self.arguments.payload.stdin_line || self.arguments.repeat > 1;
        if several && !quiet && stderr().is_terminal() {
            tell(&self.summary.to_text());
        }
        Ok(())
    }
}

/// What `--json` calls that nothing of a message was sent.
const NOT_SENT: &str = "not sent";

/// What `--json` calls what became of a message.
fn outcome(published: &Result<Delivery, PublishError>) -> &'static str {
    match published {
        Ok(Delivery::Acknowledged) => "acknowledged",
        Ok(Delivery::Sent) => "sent",
        Ok(_) => "accepted",
        Err(PublishError::NotSent(_)) => NOT_SENT,
        Err(PublishError::Failed { .. }) => "failed",
        Err(PublishError::WrongAcknowledgement { .. }) => "wrong acknowledgement",
        Err(_) => "unknown",
    }
}

impl Payload {
    /// The one message, or `None` if there will be one for each line of standard input.
    async fn read(&self) -> Result<Option<Vec<u8>>, Failure> {
        if self.stdin_line {
            return Ok(None);
        }
        let mut payload = Vec::new();
        if let Some(message) = &self.message {
            payload.extend_from_slice(message.as_bytes());
        } else if let Some(path) = &self.file {
            // It may be a pipe that nothing comes from, which must not keep signals from working.
            let file = path.clone();
            let read = spawn_blocking(move || read_file(&file, DATA_LIMIT)).await;
            let read = read.map_err(io::Error::from).flatten();
            payload = read.map_err(|error| unreadable(&path.display().to_string(), &error))?;
        } else if self.stdin {
            let read = read_all(stdin(), DATA_LIMIT).await;
            payload = read.map_err(|error| unreadable("standard input", &error))?;
        }
        Ok(Some(payload))
    }
}

impl Encoding {
    fn decode(self, text: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let decoded = match self {
            Self::Raw => return Ok(text),
            Self::Hex => from_hex(&text),
            Self::Base64 => BASE64
                .decode(text.trim_ascii())
                .map_err(|error| error.to_string()),
        };
        decoded.map_err(|error| {
            let failure = Failure::new(FailureKind::Usage, format!("the payload: {error}"));
            failure.hint("--encoding says how it is written")
        })
    }
}
