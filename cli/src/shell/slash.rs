//! The commands of the shell itself.

use std::path::PathBuf;
use std::time::Duration;

use regex::bytes::Regex;

use super::complete::Candidate;
use crate::broker::{self, qos};
use crate::data::data;
use crate::duration::seconds;
use crate::pattern::pattern;
use crate::visible::visible;
use atmq_protocol::dialect::ALL;
use atmq_protocol::mqtt::QoS;

/// How long `/wait` waits if nothing is said.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a person wants of the shell.
#[derive(Debug)]
pub(super) enum Slash {
    Help,
    /// Switch the display of bytes in hexadecimal digits.
    Hex,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait until a line matches.
    Wait(Regex, Duration),
    Publish {
        topic: String,
        payload: Vec<u8>,
        qos: QoS,
    },
    /// Explain this, or what came last.
    Explain(Option<String>),
    /// Record into this file from now on, or no longer.
    Record(Option<PathBuf>),
    /// Switch the times before lines.
    Time,
    /// Switch the display of the module's echo.
    Echo,
    /// Open the port again.
    Reconnect,
    Quit,
}

/// Name, what it takes, what it does.
const COMMANDS: [(&str, &str, &str); 10] = [
    ("/help", "", "this list"),
    (
        "/hex",
        "[BYTES]",
        "shows what comes in hexadecimal digits, or no longer; with digits, sends these bytes",
    ),
    (
        "/wait",
        "REGEX [SECONDS]",
        "waits until a line matches, 60 s if nothing is said",
    ),
    (
        "/record",
        "[FILE]",
        "records what passes into FILE, for Wireshark and `atmq replay`; alone, no longer",
    ),
    (
        "/publish",
        "TOPIC PAYLOAD [QOS]",
        "publishes on connection 0; quotes around blanks, \\xNN, @FILE",
    ),
    (
        "/explain",
        "[TEXT]",
        "says what a line, a command, a key or a number means; alone, what came last",
    ),
    ("/time", "", "shows times before lines, or no longer"),
    ("/echo", "", "shows what the module echoes, or no longer"),
    (
        "/reconnect",
        "",
        "opens the port anew, also one that is lost, at once",
    ),
    ("/quit", "", "leaves, as Ctrl-D does"),
];

/// What is often waited for beside the reports of MQTT.
const REGISTERED: &str = "+CEREG: [15]";

/// The list for `/help`.
pub(super) fn help() -> Vec<String> {
    let width = COMMANDS
        .iter()
        .map(|(name, takes, _)| name.len() + takes.len());
    let width = width.max().unwrap_or(0) + 1;
    let own = COMMANDS.iter().map(|(name, takes, does)| {
        let usage = format!("{name} {takes}");
        format!("{usage:width$}  {does}")
    });
    let keys = [
        "Tab completes, Ctrl-R searches the history, Ctrl-C gives up waiting, Ctrl-D leaves.",
        "All else is sent as it is, with a carriage return.",
    ];
    own.chain(keys.map(str::to_owned)).collect()
}

/// The commands that begin so.
pub(super) fn complete(typed: &str) -> Vec<Candidate> {
    let begun = COMMANDS.iter().filter(|(name, ..)| name.starts_with(typed));
    begun
        .map(|(name, takes, _)| Candidate {
            word: (*name).to_owned(),
            shown: format!("{name} {takes}").trim_end().to_owned(),
        })
        .collect()
}

/// What `/wait` may be given.
pub(super) fn complete_wait(typed: &str) -> Vec<Candidate> {
    let reports = ALL.iter().flat_map(|dialect| dialect.reports()).copied();
    let begun = reports
        .chain([REGISTERED])
        .filter(|name| name.starts_with(typed));
    begun
        .map(|name| Candidate {
            word: name.to_owned(),
            shown: name.to_owned(),
        })
        .collect()
}

/// How the command that is being typed is used.
pub(super) fn hint(typed: &str) -> Option<String> {
    let name = typed.split(' ').next()?;
    let (name, takes, does) = COMMANDS.iter().find(|(known, ..)| *known == name)?;
    let usage = format!("{name} {takes}");
    Some(format!("{}: {does}", usage.trim_end()))
}

/// Reads a line that begins with `/`.
///
/// # Errors
/// It is none of the commands, or what stands behind it is wrong; said in one sentence.
pub(super) fn parse(line: &str) -> Result<Slash, String> {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let alone = |slash| match rest {
        "" => Ok(slash),
        _ => Err(format!("{name} takes nothing")),
    };
    match name {
        "/help" => alone(Slash::Help),
        "/time" => alone(Slash::Time),
        "/echo" => alone(Slash::Echo),
        "/reconnect" => alone(Slash::Reconnect),
        "/quit" => alone(Slash::Quit),
        "/hex" if rest.is_empty() => Ok(Slash::Hex),
        "/hex" => {
            let digits: Vec<u8> = rest.bytes().filter(|byte| *byte != b' ').collect();
            let bytes = atmq_protocol::at::parameter::decode_hex(&digits);
            let bytes = bytes.ok_or("/hex takes two hexadecimal digits for each byte")?;
            Ok(Slash::Send(bytes))
        }
        "/record" => Ok(Slash::Record((!rest.is_empty()).then(|| rest.into()))),
        "/explain" => Ok(Slash::Explain((!rest.is_empty()).then(|| rest.to_owned()))),
        "/wait" => {
            let (regex, limit) = match rest.rsplit_once(' ').map(|(r, s)| (r, seconds(s))) {
                Some((regex, Ok(limit))) => (regex.trim(), limit),
                _ => (rest, PATIENCE),
            };
            if regex.is_empty() {
                return Err("/wait takes a pattern, such as +CEREG".into());
            }
            // A URC begins with a plus, which a pattern would take for a repetition.
            let escaped = match regex.strip_prefix('+') {
                Some(rest) => format!("\\+{rest}"),
                None => regex.to_owned(),
            };
            let regex = pattern(&escaped).map_err(|why| format!("`{regex}`: {why}"))?;
            Ok(Slash::Wait(regex, limit))
        }
        "/publish" => {
            let usage = "/publish takes TOPIC PAYLOAD [QOS]";
            let mut words = words(rest)?.into_iter();
            let topic = broker::topic(&words.next().ok_or(usage)?)?;
            let payload =
                data(&words.next().ok_or(usage)?).map_err(|failure| failure.to_string())?;
            let level = words.next().unwrap_or_else(|| "0".to_owned());
            let qos = qos(&level).map_err(|why| format!("`{level}`: {why}"))?;
            match words.next() {
                Some(_) => Err(format!("{usage}; put quotes around blanks")),
                None => Ok(Slash::Publish {
                    topic,
                    payload,
                    qos,
                }),
            }
        }
        unknown => Err(format!(
            "{} is not known; /help lists what is",
            visible(unknown.as_bytes())
        )),
    }
}

/// Words between blanks, where quotes keep blanks. A quote inside of a word stands for itself.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(quote) = rest.chars().next() {
        let end = if matches!(quote, '"' | '\'') {
            // It ends where a blank or the end follows.
            let body = &rest[1..];
            let mut ends = body.match_indices(quote).map(|(at, _)| at);
            let end = ends.find(|at| body[at + 1..].chars().next().is_none_or(|c| c == ' '));
            let end = end.ok_or("a quote is not closed")?;
            words.push(body[..end].to_owned());
            end + 2
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            end
        };
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_blanks_between_quotes() {
        for (text, expected) in [
            ("", &[][..]),
            ("a b", &["a", "b"]),
            ("t \"a b\" 1", &["t", "a b", "1"]),
            ("t {\"a\":1} 1", &["t", "{\"a\":1}", "1"]),
            ("t '{\"a\": 1}'", &["t", "{\"a\": 1}"]),
            ("t \"\"", &["t", ""]),
        ] {
            assert_eq!(
                words(text)
                    .as_deref()
                    .map(|w| w.iter().map(String::as_str).collect::<Vec<_>>()),
                Ok(expected.to_vec())
            );
        }
        assert!(words("t \"a").is_err());
    }

    #[test]
    fn what_is_typed_is_read() {
        assert!(matches!(parse("/quit"), Ok(Slash::Quit)));
        assert!(matches!(parse("/hex"), Ok(Slash::Hex)));
        assert!(matches!(parse("/hex 41 540d"), Ok(Slash::Send(bytes)) if bytes == b"AT\r"));
        assert!(
            matches!(parse("/explain CME 3"), Ok(Slash::Explain(Some(text))) if text == "CME 3")
        );
        let Ok(Slash::Wait(regex, limit)) = parse("/wait +LMQTTURC: RECV 5") else {
            panic!("it is a wait");
        };
        assert!(regex.is_match(b"+LMQTTURC: RECV,0,0,\"t\",x"));
        assert_eq!(limit, Duration::from_secs(5));
        let Ok(Slash::Publish {
            topic,
            payload,
            qos,
        }) = parse("/publish t \"a\\x00\" 1")
        else {
            panic!("it is a publish");
        };
        assert_eq!(
            (&*topic, &payload[..], qos),
            ("t", &b"a\0"[..], QoS::AtLeastOnce)
        );
        for wrong in [
            "/",
            "/nosuch",
            "/quit now",
            "/hex 4",
            "/wait",
            "/wait (",
            "/publish",
            "/publish t",
            "/publish t m 3",
            "/publish t a b c",
            "/publish t \\q",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
