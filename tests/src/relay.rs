//! A TCP relay between module and broker, where a test can disturb what passes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// A running relay. Dropping it cuts every link.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    sent: watch::Sender<u64>,
    task: AbortHandle,
}

#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    /// Links of an earlier generation are cut.
    generation: u64,
    /// New links are closed at once.
    refusing: bool,
    /// What the broker sends is lost.
    mute: bool,
}

impl Relay {
    /// Starts a relay to `broker`. Must be called within a tokio runtime.
    ///
    /// # Panics
    /// There is no free loopback port.
    pub async fn start(broker: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a loopback port is free");
        let address = listener.local_addr().expect("a bound socket has one");
        let weather = watch::Sender::new(Weather::default());
        let sent = watch::Sender::new(0);
        let accepting = accept(listener, broker, weather.clone(), sent.clone());
        let task = tokio::spawn(accepting).abort_handle();
        Self {
            address,
            weather,
            sent,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes that have reached the broker, as a value to watch.
    pub fn sent(&self) -> watch::Receiver<u64> {
        self.sent.subscribe()
    }

    /// Cuts all links, as a broker does that restarts or has had enough.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.generation += 1);
    }

    /// Whether new links are closed at once.
    pub fn refuse(&self, refusing: bool) {
        self.weather
            .send_modify(|weather| weather.refusing = refusing);
    }

    /// Whether what the broker sends is lost on the way: acknowledgements, among others. What is
    /// sent to it arrives.
    pub fn mute(&self, mute: bool) {
        self.weather.send_modify(|weather| weather.mute = mute);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    broker: SocketAddr,
    weather: watch::Sender<Weather>,
    sent: watch::Sender<u64>,
) {
    while let Ok((module, _)) = listener.accept().await {
        if weather.borrow().refusing {
            continue;
        }
        let weather = weather.subscribe();
        let sent = sent.clone();
        tokio::spawn(async move {
            // A link that ends with an error has ended.
            let _ = link(module, broker, weather, sent).await;
        });
    }
}

async fn link(
    module: TcpStream,
    broker: SocketAddr,
    mut weather: watch::Receiver<Weather>,
    sent: watch::Sender<u64>,
) -> io::Result<()> {
    let born = weather.borrow().generation;
    let broker = TcpStream::connect(broker).await?;
    module.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let now = weather.clone();
    let is_heard = || {
        let now = now.borrow();
        !now.mute && now.generation == born
    };
    let (from_module, to_module) = module.into_split();
    let (from_broker, to_broker) = broker.into_split();
    tokio::select! {
        passed = pass(from_module, to_broker, |length| {
            sent.send_modify(|sent| *sent += length);
            true
        }) => passed,
        passed = pass(from_broker, to_module, |_| is_heard()) => passed,
        // The test is over as well when nobody makes the weather any more.
        _ = weather.wait_for(|weather| weather.generation != born) => Ok(()),
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    passes: impl Fn(u64) -> bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if passes(length as u64) {
            to.write_all(&buffer[..length]).await?;
        }
    }
}
