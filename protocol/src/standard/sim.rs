use alloc::string::String;
use core::fmt;

use thiserror::Error;

/// Whether the SIM can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimStatus {
    /// `READY`
    Ready,
    /// `SIM PIN`: the PIN is missing.
    PinRequired,
    /// `SIM PUK`: the PIN is locked.
    PukRequired,
    /// Any other status, as it stands.
    Other(String),
}

impl SimStatus {
    pub(super) fn decode(text: &str) -> Self {
        match text {
            "READY" => Self::Ready,
            "SIM PIN" => Self::PinRequired,
            "SIM PUK" => Self::PukRequired,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for SimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "READY",
            Self::PinRequired => "SIM PIN",
            Self::PukRequired => "SIM PUK",
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
    use super::*;

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
