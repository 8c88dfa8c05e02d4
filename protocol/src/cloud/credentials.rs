use alloc::string::String;

use thiserror::Error;

use crate::Secret;

/// What a device presents to a platform in CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client id, with what the platform wants to know behind it.
    pub client_id: String,
    /// The user name.
    pub username: String,
    /// The password: a signature, a token or a shared secret.
    pub password: Secret<'static>,
}

/// Why a platform would not take a device. Nothing has been sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A field must not be empty.
    #[error("{field} is empty")]
    Empty {
        /// The field, in the platform's words.
        field: &'static str,
    },
    /// A field is longer than the platform takes.
    #[error("{field} has {length} characters, the platform takes at most {max}")]
    TooLong {
        /// The field, in the platform's words.
        field: &'static str,
        /// Its length in characters.
        length: usize,
        /// The limit in characters.
        max: usize,
    },
    /// A field holds a character that would be read as the end of it.
    #[error("{field} holds {character:?}, which the platform would take for its end")]
    Separator {
        /// The field, in the platform's words.
        field: &'static str,
        /// The character.
        character: char,
    },
    /// The keepalive is outside of what the platform takes.
    #[error("the keepalive is {seconds} s, the platform takes {min} to {max} s")]
    KeepAlive {
        /// The keepalive in seconds.
        seconds: u64,
        /// The shortest in seconds.
        min: u16,
        /// The longest in seconds.
        max: u16,
    },
    /// An access key is no Base64.
    #[error("the access key is not Base64 as the platform shows it")]
    AccessKey,
}

/// Refuses an empty field, and one that holds any of `separators`.
pub(super) fn check(
    field: &'static str,
    text: &str,
    separators: &[char],
) -> Result<(), CredentialsError> {
    if text.is_empty() {
        return Err(CredentialsError::Empty { field });
    }
    match text.chars().find(|c| separators.contains(c)) {
        Some(character) => Err(CredentialsError::Separator { field, character }),
        None => Ok(()),
    }
}
