//! TLS from AT commands typed by hand to a real mosquitto, with an authority made for the test.

use std::fs;
use std::net::Ipv4Addr;

use atmq_tests::authority::{Authority, Identity};
use atmq_tests::host::Host;
use atmq_tests::mosquitto::Mosquitto;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const OK: &str = "\r\nOK\r\n";
const OPENED: &str = "\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n";
const REFUSED: &str = "\r\nOK\r\n\r\n+LMQTTOPEN: 0,-1,5\r\n\r\n+LMQTTURC: STATS,0,14\r\n";
const CONNECTED: &str = "\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n";

/// A broker with a certificate for `broker.example`.
fn broker(authority: &Authority, until: i32, more: &str) -> Option<Mosquitto> {
    let Identity { certificate, key } = authority.identity("broker.example", until);
    Mosquitto::start_with(|directory| {
        for (name, pem) in [
            ("ca.pem", authority.pem()),
            ("certificate.pem", certificate.clone()),
            ("key.pem", key.clone()),
        ] {
            fs::write(directory.join(name), pem).expect("a writable directory");
        }
        let directory = directory.display();
        format!(
            "cafile {directory}/ca.pem\ncertfile {directory}/certificate.pem\n\
             keyfile {directory}/key.pem\n{more}"
        )
    })
}

/// What a host does to have its connection secured.
trait Secured {
    async fn uploads(&mut self, name: &str, pem: &str);
    async fn opens(&mut self, host: &str, context: u8, answer: &str);
    async fn connects(&mut self);
    async fn closes(&mut self);
}

impl Secured for Host {
    async fn uploads(&mut self, name: &str, pem: &str) {
        let line = format!("AT+LFUPL=\"{name}\",{}", pem.len());
        self.types(&line, "\r\nCONNECT\r\n").await;
        self.sends(pem, OK).await;
    }

    /// The connection is TLS, with this context. It has to be said before each OPEN.
    async fn opens(&mut self, host: &str, context: u8, answer: &str) {
        let line = format!("AT+LMQTTCFG=\"sslenable\",0,1,{context}");
        self.types(&line, OK).await;
        let line = format!("AT+LMQTTOPEN=0,\"{host}\",8883");
        self.types(&line, answer).await;
    }

    async fn connects(&mut self) {
        self.types("AT+LMQTTCONN=0,\"id\"", CONNECTED).await;
        self.closes().await;
    }

    async fn closes(&mut self) {
        let closed = "\r\nOK\r\n\r\n+LMQTTCLOSE: 0,0\r\n";
        self.types("AT+LMQTTCLOSE=0", closed).await;
    }
}

#[tokio::test]
async fn a_verified_broker_needs_the_right_authority_and_the_right_name() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let Some(broker) = broker(&right, 2999, "") else {
        return;
    };
    let mut host = Host::start(broker.address()).await;
    host.uploads("right.pem", &right.pem()).await;
    host.uploads("wrong.pem", &wrong.pem()).await;
    host.types("AT+LSSLCFG=\"seclevel\",1,1", OK).await;
    host.types("AT+LSSLCFG=\"cacert\",1,\"right.pem\"", OK)
        .await;
    host.opens("broker.example", 1, OPENED).await;
    host.connects().await;
    host.opens("other.example", 1, REFUSED).await;
    host.types("AT+LSSLCFG=\"cacert\",1,\"wrong.pem\"", OK)
        .await;
    host.opens("broker.example", 1, REFUSED).await;
    host.types("AT+LSSLCFG=\"cacert\",1,\"missing.pem\"", OK)
        .await;
    host.opens("broker.example", 1, REFUSED).await;
    // Another context verifies nothing, and needs no authority for that.
    host.opens("other.example", 0, OPENED).await;
    host.connects().await;
}

#[tokio::test]
async fn a_module_shows_its_certificate_at_the_highest_level_only() {
    let authority = Authority::new("authority");
    let Some(broker) = broker(&authority, 2999, "require_certificate true\n") else {
        return;
    };
    let Identity { certificate, key } = authority.identity("module", 2999);
    let mut host = Host::start(broker.address()).await;
    host.uploads("ca.pem", &authority.pem()).await;
    host.uploads("certificate.pem", &certificate).await;
    host.uploads("key.pem", &key).await;
    host.types("AT+LSSLCFG=\"cacert\",0,\"ca.pem\"", OK).await;
    host.types("AT+LSSLCFG=\"clientcert\",0,\"certificate.pem\"", OK)
        .await;
    host.types("AT+LSSLCFG=\"clientkey\",0,\"key.pem\"", OK)
        .await;
    // In TLS 1.3 a broker refuses only after the client has opened.
    host.types("AT+LSSLCFG=\"sslversion\",0,3", OK).await;
    host.types("AT+LSSLCFG=\"seclevel\",0,1", OK).await;
    host.opens("broker.example", 0, REFUSED).await;
    host.types("AT+LSSLCFG=\"seclevel\",0,2", OK).await;
    host.opens("broker.example", 0, OPENED).await;
    host.connects().await;
    host.types("AT+LSSLCFG=\"sslversion\",0,4", OK).await;
    host.opens("broker.example", 0, OPENED).await;
    host.connects().await;
    // Nobody speaks TLS 1.0 any more.
    host.types("AT+LSSLCFG=\"sslversion\",0,1", OK).await;
    host.opens("broker.example", 0, REFUSED).await;
}

#[tokio::test]
async fn the_time_of_a_certificate_matters_only_if_the_context_says_so() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let Some(broker) = broker(&right, 2020, "") else {
        return;
    };
    let mut host = Host::start(broker.address()).await;
    host.uploads("right.pem", &right.pem()).await;
    host.uploads("wrong.pem", &wrong.pem()).await;
    host.types("AT+LSSLCFG=\"seclevel\",0,1", OK).await;
    host.types("AT+LSSLCFG=\"cacert\",0,\"right.pem\"", OK)
        .await;
    host.opens("broker.example", 0, OPENED).await;
    host.connects().await;
    // All else is verified as before.
    host.opens("other.example", 0, REFUSED).await;
    host.types("AT+LSSLCFG=\"cacert\",0,\"wrong.pem\"", OK)
        .await;
    host.opens("broker.example", 0, REFUSED).await;
    host.types("AT+LSSLCFG=\"cacert\",0,\"right.pem\"", OK)
        .await;
    host.types("AT+LSSLCFG=\"ignorelocaltime\",0,0", OK).await;
    host.opens("broker.example", 0, REFUSED).await;
}

#[tokio::test]
async fn the_name_of_the_host_is_in_the_handshake_unless_switched_off() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let mut host = Host::start(listener.local_addr().expect("an address")).await;
    for (on, named) in [(1, true), (0, false)] {
        let line = format!("AT+LSSLCFG=\"sni\",0,{on}");
        host.types(&line, OK).await;
        let broker = async {
            let (mut link, _) = listener.accept().await.expect("a link");
            let mut hello = [0; 4096];
            let length = link.read(&mut hello).await.expect("a handshake");
            let name = b"broker.example";
            hello[..length].windows(name.len()).any(|at| at == name)
        };
        let (seen, ()) = tokio::join!(broker, host.opens("broker.example", 0, REFUSED));
        assert_eq!(seen, named);
    }
}
