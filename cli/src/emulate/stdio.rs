//! Standard input and output as the module's line.

use std::io::{self, stderr, stdin, stdout};
use std::os::fd::AsFd;

use atmq_emulator::{Port, StreamPort};
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr,
};
use tokio::io::{Join, Stdin, Stdout, join};

use crate::messages;

/// What stands at the other end of standard input and output is the host.
pub(super) struct Stdio {
    line: StreamPort<Join<Stdin, Stdout>>,
    _raw: Option<Raw>,
}

impl Stdio {
    /// Takes both. A terminal is set to raw mode until this is dropped.
    ///
    /// # Errors
    /// It is a terminal, and refuses.
    pub(super) fn open() -> io::Result<Self> {
        // Test runners give a program one end of a pseudo terminal as all three of its streams.
        if is_same(stdout(), stderr()) {
            messages::mute();
        }
        Ok(Self {
            line: StreamPort(join(tokio::io::stdin(), tokio::io::stdout())),
            _raw: isatty(stdin()).then(Raw::set).transpose()?,
        })
    }
}

impl Port for Stdio {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.line.read(buffer).await {
            // The other end of a pseudo terminal is closed.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => Ok(0),
            read => read,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.write(bytes).await
    }
}

/// Whether two descriptors lead to the same place, as far as can be told: all pseudo terminals
/// look alike from their masters' side.
fn is_same(one: impl AsFd, other: impl AsFd) -> bool {
    match (fstat(one), fstat(other)) {
        (Ok(one), Ok(other)) => (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino),
        _ => false,
    }
}

/// A terminal whose bytes pass as they are. Set back when dropped.
struct Raw(Termios);

impl Raw {
    fn set() -> io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // Somebody who types must be able to leave; to a program every byte is the module's.
        if tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp()) {
            raw.local_modes |= LocalModes::ISIG;
            raw.special_codes[SpecialCodeIndex::VQUIT] = 0;
            raw.special_codes[SpecialCodeIndex::VSUSP] = 0;
        }
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // There is nobody to tell.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
