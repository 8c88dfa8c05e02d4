//! Manual pages, of the same parts as `--help`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Arg, ArgAction, Command};
use clap_mangen::Man;
use roff::{Inline, Roff, bold, italic, roman};

use crate::failure::{EXIT_CODES, Failure, FailureKind};
use crate::help::{GLOBAL, examples};
use crate::output::print_bytes;

/// Print the manual page of the program, or write the pages of all commands
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write atmq.1, atmq-pub.1 and so on into this directory, which is created if necessary
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, command: Command) -> Result<(), Failure> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let Some(directory) = &arguments.dir else {
        return print_bytes(page(&command, "").expect("memory takes it"));
    };
    write(&command, directory).map_err(|error| {
        let directory = directory.display();
        let what = format!("cannot write the manual pages into {directory}: {error}");
        Failure::new(FailureKind::Unavailable, what)
    })
}

fn write(command: &Command, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("atmq.1"), page(command, "")?)?;
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_name();
        let path = directory.join(format!("atmq-{name}.1"));
        fs::write(path, page(subcommand, name)?)?;
    }
    Ok(())
}

/// The page of a command that has been built.
fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut behind = Roff::new();
    behind.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in EXIT_CODES {
        behind.control("TP", []);
        behind.text([bold(code.to_string())]);
        behind.text([roman(meaning)]);
    }
    behind.control("SH", ["EXAMPLES"]);
    for (line, does) in examples(name) {
        behind.control("TP", []);
        behind.text([bold(*line)]);
        behind.text([roman(*does)]);
    }
    behind.to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

/// How a command is typed: each option with its values, and those of all commands in one word.
fn synopsis(command: &Command) -> Roff {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut line = vec![bold(name)];
    let choices: Vec<Vec<&Arg>> = command
        .get_groups()
        .filter(|group| group.is_required_set())
        .map(|group| {
            let is_in = |arg: &&Arg| group.get_args().any(|id| id == arg.get_id());
            command.get_arguments().filter(is_in).collect()
        })
        .collect();
    let is_choice = |arg: &Arg| {
        choices
            .iter()
            .flatten()
            .any(|of| of.get_id() == arg.get_id())
    };
    let (positionals, options): (Vec<_>, Vec<_>) = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !is_choice(arg))
        .partition(|arg| arg.is_positional());
    for option in &options {
        if option.get_help_heading() != Some(GLOBAL) || command.has_subcommands() {
            let is_required = option.is_required_set();
            surround(
                &mut line,
                if is_required { ["", ""] } else { ["[", "]"] },
                typed(option),
            );
        }
    }
    if !command.has_subcommands() {
        surround(&mut line, ["[", "]"], vec![italic(GLOBAL.to_lowercase())]);
    }
    for choice in &choices {
        let mut all = Vec::new();
        for option in choice {
            if !all.is_empty() {
                all.push(roman("|"));
            }
            all.extend(typed(option));
        }
        surround(&mut line, ["{", "}"], all);
    }
    if command.has_subcommands() {
        surround(&mut line, ["", ""], vec![italic("COMMAND")]);
    }
    for positional in positionals {
        let brackets = match positional.is_required_set() {
            true => ["", ""],
            false => ["[", "]"],
        };
        let dashes = if positional.is_last_set() { "-- " } else { "" };
        let mut typed = vec![roman(dashes), italic(values(positional))];
        if matches!(positional.get_action(), ArgAction::Append) {
            typed.push(roman("..."));
        }
        surround(&mut line, brackets, typed);
    }
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]);
    // Options are not to be divided, nor spread over the line.
    synopsis.control("nh", []).control("ad", ["l"]);
    synopsis.text(line);
    synopsis.control("ad", ["b"]).control("hy", []);
    synopsis
}

fn surround(line: &mut Vec<Inline>, [before, behind]: [&str; 2], typed: Vec<Inline>) {
    line.push(roman(format!(" {before}")));
    line.extend(typed);
    line.push(roman(behind));
}

/// An option with its values.
fn typed(option: &Arg) -> Vec<Inline> {
    let short = option.get_short().map(|short| format!("-{short}"));
    let long = option.get_long().map(|long| format!("--{long}"));
    let names: Vec<_> = short.into_iter().chain(long).collect();
    let mut typed = vec![bold(names.join("|"))];
    let takes = option.get_num_args().expect("the command is built");
    if takes.takes_values() {
        let (before, behind) = match (takes.min_values(), option.is_require_equals_set()) {
            (0, true) => ("[=", "]"),
            (0, false) => (" [", "]"),
            (_, true) => ("=", ""),
            (_, false) => (" ", ""),
        };
        typed.extend([roman(before), italic(values(option)), roman(behind)]);
    }
    typed
}

fn values(arg: &Arg) -> String {
    match arg.get_value_names() {
        Some(names) => names.join(" "),
        None => arg.get_id().as_str().to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whole;

    #[test]
    fn a_synopsis_has_every_option_with_its_values() {
        let mut command = whole();
        command.build();
        let shown = |name: &str| {
            let command = command.find_subcommand(name).expect("it is a command");
            // Without fonts and escapes.
            let text = synopsis(command).render();
            ["\\fB", "\\fI", "\\fR", "\\"]
                .iter()
                .fold(text, |text, escape| text.replace(escape, ""))
        };
        for (name, parts) in [
            (
                "at",
                &[
                    "atmq at ",
                    "--port DEVICE",
                    "[--timeout SECONDS]",
                    "[COMMAND...]",
                ][..],
            ),
            (
                "pub",
                &["[-q|--qos QOS]", "{-m|--message TEXT|-f|--file PATH|"],
            ),
            (
                "emulate",
                &["[--lint[=MODE]]", "[-- COMMAND...]", "[global options]"],
            ),
            ("control", &[" PATH [COMMAND...]"]),
            ("export", &["{--mermaid|--svg|--html}", " FILE"]),
        ] {
            let synopsis = shown(name);
            for part in parts {
                assert!(synopsis.contains(part), "no `{part}` in {synopsis}");
            }
            assert!(!synopsis.contains("[OPTIONS]"), "{synopsis}");
        }
    }
}
