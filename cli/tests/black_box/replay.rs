//! `atmq replay --as`, `atmq diff`, `atmq export`

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::harness::{Emulator, Finished, PATIENCE, Running, Signal, argument, atmq, text};

/// Client ids differ from run to run.
const IDS: &str = "atmq-[0-9a-f]+-[0-9a-f]+";

/// A session of `atmq pub`, recorded.
struct Recorded {
    module: Emulator,
    directory: TempDir,
    file: String,
}

impl Recorded {
    fn new() -> Self {
        let directory = tempdir().unwrap();
        let file = argument(&directory.path().join("a.pcapng"));
        let module = Emulator::with_broker();
        let recorded = Self {
            module,
            directory,
            file,
        };
        let mut publish = atmq(Self::publish(recorded.module.port(), "hello"));
        publish.args(["--record", &recorded.file]).succeeds();
        recorded
    }

    fn publish<'a>(port: &'a str, message: &'a str) -> [&'a str; 15] {
        [
            "pub",
            "--port",
            port,
            "-h",
            "x",
            "-t",
            "up",
            "-q",
            "1",
            "-u",
            "me",
            "-P",
            "s3cr3t-w0rd",
            "-m",
            message,
        ]
    }

    fn path(&self, name: &str) -> String {
        argument(&self.directory.path().join(name))
    }

    /// A module that answers as the recorded one did.
    fn answering(&self, link: &str, more: &[&str]) -> Running {
        let arguments = [
            "replay",
            &self.file,
            "--as",
            "module",
            "--link",
            link,
            "--instant",
        ];
        let mut module = Running::start(arguments.iter().chain(more));
        let ready = module.line();
        assert!(ready.ends_with(&format!(" link={link}")), "{ready}");
        module
    }
}

#[test]
fn a_host_that_says_the_same_gets_the_same_answers() {
    let recorded = Recorded::new();
    let link = recorded.path("module");
    let module = recorded.answering(&link, &["--mask", IDS]);
    // Another password: the capture does not have the first.
    let mut publish = Recorded::publish(&link, "hello");
    publish[12] = "another";
    atmq(publish).succeeds();
    let told = text(&module.succeeds());
    assert!(told.starts_with("the host said the same: "), "{told}");
    assert!(!fs::exists(&link).unwrap(), "the link is removed");
}

#[test]
fn a_host_that_says_something_else_is_told_byte_by_byte() {
    let recorded = Recorded::new();
    let link = recorded.path("module");
    let module = recorded.answering(&link, &["--mask", IDS]);
    atmq(Recorded::publish(&link, "hallo")).succeeds();
    let failed = module.fails(1).saying(&["1 difference", "--mask"]);
    for words in [
        "host    - AT+LMQTTPUB=0,1,1,0,\"up\",5,\"hello\"\n",
        "+ AT+LMQTTPUB=0,1,1,0,\"up\",5,\"hallo\"\n",
        "^ byte 29: 61 instead of 65\n",
    ] {
        assert!(
            failed.stdout.contains(words),
            "no {words} in {}",
            failed.stdout
        );
    }
    assert!(!failed.stdout.contains("s3cr3t-w0rd"), "{}", failed.stdout);
}

#[test]
fn commands_more_and_less_than_recorded_are_told() {
    let recorded = Recorded::new();
    let link = recorded.path("module");
    let module = recorded.answering(&link, &[]);
    let ask = |command: &str| atmq(["at", "--port", &link, command]);
    ask("AT+NOSUCH").fails(1).saying(&["ERROR"]);
    // The first two of the session are left out.
    ask("AT+CMEE=1").succeeds();
    module.signal(Signal::TERM);
    let failed = module.fails(130);
    let failed = failed.saying(&["stopped before the host had said all"]);
    for words in [
        "host    + AT+NOSUCH\n",
        "host    - AT+CMEE?\n",
        "host    - ATE0\n",
    ] {
        assert!(
            failed.stdout.contains(words),
            "no {words} in {}",
            failed.stdout
        );
    }
}

#[test]
fn a_module_is_compared_with_the_recorded_one() {
    let recorded = Recorded::new();
    let play = |port: &str, password: Option<&str>| {
        let mut play = atmq(["replay", &recorded.file, "--as", "host", "--port", port]);
        play.arg("--instant");
        if let Some(password) = password {
            play.env("ATMQ_PASSWORD", password);
        }
        play
    };
    let same = Emulator::with_broker();
    let failed = play(same.port(), None).fails(2);
    failed
        .without_output()
        .saying(&["hides a secret", "ATMQ_PASSWORD", "\"***\""]);
    let told = text(&play(same.port(), Some("s3cr3t-w0rd")).succeeds());
    assert!(told.starts_with("the module said the same: "), "{told}");
    let other = Emulator::start(["--broker", "embedded", "--profile", "nt26"]);
    let failed = play(other.port(), Some("s3cr3t-w0rd")).fails(1);
    let failed = failed.saying(&["1 difference"]);
    for words in [
        "module  - NT35E\\r\\n\n",
        "+ NT26KCN\\r\\n\n",
        "^ byte 2: 32 instead of 33\n",
    ] {
        assert!(
            failed.stdout.contains(words),
            "no {words} in {}",
            failed.stdout
        );
    }
    // Without a module there is nothing to play to.
    atmq(["replay", &recorded.file, "--as", "host"])
        .fails(2)
        .saying(&["--port"]);
}

#[test]
fn a_replay_that_a_signal_cuts_short_found_no_difference() {
    let directory = tempdir().unwrap();
    let file = argument(&directory.path().join("a.pcapng"));
    let module = Emulator::start(["--profile=nt35e"]);
    let record = ["--record", &file, "AT+CGMM"];
    module.atmq("at", record).succeeds();
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        // A module that never answers.
        let module = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = format!("tcp://{}", module.local_addr().unwrap());
        let play = ["replay", &file, "--as", "host", "--port", &port];
        let replay = Running::start(play.iter().chain(&["--patience", "1000"]));
        let (mut host, _) = module.accept().unwrap();
        host.set_read_timeout(Some(PATIENCE)).unwrap();
        host.read_exact(&mut [0]).expect("it is spoken to");
        replay.signal(sent);
        let failed = replay.fails(130).without_output();
        failed.saying(&["stopped before all was played"]);
        let play = ["replay", &file, "--as", "module", "--listen", "127.0.0.1:0"];
        let mut replay = Running::start(play);
        replay.line();
        replay.signal(sent);
        let failed = replay.fails(130).without_output();
        failed.saying(&["stopped before the host had said all that the capture holds"]);
    }
}

#[test]
fn captures_are_compared_by_their_exchanges() {
    let recorded = Recorded::new();
    let again = recorded.path("again.pcapng");
    let mut publish = atmq(Recorded::publish(recorded.module.port(), "hello"));
    publish.args(["--record", &again]).succeeds();
    let diff = |arguments: &[&str]| {
        let mut diff = atmq(["diff", &recorded.file, &again]);
        diff.args(arguments);
        diff
    };
    // The second time echo and errors are as the first has left them. The echo does not count
    // unless it is asked for.
    let masks = ["--mask", IDS, "--mask", r"\+CMEE: \d"];
    assert_eq!(text(&diff(&masks).succeeds()), "");
    let failed = diff(&masks)
        .arg("--echo")
        .fails(1)
        .saying(&["exchanges differ"]);
    assert!(
        failed.stdout.contains("- < AT+CMEE?\n"),
        "{}",
        failed.stdout
    );
    let failed = diff(&["--json"]).fails(1).saying(&["2 of "]);
    let events: Vec<Value> = failed
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let (sum, differences) = events.split_last().expect("there is a sum");
    assert_eq!(
        (&sum["event"], &sum["different"]),
        (&"summary".into(), &2.into())
    );
    assert_eq!(differences.len(), 2, "{events:?}");
    let connects = |side: &str| {
        differences.iter().any(|difference| {
            let said = &difference[side]["said"][0];
            said["from"] == "host"
                && said["text"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("AT+LMQTTCONN=0,"))
        })
    };
    assert!(connects("a") && connects("b"), "{events:?}");
    let failed = diff(&[]).fails(1).saying(&["2 of "]);
    for words in [
        "\n- > AT+LMQTTCONN=0,",
        "\n+ > AT+LMQTTCONN=0,",
        "exchanges alike)",
    ] {
        assert!(
            failed.stdout.contains(words),
            "no {words} in {}",
            failed.stdout
        );
    }
    assert!(!failed.stdout.contains('\x1b'), "no colours in a pipe");
    let missing = recorded.path("missing");
    atmq(["diff", &recorded.file, &missing])
        .fails(3)
        .saying(&[&missing]);
    atmq(["diff", &recorded.file, &again, "--mask", "("]).is_misused();
}

#[test]
fn a_session_is_drawn() {
    let recorded = Recorded::new();
    let draw = |format: &str| text(&atmq(["export", &recorded.file, format]).succeeds());
    let mermaid = draw("--mermaid");
    assert!(mermaid.starts_with("sequenceDiagram\n"), "{mermaid}");
    for line in [
        "    participant broker\n",
        " AT+LMQTTOPEN=0,#34;x#34;,1883<br/>open a link to x#58;1883\n",
        "    module-->>broker: ",
        "    broker-->>module: ",
    ] {
        assert!(mermaid.contains(line), "no {line} in {mermaid}");
    }
    let svg = draw("--svg");
    let html = draw("--html");
    for picture in [&svg, &html] {
        for words in [
            ">PUBLISH QoS 1, 5 bytes, up<",
            ">PUBACK<",
            "&quot;***&quot;",
        ] {
            assert!(picture.contains(words), "no {words}");
        }
        // Nothing is loaded from elsewhere.
        let links = picture.replace("http://www.w3.org/2000/svg", "");
        assert!(!links.contains("://") && !links.contains("@import"));
        assert!(!picture.contains("s3cr3t-w0rd"));
    }
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    for left in [
        "@TITLE@",
        "@ABOUT@",
        "@STYLE@",
        "@SCRIPT@",
        "@DIAGRAM@",
        "@DETAILS@",
        "@HEADS@",
    ] {
        assert!(!html.contains(left), "{left}");
    }
}

#[test]
fn a_picture_that_is_there_is_kept() {
    let recorded = Recorded::new();
    let picture = recorded.path("a.svg");
    let draw = |more: &[&str]| {
        let mut draw = atmq(["export", &recorded.file, "--svg", "-o", &picture]);
        draw.args(more);
        draw
    };
    draw(&[]).succeeds();
    fs::write(&picture, "precious").unwrap();
    draw(&[])
        .fails(3)
        .saying(&[&picture, "there already", "--force"]);
    assert_eq!(fs::read(&picture).unwrap(), b"precious");
    draw(&["--force"]).succeeds();
    assert!(fs::read_to_string(&picture).unwrap().starts_with("<svg "));
    atmq(["export", &recorded.file]).is_misused();
    atmq(["export", &recorded.file, "--svg", "--html"]).is_misused();
}

#[test]
fn what_is_said_cannot_break_out_of_a_picture() {
    let directory = tempdir().unwrap();
    let file = argument(&directory.path().join("a.pcapng"));
    let module = Emulator::start(["--profile=nt35e"]);
    let evil = "AT+X=\"</script></svg><script>alert(1)</script>&;#@SCRIPT@\"";
    module
        .atmq("at", ["--record", &file, evil])
        .assert()
        .code(1);
    for format in ["--svg", "--html", "--mermaid"] {
        let drawn = text(&atmq(["export", &file, format]).succeeds());
        assert!(!drawn.contains("<script>alert"), "{format}");
        assert!(drawn.contains("alert(1)"), "{format}");
    }
}

#[test]
fn of_a_cut_capture_what_is_there_is_drawn_and_it_is_not_played() {
    let recorded = Recorded::new();
    let whole = fs::read(&recorded.file).unwrap();
    fs::write(Path::new(&recorded.file), &whole[..whole.len() / 2]).unwrap();
    let failed = atmq(["export", &recorded.file, "--mermaid"])
        .fails(3)
        .saying(&["is cut"]);
    assert!(failed.stdout.contains("AT+CMEE"), "{}", failed.stdout);
    let link = recorded.path("module");
    let play = ["replay", &recorded.file, "--as", "module", "--link", &link];
    atmq(play)
        .fails(3)
        .without_output()
        .saying(&["is cut", "not played"]);
}
