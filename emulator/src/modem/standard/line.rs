//! V.250: the command line itself, the serial line, and calls, of which there are none. What is
//! set at first is V.250's where it says so, and inferred elsewhere. Beside E, V, Q, S3, S4, S5 and
//! `+IPR`, settings are kept and shown but have nothing to act on.

use super::{Action, Definition, definitions};
use crate::modem::Refused;
use crate::modem::command::Done;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("").execute(Action::Shared),
    Definition::new("E"),
    Definition::new("V"),
    Definition::new("Q"),
    Definition::new("X"),
    Definition::new("L"),
    Definition::new("M"),
    Definition::new("&C"),
    Definition::new("&D"),
    Definition::new("&K"),
    Definition::new("\\Q"),
    Definition::new("S0"),
    Definition::new("S3"),
    Definition::new("S4"),
    Definition::new("S5"),
    Definition::new("S6"),
    Definition::new("S7"),
    Definition::new("S8"),
    Definition::new("S10"),
    profile(
        "&F",
        Action::Run(|modem, _, _| {
            modem.settings = super::Settings::default();
            modem.apply_settings();
            Ok(Done::Answered)
        }),
    ),
    profile(
        "Z",
        Action::Run(|modem, _, _| {
            modem.settings = modem.stored_settings.clone();
            modem.apply_settings();
            Ok(Done::Answered)
        }),
    ),
    profile(
        "&W",
        Action::Run(|modem, _, _| {
            modem.stored_settings = modem.settings.clone();
            Ok(Done::Answered)
        }),
    ),
    Definition::new("&V").execute(Action::Run(|modem, _, _| {
        for spec in definitions().map(Definition::spec) {
            // What has a name of its own is shown by its own read form.
            if spec.keeps && !spec.name.starts_with('+') {
                let line = format!("{}: {}", spec.name, modem.settings.show(spec));
                modem.say_line(line);
            }
        }
        Ok(Done::Answered)
    })),
    // There is no packet data call on this module: who dials one is told so.
    Definition::new("D").set(NO_CARRIER),
    Definition::new("A").execute(NO_CARRIER),
    Definition::new("O").execute(NO_CARRIER).set(NO_CARRIER),
    Definition::new("H")
        .execute(Action::Nothing)
        .set(Action::Nothing),
    Definition::new("+IPR"),
    Definition::new("+ICF"),
    Definition::new("+IFC"),
    Definition::new("+FCLASS"),
    Definition::new("+CMEE"),
    Definition::new("+CLAC").execute(Action::Run(|modem, _, _| {
        let profile = modem.profile.clone();
        let standard = definitions().map(|definition| definition.name);
        let standard = standard.filter(|name| !name.is_empty() && profile.has(name));
        let sets = profile.vendor_sets.iter().filter(|set| set.face.is_some());
        let others = sets
            .flat_map(|set| set.specs)
            .chain(profile.dialect.specs());
        for name in standard.chain(others.map(|spec| spec.name)) {
            modem.say_line(format!("AT{name}"));
        }
        Ok(Done::Answered)
    })),
];

const NO_CARRIER: Action = Action::Run(|_, _, _| Err(Refused::NoCarrier));

/// A command about a stored profile; there is one, whatever number is given.
const fn profile(name: &'static str, action: Action) -> Definition {
    Definition::new(name).execute(action).set(action)
}
