//! What becomes of the program when its terminal goes.

use super::*;

#[test]
fn a_closed_terminal_is_as_good_as_a_signal() {
    let directory = tempdir().unwrap();
    let paths = ["module", "control"].map(|name| directory.path().join(name));
    let [link, control] = paths.each_ref().map(|path| argument(path));
    let arguments = [
        "emulate",
        "--instant",
        "--link",
        &link,
        "--control",
        &control,
    ];
    let mut module = Running::start(arguments);
    module.line();
    assert!(paths.iter().all(|path| path.symlink_metadata().is_ok()));
    module.signal(Signal::HUP);
    module.succeeds();
    let left = |path: &&PathBuf| path.symlink_metadata().is_ok();
    assert_eq!(paths.iter().find(left), None);
}

#[test]
fn a_program_that_is_to_outlive_its_terminal_does() {
    let directory = tempdir().unwrap();
    let host = argument(&directory.path().join("module"));
    let arguments = ["emulate", "--instant", "--link", &host];
    // As nohup does.
    let mut command = limited("trap '' HUP", &arguments);
    let (mut reader, writer) = pipe().unwrap();
    let process = start(command.stdout(writer));
    ready_line(&mut reader);
    signal(&process, Signal::HUP);
    assert_eq!(atmq(["at", "--port", &host, "AT"]).succeeds(), b"OK\n");
    signal(&process, Signal::TERM);
    assert_eq!(ended(process), (Some(0), String::new()));
    assert!(!Path::new(&host).is_symlink());
}

#[test]
fn a_shell_whose_terminal_is_gone_ends() {
    let module = Emulator::start(["--broker", "embedded"]);
    let home = tempdir().unwrap();
    // With the signal it ends before it finds out; without it, reading and writing fail.
    for (heeds, codes) in [("true", [0, 3]), ("trap '' HUP", [3, 3])] {
        let (pty, slave) = pty_process::blocking::open().unwrap();
        let script = format!("{heeds} && exec \"$0\" \"$@\"");
        let command = pty_process::blocking::Command::new("sh")
            .args(["-c", &script])
            .arg(cargo_bin!("atmq"))
            .args(["shell", "--port", module.port()])
            .env("XDG_STATE_HOME", home.path())
            .env("ATMQ_CONFIG", "/dev/null");
        let process = command.spawn(slave).unwrap();
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains("with LMQTT commands") {
            let mut chunk = [0; 256];
            let length = (&pty).read(&mut chunk).expect("the shell shows something");
            shown.extend_from_slice(&chunk[..length]);
        }
        drop(pty);
        let (code, _) = ended(process);
        assert!(codes.contains(&code.unwrap_or(-1)), "{heeds}: {code:?}");
    }
}
