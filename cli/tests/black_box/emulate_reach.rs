//! The ways in which hosts reach `atmq emulate`, beside a pseudo terminal and a listener.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::harness::{
    CLOSED_PORT, Finished, PATIENCE, Running, Signal, argument, atmq, program, text,
};

/// Between two looks at something that cannot be waited for.
const PAUSE: Duration = Duration::from_millis(2);

/// A line of a host to the module.
trait Line: Read + Write + AsFd + Sized {
    /// Says this, and hears exactly that.
    #[track_caller]
    fn asks(&mut self, question: &str, answer: &str) {
        self.write_all(question.as_bytes())
            .expect("the module listens");
        self.hears(answer);
    }

    /// Hears exactly this.
    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut heard = Vec::new();
        while heard.len() < expected.len() && speaks(&*self) {
            let mut rest = vec![0; expected.len() - heard.len()];
            let length = self.read(&mut rest).expect("the module is there");
            assert_ne!(length, 0, "the module has gone");
            heard.extend_from_slice(&rest[..length]);
        }
        let (heard, expected) = (heard.escape_ascii(), expected.as_bytes().escape_ascii());
        assert_eq!(heard.to_string(), expected.to_string());
    }
}

impl Line for TcpStream {}
impl Line for File {}

/// Waits for something to read; `false` if there is nothing in time.
fn speaks(line: &impl AsFd) -> bool {
    let patience = Timespec::try_from(PATIENCE).expect("it is short");
    let mut line = [PollFd::new(line, PollFlags::IN)];
    poll(&mut line, Some(&patience)).expect("it can be waited for") > 0
}

/// A pseudo terminal: the side of whoever made it, and the path of the other.
fn pty() -> (OwnedFd, PathBuf) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
        .expect("a pseudo terminal can be had");
    grantpt(&master).expect("it can be granted");
    unlockpt(&master).expect("it can be unlocked");
    let path = ptsname(&master, Vec::new()).expect("it has a name");
    (master, path.into_string().expect("the name is text").into())
}

/// Opens the other side, in raw mode if it is to be a line as it is.
fn slave(path: &std::path::Path, raw: bool) -> OwnedFd {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(path, flags, Mode::empty()).expect("it can be opened");
    if raw {
        let mut termios = tcgetattr(&slave).expect("it is a terminal");
        termios.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &termios).expect("it takes raw mode");
    }
    slave
}

/// A simulator that waits for a UART to connect, as Renode's server socket does.
fn simulator() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    (listener, address)
}

fn accept(listener: &TcpListener) -> TcpStream {
    assert!(speaks(listener), "the module does not dial");
    let (stream, _) = listener.accept().expect("the module dials");
    stream
}

/// The program with streams of its own. Killed on drop.
struct Started(Child);

impl Started {
    fn new(program: &mut Command) -> Self {
        Self(program.spawn().expect("the program can be started"))
    }

    fn terminate(&self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it runs");
    }

    /// It ends. Returns its exit code, and what is left in the pipes that it was given.
    #[track_caller]
    fn end(&mut self) -> (Option<i32>, String, String) {
        let rest = |pipe: Option<&mut dyn Read>| {
            let mut rest = String::new();
            if let Some(pipe) = pipe {
                pipe.read_to_string(&mut rest).expect("it prints text");
            }
            rest
        };
        let stdout = rest(self.0.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
        let stderr = rest(self.0.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.0.try_wait().expect("it is a child") {
                Some(status) => return (status.code(), stdout, stderr),
                None if Instant::now() < deadline => thread::sleep(PAUSE),
                None => panic!("the program does not end"),
            }
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Both fail only if it has been waited for already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_simulator_is_dialled_and_dialled_again_when_it_has_gone() {
    let (listener, address) = simulator();
    let mut running = Running::start(["emulate", "--instant", "--connect", &address]);
    assert_eq!(running.line(), format!("ready connect={address}"));
    let mut uart = accept(&listener);
    uart.asks("AT+CMEE=2\r", "AT+CMEE=2\r\nOK\r\n");
    drop(uart);
    // The module has not been without power meanwhile.
    let mut uart = accept(&listener);
    uart.asks("AT+CMEE?\r", "AT+CMEE?\r\n+CMEE: 2\r\n\r\nOK\r\n");
    running.signal(Signal::TERM);
    assert_eq!(uart.read(&mut [0; 1]).expect("it is closed in order"), 0);
}

/// A module that listens, and its address.
fn listening() -> (Running, String) {
    let mut running = Running::start(["emulate", "--listen", "127.0.0.1:0"]);
    let ready = running.line();
    let address = ready.strip_prefix("ready tcp=").expect("it listens");
    let address = address.to_owned();
    (running, address)
}

#[test]
fn a_host_that_has_nothing_more_to_say_over_tcp_is_answered() {
    let (running, address) = listening();
    for _ in 0..2 {
        let mut host = TcpStream::connect(&address).expect("it listens");
        host.write_all(b"ATE0+CGMM;+CGMI\r").expect("it is read");
        host.shutdown(Shutdown::Write).expect("half can be closed");
        let mut heard = String::new();
        host.read_to_string(&mut heard).expect("it is text");
        assert!(heard.ends_with("\r\nOK\r\n"), "{heard:?}");
    }
    running.signal(Signal::TERM);
}

#[test]
fn a_host_over_tcp_does_not_hear_what_the_last_one_asked() {
    let (running, address) = listening();
    for _ in 0..3 {
        let mut host = TcpStream::connect(&address).expect("it listens");
        host.write_all(b"AT+CGMM;+CGMI;+CSQ\r").expect("it is read");
        drop(host);
        let mut next = TcpStream::connect(&address).expect("it listens");
        next.asks("ATE1\r", "ATE1\r\nOK\r\n");
    }
    running.signal(Signal::TERM);
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_said_while_nobody_has_the_pseudo_terminal_open_is_gone() {
    let mut running = Running::start(["emulate"]);
    let ready = running.line();
    let path = PathBuf::from(ready.strip_prefix("ready pty=").expect("it has one"));
    for _ in 0..3 {
        let mut host = File::from(slave(&path, false));
        host.write_all(b"AT+CGMM;+CGMI;+CSQ\r").expect("it is read");
        drop(host);
        // The answer is on the line for a few milliseconds.
        thread::sleep(Duration::from_millis(500));
        let mut host = File::from(slave(&path, false));
        host.asks("ATE1\r", "ATE1\r\nOK\r\n");
    }
    running.signal(Signal::TERM);
}

#[test]
fn a_simulator_that_starts_later_is_waited_for_and_told_of_once() {
    // A port that is bound and not listened on is refused, and is nobody else's.
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .expect("a socket can be made");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&socket, &any).expect("there is a free port");
    let bound = rustix::net::getsockname(&socket).expect("it is bound");
    let bound = std::net::SocketAddr::try_from(bound).expect("it is an address");
    let address = bound.to_string();
    let mut module = program();
    let module = module
        .args(["emulate", "--instant", "--connect", &address])
        .stderr(Stdio::piped());
    let mut module = Started::new(module.stdout(Stdio::null()));
    let stderr = module.0.stderr.take().expect("it is a pipe");
    let mut told = BufReader::new(stderr).lines();
    let mut told = move || told.next().map(|line| line.expect("it is text"));
    let waiting = format!("atmq: cannot connect to {address} yet: ");
    assert!(told().is_some_and(|line| line.starts_with(&waiting)));
    rustix::net::listen(&socket, 1).expect("it can listen now");
    let listener = TcpListener::from(socket);
    let mut uart = accept(&listener);
    uart.asks("AT\r", "AT\r\nOK\r\n");
    module.terminate();
    assert_eq!(module.end().0, Some(0));
    assert_eq!(told(), Some(format!("atmq: connected to {address}")));
    assert_eq!(told(), None);
}

#[test]
fn once_is_one_host_and_no_second_attempt() {
    let (listener, address) = simulator();
    let mut running = Running::start(["emulate", "--instant", "--once", "--connect", &address]);
    let mut uart = accept(&listener);
    assert_eq!(running.line(), format!("ready connect={address}"));
    uart.asks("AT\r", "AT\r\nOK\r\n");
    drop(uart);
    running.succeeds();
    atmq(["emulate", "--once", "--connect", CLOSED_PORT])
        .fails(3)
        .without_output()
        .saying(&["cannot connect to", CLOSED_PORT, "leave out --once"]);

    let mut running = Running::start(["emulate", "--instant", "--once", "--listen", "127.0.0.1:0"]);
    let ready = running.line();
    let address = ready.strip_prefix("ready tcp=").expect("it has an address");
    let mut host = TcpStream::connect(address).expect("it listens");
    host.asks("AT\r", "AT\r\nOK\r\n");
    drop(host);
    running.succeeds();
}

#[test]
fn a_link_can_be_had_beside_the_simulator() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let link = argument(&directory.path().join("module"));
    let (listener, address) = simulator();
    let mut running = Running::start([
        "emulate",
        "--instant",
        "--connect",
        &address,
        "--link",
        &link,
    ]);
    assert!(
        running
            .line()
            .ends_with(&format!("link={link} connect={address}"))
    );
    let mut uart = accept(&listener);
    assert_eq!(
        text(&atmq(["at", "--port", &link, "ATE0"]).succeeds()),
        "OK\n"
    );
    uart.hears("ATE0\r\nOK\r\n");
    uart.asks("AT\r", "\r\nOK\r\n");
    running.signal(Signal::TERM);
    running.succeeds();
    assert!(!directory.path().join("module").exists());
}

#[test]
fn the_program_is_the_modem_of_what_is_wired_to_a_serial_device() {
    let (board, path) = pty();
    let device = argument(&path);
    let slave = slave(&path, true);
    let mut running = Running::start(["emulate", "--instant", "--port", &device, "--baud", "9600"]);
    assert_eq!(running.line(), format!("ready port={device}"));
    let rate = || {
        let termios = tcgetattr(&slave).expect("it is a terminal");
        termios.output_speed()
    };
    assert_eq!(rate(), 9600);
    let mut board = File::from(board);
    board.asks("AT+IPR?\r", "AT+IPR?\r\n+IPR: 9600\r\n\r\nOK\r\n");
    board.asks("AT+IPR=460800\r", "AT+IPR=460800\r\nOK\r\n");
    let deadline = Instant::now() + PATIENCE;
    while rate() != 460_800 {
        assert!(Instant::now() < deadline, "the rate is still {}", rate());
        thread::sleep(PAUSE);
    }
    board.asks("AT\r", "AT\r\nOK\r\n");
    running.signal(Signal::TERM);
    running.succeeds();
}

#[test]
fn a_serial_device_that_is_lost_ends_the_module() {
    let (board, path) = pty();
    let slave = slave(&path, true);
    let mut running = Running::start(["emulate", "--port", &argument(&path)]);
    running.line();
    drop((board, slave));
    running
        .fails(3)
        .saying(&[&argument(&path), "is lost", "plugged in"]);
}

#[test]
fn a_serial_device_that_cannot_be_opened_is_told_in_one_line() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").expect("a file can be written");
    for (device, hint) in [
        ("/dev/nonexistent", "`atmq ports` lists"),
        (&argument(&file), "is it a serial device"),
        (&argument(directory.path()), "is it a serial device"),
    ] {
        atmq(["emulate", "--port", device])
            .fails(3)
            .without_output()
            .saying(&["cannot open", device, hint]);
    }
    let (_board, path) = pty();
    let device = argument(&path);
    let mut first = Running::start(["emulate", "--port", &device]);
    first.line();
    atmq(["emulate", "--port", &device])
        .fails(3)
        .without_output()
        .saying(&["cannot open", &device, "another program has it open"]);
}

#[test]
fn standard_input_and_output_are_the_line_and_nothing_else_is_printed() {
    for json in [false, true] {
        let mut module = program();
        module.args([
            "emulate",
            "--stdio",
            "--instant",
            "--broker",
            "embedded",
            "--lint",
        ]);
        if json {
            module.arg("--json");
        }
        let module = module.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut module = Started::new(module.stderr(Stdio::piped()));
        let mut stdin = module.0.stdin.take().expect("it is a pipe");
        stdin.write_all(b"AT\r\nATE0\r").expect("it is read");
        drop(stdin);
        let (code, stdout, stderr) = module.end();
        assert_eq!(code, Some(0), "{stderr}");
        assert_eq!(stdout, "AT\r\nOK\r\nATE0\r\nOK\r\n");
        let ready = if json {
            r#"{"broker":"127.0.0.1:"#
        } else {
            "ready stdio=true broker=127.0.0.1:"
        };
        assert!(stderr.starts_with(ready), "{stderr}");
    }
}

#[test]
fn what_is_being_executed_when_standard_input_ends_is_answered() {
    let mut module = program();
    let module = module.args(["emulate", "--stdio"]).stdin(Stdio::piped());
    let module = module.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut module = Started::new(module);
    let mut stdin = module.0.stdin.take().expect("it is a pipe");
    let commands = b"AT+CGMM;+CGMI\rATE0\rAT\r";
    stdin.write_all(commands).expect("it is read");
    drop(stdin);
    let (code, stdout, _) = module.end();
    assert_eq!(code, Some(0));
    assert!(stdout.ends_with("ATE0\r\nOK\r\n\r\nOK\r\n"), "{stdout:?}");
}

#[test]
fn a_test_runner_gives_one_end_of_a_pseudo_terminal_as_all_three_streams() {
    let (master, path) = pty();
    // It is in the mode in which the system makes it: with echo, and line by line.
    let slave = slave(&path, false);
    let stream = || Stdio::from(master.try_clone().expect("it can be shared"));
    let mut module = program();
    let module = module.args(["emulate", "--stdio", "--instant", "--lint"]);
    let module = module.stdin(stream()).stdout(stream()).stderr(stream());
    let mut module = Started::new(module);
    // The runner opens the other end as a serial device.
    let deadline = Instant::now() + PATIENCE;
    while tcgetattr(slave.as_fd())
        .expect("it is a terminal")
        .local_modes
        .contains(LocalModes::ECHO)
    {
        assert!(Instant::now() < deadline, "the terminal still echoes");
        thread::sleep(PAUSE);
    }
    let mut host = File::from(slave);
    host.asks("AT\r", "AT\r\nOK\r\n");
    // Neither the ready line nor what the linter finds is on the line, and no byte is a signal.
    let termios = tcgetattr(&host).expect("it is a terminal");
    let not_raw = LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
    assert!(!termios.local_modes.intersects(not_raw), "{termios:?}");
    host.asks("AT+CSQ?\r", "AT+CSQ?\r\nERROR\r\n");
    host.asks("ATE0\r", "ATE0\r\nOK\r\n");
    host.asks("AT+CGMM\r", "\r\nNT35E\r\n\r\nOK\r\n");
    module.terminate();
    assert_eq!(module.end().0, Some(0));
}

#[test]
fn what_does_not_go_together_is_told_with_a_hint() {
    for (arguments, words) in [
        (
            &["--listen", "127.0.0.1:0", "--connect", "127.0.0.1:1"][..],
            &["--listen and --connect", "--link adds"][..],
        ),
        (
            &["--port", "/dev/null", "--stdio"],
            &["--port and --stdio", "leave one out"],
        ),
        (
            &["--stdio", "--listen", "127.0.0.1:0"],
            &["--listen and --stdio"],
        ),
        (&["--once"], &["--once", "--listen or --connect"]),
        (&["--once", "--stdio"], &["--once", "--listen or --connect"]),
        (&["--baud", "9600"], &["--baud", "--port"]),
    ] {
        let arguments = ["emulate"].iter().chain(arguments);
        atmq(arguments).fails(2).without_output().saying(words);
    }
    for (arguments, word) in [
        (["--connect", "nonsense"], "write HOST:PORT"),
        (["--connect", "host:0"], "is no port"),
        (["--baud", "0"], "0 is not in"),
        (["--baud", "fast"], "invalid digit"),
    ] {
        let complaint = atmq(["emulate"].iter().chain(&arguments)).is_misused();
        assert!(complaint.contains(word), "{complaint}");
    }
}
