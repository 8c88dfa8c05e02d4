//! The conversation with a module, verbatim: what it sends as it comes, nothing added, nothing
//! sent by itself.

use atmq_protocol::at::framing::{Frame, MESSAGE_GAP, ResponseReader};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::{Model, Said};
use atmq_protocol::mqtt::{Connected, PublishResult, Urc};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::dialect::{LINE_LIMIT, Listener};
use crate::failure::{Failure, FailureKind};

/// So many bytes of an unfinished line can be shown.
const TAIL_LIMIT: usize = 256;

/// Something the module has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Line(Line),
    /// The prompt `> `, after it was expected.
    Prompt,
    /// A line of so many bytes was too long and has been passed over.
    Overlong(usize),
}

/// A line of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Without its line end.
    pub(crate) bytes: Vec<u8>,
    /// What it says in the command set that is spoken.
    pub(crate) said: Option<Said>,
}

impl Line {
    /// What it reports.
    pub(crate) fn urc(&self) -> Option<&Urc> {
        match &self.said {
            Some(Said::Urc(urc)) => Some(urc),
            _ => None,
        }
    }
}

/// A port, and how what comes from it is cut into lines.
#[derive(Debug)]
pub(crate) struct Dialogue<P> {
    port: P,
    reader: ResponseReader,
    pub(crate) listener: Listener,
    /// The command that waits for its final result code.
    pending: Option<Vec<u8>>,
    /// The end of what has come and is no whole line yet.
    tail: Vec<u8>,
}

impl<P: AsyncRead + AsyncWrite + Unpin> Dialogue<P> {
    /// With a module of this model, as far as it is known.
    pub(crate) fn new(port: P, model: Model) -> Self {
        Self {
            port,
            reader: ResponseReader::new(LINE_LIMIT),
            listener: Listener::new(model),
            pending: None,
            tail: Vec::new(),
        }
    }

    /// The port itself.
    pub(crate) fn port_mut(&mut self) -> &mut P {
        &mut self.port
    }

    /// From now on this sign at the beginning of a line is a prompt.
    pub(crate) fn expect_prompt(&mut self, sign: &'static [u8]) {
        self.reader.expect_prompt(sign);
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
            match self.reader.next(|line| self.listener.extent(line)) {
                Some(
                    Frame::Line(line)
                    | Frame::Message { line, .. }
                    | Frame::Lost { bytes: line, .. }
                    | Frame::Torn(line),
                ) => {
                    let bytes = line.to_vec();
                    let said = self.understand(&bytes);
                    return Ok(Heard::Line(Line { bytes, said }));
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

    /// Takes in what a line says.
    fn understand(&mut self, line: &[u8]) -> Option<Said> {
        match FinalResult::decode(line) {
            None => return self.listener.read(line, self.pending.as_deref()),
            // The end is still to come.
            Some(FinalResult::Connect(_)) => {}
            Some(result) => {
                if let Some(pending) = self.pending.take()
                    && result == FinalResult::Ok
                {
                    self.listener.carried_out(&pending);
                }
            }
        }
        None
    }

    /// Writes a command line, and its carriage return.
    ///
    /// # Errors
    /// The port is lost.
    pub(crate) async fn command(&mut self, line: &[u8]) -> Result<(), Failure> {
        self.listener.follow(line);
        self.pending = Some(line.to_vec());
        self.write(&[line, b"\r"].concat()).await
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
        Urc::Published { result, .. } => *result == PublishResult::Done,
        Urc::Received { .. } | Urc::Buffered { .. } | Urc::Status { .. } => true,
    }
}
