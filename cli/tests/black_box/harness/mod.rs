//! Starts the program, alone or against an emulated module, and looks at what it prints.

mod broker;
mod controlled;
mod emulator;
mod running;
mod terminal;

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

pub(crate) use self::broker::{broker, module_at};
pub(crate) use self::controlled::{Client, Controlled};
pub(crate) use self::emulator::Emulator;
pub(crate) use self::running::{Running, Signal};
pub(crate) use self::terminal::AtTerminal;

/// Longer than anything here takes, even on a machine with other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A loopback port where nothing listens: one below 1024 that no service uses.
pub(crate) const CLOSED_PORT: &str = "127.0.0.1:1";

/// Set by whoever runs the tests, these would change what the program does.
const VARIABLES: [&str; 5] = [
    "ATMQ_PORT",
    "ATMQ_PASSWORD",
    "ATMQ_SECRET",
    "ATMQ_PROFILE",
    "ATMQ_LOG",
];

/// The program with arguments, to be run to its end.
pub(crate) fn atmq(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::from_std(program());
    command.args(arguments).timeout(PATIENCE);
    command
}

/// The program, to be given arguments and streams.
pub(crate) fn program() -> std::process::Command {
    let mut program = std::process::Command::new(cargo_bin!("atmq"));
    for variable in VARIABLES {
        program.env_remove(variable);
    }
    // The profiles of whoever runs the tests are not asked for either.
    program.env("ATMQ_CONFIG", "/dev/null");
    // A panic would show itself as more than one line.
    program.env("RUST_BACKTRACE", "1").stdin(Stdio::null());
    program
}

/// What is expected of a finished program.
pub(crate) trait Finished {
    /// It did what it was asked to and has nothing to say about it. Returns standard output.
    #[track_caller]
    fn succeeds(&mut self) -> Vec<u8>;

    /// It ends with this exit code and one line on standard error that says why.
    #[track_caller]
    fn fails(&mut self, code: i32) -> Failed;

    /// The arguments are refused: exit code 2, nothing on standard output, and one line on
    /// standard error that says how to get help. Returns that line.
    #[track_caller]
    fn is_misused(&mut self) -> String;
}

impl Finished for Command {
    fn succeeds(&mut self) -> Vec<u8> {
        let assert = self.assert().success().stderr("");
        assert.get_output().stdout.clone()
    }

    fn fails(&mut self, code: i32) -> Failed {
        let assert = self.assert().code(code);
        let output = assert.get_output();
        Failed::new(&output.stdout, &output.stderr)
    }

    fn is_misused(&mut self) -> String {
        let failed = self.fails(2).without_output();
        failed.saying(&["--help`"]).line
    }
}

/// How the program told that it failed.
#[derive(Debug)]
pub(crate) struct Failed {
    /// All it printed before, which may be nothing.
    pub(crate) stdout: String,
    /// The one line on standard error.
    pub(crate) line: String,
}

impl Failed {
    #[track_caller]
    fn new(stdout: &[u8], stderr: &[u8]) -> Self {
        let (stdout, stderr) = (text(stdout), text(stderr));
        let line = stderr.strip_prefix("atmq: ");
        let line = line.and_then(|rest| rest.strip_suffix('\n'));
        let Some(line) = line.filter(|line| !line.contains('\n')) else {
            panic!("standard error is not one line beginning with `atmq: `: {stderr}");
        };
        assert!(
            stdout.is_empty() || stdout.ends_with('\n'),
            "standard output ends in the middle of a line: {stdout}"
        );
        Self {
            line: line.to_owned(),
            stdout,
        }
    }

    /// The line says all of this.
    #[track_caller]
    pub(crate) fn saying(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.line.contains(word), "no `{word}` in: {}", self.line);
        }
        self
    }

    /// Nothing was printed before.
    #[track_caller]
    pub(crate) fn without_output(self) -> Self {
        assert_eq!(self.stdout, "", "nothing is printed before: {}", self.line);
        self
    }
}

/// Everything printed here is text.
#[track_caller]
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints text")
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> String {
    path.to_str().expect("a path is text").to_owned()
}

/// What would end a line, an answer or a command, and every byte there is.
pub(crate) fn awkward() -> Vec<u8> {
    let mut bytes = b"\"a\",\r\nOK\r\n> +CME ERROR: 3\r\nAT+CFUN=0\r\n\x1a\x1b".to_vec();
    bytes.extend(0..=255);
    bytes
}
