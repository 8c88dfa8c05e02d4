//! A host that types AT commands to a module on its own.

use std::net::SocketAddr;
use std::time::Duration;

use atmq_emulator::{Emulator, HostMap, NetworkOptions, Profile, StreamPort};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

/// Longer than a server takes for a handshake on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host that types, and compares what it hears to the byte. The module answers at once.
#[derive(Debug)]
pub struct Host {
    port: DuplexStream,
}

impl Host {
    /// Switches a module on, for which all names lead to this server, and ends its echo. Must be
    /// called within a tokio runtime.
    pub async fn start(server: SocketAddr) -> Self {
        let (port, module) = duplex(4096);
        let network = NetworkOptions {
            hosts: HostMap::everything_to(server.ip().to_string(), server.port()).into(),
            ..NetworkOptions::default()
        };
        let emulator = Emulator::new(Profile::nt35e().instant()).network(network);
        tokio::spawn(emulator.serve(StreamPort(module)));
        let mut host = Self { port };
        host.types("ATE0", "ATE0\r\nOK\r\n").await;
        host
    }

    /// Sends a command line, and hears this.
    ///
    /// # Panics
    /// The module says something else, or not enough.
    pub async fn types(&mut self, line: &str, answer: &str) {
        self.sends(&format!("{line}\r"), answer).await;
    }

    /// Sends bytes, and hears this.
    ///
    /// # Panics
    /// The module says something else, or not enough.
    pub async fn sends(&mut self, bytes: &str, answer: &str) {
        self.port.write_all(bytes.as_bytes()).await.expect("a port");
        let mut heard = Vec::new();
        let hear = async {
            while heard.len() < answer.len() {
                let length = self.port.read_buf(&mut heard).await.expect("a port");
                assert!(length > 0, "the module is gone");
            }
        };
        let in_time = timeout(PATIENCE, hear).await.is_ok();
        let heard = String::from_utf8_lossy(&heard);
        assert!(
            in_time && heard == answer,
            "{bytes:?}: the module said\n  {heard:?}\ninstead of\n  {answer:?}"
        );
    }
}
