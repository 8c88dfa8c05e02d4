use std::future::pending;
use std::io;
use std::time::Duration;

use atmq_protocol::standard::StandardRequest;
use tokio::time::Instant;

use super::ladder::{Ladder, Top};
use super::{Boxed, Call, PortTask, Reply, Waiter, lock};
use crate::error::{Disconnected, Error, ExchangeError};
use crate::session::{Answer, Command};
use crate::state::ModemState;

/// How long after a failure the module is tried again by itself, and at the longest. Ours.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// What makes a module start anew.
const RESET: StandardRequest = StandardRequest::Functionality {
    level: 0,
    reset: true,
};

/// How long the answer to that command is awaited: a module may start anew without one. Ours.
const ORDER: Duration = Duration::from_secs(5);

/// How long a module that was told to start anew may take to its banner; then it is asked. Ours:
/// twice what is guessed of the slowest.
const BOOT: Duration = Duration::from_secs(5);

/// How often a module that has been reset is given the time of four probes to answer. Ours.
const PATIENCE: u32 = 2;

/// How long a caller's way to reset the module may take. Ours.
const HOOK: Duration = Duration::from_secs(30);

/// The shortest time between two resets that nobody asked for. Ours.
const RESET_PAUSE: Duration = Duration::from_secs(60);

/// What the task knows of the module, and does to bring it in order.
#[derive(Default)]
pub(super) struct Condition {
    phase: Phase,
    /// The module was in order once: whatever happens to it, it is brought in order again.
    kept: bool,
    /// Who waits for the end of what is being done.
    waiting: Vec<Reply<()>>,
    /// A call that waits for that.
    postponed: Option<Call>,
    /// What the module is to be told again after it has started anew.
    restored: Vec<StandardRequest>,
    /// The rate of the port is to be found first.
    wants_rate: bool,
    /// The module may wait for data of another program.
    cautious: bool,
    pause: Option<Duration>,
    last_reset: Option<Instant>,
    hook: Option<Boxed<io::Result<()>>>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Uninitialised,
    /// It is being brought in order. `tries`: how often after this one.
    Initialising {
        ladder: Ladder,
        tries: u32,
    },
    Ready,
    /// It did not answer as it should.
    Failed {
        retry: Instant,
    },
    /// It is told to start anew: the command is to be sent, `blindly` if no answer is expected.
    Ordered {
        blindly: bool,
    },
    /// It has been told.
    Booting {
        until: Instant,
    },
    /// The caller's own way is under way.
    Hook {
        until: Instant,
    },
}

impl Condition {
    pub(super) fn takes_calls(&self) -> bool {
        let idle = matches!(
            self.phase,
            Phase::Uninitialised | Phase::Ready | Phase::Failed { .. }
        );
        idle && self.postponed.is_none()
    }

    /// Whether the rate of the port is to be found first; once.
    pub(super) fn wants_rate(&mut self) -> bool {
        std::mem::take(&mut self.wants_rate)
    }

    /// Whether the module may wait for data of another program.
    pub(super) fn is_cautious(&self) -> bool {
        self.cautious
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Failed { retry } => Some(*retry),
            Phase::Initialising { ladder, .. } => ladder.waits_until(),
            Phase::Booting { until } | Phase::Hook { until } => Some(*until),
            _ => None,
        }
    }

    /// Whether the module did not answer as it should, and is to be brought in order first.
    pub(super) fn is_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed { .. })
    }

    /// Gives the call back, if it can be made; else keeps it until the module is in order.
    pub(super) fn postponed(&mut self, call: Call) -> Option<Call> {
        let needs_module = matches!(call, Call::Exchange { .. } | Call::Perform { .. });
        if needs_module && self.is_failed() {
            self.postponed = Some(call);
            return None;
        }
        Some(call)
    }

    /// Remembers what a module has to be told again.
    pub(super) fn note(&mut self, command: &Command) {
        if let Command::Standard(request @ StandardRequest::ReportRegistration(domain, _)) = command
        {
            self.restored.retain(|other| {
                !matches!(other, StandardRequest::ReportRegistration(of, _) if of == domain)
            });
            self.restored.push(*request);
        }
    }

    /// The port is lost.
    pub(super) fn lost(&mut self, error: &Error) {
        self.fail(error);
        self.hook = None;
        self.phase = Phase::Uninitialised;
    }

    /// Tells an error to all who wait.
    pub(super) fn fail(&mut self, error: &Error) {
        for reply in self.waiting.drain(..) {
            let _ = reply.send(Err(error.clone()));
        }
        match self.postponed.take() {
            Some(Call::Exchange { reply, .. }) => drop(reply.send(Err(error.clone()))),
            Some(Call::Perform { operation, asked }) => drop(asked.refuse(&operation, error)),
            _ => {}
        }
    }

    /// Waits until the caller's way to reset the module has come to its end.
    pub(super) async fn hook_done(&mut self) -> io::Result<()> {
        match &mut self.hook {
            Some(hook) => hook.await,
            None => pending().await,
        }
    }
}

impl PortTask {
    /// Brings the module in order, before anything else is sent.
    pub(super) fn initialise(&mut self, reply: Option<Reply<()>>) {
        self.condition.waiting.extend(reply);
        self.climb(0);
    }

    /// Nobody knows what was said to the module before.
    pub(super) fn meet(&mut self) {
        let unknown = !self.settings.fresh;
        self.condition.cautious = unknown;
        self.session.synchronise(unknown, Instant::now().into_std());
    }

    fn climb(&mut self, tries: u32) {
        let model = self.settings.model.is_none();
        let ladder = Ladder::new(model, self.condition.restored.iter().copied());
        self.condition.phase = Phase::Initialising { ladder, tries };
        self.condition.wants_rate = self.settings.auto_baud;
        self.tell(ModemState::Initialising);
    }

    /// Sends the next command of the task's own; `false` if there is none to send now.
    pub(super) fn advance(&mut self) -> bool {
        if !self.session.is_ready() {
            return false;
        }
        let now = Instant::now().into_std();
        let (command, blindly, limit) = match &self.condition.phase {
            Phase::Initialising { ladder, .. } if ladder.waits_until().is_some() => return false,
            Phase::Initialising { ladder, .. } => (ladder.step(), false, None),
            Phase::Ordered { blindly } => (Command::Standard(RESET), *blindly, Some(ORDER)),
            _ => return false,
        };
        if blindly {
            let mut line = Vec::new();
            RESET.encode(&mut line);
            if let Some(missing) = self.session.awaits_data(line.len()) {
                self.failed(Error::Exchange(ExchangeError::Unresponsive {
                    command: String::from_utf8_lossy(line.trim_ascii_end()).into_owned(),
                    probes: 0,
                    awaits: Some(missing),
                }));
                return false;
            }
            self.session.force(line.len(), now);
        }
        let Ok(exchange) = self.session.request(command, limit, now) else {
            return false;
        };
        self.waiters.push((exchange, Waiter::Condition));
        true
    }

    /// The task's own command has been answered.
    pub(super) fn step_answered(&mut self, outcome: Result<Answer, ExchangeError>) {
        match &mut self.condition.phase {
            Phase::Initialising { ladder, tries } => {
                let tries = *tries;
                match ladder.answered(outcome, Instant::now()) {
                    None => {}
                    Some(Top::Reached(model)) => {
                        if let Some(model) = model {
                            self.session.set_model(&model);
                            *lock(&self.shared.model) = Some(*model);
                        }
                        self.initialised();
                    }
                    Some(Top::Failed(error)) => match error {
                        ExchangeError::Unresponsive { .. } if tries > 0 => self.climb(tries - 1),
                        ExchangeError::Unresponsive { .. } => self.unresponsive(error.into()),
                        error => self.failed(error.into()),
                    },
                }
            }
            Phase::Ordered { blindly } => match outcome {
                Err(ExchangeError::Unresponsive { .. }) if !*blindly => *blindly = true,
                Err(ExchangeError::Rebooted { .. }) => self.climb(PATIENCE - 1),
                Err(error @ ExchangeError::Refused { .. }) if !*blindly => {
                    self.failed(error.into());
                }
                _ => {
                    let until = Instant::now() + BOOT;
                    self.condition.phase = Phase::Booting { until };
                }
            },
            _ => {}
        }
    }

    /// The module takes commands, or has given up waiting for data.
    pub(super) fn met(&mut self) {
        self.condition.cautious = false;
    }

    fn initialised(&mut self) {
        self.met();
        self.own.initialisations += 1;
        self.condition.phase = Phase::Ready;
        self.condition.kept = true;
        self.condition.pause = None;
        self.tell(ModemState::Ready);
        for reply in self.condition.waiting.drain(..) {
            let _ = reply.send(Ok(()));
        }
        if let Some(call) = self.condition.postponed.take() {
            self.call(call);
        }
    }

    /// The module has switched itself off. What the task itself has under way fails by that, and
    /// a reset may begin so.
    pub(super) fn powered_down(&mut self) {
        if matches!(self.condition.phase, Phase::Ready | Phase::Failed { .. }) {
            let retry = Instant::now() + RETRY_PAUSES.1;
            self.condition.phase = Phase::Failed { retry };
            self.tell(ModemState::PoweredDown);
        }
    }

    fn failed(&mut self, error: Error) {
        if self.condition.kept {
            let (first, longest) = RETRY_PAUSES;
            let pause = self.condition.pause.map_or(first, |pause| pause * 2);
            let pause = pause.min(longest);
            self.condition.pause = Some(pause);
            let retry = Instant::now() + pause;
            self.condition.phase = Phase::Failed { retry };
        } else {
            self.condition.phase = Phase::Uninitialised;
        }
        self.condition.fail(&error);
        if self.condition.kept {
            // Whoever waits for their turn has waited for the same.
            self.performer.fail_queue(&error, Some(&error));
            self.refuse_waiting(&error);
        }
        self.tell(ModemState::Unresponsive(error));
    }

    /// The module answers nothing: it is reset, if that is allowed.
    pub(super) fn unresponsive(&mut self, error: Error) {
        let paused = |last: Instant| last.elapsed() < RESET_PAUSE;
        let allowed = self.settings.recover && !self.condition.last_reset.is_some_and(paused);
        if allowed {
            self.condition.last_reset = Some(Instant::now());
            self.start_anew(true);
        } else if self.condition.kept || !matches!(self.condition.phase, Phase::Uninitialised) {
            self.failed(error);
        }
    }

    /// Has the module start anew, for a caller.
    pub(super) fn reset(&mut self, reply: Option<Reply<()>>) {
        self.condition.waiting.extend(reply);
        if matches!(
            self.condition.phase,
            Phase::Ordered { .. } | Phase::Booting { .. } | Phase::Hook { .. }
        ) {
            // It already is.
            return;
        }
        let silent = matches!(self.condition.phase, Phase::Failed { .. });
        self.start_anew(silent);
    }

    fn start_anew(&mut self, blindly: bool) {
        tracing::warn!("the module is reset");
        self.own.resets += 1;
        self.fail_exchanges(&Error::Reset);
        self.end_links(|_| true, &Disconnected::Rebooted);
        self.performer.fail(&Error::Reset, None);
        self.session.interrupt(Instant::now().into_std());
        self.tell(ModemState::Resetting);
        self.condition.phase = match &self.settings.reset_hook {
            None => Phase::Ordered { blindly },
            Some(hook) => {
                self.condition.hook = Some(hook());
                let until = Instant::now() + HOOK;
                Phase::Hook { until }
            }
        };
    }

    /// The caller's way to reset the module has come to its end.
    pub(super) fn hook_done(&mut self, done: io::Result<()>) {
        self.condition.hook = None;
        match done {
            Ok(()) => {
                // Whatever it was waiting for, it no longer is.
                self.session.force(0, Instant::now().into_std());
                self.ask();
            }
            Err(error) => self.failed(Error::ResetFailed(error.to_string())),
        }
    }

    /// The module must have started by now: asks it.
    fn ask(&mut self) {
        self.session.synchronise(false, Instant::now().into_std());
        self.climb(PATIENCE - 1);
    }

    /// The module has started anew.
    pub(super) fn rebooted(&mut self) {
        match &mut self.condition.phase {
            Phase::Initialising { ladder, .. } => ladder.rebooted(),
            Phase::Booting { .. } => self.climb(PATIENCE - 1),
            Phase::Ready | Phase::Failed { .. } => self.climb(0),
            Phase::Uninitialised | Phase::Ordered { .. } | Phase::Hook { .. } => {}
        }
    }

    /// The port has come back.
    pub(super) fn port_back(&mut self) {
        self.meet();
        if self.condition.kept {
            self.climb(0);
        } else {
            self.tell(ModemState::Uninitialised);
        }
    }

    pub(super) fn condition_timeout(&mut self) {
        if self
            .condition
            .deadline()
            .is_none_or(|due| due > Instant::now())
        {
            return;
        }
        match &mut self.condition.phase {
            Phase::Initialising { ladder, .. } => ladder.waited(),
            Phase::Failed { .. } => {
                self.session.synchronise(false, Instant::now().into_std());
                self.initialise(None);
            }
            Phase::Booting { .. } => self.ask(),
            Phase::Hook { .. } => {
                self.condition.hook = None;
                let seconds = HOOK.as_secs();
                let why = format!("it did not come to its end within {seconds} s");
                self.failed(Error::ResetFailed(why));
            }
            _ => {}
        }
    }
}
