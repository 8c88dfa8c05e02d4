//! A session with a module that does as it is told.

use std::hint::black_box;
use std::time::Instant;

use atmq_driver::protocol::dialect::Lmqtt;
use atmq_driver::protocol::mqtt::{DataFormat, Request, Setting};
use atmq_driver::session::{Command, Publish, Session};
use atmq_driver::{ConnectionId, QoS};

/// A session as after a connect.
pub(crate) fn session(now: Instant) -> Session {
    let mut session = Session::new(&Lmqtt::DEFAULT, atmq_protocol::dialect::lmqtt::NT35E.limits);
    session.report_unrecognised(false);
    let setting = Setting::ReceiveMode {
        format: DataFormat::Text,
        show_length: true,
    };
    let connection = ConnectionId(0);
    let configure = Request::Configure {
        connection,
        setting,
    };
    exchange(&mut session, Command::Mqtt(configure), b"\r\nOK\r\n", now);
    session
}

/// A message with quality of service 1.
pub(crate) fn publish(message_id: u16, payload: Vec<u8>) -> Command {
    Command::Publish(Publish {
        connection: ConnectionId(0),
        message_id,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: String::from("meter/7/data"),
        payload,
    })
}

/// Asks, and lets the module say `answer`.
pub(crate) fn exchange(session: &mut Session, command: Command, answer: &[u8], now: Instant) {
    let requested = session.request(command, None, now);
    requested.expect("the command can be written");
    drain(session);
    session.receive(answer, now);
    drain(session);
}

fn drain(session: &mut Session) {
    while let Some(transmit) = session.poll_transmit() {
        black_box(transmit.bytes);
    }
    while let Some(event) = session.poll_event() {
        black_box(event);
    }
}
