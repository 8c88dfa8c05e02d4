mod filter;
mod lasting;

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use atmq_driver::{ConnectOptions, Error, ExchangeError, Message, Messages, QoS};
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::timeout;

use self::filter::matches;
use crate::broker::{self, BrokerArguments, exchange_failure, qos, topic_filter};
use crate::failure::{Failure, FailureKind};
use crate::format::{FORMAT_HELP, Format};
use crate::messages::tell;
use crate::output::{count, print_meanwhile, with_end};
use crate::port::PortArguments;
use crate::signals::stopped;
use crate::visible::{json as to_line, printable};

/// Subscribe through a module and print messages, with the options of mosquitto_sub
///
/// Prints each payload unchanged, followed by a line feed, until Ctrl-C or the limit set by -C, -E
/// or -W.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Messages")]
pub(crate) struct Arguments {
    /// Topic filter to subscribe to (repeatable); one that is refused is reported, the others are
    /// still subscribed to
    #[arg(short = 't', long = "topic", value_name = "FILTER", required_unless_present = "url",
          value_parser = topic_filter, allow_hyphen_values = true)]
    topics: Vec<String>,
    /// Ignore messages whose topic matches this filter (repeatable)
    #[arg(short = 'T', long = "filter-out", value_name = "FILTER", value_parser = topic_filter,
          allow_hyphen_values = true)]
    filtered_out: Vec<String>,
    /// Options of mosquitto_sub that need what no module tells
    #[arg(short = 'R', long, visible_alias = "remove-retained", hide = true)]
    retained_only: bool,
    /// Maximum quality of service: 0, 1 or 2
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: QoS,
    /// Exit after this many messages
    #[arg(short = 'C', long, value_name = "NUMBER",
          value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Exit with code 4 this many seconds after connecting, even if a subscription has not been
    /// acknowledged by then
    #[arg(short = 'W', long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Exit once the broker has acknowledged all subscriptions
    #[arg(short = 'E', long)]
    exit_subscribed: bool,
    /// Reconnect and subscribe again whenever the connection or the port is lost
    #[arg(long)]
    reconnect: bool,
    /// Print the topic and a space before each payload
    #[arg(short = 'v', long)]
    verbose: bool,
    #[arg(short = 'F', long, value_name = "FORMAT", help = FORMAT_HELP,
          value_parser = Format::parse, allow_hyphen_values = true, conflicts_with = "verbose")]
    format: Option<Format>,
    /// Do not print a line feed after each message
    #[arg(short = 'N', long)]
    no_eol: bool,
    /// Print one line of JSON for each message, valid for any payload (same as -F %j)
    #[arg(long, conflicts_with_all = ["verbose", "format", "no_eol"])]
    json: bool,
    /// Have the module report payloads in hexadecimal digits, so that no topic or payload can be
    /// mistaken for anything else
    #[arg(long)]
    hex: bool,
    #[command(flatten)]
    port: PortArguments,
    #[command(flatten)]
    broker: BrokerArguments,
}

pub(crate) async fn run(mut arguments: Arguments, quiet: bool) -> Result<(), Failure> {
    if arguments.retained_only {
        let what = "a module does not tell whether a message was retained, which -R, \
                    --retained-only and --remove-retained ask for";
        return Err(Failure::new(FailureKind::Usage, what).hint("leave the option out"));
    }
    if let Some(filter) = arguments.broker.topic()? {
        let filter = topic_filter(&filter)
            .map_err(|why| Failure::new(FailureKind::Usage, why).hint("it is that of -L"))?;
        arguments.topics.push(filter);
    }
    if arguments.topics.is_empty() {
        let what = "there is no topic to subscribe to";
        return Err(Failure::new(FailureKind::Usage, what).hint("give -t, or one behind -L"));
    }
    let options = arguments.broker.options()?.receive_hex(arguments.hex);
    match arguments.reconnect {
        true => lasting::run(&arguments, options, quiet).await,
        false => once(&arguments, options).await,
    }
}

/// With one connection, which ends it when it is lost.
async fn once(arguments: &Arguments, options: ConnectOptions) -> Result<(), Failure> {
    let mut stopped = pin!(stopped());
    let modem = broker::unless_stopped(&mut stopped, arguments.port.modem()).await?;
    let (client, messages) =
        broker::connect(&modem, &arguments.broker, options, &mut stopped).await?;
    let progress = Progress::default();
    let subscribe = |topic, qos| client.subscribe(topic, qos);
    let received = tokio::select! {
        received = arguments.receive(subscribe, messages, &progress) => received,
        () = &mut stopped => arguments.when_stopped(&progress),
    };
    received.and(broker::leave(broker::disconnect(&client), progress.patience()).await)
}

impl Arguments {
    /// What a signal makes of it: an error, unless it was to receive until then.
    fn when_stopped(&self, progress: &Progress) -> Result<(), Failure> {
        if !progress.connected.get() {
            return Err(broker::stopped_early());
        }
        let what = match self.count {
            _ if self.exit_subscribed => {
                "stopped before all subscriptions were acknowledged".into()
            }
            Some(_) => format!("stopped after {}", count(progress.seen.get(), "message")),
            None => return Ok(()),
        };
        Err(Failure::new(FailureKind::Stopped, what))
    }

    /// Subscribes, and prints messages until there is an end to it.
    async fn receive<'a, F>(
        &'a self,
        subscribe: impl Fn(&'a str, QoS) -> F,
        messages: Messages,
        progress: &Progress,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Error>>,
    {
        progress.connected.set(true);
        let received = self.receive_all(subscribe, messages, progress);
        let Some(seconds) = self.timeout else {
            return received.await;
        };
        let limit = Duration::from_secs(seconds.into());
        timeout(limit, received).await.unwrap_or_else(|_| {
            let what = match progress.pending.get() {
                Some(at) => {
                    let filter = &self.topics[at];
                    format!("the subscription to {filter} was not acknowledged in {seconds} s")
                }
                None => format!("{} messages in {seconds} s", progress.seen.get()),
            };
            Err(Failure::new(FailureKind::TimedOut, what))
        })
    }

    async fn receive_all<'a, F>(
        &'a self,
        subscribe: impl Fn(&'a str, QoS) -> F,
        mut messages: Messages,
        progress: &Progress,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let mut subscribed = Vec::new();
        let mut refused = None;
        for (at, topic) in self.topics.iter().enumerate() {
            progress.pending.set(Some(at));
            match subscribe(topic, self.qos).await {
                Ok(()) => subscribed.push(topic),
                // What the module refuses behind that says nothing of the filter.
                Err(_) if messages.ended().is_some() => return Err(ended(&messages)),
                Err(error) if self.is_refusal(&error) => {
                    let failure = subscribe_failure(topic, &error);
                    // The others are subscribed to all the same.
                    if let Some(before) = refused.replace(failure) {
                        tell_refusal(&before);
                    }
                }
                Err(error) => return Err(subscribe_failure(topic, &error)),
            }
        }
        progress.pending.set(None);
        match refused {
            Some(failure) if subscribed.is_empty() || self.exit_subscribed => return Err(failure),
            Some(failure) => tell_refusal(&failure),
            None => {}
        }
        if self.json {
            let topics = json!({ "event": "subscribed", "topics": subscribed });
            print_meanwhile(with_end(to_line(&topics))).await?;
        }
        if self.exit_subscribed {
            return Ok(());
        }
        let format = match &self.format {
            Some(format) => format.clone(),
            None if self.json => Format::json(),
            None => Format::plain(self.verbose),
        };
        while let Some(message) = messages.recv().await {
            let is_out = |filter: &String| matches(filter, &message.topic);
            if self.filtered_out.iter().any(is_out) {
                continue;
            }
            self.print(&format, &message).await?;
            progress.seen.set(progress.seen.get() + 1);
            if Some(progress.seen.get()) == self.count {
                return Ok(());
            }
        }
        Err(ended(&messages))
    }

    /// Whether a subscription was refused, and the connection may stand all the same.
    fn is_refusal(&self, error: &Error) -> bool {
        match error {
            Error::Request(_)
            | Error::Subscription { .. }
            | Error::Exchange(ExchangeError::Refused { .. }) => true,
            Error::Disconnected(_) | Error::PortClosed(_) => false,
            // Whatever it was, over several connections: it has been given up, and they have not.
            _ => self.reconnect,
        }
    }

    async fn print(&self, format: &Format, message: &Message) -> Result<(), Failure> {
        let shown = format.print(message, OffsetDateTime::now_utc());
        let shown: &[u8] = shown.as_ref();
        print_meanwhile(match self.no_eol {
            true => shown.to_vec(),
            false => with_end(shown),
        })
        .await
    }
}

/// How far a reception is.
#[derive(Default)]
struct Progress {
    /// There has been a connection.
    connected: Cell<bool>,
    /// Which subscription is waited for.
    pending: Cell<Option<usize>>,
    /// Messages that have been printed.
    seen: Cell<u64>,
}

impl Progress {
    /// How long the module may take to disconnect. It is known not to answer soon if it still waits
    /// for the broker.
    fn patience(&self) -> Duration {
        match self.pending.get() {
            Some(_) => Duration::from_secs(1),
            None => broker::LEAVE,
        }
    }
}

fn ended(messages: &Messages) -> Failure {
    let reason = messages.ended();
    let reason = reason.map_or("no reason known".into(), |reason| reason.to_string());
    Failure::new(
        FailureKind::Unavailable,
        format!("the connection ended: {reason}"),
    )
}

fn subscribe_failure(filter: &str, error: &Error) -> Failure {
    let failure = exchange_failure(error);
    match error {
        // These name the filter.
        Error::Subscription { .. } => failure.hint("check -t, and what the broker allows you"),
        _ => {
            let filter = printable(filter);
            let what = format!("cannot subscribe to {filter}: {}", failure.what());
            Failure::new(failure.kind(), what).hint("check -t")
        }
    }
}

fn tell_refusal(failure: &Failure) {
    tell(&format!("atmq: {failure}"));
}
