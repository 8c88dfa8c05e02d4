//! Profiles of connections: what options are where they are not given, by name, in a file.
//!
//! A profile presets options of the program, so its values are read, checked and shown as if
//! they had been typed; what is typed, or set in the environment, counts for more.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use etcetera::{BaseStrategy as _, choose_base_strategy};
use serde::Deserialize;
use toml::{Spanned, Value};

use crate::failure::{Failure, FailureKind};
use crate::input::{self, SETTINGS_LIMIT, read_text};
use crate::output::{print_bytes, print_line};
use crate::visible::is_unseen;

/// The profile that holds where none is asked for, if the file has it.
const DEFAULT: &str = "default";

/// What a profile may set: options by their long names, and which of them name files. Payloads
/// and topics are not among them; neither is a password, which anyone could read there.
const KEYS: [(&str, bool); 25] = [
    ("port", false),
    ("baud", false),
    ("auto-baud", false),
    ("rtscts", false),
    ("wait-for-port", false),
    ("host", false),
    ("broker-port", false),
    ("id", false),
    ("id-prefix", false),
    ("username", false),
    ("password-file", true),
    ("keepalive", false),
    ("disable-clean-session", false),
    ("protocol-version", false),
    ("qos", false),
    ("cafile", true),
    ("cert", true),
    ("key", true),
    ("insecure", false),
    ("ignore-time", false),
    ("tls-context", false),
    ("region", false),
    ("aliyun", false),
    ("onenet", false),
    ("secret-file", true),
];

/// Keys that somebody will try, and what to do instead.
const SECRETS: [(&str, &str); 3] = [
    ("password", "password-file"),
    ("pw", "password-file"),
    ("secret", "secret-file"),
];

/// Show where connection profiles are kept, and list them
///
/// A profile holds values for options that are not given on the command line. Select one with
/// `--profile NAME` or the environment variable ATMQ_PROFILE; otherwise the profile named `default`
/// is used, if there is one.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print an example file instead
    #[arg(long)]
    example: bool,
}

/// What to do without a file.
const BEGIN_WITH: &str = "`atmq config --example` prints a file to begin with";

/// What `--example` prints.
const EXAMPLE: &str = "\
# Profiles of connections for atmq. Each key is an option of `atmq pub`, `atmq sub` and their
# like, by its long name. Names of files count from the directory of this file.

[profile.default]
port = \"/dev/ttyUSB0\"
baud = 115200

[profile.field]
port = \"/dev/ttyUSB0\"
host = \"broker.example\"
broker-port = 8883
cafile = \"ca.pem\"
username = \"meter\"
password-file = \"meter.password\"
keepalive = 120
";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.example {
        return print_bytes(EXAMPLE);
    }
    let path = path()?;
    print_line(path.display().to_string())?;
    let text = match read_text(&path, SETTINGS_LIMIT) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(unreadable(&path, &error)),
    };
    Profile::find(&text, &path, DEFAULT)?;
    for name in names(&text) {
        print_line(format!("  {name}"))?;
    }
    Ok(())
}

/// Which profile to take. Part of each command that has a connection or a port.
#[derive(Debug, clap::Args)]
pub(crate) struct ProfileArguments {
    /// Take options that are not given from this profile; see `atmq config`
    #[arg(
        long = "profile",
        id = "connection-profile",
        value_name = "NAME",
        env = "ATMQ_PROFILE"
    )]
    _profile: Option<String>,
}

/// Presets what the profile says that `arguments` ask for.
///
/// # Errors
/// The profile does not exist, or is wrong.
pub(crate) fn preset(command: Command, arguments: &[OsString]) -> Result<Command, Failure> {
    let path = path()?;
    let text = match read_text(&path, SETTINGS_LIMIT) {
        Ok(text) => Some(text),
        Err(error) if is_absent(&error) || !uses_profiles(&command, arguments) => None,
        Err(error) => return Err(unreadable(&path, &error)),
    };
    // To find out which profile is asked for takes as long as all else at the start together.
    if text.is_none() && !may_ask(arguments) {
        return Ok(command);
    }
    let asked = asked_for(&command, arguments);
    let Some(text) = text else {
        return match asked {
            Some(_) => {
                let what = format!("there is no file {} with profiles", path.display());
                Err(Failure::new(FailureKind::Unavailable, what).hint(BEGIN_WITH))
            }
            None => Ok(command),
        };
    };
    let name = asked.as_deref().unwrap_or(DEFAULT);
    match Profile::find(&text, &path, name)? {
        Some(profile) => Ok(command.mut_subcommands(|command| profile.preset(command))),
        None if asked.is_none() => Ok(command),
        None => Err(unknown(&text, &path, name)),
    }
}

/// The file with the profiles, whether it exists or not.
pub(crate) fn path() -> Result<PathBuf, Failure> {
    if let Some(path) = named_by_environment() {
        return Ok(path.into());
    }
    let strategy = choose_base_strategy().map_err(|error| {
        Failure::new(
            FailureKind::Unavailable,
            format!("there is no directory for configuration: {error}"),
        )
        .hint("set HOME, or ATMQ_CONFIG to the file")
    })?;
    Ok(strategy.config_dir().join("atmq").join("config.toml"))
}

/// Where the file is, if the environment says so; as with most variables, an empty one says nothing.
fn named_by_environment() -> Option<OsString> {
    std::env::var_os("ATMQ_CONFIG").filter(|path| !path.is_empty())
}

/// Whether there is no file, and none need be.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && named_by_environment().is_none()
}

/// Whether this is more than to ask for help, or for a file to begin with.
fn uses_profiles(command: &Command, arguments: &[OsString]) -> bool {
    let command = command.clone().ignore_errors(true);
    let matches = command.try_get_matches_from(arguments);
    matches.is_ok_and(|matches| matches.subcommand_name() != Some("config"))
}

/// Whether the arguments or the environment may ask for a profile.
fn may_ask(arguments: &[OsString]) -> bool {
    let named = |argument: &OsString| argument.to_string_lossy().starts_with("--profile");
    std::env::var_os("ATMQ_PROFILE").is_some() || arguments.iter().any(named)
}

/// The profile that the arguments or the environment ask for. What else is wrong with the
/// arguments is told when they are read in earnest.
fn asked_for(command: &Command, arguments: &[OsString]) -> Option<String> {
    let command = command.clone().ignore_errors(true);
    let matches = command.try_get_matches_from(arguments).ok()?;
    let (_, matches) = matches.subcommand()?;
    named(matches)
}

fn named(matches: &ArgMatches) -> Option<String> {
    let id = "connection-profile";
    matches.try_get_one::<String>(id).ok().flatten().cloned()
}

type Profiles = BTreeMap<String, BTreeMap<Spanned<String>, Value>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: Profiles,
}

/// Options with their values.
struct Profile(Vec<(&'static str, Vec<String>)>);

impl Profile {
    /// The profile of this name. All profiles are checked, so that what is wrong with one is not
    /// found out in the field.
    fn find(text: &str, path: &Path, name: &str) -> Result<Option<Self>, Failure> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(
                path,
                format!("{}: {}", place(text, at), without_value(error.message())),
            )
        })?;
        let mut found = None;
        for (of, values) in &file.profile {
            let profile = Self::read(text, path, values)?;
            if of == name {
                found = Some(profile);
            }
        }
        Ok(found)
    }

    fn read(
        text: &str,
        path: &Path,
        values: &BTreeMap<Spanned<String>, Value>,
    ) -> Result<Self, Failure> {
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut options = Vec::new();
        for (key, value) in values {
            let line = line(text, key.span().start);
            let name = key.get_ref();
            let Some((known, is_file)) = KEYS.iter().find(|(known, _)| known == name) else {
                return Err(unknown_key(path, line, name));
            };
            let Some(mut given) = words(value) else {
                let what = format!("line {line}: {name} takes a word, a number, true or false");
                return Err(wrong(path, what));
            };
            // No option takes any, and the reader of options would repeat them in its complaint.
            if given.iter().any(|word| word.contains(is_unseen)) {
                let what = format!("line {line}: {name} holds a character that cannot be seen");
                return Err(wrong(path, what));
            }
            if *is_file {
                for file in &mut given {
                    *file = directory.join(&*file).to_string_lossy().into_owned();
                }
            }
            options.push((*known, given));
        }
        Ok(Self(options))
    }

    /// Gives a command's options these values where they have no others.
    fn preset(&self, mut command: Command) -> Command {
        let has_profile = |argument: &clap::Arg| argument.get_id() == "connection-profile";
        if !command.get_arguments().any(has_profile) {
            return command;
        }
        for (key, values) in &self.0 {
            let is_option = |argument: &&clap::Arg| argument.get_long() == Some(key);
            let option = command.get_arguments().find(is_option);
            let Some(id) = option.map(|option| option.get_id().clone()) else {
                // It is an option of other commands.
                continue;
            };
            let values = values.clone();
            command = command.mut_arg(id, |argument| {
                argument.required(false).default_values(values)
            });
        }
        command
    }
}

/// The line at this byte, counted from 1.
fn line(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

/// The line and the column at this byte.
fn place(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let last = before.rsplit('\n').next().unwrap_or_default();
    let column = last.chars().count() + 1;
    format!("line {}, column {column}", line(text, before.len()))
}

/// What the reader of TOML says, without the value that it quotes, and without the line that it
/// shows: either may be a password that is written where it does not belong.
fn without_value(message: &str) -> String {
    match (message.find(['`', '"']), message.rfind(", expected ")) {
        (Some(value), Some(expected)) if message.starts_with("invalid ") && value < expected => {
            format!("{}{}", message[..value].trim_end(), &message[expected..])
        }
        _ => message.to_owned(),
    }
}

/// What would be typed for a value; `None` if nothing can be typed for it.
fn words(value: &Value) -> Option<Vec<String>> {
    Some(vec![match value {
        Value::String(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(on) => on.to_string(),
        _ => return None,
    }])
}

fn unknown_key(path: &Path, line: usize, name: &str) -> Failure {
    if let Some((_, instead)) = SECRETS.iter().find(|(secret, _)| *secret == name) {
        let what = format!("line {line}: a profile holds no {name}, which others could read");
        return wrong(path, what).hint(format!("write it into a file and name that: {instead}"));
    }
    let known = KEYS.map(|(key, _)| key).join(", ");
    wrong(path, format!("line {line}: unknown key {name}")).hint(format!("there are {known}"))
}

fn unknown(text: &str, path: &Path, name: &str) -> Failure {
    let failure = Failure::new(
        FailureKind::Usage,
        format!("there is no profile {name} in {}", path.display()),
    );
    let names = names(text);
    match names.is_empty() {
        true => failure.hint("it has none"),
        false => failure.hint(format!("it has {}", names.join(", "))),
    }
}

/// The profiles of a file that has been checked.
fn names(text: &str) -> Vec<String> {
    let file: Result<File, _> = toml::from_str(text);
    file.map_or_else(|_| Vec::new(), |file| file.profile.into_keys().collect())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let what = format!("the profiles in {}", path.display());
    input::unreadable(&what, error).hint(BEGIN_WITH)
}

fn wrong(path: &Path, what: impl Into<String>) -> Failure {
    let what = what.into();
    // The reader of TOML says it on several lines.
    let what: Vec<_> = what.split_whitespace().collect();
    Failure::new(
        FailureKind::Usage,
        format!("{}: {}", path.display(), what.join(" ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    type Options = Vec<(&'static str, Vec<String>)>;

    fn find(text: &str, name: &str) -> Result<Option<Options>, String> {
        Profile::find(text, Path::new("/etc/atmq/config.toml"), name)
            .map(|profile| profile.map(|profile| profile.0))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_are_read_and_files_are_found_beside_the_profile() {
        let text = "[profile.a]\nbaud = 9600\ninsecure = true\ncafile = \"ca.pem\"\n\
                    [profile.b]\ncert = \"/c.pem\"\n";
        let option = |key, value: &str| (key, vec![value.to_owned()]);
        let ca = option("cafile", "/etc/atmq/ca.pem");
        let a = vec![option("baud", "9600"), ca, option("insecure", "true")];
        assert_eq!(find(text, "a"), Ok(Some(a)));
        assert_eq!(find(text, "b"), Ok(Some(vec![option("cert", "/c.pem")])));
        assert_eq!(find(text, "c"), Ok(None));
    }

    #[test]
    fn no_password_is_shown_that_stands_where_it_does_not_belong() {
        for text in [
            "[profile.a]\npassword = s3cret\n",
            "[profile.a]\npassword = \"s3cret\n",
            "[profile.a]\npassword s3cret\n",
            "[profile]\npassword = \"s3cret\"\n",
            "profile = \"s3cret, expected `x`\"\n",
            "[profile.a]\npassword = [s3cret\n",
            "[profile.a]\npassword = 's3cret'x\n",
        ] {
            let told = find(text, "a").expect_err("it is wrong");
            assert!(!told.contains("s3cret"), "{told}");
            assert!(told.contains("line "), "{told}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, complaint) in [
            ("[profile.a]\nhots = \"h\"\n", "line 2: unknown key hots"),
            ("[profile.a]\nbaud = [1]\n", "line 2: baud takes a word"),
            (
                "[profile.b]\n\npassword = \"x\"\n",
                "line 3: a profile holds no password",
            ),
            (
                "[profile.a]\nbaud = \"\\u001b[2J\"\n",
                "line 2: baud holds a character that cannot be seen",
            ),
            (
                "[profile.a]\nbaud = \"\\u202e9600\"\n",
                "line 2: baud holds a character that cannot be seen",
            ),
            ("[a]\n", "unknown field `a`"),
            ("baud =", "line 1, column 7"),
        ] {
            let told = find(text, "a").expect_err("it is wrong");
            assert!(told.starts_with("/etc/atmq/config.toml: "), "{told}");
            assert!(told.contains(complaint) && !told.contains('\n'), "{told}");
        }
    }
}
