//! What test forms answer, byte for byte as captured or printed (reference `qmt.md` 3 and 4).

use super::switches::TestForms;

type Lines = &'static [&'static str];

/// The lines that answer the test form of the command of this name; none if they are derived.
pub(super) fn lines(forms: TestForms, name: &str) -> Lines {
    let table: &[(&str, Lines)] = match forms {
        TestForms::Derived => &[],
        TestForms::Lte => LTE,
        TestForms::Eg800k => EG800K,
        TestForms::Bg96 => BG96,
        TestForms::Bg770a => BG770A,
    };
    let found = table.iter().find(|(known, _)| *known == name);
    found.map_or(&[], |(_, lines)| *lines)
}

/// EC600S, and EC800M for `+QMTPUBEX`: measured.
#[rustfmt::skip]
const LTE: &[(&str, Lines)] = &[
    ("+QMTCFG", &[
        r#"+QMTCFG: "version",(0-5),(3,4)"#,
        r#"+QMTCFG: "pdpcid",(0-5),(1-15)"#,
        r#"+QMTCFG: "ssl",(0-5),(0,1),(0-5)"#,
        r#"+QMTCFG: "keepalive",(0-5),(0-3600)"#,
        r#"+QMTCFG: "session",(0-5),(0,1)"#,
        r#"+QMTCFG: "timeout",(0-5),(1-1200),(1-10),(0,1)"#,
        r#"+QMTCFG: "will",(0-5),(0,1),(0-2),(0,1),"willtopic","willmessage""#,
        r#"+QMTCFG: "willex",(0-5),(0,1),(0-2),(0,1),"willtopic",(0-256)"#,
        r#"+QMTCFG: "recv/mode",(0-5),(0,1),(0,1)"#,
        r#"+QMTCFG: "send/mode",(0-5),(0,1)"#,
        r#"+QMTCFG: "onenet",(0-5),"product id","access key""#,
        r#"+QMTCFG: "aliauth",(0-5),"product key","device name","device secret""#,
        r#"+QMTCFG: "hwauth",(0-5),"device id","device secret""#,
        r#"+QMTCFG: "hwprodid",(0-5),"product id","product secret","nodeid""#,
        r#"+QMTCFG: "qmtping",(0-5),(5-60)"#,
        r#"+QMTCFG: "dataformat",(0-5),(0,1),(0,1)"#,
        r#"+QMTCFG: "view/mode",(0-5),(0,1)"#,
        r#"+QMTCFG: "CTWing",(0-5),"client_id","feature_string""#,
        r#"+QMTCFG: "edit/timeout",(0-5),(0,1),(1-180)"#,
    ]),
    ("+QMTPUBEX", &[r#"+QMTPUBEX: (0-5), <msgid>,(0-2),(0,1),"topic","length""#]),
];

/// EG800K: documented.
#[rustfmt::skip]
const EG800K: &[(&str, Lines)] = &[
    ("+QMTOPEN", &[r#"+QMTOPEN: (0-5),"hostname",(1-65535)"#]),
    ("+QMTCONN", &[r#"+QMTCONN: (0-5),"clientid","username","password""#]),
    ("+QMTSUB", &[r#"+QMTSUB: (0-5),<msgid>,list of ["topic",qos]"#]),
    ("+QMTUNS", &[r#"+QMTUNS: (0-5),<msgid>,list of ["topic"]"#]),
];

/// BG96: measured.
#[rustfmt::skip]
const BG96: &[(&str, Lines)] = &[
    ("+QMTOPEN", &[r#"+QMTOPEN: (0-5),"host_name",(1-65536)"#]),
    ("+QMTCONN", &[r#"+QMTCONN: (0-5),"<clientID>"[,"<username>"[,"<password>"]]"#]),
    ("+QMTSUB", &[r#"+QMTSUB: (0-5), <msgid>,list of ["topic",qos]"#]),
    ("+QMTPUB", &[r#"+QMTPUB: (0-5), <msgid>,(0-2),(0,1),"topic",(1-1548)"#]),
];

/// BG770A: measured; of `+QMTCFG` the values alone, and how the lines name them is inferred.
#[rustfmt::skip]
const BG770A: &[(&str, Lines)] = &[
    ("+QMTCFG", &[
        r#"+QMTCFG: "version",(0-5),(3,4)"#,
        r#"+QMTCFG: "pdpcid",(0-5),(1-5)"#,
        r#"+QMTCFG: "ssl",(0-5),(0,1),(0-5)"#,
        r#"+QMTCFG: "keepalive",(0-5),(0-3600)"#,
        r#"+QMTCFG: "session",(0-5),(0,1)"#,
        r#"+QMTCFG: "timeout",(0-5),(1-60),(0-10),(0,1)"#,
        r#"+QMTCFG: "will",(0-5),(0,1),(0-2),(0,1),<will_topic>,<will_message>"#,
        r#"+QMTCFG: "recv/mode",(0-5),(0,1),(0,1)"#,
        r#"+QMTCFG: "aliauth",(0-5),<product_key>,<device_name>,<device_secret>"#,
    ]),
    ("+QMTOPEN", &["+QMTOPEN: (0-5),<host_name>,(0-65535)"]),
    ("+QMTCLOSE", &["+QMTCLOSE: (0-5)"]),
    ("+QMTCONN", &["+QMTCONN: (0-5),<clientID>,<username>,<password>"]),
    ("+QMTDISC", &["+QMTDISC: (0-5)"]),
    ("+QMTPUB", &["+QMTPUB: (0-5),(0-65535),(0-2),(0,1),<topic>,(1-4096)"]),
];
