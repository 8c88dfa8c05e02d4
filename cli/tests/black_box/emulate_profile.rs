//! `atmq emulate --set`

use std::fs;

use crate::harness::{Emulator, Finished, argument, atmq, text};

#[test]
fn single_values_of_the_profile_can_be_set() {
    let module = Emulator::start([
        "--profile=nt26",
        "--set=identity.model=MINE",
        "--set=identity.imei=123456789012345",
        "--set",
        "start.sim = absent",
    ]);
    let answer = |command| text(&module.atmq("at", ["ATE0", command]).succeeds());
    assert_eq!(answer("AT+CGMM"), "OK\nMINE\nOK\n");
    assert_eq!(answer("AT+CGSN"), "OK\n123456789012345\nOK\n");
    let mut refused = module.atmq("at", ["AT+CMEE=2", "AT+CPIN?"]);
    let stdout = refused.fails(1).stdout;
    assert_eq!(stdout, "OK\n+CME ERROR: SIM not inserted\n");
}

#[test]
fn a_value_that_is_set_comes_before_the_file() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let file = directory.path().join("mine.toml");
    let profile = "base = \"nt35e\"\n[identity]\nmodel = \"FILE\"\nrevision = \"FILE\"\n";
    fs::write(&file, profile).expect("a file can be written");
    let module = Emulator::start(["--profile", &argument(&file), "--set=identity.model=SET"]);
    let answer = text(&module.atmq("at", ["AT+CGMM", "AT+CGMR"]).succeeds());
    assert_eq!(answer, "SET\nOK\nFILE\nOK\n");
}

#[test]
fn what_cannot_be_set_is_told_in_one_line() {
    for (change, words) in [
        (
            "start.simm=absent",
            &[
                "--set: no profile has a key start.simm",
                "start.sim",
                "--print-profile",
            ][..],
        ),
        (
            "rssi=5",
            &["--set: no profile has a key rssi", "start.rssi"],
        ),
        (
            "start.rssi=much",
            &["--set: start.rssi: ", "\"much\"", "a number from 0 to 31"],
        ),
        (
            "start.sim=gone",
            &["--set: start.sim: ", "`gone`", "`absent`"],
        ),
        ("latency.paced=1", &["--set: latency.paced: ", "a boolean"]),
    ] {
        let failed = atmq(["emulate", "--set", change]).fails(2);
        failed.without_output().saying(words);
    }
    for change in ["start.sim", "=absent"] {
        let complaint = atmq(["emulate", "--set", change]).is_misused();
        assert!(complaint.contains("write KEY=VALUE"), "{complaint}");
    }
}
