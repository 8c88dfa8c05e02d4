//! Which commands, keys and values announce a secret, and where it stands.

use crate::spec::{Kind, Param, Spec};
use crate::{commands, dialect};

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

/// A command or key with a secret, without its sign, and where the secret is.
type Secret = (&'static [u8], Place);

/// The tables of all commands that are known.
const TABLES: [&[&[Spec]]; 3] = [&dialect::SPECS, &commands::ALL, &commands::ELSEWHERE];

/// Commands with a secret.
pub(super) const COMMANDS: &[Secret] = FOUND.0.all();

/// Keys with a secret, whatever the command; counted from the comma behind the key.
pub(super) const KEYS: &[Secret] = FOUND.1.all();

const FOUND: (Found, Found) = find();

/// The list is made by the compiler, for every line is looked through.
struct Found {
    /// More than there are.
    places: [Secret; 40],
    count: usize,
}

impl Found {
    const NONE: Self = Self {
        places: [(b"", ALL); 40],
        count: 0,
    };

    const fn all(&self) -> &[Secret] {
        self.places.split_at(self.count).0
    }

    const fn add(&mut self, name: &'static str, place: Option<Place>) {
        if let Some(place) = place {
            self.places[self.count] = (without_sign(name), place);
            self.count += 1;
        }
    }
}

const fn find() -> (Found, Found) {
    let (mut commands, mut keys) = (Found::NONE, Found::NONE);
    let mut groups = TABLES.as_slice();
    while let [tables, left @ ..] = groups {
        groups = left;
        let mut tables = *tables;
        while let [specs, left @ ..] = tables {
            tables = left;
            let mut specs = *specs;
            while let [spec, left @ ..] = specs {
                specs = left;
                commands.add(spec.name, secret(spec.parameters, &[], 0));
                let mut known = spec.keys;
                while let ([key, left @ ..], [_, behind @ ..]) = (known, spec.parameters) {
                    known = left;
                    keys.add(key.name, secret(behind, key.values, 1));
                }
            }
        }
    }
    (commands, keys)
}

/// Where the first secret of these is; before them there are so many commas.
const fn secret(mut one: &[Param], other: &[Param], mut commas: usize) -> Option<Place> {
    let (mut texts, mut rest) = (0, other);
    let numbered =
        matches!(one, [first, ..] if matches!(first.kind, Kind::Number(_) | Kind::UpTo(_)));
    loop {
        let value = match (one, rest) {
            ([value, left @ ..], _) => {
                one = left;
                value
            }
            ([], [value, left @ ..]) => {
                rest = left;
                value
            }
            ([], []) => return None,
        };
        if !matches!(value.kind, Kind::Number(_) | Kind::UpTo(_) | Kind::Bare) {
            texts += 1;
        }
        if value.is_secret() {
            return Some(Place {
                commas,
                texts,
                numbered,
            });
        }
        commas += 1;
    }
}

const fn without_sign(name: &str) -> &[u8] {
    match name.as_bytes() {
        [b'+' | b'#', name @ ..] => name,
        name => name,
    }
}

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

/// Of any other unknown command. Look-alikes of `AT+QMTCONN` have the password there.
const UNKNOWN: Place = place(usize::MAX, 3);

/// Of an unknown key, counted as in [`KEYS`].
const UNKNOWN_KEY: Place = place(3, 2);

/// What is known of the parameters of a command.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Parameters {
    /// Nothing but what the [`Place`] says.
    #[default]
    Known,
    /// The first value may be a key with a secret.
    Keyed,
    /// The same; the keys of this command have theirs where its table says, and the command has none
    /// if there are no keys.
    Keys(&'static Spec),
    /// Nothing: any value may announce a secret.
    Unknown,
}

/// The place of the secret in a command that is known to have one; `name` is without its sign.
pub(super) fn of_command(name: &[u8]) -> Option<Place> {
    let known = COMMANDS.iter().find(|(known, _)| *known == name);
    known.map(|(_, place)| *place)
}

/// The command of a dialect.
pub(super) fn of_dialect(name: &[u8]) -> Option<&'static Spec> {
    named(dialect::SPECS.iter(), name)
}

fn named<'t>(
    tables: impl Iterator<Item = &'t &'static [Spec]>,
    name: &[u8],
) -> Option<&'static Spec> {
    let mut known = tables.copied().flatten();
    known.find(|spec| without_sign(spec.name) == name)
}

/// What is known of a command that has no secret of its own, and where its secret may be: also that
/// of a command for which somebody has typed this one.
pub(super) fn of_other(name: &[u8]) -> (Parameters, Option<Place>) {
    let near = COMMANDS.iter().filter(|(known, _)| is_near(name, known));
    let near = near.map(|(_, place)| *place).reduce(Place::nearer);
    if let Some(spec) = named(commands::ALL.iter().chain(&commands::ELSEWHERE), name) {
        return (Parameters::Keys(spec), near);
    }
    let words = WORDS.iter().filter(|(word, _)| contains(name, word));
    let found = words.map(|(_, place)| *place).chain(near);
    (
        Parameters::Unknown,
        Some(found.fold(UNKNOWN, Place::nearer)),
    )
}

/// Where the secret is that a value announces, counted from the comma behind it. `first`: it
/// stands behind the sign.
pub(super) fn of_value(parameters: Parameters, value: &[u8], first: bool) -> Option<Place> {
    let next = Some(place(1, 1));
    if let Parameters::Known = parameters {
        return None;
    }
    if matches!(parameters, Parameters::Unknown)
        && ANNOUNCING.iter().any(|known| is_near(value, known))
    {
        return next;
    }
    if !first {
        return None;
    }
    // The same key may stand elsewhere in other commands.
    if let Parameters::Keys(spec) = parameters
        && let (Some(key), [_, behind @ ..]) = (spec.key(value), spec.parameters)
        && let Some(own) = secret(behind, key.values, 1)
    {
        return Some(own);
    }
    if let Some((key, place)) = KEYS.iter().find(|(key, _)| is_near(value, key)) {
        let exact = key.eq_ignore_ascii_case(value);
        return Some(if exact {
            *place
        } else {
            place.nearer(UNKNOWN_KEY)
        });
    }
    if let Parameters::Keys(spec) = parameters
        && (spec.keys.is_empty() || spec.key(value).is_some())
    {
        return None;
    }
    let mut words = WORDS.iter().filter(|(word, _)| *word != b"CONN");
    match parameters {
        _ if words.any(|(word, _)| contains(value, word)) => next,
        Parameters::Keys(_) => Some(UNKNOWN_KEY),
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
        ([a, one @ ..], [b, other @ ..]) if a.eq_ignore_ascii_case(b) => {
            differ_by(one, other, errors)
        }
        ([], []) => true,
        _ if errors == 0 => false,
        _ => {
            let errors = errors - 1;
            let (one_rest, other_rest) = (one.get(1..), other.get(1..));
            let exchanged = matches!((one, other), ([a, b, ..], [c, d, ..]) if a.eq_ignore_ascii_case(d) && b.eq_ignore_ascii_case(c));
            exchanged && differ_by(&one[2..], &other[2..], errors)
                || one_rest.is_some_and(|rest| differ_by(rest, other, errors))
                || other_rest.is_some_and(|rest| differ_by(one, rest, errors))
                || one_rest
                    .zip(other_rest)
                    .is_some_and(|(one, other)| differ_by(one, other, errors))
        }
    }
}
