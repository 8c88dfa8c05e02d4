use core::fmt;

/// Where something is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// A document and its section.
    pub place: &'static str,
    /// How sure it is.
    pub sure: Sure,
}

/// How sure a fact is, as `docs/sources.md` marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// A manual or application note has it.
    Documented,
    /// A module was measured.
    Measured,
    /// Code that talks to modules relies on it.
    Seen,
    /// Concluded from the above.
    Inferred,
    /// In a public standard; the module has not been seen doing it.
    Standard,
}

impl Source {
    /// How sure it is, in words.
    pub fn words(self) -> &'static str {
        match self.sure {
            Sure::Documented => "documented",
            Sure::Measured => "measured",
            Sure::Seen => "seen in code",
            Sure::Inferred => "inferred",
            Sure::Standard => "the standard has it",
        }
    }

    /// A manual or application note has it.
    pub const fn documented(place: &'static str) -> Self {
        let sure = Sure::Documented;
        Self { place, sure }
    }

    /// A module was measured.
    pub const fn measured(place: &'static str) -> Self {
        let sure = Sure::Measured;
        Self { place, sure }
    }

    /// Code that talks to modules relies on it.
    pub const fn seen(place: &'static str) -> Self {
        let sure = Sure::Seen;
        Self { place, sure }
    }

    /// Concluded from what is known.
    pub const fn inferred(place: &'static str) -> Self {
        let sure = Sure::Inferred;
        Self { place, sure }
    }

    /// In a public standard.
    pub const fn standard(place: &'static str) -> Self {
        let sure = Sure::Standard;
        Self { place, sure }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.place, self.words())
    }
}
