/// In what firmwares that speak one dialect differ: something that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// What it is called.
    pub name: &'static str,
    /// What can be chosen.
    pub choice: Choice,
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Yes or no.
    Flag,
    /// A number from the first to the second.
    Number(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
}

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its choice offers")]
pub enum Value<'v> {
    Flag(bool),
    Number(i64),
    Word(&'v str),
}
