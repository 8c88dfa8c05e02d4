use std::time::Duration;

use atmq_protocol::throttle::Throttle;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

/// How long to wait after the operating system refused a connection, mostly because there are no
/// file descriptors left. Ours.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener that outlives what the operating system has not enough of for a while.
#[derive(Debug)]
pub(crate) struct Acceptor {
    listener: TcpListener,
    refused: Throttle<Instant>,
}

impl Acceptor {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            refused: Throttle::new(),
        }
    }

    /// The next connection. Dropping the future loses none.
    pub(crate) async fn accept(&mut self) -> TcpStream {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(error) => {
                    if let Some(held_back) = self.refused.pass(Instant::now()) {
                        tracing::warn!(%error, held_back, "cannot accept a connection, trying again");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}
