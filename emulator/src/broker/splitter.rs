//! Cuts the byte stream of a client into MQTT control packets.

use super::Violation;

/// One control packet, still undecoded.
#[derive(Debug, PartialEq)]
pub(super) struct Frame<'a> {
    /// First byte: packet type and flags.
    pub(super) header: u8,
    /// Everything after the fixed header.
    pub(super) body: &'a [u8],
}

/// Collects bytes until they make a whole packet. Holds at most one unfinished packet, which
/// the packet limit bounds, and what was pushed last.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    buffer: Vec<u8>,
    read: usize,
}

impl Splitter {
    /// Takes the next bytes from the client.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.read);
        self.read = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet, if there is one. After an error the stream is lost: nothing tells
    /// where the next packet would begin.
    pub(super) fn next(&mut self, limit: usize) -> Result<Option<Frame<'_>>, Violation> {
        let pending = &self.buffer[self.read..];
        let Some((start, length)) = measure(pending)? else {
            return Ok(None);
        };
        if length > limit {
            return Err(Violation::PacketTooLarge { length, limit });
        }
        let Some(body) = pending.get(start..start + length) else {
            return Ok(None);
        };
        self.read += start + length;
        Ok(Some(Frame {
            header: pending[0],
            body,
        }))
    }

    /// Gives the memory back when nothing is pending: most connections of a bench are idle.
    pub(super) fn shrink(&mut self) {
        if self.read == self.buffer.len() {
            *self = Self::default();
        }
    }
}

/// Length of the fixed header and of the rest, once the fixed header is complete.
fn measure(bytes: &[u8]) -> Result<Option<(usize, usize)>, Violation> {
    let mut length = 0;
    for (index, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((index + 2, length)));
        }
    }
    // Four bytes, each announcing one more.
    if bytes.len() > 4 {
        return Err(Violation::RemainingLength);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 300;

    fn frames(chunks: &[&[u8]]) -> Vec<(u8, Vec<u8>)> {
        let mut splitter = Splitter::default();
        let mut frames = Vec::new();
        for chunk in chunks {
            splitter.push(chunk);
            while let Some(frame) = splitter.next(LIMIT).unwrap() {
                frames.push((frame.header, frame.body.to_vec()));
            }
            splitter.shrink();
        }
        frames
    }

    #[test]
    fn packets_are_cut_wherever_the_chunks_end() {
        let stream = [0xC0, 0, 0x40, 2, 0, 7, 0xE0, 0];
        let expected = vec![(0xC0, vec![]), (0x40, vec![0, 7]), (0xE0, vec![])];
        assert_eq!(frames(&[&stream]), expected);
        for at in 0..stream.len() {
            assert_eq!(frames(&[&stream[..at], &stream[at..]]), expected);
        }
    }

    #[test]
    fn a_two_byte_length_is_read() {
        let mut stream = vec![0x30, 0xC8, 0x01];
        stream.extend([9; 200]);
        assert_eq!(frames(&[&stream]), vec![(0x30, vec![9; 200])]);
    }

    #[test]
    fn a_packet_beyond_the_limit_is_refused_at_its_header() {
        let mut splitter = Splitter::default();
        splitter.push(&[0x30, 0xAD, 0x02]);
        let refused = Violation::PacketTooLarge {
            length: 301,
            limit: LIMIT,
        };
        assert_eq!(splitter.next(LIMIT), Err(refused));
    }

    #[test]
    fn a_length_of_five_bytes_is_refused() {
        let mut splitter = Splitter::default();
        splitter.push(&[0x30, 0x80, 0x80, 0x80]);
        assert_eq!(splitter.next(LIMIT), Ok(None));
        splitter.push(&[0x80]);
        assert_eq!(splitter.next(LIMIT), Err(Violation::RemainingLength));
    }
}
