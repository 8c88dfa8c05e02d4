//! What the driver writes into the log.
//!
//! A test of its own: which log is on is remembered for the whole program.

#[path = "scripted/connected.rs"]
mod connected;
#[path = "scripted/module.rs"]
mod module;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use atmq_driver::{QoS, Settings};
use tracing_subscriber::fmt::format::FmtSpan;

use connected::connected;
use module::{configure, line, line_with, options};

/// Whatever is written down about a session can be shown to others.
#[tokio::test(start_paused = true)]
async fn no_secret_and_no_payload_is_in_the_log() {
    let log = Log::default();
    let _logging = log.begin();
    let (modem, mut module) = line();
    let script = async {
        configure(&mut module).await;
        let opened = "+LMQTTOPEN: 0,0";
        module
            .carry_out("AT+LMQTTOPEN=0,\"h\",1883\r", opened)
            .await;
        // The echo is damaged, so it is none.
        let echo = "AT+LMQTTCONN=0,\"id\",\"user\",\"hunter2\"\r";
        module.hear(echo).await;
        module
            .say("AT+LMQTTC?NN=0,\"id\",\"user\",\"hunter2\"\r\r\n")
            .await;
        module.say("\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n").await;
        let line = "AT+LMQTTPUB=0,1,1,0,\"t\",9,\"confident\"\r";
        module.carry_out(line, "+LMQTTPUB: 0,1,1").await;
    };
    let session = async {
        let options = options().credentials("user", "hunter2");
        let (client, _messages) = modem.connect(options).await.unwrap();
        let sent = client.publish("t", "confident", QoS::AtLeastOnce, false);
        sent.await.unwrap_err();
    };
    tokio::join!(session, script);
    let log = log.text();
    assert!(
        !log.contains("hunter2") && !log.contains("confident"),
        "{log}"
    );
    for (command, outcome) in [
        ("AT+LMQTTCLOSE", "refused"),
        ("AT+LMQTTCONN", "done"),
        ("AT+LMQTTPUB", "done"),
    ] {
        let closed = format!("exchange{{command=\"{command}\" duration=");
        let line = log.lines().find(|line| line.contains(&closed));
        let line = line.unwrap_or_else(|| panic!("{command}: {log}"));
        assert!(line.contains(&format!("outcome=\"{outcome}\"")), "{line}");
    }
}

/// A module that has no such setting is connected all the same, and who receives must know.
#[tokio::test(start_paused = true)]
async fn messages_without_a_length_are_a_warning() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let (modem, mut module) = line();
    let script = async {
        module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
        let line = "AT+LMQTTCFG=\"recv/mode\",0,0,1\r";
        module.answer(line, "\r\n+CME ERROR: 3\r\n").await;
        module.hear("AT+LMQTTCFG=\"send/mode\",0,0\r").await;
    };
    tokio::select! {
        error = modem.connect(options()) => panic!("{error:?}"),
        () = script => {}
    }
    let log = log.text();
    let warning = log.lines().find(|line| line.contains("recv/mode"));
    let warning = warning.unwrap_or_else(|| panic!("no warning in {log:?}"));
    assert!(warning.contains("WARN"), "{warning}");
    assert!(
        warning.contains("messages come without their length"),
        "{warning}"
    );
}

/// Whoever floods a reader must not fill a disk as well.
#[tokio::test(start_paused = true)]
async fn a_flood_is_one_line_in_ten_seconds() {
    let log = Log::default();
    let _logging = log.begin();
    let (modem, mut module) = line_with(Settings::default().message_queue(2));
    let (client, messages) = connected(&modem, &mut module).await;
    for (id, logged) in [(1, 1), (2, 2)] {
        let script = async {
            let publish = format!("AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"x\"\r");
            module.hear(&publish).await;
            for _ in 0..600 {
                module.say("\r\n+LMQTTURC: RECV,0,0,\"t\",2,hi\r\n").await;
            }
            let published = format!("\r\n+LMQTTPUB: 0,{id},0\r\n\r\nOK\r\n");
            module.say(&published).await;
        };
        let publish = client.publish("t", "x", QoS::AtLeastOnce, false);
        let (published, ()) = tokio::join!(publish, script);
        published.unwrap();
        let text = log.text();
        let lines = text.lines().filter(|line| line.contains("message dropped"));
        assert_eq!(lines.count(), logged, "{text}");
        tokio::time::sleep(Duration::from_secs(11)).await;
    }
    let missed = messages.missed();
    let text = log.text();
    let held_back = format!("held_back={}", missed - 600 - 1);
    assert!(
        missed > 600 && text.contains(&held_back),
        "{missed}: {text}"
    );
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Writes down all that this thread logs until the guard is dropped.
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::CLOSE)
            .with_writer(self.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
