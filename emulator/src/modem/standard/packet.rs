//! The packet domain: attach, packet data contexts, addresses.

use std::time::Instant;

use atmq_protocol::parameter::Parameters;

use super::{Action, Definition, Field};
use crate::modem::command::Done;
use crate::modem::{Modem, NOT_ALLOWED, Refused};

/// The context that LTE activates with the attach.
const DEFAULT_BEARER: u8 = 1;
const CONTEXTS: u8 = 15;
const KINDS: [&str; 3] = ["IP", "IPV6", "IPV4V6"];

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CGATT")
        .test(Action::Line("(0,1)"))
        .read(Action::Shared)
        .set(Action::Shared)
        .acts(),
    Definition::new("+CGDCONT")
        .test(Action::Run(|modem, _, _| {
            for kind in KINDS {
                modem.say("+CGDCONT", format!("(1-{CONTEXTS}),\"{kind}\",,,(0),(0)"));
            }
            Ok(Done::Answered)
        }))
        .read(Action::Run(list_contexts))
        .set(Action::Run(define_context)),
    Definition::new("+CGACT")
        .test(Action::Line("(0,1)"))
        .read(Action::Run(list_states))
        .set(Action::Run(activate))
        .acts(),
    Definition::new("+CGPADDR")
        .test(Action::Run(|modem, _, _| {
            let active = if modem.is_attached() { "(1)" } else { "()" };
            modem.say("+CGPADDR", active);
            Ok(Done::Answered)
        }))
        .execute(Action::Shared)
        .set(Action::Shared),
    // Events of the packet domain are not reported.
    Definition::stored("+CGEREP", &[Field::Number(&[(0, 2)], 0), Field::OFF]),
];

impl Modem {
    /// Whether the packet data context of this number can be used.
    pub(in crate::modem) fn is_active(&self, cid: u8) -> bool {
        cid == DEFAULT_BEARER && self.is_attached()
    }
}

/// A packet data context that the host has defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::modem) struct PacketContext {
    kind: &'static str,
    access_point: String,
}

impl Default for PacketContext {
    /// The default bearer of a module that nobody has set up: the network chooses the access
    /// point.
    fn default() -> Self {
        Self {
            kind: KINDS[0],
            access_point: String::new(),
        }
    }
}

/// `+CGDCONT: <cid>,"<type>","<apn>","<address>",0,0` for each.
fn list_contexts(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    let attached = modem.is_attached();
    let address = modem.profile.identity.address.clone();
    for (cid, PacketContext { kind, access_point }) in modem.contexts.clone() {
        let active = attached && cid == DEFAULT_BEARER;
        let address = if active { &address } else { "" };
        let text = format!("{cid},\"{kind}\",\"{access_point}\",\"{address}\",0,0");
        modem.say("+CGDCONT", text);
    }
    Ok(Done::Answered)
}

/// `AT+CGDCONT=<cid>[,"<type>"[,"<apn>"[,…]]]`; with the number alone the context is undefined.
fn define_context(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let cid: u8 = parameters.integer("cid", 1, i64::from(CONTEXTS))?;
    let Some(kind) = parameters.optional_text("type", 8)? else {
        modem.contexts.remove(&cid);
        return Ok(Done::Answered);
    };
    let kind = KINDS.iter().find(|known| known.eq_ignore_ascii_case(kind));
    let kind = kind.ok_or(NOT_ALLOWED)?;
    let access_point = parameters.optional_text("apn", 100)?.unwrap_or_default();
    let access_point = access_point.to_owned();
    // Address and compression may follow; the network assigns the one and LTE has not the other.
    modem
        .contexts
        .insert(cid, PacketContext { kind, access_point });
    Ok(Done::Answered)
}

fn list_states(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    let attached = modem.is_attached();
    let cids: Vec<u8> = modem.contexts.keys().copied().collect();
    for cid in cids {
        let active = attached && cid == DEFAULT_BEARER;
        modem.say("+CGACT", format!("{cid},{}", u8::from(active)));
    }
    Ok(Done::Answered)
}

/// `AT+CGACT=<state>[,<cid>]`. The network grants the default bearer, with the attach, and nothing
/// else; LTE cannot do without it (inferred: 27.007 section 10.1.10 lets the last bearer stay).
fn activate(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let on = parameters.flag("state")?;
    let cid = parameters.optional_integer("cid", 1, i64::from(CONTEXTS))?;
    parameters.end()?;
    let active = cid.is_none_or(|cid: u8| cid == DEFAULT_BEARER) && modem.is_attached();
    if on == active {
        Ok(Done::Answered)
    } else {
        Err(NOT_ALLOWED)
    }
}
