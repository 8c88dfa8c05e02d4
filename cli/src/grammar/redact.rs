use std::borrow::Cow;

use atmq_protocol::redact::{self, HIDDEN};

/// A line as it may be shown and kept: with `***` for each password, PIN or device secret.
pub(crate) fn redacted(line: &str) -> Cow<'_, str> {
    let shown = redact::redacted(line.as_bytes());
    match shown == line.as_bytes() {
        true => Cow::Borrowed(line),
        false => Cow::Owned(String::from_utf8_lossy(&shown).into_owned()),
    }
}

/// Whether a secret in the line has been redacted: it is not what was typed.
pub(crate) fn is_redacted(line: &str) -> bool {
    let line = line.as_bytes();
    let mut secrets = redact::secrets(line).into_iter();
    secrets.any(|secret| &line[secret] == HIDDEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_redacted_is_recognised() {
        for (line, shown) in [
            (
                r#"AT+LMQTTCONN=0,"id","user","s3cret""#,
                r#"AT+LMQTTCONN=0,"id","user","***""#,
            ),
            (
                r#"at+lmqttconn=0,"id","user","s3cret"#,
                r#"at+lmqttconn=0,"id","user","***"#,
            ),
            ("AT+CPIN=1234", "AT+CPIN=***"),
            ("AT+CPIN?", "AT+CPIN?"),
            (
                r#"AT+LMQTTPUB=0,0,0,0,"t",3,"***""#,
                r#"AT+LMQTTPUB=0,0,0,0,"t",3,"***""#,
            ),
            ("hello", "hello"),
        ] {
            assert_eq!(redacted(line), shown);
            assert_eq!(is_redacted(&redacted(line)), line != shown);
        }
    }
}
