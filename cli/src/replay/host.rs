//! Plays the host's side to a module.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use atmq_driver::Port;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::redact::HIDDEN;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::compare::Comparison;
use super::script::{Said, Script, Step};
use crate::capture::Recorded;
use crate::failure::{Failure, FailureKind};

/// How long it is listened behind the last line, for more than the capture holds.
const BEHIND: Duration = Duration::from_millis(500);

/// The most that is kept of one answer. Ours: no answer of a module is that long.
const ANSWER: usize = 1024 * 1024;

pub(super) struct Player {
    port: Recorded<Port>,
    comparison: Comparison,
    speed: Option<f64>,
    /// How long the module may take for each answer.
    limit: Duration,
    /// What stands where the capture hides a secret.
    secret: Option<String>,
    /// What has come and has not been compared.
    came: Vec<u8>,
    /// Unsolicited lines that came before, or did not come when, the capture has them.
    early: VecDeque<(Duration, Vec<u8>)>,
    owed: VecDeque<(Duration, Vec<u8>)>,
}

impl Player {
    pub(super) fn new(
        port: Recorded<Port>,
        comparison: Comparison,
        speed: Option<f64>,
        limit: Duration,
        secret: Option<String>,
    ) -> Self {
        Self {
            port,
            comparison,
            speed,
            limit,
            secret,
            came: Vec::new(),
            early: VecDeque::new(),
            owed: VecDeque::new(),
        }
    }

    /// Plays the script to its end, and sums up.
    pub(super) async fn play(&mut self, script: &Script) -> Result<(), Failure> {
        let mut steps = script.steps.iter().peekable();
        let mut before = Duration::ZERO;
        while let Some(step) = steps.next() {
            let mut expected = Vec::new();
            match step {
                Step::Host(said) => {
                    if let Some(speed) = self.speed {
                        sleep(said.at.saturating_sub(before).div_f64(speed)).await;
                    }
                    let line = self.with_secret(said);
                    self.write(&line).await?;
                }
                Step::Module { bytes, .. } => expected.extend_from_slice(bytes),
            }
            let at = step.at();
            before = at;
            let mut span = Duration::ZERO;
            while let Some(Step::Module { at: then, bytes }) =
                steps.next_if(|step| matches!(step, Step::Module { .. }))
            {
                expected.extend_from_slice(bytes);
                (before, span) = (*then, then.saturating_sub(at));
            }
            self.listen(at, &expected, span + self.limit).await?;
        }
        let end = Instant::now() + BEHIND;
        while self.read(end).await? {}
        self.compare(before, &[])?;
        while let Some((at, line)) = self.owed.pop_front() {
            self.comparison.missing(at, &line)?;
        }
        while let Some((at, line)) = self.early.pop_front() {
            self.comparison.extra(at, &line)?;
        }
        self.comparison.end()
    }

    /// Waits until as many lines have come as are expected, or the time is over.
    async fn listen(
        &mut self,
        at: Duration,
        expected: &[u8],
        limit: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        let (wanted, prompt) = (line_feeds(expected), expected.ends_with(b"> "));
        let fails = has_failed(expected);
        loop {
            let enough =
                line_feeds(&self.came) >= wanted && (!prompt || self.came.ends_with(b"> "));
            // Behind an error nothing else need be waited for.
            if enough || (!fails && has_failed(&self.came)) {
                break;
            }
            if !self.read(deadline).await? {
                break;
            }
        }
        self.compare(at, expected)
    }

    /// Reads more; `false` if nothing comes in time.
    async fn read(&mut self, deadline: Instant) -> Result<bool, Failure> {
        let mut piece = [0; 1024];
        let Ok(read) = timeout_at(deadline, self.port.read(&mut piece)).await else {
            return Ok(false);
        };
        match read {
            Ok(length @ 1..) if self.came.len() < ANSWER => {
                self.came.extend_from_slice(&piece[..length]);
                Ok(true)
            }
            Ok(1..) => Err(lost("it says more than 1 MiB at once")),
            Ok(0) => Err(lost("it was closed")),
            Err(error) => Err(lost(&error.to_string())),
        }
    }

    fn compare(&mut self, at: Duration, expected: &[u8]) -> Result<(), Failure> {
        let came = std::mem::take(&mut self.came);
        let (wanted, got) = (lines(expected), lines(&came));
        let masked =
            |lines: &[&[u8]]| -> Vec<Vec<u8>> { lines.iter().map(|line| line.to_vec()).collect() };
        let (wanted, mut got) = (masked(&wanted), masked(&got));
        // What is alike but for masks and secrets is alike.
        for line in &mut got {
            if let Some(same) = wanted.iter().find(|want| self.comparison.alike(want, line)) {
                line.clone_from(same);
            }
        }
        for operation in capture_diff_slices(Algorithm::Myers, &wanted, &got) {
            let (wanted, got) = (&wanted[operation.old_range()], &got[operation.new_range()]);
            if matches!(operation, DiffOp::Equal { .. }) {
                wanted.iter().for_each(|_| self.comparison.found_alike());
                continue;
            }
            let pairs = wanted.len().min(got.len());
            for (want, line) in wanted.iter().zip(got) {
                // An unsolicited line may come sooner or later than it did.
                if is_urc(want) != is_urc(line) || (is_urc(want) && name(want) != name(line)) {
                    self.not_come(at, want)?;
                    self.came_extra(at, line)?;
                } else {
                    self.comparison.found(at, want, line)?;
                }
            }
            for want in &wanted[pairs..] {
                self.not_come(at, want)?;
            }
            for line in &got[pairs..] {
                self.came_extra(at, line)?;
            }
        }
        Ok(())
    }

    fn not_come(&mut self, at: Duration, line: &[u8]) -> Result<(), Failure> {
        let early = self
            .early
            .iter()
            .position(|(_, early)| self.comparison.alike(line, early));
        if early.and_then(|place| self.early.remove(place)).is_some() {
            self.comparison.found_alike();
        } else if is_urc(line) {
            self.owed.push_back((at, line.to_vec()));
        } else if !is_blank(line) {
            self.comparison.missing(at, line)?;
        }
        Ok(())
    }

    fn came_extra(&mut self, at: Duration, line: &[u8]) -> Result<(), Failure> {
        let owed = self
            .owed
            .iter()
            .position(|(_, owed)| self.comparison.alike(owed, line));
        if owed.and_then(|place| self.owed.remove(place)).is_some() {
            self.comparison.found_alike();
        } else if is_urc(line) {
            self.early.push_back((at, line.to_vec()));
        } else if !is_blank(line) {
            self.comparison.extra(at, line)?;
        }
        Ok(())
    }

    /// What the host says, with the secret in its place.
    fn with_secret<'s>(&self, said: &'s Said) -> Cow<'s, [u8]> {
        let Some((hidden, secret)) = said.hidden_at().zip(self.secret.as_ref()) else {
            return Cow::Borrowed(&said.raw);
        };
        let behind = &said.raw[hidden + HIDDEN.len()..];
        Cow::Owned([&said.raw[..hidden], secret.as_bytes(), behind].concat())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.port.write_all(bytes).await;
        written.map_err(|error| lost(&error.to_string()))
    }
}

/// The bytes cut behind each line feed.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

fn line_feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn has_failed(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    lines.any(|line| {
        matches!(
            FinalResult::decode(line.trim_ascii()),
            Some(
                FinalResult::Error
                    | FinalResult::Cme(_)
                    | FinalResult::Cms(_)
                    | FinalResult::CmsText(_)
            )
        )
    })
}

fn is_urc(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'+' | b'^')) && !has_failed(line)
}

/// Empty lines come and go with what they belong to.
fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

fn name(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| *byte == b':');
    &line[..end.unwrap_or(line.len())]
}

fn lost(why: &str) -> Failure {
    Failure::new(
        FailureKind::Unavailable,
        format!("the module is lost: {why}"),
    )
}
