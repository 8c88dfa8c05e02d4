//! A line at the bottom of the terminal that stays there while everything else scrolls above it.

use std::io::{IsTerminal as _, stderr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::getpgrp;
use rustix::termios::{tcgetpgrp, tcgetwinsize};
use tokio::time::{MissedTickBehavior, interval};

use super::desk::Desk;
use crate::messages::paint;
use crate::terminal::{HAS_FOOTER, RESUMED};
use crate::visible::printable;

/// How often it is looked at, and drawn if it has changed.
const INTERVAL: Duration = Duration::from_millis(500);

/// The smallest terminal that has room for it, in rows and columns.
const SMALLEST: (u16, u16) = (5, 20);

/// The line, on a terminal of which it takes the last row. The terminal is as before once this is
/// dropped.
#[derive(Default)]
pub(super) struct Footer {
    /// Rows and columns of the terminal when it was drawn last, and what.
    drawn: Option<((u16, u16), String)>,
    /// How often the program had been brought back by then.
    resumed: u32,
}

impl Footer {
    /// Whether there is a terminal for it, and it is ours.
    pub(super) fn has_terminal() -> bool {
        stderr().is_terminal() && tcgetpgrp(stderr()).is_ok_and(|group| group == getpgrp())
    }

    /// Shows how things stand until it is dropped.
    pub(super) async fn follow(mut self, desk: Desk) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match desk.status().await {
                Some(status) => self.show(&status.brief()),
                None => return,
            }
        }
    }

    fn show(&mut self, text: &str) {
        let Ok(size) = tcgetwinsize(stderr()) else {
            return;
        };
        let resumed = RESUMED.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.resumed, resumed) != resumed {
            self.drawn = None;
        }
        let size = (size.ws_row, size.ws_col);
        let (rows, columns) = size;
        if rows < SMALLEST.0 || columns < SMALLEST.1 {
            return self.hide();
        }
        let text = printable(text);
        let shown: String = text.chars().take(usize::from(columns) - 1).collect();
        let known = self.drawn.as_ref();
        if known.is_some_and(|drawn| drawn.0 == size && drawn.1 == shown) {
            return;
        }
        let mut out = String::new();
        if known.is_none_or(|(before, _)| *before != size) {
            // Scrolls by a line if the cursor is in the last row, which everything else leaves to
            // this line from here on. The cursor is put back where it was. A vertical tab, because
            // a line feed would take it to the first column: the terminal makes CR LF of it.
            out.push_str(&format!("\x0b\x1b7\x1b[1;{}r\x1b8\x1b[1A", rows - 1));
        }
        out.push_str(&format!(
            "\x1b7\x1b[{rows};1H\x1b[2K\x1b[7m{shown}\x1b[0m\x1b8"
        ));
        paint(&out);
        self.drawn = Some((size, shown));
        HAS_FOOTER.store(true, Ordering::Relaxed);
    }

    fn hide(&mut self) {
        HAS_FOOTER.store(false, Ordering::Relaxed);
        if let Some(((rows, _), _)) = self.drawn.take() {
            paint(&format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[2K\x1b8"));
        }
    }
}

impl Drop for Footer {
    fn drop(&mut self) {
        self.hide();
    }
}
