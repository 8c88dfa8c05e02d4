//! In what firmwares differ, by the names that profiles use.

use super::command::{PUB, PUBEX, SUBUNSUB};
use super::urc::UNSUNSUB;
use super::{CacheOverflow, HexLength, Lmqtt, PublishExtendedUrc, UnsubscribeUrc};
use crate::dialect::{Choice, Switch, Value};

const HEX_LENGTHS: Choice = Choice::Word(&["payload", "digits"]);

pub(super) const ALL: [Switch; 12] = [
    switch("result_urcs", Choice::Flag),
    switch("unsubscribe_urc", Choice::Word(&[SUBUNSUB, UNSUNSUB])),
    switch("publish_extended_urc", Choice::Word(&[PUBEX, PUB])),
    switch("hex_length", HEX_LENGTHS),
    switch("publish_hex_length", HEX_LENGTHS),
    switch("pdp_context", Choice::Flag),
    switch("tls_commands", Choice::Flag),
    switch("strict_message_ids", Choice::Flag),
    switch("cache_slots", Choice::Number(1, 64)),
    switch(
        "cache_overflow",
        Choice::Word(&["drop-newest", "drop-oldest"]),
    ),
    switch("keeps_configuration", Choice::Flag),
    switch("disconnect_frees", Choice::Flag),
];

const fn switch(name: &'static str, choice: Choice) -> Switch {
    Switch { name, choice }
}

/// Sets what the switch of this name stands for; what is no value of it changes nothing.
pub(super) fn set(dialect: &mut Lmqtt, name: &str, value: Value<'_>) {
    match value {
        Value::Flag(on) => {
            let field = match name {
                "result_urcs" => &mut dialect.result_urcs,
                "pdp_context" => &mut dialect.pdp_context,
                "tls_commands" => &mut dialect.tls_commands,
                "strict_message_ids" => &mut dialect.strict_message_ids,
                "keeps_configuration" => &mut dialect.keeps_configuration,
                "disconnect_frees" => &mut dialect.disconnect_frees,
                _ => return,
            };
            *field = on;
        }
        Value::Number(slots) if name == "cache_slots" => {
            dialect.cache_slots = usize::try_from(slots).unwrap_or(dialect.cache_slots);
        }
        Value::Number(_) => {}
        Value::Word(word) => match (name, word) {
            ("unsubscribe_urc", SUBUNSUB) => dialect.unsubscribe_urc = UnsubscribeUrc::SubUnsub,
            ("unsubscribe_urc", UNSUNSUB) => dialect.unsubscribe_urc = UnsubscribeUrc::UnsUnsub,
            ("publish_extended_urc", PUBEX) => {
                dialect.publish_extended_urc = PublishExtendedUrc::PubEx;
            }
            ("publish_extended_urc", PUB) => {
                dialect.publish_extended_urc = PublishExtendedUrc::Pub;
            }
            ("hex_length", "payload") => dialect.hex_length = HexLength::Payload,
            ("hex_length", "digits") => dialect.hex_length = HexLength::Digits,
            ("publish_hex_length", "payload") => dialect.publish_hex_length = HexLength::Payload,
            ("publish_hex_length", "digits") => dialect.publish_hex_length = HexLength::Digits,
            ("cache_overflow", "drop-newest") => {
                dialect.cache_overflow = CacheOverflow::DropNewest;
            }
            ("cache_overflow", "drop-oldest") => {
                dialect.cache_overflow = CacheOverflow::DropOldest;
            }
            _ => {}
        },
    }
}
