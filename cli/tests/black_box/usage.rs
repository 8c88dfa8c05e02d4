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
    assert!(help.contains("Exit status:\n  0    success\n"), "{help}");
    for subcommand in SUBCOMMANDS {
        let help = text(&atmq([subcommand, "--help"]).succeeds());
        let usage = format!("Usage: atmq {subcommand} ");
        assert!(help.contains(&usage), "{help}");
        assert!(help.contains("Exit status:\n  0    success\n"), "{help}");
        assert!(help.contains("\nExamples:\n  "), "{help}");
        // It is all of it that `help` prints, and `-h` less.
        assert_eq!(text(&atmq(["help", subcommand]).succeeds()), help);
    }
    let summary = text(&atmq(["at", "-h"]).succeeds());
    assert!(!summary.contains("Examples:"), "{summary}");
    assert!(summary.contains("--help prints"), "{summary}");
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
        for section in ["SYNOPSIS", "\"EXIT STATUS\"", "EXAMPLES"] {
            let heading = format!("\n.SH {section}\n");
            assert_eq!(page.matches(&heading).count(), 1, "{section}: {page}");
        }
        assert!(!page.contains("[OPTIONS]"), "{page}");
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

#[test]
fn what_is_wrong_with_arguments_is_told_on_one_line_with_what_to_do() {
    for (arguments, told) in [
        (
            &[][..],
            "a command is missing; `atmq --help` lists the commands",
        ),
        (
            &["--quiet"],
            "a command is missing; `atmq --help` lists the commands",
        ),
        (
            &["help", "nosuch"],
            "unrecognized subcommand 'nosuch'; `atmq --help` lists the commands",
        ),
        (
            &["nosuch"],
            "unrecognized subcommand 'nosuch'; `atmq --help` lists the commands",
        ),
        (
            &["at", "AT"],
            "the following required arguments were not provided: --port <DEVICE>; see `atmq at --help`",
        ),
        (
            &["pub", "--port", "p", "-t", "t", "-m", "m", "-n"],
            "the argument '--message <TEXT>' cannot be used with '--null-message'; see `atmq pub --help`",
        ),
        (
            &["emulate", "--brker", "embedded"],
            "unexpected argument '--brker' found; a similar argument exists: '--broker'; to pass '--brker' as a value, use '-- --brker'; see `atmq emulate --help`",
        ),
        (
            &["emulate", "--broker", "mine"],
            "invalid value 'mine' for '--broker <BROKER>' [possible values: embedded]; see `atmq emulate --help`",
        ),
        (
            &["at", "--port", "p", "--expect", "(", "AT"],
            "invalid value '(' for '--expect <REGEX>': unclosed group; see `atmq at --help`",
        ),
        (
            &["pub", "--port", "p", "-t", "t", "-n", "-V", "mqttv5"],
            "there is no -V 5; modules speak MQTT 3.1 and 3.1.1; see `atmq pub --help`",
        ),
        (
            &["sub", "--port", "p", "-t", "t", "--capath", "/etc/ssl"],
            "atmq has no equivalent of --capath; modules bring no certificates; --cafile names a file with those that the broker needs; see `atmq sub --help`",
        ),
    ] {
        assert_eq!(atmq(arguments).is_misused(), told);
    }
}
