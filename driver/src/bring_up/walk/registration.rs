use std::time::Duration;

use atmq_protocol::standard::{Registration, RegistrationDomain, StandardRequest};
use tokio::time::Instant;

use super::{Obstacle, POLL, Walk, patiently};
use crate::bring_up::{BringUpReason, Progress};
use crate::modem::{NetworkStatus, REGISTRATIONS, is_busy, is_refusal};
use crate::unsolicited::{ModuleUrc, Urcs};

/// How often the registration is asked for all the same where changes are reported. Ours.
const SAFETY_POLL: Duration = Duration::from_secs(10);

/// How long a network may deny the registration before it is believed: the module may find
/// another. Ours.
const DENIED: Duration = Duration::from_secs(20);

impl Walk<'_> {
    pub(super) async fn registered(&mut self, urcs: &mut Urcs) -> Result<NetworkStatus, Obstacle> {
        self.reason = BringUpReason::NotRegistered {
            registration: Registration::Unknown,
            signal: self.signal,
        };
        let reported = self.report_registration().await?;
        let pause = if reported.is_some() {
            SAFETY_POLL
        } else {
            POLL
        };
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
                let changed =
                    tokio::time::timeout_at(until, registration_changed(urcs, reported)).await;
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

    /// Which of its registrations the module will report the changes of, if any.
    async fn report_registration(&self) -> Result<Option<RegistrationDomain>, Obstacle> {
        for domain in REGISTRATIONS {
            for reports in [2, 1] {
                let request = StandardRequest::ReportRegistration(domain, reports);
                match patiently(|| self.modem.standard(request)).await {
                    Ok(_) => return Ok(Some(domain)),
                    Err(error) if is_busy(&error) => return Ok(None),
                    Err(error) if is_refusal(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(None)
    }

    fn saw(&mut self, status: NetworkStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            self.tell(&Progress::Registration(status));
        }
    }
}

/// The next change of the registration that the module was told to report, or of the first one.
async fn registration_changed(
    urcs: &mut Urcs,
    reported: Option<RegistrationDomain>,
) -> Option<NetworkStatus> {
    let domain = reported.unwrap_or(RegistrationDomain::Eps);
    loop {
        if let ModuleUrc::Registration(changed) = urcs.recv().await?
            && changed.domain == domain
        {
            return Some(NetworkStatus {
                registration: changed.registration,
                cell: changed.location,
            });
        }
    }
}
