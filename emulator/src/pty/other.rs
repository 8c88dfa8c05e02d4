//! The master's side where the system does not tell whether a host has the slave open.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The master, which holds the slave open: reading from it would fail while no host does. What it
/// writes then waits for the next host.
#[derive(Debug)]
pub(super) struct Line {
    master: AsyncFd<OwnedFd>,
    _slave: OwnedFd,
}

impl Line {
    pub(super) fn new(master: OwnedFd, path: &Path) -> io::Result<Self> {
        Ok(Self {
            _slave: super::open_slave(path)?,
            master: super::register(master)?,
        })
    }

    pub(super) fn master(&self) -> &OwnedFd {
        self.master.get_ref()
    }

    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |fd: &OwnedFd| rustix::io::read(fd, &mut *buffer).map_err(io::Error::from);
        self.master.async_io(Interest::READABLE, read).await
    }

    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let write = |fd: &OwnedFd| rustix::io::write(fd, bytes).map_err(io::Error::from);
        self.master.async_io(Interest::WRITABLE, write).await
    }
}
