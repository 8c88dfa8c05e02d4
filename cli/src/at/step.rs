use std::borrow::Cow;
use std::time::Duration;

use atmq_driver::RequestError;
use atmq_protocol::command::Command;
use atmq_protocol::dialect::{Context, Dialect};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{FormatTable, PublishPayload, Request, Setting};
use atmq_protocol::standard::StandardRequest;

use super::DIALECT;
use crate::failure::{Failure, FailureKind};

/// How long a command may take of which nothing is known: what the LMQTT manual allows a query.
const LIMIT: Duration = Duration::from_secs(5);

/// A command, its data, and what it brings.
pub(super) struct Step<'c> {
    pub(super) command: &'c str,
    pub(super) data: Option<&'c [u8]>,
    /// The request whose outcome is reported.
    pub(super) reported: Option<Request<'c>>,
    pub(super) limit: Duration,
    /// How payloads are written once the command has succeeded.
    pub(super) formats: FormatTable,
    /// Whether the command holds a password or a device secret, or may hold one.
    secret: bool,
}

impl<'c> Step<'c> {
    /// Checks all commands before the first is sent: a module that asks for data and gets none is
    /// deaf for a while, and half a session helps nobody.
    pub(super) fn plan(commands: &'c [String]) -> Result<Vec<Self>, Failure> {
        let mut steps = Vec::new();
        let mut formats = FormatTable::default();
        let mut commands = commands.iter();
        while let Some(command) = commands.next() {
            let mut step = Self::new(command, formats)?;
            if let Some(announced) = step.read() {
                step.take_data(announced, commands.next())?;
            }
            formats = step.formats.clone();
            steps.push(step);
        }
        Ok(steps)
    }

    fn new(command: &'c str, formats: FormatTable) -> Result<Self, Failure> {
        // Without its parameters, among which there may be a password.
        let name = || command.split('=').next().unwrap_or_default().escape_debug();
        let wrong = |error: RequestError| {
            Failure::new(FailureKind::Usage, format!("\"{}\": {error}", name()))
        };
        // A line end would begin another command, whose answer nobody waits for.
        if let Some(at) = command.bytes().position(|byte| byte.is_ascii_control()) {
            let byte = command.as_bytes()[at];
            let failure = wrong(RequestError::ControlCharacter { byte, at });
            return Err(failure.hint("give each command as an argument of its own"));
        }
        let begins = command.get(..2);
        if !begins.is_some_and(|begin| begin.eq_ignore_ascii_case("AT")) {
            return Err(wrong(RequestError::NotACommand));
        }
        Ok(Self {
            command,
            data: None,
            reported: None,
            limit: LIMIT,
            formats,
            secret: false,
        })
    }

    /// Reads what the command brings. Returns how many bytes of data it announces.
    fn read(&mut self) -> Option<usize> {
        let body = &self.command.as_bytes()[2..];
        let (first, _) = Command::split_first(body, |name| DIALECT.owns(name));
        if !DIALECT.owns(first.name) {
            if let Some(Ok(request)) = StandardRequest::decode(&first) {
                self.limit = request.limit();
            }
            return None;
        }
        let context = Context {
            limits: &Limits::NT35E,
            formats: &self.formats,
        };
        // The module says itself what is wrong with a command that cannot be read here.
        let Ok(request) = DIALECT.decode_request(&first, context) else {
            self.secret = true;
            return None;
        };
        let exchange = DIALECT.exchange(&request);
        self.limit = exchange.limit;
        let mut announced = None;
        match &request {
            Request::Publish {
                payload: PublishPayload::Prompted(length),
                ..
            }
            | Request::PublishExtended { length, .. } => announced = Some(*length),
            Request::Configure {
                connection,
                setting,
            } => {
                self.secret = matches!(setting, Setting::AliAuth { .. });
                self.formats[*connection].apply(setting);
            }
            Request::Connect { password, .. } => self.secret = password.is_some(),
            _ => {}
        }
        self.reported = exchange.reported.then_some(request);
        announced
    }

    fn take_data(&mut self, announced: usize, data: Option<&'c String>) -> Result<(), Failure> {
        self.data = data.map(String::as_bytes);
        let given = self.data.map_or(0, <[u8]>::len);
        if data.is_some() && given == announced {
            return Ok(());
        }
        let shown = self.shown();
        let failure = Failure::new(
            FailureKind::Usage,
            format!("{shown} announces {announced} bytes of data, {given} are given"),
        );
        Err(failure.hint("give exactly that many as the next argument"))
    }

    /// The command as it may be shown: standard error ends up in logs.
    pub(super) fn shown(&self) -> Cow<'c, str> {
        match self.command.split_once('=') {
            Some((name, _)) if self.secret => Cow::Owned(format!("{name}=…")),
            _ => Cow::Borrowed(self.command),
        }
    }
}
