//! `atmq shell`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use atmq_tests::raw_mqtt::{Connect, Publish, RawClient};
use tempfile::TempDir;

use crate::harness::{AtTerminal, Emulator, Finished, Running, Signal, argument, atmq, text};

const OPEN: &str = r#"AT+LMQTTOPEN=0,"broker.example",1883"#;
const CONNECT: &str = r#"AT+LMQTTCONN=0,"module""#;

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_Z: &str = "\x1a";
const UP: &str = "\x1b[A";

/// A shell whose module is known, with the prompt on the screen.
fn shell(module: &Emulator, home: &Path) -> AtTerminal {
    let mut shell = AtTerminal::start(&["shell", "--port", module.port()], home);
    shell.shows("with LMQTT commands");
    shell.is_typing("> ");
    shell
}

/// Opens a link and connects.
fn connects(shell: &mut AtTerminal) {
    for command in [OPEN, CONNECT] {
        shell.enters(command);
        shell.is_typing("> ");
    }
}

/// Ctrl-D ends it well.
fn leaves(mut shell: AtTerminal) {
    shell.types(CTRL_D);
    shell.ends(0);
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

#[test]
fn a_command_is_sent_and_its_answer_shown() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    shell.enters("AT+CGMR");
    shell.shows(" NT35ECNA");
    shell.shows(" OK");
    shell.is_typing("> ");
    shell.enters("AT+NOSUCH");
    shell.shows(" ERROR");
    shell.is_typing("> ");
    // The echo is no answer.
    assert!(!shell.screen().contains("\n> AT+NOSUCH\nAT+NOSUCH"));
    leaves(shell);
}

#[test]
fn names_keys_and_values_are_completed_and_explained() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    shell.types("AT+LMQTTO\t");
    shell.is_typing("> AT+LMQTTOPEN");
    shell.shows("opens the TCP or TLS link");
    shell.types(CTRL_C);
    shell.is_typing("> ");
    shell.types("AT+LMQTTCFG=\"ke\t");
    shell.is_typing("> AT+LMQTTCFG=\"keepalive\"");
    shell.shows("pings the broker");
    shell.types(",0,");
    shell.shows("seconds (0-3600): seconds, 0 for never; default 120");
    shell.types("4000");
    shell.shows("not within 0-3600");
    shell.types(CTRL_C);
    shell.is_typing("> ");
    // Several ways to go on are listed.
    shell.types("AT+LMQTTPUB=0,1,\t\t");
    shell.shows("1 at least once");
    shell.types(CTRL_C);
    shell.is_typing("> ");
    shell.types("/exp\t");
    shell.is_typing("> /explain");
    shell.types(" CME 30\r");
    shell.shows("no network service");
    leaves(shell);
}

#[test]
fn a_urc_does_not_break_the_line_that_is_being_typed() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut shell = shell(&module, home.path());
    connects(&mut shell);
    shell.enters(r#"AT+LMQTTSUBUNSUB=0,0,1,"down",0"#);
    shell.shows("+LMQTTSUBUNSUB: 0,1,0,1");
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    shell.types("AT+CG");
    shell.is_typing("> AT+CG");
    for number in 0..20 {
        other.send(Publish::new("down", format!("message {number}")).bytes());
    }
    shell.shows_times("+LMQTTURC: RECV,0,0,\"down\",message ", 20);
    shell.is_typing("> AT+CG");
    // A line that is longer than the terminal is wide, with an explanation below.
    shell.types(CTRL_C);
    shell.is_typing("> ");
    let long = format!("AT+LMQTTPUB=0,0,0,0,\"{}\",", "t".repeat(150));
    shell.types(&long);
    shell.shows("msglen (0-8000)");
    other.send(Publish::new("down", "in between").bytes());
    shell.shows("+LMQTTURC: RECV,0,0,\"down\",in between");
    shell.types("2,\"ok\"\r");
    shell.shows("+LMQTTPUB: 0,0,0");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn data_is_asked_for_and_counted() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("up", 0)]);
    let file = home.path().join("data");
    fs::write(&file, b"\xff\r\n").expect("a file can be written");
    let mut shell = shell(&module, home.path());
    connects(&mut shell);
    shell.enters(r#"AT+LMQTTPUB=0,0,0,0,"up",6"#);
    shell.is_typing("data, 6 bytes missing> ");
    shell.enters("a\\x00b");
    shell.is_typing("data, 3 bytes missing> ");
    shell.enters("too long");
    shell.shows("these are 8 bytes, 3 are missing; nothing was sent");
    shell.enters("\\q");
    shell.shows("`\\q` is no escape");
    shell.enters(&format!("@{}", argument(&file)));
    shell.shows("+LMQTTPUB: 0,0,0");
    shell.is_typing("> ");
    assert_eq!(other.accept_publish().payload, b"a\0b\xff\r\n");
    // The same in one line; what text cannot carry goes behind the prompt.
    shell.enters("/publish up \"\\x00\\\"\\n\"");
    shell.shows("sends AT+LMQTTPUB=0,0,0,0,\"up\",3");
    shell.shows_times("+LMQTTPUB: 0,0,0", 2);
    assert_eq!(other.accept_publish().payload, b"\0\"\n");
    // Data is no command, and is not remembered as one.
    shell.types(UP);
    shell.is_typing("> /publish up \"\\x00\\\"\\n\"");
    shell.types(UP);
    shell.is_typing("> AT+LMQTTPUB=0,0,0,0,\"up\",6");
    shell.types(CTRL_C);
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn data_can_be_given_up() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut shell = shell(&module, home.path());
    connects(&mut shell);
    shell.enters(r#"AT+LMQTTPUB=0,0,0,0,"up",6"#);
    shell.is_typing("data, 6 bytes missing> ");
    shell.enters("ab");
    shell.is_typing("data, 4 bytes missing> ");
    shell.types(CTRL_C);
    shell.shows("the module waits for 4 more bytes");
    shell.types(CTRL_C);
    shell.shows("no longer waiting");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn history_is_kept_without_secrets() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut first = shell(&module, home.path());
    let connect = r#"AT+LMQTTCONN=0,"id","user","s3cret""#;
    first.enters(connect);
    first.shows(" ERROR");
    first.is_typing("> ");
    // Within the run it can be sent again as it was.
    first.types(UP);
    first.is_typing(&format!("> {connect}"));
    first.types(CTRL_C);
    first.is_typing("> ");
    // AT+CPIN="1234"
    first.enters("/hex 41542B4350494E3D2231323334220D");
    first.shows("ERROR");
    first.is_typing("> ");
    first.enters("ATI");
    first.shows(" OK");
    first.is_typing("> ");
    leaves(first);
    let file = home.path().join("atmq/history");
    let mode = |path| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(&*file), 0o600, "nobody else reads the history");
    assert_eq!(mode(&home.path().join("atmq")), 0o700);
    let kept = fs::read_to_string(file).expect("there is a history");
    assert_eq!(kept, "AT+LMQTTCONN=0,\"id\",\"user\",\"***\"\nATI\n");
    let mut second = shell(&module, home.path());
    second.types(UP);
    second.is_typing("> ATI");
    second.types(UP);
    second.is_typing("> AT+LMQTTCONN=0,\"id\",\"user\",\"***\"");
    second.types("\r");
    second.shows("type it in place of ***");
    second.is_typing("> ");
    leaves(second);
    let mut third = AtTerminal::start(
        &["shell", "--port", module.port(), "--no-history"],
        home.path(),
    );
    third.shows("with LMQTT commands");
    third.types(UP);
    third.enters("ATE0");
    third.shows(" OK");
    leaves(third);
    assert!(!kept.contains("ATE0"));
}

#[test]
fn waiting_can_be_ended() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    shell.enters("/wait +NEVER");
    shell.shows("waits for");
    shell.types(CTRL_C);
    shell.shows("no longer waiting");
    shell.is_typing("> ");
    shell.enters("/wait +NEVER 0.1");
    shell.shows("no line matched within 0.1 s");
    shell.enters("/nosuch");
    shell.shows("/help lists what is");
    shell.enters("/help");
    shell.shows("/publish TOPIC PAYLOAD [QOS]");
    shell.enters("/quit");
    shell.ends(0);
}

#[test]
fn what_comes_can_be_explained_and_shown_in_digits() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    shell.enters("AT+CSQ");
    shell.shows(" OK");
    shell.is_typing("> ");
    shell.enters("/explain");
    shell.shows("which shows the signal");
    shell.shows("has taken AT+CSQ");
    shell.enters("/hex");
    shell.enters("AT+CMEE?");
    shell.shows("2b 43 4d 45 45 3a 20 30");
    shell.shows("4f 4b ");
    shell.enters("/hex");
    shell.shows("hexadecimal digits: off");
    shell.enters("/echo");
    shell.shows("echo: on");
    shell.enters("/hex 41 54 49 0d");
    shell.shows(" ATI");
    shell.shows("NT35E");
    leaves(shell);
}

#[test]
fn what_passes_can_be_recorded() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    let file = argument(&home.path().join("session.pcapng"));
    shell.enters("AT+CGMI");
    shell.shows(" OK");
    shell.enters(&format!("/record {file}"));
    shell.shows("records into");
    shell.enters("AT+CPIN=\"1234\"");
    shell.shows(" ERROR");
    shell.enters("/record");
    shell.shows("no longer recording");
    shell.enters("AT+CGSN");
    shell.shows_times(" OK", 2);
    // What is there is not written over.
    shell.enters(&format!("/record {file}"));
    shell.shows("cannot record to");
    leaves(shell);
    let shown = text(&atmq(["replay", &file]).succeeds());
    assert!(
        shown.contains("AT+CPIN=\"***\"") && shown.contains("ERROR"),
        "{shown}"
    );
    assert!(
        !shown.contains("CGMI") && !shown.contains("CGSN"),
        "{shown}"
    );
}

#[test]
fn several_lines_can_be_pasted() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut shell = shell(&module, home.path());
    // As a terminal brackets a paste, and as one without brackets types it.
    shell.types(format!(
        "\x1b[200~{OPEN}\r{CONNECT}\rAT+LMQTTCONN?\x1b[201~\r"
    ));
    shell.shows("+LMQTTCONN: 0,3");
    shell.is_typing("> ");
    shell.types("AT+CMEE=1\rAT+CMEE?\rAT+LMQTTCLOSE=0\r");
    shell.shows("+CMEE: 1");
    shell.shows("+LMQTTCLOSE: 0,0");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn a_paste_may_hold_the_data_of_a_command() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut other = RawClient::connect(module.broker(), &Connect::new("other"));
    other.subscribe(&[("up", 0)]);
    let mut shell = shell(&module, home.path());
    connects(&mut shell);
    let publish = "AT+LMQTTPUB=0,0,0,0,\"up\",5";
    shell.types(format!("\x1b[200~{publish}\rhello\rAT+CMEE?\x1b[201~\r"));
    shell.shows("+CMEE: ");
    assert_eq!(other.accept_publish().payload, b"hello");
    shell.is_typing("> ");
    // Data that is too short asks for more, and a command is not that.
    shell.types(format!("\x1b[200~{publish}\rhel\rAT\x1b[201~\r"));
    shell.shows("is not taken for data");
    shell.is_typing("data, 2 bytes missing> ");
    shell.enters("lo");
    assert_eq!(other.accept_publish().payload, b"hello");
    shell.is_typing("> ");
    assert!(
        !shell.screen().contains("without a line end"),
        "{}",
        shell.screen()
    );
    leaves(shell);
    let history = fs::read_to_string(home.path().join("atmq/history")).unwrap();
    assert!(
        history.contains("AT+CMEE?") && !history.contains("hel"),
        "{history}"
    );
}

#[test]
fn the_prompt_of_a_module_is_no_line_without_an_end() {
    let (module, home) = (Emulator::with_broker(), home());
    let mut shell = shell(&module, home.path());
    connects(&mut shell);
    // Behind the shell's back.
    let command: String = "AT+LMQTTPUB=0,0,0,0,\"up\",2\r"
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    shell.enters(&format!("/hex {command}"));
    std::thread::sleep(std::time::Duration::from_millis(2500));
    shell.enters("/hex 6f6b");
    shell.shows("+LMQTTPUB: 0,0,0");
    assert!(
        !shell.screen().contains("without a line end"),
        "{}",
        shell.screen()
    );
    leaves(shell);
}

#[test]
fn very_long_lines_are_sent_or_refused() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let mut shell = shell(&module, home.path());
    let long = format!("AT+LBSPARA=\"{}\"", "x".repeat(250));
    shell.enters(&long);
    shell.shows(" OK");
    shell.is_typing("> ");
    // Pasted: typed key by key it would be drawn anew with each.
    let longer = format!("AT+LBSPARA=\"{}\"", "x".repeat(17_000));
    shell.types(format!("\x1b[200~{longer}\x1b[201~\r"));
    shell.shows("the limit is 16384; nothing was sent");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn a_lost_port_can_be_opened_again() {
    let home = home();
    let link = argument(&home.path().join("module"));
    let start = || {
        let mut module = Running::start(["emulate", "--instant", "--link", &link]);
        module.line();
        module
    };
    let module = start();
    let mut shell = AtTerminal::start(&["shell", "--port", &link], home.path());
    shell.shows("with LMQTT commands");
    shell.types("AT+CG");
    shell.is_typing("> AT+CG");
    module.signal(Signal::TERM);
    module.succeeds();
    shell.shows("the port is lost");
    shell.types(CTRL_C);
    shell.is_typing("> ");
    shell.enters("ATI");
    shell.shows("/reconnect tries at once");
    let _module = start();
    // Nobody has to say so.
    shell.shows("is open again");
    shell.enters("ATI");
    shell.shows(" OK");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn it_can_be_stopped_and_brought_back() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    let arguments = ["shell", "--port", module.port()];
    let mut shell = AtTerminal::under_job_control(&arguments, home.path());
    shell.shows("with LMQTT commands");
    shell.types("AT+CG");
    shell.is_typing("> AT+CG");
    shell.types(CTRL_Z);
    shell.is_stopped();
    shell.enters("go on");
    shell.is_typing("> AT+CG");
    shell.enters("MR");
    shell.shows(" NT35ECNA");
    shell.is_typing("> ");
    leaves(shell);
}

#[test]
fn the_terminal_is_left_as_it_was() {
    let (module, home) = (Emulator::start(["--profile=nt35e"]), home());
    for signal in [Signal::TERM, Signal::HUP] {
        let mut shell = shell(&module, home.path());
        shell.types("AT+CG");
        shell.is_typing("> AT+CG");
        shell.signal(signal);
        shell.ends(0);
    }
    // Nothing has been done to it where the port cannot be had.
    let shell = AtTerminal::start(&["shell", "--port", "/nonexistent/module"], home.path());
    let screen = shell.ends(3);
    assert!(
        screen.contains("atmq: cannot open /nonexistent/module"),
        "{screen}"
    );
}

#[test]
fn lines_of_a_file_are_sent_without_escapes() {
    let module = Emulator::with_broker();
    let script = format!(
        "ATE0\n{OPEN}\n{CONNECT}\nAT+LMQTTPUB=0,0,0,0,\"up\",3\n\\x00\\r\\n\n/explain CME 3\n"
    );
    let printed = module.atmq("shell", [""; 0]).write_stdin(script).succeeds();
    assert_eq!(
        text(&printed).lines().take(6).collect::<Vec<_>>(),
        [
            "OK",
            "OK",
            "+LMQTTOPEN: 0,0",
            "OK",
            "+LMQTTCONN: 0,0,0",
            "OK"
        ]
    );
    let printed = text(&printed);
    assert!(
        printed.contains("+LMQTTPUB: 0,0,0\nCME 3: operation not allowed."),
        "{printed}"
    );
    assert!(!printed.contains('\x1b'), "{printed}");
}
