//! What the module is, its SIM, its power and its clock.

use super::parameter::{Parameter, SWITCH};
use super::{Command, Source};

const LMQTT: &str = "reference lmqtt.md 1.10";

pub(super) const COMMANDS: &[Command] = &[
    Command::new(
        "I",
        "shows what the module is",
        Source::standard("V.250 6.1.3"),
    )
    .takes(&[Parameter::number("value", &[(0, 9)], "which information").optional()]),
    Command::new(
        "+CGMI",
        "shows the manufacturer",
        Source::standard("27.007 5.1"),
    ),
    Command::new("+CGMM", "shows the model", Source::standard("27.007 5.2")),
    Command::new(
        "+CGMR",
        "shows the revision of the firmware",
        Source::seen(LMQTT),
    ),
    Command::new(
        "+LGMR",
        "shows the revision of the firmware, in Lierda's own command",
        Source::seen(LMQTT),
    ),
    Command::new(
        "+CGSN",
        "shows the IMEI or the serial number",
        Source::seen(LMQTT),
    )
    .takes(&[Parameter::number("snt", SWITCH, "which number")
        .optional()
        .values(&[("0", "the serial number"), ("1", "the IMEI")])])
    .answers(&[Parameter::text("sn", 32, "the number asked for")]),
    Command::new(
        "+GMI",
        "shows the manufacturer",
        Source::standard("V.250 6.1.4"),
    ),
    Command::new("+GMM", "shows the model", Source::standard("V.250 6.1.5")),
    Command::new(
        "+GMR",
        "shows the revision of the firmware",
        Source::standard("V.250 6.1.6"),
    ),
    Command::new("+GSN", "shows the IMEI", Source::standard("V.250 6.1.7")),
    Command::new(
        "+GCAP",
        "lists what the module can do, by which modem managers tell its kind",
        Source::standard("V.250 6.1.9"),
    )
    .answers(&[
        Parameter::bare("capability", "a command set"),
        Parameter::bare("capability", "a command set").optional(),
    ]),
    Command::new(
        "+WS46",
        "chooses the radio technology",
        Source::standard("27.007 5.9"),
    )
    .keeps(&[Parameter::number("n", &[(28, 28)], "the technology").values(&[("28", "LTE only")])]),
    Command::new(
        "+CSCS",
        "chooses the character set of texts",
        Source::standard("27.007 5.5"),
    )
    .keeps(&[Parameter::words("chset", &["IRA", "GSM", "UCS2"], "the character set").or("IRA")]),
    Command::new(
        "+CPAS",
        "shows whether the module is ready",
        Source::standard("27.007 8.1"),
    )
    .answers(&[
        Parameter::number("pas", &[(0, 0), (3, 4)], "the state").values(&[
            ("0", "ready"),
            ("3", "ringing"),
            ("4", "a call is in progress"),
        ]),
    ]),
    Command::new("+CIMI", "shows the IMSI of the SIM", Source::seen(LMQTT)),
    Command::new(
        "+LCCID",
        "shows the ICCID of the SIM, its card number",
        Source::seen(LMQTT),
    )
    .answers(&[Parameter::bare("iccid", "the number of the card")]),
    Command::new(
        "+CPIN",
        "shows whether the SIM can be used, or enters its PIN",
        Source::seen(LMQTT),
    )
    .takes(&[
        Parameter::secret("pin", "the PIN, or the PUK if that is asked for"),
        Parameter::secret("newpin", "a new PIN, behind the PUK").optional(),
    ])
    .answers(&[Parameter::bare("code", "the state of the SIM").values(&[
        ("READY", "the SIM can be used"),
        ("SIM PIN", "the SIM waits for its PIN: AT+CPIN=\"<pin>\""),
        (
            "SIM PUK",
            "the PIN is locked; the SIM waits for its PUK: AT+CPIN=\"<puk>\",\"<newpin>\"",
        ),
    ])]),
    Command::new(
        "+CLCK",
        "asks whether a lock is on, such as the PIN of the SIM",
        Source::standard("27.007 7.4"),
    )
    .takes(&[
        Parameter::words("fac", &["SC"], "which lock; SC is the SIM's"),
        Parameter::number("mode", &[(0, 2)], "what to do").values(&[
            ("0", "unlock"),
            ("1", "lock"),
            ("2", "ask"),
        ]),
        Parameter::secret("passwd", "the PIN").optional(),
    ])
    .answers(&[Parameter::number("status", SWITCH, "the lock")
        .values(&[("0", "off"), ("1", "on: the SIM asks for its PIN")])]),
    Command::new("+CPWD", "changes a PIN", Source::standard("27.007 7.5")).takes(&[
        Parameter::words("fac", &["SC"], "which one; SC is the SIM's"),
        Parameter::secret("oldpwd", "the old PIN"),
        Parameter::secret("newpwd", "the new PIN"),
    ]),
    Command::new(
        "+CRSM",
        "reads a file of the SIM",
        Source::standard("27.007 8.18"),
    )
    .takes(&[
        Parameter::number("command", &[(0, 255)], "what to do with the file")
            .values(&[("176", "read it"), ("192", "describe it")]),
        Parameter::number("fileid", &[(0, 65535)], "which file")
            .optional()
            .values(&[("12258", "the ICCID"), ("28589", "administrative data")]),
        Parameter::number("P1", &[(0, 255)], "where it begins").optional(),
        Parameter::number("P2", &[(0, 255)], "where it begins").optional(),
        Parameter::number("P3", &[(0, 255)], "how many bytes").optional(),
    ])
    .answers(&[
        Parameter::number("sw1", &[(0, 255)], "the SIM's verdict")
            .values(&[("144", "done"), ("106", "not found")]),
        Parameter::number("sw2", &[(0, 255)], "more on the verdict"),
        Parameter::text("response", 512, "what was read, in hexadecimal digits").optional(),
    ]),
    Command::new(
        "+CNUM",
        "shows the SIM's own numbers",
        Source::standard("27.007 7.1"),
    ),
    Command::new("+LUIMSLOT", "chooses the SIM slot", Source::seen(LMQTT))
        .keeps(&[Parameter::number("slot", &[(1, 2)], "the slot").or("1")]),
    Command::new(
        "+LUIMDUAL",
        "switches the use of two SIMs",
        Source::seen(LMQTT),
    )
    .keeps(&[Parameter::switch("mode", "two SIMs").or("0")]),
    Command::new(
        "+CFUN",
        "switches the radio, and can reboot the module",
        Source::seen(LMQTT),
    )
    .takes(&[
        Parameter::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS),
        Parameter::number("rst", SWITCH, "whether to reboot")
            .or("0")
            .optional()
            .values(&[("0", "no"), ("1", "reboot")]),
    ])
    .answers(&[Parameter::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS)]),
    Command::new("+MPOF", "switches the module off", Source::seen(LMQTT))
        .takes(&[Parameter::number("mode", &[(1, 1)], "how").values(&[("1", "now")])]),
    Command::new("+CCLK", "shows or sets the clock", Source::seen(LMQTT)).keeps(&[
        Parameter::text(
            "time",
            24,
            "local time yy/MM/dd,hh:mm:ss and its distance from UTC in quarters of an hour",
        ),
    ]),
    Command::new(
        "+CTZU",
        "chooses whether the network sets the clock",
        Source::standard("27.007 8.40"),
    )
    .keeps(&[Parameter::switch("onoff", "network time").or("1")]),
    Command::new(
        "+CTZR",
        "chooses whether changes of the time zone are reported",
        Source::standard("27.007 8.41"),
    )
    .keeps(&[Parameter::number("reporting", &[(0, 2)], "reports")
        .or("0")
        .values(&[
            ("0", "none"),
            ("1", "the time zone"),
            ("2", "the time zone and the time"),
        ])]),
];

const LEVELS: &[(&str, &str)] = &[
    ("0", "minimum: radio and SIM off"),
    ("1", "full"),
    ("4", "radio off"),
];
