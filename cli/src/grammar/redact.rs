use std::borrow::Cow;

use atmq_protocol::redact::secret_from;

use super::command;

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// A line as it may be shown and kept: from the first password, PIN or device secret on, `***`.
///
/// Commas are counted as they stand: one inside of quotes hides more, never less. A command that
/// is not known, such as one with a typing error, is cut where its look-alikes have their secrets.
pub(crate) fn redacted(line: &str) -> Cow<'_, str> {
    match secret_from(line.as_bytes(), is_known) {
        // What stands before it is ASCII, so this is no inner byte.
        Some(at) => Cow::Owned(format!("{}{HIDDEN}", &line[..at])),
        None => Cow::Borrowed(line),
    }
}

/// Whether the line ends where a secret has been redacted: it is not what was typed.
pub(crate) fn is_redacted(line: &str) -> bool {
    // A secret is always a whole value.
    let before = line.strip_suffix(HIDDEN);
    before.is_some_and(|before| before.ends_with([',', '=', '?']))
}

/// Whether a command stands here, with this first parameter if it has keys.
fn is_known(name: &[u8], first: &[u8]) -> bool {
    command(name).is_some_and(|known| known.keys.is_empty() || known.key(first).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, commands};
    use super::*;

    #[test]
    fn no_parameter_that_the_grammar_calls_a_secret_is_shown() {
        for known in commands() {
            let keys = known.keys.iter().map(|key| key.name);
            for first in keys.chain(known.keys.is_empty().then_some("0")) {
                let mut parameters =
                    (0..16).map_while(|place| known.parameter(first.as_bytes(), place));
                let Some(place) = parameters.position(|value| value.kind == Kind::Secret) else {
                    continue;
                };
                let mut values = vec![first.to_owned()];
                values.extend((1..place).map(|value| value.to_string()));
                values.truncate(place);
                values.push("s3cret".to_owned());
                let line = format!("AT{}={}", known.name, values.join(","));
                assert_eq!(redacted(&line), line.replace("s3cret", HIDDEN));
            }
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            (
                r#"AT+LMQTTCONN=0,"id","user","s3cret""#,
                r#"AT+LMQTTCONN=0,"id","user",***"#,
            ),
            (
                r#"AT+LMQTTCONN=0,"i,d","user","s3cret""#,
                r#"AT+LMQTTCONN=0,"i,d",***"#,
            ),
            (
                r#"at+lmqttconn=0,"id","user","s3cret"#,
                r#"at+lmqttconn=0,"id","user",***"#,
            ),
            (
                r#"AT+LMQTTCONN=0,"id","user""#,
                r#"AT+LMQTTCONN=0,"id","user""#,
            ),
            (
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn","s3cret","","s3cret""#,
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn",***"#,
            ),
            (
                r#"AT+LMQTTCFG=aliauth,0,pk,dn,s3cret"#,
                r#"AT+LMQTTCFG=aliauth,0,pk,dn,***"#,
            ),
            (
                r#"AT+LMQTTCFG="aliauht",0,"pk","s3cret""#,
                r#"AT+LMQTTCFG="aliauht",0,"pk",***"#,
            ),
            (r#"AT+CPIN="1234""#, "AT+CPIN=***"),
            (r#"ATE0;+CPIN="1234""#, "ATE0;+CPIN=***"),
            (r#"AT+CLCK="SC",1,"1234""#, r#"AT+CLCK="SC",1,***"#),
            ("AT+CPIN?", "AT+CPIN?"),
            (r#"AT+CGAUTH=1,1,"pw","user""#, "AT+CGAUTH=1,1,***"),
            // Mistyped, or of another family.
            (
                r#"AT+LMQTTCON=0,"id","user","s3cret""#,
                r#"AT+LMQTTCON=0,"id","user",***"#,
            ),
            (
                r#"AT+QMTCONN=0,"id","user","s3cret""#,
                r#"AT+QMTCONN=0,"id","user",***"#,
            ),
            (
                r#"AT+LMQTTCFG="keepalive",0,60"#,
                r#"AT+LMQTTCFG="keepalive",0,60"#,
            ),
            (
                r#"AT+LMQTTPUB=0,0,0,0,"t",5,"a,b,c""#,
                r#"AT+LMQTTPUB=0,0,0,0,"t",5,"a,b,c""#,
            ),
            ("hello", "hello"),
            (
                r#"+LMQTTCFG: "aliauth","pk","dn","s3cret""#,
                r#"+LMQTTCFG: "aliauth","pk","dn",***"#,
            ),
            (
                r#"+LMQTTCFG: "keepalive",60"#,
                r#"+LMQTTCFG: "keepalive",60"#,
            ),
        ] {
            assert_eq!(redacted(line), shown);
            assert_eq!(is_redacted(&redacted(line)), line != shown);
        }
    }
}
