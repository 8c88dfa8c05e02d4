//! In what firmwares differ, by the names that profiles use.

use super::{Bearer, Sm};
use crate::dialect::{Choice, Switch, Value};

pub(super) const ALL: [Switch; 5] = [
    switch("bearer", Choice::Word(&["indexed", "single"])),
    switch("sub_hex", Choice::Flag),
    switch("async_mode", Choice::Flag),
    switch("session_state", Choice::Flag),
    switch("latest_commands", Choice::Flag),
];

const fn switch(name: &'static str, choice: Choice) -> Switch {
    Switch { name, choice }
}

/// Sets what the switch of this name stands for; what is no value of it changes nothing.
pub(super) fn set(dialect: &mut Sm, name: &str, value: Value<'_>) {
    match (name, value) {
        ("bearer", Value::Word("indexed")) => dialect.bearer = Bearer::Indexed,
        ("bearer", Value::Word("single")) => dialect.bearer = Bearer::Single,
        ("sub_hex", Value::Flag(on)) => dialect.sub_hex = on,
        ("async_mode", Value::Flag(on)) => dialect.async_mode = on,
        ("session_state", Value::Flag(on)) => dialect.session_state = on,
        ("latest_commands", Value::Flag(on)) => dialect.latest = on,
        _ => {}
    }
}
