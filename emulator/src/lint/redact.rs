//! Bytes of a host, without what must not be seen.

/// What announces a secret, in capitals: from so many commas behind it on, nothing is shown. A
/// value with a comma in it moves that place to the front, never to the back.
const SECRETS: [(&[u8], usize); 6] = [
    (b"+LMQTTCONN=", 3),
    // The key of `AT+LMQTTCFG`, with or without quotes.
    (b"ALIAUTH", 4),
    (b"+CPIN=", 0),
    (b"+CLCK=", 2),
    (b"+CPWD=", 1),
    (b"+CGAUTH=", 2),
];

/// Bytes shown of a finding.
const SHOWN: usize = 160;

/// The bytes, with what follows the beginning of a secret replaced, and cut to a length that can
/// be shown.
pub(super) fn redacted(bytes: &[u8]) -> Vec<u8> {
    let upper = bytes.to_ascii_uppercase();
    let secrets = SECRETS
        .iter()
        .filter_map(|(name, commas)| behind_commas(&upper, name, *commas));
    let end = secrets.min();
    let shown = end.unwrap_or(bytes.len()).min(SHOWN);
    let mut out = bytes[..shown].to_vec();
    if end == Some(shown) && shown < bytes.len() {
        out.extend_from_slice(b"***");
    } else if shown < bytes.len() {
        out.extend_from_slice(b"...");
    }
    out
}

/// Where what stands behind `name` and so many commas begins.
fn behind_commas(bytes: &[u8], name: &[u8], commas: usize) -> Option<usize> {
    let from = bytes
        .windows(name.len())
        .position(|window| window == name)?
        + name.len();
    if commas == 0 {
        return Some(from);
    }
    let mut found = (from..bytes.len()).filter(|at| bytes[*at] == b',');
    found.nth(commas - 1).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (line, shown) in [
            (
                r#"AT+LMQTTCONN=0,"id","user","pass""#,
                r#"AT+LMQTTCONN=0,"id","user",***"#,
            ),
            (
                r#"AT+LMQTTCONN=0,"i,d","user","pass""#,
                r#"AT+LMQTTCONN=0,"i,d",***"#,
            ),
            (
                r#"xAT+lmqttconn=0,"id","u","pass"#,
                r#"xAT+lmqttconn=0,"id","u",***"#,
            ),
            (r#"AT+LMQTTCONN=0,"id""#, r#"AT+LMQTTCONN=0,"id""#),
            (
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn","ds""#,
                r#"AT+LMQTTCFG="aliauth",0,"pk","dn",***"#,
            ),
            (
                r#"AT+LMQTTCFG=aliauth,0,pk,dn,ds"#,
                r#"AT+LMQTTCFG=aliauth,0,pk,dn,***"#,
            ),
            (r#"AT+CPIN="1234""#, "AT+CPIN=***"),
            ("AT+CPIN?", "AT+CPIN?"),
        ] {
            assert_eq!(redacted(line.as_bytes()), shown.as_bytes(), "{line}");
        }
        let long = redacted(&[b'x'; 500]);
        assert_eq!(long.len(), SHOWN + 3);
    }
}
