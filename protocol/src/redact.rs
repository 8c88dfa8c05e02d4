//! What of a line must not be seen by others: passwords, PINs, device secrets, private keys.
//!
//! This is the one place that decides it, for the driver's `Debug` output, taps and logs, the
//! emulator's linter, captures, the shell's history and JSON. Commands that are known have their
//! secrets where their tables say ([`spec`](crate::spec)). Of a command or key that is not known, such as one with a
//! typing error, too much is hidden rather than too little.

mod table;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use crate::at::command::is_sign;

use self::table::{Parameters, Place, contains};

/// What stands for a secret.
pub const HIDDEN: &[u8] = b"***";

/// What announces a private key in PEM, without blanks; `EC`, `RSA` or the like may stand between.
const PRIVATE_KEY: [&[u8]; 2] = [b"-----BEGIN", b"PRIVATEKEY-----"];

/// A header of HTTP that holds a password or a token, also behind `Proxy-`.
const AUTHORIZATION: &[u8] = b"AUTHORIZATION";

/// What a module may call a secret where it shows its settings a line each, without the name of the
/// command; other words may stand before it.
const CALLED: [&[u8]; 2] = [b"PASSWORD", b"SECRET"];

/// Longer than any name.
const TAIL: usize = 40;

/// So much of a line can be typed anew with the backspace. Ours: longer than the longest name.
const EDITABLE: usize = 256;

/// Replaces the secrets in one direction of a line, byte by byte: nothing is held back, and any
/// split of the stream gives the same. What the module echoes is written as the host writes it, so
/// that both directions are looked through alike.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    line: Line,
    /// What has been typed of the line, to be read again when a backspace takes some of it back.
    typed: Vec<u8>,
    hiding: Hiding,
    /// Whether the last byte was hidden.
    hidden: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Hiding {
    #[default]
    Nothing,
    /// The value is about to begin.
    Next(Next),
    /// The rest of the line: whether it began with a quote, and whether the last byte was one.
    Value { quoted: bool, ended: bool },
    /// A key, of whose end so many hyphens have come.
    Key { hyphens: usize },
}

/// What is known of a secret that is about to begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Next {
    /// It may be an answer in words, as `+CPIN: READY` is.
    worded: bool,
    /// A semicolon has come: it is another command if a name follows.
    chained: bool,
}

enum Seen {
    /// It may be shown, and before it these bytes, which were hidden when they came.
    Shown(&'static [u8]),
    Hidden,
}

/// What may be shown of whole lines, with `***` for each secret.
pub fn redacted(bytes: &[u8]) -> Vec<u8> {
    let (mut redactor, mut out) = (Redactor::default(), Vec::with_capacity(bytes.len()));
    redactor.redact(bytes, &mut out);
    out.extend_from_slice(redactor.end());
    out
}

/// Where the secrets stand in whole lines, in order and apart from each other.
pub fn secrets(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut redactor = Redactor::default();
    let mut found = redactor.find(bytes);
    if let Some(last) = found.last_mut()
        && last.end == bytes.len()
    {
        last.end -= redactor.end().len().min(last.len());
    }
    found
}

impl Redactor {
    /// Appends what may be shown of the bytes, with `***` for each secret.
    pub fn redact(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            let hidden = self.hidden;
            match self.take(*byte) {
                Seen::Shown(earlier) => {
                    out.extend_from_slice(earlier);
                    out.push(*byte);
                }
                Seen::Hidden if hidden => {}
                Seen::Hidden => out.extend_from_slice(HIDDEN),
            }
        }
    }

    /// Where the secrets stand in the bytes, in order and apart from each other.
    pub fn find(&mut self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            match (self.take(*byte), found.last_mut()) {
                (Seen::Shown(earlier), Some(last)) if last.end == at => {
                    last.end = last.start.max(at.saturating_sub(earlier.len()));
                }
                (Seen::Shown(_), _) => {}
                (Seen::Hidden, Some(last)) if last.end == at => last.end = at + 1,
                (Seen::Hidden, _) => found.push(at..at + 1),
            }
        }
        found
    }

    /// What of the end was hidden and is none of the secret, once nothing follows.
    fn end(&self) -> &'static [u8] {
        match self.hiding {
            // So the line can still be read as a command.
            Hiding::Value {
                quoted: true,
                ended: true,
            } => b"\"",
            _ => b"",
        }
    }

    fn take(&mut self, byte: u8) -> Seen {
        let seen = self.judge(byte);
        self.hidden = matches!(seen, Seen::Hidden);
        seen
    }

    fn judge(&mut self, byte: u8) -> Seen {
        let ends_line = matches!(byte, b'\r' | b'\n');
        if self.hiding == Hiding::Nothing && self.line.is_secret_from(byte) {
            self.hiding = Hiding::Next(Next::default());
        }
        match &mut self.hiding {
            Hiding::Nothing => {}
            Hiding::Key { hyphens } => {
                *hyphens = if byte == b'-' { *hyphens + 1 } else { 0 };
                if *hyphens < 5 {
                    return Seen::Hidden;
                }
                self.end_line();
                return Seen::Shown(b"----");
            }
            Hiding::Next(next) => match byte {
                b'\r' | b'\n' | b' ' | b'\t' | b'=' | b'?' | b':' => {}
                b';' => next.chained = true,
                _ if next.chained && (is_sign(byte) || byte.is_ascii_alphabetic()) => {
                    self.hiding = Hiding::Nothing;
                    self.line.place = None;
                }
                _ if next.worded && byte != b'"' && !byte.is_ascii_digit() => {
                    self.hiding = Hiding::Nothing;
                    self.line.place = None;
                }
                _ => {
                    let quoted = byte == b'"';
                    let ended = false;
                    self.hiding = Hiding::Value { quoted, ended };
                    // The opening quote is shown.
                    return if quoted {
                        Seen::Shown(b"")
                    } else {
                        Seen::Hidden
                    };
                }
            },
            Hiding::Value { ended, .. } if !ends_line => {
                *ended = byte == b'"';
                return Seen::Hidden;
            }
            Hiding::Value { .. } => {}
        }
        let earlier = self.end();
        match byte {
            b'\r' | b'\n' => self.end_line(),
            0x08 | 0x7f => self.take_back(),
            _ => self.read(byte),
        }
        Seen::Shown(earlier)
    }

    /// Reads a byte that is no secret.
    fn read(&mut self, byte: u8) {
        if self.typed.len() < EDITABLE {
            self.typed.push(byte);
        }
        if matches!(self.hiding, Hiding::Next(_)) || matches!(byte, b' ' | b'\t') {
            return;
        }
        self.hiding = self.line.read(byte.to_ascii_uppercase());
    }

    fn take_back(&mut self) {
        if self.typed.len() == EDITABLE {
            // What is not known to be taken back still counts, so that a secret is rather hidden
            // too early.
            return;
        }
        let mut typed = core::mem::take(&mut self.typed);
        typed.pop();
        self.end_line();
        for byte in typed {
            self.read(byte);
        }
    }

    fn end_line(&mut self) {
        self.line = Line::default();
        self.typed.clear();
        self.hiding = Hiding::Nothing;
    }
}

/// What is known so far of a line.
#[derive(Debug, Clone, Default)]
struct Line {
    /// The last bytes, without blanks, in capitals.
    tail: Vec<u8>,
    /// How many bytes the line has, without blanks.
    length: usize,
    /// It is a command line, and not an answer: heuristics apply.
    command: bool,
    /// A command of the dialect has come, to which all that follows belongs.
    owned: bool,
    /// Within quotes.
    quoted: bool,
    /// What stands behind the name of the command.
    parameters: Parameters,
    place: Option<Place>,
}

impl Line {
    /// Whether the secret begins with this byte, of which nothing before has told.
    fn is_secret_from(&self, byte: u8) -> bool {
        match byte {
            b'"' if self.is_last_text() => true,
            // The sign is missing.
            b'"' | b'0'..=b'9' => self.secret_command().is_some_and(|place| place.commas == 0),
            _ => false,
        }
    }

    fn is_last_text(&self) -> bool {
        !self.quoted && self.place.is_some_and(|place| place.texts == 1)
    }

    /// Whether the line is the name of a secret so far, and nothing else.
    fn is_called_secret(&self) -> bool {
        CALLED.iter().any(|name| self.tail.ends_with(name))
            && self.length == self.tail.len()
            && self.tail.iter().all(u8::is_ascii_alphabetic)
    }

    /// Reads a byte that is no blank, in capitals. Whether a secret follows.
    fn read(&mut self, byte: u8) -> Hiding {
        let before = self.tail.last().copied();
        let mut hiding = Hiding::Nothing;
        match byte {
            b':' if self.tail.ends_with(AUTHORIZATION) => hiding = Hiding::Next(Next::default()),
            b':' if self.is_called_secret() => hiding = Hiding::Next(Next::default()),
            b'=' | b'?' | b':' => hiding = self.sign(byte),
            b'"' | b'0'..=b'9' if self.secret_command().is_some() => hiding = self.sign(b'='),
            // Another command.
            _ if is_sign(byte) && before == Some(b';') && !self.quoted && !self.owned => {
                self.place = None;
                self.parameters = Parameters::Known;
            }
            // The ranges of a test form.
            b'(' if !self.command && matches!(before, Some(b',' | b':')) => {
                self.place = None;
                self.parameters = Parameters::Known;
            }
            _ => {}
        }
        if byte == b',' {
            hiding = self.comma();
        } else if let Some(place) = &mut self.place
            && !matches!(byte, b'=' | b'?' | b':')
        {
            if core::mem::take(&mut place.numbered) && !byte.is_ascii_digit() {
                place.commas = place.commas.saturating_sub(1);
            }
            if byte == b'"' && !self.quoted {
                place.texts = place.texts.saturating_sub(1);
            }
        }
        self.quoted ^= byte == b'"';
        self.command |= is_sign(byte) && self.tail.ends_with(b"AT");
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(byte);
        self.length += 1;
        self.command |= self.length == 2 && self.tail == b"AT";
        let [begin, end] = PRIVATE_KEY;
        if self.tail.ends_with(end) && contains(&self.tail, begin) {
            // It is shown again from the next five hyphens on.
            hiding = Hiding::Key { hyphens: 0 };
        }
        hiding
    }

    /// The name at the end of what has come, without its sign.
    fn name(&self) -> Option<&[u8]> {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let begin = self.tail.iter().rposition(|byte| !is_name(byte));
        let begin = begin.map_or(0, |at| at + 1);
        let (before, name) = self.tail.split_at(begin);
        let name = match before.last() {
            Some(sign) if is_sign(*sign) => name,
            Some(b'-') if before == b"AT-" => name,
            // The sign has been forgotten, perhaps with the beginning of the line.
            None if self.length <= TAIL => name.strip_prefix(b"AT").unwrap_or(name),
            _ => return None,
        };
        (!name.is_empty()).then_some(name)
    }

    /// The place of the secret in the command at the end of what has come, if it is known.
    fn secret_command(&self) -> Option<Place> {
        table::of_command(self.name()?)
    }

    /// The secret may stand here, or where it was already known to.
    fn bring(&mut self, place: Option<Place>) {
        self.place = match (self.place, place) {
            (Some(one), Some(other)) => Some(one.nearer(other)),
            (one, other) => one.or(other),
        };
    }

    /// The sign behind a name has come.
    fn sign(&mut self, sign: u8) -> Hiding {
        let Some(name) = self.name() else {
            return Hiding::Nothing;
        };
        // Answers have no other sign than a colon.
        let command = self.command || sign != b':' && self.length == name.len() + 1;
        let ours = table::of_dialect(name);
        let (parameters, place) = match (table::of_command(name), ours) {
            (Some(place), _) => (Parameters::Known, Some(place)),
            (None, Some(ours)) => (Parameters::Keys(ours), None),
            (None, None) if !command => (Parameters::Keyed, None),
            // What belongs to the command before.
            (None, None) if self.owned => (Parameters::Known, None),
            (None, None) => table::of_other(name),
        };
        self.command = command;
        self.owned |= ours.is_some() && command;
        self.parameters = parameters;
        self.bring(place);
        match self.place {
            Some(Place { commas: 0, .. }) => Hiding::Next(Next {
                worded: !command,
                chained: false,
            }),
            _ => Hiding::Nothing,
        }
    }

    /// A value has ended.
    fn comma(&mut self) -> Hiding {
        let begin = self
            .tail
            .iter()
            .rposition(|byte| matches!(byte, b',' | b'=' | b'?' | b':'));
        if let Some(begin) = begin {
            let value = self.tail[begin + 1..].iter().copied();
            let value: Vec<u8> = value.filter(|byte| *byte != b'"').collect();
            let first = self.tail[begin] != b',';
            self.bring(table::of_value(self.parameters, &value, first));
        }
        let Some(place) = &mut self.place else {
            return Hiding::Nothing;
        };
        place.commas = place.commas.saturating_sub(1);
        match place.commas {
            0 => Hiding::Next(Next::default()),
            _ => Hiding::Nothing,
        }
    }
}
