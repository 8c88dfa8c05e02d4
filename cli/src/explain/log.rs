//! What programs that keep logs put before a line: the time, and which way the line went.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::explain_line;
use crate::at::step::Step;
use crate::dialect::Listener;

/// What stands before a line, as often as it comes:
///
/// | what | whose |
/// |---|---|
/// | `[12:00:01.234]`, `[2026-12-01 12:00:01]`, `[2026-12-01T12:00:01.234Z]` | tio, minicom |
/// | `[12:00:01:234]` | CuteCom |
/// | `Dec 01 12:00:01` | `ts`, behind picocom or miniterm |
/// | `0.001234,`, `[ 12.345678]`, `+0.5 s` | logic analysers, kernels |
/// | `-> `, `<-`, `>>`, `<<`, `-->`, `→` | traces of drivers |
/// | `TX:`, `[RX]`, `<<< RX`, `Sent:`, `H: ` | the same, and transcripts |
/// | `201.7 ms  host`, `0.123,TX,` | behind a time, without a colon; `atmq demo` |
/// | bytes that are no text, escapes that color, `\r\n` and `<CR><LF>` in letters | noise |
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    let date = "(?:[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}|[0-9]{2}[-/.][0-9]{2}[-/.][0-9]{2,4}|\
                (?:[A-Z][a-z]{2},? +)?[A-Z][a-z]{2} +[0-9]{1,2}(?:,? +[0-9]{4})?)";
    let time = "[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]{1,9})?\
                (?: ?[AP]M|Z| ?[+-][0-9]{2}:?[0-9]{2})?";
    let seconds = "\\+?[0-9]+(?:[.][0-9]+(?: ?[mu]?s)?| ?[mu]?s)";
    let stamp = format!("(?:(?:{date}[T_ ,]+)?{time}|{seconds})");
    let way = "(?i:TX|RX|SEND|SENT|RECV|RECEIVED|OUT|IN|HOST|MODULE|MODEM|DTE|DCE|H|M)";
    let noise = "\\x1b\\[[0-9;]*[A-Za-z]|(?-u:[\\x00-\\x20\\x7f-\\xff])|\\\\[rn]|<(?:CR|LF)>";
    let behind = "(?:[ \\t]*[,;|][ \\t]*|:?[ \\t]+(?:[-|][ \\t]+)?)";
    let arrow = "[-=]{1,2}>|<[-=]{1,2}|>{2,3}|<{2,3}";
    let pattern = format!(
        "^(?:{noise}|[\\[(] *{stamp} *[\\])]:?|\"?{stamp}\"?{behind}(?:\"?{way}\"?{behind})?|\
         [\\[(]{way}[\\])]:?|{way}[ \\t]*(?::|->|<-|[<>])|{arrow}{way}?)*"
    );
    Regex::new(&pattern).expect("it is a pattern")
});

/// What stands behind a line.
static BEHIND: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = "(?:\\x1b\\[[0-9;]*m|(?-u:[\\x00-\\x20\\x7f-\\xff])|\\\\[rn]|<(?:CR|LF)>)*$";
    Regex::new(pattern).expect("it is a pattern")
});

/// Divides a line of a log into what stands before, the line of host or module, and what stands
/// behind. `asked`: the command that was last sent and has no final result code yet.
pub(super) fn parts<'l>(log: &'l [u8], asked: Option<&[u8]>) -> [&'l [u8]; 3] {
    let start = BEFORE.find(log).map_or(0, |before| before.end());
    let (before, rest) = log.split_at(start);
    let end = BEHIND
        .find(rest)
        .map_or(rest.len(), |behind| behind.start());
    let line = &rest[..end];
    if line.is_empty() {
        // It is but a time; an answer may be one.
        return [b"", log, b""];
    }
    // Of a table, whose fields are in quotes.
    let quotes = [line.first(), line.last()] == [Some(&b'"'); 2] && line.len() > 1;
    let quote = usize::from(quotes && !before.is_empty());
    let (start, end) = (start + quote, start + line.len() - quote);
    let start = start + sign(&log[start..end], asked);
    [&log[..start], &log[start..end], &log[end..]]
}

/// Whether the line is what a module says that waits for data, with or without the data behind it.
pub(super) fn is_prompt(line: &[u8], asked: Option<&[u8]>) -> bool {
    line.starts_with(b">") && (line == b">" || asked.is_some_and(asks_for_data))
}

/// The length of a single `>` or `<` that is an arrow. A `>` is the prompt if the module may have
/// sent one, and nothing is known to begin with a `<`.
fn sign(line: &[u8], asked: Option<&[u8]>) -> usize {
    let behind = line.get(1..).unwrap_or_default().trim_ascii_start();
    let is_arrow = match line.first() {
        _ if behind.is_empty() => false,
        Some(b'<') => true,
        Some(b'>') => !is_prompt(line, asked) && explain_line(behind, None).is_some(),
        _ => false,
    };
    if is_arrow {
        line.len() - behind.len()
    } else {
        0
    }
}

/// Whether the module may ask for data after this command, as far as anybody knows.
fn asks_for_data(line: &[u8]) -> bool {
    let step = str::from_utf8(line)
        .ok()
        .and_then(|line| Step::new(line).ok());
    step.is_some_and(|mut step| {
        step.read(&mut Listener::of_others()).is_some() || step.may_prompt()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn line_of(log: &[u8], asked: Option<&str>) -> String {
        let [before, line, behind] = parts(log, asked.map(str::as_bytes));
        assert_eq!([before, line, behind].concat(), log);
        String::from_utf8_lossy(line).into_owned()
    }

    #[test]
    fn what_logs_put_before_a_line_is_found() {
        for before in [
            "",
            "[12:00:01.234] ",
            "[12:00:01.234] -> ",
            "[12:00:01:234] ",
            "[2026-12-01 12:00:01] ",
            "[2026-12-01T12:00:01.234Z] ",
            "2026-12-01T12:00:01.234+08:00 ",
            "2026/12/01 12:00:01,234 - TX: ",
            "12:00:01.5 TX: ",
            "12:00:01 PM RX: ",
            "Dec 01 12:00:01 ",
            "Tue Dec  1 12:00:01 ",
            "0.001234,",
            "0.001234,TX,",
            "0.001234;\"RX\";",
            "[    1.234567] ",
            "+0.5 s: ",
            "   201.7 ms  host    ",
            "-> ",
            "<- ",
            "--> ",
            ">> ",
            "<< ",
            "<<< ",
            "→ ",
            "← ",
            "> ",
            "< ",
            "TX: ",
            "RX<",
            "TX -> ",
            "[TX] ",
            "(rx) ",
            "Sent: ",
            "M: ",
            "\x1b[32m",
            "\u{feff}",
        ] {
            for line in ["AT+CSQ", "+CSQ: 29,0", "OK", "+CREG: \"1\"", "^BOOT"] {
                // Of what is unknown behind it a `>` may be a prompt.
                if before == "> " && line == "^BOOT" {
                    continue;
                }
                let log = format!("{before}{line}");
                assert_eq!(line_of(log.as_bytes(), None), line, "{log}");
                let log = format!("{log}\x1b[0m\r");
                assert_eq!(line_of(log.as_bytes(), None), line, "{log}");
            }
        }
        let table = b"\"0.5\",\"TX\",\"AT+CPIN=1234\"";
        assert_eq!(line_of(table, None), "AT+CPIN=1234");
        assert_eq!(line_of(b"\0\xff\xfe+CSQ: 29,0\xff\r", None), "+CSQ: 29,0");
        assert_eq!(line_of(b"  0.1 ms  module  \\r\\nOK\\r\\n", None), "OK");
    }

    #[test]
    fn a_prompt_is_no_arrow() {
        let publish = Some("AT+LMQTTPUB=0,1,1,0,\"t\",6");
        for (log, asked, line) in [
            (">", None, ">"),
            ("> ", publish, ">"),
            ("[12:00:01.234] > ", publish, ">"),
            ("RX: >", publish, ">"),
            // Data, whatever it looks like.
            ("> AT+CSQ", publish, "> AT+CSQ"),
            ("> AT+CSQ", Some("AT+CMGS=\"1\""), "> AT+CSQ"),
            ("> hello", None, "> hello"),
            ("> AT+CSQ", Some("AT+CGMM"), "AT+CSQ"),
            // The data is in the command.
            (
                "> AT+CSQ",
                Some("AT+LMQTTPUB=0,1,1,0,\"t\",2,\"ab\""),
                "AT+CSQ",
            ),
        ] {
            assert_eq!(line_of(log.as_bytes(), asked), line, "{log}");
        }
    }

    #[test]
    fn lines_that_only_look_like_it_are_left_alone() {
        for line in [
            "866000000000000",
            "12:00:01",
            "29.5",
            "SEND OK",
            "IN PROGRESS",
            "Module ready",
            "MODEM:",
            "",
        ] {
            let found = line_of(line.as_bytes(), None);
            assert!(found == line, "{line}: {found}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_of_a_line_is_lost(
            log in "[\\[\"]?[0-9:.]{0,8}[\\]\" ,]{0,3}(TX|->|<<|>)?[: \"]{0,3}[ -~]{0,8}[\"\r]{0,2}",
            noise: Vec<u8>,
        ) {
            for log in [log.as_bytes(), &noise] {
                prop_assert_eq!(parts(log, None).concat(), log);
            }
        }
    }
}
