//! Lierda's own: identity, SIM slots, cells, position and power.

mod http;

pub use http::CODES as HTTP_CODES;

use alloc::boxed::Box;

use crate::commands::VendorSet;
use crate::spec::{Param, Source, Spec};

const LMQTT: &str = "reference lmqtt.md 1.10";

/// Lierda's commands beside those of its MQTT and HTTP clients.
pub const MODULE: VendorSet = VendorSet::new("lierda", COMMANDS);

/// Lierda's HTTP client.
pub const HTTP: VendorSet = VendorSet::new("lhttp", http::COMMANDS)
    .with_face(|limits| Box::new(http::HttpClient::new(limits)));

#[rustfmt::skip]
const COMMANDS: &[Spec] = &[
    Spec::plain("+LGMR", "shows the revision of the firmware, in Lierda's own command",
        Source::seen(LMQTT)),
    Spec::plain("+LCCID", "shows the ICCID of the SIM, its card number", Source::seen(LMQTT))
        .answers(&[Param::bare("iccid", "the number of the card")]),
    Spec::new("+LUIMSLOT", "chooses the SIM slot", Source::seen(LMQTT))
        .keeps(&[Param::number("slot", &[(1, 2)], "the slot").or("1")]),
    Spec::new("+LUIMDUAL", "switches the use of two SIMs", Source::seen(LMQTT))
        .keeps(&[Param::switch("mode", "two SIMs").or("0")]),
    Spec::new("+LCELL", "lists the serving cell and its neighbours", Source::seen(LMQTT))
        .answers(&[
            Param::bare("cell_type", "serving cell or neighbour"),
            Param::bare("mcc", "the country"),
            Param::bare("mnc", "the network"),
            Param::bare("tac", "the tracking area, in hexadecimal digits"),
            Param::bare("cell_id", "the cell, in hexadecimal digits"),
            Param::bare("pci", "the physical cell id"),
            Param::bare("rxlev", "the level"),
            Param::bare("earfcn", "the channel"),
            Param::bare("rsrp", "the signal, in dBm"),
            Param::bare("rsrq", "the quality, in dB"),
            Param::bare("snr", "signal to noise, in dB"),
        ]).reads(),
    Spec::new("+LBS", "locates the module by its cells", Source::seen(LMQTT))
        .takes(&[Param::number("mode", &[(0, 0)], "how")])
        .answers(&[
            Param::bare("lon", "degrees of longitude, east is positive"),
            Param::bare("lat", "degrees of latitude, north is positive"),
        ]).acts(),
    Spec::new("+LBSPARA", "keeps parameters of the locating", Source::seen(LMQTT))
        .keeps(&[Param::text("text", 256, "what it takes is not known").shown("<text>")]),
    Spec::new("+MPOF", "switches the module off", Source::seen(LMQTT))
        .takes(&[Param::number("mode", &[(1, 1)], "how").values(&[("1", "now")])]).acts(),
];
