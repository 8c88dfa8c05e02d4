//! What is to be subscribed to, connection after connection. No I/O, no clock.

use atmq_protocol::mqtt::QoS;
use tokio::sync::oneshot;

use crate::error::{Error, ExchangeError};

pub(super) type Told = oneshot::Sender<Result<(), Error>>;

/// The subscriptions that are wanted, and those that are to be taken back.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    wanted: Vec<Wanted>,
    leaving: Vec<Leaving>,
}

#[derive(Debug)]
struct Wanted {
    filter: String,
    qos: QoS,
    /// On this connection there is nothing left to do for it.
    settled: bool,
    /// The broker has acknowledged it before.
    proven: bool,
    failures: u32,
    waiting: Vec<Told>,
}

#[derive(Debug)]
struct Leaving {
    filter: String,
    failures: u32,
    waiting: Vec<Told>,
}

/// A subscription to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Subscribe { filter: String, qos: QoS },
    Unsubscribe { filter: String },
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Changed {
    Done,
    /// The broker has made a subscription again that it had made before.
    Again,
    /// To be tried again, here or on the next connection.
    Later,
    /// Given up. Who waits for it has been told.
    GivenUp,
}

impl Subscriptions {
    pub(super) fn subscribe(&mut self, filter: String, qos: QoS, told: Told) {
        overtaken(
            &filter,
            self.leaving
                .extract_if(.., |leaving| leaving.filter == filter)
                .flat_map(|leaving| leaving.waiting),
        );
        let mut wanted = self.wanted.iter_mut();
        match wanted.find(|wanted| wanted.filter == filter) {
            Some(wanted) => {
                wanted.qos = qos;
                wanted.settled = false;
                wanted.failures = 0;
                wanted.waiting.push(told);
            }
            None => self.wanted.push(Wanted {
                filter,
                qos,
                settled: false,
                proven: false,
                failures: 0,
                waiting: vec![told],
            }),
        }
    }

    pub(super) fn unsubscribe(&mut self, filter: String, told: Told) {
        overtaken(
            &filter,
            self.wanted
                .extract_if(.., |wanted| wanted.filter == filter)
                .flat_map(|wanted| wanted.waiting),
        );
        let mut leaving = self.leaving.iter_mut();
        match leaving.find(|leaving| leaving.filter == filter) {
            Some(leaving) => leaving.waiting.push(told),
            None => self.leaving.push(Leaving {
                filter,
                failures: 0,
                waiting: vec![told],
            }),
        }
    }

    /// There is a new connection. A clean session knows nothing of earlier subscriptions; one
    /// that is kept may or may not, and to subscribe twice does no harm.
    pub(super) fn connected(&mut self, clean_session: bool) {
        for wanted in &mut self.wanted {
            wanted.settled = false;
        }
        if clean_session {
            for leaving in self.leaving.drain(..) {
                tell(leaving.waiting, &Ok(()));
            }
        }
    }

    /// The next thing to do.
    pub(super) fn next(&self) -> Option<Change> {
        if let Some(leaving) = self.leaving.first() {
            let filter = leaving.filter.clone();
            return Some(Change::Unsubscribe { filter });
        }
        let wanted = self.wanted.iter().find(|wanted| !wanted.settled)?;
        Some(Change::Subscribe {
            filter: wanted.filter.clone(),
            qos: wanted.qos,
        })
    }

    /// Whether somebody waits for it.
    pub(super) fn is_awaited(&self, change: &Change) -> bool {
        let awaits = |waiting: &[Told]| waiting.iter().any(|told| !told.is_closed());
        match change {
            Change::Subscribe { filter, .. } => {
                let mut wanted = self.wanted.iter();
                wanted.any(|wanted| wanted.filter == *filter && awaits(&wanted.waiting))
            }
            Change::Unsubscribe { filter } => {
                let mut leaving = self.leaving.iter();
                leaving.any(|leaving| leaving.filter == *filter && awaits(&leaving.waiting))
            }
        }
    }

    /// What came of it. After `attempts` failures it is given up, so that it does not keep the
    /// queue from being sent for ever.
    pub(super) fn changed(
        &mut self,
        change: &Change,
        outcome: &Result<(), Error>,
        attempts: u32,
    ) -> Changed {
        match change {
            Change::Subscribe { filter, qos } => {
                // It may have been taken back, or asked for with another quality, meanwhile.
                let found = |wanted: &Wanted| wanted.filter == *filter && wanted.qos == *qos;
                match self.wanted.iter().position(found) {
                    Some(at) => self.subscribed(at, outcome, attempts),
                    None => Changed::Done,
                }
            }
            Change::Unsubscribe { filter } => {
                let found = |leaving: &Leaving| leaving.filter == *filter;
                match self.leaving.iter().position(found) {
                    Some(at) => self.unsubscribed(at, outcome, attempts),
                    None => Changed::Done,
                }
            }
        }
    }

    fn subscribed(&mut self, at: usize, outcome: &Result<(), Error>, attempts: u32) -> Changed {
        let wanted = &mut self.wanted[at];
        let Err(error) = outcome else {
            wanted.settled = true;
            wanted.failures = 0;
            let again = std::mem::replace(&mut wanted.proven, true);
            tell(std::mem::take(&mut wanted.waiting), outcome);
            return if again { Changed::Again } else { Changed::Done };
        };
        match verdict(error, &mut wanted.failures, attempts) {
            Verdict::Later => Changed::Later,
            // What the broker once took it may take again: on the next connection.
            Verdict::GiveUp if wanted.proven => {
                wanted.settled = true;
                wanted.failures = 0;
                tell(std::mem::take(&mut wanted.waiting), outcome);
                Changed::GivenUp
            }
            Verdict::GiveUp => {
                let wanted = self.wanted.remove(at);
                tell(wanted.waiting, outcome);
                Changed::GivenUp
            }
        }
    }

    fn unsubscribed(&mut self, at: usize, outcome: &Result<(), Error>, attempts: u32) -> Changed {
        if let Err(error) = outcome
            && let Verdict::Later = verdict(error, &mut self.leaving[at].failures, attempts)
        {
            return Changed::Later;
        }
        let leaving = self.leaving.remove(at);
        tell(leaving.waiting, outcome);
        match outcome {
            Ok(()) => Changed::Done,
            Err(_) => Changed::GivenUp,
        }
    }

    /// Nothing will be changed any more.
    pub(super) fn stop(&mut self, why: &Error) {
        let outcome = Err(why.clone());
        for wanted in &mut self.wanted {
            tell(std::mem::take(&mut wanted.waiting), &outcome);
        }
        for leaving in self.leaving.drain(..) {
            tell(leaving.waiting, &outcome);
        }
    }
}

enum Verdict {
    Later,
    GiveUp,
}

/// Refusals are final, and so is what cannot be written. What the link or the module is to blame
/// for is tried again a few times; what was not tried at all does not count.
fn verdict(error: &Error, failures: &mut u32, attempts: u32) -> Verdict {
    match error {
        Error::Request(_) | Error::Subscription { .. } => return Verdict::GiveUp,
        Error::Disconnected(_)
        | Error::PortClosed(_)
        | Error::PortAway(_)
        | Error::Exchange(ExchangeError::Unresponsive { .. }) => return Verdict::Later,
        _ => *failures += 1,
    }
    match *failures >= attempts {
        true => Verdict::GiveUp,
        false => Verdict::Later,
    }
}

/// Somebody wants the opposite now.
fn overtaken(filter: &str, waiting: impl Iterator<Item = Told>) {
    let filter = filter.to_owned();
    tell(waiting, &Err(Error::Overtaken { filter }));
}

fn tell(waiting: impl IntoIterator<Item = Told>, outcome: &Result<(), Error>) {
    for told in waiting {
        // A caller that is gone does not want to know.
        let _ = told.send(outcome.clone());
    }
}

#[cfg(test)]
mod tests;
