//! How fast a module's bytes are read, against the floor of splitting them at line feeds.
//!
//! `cargo bench -p atmq-driver` prints each time as a ratio to the floor measured in the same
//! run. Absolute times depend on the machine and on what else it does.

mod floor;

use std::hint::black_box;
use std::time::Duration;

use atmq_protocol::at::framing::{Frame, ResponseReader};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::dialect::lmqtt::Context;
use atmq_protocol::dialect::lmqtt::{FormatTable, Formats};
use atmq_protocol::mqtt::ConnectionId;

use floor::{fastest, floor};

const BYTES: usize = 16 * 1024 * 1024;

/// What a module says while it is used, over and over.
fn stream() -> Vec<u8> {
    let session: &[u8] = b"\r\nOK\r\n\r\n+LMQTTPUB: 0,5,0\r\n\
        \r\n+LMQTTURC: RECV,0,1,\"meter/7/set\",22,{\"level\":7,\"on\":\"yes\"}\r\n\
        \r\n+CSQ: 29,0\r\n\r\nOK\r\n\r\n+CEREG: 0,1\r\n\r\nOK\r\n\
        \r\n+LMQTTSUBUNSUB: 0,1,0,1\r\n";
    session.iter().copied().cycle().take(BYTES).collect()
}

fn read(stream: &[u8], piece: usize, mut line: impl FnMut(&[u8])) -> usize {
    let mut formats = FormatTable::default();
    formats[ConnectionId(0)] = Formats {
        show_length: true,
        ..Formats::default()
    };
    let context = Context {
        limits: &atmq_protocol::dialect::lmqtt::NT35E.limits,
        formats: &formats,
    };
    let mut reader = ResponseReader::new(16 * 1024);
    let mut lines = 0;
    for piece in stream.chunks(piece) {
        reader.push(piece);
        while let Some(frame) = reader.next(|line| Lmqtt::DEFAULT.extent(line, context)) {
            if let Frame::Line(bytes) | Frame::Message { line: bytes, .. } = frame {
                line(bytes);
                lines += 1;
            }
        }
    }
    lines
}

fn main() {
    let stream = stream();
    let mut formats = FormatTable::default();
    formats[ConnectionId(0)].show_length = true;
    let (floor_time, floor_lines) = fastest(|| floor(&stream));
    let report = |name: &str, (time, lines): (Duration, usize)| {
        let megabytes = stream.len() as f64 / time.as_secs_f64() / 1e6;
        let nanoseconds = time.as_secs_f64() * 1e9 / lines as f64;
        let ratio = time.as_secs_f64() / floor_time.as_secs_f64();
        println!("{name:42} {ratio:6.2} × floor {megabytes:8.0} MB/s {nanoseconds:8.1} ns a line");
    };
    report("split at line feeds (floor)", (floor_time, floor_lines));
    for piece in [4096, 1024, 64, 1] {
        let framed = fastest(|| {
            read(&stream, piece, |line| {
                black_box(line);
            })
        });
        report(&format!("framed, {piece} bytes at a time"), framed);
        let classified = fastest(|| {
            read(&stream, piece, |line| {
                if FinalResult::decode(line).is_none() {
                    black_box(Lmqtt::DEFAULT.decode_urc(line, &formats));
                }
            })
        });
        report(
            &format!("framed and decoded, {piece} bytes at a time"),
            classified,
        );
    }
}
