//! What is wrong with the arguments, told as all other errors are: on one line, with what to do.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::config;
use crate::failure::{Failure, FailureKind};

/// The failure of arguments that were refused.
pub(crate) fn wrong(command: &Command, arguments: &[OsString], error: &clap::Error) -> Failure {
    let mut named = arguments.iter().skip(1);
    let subcommand = named.find_map(|word| command.find_subcommand(word));
    let name = subcommand.map(Command::get_name);
    let help = match name {
        // It is the name behind it that is wrong.
        None | Some("help") => "`atmq --help` lists the commands".to_owned(),
        Some(name) => format!("see `atmq {name} --help`"),
    };
    if let (Some("pub" | "sub"), Some((what, instead))) = (name, of_mosquitto(error)) {
        return Failure::new(FailureKind::Usage, what).hint(format!("{instead}; {help}"));
    }
    let command = subcommand.unwrap_or(command);
    let help = with_equals(command, arguments, error).unwrap_or(help);
    let failure = Failure::new(FailureKind::Usage, on_one_line(error));
    match config::path() {
        Ok(path) if !is_typed(error, arguments) => failure.hint(format!(
            "a profile in {} says so, or the environment; {help}",
            path.display()
        )),
        _ => failure.hint(help),
    }
}

/// What to say to options that mosquitto's clients have, and a module cannot have.
const MOSQUITTO: [(&[&str], &str); 6] = [
    (
        &[
            "-D",
            "--property",
            "-x",
            "--retain-as-published",
            "--retain-handling",
        ],
        "it needs MQTT 5, and modules speak 3.1 and 3.1.1",
    ),
    (
        &["-A", "--unix", "-S", "--srv", "--proxy"],
        "the module connects, not this computer; -h and -p say where to",
    ),
    (
        &["-M", "--max-inflight"],
        "a connection has one message on its way at a time",
    ),
    (
        &["--capath", "--tls-use-os-certs"],
        "modules bring no certificates; --cafile names a file with those that the broker needs",
    ),
    (
        &[
            "--tls-version",
            "--tls-alpn",
            "--tls-engine",
            "--ciphers",
            "--keyform",
            "--psk",
            "--psk-identity",
            "--tls-keyform",
        ],
        "of TLS there are --cafile, --cert, --key, --insecure and --ignore-time",
    ),
    (
        &["-U", "--unsubscribe"],
        "-T leaves messages out; a session that is kept ends when its -i connects without -c",
    ),
];

/// What is wrong with an option that only mosquitto's clients have, and what to do instead.
fn of_mosquitto(error: &clap::Error) -> Option<(String, &'static str)> {
    let argument = error.get(ContextKind::InvalidArg)?.to_string();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let is_of = |(names, _): &&(&[&str], _)| names.contains(&argument.as_str());
            let (_, instead) = MOSQUITTO.iter().find(is_of)?;
            Some((format!("atmq has no equivalent of {argument}"), instead))
        }
        ErrorKind::InvalidValue if argument.starts_with("--protocol-version ") => {
            let value = error.get(ContextKind::InvalidValue)?.to_string();
            let is_5 = value.trim_start_matches("mqttv") == "5";
            is_5.then(|| {
                (
                    "there is no -V 5".to_owned(),
                    "modules speak MQTT 3.1 and 3.1.1",
                )
            })
        }
        _ => None,
    }
}

/// Whether the value that is wrong, if one is, is among the arguments.
fn is_typed(error: &clap::Error, arguments: &[OsString]) -> bool {
    let Some(value) = error.get(ContextKind::InvalidValue) else {
        return true;
    };
    let value = value.to_string();
    let mut arguments = arguments.iter().skip(1);
    arguments.any(|argument| argument.to_string_lossy().contains(&value))
}

/// What to write instead of a value that stands behind an option with a blank between, where it
/// needs an equals sign.
fn with_equals(command: &Command, arguments: &[OsString], error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let at = arguments.iter().position(|word| *word == **value)?;
    let option = arguments.get(at.checked_sub(1)?)?.to_str()?;
    let mut options = command.get_arguments();
    let takes = options.any(|known| {
        known.is_require_equals_set() && known.get_long() == option.strip_prefix("--")
    });
    takes.then(|| format!("write {option}={value}"))
}

/// What clap has to say, without its usage.
fn on_one_line(error: &clap::Error) -> String {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
    ) {
        return "a command is missing".to_owned();
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraphs = text.split("\n\n").filter(|paragraph| {
        !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more information")
    });
    // What is missing, or does not go together.
    let lists = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict
    );
    let mut told = String::new();
    for paragraph in paragraphs {
        let lines = paragraph.lines().map(str::trim);
        for (place, line) in lines.filter(|line| !line.is_empty()).enumerate() {
            let (between, line) = match line.strip_prefix("tip: ") {
                Some(tip) => ("; ", tip),
                None if lists && place > 1 => (", ", line),
                None if told.is_empty() => ("", line),
                None => (" ", line),
            };
            told.push_str(between);
            told.push_str(line);
        }
    }
    told
}
