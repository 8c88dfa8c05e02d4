use std::path::PathBuf;

use atmq_driver::Client;
use atmq_protocol::mqtt::QoS;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, stdin};

use crate::broker::{BrokerArguments, exchange_failure, publish_failure, qos};
use crate::failure::{Failure, FailureKind};
use crate::port::PortArguments;

/// Publish through a module, in the manner of mosquitto_pub
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
    /// The topic
    #[arg(short = 't', long, value_name = "TOPIC")]
    topic: String,
    #[command(flatten)]
    payload: Payload,
    /// The quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: QoS,
    /// Have the broker retain the message
    #[arg(short = 'r', long)]
    retain: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Payload {
    /// This message
    #[arg(short = 'm', long, value_name = "TEXT")]
    message: Option<String>,
    /// The contents of a file
    #[arg(short = 'f', long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// All of standard input as one message
    #[arg(short = 's', long)]
    stdin: bool,
    /// Each line of standard input as a message
    #[arg(short = 'l', long)]
    stdin_line: bool,
    /// An empty message
    #[arg(short = 'n', long)]
    null_message: bool,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    // What cannot be read must not cost a connection.
    let first = arguments.payload.read().await?;
    let modem = arguments.port.modem().await?;
    let (client, _messages) = arguments.broker.connect(&modem).await?;
    let published = match first {
        Some(payload) => arguments.publish(&client, payload).await,
        None => arguments.publish_lines(&client).await,
    };
    let disconnected = client.disconnect().await;
    published?;
    disconnected.map_err(|error| exchange_failure(&error))
}

impl Arguments {
    async fn publish(&self, client: &Client, payload: Vec<u8>) -> Result<(), Failure> {
        client
            .publish(&self.topic, payload, self.qos, self.retain)
            .await
            .map(drop)
            .map_err(|error| publish_failure(&error))
    }

    async fn publish_lines(&self, client: &Client) -> Result<(), Failure> {
        let mut input = BufReader::new(stdin());
        loop {
            let mut line = Vec::new();
            let read = input.read_until(b'\n', &mut line).await;
            if read.map_err(|error| unreadable("standard input", &error))? == 0 {
                return Ok(());
            }
            if line.ends_with(b"\n") {
                line.pop();
            }
            self.publish(client, line).await?;
        }
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
            payload = tokio::fs::read(path)
                .await
                .map_err(|error| unreadable(&path.display().to_string(), &error))?;
        } else if self.stdin {
            let read = stdin().read_to_end(&mut payload).await;
            read.map_err(|error| unreadable("standard input", &error))?;
        }
        Ok(Some(payload))
    }
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("cannot read {what}: {error}"),
    )
}
