//! A real mosquitto for the tests of this crate. They cannot use that of `atmq-tests`, which
//! depends on the driver as well.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A broker of its own for one test, on a free loopback port. It ends with the value.
pub(crate) struct Mosquitto {
    pub(crate) port: u16,
    process: Child,
    _directory: TempDir,
}

impl Mosquitto {
    /// A broker that lets everyone in.
    pub(crate) fn start() -> Option<Self> {
        Self::with_config(|_| "allow_anonymous true\n".to_owned())
    }

    /// A broker with these lines in its configuration; they may name files that `config` wrote to
    /// the directory it is given. `None`, with a word to the reader, where mosquitto is missing.
    pub(crate) fn with_config(config: impl Fn(&Path) -> String) -> Option<Self> {
        let Some(program) = program() else {
            assert!(
                std::env::var_os("ATMQ_REQUIRE_MOSQUITTO").is_none_or(|value| value != "1"),
                "ATMQ_REQUIRE_MOSQUITTO is set, and there is no mosquitto"
            );
            println!("skipped: there is no mosquitto");
            return None;
        };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let lines = config(directory.path());
        // Another process may take the port before mosquitto does; then the next one is tried.
        let started = (0..5).find_map(|_| try_start(&program, directory.path(), &lines));
        let (process, port) = started.expect("mosquitto does not start");
        Some(Self {
            port,
            process,
            _directory: directory,
        })
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// On the PATH, or in a directory that not every PATH has.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];
    std::env::split_paths(&path)
        .chain(more.map(PathBuf::from))
        .map(|directory| directory.join("mosquitto"))
        .find(|program| program.is_file())
}

fn try_start(program: &Path, directory: &Path, lines: &str) -> Option<(Child, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket").port();
    drop(listener);
    let file = directory.join("mosquitto.conf");
    // As root, mosquitto would change to a user who may not read the directory.
    let config = format!("user root\nlistener {port} 127.0.0.1\n{lines}");
    std::fs::write(&file, config).expect("a writable directory");
    let mut process = Command::new(program)
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("mosquitto can be run");
    let mut log = BufReader::new(process.stderr.take().expect("a pipe")).lines();
    let running = log
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains(" running"));
    if !running {
        let _ = process.wait();
        return None;
    }
    // Read on, or mosquitto would stop once the pipe is full.
    std::thread::spawn(move || log.for_each(drop));
    Some((process, port))
}
