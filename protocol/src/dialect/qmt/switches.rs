//! In what modules differ, by the names that profiles use.

use super::Qmt;
use crate::dialect::{Choice, Switch, Value};

/// Which keys `AT+QMTCFG` has; each set has those of the ones before it (reference `qmt.md` 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeySet {
    /// What every module has: BG96.
    First,
    /// The same, and `recv/mode`: BG95, BG770A.
    Buffered,
    /// The same, formats and platforms: EC25.
    Standard,
    /// The same, and what newer LTE Standard firmware has: EC200, EC800M.
    Newer,
    /// The same, and what EG800K has alone.
    Eg800k,
}

/// What answers test forms (reference `qmt.md` 3 and 4); those that were not captured are derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestForms {
    /// What the table has.
    Derived,
    /// As captured from EC600S and EC800M.
    Lte,
    /// As EG800K's notes have it.
    Eg800k,
    /// As captured from BG96.
    Bg96,
    /// As captured from BG770A, which writes no blank line before `OK`.
    Bg770a,
}

/// What `AT+QMTPUBEX` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended {
    /// There is no such command.
    No,
    /// A length, and so many bytes behind a prompt; the outcome is `+QMTPUBEX`.
    Length,
    /// The payload between quotes; the outcome is `+QMTPUB`.
    Inline,
}

/// What CLOSE and DISC come to on an id that is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenClosed {
    /// `ERROR`
    Error,
    /// `OK`, and the result 0.
    Done,
    /// `OK`, and the result -1.
    Failed,
}

const KEY_SETS: [(&str, KeySet); 5] = [
    ("first", KeySet::First),
    ("buffered", KeySet::Buffered),
    ("standard", KeySet::Standard),
    ("newer", KeySet::Newer),
    ("eg800k", KeySet::Eg800k),
];
const TEST_FORMS: [(&str, TestForms); 5] = [
    ("derived", TestForms::Derived),
    ("lte", TestForms::Lte),
    ("eg800k", TestForms::Eg800k),
    ("bg96", TestForms::Bg96),
    ("bg770a", TestForms::Bg770a),
];
const EXTENDED: [(&str, Extended); 3] = [
    ("no", Extended::No),
    ("length", Extended::Length),
    ("inline", Extended::Inline),
];
const WHEN_CLOSED: [(&str, WhenClosed); 3] = [
    ("error", WhenClosed::Error),
    ("done", WhenClosed::Done),
    ("failed", WhenClosed::Failed),
];

/// Highest number of `+QMTSTAT`.
const STATUS: i64 = 8;

pub(super) const ALL: [Switch; 18] = [
    switch("keys", Choice::Word(&words(KEY_SETS))),
    switch("test_forms", Choice::Word(&words(TEST_FORMS))),
    switch("publish_prompt", Choice::Flag),
    switch("publish_length", Choice::Flag),
    switch("publish_extended", Choice::Word(&words(EXTENDED))),
    switch("buffers", Choice::Flag),
    switch("cache_slots", Choice::Number(1, 5)),
    switch("payload_on_next_line", Choice::Flag),
    switch("granted_vector", Choice::Flag),
    switch("when_closed", Choice::Word(&words(WHEN_CLOSED))),
    switch("disconnect_status", Choice::Number(0, STATUS)),
    switch("refused_status", Choice::Number(1, STATUS)),
    switch("ping_urc", Choice::Flag),
    switch("strict_message_ids", Choice::Flag),
    switch("defaults_to_3_1", Choice::Flag),
    switch("contexts", Choice::Number(1, 16)),
    switch("urc_port", Choice::Flag),
    switch("reports_elsewhere", Choice::Flag),
];

const fn switch(name: &'static str, choice: Choice) -> Switch {
    Switch { name, choice }
}

const fn words<T: Copy, const N: usize>(table: [(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut at = 0;
    while at < N {
        words[at] = table[at].0;
        at += 1;
    }
    words
}

/// Sets what the switch of this name stands for; what is no value of it changes nothing.
pub(super) fn set(dialect: &mut Qmt, name: &str, value: Value<'_>) {
    match value {
        Value::Flag(on) => {
            let field = match name {
                "publish_prompt" => &mut dialect.publish_prompt,
                "publish_length" => &mut dialect.publish_length,
                "buffers" => &mut dialect.buffers,
                "payload_on_next_line" => &mut dialect.payload_on_next_line,
                "granted_vector" => &mut dialect.granted_vector,
                "ping_urc" => &mut dialect.ping_urc,
                "strict_message_ids" => &mut dialect.strict_message_ids,
                "defaults_to_3_1" => &mut dialect.defaults_to_3_1,
                "urc_port" => &mut dialect.urc_port,
                "reports_elsewhere" => &mut dialect.reports_elsewhere,
                _ => return,
            };
            *field = on;
        }
        Value::Number(number) => {
            let Ok(number) = u8::try_from(number) else {
                return;
            };
            match name {
                "cache_slots" => dialect.cache_slots = number.into(),
                "disconnect_status" => dialect.disconnect_status = number,
                "refused_status" => dialect.refused_status = number,
                "contexts" => dialect.contexts = number,
                _ => {}
            }
        }
        Value::Word(word) => match name {
            "keys" => choose(&KEY_SETS, word, &mut dialect.keys),
            "test_forms" => choose(&TEST_FORMS, word, &mut dialect.test_forms),
            "publish_extended" => choose(&EXTENDED, word, &mut dialect.publish_extended),
            "when_closed" => choose(&WHEN_CLOSED, word, &mut dialect.when_closed),
            _ => {}
        },
    }
}

fn choose<T: Copy>(table: &[(&str, T)], word: &str, field: &mut T) {
    if let Some((_, value)) = table.iter().find(|(known, _)| *known == word) {
        *field = *value;
    }
}
