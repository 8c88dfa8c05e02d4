//! Functionality and power.

use super::{Action, Definition, Takes};
use crate::modem::command::Done;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CFUN")
        .test(Action::Line("(0,1,4),(0,1)"))
        .read(Action::Shared)
        .set(Action::Shared)
        .set_takes(Takes::Radio),
    Definition::new("+MPOF")
        .test(Action::Line("(1)"))
        .set(Action::Run(|_, parameters, _| {
            parameters.integer::<u8>("mode", 1, 1)?;
            parameters.end()?;
            Ok(Done::PowerOff)
        }))
        .acts(),
];
