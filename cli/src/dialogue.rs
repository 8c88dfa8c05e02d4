//! The conversation with a module, verbatim: what it sends as it comes, nothing added, nothing
//! sent by itself.

use atmq_protocol::at::framing::{Frame, MESSAGE_GAP, ResponseReader};
use atmq_protocol::dialect::{Context, Dialect as _, Lmqtt};
use atmq_protocol::mqtt::{Connected, FormatTable, PublishResult, Urc};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::failure::{Failure, FailureKind};

/// The longest line: a payload of a prompt, in hexadecimal digits, with its topic.
const LINE_LIMIT: usize = 20 * 1024;

/// So many bytes of an unfinished line can be shown.
const TAIL_LIMIT: usize = 256;

pub(crate) const DIALECT: Lmqtt = Lmqtt::DEFAULT;

/// What lines depend on, whatever the model of the module: the limits that matter to them are the
/// same for all.
pub(crate) fn context(formats: &FormatTable) -> Context<'_> {
    Context {
        limits: &atmq_protocol::dialect::lmqtt::NT35E.limits,
        formats,
    }
}

/// Something the module has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A line without its line end.
    Line(Vec<u8>),
    /// The prompt `> `, after it was expected.
    Prompt,
    /// A line of so many bytes was too long and has been passed over.
    Overlong(usize),
}

/// A port, and how what comes from it is cut into lines.
#[derive(Debug)]
pub(crate) struct Dialogue<P> {
    port: P,
    reader: ResponseReader,
    /// How payloads are written now, which decides how far a line reaches.
    pub(crate) formats: FormatTable,
    /// The end of what has come and is no whole line yet.
    tail: Vec<u8>,
}

impl<P: AsyncRead + AsyncWrite + Unpin> Dialogue<P> {
    pub(crate) fn new(port: P) -> Self {
        Self {
            port,
            reader: ResponseReader::new(LINE_LIMIT),
            formats: FormatTable::default(),
            tail: Vec::new(),
        }
    }

    /// The port itself.
    pub(crate) fn port_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// From now on a `>` at the beginning of a line is a prompt.
    pub(crate) fn expect_prompt(&mut self) {
        self.reader.expect_prompt();
    }

    /// A prompt is no longer expected.
    pub(crate) fn forget_prompt(&mut self) {
        self.reader.forget_prompt();
    }

    /// What the module sends next. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The port is lost.
    pub(crate) async fn hear(&mut self) -> Result<Heard, Failure> {
        loop {
            let context = context(&self.formats);
            match self.reader.next(|line| DIALECT.extent(line, context)) {
                Some(
                    Frame::Line(line)
                    | Frame::Message { line, .. }
                    | Frame::Lost { bytes: line, .. }
                    | Frame::Torn(line),
                ) => {
                    return Ok(Heard::Line(line.to_vec()));
                }
                Some(Frame::Prompt) => return Ok(Heard::Prompt),
                Some(Frame::Overlong { length }) => return Ok(Heard::Overlong(length)),
                None => {}
            }
            let mut buffer = [0; 1024];
            let read = self.port.read(&mut buffer);
            let read = match self.reader.is_held() {
                false => read.await,
                true => match timeout(MESSAGE_GAP, read).await {
                    Ok(read) => read,
                    Err(_) => {
                        self.reader.settle();
                        continue;
                    }
                },
            };
            match read {
                Ok(0) => return Err(lost("it was closed")),
                Ok(length) => {
                    let bytes = &buffer[..length];
                    self.reader.push(bytes);
                    self.keep_tail(bytes);
                }
                Err(error) => return Err(lost(&error.to_string())),
            }
        }
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// The port is lost.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.port.write_all(bytes).await;
        written.map_err(|error| lost(&error.to_string()))
    }

    /// The end of what has come and is no whole line yet.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.tail
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                self.tail.clear();
                self.tail.extend_from_slice(&bytes[end + 1..]);
            }
            None => self.tail.extend_from_slice(bytes),
        }
        let surplus = self.tail.len().saturating_sub(TAIL_LIMIT);
        self.tail.drain(..surplus);
    }
}

fn lost(why: &str) -> Failure {
    Failure::new(FailureKind::Unavailable, format!("the port is lost: {why}"))
}

/// Whether the outcome of a command is what was wanted.
pub(crate) fn is_success(outcome: &Urc) -> bool {
    match outcome {
        Urc::Opened { result, .. } => result.is_ok(),
        Urc::Closed { result, .. } | Urc::Disconnected { result, .. } => result.is_ok(),
        Urc::Connected { result, .. } => *result == Connected::Accepted,
        Urc::SubscriptionChanged { result, .. } => result.is_ok(),
        Urc::Published { result, .. } | Urc::PublishedExtended { result, .. } => {
            *result == PublishResult::Done
        }
        Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. } => true,
    }
}
