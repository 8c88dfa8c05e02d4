//! Functionality and power.

use super::{Action, Definition};
use crate::modem::command::Done;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CFUN")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+MPOF").set(Action::Run(|_, parameters, _| {
        parameters.integer::<u8>("mode", 1, 1)?;
        parameters.end()?;
        Ok(Done::PowerOff)
    })),
];
