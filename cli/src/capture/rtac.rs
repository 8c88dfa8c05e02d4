//! The link type of serial lines, `LINKTYPE_RTAC_SERIAL`.
//!
//! Source: the list of link types at tcpdump.org. A header of twelve bytes stands before what was
//! on the line: seconds and microseconds since 1970, the event, the state of the control lines,
//! two bytes without use; numbers are big-endian.

use std::time::Duration;

use atmq_driver::Direction;

/// `LINKTYPE_RTAC_SERIAL`
pub(super) const LINK_TYPE: u16 = 250;

/// Bytes before the payload.
const HEADER: usize = 12;

const DATA_TX_START: u8 = 1;
const DATA_RX_START: u8 = 2;
const DATA_TX_END: u8 = 3;
const DATA_RX_END: u8 = 4;
const CAPTURE_DATA_LOST: u8 = 5;
const CAPTURE_COMPLETE: u8 = 6;

/// `ALARM_EVENT`, the one event that says nothing of a line: it carries the comments of the world.
pub(super) const ALARM: u8 = 11;

/// What a record tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Bytes passed on the line.
    Bytes(Direction, Vec<u8>),
    /// Whoever recorded missed something here.
    Lost,
    /// The recording was ended, and not cut.
    Complete,
    /// A control line changed, a break, an error of the UART: its number in the list.
    Other(u8),
    /// So many bytes of the record before are missing: whoever recorded kept no more of it.
    Cut(u32),
    /// What was done to an emulated module or to its surroundings.
    World(String),
    /// A comment on the record that follows, by whoever recorded or looked at it.
    Comment(String),
}

/// Appends the packet. TX is the host's side. The state of the control lines is not known: 0.
pub(super) fn encode(at: Duration, event: &Event, out: &mut Vec<u8>) {
    let (number, payload) = match event {
        Event::Bytes(Direction::HostToModule, bytes) => (DATA_TX_START, &bytes[..]),
        Event::Bytes(Direction::ModuleToHost, bytes) => (DATA_RX_START, &bytes[..]),
        Event::Lost => (CAPTURE_DATA_LOST, &b""[..]),
        Event::Complete => (CAPTURE_COMPLETE, &b""[..]),
        Event::Other(number) => (*number, &b""[..]),
        // They are told beside the packet.
        Event::World(_) | Event::Comment(_) | Event::Cut(_) => (ALARM, &b""[..]),
    };
    // The field has room until 2106.
    out.extend_from_slice(&(at.as_secs() as u32).to_be_bytes());
    out.extend_from_slice(&at.subsec_micros().to_be_bytes());
    out.extend_from_slice(&[number, 0, 0, 0]);
    out.extend_from_slice(payload);
}

/// Reads a packet; `None`: it is shorter than its header.
pub(super) fn decode(packet: &[u8]) -> Option<Event> {
    let (header, payload) = packet.split_at_checked(HEADER)?;
    Some(match header[8] {
        DATA_TX_START | DATA_TX_END => Event::Bytes(Direction::HostToModule, payload.to_vec()),
        DATA_RX_START | DATA_RX_END => Event::Bytes(Direction::ModuleToHost, payload.to_vec()),
        CAPTURE_DATA_LOST => Event::Lost,
        CAPTURE_COMPLETE => Event::Complete,
        number => Event::Other(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_both_ways() {
        let at = Duration::new(0x0102_0304, 0x0005_0607 * 1000);
        for (event, bytes) in [
            (
                Event::Bytes(Direction::HostToModule, b"AT\r".to_vec()),
                &b"\x01\x02\x03\x04\x00\x05\x06\x07\x01\0\0\0AT\r"[..],
            ),
            (
                Event::Bytes(Direction::ModuleToHost, b"OK".to_vec()),
                b"\x01\x02\x03\x04\x00\x05\x06\x07\x02\0\0\0OK",
            ),
            (Event::Lost, b"\x01\x02\x03\x04\x00\x05\x06\x07\x05\0\0\0"),
            (
                Event::Complete,
                b"\x01\x02\x03\x04\x00\x05\x06\x07\x06\0\0\0",
            ),
            (
                Event::Other(9),
                b"\x01\x02\x03\x04\x00\x05\x06\x07\x09\0\0\0",
            ),
        ] {
            let mut out = Vec::new();
            encode(at, &event, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(decode(bytes), Some(event));
        }
        assert_eq!(decode(&[0; 11]), None);
    }
}
