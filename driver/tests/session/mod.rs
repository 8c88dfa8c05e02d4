//! A session with a module that does as it is told.

use std::hint::black_box;
use std::time::Instant;

use atmq_driver::protocol::dialect::lmqtt::NT35E;
use atmq_driver::protocol::mqtt::{Operation, Publish};
use atmq_driver::session::{Command, RawCommand, Session};
use atmq_driver::{ConnectionId, QoS};

/// A session as after a connect.
pub(crate) fn session(now: Instant) -> Session {
    let mut session = Session::new(&NT35E);
    session.report_unrecognised(false);
    let configure = RawCommand::new("AT+LMQTTCFG=\"recv/mode\",0,0,1");
    exchange(&mut session, Command::Raw(configure), b"\r\nOK\r\n", now);
    session
}

/// A message with quality of service 1.
pub(crate) fn publish(message_id: u16, payload: Vec<u8>) -> Operation {
    Operation::Publish(Publish {
        connection: ConnectionId(0),
        message_id,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: String::from("meter/7/data"),
        payload,
    })
}

/// The first step of an operation.
pub(crate) fn step(session: &mut Session, operation: Operation) -> Command {
    let plan = session.plan(operation);
    let step = plan.expect("commands can carry it").begin();
    Command::Step(step.expect("it has a step"))
}

/// Asks for the first step of an operation, and lets the module say `answer`.
pub(crate) fn perform(session: &mut Session, operation: Operation, answer: &[u8], now: Instant) {
    let command = step(session, operation);
    exchange(session, command, answer, now);
}

/// Asks, and lets the module say `answer`.
fn exchange(session: &mut Session, command: Command, answer: &[u8], now: Instant) {
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
