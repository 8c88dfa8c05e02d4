//! What a host sends: framing, and the meaning of each command.

use atmq_protocol::at::command::Command;
use atmq_protocol::at::framing::{CommandReader, DataEnd, Input};
use atmq_protocol::dialect::lmqtt::Context;
use atmq_protocol::dialect::lmqtt::FormatTable;
use atmq_protocol::dialect::{Dialect as _, Lmqtt};
use atmq_protocol::standard::StandardRequest;

use crate::pieces::pieces;

/// The longest command line that is kept.
const LIMIT: usize = 256;

/// The first byte decides the cuts, the second what ends raw data, and whether the host sends line
/// feeds behind its lines. A command that begins with `+D` is followed by as many bytes of raw
/// data as it is long.
///
/// Whether a line feed before raw data belongs to it is known of a host that always sends one, or
/// never does. Of others it is guessed from what has come already, so they are left out here.
///
/// # Panics
/// Another cut gives other inputs or another echo, or what was understood is understood otherwise
/// when it is written again.
pub(crate) fn check(data: &[u8]) {
    let [seed, mode, bytes @ ..] = data else {
        return;
    };
    let end = match mode & 1 {
        0 => DataEnd::Length,
        _ => DataEnd::ControlCharacters,
    };
    let mut lines = Vec::from(if mode & 2 == 0 { "" } else { "AT\r\n" });
    for byte in bytes {
        match byte {
            b'\n' => {}
            b'\r' if mode & 2 != 0 => lines.extend(b"\r\n"),
            _ => lines.push(*byte),
        }
    }
    let whole = inputs(std::iter::once(&lines[..]), end);
    let split = inputs(pieces(&lines, *seed), end);
    assert_eq!(split, whole);
}

fn inputs<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    end: DataEnd,
) -> (Vec<(&'static str, Vec<u8>)>, Vec<u8>) {
    let mut reader = CommandReader::new(LIMIT);
    let (mut inputs, mut echo) = (Vec::new(), Vec::new());
    for piece in pieces {
        reader.push(piece);
        while let Some(input) = reader.next(&mut echo) {
            let mut data = None;
            inputs.push(match input {
                Input::Command(line) => {
                    understand(line);
                    data = line.starts_with(b"+D").then_some(line.len());
                    ("command", line.to_vec())
                }
                Input::Repeat => ("repeat", Vec::new()),
                Input::Data(bytes) => ("data", bytes.to_vec()),
                Input::Cancelled => ("cancelled", Vec::new()),
                Input::Noise(line) => ("noise", line.to_vec()),
                Input::Overlong { length } => ("overlong", length.to_string().into_bytes()),
            });
            if let Some(length) = data {
                reader.expect_data(Some(length), end);
            }
        }
    }
    (inputs, echo)
}

fn understand(line: &[u8]) {
    let mut rest = line;
    while !rest.is_empty() {
        let (command, behind) = Command::split_first(rest, |name| Lmqtt::DEFAULT.owns(name));
        assert!(behind.len() < rest.len(), "it goes on");
        if Lmqtt::DEFAULT.owns(command.name) {
            understand_mqtt(&command);
        } else if let Some(Ok(request)) = StandardRequest::decode(&command) {
            let mut written = Vec::new();
            request.encode(&mut written);
            let (command, _) = Command::split_first(body(&written), |_| false);
            assert_eq!(StandardRequest::decode(&command), Some(Ok(request)));
        }
        rest = behind;
    }
}

fn understand_mqtt(command: &Command<'_>) {
    let (limits, formats) = (
        atmq_protocol::dialect::lmqtt::NT26.limits,
        FormatTable::default(),
    );
    let context = Context {
        limits: &limits,
        formats: &formats,
    };
    let Ok(request) = Lmqtt::DEFAULT.decode_request(command, context) else {
        return;
    };
    let mut written = Vec::new();
    // What a host may write is less than what a module takes.
    if Lmqtt::DEFAULT
        .encode_request(&request, context, &mut written)
        .is_err()
    {
        return;
    }
    let (command, _) = Command::split_first(body(&written), |name| Lmqtt::DEFAULT.owns(name));
    let again = Lmqtt::DEFAULT.decode_request(&command, context);
    assert_eq!(again, Ok(request));
}

/// A line without its `AT` and carriage return.
fn body(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(b"AT").expect("a command line begins so");
    line.strip_suffix(b"\r").expect("a command line ends so")
}
