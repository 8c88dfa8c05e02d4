use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Port;
use super::host::{Host, HostEvent};
use crate::accept::Acceptor;

/// A listener to which a host connects, as often as it likes, one at a time. While none is
/// connected, what the module says is lost, as on a UART without a cable. The next host is served
/// when the module has answered the last one, which may have gone; what that had begun to type is
/// still there, as when a cable is pulled.
#[derive(Debug)]
pub struct TcpPort {
    /// None once the one host that it was for has come.
    listener: Option<Acceptor>,
    address: SocketAddr,
    host: Host,
    once: bool,
}

impl TcpPort {
    /// Listens on `address`, `HOST:PORT`; port 0 takes a free one. Logs a warning if machines
    /// other than this one may reach it.
    ///
    /// # Errors
    /// The address cannot be resolved, or is not to be had.
    pub async fn bind(address: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "any machine that reaches this address can use the module, without a password"
            );
        }
        Ok(Self {
            address,
            listener: Some(Acceptor::new(listener)),
            host: Host::none(),
            once: false,
        })
    }

    /// The address that hosts connect to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves one host: the first that connects. When it goes, the port ends.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Is told when a host comes or goes. It is called by the module's task, so it must not block.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(HostEvent) + Send + 'static) -> Self {
        self.host.on_event(on_event);
        self
    }
}

impl Port for TcpPort {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.host.is_there() {
                let Some(listener) = &mut self.listener else {
                    return Ok(0);
                };
                self.host.answered().await;
                let stream = listener.accept().await;
                // A host that has gone at once was none.
                if self.host.connected(stream).is_err() {
                    continue;
                }
                if self.once {
                    self.listener = None;
                }
            }
            if let Some(length) = self.host.read(buffer).await {
                return Ok(length);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.host.write(bytes).await)
    }

    fn set_busy(&mut self, busy: bool) {
        self.host.set_busy(busy);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;
    use crate::within::within;

    #[tokio::test]
    async fn tcp_hosts_come_and_go() {
        let mut port = TcpPort::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr();
        assert_eq!(port.write(b"nobody hears this").await.unwrap(), 17);
        for _ in 0..2 {
            let mut host = TcpStream::connect(address).await.unwrap();
            host.write_all(b"AT\r").await.unwrap();
            let mut buffer = [0; 16];
            assert_eq!(port.read(&mut buffer).await.unwrap(), 3);
            assert_eq!(port.write(b"OK").await.unwrap(), 2);
            let mut answer = [0; 2];
            host.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"OK");
        }
    }

    #[tokio::test]
    async fn a_port_for_one_host_ends_with_it() {
        let mut port = TcpPort::bind("127.0.0.1:0").await.unwrap().once();
        let mut host = TcpStream::connect(port.local_addr()).await.unwrap();
        host.write_all(b"AT\r").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(port.read(&mut buffer).await.unwrap(), 3);
        assert!(TcpStream::connect(port.local_addr()).await.is_err());
        drop(host);
        assert_eq!(port.read(&mut buffer).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_host_that_sends_nothing_more_is_answered_before_it_goes_and_the_next_comes() {
        let mut port = TcpPort::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr();
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"AT\r").await.unwrap();
        first.shutdown().await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(b"ATI\r").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(port.read(&mut buffer).await.unwrap(), 3);
        port.set_busy(true);
        let busy = Duration::from_millis(50);
        assert!(timeout(busy, port.read(&mut buffer)).await.is_err());
        assert_eq!(port.write(b"OK").await.unwrap(), 2);
        port.set_busy(false);
        assert_eq!(port.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(port.write(b"X").await.unwrap(), 1);
        let mut answer = Vec::new();
        within(first.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, b"OK");
        let mut answer = [0; 1];
        within(second.read_exact(&mut answer)).await.unwrap();
        assert_eq!(answer, *b"X");
    }

    #[tokio::test]
    async fn the_next_host_does_not_get_the_answer_to_one_that_has_gone() {
        let mut port = TcpPort::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr();
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"AT\r").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(port.read(&mut buffer).await.unwrap(), 3);
        port.set_busy(true);
        drop(first);
        let mut second = TcpStream::connect(address).await.unwrap();
        let busy = Duration::from_millis(50);
        assert!(timeout(busy, port.read(&mut buffer)).await.is_err());
        assert_eq!(port.write(b"OK").await.unwrap(), 2);
        port.set_busy(false);
        // It comes now.
        assert!(timeout(busy, port.read(&mut buffer)).await.is_err());
        assert_eq!(port.write(b"RING").await.unwrap(), 4);
        let mut heard = [0; 4];
        within(second.read_exact(&mut heard)).await.unwrap();
        assert_eq!(heard, *b"RING");
    }
}
