//! What the module is, its SIM, its power and its clock.

use crate::spec::{Param, SWITCH};
use crate::spec::{Spec, Source};

const LMQTT: &str = "reference lmqtt.md 1.10";

pub const COMMANDS: &[Spec] = &[
    Spec::new(
        "I",
        "shows what the module is",
        Source::standard("V.250 6.1.3"),
    )
    .takes(&[Param::number("value", &[(0, 9)], "which information").optional()]),
    Spec::new(
        "+CGMI",
        "shows the manufacturer",
        Source::standard("27.007 5.1"),
    ),
    Spec::new("+CGMM", "shows the model", Source::standard("27.007 5.2")),
    Spec::new(
        "+CGMR",
        "shows the revision of the firmware",
        Source::seen(LMQTT),
    ),
    Spec::new(
        "+LGMR",
        "shows the revision of the firmware, in Lierda's own command",
        Source::seen(LMQTT),
    ),
    Spec::new(
        "+CGSN",
        "shows the IMEI or the serial number",
        Source::seen(LMQTT),
    )
    .takes(&[Param::number("snt", SWITCH, "which number")
        .optional()
        .values(&[("0", "the serial number"), ("1", "the IMEI")])])
    .answers(&[Param::text("sn", 32, "the number asked for")]),
    Spec::new(
        "+GMI",
        "shows the manufacturer",
        Source::standard("V.250 6.1.4"),
    ),
    Spec::new("+GMM", "shows the model", Source::standard("V.250 6.1.5")),
    Spec::new(
        "+GMR",
        "shows the revision of the firmware",
        Source::standard("V.250 6.1.6"),
    ),
    Spec::new("+GSN", "shows the IMEI", Source::standard("V.250 6.1.7")),
    Spec::new(
        "+GCAP",
        "lists what the module can do, by which modem managers tell its kind",
        Source::standard("V.250 6.1.9"),
    )
    .answers(&[
        Param::bare("capability", "a command set"),
        Param::bare("capability", "a command set").optional(),
    ]),
    Spec::new(
        "+WS46",
        "chooses the radio technology",
        Source::standard("27.007 5.9"),
    )
    .keeps(&[Param::number("n", &[(28, 28)], "the technology").values(&[("28", "LTE only")])]),
    Spec::new(
        "+CSCS",
        "chooses the character set of texts",
        Source::standard("27.007 5.5"),
    )
    .keeps(&[Param::words("chset", &["IRA", "GSM", "UCS2"], "the character set").or("IRA")]),
    Spec::new(
        "+CPAS",
        "shows whether the module is ready",
        Source::standard("27.007 8.1"),
    )
    .answers(&[
        Param::number("pas", &[(0, 0), (3, 4)], "the state").values(&[
            ("0", "ready"),
            ("3", "ringing"),
            ("4", "a call is in progress"),
        ]),
    ]),
    Spec::new("+CIMI", "shows the IMSI of the SIM", Source::seen(LMQTT)),
    Spec::new(
        "+LCCID",
        "shows the ICCID of the SIM, its card number",
        Source::seen(LMQTT),
    )
    .answers(&[Param::bare("iccid", "the number of the card")]),
    Spec::new(
        "+CPIN",
        "shows whether the SIM can be used, or enters its PIN",
        Source::seen(LMQTT),
    )
    .takes(&[
        Param::secret("pin", "the PIN, or the PUK if that is asked for"),
        Param::secret("newpin", "a new PIN, behind the PUK").optional(),
    ])
    .answers(&[Param::bare("code", "the state of the SIM").values(&[
        ("READY", "the SIM can be used"),
        ("SIM PIN", "the SIM waits for its PIN: AT+CPIN=\"<pin>\""),
        (
            "SIM PUK",
            "the PIN is locked; the SIM waits for its PUK: AT+CPIN=\"<puk>\",\"<newpin>\"",
        ),
    ])]),
    Spec::new(
        "+CLCK",
        "asks whether a lock is on, such as the PIN of the SIM",
        Source::standard("27.007 7.4"),
    )
    .takes(&[
        Param::words("fac", &["SC"], "which lock; SC is the SIM's"),
        Param::number("mode", &[(0, 2)], "what to do").values(&[
            ("0", "unlock"),
            ("1", "lock"),
            ("2", "ask"),
        ]),
        Param::secret("passwd", "the PIN").optional(),
    ])
    .answers(&[Param::number("status", SWITCH, "the lock")
        .values(&[("0", "off"), ("1", "on: the SIM asks for its PIN")])]),
    Spec::new("+CPWD", "changes a PIN", Source::standard("27.007 7.5")).takes(&[
        Param::words("fac", &["SC"], "which one; SC is the SIM's"),
        Param::secret("oldpwd", "the old PIN"),
        Param::secret("newpwd", "the new PIN"),
    ]),
    Spec::new(
        "+CRSM",
        "reads a file of the SIM",
        Source::standard("27.007 8.18"),
    )
    .takes(&[
        Param::number("command", &[(0, 255)], "what to do with the file")
            .values(&[("176", "read it"), ("192", "describe it")]),
        Param::number("fileid", &[(0, 65535)], "which file")
            .optional()
            .values(&[("12258", "the ICCID"), ("28589", "administrative data")]),
        Param::number("P1", &[(0, 255)], "where it begins").optional(),
        Param::number("P2", &[(0, 255)], "where it begins").optional(),
        Param::number("P3", &[(0, 255)], "how many bytes").optional(),
    ])
    .answers(&[
        Param::number("sw1", &[(0, 255)], "the SIM's verdict")
            .values(&[("144", "done"), ("106", "not found")]),
        Param::number("sw2", &[(0, 255)], "more on the verdict"),
        Param::text("response", 512, "what was read, in hexadecimal digits").optional(),
    ]),
    Spec::new(
        "+CNUM",
        "shows the SIM's own numbers",
        Source::standard("27.007 7.1"),
    ),
    Spec::new("+LUIMSLOT", "chooses the SIM slot", Source::seen(LMQTT))
        .keeps(&[Param::number("slot", &[(1, 2)], "the slot").or("1")]),
    Spec::new(
        "+LUIMDUAL",
        "switches the use of two SIMs",
        Source::seen(LMQTT),
    )
    .keeps(&[Param::switch("mode", "two SIMs").or("0")]),
    Spec::new(
        "+CFUN",
        "switches the radio, and can reboot the module",
        Source::seen(LMQTT),
    )
    .takes(&[
        Param::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS),
        Param::number("rst", SWITCH, "whether to reboot")
            .or("0")
            .optional()
            .values(&[("0", "no"), ("1", "reboot")]),
    ])
    .answers(&[Param::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS)]),
    Spec::new("+MPOF", "switches the module off", Source::seen(LMQTT))
        .takes(&[Param::number("mode", &[(1, 1)], "how").values(&[("1", "now")])]),
    Spec::new("+CCLK", "shows or sets the clock", Source::seen(LMQTT)).keeps(&[
        Param::text(
            "time",
            24,
            "local time yy/MM/dd,hh:mm:ss and its distance from UTC in quarters of an hour",
        ),
    ]),
    Spec::new(
        "+CTZU",
        "chooses whether the network sets the clock",
        Source::standard("27.007 8.40"),
    )
    .keeps(&[Param::switch("onoff", "network time").or("1")]),
    Spec::new(
        "+CTZR",
        "chooses whether changes of the time zone are reported",
        Source::standard("27.007 8.41"),
    )
    .keeps(&[Param::number("reporting", &[(0, 2)], "reports")
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
