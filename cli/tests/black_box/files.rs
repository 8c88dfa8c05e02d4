//! Files that are named and cannot be read: one kind of mistake has one exit code.

use std::fs;

use crate::harness::{Emulator, Finished, argument, atmq};

const MISSING: &str = "/nonexistent/file";

/// Options that name a file to read, each in a command that is right but for that.
fn naming(file: &str) -> Vec<Vec<String>> {
    let connection = "--port /dev/null -t t";
    [
        format!("pub {connection} -f {file}"),
        format!("pub {connection} -m m -u u --password-file {file}"),
        format!("pub {connection} -m m --cafile {file}"),
        format!("pub {connection} -m m --aliyun a:b --secret-file {file}"),
        format!("sub {connection} --cafile {file}"),
        format!("emulate --profile {file}"),
        format!("replay {file}"),
        format!("diff {file} {file}"),
        format!("export {file} --svg"),
    ]
    .map(|line| line.split(' ').map(str::to_owned).collect())
    .to_vec()
}

#[test]
fn a_file_that_is_missing_ends_with_3_whatever_names_it() {
    for arguments in naming(MISSING) {
        let failed = atmq(&arguments).fails(3).without_output();
        failed.saying(&["cannot read", MISSING]);
    }
    let mut config = atmq(["config"]);
    config.env("ATMQ_CONFIG", MISSING).fails(3);
    atmq(["control", MISSING, "status"]).fails(3);
    atmq(["emulate", "--", MISSING]).fails(3);
    // Of a script, too, and nothing of it is sent.
    let script = format!("AT\nAT+CMGS=\"1\"\n> @{MISSING}\n");
    let failed = atmq(["at", "--port", "/dev/null"])
        .write_stdin(script)
        .fails(3);
    let failed = failed.without_output();
    failed.saying(&["line 3 of the script: cannot read", MISSING]);
}

#[test]
fn a_file_that_is_no_text_or_too_long_ends_with_2() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = argument(&directory.path().join("file"));
    fs::write(&file, b"\xff\xfe").expect("it can be written");
    for line in [
        format!("emulate --profile {file}"),
        format!("pub --port /dev/null -t t -m m -u u --password-file {file}"),
    ] {
        let failed = atmq(line.split(' ')).fails(2).without_output();
        failed.saying(&["not UTF-8"]);
    }
    fs::write(&file, vec![b'x'; 65 * 1024]).expect("it can be written");
    let script = format!("AT+CMGS=\"1\"\n> @{file}\n");
    let failed = atmq(["at", "--port", "/dev/null"])
        .write_stdin(script)
        .fails(2);
    failed.saying(&["line 2 of the script", "65536 bytes"]);
}

#[test]
fn no_message_has_a_quote_with_a_backslash() {
    let module = Emulator::with_broker();
    let at = |line: &str| {
        module
            .atmq("at", ["-"])
            .write_stdin(line.to_owned())
            .fails(2)
            .line
    };
    for line in [
        at("@no\"such\" x\n"),
        at("say \"hello\"\n"),
        at("AT+CMGS=\"1\"\n> a\\\"b\\q\n"),
        at("@wait \"soon\"\n"),
        at("@expect (\"\n"),
        module.atmq("at", ["AT+X\"y\rz"]).fails(2).line,
        module.atmq("at", ["--expect", "(\"", "AT"]).is_misused(),
        module.atmq("pub", ["-t", "a\"b", "-m", "m"]).fails(2).line,
        module
            .atmq("pub", ["-t", "t", "--encoding", "hex", "-m", "a\""])
            .fails(2)
            .line,
        atmq(["explain", "no \"such\""]).fails(2).line,
        atmq(["no\"such\" command"]).is_misused(),
        atmq(["emulate", "--set", "start.sim=\"go ne\""])
            .fails(2)
            .line,
        atmq(["emulate", "--profile", "no \"file\""]).fails(3).line,
    ] {
        assert!(!line.contains("\\\""), "{line}");
    }
}
