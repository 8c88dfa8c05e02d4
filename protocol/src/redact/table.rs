//! Which commands, keys and values announce a secret, and where it stands.

use crate::dialect::Lmqtt;

/// From where on nothing of a command is shown, counted from the sign behind its name, or from the
/// comma behind its key: behind so many commas, or from this text in quotes on, whichever comes
/// first. A comma or quote within a value moves that place to the front, never to the back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) commas: usize,
    pub(super) texts: usize,
    /// The first value is the number of a connection. Without it, there is a comma less.
    pub(super) numbered: bool,
}

const fn place(commas: usize, texts: usize) -> Place {
    Place {
        commas,
        texts,
        numbered: false,
    }
}

const ALL: Place = place(0, 1);
const CONNECT: Place = Place {
    commas: 3,
    texts: 3,
    numbered: true,
};

/// Commands with a secret, without their sign (reference `lmqtt.md` 1.2, `ecmt.md`, `qmt.md`,
/// `others.md`; 27.007 sections 7.4, 7.5, 8.3, 8.17 and 10.1.31).
pub(super) const COMMANDS: [(&[u8], Place); 9] = [
    (b"LMQTTCONN", CONNECT),
    (b"ECMTCONN", CONNECT),
    (b"QMTCONN", CONNECT),
    (b"CPIN", ALL),
    (b"CLCK", place(2, 2)),
    (b"CPWD", place(1, 2)),
    // Vendors do not agree on which comes first, the user or the password.
    (b"CGAUTH", place(2, 1)),
    (b"QICSGP", place(4, 3)),
    // What is sent to the SIM may be a PIN.
    (b"CSIM", place(1, 1)),
];

/// Keys with a secret, whatever the command (reference `lmqtt.md` 1.3).
const KEYS: [(&[u8], Place); 1] = [(
    b"ALIAUTH",
    Place {
        commas: 4,
        texts: 3,
        numbered: true,
    },
)];

/// In the name of a command that nobody knows, what announces a secret, and where.
const WORDS: [(&[u8], Place); 9] = [
    (b"AUTH", place(2, 1)),
    (b"CONN", CONNECT),
    (b"CRED", ALL),
    (b"KEY", ALL),
    (b"PASS", ALL),
    (b"PSK", ALL),
    (b"PWD", ALL),
    (b"SECRET", ALL),
    (b"TOKEN", ALL),
];

/// Values that announce a secret in the next one, also if mistyped.
const ANNOUNCING: [&[u8]; 7] = [
    b"KEY",
    b"PASSWD",
    b"PASSWORD",
    b"PSK",
    b"PWD",
    b"SECRET",
    b"TOKEN",
];

/// Of any other unknown command. Look-alikes of `AT+LMQTTCONN` have the password there.
const UNKNOWN: Place = place(usize::MAX, 3);

/// Of an unknown key, counted as in [`KEYS`].
const UNKNOWN_KEY: Place = place(3, 2);

/// Commands beside the dialect's with three texts, none of them a secret.
const WITHOUT_SECRETS: [&[u8]; 6] = [
    b"CGDCONT", b"CPMS", b"QMTSUB", b"QMTUNS", b"ECMTSUB", b"ECMTUNS",
];

/// What is known of the parameters of a command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Parameters {
    /// Nothing but what the [`Place`] says.
    #[default]
    Known,
    /// The first value may be a key with a secret.
    Keyed,
    /// The same; this command of the dialect has keys, or other values, without a secret.
    Dialect(&'static str),
    /// Nothing: any value may announce a secret.
    Unknown,
}

/// The place of the secret in a command that is known to have one; `name` is without its sign.
pub(super) fn of_command(name: &[u8]) -> Option<Place> {
    let known = COMMANDS.iter().find(|(known, _)| *known == name);
    known.map(|(_, place)| *place)
}

/// The dialect's name of a command, if it is its.
pub(super) fn of_dialect(name: &[u8]) -> Option<&'static str> {
    let is = |known: &&str| known.strip_prefix('+').map(str::as_bytes) == Some(name);
    Lmqtt::DEFAULT.commands().find(is)
}

/// What is known of a command that has no secret of its own, and where its secret may be.
pub(super) fn of_other(name: &[u8]) -> (Parameters, Option<Place>) {
    if WITHOUT_SECRETS.contains(&name) {
        return (Parameters::Known, None);
    }
    let mistyped = COMMANDS.iter().filter(|(known, _)| is_near(name, known));
    let words = WORDS.iter().filter(|(word, _)| contains(name, word));
    let found = mistyped.chain(words).map(|(_, place)| *place);
    (
        Parameters::Unknown,
        Some(found.fold(UNKNOWN, Place::nearer)),
    )
}

/// Where the secret is that a value announces, counted from the comma behind it. `first`: it
/// stands behind the sign.
pub(super) fn of_value(parameters: Parameters, value: &[u8], first: bool) -> Option<Place> {
    let next = Some(place(1, 1));
    if parameters == Parameters::Known {
        return None;
    }
    if parameters == Parameters::Unknown && ANNOUNCING.iter().any(|known| is_near(value, known)) {
        return next;
    }
    if !first {
        return None;
    }
    if let Some((key, place)) = KEYS.iter().find(|(key, _)| is_near(value, key)) {
        let exact = *key == value;
        return Some(if exact {
            *place
        } else {
            place.nearer(UNKNOWN_KEY)
        });
    }
    if let Parameters::Dialect(name) = parameters
        && Lmqtt::DEFAULT.knows(name.as_bytes(), value)
    {
        return None;
    }
    let mut words = WORDS.iter().filter(|(word, _)| *word != b"CONN");
    match parameters {
        _ if words.any(|(word, _)| contains(value, word)) => next,
        Parameters::Dialect(_) => Some(UNKNOWN_KEY),
        _ => None,
    }
}

impl Place {
    /// The place that comes first.
    pub(super) fn nearer(self, other: Self) -> Self {
        Self {
            commas: self.commas.min(other.commas),
            texts: self.texts.min(other.texts),
            numbered: self.numbered || other.numbered,
        }
    }
}

pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// Whether somebody may have meant the known name: of one with four letters one may be wrong,
/// missing, too much, or exchanged with its neighbour; from seven on two.
fn is_near(name: &[u8], known: &[u8]) -> bool {
    let errors = match known.len() {
        0..=3 => 0,
        4..=6 => 1,
        _ => 2,
    };
    differ_by(name, known, errors)
}

fn differ_by(one: &[u8], other: &[u8], errors: usize) -> bool {
    match (one, other) {
        ([a, one @ ..], [b, other @ ..]) if a == b => differ_by(one, other, errors),
        ([], []) => true,
        _ if errors == 0 => false,
        _ => {
            let errors = errors - 1;
            let (one_rest, other_rest) = (one.get(1..), other.get(1..));
            let exchanged = matches!((one, other), ([a, b, ..], [c, d, ..]) if a == d && b == c);
            exchanged && differ_by(&one[2..], &other[2..], errors)
                || one_rest.is_some_and(|rest| differ_by(rest, other, errors))
                || other_rest.is_some_and(|rest| differ_by(one, rest, errors))
                || one_rest
                    .zip(other_rest)
                    .is_some_and(|(one, other)| differ_by(one, other, errors))
        }
    }
}
