//! Registration, signal and packet data.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;

use crate::spec::{Lasting, Latency, Param, SWITCH, Source, Spec, Test};
use crate::standard::SignalQuality;

use super::NOWHERE;

const TRAFFIC: &str = "reference lmqtt.md 1.10";

/// That access points are lost no source says either. Hosts define theirs at each start, and one
/// that forgets it is found out so.
const CONTEXTS: Source = Source::inferred("no source has it; hosts define theirs at each start");

/// A context ends with the attach.
const ACTIVE: Source = Source::standard("27.007 10.1.9");

const fn reports(ranges: &'static [(i64, i64)]) -> Param {
    Param::number("n", ranges, "what is reported")
        .or("0")
        .values(&[
            ("0", "nothing"),
            ("1", "changes of the registration"),
            ("2", "changes, with area and cell"),
            ("3", "changes, with area and cell, and why it is denied"),
            ("4", "as 2, with what saves power"),
            ("5", "as 3, with what saves power"),
        ])
}

const REPORTS: &[Param] = &[reports(&[(0, 5)])];
/// Calls know no power saving.
const CALL_REPORTS: &[Param] = &[reports(&[(0, 3)])];

const REGISTRATION: &[Param] = &[
    REPORTS[0],
    Param::number("stat", &[(0, 10)], "the registration").values(STATES),
    Param::bare("tac", "the tracking area, in hexadecimal digits").optional(),
    Param::bare("ci", "the cell, in hexadecimal digits").optional(),
    TECHNOLOGY.optional(),
    Param::number("cause_type", &[(0, 1)], "which kind of cause follows")
        .optional()
        .values(&[("0", "one of 24.301"), ("1", "one of the maker's")]),
    Param::bare("reject_cause", "why the registration is denied").optional(),
];

/// What `<stat>` of a registration means (27.007 section 10.1.22).
pub const STATES: &[(&str, &str)] = &[
    (
        "0",
        "not registered, and not searching: is the radio on (AT+CFUN=1)?",
    ),
    ("1", "registered, home network"),
    ("2", "searching for a network"),
    (
        "3",
        "the network denies the registration: is the SIM active, does it allow this network?",
    ),
    ("4", "unknown, such as out of coverage"),
    ("5", "registered, roaming"),
    ("6", "registered for short messages alone, home network"),
    ("7", "registered for short messages alone, roaming"),
    (
        "8",
        "attached for emergency bearer services alone: is the SIM active?",
    ),
    (
        "9",
        "registered, home network; calls by circuit-switched fallback not preferred",
    ),
    (
        "10",
        "registered, roaming; calls by circuit-switched fallback not preferred",
    ),
];

const TECHNOLOGY: Param = Param::number("AcT", &[(0, 15)], "the radio technology")
    .values(&[("7", "LTE"), ("9", "NB-IoT")]);

const CID: Param = Param::number("cid", &[(1, 15)], "which packet data context");

const fn registration(name: &'static str, does: &'static str, reports: &'static [Param]) -> Spec {
    Spec::new(name, does, Source::seen(TRAFFIC))
        .keeps(reports)
        .answers(REGISTRATION)
}

/// The commands of the network.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    registration("+CREG", "shows or reports the registration, of calls", CALL_REPORTS)
        .urcs(&["+CREG"]),
    registration("+CGREG", "shows or reports the registration, of packet data", REPORTS)
        .urcs(&["+CGREG"]),
    registration("+CEREG", "shows or reports the registration with the LTE network", REPORTS)
        .urcs(&["+CEREG"]),
    Spec::new("+COPS", "chooses or shows the operator", Source::standard("27.007 7.3"))
        .takes(&[
            Param::number("mode", &[(0, 4)], "how the operator is chosen").values(MODES),
            FORMAT.optional(),
            Param::text("oper", 32, "the operator, in this format").optional(),
            TECHNOLOGY.optional(),
        ])
        .answers(&[
            Param::number("mode", &[(0, 4)], "how the operator is chosen").values(MODES),
            FORMAT.optional(),
            Param::text("oper", 32, "the operator, in this format").optional(),
            TECHNOLOGY.optional(),
        ]).tested(Test::State).reads().lasts(Latency::Selection).lasting(Lasting::Start, NOWHERE),
    Spec::new("+CSQ", "shows the signal", Source::measured(TRAFFIC))
        .answers(&[
            Param::number("rssi", &[(0, 31), (99, 99)], "the received signal strength")
                .reads(strength),
            Param::number("ber", &[(0, 7), (99, 99)], "the bit error rate, 0 is best")
                .values(&[("99", "unknown")]),
        ]).executes(),
    Spec::new("+CESQ", "shows the signal in detail", Source::standard("27.007 8.69"))
        .answers(&[
            Param::number("rxlev", &[(0, 63), (99, 99)], "the signal of GSM")
                .values(&[("99", "unknown")]),
            Param::number("ber", &[(0, 7), (99, 99)], "the bit error rate of GSM")
                .values(&[("99", "unknown")]),
            Param::number("rscp", &[(0, 96), (255, 255)], "the signal of UMTS")
                .values(&[("255", "unknown")]),
            Param::number("ecno", &[(255, 255)], "the quality of UMTS").values(&[("255", "unknown")]),
            Param::number("rsrq", &[(0, 34), (255, 255)], "the quality of LTE").reads(quality),
            Param::number("rsrp", &[(0, 97), (255, 255)], "the signal of LTE").reads(power),
        ]).executes(),
    Spec::new("+CIND", "shows the indicators", Source::standard("27.007 8.9"))
        .answers(&[
            Param::number("battchg", &[(0, 5)], "the battery, 5 is full"),
            Param::number("signal", &[(0, 5)], "the signal, 5 is best"),
            Param::number("service", SWITCH, "the network")
                .values(&[("0", "not there"), ("1", "there")]),
            Param::number("roam", SWITCH, "roaming").values(&[("0", "no"), ("1", "yes")]),
        ])
        .tested(Test::Lines(&[
            "(\"battchg\",(0-5)),(\"signal\",(0-5)),(\"service\",(0,1)),(\"roam\",(0,1))",
        ])).reads(),
    Spec::new("+CMER", "chooses whether indicators are reported", Source::standard("27.007 8.10"))
        .keeps(&[
            Param::number("mode", &[(0, 3)], "how, 0 is not at all").or("0"),
            Param::number("keyp", &[(0, 0)], "keys").or("0"),
            Param::number("disp", &[(0, 0)], "display").or("0"),
            Param::switch("ind", "indicators").or("0"),
            Param::switch("bfr", "whether events wait").or("0"),
        ]).urcs(&["+CIEV"]),
    Spec::new("+CGATT", "attaches to the packet domain, or shows it", Source::seen(TRAFFIC))
        .takes(ATTACHED).answers(ATTACHED).reads().lasts(Latency::Attach)
        .lasting(Lasting::Start, NOWHERE),
    Spec::new("+CGDCONT", "defines a packet data context", Source::standard("27.007 10.1.1"))
        .takes(CONTEXT).answers(CONTEXT).reads().lasting(Lasting::Start, CONTEXTS)
        .tested(Test::Lines(&[
            "(1-15),\"IP\",,,(0),(0)",
            "(1-15),\"IPV6\",,,(0),(0)",
            "(1-15),\"IPV4V6\",,,(0),(0)",
        ])),
    Spec::new("+CGACT", "activates a packet data context, or shows them",
        Source::standard("27.007 10.1.10"))
        .takes(&[
            Param::number("state", SWITCH, "what to do")
                .values(&[("0", "deactivate"), ("1", "activate")]),
            CID.optional().shown(""),
        ])
        .answers(&[
            CID,
            Param::number("state", SWITCH, "the context")
                .values(&[("0", "not active"), ("1", "active")]),
        ]).reads().acts().lasting(Lasting::Start, ACTIVE),
    Spec::new("+CGPADDR", "shows the IP address", Source::seen(TRAFFIC)).takes(&[CID.optional()])
        .answers(&[CID, Param::text("address", 64, "its IP address").optional()]).executes()
        .tested(Test::State),
    Spec::new("+CGEREP", "chooses whether events of the packet domain are reported",
        Source::standard("27.007 10.1.19"))
        .keeps(&[
            Param::number("mode", &[(0, 2)], "how").or("0"),
            Param::switch("bfr", "whether events wait").or("0"),
        ]).urcs(&["+CGEV"]),
];

const ATTACHED: &[Param] = &[Param::number("state", SWITCH, "the packet domain")
    .values(&[("0", "detached"), ("1", "attached")])];

const CONTEXT: &[Param] = &[
    CID,
    Param::words("type", &["IP", "IPV6", "IPV4V6"], "the protocol").optional(),
    Param::text("apn", 100, "the access point; empty, the network chooses").optional(),
    Param::text("address", 64, "the address; the network assigns it").optional(),
    Param::number("d_comp", &[(0, 0)], "compression of data").optional(),
    Param::number("h_comp", &[(0, 0)], "compression of headers").optional(),
];

const MODES: &[(&str, &str)] = &[
    ("0", "automatically"),
    ("1", "as given"),
    ("2", "not at all: deregister"),
    ("3", "no change, this sets the format alone"),
    ("4", "as given, else automatically"),
];

const FORMAT: Param = Param::number("format", &[(0, 2)], "how the operator is written").values(&[
    ("0", "in full"),
    ("1", "short"),
    ("2", "as a number"),
]);

fn strength(rssi: i64) -> Option<String> {
    let rssi = u8::try_from(rssi).ok()?;
    match (SignalQuality { rssi, ber: 99 }).rssi_dbm() {
        Some(dbm) => Some(format!("{dbm} dBm, {}", verdict(dbm))),
        None => (rssi == 99).then(|| "unknown: is the radio on, and a network near?".to_owned()),
    }
}

/// How good a signal is, as engineers call it; no standard has the bounds.
fn verdict(dbm: i16) -> &'static str {
    match dbm {
        -75.. => "strong",
        -89.. => "good",
        -101.. => "fair",
        _ => "weak",
    }
}

/// In dB (27.007 section 8.69).
fn quality(rsrq: i64) -> Option<String> {
    match rsrq {
        0..=34 => Some(format!("{} dB", f64::from(rsrq as i32) / 2.0 - 19.5)),
        255 => Some("unknown".to_owned()),
        _ => None,
    }
}

/// In dBm (27.007 section 8.69; one host counts as the reference has it).
fn power(rsrp: i64) -> Option<String> {
    match rsrp {
        0..=97 => Some(format!("{} dBm", rsrp - 140)),
        255 => Some("unknown".to_owned()),
        _ => None,
    }
}
