use tokio::sync::watch;

use crate::error::{Error, PortClosed, PortLost};

/// How things stand with a module and its port. See [`Modem::state`](crate::Modem::state).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModemState {
    /// The port is open, and nobody has asked to [initialise](crate::Modem::initialise) the
    /// module. Commands are sent as they come.
    Uninitialised,
    /// The module is being brought in order: at the beginning, after it has rebooted, after the
    /// port has come back. Commands wait for that.
    Initialising,
    /// The module is in order.
    Ready,
    /// The module did not answer as it should. The next command begins by trying again; else it
    /// is tried from time to time.
    Unresponsive(Error),
    /// The module has switched itself off. The next command tries it all the same; else it is
    /// tried once a minute, and initialised as soon as it says that it has started.
    PoweredDown,
    /// The module is being reset. Commands wait for that.
    Resetting,
    /// The port is lost, and is opened again as soon as it is back. Commands fail at once.
    PortLost(PortLost),
    /// The port is closed for good.
    Closed(PortClosed),
}

impl ModemState {
    /// Whether commands are exchanged at once.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// The states that a modem goes through. See
/// [`Modem::state_changes`](crate::Modem::state_changes).
///
/// Only the last one waits for its reader: of several quick changes the last is seen.
#[derive(Debug, Clone)]
pub struct StateChanges(pub(crate) watch::Receiver<ModemState>);

impl StateChanges {
    /// The next state that differs from the one seen last, the present one at first. `None` once
    /// [`Closed`](ModemState::Closed) has been seen.
    ///
    /// Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<ModemState> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }

    /// The state at present, which counts as seen.
    pub fn current(&mut self) -> ModemState {
        self.0.borrow_and_update().clone()
    }

    /// Waits until the module is in order; the reason if it will never be.
    pub(crate) async fn ready(&mut self) -> Result<(), PortClosed> {
        loop {
            match &*self.0.borrow_and_update() {
                ModemState::Ready | ModemState::Uninitialised => return Ok(()),
                ModemState::Closed(reason) => return Err(reason.clone()),
                _ => {}
            }
            if self.0.changed().await.is_err() {
                return Err(PortClosed("its task has ended".into()));
            }
        }
    }
}
