//! Where passwords stand in a command line.

use std::ops::Range;

use atmq_protocol::Secret;
use atmq_protocol::mqtt::{Request, Setting};

/// Where passwords stand in the line of a request.
pub(super) fn secrets(request: &Request<'_>, line: &[u8]) -> Vec<Range<usize>> {
    let secrets: Vec<&Secret<'_>> = match request {
        Request::Connect { password, .. } => password.iter().collect(),
        Request::Configure {
            setting: Setting::AliAuth { device_secret, .. },
            ..
        } => vec![device_secret],
        Request::Configure {
            setting: Setting::AliDevice(device),
            ..
        } => vec![&device.device_secret, &device.product_secret],
        _ => Vec::new(),
    };
    let found = secrets.into_iter();
    found
        .filter_map(|secret| place(secret.expose(), line))
        .collect()
}

/// Where a secret stands in a line. They stand late, so that the last place where one is found
/// is its own.
pub(super) fn place(secret: &str, line: &[u8]) -> Option<Range<usize>> {
    let secret = secret.as_bytes();
    let at = line
        .windows(secret.len().max(1))
        .rposition(|at| at == secret)?;
    Some(at..at + secret.len())
}

/// Commands whose parameters hold a PIN, a PUK or a password (27.007 sections 8.3, 7.4, 7.5, and
/// 10.1.31), each in a quoted string.
const WITH_PASSWORDS: [&[u8]; 4] = [b"+CPIN=", b"+CLCK=", b"+CPWD=", b"+CGAUTH="];

/// Where passwords may stand in a line that is not MQTT's: all that is quoted, from the first
/// command on that takes one.
pub(super) fn passwords(line: &[u8]) -> Vec<Range<usize>> {
    let upper = line.to_ascii_uppercase();
    let found = WITH_PASSWORDS.iter().filter_map(|name| {
        let at = upper.windows(name.len()).position(|at| at == *name)?;
        Some(at + name.len())
    });
    let Some(from) = found.min() else {
        return Vec::new();
    };
    let mut quoted = Vec::new();
    let mut begin = None;
    for (at, _) in (from..)
        .zip(&line[from..])
        .filter(|(_, byte)| **byte == b'"')
    {
        match begin.take() {
            None => begin = Some(at + 1),
            Some(begin) => quoted.push(begin..at),
        }
    }
    quoted.extend(begin.map(|begin| begin..line.len()));
    quoted
}
