//! In what firmwares differ, by the names that profiles use.

use super::{Cmqtt, Family};
use crate::dialect::{Choice, Switch, Value};

pub(super) const ALL: [Switch; 3] = [
    switch("family", Choice::Word(&["a76xx", "sim76xx", "sim767x"])),
    switch("strict_timeouts", Choice::Flag),
    switch("piece", Choice::Number(1, 10240)),
];

const fn switch(name: &'static str, choice: Choice) -> Switch {
    Switch { name, choice }
}

/// Sets what the switch of this name stands for; what is no value of it changes nothing.
pub(super) fn set(dialect: &mut Cmqtt, name: &str, value: Value<'_>) {
    match (name, value) {
        ("family", Value::Word("a76xx")) => dialect.family = Family::A76xx,
        ("family", Value::Word("sim76xx")) => dialect.family = Family::Sim76xx,
        ("family", Value::Word("sim767x")) => dialect.family = Family::Sim767x,
        ("strict_timeouts", Value::Flag(on)) => dialect.strict_timeouts = on,
        ("piece", Value::Number(bytes)) => {
            dialect.piece = usize::try_from(bytes).unwrap_or(dialect.piece).max(1);
        }
        _ => {}
    }
}
