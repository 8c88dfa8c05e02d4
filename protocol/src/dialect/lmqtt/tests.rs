//! Rows typed by hand from the reference: bytes to value and value to bytes.

mod module;
mod payloads;
mod plans;
mod reports;
mod requests;
mod strangers;
mod tables;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::{
    Context, DataFormat, FormatTable, Formats, HexLength, Information, Lmqtt, PublishExtendedUrc,
    PublishPayload, Request, Setting, SettingKey, UnsubscribeUrc,
};
use crate::Secret;
use crate::at::command::Command;
use crate::at::framing::{Frame, ResponseReader};
use crate::at::parameter::ParameterError;
use crate::dialect::DecodeError;
use crate::dialect::{Dialect, EncodeError};
use crate::limits::Limits;
use crate::mqtt::{
    AliDevice, Connected, ConnectionId, ConnectionState, LinkStatus, OpenFailure, PublishResult,
    QoS, Refusal, Registration, SecurityLevel, SignMethod, SubscriptionChange, Timeouts, TlsKey,
    TlsSetting, TopicFilter, Urc, Version, Will,
};

const ID: ConnectionId = ConnectionId(0);

fn table(formats: Formats) -> FormatTable {
    let mut table = FormatTable::default();
    table[ID] = formats;
    table
}

fn text(show_length: bool) -> FormatTable {
    table(Formats {
        show_length,
        ..Formats::default()
    })
}

fn hex(format: DataFormat, show_length: bool) -> FormatTable {
    table(Formats {
        send: format,
        receive: format,
        show_length,
    })
}

fn context(formats: &FormatTable) -> Context<'_> {
    Context {
        limits: &crate::dialect::lmqtt::NT35E.limits,
        formats,
    }
}

fn encode(request: &Request<'_>, formats: &FormatTable) -> Result<String, EncodeError> {
    let mut out = Vec::new();
    Lmqtt::DEFAULT.encode_request(request, context(formats), &mut out)?;
    Ok(out.escape_ascii().to_string())
}

fn decode<'a>(line: &'a [u8], formats: &FormatTable) -> Result<Request<'a>, DecodeError> {
    let dialect = Lmqtt::DEFAULT;
    let body = line.strip_prefix(b"AT").unwrap_or(line);
    let (command, rest) = Command::split_first(body, |name| dialect.owns(name));
    assert_eq!(rest, b"");
    assert!(dialect.owns(command.name));
    dialect.decode_request(&command, context(formats))
}

fn configure(setting: Setting<'_>) -> Request<'_> {
    Request::Configure {
        connection: ID,
        setting,
    }
}

fn publish<'a>(message_id: u16, qos: QoS, payload: PublishPayload<'a>) -> Request<'a> {
    Request::Publish {
        connection: ID,
        message_id,
        qos,
        retain: false,
        topic: "t".into(),
        payload,
        extended: false,
    }
}

fn inline(payload: &[u8]) -> PublishPayload<'_> {
    PublishPayload::Inline(payload.into())
}

fn encode_urc(dialect: &Lmqtt, urc: &Urc, formats: &FormatTable) -> Vec<u8> {
    let mut out = Vec::new();
    dialect.encode_urc(urc, formats, &mut out);
    out
}

#[test]
fn what_a_firmware_lacks_can_be_switched() {
    let formats = &FormatTable::default();
    let limits = &crate::dialect::lmqtt::NT35E.limits;
    let command = |line: &'static [u8]| Command::split_first(line, |_| true).0;
    let with = Lmqtt {
        pdp_context: true,
        tls_commands: false,
        ..Lmqtt::DEFAULT
    };
    let decoded = with.decode_request(
        &command(b"+LMQTTCFG=\"pdpcid\",0,1"),
        Context { limits, formats },
    );
    assert_eq!(decoded, Ok(configure(Setting::PdpContext(1))));
    assert!(Lmqtt::DEFAULT.owns(b"+LSSLCFG") && !with.owns(b"+LSSLCFG"));
    let keys = |dialect: &Lmqtt| dialect.describe(&command(b"+LMQTTCFG=?"), limits).len();
    assert_eq!(keys(&with), keys(&Lmqtt::DEFAULT) + 1);
}

fn received<'a>(message_id: u16, topic: &'a str, payload: &'a [u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id,
        topic: topic.into(),
        payload: payload.into(),
    }
}

proptest! {
    #[test]
    fn any_payload_survives_a_publish(payload: Vec<u8>, message_id: u16) {
        let formats = FormatTable::default();
        let limits = &crate::dialect::lmqtt::NT35E.limits;
        let way = Lmqtt::DEFAULT
            .publish_payload(formats[ID], limits, Cow::Borrowed(&payload))
            .expect("it is short enough");
        let request = publish(message_id, QoS::AtLeastOnce, way);
        let mut line = Vec::new();
        Lmqtt::DEFAULT
            .encode_request(&request, Context { limits, formats: &formats }, &mut line)
            .expect("it can be carried");
        prop_assert_eq!(line.iter().filter(|byte| **byte == b'\r').count(), 1);
        line.pop();
        prop_assert_eq!(decode(&line, &formats), Ok(request));
    }

    #[test]
    fn no_line_makes_it_panic(line: Vec<u8>, show_length: bool) {
        let formats = text(show_length);
        let line = [b"+LMQTTURC: RECV,0,1,\"".as_slice(), &line].concat();
        Lmqtt::DEFAULT.decode_urc(&line, &formats);
        Lmqtt::DEFAULT.extent(&line, context(&formats));
        let line = [b"+LMQTTPUB=0,1,".as_slice(), &line].concat();
        let _ = decode(&line, &formats);
    }
}
