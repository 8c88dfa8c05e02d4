use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use atmq_driver::Direction;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Recorder;

/// A port whose bytes are recorded as they pass, if they are to be: on the host's side of the
/// line a stream, on the module's side an emulator's port.
#[derive(Debug)]
pub(crate) struct Recorded<P> {
    port: P,
    recorder: Option<Recorder>,
}

impl<P> Recorded<P> {
    pub(crate) fn new(port: P, recorder: Option<Recorder>) -> Self {
        Self { port, recorder }
    }

    /// From now on records here, or no longer.
    pub(crate) fn record_to(&mut self, recorder: Option<Recorder>) {
        self.recorder = recorder;
    }

    /// The port, and what records it: for whoever records on their own.
    pub(crate) fn into_parts(self) -> (P, Option<Recorder>) {
        (self.port, self.recorder)
    }

    fn record(&self, direction: Direction, bytes: &[u8]) {
        if let Some(recorder) = &self.recorder
            && !bytes.is_empty()
        {
            recorder.record(direction, bytes);
        }
    }
}

impl<P> Deref for Recorded<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.port
    }
}

impl<P> DerefMut for Recorded<P> {
    fn deref_mut(&mut self) -> &mut P {
        &mut self.port
    }
}

impl<P: AsyncRead + Unpin> AsyncRead for Recorded<P> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.port).poll_read(cx, buffer);
        if matches!(read, Poll::Ready(Ok(()))) {
            this.record(Direction::ModuleToHost, &buffer.filled()[before..]);
        }
        read
    }
}

impl<P: AsyncWrite + Unpin> AsyncWrite for Recorded<P> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.port).poll_write(cx, bytes);
        if let Poll::Ready(Ok(length)) = written {
            this.record(Direction::HostToModule, &bytes[..length]);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().port).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().port).poll_shutdown(cx)
    }
}

impl<P: atmq_emulator::Port + Send> atmq_emulator::Port for Recorded<P> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.port.read(buffer).await?;
        self.record(Direction::HostToModule, &buffer[..length]);
        Ok(length)
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.port.write(bytes).await?;
        self.record(Direction::ModuleToHost, &bytes[..length]);
        Ok(length)
    }
    fn rate(&self) -> Option<u32> {
        self.port.rate()
    }

    async fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.port.set_rate(rate).await
    }

    fn set_busy(&mut self, busy: bool) {
        self.port.set_busy(busy);
    }
}
