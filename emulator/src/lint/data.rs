//! How far the data of a host has come.

use atmq_protocol::at::framing::{CTRL_Z, DataEnd, ESCAPE};

/// Data that the module has asked for.
#[derive(Debug)]
pub(super) struct Data {
    /// How many bytes may still come, if that was announced.
    left: Option<usize>,
    /// What else ends it.
    end: DataEnd,
    /// The last bytes that came, which may be the beginning of its mark.
    tail: Vec<u8>,
}

impl Data {
    /// Nothing of it has come.
    pub(super) fn new(length: Option<usize>, end: DataEnd) -> Self {
        Self {
            left: length,
            end,
            tail: Vec::new(),
        }
    }

    /// Takes what of the bytes belongs to the data: how many that are, and whether it is complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let within = self.left.unwrap_or(usize::MAX).min(bytes.len());
        let came = &bytes[..within];
        let end = match self.end {
            DataEnd::Length => None,
            DataEnd::ControlCharacters => came
                .iter()
                .position(|byte| matches!(*byte, CTRL_Z | ESCAPE))
                .map(|at| at + 1),
            DataEnd::Mark(mark) => came
                .iter()
                .position(|byte| self.completes(mark, *byte))
                .map(|at| at + 1),
        };
        if let Some(left) = &mut self.left {
            *left -= within;
        }
        match end {
            Some(end) => (end, true),
            None => (within, self.left == Some(0)),
        }
    }

    /// Whether the mark is complete with this byte.
    fn completes(&mut self, mark: &[u8], byte: u8) -> bool {
        if self.tail.len() >= mark.len() {
            self.tail.remove(0);
        }
        self.tail.push(byte);
        self.tail == mark
    }
}

#[cfg(test)]
mod tests {
    use atmq_protocol::at::framing::{CommandReader, Input};
    use proptest::prelude::*;

    use super::*;

    const MARK: DataEnd = DataEnd::Mark(b"++-+");

    /// How many of the bytes are data, cut so; `None` if its end has not come.
    fn taken(bytes: &[u8], cuts: &[usize], length: Option<usize>, end: DataEnd) -> Option<usize> {
        let mut data = Data::new(length, end);
        let (mut at, mut cuts) = (0, cuts.iter().cycle());
        loop {
            let piece = cuts.next().map_or(bytes.len(), |cut| at + cut);
            let (taken, complete) = data.take(&bytes[at..piece.min(bytes.len())]);
            at += taken;
            if complete {
                return Some(at);
            }
            if at == bytes.len() {
                return None;
            }
        }
    }

    #[test]
    fn a_mark_ends_data_of_any_length() {
        for (bytes, length, end) in [
            (&b"ab++-+AT\r"[..], None, Some(6)),
            (b"++++-+", None, Some(6)),
            (b"++-++-+", None, Some(4)),
            (b"ab++-", None, None),
            (b"ab++-+", Some(3), Some(3)),
            (b"ab++-+", Some(6), Some(6)),
            (b"", Some(0), Some(0)),
        ] {
            for cut in 1..=bytes.len().max(1) {
                let taken = taken(bytes, &[cut], length, MARK);
                assert_eq!(taken, end, "{} by {cut}", bytes.escape_ascii());
            }
        }
    }

    proptest! {
        /// What the reader of the module takes for data is data here.
        #[test]
        fn data_ends_where_the_module_has_it_end(
            bytes in prop::collection::vec(prop::sample::select(b"+-\x1a\x1bab".to_vec()), 0..40),
            cuts in prop::collection::vec(1usize..6, 1..8),
            length in prop::option::of(0usize..30),
            end in prop::sample::select(vec![MARK, DataEnd::ControlCharacters, DataEnd::Length]),
        ) {
            prop_assume!(length.is_some() || end != DataEnd::Length);
            let mut reader = CommandReader::new(64);
            reader.expect_data(length, end);
            reader.push(&bytes);
            let ended = matches!(
                reader.next(&mut Vec::new()),
                Some(Input::Data(_) | Input::Cancelled)
            );
            let read = ended.then(|| bytes.len() - reader.unread());
            prop_assert_eq!(taken(&bytes, &cuts, length, end), read);
        }
    }
}
