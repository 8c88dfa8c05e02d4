mod accepted;

use atmq_emulator::Profile;
use atmq_emulator::lint::Rule;
use atmq_protocol::spec::Spec;
use atmq_tests::transcript::{Step, Transcript};
use proptest::prelude::*;

use super::arguments::explain_text;
use super::*;
use crate::grammar::{all_codes, commands};

#[track_caller]
fn explained(line: &str, asked: Option<&str>) -> String {
    let explanation = explain_line(line.as_bytes(), asked.map(str::as_bytes));
    let explanation = explanation.unwrap_or_else(|| panic!("nothing is known of {line}"));
    explanation.lines().join("\n")
}

#[test]
fn a_command_says_what_comes_first_and_what_is_reported_and_lost() {
    for (line, words) in [
        (
            "AT+LMQTTCONN=0,\"c\"",
            &[
                "AT+LMQTTOPEN comes first.",
                "reported by +LMQTTCONN, within 30 s.",
            ][..],
        ),
        (
            "AT+LMQTTCLOSE=0",
            &["The settings of AT+LMQTTCFG are lost with it."],
        ),
    ] {
        let text = explained(line, None);
        for words in words {
            assert!(text.contains(words), "{line}: {text}");
        }
    }
}

#[test]
fn lines_of_a_session() {
    for (line, asked, words) in [
        ("OK", Some("AT+CFUN=1"), &["has taken AT+CFUN", "V.250"][..]),
        (
            "OK",
            Some("AT+LMQTTOPEN=0,\"h\",1"),
            &["reported in a line of its own"],
        ),
        ("ERROR", None, &["refuses the command", "AT+CMEE=1"]),
        (
            "+CME ERROR: 30",
            None,
            &["no network service", "AT+CSQ", "27.007"],
        ),
        (
            "+CME ERROR: SIM not inserted",
            None,
            &["SIM not inserted", "slot"],
        ),
        ("+CME ERROR: 999", None, &["999", "nothing is known"]),
        ("+CMS ERROR: 321", None, &["invalid memory index"]),
        (
            "+CMS ERROR: Invalid memory index",
            None,
            &["invalid memory index"],
        ),
        ("+CMS ERROR: no moon", None, &["no moon"]),
        ("+CME ERROR: (U)SIM busy", None, &["SIM busy", "Try again"]),
        ("+CME ERROR: 515", None, &["please wait"]),
        ("+CEREG: 0,8", None, &["emergency"]),
        ("+CEREG: 9", None, &["registered, home network"]),
        (">", None, &["waits for data"]),
        ("CONNECT", None, &["waits for data"]),
        (
            "+LMQTTOPEN: 0,0",
            None,
            &["Connection 0 is open", "AT+LMQTTCONN"],
        ),
        (
            "+LMQTTOPEN: 0,-1,4",
            None,
            &["resolved", "reference lmqtt.md 1.4, documented"],
        ),
        ("+LMQTTOPEN: 0,-1", None, &["does not say why"]),
        ("+LMQTTOPEN: 0,\"h\",1883", None, &["to h port 1883"]),
        ("+LMQTTCONN: 0,0,0", None, &["accepted"]),
        ("+LMQTTCONN: 0,0,5", None, &["refuses", "not authorised"]),
        ("+LMQTTCONN: 0,3", None, &["state 3: connected"]),
        (
            "+LMQTTCONN: 0,1",
            None,
            &["sent again", "AT+LMQTTCONN? it says: configured"],
        ),
        (
            "+LMQTTCONN: 0,1",
            Some("AT+LMQTTCONN?"),
            &["state 1: configured"],
        ),
        (
            "+LMQTTSUBUNSUB: 0,1,0,1",
            None,
            &["done", "1 topic filter."],
        ),
        (
            "+LMQTTSUBUNSUB: 0,9,1,6",
            None,
            &["failed", "could not be sent"],
        ),
        ("+LMQTTUNSUNSUB: 0,9,0", None, &["done"]),
        ("+LMQTTPUB: 0,5,0", None, &["Publish 5", "acknowledged"]),
        (
            "+LMQTTPUB: 0,9,1,6",
            None,
            &["may have arrived", "could not be sent"],
        ),
        ("+LMQTTPUBEX: 0,9,2", None, &["not sent"]),
        ("+LMQTTCLOSE: 0,0", None, &["closed"]),
        ("+LMQTTDISC: 0,0", None, &["goodbye"]),
        (
            "+LMQTTURC: RECV,0,1,\"t\",4,abcd",
            None,
            &["4 bytes on \"t\""],
        ),
        (
            "+LMQTTURC: RECV,0,1,\"t\",{\"a\":1}",
            None,
            &["7 bytes on \"t\""],
        ),
        ("+LMQTTURC: RECV,0,1", None, &["AT+LMQTTREAD=0,1"]),
        (
            "+LMQTTURC: STATS,0,1",
            None,
            &["closed or reset", "1.8, documented"],
        ),
        (
            "+LMQTTURC: STATS,0,15,4",
            None,
            &["broker says: wrong user name"],
        ),
        ("+LMQTTURC: STATS,0,77", None, &["77", "nothing is known"]),
        ("+LMQTTURC: NEW,1", None, &["not known: NEW"]),
        ("+LMQTTREAD: 0,1,\"t\",4,abcd", None, &["out of the cache"]),
        ("+LMQTTREAD: 0,1,2", None, &["2 message(s)"]),
        (
            "+LMQTTCFG: \"keepalive\",60",
            None,
            &["pings the broker", "60"],
        ),
        (
            "+LMQTTCFG: \"keepalive\",(0-4),(0-3600)",
            Some("AT+LMQTTCFG=?"),
            &["takes"],
        ),
        ("+CEREG: 5", None, &["has changed: registered, roaming"]),
        (
            "+CEREG: 3,,,,0,15",
            None,
            &["has changed: the network denies"],
        ),
        ("+CIEV: 2,3", None, &["signal (the signal, 5 is best) is 3"]),
        ("+CIEV: 4,1", None, &["roam (roaming) is 1, yes"]),
        ("+CGEV: ME PDN ACT 2", None, &["has activated context 2"]),
        ("+CGEV: NW DETACH", None, &["the network has detached"]),
        ("+CTZV: \"-04\"", None, &["-4 quarters of an hour"]),
        ("+CTZV: 32", None, &["+32 quarters of an hour"]),
        ("+CTZV: +32", None, &["+32 quarters of an hour"]),
        ("+CTZE: -8,1", None, &["-8 quarters of an hour"]),
        (
            "+CTZV: 128",
            None,
            &["another time zone, but 128 is none", "-48 to +56"],
        ),
        (
            "lint: 12.041 s: error[outcome-not-awaited]: a command comes: AT+CSQ (lmqtt.md 1.1)",
            None,
            &[
                "an error",
                "before the result URC",
                "Wait for the result URC",
                "lmqtt.md 1.1",
            ],
        ),
        (
            "lint: 1 × warning polling-too-fast",
            Some("AT+CGMM"),
            &["a warning", "Ask once a second"],
        ),
        ("+CEREG: 0,2", None, &["searching for a network"]),
        ("+CSQ: 29,0", None, &["-55 dBm, strong"]),
        ("+CSQ: 99,99", None, &["unknown: is the radio on"]),
        ("+CESQ: 99,99,255,255,20,50", None, &["-9.5 dB", "-90 dBm"]),
        ("+CPIN: SIM PIN", None, &["waits for its PIN"]),
        (
            "+COPS: 0,2,\"46000\",7",
            None,
            &["automatically", "as a number", "LTE"],
        ),
        ("+ECBCINFOSC: 1850,99", None, &["serving cell"]),
        ("NT35E", Some("AT+CGMM"), &["shows the model"]),
        ("Lierda", Some("AT+CGMI"), &["Answer of AT+CGMI"]),
        ("Lierda", None, &["has started, or its maker's name"]),
        ("Lierda NT35E", Some("AT+CSQ"), &["The module has started."]),
        ("+CMEE: 0", None, &["n 0 (ERROR alone)"]),
        ("^boot.rom'v'!", None, &["has started", "measured"]),
        ("NORMAL POWER DOWN", None, &["switches itself off"]),
    ] {
        let text = explained(line, asked);
        for words in words {
            assert!(text.contains(words), "{line}: no `{words}` in: {text}");
        }
    }
}

#[test]
fn commands_with_their_parameters() {
    for (line, words) in [
        (
            "AT+LMQTTPUB=0,5,1,0,\"t\",4,\"ab,\"\"",
            &[
                "publishes",
                "at least once",
                "retain",
                "ab,\"",
                "1.7, documented",
            ][..],
        ),
        ("AT+LMQTTPUB=0,5,3,0,\"t\",4", &["not within 0-2"]),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",6,\"21.5\"",
            &["nothing in it is escaped; the payload has 4 bytes, 6 were announced"],
        ),
        (
            "AT+LMQTTPUB=0,1,1,0,\"t\",5,\"21.5",
            &["msg begins with a quote and does not end with one"],
        ),
        (
            "at+lmqttcfg=\"keepalive\",0,60",
            &["sets after how long", "seconds, 0 for never"],
        ),
        ("AT+LMQTTCFG=\"keepalive\",0", &["asks for after how long"]),
        (
            "AT+LMQTTCFG=\"nosuch\",0",
            &["not known; known are version, session"],
        ),
        ("AT+LMQTTCFG=?", &["Asks what", "\"keepalive\""]),
        ("AT+LMQTTCONN?", &["Asks for"]),
        ("ATE0", &["echo", "off"]),
        (
            "ATE0V1+CMEE=1;+CSQ",
            &["echo", "in words", "with a number", "shows the signal"],
        ),
        ("AT", &["whether the module is there"]),
        (
            "AT+CGDCONT=1,\"PPP\",\"internet\"",
            &["known are IP, IPV6, IPV4V6"],
        ),
        ("AT+CSQ=1,2,3", &["more than AT+CSQ is known to take"]),
        (
            "AT+LMQTTSUBUNSUB=0,0,1,\"a\",1,\"b\",2",
            &["at least once", "exactly once"],
        ),
    ] {
        let text = explained(line, None);
        for words in words {
            assert!(text.contains(words), "{line}: no `{words}` in: {text}");
        }
    }
}

#[test]
fn secrets_are_not_repeated() {
    for line in [
        "AT+LMQTTCONN=0,\"id\",\"user\",\"s3cret\"",
        "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"s3cret\"",
        "AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"x\",\"pn\",\"s3cret\"",
        "+LMQTTCFG: \"aliauth\",\"pk\",\"dn\",\"s3cret\"",
        "AT+CPIN=\"s3cret\"",
    ] {
        assert!(!explained(line, None).contains("s3cret"), "{line}");
    }
    for asked in [
        "AT+LMQTTCONN=0,\"i\",\"u\",\"s3cret\"",
        "AT+CPIN=\"s3cret\"",
    ] {
        for line in ["OK", "ERROR", "+CME ERROR: 3"] {
            assert!(!explained(line, Some(asked)).contains("s3cret"), "{line}");
        }
    }
}

#[test]
fn every_rule_of_the_linter_is_explained_by_its_name() {
    for rule in Rule::all() {
        for text in [
            rule.id().to_owned(),
            format!("{}[{}]", rule.severity(), rule.id()),
        ] {
            let explanation = explain_text(&text, None).expect("it is known");
            let told = explanation.lines().join(" ");
            let sentence = &rule.sentence()[1..];
            assert!(
                told.contains(sentence) && told.contains(rule.advice()),
                "{told}"
            );
        }
    }
    assert_eq!(explain_text("error[nosuch-rule]", None), None);
    assert_eq!(
        explain_text("lint: 1 error, 0 warnings, 0 notes", None),
        None
    );
}

#[test]
fn what_a_module_prints_when_it_starts_is_explained() {
    let banners = Profile::names().filter_map(Profile::text);
    let banners = banners.map(|text| Profile::parse(text).expect("it is in the crate").banner);
    for banner in banners.chain(["RDY".to_owned()]) {
        // Where there are several lines, the first tells of the start.
        let banner = banner.trim_start().lines().next().unwrap_or_default();
        let noisy = [b"\0\xff", banner.as_bytes()].concat();
        for lines in [banner.as_bytes(), &noisy] {
            let mut lines = lines.split(|byte| b"\r\n".contains(byte));
            let told = lines.any(|line| {
                let explanation = explain_line(line, None);
                explanation.is_some_and(|known| known.brief().contains("has started"))
            });
            assert!(told, "{banner}");
        }
    }
    let off = explain_line(b"NORMAL POWER DOWN", None).expect("it is known");
    assert!(off.brief().contains("switches itself off"));
}

#[test]
fn what_is_not_in_the_tables_is_not_called_known() {
    for (text, known) in [
        ("CME 30", true),
        ("CME 9999", false),
        ("+CME ERROR: 30", true),
        ("+CME ERROR: 9999", false),
        ("+CMS ERROR: 9999", false),
        ("OPEN 99", false),
        ("+LMQTTOPEN: 0,-1,99", false),
        ("+LMQTTPUB: 0,1,9", false),
        ("+LMQTTURC: STATS,0,77", false),
        ("+LMQTTURC: NEW,1", false),
        ("+CSQ: 29,0", true),
    ] {
        let explanation = explain_text(text, None).expect("something is known");
        assert_eq!(explanation.known, known, "{text}");
    }
}

#[test]
fn what_a_person_may_ask() {
    for (text, words) in [
        ("CME 30", "no network service"),
        ("stats 13", "cache is full"),
        ("OPEN -1", "nothing is known"),
        ("CME ERROR: 10", "SIM not inserted"),
        ("+LMQTTPUB", "publishes"),
        ("lmqttpub", "publishes"),
        ("csq", "shows the signal"),
        ("keepalive", "AT+LMQTTCFG=\"keepalive\" sets"),
        ("\"seclevel\"", "AT+LSSLCFG"),
        ("CFUN?", "radio"),
        ("stats", "Each of these numbers is a state of a link"),
        ("CME", "30   no network service; check antenna"),
        ("[12:00:01.234] -> AT+CSQ", "shows the signal"),
        ("<< +CME ERROR: 30", "no network service"),
    ] {
        let explanation = explain_text(text, None);
        let explanation = explanation.unwrap_or_else(|| panic!("nothing is known of {text}"));
        let lines = explanation.lines().join("\n");
        assert!(lines.contains(words), "{text}: no `{words}` in: {lines}");
    }
    for unknown in ["", "hello", "AT+NOSUCH", "+NOSUCH: 1", "FOO", "FOO 3"] {
        assert_eq!(explain_text(unknown, None), None, "{unknown}");
    }
}

#[test]
fn every_form_and_every_number_has_an_explanation() {
    for form in commands().flat_map(Spec::forms) {
        let line = match form.strip_suffix("<n>") {
            Some(register) if register.starts_with("ATS") => format!("{register}=0"),
            Some(basic) => format!("{basic}0"),
            None => form,
        };
        explained(&line, None);
    }
    for codes in all_codes() {
        for code in codes.codes {
            let text = format!("{} {}", codes.name, code.number);
            let explanation = explain_text(&text, None).expect("it is known");
            assert!(explanation.brief().contains(code.meaning), "{text}");
        }
    }
}

#[test]
fn the_numbers_of_a_dialect_have_its_own_words() {
    for (line, words) in [
        ("+QMTSTAT: 0,1", "closed or reset"),
        ("+QMTSTAT: 0,5", "the client disconnected"),
        ("+QMTOPEN: 0,0", "the link is open"),
        ("+QMTOPEN: 0,3", "context could not be activated"),
        ("+QMTOPEN: 0,-1", "it failed"),
        ("+QMTCONN: 0,0,5", "return code is 5"),
        ("+QMTPUBEX: 0,7,0", "acknowledged as its quality"),
        ("+QMTPUB: 0,7,2", "it may have arrived"),
        ("+QMTPUB: 0,7,1,2", "sent again"),
        ("+QMTSUB: 0,7,2", "failed"),
        ("+QMTCLOSE: 0,0", "is closed"),
        ("+CMQTTCONNECT: 0,3", "could not be made"),
        (
            "+CMQTTSTART: 23",
            "+CMQTTSTART: the network is opened already",
        ),
        ("+CMQTTCONNLOST: 0,1", "closed the link"),
        ("+SMSTATE: 0", "Connection 0: not connected."),
        ("+CMQTTNONET", "The link was lost (closed)."),
        (
            "+APP PDP: 0,DEACTIVE",
            "Connection 0: the link was lost (closed",
        ),
    ] {
        let explanation = explain_line(line.as_bytes(), None).expect(line);
        let lines = explanation.lines().join("\n");
        assert!(lines.contains(words), "{line}: {lines}");
        assert!(!lines.contains("settings are lost"), "{line}: {lines}");
    }
}

/// Whatever a module sends in a transcript is explained, but for the echo of unknown commands.
#[test]
fn every_line_of_the_transcripts_is_explained() {
    let mut unknown = Vec::new();
    for folder in ["lmqtt", "qmt", "standard"] {
        for transcript in Transcript::all(folder) {
            let mut asked = None;
            for (_, step) in &transcript.steps {
                match step {
                    Step::Host(bytes) if bytes.starts_with(b"AT") => {
                        asked = Some(String::from_utf8_lossy(bytes.trim_ascii()).into_owned());
                    }
                    Step::Module(bytes) => {
                        let text = String::from_utf8_lossy(bytes);
                        let lines = text
                            .split(['\r', '\n'])
                            .filter(|line| !line.trim().is_empty())
                            .filter(|line| asked.as_deref() != Some(line));
                        for line in lines {
                            let asked = asked.as_deref().map(str::as_bytes);
                            if explain_line(line.as_bytes(), asked).is_none() {
                                unknown.push(format!("{folder}/{}: {line}", transcript.name));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    unknown.sort();
    unknown.dedup();
    // Line ends by ATS3 and ATS4, and a result code as a number.
    let strange = [
        "standard/line: !.+CSQ: 29,0!.!.OK!.",
        "standard/line: 4",
        // A report that belongs to no command of its name.
        "standard/quectel_contexts: +QIURC: \"pdpdeact\",1",
    ];
    assert_eq!(unknown, strange);
}

proptest! {
    #[test]
    fn any_bytes_are_explained_or_not(line: Vec<u8>, asked: Option<Vec<u8>>) {
        let _ = explain_line(&line, asked.as_deref());
    }

    #[test]
    fn anything_like_a_line_is_explained_or_not(
        line in "(AT)?[+&]?(LMQTTCFG|LMQTTPUB|LMQTTCONN|LMQTTURC|CME ERROR|CSQ|E)?[=?: ]{0,2}[-0-9a-zSTARECV\",:]{0,24}",
        asked in "(AT)?[+]?(LMQTTCFG|LMQTTCONN|CSQ)?[=?]{0,2}",
    ) {
        if let Some(explanation) = explain_line(line.as_bytes(), Some(asked.as_bytes())) {
            prop_assert!(!explanation.brief().is_empty());
            prop_assert!(explanation.lines().iter().all(|line| !line.contains(['\r', '\n'])));
        }
    }
}
