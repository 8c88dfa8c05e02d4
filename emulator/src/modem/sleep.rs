//! Low-power states: falling asleep, and waking.

use std::time::{Duration, Instant};

use super::{Happening, Modem, Phase};

/// Where the host has asked for it, the radio is released as soon as there is nothing more to say,
/// not once the network's own timer has run out (that it can be asked for is documented, the time
/// is a guess).
const RELEASE: Duration = Duration::from_secs(1);

impl Modem {
    /// The module goes to a low-power state, or leaves it. While it is asleep it holds its URCs; the
    /// next byte of the host wakes it (inferred: sources know the state, and not its details).
    pub fn set_asleep(&mut self, asleep: bool, now: Instant) {
        self.happened(Happening::Asleep(asleep));
        self.asleep = asleep;
        self.drive(now);
    }

    /// When the module falls asleep by itself, if nothing happens until then.
    pub(super) fn sleep_due(&self) -> Option<Instant> {
        let after = self.profile.quirks.sleep_after?;
        let idle = matches!(self.phase, Phase::Idle) && self.output.waiting() == 0;
        if self.asleep || !idle || self.wakes.is_some() {
            return None;
        }
        let releases = self.ids().any(|id| {
            let open = !self.connections[usize::from(id.0)].is_closed();
            open && self.face.releases_quickly(id)
        });
        let after = if releases { after.min(RELEASE) } else { after };
        Some(self.active + after)
    }

    /// Falls asleep, if it is time.
    pub(super) fn fall_asleep(&mut self, now: Instant) {
        if self.sleep_due().is_some_and(|due| due <= now) {
            self.asleep = true;
        }
    }

    /// Bytes of the host have come: they wake the module. Whether they are heard, too, is the
    /// profile's choice.
    pub(super) fn wake(&mut self, bytes: &[u8], now: Instant) -> bool {
        if std::mem::take(&mut self.asleep) {
            let latency = self.profile.latency.wake;
            self.wakes = Some(now + self.spread(latency));
        }
        self.finish_waking(now);
        let heard = !self.is_waking() || !self.profile.quirks.waking_loses_bytes;
        if !heard {
            tracing::debug!(bytes = bytes.len(), "lost while the module wakes");
            self.lint.lost(bytes, now);
        }
        heard
    }

    /// Is awake, if it is time.
    pub(super) fn finish_waking(&mut self, now: Instant) {
        if self.wakes.is_some_and(|wakes| wakes <= now) {
            self.wakes = None;
            self.active = now;
        }
    }

    /// Whether the module is on its way from a low-power state.
    pub(super) fn is_waking(&self) -> bool {
        self.wakes.is_some()
    }
}
