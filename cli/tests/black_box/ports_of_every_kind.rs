//! `--port`, by whatever name a module is reached.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Duration;

use rustix::termios::{ControlModes, tcgetattr};
use tempfile::tempdir;

use crate::harness::{CLOSED_PORT, Emulator, Finished, Running, argument, atmq};

#[test]
fn a_tcp_peer_has_two_names() {
    let mut module = Running::start(["emulate", "--instant", "--listen", "127.0.0.1:0"]);
    let ready = module.line();
    let address = ready.strip_prefix("ready tcp=").unwrap();
    for scheme in ["tcp", "socket"] {
        let port = format!("{scheme}://{address}");
        assert_eq!(atmq(["at", "--port", &port, "AT"]).succeeds(), b"OK\n");
    }
    // What listens there is no bridge.
    let bridge = format!("rfc2217://{address}");
    let failed = atmq(["at", "--port", &bridge, "AT"]).fails(3);
    failed.saying(&["cannot connect to", "RFC 2217"]);
}

#[test]
fn a_name_of_another_kind_is_misused() {
    for name in ["telnet://h:1", "rfc2217://h", "socket://:1", "tcp://h:x"] {
        let complaint = atmq(["at", "--port", name, "AT"]).is_misused();
        assert!(complaint.contains("--port <DEVICE>"), "{complaint}");
    }
}

#[test]
fn flow_control_is_set_as_asked_for() {
    let module = Emulator::start(["--seed", "1"]);
    let pty = module.ready("pty");
    for (options, wanted) in [(&["--rtscts", "AT"][..], true), (&["AT"], false)] {
        assert_eq!(module.atmq("at", options).succeeds(), b"OK\n");
        let host = File::options().read(true).write(true).open(pty).unwrap();
        let modes = tcgetattr(&host).unwrap().control_modes;
        assert_eq!(modes.contains(ControlModes::CRTSCTS), wanted, "{options:?}");
    }
}

#[test]
fn a_port_that_is_not_there_yet_is_waited_for() {
    let directory = tempdir().unwrap();
    let late = directory.path().join("late");
    let module = Emulator::start(["--seed", "1"]);
    let port = argument(&late);
    // Unless it is asked for.
    atmq(["at", "--port", &port, "AT"]).fails(3);
    let host = Running::start(["at", "--port", &port, "--wait-for-port", "60", "AT"]);
    let pty = module.ready("pty").to_owned();
    let plugged = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        symlink(pty, late).unwrap();
    });
    assert_eq!(host.succeeds(), b"OK\n");
    plugged.join().unwrap();
    fs::remove_file(&port).unwrap();
    for missing in [&port, &format!("tcp://{CLOSED_PORT}")] {
        let waits = ["--wait-for-port", "0.3", "AT"];
        let mut waiting = atmq(["at", "--port", missing]);
        waiting.args(waits).fails(3).without_output();
    }
}
