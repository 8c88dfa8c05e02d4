use std::io::{Write as _, stdin, stdout};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Columns where the terminal does not tell how many it has.
const COLUMNS: usize = 80;

/// The terminal while the shell runs: between two lines nothing that is typed is echoed into what
/// the module sends; it waits for the next line. Restored on drop.
pub(super) struct Terminal {
    before: Option<Termios>,
}

impl Terminal {
    pub(super) fn quiet() -> Self {
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
            // Whoever reads a line may have been interrupted with brackets around pastes on.
            let _ = stdout().write_all(b"\x1b[?2004l\r");
            let _ = stdout().flush();
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// How many columns the terminal has.
pub(super) fn columns() -> usize {
    let size = tcgetwinsize(stdout()).map_or(0, |size| usize::from(size.ws_col));
    if size == 0 { COLUMNS } else { size }
}
