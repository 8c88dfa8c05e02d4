mod lasting;

use std::time::Duration;

use atmq_driver::{ConnectOptions, Error, Message, Messages, QoS};
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use crate::broker::{self, BrokerArguments, exchange_failure, qos};
use crate::emulate::stopped;
use crate::failure::{Failure, FailureKind};
use crate::format::{FORMAT_HELP, Format};
use crate::output::{print_bytes, print_line};
use crate::port::PortArguments;
use crate::visible::json as to_line;

/// Subscribe through a module and print what comes, in the manner of mosquitto_sub
///
/// Prints each payload as it is, and a line feed. Ends at Ctrl-C, or as -C, -E and -W say.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    disable_version_flag = true,
    next_help_heading = "Messages"
)]
pub(crate) struct Arguments {
    /// A topic filter (repeatable)
    #[arg(short = 't', long = "topic", value_name = "FILTER", required = true)]
    topics: Vec<String>,
    /// The highest quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: QoS,
    /// End after so many messages
    #[arg(short = 'C', long, value_name = "NUMBER",
          value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End so many seconds after the connection is made, with exit code 4
    #[arg(short = 'W', long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// End as soon as the broker has acknowledged all subscriptions
    #[arg(short = 'E', long)]
    exit_subscribed: bool,
    /// Connect again, with all subscriptions, whenever the connection or the port is lost
    #[arg(long)]
    reconnect: bool,
    /// Print the topic and a blank before each payload
    #[arg(short = 'v', long)]
    verbose: bool,
    #[arg(short = 'F', long, value_name = "FORMAT", help = FORMAT_HELP,
          value_parser = Format::parse, conflicts_with = "verbose")]
    format: Option<Format>,
    /// No line feed behind each message
    #[arg(short = 'N', long)]
    no_eol: bool,
    /// Print a line of JSON for each message, valid whatever its bytes are: -F %j
    #[arg(long, conflicts_with_all = ["verbose", "format", "no_eol"])]
    json: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
}

pub(crate) async fn run(arguments: Arguments, quiet: bool) -> Result<(), Failure> {
    let options = arguments.broker.options()?;
    match arguments.reconnect {
        true => lasting::run(&arguments, options, quiet).await,
        false => once(&arguments, options).await,
    }
}

/// With one connection, which ends it when it is lost.
async fn once(arguments: &Arguments, options: ConnectOptions) -> Result<(), Failure> {
    let modem = arguments.port.modem().await?;
    let (client, messages) = broker::connect(&modem, options).await?;
    let stopped = stopped();
    let received = tokio::select! {
        received = arguments.receive(|topic, qos| client.subscribe(topic, qos), messages) => received,
        () = stopped => Ok(()),
    };
    let disconnected = broker::disconnect(&client).await;
    received.and(disconnected)
}

impl Arguments {
    /// Subscribes, and prints messages until there is an end to it.
    async fn receive<'a, F>(
        &'a self,
        subscribe: impl Fn(&'a str, QoS) -> F,
        mut messages: Messages,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let deadline = self
            .timeout
            .map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        for topic in &self.topics {
            let subscribed = subscribe(topic, self.qos).await;
            subscribed.map_err(|error| exchange_failure(&error).hint("check -t"))?;
        }
        if self.json {
            let topics = json!({ "event": "subscribed", "topics": self.topics });
            print_line(to_line(&topics))?;
        }
        if self.exit_subscribed {
            return Ok(());
        }
        let format = match &self.format {
            Some(format) => format.clone(),
            None if self.json => Format::json(),
            None => Format::plain(self.verbose),
        };
        let mut seen = 0;
        loop {
            tokio::select! {
                message = messages.recv() => {
                    let Some(message) = message else {
                        let reason = messages.ended();
                        let reason = reason.map_or("no reason known".into(), |r| r.to_string());
                        return Err(Failure::new(
                            FailureKind::Unavailable,
                            format!("the connection ended: {reason}"),
                        ));
                    };
                    self.print(&format, &message)?;
                    seen += 1;
                    if Some(seen) == self.count {
                        return Ok(());
                    }
                }
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    let seconds = self.timeout.unwrap_or_default();
                    return Err(Failure::new(
                        FailureKind::TimedOut,
                        format!("{seen} messages in {seconds} s"),
                    ));
                }
            }
        }
    }

    fn print(&self, format: &Format, message: &Message) -> Result<(), Failure> {
        let shown = format.print(message, OffsetDateTime::now_utc());
        match self.no_eol {
            true => print_bytes(shown),
            false => print_line(shown),
        }
    }
}
