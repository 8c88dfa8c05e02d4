//! Looking for the network, and the registration with it.

use std::time::Instant;

use atmq_protocol::standard::{
    Location, Registration, RegistrationChanged, RegistrationDomain, SimStatus,
};

use super::standard::{DEFAULT_BEARER, LTE};
use super::{Modem, PacketEvent};

/// The cause of an attach that fails with its bearer: ESM failure (24.301 section 9.9.3.9).
const BEARER_FAILED: u8 = 19;

impl Modem {
    /// The registration as the module sees it.
    pub(super) fn registration(&self) -> Registration {
        let sim = self.world.sim.as_ref();
        let usable = sim.is_some_and(|sim| sim.status() == SimStatus::Ready);
        let wanted = self.attach_wanted && self.operator_mode != 2;
        if !self.is_running() || self.functionality != 1 || !usable || !wanted {
            Registration::NotRegistered
        } else if self.search.is_some() && self.world.registration.is_registered() {
            Registration::Searching
        } else if self.bearer_refused && self.world.registration.is_registered() {
            // The attach fails with its bearer.
            Registration::Denied
        } else {
            self.world.registration
        }
    }

    /// Where the module is registered, if it is.
    pub(super) fn location(&self) -> Option<Location> {
        let cell = self.world.cells.first()?;
        self.registration().is_registered().then_some(Location {
            area: cell.area,
            cell: cell.id,
            technology: Some(LTE),
        })
    }

    /// Whether the packet domain can be used: in LTE that goes with the registration.
    pub(super) fn is_attached(&self) -> bool {
        self.registration().is_registered()
    }

    /// Something has changed: the module looks for the network, which takes a while.
    pub(super) fn search(&mut self, now: Instant) {
        let latency = self.profile.latency.registration;
        self.search = Some(now + self.spread(latency));
        self.bearer_refused = self.refuses(DEFAULT_BEARER);
        self.announce_registration(now);
    }

    /// Registers once the network is found.
    pub(super) fn finish_search(&mut self, now: Instant) {
        if self.search.is_some_and(|due| due <= now) {
            self.search = None;
            self.announce_registration(now);
        }
    }

    /// Reports a change of the registration to who has asked for it, and drops the links when it
    /// is lost.
    pub(super) fn announce_registration(&mut self, now: Instant) {
        let (registration, location) = (self.registration(), self.location());
        let announced = std::mem::replace(&mut self.announced, (registration, location));
        // A change of the cell alone is reported to who wants to know the cell.
        let needed = match announced {
            same if same == self.announced => return,
            (before, _) if before != registration => 1,
            _ => 2,
        };
        for domain in RegistrationDomain::ALL {
            let reports = self.settings.number(domain.name());
            if reports >= needed {
                let change = RegistrationChanged {
                    domain,
                    registration,
                    location: location.filter(|_| reports >= 2),
                };
                let line = format!("{change}{}", self.cause(reports));
                self.urc(now, line.as_bytes());
            }
        }
        let (before, is) = (announced.0.is_registered(), registration.is_registered());
        let wanted = self.attach_wanted && self.operator_mode != 2 && self.functionality == 1;
        match (before, is) {
            (false, true) => self.packet_changed(PacketEvent::Activated(DEFAULT_BEARER), now),
            (true, false) if wanted => self.packet_changed(PacketEvent::DetachedByNetwork, now),
            (true, false) => self.packet_changed(PacketEvent::Detached, now),
            _ => {}
        }
        if !is {
            for context in self.contexts.values_mut() {
                context.active = false;
            }
            self.drop_links(now);
        }
    }

    /// `,,,,0,<cause>` behind a registration that is denied, for hosts that have asked for causes
    /// by a number of 3 or 5 (27.007 sections 7.2 and 10.1.22; 0: the cause is one of 24.301).
    pub(super) fn cause(&self, reports: u32) -> String {
        if matches!(reports, 3 | 5) && self.registration() == Registration::Denied {
            let cause = match self.bearer_refused {
                true => BEARER_FAILED,
                false => self.world.rejection,
            };
            format!(",,,,0,{cause}")
        } else {
            String::new()
        }
    }
}
