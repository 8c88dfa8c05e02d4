//! The terminal at which somebody types.

use std::io::{stdin, stdout};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::output::control;

/// Columns where the terminal does not tell how many it has.
const COLUMNS: usize = 80;

/// The terminal while lines are typed for us: between two of them nothing that is typed is echoed
/// into what is printed; it waits for the next line. Restored on drop.
pub(crate) struct Terminal {
    before: Option<Termios>,
}

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
        Self { before }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Whoever reads a line may have been interrupted in the middle of it: brackets around
            // pastes off, and what was being typed away.
            let _ = control("\x1b[?2004l\r\x1b[K");
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// How many columns the terminal has.
pub(crate) fn columns() -> usize {
    let size = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { COLUMNS } else { size }
}
