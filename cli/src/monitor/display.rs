use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use atmq_driver::Direction;
use atmq_protocol::redact::Redactor;

use crate::capture::dialogue::Dialogue;
use crate::failure::Failure;
use crate::messages::tell;
use crate::output::print_styled;
use crate::replay::{as_json, as_text, incomplete};
use crate::visible::json as to_line;

/// Pieces that wait to be shown. A terminal that is slower for long must not slow down the line.
const PIECES: usize = 4096;

/// How long bytes without line end, such as those of a wrong rate, wait for their end before they
/// are told of.
const UNFINISHED: Duration = Duration::from_secs(2);

type Piece = (Instant, Direction, Vec<u8>);

/// Shows the dialogue, in a thread of its own: to print may block.
pub(super) struct Display {
    pieces: Option<SyncSender<Piece>>,
    thread: Option<JoinHandle<Result<(), Failure>>>,
    missed: u64,
}

impl Display {
    pub(super) fn start(json: bool, silent: bool) -> Self {
        let (pieces, queue) = sync_channel(PIECES);
        let thread = thread::spawn(move || show(&queue, json));
        Self {
            pieces: Some(pieces).filter(|_| !silent),
            thread: Some(thread),
            missed: 0,
        }
    }

    /// Hands bytes over, and does not wait.
    ///
    /// # Errors
    /// They cannot be printed any more.
    pub(super) fn show(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Failure> {
        let Some(pieces) = &self.pieces else {
            return Ok(());
        };
        match pieces.try_send((Instant::now(), direction, bytes.to_vec())) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full((.., bytes))) => {
                self.missed += bytes.len() as u64;
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => self.join(),
        }
    }

    /// Waits until all is shown.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        if self.missed > 0 {
            tell(&format!(
                "atmq: {} bytes were passed on but not shown: the terminal is too slow",
                self.missed
            ));
        }
        self.join()
    }

    fn join(&mut self) -> Result<(), Failure> {
        drop(self.pieces.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

fn show(queue: &Receiver<Piece>, json: bool) -> Result<(), Failure> {
    let mut dialogue = Dialogue::new();
    let mut redactors: [Redactor; 2] = Default::default();
    let mut start: Option<Instant> = None;
    let mut told = [0; 2];
    loop {
        match queue.recv_timeout(UNFINISHED) {
            Ok((at, direction, bytes)) => {
                let at = at.saturating_duration_since(*start.get_or_insert(at));
                let mut kept = Vec::with_capacity(bytes.len());
                redactors[direction as usize].redact(&bytes, &mut kept);
                dialogue.push(at, direction, &kept);
            }
            Err(RecvTimeoutError::Timeout) => {
                dialogue.settle();
                if let Some(start) = start {
                    dialogue.pass(start.elapsed());
                }
                let unfinished = dialogue.incomplete();
                if unfinished != told {
                    told = unfinished;
                    incomplete(unfinished, "so far make no complete line");
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        print(&mut dialogue, json)?;
    }
    if let Some(start) = start {
        dialogue.pass(start.elapsed());
    }
    dialogue.end();
    print(&mut dialogue, json)
}

/// Prints what has been said.
fn print(dialogue: &mut Dialogue, json: bool) -> Result<(), Failure> {
    while let Some(entry) = dialogue.next() {
        print_styled(&if json {
            to_line(&as_json(&entry))
        } else {
            as_text(&entry)
        })?;
    }
    Ok(())
}
