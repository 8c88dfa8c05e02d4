//! A module that is a list of bytes: what it hears, and what it says to that.

use atmq_driver::{ConnectOptions, Modem, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// The module's end of the line.
pub(crate) struct Module {
    pub(crate) stream: DuplexStream,
    /// Bytes of the last say that were written.
    said: usize,
}

impl Module {
    pub(crate) fn at(stream: DuplexStream) -> Self {
        Self { stream, said: 0 }
    }

    /// Expects these bytes, and answers with those.
    pub(crate) async fn answer(&mut self, heard: &str, said: &str) {
        self.hear(heard).await;
        self.say(said).await;
    }

    /// Expects these bytes, takes the command, and reports what came of it.
    pub(crate) async fn carry_out(&mut self, heard: &str, report: &str) {
        self.answer(heard, &format!("{OK}\r\n{report}\r\n")).await;
    }

    /// Expects exactly these bytes.
    pub(crate) async fn hear(&mut self, expected: &str) {
        let mut heard = vec![0; expected.len()];
        self.stream
            .read_exact(&mut heard)
            .await
            .expect("the host has gone");
        let heard = heard.escape_ascii().to_string();
        assert_eq!(heard, expected.as_bytes().escape_ascii().to_string());
    }

    /// Says all of it; if it is interrupted, [`finish`](Self::finish) says the rest.
    pub(crate) async fn say(&mut self, bytes: &str) {
        self.said = 0;
        self.finish(bytes).await;
    }

    /// Says what an interrupted [`say`](Self::say) has left.
    pub(crate) async fn finish(&mut self, bytes: &str) {
        while self.said < bytes.len() {
            let rest = &bytes.as_bytes()[self.said..];
            self.said += self.stream.write(rest).await.expect("the host has gone");
        }
    }
}

/// A modem on a line, and the module at the other end.
pub(crate) fn line() -> (Modem, Module) {
    line_with(Settings::default())
}

pub(crate) fn line_with(settings: Settings) -> (Modem, Module) {
    let (host, module) = tokio::io::duplex(4096);
    (Modem::over(host, settings), Module::at(module))
}

pub(crate) fn options() -> ConnectOptions {
    ConnectOptions::new("h", 1883, "id")
}

pub(crate) const OK: &str = "\r\nOK\r\n";

/// The exchanges of a connect up to the OPEN.
pub(crate) async fn configure(module: &mut Module) {
    configure_with(module, "").await;
}

/// The same, with one setting in another way: what stands behind `AT+LMQTTCFG=`.
pub(crate) async fn configure_with(module: &mut Module, other: &str) {
    module.answer("AT+LMQTTCLOSE=0\r", "\r\nERROR\r\n").await;
    settings(module, other).await;
}

/// The settings of a connection alone.
pub(crate) async fn settings(module: &mut Module, other: &str) {
    for setting in [
        "\"recv/mode\",0,0,1",
        "\"send/mode\",0,0",
        "\"cache\",0,0",
        "\"urc\",0,1",
        "\"version\",0,4",
        "\"session\",0,1",
        "\"keepalive\",0,120",
    ] {
        let key = |setting: &str| setting.split(',').next().map(str::to_owned);
        let setting = if key(other) == key(setting) {
            other
        } else {
            setting
        };
        let line = format!("AT+LMQTTCFG={setting}\r");
        module.answer(&line, OK).await;
    }
}
