//! The network of sockets: `AT+NETOPEN`, `AT+NETCLOSE`, `AT+IPADDR` (reference `cmqtt.md` 8). MQTT
//! does without, but many hosts open it first.

use alloc::format;
use alloc::vec::Vec;

use crate::at::command::{Command, Form};
use crate::dialect::{Act, Event, Face, Finish, Ground, NoData, Refused};
use crate::spec::{Param, SWITCH, Source, Spec};

const NETOPEN: &str = "+NETOPEN";
const NETCLOSE: &str = "+NETCLOSE";
const IPADDR: &str = "+IPADDR";

/// The packet data context of the sockets.
const CID: u8 = 1;

const SEEN: Source = Source::measured("reference cmqtt.md 8");

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::plain(NETOPEN, "opens the network for sockets. What came of it is reported by +NETOPEN", SEEN)
        .answers(&[Param::number("net_state", SWITCH, "whether it is open").values(&[("0", "closed"), ("1", "open")])])
        .reads().reported(NETOPEN, 120).acts(),
    Spec::plain(NETCLOSE, "closes the network for sockets. What came of it is reported by +NETCLOSE", SEEN)
        .reported(NETCLOSE, 120).acts(),
    Spec::plain(IPADDR, "shows the address of the module", SEEN)
        .answers(&[Param::bare("ip_address", "the address")]),
];

/// The module's face.
#[derive(Debug, Default)]
pub(super) struct Network {
    open: bool,
    opening: bool,
}

impl Face for Network {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if command.form == Form::Read {
            let line = format!("{NETOPEN}: {}", u8::from(self.open));
            acts.push(Act::Say(line.into_bytes()));
            return Ok(Finish::Ok);
        }
        // One that is open is not opened again, and without it there is no address (inferred).
        if command.is(NETOPEN) == self.open {
            return Err(Refused::Plain);
        }
        if command.is(NETOPEN) {
            self.opening = true;
            let (cid, active) = (CID, true);
            acts.push(Act::Activate { cid, active });
        } else if command.is(NETCLOSE) {
            self.open = false;
            acts.push(Act::Announce(format!("{NETCLOSE}: 0").into_bytes()));
        } else {
            let address = ground.address(CID).ok_or(Refused::Plain)?;
            acts.push(Act::Say(format!("{IPADDR}: {address}").into_bytes()));
            return Ok(Finish::Ok);
        }
        Ok(Finish::Announced)
    }

    fn data(&mut self, _: &[u8], _: &dyn Ground, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Ok(Finish::Ok)
    }

    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        let Event::Context { cid: CID, active } = event else {
            return;
        };
        if core::mem::take(&mut self.opening) {
            self.open = active;
            acts.push(Act::Announce(
                format!("{NETOPEN}: {}", u8::from(!active)).into_bytes(),
            ));
        } else if self.open && !active {
            self.open = false;
            acts.push(Act::Announce(
                b"+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY".to_vec(),
            ));
        }
    }

    fn restarted(&mut self) {
        *self = Self::default();
    }
}
