//! Command lines, and the commands that are not MQTT's.

use std::time::{Duration, Instant};

use atmq_protocol::command::{Command, Form};
use atmq_protocol::dialect::Dialect;
use atmq_protocol::result_code::{CmeError, FinalResult};
use atmq_protocol::standard::{
    Registration, SerialNumber, SimStatus, StandardInformation, StandardRequest,
};

use super::publish::Publish;
use super::upload::Upload;
use super::{Modem, NOT_ALLOWED, Phase, Refused};

/// What is to happen behind a command that is not refused.
pub(super) enum Done {
    /// `OK`, or the next command of the line.
    Answered,
    /// `OK` and the outcome, in the order of this module.
    Reported,
    /// A prompt, and then the payload.
    Prompt(Publish),
    /// `CONNECT`, and then a file.
    Upload(Upload),
    /// `OK`, and then the module starts anew.
    Reboot,
}

impl Modem {
    /// How long the module thinks about a command line: by its first command.
    pub(super) fn latency_of(&self, line: &[u8]) -> (Duration, Duration) {
        let (command, _) = self.first_command(line);
        let acts = self.profile.dialect.owns(command.name)
            && matches!(command.form, Form::Set(_))
            && !command.is("+LMQTTCFG");
        if acts {
            self.profile.latency.command
        } else {
            self.profile.latency.query
        }
    }

    fn first_command<'a>(&self, line: &'a [u8]) -> (Command<'a>, &'a [u8]) {
        Command::split_first(line, |name| self.profile.dialect.owns(name))
    }

    /// Executes the commands of a line one after another, until one is refused.
    pub(super) fn execute(&mut self, line: &[u8], now: Instant) {
        let mut rest = line;
        loop {
            let (command, left) = self.first_command(rest);
            match self.execute_command(&command, now) {
                Err(refused) => {
                    tracing::debug!(?command, ?refused, "command refused");
                    return self.finish(Err(refused));
                }
                Ok(Done::Answered) if !left.is_empty() => rest = left,
                Ok(Done::Answered) => return self.finish(Ok(FinalResult::Ok)),
                Ok(Done::Reboot) => {
                    self.finish(Ok(FinalResult::Ok));
                    return self.reboot(now);
                }
                Ok(Done::Reported) => return self.finish_reported(now),
                Ok(Done::Upload(upload)) => {
                    self.finish(Ok(FinalResult::Connect(None)));
                    self.reader.expect_data(upload.length());
                    let give_up = upload.give_up(now);
                    self.phase = Phase::Uploading { upload, give_up };
                    return;
                }
                Ok(Done::Prompt(publish)) => {
                    self.output.raw(b"\r\n> ");
                    self.reader.expect_data(publish.length());
                    let give_up = now + self.profile.data_timeout;
                    self.phase = Phase::Prompted { publish, give_up };
                    return;
                }
            }
        }
    }

    fn execute_command(&mut self, command: &Command<'_>, now: Instant) -> Result<Done, Refused> {
        if self.profile.dialect.owns(command.name) {
            return self.execute_mqtt(command, now);
        }
        if let Some(answer) = StandardRequest::describe(command) {
            if let Some(answer) = answer {
                self.output
                    .line(|out| out.extend_from_slice(answer.as_bytes()));
            }
            return Ok(Done::Answered);
        }
        match StandardRequest::decode(command) {
            None => Err(Refused::Unknown),
            Some(Err(_)) => Err(NOT_ALLOWED),
            Some(Ok(request)) => self.execute_standard(request, now),
        }
    }

    fn execute_standard(
        &mut self,
        request: StandardRequest,
        now: Instant,
    ) -> Result<Done, Refused> {
        let identity = &self.profile.identity;
        let information = match request {
            StandardRequest::Attention => return Ok(Done::Answered),
            StandardRequest::Echo(on) => {
                self.echo = on;
                return Ok(Done::Answered);
            }
            StandardRequest::ErrorReports(n) => {
                self.error_reports = n;
                return Ok(Done::Answered);
            }
            StandardRequest::ReportRegistration(n) => {
                self.registration_reports = n;
                return Ok(Done::Answered);
            }
            StandardRequest::Functionality { level, reset } => {
                return self.set_functionality(level, reset, now);
            }
            // There is no packet domain apart from the registration yet: attaching again is
            // granted, detaching is what CFUN does.
            StandardRequest::Attach(on) if on == self.is_attached() => return Ok(Done::Answered),
            StandardRequest::Attach(_) => return Err(NOT_ALLOWED),
            StandardRequest::Identification | StandardRequest::Model => {
                StandardInformation::Text(identity.model.clone())
            }
            StandardRequest::Manufacturer => {
                StandardInformation::Text(identity.manufacturer.clone())
            }
            StandardRequest::Revision | StandardRequest::LierdaRevision => {
                StandardInformation::Text(identity.revision.clone())
            }
            StandardRequest::SerialNumber(SerialNumber::Plain) => {
                StandardInformation::Text(identity.imei.clone())
            }
            StandardRequest::SerialNumber(SerialNumber::Device) => {
                StandardInformation::SerialNumber(identity.serial_number.clone())
            }
            StandardRequest::SerialNumber(SerialNumber::Imei) => {
                StandardInformation::SerialNumber(identity.imei.clone())
            }
            StandardRequest::Subscriber => {
                self.sim()?;
                StandardInformation::Text(identity.imsi.clone())
            }
            StandardRequest::CardId => {
                self.sim()?;
                StandardInformation::CardId(identity.iccid.clone())
            }
            StandardRequest::SimStatus => StandardInformation::SimStatus(self.sim()?.clone()),
            StandardRequest::SignalQuality => StandardInformation::SignalQuality(self.world.signal),
            StandardRequest::QueryRegistration => StandardInformation::Registration {
                reports: self.registration_reports,
                registration: self.registration(),
            },
            StandardRequest::QueryAttach => StandardInformation::Attached(self.is_attached()),
            StandardRequest::Address(cid) => {
                // The default bearer is the only packet data context.
                if cid.unwrap_or(1) != 1 || !self.is_attached() {
                    return Ok(Done::Answered);
                }
                StandardInformation::Address {
                    cid: 1,
                    address: identity.address.clone(),
                }
            }
            StandardRequest::QueryClock => StandardInformation::Clock(self.world.clock(now)),
            StandardRequest::QueryErrorReports => {
                StandardInformation::ErrorReports(self.error_reports)
            }
            StandardRequest::QueryFunctionality => {
                StandardInformation::Functionality(self.functionality)
            }
        };
        self.output.line(|out| information.encode(out));
        Ok(Done::Answered)
    }

    fn set_functionality(&mut self, level: u8, reset: bool, now: Instant) -> Result<Done, Refused> {
        if !matches!(level, 0 | 1 | 4) {
            return Err(NOT_ALLOWED);
        }
        if reset {
            return Ok(Done::Reboot);
        }
        self.functionality = level;
        if !self.is_attached() {
            self.drop_links(now);
        }
        Ok(Done::Answered)
    }

    fn sim(&self) -> Result<&SimStatus, Refused> {
        let sim = self.world.sim.as_ref();
        sim.ok_or(Refused::Cme(CmeError::NO_SIM))
    }

    fn registration(&self) -> Registration {
        if self.functionality == 1 {
            self.world.registration
        } else {
            Registration::NotRegistered
        }
    }

    /// Whether the packet domain can be used: in LTE that goes with the registration.
    pub(super) fn is_attached(&self) -> bool {
        self.registration().is_registered()
    }
}
