//! What is wrong with the arguments, told as all other errors are: on one line, with what to do.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{Failure, FailureKind};

/// The failure of arguments that were refused.
pub(crate) fn wrong(command: &Command, arguments: &[OsString], error: &clap::Error) -> Failure {
    let mut named = arguments.iter().skip(1);
    let subcommand = named.find_map(|word| command.find_subcommand(word));
    let help = match subcommand.map(Command::get_name) {
        // It is the name behind it that is wrong.
        None | Some("help") => "`atmq --help` lists the commands".to_owned(),
        Some(name) => format!("see `atmq {name} --help`"),
    };
    let command = subcommand.unwrap_or(command);
    let help = with_equals(command, arguments, error).unwrap_or(help);
    Failure::new(FailureKind::Usage, on_one_line(error)).hint(help)
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
