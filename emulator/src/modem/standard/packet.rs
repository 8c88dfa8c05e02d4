//! The packet domain: attach, packet data contexts, addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Instant;

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::standard::StandardInformation;

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::{Modem, NOT_ALLOWED, PacketEvent, Refused};

/// The context that LTE activates with the attach.
pub(in crate::modem) const DEFAULT_BEARER: u8 = 1;
const CONTEXTS: u8 = 15;
/// The network refuses the access point: requested service option not subscribed (27.007 section
/// 9.2.2.1).
const NOT_SUBSCRIBED: Refused = Refused::Cme(133);
const KINDS: [&str; 3] = ["IP", "IPV6", "IPV4V6"];

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CGATT")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+CGDCONT")
        .read(Action::Run(list_contexts))
        .set(Action::Run(define_context)),
    Definition::new("+CGACT")
        .read(Action::Run(list_states))
        .set(Action::Run(activate)),
    Definition::new("+CGPADDR")
        .test(|modem, _, _| {
            let active = modem.active_contexts();
            let active: Vec<_> = active.iter().map(u8::to_string).collect();
            modem.say("+CGPADDR", format!("({})", active.join(",")));
            Ok(Done::Answered)
        })
        .execute(Action::Shared)
        .set(Action::Shared),
    // Whether events of the packet domain are reported; none is buffered.
    Definition::new("+CGEREP"),
];

/// Whether the packet data context of this number can be used.
pub(in crate::modem) fn can_be_used(
    contexts: &BTreeMap<u8, PacketContext>,
    attached: bool,
    cid: u8,
) -> bool {
    let activated = contexts.get(&cid).is_some_and(|known| known.active);
    attached && (activated || cid == DEFAULT_BEARER)
}

/// The address in a context: that in the first, the profile's, and in others the next ones, if it is
/// an IPv4 address.
pub(in crate::modem) fn address_in(first: &str, cid: u8) -> String {
    match first.parse::<Ipv4Addr>() {
        Ok(address) => {
            let behind = cid.saturating_sub(DEFAULT_BEARER);
            let address = u32::from(address).wrapping_add(behind.into());
            Ipv4Addr::from(address).to_string()
        }
        Err(_) => first.to_owned(),
    }
}

impl Modem {
    /// Whether the packet data context of this number can be used.
    pub(in crate::modem) fn is_active(&self, cid: u8) -> bool {
        can_be_used(&self.contexts, self.is_attached(), cid)
    }

    /// The contexts that can be used, in the order of their numbers.
    fn active_contexts(&self) -> Vec<u8> {
        (1..=CONTEXTS).filter(|cid| self.is_active(*cid)).collect()
    }

    /// The address of an active context.
    fn address(&self, cid: u8) -> String {
        address_in(&self.profile.identity.address, cid)
    }

    /// `+CGPADDR: <cid>,"<address>"` for one active context, or for each.
    pub(in crate::modem) fn tell_addresses(&mut self, wanted: Option<u8>) {
        for cid in self.active_contexts() {
            if wanted.is_none_or(|wanted| wanted == cid) {
                let address = self.address(cid);
                let information = StandardInformation::Address { cid, address };
                self.output.line(|out| information.encode(out));
            }
        }
    }

    /// Defines a packet data context. One that is active stays so, on the access point that it has;
    /// the new one holds from the next activation on.
    pub(in crate::modem) fn define(&mut self, cid: u8, kind: &'static str, access_point: String) {
        let active = self.contexts.get(&cid).is_some_and(|known| known.active);
        let context = PacketContext {
            kind,
            access_point,
            active,
        };
        self.contexts.insert(cid, context);
    }

    /// Activates a packet data context, or deactivates it with every link over it.
    pub(in crate::modem) fn activate(
        &mut self,
        cid: u8,
        on: bool,
        now: Instant,
    ) -> Result<(), Refused> {
        if self.is_active(cid) == on {
            return Ok(());
        }
        if cid == DEFAULT_BEARER || !self.contexts.contains_key(&cid) || !self.is_attached() {
            return Err(NOT_ALLOWED);
        }
        if on && self.refuses(cid) {
            return Err(NOT_SUBSCRIBED);
        }
        if let Some(context) = self.contexts.get_mut(&cid) {
            context.active = on;
        }
        if on {
            self.packet_changed(PacketEvent::Activated(cid), now);
        } else {
            self.packet_changed(PacketEvent::Deactivated(cid), now);
            self.drop_links_of(cid, now);
        }
        Ok(())
    }

    /// The same as a face wants it. Every face is told what comes of it: links over the default
    /// bearer can be had and given up while the bearer itself stays.
    pub(in crate::modem) fn activate_for_face(&mut self, cid: u8, on: bool, now: Instant) {
        let changes = self.is_active(cid) != on;
        if changes && self.activate(cid, on, now).is_ok() {
            return;
        }
        if !on {
            self.drop_links_of(cid, now);
        }
        let active = on && self.is_active(cid);
        self.notice_context(cid, active, now);
    }

    /// Whether the network refuses the access point of a context.
    pub(in crate::modem) fn refuses(&self, cid: u8) -> bool {
        let refused = &self.profile.start.refused_access_points;
        self.contexts.get(&cid).is_some_and(|context| {
            let point = &context.access_point;
            refused.iter().any(|name| name.eq_ignore_ascii_case(point))
        })
    }
}

/// A packet data context that the host has defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::modem) struct PacketContext {
    kind: &'static str,
    access_point: String,
    /// The host has activated it.
    pub(in crate::modem) active: bool,
}

impl Default for PacketContext {
    /// The default bearer of a module that nobody has set up: the network chooses the access
    /// point.
    fn default() -> Self {
        Self {
            kind: KINDS[0],
            access_point: String::new(),
            active: false,
        }
    }
}

/// `+CGDCONT: <cid>,"<type>","<apn>","<address>",0,0` for each.
fn list_contexts(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    for (cid, context) in modem.contexts.clone() {
        let PacketContext {
            kind, access_point, ..
        } = context;
        let address = match modem.is_active(cid) {
            true => modem.address(cid),
            false => String::new(),
        };
        let text = format!("{cid},\"{kind}\",\"{access_point}\",\"{address}\",0,0");
        modem.say("+CGDCONT", text);
    }
    Ok(Done::Answered)
}

/// `AT+CGDCONT=<cid>[,"<type>"[,"<apn>"[,…]]]`; with the number alone the context is undefined. The
/// first one, without which there is no registration, is then as it was at first.
fn define_context(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let cid: u8 = parameters.integer("cid", 1, i64::from(CONTEXTS))?;
    let Some(kind) = parameters.optional_text("type", 8)? else {
        if cid == DEFAULT_BEARER {
            modem.contexts.insert(cid, PacketContext::default());
        } else if modem.is_active(cid) {
            return Err(NOT_ALLOWED);
        } else {
            modem.contexts.remove(&cid);
        }
        return Ok(Done::Answered);
    };
    let kind = KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind));
    let kind = kind.ok_or(NOT_ALLOWED)?;
    let access_point = parameters.optional_text("apn", 100)?.unwrap_or_default();
    // Address and compression may follow; the network assigns the one and LTE has not the other.
    modem.define(cid, kind, access_point.to_owned());
    Ok(Done::Answered)
}

fn list_states(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    let cids: Vec<u8> = modem.contexts.keys().copied().collect();
    for cid in cids {
        let active = u8::from(modem.is_active(cid));
        modem.say("+CGACT", format!("{cid},{active}"));
    }
    Ok(Done::Answered)
}

/// `AT+CGACT=<state>[,<cid>]`, without a number for every context that is defined. The first one
/// comes and goes with the attach; LTE cannot do without it (inferred: 27.007 section 10.1.10 lets
/// the last bearer stay).
fn activate(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    let on = parameters.flag("state")?;
    let cid = parameters.optional_integer("cid", 1, i64::from(CONTEXTS))?;
    parameters.end()?;
    let cids: Vec<u8> = match cid {
        Some(cid) => vec![cid],
        None => modem.contexts.keys().copied().collect(),
    };
    for cid in cids {
        modem.activate(cid, on, now)?;
    }
    Ok(Done::Answered)
}
