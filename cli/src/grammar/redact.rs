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
    use super::super::{Command, Kind, commands};
    use super::*;

    /// Each command with each of its keys, or with none, and the kinds of its values.
    fn all() -> impl Iterator<Item = (&'static Command, &'static str, Vec<Kind>)> {
        commands().flat_map(|known| {
            let keys = known.keys.iter().map(|key| key.name);
            let keys = keys.chain(known.keys.is_empty().then_some(""));
            keys.map(move |key| {
                let parameters = (0..16).map_while(|at| known.parameter(key.as_bytes(), at));
                (known, key, parameters.map(|value| value.kind).collect())
            })
        })
    }

    /// The command with a value of each of these kinds, `secret` for a secret.
    fn line(name: &str, key: &str, kinds: &[Kind], secret: &str) -> String {
        let values = kinds.iter().enumerate().map(|(at, kind)| match kind {
            Kind::Number(_) | Kind::Described | Kind::Bare => at.to_string(),
            Kind::Text(_) | Kind::Words(_) => format!("\"text {at}\""),
            Kind::Key => format!("\"{key}\""),
            Kind::Secret => format!("\"{secret}\""),
        });
        format!("AT{name}={}", values.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn no_secret_that_the_grammar_knows_is_shown_and_nothing_else_is_hidden() {
        let mut secrets = 0;
        for (known, key, kinds) in all() {
            let before = kinds.iter().position(|kind| *kind == Kind::Secret);
            let typed = line(known.name, key, &kinds, "s3cret");
            let shown = redacted(&typed);
            assert!(!shown.contains("s3cret"), "{shown}");
            let plain = &kinds[..before.unwrap_or(kinds.len())];
            let plain = line(known.name, key, plain, "");
            assert!(shown.starts_with(&plain), "{typed}: {shown}");
            secrets += usize::from(before.is_some());
        }
        assert_eq!(secrets, 5);
    }

    #[test]
    fn no_secret_is_shown_behind_a_mistyped_name_or_key() {
        let slips = |name: &str| {
            let slip = |at: usize| {
                let (before, after) = name.split_at(at);
                let mut next = after.chars();
                let first = next.next()?;
                let second = next.next().unwrap_or(first);
                let rest = next.as_str();
                Some([
                    format!("{before}{}", &after[1..]),
                    format!("{before}{first}{after}"),
                    format!("{before}{second}{first}{rest}"),
                ])
            };
            let begin = usize::from(name.starts_with('+'));
            let slips: Vec<_> = (begin..name.len()).filter_map(slip).flatten().collect();
            slips
        };
        let mut lines = 0;
        for (known, key, kinds) in all().filter(|(.., kinds)| kinds.contains(&Kind::Secret)) {
            let names = slips(known.name)
                .into_iter()
                .map(|name| (name, key.to_owned()));
            let keys = slips(key)
                .into_iter()
                .map(|key| (known.name.to_owned(), key));
            for (name, key) in names.chain(keys) {
                let line = line(&name, &key, &kinds, "s3cret");
                for line in [line.replacen('=', "?", 1), line.replacen('=', ":", 1), line] {
                    assert!(!redacted(&line).contains("s3cret"), "{line}");
                    lines += 1;
                }
            }
        }
        assert!(lines > 200, "{lines}");
    }

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
