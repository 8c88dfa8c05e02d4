//! The words that change what surrounds a module while it runs: the same on the console, on the
//! control socket, and for `atmq control`.

use std::time::Duration;

use atmq_emulator::ProfileChange;
use clap::{Parser, Subcommand, ValueEnum};
use time::OffsetDateTime;

use super::awaited::Awaited;
use super::faults::result_in;
use super::values::{
    CELL_MAX, beginning, bytes, connection, digits, milliseconds, network_time, number,
    operator_number, patience, whole,
};
use super::when::When;

/// A line of words.
#[derive(Debug, Parser)]
#[command(
    no_binary_name = true,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub(super) struct Line {
    /// Answer with one line of JSON
    #[arg(long, global = true, overrides_with = "json")]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) word: Word,
}

#[derive(Debug, Subcommand)]
pub(super) enum Word {
    /// take the SIM out, or put one in
    #[command(subcommand)]
    Sim(SimWord),
    /// signal strength 0-31 (99: not known), bit error rate 0-7
    Signal {
        #[arg(value_parser = number::<31>)]
        rssi: u8,
        #[arg(value_parser = number::<7>, default_value = "0")]
        ber: u8,
    },
    /// what the network says of the module
    Registration { state: RegistrationState },
    /// country and network code, name
    Operator {
        #[arg(value_parser = operator_number)]
        number: String,
        name: Option<String>,
    },
    /// area code and identity of the serving cell
    Cell {
        #[arg(value_parser = whole::<0, 65_535, u16>)]
        area: u16,
        #[arg(value_parser = whole::<0, CELL_MAX, u32>)]
        id: u32,
    },
    /// longitude and latitude, in degrees
    #[command(allow_negative_numbers = true)]
    Position { longitude: f64, latitude: f64 },
    /// the network tells its time: now, seconds since 1970, or 2026-11-21T09:05:07+08:00; and its
    /// zone, in quarters of an hour east of UTC
    #[command(allow_negative_numbers = true)]
    Time {
        #[arg(value_parser = network_time)]
        time: NetworkTime,
        #[arg(value_parser = whole::<-48, 56, i8>)]
        zone: Option<i8>,
    },
    /// into a low-power state: URCs are held until the host sends something
    Asleep,
    /// out of it
    Awake,
    /// pull the reset line
    Reboot,
    /// cut the power, or switch the module on
    Power { state: PowerState },
    /// a connection, or all, are closed as by the broker
    Drop {
        #[arg(value_parser = connection)]
        connection: Option<u8>,
    },
    /// what the module sends to brokers is lost from here on
    Mute,
    /// it no longer is
    Unmute,
    /// so much of what the module sends to brokers is lost, in percent
    Loss {
        #[arg(value_parser = whole::<0, 100, u8>)]
        percent: u8,
    },
    /// change a latency of the profile, such as 'latency.command_ms=[300, 800]'
    Set {
        #[arg(value_name = "KEY=VALUE")]
        change: ProfileChange,
    },
    /// the module sends this line as if it were a URC
    Inject {
        /// `\r`, `\n`, `\\` and `\xNN` stand for bytes
        #[arg(value_parser = bytes, allow_hyphen_values = true)]
        line: Bytes,
        /// at once and without line ends
        #[arg(long)]
        raw: bool,
    },
    /// answer the next such command so: lines, then a final result code
    Override {
        #[arg(value_parser = beginning)]
        command: String,
        #[arg(
            required = true,
            allow_hyphen_values = true,
            value_name = "ANSWER [WHEN]"
        )]
        answer: Vec<String>,
    },
    /// execute the next such command so much later; WHEN is after TIME, every NTH, N times, always
    Delay {
        #[arg(value_parser = beginning)]
        command: String,
        #[arg(value_parser = milliseconds, value_name = "MILLISECONDS")]
        by: Duration,
        when: Vec<String>,
    },
    /// lose the next such command: no answer
    Silence {
        #[arg(value_parser = beginning)]
        command: String,
        when: Vec<String>,
    },
    /// lose the final result code of the next such command
    LoseResult {
        #[arg(value_parser = beginning)]
        command: String,
        when: Vec<String>,
    },
    /// lose the next URC that begins so
    LoseUrc {
        #[arg(value_parser = beginning)]
        urc: String,
        when: Vec<String>,
    },
    /// what should go wrong and has not yet
    Faults,
    /// forget what should go wrong and has not yet
    Clear,
    /// wait until the module is so far; 30s unless it is said how long
    Wait {
        #[command(subcommand)]
        state: Awaited,
        #[arg(long, global = true, value_name = "TIME", value_parser = patience, default_value = "30s")]
        timeout: Duration,
    },
    /// how things stand
    #[command(visible_alias = "stats")]
    Status,
    /// these words, or what this one does
    Help { word: Option<String> },
    /// end the program
    Quit,
}

#[derive(Debug, Subcommand)]
pub(super) enum SimWord {
    /// take it out
    Out,
    /// put one in, with a PIN and a PUK if it is to ask for them
    In {
        #[arg(value_parser = digits::<4, 8>)]
        pin: Option<String>,
        #[arg(value_parser = digits::<8, 8>, default_value = "12345678")]
        puk: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RegistrationState {
    Home,
    Roaming,
    Searching,
    Denied,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum PowerState {
    Off,
    On,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum NetworkTime {
    Now,
    At(OffsetDateTime),
    Seconds(u64),
}

/// Bytes that a word stands for.
#[derive(Debug, Clone)]
pub(super) struct Bytes(pub(super) Vec<u8>);

/// The longest line that is read, in bytes, without its end. Ours.
pub(crate) const LINE_LIMIT: usize = 16 * 1024;

impl Line {
    /// Reads a line; `None` if there is nothing on it. The error is one line as well.
    pub(super) fn read(line: &str) -> Option<Result<Self, String>> {
        let Some(words) = shlex::split(line) else {
            return Some(Err("a quote or a backslash is not ended".to_owned()));
        };
        if words.is_empty() {
            return None;
        }
        Some(Self::try_parse_from(words).map_err(|error| {
            let (_, next) = Self::complete(&format!("{line} "));
            on_one_line(&error, &next)
        }))
    }

    /// How long the answer to a line may take, beside the time that the line itself asks for.
    pub(super) fn waits(line: &str) -> Duration {
        match Self::read(line) {
            Some(Ok(Self {
                word: Word::Wait { timeout, .. },
                ..
            })) => timeout,
            _ => Duration::ZERO,
        }
    }

    /// All words, each with its parameters and what it does.
    pub(super) fn help() -> Vec<(String, String)> {
        let command = <Self as clap::CommandFactory>::command();
        let mut words = Vec::new();
        list("", &command, &mut words);
        words
    }

    /// What the last word of a line may be, and where that begins.
    pub(super) fn complete(line: &str) -> (usize, Vec<String>) {
        let start = line.rfind(' ').map_or(0, |blank| blank + 1);
        let (before, begun) = line.split_at(start);
        let whole = <Self as clap::CommandFactory>::command();
        let mut command = &whole;
        let mut given = Vec::new();
        // Nothing is known of what stands behind an open quote.
        let Some(words) = shlex::split(before) else {
            return (start, Vec::new());
        };
        for word in &words {
            match command.find_subcommand(word) {
                Some(found) => command = found,
                None => given.push(&**word),
            }
        }
        let place = given.len();
        let names = command
            .get_subcommands()
            .map(|word| word.get_name().to_owned());
        let values = command.get_positionals().nth(place);
        let values = values
            .map(clap::Arg::get_possible_values)
            .unwrap_or_default();
        let values = values.iter().map(|value| value.get_name().to_owned());
        let when = when_begins(command, &given).map(|from| When::complete(&given[from..]));
        let when = when.unwrap_or_default().iter().map(ToString::to_string);
        let candidates = names.chain(values).chain(when);
        let candidates = candidates.filter(|word| word.starts_with(begun));
        (start, candidates.collect())
    }
}

/// Which of the words behind a fault's are the first that say when, if those may stand here.
fn when_begins(command: &clap::Command, given: &[&str]) -> Option<usize> {
    if let Some((_, answer)) = given.split_first()
        && command.get_name() == "override"
    {
        return result_in(answer).map(|(end, _)| end + 2);
    }
    let mut positionals = command.get_positionals();
    let at = positionals.position(|positional| positional.get_id() == "when")?;
    (given.len() >= at).then_some(at)
}

/// The options of a word, as they are typed behind it.
fn options(word: &clap::Command) -> String {
    let options = word.get_arguments().filter_map(|option| {
        let name = option.get_long()?;
        let value = option
            .get_action()
            .takes_values()
            .then(|| value_name(option));
        let value = value.map(|value| format!(" {value}")).unwrap_or_default();
        Some(format!(" [--{name}{value}]"))
    });
    options.collect()
}

fn value_name(parameter: &clap::Arg) -> String {
    let names = parameter.get_value_names().unwrap_or_default();
    match names.first() {
        Some(name) => name.to_string(),
        None => parameter.get_id().as_str().to_uppercase(),
    }
}

fn list(before: &str, command: &clap::Command, words: &mut Vec<(String, String)>) {
    for word in command.get_subcommands() {
        let name = format!("{before}{}", word.get_name());
        if word.has_subcommands() {
            let first = words.len();
            list(&format!("{name} "), word, words);
            for (usage, _) in &mut words[first..] {
                usage.push_str(&options(word));
            }
            continue;
        }
        let mut usage = name;
        for parameter in word.get_positionals() {
            let values = parameter.get_possible_values();
            let value = if values.is_empty() {
                value_name(parameter)
            } else {
                let values: Vec<_> = values
                    .iter()
                    .map(clap::builder::PossibleValue::get_name)
                    .collect();
                values.join("|")
            };
            if parameter.is_required_set() {
                usage.push_str(&format!(" {value}"));
            } else {
                usage.push_str(&format!(" [{value}]"));
            }
        }
        usage.push_str(&options(word));
        let about = word.get_about().map(ToString::to_string);
        words.push((usage, about.unwrap_or_default()));
    }
}

/// What clap has to say, without its usage. `next`: the words that may stand behind those given.
fn on_one_line(error: &clap::Error, next: &[String]) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraphs = text.split("\n\n").map(str::trim);
    let told = paragraphs.filter(|part| {
        let noise = ["Usage:", "For more information", "tip: to pass"];
        !part.is_empty() && !noise.iter().any(|noise| part.starts_with(noise))
    });
    let words = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let told: Vec<_> = told.map(words).collect();
    if told.is_empty()
        || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        return match next {
            [] => "a word is missing; help lists them".to_owned(),
            next => format!("a word is missing: {}", next.join(", ")),
        };
    }
    // To who types them they are words.
    told.join("; ").replace("subcommand", "word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_when_is_completed_where_it_may_stand() {
        for (line, expected) in [
            ("fau", &["faults"][..]),
            ("wait c", &["connected", "closed"]),
            ("sim ", &["in", "out"]),
            ("silence +CSQ ", &["after", "every", "always"]),
            ("silence +CSQ ev", &["every"]),
            ("silence +CSQ every ", &["2nd", "3rd"]),
            ("silence +CSQ every 3rd 5 ", &["times"]),
            ("silence ", &[]),
            ("delay +CSQ ", &[]),
            ("delay +CSQ 20 aft", &["after"]),
            ("lose-urc '+CREG: 1' al", &["always"]),
            ("lose-urc '+CREG: 1", &[]),
            ("override +CSQ ", &[]),
            ("override +CSQ '+CSQ: 5,0' ", &[]),
            ("override +CSQ '+CSQ: 5,0' OK ev", &["every"]),
            ("override +CSQ OK every ", &["2nd", "3rd"]),
        ] {
            let (_, mut found) = Line::complete(line);
            let mut expected = expected.to_vec();
            found.sort();
            expected.sort_unstable();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn only_a_wait_takes_its_time() {
        for (line, seconds) in [
            ("wait connected", 30),
            ("wait published 3 --timeout 2m", 120),
            ("wait --timeout 5 registered --json", 5),
            ("wait nonsense", 0),
            ("status", 0),
            ("'", 0),
            ("", 0),
        ] {
            assert_eq!(Line::waits(line), Duration::from_secs(seconds), "{line}");
        }
    }
}
