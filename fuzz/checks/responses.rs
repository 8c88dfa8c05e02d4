//! What a module sends: framing, and the meaning of each line.

use atmq_protocol::at::framing::{Frame, ResponseReader};
use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::dialect::lmqtt::Context;
use atmq_protocol::dialect::lmqtt::{DataFormat, FormatTable};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::ConnectionId;
use atmq_protocol::standard::StandardUrc;

use crate::pieces::pieces;

/// The longest line that is kept.
const LIMIT: usize = 256;

/// The first byte decides the cuts, the second the formats of connection 0.
///
/// # Panics
/// Another cut gives other frames, more is kept than the limit allows, or what was understood is
/// understood otherwise when it is written again.
pub(crate) fn check(data: &[u8]) {
    let [seed, mode, bytes @ ..] = data else {
        return;
    };
    let mut formats = FormatTable::default();
    formats[ConnectionId(0)].show_length = mode & 1 != 0;
    if mode & 2 != 0 {
        formats[ConnectionId(0)].receive = DataFormat::HexString;
    }
    let prompt = mode & 4 != 0;
    let whole = frames(std::iter::once(bytes), prompt, &formats);
    let split = frames(pieces(bytes, *seed), prompt, &formats);
    assert_eq!(split, whole);
}

fn frames<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    prompt: bool,
    formats: &FormatTable,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut reader = ResponseReader::new(LIMIT);
    if prompt {
        reader.expect_prompt(b">");
    }
    let context = Context {
        limits: &Limits {
            topic: 64,
            ..atmq_protocol::dialect::lmqtt::NT35E.limits
        },
        formats,
    };
    let mut frames = Vec::new();
    for piece in pieces {
        reader.push(piece);
        while let Some(frame) = reader.next(|line| Lmqtt::DEFAULT.extent(line, context)) {
            frames.push(match frame {
                Frame::Line(line) => {
                    understand(line, formats);
                    ("line", line.to_vec())
                }
                Frame::Message { line, .. } => {
                    understand(line, formats);
                    ("message", line.to_vec())
                }
                Frame::Lost { bytes, .. } => ("lost", bytes.to_vec()),
                Frame::Torn(line) => ("torn", line.to_vec()),
                Frame::Prompt => ("prompt", Vec::new()),
                Frame::Overlong { length } => ("overlong", length.to_string().into_bytes()),
            });
        }
        // Behind a message with more than one reading, another is awaited. A line end, and quotes
        // that are not counted, may stand behind what is counted.
        let kept = reader.incomplete().len();
        assert!(kept <= 2 * LIMIT + 3, "{kept} bytes are kept");
    }
    frames
}

fn understand(line: &[u8], formats: &FormatTable) {
    if let Some(result) = FinalResult::decode(line) {
        let mut written = Vec::new();
        result.encode(&mut written);
        assert_eq!(FinalResult::decode(&written), Some(result));
    }
    if let Some(urc) = StandardUrc::decode(line) {
        let written = urc.to_string();
        let again = StandardUrc::decode(written.as_bytes()).map(|urc| urc.to_string());
        assert_eq!(again, Some(written));
    }
    if let Some(urc) = Lmqtt::DEFAULT.decode_urc(line, formats) {
        let write = |urc| {
            let mut written = Vec::new();
            Lmqtt::DEFAULT.encode_urc(&urc, formats, &mut written);
            written
        };
        let written = write(urc);
        // Some URCs have more than one name, so the first writing may choose another.
        let again = Lmqtt::DEFAULT.decode_urc(&written, formats).map(write);
        assert_eq!(again, Some(written));
    }
}
