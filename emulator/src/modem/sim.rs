mod files;

use atmq_protocol::Secret;
use atmq_protocol::standard::SimStatus;

pub(super) use files::{Card, CardCommand, DONE};

/// A SIM card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sim {
    /// The PIN that it asks for; none if it asks for none.
    pin: Option<Secret<'static>>,
    puk: Secret<'static>,
    unlocked: bool,
    /// How often the PIN may still be wrong.
    attempts: u8,
    /// How often the PUK may still be wrong.
    puk_attempts: u8,
}

/// Why a PIN is refused.
pub(super) enum PinError {
    /// The SIM asks for none.
    NotAwaited,
    Wrong,
    /// The PIN was wrong too often, or came in place of the PUK.
    PukRequired,
    /// The PUK was wrong too often.
    Blocked,
}

/// How often a PIN may be wrong (ETSI TS 102 221 section 9.5.1 leaves it to the card; 3 is usual).
const PIN_ATTEMPTS: u8 = 3;

/// How often a PUK may be wrong (as for the PIN; 10 is usual).
const PUK_ATTEMPTS: u8 = 10;

impl Sim {
    /// A SIM that asks for no PIN.
    pub fn unlocked() -> Self {
        Self {
            pin: None,
            puk: Secret::from(""),
            unlocked: true,
            attempts: PIN_ATTEMPTS,
            puk_attempts: PUK_ATTEMPTS,
        }
    }

    /// A SIM that asks for its PIN, after three wrong ones for its PUK, and after ten of those for
    /// nothing any more.
    pub fn locked(pin: impl Into<String>, puk: impl Into<String>) -> Self {
        Self {
            pin: Some(pin.into().into()),
            puk: puk.into().into(),
            unlocked: false,
            ..Self::unlocked()
        }
    }

    /// A SIM whose PIN was wrong too often: it asks for its PUK.
    pub fn blocked(pin: impl Into<String>, puk: impl Into<String>) -> Self {
        Self {
            attempts: 0,
            ..Self::locked(pin, puk)
        }
    }

    /// What the SIM is waiting for; `BLOCKED` once its PUK was wrong too often.
    pub fn status(&self) -> SimStatus {
        if self.unlocked {
            SimStatus::Ready
        } else if self.attempts > 0 {
            SimStatus::PinRequired
        } else if self.puk_attempts > 0 {
            SimStatus::PukRequired
        } else {
            SimStatus::Other("BLOCKED".to_owned())
        }
    }

    /// Whether it asks for a PIN after a reboot.
    pub(super) fn asks_for_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// Takes the PIN, or the PUK with a new PIN.
    pub(super) fn enter(&mut self, given: &str, new_pin: Option<&str>) -> Result<(), PinError> {
        match (self.status(), new_pin) {
            (SimStatus::PinRequired, _) => {
                if self.pin.as_ref().is_none_or(|pin| pin.expose() != given) {
                    self.attempts -= 1;
                    return Err(match self.attempts {
                        0 => PinError::PukRequired,
                        _ => PinError::Wrong,
                    });
                }
            }
            // The card is not asked, and loses no attempt.
            (SimStatus::PukRequired, None) => return Err(PinError::PukRequired),
            (SimStatus::PukRequired, Some(new_pin)) => {
                if self.puk.expose() != given {
                    self.puk_attempts -= 1;
                    return Err(match self.puk_attempts {
                        0 => PinError::Blocked,
                        _ => PinError::Wrong,
                    });
                }
                self.pin = Some(new_pin.to_owned().into());
            }
            (SimStatus::Ready, _) => return Err(PinError::NotAwaited),
            _ => return Err(PinError::Blocked),
        }
        self.unlocked = true;
        self.attempts = PIN_ATTEMPTS;
        self.puk_attempts = PUK_ATTEMPTS;
        Ok(())
    }

    /// The card has been without power.
    pub(super) fn reset(&mut self) {
        self.unlocked = self.pin.is_none();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_that_is_wrong_three_times_is_blocked() {
        let mut sim = Sim::locked("1234", "12345678");
        for _ in 0..2 {
            assert!(matches!(sim.enter("0000", None), Err(PinError::Wrong)));
        }
        let third = sim.enter("0000", None);
        assert!(matches!(third, Err(PinError::PukRequired)));
        assert_eq!(sim.status(), SimStatus::PukRequired);
        let no_new_pin = sim.enter("12345678", None);
        assert!(matches!(no_new_pin, Err(PinError::PukRequired)));
        assert!(sim.enter("12345678", Some("4321")).is_ok());
        assert_eq!(sim.status(), SimStatus::Ready);
        sim.reset();
        assert!(sim.enter("4321", None).is_ok());
    }

    #[test]
    fn a_puk_that_is_wrong_ten_times_blocks_the_sim_for_good() {
        let mut sim = Sim::blocked("1234", "12345678");
        for _ in 0..9 {
            let wrong = sim.enter("00000000", Some("4321"));
            assert!(matches!(wrong, Err(PinError::Wrong)));
            assert_eq!(sim.status(), SimStatus::PukRequired);
        }
        for puk in ["00000000", "12345678"] {
            let blocked = sim.enter(puk, Some("4321"));
            assert!(matches!(blocked, Err(PinError::Blocked)));
            sim.reset();
            assert_eq!(sim.status(), SimStatus::Other("BLOCKED".to_owned()));
        }
    }

    #[test]
    fn debug_output_hides_pin_and_puk() {
        let text = format!("{:?}", Sim::locked("1234", "12345678"));
        assert!(!text.contains("1234"), "{text}");
    }
}
