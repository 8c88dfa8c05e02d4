//! TLS between module and broker: mosquitto with a CA of the test.

use std::fs;

use atmq_tests::authority::Authority;
use atmq_tests::mosquitto::Mosquitto;

use crate::harness::{Emulator, Finished, argument, atmq};

#[test]
fn a_broker_is_verified_or_not_as_asked_for() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = |name: &str| argument(&directory.path().join(name));
    let authority = Authority::new("ca");
    let broker = authority.identity("broker.example", 2090);
    for (name, pem) in [
        ("ca.pem", authority.pem()),
        ("other.pem", Authority::new("other").pem()),
        ("broker.pem", broker.certificate),
        ("broker.key", broker.key),
    ] {
        fs::write(file(name), pem).expect("a file can be written");
    }
    let (cert, key) = (file("broker.pem"), file("broker.key"));
    let Some(broker) = Mosquitto::start_with(|_| format!("certfile {cert}\nkeyfile {key}")) else {
        return;
    };
    let module = Emulator::mapped_to(broker.address());
    let publish = |tls: &[&str]| {
        let message = ["-h", "broker.example", "-t", "t", "-q", "1", "-m", "m"];
        module.atmq("pub", message.iter().chain(tls))
    };
    publish(&["--cafile", &file("ca.pem")]).succeeds();
    publish(&["--insecure"]).succeeds();
    let failed = publish(&["--cafile", &file("other.pem")]).fails(3);
    failed.without_output().saying(&["TLS", "--cafile"]);
    for (tls, code, words) in [
        (&["--cafile", &file("broker.key")][..], 2, "no certificate"),
        (&["--cafile", &file("none.pem")], 3, "cannot read"),
        (&["--cert", &file("ca.pem")], 2, "--insecure"),
        (
            &["--insecure", "--cert", &file("ca.pem")],
            2,
            "--cert and --key",
        ),
    ] {
        publish(tls).fails(code).without_output().saying(&[words]);
    }
    // What is in a file is looked at before the port is, and the file is named.
    let (ca, key) = (file("ca.pem"), file("broker.key"));
    for (tls, named) in [
        (vec!["--cafile", &key], format!("--cafile is {key}")),
        (
            vec!["--cafile", &ca, "--cert", &ca, "--key", &ca],
            format!("--key is {ca}"),
        ),
    ] {
        let mut published = atmq(["pub", "--port", "/nonexistent", "-t", "t", "-n"]);
        let failed = published.args(tls).fails(2).without_output();
        failed.saying(&[&named]);
    }
    let both = [
        "pub",
        "--port",
        "p",
        "-t",
        "t",
        "-n",
        "--insecure",
        "--cafile",
        "f",
    ];
    atmq(both).is_misused();
}
