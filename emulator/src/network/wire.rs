//! Reading and writing one stream by turns.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes taken from a stream at once. The buffer is on the stack while reading and nowhere while
/// idle.
const READ_SIZE: usize = 8 * 1024;

/// What is on its way to the socket.
#[derive(Default)]
pub(super) struct Wire {
    queue: VecDeque<Vec<u8>>,
    /// Bytes of the first of them already written.
    written: usize,
    /// TLS keeps bytes back until it is flushed.
    unflushed: bool,
    /// Reading and writing take turns, so that neither starves the other.
    write_next: bool,
    given_up: bool,
}

pub(super) enum Progress {
    /// Bytes read; none at the end.
    Read(io::Result<Vec<u8>>),
    /// Bytes written; none when flushed.
    Written(io::Result<usize>),
}

impl Wire {
    /// Queues bytes to write.
    pub(super) fn push(&mut self, bytes: Vec<Vec<u8>>) {
        self.queue.extend(bytes);
    }

    /// What is not written yet.
    pub(super) fn into_rest(mut self) -> VecDeque<Vec<u8>> {
        if let Some(first) = self.queue.front_mut() {
            first.drain(..self.written);
        }
        self.queue
    }

    /// Reads if it may, writes if there is something to write, one of them at a time.
    pub(super) fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        may_read: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Progress> {
        self.write_next = !self.write_next;
        if self.write_next
            && let Poll::Ready(result) = self.poll_write(stream, cx)
        {
            return Poll::Ready(Progress::Written(result));
        }
        if may_read && let Poll::Ready(result) = poll_read(stream, cx) {
            return Poll::Ready(Progress::Read(result));
        }
        if !self.write_next {
            return self.poll_write(stream, cx).map(Progress::Written);
        }
        Poll::Pending
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        if self.given_up {
            return Poll::Pending;
        }
        let Some(bytes) = self.queue.front() else {
            if !self.unflushed {
                return Poll::Pending;
            }
            ready!(stream.poll_flush(cx))?;
            self.unflushed = false;
            return Poll::Ready(Ok(0));
        };
        let written = ready!(stream.poll_write(cx, &bytes[self.written..]))?;
        if written == 0 && self.written < bytes.len() {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.unflushed = true;
        self.written += written;
        if self.written == bytes.len() {
            self.written = 0;
            self.queue.pop_front();
        }
        Poll::Ready(Ok(written))
    }

    /// The peer takes no more: forgets what is queued.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
        self.queue.clear();
    }
}

fn poll_read<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Vec<u8>>> {
    let mut space = [MaybeUninit::uninit(); READ_SIZE];
    let mut buffer = ReadBuf::uninit(&mut space);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().to_vec()))
}
