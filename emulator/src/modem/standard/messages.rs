//! Short messages (27.005): there is room for them, but there are none, and none can be sent.

use super::{Action, Definition};
use crate::modem::Refused;
use crate::modem::command::Done;

/// Operation not allowed (27.005 section 3.2.5).
const NOT_ALLOWED: Refused = Refused::Cms(302);
/// Invalid memory index (27.005 section 3.2.5).
const INVALID_INDEX: Refused = Refused::Cms(321);

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
        .read(Action::Line(STORAGES))
        .set(Action::Run(|modem, parameters, _| {
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
        .read(Action::Line("\"\",129"))
        .set(Action::Run(|_, _, _| Err(NOT_ALLOWED))),
    Definition::new("+CMGL")
        .execute(Action::Nothing)
        .set(Action::Nothing),
    Definition::new("+CMGR").set(Action::Run(|_, _, _| Err(INVALID_INDEX))),
    Definition::new("+CMGD").set(Action::Run(|_, parameters, _| {
        // Emptying an empty storage succeeds; one message of it cannot be deleted.
        parameters.integer::<u16>("index", 0, 65535)?;
        match parameters.optional_integer::<u8>("delflag", 0, 4)? {
            None | Some(0) => Err(INVALID_INDEX),
            Some(_) => Ok(Done::Answered),
        }
    })),
    Definition::new("+CMGS").set(Action::Run(|_, _, _| Err(NOT_ALLOWED))),
];
