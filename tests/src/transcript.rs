//! Sessions between host and module, byte for byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::dialect;

/// A session between host and module, byte for byte, typed by hand or captured from hardware.
///
/// ```text
/// # manual: where it comes from
/// H: AT+CSQ\r
/// M: \r\n+CSQ: 29,0\r\n\r\nOK\r\n
/// B: publish 1 "topic" payload
/// ```
///
/// The first line says how sure the session is: `manual`, `captured` or `inferred`. `H:` is what
/// the host sends, `M:` what the module answers, `B:` what happens on the broker's side, `W:` what
/// happens around the module. `\r`, `\n`, `\\`, `\"` and `\xNN` stand for bytes; blanks at the end of
/// a line do not count. A line `# with: <switch>` tells in what the module differs from the default;
/// with `# profile: <name>` it is that of another profile, and a switch a change of that, such as
/// `quirks.cache_slots=2`.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The file's name without folder and ending.
    pub name: String,
    /// The module's profile, if it is not the default.
    pub profile: Option<String>,
    /// In what the module differs from the default.
    pub switches: Vec<String>,
    /// The steps, with their line numbers.
    pub steps: Vec<(usize, Step)>,
}

/// One line of a [`Transcript`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The host sends.
    Host(Vec<u8>),
    /// The module sends.
    Module(Vec<u8>),
    /// Something happens on the broker's side.
    Broker(BrokerStep),
    /// Something happens around the module.
    World(WorldStep),
}

/// What may happen on the broker's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerStep {
    /// `publish <qos> "<topic>" <payload>`: another client publishes.
    Publish {
        /// 0 to 2.
        qos: u8,
        /// Where to.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
    /// `drop`: the broker closes the module's link.
    Drop,
    /// `mute`: what the module sends is lost from here on.
    Mute,
    /// `listen`: it is no longer.
    Listen,
    /// `down`: the broker closes the module's link, and nothing listens there any more.
    Down,
    /// `up`: it listens again.
    Up,
}

/// What may happen around the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldStep {
    /// `no sim`: the SIM is taken out.
    NoSim,
    /// `sim`: one that asks for no PIN is put in.
    Sim,
    /// `sim <pin> <puk>`: one that asks for its PIN is put in.
    LockedSim {
        /// Its PIN.
        pin: String,
        /// Its PUK.
        puk: String,
    },
    /// `registration <stat>`: what the network says of the module, by its number in 27.007.
    Registration(u8),
    /// `rejection <cause>`: why it denies the registration, by its number in 24.301.
    Rejection(u8),
    /// `cell <tac> <id>`: another cell serves the module.
    Cell {
        /// Tracking area code.
        area: u16,
        /// Cell identity.
        id: u32,
    },
    /// `signal <rssi>`: how strong the signal is.
    Signal(u8),
    /// `operator <number> <name>`: who runs the network.
    Operator {
        /// Country code and network code.
        number: String,
        /// What it is called.
        name: String,
    },
    /// `time <seconds> <zone>`: the network tells its time.
    Time {
        /// Since 1970, UTC.
        seconds: u64,
        /// Quarters of an hour east of UTC.
        zone: i8,
    },
    /// `power on`: the module is switched on.
    PowerOn,
    /// `sleep`: the module goes to a low-power state.
    Sleep,
}

impl Transcript {
    /// Reads the transcript `<name>.txt` of a dialect.
    ///
    /// # Panics
    /// It cannot be read or understood.
    pub fn load(dialect: &str, name: &str) -> Self {
        Self::read(&folder(dialect).join(name).with_extension("txt"))
    }

    /// Every transcript of a dialect, by name.
    ///
    /// # Panics
    /// One cannot be read or understood.
    pub fn all(dialect: &str) -> Vec<Self> {
        let entries = fs::read_dir(folder(dialect)).expect("the folder of transcripts can be read");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("an entry can be read").path())
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// The commands that the host types, each as `atmq_emulator::modem::command_forms` writes it.
    pub fn forms(&self) -> BTreeSet<String> {
        let mut forms = BTreeSet::new();
        for (_, step) in &self.steps {
            let Step::Host(bytes) = step else { continue };
            for line in bytes.split(|byte| *byte == b'\r') {
                let Some((b"AT" | b"at", mut rest)) = line.trim_ascii().split_at_checked(2) else {
                    continue;
                };
                loop {
                    let (command, left) = Command::split_first(rest, |name| {
                        dialect::ALL.iter().any(|of| of.owns(name))
                    });
                    let name = String::from_utf8_lossy(command.name).to_uppercase();
                    let form = match command.form {
                        Form::Execute => "",
                        Form::Test => "=?",
                        Form::Read => "?",
                        Form::Set(_) if name.starts_with('+') => "=",
                        Form::Set(_) => "<n>",
                    };
                    forms.insert(format!("AT{name}{form}"));
                    if left.is_empty() {
                        break;
                    }
                    rest = left;
                }
            }
        }
        forms
    }

    fn read(path: &Path) -> Self {
        let at = path.display();
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{at}: {error}"));
        let origin = text.lines().next().unwrap_or_default();
        let marked = ["# manual:", "# captured:", "# inferred:"];
        assert!(
            marked.iter().any(|mark| origin.starts_with(mark)),
            "{at}: the first line must say how sure the session is: {marked:?}"
        );
        let mut steps = Vec::new();
        let profile = text
            .lines()
            .find_map(|line| line.strip_prefix("# profile: "));
        let switches = text
            .lines()
            .filter_map(|line| line.strip_prefix("# with: "));
        let switches = switches.map(|switch| switch.trim().to_owned()).collect();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let step = match line.split_once(": ") {
                Some(("H", bytes)) => Step::Host(unescape(bytes)),
                Some(("M", bytes)) => Step::Module(unescape(bytes)),
                Some(("B", words)) => Step::Broker(broker_step(words)),
                Some(("W", words)) => Step::World(world_step(words)),
                _ => panic!("{at}:{number}: none of H:, M:, B:, W:"),
            };
            steps.push((number, step));
        }
        let name = path.file_stem().expect("a file has a name");
        Self {
            name: name.to_string_lossy().into_owned(),
            profile: profile.map(|name| name.trim().to_owned()),
            switches,
            steps,
        }
    }
}

fn folder(dialect: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("transcripts")
        .join(dialect)
}

fn broker_step(words: &str) -> BrokerStep {
    match words {
        "drop" => return BrokerStep::Drop,
        "mute" => return BrokerStep::Mute,
        "listen" => return BrokerStep::Listen,
        "down" => return BrokerStep::Down,
        "up" => return BrokerStep::Up,
        _ => {}
    }
    let parts = words
        .strip_prefix("publish ")
        .and_then(|rest| rest.split_once(" \""))
        .and_then(|(qos, rest)| Some((qos, rest.split_once("\" ")?)));
    let Some((qos, (topic, payload))) = parts else {
        panic!("not a step of the broker: {words}");
    };
    BrokerStep::Publish {
        qos: qos.parse().expect("the QoS is a number"),
        topic: topic.to_owned(),
        payload: unescape(payload),
    }
}

fn world_step(words: &str) -> WorldStep {
    let words: Vec<_> = words.split(' ').collect();
    let number = |text: &str| text.parse::<u32>().expect("a number stands there");
    match words[..] {
        ["no", "sim"] => WorldStep::NoSim,
        ["sim"] => WorldStep::Sim,
        ["sim", pin, puk] => WorldStep::LockedSim {
            pin: pin.to_owned(),
            puk: puk.to_owned(),
        },
        ["registration", stat] => {
            WorldStep::Registration(u8::try_from(number(stat)).expect("it is below 256"))
        }
        ["rejection", cause] => {
            WorldStep::Rejection(u8::try_from(number(cause)).expect("it is below 256"))
        }
        ["cell", area, id] => WorldStep::Cell {
            area: u16::try_from(number(area)).expect("it is below 65536"),
            id: number(id),
        },
        ["signal", rssi] => WorldStep::Signal(u8::try_from(number(rssi)).expect("it is below 256")),
        ["operator", number, name] => WorldStep::Operator {
            number: number.to_owned(),
            name: name.to_owned(),
        },
        ["time", seconds, zone] => WorldStep::Time {
            seconds: number(seconds).into(),
            zone: zone.parse().expect("the zone is a number"),
        },
        ["power", "on"] => WorldStep::PowerOn,
        ["sleep"] => WorldStep::Sleep,
        _ => panic!("not a step of the world: {words:?}"),
    }
}

/// # Panics
/// An escape is none of those that [`Transcript`] lists.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(literal @ (b'\\' | b'"')) => literal,
            Some(b's') => b' ',
            Some(b'x') => {
                let mut digit = || char::from(rest.next().unwrap_or(b' ')).to_digit(16);
                let (high, low) = (digit(), digit());
                let byte = high.zip(low).map(|(high, low)| high << 4 | low);
                byte.and_then(|byte| u8::try_from(byte).ok())
                    .unwrap_or_else(|| panic!("two hexadecimal digits follow \\x: {text}"))
            }
            other => panic!("no such escape, {other:?}: {text}"),
        });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(unescape(r#"a\r\n\\\"\x1a\xFF\s"#), b"a\r\n\\\"\x1a\xff ");
    }

    #[test]
    fn a_broker_publishes() {
        assert_eq!(
            broker_step(r#"publish 1 "a b" c\x00 "d""#),
            BrokerStep::Publish {
                qos: 1,
                topic: "a b".into(),
                payload: b"c\x00 \"d\"".to_vec(),
            }
        );
    }
}
