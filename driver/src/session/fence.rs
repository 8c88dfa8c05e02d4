use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Prompt;
use atmq_protocol::standard::StandardRequest;

use super::pending::is_word;

/// What it sends to a module that may take it for data: nothing is shorter and answered.
pub(super) const ATTENTION: StandardRequest = StandardRequest::Attention;

/// The bytes of [`ATTENTION`] with its carriage return.
const ATTENTION_LENGTH: usize = 3;

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

/// How long the answer to `AT` may take before it is said why nothing more is sent. Ours.
const HINT: Duration = Duration::from_secs(1);

/// How long it may take where a command fails otherwise: the shortest limit of any manual.
const ATTENTION_LIMIT: Duration = Duration::from_secs(5);

/// So many probes in a row that are answered by one final result code each, and nothing else,
/// show that a module has no better answer to them. Ours.
const PLAIN_ANSWERS: u32 = 2;

/// So many prompts may come late, one of them noise. Ours.
const LATE_PROMPTS: u32 = 3;

/// Keeps callers' commands back until no late answer can be taken for theirs.
#[derive(Debug)]
pub(super) struct Fence {
    stage: Stage,
    input: Input,
    /// Silence of ours after which the module has given up waiting for data.
    patience: Duration,
    /// Final result codes that the module still owes; `None` if nobody knows.
    owed: Option<u32>,
    /// Probes sent whose answer has not been recognised.
    pub(super) probes: u32,
    /// Commands sent since the module last showed a sign of life.
    pub(super) unanswered: u32,
    /// Prompts that came late, since somebody has asked last.
    prompts: u32,
    /// Whether `AT` was sent.
    called: bool,
    /// `+CMEE: <n>` has come: the next final result code is the probe's.
    identified: bool,
    /// Final result codes since the last probe.
    codes: u32,
    /// Probes in a row that had one, and no information.
    plain_answers: u32,
    /// Whether a late answer may be free text.
    pub(super) owes_text: bool,
    /// What may still ask for data.
    prompt: Prompt,
}

/// What the module may take for data of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    /// Nothing: it takes commands.
    Commands,
    /// An unknown number of bytes, of a command that this session did not send or does not know.
    Unknown,
    /// So many bytes, of which some may have got lost, and how many were sent since.
    Data { missing: usize, sent: usize },
    /// It waits at a prompt that Escape leaves.
    Escapable,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Pause {
        until: Instant,
    },
    Quiet {
        until: Instant,
        latest: Instant,
    },
    /// Nothing is sent.
    Silence {
        until: Instant,
    },
    /// `AT` was sent, and perhaps explained why nothing else is.
    Attention {
        until: Instant,
        explained: bool,
    },
    Probing {
        until: Instant,
        next: usize,
    },
    GivenUp,
}

/// What the fence wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Go on waiting.
    Up,
    /// Send a probe.
    Probe,
    /// Send `AT`.
    Attention,
    /// Say why nothing more is sent for so long.
    Explain(Duration),
    /// Nothing late can come any more.
    Down,
    /// The module answers nothing; it may wait for so many bytes.
    GivenUp { awaits: Option<usize> },
}

impl Fence {
    /// After an error: nothing is owed, but a second code may follow.
    pub(super) fn pause(now: Instant) -> Self {
        let until = now + PAUSE;
        Self::new(Stage::Pause { until }, Input::Commands, Some(0))
    }

    /// A command was given up: `owed` final result codes may still come.
    pub(super) fn owing(owed: Option<u32>, now: Instant) -> Self {
        Self::quiet(Input::Commands, owed, now)
    }

    /// Nobody knows what was sent to the module before.
    pub(super) fn unknown(patience: Duration, now: Instant) -> Self {
        Self {
            patience,
            ..Self::quiet(Input::Unknown, None, now)
        }
    }

    /// The module is off: nothing is owed, and nothing is asked until somebody wants something.
    pub(super) fn off() -> Self {
        Self::new(Stage::GivenUp, Input::Commands, Some(0))
    }

    /// A command was given up whose answer is owed, and the module may take what is sent for
    /// `input`. `since`: when it may have begun to wait for more of that.
    pub(super) fn data_mode(input: Input, patience: Duration, since: Instant) -> Self {
        if input == Input::Escapable {
            return Self::quiet(input, Some(1), since);
        }
        let until = since + patience;
        Self {
            patience,
            ..Self::new(Stage::Silence { until }, input, Some(1))
        }
    }

    fn quiet(input: Input, owed: Option<u32>, now: Instant) -> Self {
        let stage = Stage::Quiet {
            until: now + QUIET,
            latest: now + LONGEST_QUIET,
        };
        Self::new(stage, input, owed)
    }

    fn new(stage: Stage, input: Input, owed: Option<u32>) -> Self {
        Self {
            stage,
            input,
            patience: Duration::ZERO,
            owed,
            probes: 0,
            unanswered: 0,
            prompts: 0,
            called: false,
            identified: false,
            codes: 0,
            plain_answers: 0,
            owes_text: owed.is_none(),
            prompt: Prompt::Line(b"CONNECT"),
        }
    }

    /// Data may still be asked for so.
    pub(super) fn asking_by(mut self, prompt: Prompt) -> Self {
        if let Prompt::Line(_) | Prompt::AfterOk = prompt {
            self.prompt = prompt;
        }
        self
    }

    /// Whether a line asks for data, too late.
    pub(super) fn is_asked_by(&self, line: &[u8]) -> bool {
        let asked = match self.prompt {
            Prompt::AfterOk => line == b"OK",
            prompt => is_word(prompt, line),
        };
        self.input != Input::Commands && asked
    }

    /// A late answer may be free text, if `text` says so.
    pub(super) fn owing_text(mut self, text: bool) -> Self {
        self.owes_text |= text;
        self
    }

    /// What the module may take for data.
    pub(super) fn input(&self) -> Input {
        self.input
    }

    /// Whether so many bytes can be sent, and complete no message that the module waits for.
    pub(super) fn allows(&self, length: usize) -> bool {
        match self.input {
            Input::Data { missing, sent } => sent + length < missing,
            Input::Commands | Input::Unknown | Input::Escapable => true,
        }
    }

    /// The module waits for no data of another program.
    pub(super) fn takes_commands(&mut self) {
        if self.input == Input::Unknown {
            self.input = Input::Commands;
        }
    }

    /// What the module may take for data once so many bytes more are sent, if it waits for some.
    pub(super) fn with_sent(&self, length: usize) -> Option<Input> {
        match self.input {
            Input::Data { missing, sent } => Some(Input::Data {
                missing,
                sent: sent + length,
            }),
            Input::Commands | Input::Unknown | Input::Escapable => None,
        }
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

    /// The prompt has come late: the module waits for data from now on. A module that sends one
    /// after the other keeps nobody waiting for ever.
    pub(super) fn prompt(&mut self, now: Instant) -> Verdict {
        self.prompts += 1;
        if self.prompts > LATE_PROMPTS {
            return self.give_up();
        }
        self.stage = match self.input {
            Input::Escapable => Stage::Quiet {
                until: now + QUIET,
                latest: now + QUIET,
            },
            _ => Stage::Silence {
                until: now + self.patience,
            },
        };
        Verdict::Up
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

    /// A final result code has come.
    pub(super) fn settles(&mut self, now: Instant) -> Verdict {
        self.unanswered = 0;
        self.codes += 1;
        if self.identified {
            self.probes = self.probes.saturating_sub(1);
            return Verdict::Down;
        }
        if let Some(owed @ 1..) = &mut self.owed {
            *owed -= 1;
            if *owed == 0 {
                return Verdict::Down;
            }
        }
        match (&mut self.stage, self.input) {
            // What answers takes commands.
            (Stage::Attention { .. }, _) | (Stage::Silence { .. }, Input::Data { .. }) => {
                self.input = Input::Commands;
                self.probe(0, now)
            }
            (Stage::GivenUp, Input::Data { .. }) => {
                self.input = Input::Commands;
                Verdict::Up
            }
            (Stage::Probing { until, .. }, _) => {
                *until = (*until).min(now + QUIET);
                Verdict::Up
            }
            _ => Verdict::Up,
        }
    }

    /// Whether a final result code would be one that is owed.
    pub(super) fn expects_result(&self) -> bool {
        self.identified || self.owed != Some(0)
    }

    /// Whether the module was asked for a sign of life.
    pub(super) fn was_probed(&self) -> bool {
        self.identified || self.called || self.probes > 0
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Pause { until }
            | Stage::Quiet { until, .. }
            | Stage::Silence { until }
            | Stage::Attention { until, .. }
            | Stage::Probing { until, .. } => Some(until),
            Stage::GivenUp => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Verdict {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Verdict::Up;
        }
        match (self.stage, self.input) {
            (Stage::Pause { .. }, _) => Verdict::Down,
            (Stage::Quiet { .. } | Stage::Silence { .. }, Input::Unknown | Input::Data { .. }) => {
                self.attention(now)
            }
            (Stage::Quiet { .. } | Stage::Silence { .. }, _) => self.probe(0, now),
            (Stage::Attention { explained, .. }, Input::Unknown) => {
                if explained {
                    // By now it has given up, if it waited for data.
                    self.takes_commands();
                    return self.probe(0, now);
                }
                let left = self.patience.saturating_sub(HINT);
                self.stage = Stage::Attention {
                    until: now + left,
                    explained: true,
                };
                Verdict::Explain(left)
            }
            (Stage::Attention { .. }, _) => self.give_up(),
            (Stage::Probing { next, .. }, _) => {
                if self.unanswered == 0 && !self.identified {
                    match self.codes {
                        1 => self.plain_answers += 1,
                        _ => self.plain_answers = 0,
                    }
                    // It answers, though not what was asked, and has been quiet since: that will
                    // do. But not in the middle of the answer.
                    if self.plain_answers == PLAIN_ANSWERS || next == PROBE_SECONDS.len() {
                        return Verdict::Down;
                    }
                }
                match next < PROBE_SECONDS.len() {
                    true => self.probe(next, now),
                    false => self.give_up(),
                }
            }
            (Stage::GivenUp, _) => self.give_up(),
        }
    }

    /// A command waits: if the fence had given up, it tries again.
    pub(super) fn wanted(&mut self, now: Instant) -> Verdict {
        self.prompts = 0;
        match (self.stage, self.input) {
            (Stage::GivenUp, Input::Data { .. } | Input::Unknown) => self.attention(now),
            (Stage::GivenUp, _) => self.probe(0, now),
            _ => Verdict::Up,
        }
    }

    fn give_up(&mut self) -> Verdict {
        self.stage = Stage::GivenUp;
        Verdict::GivenUp {
            awaits: match self.input {
                Input::Data { missing, .. } => Some(missing),
                Input::Commands | Input::Unknown | Input::Escapable => None,
            },
        }
    }

    /// Sends `AT`, unless the module could take it for the rest of a message. Once for each
    /// command that waits: what can be sent at all is to last.
    fn attention(&mut self, now: Instant) -> Verdict {
        if !self.allows(ATTENTION_LENGTH) {
            return self.give_up();
        }
        let mut wait = HINT;
        if let Input::Data { sent, .. } = &mut self.input {
            *sent += ATTENTION_LENGTH;
            wait = ATTENTION_LIMIT;
        }
        self.stage = Stage::Attention {
            until: now + wait,
            explained: false,
        };
        self.owed = self.owed.map(|owed| owed + 1);
        self.unanswered += 1;
        self.called = true;
        Verdict::Attention
    }

    fn probe(&mut self, place: usize, now: Instant) -> Verdict {
        self.stage = Stage::Probing {
            until: now + Duration::from_secs(PROBE_SECONDS[place]),
            next: place + 1,
        };
        self.owed = self.owed.map(|owed| owed + 1);
        self.codes = 0;
        self.probes += 1;
        self.unanswered += 1;
        Verdict::Probe
    }
}

/// Whether a line is a final result code.
pub(super) fn is_result(line: &[u8]) -> bool {
    FinalResult::decode(line).is_some()
}
