use alloc::vec::Vec;

use memchr::memchr2;

/// Something a host has sent, complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A command line, without the `AT` in front and the carriage return behind.
    Command(&'a [u8]),
    /// `A/`: the previous command line again.
    Repeat,
    /// The raw bytes that [`CommandReader::expect_data`] asked for.
    Data(&'a [u8]),
    /// An ESC ended the raw data, which is discarded: see [`DataEnd::ControlCharacters`].
    Cancelled,
    /// A line that holds no `AT`: what V.250 has a module pass over in silence.
    Noise(&'a [u8]),
    /// A line was longer than the module's buffer and has been discarded.
    Overlong {
        /// Bytes of the line.
        length: usize,
    },
}

/// What ends announced raw data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataEnd {
    /// Its length alone. Ctrl-Z and ESC are data like any other byte (inferred: a host sends
    /// encrypted data so, reference `lmqtt.md` 1.7).
    Length,
    /// Its length, or before that a Ctrl-Z; an ESC cancels it. So ECMT's modules do, which know no
    /// length (reference `ecmt.md` 2.2; inferred for LMQTT). They look only at the last byte of
    /// what their UART hands them at once; here every byte counts, for the cuts between pieces
    /// are chance.
    ControlCharacters,
}

const CARRIAGE_RETURN: u8 = b'\r';
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;
/// Ends the input at the prompt of some modules.
pub const CTRL_Z: u8 = 0x1a;
/// Leaves the prompt of some modules.
pub const ESCAPE: u8 = 0x1b;

/// Cuts the byte stream of a host into command lines and announced raw data.
///
/// A line ends with a carriage return, or with what [`set_line_end`](Self::set_line_end) says; what
/// stands before `AT`, and control characters (line feed, Ctrl-Z, ESC) between two lines, are
/// passed over. A backspace takes back one character.
///
/// ```
/// use atmq_protocol::at::framing::{CommandReader, Input};
///
/// let mut reader = CommandReader::new(1024);
/// let mut echo = Vec::new();
/// reader.push(b"AT+CS");
/// assert_eq!(reader.next(&mut echo), None);
/// reader.push(b"Q\r\n");
/// assert_eq!(reader.next(&mut echo), Some(Input::Command(b"+CSQ")));
/// assert_eq!(echo, b"AT+CSQ");
/// ```
#[derive(Debug)]
pub struct CommandReader {
    buffer: Vec<u8>,
    /// Bytes of `buffer` already read.
    start: usize,
    line: Vec<u8>,
    /// Bytes that the current line would have; more than `line` holds once it is too long.
    line_length: usize,
    line_done: bool,
    /// The last byte read was the carriage return of a command line.
    after_return: bool,
    /// The host was seen to end its lines with a line feed as well.
    sends_line_feeds: bool,
    /// The line feed of the last command line is still to come, and is no data.
    skip_line_feed: bool,
    /// How many raw bytes come next, and what else ends them.
    data: Option<(usize, DataEnd)>,
    limit: usize,
    line_end: u8,
    backspace: u8,
}

impl CommandReader {
    /// A reader that discards command lines of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            line: Vec::new(),
            line_length: 0,
            line_done: false,
            after_return: false,
            sends_line_feeds: false,
            skip_line_feed: false,
            data: None,
            limit,
            line_end: CARRIAGE_RETURN,
            backspace: BACKSPACE,
        }
    }

    /// The character that ends a command line from now on: V.250's S3.
    pub fn set_line_end(&mut self, line_end: u8) {
        self.line_end = line_end;
    }

    /// The character that takes back the one before it from now on: V.250's S5. The delete
    /// character does so, too.
    pub fn set_backspace(&mut self, backspace: u8) {
        self.backspace = backspace;
    }

    /// Takes in bytes as they come from the host. They wait until [`next`](Self::next) reads
    /// them: a module does not read on while it executes a command.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that have come and have not been read. A caller that stops pushing above a mark
    /// keeps the memory bounded.
    pub fn unread(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next `length` bytes are raw data, or fewer if `end` allows that, but for the line feed
    /// that ends the command line: one that has come already, or is still to come from a host that
    /// sent one behind the line before.
    pub fn expect_data(&mut self, length: usize, end: DataEnd) {
        if core::mem::take(&mut self.after_return) {
            match self.buffer.get(self.start) {
                Some(b'\n') => {
                    self.start += 1;
                    self.sends_line_feeds = true;
                }
                Some(_) => {}
                None => self.skip_line_feed = self.sends_line_feeds,
            }
        }
        self.data = Some((length, end));
    }

    /// Gives up waiting for raw data; what came of it is discarded. Returns how many bytes.
    pub fn abort_data(&mut self) -> usize {
        self.skip_line_feed = false;
        if self.data.take().is_none() {
            return 0;
        }
        let discarded = self.unread();
        self.start = self.buffer.len();
        discarded
    }

    /// The next complete input, or `None` if more bytes are needed. What a module with echo
    /// switched on sends back for the bytes read is appended to `echo`: printable characters only
    /// (EigenComm's handler drops the others, reference `ecmt.md` 2.1; inferred for LMQTT).
    pub fn next(&mut self, echo: &mut Vec<u8>) -> Option<Input<'_>> {
        if let Some((length, end)) = self.data {
            if self.unread() > 0 && core::mem::take(&mut self.skip_line_feed) {
                let is_line_feed = self.buffer[self.start] == b'\n';
                self.start += usize::from(is_line_feed);
            }
            return self.next_data(length, end);
        }
        if core::mem::take(&mut self.line_done) {
            self.line.clear();
            self.line_length = 0;
        }
        while let Some(&byte) = self.buffer.get(self.start) {
            self.start += 1;
            if core::mem::take(&mut self.after_return) {
                self.sends_line_feeds = byte == b'\n';
            }
            if byte == self.line_end {
                if self.line_length == 0 {
                    continue;
                }
                self.line_done = true;
                self.after_return = true;
                return Some(self.finished_line());
            }
            if self.take_character(byte, echo) {
                self.line_done = true;
                return Some(Input::Repeat);
            }
        }
        None
    }

    /// The raw data, once its end has come.
    fn next_data(&mut self, length: usize, end: DataEnd) -> Option<Input<'_>> {
        let from = self.start;
        let came = self.unread().min(length);
        let ended = match end {
            DataEnd::Length => None,
            DataEnd::ControlCharacters => memchr2(CTRL_Z, ESCAPE, &self.buffer[from..from + came]),
        };
        if let Some(before) = ended {
            self.data = None;
            let at = from + before;
            self.start = at + 1;
            return Some(match self.buffer[at] {
                ESCAPE => Input::Cancelled,
                _ => Input::Data(&self.buffer[from..at]),
            });
        }
        if came < length {
            return None;
        }
        self.data = None;
        self.start += length;
        Some(Input::Data(&self.buffer[from..self.start]))
    }

    /// Whether the character completes an `A/`, which has no line end.
    fn take_character(&mut self, byte: u8, echo: &mut Vec<u8>) -> bool {
        match byte {
            _ if byte == self.backspace || byte == DELETE => {
                if self.line_length > 0 {
                    self.line_length -= 1;
                    self.line.truncate(self.line_length);
                    echo.extend_from_slice(&[self.backspace, b' ', self.backspace]);
                }
                return false;
            }
            // Nothing begins with a control character: the line feed of the previous line end,
            // the Ctrl-Z that some hosts send behind a counted payload, the ESC that others send
            // to make sure that no payload is awaited.
            0..=0x1f if self.line_length == 0 => return false,
            _ => {}
        }
        self.line_length += 1;
        if self.line.len() < self.limit {
            self.line.push(byte);
        }
        if byte == b' ' || byte.is_ascii_graphic() {
            echo.push(byte);
        }
        self.line.eq_ignore_ascii_case(b"A/") && self.line_length == 2
    }

    fn finished_line(&self) -> Input<'_> {
        if self.line_length > self.limit {
            return Input::Overlong {
                length: self.line_length,
            };
        }
        let mut from = 0;
        while let Some(at) = memchr2(b'A', b'a', &self.line[from..]) {
            from += at + 1;
            if matches!(self.line.get(from), Some(b'T' | b't')) {
                return Input::Command(&self.line[from + 1..]);
            }
        }
        Input::Noise(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::{format, vec};
    use proptest::prelude::*;

    /// After `AT>n` come `n` raw bytes, after `AT<n` as many unless Ctrl-Z or ESC ends them.
    fn drain(reader: &mut CommandReader, echo: &mut Vec<u8>) -> Vec<String> {
        let mut inputs = Vec::new();
        loop {
            let mut data = None;
            inputs.push(match reader.next(echo) {
                None => return inputs,
                Some(Input::Command(line)) => {
                    data = match line.get(..2) {
                        Some([b'>', n]) => Some((usize::from(n & 7), DataEnd::Length)),
                        Some([b'<', n]) => Some((usize::from(n & 7), DataEnd::ControlCharacters)),
                        _ => None,
                    };
                    format!("AT{}", line.escape_ascii())
                }
                Some(Input::Repeat) => "REPEAT".into(),
                Some(Input::Data(bytes)) => format!("DATA {}", bytes.escape_ascii()),
                Some(Input::Cancelled) => "CANCELLED".into(),
                Some(Input::Noise(line)) => format!("NOISE {}", line.escape_ascii()),
                Some(Input::Overlong { length }) => format!("OVERLONG {length}"),
            });
            if let Some((length, end)) = data {
                reader.expect_data(length, end);
            }
        }
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Vec<u8>) {
        let mut reader = CommandReader::new(32);
        let mut echo = Vec::new();
        reader.push(bytes);
        (drain(&mut reader, &mut echo), echo)
    }

    #[test]
    fn lines_end_with_a_carriage_return() {
        assert_eq!(read(b"AT\rat+csq\r\nAT").0, ["AT", "AT+csq"]);
        assert_eq!(read(b"\r\n\x1b\x1aAT\r").0, ["AT"]);
        assert_eq!(read(b"\xff\x00garbageAT+CSQ\r").0, ["AT+CSQ"]);
        assert_eq!(read(b"hello\rAT\r").0, ["NOISE hello", "AT"]);
        assert_eq!(read(b"ATI\rA/a/").0, ["ATI", "REPEAT", "REPEAT"]);
    }

    #[test]
    fn a_backspace_takes_back_one_character() {
        assert_eq!(read(b"\x08ATX\x7fI\r").0, ["ATI"]);
        assert_eq!(read(b"ATX\x08I\r").1, b"ATX\x08 \x08I");
    }

    #[test]
    fn line_end_and_backspace_can_be_chosen() {
        let mut reader = CommandReader::new(32);
        reader.set_line_end(b'!');
        reader.set_backspace(b'<');
        reader.push(b"ATX<I\r!AT!");
        let mut echo = Vec::new();
        assert_eq!(drain(&mut reader, &mut echo), [r"ATI\r", "AT"]);
        assert_eq!(echo, b"ATX< <IAT");
    }

    #[test]
    fn announced_data_is_raw() {
        assert_eq!(
            read(b"AT>4\r\x00\r\n\x1aAT\r").0,
            ["AT>4", r"DATA \x00\r\n\x1a", "AT"]
        );
        assert_eq!(read(b"AT>2\rab\x1a\r\nAT\r").0, ["AT>2", "DATA ab", "AT"]);
        assert_eq!(read(b"AT>0\rAT\r").0, ["AT>0", "DATA ", "AT"]);
    }

    #[test]
    fn control_characters_end_data_where_they_may() {
        for (stream, expected) in [
            (&b"AT<4\rab\x1aAT\r"[..], &["AT<4", "DATA ab", "AT"][..]),
            (b"AT<4\r\x1aAT\r", &["AT<4", "DATA ", "AT"]),
            (b"AT<4\rab\x1bAT\r", &["AT<4", "CANCELLED", "AT"]),
            (b"AT<4\ra\x1b\x1aAT\r", &["AT<4", "CANCELLED", "AT"]),
            // The length ends it as well; what is left over is passed over.
            (b"AT<2\rab\x1aAT\r", &["AT<2", "DATA ab", "AT"]),
            (b"AT<2\rab\x1bAT\r", &["AT<2", "DATA ab", "AT"]),
            (b"AT>4\ra\x1b\x1abAT\r", &["AT>4", r"DATA a\x1b\x1ab", "AT"]),
        ] {
            assert_eq!(read(stream).0, expected, "{}", stream.escape_ascii());
        }
    }

    #[test]
    fn data_can_be_given_up() {
        let mut reader = CommandReader::new(32);
        reader.expect_data(9, DataEnd::Length);
        reader.push(b"abc");
        assert_eq!(reader.next(&mut Vec::new()), None);
        assert_eq!(reader.abort_data(), 3);
        reader.push(b"AT\r");
        assert_eq!(reader.next(&mut Vec::new()), Some(Input::Command(b"")));
    }

    #[test]
    fn an_overlong_line_is_discarded_and_reported() {
        let mut bytes = vec![b'x'; 100];
        bytes.extend_from_slice(b"\rAT\r");
        assert_eq!(read(&bytes).0, ["OVERLONG 100", "AT"]);
    }

    #[test]
    fn the_line_feed_of_a_command_line_is_no_data() {
        for (stream, data) in [
            (&b"AT\r\nAT>2\r\n\x00\x01"[..], &b"\x00\x01"[..]),
            (b"AT\r\nAT>2\r\n\n\x01", b"\n\x01"),
            (b"AT\rAT>2\r\x00\n", b"\x00\n"),
        ] {
            for size in [1, stream.len()] {
                let mut reader = CommandReader::new(64);
                let mut inputs = Vec::new();
                for piece in stream.chunks(size) {
                    reader.push(piece);
                    inputs.append(&mut drain(&mut reader, &mut Vec::new()));
                }
                let data = format!("DATA {}", data.escape_ascii());
                assert_eq!(inputs.last(), Some(&data), "{}", stream.escape_ascii());
            }
        }
        // A host that sends none may well begin its data with one, once it has seen the prompt.
        let mut reader = CommandReader::new(64);
        reader.push(b"AT\rAT>2\r");
        drain(&mut reader, &mut Vec::new());
        reader.push(b"\n\x01");
        let inputs = drain(&mut reader, &mut Vec::new());
        assert_eq!(inputs, ["DATA \\n\\x01"]);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_inputs(
            bytes in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(b"ATat/>1234\r\n\x08 +\x1a\x1b".to_vec())
                        .prop_map(|byte| vec![byte]),
                    any::<u8>().prop_map(|byte| vec![byte]),
                    // No line feed behind it: whether that is data depends on whether the host
                    // has seen the prompt before it sends on.
                    ("[<>][0-7]", prop::sample::select(b"ab\x1a\x1b".to_vec()))
                        .prop_map(|(command, first)| {
                            let first = char::from(first);
                            format!("\rAT{command}\r{first}").into_bytes()
                        }),
                ],
                0..160,
            )
            .prop_map(|pieces| pieces.concat()),
            cuts in prop::collection::vec(1usize..9, 1..32),
        ) {
            let mut reader = CommandReader::new(32);
            let (mut inputs, mut echo) = (Vec::new(), Vec::new());
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                reader.push(piece);
                inputs.append(&mut drain(&mut reader, &mut echo));
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!((inputs, echo), read(&bytes));
        }
    }
}
