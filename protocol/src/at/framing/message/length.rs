use super::LENGTH_DIGITS;

/// What stands behind a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// `,<len>,`, which has so many bytes.
    Known { length: usize, bytes: usize },
    /// Its beginning.
    Incomplete,
    /// Something else.
    Other,
}

/// The length that stands behind the quote of a topic.
pub(super) fn length(bytes: &[u8]) -> Length {
    let Some((b',', digits)) = bytes.split_first() else {
        return match bytes.is_empty() {
            true => Length::Incomplete,
            false => Length::Other,
        };
    };
    let mut length = 0;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' if at < LENGTH_DIGITS => length = length * 10 + usize::from(byte - b'0'),
            b',' if at > 0 => {
                let bytes = at + 2;
                return Length::Known { length, bytes };
            }
            _ => return Length::Other,
        }
    }
    Length::Incomplete
}
