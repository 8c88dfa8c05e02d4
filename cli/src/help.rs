//! The whole command line as `--help`, completions and the manual pages show it: with the options
//! of all commands apart, examples and exit codes. Manual pages show the [same](crate::manual).

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use crate::failure::EXIT_CODES;

/// The heading of the options that every command takes.
pub(crate) const GLOBAL: &str = "Global options";

/// A command line as it is typed, and what it does.
pub(crate) type Example = (&'static str, &'static str);

/// Of the program itself, under an empty name, and of each of its commands.
const EXAMPLES: [(&str, &[Example]); 18] = [
    (
        "",
        &[
            (
                "atmq demo",
                "See everything work together, without hardware",
            ),
            (
                "atmq doctor --port /dev/ttyUSB0",
                "Find out why a module does not connect",
            ),
            ("atmq shell --port /dev/ttyUSB0", "Talk to a module"),
            (
                "atmq emulate --link /tmp/module --broker embedded",
                "Test firmware without a module",
            ),
        ],
    ),
    (
        "demo",
        &[
            ("atmq demo", "Use the embedded broker"),
            (
                "atmq demo --broker 127.0.0.1:1883 --record demo.pcapng",
                "Use a broker that is running already, and record the serial line",
            ),
        ],
    ),
    (
        "emulate",
        &[
            (
                "atmq emulate --link /tmp/module --broker embedded",
                "Let programs open /tmp/module as they would open the device of a module",
            ),
            (
                "atmq emulate --listen 127.0.0.1:5000 --set start.sim=absent",
                "Serve hosts over TCP, with no SIM in the module",
            ),
            (
                "atmq emulate --broker embedded --lint=deny -- ./host-tests {port}",
                "Run the tests of a host, and fail if the host breaks a rule",
            ),
        ],
    ),
    (
        "control",
        &[
            (
                "atmq control /tmp/module.control signal 12",
                "Change the signal strength",
            ),
            (
                "atmq control /tmp/module.control override +CSQ '+CME ERROR: 3'",
                "Have the next AT+CSQ fail",
            ),
            (
                "atmq control /tmp/module.control status --json",
                "Print the state as JSON",
            ),
        ],
    ),
    (
        "shell",
        &[
            (
                "atmq shell --port /dev/ttyUSB0",
                "Talk to a module on a serial port",
            ),
            (
                "atmq shell --port tcp://192.168.1.10:5000 --record session.pcapng",
                "Talk to a module behind a TCP server, and record the session",
            ),
        ],
    ),
    (
        "at",
        &[
            (
                "atmq at --port /dev/ttyUSB0 AT+CSQ 'AT+CEREG?'",
                "Send two commands",
            ),
            (
                r"atmq at --port /dev/ttyUSB0 --timeout 60 --expect '\+CEREG: [15]' AT+CEREG=1",
                "Wait until the module has registered",
            ),
            (
                "atmq at --port /dev/ttyUSB0 --json < bring-up.at",
                "Run a script",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("atmq explain '+CME ERROR: 30'", "Explain a line"),
            ("atmq explain CME", "List all numbers of +CME ERROR"),
            ("atmq explain 'AT+CGDCONT=?'", "Show what a command takes"),
            (
                "atmq explain outcome-not-awaited",
                "Explain a rule of `atmq emulate --lint`",
            ),
            ("atmq explain < session.log", "Explain a log line by line"),
        ],
    ),
    (
        "pub",
        &[
            (
                "atmq pub --port /dev/ttyUSB0 -h broker.example -t meter/7 -m 21.5 -q 1",
                "Publish a message, and wait until the broker has acknowledged it",
            ),
            (
                "tail -f log | atmq pub --port /dev/ttyUSB0 -h broker.example -t log -l",
                "Publish each line of a log",
            ),
        ],
    ),
    (
        "sub",
        &[
            (
                "atmq sub --port /dev/ttyUSB0 -h broker.example -t 'meter/#' -v",
                "Print topics and payloads until Ctrl-C",
            ),
            (
                "atmq sub --port /dev/ttyUSB0 -h broker.example -t meter/7/set -C 1 -W 60",
                "Wait up to a minute for one message",
            ),
        ],
    ),
    (
        "doctor",
        &[
            (
                "atmq doctor --port /dev/ttyUSB0",
                "Check the module and its network",
            ),
            (
                "atmq doctor --port /dev/ttyUSB0 -h broker.example -u meter --ask-password",
                "Check the connection to a broker as well",
            ),
        ],
    ),
    (
        "ports",
        &[
            ("atmq ports", "List the serial ports"),
            ("atmq ports --json", "List them for a program"),
        ],
    ),
    (
        "config",
        &[
            (
                "atmq config",
                "Show where the profiles are kept, and their names",
            ),
            (
                "atmq config --example > ~/.config/atmq/config.toml",
                "Start a file of profiles",
            ),
        ],
    ),
    (
        "completions",
        &[
            (
                "atmq completions bash > ~/.local/share/bash-completion/completions/atmq",
                "Install completions for bash",
            ),
            (
                "atmq completions fish > ~/.config/fish/completions/atmq.fish",
                "Install completions for fish",
            ),
        ],
    ),
    (
        "man",
        &[
            ("atmq man | man -l -", "Read the manual page of the program"),
            (
                "atmq man --dir ~/.local/share/man/man1",
                "Install the manual pages of all commands",
            ),
        ],
    ),
    (
        "monitor",
        &[(
            "atmq monitor --port /dev/ttyUSB0 --link /tmp/module --record session.pcapng",
            "Watch a program that opens /tmp/module, and record what it says",
        )],
    ),
    (
        "replay",
        &[
            (
                "atmq replay session.pcapng",
                "Show a capture with its meaning",
            ),
            (
                "atmq replay session.pcapng --as module --link /tmp/module",
                "Answer a host as the recorded module did",
            ),
            (
                r"atmq replay session.pcapng --as host --port /dev/ttyUSB0 --mask '\+CSQ: [0-9]+'",
                "Check whether a module still answers as it did",
            ),
        ],
    ),
    (
        "diff",
        &[(
            "atmq diff before.pcapng after.pcapng --mask 'atmq-[0-9a-f-]+'",
            "Compare two captures, whatever the client id",
        )],
    ),
    (
        "export",
        &[
            (
                "atmq export session.pcapng --html -o session.html",
                "Write a page in which each line can be clicked",
            ),
            (
                "atmq export session.pcapng --mermaid",
                "Print a diagram for Markdown",
            ),
        ],
    ),
];

/// The examples of a command; of the program itself under the empty name.
pub(crate) fn examples(of: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(name, _)| *name == of);
    found.map_or(&[], |(_, examples)| examples)
}

/// Adds to the command line what is alike in all commands.
pub(crate) fn complete(command: Command) -> Command {
    let command = command
        .disable_help_flag(true)
        .disable_version_flag(true)
        .mut_arg("color", |color| color.help("When to use colors"))
        .mut_subcommands(|command| {
            // `-h` stays short.
            let behind = behind(&command, command.get_name());
            with_flags(command).after_long_help(behind)
        });
    let behind = behind(&command, "");
    with_flags(command).after_long_help(behind)
}

/// Adds the flags that print something else instead. Where a command has another use for their
/// letters they have none.
fn with_flags(command: Command) -> Command {
    let is_free = |letter| {
        !command
            .get_arguments()
            .any(|arg| arg.get_short() == Some(letter))
    };
    let (h, v) = (is_free('h'), is_free('V'));
    let flag = |name: &'static str, letter: char, is_free: bool| {
        let flag = Arg::new(name).long(name).help_heading(GLOBAL);
        if is_free { flag.short(letter) } else { flag }
    };
    let help = flag("help", 'h', h).action(ArgAction::Help);
    let help = match h {
        true => help
            .help("Print this summary; --help prints more")
            .long_help("Print help; -h prints a summary"),
        false => help.help("Print help"),
    };
    let version = flag("version", 'V', v)
        .action(ArgAction::Version)
        .help("Print the version");
    command.arg(help).arg(version)
}

/// What stands behind the options.
fn behind(command: &Command, name: &str) -> StyledStr {
    let header = command.get_styles().get_header();
    let mut text = format!("{header}Examples:{header:#}\n");
    for (line, does) in examples(name) {
        text.push_str(&format!("  {line}\n      {does}\n"));
    }
    text.push_str(&format!("\n{header}Exit status:{header:#}"));
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("\n  {code:<3}  {meaning}"));
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whole;

    #[test]
    fn every_command_has_examples_and_each_can_be_typed() {
        let command = whole();
        let names = command.get_subcommands().map(Command::get_name);
        for name in names.chain([""]) {
            assert!(!examples(name).is_empty(), "{name}");
        }
        for (name, examples) in EXAMPLES {
            for (line, _) in examples {
                let mut words = shlex::split(line).expect("its quotes are closed");
                // What the shell does with it is not the program's.
                if let Some(pipe) = words.iter().position(|word| word == "|")
                    && words[0] != "atmq"
                {
                    words.drain(..=pipe);
                }
                let ends = ["|", "<", ">"];
                let end = words.iter().position(|word| ends.contains(&word.as_str()));
                words.truncate(end.unwrap_or(words.len()));
                let read = whole().try_get_matches_from(&words);
                let read = read.unwrap_or_else(|error| panic!("{line}: {error}"));
                let typed = read.subcommand_name().expect("it has a command");
                assert!(name.is_empty() || typed == name, "{line} is no {name}");
            }
        }
    }

    #[test]
    fn the_options_of_all_commands_stand_apart_and_last() {
        let mut command = whole();
        command.build();
        for command in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let name = command.get_name();
            for option in ["color", "quiet", "debug", "help", "version"] {
                let found = command.get_arguments().find(|arg| arg.get_id() == option);
                let heading = found.and_then(Arg::get_help_heading);
                assert_eq!(heading, Some(GLOBAL), "{option} of {name}");
            }
            let help = command.clone().render_long_help().to_string();
            let (own, behind) = help.split_once("\nGlobal options:\n").expect("a heading");
            assert!(!own.contains("--quiet"), "{name}");
            let (global, _) = behind.split_once("\nExamples:\n").expect("examples");
            let headings = global
                .lines()
                .filter(|line| line.ends_with(':') && !line.starts_with(' '));
            assert_eq!(headings.count(), 0, "{name}: {global}");
        }
    }
}
