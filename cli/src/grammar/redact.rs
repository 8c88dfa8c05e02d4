use std::borrow::Cow;

use atmq_protocol::command::Form;

use super::{Kind, body, command, split_first};

/// Commands that do not stand in the grammar, and behind how many commas their secret is.
const OTHERS: [(&[u8], usize); 2] = [(b"+CGAUTH", 2), (b"+QICSGP", 4)];

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// In the name of a command or key that nobody knows, what announces a secret.
const WORDS: [&str; 8] = [
    "AUTH", "CONN", "CRED", "KEY", "PASS", "PWD", "SECRET", "TOKEN",
];

/// In the parameters of an unknown command with such a word: from so many commas on, nothing is
/// shown. Look-alikes of `AT+LMQTTCONN` have the password behind the third.
const COMMAS: usize = 3;

/// A line as it may be shown and kept: from the first password, PIN or device secret on, `***`.
///
/// Commas are counted as they stand: one inside of quotes hides more, never less. A command that
/// is not known, such as one with a typing error, is cut where its look-alikes have their secrets.
pub(crate) fn redacted(line: &str) -> Cow<'_, str> {
    match secret_from(line.as_bytes()) {
        // What stands before it ends with a comma, `=` or a quote, so this is no inner byte.
        Some(at) if at < line.len() => Cow::Owned(format!("{}{HIDDEN}", &line[..at])),
        _ => Cow::Borrowed(line),
    }
}

/// Whether the line ends where a secret has been redacted: it is not what was typed.
pub(crate) fn is_redacted(line: &str) -> bool {
    // A secret is always a whole value.
    let before = line.strip_suffix(HIDDEN);
    before.is_some_and(|before| before.ends_with([',', '=']))
}

/// Where the first secret of the line begins.
fn secret_from(line: &[u8]) -> Option<usize> {
    let Some(mut rest) = body(line.trim_ascii_start()) else {
        return secret_in_answer(line);
    };
    loop {
        let (first, left) = split_first(rest);
        if let Form::Set(parameters) = first.form
            && let Some(place) = secret_place(first.name, parameters)
            && let Some(at) = behind_commas(parameters, place)
        {
            // Both are parts of the line.
            let offset = parameters.as_ptr() as usize - line.as_ptr() as usize;
            return Some(offset + at);
        }
        if left.is_empty() {
            return None;
        }
        rest = left;
    }
}

/// An answer can repeat a secret that was set: `+LMQTTCFG: "aliauth",…`.
fn secret_in_answer(line: &[u8]) -> Option<usize> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let known = command(&line[..colon])?;
    let key = line.split(|byte| *byte == b'"').nth(1)?;
    let mut values = known.key(key)?.values.iter();
    // Behind the key.
    let place = values.position(|value| value.kind == Kind::Secret)? + 1;
    behind_commas(line, place)
}

/// Behind how many commas of the parameters the first secret may stand.
fn secret_place(name: &[u8], parameters: &[u8]) -> Option<usize> {
    let first = parameters.split(|byte| *byte == b',').next()?;
    let first = first.trim_ascii().trim_ascii_end();
    let first = first.strip_prefix(b"\"").unwrap_or(first);
    let first = first.strip_suffix(b"\"").unwrap_or(first);
    if let Some(command) = command(name)
        && (command.keys.is_empty() || command.key(first).is_some())
    {
        let values = (0..).map_while(|place| {
            // Behind the last parameter there is nothing, or repetitions, which hold no secret.
            let last = command.parameters.len() + 16;
            command.parameter(first, place).filter(|_| place < last)
        });
        return values
            .map(|value| value.kind)
            .position(|kind| kind == Kind::Secret);
    }
    let mut words = name.to_ascii_uppercase();
    if let Some((_, place)) = OTHERS.iter().find(|(other, _)| *other == words) {
        return Some(*place);
    }
    words.extend(first.to_ascii_uppercase());
    let announced = WORDS.iter().any(|word| {
        let mut windows = words.windows(word.len());
        windows.any(|window| window == word.as_bytes())
    });
    let texts = parameters.iter().filter(|byte| **byte == b'"').count() / 2;
    (announced || texts >= COMMAS).then_some(COMMAS)
}

/// Where what stands behind so many commas begins.
fn behind_commas(bytes: &[u8], commas: usize) -> Option<usize> {
    if commas == 0 {
        return Some(0);
    }
    let mut found = (0..bytes.len()).filter(|at| bytes[*at] == b',');
    found.nth(commas - 1).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
