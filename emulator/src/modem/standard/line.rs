//! V.250: the command line itself, the serial line, and calls, of which there are none. What is
//! set at first is V.250's where it says so, and inferred elsewhere. Beside E, V, Q, S3, S4, S5 and
//! `+IPR`, settings are kept and shown but have nothing to act on.

use super::{Action, Definition, Field, definitions};
use crate::modem::Refused;
use crate::modem::command::Done;

const ON: &[Field] = &[Field::Number(&[(0, 1)], 1)];
/// The last of the characters that S3 to S5 take.
const LAST_CHARACTER: u32 = 127;

/// The rates of `AT+IPR`, in bits per second (inferred: those of the chip's UART); 0 detects the
/// host's.
const RATES: &[(u32, u32)] = &[
    (0, 0),
    (4800, 4800),
    (9600, 9600),
    (19200, 19200),
    (38400, 38400),
    (57600, 57600),
    (115_200, 115_200),
    (230_400, 230_400),
    (460_800, 460_800),
    (921_600, 921_600),
];

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("").execute(Action::Shared),
    Definition::basic("E", ON),
    Definition::basic("V", ON),
    Definition::basic("Q", &[Field::OFF]),
    Definition::basic("X", &[Field::Number(&[(0, 4)], 4)]),
    Definition::basic("L", &[Field::Number(&[(0, 3)], 0)]),
    Definition::basic("M", &[Field::Number(&[(0, 2)], 0)]),
    Definition::basic("&C", &[Field::Number(&[(0, 2)], 1)]),
    Definition::basic("&D", &[Field::Number(&[(0, 2)], 0)]),
    Definition::basic("&K", &[Field::Number(&[(0, 6)], 0)]),
    Definition::basic("\\Q", &[Field::Number(&[(0, 3)], 0)]),
    register("S0", &[Field::Number(&[(0, 255)], 0)]),
    register("S3", &[Field::Number(&[(0, LAST_CHARACTER)], 13)]),
    register("S4", &[Field::Number(&[(0, LAST_CHARACTER)], 10)]),
    register("S5", &[Field::Number(&[(0, LAST_CHARACTER)], 8)]),
    register("S6", &[Field::Number(&[(2, 10)], 2)]),
    register("S7", &[Field::Number(&[(1, 255)], 60)]),
    register("S8", &[Field::Number(&[(0, 255)], 2)]),
    register("S10", &[Field::Number(&[(1, 254)], 15)]),
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
        for definition in definitions() {
            // What has a name of its own is shown by its own read form.
            if !definition.fields.is_empty() && !definition.name.starts_with('+') {
                let line = format!("{}: {}", definition.name, modem.settings.show(definition));
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
    Definition::stored("+IPR", &[Field::Number(RATES, 115_200)]),
    Definition::stored(
        "+ICF",
        &[Field::Number(&[(1, 6)], 3), Field::Number(&[(0, 3)], 3)],
    ),
    Definition::stored(
        "+IFC",
        &[Field::Number(&[(0, 2)], 0), Field::Number(&[(0, 2)], 0)],
    ),
    Definition::stored("+FCLASS", &[Field::Number(&[(0, 0)], 0)]),
    Definition::stored("+CMEE", &[Field::Number(&[(0, 2)], 0)]),
    Definition::plain(
        "+CLAC",
        Action::Run(|modem, _, _| {
            for definition in definitions() {
                if !definition.name.is_empty() {
                    modem.say_line(format!("AT{}", definition.name));
                }
            }
            for name in modem.profile.dialect.command_names() {
                modem.say_line(format!("AT{name}"));
            }
            Ok(Done::Answered)
        }),
    ),
];

const NO_CARRIER: Action = Action::Run(|_, _, _| Err(Refused::NoCarrier));

/// A register, which can be shown too.
const fn register(name: &'static str, fields: &'static [Field]) -> Definition {
    Definition::new(name)
        .fields(fields)
        .test(Action::Stored)
        .read(Action::Stored)
        .set(Action::Stored)
}

/// A command about a stored profile; there is one, whatever number is given.
const fn profile(name: &'static str, action: Action) -> Definition {
    Definition::new(name).execute(action).set(action)
}
