use alloc::borrow::Cow;
use core::fmt;

/// A password, device secret or token: usable as text, never shown by `Debug`.
///
/// ```
/// # use atmq_protocol::Secret;
/// let secret = Secret::from("0123456789abcdef");
/// assert_eq!(format!("{secret:?}"), "***");
/// assert_eq!(secret.expose(), "0123456789abcdef");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<'a>(Cow<'a, str>);

impl Secret<'_> {
    /// The secret itself, for the one place that sends or computes with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The same secret, independent of what it was borrowed from.
    pub fn into_owned(self) -> Secret<'static> {
        Secret(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a, T: Into<Cow<'a, str>>> From<T> for Secret<'a> {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
