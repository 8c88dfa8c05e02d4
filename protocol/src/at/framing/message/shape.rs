use super::{Counting, Deviation};

/// A form of a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) counting: Counting,
    pub(super) quoted: bool,
    pub(super) deviation: Option<Deviation>,
}

const fn shape(counting: Counting, quoted: bool, deviation: Option<Deviation>) -> Shape {
    Shape {
        counting,
        quoted,
        deviation,
    }
}

const HEXADECIMAL: Option<Deviation> = Some(Deviation::Hexadecimal);

/// Each kind of payload, first for modules that write none between quotes, then for those that do.
pub(super) const TEXT: [[Shape; 4]; 2] = [text(false), text(true)];
pub(super) const PAIRS: [[Shape; 6]; 2] = [
    digits(Counting::Pairs, Counting::Digits, false),
    digits(Counting::Pairs, Counting::Digits, true),
];
pub(super) const DIGITS: [[Shape; 6]; 2] = [
    digits(Counting::Digits, Counting::Pairs, false),
    digits(Counting::Digits, Counting::Pairs, true),
];

/// No module is known that leaves such quotes out.
pub(super) const QUOTED: [Shape; 1] = [shape(Counting::QuotedBytes, true, None)];

const fn text(quoted: bool) -> [Shape; 4] {
    [
        shape(Counting::Bytes, quoted, None),
        shape(Counting::Bytes, !quoted, Some(other_quotes(quoted))),
        shape(Counting::Pairs, quoted, HEXADECIMAL),
        shape(Counting::Pairs, !quoted, HEXADECIMAL),
    ]
}

/// As many digits as announced may be text as well, and then nobody can tell which it is.
const fn digits(told: Counting, other: Counting, quoted: bool) -> [Shape; 6] {
    [
        shape(told, quoted, None),
        shape(told, !quoted, Some(other_quotes(quoted))),
        shape(Counting::Bytes, quoted, Some(Deviation::Text)),
        shape(Counting::Bytes, !quoted, Some(Deviation::Text)),
        shape(other, quoted, HEXADECIMAL),
        shape(other, !quoted, HEXADECIMAL),
    ]
}

const fn other_quotes(quoted: bool) -> Deviation {
    match quoted {
        true => Deviation::Unquoted,
        false => Deviation::Quoted,
    }
}
