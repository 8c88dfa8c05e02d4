//! `--record` and `atmq replay`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::{Emulator, Finished, Running, Signal, argument, atmq, text};

const OPEN: &str = r#"AT+LMQTTOPEN=0,"broker.example",1883"#;
const CONNECT: &str = r#"AT+LMQTTCONN=0,"module","user","s3cr3t-w0rd""#;

/// A directory, and a file in it that is not there yet.
fn new_file() -> (TempDir, PathBuf) {
    let directory = tempdir().expect("a temporary directory can be made");
    let path = directory.path().join("session.pcapng");
    (directory, path)
}

fn contains(file: &[u8], wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    file.windows(wanted.len()).any(|window| window == wanted)
}

/// What `atmq replay` shows of a file that has nothing wrong with it.
#[track_caller]
fn replayed(path: &str) -> String {
    text(&atmq(["replay", path]).succeeds())
}

#[test]
fn a_session_is_recorded_and_shown_with_its_meaning() {
    let (_directory, path) = new_file();
    let path = argument(&path);
    let module = Emulator::with_broker();
    let publish = "AT+LMQTTPUB=0,1,1,0,\"up\",5";
    module
        .atmq("at", ["--record", &path, OPEN, CONNECT, publish, "a\r\nOK"])
        .succeeds();
    let shown = replayed(&path);
    let head = shown.lines().next().expect("something is shown");
    assert!(head.starts_with(module.port()), "{head}");
    assert!(
        head.contains("recorded by atmq ") && head.ends_with(" UTC"),
        "{head}"
    );
    for (who, said, meaning) in [
        ("host   >", OPEN, "open a link to broker.example:1883"),
        ("module <", "+LMQTTOPEN: 0,0", "the link is open"),
        (
            "host   >",
            "AT+LMQTTCONN=0,\"module\",\"user\",\"***\"",
            "as module, user user",
        ),
        ("module <", "+LMQTTCONN: 0,0,0", "the broker has accepted"),
        ("host   >", publish, "publish 5 bytes on up, QoS 1, id 1"),
        ("module <", ">", "send the data"),
        ("host   >", "a\\r\\nOK", "5 bytes of data"),
        ("module <", "+LMQTTPUB: 0,1,0", "published, acknowledged"),
    ] {
        let found = shown
            .lines()
            .any(|line| line.contains(&format!("{who} {said}")) && line.contains(meaning));
        assert!(found, "no `{who} {said}` # {meaning} in\n{shown}");
    }
    let raw = text(&atmq(["replay", "--raw", &path]).succeeds());
    assert!(raw.contains(&format!("host   > {publish}\\r\n")), "{raw}");
}

#[test]
fn as_json_every_byte_is_there() {
    let (_directory, path) = new_file();
    let path = argument(&path);
    let module = Emulator::start(["--profile=nt35e"]);
    module.atmq("at", ["--record", &path, "ATI"]).succeeds();
    let shown = text(&atmq(["replay", "--json", &path]).succeeds());
    let lines = shown
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"));
    let lines: Vec<Value> = lines.collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["event"].as_str().unwrap(),
                line["from"].as_str().unwrap(),
                line["hex"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("command", "host", "415449"),
            ("echo", "module", "415449"),
            ("response", "module", "4e54333545"),
            ("result", "module", "4f4b"),
        ]
    );
}

#[test]
fn every_command_that_talks_to_a_module_records() {
    let (directory, path) = new_file();
    let module_side = argument(&directory.path().join("module.pcapng"));
    let file = argument(&path);
    let module = Emulator::start(["--broker", "embedded", "--record", &module_side]);
    let broker = module.broker();
    let (host, port) = (broker.ip().to_string(), broker.port().to_string());
    let address = ["-h", &host, "-p", &port];
    let commands: [(&str, &[&str]); 2] = [
        (
            "pub",
            &["-t", "t", "-m", "hello", "-u", "me", "-P", "s3cr3t-w0rd"],
        ),
        ("sub", &["-t", "t", "-W", "1"]),
    ];
    for (command, arguments) in commands {
        let mut running = module.atmq(command, address);
        running.args(arguments).args(["--record", &file, "--force"]);
        let code = if command == "sub" { 4 } else { 0 };
        running.assert().code(code);
        let shown = replayed(&file);
        assert!(shown.contains("the link is closed"), "{command}: {shown}");
        assert!(
            !contains(&fs::read(&path).unwrap(), "s3cr3t-w0rd"),
            "{command}"
        );
    }
    atmq(["demo", "--record", &file, "--force"]).succeeds();
    assert!(replayed(&file).contains("+LMQTTCLOSE: 0,0"));
    // The module's side saw the same, and keeps the same to itself.
    let seen = fs::read(&module_side).unwrap();
    assert!(contains(&seen, "\"me\",\"***\"\r") && !contains(&seen, "s3cr3t-w0rd"));
}

#[test]
fn no_secret_is_recorded_even_when_the_module_repeats_it() {
    let (_directory, path) = new_file();
    let module = Emulator::with_broker();
    let secret = "0123456789abcdef0123456789abcdef";
    let device = format!("AT+LMQTTCFG=\"aliauth\",0,\"key\",\"name\",\"{secret}\"");
    let commands = ["ATE1", &device, "AT+LMQTTCFG=\"aliauth\",0", OPEN, CONNECT];
    let typed = module
        .atmq("at", ["--record", &argument(&path)])
        .args(commands)
        .succeeds();
    assert!(text(&typed).contains(secret), "the module does repeat it");
    let file = fs::read(&path).unwrap();
    for hidden in [secret, "s3cr3t-w0rd"] {
        assert!(!contains(&file, hidden), "{hidden}");
    }
    assert!(contains(&file, "\"name\",\"***\"\r"));
}

/// What is typed by hand is mistyped by hand.
#[test]
fn no_mistyped_secret_is_recorded_or_printed_as_json() {
    let (_directory, path) = new_file();
    let module = Emulator::start(["--profile=nt35e"]);
    let commands = [
        r#"AT+LMQTTCONN?0,"c","u","s3cr3t""#,
        r#"AT+LMQTTCONN="c","u","s3cr3t""#,
        r#"AT+LMQTTCFG="aliauht",0,"pk","dn","s3cr3t""#,
        r#"AT+LMQTTCFG="ssl/psk",0,"s3cr3t""#,
        r#"AT+LSSLCFG="psk",0,"s3cr3t""#,
        r#"AT+CPIM="s3cr3t""#,
        r#"AT+CPIN:"s3cr3t""#,
    ];
    let typed = ["--keep-going", "--json", "--record", &argument(&path)];
    let mut typed = module.atmq("at", typed);
    let output = typed.args(["ATE1"]).args(commands).assert().code(1);
    let output = output.get_output().clone();
    for shown in [output.stdout, output.stderr, fs::read(&path).unwrap()] {
        assert!(!contains(&shown, "s3cr3t"), "{}", text(&shown));
    }
    let file = fs::read(&path).unwrap();
    for command in commands {
        let name = command.split(['=', '?', ':']).next().unwrap();
        assert!(contains(&file, name), "{command}");
    }
}

#[test]
fn others_cannot_read_a_capture() {
    let (_directory, path) = new_file();
    let module = Emulator::start(["--profile=nt35e"]);
    let typed = module.atmq("at", ["--record", &argument(&path), "AT"]);
    { typed }.succeeds();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_is_kept() {
    let (_directory, path) = new_file();
    fs::write(&path, "precious").unwrap();
    let module = Emulator::start(["--profile=nt35e"]);
    let file = argument(&path);
    let failed = module.atmq("at", ["--record", &file, "AT"]).fails(3);
    failed.without_output().saying(&[&file, "--force"]);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let missing = argument(&path.join("in").join("no.directory"));
    module.atmq("at", ["--record", &missing, "AT"]).fails(3);
}

#[test]
fn what_was_recorded_before_a_kill_can_be_read() {
    let (_directory, path) = new_file();
    let file = argument(&path);
    let mut emulator = Running::start(["emulate", "--instant", "--record", &file]);
    let ready = emulator.line();
    let pty = ready
        .split("pty=")
        .nth(1)
        .expect("it is on a pseudo terminal");
    // What the module says is recorded behind its write: the last answer may be missing.
    atmq(["at", "--port", pty.trim(), "ATI", "AT"]).succeeds();
    emulator.signal(Signal::KILL);
    drop(emulator);
    let shown = atmq(["replay", &file]).assert().success();
    let output = shown.get_output();
    assert!(text(&output.stdout).contains("module < NT35E"));
    assert!(text(&output.stderr).contains("the recording was cut"));
    // Cut in the middle of a block.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let failed = atmq(["replay", &file]).fails(3).saying(&[&file, "is cut"]);
    assert!(
        failed.stdout.contains("module < NT35E"),
        "{}",
        failed.stdout
    );
}

#[test]
fn what_is_no_capture_is_told_in_one_line() {
    let (directory, path) = new_file();
    let file = argument(&path);
    atmq(["replay", &file])
        .fails(3)
        .saying(&["cannot read", &file]);
    let folder = argument(directory.path());
    atmq(["replay", &folder]).fails(3).saying(&["directory"]);
    for (contents, complaint) in [
        (&b""[..], "is empty"),
        (b"AT\r\r\nOK\r\n", "is no capture"),
        (&[0; 5000], "is no capture"),
        // An Ethernet capture without packets.
        (
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0",
            "link type 1, not of a serial line",
        ),
    ] {
        fs::write(&path, contents).unwrap();
        let failed = atmq(["replay", &file]).fails(3);
        failed.without_output().saying(&[&file, complaint]);
    }
}
