//! 3GPP TS 27.007: what the module is, its SIM, its power and its clock.

mod network;

pub use network::{COMMANDS as NETWORK, STATES};

use crate::spec::{Lasting, Latency, Param, SWITCH, Source, Spec, Test};

const TRAFFIC: &str = "reference lmqtt.md 1.10";

/// How long a setting lasts no source says: as most modules do.
const NOWHERE: Source = Source::inferred("no source has it");

/// The commands of the equipment.
#[rustfmt::skip]
pub const COMMANDS: &[Spec] = &[
    Spec::plain("+CGMI", "shows the manufacturer", Source::standard("27.007 5.1")),
    Spec::plain("+CGMM", "shows the model", Source::standard("27.007 5.2")),
    Spec::plain("+CGMR", "shows the revision of the firmware", Source::seen(TRAFFIC)),
    Spec::new("+CGSN", "shows the IMEI or the serial number", Source::seen(TRAFFIC))
        .takes(&[Param::number("snt", SWITCH, "which number").optional()
            .values(&[("0", "the serial number"), ("1", "the IMEI")])])
        .answers(&[Param::text("sn", 32, "the number asked for")]).executes(),
    Spec::new("+WS46", "chooses the radio technology", Source::standard("27.007 5.9"))
        .keeps(&[Param::number("n", &[(28, 28)], "the technology").values(&[("28", "LTE only")])]),
    Spec::new("+CSCS", "chooses the character set of texts", Source::standard("27.007 5.5"))
        .keeps(&[Param::words("chset", &["IRA", "GSM", "UCS2"], "the character set").or("IRA")]),
    Spec::new("+CPAS", "shows whether the module is ready", Source::standard("27.007 8.1"))
        .answers(&[
            Param::number("pas", &[(0, 0), (3, 4)], "the state").values(&[
                ("0", "ready"),
                ("3", "ringing"),
                ("4", "a call is in progress"),
            ]),
        ]).executes(),
    Spec::new("+CBC", "shows the supply of the module", Source::standard("27.007 8.4"))
        .answers(&[
            Param::number("bcs", &[(0, 3)], "the battery").values(&[
                ("0", "the module runs on it"),
                ("1", "there, but the module does not run on it"),
                ("2", "there is none"),
                ("3", "failed"),
            ]),
            Param::number("bcl", &[(0, 100)], "how full it is, in percent"),
        ]).executes(),
    Spec::plain("+CIMI", "shows the IMSI of the SIM", Source::seen(TRAFFIC)),
    Spec::new("+CPIN", "shows whether the SIM can be used, or enters its PIN",
        Source::seen(TRAFFIC))
        .takes(&[
            Param::secret("pin", "the PIN, or the PUK if that is asked for"),
            Param::secret("newpin", "a new PIN, behind the PUK").optional(),
        ])
        .answers(&[Param::bare("code", "the state of the SIM").values(&[
            ("READY", "the SIM can be used"),
            ("SIM PIN", "the SIM waits for its PIN: AT+CPIN=\"<pin>\""),
            ("SIM PUK", "the PIN is locked; the SIM waits for its PUK: AT+CPIN=\"<puk>\",\"<newpin>\""),
        ])]).tested(Test::Nothing).reads().acts().urcs(&["+CPIN"])
        // The SIM loses its power with the module, and what it was told.
        .lasting(Lasting::Start, Source::standard("TS 102 221 9.5.1")),
    Spec::new("+CLCK", "asks whether a lock is on, such as the PIN of the SIM",
        Source::standard("27.007 7.4"))
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
            .values(&[("0", "off"), ("1", "on: the SIM asks for its PIN")])])
        .tested(Test::Lines(&["(\"SC\")"])),
    Spec::new("+CPWD", "changes a PIN", Source::standard("27.007 7.5"))
        .takes(&[
            Param::words("fac", &["SC"], "which one; SC is the SIM's"),
            Param::secret("oldpwd", "the old PIN"),
            Param::secret("newpwd", "the new PIN"),
        ]).tested(Test::Lines(&["(\"SC\",8)"])),
    Spec::new("+CRSM", "describes or reads a file of the SIM", Source::standard("27.007 8.18"))
        .takes(&[
            Param::number("command", &[(0, 255)], "what to do with the file").values(&[
                ("176", "read it"),
                ("178", "read a record of it"),
                ("192", "describe it"),
                ("203", "read an object of it"),
                ("214", "write it"),
                ("219", "write an object of it"),
                ("220", "write a record of it"),
                ("242", "describe it, or the application in use"),
            ]),
            Param::number("fileid", &[(0, 65535)], "which file").optional().values(&[
                ("12032", "the applications of the card"),
                ("12258", "the ICCID"),
                ("28423", "the IMSI"),
                ("28589", "administrative data"),
            ]),
            Param::number("P1", &[(0, 255)], "where it begins, or which record").optional(),
            Param::number("P2", &[(0, 255)], "where it begins, or how records count").optional(),
            Param::number("P3", &[(0, 255)], "how many bytes, 0 for all").optional(),
            Param::text("data", 512, "what is written, in hexadecimal digits").optional(),
            Param::text("pathid", 32, "the directories down to the file, in hexadecimal digits")
                .optional(),
        ])
        .answers(&[
            Param::number("sw1", &[(0, 255)], "the SIM's verdict").values(&[
                ("144", "done"),
                ("103", "wrong length"),
                ("105", "not allowed"),
                ("106", "not found"),
                ("107", "outside of the file"),
                ("109", "no such command"),
            ]),
            Param::number("sw2", &[(0, 255)], "more on the verdict"),
            Param::text("response", 512, "what was read, in hexadecimal digits").optional(),
        ]).tested(Test::Nothing),
    Spec::plain("+CNUM", "shows the SIM's own numbers", Source::standard("27.007 7.1")),
    Spec::new("+CFUN", "switches the radio, and can reboot the module", Source::seen(TRAFFIC))
        .takes(&[
            Param::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS),
            Param::number("rst", SWITCH, "whether to reboot").or("0").optional()
                .values(&[("0", "no"), ("1", "reboot")]),
        ]).answers(&[Param::number("fun", &[(0, 1), (4, 4)], "the level").values(LEVELS)]).reads()
        .lasts(Latency::Radio)
        .lasting(Lasting::Start, NOWHERE),
    Spec::new("+CCLK", "shows or sets the clock", Source::seen(TRAFFIC)).takes(TIME).answers(TIME)
        .tested(Test::Lines(&["\"yy/MM/dd,hh:mm:ss+zz\""])).reads()
        .lasting(Lasting::Always, NOWHERE),
    Spec::new("+CTZU", "chooses whether the network sets the clock",
        Source::standard("27.007 8.40")).keeps(&[Param::switch("onoff", "network time").or("1")]),
    Spec::new("+CTZR", "chooses whether changes of the time zone are reported",
        Source::standard("27.007 8.41"))
        .keeps(&[Param::number("reporting", &[(0, 2)], "reports").or("0")
            .values(&[("0", "none"), ("1", "the time zone"), ("2", "the time zone and the time")])])
        .urcs(&["+CTZV", "+CTZE"]),
    Spec::new("+CMEE", "chooses how errors are reported", Source::standard("27.007 9.1"))
        .keeps(&[Param::number("n", &[(0, 2)], "the form of errors").or("0")
            .values(&[
                ("0", "ERROR alone"),
                ("1", "+CME ERROR with a number"),
                ("2", "+CME ERROR in words"),
            ])]),
    Spec::plain("+CLAC", "lists the commands", Source::standard("27.007 8.37")),
];

const TIME: &[Param] = &[Param::text(
    "time",
    24,
    "local time yy/MM/dd,hh:mm:ss and its distance from UTC in quarters of an hour",
)];

const LEVELS: &[(&str, &str)] = &[
    ("0", "minimum: radio and SIM off"),
    ("1", "full"),
    ("4", "radio off"),
];

/// Commands that no module here has; what in them is a secret is hidden all the same.
#[rustfmt::skip]
pub const ELSEWHERE: &[Spec] = &[
    Spec::new("+CGAUTH", "sets the credentials of a packet data context",
        Source::standard("27.007 10.1.31"))
    // Vendors do not agree on which comes first, the user or the password.
        .takes(&[
            Param::number("cid", &[(1, 15)], "which packet data context"),
            Param::number("auth_prot", &[(0, 2)], "the method"),
            Param::secret("userid", "the user name, or the password"),
            Param::secret("password", "the password, or the user name"),
        ]),
    Spec::new("+CSIM", "sends the SIM a command", Source::standard("27.007 8.17"))
        .takes(&[
            Param::number("length", &[(0, 520)], "how many digits follow"),
            // It may be a PIN.
            Param::secret("command", "the command, in hexadecimal digits"),
        ]),
];
