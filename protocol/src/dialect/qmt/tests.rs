//! Rows typed by hand from the reference: bytes to value and value to bytes.

mod lines;
mod module;
mod outcomes;
mod plans;
mod reports;
mod settings;
mod strangers;
mod tables;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::received::Formats;
use super::{BG95, BG96, BG770A, EC25, EC800M, EG800K, Qmt, received, request, urc};
use crate::Secret;
use crate::at::command::Command;
use crate::at::framing::{Extent, Frame, ResponseReader};
use crate::dialect::{Dialect, EncodeError, Model};
use crate::mqtt::{
    Connect, Connected, ConnectionId, ConnectionState, LinkStatus, OpenFailure, Operation, Outcome,
    Proof, Publish, PublishResult, QoS, Reason, ReasonKind, Refusal, SubscriptionChange,
    TopicFilter, Urc, Will,
};

const ID: ConnectionId = ConnectionId(0);

const PLAIN: Formats = Formats {
    send_hex: false,
    receive_hex: false,
    show_length: false,
    next_line: false,
};
const SHOWN: Formats = Formats {
    show_length: true,
    ..PLAIN
};
const HEX: Formats = Formats {
    receive_hex: true,
    ..SHOWN
};
const NEXT_LINE: Formats = Formats {
    next_line: true,
    ..PLAIN
};

fn received(message_id: u16, topic: &str, payload: &[u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id,
        topic: topic.into(),
        payload: payload.into(),
    }
}

fn encode_urc(urc: &Urc, formats: Formats) -> Vec<u8> {
    let mut out = Vec::new();
    urc::encode(urc, false, &[], formats, &mut out);
    out
}

fn decode_urc(line: &[u8], formats: Formats) -> Option<urc::Line> {
    urc::decode(line, |_| formats, &EC25.limits)
}

fn extent(line: &[u8], formats: Formats) -> Extent {
    received::extent(line, |_| formats, &EC25.limits)
}

/// Every model that differs from the others in what its commands take.
fn models() -> [Model; 6] {
    [EC25, EC800M, EG800K, BG95, BG96, BG770A]
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line: Vec<u8>, format in 0usize..4) {
        let formats = [PLAIN, SHOWN, HEX, NEXT_LINE][format];
        for head in [&b"+QMTRECV: 0,1,\""[..], b"+QMTRECV:", b"+QMTSUB: 0,1,0,", b"+QMT"] {
            let line = [head, &line].concat();
            decode_urc(&line, formats);
            extent(&line, formats);
        }
        for head in [&b"+QMTPUBEX=0,1,"[..], b"+QMTCFG=\"", b"+QMTPUB="] {
            let line = [head, &line].concat();
            for model in models() {
                let mut talk = module::Talk::new(&model);
                let _ = talk.bytes(&line, &module::CONNECTED);
            }
        }
    }
}
