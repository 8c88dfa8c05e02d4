//! Control characters in a command line.

use atmq_protocol::at::framing::{CTRL_Z, ESCAPE};

/// What has become of the characters of a line until it was complete.
#[derive(Debug, Default)]
pub(super) struct Editing {
    /// How many were taken back, by backspace or delete.
    pub(super) taken_back: usize,
    /// One of them stood between quotes.
    pub(super) in_value: bool,
}

impl Editing {
    /// In words, with the control characters that the command still has; empty if it was typed
    /// without any. `fed`: that there is a line feed is known.
    pub(super) fn told(&self, command: &[u8], fed: bool) -> String {
        let mut words = Vec::new();
        let place = if self.in_value { " of a value" } else { "" };
        match self.taken_back {
            0 => {}
            1 => words.push(format!("1 character{place} taken back")),
            many => words.push(format!("{many} characters{place} taken back")),
        }
        for byte in command.iter().filter(|byte| byte.is_ascii_control()) {
            let name = match *byte {
                b'\n' if fed => continue,
                0 => "NUL".to_owned(),
                b'\t' => "TAB".to_owned(),
                b'\n' => "LF".to_owned(),
                CTRL_Z => "Ctrl-Z".to_owned(),
                ESCAPE => "ESC".to_owned(),
                other => format!("0x{other:02x}"),
            };
            if !words.contains(&name) {
                words.push(name);
            }
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once() {
        let taken_back = |taken_back, in_value| Editing {
            taken_back,
            in_value,
        };
        let none = Editing::default();
        assert_eq!(none.told(b"AT+CSQ", false), "");
        assert_eq!(
            none.told(b"AT\0\x1a\0\x1b\t\x01\n", false),
            "NUL, Ctrl-Z, ESC, TAB, 0x01, LF"
        );
        assert_eq!(none.told(b"AT\n", true), "");
        assert_eq!(
            taken_back(1, false).told(b"AT", false),
            "1 character taken back"
        );
        let told = taken_back(2, true).told(b"AT\0", false);
        assert_eq!(told, "2 characters of a value taken back, NUL");
    }
}
