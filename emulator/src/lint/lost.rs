/// The longest that is kept of a line. Ours: more than a finding shows.
const KEPT: usize = 256;

/// What a module does not hear of its host while it wakes.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// The current line, as far as it is kept.
    line: Vec<u8>,
    /// Bytes of it that were lost, once the module hears the rest.
    lost: Option<usize>,
}

impl Lost {
    /// Bytes are lost. Calls back with each line in which a command is lost with them.
    pub(super) fn push(&mut self, bytes: &[u8], mut lost: impl FnMut(Vec<u8>)) {
        for byte in bytes {
            if *byte == b'\r' {
                self.take().map(&mut lost);
            } else if self.line.len() < KEPT && !(self.line.is_empty() && *byte <= b' ') {
                self.line.push(*byte);
            }
        }
    }

    /// The module hears again: of a line whose beginning is lost, this is the rest. Calls back with
    /// the whole of it once it is complete, if a command is lost with it.
    pub(super) fn hear(&mut self, bytes: &[u8], lost: impl FnMut(Vec<u8>)) {
        if !self.line.is_empty() {
            self.lost.get_or_insert(self.line.len());
            let rest = bytes.split_inclusive(|byte| *byte == b'\r').next();
            self.push(rest.unwrap_or_default(), lost);
        }
    }

    /// The line so far, if a command is lost with it.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        let mut line = std::mem::take(&mut self.line);
        let lost = self.lost.take().unwrap_or(line.len());
        // What is heard may be a command by itself.
        let mut heard = line[lost..].windows(2);
        if heard.any(|pair| pair.eq_ignore_ascii_case(b"AT")) {
            line.truncate(lost);
        }
        // `AT` is what hosts wake a module with, and other bytes are no command at all.
        let start = line.get(..3)?;
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

    #[test]
    fn a_command_of_which_only_the_beginning_is_lost_is_told_whole() {
        for (lost, heard, missed) in [
            (&b"AT+C"[..], &b"SQ\r\nATI\r"[..], Some("AT+CSQ")),
            (b"A", b"T+CSQ\r", Some("AT+CSQ")),
            (b"AT\r", b"AT+CSQ\r", None),
            (b"AT", b"\r\nAT+CSQ\r", None),
            // What wakes the module has no line end.
            (b"AT", b"AT+CSQ\r", None),
            (b" ", b"AT+CSQ\r", None),
            (b"\r\n", b"AT+CSQ\r", None),
            (b"AT+C", b"AT+CSQ\r", Some("AT+C")),
        ] {
            for piece in [1, heard.len()] {
                let (mut module, mut found) = (Lost::default(), Vec::new());
                module.push(lost, |line| found.push(line));
                for piece in heard.chunks(piece) {
                    module.hear(piece, |line| found.push(line));
                }
                let missed: Vec<_> = missed
                    .into_iter()
                    .map(|line| line.as_bytes().to_vec())
                    .collect();
                assert_eq!(found, missed, "{}", lost.escape_ascii());
            }
        }
    }
}
