use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::at::result_code::CmeError;

/// Whether the SIM can be used. A module says so in its answer to `AT+CPIN?`, in a report, or by the
/// error with which it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimStatus {
    /// `READY`
    Ready,
    /// `SIM PIN`: the PIN is missing.
    PinRequired,
    /// `SIM PUK`: the PIN is locked.
    PukRequired,
    /// `NOT INSERTED`: there is no SIM, or the module does not see it yet (not of the standard; Quectel
    /// and SIMCom modules report it).
    NotInserted,
    /// `NOT READY`: the SIM is busy, or the module still reads it (likewise).
    NotReady,
    /// The SIM does not work in this module; a module says so by an error alone.
    Failed,
    /// Any other status, as it stands.
    Other(String),
}

impl SimStatus {
    pub(super) fn decode(text: &str) -> Self {
        match text {
            "READY" => Self::Ready,
            "SIM PIN" => Self::PinRequired,
            "SIM PUK" => Self::PukRequired,
            "NOT INSERTED" => Self::NotInserted,
            "NOT READY" => Self::NotReady,
            "SIM failure" => Self::Failed,
            other => Self::Other(other.into()),
        }
    }

    /// What an error says of the SIM; `None` if it does not speak of it.
    pub fn of_error(error: &CmeError) -> Option<Self> {
        let number = error.number()?;
        Some(match number {
            CmeError::NO_SIM => Self::NotInserted,
            CmeError::PIN_REQUIRED => Self::PinRequired,
            CmeError::PUK_REQUIRED => Self::PukRequired,
            CmeError::SIM_FAILURE => Self::Failed,
            _ if error.is_busy() => Self::NotReady,
            // PH-SIM PIN, PIN2, PUK2.
            5 | CmeError::SIM_WRONG | 17 | 18 => Self::Other(CmeError::words(number)?.into()),
            _ => return None,
        })
    }
}

impl fmt::Display for SimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "READY",
            Self::PinRequired => "SIM PIN",
            Self::PukRequired => "SIM PUK",
            Self::NotInserted => "NOT INSERTED",
            Self::NotReady => "NOT READY",
            Self::Failed => "SIM failure",
            Self::Other(status) => status,
        })
    }
}

/// The longest PIN (27.007 section 8.3 has strings; a SIM stores eight digits, 31.101 section
/// 9.3).
const LONGEST: usize = 8;

/// The PIN of a SIM: four to eight digits, never shown by `Debug`.
///
/// ```
/// # use atmq_protocol::standard::Pin;
/// let pin = Pin::new("1234")?;
/// assert_eq!(format!("{pin:?}"), "***");
/// assert!(Pin::new("12 34").is_err());
/// # Ok::<(), atmq_protocol::standard::PinError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    digits: [u8; LONGEST],
    length: usize,
}

/// What is no PIN. The text itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a PIN has 4 to 8 digits and nothing else")]
pub struct PinError;

impl Pin {
    /// Reads a PIN.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, PinError> {
        let length = text.len();
        if !(4..=LONGEST).contains(&length) || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PinError);
        }
        let mut digits = [0; LONGEST];
        digits[..length].copy_from_slice(text.as_bytes());
        Ok(Self { digits, length })
    }

    /// The digits themselves, for the one place that sends them.
    pub fn expose(&self) -> &str {
        core::str::from_utf8(&self.digits[..self.length]).expect("digits are text")
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn each_status_both_ways() {
        for (text, status) in [
            ("READY", SimStatus::Ready),
            ("SIM PIN", SimStatus::PinRequired),
            ("SIM PUK", SimStatus::PukRequired),
            ("NOT INSERTED", SimStatus::NotInserted),
            ("NOT READY", SimStatus::NotReady),
            ("PH-NET PIN", SimStatus::Other("PH-NET PIN".into())),
        ] {
            assert_eq!(SimStatus::decode(text), status);
            assert_eq!(status.to_string(), text);
        }
    }

    #[test]
    fn an_error_tells_the_same_in_numbers_and_in_words() {
        for (number, words, status) in [
            (10, "SIM not inserted", Some(SimStatus::NotInserted)),
            (11, "SIM PIN required", Some(SimStatus::PinRequired)),
            (12, "SIM PUK required", Some(SimStatus::PukRequired)),
            (13, "SIM failure", Some(SimStatus::Failed)),
            (14, "SIM busy", Some(SimStatus::NotReady)),
            (15, "SIM wrong", Some(SimStatus::Other("SIM wrong".into()))),
            (
                17,
                "SIM PIN2 required",
                Some(SimStatus::Other("SIM PIN2 required".into())),
            ),
            (3, "operation not allowed", None),
            (100, "unknown", None),
        ] {
            assert_eq!(SimStatus::of_error(&CmeError::Code(number)), status);
            assert_eq!(SimStatus::of_error(&CmeError::Text(words.into())), status);
        }
    }

    #[test]
    fn a_pin_has_four_to_eight_digits() {
        for text in ["1234", "12345678"] {
            assert_eq!(Pin::new(text).unwrap().expose(), text);
        }
        for text in ["", "123", "123456789", "12a4", "12\"4", "1234\r"] {
            assert_eq!(Pin::new(text), Err(PinError), "{text}");
        }
    }
}
