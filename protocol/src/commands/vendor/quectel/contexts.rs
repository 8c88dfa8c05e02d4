//! Packet data contexts: `AT+QICSGP`, `AT+QIACT`, `AT+QIDEACT`, and `+QIURC` (reference `qmt.md` 2.2).
//! An application has its contexts beside the network's bearer: that one stays, and the host activates
//! its own on it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::Secret;
use crate::at::command::{Command, Form};
use crate::dialect::{Act, Event, Face, Finish, Ground, NoData, Refused};
use crate::limits::Limits;
use crate::spec::{Param, Source, Spec, Values};

const QICSGP: &str = "+QICSGP";
const QIACT: &str = "+QIACT";
const QIDEACT: &str = "+QIDEACT";

const PLACE: &str = "reference qmt.md 2.2";
const NOTE: Source = Source::documented(PLACE);

const CONTEXT: Param = Param::number("contextID", &[(1, 16)], "the context");

/// Time limits are the notes'.
#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new(QICSGP, "defines a packet data context, or shows it if its number stands alone", NOTE)
        .takes(&[
            CONTEXT,
            Param::number("context_type", &[(1, 3)], "the protocol")
                .values(&[("1", "IPv4"), ("2", "IPv6"), ("3", "both")]).optional(),
            Param::text("APN", 100, "the access point").optional(),
            Param::text("username", 64, "the user name").optional(),
            Param::secret("password", "the password").optional(),
            Param::number("authentication", &[(0, 3)], "the method").optional()
                .values(&[("0", "none"), ("1", "PAP"), ("2", "CHAP"), ("3", "either")]),
        ]).within(5),
    Spec::new(QIACT,
        "activates a packet data context; one that is active already is an error", Source::measured(PLACE))
        .takes(&[CONTEXT])
        .answers(&[
            CONTEXT,
            Param::number("context_state", &[(0, 1)], "whether it is active"),
            Param::number("context_type", &[(1, 3)], "the protocol"),
            Param::bare("IP_address", "its address"),
        ]).reads().within(150).acts().urcs(&["+QIURC"]),
    Spec::new(QIDEACT, "deactivates a packet data context, with every link over it", NOTE)
        .takes(&[CONTEXT]).within(40).acts(),
];

const ACTIVATION: Duration = Duration::from_secs(150);

/// The contexts of the host. All of it is gone after a reboot.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    defined: Vec<Definition>,
    active: Vec<u8>,
    /// The one that is being activated or deactivated.
    changing: Option<u8>,
}

#[derive(Debug)]
struct Definition {
    cid: u8,
    kind: u8,
    access_point: String,
    username: String,
    password: Secret<'static>,
    method: u8,
}

impl Contexts {
    fn define(
        &mut self,
        values: &mut Values<'_, '_>,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let cid: u8 = values.integer()?;
        let Some(kind) = values.optional_integer()? else {
            values.end()?;
            self.show(cid, acts);
            return Ok(Finish::Ok);
        };
        let mut text = || -> Result<String, Refused> {
            Ok(values.optional_text()?.unwrap_or_default().into())
        };
        let (access_point, username, password) = (text()?, text()?, text()?);
        let method = values.optional_integer()?.unwrap_or(0);
        values.end()?;
        acts.push(Act::DefineContext {
            cid,
            kind: match kind {
                1 => "IP",
                2 => "IPV6",
                _ => "IPV4V6",
            },
            access_point: access_point.clone(),
        });
        self.defined.retain(|known| known.cid != cid);
        self.defined.push(Definition {
            cid,
            kind,
            access_point,
            username,
            password: password.into(),
            method,
        });
        Ok(Finish::Ok)
    }

    /// `+QICSGP: <type>,"<apn>","<user>","<password>",<method>`
    fn show(&self, cid: u8, acts: &mut Vec<Act>) {
        let known = self.defined.iter().find(|known| known.cid == cid);
        let line = match known {
            Some(known) => format!(
                "{QICSGP}: {},\"{}\",\"{}\",\"{}\",{}",
                known.kind,
                known.access_point,
                known.username,
                known.password.expose(),
                known.method
            ),
            None => format!("{QICSGP}: 1,\"\",\"\",\"\",0"),
        };
        acts.push(Act::Say(line.into_bytes()));
    }

    /// `+QIACT: <cid>,1,<type>,"<address>"` for each that is active.
    fn list(&self, ground: &dyn Ground, acts: &mut Vec<Act>) {
        for cid in &self.active {
            let mut defined = self.defined.iter();
            let kind = defined
                .find(|known| known.cid == *cid)
                .map_or(1, |known| known.kind);
            let address = ground.address(*cid).unwrap_or_default();
            let line = format!("{QIACT}: {cid},1,{kind},\"{address}\"");
            acts.push(Act::Say(line.into_bytes()));
        }
    }

    fn change(&mut self, cid: u8, active: bool, acts: &mut Vec<Act>) -> Result<Finish, Refused> {
        match (active, self.active.contains(&cid)) {
            // Measured.
            (true, true) => return Err(Refused::NOT_ALLOWED),
            (false, false) => return Ok(Finish::Ok),
            _ => {}
        }
        self.changing = Some(cid);
        acts.push(Act::Activate { cid, active });
        Ok(Finish::Outcome(ACTIVATION))
    }
}

impl Face for Contexts {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        let spec = COMMANDS.iter().find(|spec| spec.is(command.name));
        let spec = spec.ok_or(Refused::Unknown)?;
        if command.form == Form::Read {
            self.list(ground, acts);
            return Ok(Finish::Ok);
        }
        // Its lengths are its own.
        let limits: &Limits = &crate::dialect::UNKNOWN.limits;
        let values = &mut spec.values(command.form.values(), limits);
        if command.is(QICSGP) {
            return self.define(values, acts);
        }
        let cid = values.integer()?;
        values.end()?;
        self.change(cid, command.is(QIACT), acts)
    }

    fn data(&mut self, _: &[u8], _: &dyn Ground, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Ok(Finish::Ok)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        let Event::Context { cid, active } = event else {
            return;
        };
        let asked = self.changing.take_if(|changing| *changing == cid).is_some();
        let was_active = self.active.contains(&cid);
        self.active.retain(|known| *known != cid);
        if asked {
            let done = match (active, was_active) {
                (true, _) => {
                    self.active.push(cid);
                    Ok(())
                }
                (false, true) => Ok(()),
                (false, false) => Err(Refused::NOT_ALLOWED),
            };
            acts.push(Act::Finish(done));
        } else if was_active && !active {
            acts.push(Act::Announce(
                format!("+QIURC: \"pdpdeact\",{cid}").into_bytes(),
            ));
        } else if was_active {
            self.active.push(cid);
        }
    }

    fn restarted(&mut self) {
        *self = Self::default();
    }
}
