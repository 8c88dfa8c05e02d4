//! However it ends, and whatever its streams and limits are, the program says so in a line and with
//! its own exit code: it never panics, hangs or is killed.

mod terminal;

use std::fs::{self, File};
use std::io::{ErrorKind, PipeWriter, Read as _, Write as _, pipe};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use rustix::process::{Pid, kill_process};
use tempfile::tempdir;

use crate::harness::{
    Emulator, Finished, PATIENCE, Running, Signal, argument, atmq, broker, module_at, program, text,
};

/// Signals that tell the program to end.
const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// The program under a limit of the shell, such as `ulimit -v 1000000`.
fn limited(limit: &str, arguments: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{limit} && exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(cargo_bin!("atmq"));
    shell.args(arguments).env("ATMQ_CONFIG", "/dev/null");
    shell.env_remove("ATMQ_LOG").stdin(Stdio::null());
    shell
}

/// Starts a program whose standard error can be read once it has ended.
fn start(command: &mut Command) -> Child {
    let started = command.stderr(Stdio::piped()).spawn();
    started.expect("the program can be started")
}

fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).expect("it has not been waited for");
}

/// Waits for the end of a program. Returns its exit code, `None` if a signal has killed it, and what
/// it said on standard error.
#[track_caller]
fn ended(mut process: Child) -> (Option<i32>, String) {
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = process.try_wait().expect("it is a child") {
            break status;
        }
        if Instant::now() >= deadline {
            let _ = process.kill();
            let _ = process.wait();
            panic!("the program does not end");
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut told = Vec::new();
    if let Some(mut stderr) = process.stderr.take() {
        stderr.read_to_end(&mut told).expect("it can be read");
    }
    (status.code(), text(&told))
}

/// Fills a pipe, so that whoever writes to it next must wait for a reader.
fn fill(mut pipe: &PipeWriter) {
    rustix::io::ioctl_fionbio(pipe, true).expect("a pipe can be made non-blocking");
    let chunk = [b'.'; 4096];
    let full = loop {
        if let Err(error) = pipe.write(&chunk) {
            break error;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    // There may be room for less.
    while pipe.write(b".").is_ok() {}
    rustix::io::ioctl_fionbio(pipe, false).expect("a pipe can be made blocking");
}

/// Waits until this is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_line_that_cannot_be_told_does_not_change_how_it_ends() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = program();
    command.args(["at", "--port", "/nonexistent", "AT"]);
    let ended = command.stderr(full()).status().unwrap();
    assert_eq!(ended.code(), Some(3));
    for arguments in [&["explain", "STATS"][..], &["--help"], &["--version"]] {
        let (code, told) = ended_with_stdout(arguments, full());
        assert_eq!(code, Some(3), "{arguments:?}: {told}");
        assert!(told.contains("cannot write to standard output"), "{told}");
    }
}

fn ended_with_stdout(arguments: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    ended(start(program().args(arguments).stdout(stdout)))
}

#[test]
fn a_connection_is_kept_although_nobody_can_be_told_of_it() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.publish(&Publish::new("a", "hello").retain());
    let (mut reader, writer) = pipe().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = program();
    command.args([
        "sub",
        "--port",
        module.port(),
        "-t",
        "a",
        "-i",
        "twin",
        "--reconnect",
    ]);
    let process = command.stdout(writer).stderr(full).spawn().unwrap();
    drop(command);
    let mut heard = [0; 6];
    reader.read_exact(&mut heard).unwrap();
    let mut twin = RawClient::connect(module.broker(), &Connect::new("twin"));
    twin.expect_closed();
    // The connection is back: the broker sends again what it retains.
    reader.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"hello\n");
    signal(&process, Signal::TERM);
    assert_eq!(ended(process).0, Some(0));
}

#[test]
fn a_subscriber_whose_output_nobody_reads_ends_at_each_signal() {
    let directory = tempdir().unwrap();
    let control = argument(&directory.path().join("control"));
    let module = Emulator::start(["--broker", "embedded", "--control", &control]);
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("will", 0)]);
    other.publish(&Publish::new("a", "hello").retain());
    let mut received = 0;
    for way in [&[][..], &["--reconnect"]] {
        for sent in SIGNALS {
            let (_reader, writer) = pipe().unwrap();
            fill(&writer);
            let mut command = program();
            command.args(["sub", "--port", module.port(), "-t", "a"]);
            command.args(["--will-topic", "will"]).args(way);
            let process = start(command.stdout(writer));
            received += 1;
            let expected = format!("\"received\":{received},");
            until("the message has come", || {
                let status = atmq(["control", &control, "status", "--json"]).succeeds();
                text(&status).contains(&expected)
            });
            signal(&process, sent);
            let (code, told) = ended(process);
            assert_eq!((code, &told[..]), (Some(0), ""), "{way:?} {sent:?}");
        }
    }
    // It has disconnected each time: no will came.
    other.expect_nothing();
}

/// The ways of `sub` and `pub` to connect, with which they do not end by themselves.
const CONNECTING: [&[&str]; 4] = [
    &["sub", "-t", "a"],
    &["sub", "-t", "a", "-E"],
    &["sub", "-t", "a", "--reconnect"],
    &[
        "pub",
        "-t",
        "a",
        "-m",
        "m",
        "--repeat=2",
        "--repeat-delay=1000",
    ],
];

#[test]
fn a_signal_while_the_module_is_opened_is_an_exit_code_and_a_line() {
    for arguments in CONNECTING {
        for sent in SIGNALS {
            // It never answers.
            let module = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = format!("tcp://{}", module.local_addr().unwrap());
            let process = start(program().args(arguments).args(["--port", &port]));
            let (mut host, _) = module.accept().unwrap();
            host.set_read_timeout(Some(PATIENCE)).unwrap();
            host.read_exact(&mut [0]).expect("it is spoken to");
            signal(&process, sent);
            let (code, told) = ended(process);
            let expected = "atmq: stopped before the connection was made\n";
            assert_eq!((code, &told[..]), (Some(130), expected), "{arguments:?}");
        }
    }
}

#[test]
fn a_signal_while_the_module_connects_leaves_no_connection() {
    for arguments in CONNECTING {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let module = module_at(&listener.local_addr().unwrap().to_string());
        let process = start(program().args(arguments).args(["--port", module.port()]));
        let (mut client, _) = listener.accept().unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut connect = [0; 2];
        client.read_exact(&mut connect).unwrap();
        let mut rest = vec![0; connect[1].into()];
        client.read_exact(&mut rest).unwrap();
        signal(&process, Signal::TERM);
        until("the signal is noticed", || !waits_for_signals(&process));
        client.write_all(&[0x20, 2, 0, 0]).unwrap();
        let (code, told) = ended(process);
        let expected = "atmq: stopped before the connection was made\n";
        assert_eq!((code, &told[..]), (Some(130), expected), "{arguments:?}");
        let mut packet = [0; 2];
        client.read_exact(&mut packet).unwrap();
        assert_eq!(packet, [0xe0, 0], "a DISCONNECT: {arguments:?}");
    }
}

#[test]
fn a_publisher_that_reads_its_payload_heeds_signals() {
    for source in [&["-s"][..], &["-f", "/dev/stdin"]] {
        let mut command = program();
        command.args(["pub", "--port", "/nonexistent", "-t", "a"]);
        let mut process = start(command.args(source).stdin(Stdio::piped()));
        let _open = process.stdin.take();
        until("signals are waited for", || waits_for_signals(&process));
        signal(&process, Signal::TERM);
        let (code, told) = ended(process);
        let expected = "atmq: stopped before the connection was made\n";
        assert_eq!((code, &told[..]), (Some(130), expected), "{source:?}");
    }
}

/// Whether a program has the thread that waits for the first signal.
fn waits_for_signals(process: &Child) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
    // A thread that has ended meanwhile has no name.
    let mut names = threads
        .flatten()
        .map(|thread| fs::read_to_string(thread.path().join("comm")));
    names.any(|name| name.is_ok_and(|name| name == "signals\n"))
}

#[test]
fn a_subscriber_stopped_before_it_is_subscribed_does_not_say_that_it_is() {
    for way in [&[][..], &["--reconnect"]] {
        for sent in [Signal::INT, Signal::TERM] {
            let (asked, subscribing) = channel();
            let module = module_at(&broker(move |_: &str| {
                let _ = asked.send(());
                None
            }));
            let mut command = program();
            command.args(["sub", "--port", module.port(), "-t", "a", "-E"]);
            let process = start(command.args(way));
            let asked = subscribing.recv_timeout(PATIENCE);
            asked.expect("the broker is asked for a subscription");
            signal(&process, sent);
            let (code, told) = ended(process);
            assert_eq!(code, Some(130), "{way:?}: {told}");
            // The module still waits for the broker, which is said in a line before.
            let expected = "atmq: stopped before all subscriptions were acknowledged\n";
            assert!(told.ends_with(expected), "{way:?}: {told}");
        }
    }
}

#[test]
fn a_monitor_whose_output_nobody_reads_passes_on_and_ends_at_each_signal() {
    let module = Emulator::start(["--broker", "embedded"]);
    for sent in SIGNALS {
        let (mut reader, writer) = pipe().unwrap();
        let mut command = program();
        command.args(["monitor", "--port", module.port()]);
        let process = start(command.stdout(writer.try_clone().unwrap()));
        let host = pty_of(&ready_line(&mut reader));
        fill(&writer);
        for _ in 0..3 {
            assert_eq!(atmq(["at", "--port", &host, "AT"]).succeeds(), b"OK\n");
        }
        signal(&process, sent);
        let (code, told) = ended(process);
        assert_eq!(code, Some(130), "{told}");
        assert!(told.contains("standard output took nothing"), "{told}");
    }
}

/// The line that says that a program is ready.
fn ready_line(reader: &mut impl std::io::Read) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        reader
            .read_exact(&mut byte)
            .expect("a ready line is printed");
        line.extend(byte);
    }
    text(&line)
}

/// Where hosts find the module, by its ready line.
#[track_caller]
fn pty_of(ready: &str) -> String {
    let mut words = ready.split_whitespace();
    let pty = words.find_map(|word| word.strip_prefix("pty="));
    pty.unwrap_or_else(|| panic!("no pty in `{ready}`"))
        .to_owned()
}

#[test]
fn a_module_whose_findings_nobody_reads_runs_on() {
    let (mut reader, writer) = pipe().unwrap();
    let mut command = program();
    command.args(["emulate", "--instant", "--lint", "--json"]);
    let process = start(command.stdout(writer.try_clone().unwrap()));
    let ready: serde_json::Value = serde_json::from_str(&ready_line(&mut reader)).unwrap();
    let host = ready["pty"].as_str().unwrap();
    fill(&writer);
    // The linter has something to say of it.
    atmq(["at", "--port", host, "AT+LMQTTCONN=0,\"x\""]).fails(1);
    assert_eq!(atmq(["at", "--port", host, "AT"]).succeeds(), b"OK\n");
    signal(&process, Signal::TERM);
    let (code, told) = ended(process);
    assert_eq!(code, Some(130), "{told}");
}

#[test]
fn a_reader_who_has_left_ends_it_quietly() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.publish(&Publish::new("a", "hello").retain());
    let port = module.port();
    let arguments: [&[&str]; 7] = [
        &["demo"],
        &["demo", "--json"],
        &["emulate"],
        &["at", "--port", port, "AT"],
        &["sub", "--port", port, "-t", "a"],
        &["sub", "--port", port, "-t", "a", "--reconnect"],
        &["pub", "--port", port, "-t", "b", "-m", "m", "--json"],
    ];
    for arguments in arguments {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let (code, told) = ended_with_stdout(arguments, writer);
        assert_eq!((code, &told[..]), (Some(141), ""), "{arguments:?}");
    }
}

#[test]
fn an_input_without_end_ends_at_its_limit() {
    let zero = "/dev/zero";
    let module = Emulator::with_broker();
    let port = module.port();
    let publish = ["pub", "--port", port, "-t", "t"];
    let inputs: [(&[&str], i32); 9] = [
        (&["-s"], 2),
        (&["-l"], 2),
        (&["-f", zero], 2),
        (&["-m", "m", "-u", "u", "--password-file", zero], 2),
        (&["-m", "m", "--cafile", zero], 2),
        (&["explain"], 2),
        (&["at", "--port", port], 2),
        (&["control", zero], 3),
        (&["emulate", "--profile", zero], 2),
    ];
    for (arguments, expected) in inputs {
        let arguments = match arguments[0].starts_with('-') {
            true => [&publish[..], arguments].concat(),
            false => arguments.to_vec(),
        };
        let mut command = limited("ulimit -v 2000000", &arguments);
        command
            .stdin(File::open(zero).unwrap())
            .stdout(Stdio::null());
        let (code, told) = ended(start(&mut command));
        assert_eq!(code, Some(expected), "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
        let names_limit = told.contains("bytes, which is the limit");
        assert!(
            names_limit || arguments[0] == "control",
            "{arguments:?}: {told}"
        );
    }
    let mut config = limited("ulimit -v 2000000", &["config"]);
    let (code, told) = ended(start(config.env("ATMQ_CONFIG", zero)));
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("more than 1048576 bytes"), "{told}");
}

#[test]
fn nothing_to_say_is_refused_at_once() {
    let directory = tempdir().unwrap();
    let path = argument(&directory.path().join("control"));
    let _module = Emulator::start(["--control", &path]);
    for nothing in ["", "  ", "# nothing"] {
        let failed = atmq(["control", &path, nothing]).fails(2);
        failed.without_output().saying(&["nothing to say"]);
    }
}

#[test]
fn a_module_without_file_descriptors_waits_for_them() {
    let arguments = ["emulate", "--instant", "--broker", "embedded"];
    let arguments = [&arguments[..], &["--listen", "127.0.0.1:0"]].concat();
    let mut command = limited("ulimit -n 40", &arguments);
    let (mut reader, writer) = pipe().unwrap();
    let process = start(command.stdout(writer));
    drop(command);
    let ready = ready_line(&mut reader);
    let address = |key: &str| {
        let mut words = ready.split_whitespace();
        let found = words.find_map(|word| word.strip_prefix(key));
        found.expect("the ready line has it").to_owned()
    };
    let clients: Vec<_> = (0..50)
        .map(|_| TcpStream::connect(address("broker=")).unwrap())
        .collect();
    let descriptors = format!("/proc/{}/fd", process.id());
    until("no descriptor is left", || {
        fs::read_dir(&descriptors).is_ok_and(|all| all.count() >= 40)
    });
    let host = TcpStream::connect(address("tcp=")).unwrap();
    (&host).write_all(b"ATE0\r").unwrap();
    drop(clients);
    host.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"OK\r\n") {
        let mut byte = [0];
        (&host).read_exact(&mut byte).expect("the module answers");
        answer.extend(byte);
    }
    signal(&process, Signal::TERM);
    let (code, told) = ended(process);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("cannot accept a connection"), "{told}");
    assert!(told.lines().count() <= 2, "{told}");
}

#[test]
fn a_recording_that_has_no_room_ends_and_the_module_does_not() {
    let directory = tempdir().unwrap();
    let [file, host] = ["a.pcapng", "module"].map(|name| argument(&directory.path().join(name)));
    let arguments = ["emulate", "--instant", "--link", &host, "--record", &file];
    // A block is 512 bytes, or 1024.
    let mut command = limited("ulimit -f 4", &arguments);
    let (mut reader, writer) = pipe().unwrap();
    let process = start(command.stdout(writer));
    drop(command);
    ready_line(&mut reader);
    for _ in 0..3 {
        let commands = ["AT+CGMM"; 20];
        let mut host = atmq(["at", "--port", &host]);
        host.args(commands).succeeds();
    }
    signal(&process, Signal::TERM);
    let (code, told) = ended(process);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("cannot record to"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    // What is there is whole, but for its end mark.
    let shown = atmq(["replay", &file]).output().unwrap();
    assert_eq!(
        text(&shown.stderr),
        "atmq: the recording was cut here: it has no end mark\n"
    );
    assert_eq!(shown.status.code(), Some(0));
}
