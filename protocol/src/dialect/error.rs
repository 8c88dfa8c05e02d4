use thiserror::Error;

use crate::at::parameter::ParameterError;

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The command has no such form.
    #[error("the command has no such form")]
    Form,
    /// A parameter is wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
}

/// Why something cannot be written as a command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A text is longer than the module takes.
    #[error("{field} has {length} bytes, the module takes at most {max}")]
    TooLong {
        /// The field, in the manual's words.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// A text holds a character that the command syntax cannot carry.
    #[error("{field} holds {character:?} at byte {at}, which no AT command can carry there")]
    NotCarriable {
        /// The field, in the manual's words.
        field: &'static str,
        /// The character.
        character: char,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// The payload holds a character that ends the input at the module's prompt.
    #[error(
        "the payload holds {character:?} at byte {at}, which ends the input at the prompt of this \
         module; hexadecimal digits would carry it"
    )]
    EndsPrompt {
        /// The character.
        character: char,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A number is outside of what the module takes.
    #[error("{field} is {value}, the module takes {min} to {max}")]
    OutOfRange {
        /// The field, in the manual's words.
        field: &'static str,
        /// Its value.
        value: i64,
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// The field must not be empty.
    #[error("{field} is empty")]
    Empty {
        /// The field, in the manual's words.
        field: &'static str,
    },
    /// The fields do not go together.
    #[error("{0}")]
    Contradiction(&'static str),
}
