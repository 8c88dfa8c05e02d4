//! What the lines of the modules are, byte for byte, and that table and code know the same.

use super::*;
use crate::dialect::sm::{command, configuration, keys, received, request::Request, table};
use crate::spec::Kind;

fn described(dialect: &Sm, line: &str) -> Vec<String> {
    let (command, _) = Command::split_first(line.as_bytes(), |_| true);
    let model = if *dialect == Sm::DEFAULT {
        SIM7080
    } else {
        SIM7000
    };
    dialect.describe(&command, &model.limits)
}

#[test]
fn test_forms_are_those_of_the_manual() {
    assert_eq!(
        described(&Sm::DEFAULT, "+SMCONF=?"),
        [
            r#"+SMCONF: "CLIENTID",(0-128)"#,
            r#"+SMCONF: "URL",246,(0-65535)"#,
            r#"+SMCONF: "KEEPTIME",(0-65535)"#,
            r#"+SMCONF: "USERNAME",256"#,
            r#"+SMCONF: "PASSWORD",512"#,
            r#"+SMCONF: "CLEANSS",(0,1)"#,
            r#"+SMCONF: "QOS",(0-2)"#,
            r#"+SMCONF: "TOPIC",128"#,
            r#"+SMCONF: "MESSAGE",1024"#,
            r#"+SMCONF: "RETAIN",(0,1)"#,
            r#"+SMCONF: "SUBHEX",(0,1)"#,
            r#"+SMCONF: "ASYNCMODE",(0,1)"#,
        ]
    );
    for (line, expected) in [
        ("+SMPUB=?", "+SMPUB: 128,(0-1024),(0-2),(0-1)"),
        ("+SMSUB=?", "+SMSUB: 128,(0-2)"),
        ("+SMUNSUB=?", "+SMUNSUB: 128"),
        ("+SMSTATE=?", "+SMSTATE: (0-2)"),
        ("+SMPUBHEX=?", "+SMPUBHEX: (0-1)"),
        ("+SMSSL=?", "+SMSSL: (0-6),20,20"),
        (
            "+SMALIAUTH=?",
            r#"+SMALIAUTH: "Product Key","Device Name","Device Secret""#,
        ),
        (
            "+SMALIDYNA=?",
            r#"+SMALIDYNA: "Product Key","Device Name","Product Secret""#,
        ),
        ("+SMRCVSLPTM=?", "+SMRCVSLPTM: (0,1),(10,500)"),
    ] {
        assert_eq!(described(&Sm::DEFAULT, line), [expected]);
    }
    for (line, expected) in [
        ("+SMPUB=?", "+SMPUB: 128,(0-512),(0-2),(0-1)"),
        ("+SMSTATE=?", "+SMSTATE: (0-1)"),
    ] {
        assert_eq!(described(&Sm::OLDER, line), [expected]);
    }
    let keys = described(&Sm::OLDER, "+SMCONF=?");
    assert!(!keys.iter().any(|line| line.contains("ASYNCMODE")));
    assert_eq!(described(&Sm::OLDER, "+SMALIDYNA=?"), Vec::<String>::new());
}

fn decoded(line: &str) -> Option<Request<'_>> {
    let (command, _) = Command::split_first(line.as_bytes(), |_| true);
    let spec = Sm::DEFAULT.spec(command.name)?;
    command::decode(&command, spec, &SIM7080.limits).ok()
}

/// Reference `sm.md` 3, "What hosts write".
#[test]
fn a_setting_is_taken_however_hosts_write_it() {
    for (written, meant) in [
        (r#"+SMCONF=URL,"host",1883"#, r#"+SMCONF="URL","host",1883"#),
        (
            r#"+SMCONF="URL","host","1883""#,
            r#"+SMCONF="URL","host",1883"#,
        ),
        (r#"+SMCONF="URL",host,1883"#, r#"+SMCONF="URL","host",1883"#),
        (r#"+SMCONF="URL","host""#, r#"+SMCONF="URL","host",1883"#),
        (r#"+smconf="keeptime","60""#, r#"+SMCONF="KEEPTIME",60"#),
        (r#"+SMCONF= "KEEPTIME" ,60"#, r#"+SMCONF="KEEPTIME",60"#),
        (r#"+SMPUB="t","10","1","1""#, r#"+SMPUB="t",10,1,1"#),
        ("+SMSSL=0", r#"+SMSSL=0,"","""#),
    ] {
        let request = decoded(written).unwrap_or_else(|| panic!("{written} is refused"));
        let mut line = Vec::new();
        command::encode(&request, &SIM7080.limits, &mut line).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), format!("AT{meant}\r"));
    }
}

#[test]
fn what_is_wrong_is_refused() {
    for line in [
        "+SMCONF=",
        "+SMCONF=\"URI\",\"h\"",
        "+SMCONF=\"URL\"",
        "+SMCONF=\"URL\",\"h\",65536",
        "+SMCONF=\"URL\",\"h\",1883,1",
        "+SMCONF=\"KEEPTIME\",65536",
        "+SMCONF=\"KEEPTIME\",x",
        "+SMCONF=\"CLEANSS\",2",
        "+SMCONF=\"QOS\",3",
        "+SMPUB=\"t\",1025,0,0",
        "+SMPUB=\"t\",1,3,0",
        "+SMPUB=\"t\",1,0,2",
        "+SMPUB=\"\",1,0,0",
        "+SMPUB=\"t\",1,0",
        "+SMSUB=\"t\"",
        "+SMSUB=\"t\",3",
        "+SMUNSUB=",
        "+SMSSL=7,\"\",\"\"",
        "+SMSSL=1,\"a_name_that_is_too_long\",\"\"",
        "+SMPUBHEX=2",
        "+SMRCVSLPTM=1",
        "+SMRCVSLPTM=1,501",
        "+SMCONN?",
        "+SMCONN=1",
        "+SMSTATE",
        "+SMPUB?",
    ] {
        assert_eq!(decoded(line), None, "AT{line}");
    }
    let long = format!("+SMSUB=\"{}\",0", "t".repeat(129));
    assert_eq!(decoded(&long), None);
}

#[test]
fn the_decoder_takes_the_ends_of_each_range_and_nothing_beyond() {
    let limits = &SIM7080.limits;
    for spec in Sm::DEFAULT.specs().iter().filter(|spec| spec.set) {
        let names = spec.keys.iter().map(|key| key.name);
        for key in names.chain(spec.keys.is_empty().then_some("")) {
            let params: Vec<_> = (0..8)
                .map_while(|at| spec.parameter(key.as_bytes(), at))
                .collect();
            let line = |place: usize, number: i64| {
                let values = params
                    .iter()
                    .enumerate()
                    .map(|(at, param)| match param.kind {
                        _ if at == place => number.to_string(),
                        Kind::Key => format!("\"{key}\""),
                        Kind::Number(_) | Kind::UpTo(_) => param.ranges(limits)[0].0.to_string(),
                        _ => "\"abc\"".into(),
                    });
                format!("{}={}", spec.name, values.collect::<Vec<_>>().join(","))
            };
            for (at, param) in params.iter().enumerate() {
                let ranges = param.ranges(limits);
                // Without sleep there is no time for it.
                let other = spec.name == table::SLEEP;
                if let (Some((low, _)), Some((_, high)), false) =
                    (ranges.first(), ranges.last(), other)
                {
                    for number in [*low, *high] {
                        assert!(decoded(&line(at, number)).is_some(), "{}", line(at, number));
                    }
                    for number in [low - 1, high + 1] {
                        assert_eq!(decoded(&line(at, number)), None, "{}", line(at, number));
                    }
                }
            }
        }
    }
}

#[test]
fn every_key_is_decoded_as_itself() {
    for key in keys::KEYS {
        let mut value = match key.values[0].kind {
            Kind::Number(_) => "1".to_string(),
            _ => "\"abc\"".to_string(),
        };
        if key.name == keys::URL {
            value.push_str(",1");
        }
        let line = format!("+SMCONF=\"{}\",{value}", key.name);
        let Some(Request::Configure(setting)) = decoded(&line) else {
            panic!("{line}");
        };
        assert_eq!(configuration::key(&setting), key.name);
    }
}

#[test]
fn reports_are_read() {
    let limits = &SIM7080.limits;
    for (line, expected) in [
        (
            &b"+SMSUB: \"t\",\"hello\""[..],
            Some(received("t", b"hello")),
        ),
        (b"+SMSUB: \"t\",\"\"", Some(received("t", b""))),
        (
            b"+SMSUB: \"t\",\"a\",\"b\"\"",
            Some(received("t", b"a\",\"b\"")),
        ),
        (b"+SMSUB: 128,(0-2)", None),
        (b"+SMSTATE: 0", Some(status(LinkStatus::Closed))),
        (b"+SMSTATE: 1", None),
        (b"+APP PDP: 0,ACTIVE", Some(status(LinkStatus::Fine))),
        (b"+APP PDP: ACTIVE", Some(status(LinkStatus::Fine))),
        (b"+APP PDP: 0,DEACTIVE", Some(status(LinkStatus::Closed))),
        (b"+APP PDP: DEACTIVE", Some(status(LinkStatus::Closed))),
        (b"+APP PDP: 1,DEACTIVE", None),
        (b"+APP PDP: 0,GONE", None),
    ] {
        let decoded = received::decode(line, false, limits);
        assert_eq!(decoded, expected, "{}", line.escape_ascii());
    }
    for (payload, line) in [
        (&b"hello"[..], &b"+SMSUB: \"t\",\"68656C6C6F\""[..]),
        (b"", b"+SMSUB: \"t\",\"\""),
        (b"\"\r\n\0", b"+SMSUB: \"t\",\"220D0A00\""),
    ] {
        let urc = received("t", payload);
        assert_eq!(received::encode(&urc, true), line);
        assert_eq!(received::decode(line, true, limits), Some(urc));
    }
    // Not digits, or half a byte.
    for line in [&b"+SMSUB: \"t\",\"6\""[..], b"+SMSUB: \"t\",\"hello\""] {
        assert_eq!(received::decode(line, true, limits), None);
    }
}
