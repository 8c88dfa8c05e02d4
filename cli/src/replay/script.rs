use std::path::Path;
use std::time::Duration;

use atmq_driver::Direction;
use atmq_protocol::redact::HIDDEN;

use crate::capture::dialogue::Dialogue;
use crate::capture::{Capture, Event, Kind};
use crate::failure::{Failure, FailureKind};

/// Bytes of one capture that can be played. Ours: a day of a module that says something every
/// second.
const LIMIT: usize = 64 * 1024 * 1024;

/// What is played: turns of host and module, in the order of the capture.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The host says something.
    Host(Said),
    /// The module's bytes, as they came in one piece.
    Module { at: Duration, bytes: Vec<u8> },
}

/// A command line, the data behind a prompt, or something else of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: Duration,
    pub(super) kind: Kind,
    /// Without the line end.
    pub(super) bytes: Vec<u8>,
    /// As it was sent.
    pub(super) raw: Vec<u8>,
}

impl Said {
    /// Where a secret is hidden in what was sent.
    pub(super) fn hidden_at(&self) -> Option<usize> {
        let mut windows = self.raw.windows(HIDDEN.len());
        let hidden = windows.position(|window| window == HIDDEN);
        hidden.filter(|_| self.kind == Kind::Command)
    }
}

impl Step {
    pub(super) fn at(&self) -> Duration {
        match self {
            Self::Host(said) => said.at,
            Self::Module { at, .. } => *at,
        }
    }
}

impl Script {
    /// The first command with a hidden secret.
    pub(super) fn hidden(&self) -> Option<&Said> {
        let said = self.steps.iter().filter_map(|step| match step {
            Step::Host(said) => Some(said),
            Step::Module { .. } => None,
        });
        said.into_iter().find(|said| said.hidden_at().is_some())
    }

    /// Reads a capture to its end: half a session is not played.
    pub(super) fn load(path: &Path) -> Result<Self, Failure> {
        let mut builder = Builder::default();
        let mut held = 0;
        let mut start = None;
        for record in Capture::open(path)? {
            let record =
                record.map_err(|failure| failure.hint("a damaged capture is not played"))?;
            let at = record.at.saturating_sub(*start.get_or_insert(record.at));
            match record.event {
                Event::Bytes(direction, bytes) => {
                    held += bytes.len();
                    builder.take(at, direction, &bytes);
                }
                Event::Cut(_) => {
                    let path = path.display();
                    let what = format!("{path}: a record was cut by a snapshot length");
                    return Err(Failure::new(FailureKind::Unavailable, what)
                        .hint("half a line is not played: record it whole"));
                }
                _ => {}
            }
            if held > LIMIT {
                let (path, limit) = (path.display(), LIMIT / 1024 / 1024);
                let what = format!("{path} holds more than {limit} MiB, which is too much to play");
                return Err(Failure::new(FailureKind::Unavailable, what));
            }
        }
        builder.settle();
        if builder.script.steps.is_empty() {
            let what = format!("{}: nothing was recorded", path.display());
            return Err(Failure::new(FailureKind::Unavailable, what));
        }
        Ok(builder.script)
    }
}

#[derive(Default)]
struct Builder {
    script: Script,
    dialogue: Option<Dialogue>,
    /// The host's bytes that are no step yet.
    raw: Vec<u8>,
    /// What the module said while the host was in the middle of a line, such as its echo: it
    /// belongs behind the line.
    meanwhile: Vec<Step>,
}

impl Builder {
    fn take(&mut self, at: Duration, direction: Direction, bytes: &[u8]) {
        let dialogue = self.dialogue.get_or_insert_with(Dialogue::new);
        dialogue.push(at, direction, bytes);
        if direction == Direction::HostToModule {
            self.raw.extend_from_slice(bytes);
        }
        let mut said = Vec::new();
        while let Some(entry) = dialogue.next() {
            if entry.from == Direction::HostToModule {
                said.push((entry.kind, entry.bytes));
            }
        }
        let typing = dialogue.incomplete()[Direction::HostToModule as usize] > 0;
        let alone = said.len() == 1;
        for (kind, bytes) in said {
            // Several at once are told apart by their usual ends.
            let raw = match (alone && !typing, kind) {
                (true, _) => std::mem::take(&mut self.raw),
                (false, Kind::Data) => bytes.clone(),
                (false, _) => [&bytes[..], b"\r"].concat(),
            };
            self.script.steps.push(Step::Host(Said {
                at,
                kind,
                bytes,
                raw,
            }));
            self.raw.clear();
            self.settle();
        }
        if direction == Direction::ModuleToHost {
            let step = Step::Module {
                at,
                bytes: bytes.to_vec(),
            };
            self.meanwhile.push(step);
        }
        if !typing {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.script.steps.append(&mut self.meanwhile);
    }
}
