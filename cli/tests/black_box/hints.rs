//! What to try next, where something has failed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use tempfile::tempdir;

use crate::harness::{
    CLOSED_PORT, Emulator, Finished, PATIENCE, Signal, argument, atmq, module_at, text,
};

/// A broker that answers every CONNECT with this code.
fn refusing(code: u8) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = listener.local_addr().expect("it listens").to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 512]);
            let _ = client.write_all(&[0x20, 2, 0, code]);
        }
    });
    address
}

#[test]
fn a_refusal_says_what_to_change() {
    for (code, hint) in [
        (1, "-V chooses another version"),
        (2, "check -i"),
        (3, "try again later"),
        (5, "check -u, -P and -i"),
    ] {
        let module = module_at(&refusing(code));
        let failed = module.atmq("pub", ["-t", "t", "-n"]).fails(1);
        failed.without_output().saying(&[hint]);
    }
}

#[test]
fn without_a_sim_or_a_network_the_doctor_is_named() {
    let directory = tempdir().expect("a temporary directory can be made");
    let socket = argument(&directory.path().join("control"));
    let module = Emulator::start(["--broker", "embedded", "--control", &socket]);
    for words in ["sim out", "registration searching"] {
        atmq(["control", &socket, words]).assert().success();
        let failed = module.atmq("pub", ["-t", "t", "-n"]).fails(3);
        failed.without_output().saying(&["SIM", "atmq doctor"]);
        atmq(["control", &socket, "sim in"]).assert().success();
    }
}

#[test]
fn a_client_id_that_is_taken_over_again_and_again_is_suspected() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.publish(&Publish::new("a", "hello").retain());
    let mut subscriber = module.spawn("sub", ["-t", "a", "-i", "twin", "--reconnect"]);
    for _ in 0..3 {
        subscriber.prints("hello\n");
        let mut twin = RawClient::connect(module.broker(), &Connect::new("twin"));
        twin.expect_closed();
    }
    subscriber.prints("hello\n");
    subscriber.signal(Signal::INT);
    let told = subscriber.ends_telling();
    let suspected = "does another client use the same client id (twin)? -i gives another";
    assert_eq!(told.matches(suspected).count(), 1, "{told}");
}

#[test]
fn no_line_has_a_rate_of_0() {
    for command in ["at", "emulate"] {
        let complaint = atmq([command, "--port", "p", "--baud", "0"]).is_misused();
        assert!(complaint.contains("--baud"), "{complaint}");
    }
}

#[test]
fn the_demo_names_no_option_that_it_lacks_and_is_quiet_when_told() {
    let failed = atmq(["demo", "--quiet", "--broker", CLOSED_PORT]).fails(3);
    let failed = failed.without_output().saying(&["check --broker"]);
    assert!(!failed.line.contains("-h"), "{}", failed.line);
    assert_eq!(atmq(["demo", "--quiet"]).succeeds(), b"");
}

#[test]
fn a_broker_that_closes_the_link_may_expect_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = listener.local_addr().expect("it listens").to_string();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 512]);
        }
    });
    let module = module_at(&address);
    let failed = module.atmq("pub", ["-t", "t", "-n"]).fails(3);
    failed
        .without_output()
        .saying(&["link was lost", "--cafile"]);
}

#[test]
fn what_belongs_to_the_broker_is_not_taken_for_something_else() {
    let failed = atmq(["pub", "--port", "1883", "-t", "t", "-n"]).fails(3);
    let failed = failed.without_output().saying(&["-p", "--port"]);
    assert!(!failed.line.contains("atmq ports"), "{}", failed.line);
    for (host, instead) in [
        ("broker.example:1884", "-h HOST -p 1884"),
        ("mqtt://broker.example", "-L"),
    ] {
        let complaint = atmq(["pub", "--port", "p", "-t", "t", "-n", "-h", host]).is_misused();
        assert!(complaint.contains(instead), "{complaint}");
    }
    // An address of IPv6 has colons, too.
    let named = [
        "pub",
        "--port",
        "/nonexistent",
        "-t",
        "t",
        "-n",
        "-h",
        "::1",
    ];
    atmq(named).fails(3).saying(&["/nonexistent"]);
    let mut without_name = atmq(["pub", "--port", "p", "-t", "t", "-n", "-P", "secret"]);
    let failed = without_name.fails(2).saying(&["give -u"]);
    assert!(!failed.line.contains("secret"), "{}", failed.line);
}

#[test]
fn a_port_that_is_lost_during_a_publish_names_the_line_and_ends_with_3() {
    let directory = tempdir().expect("a temporary directory can be made");
    let socket = argument(&directory.path().join("control"));
    let module = Emulator::start(["--broker", "embedded", "--control", &socket]);
    let fault = ["control", &socket, "lose-urc", "LMQTTPUB"];
    atmq(fault).assert().success();
    let mut published = module.atmq("pub", ["-t", "t", "-l", "-q", "1"]);
    let failed = thread::scope(|scope| {
        let published = scope.spawn(move || published.write_stdin("one\n").fails(3));
        // The module has taken the message when the fault has happened.
        let began = Instant::now();
        while text(&atmq(["control", &socket, "faults"]).succeeds()).contains("LMQTTPUB") {
            assert!(began.elapsed() < PATIENCE, "the message is not published");
        }
        atmq(["control", &socket, "quit"]).assert().success();
        published.join().expect("it does not panic")
    });
    failed.saying(&["line 1: ", "not known", "may have arrived"]);
}

#[test]
fn the_doctor_does_not_send_anybody_to_the_doctor() {
    let module = Emulator::start(["--profile=nt35e"]);
    let (host, port) = CLOSED_PORT.split_once(':').expect("it has a port");
    let mut doctor = module.atmq("doctor", ["-h", host, "-p", port]);
    let seen = doctor.assert().code(1).get_output().stdout.clone();
    let seen = String::from_utf8_lossy(&seen);
    assert!(seen.contains("takes no connection; check -h"), "{seen}");
    assert!(!seen.contains("atmq doctor"), "{seen}");
    let named = ["doctor", "--port", "p", "--wait", "1", "--apn", "a\"b"];
    let complaint = atmq(named).is_misused();
    assert!(complaint.contains("letters, digits"), "{complaint}");
}
