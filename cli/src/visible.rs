/// Bytes as one line of text: control characters and what is no ASCII as escapes.
pub(crate) fn visible(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            // Quotes stand in every command, and are easier to read as they are.
            b'"' | b'\'' => char::from(*byte).to_string(),
            _ => byte.escape_ascii().to_string(),
        })
        .collect()
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
}
