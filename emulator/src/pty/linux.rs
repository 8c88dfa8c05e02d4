//! The master's side as Linux has it: it sees whether any host has the slave open.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::{Mutex, MutexGuard};

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use tokio::io::unix::AsyncFd;

use super::open_slave;

/// The master, which hangs up while no host has the slave open.
///
/// Nobody else holds the slave: then the kernel says at any moment whether a host does, and a
/// host whose `open` has returned hears all that is written from then on.
#[derive(Debug)]
pub(super) struct Line {
    master: OwnedFd,
    path: PathBuf,
    readable: Edges,
    writable: Edges,
    hosts: Mutex<Hosts>,
}

/// What is known of the hosts.
#[derive(Debug)]
struct Hosts {
    are_there: bool,
    /// Who opens and closes the slave. None where the system has no more of these: a host that
    /// reopens before its end was noticed is not told from one that has stayed then.
    log: Option<OwnedFd>,
}

impl Line {
    /// Takes over a master whose slave is set up. Nobody may have the slave open.
    pub(super) fn new(master: OwnedFd, path: &Path) -> io::Result<Self> {
        let log = watch(path);
        if let Err(error) = &log {
            tracing::debug!(%error, "a host that reopens at once may hear what it left unread");
        }
        let log = log.ok();
        Ok(Self {
            readable: Edges::new(&master, epoll::EventFlags::IN, log.as_ref())?,
            writable: Edges::new(&master, epoll::EventFlags::OUT, None)?,
            master,
            path: path.to_owned(),
            hosts: Mutex::new(Hosts {
                are_there: false,
                log,
            }),
        })
    }

    pub(super) fn master(&self) -> &OwnedFd {
        &self.master
    }

    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.look()?;
            match rustix::io::read(&self.master, &mut *buffer) {
                // Nothing yet, or nobody there.
                Err(Errno::AGAIN | Errno::IO) => self.readable.next().await?,
                read => return Ok(read?),
            }
        }
    }

    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            if !self.look()? {
                return Ok(bytes.len());
            }
            match rustix::io::write(&self.master, bytes) {
                Err(Errno::AGAIN) => self.writable.next().await?,
                written => return Ok(written?),
            }
        }
    }

    /// Whether a host is there. What the last one has not read goes with it.
    fn look(&self) -> io::Result<bool> {
        let mut hosts = self.hosts();
        let came_back = hosts.read_log();
        let are_there = !self.is_hung_up()?;
        // Nothing has been written since it came back.
        if came_back || hosts.are_there && !are_there {
            self.flush();
            // That was ourselves.
            hosts.read_log();
        }
        hosts.are_there = are_there || !self.is_hung_up()?;
        Ok(hosts.are_there)
    }

    fn is_hung_up(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.master, PollFlags::empty())];
        poll(&mut fds, Some(&Timespec::default()))?;
        Ok(fds[0].revents().contains(PollFlags::HUP))
    }

    /// Drops what no host has read. What hosts have written stays.
    fn flush(&self) {
        // The queue is the slave's: from the master only half of it can be dropped. A host that
        // has it to itself by now refuses, and keeps what was left.
        let flushed =
            open_slave(&self.path).and_then(|slave| tcflush(slave, QueueSelector::IFlush));
        if let Err(error) = flushed {
            tracing::debug!(%error, "the next host may hear what the last one left unread");
        }
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        self.hosts
            .lock()
            .expect("nothing panics with the lock held")
    }
}

impl Hosts {
    /// Reads who has come and gone since the last time: whether the last host went, and one came.
    ///
    /// Equal events in a row count as one. So of several hosts that come at once the first to go
    /// is taken for the last; it takes another to come right then for that to matter.
    fn read_log(&mut self) -> bool {
        let Some(log) = &self.log else {
            return false;
        };
        let mut there = usize::from(self.are_there);
        let (mut left, mut came_back) = (false, false);
        let mut space = [MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(log, &mut space);
        while let Ok(event) = events.next() {
            if event.events().contains(inotify::ReadFlags::OPEN) {
                came_back |= left && there == 0;
                there += 1;
            } else {
                there = there.saturating_sub(1);
                left = true;
            }
        }
        came_back
    }
}

/// A log of who opens and closes the slave.
fn watch(slave: &Path) -> io::Result<OwnedFd> {
    use inotify::{CreateFlags, WatchFlags};
    let log = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    inotify::add_watch(&log, slave, WatchFlags::OPEN | WatchFlags::CLOSE)?;
    Ok(log)
}

/// Wakes when something becomes ready, once each time. A master that hangs up stays ready for
/// everything, to the runtime even when a host is there again: asked directly, it would never let
/// its task rest.
#[derive(Debug)]
struct Edges(AsyncFd<OwnedFd>);

impl Edges {
    fn new(master: &OwnedFd, flags: epoll::EventFlags, log: Option<&OwnedFd>) -> io::Result<Self> {
        let all = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let add = |fd: &OwnedFd, flags| {
            epoll::add(
                &all,
                fd,
                epoll::EventData::new_u64(0),
                flags | epoll::EventFlags::ET,
            )
        };
        add(master, flags)?;
        if let Some(log) = log {
            add(log, epoll::EventFlags::IN)?;
        }
        super::register(all).map(Self)
    }

    /// Waits for the next edge, which may have been before. Dropping the future loses none.
    async fn next(&self) -> io::Result<()> {
        let mut guard = self.0.readable().await?;
        let mut event = MaybeUninit::uninit();
        let none = Timespec::default();
        let room = slice::from_mut(&mut event);
        while !epoll::wait(self.0.as_fd(), &mut *room, Some(&none))?
            .0
            .is_empty()
        {}
        guard.clear_ready();
        Ok(())
    }
}
