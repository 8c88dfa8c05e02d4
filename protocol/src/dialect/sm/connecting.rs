//! Connecting, leaving, and what takes a command for each topic.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::host::{SmHost, only};
use super::request::{Device, Request, Setting, Tls};
use super::{ID, received, tls};
use crate::dialect::{
    Course, EncodeError, Expected, Follow, IfRefused, Next, Plan, Reported, Step, StepEnd, Then,
};
use crate::mqtt::{
    Connect, ConnectionId, Outcome, PayloadFormat, Proof, Reason, TlsUse, Version, Will,
};

/// Why messages cannot be read.
pub(super) const NO_CACHE: &str = "this module keeps no messages until they are read";

/// How long the bearer may take to come up (inferred: no source has it).
const BEARER: Duration = Duration::from_secs(15);

/// What a step of a connect is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// There may be nothing to close.
    CleanSlate,
    /// It may be there already.
    Bearer,
    Tls,
    Setting,
    Connect,
}

/// SMDISC, the bearer, files and TLS context, the settings, SMCONN.
pub(super) fn connect(host: &mut SmHost, connect: &Connect) -> Result<Plan, EncodeError> {
    only(connect.connection)?;
    check(connect)?;
    let mut first = leave(host)?;
    let mut steps = VecDeque::new();
    let mut bearer = Step::new(received::switch_on(host.dialect.bearer).to_vec(), BEARER);
    // It is refused where the bearer is there (measured).
    bearer.if_refused = IfRefused::Nothing;
    bearer.report = Some(Expected {
        what: Reported::Activated,
        connection: ID,
        message_id: None,
    });
    steps.push_back((For::Bearer, bearer));
    match &connect.tls {
        Some(TlsUse {
            context,
            set_up: Some(set_up),
        }) => {
            first.then = Then::NoOtherSetUp;
            for step in tls::steps(host, *context, set_up, &connect.host)? {
                steps.push_back((For::Tls, step));
            }
            steps
                .iter_mut()
                .for_each(|(_, step)| step.then = Then::NoOtherSetUp);
            if let Some((_, last)) = steps.back_mut() {
                last.then = Then::Anybody;
            }
        }
        // What the context has for files, whoever has set it up has told the module.
        Some(TlsUse { set_up: None, .. }) => {}
        None => {
            let mut none = host.step(&Request::Tls(Tls::default()))?;
            none.if_refused = IfRefused::Nothing;
            steps.push_back((For::Setting, none));
        }
    }
    for (request, if_refused) in settings(host, connect)? {
        let mut step = host.step(&request)?;
        step.if_refused = if_refused;
        steps.push_back((For::Setting, step));
    }
    let mut last = host.step(&Request::Connect)?;
    last.limit = connect.open_limit.unwrap_or(last.limit);
    last.begins_link = true;
    steps.push_back((For::Connect, last));
    let course = Connecting {
        current: For::CleanSlate,
        steps,
    };
    Ok(Plan::new(first, Course::Follow(Box::new(course))))
}

/// What the module has no setting for.
fn check(connect: &Connect) -> Result<(), EncodeError> {
    let contradiction = if connect.version != Version::default() {
        "this module speaks MQTT 3.1.1 alone"
    } else if connect.timeouts.is_some() {
        "this module has time limits of its own for acknowledgements"
    } else if connect.cached {
        NO_CACHE
    } else {
        return Ok(());
    };
    Err(EncodeError::Contradiction(contradiction))
}

/// SMDISC; a module that is not connected refuses it.
pub(super) fn leave(host: &SmHost) -> Result<Step, EncodeError> {
    let mut step = host.step(&Request::Disconnect)?;
    step.if_refused = IfRefused::Nothing;
    Ok(step)
}

/// The settings of a connect. The module keeps them over a disconnect, so everything is set that an
/// earlier program may have set; what is the module's default is not needed.
fn settings(
    host: &SmHost,
    connect: &Connect,
) -> Result<Vec<(Request<'static>, IfRefused)>, EncodeError> {
    let needed_if = |needed| match needed {
        true => IfRefused::Fails,
        false => IfRefused::Nothing,
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let url = Setting::Url {
        host: connect.host.clone().into(),
        port: connect.port,
    };
    let password = connect.password.clone().unwrap_or_else(|| "".into());
    let mut settings = vec![
        (url, IfRefused::Fails),
        (
            Setting::ClientId(connect.client_id.clone().into()),
            IfRefused::Fails,
        ),
        (Setting::KeepAlive(connect.keep_alive), IfRefused::Fails),
        (
            Setting::CleanSession(connect.clean_session),
            IfRefused::Fails,
        ),
        (
            Setting::Username(text(&connect.username).into()),
            needed_if(connect.username.is_some()),
        ),
        (
            Setting::Password(password),
            needed_if(connect.password.is_some()),
        ),
    ];
    match &connect.will {
        Some(Will {
            topic,
            payload,
            qos,
            retain,
        }) => {
            let payload = core::str::from_utf8(payload);
            let payload = payload
                .map_err(|_| EncodeError::Contradiction("the payload of the will is not text"))?;
            let will = [
                Setting::WillTopic(topic.clone().into()),
                Setting::WillMessage(String::from(payload).into()),
                Setting::WillQos(*qos),
                Setting::WillRetain(*retain),
            ];
            settings.extend(will.map(|setting| (setting, IfRefused::Fails)));
        }
        None => settings.push((Setting::WillTopic("".into()), IfRefused::Nothing)),
    }
    if host.dialect.sub_hex {
        // Nothing tells the end of a payload of text from what it holds.
        let if_refused = match connect.receive_hex {
            true => IfRefused::Fails,
            false => IfRefused::Costs(
                "payloads come as text, so one ends at a quote before a line end in it",
            ),
        };
        settings.push((Setting::SubHex(true), if_refused));
    } else if connect.receive_hex {
        return Err(EncodeError::Contradiction(
            "this module has no hexadecimal digits for payloads that come",
        ));
    }
    if host.dialect.async_mode {
        settings.push((Setting::Async(false), IfRefused::Nothing));
    }
    let settings = settings.into_iter();
    let mut requests: Vec<_> = settings
        .map(|(setting, if_refused)| (Request::Configure(setting), if_refused))
        .collect();
    let hexadecimal = connect.payloads == PayloadFormat::Hex;
    requests.push((Request::PublishHex(hexadecimal), needed_if(hexadecimal)));
    if let Some(device) = &connect.device {
        let device = Device {
            product_key: device.product_key.clone(),
            device_name: device.device_name.clone(),
            secret: device.device_secret.clone(),
        };
        requests.push((Request::AliAuth(device), IfRefused::Fails));
    }
    Ok(requests)
}

#[derive(Debug)]
struct Connecting {
    current: For,
    steps: VecDeque<(For, Step)>,
}

impl Follow for Connecting {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        let failed = Next::Done(Outcome::Failed(Proof::MayHaveArrived));
        match (self.current, end) {
            (For::Tls, StepEnd::Refused(_)) => return Next::Done(Outcome::TlsNotTaken),
            (For::Connect, StepEnd::Done { .. }) => return Next::Done(Outcome::Done),
            // Broker, network or setting: nothing tells which.
            (For::Connect, StepEnd::Refused(_)) => {
                return Next::Done(Outcome::NotAccepted(Reason::NONE));
            }
            (_, StepEnd::Done { .. }) => {}
            // If the bearer is not there, SMCONN fails.
            (For::Bearer, StepEnd::Refused(_) | StepEnd::Unreported { .. }) => {}
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

/// A command for each topic, until one is refused: by the module or by the broker.
pub(super) fn one_by_one(
    host: &SmHost,
    connection: ConnectionId,
    requests: impl Iterator<Item = Request<'static>>,
) -> Result<Plan, EncodeError> {
    only(connection)?;
    let steps = requests.map(|request| host.step(&request));
    let mut rest = steps.collect::<Result<VecDeque<_>, _>>()?;
    let first = rest.pop_front().ok_or(EncodeError::Empty {
        field: "the list of topics",
    })?;
    Ok(Plan::new(first, Course::Follow(Box::new(OneByOne(rest)))))
}

#[derive(Debug)]
struct OneByOne(VecDeque<Step>);

impl Follow for OneByOne {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        match end {
            StepEnd::Done { .. } => match self.0.pop_front() {
                Some(step) => Next::Step(Box::new(step)),
                None => Next::Done(Outcome::Done),
            },
            StepEnd::Refused(_) => Next::Done(Outcome::SubscriptionFailed(Reason::NONE)),
            _ => Next::Done(Outcome::Failed(Proof::MayHaveArrived)),
        }
    }
}
