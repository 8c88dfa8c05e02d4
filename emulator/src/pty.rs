#[cfg(target_os = "linux")]
#[path = "pty/linux.rs"]
mod line;
#[cfg(not(target_os = "linux"))]
#[path = "pty/other.rs"]
mod line;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;

use self::line::Line;

/// The master side of a pseudo terminal, whose slave side looks like a serial device to a host.
///
/// The slave is in raw mode; a host may change that, and close and reopen it. On Linux it is as
/// with a cable: what is written while no host has it open is lost, and what a host has not read
/// goes with it. Elsewhere that waits for the next host.
#[derive(Debug)]
pub struct Pty {
    line: Line,
    path: PathBuf,
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
        let slave = open_slave(&path)?;
        let mut termios = tcgetattr(&slave)?;
        termios.make_raw();
        // What a module speaks, for hosts that leave the rate as it is.
        termios.set_speed(115_200)?;
        tcsetattr(&slave, OptionalActions::Now, &termios)?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        // The settings stay as long as the master does.
        drop(slave);
        let line = Line::new(master, &path)?;
        Ok(Self { line, path })
    }

    /// The slave's path, which a host opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The rate that the host has set on the slave, in bits per second; 115200 before one has.
    pub fn rate(&self) -> Option<u32> {
        let termios = tcgetattr(self.line.master()).ok()?;
        Some(termios.output_speed())
    }

    /// Reads what the host has written; waits until there is something, and for a host. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    /// The system's.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.line.read(buffer).await
    }

    /// Writes some of the bytes to the host, waits until at least one can be taken; all of them,
    /// into nowhere, while no host is there. Dropping the future before it is done writes nothing.
    ///
    /// # Errors
    /// The system's.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.line.write(bytes).await
    }
}

fn open_slave(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty())
}

/// Has the runtime tell when it is ready.
fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // The replacement is unsafe to call, because a type may change its descriptor. This cannot.
    #[allow(deprecated)]
    AsyncFd::new(fd)
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

#[cfg(all(test, target_os = "linux"))]
mod linux_tests {
    use std::fs::{File, OpenOptions};
    use std::future::poll_fn;
    use std::io::{ErrorKind, Read, Write};
    use std::os::unix::fs::OpenOptionsExt;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::within::within;

    /// A host, which does not wait for what it reads.
    fn host(pty: &Pty) -> File {
        let mut options = OpenOptions::new();
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        options.read(true).write(true).custom_flags(flags);
        options.open(pty.path()).expect("the slave can be opened")
    }

    /// What waits for a host.
    fn heard(host: &mut File) -> Vec<u8> {
        let (mut all, mut bytes) = (Vec::new(), [0; 4096]);
        // The kernel hands it over behind the write.
        for _ in 0..20 {
            match host.read(&mut bytes) {
                Ok(length) => all.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        all
    }

    async fn say(pty: &Pty, bytes: &[u8]) {
        assert_eq!(within(pty.write(bytes)).await.unwrap(), bytes.len());
    }

    /// Reads until nothing more comes, and counts how often it was woken for that.
    async fn read_all(pty: &Pty) -> (Vec<u8>, usize) {
        let (mut all, mut woken) = (Vec::new(), 0);
        loop {
            let mut bytes = [0; 64];
            let length = {
                let mut read = pin!(pty.read(&mut bytes));
                let read = poll_fn(|cx| {
                    woken += 1;
                    read.as_mut().poll(cx)
                });
                timeout(Duration::from_millis(50), read).await
            };
            match length {
                Ok(length) => all.extend_from_slice(&bytes[..length.unwrap()]),
                Err(_) => return (all, woken),
            }
        }
    }

    #[tokio::test]
    async fn what_is_said_while_no_host_is_there_is_lost() {
        let pty = Pty::open().unwrap();
        for _ in 0..2 {
            say(&pty, b"nobody hears this").await;
            let mut host = host(&pty);
            say(&pty, b"RING").await;
            assert_eq!(heard(&mut host), b"RING", "it only listens");
        }
    }

    #[tokio::test]
    async fn what_a_host_has_not_read_goes_with_it() {
        let pty = Pty::open().unwrap();
        let mut first = host(&pty);
        // As much as the system holds.
        while timeout(Duration::ZERO, pty.write(&[b'x'; 1000]))
            .await
            .is_ok()
        {}
        first.write_all(b"AT\r").unwrap();
        drop(first);
        let (said, _) = read_all(&pty).await;
        assert_eq!(said, b"AT\r", "what it said stays");
        let mut second = host(&pty);
        assert_eq!(heard(&mut second), b"");
        say(&pty, b"OK").await;
        assert_eq!(heard(&mut second), b"OK");
    }

    #[tokio::test]
    async fn a_host_that_reopens_at_once_hears_what_is_said_from_then_on() {
        let pty = Pty::open().unwrap();
        let mut host = host(&pty);
        for round in 0..100_u8 {
            say(&pty, b"unread").await;
            drop(host);
            host = self::host(&pty);
            say(&pty, &[round]).await;
            if round % 10 == 0 {
                assert_eq!(heard(&mut host), [round]);
            }
            let mut rest = [0; 8];
            let _ = host.read(&mut rest);
        }
    }

    #[tokio::test]
    async fn one_of_two_hosts_leaves_the_other_what_there_is() {
        let pty = Pty::open().unwrap();
        let mut one = host(&pty);
        read_all(&pty).await;
        let other = host(&pty);
        read_all(&pty).await;
        say(&pty, b"+CREG: 1").await;
        drop(other);
        read_all(&pty).await;
        let third = host(&pty);
        read_all(&pty).await;
        drop(third);
        read_all(&pty).await;
        say(&pty, b"+CREG: 5").await;
        assert_eq!(heard(&mut one), b"+CREG: 1+CREG: 5");
    }

    #[tokio::test]
    async fn nothing_spins_while_no_host_is_there_or_after_one_came_back() {
        let pty = Pty::open().unwrap();
        for _ in 0..3 {
            let (_, woken) = read_all(&pty).await;
            assert!(woken < 10, "woken {woken} times");
            let mut host = host(&pty);
            host.write_all(b"AT").unwrap();
            let (said, woken) = read_all(&pty).await;
            assert_eq!(said, b"AT");
            assert!(woken < 10, "woken {woken} times");
            // A queue that is full, and the host has not gone.
            while timeout(Duration::ZERO, pty.write(&[b'x'; 1000]))
                .await
                .is_ok()
            {}
            let (_, woken) = read_all(&pty).await;
            assert!(woken < 10, "woken {woken} times");
        }
    }

    #[tokio::test]
    async fn a_module_that_waits_for_a_host_to_read_is_not_held_up_when_it_goes() {
        let pty = Pty::open().unwrap();
        let host = host(&pty);
        while timeout(Duration::ZERO, pty.write(&[b'x'; 1000]))
            .await
            .is_ok()
        {}
        let waits = pty.write(b"x");
        let goes = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(host);
        };
        let (written, ()) = within(async { tokio::join!(waits, goes) }).await;
        assert_eq!(written.unwrap(), 1);
    }

    #[tokio::test]
    async fn the_settings_of_a_host_stay_when_it_goes() {
        let pty = Pty::open().unwrap();
        assert_eq!(pty.rate(), Some(115_200));
        let host = host(&pty);
        let mut termios = tcgetattr(&host).unwrap();
        termios.set_speed(9600).unwrap();
        tcsetattr(&host, OptionalActions::Now, &termios).unwrap();
        drop(host);
        read_all(&pty).await;
        assert_eq!(pty.rate(), Some(9600));
        let host = self::host(&pty);
        assert_eq!(
            tcgetattr(&host).unwrap().local_modes,
            termios.local_modes,
            "raw mode, too"
        );
    }
}
