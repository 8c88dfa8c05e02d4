//! What comes from outside (a module, a broker, a file) is shown to people and not executed by
//! their terminal: control characters, and what would turn text around, are shown as escapes.
//!
//! [`on_terminal`] stands in the one way to standard output, [`printable`] in the one to standard
//! error. Pipes and files get exact bytes.

use std::borrow::Cow;

use serde_json::Value;

/// Bytes as one line of text: control characters, and what is not text in UTF-8 that can be seen,
/// as escapes.
pub(crate) fn visible(bytes: &[u8]) -> String {
    escaped(bytes, |character| match character {
        '\\' => Some("\\\\".into()),
        _ => escape(character),
    })
}

/// Text as one line of text, its backslashes as they are.
pub(crate) fn printable(text: impl AsRef<[u8]>) -> String {
    escaped(text.as_ref(), escape)
}

/// What a terminal is given: the same, but lines stay lines and their columns columns.
pub(crate) fn on_terminal(bytes: &[u8]) -> String {
    escaped(bytes, |character| match character {
        '\n' | '\t' => None,
        _ => escape(character),
    })
}

/// A value of JSON in one line, in which nothing is left that a terminal would execute.
pub(crate) fn json(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(is_unseen) {
        return text;
    }
    // They stand within strings alone, where any character may be written as its number.
    let characters = text.chars().map(|character| match is_unseen(character) {
        true => {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units).iter();
            Cow::Owned(units.map(|unit| format!("\\u{unit:04x}")).collect())
        }
        false => Cow::Borrowed(character.encode_utf8(&mut [0; 4]))
            .into_owned()
            .into(),
    });
    characters.collect::<Vec<Cow<'_, str>>>().concat()
}

fn escaped(bytes: &[u8], escape: impl Fn(char) -> Option<String>) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match escape(character) {
                Some(escape) => out.push_str(&escape),
                None => out.push(character),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&byte.escape_ascii().to_string());
        }
    }
    out
}

/// How a character is written that is not to be shown as it is.
fn escape(character: char) -> Option<String> {
    is_unseen(character).then(|| match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => byte.escape_ascii().to_string(),
        _ => character.escape_unicode().to_string(),
    })
}

/// Whether a terminal does something else than to show the character: it controls (C0, DEL, C1),
/// takes the text apart, turns it around (bidirectional controls) or cannot be seen.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quotes_stay_and_controls_are_escaped() {
        assert_eq!(
            visible(b"a\"'\\\r\n\x00\x1a\xff"),
            r#"a"'\\\r\n\x00\x1a\xff"#
        );
        assert_eq!(printable("a\\b\n"), r"a\b\n");
    }

    #[test]
    fn text_of_all_languages_stays_but_for_what_cannot_be_seen() {
        let bytes = "温度 é हिन्दी\u{202e}".as_bytes();
        assert_eq!(visible(bytes), r"温度 é हिन्दी\u{202e}");
        // Cut in the middle of a character.
        assert_eq!(visible(&bytes[..5]), r"温\xe5\xba");
    }

    #[test]
    fn no_terminal_executes_what_is_shown() {
        let hostile = "\x1b[2J\r\x1b]0;t\x07\u{9b}31m\u{9d}\x7f\u{202e}\u{2066}\u{200f}";
        let raw = [hostile.as_bytes(), b"\x9b2J\n\tx"].concat();
        let shown = on_terminal(&raw);
        assert_eq!(
            shown,
            "\\x1b[2J\\r\\x1b]0;t\\x07\\u{9b}31m\\u{9d}\\x7f\\u{202e}\\u{2066}\\u{200f}\\x9b2J\n\tx"
        );
        for shown in [visible(&raw), printable(&raw)] {
            assert!(!shown.contains(is_unseen), "{shown:?}");
        }
        let value = json!({ "text": hostile, "x": "\u{e0041}" });
        let line = json(&value);
        assert!(!line.contains(is_unseen), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }
}
