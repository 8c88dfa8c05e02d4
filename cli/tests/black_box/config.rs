//! Profiles of connections, and what is printed for shells and readers of manuals.

use std::fs;
use std::path::PathBuf;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use tempfile::TempDir;

use crate::harness::{Emulator, Finished, argument, atmq, text};

/// A file with profiles, in a directory that is removed at the end.
fn config(contents: &str) -> (TempDir, String, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("config.toml");
    fs::write(&path, contents).expect("a file can be written");
    (directory, argument(&path), path)
}

#[test]
fn a_profile_says_what_is_not_typed() {
    let module = Emulator::with_broker();
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("#", 2)]);
    let port = module.port();
    let (_directory, file, _) = config(&format!(
        "[profile.default]\nport = \"/nonexistent/module\"\nrtscts = true\nwait-for-port = 0\n\
         [profile.field]\nport = \"{port}\"\nqos = 1\nid = \"meter-7\"\n\
         disable-clean-session = true\nkeepalive = 30\n"
    ));
    let publish = |arguments: &[&str]| {
        let mut command = atmq(["pub", "-t", "t", "-m", "m"]);
        command.args(arguments).env("ATMQ_CONFIG", &file);
        command
    };
    publish(&["--profile", "field"]).succeeds();
    assert_eq!(other.accept_publish().qos, 1);
    // What is typed counts for more, and the environment names a profile as well.
    publish(&["-q", "0"])
        .env("ATMQ_PROFILE", "field")
        .succeeds();
    assert_eq!(other.expect_publish(), Publish::new("t", "m"));
    let mut at = atmq(["at", "--profile", "field", "AT"]);
    assert_eq!(at.env("ATMQ_CONFIG", &file).succeeds(), b"OK\n");
    // The profile that nobody asked for.
    publish(&[]).fails(3).saying(&["/nonexistent/module"]);
    publish(&["--port", port]).succeeds();
    assert_eq!(other.expect_publish(), Publish::new("t", "m"));
}

#[test]
fn what_is_wrong_with_a_profile_is_told_in_one_line() {
    let (_directory, file, _) = config("[profile.a]\nport = \"p\"\n");
    let publish = |file: &str, profile: &str| {
        let mut command = atmq(["pub", "-t", "t", "-m", "m", "--profile", profile]);
        command.env("ATMQ_CONFIG", file);
        command
    };
    let failed = publish(&file, "b").fails(2).without_output();
    failed.saying(&["no profile b", &file, "it has a"]);
    let failed = publish("/nonexistent/config.toml", "b").fails(3);
    failed.saying(&["/nonexistent/config.toml", "atmq config --example"]);
    let mut without_file = publish("", "b");
    let failed = without_file.env("XDG_CONFIG_HOME", "/nonexistent").fails(3);
    failed.saying(&["there is no file /nonexistent/atmq/config.toml"]);
    for (contents, what) in [
        ("[profile.a]\nhots = \"h\"\n", "line 2: unknown key hots"),
        ("[profile.a]\npassword = \"p\"\n", "password-file"),
        ("[profile.a\n", "line 1"),
        ("[profile.a]\nport = \"p\"\nqos = 5\n", "'5' for '--qos"),
    ] {
        let (_directory, file, _) = config(contents);
        let failed = publish(&file, "a").fails(2).without_output();
        failed.saying(&[&file, what]);
    }
    // A value is refused as if it had been typed.
    let (_directory, file, _) = config("[profile.a]\nport = \"p\"\nbaud = \"fast\"\n");
    let complaint = publish(&file, "a").is_misused();
    assert!(complaint.contains("--baud"), "{complaint}");
}

#[test]
fn a_file_that_the_environment_names_and_that_is_missing_is_an_error() {
    let missing = "/nonexistent/config.toml";
    for arguments in [&["explain", "AT+CSQ"][..], &["config"]] {
        let mut command = atmq(arguments);
        let failed = command.env("ATMQ_CONFIG", missing).fails(3);
        failed.saying(&[missing, "atmq config --example"]);
    }
    // Whoever is about to write it is not kept from it.
    for arguments in [&["config", "--example"][..], &["pub", "--help"]] {
        atmq(arguments).env("ATMQ_CONFIG", missing).succeeds();
    }
    // An empty variable names none.
    let mut explain = atmq(["explain", "AT+CSQ"]);
    let home = tempfile::tempdir().expect("a temporary directory can be made");
    explain
        .env("HOME", home.path())
        .env_remove("XDG_CONFIG_HOME");
    explain.env("ATMQ_CONFIG", "").succeeds();
}

#[test]
fn a_password_comes_from_a_file_beside_the_profile() {
    let (directory, file, _) = config(
        "[profile.a]\nport = \"/nonexistent/module\"\nusername = \"u\"\n\
         password-file = \"secret\"\n",
    );
    let secret = directory.path().join("secret");
    let publish = || {
        let mut command = atmq(["pub", "-t", "t", "-m", "m", "--profile", "a"]);
        command.env("ATMQ_CONFIG", &file);
        command
    };
    publish()
        .fails(3)
        .saying(&["cannot read the secret in", &argument(&secret)]);
    fs::write(&secret, "\n").expect("a file can be written");
    publish().fails(2).saying(&["is empty"]);
    fs::write(&secret, "s3cret\n").expect("a file can be written");
    publish().fails(3).saying(&["/nonexistent/module"]);
    let mut asks = publish();
    let failed = asks.arg("--ask-password").fails(2);
    failed.saying(&["no terminal", "--password-file"]);
}

#[test]
fn the_file_is_named_and_its_profiles_are_listed() {
    let (_directory, file, path) = config("[profile.b]\n[profile.a]\n");
    let mut listed = atmq(["config"]);
    let listed = text(&listed.env("ATMQ_CONFIG", &file).succeeds());
    assert_eq!(listed, format!("{file}\n  a\n  b\n"));
    // The example is a file that can be used.
    let example = atmq(["config", "--example"]).succeeds();
    fs::write(path, example).expect("a file can be written");
    let mut listed = atmq(["config"]);
    let listed = text(&listed.env("ATMQ_CONFIG", &file).succeeds());
    assert_eq!(listed, format!("{file}\n  default\n  field\n"));
}

#[test]
fn colors_are_for_terminals_and_for_those_who_ask() {
    let failing = ["at", "--port", "/nonexistent/module", "AT"];
    let complaint = |color: &[&str]| {
        let mut command = atmq(failing);
        let output = command.args(color).output().expect("it can be started");
        text(&output.stderr)
    };
    assert!(complaint(&[]).starts_with("atmq: "));
    assert!(complaint(&["--color", "always"]).starts_with('\x1b'));
    assert!(complaint(&["--color", "never"]).starts_with("atmq: "));
}
