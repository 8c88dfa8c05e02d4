//! Connecting and leaving: more than one command, of which some may be refused.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::host::QmtHost;
use super::publishing::ask;
use super::setting::{self, Setting};
use super::table::{CFG, CLOSE, CONN, DISC, OPEN, URCCFG};
use super::{Qmt, tls};
use crate::at::parameter::ParameterWriter;
use crate::dialect::shared::Leaving;
pub(super) use crate::dialect::shared::{Files, StateOf};
use crate::dialect::shared::{carriable, in_range, length_in_range, not_empty};
use crate::dialect::shared::{connected, state};
use crate::dialect::{
    Course, Data, Dialect as _, EncodeError, Follow, IfRefused, Next, Plan, Reported, Step,
    StepEnd, Then,
};
use crate::mqtt::{
    Connect, ConnectionId, ConnectionState, Outcome, PayloadFormat, Proof, Urc, Version, Will,
};

/// What a host is told that hears of no outcome.
const ELSEWHERE: &str = "send `AT+QURCCFG=\"urcport\",\"uart1\"`, or use the port that it names";

/// What a step of a connect is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// There may be nothing to close.
    CleanSlate,
    Tls,
    Setting,
    Open,
    Connect,
}

/// CLOSE, TLS context, settings, OPEN, CONN; then, where it is not known what came of CONN, a
/// question.
pub(super) fn connect(host: &mut QmtHost, connect: &Connect) -> Result<Plan, EncodeError> {
    let connection = connect.connection;
    let tls = connect.tls.as_ref();
    host.files
        .use_context(connection, tls.map(|tls| tls.context));
    // A link may be left of an earlier program.
    let mut first = close(host, connection)?;
    let mut steps = VecDeque::new();
    if let Some(tls) = tls
        && let Some(set_up) = &tls.set_up
    {
        first.then = Then::NoOtherSetUp;
        for mut step in tls::steps(host, tls.context, set_up)? {
            step.then = Then::NoOtherSetUp;
            steps.push_back((For::Tls, step));
        }
        if let Some((_, last)) = steps.back_mut() {
            last.then = Then::Anybody;
        }
    }
    for step in settings(host, connect)? {
        steps.push_back((For::Setting, step));
    }
    let limits = &host.limits;
    let name = carriable(
        "the host",
        not_empty("the host", &connect.host)?,
        limits.host,
    )?;
    let port = in_range("the port", connect.port, 1, u16::MAX)?;
    let mut open = host.step(OPEN, connection, Some(Reported::Opened), |writer| {
        writer.quoted(name).integer(port);
        Ok(())
    })?;
    open.limit = connect.open_limit.unwrap_or(open.limit);
    open.begins_link = true;
    steps.push_back((For::Open, open));
    let conn = host.step(CONN, connection, Some(Reported::Connected), |writer| {
        writer.quoted(carriable(
            "the client id",
            &connect.client_id,
            limits.client_id,
        )?);
        if let Some(username) = &connect.username {
            writer.quoted(carriable("the user name", username, limits.username)?);
        }
        if let Some(password) = &connect.password {
            if connect.username.is_none() {
                let why = "there is a password without a user name";
                return Err(EncodeError::Contradiction(why));
            }
            writer.quoted(carriable(
                "the password",
                password.expose(),
                limits.password,
            )?);
        }
        Ok(())
    })?;
    steps.push_back((For::Connect, conn));
    let course = Connecting {
        connection,
        current: Some(For::CleanSlate),
        steps,
        query: Some(host.state_step()),
        may_report_elsewhere: host.dialect.owns(URCCFG.as_bytes()),
    };
    Ok(Plan::new(first, Course::Follow(Box::new(course))))
}

/// A CLOSE that the module may refuse; a link that is lost is what it is for.
fn close(host: &QmtHost, connection: ConnectionId) -> Result<Step, EncodeError> {
    let mut step = host.step(CLOSE, connection, Some(Reported::Closed), |_| Ok(()))?;
    step.if_refused = IfRefused::Nothing;
    step.link = None;
    Ok(step)
}

/// DISC, which closes the link, and a CLOSE for modules where it does not; the module may refuse
/// either.
pub(super) fn disconnect(
    host: &QmtHost,
    connection: ConnectionId,
    connected: bool,
) -> Result<Plan, EncodeError> {
    let close = close(host, connection)?;
    let (first, rest) = match connected {
        true => {
            let mut step = host.step(DISC, connection, Some(Reported::Disconnected), |_| Ok(()))?;
            step.if_refused = IfRefused::Nothing;
            step.link = None;
            (step, Some(close))
        }
        false => (close, None),
    };
    Ok(Plan::new(
        first,
        Course::Follow(Box::new(Leaving::new(rest))),
    ))
}

#[derive(Debug)]
struct Connecting {
    connection: ConnectionId,
    /// What the step is for that is under way; none once CONN is asked after.
    current: Option<For>,
    steps: VecDeque<(For, Step)>,
    query: Option<Step>,
    /// Results may go to another port than the one that the host listens to.
    may_report_elsewhere: bool,
}

impl Follow for Connecting {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        let failed = Next::Done(Outcome::Failed(Proof::MayHaveArrived));
        let Some(current) = self.current else {
            return match state(self.connection, end) {
                Some(ConnectionState::Connected) => Next::Done(Outcome::Done),
                _ => failed,
            };
        };
        match (current, end) {
            (For::Tls, StepEnd::Refused(_)) => return Next::Done(Outcome::TlsNotTaken),
            (
                For::Open,
                StepEnd::Done {
                    report:
                        Some(Urc::Opened {
                            result: Err(failure),
                            ..
                        }),
                    ..
                },
            ) => return Next::Done(Outcome::NotOpened(*failure)),
            (For::Open, StepEnd::Unreported { .. }) if self.may_report_elsewhere => {
                return Next::Done(Outcome::Unheard(ELSEWHERE));
            }
            (For::Connect, StepEnd::Done { report, .. }) => {
                return Next::Done(match report {
                    Some(Urc::Connected { result, .. }) => connected(*result),
                    _ => Outcome::Done,
                });
            }
            // It may have connected all the same: the state tells.
            (For::Connect, StepEnd::Unreported { sent_again: true }) => {
                self.current = None;
                return match self.query.take() {
                    Some(query) => Next::Step(Box::new(query)),
                    None => failed,
                };
            }
            (_, StepEnd::Done { .. }) => {}
            (For::CleanSlate, StepEnd::Refused(_) | StepEnd::Unreported { .. }) => {}
            // The session lets pass what is not needed.
            _ => return failed,
        }
        match self.steps.pop_front() {
            Some((next, step)) => {
                self.current = Some(next);
                Next::Step(Box::new(step))
            }
            None => failed,
        }
    }
}

/// Whether payloads to publish are to be hexadecimal digits.
pub(super) fn sends_hex(dialect: &Qmt, connect: &Connect) -> Result<bool, EncodeError> {
    let hex = connect.payloads == PayloadFormat::Hex;
    match (hex || connect.receive_hex) && !dialect.has_hex() {
        true => Err(EncodeError::Contradiction(
            "this module writes no payloads in hexadecimal digits",
        )),
        false => Ok(hex),
    }
}

/// The settings of a connect. They outlast a CLOSE, so what an earlier program may have set is set
/// again; what is the module's default anyway may be refused by one that has no such key.
fn settings(host: &QmtHost, connect: &Connect) -> Result<Vec<Step>, EncodeError> {
    let dialect = &host.dialect;
    let send_hex = sends_hex(dialect, connect)?;
    if connect.cached && !dialect.buffers {
        return Err(EncodeError::Contradiction(
            "this module keeps no messages until they are read",
        ));
    }
    let needed_if = |needed| match needed {
        true => IfRefused::Fails,
        false => IfRefused::Nothing,
    };
    let mut wanted = Vec::new();
    if dialect.buffers {
        let setting = Setting::ReceiveMode {
            buffered: connect.cached,
            // With the length before it, any payload arrives whole.
            show_length: true,
        };
        let if_refused = match connect.cached {
            true => IfRefused::Fails,
            false => IfRefused::Costs(
                "messages come without their length, so one ends at a quote and a line end in it",
            ),
        };
        wanted.push((setting, if_refused));
    }
    if dialect.has_hex() {
        let hex = send_hex || connect.receive_hex;
        let setting = Setting::DataFormats(send_hex, connect.receive_hex);
        wanted.push((setting, needed_if(hex)));
    }
    let context = connect.tls.as_ref().map(|tls| tls.context);
    if let Some(context) = context {
        in_range("the TLS context", context, 0, 5)?;
    }
    let keep_alive = in_range(
        "the keepalive",
        connect.keep_alive,
        0,
        host.limits.keep_alive,
    );
    keep_alive?;
    wanted.extend([
        (
            Setting::Version(connect.version),
            needed_if(connect.version != Version::default()),
        ),
        (Setting::Tls(context), needed_if(context.is_some())),
        (
            Setting::CleanSession(connect.clean_session),
            needed_if(!connect.clean_session),
        ),
        (
            Setting::KeepAlive(connect.keep_alive),
            needed_if(connect.keep_alive != Connect::KEEP_ALIVE),
        ),
    ]);
    if let Some(timeouts) = connect.timeouts {
        in_range("the packet timeout", timeouts.packet_seconds, 1, 60)?;
        in_range("the number of retries", timeouts.retries, 0, 10)?;
        wanted.push((Setting::Timeouts(timeouts), IfRefused::Fails));
    }
    if let Some(device) = &connect.device {
        let limits = &host.limits;
        for (field, value) in [
            ("the product key", &*device.product_key),
            ("the device name", &*device.device_name),
            ("the device secret", device.device_secret.expose()),
        ] {
            carriable(field, not_empty(field, value)?, limits.username)?;
        }
        let setting = Setting::AliAuth {
            product_key: (&*device.product_key).into(),
            device_name: (&*device.device_name).into(),
            device_secret: device.device_secret.clone(),
        };
        wanted.push((setting, IfRefused::Fails));
    }
    let mut steps = Vec::new();
    for (setting, if_refused) in wanted {
        let mut step = configure(host, connect.connection, &setting)?;
        step.if_refused = if_refused;
        steps.push(step);
    }
    steps.push(will(host, connect)?);
    Ok(steps)
}

/// The will: in the command if it is text that fits there, else behind a prompt, where the module has
/// that.
fn will(host: &QmtHost, connect: &Connect) -> Result<Step, EncodeError> {
    let connection = connect.connection;
    let Some(will) = &connect.will else {
        let mut step = configure(host, connection, &Setting::Will(None))?;
        step.if_refused = IfRefused::Nothing;
        return Ok(step);
    };
    let limits = &host.limits;
    carriable(
        "the will topic",
        not_empty("the will topic", &will.topic)?,
        limits.topic,
    )?;
    let text = core::str::from_utf8(&will.payload).ok();
    let inline = text.map(|text| carriable("the will payload", text, limits.will_payload));
    if let Some(Ok(_)) = inline {
        return configure(host, connection, &Setting::Will(Some(will.clone())));
    }
    if !host.dialect.has_key(setting::key("willex")) {
        return match inline {
            Some(Err(error)) => Err(error),
            _ => Err(EncodeError::Contradiction(
                "the will's payload is not text, this module takes no other",
            )),
        };
    }
    let length = will.payload.len();
    length_in_range("the will payload", length, WILL)?;
    let head = Will {
        payload: Vec::new(),
        ..will.clone()
    };
    let mut step = configure(host, connection, &Setting::WillLater(head, length))?;
    step.data = Some(Data {
        ask: ask(Some(length)),
        bytes: will.payload.clone(),
        secret: false,
    });
    Ok(step)
}

/// Longest payload of `willex`.
const WILL: usize = 256;

/// `AT+QMTCFG="<key>",<id>,…`
fn configure(
    host: &QmtHost,
    connection: ConnectionId,
    setting: &Setting,
) -> Result<Step, EncodeError> {
    let mut line = [b"AT", CFG.as_bytes(), b"="].concat();
    let mut writer = ParameterWriter::new(&mut line);
    writer
        .quoted(setting.key().as_bytes())
        .integer(connection.0);
    setting::encode(setting, &mut writer);
    line.push(b'\r');
    let mut step = host.checked(line, core::time::Duration::from_secs(5))?;
    // One command serves all settings: its key tells which was meant.
    step.name = b"AT".len() + CFG.len() + b"=\"\"".len() + setting.key().len();
    step.link = Some(connection);
    Ok(step)
}
