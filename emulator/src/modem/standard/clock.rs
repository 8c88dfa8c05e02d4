//! The clock.

use atmq_protocol::standard::Clock;

use super::{Action, Definition};
use crate::modem::NOT_ALLOWED;
use crate::modem::command::Done;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CCLK")
        .read(Action::Shared)
        .set(Action::Run(|modem, parameters, now| {
            let text = parameters.text("time", 24)?;
            parameters.end()?;
            // Only what it writes itself: what else a module takes is not known.
            let clock = Clock::decode(text).filter(|clock| clock.to_string() == text);
            let clock = clock.ok_or(NOT_ALLOWED)?;
            modem.world.set_clock(clock, now).ok_or(NOT_ALLOWED)?;
            Ok(Done::Answered)
        })),
    // Whether the network's time is taken over; it is by default (inferred).
    Definition::new("+CTZU"),
    // Whether a change of the time zone is reported, alone or with the time.
    Definition::new("+CTZR"),
];
