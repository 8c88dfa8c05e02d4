use std::borrow::Cow;
use std::time::Duration;

use atmq_driver::RequestError;
use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::parameter::{Parameters, integer};
use atmq_protocol::dialect::Expected;
use atmq_protocol::standard::StandardRequest;

use crate::dialect::Listener;
use crate::failure::{Failure, FailureKind};
use crate::grammar::{self, redacted};
use crate::visible::visible;

/// How long a command may take of which nothing is known. Ours: what manuals allow a query.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// A command, its data, and what it brings.
pub(crate) struct Step<'c> {
    pub(crate) command: &'c str,
    pub(crate) data: Option<&'c [u8]>,
    /// The report of its outcome.
    pub(crate) report: Option<Expected>,
    pub(crate) limit: Duration,
    /// Whether it is known how long the command may take.
    pub(crate) known: bool,
    /// Whether it asks for data that ends as it pleases.
    open_ended: bool,
}

impl<'c> Step<'c> {
    pub(crate) fn new(command: &'c str) -> Result<Self, Failure> {
        let wrong = |error: RequestError| {
            // Without its parameters, and whatever secret stands behind another sign.
            let shown = redacted(command);
            let mut parts = shown.split(|c: char| c == '=' || c.is_control());
            let name = visible(parts.next().unwrap_or_default().as_bytes());
            Failure::new(FailureKind::Usage, format!("`{name}`: {error}"))
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
            report: None,
            limit: LIMIT,
            known: false,
            open_ended: false,
        })
    }

    /// Reads what the command brings. Returns how many bytes of data it announces.
    pub(crate) fn read(&mut self, listener: &mut Listener) -> Option<usize> {
        let line = self.command.as_bytes();
        let Some(commanded) = listener.command(line) else {
            if listener.owns(line) {
                // The module says itself what is wrong with a command that cannot be read here.
                return None;
            }
            let (first, _) = grammar::split_first(&line[2..]);
            if let Some(Ok(request)) = StandardRequest::decode(&first) {
                self.limit = request.limit();
                self.known = true;
            }
            return announced(&first);
        };
        self.limit = commanded.limit;
        self.known = true;
        self.report = commanded.report;
        let length = commanded.ask?.length;
        self.open_ended = length.is_none();
        length
    }

    /// Whether the command may ask for data without saying how much: nobody knows it, or it sends
    /// a short message.
    pub(crate) fn may_prompt(&self) -> bool {
        if self.open_ended {
            return true;
        }
        let (first, _) = grammar::split_first(&self.command.as_bytes()[2..]);
        first.is("+CMGS") || grammar::command(first.name).is_none()
    }

    /// Takes what the prompt will ask for.
    pub(crate) fn take_data(
        &mut self,
        announced: usize,
        data: Option<&'c [u8]>,
    ) -> Result<(), Failure> {
        self.data = data;
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
    pub(crate) fn shown(&self) -> Cow<'c, str> {
        redacted(self.command)
    }
}

/// How many bytes of data a command announces that is not MQTT's.
fn announced(command: &Command<'_>) -> Option<usize> {
    let Form::Set(parameters) = command.form else {
        return None;
    };
    let place = grammar::command(command.name)?.data?.length;
    let length = integer(Parameters::new(parameters).nth(place)?.bytes())?;
    usize::try_from(length).ok()
}
