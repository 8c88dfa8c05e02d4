//! The rate of a host on a real pseudo terminal.

use std::time::Duration;

use atmq_emulator::{Emulator, Profile, Pty};
use serialport::SerialPort;

/// Longer than the module needs to answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends, and hears as many bytes as are expected.
fn ask(port: &mut dyn SerialPort, command: &[u8], expected: &[u8]) {
    port.write_all(command).expect("a port");
    let mut heard = vec![0; expected.len()];
    port.read_exact(&mut heard).expect("an answer in time");
    assert_eq!(
        heard.escape_ascii().to_string(),
        expected.escape_ascii().to_string()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_finds_the_rate_of_a_module_that_does_not_detect_it() {
    let mut profile = Profile::nt35e().instant();
    profile.quirks.autobaud = false;
    let pty = Pty::open().expect("a pseudo terminal");
    let path = pty.path().display().to_string();
    tokio::spawn(Emulator::new(profile).serve(pty));
    let host = tokio::task::spawn_blocking(move || {
        let open = |rate| serialport::new(&path, rate).timeout(PATIENCE).open();
        // At half the rate each bit of the host is two for the module: it hears `f` for `U`, and
        // of its echo two bits are one for the host.
        let mut port = open(57_600).expect("the port opens");
        ask(&mut *port, b"U", b"\xfd");
        // What it has heard so far is no command.
        port.set_baud_rate(115_200).expect("a rate");
        ask(&mut *port, b"\rATE0\r", b"ATE0\r\nOK\r\n");
        ask(&mut *port, b"AT+IPR=9600\r", b"\r\nOK\r\n");
        port.set_baud_rate(9600).expect("a rate");
        ask(&mut *port, b"AT+CSQ\r", b"\r\n+CSQ: 29,0\r\n\r\nOK\r\n");
    });
    host.await.expect("the host is content");
}
