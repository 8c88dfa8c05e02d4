use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

#[cfg(unix)]
use crate::pty::Pty;

/// Where the host is: what the module's UART is wired to.
pub trait Port {
    /// Reads what the host has sent; waits until there is something. 0 means that no host will
    /// ever come back. Dropping the future loses nothing.
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes some of the bytes to the host; waits until at least one can be taken. Dropping the
    /// future before it is done writes nothing.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// The rate that the host has set, in bits per second, where the port has one.
    fn rate(&self) -> Option<u32> {
        None
    }
}

/// Any stream, such as one end of [`tokio::io::duplex`] or a real serial port.
#[derive(Debug)]
pub struct StreamPort<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Port for StreamPort<S> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes).await?;
        self.0.flush().await?;
        Ok(written)
    }
}

/// A listener to which a host connects, as often as it likes, one at a time. While none is
/// connected, what the module says is lost, as on a UART without a cable.
#[derive(Debug)]
pub struct TcpPort {
    listener: TcpListener,
    host: Option<TcpStream>,
}

impl TcpPort {
    /// Listens on `address`, `HOST:PORT`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be resolved, or is not to be had.
    pub async fn bind(address: &str) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            host: None,
        })
    }

    /// The address that hosts connect to.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Port for TcpPort {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(host) = &mut self.host else {
                let (host, address) = self.listener.accept().await?;
                host.set_nodelay(true)?;
                tracing::debug!(%address, "host connected");
                self.host = Some(host);
                continue;
            };
            match host.read(buffer).await {
                Ok(length) if length > 0 => return Ok(length),
                end => {
                    tracing::debug!(?end, "host disconnected");
                    self.host = None;
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(host) = &mut self.host else {
            return Ok(bytes.len());
        };
        match host.write(bytes).await {
            Ok(written) => Ok(written),
            Err(error) => {
                tracing::debug!(%error, "host disconnected");
                self.host = None;
                Ok(bytes.len())
            }
        }
    }
}

#[cfg(unix)]
impl Port for Pty {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Self::read(self, buffer).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes).await
    }

    fn rate(&self) -> Option<u32> {
        Self::rate(self)
    }
}

/// Two ports wired to the same UART: what either host says is heard, what the module says goes to
/// both.
#[derive(Debug)]
pub struct BothPorts<A, B> {
    first: Patient<A>,
    second: Patient<B>,
}

impl<A: Port, B: Port> BothPorts<A, B> {
    /// Wires both to one UART.
    pub fn new(first: A, second: B) -> Self {
        Self {
            first: Patient::new(first),
            second: Patient::new(second),
        }
    }
}

impl<A: Port + Send, B: Port + Send> Port for BothPorts<A, B> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut other = [0; 512];
        let room = other.len().min(buffer.len());
        tokio::select! {
            length = self.first.port.read(buffer) => length,
            length = self.second.port.read(&mut other[..room]) => {
                let length = length?;
                buffer[..length].copy_from_slice(&other[..length]);
                Ok(length)
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.first.write(bytes).await?;
        self.second.write(bytes).await?;
        Ok(bytes.len())
    }

    fn rate(&self) -> Option<u32> {
        self.first.port.rate().or_else(|| self.second.port.rate())
    }
}

/// Writes to a host that may not be reading, as a UART does: what nobody takes is lost.
#[derive(Debug)]
pub(crate) struct Patient<P> {
    pub(crate) port: P,
    /// The host has taken nothing for a while; it is not waited for again before it does.
    stalled: bool,
    lost: u64,
}

impl<P: Port> Patient<P> {
    /// How long a host may take nothing while the module has something to say. A pseudo terminal
    /// and a socket hold some 16 KiB for it before that begins to count.
    const PATIENCE: Duration = Duration::from_secs(1);

    pub(crate) fn new(port: P) -> Self {
        Self {
            port,
            stalled: false,
            lost: 0,
        }
    }

    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let patience = if self.stalled {
                Duration::ZERO
            } else {
                Self::PATIENCE
            };
            let Ok(written) = timeout(patience, self.port.write(bytes)).await else {
                self.lost += bytes.len() as u64;
                if !self.stalled {
                    tracing::warn!(lost = self.lost, "the host does not read: output is lost");
                }
                self.stalled = true;
                return Ok(());
            };
            let written = written?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.stalled = false;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tcp_hosts_come_and_go() {
        let mut port = TcpPort::bind("127.0.0.1:0").await.unwrap();
        let address = port.local_addr().unwrap();
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

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_read_is_not_waited_for_twice() {
        let (module, mut host) = tokio::io::duplex(4);
        let mut port = Patient::new(StreamPort(module));
        let start = tokio::time::Instant::now();
        port.write(b"123456").await.unwrap();
        port.write(b"789").await.unwrap();
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let mut heard = [0; 4];
        host.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"1234");
        port.write(b"abc").await.unwrap();
        let mut heard = [0; 3];
        host.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"abc");
        assert_eq!(port.lost, 5);
    }
}
