//! The console of `atmq emulate`: at a terminal, with the status line, and from a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::harness::{AtTerminal, Finished as _, Signal, argument, atmq, program, text};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_Z: &str = "\x1a";
const UP: &str = "\x1b[A";

/// A module that is emulated at a terminal, with the prompt on the screen.
struct Bench {
    terminal: AtTerminal,
    link: PathBuf,
    _directory: TempDir,
}

impl Bench {
    fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let link = directory.path().join("module");
        let path = argument(&link);
        let mut all = vec!["emulate", "--instant", "--link", &path];
        all.extend(arguments);
        let mut terminal = AtTerminal::start(&all, directory.path());
        terminal.shows("ready pty=");
        terminal.is_typing("atmq> ");
        Self {
            terminal,
            link,
            _directory: directory,
        }
    }

    /// What the module answers to a host.
    #[track_caller]
    fn answers(&self, commands: &[&str]) -> String {
        let port = argument(&self.link);
        let command = [&["at", "--keep-going", "--port", &port], commands].concat();
        text(&atmq(command).assert().get_output().stdout)
    }

    /// The program ends with 0, and takes its link and its line with it.
    #[track_caller]
    fn ends(self) {
        let screen = self.terminal.ends(0);
        assert!(!screen.contains(" published, "), "{screen}");
        assert!(!is_link(&self.link));
    }
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[test]
fn words_that_are_typed_are_done() {
    let mut bench = Bench::start(&[]);
    bench.terminal.enters("sim out");
    bench.terminal.shows("ok sim out");
    bench.terminal.is_typing("atmq> ");
    assert_eq!(bench.answers(&["AT+CPIN?"]), "ERROR\n");
    bench.terminal.enters("signal loud");
    bench.terminal.shows("error invalid value 'loud'");
    bench.terminal.enters("help");
    bench.terminal.shows("sim out");
    bench.terminal.shows("end the program");
    bench.terminal.is_typing("atmq> ");
    bench.terminal.types(UP);
    bench.terminal.is_typing("atmq> help");
    bench.terminal.types(UP);
    bench.terminal.types(UP);
    bench.terminal.is_typing("atmq> sim out");
    bench.terminal.types("\x15");
    bench.terminal.enters("quit");
    bench.ends();
}

#[test]
fn the_last_row_tells_how_things_stand() {
    let mut bench = Bench::start(&["--broker=embedded"]);
    bench.terminal.shows_at_the_bottom("home · 0 published");
    let open = r#"AT+LMQTTOPEN=0,"broker.example",1883"#;
    let publish = r#"AT+LMQTTPUB=0,0,0,0,"t",2,hi"#;
    bench.answers(&[open, r#"AT+LMQTTCONN=0,"id""#, publish]);
    bench
        .terminal
        .shows_at_the_bottom("mqtt 0 connected · 1 published");
    bench.terminal.enters("sim out");
    bench.terminal.shows_at_the_bottom("sim not ready");
    bench.terminal.enters("silence ATI");
    bench.terminal.shows_at_the_bottom("1 fault waiting");
    // What scrolls does not scroll it away.
    for _ in 0..4 {
        bench.terminal.enters("help");
        bench.terminal.is_typing("atmq> ");
    }
    bench.terminal.shows_at_the_bottom("1 fault waiting");
    bench.terminal.types(CTRL_D);
    bench.ends();
}

#[test]
fn what_is_told_does_not_break_the_line_that_is_being_typed() {
    let mut bench = Bench::start(&["--lint"]);
    bench.terminal.types("signal 1");
    bench.terminal.is_typing("atmq> signal 1");
    // A connect without a link.
    bench.answers(&[r#"AT+LMQTTCONN=0,"id""#]);
    bench.terminal.shows("warning");
    bench.terminal.is_typing("atmq> signal 1");
    bench.terminal.types("2\r");
    bench.terminal.shows("ok signal 12,0");
    bench.terminal.types(CTRL_C);
    bench.ends();
}

#[test]
fn lines_can_be_pasted() {
    let mut bench = Bench::start(&[]);
    // As a terminal brackets a paste, and as one without brackets types it.
    bench
        .terminal
        .types("\x1b[200~signal 1\rsignal 2\rsignal 3\x1b[201~\r");
    bench.terminal.shows("ok signal 3,0");
    bench.terminal.is_typing("atmq> ");
    bench
        .terminal
        .types("signal 4\rsignal 5\rsignal 6\rsignal 7\r");
    for rssi in 1..=7 {
        bench
            .terminal
            .shows_times(&format!("ok signal {rssi},0"), 1);
    }
    bench.terminal.is_typing("atmq> ");
    assert_eq!(bench.answers(&["AT+CSQ"]), "+CSQ: 7,0\nOK\n");
    bench.terminal.types(CTRL_D);
    bench.ends();
}

#[test]
fn quiet_leaves_the_terminal_to_the_prompt() {
    let mut bench = Bench::start(&["--quiet"]);
    bench.terminal.enters("status");
    bench.terminal.shows("registration=home");
    bench.terminal.is_typing("atmq> ");
    assert!(!bench.terminal.screen().contains(" published, "));
    bench.terminal.signal(Signal::TERM);
    bench.ends();
}

#[test]
fn words_are_taken_from_standard_input_where_that_is_asked_for() {
    let mut module = program();
    let module = module.args(["emulate", "--console"]).stdin(Stdio::piped());
    let mut module = module
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut stdin = module.stdin.take().expect("it is a pipe");
    let stdout = module.stdout.take().expect("it is a pipe");
    let mut stdout = BufReader::new(stdout).lines();
    let mut next = || stdout.next().expect("it speaks").expect("it is text");
    assert!(next().starts_with("ready pty="));
    stdin
        .write_all(b"signal 9\nnonsense\nquit\n")
        .expect("it is read");
    assert_eq!(next(), "ok signal 9,0");
    assert!(next().starts_with("error "));
    assert_eq!(next(), "ok ends");
    assert!(module.wait().expect("it is a child").success());
    atmq(["emulate", "--console", "--stdio"])
        .fails(2)
        .without_output()
        .saying(&["--console and --stdio", "--control"]);
}

#[test]
fn with_json_every_line_of_standard_output_is_json() {
    let mut emulator = program();
    emulator.args(["emulate", "--instant", "--json", "--console"]);
    emulator.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut emulator = emulator.spawn().expect("the program can be started");
    let mut words = emulator.stdin.take().expect("standard input is a pipe");
    let lines = emulator.stdout.take().expect("standard output is a pipe");
    words
        .write_all(b"signal 12\nsignal 99999\n\xff\nquit\n")
        .expect("it takes words");
    let lines = BufReader::new(lines).lines().map(|line| {
        let line = line.expect("it prints lines");
        serde_json::from_str::<serde_json::Value>(&line).expect("each line is JSON")
    });
    let (world, lines): (Vec<_>, Vec<_>) = lines.partition(|event| event["event"] == "world");
    let [changed] = &world[..] else {
        panic!("one thing has changed: {world:?}");
    };
    assert_eq!(
        (&changed["kind"], &changed["text"]),
        (&"signal".into(), &"12,0".into())
    );
    assert!(changed["ms"].is_number());
    let lines: Vec<_> = lines
        .iter()
        .map(|event| {
            let name = event["event"].as_str().map(str::to_owned);
            (name, event["ok"].as_bool())
        })
        .collect();
    let answer = |ok| (Some("answer".to_owned()), Some(ok));
    let ready = (Some("ready".to_owned()), None);
    let expected = [
        ready,
        answer(true),
        answer(false),
        answer(false),
        answer(true),
    ];
    assert_eq!(lines, expected);
    assert!(emulator.wait().expect("it ends").success());
}

#[test]
fn tab_completes_words_and_their_values() {
    let mut bench = Bench::start(&[]);
    bench.terminal.types("reg\tro\t");
    bench.terminal.is_typing("atmq> registration roaming ");
    bench.terminal.types("\r");
    bench.terminal.shows("ok registration roaming");
    bench.terminal.is_typing("atmq> ");
    // Several ways to go on are listed.
    bench.terminal.types("sim \t\t");
    bench.terminal.shows("out  in");
    bench.terminal.types(CTRL_C);
    bench.ends();
}

#[test]
fn it_can_be_stopped_and_brought_back() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let arguments = ["emulate", "--instant"];
    let mut terminal = AtTerminal::under_job_control(&arguments, directory.path());
    terminal.is_typing("atmq> ");
    terminal.shows_at_the_bottom(" published");
    terminal.types("sig");
    terminal.is_typing("atmq> sig");
    terminal.types(CTRL_Z);
    terminal.is_stopped();
    assert!(
        !terminal.screen().contains(" published"),
        "{}",
        terminal.screen()
    );
    terminal.enters("go on");
    terminal.is_typing("atmq> sig");
    terminal.shows_at_the_bottom(" published");
    terminal.enters("nal 12");
    terminal.shows("ok signal 12,0");
    terminal.is_typing("atmq> ");
    terminal.types(CTRL_D);
    terminal.ends(0);
}
