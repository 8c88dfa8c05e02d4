//! Bytes as a person writes them for a prompt.

use std::path::Path;

use crate::failure::{Failure, FailureKind};
use crate::input::{DATA_LIMIT, read_file, unreadable};
use crate::visible::visible;

/// Reads text with `\r`, `\n`, `\t`, `\\`, `\"` and `\xNN`, or `@PATH` for the contents of a file.
///
/// # Errors
/// An escape is none of these, or the file cannot be read.
pub(crate) fn data(text: &str) -> Result<Vec<u8>, Failure> {
    if let Some(path) = text.strip_prefix('@') {
        let contents = read_file(Path::new(path), DATA_LIMIT);
        return contents.map_err(|error| unreadable(path, &error));
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let (byte, length) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b't', ..] => (b'\t', 1),
            [quoted @ (b'\\' | b'"'), ..] => (*quoted, 1),
            [b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let byte = u8::from_str_radix(&escape[1..3], 16);
                (byte.expect("these are digits"), 3)
            }
            _ => {
                let end = escape
                    .char_indices()
                    .nth(3)
                    .map_or(escape.len(), |(at, _)| at);
                let shown = visible(&escape.as_bytes()[..end]);
                let what = format!("`\\{shown}` is no escape");
                return Err(Failure::new(FailureKind::Usage, what)
                    .hint(r"there are \r, \n, \t, \\ and \xNN"));
            }
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_escapes_and_files() {
        assert_eq!(
            data("a\\x00\\r\\n\\t\\\\é\\\"").unwrap(),
            "a\0\r\n\t\\é\"".as_bytes()
        );
        assert_eq!(data("").unwrap(), b"");
        for wrong in ["\\", "\\q", "a\\x1", "\\xg0", "\\x0é"] {
            assert!(
                data(wrong).is_err_and(|why| why.kind() == FailureKind::Usage),
                "{wrong}"
            );
        }
        let missing = data("@/nonexistent").unwrap_err();
        assert_eq!(missing.kind(), FailureKind::Unavailable, "{missing}");
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        std::fs::write(file.path(), b"\x00\xff").expect("it can be written");
        let path = file.path().to_str().expect("its name is text");
        assert_eq!(data(&format!("@{path}")).unwrap(), b"\x00\xff");
    }
}
