use std::time::Duration;

use atmq_protocol::command::Command;
use atmq_protocol::dialect::{Context, Dialect};
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{FormatTable, PublishPayload, Request};
use atmq_protocol::standard::StandardRequest;

use super::DIALECT;
use crate::failure::{Failure, FailureKind};

/// How long a command may take of which nothing is known: what the LMQTT manual allows a query.
const LIMIT: Duration = Duration::from_secs(5);

/// What a command brings.
pub(super) struct Awaited<'c> {
    command: &'c str,
    /// The request whose outcome is reported.
    pub(super) reported: Option<Request<'c>>,
    /// How many bytes of data the command announces.
    announced: Option<usize>,
    pub(super) limit: Duration,
}

impl<'c> Awaited<'c> {
    pub(super) fn by(command: &'c str, formats: &FormatTable) -> Self {
        let mut awaited = Self {
            command,
            reported: None,
            announced: None,
            limit: LIMIT,
        };
        let Some(("AT" | "at", body)) = command.split_at_checked(2) else {
            return awaited;
        };
        let (first, _) = Command::split_first(body.as_bytes(), |name| DIALECT.owns(name));
        if !DIALECT.owns(first.name) {
            if let Some(Ok(request)) = StandardRequest::decode(&first) {
                awaited.limit = request.limit();
            }
            return awaited;
        }
        let context = Context {
            limits: &Limits::NT35E,
            formats,
        };
        // The module says itself what is wrong with a command that cannot be read here.
        let Ok(request) = DIALECT.decode_request(&first, context) else {
            return awaited;
        };
        let exchange = DIALECT.exchange(&request);
        awaited.limit = exchange.limit;
        if let Request::Publish {
            payload: PublishPayload::Prompted(length),
            ..
        } = request
        {
            awaited.announced = Some(length);
        }
        awaited.reported = exchange.reported.then_some(request);
        awaited
    }

    /// Takes the data off the commands. A module that asks for data and gets none is deaf for a
    /// while, so this is checked before anything is sent.
    pub(super) fn data<'a>(
        &self,
        commands: &mut impl Iterator<Item = &'a String>,
    ) -> Result<Option<&'a [u8]>, Failure> {
        let Some(announced) = self.announced else {
            return Ok(None);
        };
        let data = commands.next().map(String::as_bytes);
        let given = data.map_or(0, <[u8]>::len);
        if data.is_none() || given != announced {
            let command = self.command;
            return Err(Failure::new(
                FailureKind::Usage,
                format!("{command} announces {announced} bytes of data, {given} are given"),
            )
            .hint("give exactly that many as the next argument"));
        }
        Ok(data)
    }
}
