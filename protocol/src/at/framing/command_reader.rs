use alloc::vec::Vec;

use memchr::{memchr2, memmem};

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
    /// A line, or raw data of no announced length, was longer than the module's buffer and has been
    /// discarded.
    Overlong {
        /// Bytes that came.
        length: usize,
    },
}

/// What ends raw data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataEnd {
    /// Its length alone. Ctrl-Z and ESC are data like any other byte (inferred: a host sends
    /// encrypted data so, reference `lmqtt.md` 1.7).
    Length,
    /// Its length, or before that a Ctrl-Z; an ESC cancels it. So ECMT's modules do, which know no
    /// length (reference `ecmt.md` 2.2; inferred for families like it). They look only at the last byte of
    /// what their UART hands them at once; here every byte counts, for the cuts between pieces
    /// are chance.
    ControlCharacters,
    /// Its length, or before that these bytes.
    Mark(&'static [u8]),
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
    data: Option<ExpectedData>,
    limit: usize,
    line_end: u8,
    backspace: u8,
}

/// The raw bytes that come next.
#[derive(Debug, Clone, Copy)]
struct ExpectedData {
    /// How many, if that was announced.
    length: Option<usize>,
    /// What else ends them.
    end: DataEnd,
    /// How many have been discarded, because the module's buffer has no room for them.
    discarded: usize,
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

    /// What has come and has not been read.
    pub fn peek(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// The next `length` bytes are raw data, or fewer if `end` allows that, but for the line feed
    /// that ends the command line: one that has come already, or is still to come from a host that
    /// sent one behind the line before. Without a length only `end` ends the data, and it may have
    /// as many bytes as a line.
    pub fn expect_data(&mut self, length: Option<usize>, end: DataEnd) {
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
        self.data = Some(ExpectedData {
            length,
            end,
            discarded: 0,
        });
    }

    /// Gives up waiting for raw data; what came of it is discarded. Returns how many bytes.
    pub fn abort_data(&mut self) -> usize {
        self.skip_line_feed = false;
        let Some(data) = self.data.take() else {
            return 0;
        };
        let discarded = data.discarded + self.unread();
        self.start = self.buffer.len();
        discarded
    }

    /// The next complete input, or `None` if more bytes are needed. What a module with echo
    /// switched on sends back for the bytes read is appended to `echo`: printable characters only
    /// (EigenComm's handler drops the others, reference `ecmt.md` 2.1; inferred for families like it).
    pub fn next(&mut self, echo: &mut Vec<u8>) -> Option<Input<'_>> {
        if let Some(data) = self.data {
            if self.unread() > 0 && core::mem::take(&mut self.skip_line_feed) {
                let is_line_feed = self.buffer[self.start] == b'\n';
                self.start += usize::from(is_line_feed);
            }
            return self.next_data(data);
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
    fn next_data(&mut self, data: ExpectedData) -> Option<Input<'_>> {
        let from = self.start;
        let length = data.length.unwrap_or(usize::MAX);
        let came = &self.buffer[from..];
        let came = &came[..came.len().min(length)];
        let ended = match data.end {
            DataEnd::Length => None,
            DataEnd::ControlCharacters => memchr2(CTRL_Z, ESCAPE, came).map(|at| (at, 1)),
            DataEnd::Mark(mark) => memmem::find(came, mark).map(|at| (at, mark.len())),
        };
        let (end, mark) = match ended {
            Some(ended) => ended,
            None if came.len() == length => (length, 0),
            None => {
                if data.length.is_none() {
                    self.discard_overlong(data);
                }
                return None;
            }
        };
        self.data = None;
        self.start = from + end + mark;
        let length = data.discarded + end;
        Some(match &self.buffer[from + end..self.start] {
            [ESCAPE] if data.end == DataEnd::ControlCharacters => Input::Cancelled,
            _ if data.length.is_none() && length > self.limit => Input::Overlong { length },
            _ => Input::Data(&self.buffer[from..from + end]),
        })
    }

    /// Keeps of more data than there is room for only what may be the beginning of its end.
    fn discard_overlong(&mut self, data: ExpectedData) {
        let mark = match data.end {
            DataEnd::Mark(mark) => mark.len() - 1,
            DataEnd::Length | DataEnd::ControlCharacters => 0,
        };
        if self.unread() > self.limit + mark {
            let kept = self.buffer.len() - mark;
            let discarded = data.discarded + kept - self.start;
            self.data = Some(ExpectedData { discarded, ..data });
            self.start = kept;
        }
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
mod tests;
