//! The host that runs while the module does: `atmq emulate … -- COMMAND`.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::ready::Ready;
use crate::failure::{Failure, FailureKind};
use crate::signals::Signals;

/// How long the host may take to end once the module has failed. Ours.
const GRACE: Duration = Duration::from_secs(5);

/// What stands for something in the command, and the environment variable that holds it as well.
const PORT: (&str, &str) = ("{port}", "ATMQ_PORT");
const BROKER: (&str, &str) = ("{broker}", "ATMQ_BROKER");

/// A host, with everything that it starts.
pub(super) struct Host {
    child: Child,
    group: Pid,
}

impl Host {
    /// Starts the host of a module that is ready.
    ///
    /// It has a process group of its own, so that a signal reaches all of it. A terminal it may only
    /// write to: what it reads would be the shell's. With `json` standard output is for lines of
    /// JSON alone, and what the host prints goes to stderr.
    pub(super) fn start(command: &[OsString], ready: &Ready, json: bool) -> Result<Self, Failure> {
        let values = [
            (PORT, ready.port()),
            (BROKER, ready.value("broker").map(str::to_owned)),
        ];
        let mut words = Vec::new();
        for word in command {
            words.push(filled(word, &values)?);
        }
        let (name, arguments) = words.split_first().expect("clap takes no empty command");
        let mut command = Command::new(name);
        command.args(arguments).process_group(0).kill_on_drop(true);
        for ((_, variable), value) in &values {
            match value {
                Some(value) => command.env(variable, value),
                // That of an emulator around this one would mislead.
                None => command.env_remove(variable),
            };
        }
        if io::stdin().is_terminal() {
            command.stdin(Stdio::null());
        }
        let not_started = |error: io::Error| {
            let name = name.to_string_lossy();
            Failure::new(
                FailureKind::Unavailable,
                format!("cannot start the host {name}: {error}"),
            )
        };
        if json {
            let stderr = io::stderr().as_fd().try_clone_to_owned();
            command.stdout(stderr.map_err(not_started)?);
        }
        let child = command.spawn().map_err(not_started)?;
        let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let group = group.expect("it has not been waited for");
        Ok(Self { child, group })
    }

    /// Waits until the host has ended, and hands it the signals that come. `Err`: it has failed.
    pub(super) async fn ends(&mut self, signals: &mut Signals) -> Result<(), Failure> {
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status,
                signal = signals.next() => self.signal(signal),
            }
        };
        let status = status.map_err(|error| {
            Failure::new(
                FailureKind::Unavailable,
                format!("the host cannot be waited for: {error}"),
            )
        })?;
        verdict(status)
    }

    /// Ends the host of a module that has failed.
    pub(super) async fn end(&mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            self.signal(signal);
            if timeout(GRACE, self.child.wait()).await.is_ok() {
                return;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        // It may have ended meanwhile.
        let _ = kill_process_group(self.group, signal);
    }
}

/// The word with what stands for something replaced.
fn filled(
    word: &OsStr,
    values: &[((&'static str, &'static str), Option<String>)],
) -> Result<OsString, Failure> {
    // What is no UTF-8 holds no such name that anybody has typed.
    let Some(text) = word.to_str() else {
        return Ok(word.to_owned());
    };
    let mut text = text.to_owned();
    for ((name, _), value) in values {
        if !text.contains(name) {
            continue;
        }
        let Some(value) = value else {
            let hint = match *name == BROKER.0 {
                true => "add --broker embedded",
                false => "leave out --port and --connect, or add --link",
            };
            let what = format!("there is nothing that {name} stands for");
            return Err(Failure::new(FailureKind::Usage, what).hint(hint));
        };
        text = text.replace(name, value);
    }
    Ok(text.into())
}

/// Passes the exit code on; that of a host that a signal has ended is what shells make of it.
fn verdict(status: ExitStatus) -> Result<(), Failure> {
    let (how, code) = match (status.code(), status.signal()) {
        (Some(0), _) => return Ok(()),
        (Some(code), _) => (format!("ended with exit code {code}"), code),
        (None, signal) => {
            let signal = signal.unwrap_or_default();
            (format!("was ended by signal {signal}"), 128 + signal)
        }
    };
    let failure = Failure::new(FailureKind::Refused, format!("the host {how}"));
    Err(failure.with_code(code.try_into().unwrap_or(u8::MAX)))
}
