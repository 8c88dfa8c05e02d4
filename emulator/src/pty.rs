use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The master side of a pseudo terminal, whose slave side looks like a serial device to a host.
///
/// The slave is in raw mode. The master holds it open as well, so that a host may close and
/// reopen it: without that, reading from the master fails while nobody has the slave open.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
    path: PathBuf,
    _slave: OwnedFd,
}

impl Pty {
    /// A new pseudo terminal. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system has none left, or refuses.
    pub fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(std::ffi::OsString::from_vec(
            ptsname(&master, Vec::new())?.into_bytes(),
        ));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&path, flags, Mode::empty())?;
        let mut termios = tcgetattr(&slave)?;
        termios.make_raw();
        // What a module speaks, for hosts that leave the rate as it is.
        termios.set_speed(115_200)?;
        tcsetattr(&slave, OptionalActions::Now, &termios)?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        // The replacement is unsafe to call, because a type may change its descriptor. This cannot.
        #[allow(deprecated)]
        let master = AsyncFd::new(master)?;
        Ok(Self {
            master,
            path,
            _slave: slave,
        })
    }

    /// The slave's path, which a host opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rate that the host has set on the slave, in bits per second; 115200 before one has.
    pub fn rate(&self) -> Option<u32> {
        let termios = tcgetattr(&self.master).ok()?;
        Some(termios.output_speed())
    }

    /// Reads what the host has written; waits until there is something. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// The system's.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |fd: &OwnedFd| rustix::io::read(fd, &mut *buffer).map_err(io::Error::from);
        self.master.async_io(Interest::READABLE, read).await
    }

    /// Writes some of the bytes to the host; waits until at least one can be taken. Dropping the
    /// future before it is done writes nothing.
    ///
    /// # Errors
    /// The system's.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let write = |fd: &OwnedFd| rustix::io::write(fd, bytes).map_err(io::Error::from);
        self.master.async_io(Interest::WRITABLE, write).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};

    use super::*;
    use crate::within::within;

    fn open_slave(pty: &Pty) -> fs::File {
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true);
        options.open(pty.path()).expect("the slave can be opened")
    }

    #[tokio::test]
    async fn bytes_pass_unchanged_both_ways() {
        let pty = Pty::open().unwrap();
        let mut slave = open_slave(&pty);
        let every_byte: Vec<u8> = (0..=255).collect();
        slave.write_all(&every_byte).unwrap();
        let mut received = Vec::new();
        while received.len() < every_byte.len() {
            let mut buffer = [0; 100];
            let length = within(pty.read(&mut buffer)).await.unwrap();
            received.extend_from_slice(&buffer[..length]);
        }
        assert_eq!(received, every_byte);
        assert_eq!(pty.write(&every_byte).await.unwrap(), every_byte.len());
        let mut received = [0; 256];
        slave.read_exact(&mut received).unwrap();
        assert_eq!(received, *every_byte);
    }

    #[tokio::test]
    async fn a_host_may_close_and_reopen() {
        let pty = Pty::open().unwrap();
        for _ in 0..2 {
            let mut slave = open_slave(&pty);
            slave.write_all(b"x").unwrap();
            drop(slave);
            assert_eq!(within(pty.read(&mut [0; 8])).await.unwrap(), 1);
        }
    }
}
