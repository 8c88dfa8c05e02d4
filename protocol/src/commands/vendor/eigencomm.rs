//! EigenComm's own: the layers of the radio, and the cells.

use crate::commands::VendorSet;
use crate::spec::{Param, SWITCH, Source, Spec};

const LMQTT: &str = "reference lmqtt.md 1.10";

const BARE: &str = "a value of this layer";

/// EigenComm's commands that Lierda's firmware has kept.
pub const MODULE: VendorSet = VendorSet::new("eigencomm", COMMANDS);

#[rustfmt::skip]
const COMMANDS: &[Spec] = &[
    Spec::new("+ECSTATUS", "shows the layers of the radio", Source::seen(LMQTT))
        .takes(&[Param::words(
            "part",
            &["PHY", "L2", "RRC", "EMM", "PLMN", "ESM", "CCM"],
            "one layer alone",
        ).shown("(PHY,L2,RRC,EMM,PLMN,ESM,CCM)")
        .optional()])
        .answers(&[Param::bare("layer", "which layer"), Param::bare("value", BARE).optional()])
        .executes(),
    Spec::new("+ECBCINFO", "lists the cells, in EigenComm's own command", Source::seen(LMQTT))
        .takes(&[Param::number("mode", SWITCH, "how").optional()]).executes(),
];
