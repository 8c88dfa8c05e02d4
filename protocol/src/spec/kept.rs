use super::Source;

/// What becomes of a setting when the module starts anew: by a reset (`AT+CFUN=1,1`, the reset
/// line), or because its power comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// How long it lasts.
    pub how: Lasting,
    /// Where this is known from.
    pub source: Source,
}

/// How long a setting lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// Until the module starts anew, and then it is as `AT&W` has stored it, or else as in the
    /// factory. `ATZ` does the same at once; `AT&F` brings back the factory's.
    Profile,
    /// Until the module starts anew, and then it is as in the factory. `AT&W` does not store it,
    /// `ATZ` and `AT&F` leave it as it is.
    Start,
    /// Until the command changes it again: it is in memory that needs no power. `ATZ` and `AT&F`
    /// leave it as it is.
    Always,
}

/// No source says which settings the profile of such a module has. V.250 has it hold those of its own
/// commands; that it holds all that a read form shows is inferred.
const PROFILE: Source = Source::inferred("no source has it; as V.250's own");

impl Kept {
    /// A part of the profile that `AT&W` stores.
    pub(super) const PROFILE: Self = Self::new(Lasting::Profile, PROFILE);

    pub(super) const fn new(how: Lasting, source: Source) -> Self {
        Self { how, source }
    }
}
