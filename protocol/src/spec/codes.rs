use super::Source;

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The number on the wire.
    pub number: i64,
    /// What has happened.
    pub meaning: &'static str,
    /// What to do about it; empty if there is nothing to say.
    pub advice: &'static str,
}

/// The numbers at one place, by which a module says what went wrong.
#[derive(Debug)]
pub struct Codes {
    /// What they are called in a question: `CME 30`.
    pub name: &'static str,
    /// What each of them is.
    pub what: &'static str,
    /// Each number with its meaning.
    pub codes: &'static [Code],
    /// Where they are known from.
    pub source: Source,
}

impl Code {
    /// A number, what has happened, and what to do about it.
    pub const fn new(number: i64, meaning: &'static str, advice: &'static str) -> Self {
        Self {
            number,
            meaning,
            advice,
        }
    }
}

impl Codes {
    /// `+CME ERROR`.
    pub const CME: Self = Self {
        name: "CME",
        what: "an error of the module (+CME ERROR)",
        codes: CME,
        source: Source::standard("27.007 9.2 and reference lmqtt.md 1.10"),
    };

    /// `+CMS ERROR`.
    #[rustfmt::skip]
    pub const CMS: Self = Self {
        name: "CMS",
        what: "an error of a command for short messages (+CMS ERROR)",
        codes: &[
            Code::new(300, "ME failure", ""),
            Code::new(302, "operation not allowed", ""),
            Code::new(303, "operation not supported", ""),
            Code::new(304, "invalid PDU mode parameter", ""),
            Code::new(305, "invalid text mode parameter", ""),
            Code::new(310, "SIM not inserted", ""),
            Code::new(311, "SIM PIN required", "enter it with AT+CPIN"),
            Code::new(313, "SIM failure", "check the SIM"),
            Code::new(316, "SIM PUK required",
                "the PIN was wrong too often; AT+CPIN=\"<puk>\",\"<newpin>\""),
            Code::new(321, "invalid memory index", "there is no such message"),
            Code::new(322, "memory full", "delete messages with AT+CMGD"),
            Code::new(331, "no network service", ""),
            Code::new(500, "unknown error", ""),
        ],
        source: Source::standard("27.005 3.2.5"),
    };

    /// What this number means here.
    pub fn find(&self, number: i64) -> Option<&'static Code> {
        self.codes.iter().find(|code| code.number == number)
    }
}

/// From general knowledge of the standard; the numbers were not looked up.
#[rustfmt::skip]
const CME: &[Code] = &[
    Code::new(0, "phone failure", ""),
    Code::new(1, "no connection to phone", ""),
    Code::new(2, "phone-adaptor link reserved", ""),
    Code::new(3, "operation not allowed",
        "the module refuses a bad parameter, the wrong state or an unknown form alike; `atmq explain` of the command shows what it takes"),
    Code::new(4, "operation not supported", ""),
    Code::new(5, "PH-SIM PIN required", ""),
    Code::new(10, "SIM not inserted", "check the SIM and its slot"),
    Code::new(11, "SIM PIN required", "enter it: AT+CPIN=\"<pin>\""),
    Code::new(12, "SIM PUK required",
        "the PIN was wrong too often; AT+CPIN=\"<puk>\",\"<newpin>\""),
    Code::new(13, "SIM failure", "check the SIM"),
    Code::new(14, "SIM busy", "try again in a few seconds"),
    Code::new(15, "SIM wrong", ""),
    Code::new(16, "incorrect password", "a PIN may be tried three times"),
    Code::new(17, "SIM PIN2 required", ""),
    Code::new(18, "SIM PUK2 required", ""),
    Code::new(20, "memory full", ""),
    Code::new(21, "invalid index", ""),
    Code::new(22, "not found", ""),
    Code::new(23, "memory failure", ""),
    Code::new(24, "text string too long", ""),
    Code::new(25, "invalid characters in text string", ""),
    Code::new(26, "dial string too long", ""),
    Code::new(27, "invalid characters in dial string", ""),
    Code::new(30, "no network service",
        "check antenna, signal (AT+CSQ) and registration (AT+CEREG?)"),
    Code::new(31, "network timeout", "try again"),
    Code::new(32, "network not allowed, emergency calls only", "is the SIM active?"),
    Code::new(50, "incorrect parameters", "`atmq explain` of the command shows what it takes"),
    Code::new(51, "command implemented but currently disabled", ""),
    Code::new(52, "command aborted by user", ""),
    Code::new(53, "not attached to network due to MT functionality restrictions",
        "switch the radio on: AT+CFUN=1"),
    Code::new(100, "unknown", "the module does not know the command; check its spelling"),
    Code::new(103, "illegal MS", "the network rejects the SIM"),
    Code::new(106, "illegal ME", "the network rejects the module's IMEI"),
    Code::new(107, "packet services not allowed", "does the SIM's contract have data?"),
    Code::new(111, "PLMN not allowed", "does the SIM allow this network?"),
    Code::new(112, "location area not allowed", ""),
    Code::new(113, "roaming not allowed in this location area", ""),
    Code::new(132, "service option not supported", ""),
    Code::new(133, "requested service option not subscribed",
        "check the access point (AT+CGDCONT?)"),
    Code::new(134, "service option temporarily out of order", "try later"),
    Code::new(148, "unspecified packet domain error", ""),
    Code::new(149, "PDP authentication failure", "check the credentials of the access point"),
    Code::new(515, "please wait, init or command processing in progress",
        "try again in a few seconds"),
];
