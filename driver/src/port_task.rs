//! The one task that owns a port and its session.

mod baud;
mod call;
mod condition;
mod delivery;
mod ladder;
mod secrets;
mod supply;
mod wire;

use std::collections::VecDeque;
use std::future::{pending, ready};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atmq_protocol::dialect::Model;
use atmq_protocol::standard::Pin;
use atmq_protocol::throttle::Throttle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::counters::Counters;
use crate::error::{Disconnected, Error, PortClosed, PortLost};
use crate::messages::Link;
use crate::operations::Performer;
use crate::session::{Answer, ExchangeId, PROMPT_MARGIN, Session, Transmit};
use crate::settings::{Direction, Settings, Tap, Tapped};
use crate::state::ModemState;
use crate::unsolicited::Feeds;

pub(crate) use baud::find_baud_rate;
pub(crate) use call::Call;
use call::Reply;
use condition::Condition;
pub(crate) use ladder::{BUSY, BUSY_PAUSE};
use secrets::Secrets;
pub(crate) use supply::{Boxed, Reopen, Supply};
pub(crate) use wire::{Duplex, Stream};
use wire::{Moved, Outgoing};

/// Bytes read at a time. Ours: as much as the kernel's buffer of a terminal holds.
const READ_SIZE: usize = 4096;

/// How long after a loss the port is opened again for the first time, and at the longest between
/// two tries. Ours.
const REOPEN_PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// So many calls are taken while the connection that they are about waits for a report. Ours.
const HELD: usize = 64;

/// What the task shares with its handles.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) counters: Mutex<Counters>,
    /// What the module is, once it is known.
    pub(crate) model: Mutex<Option<Model>>,
    pub(crate) state: watch::Sender<ModemState>,
    pub(crate) drained: Arc<Notify>,
    pub(crate) feeds: Mutex<Feeds>,
    /// The rate at which the module was found.
    pub(crate) found_rate: Mutex<Option<u32>>,
    /// A PIN that was entered, and not seen to be accepted.
    pub(crate) spent_pin: Mutex<Option<Pin>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            counters: Mutex::default(),
            model: Mutex::default(),
            state: watch::Sender::new(ModemState::Uninitialised),
            drained: Arc::default(),
            feeds: Mutex::default(),
            found_rate: Mutex::default(),
            spent_pin: Mutex::default(),
        }
    }
}

/// The task: [`run`](Self::run) it on a port.
pub(crate) struct PortTask {
    session: Session,
    calls: mpsc::Receiver<Call>,
    resets: mpsc::Receiver<Reply<()>>,
    shared: Arc<Shared>,
    settings: Arc<Settings>,
    links: Vec<Arc<Link>>,
    performer: Performer,
    /// Who waits for which exchange.
    waiters: Vec<(ExchangeId, Waiter)>,
    /// Calls that wait for the report of an earlier command about the same connection.
    held: VecDeque<Call>,
    /// Whose turn was the last one.
    turn: Turn,
    /// The module's.
    condition: Condition,
    /// In bits per second, at which the module was last spoken to.
    baud_rate: u32,
    /// What a tap must not be shown of what the module sends back.
    secrets: Secrets,
    /// What the session cannot count.
    own: Counters,
    /// For the log: losses of the port, and messages whose reader is too slow.
    losses: Throttle<Instant>,
    drops: Throttle<Instant>,
}

/// Who waits for an exchange.
enum Waiter {
    Caller(Reply<Answer>),
    /// The performer, for the step of an operation.
    Performer,
    /// The task itself, to bring the module in order.
    Condition,
}

/// Who may begin an exchange, in this order over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The module's cache.
    Cache,
    /// Operations that were begun.
    Operations,
    /// Callers.
    Calls,
}

impl PortTask {
    pub(crate) fn new(
        session: Session,
        calls: mpsc::Receiver<Call>,
        resets: mpsc::Receiver<Reply<()>>,
        shared: Arc<Shared>,
        settings: Arc<Settings>,
    ) -> Self {
        Self {
            session,
            calls,
            resets,
            shared,
            links: Vec::new(),
            performer: Performer::default(),
            waiters: Vec::new(),
            held: VecDeque::new(),
            turn: Turn::Calls,
            condition: Condition::default(),
            baud_rate: settings.baud_rate,
            secrets: Secrets::default(),
            own: Counters::default(),
            losses: Throttle::new(),
            drops: Throttle::new(),
            settings,
        }
    }

    /// Runs until the port is lost for good, or the last handle is gone and nothing is under way.
    pub(crate) async fn run(mut self, mut stream: Stream, supply: Supply) {
        let why = loop {
            let Err(error) = self.pump(stream).await else {
                break LAST_HANDLE.into();
            };
            let why = error.to_string();
            if !supply.is_some() {
                break why;
            }
            match self.reopen(&supply, why).await {
                Some(opened) => stream = opened,
                None => break LAST_HANDLE.into(),
            }
        };
        tracing::debug!(why, "port closed");
        let reason = PortClosed(why.into());
        let error = Error::PortClosed(reason.clone());
        // Who is told of the error finds the port closed.
        self.tell(ModemState::Closed(reason.clone()));
        self.fail_exchanges(&error);
        self.refuse_waiting(&error);
        self.condition.fail(&error);
        self.end_links(|_| true, &Disconnected::PortClosed(reason));
        self.performer.fail(&error, Some(&error));
        lock(&self.shared.feeds).close();
    }

    /// Moves bytes until the stream fails, or nobody needs it any more.
    async fn pump(&mut self, mut stream: Stream) -> io::Result<()> {
        let mut buffer = vec![0; READ_SIZE];
        let mut out: Outgoing = None;
        let mut open = true;
        let drained = self.shared.drained.clone();
        loop {
            self.settle();
            if out.is_none() && self.condition.wants_rate() {
                self.find_rate(&mut stream).await?;
                continue;
            }
            if self.takes_exchange() && self.begin_exchange() {
                // It may be for the task itself to go on with it.
                continue;
            }
            if out.is_none() {
                out = self.session.poll_transmit().map(|transmit| (transmit, 0));
                if let (Some((transmit, _)), Some(tap)) = (&out, &self.settings.tap) {
                    self.secrets.sent(transmit);
                    let Transmit { bytes, secrets } = transmit;
                    show(Some(tap), Direction::HostToModule, bytes, secrets);
                }
            }
            let held_back = !self.session.is_listening() && self.is_full();
            self.session.hold_back(held_back, Instant::now().into_std());
            let idle = out.is_none() && !self.session.is_listening();
            if !open && idle && self.performer.is_idle() && self.links.iter().all(is_over) {
                return Ok(());
            }
            let exclusive = self.performer.is_exclusive(&self.session);
            let takes_calls = open && self.takes_exchange() && !exclusive && self.held.len() < HELD;
            let session_deadline = self.session.poll_timeout().map(Instant::from_std);
            let deadline = [session_deadline, self.condition.deadline()];
            let deadline = deadline.into_iter().flatten().min();
            tokio::select! {
                moved = stream.moved(&mut buffer, &mut out, !held_back) => {
                    if let Moved::Read(length) = moved? {
                        self.receive(&buffer[..length]);
                    }
                }
                call = self.calls.recv(), if takes_calls => match call {
                    Some(call) => self.call(call),
                    None => open = false,
                },
                Some(reply) = self.resets.recv() => self.reset(Some(reply)),
                done = self.condition.hook_done() => self.hook_done(done),
                () = wait_until(deadline) => {
                    // Bytes that wait to be read are no silence of the module.
                    let mut nothing: Outgoing = None;
                    let waiting = tokio::select! {
                        biased;
                        moved = stream.moved(&mut buffer, &mut nothing, !held_back) => Some(moved?),
                        () = ready(()) => None,
                    };
                    if let Some(Moved::Read(length)) = waiting {
                        self.receive(&buffer[..length]);
                    }
                    self.session.handle_timeout(Instant::now().into_std());
                    self.condition_timeout();
                }
                () = drained.notified() => {}
            }
        }
    }

    /// Takes in what has been read.
    fn receive(&mut self, bytes: &[u8]) {
        if let Some(tap) = &self.settings.tap {
            let secrets = self.secrets.find(bytes);
            show(Some(tap), Direction::ModuleToHost, bytes, &secrets);
        }
        self.report_what_is_read();
        self.session.receive(bytes, Instant::now().into_std());
    }

    /// Finds the rate of the module.
    async fn find_rate(&mut self, stream: &mut Stream) -> io::Result<()> {
        if self.session.awaits_data(usize::MAX).is_some() {
            // What is sent at any rate could complete it.
            return Ok(());
        }
        let tap = self.settings.tap.clone();
        let show = |direction, bytes: &[u8]| show(tap.as_ref(), direction, bytes, &[]);
        let limits = self.session.limits();
        let patience = self
            .condition
            .is_cautious()
            .then_some(limits.prompt_timeout);
        let found = baud::find(stream, self.baud_rate, patience, show).await?;
        self.met();
        self.session.takes_commands();
        match found {
            Some(rate) => {
                tracing::debug!(rate, "the module answers at this rate");
                self.baud_rate = rate;
                *lock(&self.shared.found_rate) = Some(rate);
            }
            None => tracing::debug!("the module answers at no rate"),
        }
        Ok(())
    }

    /// Waits for the port to come back. `None`: the last handle has gone.
    async fn reopen(&mut self, supply: &Supply, why: String) -> Option<Stream> {
        let held_back = self.losses.pass(Instant::now());
        if let Some(held_back) = held_back {
            tracing::warn!(why, held_back, "port lost");
        }
        self.own.port_losses += 1;
        let reason = PortLost(why.into());
        let error = Error::PortLost(reason.clone());
        let away = Error::PortAway(reason.clone());
        self.fail_exchanges(&error);
        self.refuse_waiting(&away);
        self.condition.lost(&error);
        self.end_links(|_| true, &Disconnected::PortLost(reason.clone()));
        self.performer.fail(&error, Some(&away));
        self.session.interrupt(Instant::now().into_std());
        self.tell(ModemState::PortLost(reason));
        self.settle();
        let (mut pause, longest) = REOPEN_PAUSES;
        let (settings, baud_rate) = (self.settings.clone(), self.baud_rate);
        loop {
            let wait = pause;
            let attempt = async {
                sleep(wait).await;
                supply.open(&settings, baud_rate).await
            };
            let mut attempt = std::pin::pin!(attempt);
            let opened = loop {
                tokio::select! {
                    opened = &mut attempt => break opened,
                    call = self.calls.recv() => self.refuse(call?, &away),
                    Some(reply) = self.resets.recv() => {
                        let _ = reply.send(Err(away.clone()));
                    }
                }
            };
            match opened {
                Ok(stream) => {
                    if held_back.is_some() {
                        tracing::info!("port opened again");
                    }
                    self.port_back();
                    return Some(stream);
                }
                Err(error) => tracing::debug!(%error, "the port is not back"),
            }
            pause = longest.min(pause * 2);
        }
    }

    fn takes_exchange(&self) -> bool {
        self.session.is_ready() && self.condition.takes_calls()
    }

    /// Begins an exchange of somebody's whose turn it is; `false` if nobody wants one. None keeps
    /// the others from their turn, unless what they would interrupt is inseparable.
    fn begin_exchange(&mut self) -> bool {
        self.performer.tidy(&mut self.session);
        self.links.retain(|link| link.ended().is_none());
        let exclusive = self.performer.is_exclusive(&self.session);
        let mut turn = self.turn;
        for _ in 0..3 {
            turn = turn.next();
            let begun = match turn {
                Turn::Operations => self.perform(),
                _ if exclusive => false,
                Turn::Cache => self.read_unread(),
                Turn::Calls => match self.next_call() {
                    Some(call) => {
                        self.call(call);
                        true
                    }
                    None => false,
                },
            };
            if begun {
                self.turn = turn;
                return true;
            }
        }
        false
    }

    /// Sends the next step of an operation.
    pub(super) fn perform(&mut self) -> bool {
        if self.performer.is_due(&self.session) && self.condition.is_failed() {
            // The module is brought in order first.
            self.session.synchronise(false, Instant::now().into_std());
            self.initialise(None);
            return true;
        }
        let now = Instant::now().into_std();
        let begun = self.performer.next(&mut self.session, now);
        self.waiters
            .extend(begun.map(|exchange| (exchange, Waiter::Performer)));
        begun.is_some()
    }

    /// Reads the next message out of the module's cache.
    fn read_unread(&mut self) -> bool {
        let links = &self.links;
        let wanted = |connection| {
            let mut links = links.iter().filter(|link| link.connection == connection);
            links.any(|link| link.takes_messages())
        };
        let now = Instant::now().into_std();
        self.session.has_unread(wanted) && self.session.read_unread(wanted, now)
    }

    /// The exchanges under way have come to nothing; those of callers to this.
    fn fail_exchanges(&mut self, error: &Error) {
        for (_, waiter) in self.waiters.drain(..) {
            if let Waiter::Caller(reply) = waiter {
                let _ = reply.send(Err(error.clone()));
            }
        }
    }

    /// Tells the state to whoever watches.
    fn tell(&self, state: ModemState) {
        self.shared.state.send_if_modified(|told| {
            let changed = *told != state;
            if changed {
                tracing::debug!(?state, "state");
                *told = state;
            }
            changed
        });
    }
}

impl Turn {
    fn next(self) -> Self {
        match self {
            Self::Cache => Self::Operations,
            Self::Operations => Self::Calls,
            Self::Calls => Self::Cache,
        }
    }
}

/// Shows bytes to who has asked to see them.
fn show(tap: Option<&Tap>, direction: Direction, bytes: &[u8], secrets: &[Range<usize>]) {
    if let Some(tap) = tap {
        tap(&Tapped {
            at: Instant::now().into_std(),
            direction,
            bytes,
            secrets,
        });
    }
}

const LAST_HANDLE: &str = "the last handle was dropped";

/// Whether nobody uses the link any more.
fn is_over(link: &Arc<Link>) -> bool {
    link.ended().is_some() || Arc::strong_count(link) == 1
}

async fn wait_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Locks what is only ever copied in and out.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics with the lock held")
}
