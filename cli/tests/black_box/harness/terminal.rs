//! The program at a terminal: a pseudo terminal whose screen can be looked at.

use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

use super::{PATIENCE, VARIABLES};

const ROWS: u16 = 40;
const COLUMNS: u16 = 100;

/// The program at a terminal of its own. Killed on drop.
pub(crate) struct AtTerminal {
    process: Child,
    pty: Arc<Pty>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    modes_before: LocalModes,
}

impl AtTerminal {
    /// Starts the program; what it keeps between runs is kept in `home`.
    pub(crate) fn start(arguments: &[&str], home: &Path) -> Self {
        Self::run(Command::new(cargo_bin!("atmq")).args(arguments), home)
    }

    /// The same, as a job of a shell: stopped, it waits for a line, and goes on.
    pub(crate) fn under_job_control(arguments: &[&str], home: &Path) -> Self {
        let job = r#""$0" "$@"; echo "it is stopped"; read line; fg > /dev/null"#;
        let shell = Command::new("sh").args(["-mc", job]);
        Self::run(shell.arg(cargo_bin!("atmq")).args(arguments), home)
    }

    fn run(command: Command, home: &Path) -> Self {
        let (pty, pts) = open().expect("a pseudo terminal can be had");
        pty.resize(Size::new(ROWS, COLUMNS))
            .expect("it can be sized");
        let modes_before = tcgetattr(&pty).expect("it is a terminal").local_modes;
        let mut command = command
            .env("TERM", "xterm-256color")
            .env("XDG_STATE_HOME", home)
            .env("HOME", home)
            .env_remove("NO_COLOR");
        for variable in VARIABLES {
            command = command.env_remove(variable);
        }
        let process = command.spawn(pts).expect("the program can be started");
        let pty = Arc::new(pty);
        let (sender, output) = channel();
        let reader = pty.clone();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            // Reading fails once the program has left its terminal.
            while let Ok(length @ 1..) = (&*reader).read(&mut chunk) {
                if sender.send(chunk[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            process,
            pty,
            output,
            screen: vt100::Parser::new(
                NonZero::new(ROWS).expect("there are rows"),
                NonZero::new(COLUMNS).expect("there are columns"),
                1000,
            ),
            modes_before,
        }
    }

    /// Types keys.
    pub(crate) fn types(&mut self, keys: impl AsRef<[u8]>) {
        let mut pty = &*self.pty;
        pty.write_all(keys.as_ref())
            .expect("the terminal takes keys");
    }

    /// Types a line and Enter.
    pub(crate) fn enters(&mut self, line: &str) {
        self.types(format!("{line}\r"));
    }

    /// Waits until a row of the screen holds this text. Returns the row.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> String {
        self.until(&format!("no `{text}`"), |screen| {
            screen.rows(0, COLUMNS).find(|row| row.contains(text))
        })
    }

    /// Waits until the last row of the screen holds this text.
    #[track_caller]
    pub(crate) fn shows_at_the_bottom(&mut self, text: &str) {
        self.until(&format!("no `{text}` at the bottom"), |screen| {
            let last = screen.rows(0, COLUMNS).last()?;
            last.contains(text).then_some(())
        });
    }

    /// Waits until the row of the cursor is exactly this, and the cursor stands at its end.
    #[track_caller]
    pub(crate) fn is_typing(&mut self, line: &str) {
        self.until(&format!("`{line}` is not being typed"), |screen| {
            let (row, column) = screen.cursor_position();
            let text = screen.rows(0, COLUMNS).nth(row.into())?;
            let end = usize::from(column) == line.chars().count();
            (text.trim_end() == line.trim_end() && end).then_some(())
        });
    }

    /// Waits until so many rows of the screen hold this text.
    #[track_caller]
    pub(crate) fn shows_times(&mut self, text: &str, times: usize) {
        self.until(&format!("not {times} times `{text}`"), |screen| {
            let rows = screen.rows(0, COLUMNS).filter(|row| row.contains(text));
            (rows.count() == times).then_some(())
        });
    }

    /// Waits until the shell has it back, and the terminal is as it was.
    #[track_caller]
    pub(crate) fn is_stopped(&mut self) {
        self.shows("it is stopped");
        let modes = tcgetattr(&*self.pty).expect("it is a terminal").local_modes;
        assert_eq!(modes, self.modes_before);
    }

    /// The screen as it is.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents()
    }

    /// Sends a signal to the program, and to nothing else.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, signal).expect("the program has not been waited for");
    }

    /// It comes to its end with this exit code, and leaves the terminal as it was.
    #[track_caller]
    pub(crate) fn ends(mut self, code: i32) -> String {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            self.take(Duration::from_millis(5));
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end:\n{}",
                self.screen()
            );
        };
        while self.take(Duration::from_millis(20)) {}
        assert_eq!(status.code(), Some(code), "{}", self.screen());
        let modes = tcgetattr(&*self.pty).expect("it is a terminal").local_modes;
        assert_eq!(modes, self.modes_before);
        self.screen()
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    fn until<T>(&mut self, missing: &str, is: impl Fn(&vt100::Screen) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = is(self.screen.screen()) {
                return found;
            }
            self.take(Duration::from_millis(50));
            assert!(
                Instant::now() < deadline,
                "{missing} on:\n{}",
                self.screen()
            );
        }
    }

    /// Takes what has been printed. `false` if nothing has, within this time.
    fn take(&mut self, time: Duration) -> bool {
        match self.output.recv_timeout(time) {
            Ok(chunk) => {
                self.screen.process(&chunk);
                true
            }
            Err(_) => false,
        }
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        // Both fail only if it has been waited for already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
