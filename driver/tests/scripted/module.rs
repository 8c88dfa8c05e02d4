//! A module that is a list of bytes: what it hears, and what it says to that. Whatever a test waits
//! for, the wait has an end: [`within`], or the line's.

use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use atmq_driver::{ConnectOptions, Modem, Settings};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf,
};
use tokio::time::{Sleep, sleep, timeout};

/// Longer than anything here takes, in virtual time.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits for what is to happen.
pub(crate) async fn within<T>(what: &str, doing: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, doing).await {
        Ok(done) => done,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}

/// The host's end of a line, which breaks in the end: so nobody waits forever for a module or a
/// host that says nothing any more.
pub(crate) struct Line {
    stream: DuplexStream,
    end: Pin<Box<Sleep>>,
    broken: Broken,
}

/// The module's end of a line. When it is dropped, the test fails if the line has broken.
pub(crate) struct Wire {
    stream: DuplexStream,
    broken: Broken,
}

type Broken = Arc<AtomicBool>;

/// A line, and the module's end of it.
pub(crate) fn wire(size: usize) -> (Line, Wire) {
    let (stream, module) = tokio::io::duplex(size);
    let broken = Broken::default();
    let line = Line {
        stream,
        end: Box::pin(sleep(2 * PATIENCE)),
        broken: broken.clone(),
    };
    tokio::spawn(give_up());
    let stream = module;
    (line, Wire { stream, broken })
}

/// The last resort: a host that does not even read does not notice that its line has broken.
async fn give_up() {
    sleep(3 * PATIENCE).await;
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    // `eprintln!` would be captured, and lost.
    let why = format!("{test} has waited {PATIENCE:?} in vain, and cannot be ended\n");
    let _ = io::Write::write_all(&mut io::stderr(), why.as_bytes());
    std::process::exit(101);
}

impl Deref for Wire {
    type Target = DuplexStream;

    fn deref(&self) -> &DuplexStream {
        &self.stream
    }
}

impl DerefMut for Wire {
    fn deref_mut(&mut self) -> &mut DuplexStream {
        &mut self.stream
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let waited = self.broken.load(Ordering::Relaxed) && !std::thread::panicking();
        assert!(
            !waited,
            "the test has waited in vain: something did not happen"
        );
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(cx).is_ready() {
            self.broken.store(true, Ordering::Relaxed);
            let why = "the test waits in vain: something does not happen";
            return Poll::Ready(Err(io::Error::other(why)));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The module's end of the line.
pub(crate) struct Module {
    pub(crate) stream: Wire,
    /// Bytes of the last say that were written.
    said: usize,
}

impl Module {
    pub(crate) fn at(stream: Wire) -> Self {
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
        let shown = expected.escape_debug();
        let mut heard = vec![0; expected.len()];
        let hear = self.stream.read_exact(&mut heard);
        if let Err(error) = within(&format!("the host sends {shown}"), hear).await {
            panic!("the host has gone and not sent {shown}: {error}");
        }
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
            let said = within("the host reads", self.stream.write(rest)).await;
            self.said += said.expect("the host has gone");
        }
    }
}

/// A modem on a line, and the module at the other end.
pub(crate) fn line() -> (Modem, Module) {
    line_with(Settings::default())
}

pub(crate) fn line_with(settings: Settings) -> (Modem, Module) {
    let (host, module) = wire(4096);
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
