use std::time::{Duration, Instant};

use atmq_protocol::result_code::FinalResult;
use atmq_protocol::standard::{StandardInformation, StandardRequest};

/// What the session sends to find out where the module is. Its information response answers
/// nothing else, and it changes nothing.
pub(super) const PROBE: StandardRequest = StandardRequest::QueryErrorReports;

/// How long to wait after each probe, in seconds, before the next one or giving up. Ours: the
/// first is enough for a module that is awake, all together for one that has to wake up.
const PROBE_SECONDS: [u64; 4] = [1, 2, 4, 8];

/// Pause after an error. Ours: a second final result code follows at once, at most one latency
/// timer of a USB serial adapter (16 ms) later.
const PAUSE: Duration = Duration::from_millis(30);

/// Silence before the first probe, so that it does not run into an answer. Ours.
pub(super) const QUIET: Duration = Duration::from_millis(200);

/// The longest wait for that silence: a stream of URCs must not keep the fence up. Ours.
const LONGEST_QUIET: Duration = Duration::from_secs(1);

/// Silence after which the module has given up waiting for data: 30 s (reference `lmqtt.md`
/// 1.7, inferred) and a margin.
const DATA_MODE: Duration = Duration::from_secs(35);

/// Keeps callers' commands back until no late answer can be taken for theirs.
#[derive(Debug)]
pub(super) struct Fence {
    stage: Stage,
    /// Final result codes that the module still owes; `None` if nobody knows.
    owed: Option<u32>,
    /// Probes sent whose answer has not been recognised.
    pub(super) probes: u32,
    /// Probes sent since the module last showed a sign of life.
    pub(super) unanswered: u32,
    /// `+CMEE: <n>` has come: the next final result code is the probe's.
    identified: bool,
    /// Whether a late answer may be free text.
    pub(super) owes_text: bool,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Pause { until: Instant },
    Quiet { until: Instant, latest: Instant },
    DataMode { until: Instant },
    Probing { until: Instant, next: usize },
    GivenUp,
}

/// What the fence wants after a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on waiting.
    Up,
    /// Send a probe.
    Probe,
    /// Nothing late can come any more.
    Down,
    /// The module answers nothing.
    GivenUp,
}

impl Fence {
    /// After an error: nothing is owed, but a second code may follow.
    pub(super) fn pause(now: Instant) -> Self {
        let until = now + PAUSE;
        Self::new(Stage::Pause { until }, Some(0))
    }

    /// A command was given up: `owed` final result codes may still come.
    pub(super) fn owing(owed: Option<u32>, now: Instant) -> Self {
        let stage = Stage::Quiet {
            until: now + QUIET,
            latest: now + LONGEST_QUIET,
        };
        Self::new(stage, owed)
    }

    /// The module is off: nothing is owed, and nothing is asked until somebody wants something.
    pub(super) fn off() -> Self {
        Self::new(Stage::GivenUp, Some(0))
    }

    /// A command was given up, and the module may take what is sent for its data. `since`: when
    /// it may have begun to wait for more of it.
    pub(super) fn data_mode(since: Instant, owed: u32) -> Self {
        let until = since + DATA_MODE;
        Self::new(Stage::DataMode { until }, Some(owed))
    }

    fn new(stage: Stage, owed: Option<u32>) -> Self {
        Self {
            stage,
            owed,
            probes: 0,
            unanswered: 0,
            identified: false,
            owes_text: owed.is_none(),
        }
    }

    /// A late answer may be free text, if `text` says so.
    pub(super) fn owing_text(mut self, text: bool) -> Self {
        self.owes_text |= text;
        self
    }

    /// Whether a late prompt is to be recognised.
    pub(super) fn in_data_mode(&self) -> bool {
        matches!(self.stage, Stage::DataMode { .. })
    }

    /// Nobody knows any more what is owed.
    pub(super) fn owes_unknown(&mut self) {
        self.owed = None;
        self.owes_text = true;
    }

    /// The module says once more that it starts: the next probe may be answered sooner than it
    /// is due. The last one is not: it would be given up sooner as well.
    pub(super) fn started(&mut self, now: Instant) {
        if let Stage::Probing { until, next } = &mut self.stage
            && *next < PROBE_SECONDS.len()
        {
            *until = (*until).min(now + QUIET);
        }
    }

    /// The prompt has come late: the module waits for data from now on.
    pub(super) fn prompt(&mut self, now: Instant) {
        let until = now + DATA_MODE;
        self.stage = Stage::DataMode { until };
    }

    /// Bytes have come.
    pub(super) fn received(&mut self, now: Instant) {
        if let Stage::Quiet { until, latest } = &mut self.stage {
            *until = (now + QUIET).min(*latest);
        }
    }

    /// The information response of a probe has come.
    pub(super) fn probe_answered(&mut self) {
        self.identified = true;
        self.unanswered = 0;
    }

    /// A final result code has come; `true` if nothing late can come any more.
    pub(super) fn settles(&mut self) -> bool {
        self.unanswered = 0;
        if self.identified {
            self.probes = self.probes.saturating_sub(1);
            return true;
        }
        match &mut self.owed {
            Some(owed @ 1..) => {
                *owed -= 1;
                *owed == 0
            }
            _ => false,
        }
    }

    /// Whether a final result code would be one that is owed.
    pub(super) fn expects_result(&self) -> bool {
        self.identified || self.owed != Some(0)
    }

    /// Whether a probe has been sent.
    pub(super) fn was_probed(&self) -> bool {
        self.identified || self.probes > 0
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Pause { until }
            | Stage::Quiet { until, .. }
            | Stage::DataMode { until }
            | Stage::Probing { until, .. } => Some(until),
            Stage::GivenUp => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Verdict {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Verdict::Up;
        }
        match self.stage {
            Stage::Pause { .. } => Verdict::Down,
            Stage::Quiet { .. } | Stage::DataMode { .. } => self.probe(0, now),
            Stage::Probing { next, .. } if next < PROBE_SECONDS.len() => self.probe(next, now),
            // It answers, though not what was asked, and has been quiet since: that will do. But
            // not in the middle of the answer.
            Stage::Probing { .. } if self.unanswered == 0 && !self.identified => Verdict::Down,
            Stage::Probing { .. } | Stage::GivenUp => {
                self.stage = Stage::GivenUp;
                Verdict::GivenUp
            }
        }
    }

    /// A command waits: if the fence had given up, it tries again.
    pub(super) fn wanted(&mut self, now: Instant) -> Verdict {
        match self.stage {
            Stage::GivenUp => self.probe(0, now),
            _ => Verdict::Up,
        }
    }

    fn probe(&mut self, place: usize, now: Instant) -> Verdict {
        self.stage = Stage::Probing {
            until: now + Duration::from_secs(PROBE_SECONDS[place]),
            next: place + 1,
        };
        self.owed = self.owed.map(|owed| owed + 1);
        self.probes += 1;
        self.unanswered += 1;
        Verdict::Probe
    }
}

/// Whether a line answers a probe, and nothing else.
pub(super) fn answers_probe(line: &[u8]) -> bool {
    StandardInformation::decode(&PROBE, line).is_some()
}

/// Whether a line is a final result code.
pub(super) fn is_result(line: &[u8]) -> bool {
    FinalResult::decode(line).is_some()
}
