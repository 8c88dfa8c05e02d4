//! Connecting and leaving: more than one command, of which some may be refused.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::host::{LmqttHost, ask_file};
use super::{DataFormat, Request, Setting};
use crate::at::framing::DataEnd;
use crate::dialect::shared::{Leaving, connected, state};
use crate::dialect::{
    Course, Data, EncodeError, Follow, IfRefused, Next, Plan, Step, StepEnd, Then,
};
use crate::limits::Limits;
use crate::mqtt::{
    Connect, ConnectionId, ConnectionState, Outcome, PayloadFormat, Proof, SecurityLevel, TlsSetUp,
    TlsSetting, Urc, Version,
};

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
pub(super) fn connect(host: &mut LmqttHost, connect: &Connect) -> Result<Plan, EncodeError> {
    let connection = connect.connection;
    let context = connect.tls.as_ref().map(|tls| tls.context);
    host.files.use_context(connection, context);
    // A link or a configuration may be left of an earlier program.
    let mut first = host.step(&Request::Close { connection })?;
    first.if_refused = IfRefused::Nothing;
    let mut steps = VecDeque::new();
    if let Some(tls) = &connect.tls
        && let Some(set_up) = &tls.set_up
    {
        first.then = Then::NoOtherSetUp;
        for mut step in tls_steps(host, tls.context, set_up)? {
            step.then = Then::NoOtherSetUp;
            steps.push_back((For::Tls, step));
        }
        if let Some((_, last)) = steps.back_mut() {
            last.then = Then::Anybody;
        }
    }
    for Wanted {
        setting,
        if_refused,
    } in settings(connect, &host.limits)
    {
        let mut step = host.step(&Request::Configure {
            connection,
            setting,
        })?;
        step.if_refused = if_refused;
        steps.push_back((For::Setting, step));
    }
    let mut open = host.step(&Request::Open {
        connection,
        host: Cow::Borrowed(&connect.host),
        port: connect.port,
    })?;
    open.limit = connect.open_limit.unwrap_or(open.limit);
    open.begins_link = true;
    steps.push_back((For::Open, open));
    steps.push_back((
        For::Connect,
        host.step(&Request::Connect {
            connection,
            client_id: Cow::Borrowed(&connect.client_id),
            username: connect.username.as_deref().map(Cow::Borrowed),
            password: connect.password.clone(),
        })?,
    ));
    let course = Connecting {
        connection,
        current: Some(For::CleanSlate),
        steps,
        query: Some(host.step(&Request::QueryState)?),
    };
    Ok(Plan::new(first, Course::Follow(Box::new(course))))
}

/// DISC and CLOSE; the module may refuse either.
pub(super) fn disconnect(
    host: &LmqttHost,
    connection: ConnectionId,
    connected: bool,
) -> Result<Plan, EncodeError> {
    let tolerated = |request: &Request<'_>| {
        let mut step = host.step(request)?;
        step.if_refused = IfRefused::Nothing;
        Ok(step)
    };
    let close = tolerated(&Request::Close { connection })?;
    let (first, rest) = match connected {
        true => (tolerated(&Request::Disconnect { connection })?, Some(close)),
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

/// A setting that a connect makes.
struct Wanted {
    setting: Setting<'static>,
    if_refused: IfRefused,
}

/// The settings of a connect on a module with these limits.
///
/// What matters to the way a host reads is set even where it is the default, because a
/// firmware may keep what another program has set. What is the module's default (reference
/// `lmqtt.md` 1.3) is not needed: a module that has no such key does so by itself.
fn settings(connect: &Connect, limits: &Limits) -> Vec<Wanted> {
    let text = DataFormat::Text;
    let send = send_format(connect, limits);
    let needed_if = |needed, setting| Wanted {
        setting,
        if_refused: match needed {
            true => IfRefused::Fails,
            false => IfRefused::Nothing,
        },
    };
    let needed = |setting| needed_if(true, setting);
    let mut settings = vec![
        Wanted {
            // With the length before it, any payload arrives whole.
            setting: Setting::ReceiveMode {
                format: match connect.receive_hex {
                    true => DataFormat::HexString,
                    false => text,
                },
                show_length: true,
            },
            if_refused: match connect.receive_hex {
                true => IfRefused::Fails,
                false => IfRefused::Costs(
                    "messages come without their length, so one ends at a line end in it",
                ),
            },
        },
        needed_if(send != text, Setting::SendMode(send)),
        needed_if(connect.cached, Setting::Cache(connect.cached)),
        // Some firmware has no such key, and reports.
        needed_if(false, Setting::ResultUrcs(true)),
        needed_if(
            connect.version != Version::default(),
            Setting::Version(connect.version),
        ),
        // The manual's default is a session that is kept.
        needed(Setting::CleanSession(connect.clean_session)),
        needed_if(
            connect.keep_alive != Connect::KEEP_ALIVE,
            Setting::KeepAlive(connect.keep_alive),
        ),
    ];
    let optional = [
        connect.timeouts.map(Setting::Timeouts),
        connect.will.clone().map(|will| Setting::Will(Some(will))),
        connect.tls.as_ref().map(|tls| Setting::Tls {
            enabled: true,
            context: tls.context,
        }),
    ];
    settings.extend(optional.into_iter().flatten().map(needed));
    if let Some(device) = &connect.device {
        settings.extend(
            [
                // Alibaba Cloud, JSON (reference: article S).
                Setting::Cloud {
                    platform: 2,
                    data_type: 1,
                },
                Setting::AliAuth {
                    product_key: device.product_key.clone(),
                    device_name: device.device_name.clone(),
                    device_secret: device.device_secret.clone(),
                },
            ]
            .map(needed),
        );
    }
    settings
}

/// How payloads to publish are given to a module with these limits.
pub(super) fn send_format(connect: &Connect, limits: &Limits) -> DataFormat {
    match (connect.payloads, limits.prompt_end) {
        (PayloadFormat::Automatic, DataEnd::Length) => DataFormat::Text,
        _ => DataFormat::HexString,
    }
}

/// Files that the module has are not sent again.
fn tls_steps(
    host: &mut LmqttHost,
    context: u8,
    set_up: &TlsSetUp,
) -> Result<Vec<Step>, EncodeError> {
    let mut steps = Vec::new();
    let mut settings = Vec::new();
    // Contexts must not write over each other's files.
    let name = |kind: &str| format!("atmq_{kind}_{context}.pem");
    let mut file = |name: String, bytes: &Arc<[u8]>| {
        if !host.files.needs(context, &name, bytes) {
            return Ok(());
        }
        let mut step = host.step(&Request::Upload {
            name: Cow::Owned(name),
            length: bytes.len(),
            timeout_seconds: None,
        })?;
        step.data = Some(Data {
            ask: ask_file(&host.limits, bytes.len(), None),
            bytes: bytes.to_vec(),
            // It may be a key.
            secret: true,
        });
        steps.push(step);
        Ok(())
    };
    let level = match (&set_up.ca, &set_up.identity) {
        (None, _) => SecurityLevel::None,
        (Some(_), None) => SecurityLevel::Server,
        (Some(_), Some(_)) => SecurityLevel::Mutual,
    };
    if let Some(ca) = &set_up.ca {
        file(name("ca"), ca)?;
        settings.push(TlsSetting::CaCertificate(name("ca").into()));
    }
    if let Some((certificate, key)) = &set_up.identity {
        file(name("cert"), certificate)?;
        file(name("key"), key)?;
        settings.push(TlsSetting::ClientCertificate(name("cert").into()));
        settings.push(TlsSetting::ClientKey(name("key").into()));
    }
    settings.extend([
        TlsSetting::SecurityLevel(level),
        TlsSetting::Version(set_up.version),
        TlsSetting::ServerName(set_up.server_name),
        TlsSetting::IgnoreTime(set_up.ignore_time),
    ]);
    for setting in settings {
        steps.push(host.step(&Request::ConfigureTls { context, setting })?);
    }
    Ok(steps)
}
