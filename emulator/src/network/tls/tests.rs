//! TLS with a real mosquitto.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::super::{
    CloseReason, HostMap, Network, NetworkEvent, NetworkOptions, NetworkRequest, OpenFailure,
};
use super::*;
use crate::mosquitto::Mosquitto;
use crate::within::within;

const VERSION_1: &str = include_str!("version_1.pem");

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

/// A broker with a certificate for `broker.example`, and who signed it. Of clients it trusts those
/// of the same authority, and the one of version 1.
fn broker(more: &str) -> Option<(Mosquitto, Authority)> {
    let authority = authority();
    let (certificate, key) = identity(&authority, "broker.example");
    let broker = Mosquitto::with_config(|directory| {
        for (name, pem) in [
            ("ca.pem", authority.pem() + VERSION_1),
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
    network.request(NetworkRequest::Open {
        link: 0,
        host: host.to_owned(),
        port: 8883,
        tls: Some(tls),
    });
    let event = within(network.next_event()).await;
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
        within(network.next_event()).await,
        NetworkEvent::Received { link: 0, bytes }
    );
    let bytes = b"\xe0\x00".to_vec();
    network.request(NetworkRequest::Send { link: 0, bytes });
    let reason = CloseReason::Peer;
    assert_eq!(
        within(network.next_event()).await,
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

/// As `openssl req -x509` makes it: an authority that signed itself.
fn self_signed(name: &str, end: i32) -> (String, String) {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = rcgen::date_time_ymd(end, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn broker_with(certificate: &str, key: &str) -> Option<Mosquitto> {
    Mosquitto::with_config(|directory| {
        for (name, pem) in [("certificate.pem", certificate), ("key.pem", key)] {
            std::fs::write(directory.join(name), pem).expect("a writable directory");
        }
        let directory = directory.display();
        format!(
            "certfile {directory}/certificate.pem\nkeyfile {directory}/key.pem\n\
             allow_anonymous true\n"
        )
    })
}

#[tokio::test]
async fn a_self_signed_certificate_that_is_trusted_is_enough() {
    let (certificate, key) = self_signed("broker.example", 4000);
    let Some(broker) = broker_with(&certificate, &key) else {
        return;
    };
    let trusting = |pem: &str| TlsOptions {
        verify: true,
        ca_pem: Some(pem.into()),
        ..TlsOptions::default()
    };
    let host = "broker.example";
    assert_works(&broker, host, trusting(&certificate)).await;
    // Its name counts all the same, and any other of that name is a stranger.
    assert_fails(
        &broker,
        "other.example",
        trusting(&certificate),
        "not valid for name",
    )
    .await;
    let (stranger, _) = self_signed(host, 4000);
    assert_fails(&broker, host, trusting(&stranger), "CaUsedAsEndEntity").await;
    let timeless = |pem: &str, ignore_time| TlsOptions {
        ignore_time,
        ..trusting(pem)
    };
    assert_works(&broker, host, timeless(&certificate, true)).await;

    // So does its time.
    let (certificate, key) = self_signed(host, 2000);
    let broker = broker_with(&certificate, &key).expect("mosquitto was there before");
    assert_fails(&broker, host, timeless(&certificate, false), "expired").await;
    assert_works(&broker, host, timeless(&certificate, true)).await;
    assert_fails(
        &broker,
        "other.example",
        timeless(&certificate, true),
        "not valid for name",
    )
    .await;
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
    match within(network.next_event()).await {
        NetworkEvent::Closed {
            reason: CloseReason::Failed(text),
            ..
        } => assert!(text.contains("CertificateRequired"), "{text}"),
        event => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn a_client_certificate_of_version_1_is_left_to_the_broker() {
    let Some((broker, ca)) = broker("require_certificate true\n") else {
        return;
    };
    let options = TlsOptions {
        client_identity: Some(ClientIdentity {
            certificate_pem: VERSION_1.into(),
            key_pem: VERSION_1.into(),
        }),
        ..verifying(&ca)
    };
    assert_works(&broker, "broker.example", options).await;
}

#[tokio::test]
async fn the_key_of_another_certificate_is_refused() {
    let Some((broker, ca)) = broker("require_certificate true\n") else {
        return;
    };
    let (certificate, _) = identity(&ca, "device");
    let (_, key) = identity(&ca, "other");
    let options = TlsOptions {
        client_identity: Some(ClientIdentity {
            certificate_pem: certificate.into_bytes(),
            key_pem: key.into_bytes(),
        }),
        ..verifying(&ca)
    };
    assert_fails(&broker, "broker.example", options, "cannot be used").await;
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
