//! Files and standard input, each up to a limit: an input without end must not take all memory.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};

use crate::failure::{Failure, FailureKind};

/// The most that is taken as a payload, as the data of a prompt, or as a line, in bytes: more than
/// any module takes at once, even in digits.
pub(crate) const DATA_LIMIT: usize = 64 * 1024;

/// The most that is passed over of a line that is too long for a message, in bytes. Ours.
pub(crate) const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// The longest file of settings, in bytes. Ours.
pub(crate) const SETTINGS_LIMIT: usize = 1024 * 1024;

/// The contents of a file.
///
/// # Errors
/// The system's; [`FileTooLarge`](io::ErrorKind::FileTooLarge) beyond the limit, in bytes.
pub(crate) fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(limit as u64 + 1);
    file.read_to_end(&mut bytes)?;
    within(bytes, limit)
}

/// The same as text.
///
/// # Errors
/// The same; [`InvalidData`](io::ErrorKind::InvalidData) if it is not UTF-8.
pub(crate) fn read_text(path: &Path, limit: usize) -> io::Result<String> {
    let text = String::from_utf8(read_file(path, limit)?);
    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

/// All that comes to the end of a stream.
///
/// # Errors
/// As those of [`read_file`].
pub(crate) async fn read_all(source: impl AsyncRead + Unpin, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut source = source.take(limit as u64 + 1);
    source.read_to_end(&mut bytes).await?;
    within(bytes, limit)
}

/// The next line without its line feed; `None` at the end. What follows a line that is too long is
/// its rest.
///
/// # Errors
/// As those of [`read_file`].
pub(crate) async fn read_line(
    lines: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    // With its line feed.
    let mut lines = lines.take(limit as u64 + 1);
    if lines.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") {
        line.pop();
    } else if line.len() > limit {
        return Err(too_long("a line", limit));
    }
    Ok(Some(line))
}

/// Reads the rest of a line and forgets it.
///
/// # Errors
/// As those of [`read_file`], when there is no end within the limit.
pub(crate) async fn pass_over_line(
    lines: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> io::Result<()> {
    let mut passed = 0;
    while passed <= limit {
        let piece = lines.fill_buf().await?;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(piece.len(), |at| at + 1);
        lines.consume(length);
        if end.is_some() || length == 0 {
            return Ok(());
        }
        passed += length;
    }
    Err(too_long("a line", limit))
}

/// The failure of one of these, with what was to be read.
pub(crate) fn unreadable(what: &str, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData => FailureKind::Usage,
        _ => FailureKind::Unavailable,
    };
    Failure::new(kind, format!("cannot read {what}: {error}"))
}

fn within(bytes: Vec<u8>, limit: usize) -> io::Result<Vec<u8>> {
    if bytes.len() <= limit {
        return Ok(bytes);
    }
    Err(too_long("it", limit))
}

fn too_long(what: &str, limit: usize) -> io::Error {
    let what = format!("{what} has more than {limit} bytes, which is the limit");
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_as_long_as_the_limit_is_read_and_nothing_longer() {
        let mut input = &b"abc\n\nabcd\nx"[..];
        assert_eq!(read_line(&mut input, 3).await.unwrap(), Some(b"abc".into()));
        assert_eq!(read_line(&mut input, 3).await.unwrap(), Some(Vec::new()));
        let refused = read_line(&mut input, 3).await.unwrap_err();
        assert!(
            refused.to_string().contains("more than 3 bytes"),
            "{refused}"
        );
        assert_eq!(
            read_line(&mut &b"abc"[..], 3).await.unwrap(),
            Some(b"abc".into())
        );
        assert_eq!(read_line(&mut &b""[..], 3).await.unwrap(), None);
        assert_eq!(read_all(&b"abc"[..], 3).await.unwrap(), b"abc");
        let refused = read_all(&b"abcd"[..], 3).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
        let refused = read_file(Path::new("/dev/zero"), 3).unwrap_err();
        assert!(
            refused.to_string().contains("more than 3 bytes"),
            "{refused}"
        );
    }
}
