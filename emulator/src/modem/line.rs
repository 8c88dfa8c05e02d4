//! The serial line as its other end sees it: its rate, and whether the module has still to speak.

use super::{Modem, Phase};

impl Modem {
    /// The rate of the serial line in bits per second, as `AT+IPR` has set it; `None` if the module
    /// takes the host's. It holds from behind what the module has said so far.
    pub fn line_rate(&self) -> Option<u32> {
        Some(self.settings.number("+IPR")).filter(|rate| *rate != 0)
    }

    /// The rate that the module comes with, until the host sets another.
    pub fn set_line_rate(&mut self, rate: u32) {
        self.settings.set_number("+IPR", rate);
        self.stored_settings.set_number("+IPR", rate);
        self.apply_settings();
    }

    /// Whether the module has still to say something about what the host has sent, without hearing
    /// more of it.
    pub fn is_busy(&self) -> bool {
        let executing = matches!(
            self.phase,
            Phase::Executing { .. } | Phase::Publishing { .. } | Phase::Reporting { .. }
        );
        // What is still on the line will be heard.
        executing || self.arriving.waiting() > 0 || self.is_waking() || self.is_speaking()
    }

    /// Whether the line has still to carry what the module has said.
    pub(crate) fn is_speaking(&self) -> bool {
        self.output.not_carried() > 0
    }
}
