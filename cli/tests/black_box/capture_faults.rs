//! What captures show of what went wrong, and of why.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::{Emulator, Finished, Running, argument, atmq, text};

const OPEN: &str = r#"AT+LMQTTOPEN=0,"broker.example",1883"#;

/// A module that can be changed, and captures of both sides.
struct Bench {
    module: Running,
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let path = |name: &str| argument(&directory.path().join(name));
        let [link, control, record] = ["link", "control", "module.pcapng"].map(path);
        let mut arguments = vec!["emulate", "--instant", "--broker", "embedded"];
        arguments.extend(["--link", &link, "--control", &control, "--record", &record]);
        let mut module = Running::start(arguments);
        module.line();
        let bench = Self { module, directory };
        // An echo is no answer, and has no line end where none follows.
        bench.atmq(&["ATE0"]).succeeds();
        bench
    }

    fn path(&self, name: &str) -> String {
        argument(&self.directory.path().join(name))
    }

    /// `atmq at` on the module.
    fn atmq(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut at = atmq(["at", "--port", &self.path("link")]);
        at.args(arguments);
        at
    }

    /// Says words to the module.
    #[track_caller]
    fn control(&self, words: &[&str]) {
        let mut control = atmq(["control", &self.path("control")]);
        control.args(words).succeeds();
    }

    /// Sends a command, waits so many seconds for what it brings, and records that on the host's
    /// side.
    #[track_caller]
    fn at(&self, file: &str, seconds: &str, command: &str, code: i32) {
        let record = ["--record", file, "--force", "--timeout", seconds, command];
        self.atmq(&record).assert().code(code);
    }

    /// Ends the module, so that its capture is complete. Returns where that is.
    fn end(self) -> (String, TempDir) {
        self.control(&["quit"]);
        let file = self.path("module.pcapng");
        self.module.succeeds();
        (file, self.directory)
    }
}

/// The lines of JSON that are printed.
#[track_caller]
fn json(arguments: &[&str]) -> Vec<Value> {
    let printed = text(&atmq(arguments).succeeds());
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect()
}

#[track_caller]
fn exported(file: &str, format: &str) -> String {
    text(&atmq(["export", file, format]).succeeds())
}

#[test]
fn answers_and_reports_that_did_not_come_are_marked_in_every_view() {
    let bench = Bench::new();
    let [file, whole] = ["lost.pcapng", "whole.pcapng"].map(|name| bench.path(name));
    bench.control(&["silence", "+CSQ"]);
    bench.at(&file, "1", "AT+CSQ", 4);
    let shown = text(&atmq(["replay", &file]).succeeds());
    assert!(shown.contains("!! no answer to AT+CSQ for "), "{shown}");
    bench.at(&whole, "60", "AT+CSQ", 0);
    let failed = atmq(["diff", &whole, &file]).fails(1);
    let mark = "\n+ ! no answer to AT+CSQ for ";
    assert!(failed.stdout.contains(mark), "{}", failed.stdout);
    // How long was waited is no difference.
    let again = bench.path("again.pcapng");
    bench.control(&["silence", "+CSQ"]);
    bench.at(&again, "2", "AT+CSQ", 4);
    assert_eq!(text(&atmq(["diff", &file, &again]).succeeds()), "");

    bench.control(&["lose-urc", "+LMQTTOPEN"]);
    bench.at(&file, "1", OPEN, 4);
    let missing = "no +LMQTTOPEN report for ";
    let events = json(&["replay", "--json", &file]);
    let marks: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "missing")
        .collect();
    let [mark] = &marks[..] else {
        panic!("one is missing: {events:?}");
    };
    assert_eq!(mark["exchange"], 1);
    let waited = mark["waited_ms"].as_f64().unwrap();
    assert!((900.0..60_000.0).contains(&waited), "{mark}");
    assert!(
        mark["meaning"].as_str().unwrap().starts_with(missing),
        "{mark}"
    );
    for (format, mark) in [
        ("--mermaid", "Note over host,module: "),
        ("--svg", "<g class=\"row bad aside\""),
        ("--html", "<g class=\"row bad aside\""),
    ] {
        let drawn = exported(&file, format);
        assert!(drawn.contains(mark), "{format}: {drawn}");
        assert!(drawn.contains(missing), "{format}: {drawn}");
        assert!(drawn.contains(", 1 failure"), "{format}: {drawn}");
    }
    let compared = atmq(["diff", "--json", &whole, &file]).fails(1).stdout;
    assert!(compared.contains(r#"{"missing":"no +LMQTTOPEN report for"#));
}

#[test]
fn a_precautionary_close_is_no_failure() {
    for profile in ["nt35e", "nt26"] {
        let directory = tempdir().unwrap();
        let file = argument(&directory.path().join("a.pcapng"));
        let module = Emulator::start(["--broker", "embedded", "--profile", profile]);
        let publish = ["-h", "x", "-t", "t", "-m", "hello", "--record", &file];
        module.atmq("pub", publish).succeeds();
        let events = json(&["replay", "--json", &file]);
        let close = events
            .iter()
            .position(|event| {
                let text = event["text"].as_str().unwrap_or_default();
                event["event"] == "command" && text.starts_with("AT+LMQTTCLOSE")
            })
            .expect("the driver closes what may be open");
        let exchange = &events[close]["exchange"];
        let result = events
            .iter()
            .find(|event| event["event"] == "result" && &event["exchange"] == exchange)
            .expect("it is answered");
        assert_eq!(result["meaning"], "refused: nothing was open");
        let failed = events.iter().find(|event| event["failed"] == true);
        assert_eq!(failed, None);
        let drawn = exported(&file, "--mermaid");
        assert!(
            !drawn.contains("-x") && !drawn.contains("failure"),
            "{drawn}"
        );
        // It was not carried out.
        let closes = drawn
            .lines()
            .filter(|line| line.contains("module-->>broker") && line.ends_with(" close"));
        assert_eq!(closes.count(), 1, "{drawn}");
    }
}

#[test]
fn faults_and_changes_of_the_world_are_in_the_capture_of_the_module() {
    let bench = Bench::new();
    bench.control(&["signal", "12"]);
    bench.control(&["override", "+CSQ", "+CME ERROR: 3"]);
    bench.control(&["sim", "in", "4321"]);
    bench.atmq(&["AT+CSQ"]).fails(1);
    bench.control(&["sim", "in"]);
    bench.atmq(&[OPEN]).succeeds();
    bench.control(&["mute"]);
    bench.control(&["unmute"]);
    bench.control(&["drop"]);
    bench.control(&["registration", "denied"]);
    bench.control(&["reboot"]);
    bench.control(&["power", "off"]);
    let (file, _directory) = bench.end();
    let events = json(&["replay", "--json", &file]);
    let told: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "world")
        .map(|event| {
            let words = ["kind", "text"].map(|key| event[key].as_str().unwrap());
            assert!(event["ms"].is_number());
            words.join(": ")
        })
        .collect();
    let fault = "AT+CSQ is not executed, but answered: +CME ERROR: 3";
    assert_eq!(
        told,
        [
            "signal: 12,0",
            &format!("fault armed: the next {fault}"),
            "sim: SIM PIN",
            &format!("fault: {fault}"),
            "sim: READY",
            "muted: yes",
            "muted: no",
            "link lost: connection 0",
            "registration: denied",
            "start: the module starts anew",
            "power: off",
        ]
    );
    // The fault comes true between the command and its answer.
    let place = |wanted: &str| {
        events
            .iter()
            .position(|event| event["text"].as_str().is_some_and(|text| text == wanted))
            .unwrap_or_else(|| panic!("no {wanted} in {events:?}"))
    };
    assert!(place("AT+CSQ") < place(fault) && place(fault) < place("+CME ERROR: 3"));
    let shown = text(&atmq(["replay", &file]).succeeds());
    let raw = text(&atmq(["replay", "--raw", &file]).succeeds());
    for views in [&shown, &raw] {
        assert!(views.contains("  -- signal: 12,0\n"), "{views}");
    }
    for (format, mark) in [
        ("--mermaid", "Note over host,module: "),
        ("--svg", "<g class=\"row aside\""),
        ("--html", "<g class=\"row aside\""),
    ] {
        let drawn = exported(&file, format);
        assert!(drawn.contains(mark), "{format}: {drawn}");
        assert!(drawn.contains("registration"), "{format}: {drawn}");
    }
    // A PIN is nobody's business.
    let bytes = fs::read(Path::new(&file)).unwrap();
    assert!(!bytes.windows(4).any(|window| window == b"4321"));
    // Nobody said any of it: what was said is played and compared.
    assert_eq!(text(&atmq(["diff", &file, &file]).succeeds()), "");
}

#[test]
fn the_world_does_not_tell_two_captures_apart() {
    let files = [true, false].map(|changes| {
        let bench = Bench::new();
        if changes {
            bench.control(&["signal", "29"]);
        }
        bench.atmq(&["AT+CSQ"]).succeeds();
        bench.end()
    });
    let [(one, _keep), (other, _it)] = &files;
    assert_eq!(text(&atmq(["diff", one, other]).succeeds()), "");
}

#[test]
fn what_others_have_recorded_beside_the_line_is_told_in_one_line() {
    let directory = tempdir().unwrap();
    let file = argument(&directory.path().join("a.pcapng"));
    let module = Emulator::start(["--profile=nt35e"]);
    let record = ["--record", &file, "ATE0", "AT+CGMM"];
    module.atmq("at", record).succeeds();
    let mut bytes = fs::read(&file).unwrap();
    // An interface of Ethernet, and two packets of it.
    bytes.extend(b"\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0");
    for _ in 0..2 {
        bytes.extend(b"\x06\0\0\0\x24\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\x04\0\0\0");
        bytes.extend(b"abcd\x24\0\0\0");
    }
    fs::write(&file, &bytes).unwrap();
    let told = "atmq: 2 packets of other interfaces skipped (link type 1, not RTAC serial)\n";
    for arguments in [
        &["replay", &file][..],
        &["replay", "--json", &file],
        &["export", "--svg", &file],
    ] {
        let output = atmq(arguments).assert().success().stderr(told);
        let shown = text(&output.get_output().stdout);
        assert!(shown.contains("NT35E"), "{shown}");
    }
    // A record of the line that was cut: of its 16 bytes 14 are there.
    bytes.extend(b"\x06\0\0\0\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0e\0\0\0\x10\0\0\0");
    bytes.extend(b"\0\0\0\0\0\0\0\0\x02\0\0\0OK\0\0\x30\0\0\0");
    fs::write(&file, &bytes).unwrap();
    let output = atmq(["replay", &file]).assert().success();
    let output = output.get_output();
    let (shown, told) = (text(&output.stdout), text(&output.stderr));
    assert!(shown.contains("  -- 2 bytes missing here: the record was cut\n"));
    assert!(
        told.contains("atmq: 1 record cut by a snapshot length"),
        "{told}"
    );
    let link = argument(&directory.path().join("module"));
    atmq(["replay", &file, "--as", "module", "--link", &link])
        .fails(3)
        .without_output()
        .saying(&["snapshot length", "not played"]);
}
