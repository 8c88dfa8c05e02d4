//! The way of a bring-up, step by step.

mod registration;
mod sim;

use std::time::Duration;

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::standard::SimStatus;
use tokio::time::{Instant, sleep};

use super::{BringUp, BringUpError, BringUpReason, Network, Progress};
use crate::error::{Error, ExchangeError};
use crate::modem::{Functionality, Modem, NetworkStatus, Signal, is_busy, is_refusal};
use crate::port_task::{BUSY, BUSY_PAUSE};
use crate::state::ModemState;

/// How often the SIM, the attach and the address are asked for, and the registration of a module
/// that does not report it. Ours.
const POLL: Duration = Duration::from_secs(2);

/// The packet data context that comes with the attach.
const CONTEXT: u8 = 1;

/// Where a bring-up is, and what it has seen.
pub(super) struct Walk<'m> {
    modem: &'m Modem,
    options: BringUp,
    began: Instant,
    reason: BringUpReason,
    sim: Option<SimStatus>,
    status: Option<NetworkStatus>,
    signal: Signal,
}

/// What ends a bring-up early.
enum Obstacle {
    Reason(BringUpReason),
    Error(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<BringUpReason> for Obstacle {
    fn from(reason: BringUpReason) -> Self {
        Self::Reason(reason)
    }
}

impl<'m> Walk<'m> {
    pub(super) fn new(modem: &'m Modem, options: BringUp, began: Instant) -> Self {
        Self {
            modem,
            options,
            began,
            reason: BringUpReason::SimNotReady(None),
            sim: None,
            status: None,
            signal: Signal::default(),
        }
    }

    /// When the time is up: within a lifetime, whatever limit was given.
    pub(super) fn deadline(&self) -> Instant {
        const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        self.began + self.options.limit.min(LONGEST)
    }

    /// What was waited for when the time was up.
    pub(super) fn out_of_time(self) -> BringUpError {
        BringUpError {
            reason: self.reason,
            waited: self.began.elapsed(),
            source: None,
        }
    }

    pub(super) async fn run(&mut self) -> Result<Network, BringUpError> {
        let (reason, source) = loop {
            match self.walk().await {
                Ok(network) => return Ok(network),
                Err(Obstacle::Reason(reason)) => break (reason, None),
                // Once is no reason to give up.
                Err(Obstacle::Error(Error::Exchange(ExchangeError::Timeout { .. }))) => {}
                Err(Obstacle::Error(error)) if self.starts_anew(&error) => {
                    if let Err(error) = self.modem.ready().await {
                        break (BringUpReason::Command, Some(error));
                    }
                    self.tell(&Progress::Restarted);
                    self.reason = BringUpReason::SimNotReady(None);
                    self.sim = None;
                    self.status = None;
                }
                Err(Obstacle::Error(error)) => break (BringUpReason::Command, Some(error)),
            }
        };
        Err(BringUpError {
            reason,
            waited: self.began.elapsed(),
            source,
        })
    }

    async fn walk(&mut self) -> Result<Network, Obstacle> {
        let mut urcs = self.modem.urcs();
        self.sim_ready(&mut urcs).await?;
        self.access_point().await?;
        self.radio_on().await?;
        let status = self.registered(&mut urcs).await?;
        self.attached().await?;
        let ip = self.address().await?;
        let operator = match self.modem.operator().await {
            Ok(operator) => operator,
            Err(error) if is_refusal(&error) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Network {
            status,
            signal: self.measured().await?,
            operator,
            ip,
            took: self.began.elapsed(),
        })
    }

    /// Tells the module the access point, unless it has it.
    async fn access_point(&mut self) -> Result<(), Obstacle> {
        let Some(apn) = self.options.apn.clone() else {
            return Ok(());
        };
        self.reason = BringUpReason::AccessPointRefused;
        let contexts = self.modem.command("AT+CGDCONT?").await?;
        let mut contexts = contexts.lines.iter().filter_map(|line| context(line));
        let known = contexts.find(|(cid, ..)| *cid == CONTEXT);
        let kind = match &known {
            Some((_, _, set)) if set.eq_ignore_ascii_case(&apn) => return Ok(()),
            Some((_, kind, _)) => kind,
            None => "IP",
        };
        if apn.contains(|c: char| c == '"' || c.is_control()) {
            return Err(BringUpReason::AccessPointRefused.into());
        }
        let line = format!("AT+CGDCONT={CONTEXT},\"{kind}\",\"{apn}\"");
        if self.modem.command(line).await?.result != FinalResult::Ok {
            return Err(BringUpReason::AccessPointRefused.into());
        }
        self.tell(&Progress::AccessPoint(apn));
        // It holds from the next attach on. A module that is not attached may refuse either.
        for attached in [false, true] {
            match self.modem.attach(attached).await {
                Err(error) if !is_refusal(&error) => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    async fn radio_on(&mut self) -> Result<(), Obstacle> {
        self.reason = BringUpReason::RadioOff;
        let on = match patiently(|| self.modem.functionality()).await {
            Ok(functionality) => functionality == Functionality::Full,
            Err(error) if is_refusal(&error) => false,
            Err(error) => return Err(error.into()),
        };
        if on {
            return Ok(());
        }
        match patiently(|| self.modem.set_functionality(Functionality::Full)).await {
            Ok(()) => self.tell(&Progress::RadioOn),
            Err(error) if is_refusal(&error) && !is_busy(&error) => {
                return Err(BringUpReason::RadioOff.into());
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn attached(&mut self) -> Result<(), Obstacle> {
        self.reason = BringUpReason::NotAttached;
        let mut asked = false;
        loop {
            match self.modem.is_attached().await {
                Ok(true) => break,
                Ok(false) if !asked => {
                    asked = true;
                    match self.modem.attach(true).await {
                        Err(error) if !is_refusal(&error) => return Err(error.into()),
                        _ => continue,
                    }
                }
                Err(error) if !is_refusal(&error) => return Err(error.into()),
                _ => {}
            }
            sleep(POLL).await;
        }
        self.tell(&Progress::Attached);
        Ok(())
    }

    async fn address(&mut self) -> Result<Option<std::net::IpAddr>, Obstacle> {
        self.reason = BringUpReason::NoAddress;
        loop {
            match self.modem.addresses().await {
                Ok(addresses) => {
                    if let Some(address) = addresses.first() {
                        self.tell(&Progress::Address(address.ip));
                        return Ok(Some(address.ip));
                    }
                }
                // A module that has no such command has an address all the same.
                Err(error) if is_refusal(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
            sleep(POLL).await;
        }
    }

    async fn measured(&mut self) -> Result<Signal, Error> {
        self.signal = match self.modem.signal().await {
            Ok(signal) => signal,
            Err(error) if is_refusal(&error) => Signal::default(),
            Err(error) => return Err(error),
        };
        Ok(self.signal)
    }

    /// Whether the module will be there again, and has to be brought up from the beginning.
    fn starts_anew(&self, error: &Error) -> bool {
        match error {
            Error::Exchange(ExchangeError::Rebooted { .. })
            | Error::PortLost(_)
            | Error::PortAway(_)
            | Error::Reset => true,
            Error::Exchange(ExchangeError::Unresponsive { .. }) => {
                self.modem.state() == ModemState::Resetting
            }
            _ => false,
        }
    }

    fn tell(&mut self, progress: &Progress) {
        tracing::debug!(%progress, "bring-up");
        (self.options.on_progress)(progress);
    }
}

/// Number, type and access point of `+CGDCONT: <cid>,"<type>","<apn>",…`.
fn context(line: &[u8]) -> Option<(u8, &str, &str)> {
    let mut values = Parameters::new(line.strip_prefix(b"+CGDCONT: ")?);
    let cid = values.integer("cid", 1, 255).ok()?;
    let kind = values.text("type", usize::MAX).ok()?;
    Some((
        cid,
        kind,
        values.text("apn", usize::MAX).unwrap_or_default(),
    ))
}

/// Asks again while the module says that it is busy, as some do in their first seconds. After
/// [`BUSY`] that is its answer.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let began = Instant::now();
    loop {
        match ask().await {
            Err(error) if is_busy(&error) && began.elapsed() < BUSY => {
                tracing::debug!(%error, "the module is busy and is asked again");
                sleep(BUSY_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// With what the module has refused a command.
fn refusal(error: &Error) -> Option<&FinalResult> {
    match error {
        Error::Exchange(ExchangeError::Refused { result, .. }) => Some(result),
        _ => None,
    }
}
