//! `AT+LMQTTPUB` and `AT+LMQTTPUBEX`, both ways.
//!
//! | command | source |
//! |---|---|
//! | `AT+LMQTTPUB=<id>,<msgID>,<qos>,<retain>,"<topic>",<msglen>[,"<msg>"]` | documented; the prompt form seen in code |
//! | `AT+LMQTTPUBEX=<id>,<msgID>,<qos>,<retain>,"<topic>",<msglen>` | existence documented, form inferred |
//!
//! | end of a publish | proves | source |
//! |---|---|---|
//! | an error in place of `OK` | never left | inferred: ECMT checks state and parameters before it hands a message on |
//! | result 0 | acknowledged | documented |
//! | result 1 | may have arrived | documented as a wrong acknowledgement; measured: it had arrived |
//! | result 2 with 7 | never left: a parameter is wrong | documented |
//! | result 2 otherwise | may have arrived: that the last repetition could not be sent says nothing of the first | inferred |

use alloc::borrow::Cow;

use super::command::message_id;
use super::{Context, DataFormat, HexLength, PublishEnd, PublishPayload, Request};
use crate::at::parameter::{ParameterError, ParameterWriter, counted};
use crate::dialect::EncodeError;
use crate::dialect::shared::{carriable, decode_qos, length_in_range, not_empty};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, Proof, PublishResult, Reason, ReasonKind};
use crate::spec::Values;

/// What the end of a publish proves.
pub(super) fn proof(end: PublishEnd) -> Proof {
    match end {
        PublishEnd::Refused
        | PublishEnd::Reported(
            PublishResult::NotSent,
            Reason {
                kind: ReasonKind::BadParameter,
                ..
            },
        ) => Proof::NeverLeft,
        PublishEnd::Reported(PublishResult::Done, _) => Proof::Acknowledged,
        PublishEnd::Reported(PublishResult::WrongAcknowledgement | PublishResult::NotSent, _) => {
            Proof::MayHaveArrived
        }
    }
}

/// What stands behind `AT+LMQTTPUB=` or `AT+LMQTTPUBEX=`.
pub(super) fn encode(
    request: &Request<'_>,
    hex_length: HexLength,
    context: Context<'_>,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    let Request::Publish {
        connection,
        message_id,
        qos,
        retain,
        topic,
        payload,
        extended: _,
    } = request
    else {
        return Ok(());
    };
    let limits = context.limits;
    let topic = not_empty("the topic", topic)?;
    writer
        .integer(connection.0)
        .integer(*message_id)
        .integer(qos.level())
        .flag(*retain)
        .quoted(carriable("the topic", topic, limits.topic)?);
    let format = context.formats[*connection].send;
    encode_payload(payload, format, hex_length, limits, writer)
}

fn encode_payload(
    payload: &PublishPayload<'_>,
    format: DataFormat,
    hex_length: HexLength,
    limits: &Limits,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    match payload {
        PublishPayload::Prompted(length) => {
            encode_length(*length, format, hex_length, limits, writer)?;
        }
        PublishPayload::Inline(payload) => {
            let (field, max) = ("the payload", limits.inline_payload);
            if format == DataFormat::Text
                && let Some(at) = memchr::memchr3(b'\r', b'\n', 0, payload)
            {
                return Err(EncodeError::NotCarriable {
                    field,
                    character: payload[at].into(),
                    at,
                });
            }
            let wire = format.encode(Cow::Borrowed(payload));
            let shown = hex_length.shown(format, payload.len());
            writer.integer(length_in_range(field, shown, max)?);
            match format {
                DataFormat::Text | DataFormat::HexString => writer.quoted(&wire),
                DataFormat::Hex => writer.bare(&wire),
            };
        }
    }
    Ok(())
}

/// Announces so many raw bytes behind the prompt.
fn encode_length(
    wire_length: usize,
    format: DataFormat,
    hex_length: HexLength,
    limits: &Limits,
    writer: &mut ParameterWriter<'_>,
) -> Result<(), EncodeError> {
    let Some(shown) = hex_length.of_wire(format, wire_length) else {
        return Err(EncodeError::Contradiction(
            "the payload is announced with an odd number of hexadecimal digits",
        ));
    };
    let max = limits.prompt_payload;
    writer.integer(length_in_range("the payload", shown, max)?);
    Ok(())
}

/// Reads what stands behind the connection id of `AT+LMQTTPUB`, or `extended` of `AT+LMQTTPUBEX`.
pub(super) fn decode<'a>(
    connection: ConnectionId,
    extended: bool,
    values: &mut Values<'a, '_>,
    hex_length: HexLength,
    context: Context<'_>,
) -> Result<Request<'a>, ParameterError> {
    let Context { limits, formats } = context;
    let message_id = message_id(values)?;
    let (qos, retain) = (decode_qos(values)?, values.flag()?);
    let topic = values.filled_text()?.into();
    let mut ahead = values.ahead();
    ahead.next();
    let max = match extended || ahead.is_empty() {
        true => limits.prompt_payload,
        false => limits.inline_payload,
    };
    // No limit is above what an i64 holds.
    let shown = values.integer_up_to(max as i64)?;
    let format = formats[connection].send;
    let announced = hex_length.wire(format, shown);
    let inline = if extended { None } else { values.rest() };
    let payload = match inline {
        None => PublishPayload::Prompted(announced),
        Some(rest) => {
            // Copied as it is, whatever quotes and commas it holds; its length on the wire decides.
            let wire = counted("msg", rest, announced)?;
            let payload = format.decode(wire);
            PublishPayload::Inline(payload.ok_or(ParameterError::Unknown { name: "msg" })?)
        }
    };
    Ok(Request::Publish {
        connection,
        message_id,
        qos,
        retain,
        topic,
        payload,
        extended,
    })
}
