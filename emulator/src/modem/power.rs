//! Power: starting anew, switching off and on.

use std::time::Instant;

use atmq_protocol::at::framing::CommandReader;
use atmq_protocol::standard::OperatorFormat;

use super::connection::Connection;
use super::{Happening, Modem, Phase};
use crate::network::NetworkRequest;

impl Modem {
    /// The reset line is pulled: what was being done is lost, and the module starts anew.
    pub fn reset(&mut self, now: Instant) {
        self.output.cut();
        self.arriving.cut();
        self.reboot(now);
        self.drive(now);
    }

    /// The power is cut. Until [`power_on`](Self::power_on) the module hears and says nothing.
    pub fn power_off(&mut self, now: Instant) {
        self.happened(Happening::Power(false));
        self.output.cut();
        self.arriving.cut();
        self.shut_down(now);
        self.phase = Phase::Off;
        self.announced = (self.registration(), None);
    }

    /// The module is switched on, unless it is on.
    pub fn power_on(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Off) {
            self.happened(Happening::Power(true));
            self.reboot(now);
            self.drive(now);
        }
    }

    /// Whether the module is neither off nor just starting.
    pub(super) fn is_running(&self) -> bool {
        !matches!(self.phase, Phase::Off | Phase::Booting { .. })
    }

    /// Starts anew: but for the settings that `AT&W` has stored, everything is forgotten.
    pub(super) fn reboot(&mut self, now: Instant) {
        self.happened(Happening::Started);
        self.shut_down(now);
        self.lint.rebooted(now);
        let latency = self.profile.latency.boot;
        self.phase = Phase::Booting {
            due: now + self.spread(latency),
        };
        self.announced = (self.registration(), None);
    }

    /// The module has started.
    pub(super) fn boot(&mut self, now: Instant) {
        let banner = format!("{}\r\n", self.profile.banner);
        for line in self.kept_lines(&banner, now) {
            self.output.raw(line.as_bytes());
        }
        self.search(now);
    }

    /// The host has it switched off: it says so, and is off.
    pub(super) fn switch_off(&mut self, now: Instant) {
        self.happened(Happening::Power(false));
        self.shut_down(now);
        let farewell = self.profile.dialect.farewell();
        for line in self.kept_lines(farewell, now) {
            self.output
                .line(|out| out.extend_from_slice(line.as_bytes()));
        }
        self.arriving.cut();
        self.phase = Phase::Off;
        self.announced = (self.registration(), None);
    }

    fn shut_down(&mut self, now: Instant) {
        for link in 0..self.profile.limits.connections {
            self.network.push_back(NetworkRequest::Close { link });
        }
        self.output.forget();
        self.reader = CommandReader::new(self.profile.limits.command_line);
        self.settings = self.stored_settings.clone();
        self.apply_settings();
        self.last_line.clear();
        self.operator_mode = 0;
        self.operator_format = OperatorFormat::Long;
        self.contexts = Self::default_contexts();
        self.functionality = 1;
        self.asleep = false;
        self.wakes = None;
        self.bearer_refused = false;
        self.attach_wanted = true;
        self.search = None;
        if let Some(sim) = &mut self.world.sim {
            sim.reset();
        }
        if self.profile.quirks.keeps_sessions {
            for id in self.ids() {
                self.keep_session(id);
            }
        } else {
            self.sessions.clear();
        }
        self.store.reboot();
        self.drop_request();
        self.outcome_due = None;
        self.outcome = None;
        self.face.restarted();
        self.sets.fill_with(|| None);
        for connection in &mut self.connections {
            *connection = Connection::new(now);
        }
    }
}
