use alloc::format;
use alloc::string::{String, ToString as _};

use proptest::prelude::*;

use super::*;
use crate::spec::{Kind, Param, Spec};
use crate::{commands, dialect};

fn shown(line: &str) -> String {
    let shown = redacted(line.as_bytes()).escape_ascii().to_string();
    shown.replace("\\\"", "\"")
}

#[test]
fn a_secret_is_hidden_where_the_tables_have_it() {
    for (line, expected) in [
        (
            "AT+LMQTTCONN=0,\"id\",\"user\",\"pass\"\r\n",
            r#"AT+LMQTTCONN=0,"id","user","***"\r\n"#,
        ),
        (
            r#"AT+LMQTTCONN=0,"i,d","user","s3cret""#,
            r#"AT+LMQTTCONN=0,"i,d","***""#,
        ),
        // Noise in front, blanks within, a quote within, cut off.
        (
            r#"xAT+lmqttconn = 0,"id","u", "s3c"#,
            r#"xAT+lmqttconn = 0,"id","u", "***"#,
        ),
        (
            "at+lmqttconn=0,\"id\",\"u\",\"pa\"ss\"\r\nOK",
            r#"at+lmqttconn=0,"id","u","***"\r\nOK"#,
        ),
        (
            r#"AT+LMQTTCFG="aliauth",0,"pk","dn","s3cret","","s3cret""#,
            r#"AT+LMQTTCFG="aliauth",0,"pk","dn","***""#,
        ),
        (
            "AT+LMQTTCFG=aliauth,0,pk,dn,s3cret",
            "AT+LMQTTCFG=aliauth,0,pk,dn,***",
        ),
        (
            "\r\n+LMQTTCFG: \"aliauth\",\"pk\",\"dn\",\"ds\"\r\n\r\nOK\r\n",
            r#"\r\n+LMQTTCFG: "aliauth","pk","dn","***"\r\n\r\nOK\r\n"#,
        ),
        (
            "+LMQTTCFG: aliauth,pk,dn,ds",
            "+LMQTTCFG: aliauth,pk,dn,***",
        ),
        (r#"AT+CPIN="1234""#, r#"AT+CPIN="***""#),
        ("AT+CPIN=1234;+CSQ\rAT\r", r"AT+CPIN=***\rAT\r"),
        (
            r#"ATE0;+CPIN=?;+CPIN="1234""#,
            r#"ATE0;+CPIN=?;+CPIN="***""#,
        ),
        ("AT+CSQ\rAT+CPIN=\"1234\"", r#"AT+CSQ\rAT+CPIN="***""#),
        (r#"AT+CLCK="SC",1,"1234""#, r#"AT+CLCK="SC",1,"***""#),
        (r#"AT+CPWD="SC","1234","4321""#, r#"AT+CPWD="SC","***""#),
        (r#"AT+CGAUTH=1,1,"pw","user""#, r#"AT+CGAUTH=1,1,"***""#),
        (r#"+CGAUTH: 1,1,"user","pw""#, r#"+CGAUTH: 1,1,"***""#),
        (
            r#"AT+QMTCONN=0,"id","u","s3cret""#,
            r#"AT+QMTCONN=0,"id","u","***""#,
        ),
        (
            r#"AT#XMQTTCON=1,"u","s3cret","host",1883"#,
            r#"AT#XMQTTCON=1,"u","***"#,
        ),
        (
            r#"AT+QICSGP=1,1,"apn","u","s3cret",1"#,
            r#"AT+QICSGP=1,1,"apn","u","***"#,
        ),
        (
            r#"+QICSGP: 1,"apn","u","s3cret",1"#,
            r#"+QICSGP: 1,"apn","u","***"#,
        ),
        (
            "GET / HTTP/1.1\r\nAuthorization: Basic bTpz\r\nHost: h\r\n",
            r"GET / HTTP/1.1\r\nAuthorization: ***\r\nHost: h\r\n",
        ),
        ("AT+CSIM=26,\"0020000108\"", r#"AT+CSIM=26,"***""#),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

/// What is typed by hand is mistyped by hand.
#[test]
fn a_mistyped_secret_is_hidden() {
    for (line, expected) in [
        // Another sign, or none.
        (
            r#"AT+LMQTTCONN?0,"c","u","PW""#,
            r#"AT+LMQTTCONN?0,"c","u","***""#,
        ),
        (
            r#"AT+LMQTTCONN0,"c","u","PW""#,
            r#"AT+LMQTTCONN0,"c","u","***""#,
        ),
        (r#"AT+CPIN:"1234""#, r#"AT+CPIN:"***""#),
        (r#"AT+CPIN:abcd"#, "AT+CPIN:***"),
        (r#"AT+CPIN"1234""#, r#"AT+CPIN"***""#),
        ("AT+CPIN1234", "AT+CPIN***"),
        ("AT+CPIN?=1234", "AT+CPIN?=***"),
        ("AT+CPIN?;+CPIN?1234", "AT+CPIN?;+CPIN?***"),
        (r#"ATCPIN="1234""#, r#"ATCPIN="***""#),
        (r#"+CPIN="1234""#, r#"+CPIN="***""#),
        ("AT-CPIN=1234", "AT-CPIN=***"),
        // Without the beginning of the line.
        ("CPIN=1234", "CPIN=***"),
        (
            r#"LMQTTCONN=0,"c","u","PW""#,
            r#"LMQTTCONN=0,"c","u","***""#,
        ),
        // Without the number of the connection, or a comma.
        (
            r#"AT+LMQTTCONN="c","u","PW""#,
            r#"AT+LMQTTCONN="c","u","***""#,
        ),
        ("AT+LMQTTCONN=c,u,PW", "AT+LMQTTCONN=c,u,***"),
        (
            r#"AT+LMQTTCONN=0 "c","u","PW""#,
            r#"AT+LMQTTCONN=0 "c","u","***""#,
        ),
        (
            r#"AT+QMTCONN=0;"c";"u";"PW""#,
            r#"AT+QMTCONN=0;"c";"u";"***""#,
        ),
        // Another name.
        (
            r#"AT+LMQTTCON=0,"id","user","s3cret""#,
            r#"AT+LMQTTCON=0,"id","***""#,
        ),
        (
            r#"AT+LMTQTCONN="c","u","PW""#,
            r#"AT+LMTQTCONN="c","u","***""#,
        ),
        (r#"AT+CPIM="1234""#, r#"AT+CPIM="***""#),
        (r#"AT+CPNI="1234""#, r#"AT+CPNI="***""#),
        (r#"AT+CIN="1234""#, r#"AT+CIN="***""#),
        ("AT+CPINX=1", "AT+CPINX=***"),
        (r#"AT+CLKC="SC",1,"1234""#, r#"AT+CLKC="SC",1,"***""#),
        (
            r#"AT+QICGSP=1,1,"apn","u","s3cret",1"#,
            r#"AT+QICGSP=1,1,"apn","u","***"#,
        ),
        ("ATE0;+XTOKEN=s3cret", "ATE0;+XTOKEN=***"),
        ("xAT+CPIM=1234", "xAT+CPIM=***"),
        // Another key.
        (
            r#"AT+LMQTTCFG="aliauht",0,"pk","dn","S""#,
            r#"AT+LMQTTCFG="aliauht",0,"pk","***""#,
        ),
        (
            r#"AT+LMQTTCFG="ssl/psk",0,"S""#,
            r#"AT+LMQTTCFG="ssl/psk",***"#,
        ),
        (r#"AT+LSSLCFG="psk",0,"S""#, r#"AT+LSSLCFG="psk",***"#),
        (
            r#"AT+LMQTTCGF="aliauth",0,"pk","dn","S""#,
            r#"AT+LMQTTCGF="aliauth",0,"pk","***""#,
        ),
        (r#"AT+SMCONF="PASWORD","S""#, r#"AT+SMCONF="PASWORD","***""#),
        (r#"AT+SAPBR=3,1,"PWD","S""#, r#"AT+SAPBR=3,1,"PWD","***""#),
        (r#"AT+CSTT="apn","u","S""#, r#"AT+CSTT="apn","u","***""#),
        ("AT+CPINX\x08=\"1234\"\r", r#"AT+CPINX\x08="***"\r"#),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

#[test]
fn what_is_no_secret_is_shown() {
    for line in [
        "AT+CPIN?;+CSQ",
        "AT+CPIN=?",
        "AT+CPIN=",
        "AT+CPIN=;+CSQ",
        "+CPIN: READY",
        "+CPIN: SIM PIN",
        "+CPINR: SIM PIN,3",
        r#"AT+LMQTTCONN=0,"id","user""#,
        "AT+LMQTTCONN=0,id,u,",
        "+LMQTTCONN: 0,0,0",
        "+LMQTTCONN: (0-5),<clientid>,<username>,<password>",
        r#"+LMQTTCFG: "aliauth",(0-5),<productkey>,<devicename>,<devicesecret>"#,
        r#"AT+LMQTTCFG="keepalive",0,60"#,
        r#"+LMQTTCFG: "keepalive",60"#,
        r#"AT+LMQTTCFG="will",0,1,0,0,"topic","message""#,
        r#"AT+LSSLCFG="clientkey",0,"key.pem""#,
        r#"AT+LMQTTSUBUNSUB=0,0,1,"a",0,"b",0,"c",0"#,
        r#"AT+LMQTTPUB=0,0,0,0,"t",5,"a,b,c""#,
        r#"AT+LMQTTPUB=0,0,0,0,"t",5,"{"key":"a=b","c":"d,e"}""#,
        r#"+LMQTTURC: RECV,0,0,"t",9,{"k+y=":"x","ATK=1":"a,b","token":1,"c":"d"}"#,
        r#"AT+CGDCONT=1,"IP","apn","0.0.0.0""#,
        r#"AT+QMTPUB=0,0,0,0,"t","x""#,
        r#"AT+CCLK="26/12/01,12:00:00+32""#,
        "AT+XPLAIN=1,2,3",
        "hello",
        "",
    ] {
        assert_eq!(shown(line), line.replace('\\', "\\\\"));
    }
}

#[test]
fn a_private_key_is_hidden() {
    let file = "-----BEGIN EC PRIVATE KEY-----\nMHcC-AQ\n--x\n-----END EC PRIVATE KEY-----\n\
                AT\r";
    assert_eq!(
        shown(file),
        r"-----BEGIN EC PRIVATE KEY-----***-----END EC PRIVATE KEY-----\nAT\r"
    );
}

/// Each command that is known, with each of its keys or with none, and its parameters.
fn all() -> impl Iterator<Item = (&'static Spec, &'static str, Vec<&'static Param>)> {
    let tables = dialect::SPECS.iter();
    let tables = tables.chain(&commands::ALL).chain(&commands::ELSEWHERE);
    tables.copied().flatten().flat_map(|spec| {
        let keys = spec.keys.iter().map(|key| key.name);
        let keys = keys.chain(spec.keys.is_empty().then_some(""));
        keys.map(move |key| {
            let params = (0..16).map_while(|at| spec.parameter(key.as_bytes(), at));
            (spec, key, params.collect())
        })
    })
}

/// A command with a value for each of these parameters, `secret` for a secret.
fn line(name: &str, key: &str, params: &[&Param], secret: &str) -> String {
    let values = params
        .iter()
        .enumerate()
        .map(|(at, param)| match param.kind {
            Kind::Number(_) | Kind::UpTo(_) | Kind::Bare => at.to_string(),
            Kind::Text(_) | Kind::TextUpTo(_) | Kind::Words(_) => format!("\"text {at}\""),
            Kind::Key => format!("\"{key}\""),
            Kind::Secret => format!("\"{secret}\""),
        });
    format!("AT{name}={}", values.collect::<Vec<_>>().join(","))
}

/// One letter is missing, twice there, another one, or exchanged with the next.
fn slips(name: &str) -> Vec<String> {
    let begin = usize::from(name.starts_with('+'));
    let slips = (begin..name.len()).flat_map(|at| {
        let (before, after) = name.split_at(at);
        let (letter, rest) = after.split_at(1);
        let exchanged = match rest.get(..1) {
            Some(next) => format!("{before}{next}{letter}{}", &rest[1..]),
            None => name.into(),
        };
        let doubled = format!("{before}{letter}{after}");
        let missing = format!("{before}{rest}");
        [missing, doubled, format!("{before}X{rest}"), exchanged]
    });
    slips.collect()
}

#[test]
fn no_secret_of_a_table_is_shown_and_nothing_before_it_is_hidden() {
    let mut secrets = 0;
    for (spec, key, params) in all() {
        let first = params.iter().position(|param| param.is_secret());
        let typed = line(spec.name, key, &params, "s3cret");
        let redacted = shown(&typed);
        assert!(!redacted.contains("s3cret"), "{redacted}");
        let before = &params[..first.unwrap_or(params.len())];
        let before = line(spec.name, key, before, "").replace('\\', "\\\\");
        assert!(redacted.starts_with(&before), "{typed}: {redacted}");
        secrets += usize::from(first.is_some());
    }
    assert!(secrets >= 10, "{secrets}");
}

#[test]
fn no_slip_of_the_finger_shows_a_secret() {
    for (spec, key, params) in all() {
        if !params.iter().any(|param| param.is_secret()) {
            continue;
        }
        let names = slips(spec.name).into_iter().map(|name| (name, key.into()));
        let keys = slips(key).into_iter().map(|key| (spec.name.into(), key));
        for (name, key) in names.chain(keys) {
            let line = line(&name, &key, &params, "s3cret");
            for line in ["=", "?", ":"].map(|sign| line.replacen('=', sign, 1)) {
                assert!(!shown(&line).contains("s3cret"), "{line}: {}", shown(&line));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same(
        noise: Vec<u8>,
        secret in "[a-z]{6,20}",
        cuts in proptest::collection::vec(1_usize..9, 0..40),
    ) {
        let mut stream = noise;
        stream.extend(format!("\rAT+LMQTTCONN=0,\"i\",\"u\",\"{secret}\"\r\nOK\r\n").bytes());
        let mut whole = Vec::new();
        Redactor::default().redact(&stream, &mut whole);
        let (mut redactor, mut finder) = (Redactor::default(), Redactor::default());
        let (mut pieces, mut visible) = (Vec::new(), Vec::new());
        let mut rest = &stream[..];
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            redactor.redact(piece, &mut pieces);
            let mut from = 0;
            for found in finder.find(piece) {
                prop_assert!(from <= found.start && found.end <= piece.len());
                visible.extend_from_slice(&piece[from..found.start]);
                from = found.end;
            }
            visible.extend_from_slice(&piece[from..]);
            rest = left;
        }
        prop_assert_eq!(&pieces, &whole);
        for shown in [&whole, &visible] {
            let mut windows = shown.windows(secret.len());
            prop_assert!(!windows.any(|window| window == secret.as_bytes()));
        }
        let end = whole.ends_with(b"\r\nOK\r\n");
        prop_assert!(end, "{}", whole.escape_ascii());
    }

    #[test]
    fn a_secret_is_hidden_whatever_comes_before(noise: Vec<u8>, secret in "[a-z]{6,20}") {
        let mut line = noise;
        line.extend(format!("AT+LMQTTCONN=0,\"i\",\"u\",{secret}").bytes());
        let found = secrets(&line);
        let last = found.last().map(|last| line.len() - secret.len() >= last.start && last.end == line.len());
        prop_assert_eq!(last, Some(true));
    }
}
