//! Help, wrong usage, and a standard output that takes nothing.

use std::fs;

use crate::harness::{Finished, argument, atmq, text};

const SUBCOMMANDS: [&str; 17] = [
    "demo",
    "emulate",
    "control",
    "shell",
    "at",
    "explain",
    "pub",
    "sub",
    "doctor",
    "ports",
    "config",
    "completions",
    "man",
    "monitor",
    "replay",
    "diff",
    "export",
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
        assert!(help.contains("Exit codes:\n  0  done\n"), "{help}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let page = text(&atmq(["man"]).succeeds());
    assert!(page.contains("no answer in time"), "{page}");
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    // A directory that is missing is made.
    let directory = directory.path().join("share/man1");
    atmq(["man", "--dir", &argument(&directory)]).succeeds();
    for subcommand in SUBCOMMANDS {
        let page = directory.join(format!("atmq-{subcommand}.1"));
        let page = fs::read_to_string(page).expect("there is a page");
        assert!(page.contains("no answer in time"), "{page}");
    }
    atmq(["man", "--dir", "/dev/null/man1"])
        .fails(3)
        .saying(&["cannot write the manual pages"]);
}

#[test]
fn each_shell_is_told_the_commands_and_their_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = text(&atmq(["completions", shell]).succeeds());
        for word in SUBCOMMANDS
            .into_iter()
            .chain(["will-topic", "password-file"])
        {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    atmq(["completions", "csh"]).is_misused();
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
