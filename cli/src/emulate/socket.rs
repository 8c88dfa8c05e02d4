//! The control socket: words from other programs.

use std::future::pending;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::umask;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer::Answer;
use super::desk::Desk;
use super::words::LINE_LIMIT;
use crate::failure::{Failure, FailureKind};

/// Programs that may talk at once. Ours.
const CLIENTS: usize = 16;

/// How long a program may leave its answer unread.
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket on which other programs say words, one a line, and read one line as answer to each.
/// Removed when dropped.
pub(super) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    /// What tells this socket's file from another of the same name.
    inode: u64,
}

impl ControlSocket {
    /// Listens at a path. Only this user may connect. A socket that an emulator has left behind is
    /// replaced.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        Self::bind(path).map_err(|error| {
            let failure = Failure::new(
                FailureKind::Unavailable,
                format!("cannot make the control socket {}: {error}", path.display()),
            );
            match error.kind() {
                io::ErrorKind::AddrInUse | io::ErrorKind::AlreadyExists => {
                    failure.hint("choose another path")
                }
                io::ErrorKind::InvalidInput => failure.hint("choose a shorter path"),
                _ => failure.hint("does its directory exist, and may you write there?"),
            }
        })
    }

    fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(metadata) = std::fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "there is a file of this name, and it is no socket",
                ));
            }
            match Probe::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    std::fs::remove_file(path)?;
                }
                _ => {
                    return Err(io::Error::new(
                        io::ErrorKind::AddrInUse,
                        "another program listens there",
                    ));
                }
            }
        }
        // From its first moment on it is nobody else's: nothing else is made meanwhile.
        let before = umask(Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path);
        umask(before);
        let listener = listener?;
        Ok(Self {
            listener,
            inode: std::fs::symlink_metadata(path)?.ino(),
            path: path.to_owned(),
        })
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Serves programs until it is dropped.
    pub(super) async fn serve(&self, desk: Desk) {
        let places = Arc::new(Semaphore::new(CLIENTS));
        let mut clients = JoinSet::new();
        loop {
            while clients.try_join_next().is_some() {}
            let Ok((mut client, _)) = self.listener.accept().await else {
                // Too many files are open, say.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match Arc::clone(&places).try_acquire_owned() {
                Ok(place) => {
                    let desk = desk.clone();
                    clients.spawn(async move {
                        // That a client has gone concerns nobody else.
                        let _ = talk(client, &desk).await;
                        drop(place);
                    });
                }
                Err(_) => {
                    let answer = Answer::Refused(format!("{CLIENTS} programs are connected"));
                    let line = answer.line(false) + "\n";
                    let _ = client.try_write(line.as_bytes());
                    let _ = client.shutdown().await;
                }
            }
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        // Somebody else may have taken the name over meanwhile.
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|metadata| metadata.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

async fn talk(client: UnixStream, desk: &Desk) -> io::Result<()> {
    let (reader, mut writer) = client.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(line) = read_line(&mut reader).await? {
        let answer = match line {
            Some(line) => tokio::select! {
                answer = desk.line(&line, false) => answer,
                () = gone(&mut reader) => return Ok(()),
            },
            None => {
                let why = format!("a line is UTF-8, and at most {LINE_LIMIT} bytes long");
                Some(Answer::Refused(why).line(false))
            }
        };
        if let Some(mut answer) = answer {
            answer.push('\n');
            timeout(PATIENCE, writer.write_all(answer.as_bytes())).await??;
        }
    }
    Ok(())
}

/// Waits until the client has hung up; one that only has no more to say still wants its answer.
async fn gone(reader: &mut BufReader<OwnedReadHalf>) {
    let more = reader.fill_buf().await;
    if more.is_ok_and(|more| !more.is_empty()) || !has_hung_up(reader.get_ref().as_ref()) {
        pending::<()>().await;
    }
}

fn has_hung_up(client: &UnixStream) -> bool {
    let mut client = [PollFd::new(client, PollFlags::empty())];
    let polled = poll(&mut client, Some(&Timespec::default()));
    polled.is_err() || client[0].revents().contains(PollFlags::HUP)
}

/// Reads a line without its end: `None` at the end of the input, `Some(None)` if it cannot be
/// taken. What does not fit is passed over.
pub(super) async fn read_line(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<Option<String>>> {
    let (mut line, mut fits) = (Vec::new(), true);
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() && line.is_empty() && fits {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(chunk.len());
        if line.len() + length > LINE_LIMIT {
            fits = false;
            line.clear();
        }
        if fits {
            line.extend_from_slice(&chunk[..length]);
        }
        let ended = end.is_some() || chunk.is_empty();
        reader.consume(length + usize::from(end.is_some()));
        if ended {
            let text = String::from_utf8(line).ok().filter(|_| fits);
            return Ok(Some(text));
        }
    }
}
