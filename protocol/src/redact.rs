//! What of a command line must not be seen by others: passwords, PINs, device secrets, private
//! keys. One table for all that shows, keeps or logs what hosts and modules say.

use alloc::vec::Vec;

use crate::command::{Command, Form};
use crate::dialect::{Dialect as _, Lmqtt};
use crate::parameter::{Parameter, Parameters};

/// What announces a secret, in capitals and without blanks: behind so many commas from there on,
/// nothing may be shown. A value with a comma in it moves that place to the front, never to the
/// back.
pub const ANNOUNCED: [(&[u8], usize); 10] = [
    (b"+LMQTTCONN=", 3),
    (b"+ECMTCONN=", 3),
    (b"+QMTCONN=", 3),
    // The key of `AT+LMQTTCFG`, with or without quotes. The answer to a query has no connection
    // in front (reference `lmqtt.md` 1.3).
    (b"ALIAUTH", 4),
    (b":\"ALIAUTH", 3),
    (b"+CPIN=", 0),
    (b"+CLCK=", 2),
    (b"+CPWD=", 1),
    (b"+CGAUTH=", 2),
    (b"+QICSGP=", 4),
];

/// What announces a private key in PEM, in capitals and without blanks.
pub const PRIVATE_KEY: &[u8] = b"PRIVATEKEY-----";

/// In the name of a command or key that nobody knows, what announces a secret.
const WORDS: [&[u8]; 8] = [
    b"AUTH", b"CONN", b"CRED", b"KEY", b"PASS", b"PWD", b"SECRET", b"TOKEN",
];

/// In the parameters of an unknown command with such a word: from so many commas on, nothing is
/// shown. Look-alikes of `AT+LMQTTCONN` have the password behind the third.
const COMMAS: usize = 3;

/// Where the first secret of a line begins, or of several lines; `None` if there is none, or
/// nothing behind what announces it. Always behind an ASCII character.
///
/// The bytes may be cut anywhere, and begin with noise. Of an unknown command, such as one with a
/// typing error, the secret is where look-alikes have theirs. `is_known` says of the name of a
/// command and its first parameter, without quotes, that [`ANNOUNCED`] has all its secrets.
pub fn secret_from(bytes: &[u8], is_known: impl Fn(&[u8], &[u8]) -> bool) -> Option<usize> {
    let lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
    let unknown = lines
        .filter_map(|line| in_unknown(line, &is_known).map(|at| offset(line, bytes) + at))
        .min();
    let announced = announced(bytes).into_iter().chain(unknown).min();
    announced.filter(|at| *at < bytes.len())
}

/// Where the first secret begins that the tables know of.
fn announced(bytes: &[u8]) -> Option<usize> {
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != b' ').collect();
    let text: Vec<u8> = places
        .iter()
        .map(|at| bytes[*at].to_ascii_uppercase())
        .collect();
    let tables = ANNOUNCED.into_iter().chain([(PRIVATE_KEY, 0)]);
    let found = tables.flat_map(|(name, commas)| {
        let ends = (name.len()..=text.len()).filter(|end| is_announced(name, &text[..*end]));
        ends.map(move |end| (end, commas)).collect::<Vec<_>>()
    });
    found
        .filter(|(end, _)| !has_no_value(&text[end - 1..]))
        .filter_map(|(end, commas)| {
            let from = places[end - 1] + 1;
            behind_commas(&bytes[from..], commas).map(|at| from + at)
        })
        .min()
}

/// Whether the text ends with this name. Who mistypes `?` for `=` has typed a secret all the same.
fn is_announced(name: &[u8], text: &[u8]) -> bool {
    let instead = || name.strip_suffix(b"=").zip(text.strip_suffix(b"?"));
    text.ends_with(name) || instead().is_some_and(|(name, text)| text.ends_with(name))
}

/// `?` and `=?` ask for something, where nothing else follows.
fn has_no_value(from_sign: &[u8]) -> bool {
    let asks = from_sign.strip_prefix(b"=").unwrap_or(from_sign);
    matches!(asks, [b'?'] | [b'?', b';' | b'\r' | b'\n', ..])
}

/// Where the secret of an unknown command begins, if the line holds one.
fn in_unknown(line: &[u8], is_known: &impl Fn(&[u8], &[u8]) -> bool) -> Option<usize> {
    let (at, mut rest) = line.trim_ascii_start().split_at_checked(2)?;
    if !at.eq_ignore_ascii_case(b"AT") {
        return None;
    }
    loop {
        let (command, left) = Command::split_first(rest, |name| Lmqtt::DEFAULT.owns(name));
        if let Form::Set(parameters) = command.form {
            let first = Parameters::new(parameters).next();
            let first = first.map(Parameter::bytes).unwrap_or_default();
            if !is_known(command.name, first)
                && is_suspicious(command.name, first, parameters)
                && let Some(at) = behind_commas(parameters, COMMAS)
            {
                return Some(offset(parameters, line) + at);
            }
        }
        if left.is_empty() {
            return None;
        }
        rest = left;
    }
}

/// Whether the command may have a secret behind its first values.
fn is_suspicious(name: &[u8], first: &[u8], parameters: &[u8]) -> bool {
    let texts = parameters.iter().filter(|byte| **byte == b'"').count() / 2;
    let words = [name, first].concat().to_ascii_uppercase();
    let announces = |word: &&[u8]| words.windows(word.len()).any(|window| window == *word);
    texts >= COMMAS || WORDS.iter().any(announces)
}

/// Where what stands behind so many commas begins.
fn behind_commas(bytes: &[u8], commas: usize) -> Option<usize> {
    if commas == 0 {
        return Some(0);
    }
    let mut found = (0..bytes.len()).filter(|at| bytes[*at] == b',');
    found.nth(commas - 1).map(|at| at + 1)
}

/// How far into `whole` its `part` begins.
fn offset(part: &[u8], whole: &[u8]) -> usize {
    part.as_ptr() as usize - whole.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What may be shown, where the MQTT commands and a few others are known.
    fn shown(line: &str) -> &str {
        let is_known = |name: &[u8], first: &[u8]| {
            Lmqtt::DEFAULT.knows(name, first) || name == b"+CPIN" || name == b"+CGDCONT"
        };
        &line[..secret_from(line.as_bytes(), is_known).unwrap_or(line.len())]
    }

    #[test]
    fn a_secret_is_found_where_it_is_announced() {
        for (line, expected) in [
            (
                r#"AT+LMQTTCONN=0,"id","user","s3cret""#,
                r#"AT+LMQTTCONN=0,"id","user","#,
            ),
            (
                r#"AT+LMQTTCONN=0,"i,d","user","s3cret""#,
                r#"AT+LMQTTCONN=0,"i,d","#,
            ),
            // Noise in front, blanks within, cut off.
            (
                r#"xAT+lmqttconn = 0,"id","u","s3c"#,
                r#"xAT+lmqttconn = 0,"id","u","#,
            ),
            (
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn","s3cret","","s3cret""#,
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn","#,
            ),
            (
                "AT+LMQTTCFG=aliauth,0,pk,dn,s3cret",
                "AT+LMQTTCFG=aliauth,0,pk,dn,",
            ),
            (
                r#"+LMQTTCFG: "aliauth","pk","dn","s3cret""#,
                r#"+LMQTTCFG: "aliauth","pk","dn","#,
            ),
            (r#"AT+CPIN="1234""#, "AT+CPIN="),
            (r#"ATE0;+CPIN=?;+CPIN="1234""#, "ATE0;+CPIN=?;+CPIN="),
            ("AT+CPIN?;+CPIN?1234", "AT+CPIN?;+CPIN?"),
            (r#"AT+CSQ\rAT+CPIN="1234""#, r"AT+CSQ\rAT+CPIN="),
            (r#"AT+CLCK="SC",1,"1234""#, r#"AT+CLCK="SC",1,"#),
            (r#"AT+CPWD="SC","1234","4321""#, r#"AT+CPWD="SC","#),
            (r#"AT+CGAUTH=1,1,"pw","user""#, "AT+CGAUTH=1,1,"),
            (
                r#"AT+QMTCONN=0,"id","u","s3cret""#,
                r#"AT+QMTCONN=0,"id","u","#,
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nMHcC",
                "-----BEGIN EC PRIVATE KEY-----",
            ),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    #[test]
    fn a_secret_of_an_unknown_command_is_where_look_alikes_have_theirs() {
        for (line, expected) in [
            (
                r#"AT+LMQTTCON=0,"id","user","s3cret""#,
                r#"AT+LMQTTCON=0,"id","user","#,
            ),
            (
                r#"AT+LMQTTCFG="aliauht",0,"pk","s3cret""#,
                r#"AT+LMQTTCFG="aliauht",0,"pk","#,
            ),
            ("ATE0;+XTOKEN=1,2,3,s3cret", "ATE0;+XTOKEN=1,2,3,"),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for line in [
            "AT+CPIN?;+CSQ",
            "AT+CPIN=?",
            "AT+CPIN=",
            "+CPIN: READY",
            r#"AT+LMQTTCONN=0,"id","user""#,
            r#"AT+LMQTTCFG="keepalive",0,60"#,
            r#"AT+LMQTTCFG="will",0,1,0,0,"topic","message""#,
            r#"AT+LMQTTSUBUNSUB=0,0,1,"a",0,"b",0,"c",0"#,
            r#"AT+LMQTTPUB=0,0,0,0,"t",5,"a,b,c""#,
            r#"AT+CGDCONT=1,"IP","apn","0.0.0.0""#,
            "AT+XPLAIN=1,2,3,4",
            "hello",
            "",
        ] {
            assert_eq!(shown(line), line);
        }
    }

    proptest! {
        #[test]
        fn a_secret_is_found_behind_whatever_comes_before(
            noise: Vec<u8>,
            secret in "[a-z]{6,20}",
        ) {
            let mut line = noise;
            line.extend(b"AT+LMQTTCONN=0,\"i\",\"u\",");
            let before = line.len();
            line.extend(secret.bytes());
            let at = secret_from(&line, |_, _| true);
            prop_assert!(at.is_some_and(|at| at <= before));
        }
    }
}
