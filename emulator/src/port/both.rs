use std::io;

use super::{PATIENCE, Patient, Port};

/// Two ports wired to the same UART: what either host says is heard, what the module says goes to
/// both. A host that does not read for half a second loses it; the other one does not.
#[derive(Debug)]
pub struct BothPorts<A, B> {
    first: Patient<A>,
    second: Patient<B>,
}

impl<A: Port, B: Port> BothPorts<A, B> {
    /// Wires both to one UART.
    pub fn new(first: A, second: B) -> Self {
        // Less than the module waits for this port, or a host that does not read would keep the
        // other one from hearing.
        let patience = PATIENCE / 2;
        Self {
            first: Patient::with_patience(first, patience),
            second: Patient::with_patience(second, patience),
        }
    }
}

impl<A: Port + Send, B: Port + Send> Port for BothPorts<A, B> {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut other = [0; 512];
        let room = other.len().min(buffer.len());
        tokio::select! {
            length = self.first.port.read(buffer) => length,
            length = self.second.port.read(&mut other[..room]) => {
                let length = length?;
                buffer[..length].copy_from_slice(&other[..length]);
                Ok(length)
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (first, second) = tokio::join!(self.first.write(bytes), self.second.write(bytes));
        first.and(second)?;
        Ok(bytes.len())
    }

    fn rate(&self) -> Option<u32> {
        self.first.port.rate().or_else(|| self.second.port.rate())
    }

    async fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.first.port.set_rate(rate).await?;
        self.second.port.set_rate(rate).await
    }

    fn set_busy(&mut self, busy: bool) {
        self.first.port.set_busy(busy);
        self.second.port.set_busy(busy);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::time::Instant;

    use super::*;
    use crate::port::StreamPort;

    #[tokio::test(start_paused = true)]
    async fn a_host_that_does_not_read_does_not_keep_the_other_from_hearing() {
        let (deaf, _deaf_host) = tokio::io::duplex(4);
        let (module, mut host) = tokio::io::duplex(64);
        let mut port = Patient::new(BothPorts::new(StreamPort(deaf), StreamPort(module)));
        let start = Instant::now();
        for said in [b"12345", b"67890"] {
            port.write(said).await.unwrap();
            let mut heard = [0; 5];
            host.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, *said);
        }
        assert_eq!(start.elapsed(), PATIENCE / 2);
    }
}
