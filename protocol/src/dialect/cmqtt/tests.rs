//! Rows typed by hand from the reference (`cmqtt.md`): bytes to value and value to bytes.

mod bench;
mod messages;
mod module;
mod plans;
mod publishing;
mod receiving;
mod reports;
mod requests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::request::{self, Request, Setting, Taken};
use super::{A7670, Cmqtt, Family, SERVICE, SIM7600, SIM7672};
use crate::at::command::Command;
use crate::dialect::{Dialect, Model};
use crate::mqtt::{ConnectionId, QoS, TopicFilter, Urc, Version};

const ID: ConnectionId = ConnectionId(0);
const OTHER: ConnectionId = ConnectionId(1);

const MODELS: [Model; 3] = [A7670, SIM7600, SIM7672];

/// The dialect of a model.
fn dialect(model: &Model) -> Cmqtt {
    let family = match model.name {
        "A7670" => Family::A76xx,
        "SIM7600" => Family::Sim76xx,
        _ => Family::Sim767x,
    };
    Cmqtt {
        family,
        ..Cmqtt::DEFAULT
    }
}

/// The first command behind `AT`.
fn command<'l>(dialect: &Cmqtt, line: &'l str) -> Command<'l> {
    let body = line.strip_prefix("AT").expect("it is a command line");
    Command::split_first(body.as_bytes(), |name| dialect.owns(name)).0
}

#[test]
fn test_forms_are_answered_as_the_manuals_print_them() {
    let [a, b, c] = MODELS;
    for (model, line, expected) in [
        (&a, "AT+CMQTTSTART=?", &[][..]),
        (&c, "AT+CMQTTSTART=?", &["+CMQTTSTART: (1-15)"]),
        (&a, "AT+CMQTTSTOP=?", &[]),
        (&a, "AT+CMQTTACCQ=?", &["+CMQTTACCQ: (0-1),(1-128)[,(0-1)]"]),
        (
            &b,
            "AT+CMQTTACCQ=?",
            &["+CMQTTACCQ: (0-1),(1-128),(0-1),(3-4)"],
        ),
        (&c, "AT+CMQTTACCQ=?", &["+CMQTTACCQ: (0-1),(1-128)[,(0-1)]"]),
        (&a, "AT+CMQTTREL=?", &["+CMQTTREL: (0-1)"]),
        (&a, "AT+CMQTTSSLCFG=?", &["+CMQTTSSLCFG: (0-1),(0-9)"]),
        (
            &a,
            "AT+CMQTTWILLTOPIC=?",
            &["+CMQTTWILLTOPIC: (0-1),(1-1024)"],
        ),
        (
            &a,
            "AT+CMQTTWILLMSG=?",
            &["+CMQTTWILLMSG: (0-1),(1-1024),(0-2)"],
        ),
        (
            &a,
            "AT+CMQTTCONNECT=?",
            &["+CMQTTCONNECT: (0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]"],
        ),
        (
            &b,
            "AT+CMQTTCONNECT=?",
            &["+CMQTTCONNECT: (0-1),(9-256),(1-64800),(0-1)"],
        ),
        (&a, "AT+CMQTTDISC=?", &["+CMQTTDISC: (0-1),(0,1-180)"]),
        (&b, "AT+CMQTTDISC=?", &["+CMQTTDISC: (0-1),(0,60-180)"]),
        (&a, "AT+CMQTTTOPIC=?", &["+CMQTTTOPIC: (0-1),(1-1024)"]),
        (&a, "AT+CMQTTPAYLOAD=?", &["+CMQTTPAYLOAD: (0-1),(1-10240)"]),
        (&c, "AT+CMQTTPAYLOAD=?", &["+CMQTTPAYLOAD: (0-1),(1-4096)"]),
        (
            &a,
            "AT+CMQTTPUB=?",
            &["+CMQTTPUB: (0-1),(0-2),(1-180),(0-1),(0-1)"],
        ),
        (
            &b,
            "AT+CMQTTPUB=?",
            &["+CMQTTPUB: (0-1),(0-2),(60-180),(0-1),(0-1)"],
        ),
        (
            &a,
            "AT+CMQTTSUBTOPIC=?",
            &["+CMQTTSUBTOPIC: (0-1),(1-1024),(0-2)"],
        ),
        (&c, "AT+CMQTTSUBTOPIC=?", &[]),
        (
            &a,
            "AT+CMQTTSUB=?",
            &["+CMQTTSUB: (0-1),(1-1024),(0-2),(0-1)"],
        ),
        (
            &a,
            "AT+CMQTTUNSUBTOPIC=?",
            &["+CMQTTUNSUBTOPIC: (0-1),(1-1024)"],
        ),
        (
            &a,
            "AT+CMQTTUNSUB=?",
            &["+CMQTTUNSUB: (0-1),(1-1024),(0-1)"],
        ),
        (
            &a,
            "AT+CMQTTCFG=?",
            &[
                "+CMQTTCFG: \"checkUTF8\",(0-1),(0-1)",
                "+CMQTTCFG: \"optimeout \",(0-1),(20-120)",
                "+CMQTTCFG: \"aliauth\",(0-1),\"productkey\",\"devicename\",\"devicesecret\"",
                "+CMQTTCFG: \"version\",(0-1),(3-4)",
                "+CMQTTCFG: \"argtopic\",(0-1),(0-1)",
            ],
        ),
        (
            &c,
            "AT+CMQTTCFG=?",
            &[
                "+CMQTTCFG: \"checkUTF8\",(0-1),(0-1)",
                "+CMQTTCFG: \"optimeout\",(0-1),(20-120)",
                "+CMQTTCFG: \"version\",(0-1),(3-4)",
                "+CMQTTCFG: \"cid\",(1-15)",
                "+CMQTTCFG: \"scid\",(0-1),(1-15)",
            ],
        ),
    ] {
        let dialect = dialect(model);
        let lines = dialect.describe(&command(&dialect, line), &model.limits);
        assert_eq!(lines, expected, "{} {line}", model.name);
    }
}

#[test]
fn what_is_printed_at_the_start_and_the_end_is_about_the_power() {
    use crate::dialect::Power;
    for (line, expected) in [
        ("*ATREADY: 1", Some(Power::Started)),
        ("RDY", Some(Power::Started)),
        ("\u{0}\u{1}RDY", Some(Power::Started)),
        ("NORMAL POWER DOWN", Some(Power::Down)),
        ("SMS DONE", None),
        ("PB DONE", None),
        ("+CPIN: READY", None),
        ("", None),
    ] {
        assert_eq!(Cmqtt::DEFAULT.power(line.as_bytes()), expected, "{line}");
    }
}

#[test]
fn every_switch_changes_its_field() {
    use crate::dialect::{Choice, Value};
    let shown = |dialect: &dyn Dialect| format!("{dialect:?}");
    for switch in Cmqtt::DEFAULT.switches() {
        let value = match switch.choice {
            Choice::Flag => Value::Flag(true),
            Choice::Number(low, _) => Value::Number(low),
            Choice::Word(words) => Value::Word(words[words.len() - 1]),
        };
        let changed = Cmqtt::DEFAULT.with(&[(switch.name, value)]);
        assert_ne!(shown(&*changed), shown(&Cmqtt::DEFAULT), "{}", switch.name);
    }
    let unchanged = Cmqtt::DEFAULT.with(&[("family", Value::Word("a99"))]);
    assert_eq!(shown(&*unchanged), shown(&Cmqtt::DEFAULT));
}
