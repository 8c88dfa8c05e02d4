//! Connecting and leaving: more than one command, of which some may be refused.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Family;
use super::codes;
use super::host::{self, CmqttHost};
use super::publishing::checked;
use super::table::{ACCQ, CFG, CONNECT, DISC, REL, SSLCFG, WILLMSG, WILLTOPIC};
use crate::Secret;
use crate::at::parameter::ParameterWriter;
use crate::commands::vendor::simcom;
use crate::dialect::shared::{carriable, in_range, not_empty};
use crate::dialect::{
    Course, Data, EncodeError, Follow, IfRefused, Next, Plan, Step, StepEnd, Then,
};
use crate::mqtt::{
    Connect, Connected, ConnectionId, OpenFailure, Outcome, PayloadFormat, Pem, Proof, TlsSetUp,
    Urc,
};

/// How long the module may try to tell the broker that it leaves, in seconds.
const LEAVING: u16 = 60;

/// How long a client may take that is not waited for to leave. Ours.
const DROPPING: Duration = Duration::from_secs(20);

/// What a step of a connect is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// It may run already.
    Service,
    Tls,
    /// There may be nothing to drop.
    CleanSlate,
    Client,
    Connect,
}

/// START, the TLS context, DISC, REL, ACCQ, settings, will, CONNECT. The service survives a host, and
/// so does a client; neither can be asked whether it is somebody's.
pub(super) fn connect(host: &mut CmqttHost, connect: &Connect) -> Result<Plan, EncodeError> {
    check(connect)?;
    let connection = connect.connection;
    let mut steps = VecDeque::new();
    let mut start = host::start();
    start.if_refused = IfRefused::Nothing;
    start.then = Then::NoOtherSetUp;
    let context = connect.tls.as_ref().map(|tls| tls.context);
    host.files.use_context(connection, context);
    if let Some(tls) = &connect.tls
        && let Some(set_up) = &tls.set_up
    {
        for mut step in tls_steps(host, tls.context, set_up)? {
            step.then = Then::NoOtherSetUp;
            steps.push_back((For::Tls, step));
        }
        if let Some((_, last)) = steps.back_mut() {
            last.then = Then::Anybody;
        }
    }
    for step in drop_client(host, connection, 0)? {
        steps.push_back((For::CleanSlate, step));
    }
    for step in client_steps(host, connect, context)? {
        steps.push_back((For::Client, step));
    }
    let url = format!("tcp://{}:{}", connect.host, connect.port);
    carriable(
        "the host",
        not_empty("the host", &connect.host)?,
        host.limits.host,
    )?;
    let keep_alive = in_range(
        "the keepalive",
        connect.keep_alive,
        1,
        host.limits.keep_alive,
    )?;
    let username = connect.username.as_deref();
    let username = username.map(|text| carriable("the user name", text, host.limits.username));
    let username = username.transpose()?;
    let password = connect.password.as_ref().map(Secret::expose);
    let password = password.map(|text| carriable("the password", text, host.limits.password));
    let password = password.transpose()?;
    let mut last = host.step(CONNECT, connection, |writer| {
        writer
            .quoted(&url)
            .integer(keep_alive)
            .flag(connect.clean_session);
        for text in username.iter().chain(&password) {
            writer.quoted(text);
        }
    })?;
    last.limit = connect.open_limit.unwrap_or(last.limit);
    last.begins_link = true;
    steps.push_back((For::Connect, last));
    let course = Connecting {
        current: For::Service,
        steps,
    };
    Ok(Plan::new(start, Course::Follow(Box::new(course))))
}

/// What no command can say.
fn check(connect: &Connect) -> Result<(), EncodeError> {
    let contradiction = match connect {
        Connect { cached: true, .. } => {
            "this module reports messages when they come, and keeps none"
        }
        Connect {
            receive_hex: true, ..
        }
        | Connect {
            payloads: PayloadFormat::Hex,
            ..
        } => "this module carries payloads as they are, not in hexadecimal digits",
        Connect {
            will: Some(will), ..
        } if will.retain => "this module cannot ask the broker to retain a will",
        Connect {
            username: None,
            password: Some(_),
            ..
        } => "there is a password without a user name",
        _ => return Ok(()),
    };
    Err(EncodeError::Contradiction(contradiction))
}

/// DISC and REL; the module may refuse either.
pub(super) fn disconnect(
    host: &CmqttHost,
    connection: ConnectionId,
    connected: bool,
) -> Result<Plan, EncodeError> {
    let timeout = if connected { LEAVING } else { 0 };
    let [first, rest] = drop_client(host, connection, timeout)?;
    let course = Leaving {
        rest: Some(rest),
        failed: false,
    };
    Ok(Plan::new(first, Course::Follow(Box::new(course))))
}

fn drop_client(
    host: &CmqttHost,
    connection: ConnectionId,
    timeout: u16,
) -> Result<[Step; 2], EncodeError> {
    let mut leave = host.step(DISC, connection, |writer| {
        writer.integer(timeout);
    })?;
    leave.limit = DROPPING + Duration::from_secs(timeout.into());
    // Nobody wants to know why.
    leave.report_after_error = Duration::ZERO;
    let release = host.step(REL, connection, |_| {})?;
    Ok([leave, release].map(|mut step| {
        step.if_refused = IfRefused::Nothing;
        step
    }))
}

/// The client with its settings and its will.
fn client_steps(
    host: &CmqttHost,
    connect: &Connect,
    context: Option<u8>,
) -> Result<Vec<Step>, EncodeError> {
    let connection = connect.connection;
    let family = host.dialect.family;
    let client_id = not_empty("the client id", &connect.client_id)?;
    carriable("the client id", client_id, host.limits.client_id)?;
    let version = connect.version as u8;
    let mut steps = Vec::new();
    steps.push(host.step(ACCQ, connection, |writer| {
        writer.quoted(client_id).flag(context.is_some());
        if family == Family::Sim76xx {
            writer.integer(version);
        }
    })?);
    if let Some(context) = context {
        let context = in_range("the TLS context", context, 0, simcom::CONTEXTS - 1)?;
        steps.push(host.step(SSLCFG, connection, |writer| {
            writer.integer(context);
        })?);
    }
    let setting = |key: &str, write: &dyn Fn(&mut ParameterWriter<'_>)| {
        let mut step = host.written(CFG, |writer| {
            write(writer.quoted(key).integer(connection.0));
        })?;
        step.link = Some(connection);
        Ok(step)
    };
    // Payloads may be any bytes.
    steps.push(setting("checkUTF8", &|writer| {
        writer.flag(false);
    })?);
    if family != Family::Sim76xx {
        steps.push(setting("version", &|writer| {
            writer.integer(version);
        })?);
    }
    if let Some(timeouts) = connect.timeouts {
        let seconds = timeouts.packet_seconds.clamp(20, 120);
        steps.push(setting("optimeout", &|writer| {
            writer.integer(seconds);
        })?);
    }
    if let Some(device) = &connect.device {
        if family == Family::Sim767x {
            let why = "this module knows nothing of Alibaba Cloud; give it the credentials";
            return Err(EncodeError::Contradiction(why));
        }
        let texts = [
            carriable("the product key", &device.product_key, 256)?,
            carriable("the device name", &device.device_name, 256)?,
            carriable("the device secret", device.device_secret.expose(), 256)?,
        ];
        steps.push(setting("aliauth", &|writer| {
            for text in texts {
                writer.quoted(text);
            }
        })?);
    }
    if let Some(will) = &connect.will {
        let topic = checked("the will topic", will.topic.clone(), host.limits.topic)?;
        let (length, max) = (will.payload.len(), host.limits.will_payload);
        let field = "the will payload";
        match length {
            0 => return Err(EncodeError::Empty { field }),
            length if length > max => return Err(EncodeError::TooLong { field, length, max }),
            _ => {}
        }
        steps.push(host.staged(WILLTOPIC, connection, topic, |_| {})?);
        let payload = will.payload.clone();
        steps.push(host.staged(WILLMSG, connection, payload, |writer| {
            writer.integer(will.qos.level());
        })?);
    }
    Ok(steps)
}

/// Files that the module has are not sent again.
fn tls_steps(
    host: &mut CmqttHost,
    context: u8,
    set_up: &TlsSetUp,
) -> Result<Vec<Step>, EncodeError> {
    in_range("the TLS context", context, 0, simcom::CONTEXTS - 1)?;
    let mut steps = Vec::new();
    let mut settings = Vec::new();
    let mut file = |key: &'static str, kind: &str, bytes: &Pem| {
        // Contexts must not write over each other's files.
        let name = format!("atmq_{kind}_{context}.pem");
        if host.files.needs(context, &name, bytes) {
            let (length, max) = (bytes.len(), simcom::LONGEST_FILE);
            let field = "the file";
            if length > max {
                return Err(EncodeError::TooLong { field, length, max });
            }
            let mut step = host.written(simcom::CERTDOWN, |writer| {
                // It is at most as long as a file.
                writer.quoted(&name).integer(length as i64);
            })?;
            step.limit = simcom::FILE_LIMIT;
            step.data = Some(Data {
                ask: host.ask(length),
                bytes: bytes.to_vec(),
                // It may be a key.
                secret: true,
            });
            steps.push(step);
        }
        settings.push((key, Value::Text(name)));
        Ok(())
    };
    if let Some(ca) = &set_up.ca {
        file("cacert", "ca", ca)?;
    }
    if let Some((certificate, key)) = &set_up.identity {
        file("clientcert", "cert", certificate)?;
        file("clientkey", "key", key)?;
    }
    let mode = match (&set_up.ca, &set_up.identity) {
        (None, None) => 0,
        (Some(_), None) => 1,
        (Some(_), Some(_)) => 2,
        (None, Some(_)) => 3,
    };
    settings.extend([
        ("sslversion", Value::Number(set_up.version as u8)),
        ("authmode", Value::Number(mode)),
        ("ignorelocaltime", Value::Number(set_up.ignore_time.into())),
        ("enableSNI", Value::Number(set_up.server_name.into())),
    ]);
    for (key, value) in settings {
        steps.push(host.written(simcom::SSLCFG, |writer| {
            writer.quoted(key).integer(context);
            match &value {
                Value::Text(text) => writer.quoted(text),
                Value::Number(number) => writer.integer(*number),
            };
        })?);
    }
    Ok(steps)
}

/// A value of a TLS context.
enum Value {
    Text(String),
    Number(u8),
}

#[derive(Debug)]
struct Connecting {
    /// What the step is for that is under way.
    current: For,
    steps: VecDeque<(For, Step)>,
}

impl Follow for Connecting {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        let failed = Next::Done(Outcome::Failed(Proof::MayHaveArrived));
        match (self.current, end) {
            (
                For::Service,
                StepEnd::Done {
                    report:
                        Some(Urc::Opened {
                            result: Err(failure),
                            ..
                        }),
                    ..
                },
            ) if *failure != OpenFailure::InUse => {
                return Next::Done(Outcome::NotOpened(*failure));
            }
            (For::Tls, StepEnd::Refused(_)) => return Next::Done(Outcome::TlsNotTaken),
            (
                For::Connect,
                StepEnd::Done {
                    report: Some(Urc::Connected { result, .. }),
                    ..
                },
            ) => return Next::Done(connected(*result)),
            (_, StepEnd::Done { .. }) => {}
            (For::CleanSlate, StepEnd::Refused(_) | StepEnd::Unreported { .. }) => {}
            // The session lets pass what is not needed.
            _ => return failed,
        }
        match self.steps.pop_front() {
            Some((next, step)) => {
                self.current = next;
                Next::Step(Box::new(step))
            }
            None => failed,
        }
    }
}

/// What came of a CONNECT.
fn connected(result: Connected) -> Outcome {
    match result {
        Connected::Accepted => Outcome::Done,
        Connected::Refused(refusal) => Outcome::Refused(refusal),
        Connected::Failed(reason) => match reason.code.and_then(codes::open_failure) {
            Some(failure) => Outcome::NotOpened(failure),
            None => Outcome::NotAccepted(reason),
        },
        Connected::Retransmitted(_) => Outcome::Failed(Proof::MayHaveArrived),
    }
}

#[derive(Debug)]
struct Leaving {
    rest: Option<Step>,
    failed: bool,
}

impl Follow for Leaving {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        self.failed |= !matches!(
            end,
            StepEnd::Done { .. } | StepEnd::Refused(_) | StepEnd::Unreported { .. }
        );
        match self.rest.take() {
            Some(step) => Next::Step(Box::new(step)),
            None if self.failed => Next::Done(Outcome::Failed(Proof::MayHaveArrived)),
            None => Next::Done(Outcome::Done),
        }
    }
}
