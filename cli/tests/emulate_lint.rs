//! `atmq emulate` from outside: the linter of hosts, and profiles from files.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use atmq_emulator::Profile;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A publish without a connection.
const PUBLISH: &[u8] = b"AT+LMQTTPUB=0,5,1,0,\"t\",1,\"a\"\r\n";

/// An emulator that listens on TCP, and the host at the other end. Killed on drop.
struct Emulator {
    process: Child,
    stdout: Lines,
    stderr: Lines,
    host: TcpStream,
}

/// The lines of a pipe, as they come.
struct Lines(Receiver<String>);

impl Lines {
    fn new(pipe: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    #[track_caller]
    fn next(&self) -> String {
        let line = self.0.recv_timeout(PATIENCE);
        line.expect("a line is printed in time")
    }

    #[track_caller]
    fn next_json(&self) -> Value {
        let line = self.next();
        serde_json::from_str(&line).expect("the line is JSON")
    }

    /// All that are left, once the program has ended.
    fn rest(&self) -> Vec<String> {
        self.0.iter().collect()
    }
}

impl Emulator {
    fn start(arguments: &[&str]) -> Self {
        let mut process = atmq()
            .args(["emulate", "--listen", "127.0.0.1:0", "--instant"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let stdout = Lines::new(process.stdout.take().expect("it is a pipe"));
        let stderr = Lines::new(process.stderr.take().expect("it is a pipe"));
        let ready = stdout.next();
        let address = match serde_json::from_str::<Value>(&ready) {
            Ok(ready) => ready["tcp"].as_str().expect("an address").to_owned(),
            Err(_) => ready.replace("ready tcp=", ""),
        };
        let host = TcpStream::connect(address).expect("it listens");
        host.set_read_timeout(Some(PATIENCE))
            .expect("it is no zero duration");
        Self {
            process,
            stdout,
            stderr,
            host,
        }
    }

    /// The host sends, and hears exactly this.
    #[track_caller]
    fn says(&mut self, bytes: &[u8], expected: &str) {
        self.host.write_all(bytes).expect("the module listens");
        let mut heard = vec![0; expected.len()];
        self.host
            .read_exact(&mut heard)
            .expect("the module answers");
        assert_eq!(
            heard.escape_ascii().to_string(),
            expected.as_bytes().escape_ascii().to_string()
        );
    }

    /// Ctrl-C. Returns the exit code.
    fn stop(&mut self) -> Option<i32> {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::INT).expect("it has not been waited for");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                return status.code();
            }
            thread::sleep(Duration::from_millis(2));
        }
        panic!("the program does not end");
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Both fail only if it has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn atmq() -> Command {
    let mut command = Command::new(cargo_bin("atmq"));
    command.env_remove("ATMQ_LOG");
    command
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = atmq().args(arguments).output().expect("it can be started");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

#[test]
fn findings_are_told_as_they_happen_and_summed_up() {
    let mut emulator = Emulator::start(&["--lint"]);
    emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
    for _ in 0..2 {
        emulator.says(PUBLISH, "\r\nERROR\r\n");
    }
    let line = emulator.stderr.next();
    assert!(line.starts_with("lint: "), "{line}");
    let (_, line) = line.split_once(" s: ").expect("there is a time");
    assert_eq!(
        line,
        "error[not-connected]: the command needs a connection that does not stand: MQTT is not \
         connected: AT+LMQTTPUB=0,5,1,0,\"t\",1,\"a\" (lmqtt.md 1.6)"
    );
    assert_eq!(emulator.stop(), Some(0));
    // The second one is the same: counted, not told.
    assert_eq!(
        emulator.stderr.rest(),
        [
            "lint: 2 errors, 0 warnings, 0 notes",
            "lint: 2 × error not-connected"
        ]
    );
    assert_eq!(emulator.stdout.rest(), [""; 0]);
}

#[test]
fn findings_can_be_read_by_programs_and_denied() {
    let mut emulator = Emulator::start(&["--lint=deny", "--json"]);
    emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
    emulator.says(
        b"AT+LMQTTCONN=0,\"id\",\"user\",\"hunter2\"\r\n",
        "\r\nERROR\r\n",
    );
    let mut finding = emulator.stdout.next_json();
    assert!(finding["ms"].take().is_f64());
    assert_eq!(
        finding,
        json!({
            "event": "finding",
            "rule": "not-connected",
            "severity": "error",
            "sentence": "the command needs a connection that does not stand",
            "detail": "the link is not open",
            "bytes": "AT+LMQTTCONN=0,\"id\",\"user\",\"***\"",
            "connection": 0,
            "ms": null,
            "reference": "lmqtt.md 1.6",
        })
    );
    assert_eq!(emulator.stop(), Some(1));
    assert_eq!(
        emulator.stdout.next_json(),
        json!({
            "event": "lint",
            "errors": 1,
            "warnings": 0,
            "notes": 0,
            "rules": { "not-connected": 1 },
        })
    );
    assert_eq!(
        emulator.stderr.rest(),
        [
            "atmq: the host breaks rules: 1 error, 0 warnings, 0 notes; `atmq explain RULE` explains each"
        ]
    );
}

#[test]
fn a_note_is_not_denied() {
    let mut emulator = Emulator::start(&["--lint=deny"]);
    emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
    for _ in 0..2 {
        emulator.says(b"AT+LMQTTCLOSE=0\r\n", "\r\nERROR\r\n");
    }
    let line = emulator.stderr.next();
    assert!(line.contains("note[close-without-open]"), "{line}");
    assert_eq!(emulator.stop(), Some(0));
}

#[test]
fn without_lint_nothing_is_told() {
    let mut emulator = Emulator::start(&[]);
    emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
    emulator.says(PUBLISH, "\r\nERROR\r\n");
    assert_eq!(emulator.stop(), Some(0));
    assert_eq!(emulator.stderr.rest(), [""; 0]);
}

#[test]
fn a_printed_profile_can_be_fed_back() {
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("profile.toml");
    for (name, model) in [("nt35e", "NT35E"), ("nt26", "NT26KCN")] {
        let (code, text, complaints) = run(&["emulate", "--print-profile", name]);
        assert_eq!((code, complaints.as_str()), (Some(0), ""));
        std::fs::write(&file, text).expect("there is room");
        let mut emulator = Emulator::start(&["--profile", path(&file)]);
        emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
        emulator.says(b"AT+CGMM\r\n", &format!("\r\n{model}\r\n\r\nOK\r\n"));
    }
}

#[test]
fn a_profile_differs_from_its_base() {
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("profile.toml");
    let text =
        "base = \"nt26\"\n[identity]\nimei = \"123456789012345\"\n[start]\nsim = \"absent\"\n";
    std::fs::write(&file, text).expect("there is room");
    let mut emulator = Emulator::start(&["--profile", path(&file)]);
    emulator.says(b"ATE0\r\n", "ATE0\r\nOK\r\n");
    emulator.says(b"AT+CGSN\r\n", "\r\n123456789012345\r\n\r\nOK\r\n");
    emulator.says(b"AT+CIMI\r\n", "\r\nERROR\r\n");
}

#[test]
fn what_is_wrong_with_a_profile_is_told_with_line_and_column() {
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("profile.toml");
    let text = "base = \"nt35e\"\n\n[latency]\nquery_ns = [1, 2]\n";
    std::fs::write(&file, text).expect("there is room");
    let (code, output, complaint) = run(&["emulate", "--profile", path(&file)]);
    assert_eq!((code, output.as_str()), (Some(2), ""));
    let start = format!(
        "atmq: {}, line 4, column 1: unknown field `query_ns`, expected one of `query_ms`, ",
        path(&file)
    );
    assert!(complaint.starts_with(&start), "{complaint}");
    assert!(
        complaint
            .ends_with("; `atmq emulate --print-profile NAME` prints one that has every key\n"),
        "{complaint}"
    );
}

#[test]
fn a_profile_that_is_not_there_is_told() {
    let (code, _, complaint) = run(&["emulate", "--profile", "nt99.toml"]);
    assert_eq!(code, Some(3));
    let names = Profile::names().collect::<Vec<_>>().join(", ");
    assert_eq!(
        complaint,
        format!(
            "atmq: cannot read the profile nt99.toml: No such file or directory (os error 2); give \
             one of {names}, or a file\n"
        )
    );
}
