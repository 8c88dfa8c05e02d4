//! Command lines, and the commands that are not MQTT's.

use std::time::{Duration, Instant};

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::commands;
use atmq_protocol::dialect::Refused;
use atmq_protocol::spec::Latency;
use atmq_protocol::standard::{SerialNumber, StandardInformation, StandardRequest};

use super::data::Asked;
use super::faces::Whose;
use super::standard::{self, Action};
use super::{Modem, NOT_ALLOWED, Phase};

/// What is to happen behind a command that is not refused.
pub(super) enum Done {
    /// `OK`, or the next command of the line.
    Answered,
    /// `OK` and the outcome, in the order of this module.
    Reported,
    /// Nothing until the outcome is known, or this time has passed; then the final result code
    /// that tells it.
    Outcome(Duration),
    /// A prompt, and then data.
    Data(Asked),
    /// Nothing more.
    Silent,
    /// `OK`, and then the module starts anew.
    Reboot,
    /// `OK`, and then the module is off.
    PowerOff,
}

impl Modem {
    /// How long the module thinks about a command line, and whether a byte of the host aborts it:
    /// by its first command.
    pub(super) fn latency_of(&self, line: &[u8]) -> ((Duration, Duration), bool) {
        let (command, _) = self.first_command(line);
        let mut own = self.profile.latency.commands.iter();
        let own = own.find(|(name, _)| command.is(name));
        let (usual, abortable) = self.usual_latency(&command);
        (own.map_or(usual, |(_, range)| *range), abortable)
    }

    fn usual_latency(&self, command: &Command<'_>) -> ((Duration, Duration), bool) {
        let latency = &self.profile.latency;
        let owned = self.profile.dialect.spec(command.name);
        let spec = owned.or_else(|| commands::find(command.name));
        match spec.map_or(Latency::Query, |spec| spec.latency(command.form)) {
            Latency::Query => (latency.query, false),
            Latency::Command => (latency.command, false),
            Latency::Radio => (latency.radio, false),
            Latency::Attach => (latency.attach, false),
            // 27.007 section 7.3 wants these to be abortable, and no other that is known here.
            // Mode 3 changes how the operator is shown, and nothing else.
            Latency::Selection if matches!(command.form, Form::Set([b'3', ..])) => {
                (latency.query, false)
            }
            Latency::Selection => (latency.attach, true),
            Latency::Scan if self.functionality != 1 => (latency.query, false),
            Latency::Scan => (latency.scan, true),
        }
    }

    pub(super) fn first_command<'a>(&self, line: &'a [u8]) -> (Command<'a>, &'a [u8]) {
        Command::split_first(line, |name| self.profile.dialect.owns(name))
    }

    /// Executes the commands of a line one after another, until one is refused.
    pub(super) fn execute(&mut self, line: &[u8], now: Instant) {
        let mut rest = line;
        loop {
            let (command, left) = self.first_command(rest);
            let result = self.execute_command(&command, now);
            if let Err(refused) = &result {
                tracing::debug!(?command, ?refused, "command refused");
            }
            match result {
                Ok(Done::Answered) if !left.is_empty() => rest = left,
                result => return self.conclude(result, now),
            }
        }
    }

    /// Ends a command line, or goes on with what its last command waits for.
    pub(super) fn conclude(&mut self, result: Result<Done, Refused>, now: Instant) {
        match result {
            Err(refused) => self.finish(Err(refused)),
            Ok(Done::Answered) => self.finish(Ok(FinalResult::Ok)),
            Ok(Done::Reported) => self.finish_reported(now),
            Ok(Done::Outcome(limit)) => {
                let give_up = now + limit;
                self.phase = Phase::Waiting { give_up };
            }
            Ok(Done::Data(asked)) => self.ask_host(asked, now),
            Ok(Done::Silent) => self.lint.finished(true),
            Ok(Done::Reboot) => {
                self.finish(Ok(FinalResult::Ok));
                self.reboot(now);
            }
            Ok(Done::PowerOff) => {
                self.finish(Ok(FinalResult::Ok));
                self.switch_off(now);
            }
        }
    }

    fn execute_command(&mut self, command: &Command<'_>, now: Instant) -> Result<Done, Refused> {
        if self.profile.dialect.owns(command.name) {
            return self.execute_owned(Whose::Dialect, command, now);
        }
        if let Some(known) = self.vendor_set(command.name) {
            return self.execute_vendors(known, command, now);
        }
        let definition = standard::find(command).filter(|known| self.profile.has(known.name));
        let definition = definition.ok_or(Refused::Unknown)?;
        match definition.action(command.form).ok_or(NOT_ALLOWED)? {
            Action::Shared => {
                let request = StandardRequest::decode(command).and_then(Result::ok);
                return self.execute_standard(request.ok_or(NOT_ALLOWED)?, now);
            }
            Action::Run(run) => return run(self, &mut Parameters::new(command.form.values()), now),
            Action::Table => self.execute_stored(definition.spec(), command.form)?,
            Action::Line(text) => self.say(definition.name, text),
            Action::Nothing => {}
        }
        Ok(Done::Answered)
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
                self.settings.set_number("E", on.into());
                return Ok(Done::Answered);
            }
            StandardRequest::ErrorReports(n) => {
                self.settings.set_number("+CMEE", n.into());
                return Ok(Done::Answered);
            }
            StandardRequest::ReportRegistration(domain, n) => {
                self.settings.set_number(domain.name(), n.into());
                return Ok(Done::Answered);
            }
            StandardRequest::Functionality { level, reset } => {
                return self.set_functionality(level, reset, now);
            }
            StandardRequest::Attach(on) => return self.attach(on, now),
            StandardRequest::Identification => {
                self.tell_information();
                return Ok(Done::Answered);
            }
            StandardRequest::Model => StandardInformation::Text(identity.model.clone()),
            StandardRequest::Manufacturer => {
                StandardInformation::Text(identity.manufacturer.clone())
            }
            StandardRequest::Revision | StandardRequest::MakersRevision => {
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
                self.unlocked_sim()?;
                StandardInformation::Text(identity.imsi.clone())
            }
            StandardRequest::CardId => {
                self.sim_status()?;
                StandardInformation::CardId(identity.iccid.clone())
            }
            StandardRequest::SimStatus => StandardInformation::SimStatus(self.sim_status()?),
            StandardRequest::EnterPin(pin) => return self.unlock(pin.expose(), None, now),
            StandardRequest::SignalQuality => StandardInformation::SignalQuality(self.signal()),
            StandardRequest::ExtendedSignalQuality => {
                StandardInformation::ExtendedSignalQuality(self.extended_signal())
            }
            StandardRequest::QueryOperator => StandardInformation::Operator(self.operator()),
            StandardRequest::QueryRegistration(domain) => {
                return self.tell_registration(domain);
            }
            StandardRequest::QueryAttach => StandardInformation::Attached(self.is_attached()),
            StandardRequest::Address(cid) => {
                self.tell_addresses(cid);
                return Ok(Done::Answered);
            }
            StandardRequest::QueryClock => StandardInformation::Clock(self.world.clock(now)),
            StandardRequest::QueryErrorReports => {
                // The setting is 2 at most.
                StandardInformation::ErrorReports(self.settings.number("+CMEE") as u8)
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
        let was_on = std::mem::replace(&mut self.functionality, level) == 1;
        if level == 1 && !was_on {
            self.search(now);
        }
        self.announce_registration(now);
        Ok(Done::Answered)
    }

    /// In LTE, who detaches is not registered either.
    fn attach(&mut self, on: bool, now: Instant) -> Result<Done, Refused> {
        if on && self.functionality != 1 {
            return Err(Refused::Cme(CmeError::NO_NETWORK));
        }
        let wanted = std::mem::replace(&mut self.attach_wanted, on);
        if on && !wanted {
            self.search(now);
        }
        self.announce_registration(now);
        Ok(Done::Answered)
    }
}
