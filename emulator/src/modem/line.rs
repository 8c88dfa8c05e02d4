//! The serial line: its rate, what comes on it, and whether the module has still to speak.

use std::time::{Duration, Instant};

use atmq_protocol::at::result_code::FinalResult;

use super::output::Style;
use super::{Modem, Phase};

/// The rate at which the module speaks after it has been told to detect the host's, in bits per
/// second: on a pseudo terminal there is none to detect.
const DETECTED_RATE: u32 = 115_200;

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

    /// The rate of the host's UART, in bits per second; `None` if it is as good as the module's
    /// own. Where the two differ, both sides hear garbage. The module's own is that of `AT+IPR`,
    /// and with `AT+IPR=0` the host's. 0, by which a host hangs up, is no rate.
    pub fn set_host_rate(&mut self, rate: Option<u32>) {
        let matters = self.line_rate().is_some();
        self.host_rate = rate.filter(|rate| matters && *rate > 0);
        self.output.set_host_rate(self.host_rate);
    }

    /// Whether the module has still to say something about what the host has sent, without hearing
    /// more of it.
    pub fn is_busy(&self) -> bool {
        let executing = matches!(
            self.phase,
            Phase::Executing { .. }
                | Phase::Taking { .. }
                | Phase::Reporting { .. }
                | Phase::Waiting { .. }
        );
        // What is still on the line will be heard.
        executing || self.arriving.waiting() > 0 || self.is_waking() || self.is_speaking()
    }

    /// Whether the line has still to carry what the module has said.
    pub(crate) fn is_speaking(&self) -> bool {
        self.output.not_carried() > 0
    }

    /// The module's rate, in bits per second.
    pub(super) fn rate(&self) -> u32 {
        self.line_rate().unwrap_or(DETECTED_RATE)
    }

    /// Takes what the serial line has brought by now.
    pub(super) fn arrive(&mut self, now: Instant) {
        let came = self.arriving.take(now);
        if came.is_empty() || !self.wake(&came, now) {
            return;
        }
        self.active = now;
        let mut bytes = &came[..];
        if let Phase::Executing { abort_from, .. } = &self.phase
            && abort_from.is_some_and(|from| from <= now)
        {
            // The byte that aborts is not looked at (V.250 section 5.6.1).
            self.phase = Phase::Idle;
            self.finish(Ok(FinalResult::Ok));
            bytes = &bytes[1..];
        }
        let attention = self.phase.attention();
        self.lint
            .receive(bytes, attention, &*self.profile.dialect, now);
        self.reader.push(bytes);
        if let Phase::Prompted { asked, give_up } = &mut self.phase {
            *give_up = asked.give_up(now);
        }
    }

    /// Has the settings act: on what the module says and on how it reads a command line.
    pub(super) fn apply_settings(&mut self) {
        let settings = &self.settings;
        // The table keeps characters below 128.
        let character = |name| settings.number(name) as u8;
        let (line_end, backspace) = (character("S3"), character("S5"));
        self.reader.set_line_end(line_end);
        self.reader.set_backspace(backspace);
        self.lint.set_characters(line_end, backspace);
        self.output.set_style(Style {
            verbose: settings.number("V") == 1,
            quiet: settings.number("Q") == 1,
            line_end,
            line_feed: character("S4"),
        });
        let byte = if self.profile.latency.paced {
            Duration::from_nanos(10 * 1_000_000_000 / u64::from(self.rate()))
        } else {
            Duration::ZERO
        };
        self.output.set_pace(self.rate(), byte);
        self.arriving.set_pace(byte);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::network::NetworkEvent;
    use crate::profile::Profile;

    #[test]
    fn a_host_that_hangs_up_or_a_link_that_nobody_opened_does_no_harm() {
        let now = Instant::now();
        let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, SystemTime::now());
        modem.set_host_rate(Some(0));
        modem.handle_network(NetworkEvent::Opened { link: 5 }, now);
        modem.receive(b"AT\r", now);
        assert_eq!(modem.poll_transmit().as_deref(), Some(&b"AT\r\nOK\r\n"[..]));
    }
}
