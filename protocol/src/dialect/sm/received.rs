//! What the module says by itself, both ways.
//!
//! | line | source |
//! |---|---|
//! | `+SMSUB: "<topic>","<payload>"` | documented; nothing in it is escaped |
//! | `+SMSTATE: 0` | seen in code: the link is lost |
//! | `+APP PDP: 0,DEACTIVE`, `+APP PDP: DEACTIVE` | documented: the bearer is gone, and the link with it |
//! | `+APP PDP: 0,ACTIVE`, `+APP PDP: ACTIVE` | documented: the bearer is there |

use alloc::string::String;
use alloc::vec::Vec;

use super::{Bearer, ID};
use crate::at::framing::{Extent, QuotedForm};
use crate::at::parameter::{ParameterWriter, decode_hex, encode_hex};
use crate::dialect::Recognised;
use crate::limits::Limits;
use crate::mqtt::{LinkStatus, Urc};

const SUB: &[u8] = b"+SMSUB: ";
/// The link is lost.
pub(super) const LOST: &[u8] = b"+SMSTATE: 0";
const BEARER: &[u8] = b"+APP PDP: ";

/// What the module's reports begin with.
pub(super) const BEGINNINGS: [&str; 3] = ["+SMSUB:", "+SMSTATE:", "+APP PDP:"];

/// How a message is written that begins so.
fn form(hexadecimal: bool, limits: &Limits) -> QuotedForm {
    QuotedForm {
        start: SUB.len(),
        hexadecimal,
        longest_topic: limits.topic,
        longest_payload: limits.received_payload,
    }
}

/// How far the line that begins with these bytes reaches.
pub(super) fn extent(line: &[u8], hexadecimal: bool, limits: &Limits) -> Extent {
    match line.strip_prefix(SUB) {
        Some([b'"', ..]) => Extent::Quoted(form(hexadecimal, limits)),
        Some([]) => Extent::Incomplete,
        None if SUB.starts_with(line) => Extent::Incomplete,
        _ => Extent::Line,
    }
}

/// Whether the line is a message, however the rest is written.
pub(super) fn is_message(line: &[u8]) -> bool {
    matches!(line.strip_prefix(SUB), Some([b'"', ..]))
}

/// Reads a line as something that the module says by itself.
pub(super) fn decode(line: &[u8], hexadecimal: bool, limits: &Limits) -> Option<Urc> {
    if is_message(line) {
        let (topic, payload) = form(hexadecimal, limits).read(line)?;
        let payload = match hexadecimal {
            true => decode_hex(payload)?,
            false => payload.to_vec(),
        };
        let topic = String::from_utf8(topic.to_vec()).ok()?;
        return Some(received(topic, payload));
    }
    if line == LOST {
        return Some(status(LinkStatus::Closed));
    }
    let bearer = line.strip_prefix(BEARER)?;
    Some(status(match bearer.strip_prefix(b"0,").unwrap_or(bearer) {
        b"ACTIVE" => LinkStatus::Fine,
        b"DEACTIVE" => LinkStatus::Closed,
        _ => return None,
    }))
}

/// Reads it without knowing what the module was told.
pub(super) fn report(line: &[u8]) -> Option<Recognised<'_>> {
    let limits = &super::SIM7080.limits;
    match decode(line, false, limits) {
        Some(urc) => Some(Recognised::Known(urc)),
        None => {
            let mut beginnings = BEGINNINGS.iter();
            let begins = beginnings.any(|beginning| line.starts_with(beginning.as_bytes()));
            begins.then_some(Recognised::Unknown(line))
        }
    }
}

fn received(topic: String, payload: Vec<u8>) -> Urc {
    Urc::Received {
        connection: ID,
        message_id: 0,
        topic,
        payload,
    }
}

fn status(status: LinkStatus) -> Urc {
    Urc::Status {
        connection: ID,
        status,
        code: None,
    }
}

/// What the module says of it; nothing of what a final result code tells.
pub(super) fn encode(urc: &Urc, hexadecimal: bool) -> Vec<u8> {
    let mut line = Vec::new();
    match urc {
        Urc::Received { topic, payload, .. } => {
            line.extend_from_slice(SUB);
            let mut writer = ParameterWriter::new(&mut line);
            writer.quoted(topic);
            if hexadecimal {
                let mut digits = Vec::with_capacity(2 * payload.len());
                encode_hex(payload, &mut digits);
                writer.quoted(digits);
            } else {
                writer.quoted(payload);
            }
        }
        Urc::Status { .. } => line.extend_from_slice(LOST),
        _ => {}
    }
    line
}

/// What switches the bearer on.
pub(super) const fn switch_on(bearer: Bearer) -> &'static [u8] {
    match bearer {
        Bearer::Indexed => b"AT+CNACT=0,1\r",
        Bearer::Single => b"AT+CNACT=1\r",
    }
}
