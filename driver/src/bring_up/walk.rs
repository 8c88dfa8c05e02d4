use std::time::Duration;

use atmq_protocol::result_code::{CmeError, FinalResult};
use atmq_protocol::standard::{Pin, Registration, RegistrationDomain, SimStatus, StandardRequest};
use tokio::time::{Instant, sleep, timeout};

use super::{BringUp, BringUpError, BringUpReason, Network, Progress};
use crate::error::{Error, ExchangeError};
use crate::modem::{Functionality, Modem, NetworkStatus, Signal};
use crate::port_task::lock;
use crate::state::ModemState;
use crate::unsolicited::{ModuleUrc, Urcs};

/// How often the SIM, the attach and the address are asked for, and the registration of a module
/// that does not report it. Ours.
const POLL: Duration = Duration::from_secs(2);

/// How often the registration is asked for all the same where changes are reported. Ours.
const SAFETY_POLL: Duration = Duration::from_secs(10);

/// How long a SIM may not be seen after the module has started. Ours.
const NO_SIM: Duration = Duration::from_secs(10);

/// How long a network may deny the registration before it is believed: the module may find
/// another. Ours.
const DENIED: Duration = Duration::from_secs(20);

/// Where a bring-up is, and what it has seen.
pub(super) struct Walk<'m> {
    modem: &'m Modem,
    options: BringUp,
    began: Instant,
    reason: BringUpReason,
    sim: Option<Progress>,
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

    async fn sim_ready(&mut self, urcs: &mut Urcs) -> Result<(), Obstacle> {
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

    async fn radio_on(&mut self) -> Result<(), Obstacle> {
        self.reason = BringUpReason::RadioOff;
        let on = match self.modem.functionality().await {
            Ok(functionality) => functionality == Functionality::Full,
            Err(error) if is_refusal(&error) => false,
            Err(error) => return Err(error.into()),
        };
        if on {
            return Ok(());
        }
        match self.modem.set_functionality(Functionality::Full).await {
            Ok(()) => self.tell(&Progress::RadioOn),
            Err(error) if is_refusal(&error) => return Err(BringUpReason::RadioOff.into()),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn registered(&mut self, urcs: &mut Urcs) -> Result<NetworkStatus, Obstacle> {
        self.reason = BringUpReason::NotRegistered {
            registration: Registration::Unknown,
            signal: self.signal,
        };
        let reported = self.report_registration().await?;
        let pause = if reported { SAFETY_POLL } else { POLL };
        let mut denied: Option<Instant> = None;
        loop {
            let status = match self.modem.registration().await {
                Ok(status) => status,
                Err(error) if is_refusal(&error) => NetworkStatus::unknown(),
                Err(error) => return Err(error.into()),
            };
            self.saw(status);
            if status.is_registered() {
                return Ok(status);
            }
            let signal = self.measured().await?;
            self.tell(&Progress::Signal(signal));
            let mut status = status;
            let poll = Instant::now() + pause;
            // What it reports meanwhile.
            loop {
                self.reason = BringUpReason::NotRegistered {
                    registration: status.registration,
                    signal: self.signal,
                };
                let is_denied = status.registration == Registration::Denied;
                if is_denied {
                    denied.get_or_insert_with(Instant::now);
                }
                if denied.is_some() {
                    self.reason = BringUpReason::Denied;
                }
                let give_up = denied.filter(|_| is_denied).map(|since| since + DENIED);
                let until = give_up.map_or(poll, |give_up| give_up.min(poll));
                let changed = tokio::time::timeout_at(until, registration_changed(urcs)).await;
                match changed {
                    Ok(Some(changed)) => {
                        status = changed;
                        self.saw(status);
                        if status.is_registered() {
                            return Ok(status);
                        }
                    }
                    Ok(None) => return Err(self.modem.closed().into()),
                    Err(_) if give_up.is_some_and(|give_up| give_up <= Instant::now()) => {
                        return Err(BringUpReason::Denied.into());
                    }
                    Err(_) => break,
                }
            }
        }
    }

    /// Whether the module will report changes of its registration.
    async fn report_registration(&self) -> Result<bool, Obstacle> {
        for reports in [2, 1] {
            let request = StandardRequest::ReportRegistration(RegistrationDomain::Eps, reports);
            match self.modem.standard(request).await {
                Ok(_) => return Ok(true),
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
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

    fn sim(&mut self, seen: Progress) {
        if self.sim.as_ref() != Some(&seen) {
            self.tell(&seen);
            self.sim = Some(seen);
        }
    }

    fn saw(&mut self, status: NetworkStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            self.tell(&Progress::Registration(status));
        }
    }

    fn tell(&mut self, progress: &Progress) {
        tracing::debug!(%progress, "bring-up");
        (self.options.on_progress)(progress);
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

async fn registration_changed(urcs: &mut Urcs) -> Option<NetworkStatus> {
    loop {
        if let ModuleUrc::Registration(changed) = urcs.recv().await?
            && changed.domain == RegistrationDomain::Eps
        {
            return Some(NetworkStatus {
                registration: changed.registration,
                cell: changed.location,
            });
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

fn is_refusal(error: &Error) -> bool {
    refusal(error).is_some() || matches!(error, Error::NoInformation { .. })
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
