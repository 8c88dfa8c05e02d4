use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Port;
use super::host::{Host, HostEvent};
use crate::accept::Acceptor;

/// A listener to which a host connects, as often as it likes, one at a time. While none is
/// connected, what the module says is lost, as on a UART without a cable.
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
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

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
}
