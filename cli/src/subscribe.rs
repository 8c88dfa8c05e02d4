use std::time::Duration;

use atmq_driver::{Client, Message, Messages};
use atmq_protocol::mqtt::QoS;
use tokio::time::{Instant, sleep_until};

use crate::broker::{BrokerArguments, exchange_failure, qos};
use crate::emulate::stopped;
use crate::failure::{Failure, FailureKind};
use crate::output::print_line;
use crate::port::PortArguments;

/// Subscribe through a module and print what comes, in the manner of mosquitto_sub
///
/// Prints each payload as it is, and a line feed. Ends at Ctrl-C, or as -C and -W say.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
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
    /// Print the topic and a blank before each payload
    #[arg(short = 'v', long)]
    verbose: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let modem = arguments.port.modem().await?;
    let (client, messages) = arguments.broker.connect(&modem).await?;
    let deadline = arguments
        .timeout
        .map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
    let stopped = stopped();
    let received = tokio::select! {
        received = arguments.receive(&client, messages, deadline) => received,
        () = stopped => Ok(()),
    };
    // The connection may be what was lost.
    let disconnected = match client.ended() {
        None => client.disconnect().await,
        Some(_) => Ok(()),
    };
    received?;
    disconnected.map_err(|error| exchange_failure(&error))
}

impl Arguments {
    async fn receive(
        &self,
        client: &Client,
        mut messages: Messages,
        deadline: Option<Instant>,
    ) -> Result<(), Failure> {
        for topic in &self.topics {
            client
                .subscribe(topic, self.qos)
                .await
                .map_err(|error| exchange_failure(&error).hint("check -t"))?;
        }
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
                    self.print(&message)?;
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

    fn print(&self, message: &Message) -> Result<(), Failure> {
        let mut line = Vec::new();
        if self.verbose {
            line.extend_from_slice(message.topic.as_bytes());
            line.push(b' ');
        }
        line.extend_from_slice(&message.payload);
        print_line(line)
    }
}
