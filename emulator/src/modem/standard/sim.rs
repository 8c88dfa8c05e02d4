//! The SIM: its state, its PIN, its numbers and files.

use std::time::Instant;

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::CmeError;
use atmq_protocol::standard::SimStatus;

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::sim::PinError;
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
    Definition::new("+CRSM").set(Action::Run(read_file)),
    // No number is stored on the SIM.
    Definition::new("+CNUM").execute(Action::Nothing),
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

/// `READ BINARY` (27.007 section 8.18).
const READ_BINARY: u8 = 176;
/// The file with the ICCID, `2FE2` (31.102 section 4.2).
const ICCID_FILE: u32 = 0x2fe2;
/// The file with the administrative data, `6FAD`: its last byte is how many digits the network
/// code of the IMSI has.
const ADMINISTRATIVE_FILE: u32 = 0x6fad;
/// Two digits, as the test network 001-01 has.
const ADMINISTRATIVE_DATA: &str = "00000002";

/// `AT+CRSM=<command>,<fileid>[,<P1>,<P2>,<P3>[,…]]`: two files can be read, any other is not
/// found (status word 6A82).
fn read_file(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    modem.unlocked_sim()?;
    let command: u8 = parameters.integer("command", 0, 255)?;
    let file = parameters.optional_integer("fileid", 0, 65535)?;
    let contents = match (command, file) {
        (READ_BINARY, Some(ICCID_FILE)) => Some(swapped(&modem.profile.identity.iccid)),
        (READ_BINARY, Some(ADMINISTRATIVE_FILE)) => Some(ADMINISTRATIVE_DATA.to_owned()),
        _ => None,
    };
    match contents {
        Some(contents) => modem.say("+CRSM", format!("144,0,\"{contents}\"")),
        None => modem.say("+CRSM", "106,130"),
    }
    Ok(Done::Answered)
}

/// Digits as a SIM stores them: the two of each byte in reverse.
fn swapped(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    let bytes = digits.chunks(2).flat_map(|pair| pair.iter().rev());
    bytes.collect()
}
