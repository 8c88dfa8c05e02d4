use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use proptest::prelude::*;

use super::*;
use crate::at::command::Command;
use crate::at::framing::{Extent, Frame, ResponseReader};
use crate::dialect::{Host, Said};
use crate::mqtt::{ConnectionState, LinkStatus, QoS, Urc};

mod module;
mod plans;
mod strangers;
mod tables;

fn host() -> Box<dyn Host> {
    Sm::DEFAULT.host(&SIM7080.limits)
}

/// A host of a module that was told to report payloads in hexadecimal digits.
fn host_in_digits() -> Box<dyn Host> {
    let mut host = host();
    host.carried_out(b"AT+SMCONF=\"SUBHEX\",1\r");
    host
}

fn received(topic: &str, payload: &[u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id: 0,
        topic: topic.into(),
        payload: payload.into(),
    }
}

fn status(status: LinkStatus) -> Urc {
    Urc::Status {
        connection: ID,
        status,
        code: None,
    }
}
