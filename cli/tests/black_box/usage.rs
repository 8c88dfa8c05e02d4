//! Help, wrong usage, and a standard output that takes nothing.

use std::io::pipe;

use crate::harness::{Emulator, Finished, atmq, end_without_output, text};

const SUBCOMMANDS: [&str; 11] = [
    "demo",
    "emulate",
    "control",
    "shell",
    "at",
    "explain",
    "pub",
    "sub",
    "config",
    "completions",
    "man",
];

#[test]
fn help_lists_subcommands_and_exit_codes() {
    let help = text(&atmq(["--help"]).succeeds());
    for subcommand in SUBCOMMANDS {
        assert!(help.contains(&format!("\n  {subcommand} ")), "{help}");
    }
    assert!(help.contains("Exit codes:\n  0  done\n"), "{help}");
    for subcommand in SUBCOMMANDS {
        let help = text(&atmq([subcommand, "--help"]).succeeds());
        let usage = format!("Usage: atmq {subcommand} ");
        assert!(help.contains(&usage), "{help}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let wrong: [&[&str]; 9] = [
        &["nosuch"],
        &["demo", "--nosuch"],
        &["demo", "surplus"],
        &["emulate", "--link"],
        &["at", "AT"],
        &["pub", "--port", "p", "-t", "t"],
        &["pub", "--port", "p", "-m", "m"],
        &["pub", "--port", "p", "-t", "t", "-m", "m", "-n"],
        &["sub", "--port", "p"],
    ];
    for arguments in wrong {
        atmq(arguments).is_misused();
    }
}

#[test]
fn a_reader_who_has_left_is_told_of_in_one_line() {
    let module = Emulator::with_broker();
    let port = module.port();
    let arguments: [&[&str]; 4] = [
        &["demo"],
        &["demo", "--json"],
        &["emulate"],
        &["at", "--port", port, "AT"],
    ];
    for arguments in arguments {
        let (reader, writer) = pipe().expect("a pipe can be made");
        drop(reader);
        end_without_output(arguments, writer, 3).saying(&["cannot write to standard output"]);
    }
}
