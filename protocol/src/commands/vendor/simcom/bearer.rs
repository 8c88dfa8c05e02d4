//! The bearer that sockets and MQTT go over: a packet data context that a command switches on
//! (reference `sm.md` 4).
//!
//! | line | modules |
//! |---|---|
//! | `AT+CNACT=<pdpidx>,<action>`, `+APP PDP: <pdpidx>,ACTIVE` | SIM7070, SIM7080, SIM7090 |
//! | `AT+CNACT=<mode>[,"<apn>"]`, `+APP PDP: ACTIVE` | SIM7000 |

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::at::command::{Command, Form};
use crate::at::parameter::Parameters;
use crate::dialect::{Act, Event, Face, Finish, Ground, NoData, Refused};
use crate::spec::{Lasting, Param, Source, Spec};

const MANUAL: Source = Source::documented("reference sm.md 4");
const INDEX: Param = Param::number("pdpidx", &[(0, 3)], "which bearer");
/// How many bearers there are.
const COUNT: usize = 4;
/// The longest name of an access point, in bytes (inferred).
const ACCESS_POINT: usize = 100;

#[rustfmt::skip]
pub(super) const COMMANDS: &[Spec] = &[
    Spec::new("+CNACT",
        "switches a bearer on or off: by its number and 1 or 0, or where there is one alone by 1 and the access point, or 0. +APP PDP reports what comes of it",
        MANUAL)
        .takes(&[INDEX, Param::bare("action", "1 on, 0 off; or the access point").optional().shown("(0-2)")])
        .answers(&[
            INDEX,
            Param::number("state", &[(0, 1)], "on or off"),
            Param::bare("address", "the module's address").optional(),
        ]).reads().acts().urcs(&["+APP PDP"])
        .lasting(Lasting::Start, Source::inferred("reference sm.md 4")),
    Spec::new("+CNCFG", "sets the access point of a bearer", MANUAL)
        .takes(&[
            INDEX,
            Param::number("ip_type", &[(0, 3)], "the protocol").values(&[
                ("0", "IPv4 and IPv6"),
                ("1", "IPv4"),
                ("2", "IPv6"),
                ("3", "both, not at once"),
            ]),
            Param::text("apn", ACCESS_POINT, "the access point").optional(),
            Param::text("username", 64, "the user name").optional(),
            Param::secret("password", "the password").optional(),
            Param::number("authentication", &[(0, 3)], "the method").optional(),
        ]).reads()
        .lasting(Lasting::Start, Source::inferred("reference sm.md 3")),
];

/// Which bearers have been switched on.
#[derive(Debug, Default)]
pub(super) struct Bearers {
    /// There is one, without a number.
    single: bool,
    all: [Bearer; COUNT],
}

#[derive(Debug, Default)]
struct Bearer {
    active: bool,
    /// What it is to be, while that is not known.
    wanted: Option<bool>,
    ip_type: u8,
    access_point: String,
}

/// The packet data context behind a bearer (inferred: the first is LTE's default bearer).
fn context(index: usize) -> u8 {
    index as u8 + 1
}

impl Bearers {
    pub(super) fn numbered() -> Self {
        Self::default()
    }

    pub(super) fn single() -> Self {
        Self {
            single: true,
            ..Self::default()
        }
    }

    fn switch(&mut self, values: &mut Parameters<'_>, acts: &mut Vec<Act>) -> Result<(), Refused> {
        let (index, active) = if self.single {
            let active = values.flag("mode")?;
            if let Some(name) = values.optional_text("apn", ACCESS_POINT)? {
                self.all[0].access_point = name.into();
            }
            (0, active)
        } else {
            let index: usize = values.integer("pdpidx", 0, COUNT as i64 - 1)?;
            // 2 is on, and on again by itself.
            (index, values.integer::<u8>("action", 0, 2)? > 0)
        };
        values.end()?;
        let bearer = &mut self.all[index];
        // What is on already is refused (measured), and so is what is off (inferred).
        if bearer.active == active {
            return Err(Refused::NOT_ALLOWED);
        }
        bearer.wanted = Some(active);
        let cid = context(index);
        acts.push(Act::Activate { cid, active });
        Ok(())
    }

    fn configure(&mut self, values: &mut Parameters<'_>) -> Result<(), Refused> {
        let index: usize = values.integer("pdpidx", 0, COUNT as i64 - 1)?;
        let ip_type = values.integer("ip_type", 0, 3)?;
        let access_point = values.optional_text("apn", ACCESS_POINT)?;
        values.optional_text("username", 64)?;
        values.optional_text("password", 64)?;
        values.optional_integer::<u8>("authentication", 0, 3)?;
        values.end()?;
        let bearer = &mut self.all[index];
        bearer.ip_type = ip_type;
        bearer.access_point = access_point.unwrap_or_default().into();
        Ok(())
    }

    /// `+CNACT: 0,1,"<address>"` for each, or `+CNACT: 1,"<address>"`.
    fn show(&self, ground: &dyn Ground) -> String {
        let count = if self.single { 1 } else { COUNT };
        let lines = self.all[..count].iter().enumerate().map(|(index, bearer)| {
            let active = u8::from(bearer.active);
            let address = ground.address(context(index)).filter(|_| bearer.active);
            let address = address.unwrap_or_else(|| "0.0.0.0".into());
            match self.single {
                true => format!("+CNACT: {active},\"{address}\""),
                false => format!("+CNACT: {index},{active},\"{address}\""),
            }
        });
        lines.collect::<Vec<_>>().join("\r\n")
    }

    /// `+CNCFG: 0,1,"<apn>"` for each.
    fn show_configuration(&self) -> String {
        let lines = self.all.iter().enumerate().map(|(index, bearer)| {
            let Bearer {
                ip_type,
                access_point,
                ..
            } = bearer;
            format!("+CNCFG: {index},{ip_type},\"{access_point}\"")
        });
        lines.collect::<Vec<_>>().join("\r\n")
    }
}

impl Face for Bearers {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        match (command.is("+CNACT"), command.form) {
            (_, Form::Test | Form::Execute) => return Err(Refused::NOT_ALLOWED),
            (true, Form::Set(values)) => self.switch(&mut Parameters::new(values), acts)?,
            (true, Form::Read) => acts.push(Act::Say(self.show(ground).into_bytes())),
            (false, _) if self.single => return Err(Refused::Unknown),
            (false, Form::Set(values)) => self.configure(&mut Parameters::new(values))?,
            (false, Form::Read) => acts.push(Act::Say(self.show_configuration().into_bytes())),
        }
        Ok(Finish::Ok)
    }

    fn data(&mut self, _: &[u8], _: &dyn Ground, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    fn no_data(&mut self, _: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(Refused::NOT_ALLOWED)
    }

    /// What others switch on is no bearer of these; one that is lost is lost, whoever has done it.
    fn noticed(&mut self, event: Event, acts: &mut Vec<Act>) {
        let Event::Context { cid, active } = event else {
            return;
        };
        let mut known = self.all.iter_mut().enumerate();
        let Some((index, bearer)) = known.find(|(index, _)| context(*index) == cid) else {
            return;
        };
        let asked = bearer.wanted.take().is_some();
        let lost = bearer.active && !active;
        if asked || lost {
            bearer.active = active;
            let state = if active { "ACTIVE" } else { "DEACTIVE" };
            let line = match self.single {
                true => format!("+APP PDP: {state}"),
                false => format!("+APP PDP: {index},{state}"),
            };
            acts.push(Act::Announce(line.into_bytes()));
        }
    }

    fn restarted(&mut self) {
        *self = Self {
            single: self.single,
            ..Self::default()
        };
    }
}
