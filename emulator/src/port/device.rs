use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};
use tokio_serial::{ClearBuffer, SerialPort as _, SerialStream};

use super::Port;

/// A serial device of this machine: with it the machine is the modem of whatever is wired to it,
/// a board, say. 8 data bits, no parity, one stop bit, no flow control.
#[derive(Debug)]
pub struct DevicePort {
    stream: SerialStream,
    rate: u32,
}

/// How long a device may take to send what the system holds for it: 4 KiB, at 9600 bits per
/// second. After that nobody takes it, and a new rate cannot harm it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the system is asked how much it holds. There is no way to be told but one that
/// blocks the thread.
const INTERVAL: Duration = Duration::from_millis(1);

/// Bytes that a UART may hold itself, of which the system knows nothing (64 in a 16750).
const UART_BYTES: u32 = 64;

impl DevicePort {
    /// Opens a device such as `/dev/ttyUSB0`, at `rate` bits per second. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// The system refuses; a device that another program has open is busy.
    pub fn open(path: &str, rate: u32) -> io::Result<Self> {
        let opened = SerialStream::open(&tokio_serial::new(path, rate));
        let stream = opened.map_err(|error| {
            let error = io::Error::from(error);
            // The library has one kind of error for a device that is not there and for one that
            // it cannot lock.
            if error.kind() == io::ErrorKind::NotFound && Path::new(path).exists() {
                return io::Error::new(io::ErrorKind::ResourceBusy, error);
            }
            error
        })?;
        // What a host has said before is not for this module. Where it cannot be dropped, it is
        // noise in front of the first command.
        if let Err(error) = stream.clear(ClearBuffer::Input) {
            tracing::debug!(%error, "cannot drop old input");
        }
        Ok(Self { stream, rate })
    }

    /// Waits until the device has sent everything.
    async fn drain(&self) -> io::Result<()> {
        let start = Instant::now();
        while self.stream.bytes_to_write()? > 0 && start.elapsed() < PATIENCE {
            sleep(INTERVAL).await;
        }
        sleep(Duration::from_secs(1) * 10 * UART_BYTES / self.rate.max(1)).await;
        Ok(())
    }
}

/// The device is unplugged, or its other end is gone.
fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the device is gone")
}

impl Port for DevicePort {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buffer).await {
            Ok(0) => Err(gone()),
            read => read,
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes).await {
            Ok(0) => Err(gone()),
            written => written,
        }
    }

    async fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.drain().await?;
        self.stream.set_baud_rate(rate)?;
        self.rate = rate;
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::pty::Pty;

    #[tokio::test]
    async fn a_device_carries_every_byte_and_takes_another_rate() {
        let board = Pty::open().unwrap();
        let path = board.path().to_str().unwrap().to_owned();
        let mut port = DevicePort::open(&path, 9600).unwrap();
        assert_eq!(port.stream.baud_rate().unwrap(), 9600);
        let every_byte: Vec<u8> = (0..=255).collect();
        board.write(&every_byte).await.unwrap();
        let mut received = Vec::new();
        while received.len() < every_byte.len() {
            let mut buffer = [0; 100];
            let length = port.read(&mut buffer).await.unwrap();
            received.extend_from_slice(&buffer[..length]);
        }
        assert_eq!(received, every_byte);
        assert_eq!(port.write(&every_byte).await.unwrap(), every_byte.len());
        let mut received = [0; 256];
        let length = board.read(&mut received).await.unwrap();
        assert_eq!(received[..length], every_byte[..length]);
        port.set_rate(230_400).await.unwrap();
        assert_eq!(port.stream.baud_rate().unwrap(), 230_400);
    }

    #[tokio::test]
    async fn a_device_that_is_open_is_busy_and_another_is_not_there() {
        let board = Pty::open().unwrap();
        let path = board.path().to_str().unwrap().to_owned();
        let _port = DevicePort::open(&path, 9600).unwrap();
        let busy = DevicePort::open(&path, 9600).unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
        let missing = DevicePort::open("/dev/nonexistent", 9600).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
