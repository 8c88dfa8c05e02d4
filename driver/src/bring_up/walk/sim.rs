use std::time::Duration;

use atmq_protocol::at::result_code::CmeError;
use atmq_protocol::standard::{Pin, SimStatus, StandardRequest};
use tokio::time::{Instant, sleep, timeout};

use super::{Obstacle, POLL, Walk, refusal};
use crate::bring_up::{BringUpReason, Progress};
use crate::error::Error;
use crate::modem::{Modem, is_busy, is_refusal};
use crate::port_task::lock;
use crate::unsolicited::{ModuleUrc, Urcs};

/// How long a SIM may not be seen, or not work, after the module has started. Ours.
const NO_SIM: Duration = Duration::from_secs(10);

impl Walk<'_> {
    pub(super) async fn sim_ready(&mut self, urcs: &mut Urcs) -> Result<(), Obstacle> {
        let began = Instant::now();
        loop {
            match self.modem.sim_status().await {
                Ok(status) => {
                    self.sim(&status);
                    let hopeless = matches!(status, SimStatus::NotInserted | SimStatus::Failed);
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
                        SimStatus::NotInserted => self.reason = BringUpReason::NoSim,
                        SimStatus::NotReady => {
                            self.reason = BringUpReason::SimNotReady(Some("it is busy".into()));
                        }
                        other => {
                            self.reason = BringUpReason::SimNotReady(Some(other.to_string()));
                        }
                    }
                    if hopeless && began.elapsed() >= NO_SIM {
                        return Err(self.reason.clone().into());
                    }
                }
                Err(error) => match refusal(&error) {
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
            // Whether it has counted nobody knows: the SIM tells, and is not given it again.
            Err(error) if is_busy(&error) => {}
            Err(error) if refusal(&error).is_none() => return Err(error.into()),
            Err(error) => {
                let puk = Some(CmeError::PUK_REQUIRED);
                return Err(match error.cme().and_then(CmeError::number) == puk {
                    true => BringUpReason::PukRequired.into(),
                    false => BringUpReason::PinRefused.into(),
                });
            }
        }
        self.reason = BringUpReason::SimNotReady(None);
        // Some firmware asks for the PIN a while longer, or is busy with it.
        let mut asks = false;
        for _ in 0..5 {
            match self.modem.sim_status().await {
                Ok(SimStatus::PinRequired) => asks = true,
                Ok(SimStatus::NotReady) => asks = false,
                Err(error) if !is_refusal(&error) => return Err(error.into()),
                _ => return Ok(()),
            }
            sleep(POLL).await;
        }
        if !asks {
            return Ok(());
        }
        *lock(&self.modem.shared.spent_pin) = Some(pin);
        Err(BringUpReason::PinSpent.into())
    }

    fn sim(&mut self, seen: &SimStatus) {
        if self.sim.as_ref() != Some(seen) {
            self.tell(&Progress::Sim(seen.clone()));
            self.sim = Some(seen.clone());
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
