//! Short messages (27.005): there is room for them on the SIM, but there are none, and none can be
//! sent.

use atmq_protocol::at::result_code::CmeError;

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::{Modem, Refused};

/// Operation not allowed (27.005 section 3.2.5).
const NOT_ALLOWED: Refused = Refused::Cms(302);
/// Invalid memory index (27.005 section 3.2.5).
const INVALID_INDEX: Refused = Refused::Cms(321);

/// Refuses what the SIM has to tell, while it cannot: with the error of 27.005 section 3.2.5 that
/// means what the one of 27.007 does.
fn readable(modem: &Modem) -> Result<(), Refused> {
    modem.unlocked_sim().map_err(|refused| match refused {
        Refused::Cme(CmeError::NO_SIM) => Refused::Cms(310),
        Refused::Cme(CmeError::PIN_REQUIRED) => Refused::Cms(311),
        Refused::Cme(CmeError::PUK_REQUIRED) => Refused::Cms(316),
        _ => Refused::Cms(313),
    })
}

const STORAGES: &str = "\"SM\",0,50,\"SM\",0,50,\"SM\",0,50";

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CSMS")
        .read(Action::Line("0,1,1,1"))
        .set(Action::Run(|modem, parameters, _| {
            parameters.integer::<u8>("service", 0, 0)?;
            parameters.end()?;
            modem.say("+CSMS", "1,1,1");
            Ok(Done::Answered)
        })),
    Definition::new("+CMGF"),
    Definition::new("+CPMS")
        .read(Action::Run(|modem, _, _| {
            readable(modem)?;
            modem.say("+CPMS", STORAGES);
            Ok(Done::Answered)
        }))
        .set(Action::Run(|modem, parameters, _| {
            readable(modem)?;
            while !parameters.is_empty() {
                let storage = parameters.optional_text("mem", 2)?;
                if !storage.is_none_or(|storage| storage.eq_ignore_ascii_case("SM")) {
                    return Err(NOT_ALLOWED);
                }
            }
            modem.say("+CPMS", "0,50,0,50,0,50");
            Ok(Done::Answered)
        })),
    Definition::new("+CNMI"),
    Definition::new("+CSCA")
        .read(Action::Run(|modem, _, _| {
            readable(modem)?;
            modem.say("+CSCA", "\"\",129");
            Ok(Done::Answered)
        }))
        .set(Action::Run(|modem, _, _| {
            readable(modem)?;
            Err(NOT_ALLOWED)
        })),
    Definition::new("+CMGL").execute(LIST).set(LIST),
    Definition::new("+CMGR").set(Action::Run(|modem, _, _| {
        readable(modem)?;
        Err(INVALID_INDEX)
    })),
    Definition::new("+CMGD").set(Action::Run(|modem, parameters, _| {
        readable(modem)?;
        // Emptying an empty storage succeeds; one message of it cannot be deleted.
        parameters.integer::<u16>("index", 0, 65535)?;
        match parameters.optional_integer::<u8>("delflag", 0, 4)? {
            None | Some(0) => Err(INVALID_INDEX),
            Some(_) => Ok(Done::Answered),
        }
    })),
    Definition::new("+CMGS").set(Action::Run(|_, _, _| Err(NOT_ALLOWED))),
];

/// There is nothing to list.
const LIST: Action = Action::Run(|modem, _, _| {
    readable(modem)?;
    Ok(Done::Answered)
});
