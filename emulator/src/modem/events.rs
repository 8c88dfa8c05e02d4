//! What the module reports of its surroundings to a host that has asked for it: indicators, time
//! zone, the packet domain, the SIM.

use std::time::{Instant, SystemTime};

use atmq_protocol::standard::SimStatus;

use super::Modem;
use super::standard::DEFAULT_BEARER;

/// The indicators of `AT+CIND`: battery, signal, service, roaming.
pub(super) type Indicators = [u8; 4];

/// How full the battery is that the module runs on: a supply that does not run out.
pub(super) const BATTERY_PERCENT: u8 = 100;

/// What the packet domain has done (27.007 section 10.1.19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PacketEvent {
    /// The module has activated a context.
    Activated(u8),
    /// The module has deactivated a context.
    Deactivated(u8),
    /// The module has detached.
    Detached,
    /// The network has detached the module.
    DetachedByNetwork,
}

impl Modem {
    /// The indicators as they are.
    pub(super) fn indicators(&self) -> Indicators {
        let signal = match self.signal().rssi {
            rssi @ 0..=31 => rssi.div_ceil(7).min(5),
            _ => 0,
        };
        let service = u8::from(self.is_attached());
        let roaming = u8::from(self.registration().is_roaming());
        [BATTERY_PERCENT / 20, signal, service, roaming]
    }

    /// Whether the host wants to hear of indicators: `AT+CMER=<mode>,,,1` with a mode above 0.
    fn wants_indicators(&self) -> bool {
        let wanted = |at| self.settings.number_at("+CMER", at) > 0;
        wanted(0) && wanted(3)
    }

    /// Whether an indicator has changed that the host has not been told of.
    pub(super) fn owes_indicators(&self) -> bool {
        self.is_running() && self.indicators() != self.told_indicators
    }

    /// `+CIEV: <ind>,<value>` for each indicator that has changed.
    pub(super) fn announce_indicators(&mut self, now: Instant) {
        if !self.owes_indicators() {
            return;
        }
        let indicators = self.indicators();
        let told = std::mem::replace(&mut self.told_indicators, indicators);
        if !self.wants_indicators() {
            return;
        }
        for (number, (value, before)) in (1..).zip(indicators.into_iter().zip(told)) {
            if value != before {
                self.urc(now, format!("+CIEV: {number},{value}").as_bytes());
            }
        }
    }

    /// `+CTZV: "<tz>"`, or `+CTZE: "<tz>",<dst>,"<universal time>"`: the network has told another
    /// time zone (27.007 section 8.41; that the zone is in quotes is what modules were seen to do).
    pub(super) fn announce_zone(&mut self, time: SystemTime, zone: i8, now: Instant) {
        if std::mem::replace(&mut self.told_zone, zone) == zone {
            return;
        }
        match self.settings.number("+CTZR") {
            0 => {}
            1 => self.urc(now, format!("+CTZV: \"{zone:+03}\"").as_bytes()),
            _ => {
                let clock = super::world::date_and_time(time, 0);
                let (date, hour) = (clock.date(), clock.time());
                let line = format!(
                    "+CTZE: \"{zone:+03}\",0,\"{:04}/{:02}/{:02},{:02}:{:02}:{:02}\"",
                    date.year(),
                    u8::from(date.month()),
                    date.day(),
                    hour.hour(),
                    hour.minute(),
                    hour.second(),
                );
                self.urc(now, line.as_bytes());
            }
        }
    }

    /// The packet domain has changed: vendor sets are told, and so is the host after `AT+CGEREP=1` or
    /// 2 (`+CGEV: <event>`).
    pub(super) fn packet_changed(&mut self, event: PacketEvent, now: Instant) {
        match event {
            PacketEvent::Activated(cid) => self.notice_context(cid, true, now),
            PacketEvent::Deactivated(cid) => self.notice_context(cid, false, now),
            PacketEvent::Detached | PacketEvent::DetachedByNetwork => {
                let active = self.contexts.iter().filter(|(_, context)| context.active);
                let others: Vec<u8> = active.map(|(cid, _)| *cid).collect();
                for cid in [DEFAULT_BEARER].into_iter().chain(others) {
                    self.notice_context(cid, false, now);
                }
            }
        }
        if self.settings.number("+CGEREP") == 0 {
            return;
        }
        let line = match event {
            PacketEvent::Activated(cid) => format!("+CGEV: ME PDN ACT {cid}"),
            PacketEvent::Deactivated(cid) => format!("+CGEV: ME PDN DEACT {cid}"),
            PacketEvent::Detached => "+CGEV: ME DETACH".to_owned(),
            PacketEvent::DetachedByNetwork => "+CGEV: NW DETACH".to_owned(),
        };
        self.urc(now, line.as_bytes());
    }

    /// `+CPIN: <state>`, where the profile has it: the SIM was put in, taken out or unlocked.
    pub(super) fn announce_sim(&mut self, now: Instant) {
        if !self.profile.quirks.sim_urc || !self.is_running() {
            return;
        }
        let status = match &self.world.sim {
            Some(sim) => sim.status(),
            None => SimStatus::NotInserted,
        };
        self.urc(now, format!("+CPIN: {status}").as_bytes());
    }
}
