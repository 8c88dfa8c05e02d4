use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::Capture;
use super::dialogue::Dialogue;
use super::entry::Entry;
use super::reader::About;
use crate::failure::{Failure, FailureKind};

/// Bytes of one capture that are held at a time, for what cannot be done in passing. Ours: a day
/// of a module that says something every second.
const LIMIT: usize = 64 * 1024 * 1024;

/// What an entry takes beside its bytes, about.
const ENTRY: usize = 256;

/// A whole capture.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) about: About,
    /// When it begins, since 1970. The times of the entries count from here.
    pub(crate) start: Duration,
    pub(crate) exchanges: Vec<Exchange>,
    /// Why the rest could not be read.
    pub(crate) damage: Option<Failure>,
}

/// A command with all that belongs to it, or something that was said on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// Of the command, from 1.
    pub(crate) number: Option<u64>,
    pub(crate) entries: Vec<Entry>,
}

impl Session {
    /// Reads a capture. What can be read of a damaged one is there.
    ///
    /// # Errors
    /// Nothing can be read, or it is too long.
    pub(crate) fn load(path: &Path) -> Result<Self, Failure> {
        let mut capture = Capture::open(path)?;
        let mut dialogue = Dialogue::new();
        let mut exchanges = Exchanges::default();
        let (mut start, mut damage, mut held) = (None, None, 0);
        for next in capture.by_ref() {
            let record = match next {
                Ok(record) => record,
                Err(failure) => {
                    damage = Some(failure);
                    break;
                }
            };
            let at = record.at.saturating_sub(*start.get_or_insert(record.at));
            dialogue.take(at, record.event);
            while let Some(entry) = dialogue.next() {
                held += ENTRY + entry.bytes.len();
                exchanges.add(entry);
            }
            if held > LIMIT {
                let (path, limit) = (path.display(), LIMIT / 1024 / 1024);
                let what =
                    format!("{path} holds more than {limit} MiB, which is too much for this");
                return Err(Failure::new(FailureKind::Unavailable, what)
                    .hint("`editcap -A <from> -B <to>` takes a part out"));
            }
        }
        dialogue.end();
        while let Some(entry) = dialogue.next() {
            exchanges.add(entry);
        }
        capture.about().remark();
        if start.is_none()
            && let Some(failure) = damage
        {
            return Err(failure);
        }
        Ok(Self {
            about: capture.about().clone(),
            start: start.unwrap_or_default(),
            exchanges: exchanges.all,
            damage,
        })
    }
}

/// Puts entries together.
#[derive(Debug, Default)]
struct Exchanges {
    all: Vec<Exchange>,
    /// Where the exchange of a command is.
    places: HashMap<u64, usize>,
}

impl Exchanges {
    fn add(&mut self, entry: Entry) {
        let number = entry.exchange;
        let known = number.and_then(|number| self.places.get(&number));
        if let Some(place) = known {
            self.all[*place].entries.push(entry);
            return;
        }
        if let Some(number) = number {
            self.places.insert(number, self.all.len());
        }
        self.all.push(Exchange {
            number,
            entries: vec![entry],
        });
    }
}
