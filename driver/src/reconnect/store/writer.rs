//! The thread that writes to the file.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread;

use redb::Database;
use tokio::sync::oneshot;

use super::super::shared::Shared;
use super::{MESSAGES, StoreError, TAKEN, explain, open};

/// What one commit holds at most. Ours: so that nothing waits for more than a moment.
const BATCH: usize = 4096;

/// The way to the thread. It ends, and closes the file, when this is dropped.
#[derive(Debug)]
pub(in super::super) struct Journal {
    jobs: Sender<Job>,
    closed: oneshot::Receiver<()>,
}

#[derive(Debug)]
enum Job {
    /// From now on this is told what is done.
    Tell(Weak<Shared>),
    Add {
        id: u64,
        record: Vec<u8>,
    },
    Take(u64),
    Remove(u64),
}

/// What is on the disk now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Done {
    Added(u64),
    Taken(u64),
}

impl Journal {
    pub(super) fn start(writer: Writer) -> io::Result<Self> {
        let (jobs, received) = channel();
        let (closing, closed) = oneshot::channel();
        thread::Builder::new()
            .name("atmq-queue".into())
            .spawn(move || {
                writer.run(&received);
                let _ = closing.send(());
            })?;
        Ok(Self { jobs, closed })
    }

    /// Whom to tell.
    pub(in super::super) fn tell(&self, shared: &Arc<Shared>) {
        self.send(Job::Tell(Arc::downgrade(shared)));
    }

    /// A message is to be kept. [`Done::Added`] is told.
    pub(in super::super) fn add(&self, id: u64, record: Vec<u8>) {
        self.send(Job::Add { id, record });
    }

    /// A message is about to be given to the module, for the only time. [`Done::Taken`] is told.
    pub(in super::super) fn take(&self, id: u64) {
        self.send(Job::Take(id));
    }

    /// A message's fate is known.
    pub(in super::super) fn remove(&self, id: u64) {
        self.send(Job::Remove(id));
    }

    /// Waits until everything is written and the file is closed.
    pub(in super::super) async fn close(self) {
        drop(self.jobs);
        let _ = self.closed.await;
    }

    fn send(&self, job: Job) {
        // The thread ends after the last job, and no sooner.
        let _ = self.jobs.send(job);
    }
}

pub(super) struct Writer {
    path: PathBuf,
    /// `None` after an error, behind which redb writes nothing any more, until it is open again.
    database: Option<Database>,
    shared: Weak<Shared>,
}

impl Writer {
    pub(super) fn new(path: &Path, database: Database) -> Self {
        Self {
            path: path.into(),
            database: Some(database),
            shared: Weak::new(),
        }
    }

    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            // What has come while the last commit was under way goes into the next one.
            let mut batch = vec![job];
            batch.extend(jobs.try_iter().take(BATCH - 1));
            let outcome = self.write(&batch);
            if let Err(error) = &outcome {
                tracing::warn!(%error, "messages cannot be kept");
            }
            let mut done = Vec::new();
            for job in batch {
                match job {
                    Job::Tell(shared) => self.shared = shared,
                    Job::Add { id, .. } => done.push(Done::Added(id)),
                    Job::Take(id) => done.push(Done::Taken(id)),
                    Job::Remove(_) => {}
                }
            }
            if let Some(shared) = self.shared.upgrade() {
                shared.written(&done, &outcome);
            }
        }
    }

    /// All of it or nothing. After an error the file is opened again for each batch, until that
    /// succeeds: there may be room on the disk again.
    fn write(&mut self, batch: &[Job]) -> Result<(), StoreError> {
        if batch.iter().all(|job| matches!(job, Job::Tell(_))) {
            return Ok(());
        }
        let (database, waiting) = match self.database.take() {
            Some(database) => (database, None),
            // What was settled meanwhile could not be removed.
            None => (open(&self.path)?, self.waiting()),
        };
        let written = commit(&database, waiting.as_ref(), batch);
        written.map_err(|error| explain(&self.path, error))?;
        self.database = Some(database);
        Ok(())
    }

    /// The messages that are not settled, as long as anybody knows.
    fn waiting(&self) -> Option<BTreeSet<u64>> {
        self.shared.upgrade()?.waiting()
    }
}

/// `waiting`: the only messages that are to stay, if it is given.
fn commit(
    database: &Database,
    waiting: Option<&BTreeSet<u64>>,
    batch: &[Job],
) -> Result<(), redb::Error> {
    let writing = database.begin_write()?;
    {
        let mut messages = writing.open_table(MESSAGES)?;
        let mut taken = writing.open_table(TAKEN)?;
        if let Some(waiting) = waiting {
            messages.retain(|id, _| waiting.contains(&id))?;
            taken.retain(|id, ()| waiting.contains(&id))?;
        }
        for job in batch {
            match job {
                Job::Tell(_) => {}
                Job::Add { id, record } => {
                    messages.insert(id, &record[..])?;
                }
                Job::Take(id) => {
                    taken.insert(id, ())?;
                }
                Job::Remove(id) => {
                    messages.remove(id)?;
                    taken.remove(id)?;
                }
            }
        }
    }
    writing.commit()?;
    Ok(())
}
