use atmq_protocol::standard::SimStatus;

/// A SIM card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sim {
    /// The PIN that it asks for; none if it asks for none.
    pin: Option<String>,
    puk: String,
    unlocked: bool,
    /// How often the PIN may still be wrong.
    attempts: u8,
}

/// Why a PIN is refused.
pub(super) enum PinError {
    /// The SIM asks for none.
    NotAwaited,
    Wrong,
    /// The PIN was wrong too often.
    PukRequired,
}

/// How often a PIN may be wrong (ETSI TS 102 221 section 9.5.1 leaves it to the card; 3 is usual).
const PIN_ATTEMPTS: u8 = 3;

impl Sim {
    /// A SIM that asks for no PIN.
    pub fn unlocked() -> Self {
        Self {
            pin: None,
            puk: String::new(),
            unlocked: true,
            attempts: PIN_ATTEMPTS,
        }
    }

    /// A SIM that asks for its PIN, and after three wrong ones for its PUK.
    pub fn locked(pin: impl Into<String>, puk: impl Into<String>) -> Self {
        Self {
            pin: Some(pin.into()),
            puk: puk.into(),
            unlocked: false,
            attempts: PIN_ATTEMPTS,
        }
    }

    /// A SIM whose PIN was wrong too often: it asks for its PUK.
    pub fn blocked(pin: impl Into<String>, puk: impl Into<String>) -> Self {
        Self {
            attempts: 0,
            ..Self::locked(pin, puk)
        }
    }

    /// What the SIM is waiting for.
    pub fn status(&self) -> SimStatus {
        if self.unlocked {
            SimStatus::Ready
        } else if self.attempts > 0 {
            SimStatus::PinRequired
        } else {
            SimStatus::PukRequired
        }
    }

    /// Whether it asks for a PIN after a reboot.
    pub(super) fn asks_for_pin(&self) -> bool {
        self.pin.is_some()
    }

    /// Takes the PIN, or the PUK with a new PIN.
    pub(super) fn enter(&mut self, given: &str, new_pin: Option<&str>) -> Result<(), PinError> {
        match self.status() {
            SimStatus::PinRequired if self.pin.as_deref() == Some(given) => {}
            SimStatus::PinRequired => {
                self.attempts -= 1;
                return Err(match self.attempts {
                    0 => PinError::PukRequired,
                    _ => PinError::Wrong,
                });
            }
            SimStatus::PukRequired => match new_pin {
                Some(new_pin) if given == self.puk => self.pin = Some(new_pin.to_owned()),
                _ => return Err(PinError::Wrong),
            },
            SimStatus::Ready | SimStatus::Other(_) => return Err(PinError::NotAwaited),
        }
        self.unlocked = true;
        self.attempts = PIN_ATTEMPTS;
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
        assert!(matches!(sim.enter("1234", None), Err(PinError::Wrong)));
        assert!(sim.enter("12345678", Some("4321")).is_ok());
        assert_eq!(sim.status(), SimStatus::Ready);
        sim.reset();
        assert!(sim.enter("4321", None).is_ok());
    }
}
