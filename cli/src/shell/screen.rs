//! How what is sent and received is shown.

use std::io::stdout;
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::input::Input;
use crate::failure::Failure;
use crate::messages::tell;
use crate::output::print_line;
use crate::visible::visible;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A command or its outcome has succeeded.
    Good,
    /// It has not.
    Bad,
    /// The module reports something by itself.
    Report,
    /// An answer.
    Answer,
    /// What the module sends back of what was typed.
    Echo,
}

impl Kind {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Report => AnsiColor::Magenta.on_default(),
            Self::Answer => Style::new(),
            Self::Echo => Style::new().dimmed(),
        }
    }
}

/// What the shell itself says.
const NOTE: Style = AnsiColor::Yellow.on_default();
const TIME: Style = Style::new().dimmed();

/// Bytes of a line of the hexadecimal display.
const ROW: usize = 16;

/// What is shown, and how.
pub(super) struct Screen {
    colors: bool,
    begun: Instant,
    /// Before each line stands when it came.
    pub(super) times: bool,
    /// Lines are shown in hexadecimal digits.
    pub(super) hex: bool,
    /// The echo is shown.
    pub(super) echo: bool,
}

impl Screen {
    /// `times`: before each line stands when it came.
    pub(super) fn new(times: bool) -> Self {
        Self {
            colors: colors(),
            begun: Instant::now(),
            times,
            hex: false,
            echo: false,
        }
    }

    /// Shows a line of the module.
    pub(super) fn line(&self, input: &Input, kind: Kind, line: &[u8]) -> Result<(), Failure> {
        if kind == Kind::Echo && !self.echo {
            return Ok(());
        }
        let time = if self.times {
            let seconds = self.begun.elapsed().as_secs_f64();
            self.painted(TIME, &format!("{seconds:9.3} "))
        } else {
            String::new()
        };
        if self.hex {
            return line.chunks(ROW).try_for_each(|row| {
                let text = self.painted(kind.style(), &dump(row));
                self.print(input, format!("{time}{text}").as_bytes())
            });
        }
        if input.is_terminal() {
            let text = self.painted(kind.style(), &shown(line));
            return self.print(input, format!("{time}{text}").as_bytes());
        }
        // For a program that reads, bytes are left as they are.
        let style = kind.style();
        let (on, off) = match self.colors {
            true => (style.render().to_string(), style.render_reset().to_string()),
            false => (String::new(), String::new()),
        };
        let mut bytes = format!("{time}{on}").into_bytes();
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(off.as_bytes());
        self.print(input, &bytes)
    }

    /// Says something of the shell's own. On standard error where no person looks.
    pub(super) fn note(&self, input: &Input, text: &str) -> Result<(), Failure> {
        if input.is_terminal() {
            let text = self.painted(NOTE, &format!("· {text}"));
            return self.print(input, text.as_bytes());
        }
        tell(&format!("atmq: {text}"));
        Ok(())
    }

    /// Prints lines that somebody has asked for.
    pub(super) fn tell(&self, input: &Input, lines: &[String]) -> Result<(), Failure> {
        lines.iter().try_for_each(|line| {
            let text = match input.is_terminal() {
                true => self.painted(NOTE, line),
                false => line.clone(),
            };
            self.print(input, text.as_bytes())
        })
    }

    fn print(&self, input: &Input, line: &[u8]) -> Result<(), Failure> {
        if input.is_terminal() {
            let mut text = String::from_utf8_lossy(line).into_owned();
            text.push('\n');
            input.say(text);
            return Ok(());
        }
        print_line(line)
    }

    fn painted(&self, style: Style, text: &str) -> String {
        match self.colors {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }
}

/// Whether standard output is to be coloured, as --color, NO_COLOR and the terminal have it.
pub(super) fn colors() -> bool {
    AutoStream::choice(&stdout()) != ColorChoice::Never
}

/// A line for the eyes of people: text as it is, all else escaped, so that no module can paint
/// or move the cursor.
pub(super) fn shown(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) if !text.contains(char::is_control) => text.to_owned(),
        Ok(text) => {
            let characters = text.chars().map(|character| match character {
                control if control.is_ascii_control() => (control as u8).escape_ascii().to_string(),
                control if control.is_control() => control.escape_default().to_string(),
                other => other.to_string(),
            });
            characters.collect()
        }
        Err(_) => visible(line),
    }
}

/// A row of hexadecimal digits, and what they stand for.
fn dump(row: &[u8]) -> String {
    let digits: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = row.iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    });
    let text: String = text.collect();
    format!("{:<47}  {text}", digits.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_can_paint_or_move_the_cursor() {
        assert_eq!(shown("+X: \"温度\"".as_bytes()), "+X: \"温度\"");
        assert_eq!(shown(b"a\x1b[2J\rb\xc2\x9b"), "a\\x1b[2J\\rb\\u{9b}");
        assert_eq!(shown(b"\xff\x1b"), "\\xff\\x1b");
        assert_eq!(dump(b"OK\r\n"), format!("{:<47}  OK..", "4f 4b 0d 0a"));
    }
}
