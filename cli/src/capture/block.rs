//! The three kinds of blocks of pcapng that a recording is made of.
//!
//! Source: draft-ietf-opsawg-pcapng, sections 3 and 4. Written here, because of the crates that
//! write them one brings the whole of `futures` along, one mistakes the unit of times, and one is
//! not kept up; [`super::Capture`] reads with one that is. Little-endian, times in nanoseconds.

use std::time::Duration;

use atmq_driver::Direction;

use super::rtac::{self, Event};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// The exponent in `if_tsresol`: nanoseconds.
const NANOSECONDS: u8 = 9;

/// Who records.
pub(super) fn section_header(program: &str, comment: &str, out: &mut Vec<u8>) {
    block(SECTION_HEADER, out, |body| {
        body.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        // Version 1.0, and a length that nobody knows beforehand.
        body.extend_from_slice(&[1, 0, 0, 0]);
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        option(1, comment.as_bytes(), body);
        option(3, std::env::consts::OS.as_bytes(), body);
        option(4, program.as_bytes(), body);
        option(0, b"", body);
    });
}

/// Which line is recorded; `baud` is its bits per second, if it has such.
pub(super) fn interface_description(
    name: &str,
    description: &str,
    baud: Option<u32>,
    out: &mut Vec<u8>,
) {
    block(INTERFACE_DESCRIPTION, out, |body| {
        body.extend_from_slice(&rtac::LINK_TYPE.to_le_bytes());
        // Reserved; no limit to the length of packets.
        body.extend_from_slice(&[0; 6]);
        option(2, name.as_bytes(), body);
        option(3, description.as_bytes(), body);
        if let Some(baud) = baud {
            option(8, &u64::from(baud).to_le_bytes(), body);
        }
        option(9, &[NANOSECONDS], body);
        option(0, b"", body);
    });
}

/// What happened at this time since 1970, on the interface with this number.
pub(super) fn enhanced_packet(interface: u32, at: Duration, event: &Event, out: &mut Vec<u8>) {
    let mut packet = Vec::new();
    rtac::encode(at, event, &mut packet);
    block(ENHANCED_PACKET, out, |body| {
        // There is room until 2554.
        let nanoseconds = at.as_nanos() as u64;
        let length = packet.len() as u32;
        for number in [
            interface,
            (nanoseconds >> 32) as u32,
            nanoseconds as u32,
            length,
            length,
        ] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(&packet);
        pad(body);
        // `epb_flags`: inbound and outbound, as the host sees it.
        match event {
            Event::Bytes(Direction::ModuleToHost, _) => option(2, &1_u32.to_le_bytes(), body),
            Event::Bytes(Direction::HostToModule, _) => option(2, &2_u32.to_le_bytes(), body),
            Event::World(words) | Event::Comment(words) => option(1, words.as_bytes(), body),
            Event::Lost | Event::Complete | Event::Other(_) | Event::Cut(_) => return,
        }
        option(0, b"", body);
    });
}

fn block(kind: u32, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    let length = (body.len() as u32 + 12).to_le_bytes();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length);
    out.extend_from_slice(&body);
    out.extend_from_slice(&length);
}

/// Options longer than their field can tell are cut.
fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// All lengths so far are multiples of four, so that what is missing can be told from the sum.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Typed by hand from the draft.
    #[test]
    fn each_block_byte_for_byte() {
        let mut out = Vec::new();
        section_header("atmq 1", "a", &mut out);
        let os = std::env::consts::OS;
        assert_eq!(
            &out[..24],
            b"\x0a\x0d\x0d\x0a\x40\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
        );
        assert_eq!(&out[24..32], b"\x01\0\x01\0a\0\0\0");
        assert_eq!(&out[36..36 + os.len()], os.as_bytes());
        assert!(out.ends_with(b"\x04\0\x06\0atmq 1\0\0\0\0\0\0\x40\0\0\0"));

        let mut out = Vec::new();
        interface_description("p", "d", Some(9600), &mut out);
        assert_eq!(
            out,
            b"\x01\0\0\0\x3c\0\0\0\xfa\0\0\0\0\0\0\0\x02\0\x01\0p\0\0\0\x03\0\x01\0d\0\0\0\
              \x08\0\x08\0\x80\x25\0\0\0\0\0\0\x09\0\x01\0\x09\0\0\0\0\0\0\0\x3c\0\0\0"
        );

        let mut out = Vec::new();
        let event = Event::Bytes(Direction::HostToModule, b"AT\r".to_vec());
        enhanced_packet(0, Duration::new(1, 2000), &event, &mut out);
        assert_eq!(
            out,
            b"\x06\0\0\0\x3c\0\0\0\0\0\0\0\0\0\0\0\xd0\xd1\x9a\x3b\x0f\0\0\0\x0f\0\0\0\
              \0\0\0\x01\0\0\0\x02\x01\0\0\0AT\r\0\x02\0\x04\0\x02\0\0\0\0\0\0\0\x3c\0\0\0"
        );

        let mut out = Vec::new();
        let event = Event::World("power: off".into());
        enhanced_packet(1, Duration::new(1, 2000), &event, &mut out);
        assert_eq!(
            out,
            b"\x06\0\0\0\x40\0\0\0\x01\0\0\0\0\0\0\0\xd0\xd1\x9a\x3b\x0c\0\0\0\x0c\0\0\0\
              \0\0\0\x01\0\0\0\x02\x0b\0\0\0\x01\0\x0a\0power: off\0\0\0\0\0\0\x40\0\0\0"
        );
    }
}
