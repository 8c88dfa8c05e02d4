//! Final result codes: the line that ends the answer to a command.
//!
//! Sources: V.250 section 5.7 for the verbose codes, 3GPP TS 27.007 section 9.2 for the numbers
//! of `+CME ERROR`.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::at::parameter;
use crate::spec::Codes;

/// The end of the answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalResult {
    /// `OK`
    Ok,
    /// `ERROR`
    Error,
    /// `+CME ERROR: <n>` or `+CME ERROR: <text>`, as `AT+CMEE` has chosen.
    Cme(CmeError),
    /// `+CMS ERROR: <n>`: the end of a command for short messages (27.005 section 3.2.5).
    Cms(u16),
    /// The same in words, as firmware writes it after `AT+CMEE=2` (seen in host code).
    CmsText(String),
    /// `CONNECT`, with the text behind it if there is any: raw data follows.
    Connect(Option<String>),
    /// `NO CARRIER`
    NoCarrier,
}

impl FinalResult {
    /// Reads a line, without its line end. `None`: the line is no final result code.
    pub fn decode(line: &[u8]) -> Option<Self> {
        match line {
            b"OK" => return Some(Self::Ok),
            b"ERROR" => return Some(Self::Error),
            b"NO CARRIER" => return Some(Self::NoCarrier),
            b"CONNECT" => return Some(Self::Connect(None)),
            _ => {}
        }
        if let Some(rest) = line.strip_prefix(b"+CME ERROR:") {
            let reason = rest.trim_ascii();
            let code = parameter::integer(reason).and_then(|code| u16::try_from(code).ok());
            return Some(Self::Cme(match code {
                Some(code) => CmeError::Code(code),
                None => CmeError::Text(lossy(reason)),
            }));
        }
        if let Some(rest) = line.strip_prefix(b"+CMS ERROR:") {
            let reason = rest.trim_ascii();
            let code = parameter::integer(reason).and_then(|code| u16::try_from(code).ok());
            return Some(match code {
                Some(code) => Self::Cms(code),
                None => Self::CmsText(lossy(reason)),
            });
        }
        let rest = line.strip_prefix(b"CONNECT ")?;
        Some(Self::Connect(Some(lossy(rest.trim_ascii()))))
    }

    /// The number that stands for the code after `ATV0` (V.250 table 1); none for those that are
    /// always written in words.
    pub fn number(&self) -> Option<u8> {
        Some(match self {
            Self::Ok => 0,
            Self::Connect(_) => 1,
            Self::NoCarrier => 3,
            Self::Error => 4,
            Self::Cme(_) | Self::Cms(_) | Self::CmsText(_) => return None,
        })
    }

    /// Appends the line, without its line end.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(alloc::format!("{self}").as_bytes());
    }
}

impl fmt::Display for FinalResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("OK"),
            Self::Error => f.write_str("ERROR"),
            Self::Cme(CmeError::Code(code)) => write!(f, "+CME ERROR: {code}"),
            Self::Cme(CmeError::Text(text)) => write!(f, "+CME ERROR: {text}"),
            Self::Cms(code) => write!(f, "+CMS ERROR: {code}"),
            Self::CmsText(text) => write!(f, "+CMS ERROR: {text}"),
            Self::Connect(None) => f.write_str("CONNECT"),
            Self::Connect(Some(text)) => write!(f, "CONNECT {text}"),
            Self::NoCarrier => f.write_str("NO CARRIER"),
        }
    }
}

/// The reason behind `+CME ERROR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CmeError {
    /// As a number (`AT+CMEE=1`).
    Code(u16),
    /// In words (`AT+CMEE=2`).
    Text(String),
}

impl CmeError {
    /// Operation not allowed: what the ECMT handlers raise for every bad parameter and state
    /// (reference `lmqtt.md` 1.1, inferred for families like it).
    pub const NOT_ALLOWED: u16 = 3;
    /// SIM not inserted.
    pub const NO_SIM: u16 = 10;
    /// The PIN of the SIM is required.
    pub const PIN_REQUIRED: u16 = 11;
    /// The PUK of the SIM is required: the PIN was wrong too often.
    pub const PUK_REQUIRED: u16 = 12;
    /// The SIM does not work.
    pub const SIM_FAILURE: u16 = 13;
    /// The SIM is busy, or the module still reads it.
    pub const SIM_BUSY: u16 = 14;
    /// The SIM is not the right one.
    pub const SIM_WRONG: u16 = 15;
    /// The PIN or PUK is wrong.
    pub const WRONG_PASSWORD: u16 = 16;
    /// No network service.
    pub const NO_NETWORK: u16 = 30;
    /// Unknown error: the answer to a command the module does not know.
    pub const UNKNOWN: u16 = 100;
    /// The module still starts, or carries out another command. Not of the standard: Wavecom's, seen
    /// in host code for modules of others too.
    pub const PLEASE_WAIT: u16 = 515;

    /// The number of the error, also of one in words; `None` for words that are not known.
    ///
    /// This is the one place that reads the words: whoever decides by an error asks for its number.
    /// Case does not matter, nor a full stop at the end, nor whether the card is called `SIM`,
    /// `USIM` or `(U)SIM`: all of these were seen in host code.
    pub fn number(&self) -> Option<u16> {
        match self {
            Self::Code(number) => Some(*number),
            Self::Text(text) => {
                let text = plain(text);
                let known = words().find(|(_, words)| text.eq_ignore_ascii_case(words));
                known.map(|(number, _)| number)
            }
        }
    }

    /// Whether the module asks to be asked again in a moment.
    pub fn is_busy(&self) -> bool {
        matches!(self.number(), Some(Self::SIM_BUSY | Self::PLEASE_WAIT))
    }

    /// The words of 3GPP TS 27.007 section 9.2 for a code this crate knows.
    pub fn words(code: u16) -> Option<&'static str> {
        let known = words().find(|(number, _)| *number == code);
        known.map(|(_, words)| words)
    }
}

/// The numbers of 27.007 section 9.2.1 with their words, and [`CmeError::PLEASE_WAIT`]. Those of
/// section 9.2.2, about packet data, have a cause in brackets behind their words that the table leaves
/// out.
fn words() -> impl Iterator<Item = (u16, &'static str)> {
    let known = Codes::CME.codes.iter();
    let known = known.filter(|code| !(101..=149).contains(&code.number));
    known.filter_map(|code| Some((u16::try_from(code.number).ok()?, code.meaning)))
}

/// The words without what differs from one firmware to the next.
fn plain(text: &str) -> &str {
    let text = text.trim().trim_end_matches('.');
    for prefix in ["(U)", "U"] {
        let begins = text.get(..prefix.len());
        if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(prefix)) {
            let rest = &text[prefix.len()..];
            if rest
                .get(..3)
                .is_some_and(|card| card.eq_ignore_ascii_case("SIM"))
            {
                return rest;
            }
        }
    }
    text
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_both_ways() {
        for (line, code) in [
            (&b"OK"[..], FinalResult::Ok),
            (b"ERROR", FinalResult::Error),
            (b"+CME ERROR: 3", FinalResult::Cme(CmeError::Code(3))),
            (
                b"+CME ERROR: SIM busy",
                FinalResult::Cme(CmeError::Text("SIM busy".into())),
            ),
            (b"+CMS ERROR: 321", FinalResult::Cms(321)),
            (
                b"+CMS ERROR: SIM busy",
                FinalResult::CmsText("SIM busy".into()),
            ),
            (b"CONNECT", FinalResult::Connect(None)),
            (
                b"CONNECT 115200",
                FinalResult::Connect(Some("115200".into())),
            ),
            (b"NO CARRIER", FinalResult::NoCarrier),
        ] {
            assert_eq!(FinalResult::decode(line), Some(code.clone()));
            let mut out = Vec::new();
            code.encode(&mut out);
            assert_eq!(out, line);
        }
    }

    #[test]
    fn an_error_in_words_is_the_one_in_numbers() {
        for (words, number) in [
            ("SIM not inserted", Some(CmeError::NO_SIM)),
            ("sim not inserted", Some(CmeError::NO_SIM)),
            ("(U)SIM not inserted", Some(CmeError::NO_SIM)),
            ("USIM PIN required", Some(CmeError::PIN_REQUIRED)),
            ("SIM PUK required", Some(CmeError::PUK_REQUIRED)),
            ("SIM failure", Some(CmeError::SIM_FAILURE)),
            ("SIM busy.", Some(CmeError::SIM_BUSY)),
            ("SIM wrong", Some(CmeError::SIM_WRONG)),
            ("incorrect password", Some(CmeError::WRONG_PASSWORD)),
            ("SIM PIN2 required", Some(17)),
            ("SIM PUK2 required", Some(18)),
            ("unknown", Some(CmeError::UNKNOWN)),
            (
                "Please wait, init or command processing in progress",
                Some(CmeError::PLEASE_WAIT),
            ),
            ("SIM", None),
            ("U", None),
            ("", None),
            ("the cat sits on the antenna", None),
        ] {
            let error = CmeError::Text(words.into());
            assert_eq!(error.number(), number, "{words}");
            let known = number.is_none_or(|number| CmeError::Code(number).number() == Some(number));
            assert!(known, "{words}");
        }
        for (number, words) in words() {
            assert_eq!(CmeError::Text(words.into()).number(), Some(number));
            assert_eq!(CmeError::words(number), Some(words));
        }
    }

    #[test]
    fn what_asks_for_patience_is_busy() {
        for error in [
            CmeError::Code(14),
            CmeError::Code(515),
            CmeError::Text("SIM Busy".into()),
        ] {
            assert!(error.is_busy(), "{error:?}");
        }
        for error in [CmeError::Code(13), CmeError::Text("busy".into())] {
            assert!(!error.is_busy(), "{error:?}");
        }
    }

    #[test]
    fn a_missing_blank_is_tolerated() {
        assert_eq!(
            FinalResult::decode(b"+CME ERROR:10"),
            Some(FinalResult::Cme(CmeError::Code(10)))
        );
    }

    #[test]
    fn other_lines_are_no_final_result() {
        for line in [
            &b""[..],
            b"ok",
            b"OK ",
            b"+CSQ: 29,0",
            b"ERRORS",
            b"CONNECTED",
        ] {
            assert_eq!(FinalResult::decode(line), None, "{}", line.escape_ascii());
        }
    }
}
