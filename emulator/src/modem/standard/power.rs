//! Functionality and power.

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::events::BATTERY_PERCENT;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CFUN")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+MPOF").set(Action::Run(|_, parameters, _| {
        parameters.integer::<u8>("mode", 1, 1)?;
        parameters.end()?;
        Ok(Done::PowerOff)
    })),
    // Whatever feeds the module is its battery to it.
    Definition::new("+CBC").execute(Action::Run(|modem, _, _| {
        modem.say("+CBC", format!("0,{BATTERY_PERCENT}"));
        Ok(Done::Answered)
    })),
];
