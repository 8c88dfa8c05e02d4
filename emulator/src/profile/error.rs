use std::fmt;

use thiserror::Error;

/// What is wrong with a profile, and where. Lines and columns are counted from 1, columns in
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ProfileError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// What is wrong with a [`ProfileChange`](super::ProfileChange).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProfileChangeError {
    /// It is not of the form `KEY=VALUE`.
    #[error("write KEY=VALUE")]
    NoValue,
    /// No profile has such a key, or its evidence was meant, which changes nothing.
    #[error("no profile has a key {key}{}", Like(like.as_deref()))]
    UnknownKey {
        /// The key that was given.
        key: String,
        /// The one that may be meant.
        like: Option<String>,
    },
    /// The value is of the wrong type, or out of range.
    #[error("{key}: {message}")]
    WrongValue {
        /// The key.
        key: String,
        /// What is wrong with the value, and what is expected.
        message: String,
    },
    /// The value cannot be changed while the module runs.
    #[error("{key} cannot be changed while the module runs; {known} can")]
    Fixed {
        /// The key.
        key: String,
        /// Those that can be changed.
        known: String,
    },
    /// The profile that should be changed is wrong itself.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// The key that may be meant, if there is one.
struct Like<'k>(Option<&'k str>);

impl fmt::Display for Like<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, ", but {key}"),
            None => Ok(()),
        }
    }
}

impl ProfileError {
    /// At a byte of the text.
    pub(super) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let mut byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }

    /// As it was found in the text.
    pub(super) fn found(text: &str, wrong: Wrong) -> Self {
        Self::at(text, wrong.at, wrong.message)
    }
}

/// What is wrong with a profile, and at which byte.
pub(super) struct Wrong {
    at: usize,
    pub(super) message: String,
}

impl Wrong {
    /// What is to be said of this byte, on one line.
    pub(super) fn at(at: usize, message: &impl fmt::Display) -> Self {
        let message = message.to_string();
        let message = message.trim_end().replace('\n', ", ");
        Self { at, message }
    }
}

impl From<toml::de::Error> for Wrong {
    fn from(error: toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        Self::at(at, &error.message())
    }
}
