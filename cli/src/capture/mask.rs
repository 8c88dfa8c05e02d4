use std::borrow::Cow;
use std::str::FromStr;

use regex::bytes::Regex;

/// What may legitimately differ between two sessions: a regular expression over what was said.
#[derive(Debug, Clone)]
pub(crate) struct Mask(Regex);

impl Mask {
    /// The bytes with what any mask matches replaced.
    pub(crate) fn all<'b>(masks: &[Self], bytes: &'b [u8]) -> Cow<'b, [u8]> {
        masks
            .iter()
            .fold(Cow::Borrowed(bytes), |bytes, Self(regex)| {
                match regex.replace_all(&bytes, &b"[masked]"[..]) {
                    Cow::Borrowed(_) => bytes,
                    Cow::Owned(masked) => Cow::Owned(masked),
                }
            })
    }
}

impl FromStr for Mask {
    type Err = regex::Error;

    fn from_str(text: &str) -> Result<Self, regex::Error> {
        Regex::new(text).map(Self)
    }
}
