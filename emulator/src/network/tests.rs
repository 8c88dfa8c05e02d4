use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::mosquitto::Mosquitto;

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
        let (peer, _) = self.listener.accept().await.expect("a link");
        assert_eq!(
            self.network.next_event().await,
            NetworkEvent::Opened { link }
        );
        peer
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
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Received {
            link: 3,
            bytes: b"answer".to_vec()
        }
    );
    peer.write_all(b"last words").await.unwrap();
    drop(peer);
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Received {
            link: 3,
            bytes: b"last words".to_vec()
        }
    );
    let reason = CloseReason::Peer;
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Closed { link: 3, reason }
    );
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
    let reason = CloseReason::Peer;
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Closed { link: 0, reason }
    );
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let mut network = Network::new(NetworkOptions::default());
    network.request(open(0, "127.0.0.1", closed_port().await, None));
    let reason = OpenFailure::Refused;
    assert_eq!(
        network.next_event().await,
        NetworkEvent::OpenFailed { link: 0, reason }
    );
}

#[tokio::test]
async fn a_name_that_is_none_is_not_resolved() {
    let mut network = Network::new(NetworkOptions::default());
    // Too long a label for any resolver to ask for.
    network.request(open(0, &"x".repeat(70), 1883, None));
    let reason = OpenFailure::Resolve;
    assert_eq!(
        network.next_event().await,
        NetworkEvent::OpenFailed { link: 0, reason }
    );
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
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Opened { link: 0 }
    );
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
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::OpenFailed { link: 0, reason }
    );
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
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Received {
            link: 0,
            bytes: b"new".to_vec()
        }
    );
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
        match bench.network.next_event().await {
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
async fn congestion_is_told_and_its_end_too() {
    let mut bench = Bench::new().await;
    let mut peer = bench.open(0).await;
    let mut sent = 0;
    // The system's buffers take the first of it.
    let mut stuck = 0;
    while stuck < 1000 {
        if bench.network.is_congested() {
            stuck += 1;
        } else {
            bench.send(0, &[b'x'; 8 * 1024]);
            (sent, stuck) = (sent + 8 * 1024, 0);
        }
        tokio::task::yield_now().await;
    }
    let mut received = 0;
    let mut buffer = vec![0; 64 * 1024];
    let mut drained = false;
    while received < sent {
        tokio::select! {
            event = bench.network.next_event() => {
                assert_eq!(event, NetworkEvent::Drained { link: 0 });
                assert!(!bench.network.is_congested());
                drained = true;
            }
            length = peer.read(&mut buffer) => received += length.unwrap(),
        }
    }
    assert!(drained);
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
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Closed { link: 0, reason }
    );
    assert!(!bench.network.is_congested());
}

#[tokio::test]
async fn an_overrun_of_an_earlier_link_is_not_told_of_the_next() {
    let mut bench = Bench::new().await;
    let _old = bench.open(0).await;
    bench.send(0, &vec![b'x'; 1024 * 1024 + 1]);
    let mut new = bench.open(0).await;
    new.write_all(b"new").await.unwrap();
    assert_eq!(
        bench.network.next_event().await,
        NetworkEvent::Received {
            link: 0,
            bytes: b"new".to_vec()
        }
    );
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
    let (_requests, requests) = mpsc::unbounded_channel();
    let (sender, _receiver) = mpsc::channel(1);
    let link = Link {
        requests,
        events: Events {
            link: 0,
            epoch: 0,
            sender,
        },
        backlog: Arc::default(),
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

mod tls {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

    use super::*;

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority() -> Authority {
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // By default all have the same name, and OpenSSL takes a certificate that is named as its
        // issuer for a self-signed one.
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "authority");
        let key = KeyPair::generate().expect("a key");
        CertifiedIssuer::self_signed(params, key).expect("a certificate")
    }

    /// Certificate and key for a name, as PEM.
    fn identity(authority: &Authority, name: &str) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let certificate = CertificateParams::new([name.to_owned()])
            .and_then(|params| params.signed_by(&key, authority))
            .expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A broker with a certificate for `broker.example`, and who signed it.
    fn broker(more: &str) -> Option<(Mosquitto, Authority)> {
        let authority = authority();
        let (certificate, key) = identity(&authority, "broker.example");
        let broker = Mosquitto::with_config(|directory| {
            for (name, pem) in [
                ("ca.pem", authority.pem()),
                ("certificate.pem", certificate.clone()),
                ("key.pem", key.clone()),
            ] {
                std::fs::write(directory.join(name), pem).expect("a writable directory");
            }
            let directory = directory.display();
            format!(
                "cafile {directory}/ca.pem\ncertfile {directory}/certificate.pem\n\
                 keyfile {directory}/key.pem\nallow_anonymous true\n{more}"
            )
        })?;
        Some((broker, authority))
    }

    fn verifying(authority: &Authority) -> TlsOptions {
        TlsOptions {
            verify: true,
            ca_pem: Some(authority.pem().into_bytes()),
            ..TlsOptions::default()
        }
    }

    /// Opens a link to `host`, which leads to the broker.
    async fn try_open(broker: &Mosquitto, host: &str, tls: TlsOptions) -> (Network, NetworkEvent) {
        let mut network = Network::new(NetworkOptions {
            hosts: Arc::new(HostMap::everything_to("127.0.0.1", broker.port)),
            ..NetworkOptions::default()
        });
        network.request(open(0, host, 8883, Some(tls)));
        let event = network.next_event().await;
        (network, event)
    }

    /// Opens a link and speaks MQTT on it.
    async fn assert_works(broker: &Mosquitto, host: &str, tls: TlsOptions) {
        let (mut network, event) = try_open(broker, host, tls).await;
        assert_eq!(event, NetworkEvent::Opened { link: 0 });
        let bytes = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01i".to_vec();
        network.request(NetworkRequest::Send { link: 0, bytes });
        let bytes = b"\x20\x02\x00\x00".to_vec();
        assert_eq!(
            network.next_event().await,
            NetworkEvent::Received { link: 0, bytes }
        );
        let bytes = b"\xe0\x00".to_vec();
        network.request(NetworkRequest::Send { link: 0, bytes });
        let reason = CloseReason::Peer;
        assert_eq!(
            network.next_event().await,
            NetworkEvent::Closed { link: 0, reason }
        );
    }

    async fn assert_fails(broker: &Mosquitto, host: &str, tls: TlsOptions, with: &str) {
        let (_, event) = try_open(broker, host, tls).await;
        match event {
            NetworkEvent::OpenFailed {
                reason: OpenFailure::Tls(text),
                ..
            } => assert!(text.contains(with), "{text}"),
            event => panic!("{event:?}"),
        }
    }

    #[tokio::test]
    async fn a_verified_broker_must_have_the_name_and_the_right_authority() {
        let Some((broker, ca)) = broker("") else {
            return;
        };
        assert_works(&broker, "broker.example", verifying(&ca)).await;
        assert_fails(
            &broker,
            "other.example",
            verifying(&ca),
            "not valid for name",
        )
        .await;
        let stranger = verifying(&authority());
        assert_fails(&broker, "broker.example", stranger, "certificate").await;
        let named = TlsOptions {
            server_name: Some("broker.example".into()),
            ..verifying(&ca)
        };
        assert_works(&broker, "192.0.2.1", named).await;
    }

    #[tokio::test]
    async fn without_verification_any_broker_will_do() {
        let Some((broker, _)) = broker("") else {
            return;
        };
        assert_works(&broker, "other.example", TlsOptions::default()).await;
        assert_works(&broker, "192.0.2.1", TlsOptions::default()).await;
    }

    #[tokio::test]
    async fn tls_1_2_is_spoken_too() {
        let Some((broker, ca)) = broker("tls_version tlsv1.2\n") else {
            return;
        };
        assert_works(&broker, "broker.example", verifying(&ca)).await;
        assert_works(&broker, "broker.example", TlsOptions::default()).await;
    }

    #[tokio::test]
    async fn a_broker_that_asks_is_shown_the_client_certificate() {
        let Some((broker, ca)) = broker("require_certificate true\n") else {
            return;
        };
        let (certificate, key) = identity(&ca, "device");
        let options = TlsOptions {
            client_identity: Some(ClientIdentity {
                certificate_pem: certificate.into_bytes(),
                key_pem: key.into_bytes(),
            }),
            ..verifying(&ca)
        };
        assert!(!format!("{options:?}").contains("BEGIN"));
        assert_works(&broker, "broker.example", options).await;

        // TLS 1.3 lets the client finish first, and refuses it after.
        let (mut network, event) = try_open(&broker, "broker.example", verifying(&ca)).await;
        assert_eq!(event, NetworkEvent::Opened { link: 0 });
        match network.next_event().await {
            NetworkEvent::Closed {
                reason: CloseReason::Failed(text),
                ..
            } => assert!(text.contains("CertificateRequired"), "{text}"),
            event => panic!("{event:?}"),
        }
    }

    #[tokio::test]
    async fn a_broker_without_tls_and_unusable_options_are_told_apart() {
        let Some(broker) = Mosquitto::start() else {
            return;
        };
        let host = "broker.example";
        assert_fails(&broker, host, TlsOptions::default(), "").await;
        let no_ca = TlsOptions {
            verify: true,
            ..TlsOptions::default()
        };
        assert_fails(&broker, host, no_ca, "no CA certificate").await;
        for pem in [
            "",
            "text",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let bad_ca = TlsOptions {
                verify: true,
                ca_pem: Some(pem.into()),
                ..TlsOptions::default()
            };
            assert_fails(&broker, host, bad_ca, "CA file").await;
        }
        let bad_name = TlsOptions {
            server_name: Some("not a name".into()),
            ..TlsOptions::default()
        };
        assert_fails(&broker, host, bad_name, "`not a name`").await;
    }
}
