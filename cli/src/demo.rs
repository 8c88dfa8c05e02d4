use std::time::{Duration, Instant};

use atmq_driver::{
    ConnectOptions, Direction, Error, Message, Messages, Modem, PublishError, QoS, RequestError,
    Settings, Tapped,
};
use atmq_emulator::{Emulator, Profile, Pty};
use atmq_protocol::at::framing::{CTRL_Z, ESCAPE};
use atmq_protocol::dialect::{EncodeError, Value};
use serde_json::json;
use tokio::time::timeout;

use crate::broker::{connect_failure, exchange_failure, publish_failure, unique_client_id};
use crate::capture::{RecordArguments, Recorder};
use crate::duration::milliseconds;
use crate::emulate::{built_in, default_profile, no_pty, start_broker};
use crate::failure::{Failure, FailureKind};
use crate::output::print_line;
use crate::port::{host_and_port, open_failure};
use crate::visible::json as to_line;
use crate::visible::visible;

/// Run driver, emulated module and broker together, and show what passes between them
///
/// Starts a broker and an emulated module on a pseudo terminal, connects through the driver,
/// publishes four messages to itself and checks every byte that comes back. No hardware is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Use this broker instead of the embedded one
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    broker: Option<(String, u16)>,
    /// Emulate this module
    #[arg(long, value_name = "NAME", default_value = default_profile(), value_parser = built_in())]
    profile: String,
    /// Print one line of JSON for each transfer on the serial line and each message, and a summary
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    record: RecordArguments,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Text,
    Json,
    /// Only what goes wrong.
    Nothing,
}

/// How long a message may take to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is published: each quality of service, and bytes that no command line carries.
const MESSAGES: [(QoS, &[u8]); 4] = [
    (QoS::AtMostOnce, b"21.5"),
    (QoS::AtLeastOnce, b"{\"on\": true, \"level\": 7}"),
    (QoS::ExactlyOnce, b"exactly once"),
    (
        QoS::AtLeastOnce,
        b"\"quotes\", a line end\r\nOK\r\n> \x00 NUL, \x1a Ctrl-Z, \xff",
    ),
];

/// What ends the input at the prompts of some modules: Ctrl-Z and ESC.
const ENDS: [u8; 2] = [CTRL_Z, ESCAPE];

pub(crate) async fn run(arguments: Arguments, quiet: bool) -> Result<(), Failure> {
    let output = match (arguments.json, quiet) {
        (true, _) => Output::Json,
        (false, true) => Output::Nothing,
        (false, false) => Output::Text,
    };
    let embedded = match &arguments.broker {
        None => Some(start_broker().await?),
        Some(_) => None,
    };
    let is_given = arguments.broker.is_some();
    let (host, port) = match (&embedded, arguments.broker) {
        (Some(broker), _) => ("127.0.0.1".into(), broker.local_addr().port()),
        (None, broker) => broker.expect("without the embedded broker there is another"),
    };
    let mut profile = Profile::by_name(&arguments.profile).expect("it is one of the known");
    // Whoever attaches such a module has told it to report on this port.
    let here = [("reports_elsewhere", Value::Flag(false))];
    profile.dialect = profile.dialect.with(&here);
    let pty = Pty::open().map_err(|error| no_pty(&error))?;
    let device = pty.path().display().to_string();
    if output == Output::Text {
        print_line(format!("broker {host}:{port}, module {device}\n"))?;
    }
    let module = tokio::spawn(Emulator::new(profile.instant()).serve(pty));
    let start = Instant::now();
    let recorder = arguments.record.create(&device, None)?;
    let settings = Settings::default().tap(move |tapped| {
        record(recorder.as_ref(), tapped);
        show(output, start, tapped);
    });
    let modem = Modem::open(&device, settings)
        .await
        .map_err(|error| open_failure(&error).without_hint())?;
    let result = converse(&modem, output, &host, port).await;
    let result = result.map_err(|failure| match is_given {
        true if failure.kind() == FailureKind::Unavailable => failure.hint("check --broker"),
        _ => failure,
    });
    drop(modem);
    module.abort();
    if let Some(broker) = embedded {
        broker.shutdown().await;
    }
    let count = result?;
    let elapsed = start.elapsed();
    match output {
        Output::Json => {
            let ms = milliseconds(elapsed);
            let summary = json!({ "event": "summary", "messages": count, "ok": true, "ms": ms });
            print_line(to_line(&summary))
        }
        Output::Text => print_line(format!(
            "\nAll {count} messages came back, byte for byte, in {elapsed:.1?}."
        )),
        Output::Nothing => Ok(()),
    }
}

/// Everything a host does with a module, from the identity to the close.
async fn converse(modem: &Modem, output: Output, host: &str, port: u16) -> Result<usize, Failure> {
    let identity = modem.identify().await.map_err(|e| exchange_failure(&e))?;
    let client_id = unique_client_id("atmq-");
    let topic = format!("atmq/demo/{client_id}");
    let (client, mut messages) = modem
        .connect(ConnectOptions::new(host, port, client_id))
        .await
        .map_err(|error| connect_failure(&error).without_hint())?;
    let filter = format!("{topic}/#");
    client
        .subscribe(&filter, QoS::ExactlyOnce)
        .await
        .map_err(|error| exchange_failure(&error))?;
    let mut round_trips = Vec::new();
    for (number, (qos, payload)) in (1..).zip(MESSAGES) {
        let topic = format!("{topic}/{number}");
        let start = Instant::now();
        let mut payload = payload.to_vec();
        let mut published = client.publish(&topic, &*payload, qos, false).await;
        if published.as_ref().is_err_and(ends_prompt) {
            // Such modules publish text.
            payload.retain(|byte| !ENDS.contains(byte));
            published = client.publish(&topic, &*payload, qos, false).await;
        }
        published.map_err(|error| publish_failure(&error))?;
        check(number, &topic, &payload, &mut messages).await?;
        round_trips.push((start.elapsed(), payload.len()));
    }
    client
        .unsubscribe(&filter)
        .await
        .map_err(|error| exchange_failure(&error))?;
    client
        .disconnect()
        .await
        .map_err(|error| exchange_failure(&error))?;
    if output == Output::Text {
        let model = identity.model.unwrap_or_default();
        let revision = identity.revision.unwrap_or_default();
        print_line(format!("\nModule {model}, firmware {revision}"))?;
    }
    for (((qos, _), (round_trip, bytes)), number) in MESSAGES.iter().zip(&round_trips).zip(1..) {
        let level = qos.level();
        match output {
            Output::Json => {
                let message = json!({ "event": "message", "number": number, "qos": level,
                                      "bytes": bytes, "latency_ms": milliseconds(*round_trip) });
                print_line(to_line(&message))?;
            }
            Output::Text => print_line(format!(
                "  message {number}  QoS {level}  {bytes:>2} bytes  received after {round_trip:.1?}"
            ))?,
            Output::Nothing => {}
        }
    }
    Ok(round_trips.len())
}

/// Whether a message was not sent because it holds what ends the input at the module's prompt.
fn ends_prompt(error: &PublishError) -> bool {
    let PublishError::NotSent(Error::Request(RequestError::Encode(error))) = error else {
        return false;
    };
    matches!(error, EncodeError::EndsPrompt { .. })
}

async fn check(
    number: usize,
    topic: &str,
    payload: &[u8],
    messages: &mut Messages,
) -> Result<(), Failure> {
    let Ok(message) = timeout(PATIENCE, messages.recv()).await else {
        let seconds = PATIENCE.as_secs();
        return Err(Failure::new(
            FailureKind::TimedOut,
            format!("message {number} did not come back within {seconds} s"),
        ));
    };
    match message {
        Some(Message {
            topic: back_on,
            payload: back,
            ..
        }) if back_on == topic && back == payload => Ok(()),
        Some(message) => Err(Failure::new(
            FailureKind::Refused,
            format!(
                "message {number} came back changed, on {}: {} instead of {}",
                message.topic,
                visible(&message.payload),
                visible(payload)
            ),
        )),
        None => Err(Failure::new(
            FailureKind::Unavailable,
            format!("the connection ended before message {number} came back"),
        )),
    }
}

fn record(recorder: Option<&Recorder>, tapped: &Tapped<'_>) {
    if let Some(recorder) = recorder {
        recorder.record_at(tapped.at, tapped.direction, tapped.bytes);
    }
}

/// Shows bytes on the wire, in the order in which they pass.
fn show(output: Output, start: Instant, tapped: &Tapped<'_>) {
    let from = match tapped.direction {
        Direction::HostToModule => "host",
        Direction::ModuleToHost => "module",
    };
    let text = visible(&tapped.redacted());
    let ms = milliseconds(tapped.at.saturating_duration_since(start));
    let line = match output {
        Output::Json => to_line(&json!({ "event": "bytes", "ms": ms, "from": from, "text": text })),
        Output::Text => format!("{ms:8.1} ms  {from:6}  {text}"),
        Output::Nothing => return,
    };
    // It fails again at the summary, and is told then.
    let _ = print_line(line);
}
