use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::within::within;

/// A network, and a peer that listens.
struct Bench {
    network: Network,
    listener: TcpListener,
}

impl Bench {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        Self {
            network: Network::new(NetworkOptions::default()),
            listener,
        }
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().expect("a bound socket").port()
    }

    fn request_open(&mut self, link: u8) {
        let port = self.port();
        self.network.request(open(link, "127.0.0.1", port, None));
    }

    /// Opens a link; gives the peer's end of it.
    async fn open(&mut self, link: u8) -> TcpStream {
        self.request_open(link);
        let (peer, _) = within(self.listener.accept()).await.expect("a link");
        self.expect(NetworkEvent::Opened { link }).await;
        peer
    }

    async fn expect(&mut self, event: NetworkEvent) {
        expect(&mut self.network, event).await;
    }

    fn send(&mut self, link: u8, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.network.request(NetworkRequest::Send { link, bytes });
    }
}

fn open(link: u8, host: &str, port: u16, tls: Option<TlsOptions>) -> NetworkRequest {
    NetworkRequest::Open {
        link,
        host: host.to_owned(),
        port,
        tls,
    }
}

async fn expect(network: &mut Network, event: NetworkEvent) {
    assert_eq!(within(network.next_event()).await, event);
}

fn came(link: u8, bytes: &[u8]) -> NetworkEvent {
    let bytes = bytes.to_vec();
    NetworkEvent::Received { link, bytes }
}

fn closed_by_peer(link: u8) -> NetworkEvent {
    let reason = CloseReason::Peer;
    NetworkEvent::Closed { link, reason }
}

async fn closed_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

#[tokio::test]
async fn bytes_go_both_ways_until_the_peer_closes() {
    let mut bench = Bench::new().await;
    let mut peer = bench.open(3).await;
    bench.send(3, b"ping");
    bench.send(3, b"pong");
    let mut received = [0; 8];
    peer.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"pingpong");
    peer.write_all(b"answer").await.unwrap();
    bench.expect(came(3, b"answer")).await;
    peer.write_all(b"last words").await.unwrap();
    drop(peer);
    bench.expect(came(3, b"last words")).await;
    bench.expect(closed_by_peer(3)).await;
    // The link is gone; what is still sent on it goes nowhere.
    bench.send(3, b"late");
    bench.network.request(NetworkRequest::Close { link: 3 });
}

#[tokio::test]
async fn a_reset_is_the_peers_doing() {
    let mut bench = Bench::new().await;
    let peer = bench.open(0).await;
    bench.send(0, b"unread");
    peer.readable().await.unwrap();
    // Closed with bytes unread: a reset.
    drop(peer);
    bench.expect(closed_by_peer(0)).await;
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let mut network = Network::new(NetworkOptions::default());
    network.request(open(0, "127.0.0.1", closed_port().await, None));
    let reason = OpenFailure::Refused;
    expect(&mut network, NetworkEvent::OpenFailed { link: 0, reason }).await;
}

#[tokio::test]
async fn a_name_that_is_none_is_not_resolved() {
    let mut network = Network::new(NetworkOptions::default());
    // Too long a label for any resolver to ask for.
    network.request(open(0, &"x".repeat(70), 1883, None));
    let reason = OpenFailure::Resolve;
    expect(&mut network, NetworkEvent::OpenFailed { link: 0, reason }).await;
}

#[tokio::test]
async fn a_mapped_host_is_reached_without_its_name_being_resolved() {
    let mut bench = Bench::new().await;
    let rule = format!("Broker.Example:1883=127.0.0.1:{}", bench.port());
    bench.network = Network::new(NetworkOptions {
        hosts: Arc::new(rule.parse::<HostRule>().unwrap().into()),
        ..NetworkOptions::default()
    });
    bench.network.request(open(0, "broker.example", 1883, None));
    bench.expect(NetworkEvent::Opened { link: 0 }).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_speaks_tls_is_given_up() {
    let mut bench = Bench::new().await;
    let port = bench.port();
    bench
        .network
        .request(open(0, "127.0.0.1", port, Some(TlsOptions::default())));
    let (_peer, _) = bench.listener.accept().await.unwrap();
    let reason = OpenFailure::TimedOut;
    bench
        .expect(NetworkEvent::OpenFailed { link: 0, reason })
        .await;
}

#[tokio::test]
async fn events_of_an_earlier_link_never_arrive() {
    let mut bench = Bench::new().await;
    let mut old = bench.open(0).await;
    // Five events of the old link wait when it is opened anew: four chunks and the end.
    old.write_all(&[b'o'; 32 * 1024]).await.unwrap();
    drop(old);
    while bench.network.receiver.is_empty() {
        tokio::task::yield_now().await;
    }
    let mut new = bench.open(0).await;
    new.write_all(b"new").await.unwrap();
    bench.expect(came(0, b"new")).await;
}

#[tokio::test]
async fn what_is_sent_before_the_link_is_open_is_dropped() {
    let mut bench = Bench::new().await;
    bench.request_open(0);
    bench.send(0, &[b'x'; 128 * 1024]);
    let (mut peer, _) = bench.listener.accept().await.unwrap();
    bench.expect(NetworkEvent::Opened { link: 0 }).await;
    assert!(!bench.network.is_congested());
    bench.send(0, b"first");
    let mut received = [0; 5];
    peer.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"first");
}

#[tokio::test]
async fn closing_before_the_link_is_open_abandons_it() {
    let mut bench = Bench::new().await;
    bench.request_open(0);
    bench.network.request(NetworkRequest::Close { link: 0 });
    assert_eq!(
        bench
            .network
            .tasks
            .join_next()
            .await
            .map(|ended| ended.is_ok()),
        Some(true)
    );
    assert!(bench.network.receiver.is_empty());
}

#[tokio::test]
async fn close_sends_what_is_queued() {
    let mut bench = Bench::new().await;
    let mut peer = bench.open(0).await;
    let bytes = vec![b'x'; 900_000];
    bench.send(0, &bytes);
    bench.network.request(NetworkRequest::Close { link: 0 });
    // Bytes under way to a link that is being closed must not reset it.
    peer.write_all(b"unread").await.unwrap();
    let mut received = Vec::new();
    peer.read_to_end(&mut received).await.unwrap();
    assert_eq!(received.len(), bytes.len());
}

#[tokio::test]
async fn reading_stops_while_the_module_takes_no_events() {
    let mut bench = Bench::new().await;
    let mut peer = bench.open(0).await;
    let chunk = [b'x'; 64 * 1024];
    let mut sent = 0;
    // Full, once the link did not read for as long as it could have.
    let mut idle = 0;
    while idle < 1000 {
        match peer.try_write(&chunk) {
            Ok(length) => (sent, idle) = (sent + length, 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                idle += 1;
                tokio::task::yield_now().await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(bench.network.receiver.len(), Network::EVENTS);
    peer.shutdown().await.unwrap();
    let mut received = 0;
    loop {
        match within(bench.network.next_event()).await {
            NetworkEvent::Received { bytes, .. } => received += bytes.len(),
            event => {
                let reason = CloseReason::Peer;
                assert_eq!(event, NetworkEvent::Closed { link: 0, reason });
                break;
            }
        }
    }
    assert_eq!(received, sent);
}

#[tokio::test]
async fn the_end_of_congestion_is_told() {
    let mut bench = Bench::new().await;
    let mut peer = bench.open(0).await;
    // The system's buffers take the first of it.
    let mut stuck = 0;
    while stuck < 1000 {
        if bench.network.is_congested() {
            stuck += 1;
        } else {
            bench.send(0, &[b'x'; 8 * 1024]);
            stuck = 0;
        }
        tokio::task::yield_now().await;
    }
    let mut buffer = vec![0; 64 * 1024];
    loop {
        tokio::select! {
            event = within(bench.network.next_event()) => {
                assert_eq!(event, NetworkEvent::Drained { link: 0 });
                if !bench.network.is_congested() {
                    break;
                }
            }
            length = peer.read(&mut buffer) => assert!(length.unwrap() > 0),
        }
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_cannot_fill_the_memory() {
    let mut bench = Bench::new().await;
    let _peer = bench.open(0).await;
    // In one go: the link's task has no chance to write any of it.
    for _ in 0..1025 {
        bench.send(0, &[b'x'; 1024]);
    }
    let reason = CloseReason::Overrun { limit: 1024 * 1024 };
    bench.expect(NetworkEvent::Closed { link: 0, reason }).await;
    assert!(!bench.network.is_congested());
}

#[tokio::test]
async fn an_overrun_of_an_earlier_link_is_not_told_of_the_next() {
    let mut bench = Bench::new().await;
    let _old = bench.open(0).await;
    bench.send(0, &vec![b'x'; 1024 * 1024 + 1]);
    let mut new = bench.open(0).await;
    new.write_all(b"new").await.unwrap();
    bench.expect(came(0, b"new")).await;
}

#[tokio::test]
async fn dropping_the_network_ends_its_links() {
    let mut bench = Bench::new().await;
    let mut first = bench.open(0).await;
    let mut second = bench.open(4).await;
    drop(bench.network);
    assert_eq!(first.read(&mut [0; 1]).await.unwrap(), 0);
    assert_eq!(second.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_idle_link_is_small() {
    let (sender, _receiver) = mpsc::channel(1);
    let link = Link {
        outgoing: Arc::default(),
        events: Events {
            link: 0,
            epoch: 0,
            sender,
        },
    };
    let target = Target {
        host: String::new(),
        port: 0,
        name: String::new(),
        tls: None,
        time_limit: Duration::ZERO,
    };
    let size = size_of_val(&link.run(Box::new(target)));
    assert!(size < 1024, "{size} bytes");
}
