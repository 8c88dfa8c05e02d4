//! The program while it runs.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use super::{Failed, PATIENCE, program, text};

/// A program that runs beside the test. Killed on drop.
#[derive(Debug)]
pub(crate) struct Running {
    process: Child,
    output: Receiver<Vec<u8>>,
    /// Printed, but not yet taken.
    printed: Vec<u8>,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut process = program()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut stdout = process.stdout.take().expect("standard output is a pipe");
        let mut stderr = process.stderr.take().expect("standard error is a pipe");
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut chunk) {
                if sender.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let complaints = thread::spawn(move || {
            let mut complaints = Vec::new();
            // What could be read until then is what there is to show.
            let _ = stderr.read_to_end(&mut complaints);
            complaints
        });
        Self {
            process,
            output,
            printed: Vec::new(),
            complaints: Some(complaints),
        }
    }

    /// The next line on standard output, without its line feed.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let end = self.wait_for(b"\n");
        let line: Vec<u8> = self.printed.drain(..end).collect();
        text(&line[..line.len() - 1])
    }

    /// Exactly these bytes come next on standard output.
    #[track_caller]
    pub(crate) fn prints(&mut self, expected: impl AsRef<[u8]>) {
        let expected = expected.as_ref();
        let deadline = Instant::now() + PATIENCE;
        while self.printed.len() < expected.len() && self.more(deadline) {}
        let end = expected.len().min(self.printed.len());
        let printed: Vec<u8> = self.printed.drain(..end).collect();
        assert_eq!(
            printed.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    /// Sends a signal to the program, and to nothing else.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).expect("the program has not been waited for");
    }

    /// It comes to its end with exit code 0 and nothing to complain of. Returns what it printed
    /// besides what has been taken.
    #[track_caller]
    pub(crate) fn succeeds(mut self) -> Vec<u8> {
        let code = self.end();
        let complaints = self.complaints();
        assert_eq!(code, Some(0), "{}", text(&complaints));
        assert_eq!(text(&complaints), "");
        std::mem::take(&mut self.printed)
    }

    /// It comes to its end with exit code 0. Returns what it told on standard error.
    #[track_caller]
    pub(crate) fn ends_telling(mut self) -> String {
        let code = self.end();
        let told = text(&self.complaints());
        assert_eq!(code, Some(0), "{told}");
        told
    }

    /// It comes to its end with this exit code and one line that says why.
    #[track_caller]
    pub(crate) fn fails(mut self, code: i32) -> Failed {
        let ended = self.end();
        let complaints = self.complaints();
        assert_eq!(ended, Some(code), "{}", text(&complaints));
        Failed::new(&self.printed, &complaints)
    }

    /// Waits until this has been printed. Returns where it ends.
    #[track_caller]
    fn wait_for(&mut self, wanted: &[u8]) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut windows = self.printed.windows(wanted.len());
            if let Some(at) = windows.position(|window| window == wanted) {
                return at + wanted.len();
            }
            if !self.more(deadline) {
                let _ = self.process.kill();
                panic!(
                    "no {wanted:?} in {:?}; on standard error: {}",
                    text(&self.printed),
                    text(&self.complaints())
                );
            }
        }
    }

    /// Waits for more output. `false` if there will be none, or if none comes in time.
    fn more(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.output.recv_timeout(left) {
            Ok(chunk) => self.printed.extend(chunk),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Waits for the end. Returns the exit code; `None` if a signal ended it.
    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while self.more(deadline) {}
        loop {
            // Standard output is closed, or the time is over: the end is near, or never comes.
            match self.process.try_wait().expect("it is a child") {
                Some(status) => return status.code(),
                None if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                None => panic!("the program does not end"),
            }
        }
    }

    fn complaints(&mut self) -> Vec<u8> {
        let complaints = self.complaints.take().map(JoinHandle::join);
        complaints.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
