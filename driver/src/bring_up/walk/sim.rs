use std::time::Duration;

use atmq_protocol::result_code::{CmeError, FinalResult};
use atmq_protocol::standard::{Pin, SimStatus, StandardRequest};
use tokio::time::{Instant, sleep, timeout};

use super::{Obstacle, POLL, Walk, is_refusal, refusal};
use crate::bring_up::{BringUpReason, Progress};
use crate::error::Error;
use crate::modem::Modem;
use crate::port_task::lock;
use crate::unsolicited::{ModuleUrc, Urcs};

/// How long a SIM may not be seen after the module has started. Ours.
const NO_SIM: Duration = Duration::from_secs(10);

impl Walk<'_> {
    pub(super) async fn sim_ready(&mut self, urcs: &mut Urcs) -> Result<(), Obstacle> {
        let began = Instant::now();
        loop {
            match self.modem.sim_status().await {
                Ok(status) => {
                    self.sim(Progress::Sim(status.clone()));
                    match status {
                        SimStatus::Ready => {
                            *lock(&self.modem.shared.spent_pin) = None;
                            return Ok(());
                        }
                        SimStatus::PinRequired => {
                            self.enter_pin().await?;
                            continue;
                        }
                        SimStatus::PukRequired => return Err(BringUpReason::PukRequired.into()),
                        SimStatus::Other(status) => {
                            self.reason = BringUpReason::SimNotReady(Some(status));
                        }
                    }
                }
                Err(error) => match refusal(&error) {
                    Some(FinalResult::Cme(code)) if is(code, CmeError::NO_SIM) => {
                        self.sim(Progress::NoSim);
                        self.reason = BringUpReason::NoSim;
                        if began.elapsed() >= NO_SIM {
                            return Err(BringUpReason::NoSim.into());
                        }
                    }
                    Some(FinalResult::Cme(code)) if is(code, CmeError::PUK_REQUIRED) => {
                        return Err(BringUpReason::PukRequired.into());
                    }
                    Some(result) => {
                        self.reason = BringUpReason::SimNotReady(Some(result.to_string()));
                    }
                    None => return Err(error.into()),
                },
            }
            // It may say itself that something has changed.
            let _ = timeout(POLL, sim_changed(urcs)).await;
        }
    }

    /// Enters the PIN, at most once, and waits until the SIM has taken it in.
    async fn enter_pin(&mut self) -> Result<(), Obstacle> {
        let pin = self.options.pin.ok_or(BringUpReason::PinRequired)?;
        {
            let mut spent = lock(&self.modem.shared.spent_pin);
            if *spent == Some(pin) {
                return Err(BringUpReason::PinSpent.into());
            }
            *spent = Some(pin);
        }
        // It goes on even if nobody waits any more, so that what came of it is known.
        let modem = self.modem.clone();
        let entering = tokio::spawn(async move { enter(&modem, pin).await });
        match entering.await.map_err(|_| self.modem.closed())? {
            Ok(()) => self.tell(&Progress::PinAccepted),
            Err(error) => {
                return Err(match refusal(&error) {
                    Some(FinalResult::Cme(code)) if is(code, CmeError::PUK_REQUIRED) => {
                        BringUpReason::PukRequired.into()
                    }
                    Some(_) => BringUpReason::PinRefused.into(),
                    None => error.into(),
                });
            }
        }
        self.reason = BringUpReason::SimNotReady(None);
        // Some firmware asks for the PIN a while longer.
        for _ in 0..5 {
            match self.modem.sim_status().await {
                Ok(SimStatus::PinRequired) => sleep(POLL).await,
                Err(error) if !is_refusal(&error) => return Err(error.into()),
                _ => return Ok(()),
            }
        }
        *lock(&self.modem.shared.spent_pin) = Some(pin);
        Err(BringUpReason::PinSpent.into())
    }

    fn sim(&mut self, seen: Progress) {
        if self.sim.as_ref() != Some(&seen) {
            self.tell(&seen);
            self.sim = Some(seen);
        }
    }
}

/// Enters the PIN; it is spent until it is accepted.
async fn enter(modem: &Modem, pin: Pin) -> Result<(), Error> {
    modem.standard(StandardRequest::EnterPin(pin)).await?;
    *lock(&modem.shared.spent_pin) = None;
    Ok(())
}

async fn sim_changed(urcs: &mut Urcs) {
    while let Some(urc) = urcs.recv().await {
        if matches!(urc, ModuleUrc::SimStatus(_)) {
            return;
        }
    }
    // The next command will tell why there are no more.
}

/// Whether this is the code, as a number or in words.
fn is(error: &CmeError, code: u16) -> bool {
    match error {
        CmeError::Code(given) => *given == code,
        CmeError::Text(text) => {
            CmeError::words(code).is_some_and(|words| words.eq_ignore_ascii_case(text))
        }
    }
}
