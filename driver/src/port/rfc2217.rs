//! A serial device behind a bridge that speaks RFC 2217 (Telnet COM Port Control), as terminal
//! servers, `ser2net` and pyserial do.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rfc2217::{Client, FlowControl, NotReady, PortSettings};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::settings::Settings;

/// How long a bridge may take to take its settings. Ours; pyserial has 3 s for each.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes read from the bridge at a time.
const PIECE: usize = 1024;

/// The device behind a bridge.
#[derive(Debug)]
pub(super) struct Rfc2217 {
    stream: TcpStream,
    client: Client,
    /// What has come from the bridge, and which part of it has not been looked at.
    input: [u8; PIECE],
    unread: Range<usize>,
}

impl Rfc2217 {
    /// Has the bridge set up its device: 8 data bits, no parity, one stop bit. What it has received
    /// before answers nobody, and is dropped. DTR and RTS stay as the bridge has them: some, such as
    /// pyserial's over a pseudo terminal, close the connection when they are to be changed.
    ///
    /// # Errors
    /// The bridge does not speak RFC 2217, or cannot set up its device so.
    pub(super) async fn open(stream: TcpStream, settings: &Settings) -> io::Result<Self> {
        let mut port = Self {
            stream,
            client: Client::new(PortSettings {
                baud_rate: settings.baud_rate,
                flow_control: match settings.rts_cts {
                    true => FlowControl::RtsCts,
                    false => FlowControl::None,
                },
                ..PortSettings::default()
            }),
            input: [0; PIECE],
            unread: 0..0,
        };
        match timeout(PATIENCE, port.negotiate()).await {
            Ok(negotiated) => negotiated?,
            Err(_) => match port.client.readiness() {
                // Some bridges never answer some of it.
                Err(NotReady::Pending(settings)) => {
                    tracing::debug!(%settings, "the bridge has not confirmed these settings");
                }
                Err(why) => return Err(io::Error::new(io::ErrorKind::Unsupported, why)),
                Ok(()) => {}
            },
        }
        Ok(port)
    }

    async fn negotiate(&mut self) -> io::Result<()> {
        let mut dropped = [0; PIECE];
        loop {
            while self.client.has_output() {
                let written = self.stream.write(self.client.output()).await?;
                self.client.consume_output(written);
            }
            match self.client.readiness() {
                Ok(()) => return Ok(()),
                Err(why @ (NotReady::Refused | NotReady::Mismatched(_))) => {
                    return Err(io::Error::new(io::ErrorKind::Unsupported, why));
                }
                Err(_) => {}
            }
            if self.unread.is_empty() {
                let length = self.stream.read(&mut self.input[..]).await?;
                if length == 0 {
                    let what = "the bridge has closed the connection";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
                }
                self.unread = 0..length;
            }
            self.receive(&mut dropped);
        }
    }

    /// Takes in some of what has come. Returns how many bytes of the device it held.
    fn receive(&mut self, data: &mut [u8]) -> usize {
        let progress = self
            .client
            .receive_into(&self.input[self.unread.clone()], data);
        self.unread.start += progress.consumed;
        // The client keeps the state that they tell of.
        while let Some(event) = self.client.poll_event() {
            tracing::trace!(?event, "of the bridge");
        }
        progress.payload_len
    }

    /// Changes the bits per second of the device, for what is written from now on.
    pub(super) fn set_baud_rate(&mut self, rate: u32) -> io::Result<()> {
        let baud_rate = rate;
        let settings = PortSettings {
            baud_rate,
            ..self.client.requested_settings()
        };
        let set = self.client.try_set_port_settings(settings);
        // There is room for it unless the bridge takes nothing.
        set.map_err(|error| io::Error::new(io::ErrorKind::WouldBlock, error))
    }

    /// Writes what the client has to say. Ready once all of it is written.
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.client.has_output() {
            let written = Pin::new(&mut self.stream).poll_write(cx, self.client.output());
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.client.consume_output(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Rfc2217 {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let port = self.get_mut();
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            // Answers of the protocol wait for nobody who writes.
            let blocked = match port.poll_output(cx) {
                Poll::Ready(written) => {
                    written?;
                    false
                }
                Poll::Pending => true,
            };
            if port.unread.is_empty() {
                let mut input = ReadBuf::new(&mut port.input[..]);
                ready!(Pin::new(&mut port.stream).poll_read(cx, &mut input))?;
                port.unread = 0..input.filled().len();
                if port.unread.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
            let before = port.unread.start;
            let length = port.receive(buffer.initialize_unfilled());
            if length > 0 {
                buffer.advance(length);
                return Poll::Ready(Ok(()));
            }
            if port.unread.start == before && blocked {
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for Rfc2217 {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let port = self.get_mut();
        ready!(port.poll_output(cx))?;
        let taken = port
            .client
            .try_write_data(bytes)
            .map_err(io::Error::other)?;
        // What does not go out now does with the next call, or the flush.
        if let Poll::Ready(Err(error)) = port.poll_output(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let port = self.get_mut();
        ready!(port.poll_output(cx))?;
        Pin::new(&mut port.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let port = self.get_mut();
        ready!(port.poll_output(cx))?;
        Pin::new(&mut port.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
