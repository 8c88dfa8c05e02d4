use atmq_protocol::commands;
use atmq_protocol::dialect::Dialect;

/// The longest name of a command that is looked up. Ours: no table has one as long.
const NAME: usize = 32;

/// What of these bytes, which are taken for data or for a value, looks like a command: a known
/// extended one, wherever it stands, or an `AT` alone on its line. To its line end.
pub(super) fn command_within<'b>(bytes: &'b [u8], dialect: &dyn Dialect) -> Option<&'b [u8]> {
    let ends_line = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let attentions = bytes.windows(2).enumerate();
    let attentions = attentions.filter(|(_, pair)| pair.eq_ignore_ascii_case(b"AT"));
    let mut starts = attentions.map(|(start, _)| start);
    let start = starts.find(|start| match &bytes[start + 2..] {
        [] => false,
        [end, ..] if ends_line(end) => *start == 0 || ends_line(&bytes[start - 1]),
        // Text may hold `at` and a letter, or `AT&T`.
        [first, ..] if first.is_ascii_alphanumeric() || b" &".contains(first) => false,
        body @ [_, behind @ ..] => {
            let letters = behind.iter().take(NAME);
            let letters = letters.take_while(|byte| byte.is_ascii_alphanumeric());
            let name = &body[..=letters.count()];
            dialect.spec(name).is_some() || commands::find(name).is_some()
        }
    })?;
    bytes[start..].split(ends_line).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn commands_are_told_from_text() {
        let dialect = Profile::nt35e().dialect;
        for (bytes, command) in [
            (&b"21.5AT+CSQ\r\n"[..], Some(&b"AT+CSQ"[..])),
            (b"21.5\r\nat+lmqttpub=0,1", Some(b"at+lmqttpub=0,1")),
            (b"a\r\nAT\r\n", Some(b"AT")),
            (b"AAT+CSQ?", Some(b"AT+CSQ?")),
            (b"\"AT+CSQ\"", Some(b"AT+CSQ\"")),
            (b"AT+NOSUCH\rAT+CGATT?\r", Some(b"AT+CGATT?")),
            (b"AT at home, AT&T, ATM; data+more", None),
            (b"that\r\n", None),
            (b"AT", None),
            (b"AT+", None),
            (b"AT+NOSUCH=1\r\n", None),
            (b"", None),
        ] {
            let found = command_within(bytes, &*dialect);
            assert_eq!(found, command, "{}", bytes.escape_ascii());
        }
    }
}
