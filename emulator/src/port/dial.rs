use std::fmt;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Port;
use super::host::{Host, HostEvent};

/// A host that listens on TCP, and is dialled by the module: a simulator of boards, say. It is
/// tried again and again until it is there, and anew when it has gone. While it is not there, what
/// the module says is lost, as on a UART without a cable.
pub struct DialPort {
    address: String,
    host: Host,
    once: bool,
    /// How long to wait before the next attempt.
    delay: Duration,
    /// The attempt under way. It is kept here, so that a reader that gives up does not end it.
    attempt: Option<Attempt>,
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

impl fmt::Debug for DialPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialPort")
            .field("address", &self.address)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl DialPort {
    /// How long to wait after the first attempt that failed; twice as long after each further one,
    /// to [`LONGEST_DELAY`](Self::LONGEST_DELAY).
    pub const FIRST_DELAY: Duration = Duration::from_millis(100);

    /// The longest that is waited between two attempts.
    pub const LONGEST_DELAY: Duration = Duration::from_secs(2);

    /// How long an attempt may take: a host behind a filter never answers.
    pub const ATTEMPT: Duration = Duration::from_secs(10);

    /// Dials `address`, `HOST:PORT`, once it is read from.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            host: Host::none(),
            once: false,
            delay: Self::FIRST_DELAY,
            attempt: None,
        }
    }

    /// Dials `address`, `HOST:PORT`, now, once. When the host goes, the port ends.
    ///
    /// # Errors
    /// It cannot be resolved or reached, or does not answer in ten seconds.
    pub async fn once(address: impl Into<String>) -> io::Result<Self> {
        let mut port = Self::new(address);
        let stream = dial(&port.address).await?;
        port.host.connected(stream)?;
        port.once = true;
        Ok(port)
    }

    /// Is told when the host comes or goes, or cannot be reached. It is called by the module's
    /// task, so it must not block.
    #[must_use]
    pub fn on_event(mut self, on_event: impl FnMut(HostEvent) + Send + 'static) -> Self {
        self.host.on_event(on_event);
        self
    }

    /// Waits for the host. Dropping the future loses nothing.
    async fn connect(&mut self) {
        let attempt = match &mut self.attempt {
            Some(attempt) => attempt,
            none => {
                let address = self.address.clone();
                none.insert(Box::pin(async move { dial(&address).await }))
            }
        };
        let connected = attempt.await;
        self.attempt = None;
        if let Err(error) = connected.and_then(|stream| self.host.connected(stream)) {
            self.host.not_reached(error, self.delay);
            self.try_again();
        }
    }

    /// Dials after the delay, and after a longer one the next time.
    fn try_again(&mut self) {
        let (address, delay) = (self.address.clone(), self.delay);
        self.attempt = Some(Box::pin(async move {
            sleep(delay).await;
            dial(&address).await
        }));
        self.delay = (self.delay * 2).min(Self::LONGEST_DELAY);
    }
}

async fn dial(address: &str) -> io::Result<TcpStream> {
    match timeout(DialPort::ATTEMPT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) if is_its_own_peer(&stream) => Err(io::ErrorKind::ConnectionRefused.into()),
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer in {} s", DialPort::ATTEMPT.as_secs()),
        )),
    }
}

/// Where nobody listens on a port from which the system also takes those of callers, it may
/// connect a caller to itself: TCP allows both ends to open.
fn is_its_own_peer(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(peer)) if own == peer)
}

impl Port for DialPort {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.host.is_there() {
                if self.once {
                    return Ok(0);
                }
                self.host.answered().await;
                self.connect().await;
                continue;
            }
            if let Some(length) = self.host.read(buffer).await {
                // A host that only accepts and closes is not there in earnest.
                self.delay = Self::FIRST_DELAY;
                return Ok(length);
            }
            if !self.once {
                self.try_again();
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_host_that_goes_is_dialled_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut port = DialPort::new(listener.local_addr().unwrap().to_string());
        assert_eq!(port.write(b"nobody hears this").await.unwrap(), 17);
        for _ in 0..2 {
            let mut buffer = [0; 16];
            let host = async {
                let (mut host, _) = listener.accept().await.unwrap();
                host.write_all(b"AT\r").await.unwrap();
                host
            };
            let (length, mut host) = tokio::join!(port.read(&mut buffer), host);
            assert_eq!(length.unwrap(), 3);
            assert_eq!(port.write(b"OK").await.unwrap(), 2);
            let mut answer = [0; 2];
            host.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"OK");
        }
    }

    #[tokio::test]
    async fn a_host_that_is_not_there_is_tried_again_less_and_less_often() {
        tokio::time::pause();
        let (sender, mut events) = mpsc::unbounded_channel();
        // No service uses this port, and the system gives it to no caller.
        let mut port = DialPort::new("127.0.0.1:1").on_event(move |event| {
            let _ = sender.send(event);
        });
        let mut waits = Vec::new();
        let mut buffer = [0; 1];
        while waits.len() < 6 {
            tokio::select! {
                _ = port.read(&mut buffer) => unreachable!("nobody is there"),
                event = events.recv() => match event {
                    Some(HostEvent::NotReached { again, .. }) => waits.push(again.as_millis()),
                    other => panic!("{other:?}"),
                },
            }
        }
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000]);
    }

    #[tokio::test]
    async fn nobody_is_taken_for_the_host_by_calling_oneself() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let stream = socket.connect(address).await.unwrap();
        assert!(is_its_own_peer(&stream));
    }

    #[tokio::test]
    async fn a_port_for_one_host_ends_with_it_or_without_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut port = DialPort::once(&address).await.unwrap();
        drop(listener);
        assert_eq!(port.read(&mut [0; 1]).await.unwrap(), 0);
        let refused = DialPort::once("127.0.0.1:1").await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
