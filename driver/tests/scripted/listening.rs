//! What else a module can listen for.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout, timeout_at};

use crate::module::{Module, within};

impl Module {
    /// The next command line, whatever it is.
    pub(crate) async fn hear_line(&mut self) -> String {
        let mut line = String::new();
        loop {
            let byte = within("the host sends a line", self.stream.read_u8()).await;
            let byte = byte.expect("the host has gone");
            if byte == b'\r' {
                return line;
            }
            line.push(byte.into());
        }
    }

    /// Expects that the host writes nothing before the time is over.
    pub(crate) async fn hear_nothing(&mut self, seconds: u64) {
        let limit = Duration::from_secs(seconds);
        let heard = timeout(limit, self.stream.read_u8()).await;
        assert!(heard.is_err(), "the host wrote {heard:?}");
    }

    /// What the host writes within this time.
    pub(crate) async fn hear_for(&mut self, time: Duration) -> String {
        let mut heard = Vec::new();
        let end = Instant::now() + time;
        while let Ok(Ok(byte)) = timeout_at(end, self.stream.read_u8()).await {
            heard.push(byte);
        }
        String::from_utf8_lossy(&heard).into_owned()
    }

    /// Expects that the host closes the line.
    pub(crate) async fn hear_end(&mut self) {
        let heard = within("the host closes the line", self.stream.read_u8()).await;
        assert!(heard.is_err(), "the host wrote {heard:?}");
    }
}
