//! An emulated module to run the program against.

use std::ffi::OsStr;
use std::net::SocketAddr;

use assert_cmd::Command;
use tempfile::TempDir;

use super::{Running, argument, atmq};

/// `atmq emulate` on a pseudo terminal that answers at once.
#[derive(Debug)]
pub(crate) struct Emulator {
    /// Ends before its directory does.
    _running: Running,
    ready: String,
    port: String,
    _directory: TempDir,
}

impl Emulator {
    /// Starts it with more arguments, and waits until it is ready.
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let port = argument(&directory.path().join("module"));
        let mut command: Vec<_> = ["emulate", "--instant", "--link", &port]
            .map(Into::into)
            .to_vec();
        command.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        let mut running = Running::start(command);
        let ready = running.line();
        Self {
            _running: running,
            ready,
            port,
            _directory: directory,
        }
    }

    /// Starts it with a broker of its own, to which every link goes.
    pub(crate) fn with_broker() -> Self {
        Self::start(["--broker", "embedded"])
    }

    /// Starts it with every link going to one broker.
    pub(crate) fn mapped_to(broker: SocketAddr) -> Self {
        Self::start([format!("--map=*={broker}")])
    }

    /// Where hosts find the module.
    pub(crate) fn port(&self) -> &str {
        &self.port
    }

    /// What the ready line says of `key`.
    #[track_caller]
    pub(crate) fn ready(&self, key: &str) -> &str {
        let mut words = self.ready.split(' ');
        let value = words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("no {key} in `{}`", self.ready))
    }

    /// Where the broker of its own listens.
    #[track_caller]
    pub(crate) fn broker(&self) -> SocketAddr {
        let broker = self.ready("broker").parse();
        broker.expect("the broker has an address")
    }

    /// `atmq <subcommand> --port <the module> <arguments>`, to be run to its end.
    pub(crate) fn atmq(
        &self,
        subcommand: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = atmq([subcommand, "--port", &self.port]);
        command.args(arguments);
        command
    }

    /// The same, to run beside the test.
    pub(crate) fn spawn(
        &self,
        subcommand: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Running {
        let mut command: Vec<_> = [subcommand, "--port", &self.port].map(Into::into).to_vec();
        command.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        Running::start(command)
    }
}
