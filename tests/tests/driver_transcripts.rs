//! The transcripts whose host is our driver, replayed against the driver: the module is the file.
//! The same files are replayed against the emulator, so neither is right by agreeing with itself.

use std::time::Duration;

use atmq_driver::{
    ConnectError, ConnectOptions, Delivery, Disconnected, Error, Message, Messages, Modem,
    PublishError, QoS, Settings, Will,
};
use atmq_protocol::mqtt::{LinkStatus, OpenFailure, Reason, Refusal};
use atmq_tests::transcript::{Step, Transcript};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Plays the module: takes what the host is to send, to the byte, and answers as the file says,
/// in pieces of this size.
async fn play(mut port: DuplexStream, transcript: Transcript, pieces: usize) {
    for (line, step) in transcript.steps {
        match step {
            Step::Host(expected) => {
                let mut heard = vec![0; expected.len()];
                port.read_exact(&mut heard)
                    .await
                    .expect("the driver keeps the port open");
                assert!(
                    heard == expected,
                    "{}.txt:{line}: the driver said\n  {}\ninstead of\n  {}",
                    transcript.name,
                    heard.escape_ascii(),
                    expected.escape_ascii()
                );
            }
            Step::Module(bytes) => {
                for piece in bytes.chunks(pieces) {
                    port.write_all(piece).await.expect("the driver reads");
                    tokio::task::yield_now().await;
                }
            }
            Step::Broker(_) | Step::World(_) => {}
        }
    }
    // Nothing else may come.
    let mut rest = Vec::new();
    port.read_to_end(&mut rest).await.expect("the port closes");
    assert_eq!(rest.escape_ascii().to_string(), "");
}

/// A driver on the other end of a transcript.
struct Bench {
    modem: Modem,
    module: JoinHandle<()>,
}

impl Bench {
    async fn start(dialect: &str, name: &str, pieces: usize) -> Self {
        let (host, port) = duplex(4096);
        let module = tokio::spawn(play(port, Transcript::load(dialect, name), pieces));
        let modem = Modem::over(host, Settings::default());
        modem.initialise().await.unwrap();
        Self { modem, module }
    }

    /// The driver is done, and the file must be as well.
    async fn end(self) {
        drop(self.modem);
        self.module
            .await
            .expect("the transcript is played to its end");
    }
}

const PIECES: [usize; 3] = [usize::MAX, 3, 1];

fn options() -> ConnectOptions {
    ConnectOptions::new("h", 1883, "id")
        .credentials("u", "p")
        .keep_alive(Duration::from_secs(60))
}

#[tokio::test(start_paused = true)]
async fn a_session_from_an_unknown_state_to_the_close() {
    for (dialect, pieces) in ["lmqtt", "qmt"]
        .into_iter()
        .flat_map(|name| PIECES.map(|n| (name, n)))
    {
        let bench = Bench::start(dialect, "driver_session", pieces).await;
        let options = options().will(Will {
            topic: "t/x".into(),
            payload: b"off"[..].into(),
            qos: QoS::AtLeastOnce,
            retain: false,
        });
        let (client, mut messages) = bench.modem.connect(options).await.unwrap();
        client.subscribe("t/+", QoS::AtLeastOnce).await.unwrap();
        for (payload, qos, retain) in [
            (&b"21.5"[..], QoS::AtMostOnce, false),
            (b"21.5", QoS::AtLeastOnce, true),
            (b"\"a\",\r\nOK\r\n> \x00\x1a\xff\r", QoS::ExactlyOnce, false),
        ] {
            client.publish("u", payload, qos, retain).await.unwrap();
        }
        let message = next(&mut messages).await.unwrap();
        assert_eq!(message.topic, "t/1");
        assert_eq!(message.message_id, 1);
        let payload = b"\"a\",\r\nOK\r\n+CME ERROR: 3\r\n> \x00\x1a\xff";
        assert_eq!(message.payload, payload);
        client.unsubscribe("t/+").await.unwrap();
        client.disconnect().await.unwrap();
        assert_eq!(next(&mut messages).await, None);
        assert_eq!(messages.ended(), Some(Disconnected::Requested));
        drop((client, messages));
        bench.end().await;
    }
}

async fn refused(dialect: &str, name: &str, options: ConnectOptions) -> Vec<ConnectError> {
    let mut errors = Vec::new();
    for pieces in PIECES {
        let bench = Bench::start(dialect, name, pieces).await;
        let connected = bench.modem.connect(options.clone()).await;
        errors.push(connected.expect_err("the connection is refused"));
        bench.end().await;
    }
    errors
}

#[tokio::test(start_paused = true)]
async fn a_refused_connect_is_no_success() {
    let banned = options().credentials("banned", "p");
    for dialect in ["lmqtt", "qmt"] {
        for error in refused(dialect, "driver_refused", banned.clone()).await {
            assert_eq!(error, ConnectError::Refused(Refusal::NotAuthorized));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_module_that_reports_on_another_port_is_named_with_the_remedy() {
    for error in refused("qmt", "driver_elsewhere", options()).await {
        assert!(matches!(error, ConnectError::Unheard { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("AT+QURCCFG=\"urcport\",\"uart1\""), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_host_is_told_from_other_failures() {
    let unknown =
        ConnectOptions::new("unknown.test", 1883, "id").keep_alive(Duration::from_secs(60));
    for error in refused("lmqtt", "driver_unknown_host", unknown).await {
        assert_eq!(
            error,
            ConnectError::Open {
                host: "unknown.test".into(),
                port: 1883,
                failure: OpenFailure::Dns,
            }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_ends_the_messages_and_fails_what_follows() {
    for pieces in PIECES {
        let bench = Bench::start("lmqtt", "driver_link_lost", pieces).await;
        let (client, mut messages) = bench.modem.connect(options()).await.unwrap();
        assert_eq!(next(&mut messages).await, None);
        let lost = Disconnected::LinkLost {
            status: LinkStatus::ClosedByServer,
            code: None,
        };
        assert_eq!(messages.ended(), Some(lost.clone()));
        let published = client.publish("t", "x", QoS::AtLeastOnce, false).await;
        let unsent = PublishError::NotSent(Error::Disconnected(lost));
        assert_eq!(published, Err(unsent));
        drop((client, messages));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_outcome_is_the_final_result() {
    for pieces in PIECES {
        let bench = Bench::start("sm", "driver_session", pieces).await;
        let will = Will::new("t/x", "off").qos(QoS::AtLeastOnce);
        let (client, mut messages) = bench.modem.connect(options().will(will)).await.unwrap();
        client.subscribe("t/+", QoS::AtLeastOnce).await.unwrap();
        for (payload, qos, retain, delivery) in [
            (&b"21.5"[..], QoS::AtMostOnce, false, Delivery::Sent),
            (b"21.5", QoS::AtLeastOnce, true, Delivery::Acknowledged),
            (
                b"\"a\",\r\nOK\r\n> \x00\x1a\xff\r",
                QoS::ExactlyOnce,
                false,
                Delivery::Acknowledged,
            ),
        ] {
            let published = client.publish("u", payload, qos, retain).await;
            assert_eq!(published, Ok(delivery));
        }
        let message = next(&mut messages).await.unwrap();
        assert_eq!((&*message.topic, message.message_id), ("t/1", 0));
        assert_eq!(message.payload, b"\"a\",\r\nOK\r\n> \x00\xff");
        client.unsubscribe("t/+").await.unwrap();
        client.disconnect().await.unwrap();
        assert_eq!(next(&mut messages).await, None);
        drop((client, messages));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_with_a_module_that_has_a_service_and_clients() {
    for pieces in PIECES {
        let bench = Bench::start("cmqtt", "driver_session", pieces).await;
        let options = options().will(Will::new("t/x", "off").qos(QoS::AtLeastOnce));
        let (client, mut messages) = bench.modem.connect(options).await.unwrap();
        client.subscribe("t/+", QoS::AtLeastOnce).await.unwrap();
        for (payload, qos, retain) in [
            (
                &b"\"a\",\r\nOK\r\n> \x00\x1a\xff\r"[..],
                QoS::ExactlyOnce,
                false,
            ),
            (b"", QoS::AtMostOnce, true),
        ] {
            client.publish("u", payload, qos, retain).await.unwrap();
        }
        let message = next(&mut messages).await.unwrap();
        assert_eq!(message.topic, "t/1");
        let payload = b"\"a\",\r\nOK\r\n+CMQTTPUB: 0,0\r\n> \x00\x1a\xff";
        assert_eq!(message.payload, payload);
        client.unsubscribe("t/+").await.unwrap();
        client.disconnect().await.unwrap();
        assert_eq!(messages.ended(), Some(Disconnected::Requested));
        drop((client, messages));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_without_a_number_is_no_success() {
    let banned = options().credentials("banned", "p");
    for error in refused("sm", "driver_refused", banned).await {
        let reason = Reason::NONE;
        assert_eq!(error, ConnectError::NotAccepted { reason });
    }
}

/// A publish that fails behind its payload may have arrived; a lost link ends the connection.
#[tokio::test(start_paused = true)]
async fn an_error_behind_the_payload_proves_nothing() {
    for pieces in PIECES {
        let bench = Bench::start("sm", "driver_forbidden", pieces).await;
        let (client, mut messages) = bench.modem.connect(options()).await.unwrap();
        let published = client.publish("aws", "x", QoS::AtLeastOnce, false).await;
        let error = published.unwrap_err();
        assert!(error.may_have_arrived(), "{error}");
        assert_eq!(next(&mut messages).await, None);
        assert!(matches!(
            messages.ended(),
            Some(Disconnected::LinkLost { .. })
        ));
        drop((client, messages));
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_runs_is_good_and_a_refused_client_released() {
    for pieces in PIECES {
        let bench = Bench::start("cmqtt", "driver_refused", pieces).await;
        let banned = options().credentials("banned", "p");
        let refused = bench.modem.connect(banned).await.unwrap_err();
        assert_eq!(refused, ConnectError::Refused(Refusal::NotAuthorized));
        let (client, mut messages) = bench.modem.connect(options()).await.unwrap();
        assert_eq!(next(&mut messages).await, None);
        let lost = Disconnected::LinkLost {
            status: LinkStatus::ClosedByServer,
            code: Some(1),
        };
        assert_eq!(messages.ended(), Some(lost));
        drop((client, messages));
        bench.end().await;
    }
}

/// The next message, or the end. In virtual time, so only what never comes takes long.
async fn next(messages: &mut Messages) -> Option<Message> {
    let message = timeout(Duration::from_secs(60), messages.recv()).await;
    message.expect("a message comes, or the end")
}
