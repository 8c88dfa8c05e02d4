use std::io;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use rustix::termios::tcgetwinsize;

use crate::messages::paint;

/// How often a bar is drawn, in times a second.
const RATE: u8 = 20;

/// A bar, or without an end to be seen a counter, drawn where it blocks nobody.
pub(super) fn bar(length: Option<u64>) -> ProgressBar {
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(Stderr), RATE);
    let template = match length {
        Some(_) => "{wide_bar} {pos} of {len}, {per_sec}, {eta} left",
        None => "{spinner} {pos} messages, {per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is right");
    ProgressBar::with_draw_target(length, target).with_style(style)
}

/// The terminal at standard error.
#[derive(Debug)]
struct Stderr;

impl TermLike for Stderr {
    fn width(&self) -> u16 {
        let size = tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
        if size == 0 { 80 } else { size }
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        paint(&format!("{text}\n"));
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        paint(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        paint("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn move_cursor(by: usize, direction: char) -> io::Result<()> {
    if by > 0 {
        paint(&format!("\x1b[{by}{direction}"));
    }
    Ok(())
}
