//! TLS set up by the driver, from PEM files to a real mosquitto that asks for a certificate.

use std::fs;
use std::sync::{Arc, Mutex};

use atmq_driver::{
    ConnectError, ConnectOptions, Direction, Messages, Modem, QoS, Settings, Tapped, Tls,
};
use atmq_emulator::Profile;
use atmq_protocol::dialect::qmt;
use atmq_protocol::mqtt::TlsVersion;
use atmq_tests::authority::{Authority, Identity};
use atmq_tests::module::Module;
use atmq_tests::mosquitto::Mosquitto;
use atmq_tests::within;

/// A broker with a certificate for `broker.example` that asks clients for theirs.
fn broker(authority: &Authority) -> Option<Mosquitto> {
    let identity = authority.identity("broker.example", 2999);
    Mosquitto::start_with(|directory| {
        for (name, pem) in [
            ("ca.pem", &authority.pem()),
            ("certificate.pem", &identity.certificate),
            ("key.pem", &identity.key),
        ] {
            fs::write(directory.join(name), pem).expect("a writable directory");
        }
        let directory = directory.display();
        format!(
            "cafile {directory}/ca.pem\ncertfile {directory}/certificate.pem\n\
             keyfile {directory}/key.pem\nrequire_certificate true\n"
        )
    })
}

fn options(host: &str, tls: Tls) -> ConnectOptions {
    ConnectOptions::new(host, 8883, "meter-7").tls(tls)
}

/// What the driver sends, as people are shown it.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

/// What the commands begin with that store a file, up to its name.
const UPLOADS: [&str; 4] = ["LFUPL=\"", "CCERTDOWN=\"", "CFSWFILE=3,\"", "QFUPL=\""];

impl Shown {
    fn settings(&self) -> Settings {
        let shown = self.clone();
        Settings::default().tap(move |tapped: &Tapped<'_>| {
            if tapped.direction == Direction::HostToModule {
                *shown.0.lock().unwrap() += &String::from_utf8_lossy(&tapped.redacted());
            }
        })
    }

    /// Names of the files sent since the last call, by whatever command.
    fn uploads(&self) -> Vec<String> {
        let shown = std::mem::take(&mut *self.0.lock().unwrap());
        assert!(!shown.contains("BEGIN"), "{shown}");
        let named = shown.split("AT+").filter_map(|command| {
            let mut uploads = UPLOADS.iter();
            uploads.find_map(|upload| command.strip_prefix(upload))
        });
        named
            .map(|behind| behind.split('"').next().unwrap_or_default().into())
            .collect()
    }
}

async fn works(modem: &Modem, options: ConnectOptions) {
    let connected = within(modem.connect(options)).await;
    let (client, mut messages): (_, Messages) = connected.expect("a connection");
    client.subscribe("t", QoS::AtLeastOnce).await.unwrap();
    client
        .publish("t", "over TLS", QoS::AtLeastOnce, false)
        .await
        .unwrap();
    let message = within(messages.recv()).await;
    assert_eq!(message.unwrap().payload, b"over TLS");
    client.disconnect().await.unwrap();
}

async fn fails(modem: &Modem, options: ConnectOptions) -> ConnectError {
    let connected = within(modem.connect(options)).await;
    connected.expect_err("no connection")
}

/// The module has the commands of its maker for files and TLS contexts, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_reach_modules_of_qmt() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let Some(broker) = broker(&right) else {
        return;
    };
    let Identity { certificate, key } = right.identity("meter-7", 2999);
    for (name, model) in [("ec25", qmt::EC25), ("bg96", qmt::BG96)] {
        let profile = Profile::by_name(name).unwrap().instant();
        let module = Module::start(profile, broker.address());
        let modem = module.modem_with(Settings::default().model(model)).await;
        let mutual =
            |context, ca: &Authority| Tls::verified(context, ca.pem()).client(&certificate, &key);
        works(&modem, options("broker.example", mutual(1, &right))).await;
        works(&modem, options("broker.example", mutual(1, &right))).await;
        // The other broker's certificate, and then the right one in the same file.
        let error = fails(&modem, options("broker.example", mutual(1, &wrong))).await;
        assert!(matches!(error, ConnectError::Open { .. }), "{error}");
        works(&modem, options("broker.example", mutual(1, &right))).await;
        // A name that the certificate has not.
        let error = fails(&modem, options("other.example", mutual(1, &right))).await;
        assert!(matches!(error, ConnectError::Open { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_reach_the_module_and_are_used() {
    certificates_reach(Profile::nt35e()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_reach_a_module_that_has_a_prompt_for_them() {
    for name in ["a7670", "sim7600", "sim7672"] {
        certificates_reach(Profile::by_name(name).unwrap()).await;
    }
}

async fn certificates_reach(profile: Profile) {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let Some(broker) = broker(&right) else {
        return;
    };
    let Identity { certificate, key } = right.identity("meter-7", 2999);
    let module = Module::start(profile.instant(), broker.address());
    let shown = Shown::default();
    let modem = module.modem_with(shown.settings()).await;
    let mutual =
        |context, ca: &Authority| Tls::verified(context, ca.pem()).client(&certificate, &key);

    works(&modem, options("broker.example", mutual(1, &right))).await;
    assert_eq!(
        shown.uploads(),
        ["atmq_ca_1.pem", "atmq_cert_1.pem", "atmq_key_1.pem"]
    );
    // The module has them.
    works(&modem, options("broker.example", mutual(1, &right))).await;
    assert_eq!(shown.uploads(), [""; 0]);
    // Another context has files of its own.
    let error = fails(&modem, options("broker.example", mutual(2, &wrong))).await;
    assert!(
        error
            .to_string()
            .starts_with("TLS to broker.example:8883 failed: check the CA"),
        "{error}"
    );
    assert_eq!(
        shown.uploads(),
        ["atmq_ca_2.pem", "atmq_cert_2.pem", "atmq_key_2.pem"]
    );
    works(&modem, options("broker.example", mutual(1, &right))).await;
    assert_eq!(shown.uploads(), [""; 0]);
    // A certificate for another name.
    let error = fails(&modem, options("other.example", mutual(1, &right))).await;
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    // After a failure nothing is taken for granted.
    works(&modem, options("broker.example", mutual(1, &right))).await;
    assert_eq!(shown.uploads().len(), 3);
    // A changed file is sent, the others are not.
    let error = fails(&modem, options("broker.example", mutual(1, &wrong))).await;
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    assert_eq!(shown.uploads(), ["atmq_ca_1.pem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_asks_for_a_certificate_lets_nobody_in_without() {
    nobody_gets_in_without(Profile::nt35e(), |error| {
        matches!(error, ConnectError::Tls { .. })
    })
    .await;
    // The module cannot tell: the handshake was done.
    nobody_gets_in_without(Profile::by_name("a7670").unwrap(), |error| {
        matches!(
            error,
            ConnectError::Tls { .. } | ConnectError::NotAccepted { .. }
        )
    })
    .await;
}

async fn nobody_gets_in_without(profile: Profile, expected: fn(&ConnectError) -> bool) {
    let authority = Authority::new("authority");
    let Some(broker) = broker(&authority) else {
        return;
    };
    let module = Module::start(profile.instant(), broker.address());
    let modem = module.modem().await;
    for tls in [Tls::unverified(0), Tls::verified(1, authority.pem())] {
        // In TLS 1.3 a broker refuses only after the client has opened.
        let error = fails(
            &modem,
            options("broker.example", tls.version(TlsVersion::V1_2)),
        )
        .await;
        assert!(expected(&error), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_may_have_lost_the_files() {
    let authority = Authority::new("authority");
    let Some(broker) = broker(&authority) else {
        return;
    };
    let Identity { certificate, key } = authority.identity("meter-7", 2999);
    let tls = || Tls::verified(0, authority.pem()).client(&certificate, &key);
    let module = Module::start(Profile::nt35e().instant(), broker.address());
    let shown = Shown::default();
    let modem = module.modem_with(shown.settings()).await;
    works(&modem, options("broker.example", tls())).await;
    assert_eq!(shown.uploads().len(), 3);
    modem.command("AT+CFUN=0,1").await.unwrap();
    modem.initialise().await.unwrap();
    works(&modem, options("broker.example", tls())).await;
    assert_eq!(shown.uploads().len(), 3);
}

/// A module whose files are converted, and which tells of a failure no more than that it is one.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_converted_are_used() {
    let (right, wrong) = (Authority::new("right"), Authority::new("wrong"));
    let Some(broker) = broker(&right) else {
        return;
    };
    let Identity { certificate, key } = right.identity("meter-7", 2999);
    for name in ["sim7080", "sim7000"] {
        let profile = Profile::by_name(name).expect("it is in the crate");
        let module = Module::start(profile.instant(), broker.address());
        let shown = Shown::default();
        let modem = module.modem_with(shown.settings()).await;
        let uploads = || shown.uploads();
        let mutual =
            |context, ca: &Authority| Tls::verified(context, ca.pem()).client(&certificate, &key);

        works(&modem, options("broker.example", mutual(1, &right))).await;
        assert_eq!(
            uploads(),
            ["atmq_ca_1.pem", "atmq_cert_1.pem", "atmq_key_1.pem"]
        );
        works(&modem, options("broker.example", mutual(1, &right))).await;
        assert_eq!(uploads(), [""; 0]);
        for (host, tls) in [
            ("broker.example", mutual(2, &wrong)),
            ("other.example", mutual(1, &right)),
            // In TLS 1.3 a broker refuses only after the client has opened.
            (
                "broker.example",
                Tls::unverified(0).version(TlsVersion::V1_2),
            ),
        ] {
            let error = fails(&modem, options(host, tls)).await;
            let refused = matches!(error, ConnectError::NotAccepted { .. });
            assert!(refused, "{error:?}");
        }
        works(&modem, options("broker.example", mutual(5, &right))).await;
        // Without TLS the broker hears nothing that it understands.
        let plain = ConnectOptions::new("broker.example", 8883, "meter-7");
        fails(&modem, plain).await;
    }
}
