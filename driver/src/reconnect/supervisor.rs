//! What decides when to connect, wait, reset and stop. No I/O, no clock.

use std::time::{Duration, Instant};

use atmq_protocol::mqtt::{OpenFailure, Refusal};
use thiserror::Error;

use super::policy::{Reconnect, WhenRefused};
use crate::error::{ConnectError, Disconnected, Error, ExchangeError, PortClosed};
use crate::modem::is_busy;

/// How far a connection that comes back is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The module is being configured, opens the link, or connects.
    Connecting {
        /// Failures and early losses before this attempt.
        failures: u32,
    },
    /// The broker has accepted the client. Subscriptions come back first, then the queue.
    Connected,
    /// The module is being reset, because it failed again and again.
    Resetting,
    /// The connection is gone; another attempt follows.
    Waiting {
        /// When.
        until: Instant,
        /// Failures and early losses so far.
        failures: u32,
        /// What was the last of them.
        reason: Setback,
    },
    /// No further attempt follows.
    Stopped(Stopped),
}

/// Why a connection is gone for now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Setback {
    /// It has ended.
    #[error(transparent)]
    Lost(Disconnected),
    /// It was not established.
    #[error(transparent)]
    Failed(ConnectError),
    /// The module no longer answers as it should, so that nobody knows how the connection is.
    #[error("the module failed while connected")]
    ModuleFailed(#[source] Error),
    /// The module says that it is not connected. It had not reported a loss.
    #[error("the module has lost the connection without a report")]
    Unreported,
}

/// Why a connection does not come back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Stopped {
    /// [`ReconnectingClient::disconnect`](super::ReconnectingClient::disconnect) was called.
    #[error("it was disconnected")]
    Requested,
    /// Every client and the reader of its messages were dropped.
    #[error("nobody used it any more")]
    Unused,
    /// Another attempt would fail in the same way.
    #[error("it would be refused again")]
    Refused(#[source] ConnectError),
    /// The port is closed.
    #[error("the port is closed: {0}")]
    PortClosed(PortClosed),
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Connect, and bring the module in order before that if need be.
    Connect { module: Module },
    /// Reset the module.
    Reset,
    /// Nothing until then.
    Wait(Instant),
    /// The connection stands: use it.
    Serve,
    /// Nothing any more.
    Stop,
}

/// What has become of the module since it was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Module {
    /// Nothing that is known.
    Sound,
    /// It has started anew. Where it has been in order before, it is brought in order without
    /// being asked for.
    Restarted,
    /// It failed: whatever it was told is to be told again.
    Faulty,
}

/// Decides by what it is told.
#[derive(Debug)]
pub(super) struct Supervisor {
    base: Duration,
    cap: Duration,
    lasting: Duration,
    when_refused: WhenRefused,
    reset_after: u32,
    random: fastrand::Rng,
    phase: Phase,
    failures: u32,
    /// Failures in a row that are the module's own.
    faults: u32,
    reset_due: bool,
    module: Module,
}

#[derive(Debug)]
enum Phase {
    Attempting,
    Connected { since: Instant },
    Waiting { until: Instant, reason: Setback },
    Stopped(Stopped),
}

impl Supervisor {
    pub(super) fn new(policy: &Reconnect, seed: u64) -> Self {
        Self {
            base: policy.base,
            cap: policy.cap,
            lasting: policy.lasting,
            when_refused: policy.when_refused,
            reset_after: policy.reset_after,
            random: fastrand::Rng::with_seed(seed),
            phase: Phase::Attempting,
            failures: 0,
            faults: 0,
            reset_due: false,
            module: Module::Sound,
        }
    }

    /// What is to be done. After it is done the outcome is told, but for a wait.
    pub(super) fn poll(&mut self, now: Instant) -> Action {
        match &self.phase {
            Phase::Stopped(_) => return Action::Stop,
            Phase::Connected { .. } => return Action::Serve,
            Phase::Waiting { until, .. } if *until > now => return Action::Wait(*until),
            Phase::Waiting { .. } | Phase::Attempting => self.phase = Phase::Attempting,
        }
        if self.reset_due {
            return Action::Reset;
        }
        Action::Connect {
            module: self.module,
        }
    }

    pub(super) fn state(&self) -> State {
        match &self.phase {
            Phase::Attempting if self.reset_due => State::Resetting,
            Phase::Attempting => State::Connecting {
                failures: self.failures,
            },
            Phase::Connected { .. } => State::Connected,
            Phase::Waiting { until, reason } => State::Waiting {
                until: *until,
                failures: self.failures,
                reason: reason.clone(),
            },
            Phase::Stopped(why) => State::Stopped(why.clone()),
        }
    }

    /// The attempt succeeded.
    pub(super) fn connected(&mut self, now: Instant) {
        self.module = Module::Sound;
        self.phase = Phase::Connected { since: now };
    }

    /// The module has carried something out: it is in order.
    pub(super) fn sound(&mut self) {
        self.faults = 0;
    }

    /// The attempt failed.
    pub(super) fn failed(&mut self, error: ConnectError, now: Instant) {
        if let ConnectError::Failed(Error::PortClosed(reason)) = error {
            return self.stop(Stopped::PortClosed(reason));
        }
        if is_final(&error, self.when_refused) {
            return self.stop(Stopped::Refused(error));
        }
        if let ConnectError::Failed(error) = &error {
            self.blame(error);
        }
        self.wait(Setback::Failed(error), now);
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, reason: Setback, now: Instant) {
        if let Setback::Lost(Disconnected::PortClosed(reason)) = reason {
            return self.stop(Stopped::PortClosed(reason));
        }
        match &self.phase {
            Phase::Connected { since } if now.duration_since(*since) >= self.lasting => {
                self.failures = 0;
            }
            _ => {}
        }
        match &reason {
            Setback::Lost(Disconnected::Rebooted | Disconnected::PoweredDown) => {
                self.module = self.module.max(Module::Restarted);
            }
            Setback::ModuleFailed(error) => self.blame(error),
            _ => {}
        }
        self.wait(reason, now);
    }

    /// The reset was tried.
    pub(super) fn reset(&mut self, outcome: Result<(), Error>, now: Instant) {
        self.reset_due = false;
        match outcome {
            // A reset ends with a module that is in order: it is connected at once.
            Ok(()) => self.module = Module::Sound,
            Err(Error::PortClosed(reason)) => self.stop(Stopped::PortClosed(reason)),
            Err(error) => self.wait(Setback::ModuleFailed(error), now),
        }
    }

    /// There is reason to believe that an attempt succeeds now.
    pub(super) fn hurry(&mut self, now: Instant) {
        if let Phase::Waiting { until, .. } = &mut self.phase {
            *until = now;
        }
    }

    /// No further attempt; the first reason stays.
    pub(super) fn stop(&mut self, why: Stopped) {
        if !matches!(self.phase, Phase::Stopped(_)) {
            self.phase = Phase::Stopped(why);
        }
    }

    fn blame(&mut self, error: &Error) {
        if !is_fault(error) {
            return;
        }
        self.module = Module::Faulty;
        self.faults += 1;
        if self.reset_after > 0 && self.faults >= self.reset_after {
            self.faults = 0;
            self.reset_due = true;
        }
    }

    fn wait(&mut self, reason: Setback, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        let until = now + self.delay();
        self.phase = Phase::Waiting { until, reason };
    }

    /// Full jitter: evenly drawn between nothing and the exponential, which is what spreads
    /// clients best.
    fn delay(&mut self) -> Duration {
        let doublings = (self.failures - 1).min(31);
        let longest = self.base.saturating_mul(1 << doublings).min(self.cap);
        longest.mul_f64(self.random.f64()).max(self.base / 10)
    }
}

/// Whether another attempt would fail in the same way.
fn is_final(error: &ConnectError, when_refused: WhenRefused) -> bool {
    match error {
        ConnectError::Failed(Error::Request(_))
        | ConnectError::Occupied(_)
        | ConnectError::Credentials(_)
        | ConnectError::TlsOptions(_)
        | ConnectError::TlsSetUp(_)
        | ConnectError::Unheard { .. }
        | ConnectError::Open {
            failure: OpenFailure::Parameter,
            ..
        } => true,
        ConnectError::Refused(
            Refusal::ProtocolVersion
            | Refusal::Identifier
            | Refusal::BadCredentials
            | Refusal::NotAuthorized,
        ) => when_refused == WhenRefused::Stop,
        _ => false,
    }
}

/// Whether the module itself is to blame, not the network or the broker.
fn is_fault(error: &Error) -> bool {
    match error {
        // It asks for patience, and would have to begin anew.
        _ if is_busy(error) => false,
        Error::Exchange(error) => !matches!(
            error,
            ExchangeError::LinkLost { .. }
                // It is the broker that does not answer.
                | ExchangeError::NoReport { sent_again: true, .. }
                | ExchangeError::Rebooted { .. }
                | ExchangeError::PoweredDown { .. }
        ),
        Error::NoInformation { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
