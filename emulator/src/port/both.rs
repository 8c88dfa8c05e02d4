use std::io;

use super::{Patient, Port};

/// Two ports wired to the same UART: what either host says is heard, what the module says goes to
/// both.
#[derive(Debug)]
pub struct BothPorts<A, B> {
    first: Patient<A>,
    second: Patient<B>,
}

impl<A: Port, B: Port> BothPorts<A, B> {
    /// Wires both to one UART.
    pub fn new(first: A, second: B) -> Self {
        Self {
            first: Patient::new(first),
            second: Patient::new(second),
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
        self.first.write(bytes).await?;
        self.second.write(bytes).await?;
        Ok(bytes.len())
    }
    fn rate(&self) -> Option<u32> {
        self.first.port.rate().or_else(|| self.second.port.rate())
    }

    async fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.first.port.set_rate(rate).await?;
        self.second.port.set_rate(rate).await
    }
}
