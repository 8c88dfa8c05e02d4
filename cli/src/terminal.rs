//! The terminal at which somebody types.

use std::io::{stdin, stdout};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, getsid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::output::control;

/// Columns where the terminal does not tell how many it has.
const COLUMNS: usize = 80;

/// The terminal while lines are typed for us: between two of them nothing that is typed is echoed
/// into what is printed; it waits for the next line. Restored on drop.
///
/// Ctrl-Z leaves it to the shell as it was, and has it as we need it when the shell brings us back.
pub(crate) struct Terminal {
    before: Option<Termios>,
    stops: Option<JoinHandle<()>>,
}

/// Whether the last row of the terminal is ours.
pub(crate) static HAS_FOOTER: AtomicBool = AtomicBool::new(false);

/// Notified when the program resumes, so that the editor can be made to redraw its line.
pub(crate) static BACK: Notify = Notify::const_new();

/// How often the program has resumed. After each time the screen no longer shows what was drawn.
pub(crate) static RESUMED: AtomicU32 = AtomicU32::new(0);

impl Terminal {
    pub(crate) fn quiet() -> Self {
        let before = tcgetattr(stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            // Without lines of its own the terminal keeps whatever is pasted meanwhile.
            quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
            // The worst is an echo.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &quiet);
        }
        let stops = before.clone().map(|before| tokio::spawn(stop(before)));
        Self { before, stops }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(stops) = &self.stops {
            stops.abort();
        }
        if let Some(before) = &self.before {
            // Whoever reads a line may have been interrupted in the middle of it: brackets around
            // pastes off, and what was being typed away.
            let _ = control("\x1b[?2004l\r\x1b[K");
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// On Ctrl-Z the editor raises the signal and takes the terminal back at once; this is how long we
/// wait for that. Ours.
const TAKEN: Duration = Duration::from_millis(50);

/// Stops the program on each SIGTSTP, with the terminal restored to the state it had `before`.
async fn stop(before: Termios) {
    let Ok(mut told) = signal(SignalKind::from_raw(Signal::TSTP.as_raw())) else {
        return;
    };
    while told.recv().await.is_some() {
        sleep(TAKEN).await;
        // Without a shell nobody could bring it back.
        if getsid(None) == Ok(getpid()) {
            continue;
        }
        let Ok(ours) = tcgetattr(stdin()) else {
            continue;
        };
        let _ = control(&leave());
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        let _ = kill_process(getpid(), Signal::STOP);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &ours);
        if !ours.local_modes.contains(LocalModes::ISIG) {
            // The editor is at work: brackets around pastes.
            let _ = control("\x1b[?2004h");
        }
        RESUMED.fetch_add(1, Ordering::Relaxed);
        BACK.notify_one();
    }
}

/// Takes what is ours off the screen, and goes to a line of its own.
fn leave() -> String {
    let rows = tcgetwinsize(stdout()).map_or(0, |size| size.ws_row);
    let footer = match HAS_FOOTER.load(Ordering::Relaxed) {
        true => format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[2K\x1b8"),
        false => String::new(),
    };
    format!("\x1b[?2004l{footer}\r\n")
}

/// How many columns the terminal has.
pub(crate) fn columns() -> usize {
    let size = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { COLUMNS } else { size }
}
