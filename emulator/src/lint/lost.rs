/// The longest that is kept of a line. Ours: more than a finding shows.
const KEPT: usize = 256;

/// What a module does not hear of its host while it wakes.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// The current line, as far as it is kept.
    line: Vec<u8>,
}

impl Lost {
    /// Bytes are lost. Calls back with each line in which a command is lost with them.
    pub(super) fn push(&mut self, bytes: &[u8], mut lost: impl FnMut(Vec<u8>)) {
        for byte in bytes {
            if *byte == b'\r' {
                self.take().map(&mut lost);
            } else if self.line.len() < KEPT {
                self.line.push(*byte);
            }
        }
    }

    /// The module hears again, or starts anew: the line whose beginning is lost, if it was that of
    /// a command.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        // `AT` is what hosts wake a module with, and other bytes are no command at all.
        let start = line.trim_ascii_start().get(..3)?;
        start[..2].eq_ignore_ascii_case(b"AT").then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_missed_and_what_wakes_is_not() {
        for (lost, missed) in [
            (&b"AT\r\nat\r\r\n"[..], 0),
            (b"\0\xff\r", 0),
            (b"A", 0),
            (b"AT+CSQ\r", 1),
            (b"AT\r\nAT+CSQ\r\nate0", 2),
            (b" AT+CGDCONT=1,", 1),
        ] {
            for piece in [1, lost.len()] {
                let (mut module, mut found) = (Lost::default(), 0);
                for piece in lost.chunks(piece) {
                    module.push(piece, |_| found += 1);
                }
                found += usize::from(module.take().is_some());
                assert_eq!(found, missed, "{}", lost.escape_ascii());
                assert_eq!(module.take(), None);
            }
        }
    }
}
