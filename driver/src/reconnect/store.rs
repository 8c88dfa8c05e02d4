//! A file that keeps the messages that wait. redb holds it; one thread writes to it, and commits
//! as many messages at a time as have come while the last commit was under way.

mod record;
mod writer;

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use redb::backends::FileBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    TableHandle as _,
};
use thiserror::Error;

use super::message::Outgoing;
pub(super) use record::encode;
use writer::Writer;
pub(super) use writer::{Done, Journal};

/// What kind of file it is, and which version of it.
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const FORMAT: (&str, &str) = ("format", "atmq queue 1");

/// The messages by their place in the queue.
const MESSAGES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("messages");

/// Those that were given to the module and are not to be given twice.
const TAKEN: TableDefinition<'_, u64, ()> = TableDefinition::new("taken");

/// Memory for pages that were read. Ours: the queue is read once.
const CACHE: usize = 1 << 20;

/// A file that keeps the messages of a queue over restarts, see
/// [`Reconnect::persist`](super::Reconnect::persist).
///
/// When [`enqueue`](super::ReconnectingClient::enqueue) has returned, the message is on the disk.
/// It is removed when its fate is known, but not when the connection is stopped. The file has the
/// bounds of the queue, and up to a few times its bytes until it is opened again. One program at
/// a time can have it open.
pub struct Store {
    path: PathBuf,
    waiting: Vec<Kept>,
    journal: Journal,
}

/// Why a file cannot keep the messages of a queue.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is of another kind, or of a version that this one does not read.
    #[error("{} is not a queue of atmq", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Another program has it open.
    #[error("{} is in use by another program", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It was changed by something else, or the disk did not keep it.
    #[error("{} is damaged: {what}; move it away to begin with an empty queue", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It cannot be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: Arc<io::Error>,
    },
    /// An earlier write failed, and the file could not be opened again since.
    #[error("{} is not written any more after an error", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
}

impl PartialEq for StoreError {
    /// What the operating system says is compared by its kind.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Io { path, source }, Self::Io { path: p, source: s }) => {
                path == p && source.kind() == s.kind()
            }
            (Self::Damaged { path, what }, Self::Damaged { path: p, what: w }) => {
                path == p && what == w
            }
            (Self::Foreign { path }, Self::Foreign { path: p })
            | (Self::InUse { path }, Self::InUse { path: p })
            | (Self::Broken { path }, Self::Broken { path: p }) => path == p,
            _ => false,
        }
    }
}

impl Eq for StoreError {}

/// A message that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) id: u64,
    pub(super) message: Outgoing,
    /// How long it may still wait.
    pub(super) left: Option<Duration>,
    /// It was given to the module, and is not to be given twice.
    pub(super) taken: bool,
}

impl Store {
    /// Opens the file, or makes it. This reads and checks all of it, so it blocks: a moment, or
    /// some seconds on a slow disk.
    ///
    /// # Errors
    /// It is something else, damaged, in use, or cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let told = |error| explain(path, error);
        let mut database = open(path)?;
        // Space that messages have left is given back here, and only here.
        database.compact().map_err(|error| told(error.into()))?;
        let waiting = read(path, &database)?;
        let journal = Journal::start(Writer::new(path, database));
        Ok(Self {
            path: path.into(),
            waiting,
            journal: journal.map_err(|error| told(error.into()))?,
        })
    }

    /// How many messages wait in it.
    pub fn messages(&self) -> usize {
        self.waiting.len()
    }

    /// What waited, and the way to what is to be written.
    pub(super) fn into_parts(self) -> (Vec<Kept>, Journal) {
        (self.waiting, self.journal)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .field("messages", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

fn open(path: &Path) -> Result<Database, StoreError> {
    let database = Database::builder()
        .set_cache_size(CACHE)
        // Without it a damaged file is trusted.
        .set_check_integrity_on_open(true)
        .create_with_backend(backend(path).map_err(|error| explain(path, error.into()))?);
    let database = database.map_err(|error| explain(path, error.into()))?;
    identify(path, &database)?;
    Ok(database)
}

/// The file, which others cannot read if it is new.
fn backend(path: &Path) -> Result<FileBackend, DatabaseError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    FileBackend::new(options.open(path)?)
}

/// Makes a new file ours, and makes sure that an old one is.
fn identify(path: &Path, database: &Database) -> Result<(), StoreError> {
    let told = |error| explain(path, error);
    let foreign = || StoreError::Foreign { path: path.into() };
    let (key, format) = FORMAT;
    let reading = database.begin_read().map_err(|error| told(error.into()))?;
    let tables = reading.list_tables().map_err(|error| told(error.into()))?;
    let names: Vec<_> = tables.map(|table| table.name().to_owned()).collect();
    if !names.is_empty() {
        if !names.iter().any(|name| name == ABOUT.name()) {
            return Err(foreign());
        }
        let about = reading.open_table(ABOUT).map_err(|_| foreign())?;
        let found = about.get(key).map_err(|error| told(error.into()))?;
        return match found {
            Some(found) if found.value() == format => Ok(()),
            _ => Err(foreign()),
        };
    }
    drop(reading);
    let make = || -> Result<(), redb::Error> {
        let writing = database.begin_write()?;
        writing.open_table(ABOUT)?.insert(key, format)?;
        writing.open_table(MESSAGES)?;
        writing.open_table(TAKEN)?;
        writing.commit()?;
        Ok(())
    };
    make().map_err(told)
}

fn read(path: &Path, database: &Database) -> Result<Vec<Kept>, StoreError> {
    let read = || -> Result<Vec<Result<Kept, u64>>, redb::Error> {
        let reading = database.begin_read()?;
        let messages = reading.open_table(MESSAGES)?;
        let taken = reading.open_table(TAKEN)?;
        let mut kept = Vec::new();
        for entry in messages.iter()? {
            let (id, record) = entry?;
            let id = id.value();
            let taken = taken.get(id)?.is_some();
            kept.push(match record::decode(record.value()) {
                Some((message, left)) => Ok(Kept {
                    id,
                    message,
                    left,
                    taken,
                }),
                None => Err(id),
            });
        }
        Ok(kept)
    };
    let read = read().map_err(|error| explain(path, error))?;
    let read = read.into_iter().collect::<Result<_, _>>();
    read.map_err(|id| StoreError::Damaged {
        path: path.into(),
        what: format!("message {id} cannot be read"),
    })
}

fn explain(path: &Path, error: redb::Error) -> StoreError {
    let path = path.to_owned();
    match error {
        redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => {
            StoreError::InUse { path }
        }
        redb::Error::UpgradeRequired(_) => StoreError::Foreign { path },
        // So it says of a file that does not begin as its own do.
        redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            StoreError::Foreign { path }
        }
        redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            StoreError::Damaged {
                path,
                what: "it ends too early".into(),
            }
        }
        redb::Error::Io(error) => StoreError::Io {
            path,
            source: Arc::new(error),
        },
        redb::Error::PreviousIo => StoreError::Broken { path },
        other => StoreError::Damaged {
            path,
            what: other.to_string(),
        },
    }
}
