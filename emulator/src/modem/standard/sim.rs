//! The SIM: its state, its PIN, its numbers and files.

use std::time::Instant;

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::CmeError;
use atmq_protocol::standard::SimStatus;

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::sim::{Card, CardCommand, DONE, PinError};
use crate::modem::{Modem, NOT_ALLOWED, Refused, Sim};

/// SIM failure: the nearest that 27.007 section 9.2 has for a SIM that is blocked for good
/// (inferred).
const SIM_FAILURE: Refused = Refused::Cme(13);

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CIMI").execute(Action::Shared),
    Definition::new("+LCCID").execute(Action::Shared),
    Definition::new("+CPIN")
        .read(Action::Shared)
        .set(Action::Run(enter_pin)),
    Definition::new("+CLCK").set(Action::Run(query_lock)),
    Definition::new("+CPWD").set(Action::Run(|_, _, _| Err(NOT_ALLOWED))),
    Definition::new("+CRSM").set(Action::Run(access_file)),
    // No number is stored on the SIM.
    Definition::new("+CNUM").execute(Action::Run(|modem, _, _| {
        modem.unlocked_sim()?;
        Ok(Done::Answered)
    })),
    Definition::new("+LUIMSLOT"),
    Definition::new("+LUIMDUAL"),
];

impl Modem {
    /// The SIM's state; without a SIM, or with one that is of no use any more, the command is
    /// refused.
    pub(in crate::modem) fn sim_status(&self) -> Result<SimStatus, Refused> {
        let sim = self.world.sim.as_ref();
        let sim = sim.ok_or(Refused::Cme(CmeError::NO_SIM))?;
        match sim.status() {
            SimStatus::Other(_) => Err(SIM_FAILURE),
            status => Ok(status),
        }
    }

    /// Takes the PIN, or the PUK with a new PIN.
    pub(in crate::modem) fn unlock(
        &mut self,
        given: &str,
        new_pin: Option<&str>,
        now: Instant,
    ) -> Result<Done, Refused> {
        let sim = self.world.sim.as_mut();
        let sim = sim.ok_or(Refused::Cme(CmeError::NO_SIM))?;
        sim.enter(given, new_pin).map_err(|error| match error {
            PinError::NotAwaited => NOT_ALLOWED,
            PinError::Wrong => Refused::Cme(CmeError::WRONG_PASSWORD),
            PinError::PukRequired => Refused::Cme(CmeError::PUK_REQUIRED),
            PinError::Blocked => SIM_FAILURE,
        })?;
        self.announce_sim(now);
        self.search(now);
        Ok(Done::Answered)
    }

    /// The files of the SIM. The network code of its IMSI has as many digits as the operator's whose
    /// SIM it is; two if that is another's (inferred: the test network has two).
    fn card(&self) -> Card {
        let identity = &self.profile.identity;
        let home = &self.profile.start.operator.number;
        let digits = match home.len() {
            length @ 5..=6 if identity.imsi.starts_with(home) => length as u8 - 3,
            _ => 2,
        };
        let asks_for_pin = self.world.sim.as_ref().is_some_and(Sim::asks_for_pin);
        Card::new(identity, digits, asks_for_pin)
    }

    /// Refuses a command that reads what the PIN protects.
    pub(in crate::modem) fn unlocked_sim(&self) -> Result<(), Refused> {
        match self.sim_status()? {
            SimStatus::PinRequired => Err(Refused::Cme(CmeError::PIN_REQUIRED)),
            SimStatus::PukRequired => Err(Refused::Cme(CmeError::PUK_REQUIRED)),
            _ => Ok(()),
        }
    }
}

/// `AT+CPIN="<pin>"`, or `AT+CPIN="<puk>","<newpin>"` (27.007 section 8.3).
fn enter_pin(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    let given = parameters.text("pin", 8)?;
    let new_pin = parameters.optional_text("newpin", 8)?;
    parameters.end()?;
    modem.unlock(given, new_pin, now)
}

/// `AT+CLCK="SC",2`: whether the SIM asks for its PIN. It cannot be changed here.
fn query_lock(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let facility = parameters.text("fac", 2)?;
    let mode: u8 = parameters.integer("mode", 0, 2)?;
    if !facility.eq_ignore_ascii_case("SC") || mode != 2 {
        return Err(NOT_ALLOWED);
    }
    modem.sim_status()?;
    let locked = modem.world.sim.as_ref().is_some_and(Sim::asks_for_pin);
    modem.say("+CLCK", u8::from(locked).to_string());
    Ok(Done::Answered)
}

/// `AT+CRSM=<command>[,<fileid>[,<P1>,<P2>,<P3>[,<data>[,<pathid>]]]]` (27.007 section 8.18): the
/// module selects the file and passes the command on. What is left out of P1 to P3 is 0, as
/// EigenComm's firmware has it (E11).
fn access_file(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    modem.unlocked_sim()?;
    let code = parameters.integer("command", 0, 255)?;
    let file = parameters.optional_integer("fileid", 0, 65535)?;
    let mut byte = |name| parameters.optional_integer::<u8>(name, 0, 255);
    let [p1, p2, p3] = [byte("P1")?, byte("P2")?, byte("P3")?].map(Option::unwrap_or_default);
    // No file can be written, whatever is given.
    parameters.optional_text("data", 512)?;
    let path = parameters.optional_text("pathid", 32)?;
    parameters.end()?;
    let file = file.or(CardCommand::default_file(code));
    let command = CardCommand {
        code,
        file: file.ok_or(NOT_ALLOWED)?,
        p1,
        p2,
        p3,
        path,
    };
    let text = match modem.card().execute(&command) {
        Ok(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            format!("{},{},\"{digits}\"", DONE.0, DONE.1)
        }
        Err((sw1, sw2)) => format!("{sw1},{sw2}"),
    };
    modem.say("+CRSM", text);
    Ok(Done::Answered)
}
