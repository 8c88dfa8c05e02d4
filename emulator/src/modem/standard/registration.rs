//! The network: registration, operator, signal, cells, position.

use std::time::Instant;

use atmq_protocol::at::parameter::Parameters;
use atmq_protocol::at::result_code::CmeError;
use atmq_protocol::standard::{
    self, ExtendedSignalQuality, OperatorFormat, OperatorSelection, Registration,
    RegistrationDomain, SignalQuality, StandardInformation,
};

use super::{Action, Definition};
use crate::modem::command::Done;
use crate::modem::world::{Cell, Operator};
use crate::modem::{Modem, NOT_ALLOWED, Refused};

/// E-UTRAN (27.007 section 7.3).
pub(in crate::modem) const LTE: u8 = 7;

/// Not known or not detectable (27.007 section 8.5).
const UNKNOWN_SIGNAL: u8 = 99;

pub(super) const COMMANDS: &[Definition] = &[
    Definition::new("+CREG")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+CGREG")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+CEREG")
        .read(Action::Shared)
        .set(Action::Shared),
    Definition::new("+COPS")
        .test(list_operators)
        .read(Action::Shared)
        .set(Action::Run(select_operator)),
    Definition::new("+CSQ").execute(Action::Shared),
    Definition::new("+CESQ").execute(Action::Shared),
    Definition::new("+CIND").read(Action::Run(tell_indicators)),
    // Of events, indicators alone are reported.
    Definition::new("+CMER"),
    Definition::new("+LCELL").read(Action::Run(list_cells)),
    Definition::new("+ECSTATUS")
        .execute(Action::Run(tell_status))
        .set(Action::Run(tell_status)),
    Definition::new("+ECBCINFO")
        .execute(Action::Run(list_basic_cells))
        .set(Action::Run(list_basic_cells)),
    Definition::new("+LBS").set(Action::Run(tell_position)),
    // What it takes is not known: it is kept and shown (inferred).
    Definition::new("+LBSPARA"),
];

impl Modem {
    /// The registration as the module shows it.
    pub(in crate::modem) fn tell_registration(
        &mut self,
        domain: RegistrationDomain,
    ) -> Result<Done, Refused> {
        let reports = self.settings.number(domain.name());
        let information = StandardInformation::Registration {
            domain,
            // It is 5 at most.
            reports: reports as u8,
            registration: self.registration(),
            location: self.location().filter(|_| reports >= 2),
        };
        let line = format!("{information}{}", self.cause(reports));
        self.say_line(line);
        Ok(Done::Answered)
    }

    /// The signal; none while the radio is off.
    pub(in crate::modem) fn signal(&self) -> SignalQuality {
        if self.functionality == 1 {
            self.world.signal
        } else {
            SignalQuality {
                rssi: UNKNOWN_SIGNAL,
                ber: UNKNOWN_SIGNAL,
            }
        }
    }

    /// A name in the character set of `AT+CSCS`: UCS2 is written as hexadecimal digits (27.007 section
    /// 5.5), the others as it stands.
    fn in_character_set(&self, name: &str) -> String {
        match self.settings.word("+CSCS") {
            "UCS2" => name
                .encode_utf16()
                .map(|unit| format!("{unit:04X}"))
                .collect(),
            _ => name.to_owned(),
        }
    }

    /// What the module measures of its cell, in the steps of 27.007 section 8.69. It needs not be
    /// registered there, but it cannot measure one without hearing it.
    pub(in crate::modem) fn extended_signal(&self) -> ExtendedSignalQuality {
        let heard = self.signal().rssi != UNKNOWN_SIGNAL;
        let cell = self.world.cells.first().filter(|_| heard);
        let (rsrq, rsrp) = cell.map_or((255, 255), |cell| {
            let rsrq = cell.rsrq_db.saturating_mul(2).saturating_add(39);
            let rsrp = cell.rsrp_dbm.saturating_add(140);
            // Both are within a byte now.
            (rsrq.clamp(0, 34) as u8, rsrp.clamp(0, 97) as u8)
        });
        ExtendedSignalQuality::lte(rsrq, rsrp)
    }

    /// The operator whose network serves the module.
    pub(in crate::modem) fn operator(&self) -> OperatorSelection {
        let format = self.operator_format;
        let Operator { number, name } = &self.world.operator;
        let operator = self.is_attached().then(|| standard::Operator {
            format,
            name: match format {
                OperatorFormat::Number => number.clone(),
                OperatorFormat::Long | OperatorFormat::Short => self.in_character_set(name),
            },
            technology: Some(LTE),
        });
        OperatorSelection {
            mode: self.operator_mode,
            operator,
        }
    }

    /// The cell that serves the module, while it is registered.
    fn serving_cell(&self) -> Option<&Cell> {
        let registered = self.registration().is_registered();
        self.world.cells.first().filter(|_| registered)
    }
}

/// `AT+COPS=<mode>[,<format>[,"<oper>"[,<AcT>]]]`: 0 and 1 register, 2 deregisters, 3 chooses how
/// the operator is shown, 4 is as 1 if the operator is there and else as 0 (27.007 section 7.3).
fn select_operator(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    now: Instant,
) -> Result<Done, Refused> {
    let mut mode: u8 = parameters.integer("mode", 0, 4)?;
    let format = parameters.optional_integer("format", 0, 2)?;
    let format = format.and_then(OperatorFormat::from_number);
    let operator = parameters.optional_text("oper", 32)?;
    let technology: Option<u8> = parameters.optional_integer("AcT", 0, 15)?;
    parameters.end()?;
    if mode == 3 {
        modem.operator_format = format.ok_or(NOT_ALLOWED)?;
        return Ok(Done::Answered);
    }
    if mode != 2 && modem.functionality != 1 {
        return Err(Refused::Cme(CmeError::NO_NETWORK));
    }
    if matches!(mode, 1 | 4) {
        let known = &modem.world.operator;
        let name = modem.in_character_set(&known.name);
        let given = operator.ok_or(NOT_ALLOWED)?;
        let found = given == known.number || given == name;
        if !found || technology.is_some_and(|technology| technology != LTE) {
            if mode == 1 {
                return Err(Refused::Cme(CmeError::NO_NETWORK));
            }
            mode = 0;
        }
    }
    if let Some(format) = format {
        modem.operator_format = format;
    }
    let before = std::mem::replace(&mut modem.operator_mode, mode);
    if before == 2 && mode != 2 {
        modem.search(now);
    }
    modem.announce_registration(now);
    Ok(Done::Answered)
}

fn list_operators(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    if modem.functionality != 1 {
        return Err(Refused::Cme(CmeError::NO_NETWORK));
    }
    // 1: available, 2: the current one, 3: forbidden.
    let state = match modem.registration() {
        current if current.is_registered() => 2,
        // Not so where the attach fails with its bearer alone.
        Registration::Denied if !modem.bearer_refused => 3,
        _ => 1,
    };
    let operator = &modem.world.operator;
    let (name, number) = (modem.in_character_set(&operator.name), &operator.number);
    let text = format!("({state},\"{name}\",\"{name}\",\"{number}\",{LTE}),,(0-4),(0-2)");
    modem.say("+COPS", text);
    Ok(Done::Answered)
}

/// Battery, signal, service and roaming, as `AT+CIND=?` lists them.
fn tell_indicators(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    let [battery, signal, service, roaming] = modem.indicators();
    let text = format!("{battery},{signal},{service},{roaming}");
    modem.say("+CIND", text);
    Ok(Done::Answered)
}

/// `+LCELL: "<cell>",<mcc>,<mnc>,<tac>,<cell_id>,<pci>,<rxlev>,<earfcn>,<rsrp>,<rsrq>,<snr>`, the
/// serving cell first. A host takes the fields by their places (seen in code); the words for the
/// two kinds of cells are inferred from the name that it gives the field.
fn list_cells(modem: &mut Modem, _: &mut Parameters<'_>, _: Instant) -> Result<Done, Refused> {
    if modem.serving_cell().is_none() {
        return Ok(Done::Answered);
    }
    let (mcc, mnc) = modem.world.operator.codes();
    let kinds = std::iter::once("servingcell").chain(std::iter::repeat("neighbourcell"));
    let cells = kinds.zip(&modem.world.cells).map(|(kind, cell)| {
        let Cell { area, id, pci, earfcn, rsrp_dbm, rsrq_db, snr_db, .. } = cell;
        let level = rsrp_dbm.saturating_add(140);
        format!("\"{kind}\",{mcc},{mnc},{area:04X},{id:08X},{pci},{level},{earfcn},{rsrp_dbm},{rsrq_db},{snr_db}")
    });
    for cell in cells.collect::<Vec<_>>() {
        modem.say("+LCELL", cell);
    }
    Ok(Done::Answered)
}

/// `+ECBCINFOSC: <earfcn>,<pci>,<rsrp>,<rsrq>,"<mcc>","<mnc>","<cellid>","<tac>"`, and
/// `+ECBCINFONC` for the neighbours, as EigenComm's module source writes them.
fn list_basic_cells(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    parameters.optional_integer::<u8>("mode", 0, 1)?;
    parameters.end()?;
    if modem.serving_cell().is_none() {
        return Ok(Done::Answered);
    }
    let (mcc, mnc) = modem.world.operator.codes();
    let names = std::iter::once("+ECBCINFOSC").chain(std::iter::repeat("+ECBCINFONC"));
    let cells = names.zip(&modem.world.cells).map(|(name, cell)| {
        let Cell {
            area,
            id,
            pci,
            earfcn,
            rsrp_dbm,
            rsrq_db,
            ..
        } = cell;
        let place = format!("\"{mcc}\",\"{mnc}\",\"{id:08X}\",\"{area:04X}\"");
        (name, format!("{earfcn},{pci},{rsrp_dbm},{rsrq_db},{place}"))
    });
    for (name, cell) in cells.collect::<Vec<_>>() {
        modem.say(name, cell);
    }
    Ok(Done::Answered)
}

/// `AT+ECSTATUS[=<part>]`: a line for each layer, with the fields of EigenComm's module source
/// that mean something here.
fn tell_status(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    let wanted = parameters.optional_text("part", 8)?;
    parameters.end()?;
    let registered = modem.registration().is_registered();
    let cell = modem.serving_cell().cloned().unwrap_or_default();
    let Cell {
        area,
        id,
        pci,
        earfcn,
        band,
        rsrp_dbm,
        rsrq_db,
        snr_db,
    } = cell;
    let (mcc, mnc) = modem.world.operator.codes();
    let bearers = u8::from(registered);
    let (rrc, emm, plmn) = if registered {
        ("IDLE", "REG", "SELECTED")
    } else {
        ("CELL SEARCH", "DEREG", "SEARCHING")
    };
    let kind = match modem.registration() {
        other if !other.is_registered() => "UNKNOWN",
        abroad if abroad.is_roaming() => "VPLMN",
        _ => "HPLMN",
    };
    let cfun = modem.functionality;
    // As long as AT+CIMI does not tell it, nobody else does.
    let imsi = match modem.unlocked_sim() {
        Ok(()) => &modem.profile.identity.imsi,
        Err(_) => "",
    };
    let lines = [
        (
            "PHY",
            format!(
                "DlEarfcn:{earfcn}, UlEarfcn:{}, PCI:{pci}, Band:{band}, RSRP:{rsrp_dbm}, RSRQ:{rsrq_db}, SNR:{snr_db}",
                earfcn.saturating_add(18_000)
            ),
        ),
        ("L2", format!("SrbNum:{bearers}, DrbNum:{bearers}")),
        ("RRC", format!("State:\"{rrc}\", TAC:{area}, CellId:{id}")),
        ("EMM", format!("EmmState:\"{emm}\", EmmMode:\"IDLE\"")),
        (
            "PLMN",
            format!("PlmnState:\"{plmn}\", PlmnType:\"{kind}\", SelectPlmn:\"0x{mcc},0x{mnc}\""),
        ),
        ("ESM", format!("ActBearerNum:{bearers}")),
        ("CCM", format!("Cfun:{cfun}, IMSI:\"{imsi}\"")),
    ];
    let known = |part: &str| {
        lines
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(part))
    };
    if wanted.is_some_and(|part| !known(part)) {
        return Err(NOT_ALLOWED);
    }
    for (name, text) in lines {
        if wanted.is_none_or(|part| name.eq_ignore_ascii_case(part)) {
            modem.say("+ECSTATUS", format!("{name}, {text}"));
        }
    }
    Ok(Done::Answered)
}

/// `AT+LBS=0` → `+LBS: <lon>,<lat>`.
fn tell_position(
    modem: &mut Modem,
    parameters: &mut Parameters<'_>,
    _: Instant,
) -> Result<Done, Refused> {
    parameters.integer::<u8>("mode", 0, 0)?;
    parameters.end()?;
    if !modem.is_attached() {
        return Err(Refused::Cme(CmeError::NO_NETWORK));
    }
    let (longitude, latitude) = modem.world.position;
    modem.say("+LBS", format!("{longitude:.6},{latitude:.6}"));
    Ok(Done::Answered)
}
