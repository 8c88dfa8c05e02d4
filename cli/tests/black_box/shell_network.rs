//! `atmq shell` at a peer of the network that goes and comes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{AtTerminal, PATIENCE};

/// An outage is longer than the shell waits before it tries for the first time.
const OUTAGE: Duration = Duration::from_millis(1200);

/// The next host that connects.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).expect("it need not block");
    let deadline = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("it may block");
                stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                assert!(Instant::now() < deadline, "nobody connects");
                sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("nobody can connect: {error}"),
        }
    }
}

#[test]
fn a_peer_that_goes_and_comes_is_connected_to_again_by_itself() {
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let address = listener.local_addr().expect("it listens");
    let port = format!("tcp://{address}");
    let arguments = ["shell", "--port", &port, "--dialect", "lmqtt"];
    let mut shell = AtTerminal::start(&arguments, home.path());
    let mut peer = accept(&listener);
    // Who connects now is refused.
    drop(listener);
    shell.shows("is open; /help helps");
    for round in 1..=2 {
        // In the middle of a line.
        shell.types("AT+CS");
        shell.is_typing("> AT+CS");
        drop(peer);
        shell.shows_times("it is opened again once it is back", round);
        sleep(OUTAGE);
        let listener = TcpListener::bind(address).expect("the port is free");
        peer = accept(&listener);
        shell.shows_times("is open again", round);
        shell.is_typing("> AT+CS");
        shell.enters("Q");
        let mut command = [0; 7];
        peer.read_exact(&mut command).expect("the command comes");
        assert_eq!(&command, b"AT+CSQ\r");
        peer.write_all(b"\r\n+CSQ: 29,0\r\n\r\nOK\r\n")
            .expect("it takes the answer");
        shell.shows_times("+CSQ: 29,0", round);
        shell.is_typing("> ");
    }
    // That it was refused meanwhile is not told.
    let screen = shell.screen();
    assert!(!screen.contains("cannot connect"), "{screen}");
    shell.types("\x04");
    shell.ends(0);
}

#[test]
fn a_peer_that_hangs_up_at_once_is_tried_less_and_less_often() {
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
    let port = format!("tcp://{}", listener.local_addr().expect("it listens"));
    let arguments = ["shell", "--port", &port, "--dialect", "lmqtt"];
    let mut shell = AtTerminal::start(&arguments, home.path());
    drop(accept(&listener));
    let mut pauses = Vec::new();
    for round in 1..=3 {
        let lost = Instant::now();
        shell.shows_times("it is opened again once it is back", round);
        drop(accept(&listener));
        pauses.push(lost.elapsed());
    }
    // 1, 2 and 4 s.
    assert!(
        pauses.is_sorted() && pauses[2] > 2 * pauses[0],
        "{pauses:?}"
    );
    shell.shows_times("it is opened again once it is back", 4);
    shell.types("\x04");
    shell.ends(0);
}
