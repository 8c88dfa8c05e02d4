//! What is to be sent: arguments, or a script.

use std::time::Duration;

use regex::bytes::Regex;

use atmq_protocol::dialect::UNKNOWN;

use super::step::Step;
use crate::data::data;
use crate::dialect::Listener;
use crate::duration::seconds;
use crate::failure::{Failure, FailureKind};
use crate::pattern::pattern;
use crate::visible::visible;

/// Something a person has written.
#[derive(Debug)]
pub(super) enum Input {
    /// A command, or the data of the command before.
    Argument(String),
    /// A line of a script that is a command.
    Command(String),
    /// A line of a script that is data, with its number.
    Data(usize, Vec<u8>),
    Expect(Regex),
    Wait(Duration),
}

/// Something to do.
pub(super) enum Action<'i> {
    /// Send a command, wait for what it brings, and for lines that match.
    Exchange {
        step: Box<Step<'i>>,
        expects: Vec<&'i Regex>,
    },
    /// Wait for lines that match.
    Await(Vec<&'i Regex>),
    /// Print what comes.
    Wait(Duration),
}

/// Reads a script.
pub(super) fn parse(script: &[u8]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for (number, line) in (1..).zip(script.split(|byte| *byte == b'\n')) {
        let place = format!("line {number} of the script");
        let wrong = |why: String| Failure::new(FailureKind::Usage, why).within(&place);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| wrong("it is no text".into()).hint("write bytes as \\xNN"))?;
        let text = line.trim();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        inputs.push(match word {
            "" => continue,
            comment if comment.starts_with('#') => continue,
            ">" => {
                // Blanks behind the one that follows the `>` are data.
                let behind = line.trim_start().strip_prefix("> ").unwrap_or_default();
                let data = data(behind);
                Input::Data(number, data.map_err(|failure| failure.within(place))?)
            }
            "@expect" => {
                let regex = pattern(rest.trim());
                Input::Expect(regex.map_err(|why| wrong(format!("`{}`: {why}", rest.trim())))?)
            }
            "@wait" => Input::Wait(
                seconds(rest.trim()).map_err(|why| wrong(format!("`{}`: {why}", rest.trim())))?,
            ),
            directive if directive.starts_with('@') => {
                let shown = visible(directive.as_bytes());
                return Err(
                    wrong(format!("`{shown}` is no directive")).hint("there are @expect and @wait")
                );
            }
            _ => Input::Command(text.to_owned()),
        });
    }
    Ok(inputs)
}

/// Checks everything before the first command is sent: a module that asks for data and gets none
/// is deaf for a while, and half a session helps nobody.
pub(super) fn plan(inputs: &[Input]) -> Result<Vec<Action<'_>>, Failure> {
    let mut actions = Vec::new();
    let mut listener = Listener::new(UNKNOWN);
    let mut inputs = inputs.iter().peekable();
    while let Some(input) = inputs.next() {
        match input {
            Input::Argument(command) | Input::Command(command) => {
                let mut step = Step::new(command)?;
                if let Some(announced) = step.read(&mut listener) {
                    let data = match inputs.peek() {
                        Some(Input::Argument(data)) => Some(data.as_bytes()),
                        Some(Input::Data(_, data)) => Some(&data[..]),
                        _ => None,
                    };
                    if data.is_some() {
                        inputs.next();
                    }
                    step.take_data(announced, data)?;
                }
                // All of them are expected to succeed.
                listener.carried_out(command.as_bytes());
                let expects = Vec::new();
                let step = Box::new(step);
                actions.push(Action::Exchange { step, expects });
            }
            Input::Data(number, _) => {
                let what = format!("line {number} of the script: no command before asks for data");
                return Err(Failure::new(FailureKind::Usage, what)
                    .hint("data follows a command that announces its length"));
            }
            Input::Expect(expect) => match actions.last_mut() {
                Some(Action::Exchange { expects, .. } | Action::Await(expects)) => {
                    expects.push(expect);
                }
                _ => actions.push(Action::Await(vec![expect])),
            },
            Input::Wait(time) => actions.push(Action::Wait(*time)),
        }
    }
    if actions.is_empty() {
        let failure = Failure::new(FailureKind::Usage, "standard input has no command to send");
        return Err(failure.hint("give commands as arguments, or a script"));
    }
    Ok(actions)
}
