//! Bytes of a host, without what must not be seen.

use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::redact::secret_from;

use crate::modem::is_standard;

/// Bytes shown of a finding.
const SHOWN: usize = 160;

/// The bytes, with what follows the beginning of a secret replaced, and cut to a length that can
/// be shown.
pub(super) fn redacted(bytes: &[u8]) -> Vec<u8> {
    let end = secret_from(bytes, is_known);
    let shown = end.unwrap_or(bytes.len()).min(SHOWN);
    let mut out = bytes[..shown].to_vec();
    if end == Some(shown) {
        out.extend_from_slice(b"***");
    } else if shown < bytes.len() {
        out.extend_from_slice(b"...");
    }
    out
}

fn is_known(name: &[u8], first: &[u8]) -> bool {
    Lmqtt::DEFAULT.knows(name, first) || str::from_utf8(name).is_ok_and(is_standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            (
                r#"xAT+lmqttconn=0,"id","u","pass"#,
                r#"xAT+lmqttconn=0,"id","u",***"#,
            ),
            (r#"AT+LMQTTCONN=0,"id""#, r#"AT+LMQTTCONN=0,"id""#),
            // Mistyped.
            (
                r#"AT+LMQTTCON=0,"id","user","pass""#,
                r#"AT+LMQTTCON=0,"id","user",***"#,
            ),
            (
                r#"AT+CGDCONT=1,"IP","apn","0.0.0.0""#,
                r#"AT+CGDCONT=1,"IP","apn","0.0.0.0""#,
            ),
        ] {
            assert_eq!(redacted(line.as_bytes()), shown.as_bytes(), "{line}");
        }
        let long = redacted(&[b'x'; 500]);
        assert_eq!(long.len(), SHOWN + 3);
    }
}
