//! An emulated module with a control socket, and a program that talks to it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Emulator, Finished as _, PATIENCE, argument, atmq, text};

/// A module with a control socket.
pub(crate) struct Controlled {
    pub(crate) module: Emulator,
    socket: PathBuf,
    _directory: TempDir,
}

impl Controlled {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let socket = directory.path().join("control");
        let mut all = vec!["--control".to_owned(), argument(&socket)];
        all.extend(arguments.iter().map(ToString::to_string));
        Self {
            module: Emulator::start(all),
            socket,
            _directory: directory,
        }
    }

    /// What `atmq control` prints.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) -> String {
        let output = self.control(words).succeeds();
        text(&output).trim_end().to_owned()
    }

    pub(crate) fn control(&self, words: &[&str]) -> assert_cmd::Command {
        let mut command = atmq(["control", &argument(&self.socket)]);
        command.args(words);
        command
    }

    /// What the module answers to a host.
    #[track_caller]
    pub(crate) fn answers(&self, command: &str) -> String {
        let assert = self.module.atmq("at", [command]).assert();
        text(&assert.get_output().stdout)
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket)
    }
}

/// A program that talks to the socket by itself.
pub(crate) struct Client(pub(crate) BufReader<UnixStream>);

impl Client {
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the emulator listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("it is not zero");
        Self(BufReader::new(stream))
    }

    #[track_caller]
    pub(crate) fn says(&mut self, line: &str) -> String {
        self.sends(line);
        self.hears()
    }

    #[track_caller]
    pub(crate) fn sends(&mut self, line: &str) {
        let stream = self.0.get_mut();
        stream
            .write_all(format!("{line}\n").as_bytes())
            .expect("it is read");
    }

    /// What is answered; nothing if there was no place.
    pub(crate) fn asks(&mut self, line: &str) -> String {
        let stream = self.0.get_mut();
        let mut answer = String::new();
        if stream.write_all(format!("{line}\n").as_bytes()).is_ok() {
            let _ = self.0.read_line(&mut answer);
        }
        answer
    }

    #[track_caller]
    pub(crate) fn says_no_more(&self) {
        let stream = self.0.get_ref();
        stream.shutdown(Shutdown::Write).expect("it is open");
    }

    #[track_caller]
    pub(crate) fn hears(&mut self) -> String {
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("it answers in time");
        answer.trim_end().to_owned()
    }
}
