//! V.250: the command line, the serial line and its settings, the identity.

use crate::spec::{Lasting, OFF_ON, Param, SWITCH, Source, Spec, Test};

const REGISTERS: &str = "V.250 6.2 and 6.3";
const PROFILES: Source = Source::standard("V.250 6.1");

/// A command with a number, which is 0 if it is left out (V.250 section 5.3.1).
const fn basic(
    name: &'static str,
    does: &'static str,
    parameters: &'static [Param],
    place: &'static str,
) -> Spec {
    Spec::new(name, does, Source::standard(place))
        .takes(parameters)
        .executes()
}

/// The same; the number is kept. V.250 has the profile hold it (sections 6.1.1 and 6.1.2).
const fn kept(
    name: &'static str,
    does: &'static str,
    parameters: &'static [Param],
    place: &'static str,
) -> Spec {
    basic(name, does, parameters, place)
        .remembers()
        .lasting(Lasting::Profile, PROFILES)
}

/// A register, whose number can be shown too (V.250 section 5.3.2).
const fn register(name: &'static str, does: &'static str, parameters: &'static [Param]) -> Spec {
    Spec::new(name, does, Source::standard(REGISTERS))
        .takes(parameters)
        .reads()
        .tested(Test::Derived)
        .remembers()
        .lasting(Lasting::Profile, PROFILES)
}

const fn value(ranges: &'static [(i64, i64)], meaning: &'static str) -> Param {
    Param::number("value", ranges, meaning).optional().or("0")
}

const fn character(initial: u32) -> Param {
    let meaning = "the character, by its number in ASCII";
    Param::number("value", &[(0, 127)], meaning).at_first(initial)
}

const PROFILE: &[Param] = &[value(&[(0, 0)], "which stored profile; there is one")];

/// The commands of V.250, and what dialers send besides.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    Spec::new("", "asks whether the module is there", Source::seen("reference lmqtt.md 1.10"))
        .executes(),
    kept(
        "E",
        "switches the echo of what is typed",
        &[Param::number("value", SWITCH, "echo").optional().at_first(1).or("0")
            .values(OFF_ON)],
        "V.250 6.2.4",
    ),
    kept(
        "V",
        "chooses how result codes are written",
        &[Param::number("value", SWITCH, "result codes").optional().at_first(1).or("0")
            .values(&[("0", "as numbers"), ("1", "in words")])],
        "V.250 6.2.6",
    ),
    kept(
        "Q",
        "switches result codes off or on",
        &[Param::number("value", SWITCH, "result codes").optional().or("0")
            .values(&[("0", "sent"), ("1", "suppressed")])],
        "V.250 6.2.5",
    ),
    kept("X", "chooses which result codes a call has",
        &[value(&[(0, 4)], "the selection").at_first(4)], "V.250 6.2.7"),
    kept("L", "sets the loudness of the speaker", &[value(&[(0, 3)], "the loudness")],
        "V.250 6.3.13"),
    kept("M", "sets when the speaker is on", &[value(&[(0, 2)], "the mode")], "V.250 6.3.14"),
    kept("&C", "sets what the line DCD shows", &[value(&[(0, 2)], "the mode").at_first(1)],
        "V.250 6.2.8"),
    kept("&D", "sets what happens when the line DTR goes off", &[value(&[(0, 2)], "the mode")],
        "V.250 6.2.9"),
    kept("&K", "sets the flow control, as dialers do", &[value(&[(0, 6)], "the mode")], "Hayes"),
    kept("\\Q", "sets the flow control, as older dialers do", &[value(&[(0, 3)], "the mode")],
        "Hayes"),
    register("S0", "sets after how many rings a call is answered",
        &[Param::number("value", &[(0, 255)], "rings, 0 for never")]),
    register("S3", "sets the character that ends a line, 13 at first", &[character(13)]),
    register("S4", "sets the character that begins an answer, 10 at first", &[character(10)]),
    register("S5", "sets the character that deletes another, 8 at first", &[character(8)]),
    register("S6", "sets how long to wait before dialling",
        &[Param::number("value", &[(2, 10)], "seconds")]),
    register("S7", "sets how long to wait for a call to be answered",
        &[Param::number("value", &[(1, 255)], "seconds").at_first(60)]),
    register("S8", "sets how long a comma in a number waits",
        &[Param::number("value", &[(0, 255)], "seconds").at_first(2)]),
    register("S10", "sets how long to wait when the carrier is lost",
        &[Param::number("value", &[(1, 254)], "tenths of a second").at_first(15)]),
    basic("&F", "brings back the settings of the factory", PROFILE, "V.250 6.1.2"),
    basic("Z", "brings back the stored settings", PROFILE, "V.250 6.1.1"),
    basic("&W", "stores the settings, so that they survive a reboot", PROFILE, "Hayes"),
    Spec::new("&V", "shows the basic settings", Source::standard("Hayes")).executes(),
    Spec::new("D", "dials; this module has no calls", Source::standard("V.250 6.3.1"))
        .takes(&[Param::bare("number", "what is dialled")]),
    Spec::new("A", "answers a call; this module has none", Source::standard("V.250 6.3.5"))
        .executes(),
    basic("O", "goes back to a call; this module has none", &[value(&[(0, 0)], "how")],
        "V.250 6.3.7"),
    basic("H", "hangs up", &[value(&[(0, 0)], "which call")], "V.250 6.3.6"),
    Spec::new("+IPR", "sets the rate of the serial line; it holds from behind the OK",
        Source::standard("V.250 6.2.10"))
        .keeps(&[Param::number(
            "rate",
            &[
                (0, 0),
                (4800, 4800),
                (9600, 9600),
                (19200, 19200),
                (38400, 38400),
                (57600, 57600),
                (115_200, 115_200),
                (230_400, 230_400),
                (460_800, 460_800),
                (921_600, 921_600),
            ],
            "bits per second, 0 to detect the host's",
        )
        .or("115200")]),
    Spec::new("+ICF", "sets how characters are framed on the serial line",
        Source::standard("V.250 6.2.11"))
        .keeps(&[
            Param::number("format", &[(1, 6)], "data and stop bits").or("3")
                .values(&[
                    ("1", "8 data bits, 2 stop bits"),
                    ("2", "8 data bits, parity, 1 stop bit"),
                    ("3", "8 data bits, 1 stop bit"),
                    ("4", "7 data bits, 2 stop bits"),
                    ("5", "7 data bits, parity, 1 stop bit"),
                    ("6", "7 data bits, 1 stop bit"),
                ]),
            Param::number("parity", &[(0, 3)], "the parity").or("3")
                .values(&[("0", "odd"), ("1", "even"), ("2", "mark"), ("3", "space")]),
        ]),
    Spec::new("+IFC", "sets the flow control of the serial line", Source::standard("V.250 6.2.12"))
        .keeps(&[
            Param::number("by_dte", &[(0, 2)], "how the host stops the module").or("0").values(FLOW),
            Param::number("by_dce", &[(0, 2)], "how the module stops the host").or("0").values(FLOW),
        ]),
    Spec::new("+FCLASS", "chooses between data and fax; there is data alone",
        Source::standard("V.250, as dialers send it")).keeps(&[Param::number("class", &[(0, 0)], "the class").values(&[("0", "data")])]),
    Spec::new("I", "shows what the module is", Source::standard("V.250 6.1.3"))
        .takes(&[Param::number("value", &[(0, 9)], "which information").optional()]).executes(),
    Spec::plain("+GMI", "shows the manufacturer", Source::standard("V.250 6.1.4")),
    Spec::plain("+GMM", "shows the model", Source::standard("V.250 6.1.5")),
    Spec::plain("+GMR", "shows the revision of the firmware", Source::standard("V.250 6.1.6")),
    Spec::plain("+GSN", "shows the IMEI", Source::standard("V.250 6.1.7")),
    Spec::plain("+GCAP", "lists what the module can do, by which modem managers tell its kind",
        Source::standard("V.250 6.1.9"))
        .answers(&[
            Param::bare("capability", "a command set"),
            Param::bare("capability", "a command set").optional(),
        ]),
];

const FLOW: &[(&str, &str)] = &[("0", "none"), ("1", "XON and XOFF"), ("2", "RTS and CTS")];
