use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::port::Port;
use crate::session::Transmit;

/// Anything that bytes go through.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send {}

impl<S: AsyncRead + AsyncWrite + Send> Duplex for S {}

/// What a task reads from and writes to.
pub(crate) enum Stream {
    /// One that this crate has opened.
    Port(Port),
    /// One that the caller has brought.
    Other(Pin<Box<dyn Duplex>>),
}

/// What has become possible.
pub(super) enum Moved {
    /// So many bytes have been read.
    Read(usize),
    /// What was to be written is written and on its way.
    Written,
}

/// Bytes on their way out, and how many of them are.
pub(super) type Outgoing = Option<(Transmit, usize)>;

impl Stream {
    /// Sets the rate, in bits per second, where there is one to set.
    pub(super) fn set_baud_rate(&mut self, rate: u32) -> io::Result<()> {
        match self {
            Self::Port(port) => port.set_baud_rate(rate),
            Self::Other(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Writes what is to be written, and reads if that is wanted, until one of the two has come
    /// to something. Dropping the future loses nothing: how far it is stands in `out`.
    pub(super) async fn moved(
        &mut self,
        buffer: &mut [u8],
        out: &mut Outgoing,
        reads: bool,
    ) -> io::Result<Moved> {
        poll_fn(|cx| {
            if let Poll::Ready(written) = self.poll_out(cx, out) {
                return Poll::Ready(written.map(|()| Moved::Written));
            }
            if !reads {
                return Poll::Pending;
            }
            let mut buffer = ReadBuf::new(buffer);
            ready!(self.pinned().poll_read(cx, &mut buffer))?;
            Poll::Ready(match buffer.filled().len() {
                0 => Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the device or peer has closed it",
                )),
                length => Ok(Moved::Read(length)),
            })
        })
        .await
    }

    /// Pending as long as something is left, and when there is nothing to write.
    fn poll_out(&mut self, cx: &mut Context<'_>, out: &mut Outgoing) -> Poll<io::Result<()>> {
        loop {
            let Some((transmit, from)) = out else {
                return Poll::Pending;
            };
            let rest = &transmit.bytes[*from..];
            if rest.is_empty() {
                let flushed = ready!(self.pinned().poll_flush(cx));
                *out = None;
                return Poll::Ready(flushed);
            }
            match ready!(self.pinned().poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => *from += written,
            }
        }
    }

    fn pinned(&mut self) -> Pin<&mut (dyn Duplex + '_)> {
        match self {
            Self::Port(port) => {
                let port: Pin<&mut Port> = Pin::new(port);
                port
            }
            Self::Other(stream) => stream.as_mut(),
        }
    }
}
