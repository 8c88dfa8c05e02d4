//! The one task that keeps a connection: does what the [`Supervisor`] says, and tells it what
//! came of it.

use std::collections::hash_map::RandomState;
use std::future::{Future, pending};
use std::hash::{BuildHasher as _, Hasher as _};
use std::pin::pin;
use std::sync::Arc;

use atmq_protocol::mqtt::ConnectionState;
use tokio::time::{Instant, sleep_until};

use super::outbox::{Afterwards, Next};
use super::policy::Reconnect;
use super::shared::{Shared, disconnected};
use super::subscriptions::{Change, Changed};
use super::supervisor::{Action, Module, Setback, Stopped, Supervisor};
use crate::client::Client;
use crate::connect::connect_link;
use crate::error::{Disconnected, Error, ExchangeError};
use crate::messages::{Inbox, Link};
use crate::state::ModemState;

pub(super) struct Task {
    shared: Arc<Shared>,
    policy: Reconnect,
    supervisor: Supervisor,
    inbox: Arc<Inbox>,
    last_message_id: u16,
    /// The port was lost, and has not been seen to be back.
    port_away: bool,
    connection: Option<Connection>,
}

/// A connection that stands, as far as is known.
struct Connection {
    client: Client,
    link: Arc<Link>,
    /// When the module is asked whether it does.
    check_at: Option<Instant>,
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, policy: Reconnect, inbox: Arc<Inbox>) -> Self {
        let seed = policy.seed.unwrap_or_else(any_seed);
        Self {
            shared,
            supervisor: Supervisor::new(&policy, seed),
            inbox,
            policy,
            last_message_id: 0,
            port_away: false,
            connection: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            self.tidy();
            if let Some(why) = self.is_to_stop() {
                self.supervisor.stop(why);
            }
            let action = self.supervisor.poll(now());
            self.show_state();
            match action {
                Action::Connect { module } => self.connect(module).await,
                Action::Reset => self.reset().await,
                Action::Wait(until) => self.wait(until.into()).await,
                Action::Serve => self.serve().await,
                Action::Stop => break,
            }
        }
        if let Some(connection) = self.connection.take() {
            // That it had ended before, or that the module does not answer, changes nothing.
            let _ = connection.client.disconnect().await;
        }
        if let super::State::Stopped(why) = self.supervisor.state() {
            tracing::debug!(%why, "connection stopped");
            self.shared.stop(&why).await;
            self.inbox.end(disconnected(&why));
        }
    }

    /// Lets go of expired messages, and takes hints.
    fn tidy(&mut self) {
        let now = now();
        let mut core = self.shared.core();
        core.outbox.expire(now);
        let hurry = std::mem::take(&mut core.hurry);
        self.shared.settle(core);
        if hurry {
            self.supervisor.hurry(now);
        }
    }

    fn is_to_stop(&self) -> Option<Stopped> {
        let core = self.shared.core();
        if core.unused {
            return Some(Stopped::Unused);
        }
        let by = core.leave_by?;
        (core.outbox.is_empty() || by <= Instant::now()).then_some(Stopped::Requested)
    }

    fn show_state(&self) {
        let state = self.supervisor.state();
        // The end is told when everything is over.
        if matches!(state, super::State::Stopped(_)) {
            return;
        }
        self.shared.state.send_if_modified(|shown| {
            let changed = *shown != state;
            if changed {
                tracing::debug!(?state, "connection");
                *shown = state;
            }
            changed
        });
    }

    /// Waits until `until` or until there is something to do.
    async fn rest(&self, until: Option<Instant>) {
        tokio::select! {
            () = wait_until(until) => {}
            () = self.shared.work.notified() => {}
        }
    }

    /// Waits for the next attempt. A port that has come back is worth one at once.
    async fn wait(&mut self, until: Instant) {
        let until = earliest([Some(until), self.chore()]);
        let mut modem = self.shared.modem.state_changes();
        let mut seen = modem.current();
        tokio::select! {
            () = self.rest(until) => {}
            Some(changed) = modem.recv() => seen = changed,
        }
        match seen {
            ModemState::PortLost(_) => self.port_away = true,
            ModemState::Ready | ModemState::Uninitialised if self.port_away => {
                self.port_away = false;
                self.supervisor.hurry(now());
            }
            _ => {}
        }
    }

    /// When the next message expires.
    fn expiry(&self) -> Option<Instant> {
        self.shared
            .core()
            .outbox
            .next_expiry()
            .map(Instant::from_std)
    }

    /// When the queue or a wish to leave want attention.
    fn chore(&self) -> Option<Instant> {
        earliest([self.expiry(), self.shared.core().leave_by])
    }

    /// Waits for an exchange, and minds the queue meanwhile.
    async fn minding<T>(&mut self, doing: impl Future<Output = T>) -> T {
        let mut doing = pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return done,
                () = self.rest(self.expiry()) => self.tidy(),
            }
        }
    }

    /// As [`minding`](Self::minding), for what may take minutes: `None` if the connection is to
    /// be stopped first.
    async fn unless_stopped<T>(&mut self, doing: impl Future<Output = T>) -> Option<T> {
        let mut doing = pin!(doing);
        loop {
            tokio::select! {
                done = &mut doing => return Some(done),
                () = self.rest(self.chore()) => self.tidy(),
            }
            if self.is_to_stop().is_some() {
                return None;
            }
        }
    }

    async fn connect(&mut self, state: Module) {
        self.shared.core().outbox.counters.attempts += 1;
        let shared = self.shared.clone();
        let (modem, options) = (&shared.modem, &shared.options);
        let link = Arc::new(Link::following(
            options.given().connection,
            self.inbox.clone(),
            self.last_message_id,
        ));
        let doing = async {
            let initialise = match state {
                Module::Sound => false,
                // Else the port's task does so, and has what follows wait.
                Module::Restarted => modem.state() == ModemState::Uninitialised,
                Module::Faulty => true,
            };
            if initialise {
                modem.initialise().await?;
            }
            connect_link(modem, options, &link).await
        };
        // A connect that is dropped is undone.
        let Some(outcome) = self.unless_stopped(doing).await else {
            return;
        };
        let client = match outcome {
            Ok(client) => client,
            Err(error) => {
                tracing::info!(%error, "not connected");
                return self.supervisor.failed(error, now());
            }
        };
        let mut core = self.shared.core();
        core.outbox.counters.connections += 1;
        core.subscriptions
            .connected(self.shared.options.given().clean_session);
        drop(core);
        self.connection = Some(Connection {
            client,
            link,
            check_at: self.next_check(),
        });
        self.supervisor.connected(now());
    }

    async fn reset(&mut self) {
        tracing::warn!("the module failed again and again, it is being reset");
        self.shared.core().outbox.counters.resets += 1;
        let shared = self.shared.clone();
        if let Some(outcome) = self.unless_stopped(shared.modem.reset()).await {
            self.supervisor.reset(outcome, now());
        }
    }

    /// Does the next thing on a connection that stands.
    async fn serve(&mut self) {
        let Some(connection) = &self.connection else {
            return self.lost(Setback::Unreported);
        };
        if let Some(reason) = connection.link.ended() {
            return self.lost(Setback::Lost(reason));
        }
        let change = self.shared.core().subscriptions.next();
        if let Some(change) = change {
            return self.subscribe(change).await;
        }
        let next = self.shared.core().outbox.next(now());
        let until = match next {
            Next::Send { id, message } => return self.publish(id, message).await,
            Next::Take(id) => {
                self.shared.take(id);
                None
            }
            Next::Wait(until) => Some(until.into()),
            Next::Idle => None,
        };
        let check_at = connection.check_at;
        if check_at.is_some_and(|at| at <= Instant::now()) {
            return self.check().await;
        }
        tokio::select! {
            _ = connection.link.over() => {}
            () = self.rest(earliest([until, check_at, self.chore()])) => {}
        }
    }

    async fn subscribe(&mut self, change: Change) {
        let Some(connection) = &self.connection else {
            return;
        };
        let client = connection.client.clone();
        let asked = change.clone();
        let doing = async move {
            match asked {
                Change::Subscribe { filter, qos } => client.subscribe(filter, qos).await,
                Change::Unsubscribe { filter } => client.unsubscribe(filter).await,
            }
        };
        let outcome = self.minding(doing).await;
        self.subscribed(&change, &outcome);
        match outcome {
            Ok(()) => self.sound(),
            Err(Error::Request(_) | Error::Subscription { .. }) => {}
            Err(Error::Exchange(ExchangeError::Refused { .. })) => self.check().await,
            Err(error) => self.failed(error),
        }
    }

    fn subscribed(&self, change: &Change, outcome: &Result<(), Error>) {
        let mut core = self.shared.core();
        let told = core.subscriptions.is_awaited(change);
        match core
            .subscriptions
            .changed(change, outcome, self.policy.queue.attempts)
        {
            Changed::Done | Changed::Later => {}
            Changed::Again => core.outbox.counters.resubscriptions += 1,
            Changed::GivenUp => {
                core.outbox.counters.subscriptions_given_up += 1;
                // Who waits for it is told, and is the one to make a fuss of it.
                match told {
                    true => tracing::info!(?change, ?outcome, "subscription given up"),
                    false => tracing::warn!(?change, ?outcome, "subscription given up"),
                }
            }
        }
    }

    async fn publish(&mut self, id: u64, message: super::Outgoing) {
        let Some(connection) = &self.connection else {
            return;
        };
        let super::Outgoing {
            topic,
            payload,
            qos,
            retain,
            ..
        } = message;
        let client = connection.client.clone();
        let doing = async move { client.publish(topic, payload, qos, retain).await };
        let outcome = self.minding(doing).await;
        let afterwards = self.shared.sent(id, outcome, now());
        match afterwards {
            Afterwards::Sound => self.sound(),
            Afterwards::AskState => self.check().await,
            Afterwards::Reconnect(error) => self.failed(error),
        }
    }

    /// The module has shown that it is in order, and connected.
    fn sound(&mut self) {
        self.supervisor.sound();
        let next_check = self.next_check();
        if let Some(connection) = &mut self.connection {
            connection.check_at = next_check;
        }
    }

    fn next_check(&self) -> Option<Instant> {
        let every = self.policy.check_every?;
        Instant::now().checked_add(every)
    }

    /// Asks the module whether it is still connected.
    async fn check(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let client = connection.client.clone();
        match client.state().await {
            Ok(Some(ConnectionState::Connected)) => self.sound(),
            Ok(_) => self.lost(Setback::Unreported),
            // A firmware that does not tell is taken at its last word.
            Err(Error::Exchange(ExchangeError::Refused { .. })) => self.sound(),
            Err(error) => self.failed(error),
        }
    }

    /// Something failed in a way that leaves nothing known of the connection.
    fn failed(&mut self, error: Error) {
        let ended = self.connection.as_ref().and_then(|of| of.link.ended());
        self.lost(match (ended, error) {
            (Some(reason), _) => Setback::Lost(reason),
            (None, Error::PortClosed(reason)) => Setback::Lost(Disconnected::PortClosed(reason)),
            (None, error) => Setback::ModuleFailed(error),
        });
    }

    fn lost(&mut self, reason: Setback) {
        tracing::info!(%reason, "connection lost");
        self.shared.core().outbox.counters.losses += 1;
        self.port_away |= matches!(reason, Setback::Lost(Disconnected::PortLost(_)));
        if let Some(connection) = self.connection.take() {
            self.last_message_id = connection.link.last_message_id();
            // The next attempt closes what the module still has open.
            connection.link.end(Disconnected::NotEstablished);
        }
        self.supervisor.lost(reason, now());
    }
}

fn now() -> std::time::Instant {
    // The clock of tokio, which tests can hold.
    Instant::now().into_std()
}

fn earliest<const N: usize>(times: [Option<Instant>; N]) -> Option<Instant> {
    times.into_iter().flatten().min()
}

async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Different in each process and for each connection.
fn any_seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
