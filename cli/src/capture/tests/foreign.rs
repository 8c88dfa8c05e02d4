//! Captures that other programs have written, made byte by byte.

use super::*;

/// A pcapng file in one byte order.
struct File {
    big_endian: bool,
    bytes: Vec<u8>,
}

impl File {
    fn new(big_endian: bool) -> Self {
        let mut file = Self {
            big_endian,
            bytes: Vec::new(),
        };
        let mut body = file.number(0x1a2b_3c4d).to_vec();
        body.extend(file.half(1));
        body.extend(file.half(0));
        body.extend([0xff; 8]);
        file.block(0x0a0d_0d0a, &body);
        file
    }

    fn number(&self, number: u32) -> [u8; 4] {
        match self.big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    fn half(&self, number: u16) -> [u8; 2] {
        match self.big_endian {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        }
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let padded = body.len().next_multiple_of(4);
        let length = self.number(padded as u32 + 12);
        self.bytes.extend(self.number(kind));
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(length);
    }

    fn interface(&mut self, link_type: u16, snapshot_length: u32) {
        let mut body = self.half(link_type).to_vec();
        body.extend([0; 2]);
        body.extend(self.number(snapshot_length));
        self.block(1, &body);
    }

    /// An enhanced packet block, at 3 s; of the packet only so much is kept.
    fn packet(&mut self, interface: u32, packet: &[u8], kept: usize, comment: &str) {
        let lengths = [kept, packet.len()].map(|length| length as u32);
        let head = [interface, 0, 3_000_000, lengths[0], lengths[1]];
        let mut body = head.map(|number| self.number(number)).concat();
        body.extend(&packet[..kept]);
        body.resize(body.len().next_multiple_of(4), 0);
        if !comment.is_empty() {
            body.extend(self.half(1));
            body.extend(self.half(comment.len() as u16));
            body.extend(comment.as_bytes());
            body.resize(body.len().next_multiple_of(4), 0);
            body.extend([0; 4]);
        }
        self.block(6, &body);
    }

    /// The obsolete packet block, at 3 s.
    fn old_packet(&mut self, interface: u16, packet: &[u8], kept: usize) {
        let mut body = self.half(interface).to_vec();
        // Nobody knows how many were dropped.
        body.extend([0xff; 2]);
        let lengths = [kept, packet.len()].map(|length| length as u32);
        for number in [0, 3_000_000, lengths[0], lengths[1]] {
            body.extend(self.number(number));
        }
        body.extend(&packet[..kept]);
        self.block(2, &body);
    }
}

/// Bytes of the module as they stand in a packet.
fn rtac(bytes: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 3, 0, 0, 0, 0, 2, 0, 0, 0], bytes].concat()
}

fn module(bytes: &[u8]) -> Event {
    Event::Bytes(MODULE, bytes.to_vec())
}

/// What is read, and what is told of what is not.
fn told(file: &File) -> (Vec<Event>, Option<String>, [u64; 2]) {
    let mut on_disk = NamedTempFile::new().unwrap();
    on_disk.write_all(&file.bytes).unwrap();
    let mut capture = Capture::open(on_disk.path()).unwrap();
    let (mut records, mut complaint) = (Vec::new(), None);
    for next in capture.by_ref() {
        match next {
            Ok(record) => {
                assert_eq!(record.at, Duration::from_secs(3));
                records.push(record.event);
            }
            Err(failure) => complaint = Some(failure.to_string()),
        }
    }
    let about = capture.about();
    (records, complaint, [about.skipped, about.cut])
}

#[test]
fn packets_of_other_interfaces_are_skipped_and_counted() {
    for big_endian in [false, true] {
        let mut file = File::new(big_endian);
        for link_type in [1, 250, 113] {
            file.interface(link_type, 0);
        }
        file.packet(0, &[0; 60], 60, "of Ethernet");
        file.packet(1, &rtac(b"OK"), 14, "");
        file.packet(2, b"short", 5, "");
        file.old_packet(2, b"old", 3);
        // A simple packet is of the first interface.
        file.block(3, &[0; 8]);
        let (records, complaint, counts) = told(&file);
        assert_eq!(complaint, None);
        assert_eq!(records, [module(b"OK")]);
        assert_eq!(counts, [4, 0]);
    }
}

#[test]
fn a_capture_of_nothing_but_other_links_is_refused() {
    let mut file = File::new(false);
    file.interface(1, 0);
    file.packet(0, &[0; 60], 60, "");
    let (records, complaint, _) = told(&file);
    let complaint = complaint.unwrap();
    assert!(
        records.is_empty() && complaint.contains("link type 1, not of a serial line"),
        "{complaint}"
    );
}

#[test]
fn a_record_that_was_cut_is_told() {
    for big_endian in [false, true] {
        let mut file = File::new(big_endian);
        file.interface(250, 16);
        file.packet(0, &rtac(b"+CSQ: 29,0"), 16, "");
        file.old_packet(0, &rtac(b"+CSQ: 29,0"), 16);
        // Not even its header was kept.
        file.packet(0, &rtac(b"OK"), 8, "");
        let (records, complaint, counts) = told(&file);
        assert_eq!(complaint, None);
        let cut = |kept: &[u8]| [module(kept), Event::Cut(6)];
        let expected = [&cut(b"+CSQ")[..], &cut(b"+CSQ"), &[Event::Cut(6)]].concat();
        assert_eq!(records, expected);
        assert_eq!(counts, [0, 3]);
    }
    // The same in the old format.
    let file = b"\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x0e\0\0\0\xfa\
                 \0\0\0\x07\0\0\0\x09\0\0\0\x0e\0\0\0\x16\
                 \0\0\0\x07\0\0\0\x09\x04\0\0\0OK";
    let (records, complaint) = read(file);
    assert_eq!(complaint, None);
    assert_eq!(events(&records), [module(b"OK"), Event::Cut(8)]);
}

#[test]
fn obsolete_packet_blocks_are_read() {
    for big_endian in [false, true] {
        let mut file = File::new(big_endian);
        file.interface(1, 0);
        file.interface(250, 0);
        file.old_packet(1, &rtac(b"OK\r"), 15);
        let (records, complaint, _) = told(&file);
        assert_eq!(complaint, None);
        assert_eq!(records, [module(b"OK\r")]);
        // Shorter than its header, of an interface that is not there, longer than its block.
        let mut bodies = [vec![0; 16], vec![0; 20], vec![0; 20]];
        bodies[1][..4].copy_from_slice(&[9; 4]);
        bodies[2][..2].copy_from_slice(&file.half(1));
        bodies[2][12..16].copy_from_slice(&file.number(1));
        for (body, why) in bodies
            .iter()
            .zip(["cut short", "not described", "length is wrong"])
        {
            let mut damaged = File::new(big_endian);
            damaged.interface(1, 0);
            damaged.interface(250, 0);
            damaged.block(2, body);
            let complaint = told(&damaged).1.unwrap();
            assert!(complaint.contains(why), "{complaint}");
        }
    }
}

#[test]
fn packets_without_time_are_refused_in_words() {
    let mut file = File::new(false);
    file.interface(250, 0);
    file.block(3, &[0; 8]);
    let complaint = told(&file).1.unwrap();
    assert!(complaint.contains("a simple packet block"), "{complaint}");
}

#[test]
fn comments_of_others_are_read() {
    let mut file = File::new(true);
    file.interface(250, 0);
    file.packet(0, &rtac(b"OK"), 14, "here it goes wrong");
    let comment = Event::Comment("here it goes wrong".into());
    assert_eq!(told(&file).0, [comment, module(b"OK")]);
}

#[test]
fn a_block_longer_than_any_is_refused() {
    for length in [0x7fff_fff0_u32, 0xffff_fffc, 2 * 1024 * 1024] {
        let mut file = File::new(false);
        file.interface(250, 0);
        file.bytes.extend(6_u32.to_le_bytes());
        file.bytes.extend(length.to_le_bytes());
        file.bytes.resize(file.bytes.len() + 3 * 1024 * 1024, 0);
        let complaint = told(&file).1.unwrap();
        let known = ["longer than 1 MiB", "is no block", "is cut"];
        assert!(
            known.iter().any(|known| complaint.contains(known)),
            "{complaint}"
        );
    }
}

#[test]
fn other_formats_are_refused_with_what_to_do() {
    // Compressed, and those of snoop and of Network Monitor.
    for file in [
        &b"\x1f\x8b\x08\0"[..],
        b"snoop\0\0\0\0\0\0\x02",
        b"GMBU\0\x02",
    ] {
        let file = [file, &[0; 64]].concat();
        let mut on_disk = NamedTempFile::new().unwrap();
        on_disk.write_all(&file).unwrap();
        let Err(failure) = Capture::open(on_disk.path()) else {
            panic!("it is no capture");
        };
        let hint = format!("{failure:?}");
        assert!(hint.contains("editcap -F pcapng"), "{hint}");
    }
}

proptest! {
    /// Whole blocks of every kind, with anything in them.
    #[test]
    fn no_blocks_make_it_panic(
        big_endian: bool,
        blocks in proptest::collection::vec(
            (
                prop_oneof![Just(0x0a0d_0d0a), Just(1), Just(2), Just(3), Just(6), 0..12_u32],
                prop_oneof![Just(None), any::<u16>().prop_map(Some), Just(Some(250))],
                proptest::collection::vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..64),
            ),
            0..12,
        ),
    ) {
        let mut file = File::new(big_endian);
        file.interface(250, 0);
        for (kind, begins, mut body) in blocks {
            if let (Some(begins), Some(place)) = (begins, body.get_mut(..2)) {
                place.copy_from_slice(&file.half(begins));
            }
            file.block(kind, &body);
        }
        let mut dialogue = Dialogue::new();
        for record in read(&file.bytes).0 {
            dialogue.take(record.at, record.event);
        }
        dialogue.end();
        while dialogue.next().is_some() {}
    }

    /// A conversation at any times, also where the clock was set back.
    #[test]
    fn no_times_make_the_dialogue_panic(pieces: Vec<(bool, u64, u32, Vec<u8>)>) {
        let mut dialogue = Dialogue::new();
        for (host, seconds, nanoseconds, bytes) in pieces {
            let at = Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()));
            let direction = if host { HOST } else { MODULE };
            let line = match bytes.len() % 3 {
                0 => b"AT+LMQTTOPEN=0,\"h\",1883\r".to_vec(),
                1 => b"\r\nOK\r\n".to_vec(),
                _ => bytes,
            };
            dialogue.take(at, Event::Bytes(direction, line));
        }
        dialogue.end();
        while dialogue.next().is_some() {}
    }
}
