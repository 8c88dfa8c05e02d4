use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use tokio::sync::Notify;

/// Bytes that may wait to be written by a caller that does not wait for them. Ours.
const WAITING: usize = 256 * 1024;

/// How long to wait for a stream that takes nothing once a signal has stopped the program. Ours.
const GRACE: Duration = Duration::from_millis(500);

/// A standard stream, written to by a thread of its own: a write can block for ever (a pipe that
/// nobody reads, a terminal stopped by Ctrl-S), and signals and timeouts must work meanwhile.
pub(crate) struct Writer {
    stream: fn() -> BorrowedFd<'static>,
    state: Mutex<State>,
    /// For threads that wait.
    changed: Condvar,
    /// For tasks that wait.
    moved: Notify,
}

struct State {
    queue: VecDeque<Piece>,
    /// Bytes in the queue.
    waiting: usize,
    /// Pieces that were ever handed over, and those that are done with.
    pushed: u64,
    done: u64,
    /// Why pieces were not written whose callers have not looked yet.
    failures: Vec<(u64, io::Error)>,
    /// Why a piece was not written that no caller waits for.
    unseen: Option<io::Error>,
    has_thread: bool,
    /// Since when the program is to end: nothing is waited for much longer.
    hurried: Option<Instant>,
}

struct Piece {
    bytes: Vec<u8>,
    awaited: bool,
}

impl Writer {
    pub(crate) const fn new(stream: fn() -> BorrowedFd<'static>) -> Self {
        Self {
            stream,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                waiting: 0,
                pushed: 0,
                done: 0,
                failures: Vec::new(),
                unseen: None,
                has_thread: false,
                hurried: None,
            }),
            changed: Condvar::new(),
            moved: Notify::const_new(),
        }
    }

    /// Writes, and waits until that is done.
    ///
    /// # Errors
    /// The system's; [`TimedOut`](io::ErrorKind::TimedOut) if a signal has stopped the
    /// program and the stream takes nothing.
    pub(crate) fn write(&'static self, bytes: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if !self.runs(&mut state) {
            return write_all((self.stream)(), &bytes);
        }
        let begun = Instant::now();
        let number = self.push(&mut state, bytes, true);
        while state.done < number {
            let Some(hurried) = state.hurried else {
                state = self.changed.wait(state).expect(UNPOISONED);
                continue;
            };
            let left = (begun.max(hurried) + GRACE).saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            state = self.changed.wait_timeout(state, left).expect(UNPOISONED).0;
        }
        state.outcome(number)
    }

    /// The same for a task, which does not keep others from going on. Dropping the future gives up
    /// the knowledge.
    ///
    /// # Errors
    /// The system's.
    pub(crate) async fn written(&'static self, bytes: Vec<u8>) -> io::Result<()> {
        let number = {
            let mut state = self.lock();
            if !self.runs(&mut state) {
                return write_all((self.stream)(), &bytes);
            }
            self.push(&mut state, bytes, true)
        };
        loop {
            // From here on nothing is missed.
            let moved = self.moved.notified();
            {
                let mut state = self.lock();
                if state.done >= number {
                    return state.outcome(number);
                }
            }
            moved.await;
        }
    }

    /// Hands bytes over, and does not wait. Returns whether there was room for them.
    ///
    /// # Errors
    /// What was handed over before could not be written. Told once.
    pub(crate) fn offer(&'static self, bytes: Vec<u8>) -> io::Result<bool> {
        let mut state = self.lock();
        if !self.runs(&mut state) {
            return write_all((self.stream)(), &bytes).map(|()| true);
        }
        let has_room = state.waiting + bytes.len() <= WAITING;
        if has_room {
            self.push(&mut state, bytes, false);
        }
        match state.unseen.take() {
            Some(error) => Err(error),
            None => Ok(has_room),
        }
    }

    /// Waits until all is written, but no longer than this. Returns whether it is.
    pub(crate) fn drain(&self, limit: Duration) -> bool {
        let state = self.lock();
        let unfinished = |state: &mut State| state.done < state.pushed;
        let waited = self.changed.wait_timeout_while(state, limit, unfinished);
        !waited.expect(UNPOISONED).1.timed_out()
    }

    /// The program is to end: who waits for a stream that takes nothing does so no longer.
    pub(crate) fn hurry(&self) {
        self.lock().hurried = Some(Instant::now());
        self.changed.notify_all();
    }

    fn push(&self, state: &mut State, bytes: Vec<u8>, awaited: bool) -> u64 {
        state.waiting += bytes.len();
        state.queue.push_back(Piece { bytes, awaited });
        state.pushed += 1;
        self.changed.notify_all();
        state.pushed
    }

    /// Whether there is a thread that writes; one is begun with the first piece. Without memory for
    /// one the caller writes.
    fn runs(&'static self, state: &mut State) -> bool {
        if !state.has_thread {
            let thread = thread::Builder::new().name("output".into());
            state.has_thread = thread.spawn(|| self.run()).is_ok();
        }
        state.has_thread
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let Some(piece) = state.queue.pop_front() else {
                state = self.changed.wait(state).expect(UNPOISONED);
                continue;
            };
            drop(state);
            let written = write_all((self.stream)(), &piece.bytes);
            state = self.lock();
            state.waiting -= piece.bytes.len();
            state.done += 1;
            if let Err(error) = written {
                if piece.awaited {
                    let number = state.done;
                    state.failures.push((number, error));
                } else {
                    state.unseen = Some(error);
                }
            }
            self.changed.notify_all();
            self.moved.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "nothing panics with the lock held";

fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::INTR) => {}
            // Whoever shares the terminal or pipe may have made it non-blocking.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl State {
    /// What came of a piece that is done with.
    fn outcome(&mut self, number: u64) -> io::Result<()> {
        let at = self.failures.iter().position(|failure| failure.0 == number);
        let error = at.map(|at| self.failures.swap_remove(at).1);
        // Those of callers that have given up are for nobody.
        self.failures.retain(|failure| failure.0 > number);
        error.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, PipeWriter, Read as _, pipe};
    use std::os::fd::AsFd as _;
    use std::sync::LazyLock;

    use super::*;

    static PIPE: LazyLock<(PipeReader, PipeWriter)> = LazyLock::new(|| pipe().unwrap());
    static WRITER: Writer = Writer::new(|| PIPE.1.as_fd());

    #[test]
    fn what_is_told_to_end_waits_a_moment_and_no_longer() {
        WRITER.write(b"before".to_vec()).unwrap();
        WRITER.hurry();
        // However long that is ago, a stream that takes what it is given gets it.
        thread::sleep(GRACE + GRACE / 10);
        WRITER.write(b"behind".to_vec()).unwrap();
        let more = vec![b'.'; 4 * WAITING];
        let refused = WRITER.write(more.clone()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert!(WRITER.offer(vec![b'.'; 8]).is_ok_and(|has_room| !has_room));
        assert!(!WRITER.drain(Duration::from_millis(1)));
        let mut read = vec![0; b"beforebehind".len() + more.len()];
        (&PIPE.0).read_exact(&mut read).unwrap();
        assert!(read.starts_with(b"beforebehind."));
        assert!(WRITER.drain(Duration::from_secs(60)), "not all is written");
        assert!(WRITER.offer(vec![b'.'; 8]).is_ok_and(|has_room| has_room));
    }
}
