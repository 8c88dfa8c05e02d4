/// Bytes as one line of text: control characters, and what is neither ASCII nor text in UTF-8 that
/// can be seen, as escapes.
pub(crate) fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match u8::try_from(character).ok().filter(u8::is_ascii) {
                Some(byte) => push_byte(byte, &mut out),
                None => out.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            push_byte(*byte, &mut out);
        }
    }
    out
}

/// Text as one line of text, its backslashes as they are.
pub(crate) fn printable(text: &str) -> String {
    visible(text.as_bytes()).replace("\\\\", "\\")
}

fn push_byte(byte: u8, out: &mut String) {
    match byte {
        // Quotes stand in every command, and are easier to read as they are.
        b'"' | b'\'' => out.push(byte.into()),
        _ => out.extend(byte.escape_ascii().map(char::from)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_and_controls_are_escaped() {
        assert_eq!(
            visible(b"a\"'\\\r\n\x00\x1a\xff"),
            r#"a"'\\\r\n\x00\x1a\xff"#
        );
    }

    #[test]
    fn text_of_all_languages_stays_but_for_what_cannot_be_seen() {
        let bytes = "温度 é\u{202e}".as_bytes();
        assert_eq!(visible(bytes), r"温度 é\u{202e}");
        // Cut in the middle of a character.
        assert_eq!(visible(&bytes[..5]), r"温\xe5\xba");
        assert_eq!(printable("a\\b\n"), r"a\b\n");
    }
}
