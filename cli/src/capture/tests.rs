mod foreign;
mod missing;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use atmq_driver::Direction;
use proptest::prelude::*;
use tempfile::{NamedTempFile, tempdir};

use super::dialogue::Dialogue;
use super::entry::{Entry, Kind};
use super::reader::Record;
use super::recorder::WORDS;
use super::{Capture, Event, RecordArguments};

const HOST: Direction = Direction::HostToModule;
const MODULE: Direction = Direction::ModuleToHost;

#[derive(Debug, clap::Parser)]
struct Arguments {
    #[command(flatten)]
    record: RecordArguments,
}

fn arguments(path: &Path, more: &[&str]) -> RecordArguments {
    let words = ["test", "--record", path.to_str().unwrap()];
    let words = words.iter().chain(more);
    <Arguments as clap::Parser>::try_parse_from(words)
        .unwrap()
        .record
}

/// What is in a file when these have been recorded.
fn recorded(pieces: &[(Direction, &[u8])]) -> Vec<u8> {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let recorder = arguments(&path, &[]).create("port", Some(9600)).unwrap();
    let recorder = recorder.expect("it is asked for");
    for (direction, bytes) in pieces {
        recorder.record(*direction, bytes);
    }
    drop(recorder);
    std::fs::read(path).unwrap()
}

/// The records of a file, and the complaint at their end.
fn read(file: &[u8]) -> (Vec<Record>, Option<String>) {
    let mut on_disk = NamedTempFile::new().unwrap();
    on_disk.write_all(file).unwrap();
    let capture = match Capture::open(on_disk.path()) {
        Ok(capture) => capture,
        Err(failure) => return (Vec::new(), Some(failure.to_string())),
    };
    let (mut records, mut complaint) = (Vec::new(), None);
    for record in capture {
        match record {
            Ok(record) => records.push(record),
            Err(failure) => complaint = Some(failure.to_string()),
        }
    }
    (records, complaint)
}

fn events(records: &[Record]) -> Vec<Event> {
    records.iter().map(|record| record.event.clone()).collect()
}

fn session() -> Vec<u8> {
    recorded(&[
        (HOST, b"AT\r"),
        (MODULE, b"\r\nOK\r\n"),
        (HOST, b"AT+CPIN=\"12"),
        (HOST, b"34\"\r"),
        (MODULE, b"AT+CPIN=\"1234\"\r\r\nOK\r\n"),
    ])
}

#[test]
fn what_is_recorded_is_read_back_without_its_secrets() {
    let file = session();
    assert!(!file.windows(4).any(|window| window == b"1234"));
    let (records, complaint) = read(&file);
    assert_eq!(complaint, None);
    let bytes = |direction, bytes: &[u8]| Event::Bytes(direction, bytes.to_vec());
    assert_eq!(
        events(&records),
        [
            bytes(HOST, b"AT\r"),
            bytes(MODULE, b"\r\nOK\r\n"),
            bytes(HOST, b"AT+CPIN=\"***"),
            bytes(HOST, b"\"\r"),
            bytes(MODULE, b"AT+CPIN=\"***\"\r\r\nOK\r\n"),
            Event::Complete,
        ]
    );
    assert!(records.is_sorted_by_key(|record| record.at));
}

#[test]
fn what_happens_to_the_world_is_on_an_interface_of_its_own() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    let recorder = arguments(&path, &[]).create("port", None).unwrap();
    let recorder = recorder.expect("it is asked for");
    let interfaces = || {
        let file = std::fs::read(&path).unwrap();
        let names = file.windows(9).filter(|name| name == b"\x02\0\x05\0world");
        names.count()
    };
    recorder.record(HOST, b"AT\r");
    // A capture of a module has one interface.
    assert_eq!(interfaces(), 0);
    recorder.record_world("signal: 12,0");
    // Cut between characters.
    let long = format!("x{}", "ü".repeat(WORDS));
    recorder.record_world(&long);
    recorder.record(MODULE, b"OK");
    drop(recorder);
    assert_eq!(interfaces(), 1);
    let (records, complaint) = read(&std::fs::read(&path).unwrap());
    assert_eq!(complaint, None);
    let cut = &long[..WORDS - 1];
    assert_eq!(
        events(&records),
        [
            Event::Bytes(HOST, b"AT\r".to_vec()),
            Event::World("signal: 12,0".into()),
            Event::World(cut.into()),
            Event::Bytes(MODULE, b"OK".to_vec()),
            Event::Complete,
        ]
    );
}

#[test]
fn a_file_that_is_there_is_not_replaced_unless_told_so() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    std::fs::write(&path, "precious").unwrap();
    let refused = arguments(&path, &[]).create("port", None).unwrap_err();
    let words = "it is there already; choose another name, or replace it by --force";
    assert!(refused.to_string().ends_with(words), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    drop(arguments(&path, &["--force"]).create("port", None).unwrap());
    assert_eq!(
        events(&read(&std::fs::read(&path).unwrap()).0),
        [Event::Complete]
    );
}

#[test]
fn a_capture_cut_anywhere_is_read_up_to_the_cut() {
    let file = session();
    let (whole, _) = read(&file);
    let mut longest = 0;
    for length in 0..file.len() {
        let (records, complaint) = read(&file[..length]);
        assert_eq!(records, whole[..records.len()], "{length}");
        assert!(records.len() >= longest, "{length}");
        longest = records.len();
        if let Some(complaint) = complaint {
            let known = ["is empty", "is no capture", "is cut"];
            assert!(
                known.iter().any(|known| complaint.contains(known)),
                "{complaint}"
            );
        }
    }
    assert_eq!(longest, whole.len() - 1);
}

#[test]
fn captures_of_other_programs_are_read() {
    // The old format, microseconds, big-endian, one packet, typed by hand.
    let file = b"\xa1\xb2\xc3\xd4\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\xfa\
                 \0\0\0\x07\0\0\0\x09\0\0\0\x0e\0\0\0\x0e\
                 \0\0\0\x07\0\0\0\x09\x04\0\0\0OK";
    let (records, complaint) = read(file);
    assert_eq!(complaint, None);
    let event = Event::Bytes(MODULE, b"OK".to_vec());
    let at = Duration::new(7, 9_000);
    assert_eq!(records, [Record { at, event }]);
    // Of a network.
    let mut other = file.to_vec();
    other[23] = 1;
    let complaint = read(&other).1.unwrap();
    assert!(complaint.contains("link type 1"), "{complaint}");
}

fn entries(pieces: &[(Direction, &[u8])]) -> Vec<Entry> {
    let mut dialogue = Dialogue::new();
    let mut entries = Vec::new();
    for (direction, bytes) in pieces {
        dialogue.push(Duration::ZERO, *direction, bytes);
        entries.extend(std::iter::from_fn(|| dialogue.next()));
    }
    entries
}

#[test]
fn what_is_said_is_told_apart() {
    let said = entries(&[
        (HOST, b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r"),
        (MODULE, b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r\r\nOK\r\n"),
        (HOST, b"AT+LMQTTPUB=0,5,1,0,\"t\",6\r\n"),
        (MODULE, b"\r\n> "),
        (HOST, b"a\r\nOK\r"),
        (
            MODULE,
            b"\r\n+LMQTTURC: RECV,0,0,\"t\",6,b\r\nOK\r\r\n\r\n+LMQTTPUB: 0,5,0\r\n\r\nOK\r\n",
        ),
        (HOST, b"AT+CSQ\r"),
        (
            MODULE,
            b"\r\n+CEREG: 1\r\n\r\n+CSQ: 29,0\r\n\r\n+CME ERROR: 3\r\n",
        ),
        (MODULE, b"\r\n+LMQTTURC: STATS,0,1\r\n"),
    ]);
    let told: Vec<_> = said
        .iter()
        .map(|entry| (entry.kind, entry.exchange, &*entry.bytes))
        .collect();
    assert_eq!(
        told,
        [
            (
                Kind::Command,
                Some(1),
                &b"AT+LMQTTCFG=\"recv/mode\",0,0,1"[..]
            ),
            (Kind::Echo, Some(1), b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r"),
            (Kind::Result, Some(1), b"OK"),
            (Kind::Command, Some(2), b"AT+LMQTTPUB=0,5,1,0,\"t\",6"),
            (Kind::Prompt, Some(2), b">"),
            (Kind::Data, Some(2), b"a\r\nOK\r"),
            (Kind::Urc, None, b"+LMQTTURC: RECV,0,0,\"t\",6,b\r\nOK\r"),
            (Kind::Report, Some(2), b"+LMQTTPUB: 0,5,0"),
            (Kind::Result, Some(2), b"OK"),
            (Kind::Command, Some(3), b"AT+CSQ"),
            (Kind::Urc, None, b"+CEREG: 1"),
            (Kind::Response, Some(3), b"+CSQ: 29,0"),
            (Kind::Result, Some(3), b"+CME ERROR: 3"),
            (Kind::Urc, None, b"+LMQTTURC: STATS,0,1"),
        ]
    );
    let meaning = |place: usize| said[place].meaning.as_deref();
    assert_eq!(meaning(3), Some("publish 6 bytes on t, QoS 1, id 5"));
    assert_eq!(meaning(7), Some("published, acknowledged"));
    assert_eq!(meaning(12), Some("refused: operation not allowed"));
    assert_eq!(meaning(13), Some("link lost: closed by the broker"));
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(file: Vec<u8>) {
        read(&file);
    }

    #[test]
    fn no_damage_makes_it_panic(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut file = session();
        for (place, byte) in damage {
            let place = place.index(file.len());
            file[place] = byte;
        }
        for record in read(&file).0 {
            if let Event::Bytes(direction, bytes) = record.event {
                entries(&[(direction, &bytes)]);
            }
        }
    }

    #[test]
    fn no_bytes_make_the_dialogue_panic(pieces: Vec<(bool, Vec<u8>)>) {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|(host, bytes)| (if *host { HOST } else { MODULE }, &bytes[..]))
            .collect();
        entries(&pieces);
    }

    #[test]
    fn any_split_gives_the_same_dialogue(cuts in proptest::collection::vec(1_usize..9, 0..60)) {
        let turns: [(Direction, &[u8]); 6] = [
            (HOST, b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r\n"),
            (MODULE, b"\r\nOK\r\n"),
            (HOST, b"AT+LMQTTPUB=0,5,1,0,\"t\",6\r\n"),
            (MODULE, b"\r\n> "),
            (HOST, b"a\r\nOK\r"),
            (MODULE, b"\r\nOK\r\n\r\n+LMQTTPUB: 0,5,0\r\n\r\n+LMQTTURC: RECV,0,0,\"t\",3,\r\nz\r\n"),
        ];
        let mut cuts = cuts.into_iter().cycle();
        let mut pieces = Vec::new();
        for (direction, mut rest) in turns {
            while !rest.is_empty() {
                let cut = cuts.next().unwrap_or(rest.len()).min(rest.len());
                pieces.push((direction, &rest[..cut]));
                rest = &rest[cut..];
            }
        }
        prop_assert_eq!(entries(&pieces), entries(&turns));
    }
}
