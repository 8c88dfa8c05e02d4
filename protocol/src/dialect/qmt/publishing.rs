//! Messages and filters: what an operation about them is written as, and what its end means.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Qmt;
use super::host::QmtHost;
use super::received::Formats;
use super::switches::Extended;
use super::table::{PUB, PUBEX, SUB};
use crate::at::framing::{CTRL_Z, DataEnd};
use crate::at::parameter::encode_hex;
use crate::dialect::shared::{carriable, in_range, length_in_range, not_empty};
use crate::dialect::{
    Ask, Course, Data, EncodeError, Follow, Next, Plan, Prompt, Reported, Step, StepEnd,
    done_or_failed,
};
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, Outcome, Proof, Publish, PublishResult, QoS, Urc};

/// `> `
const PROMPT: Prompt = Prompt::Sign(b">");

impl QmtHost {
    /// The step of a publish.
    pub(super) fn publish(&self, publish: &Publish, formats: Formats) -> Result<Step, EncodeError> {
        let mut digits = Vec::new();
        let bytes = match formats.send_hex {
            true => {
                encode_hex(&publish.payload, &mut digits);
                &digits
            }
            false => &publish.payload,
        };
        let max = self.limits.prompt_payload;
        if bytes.len() > max {
            return Err(EncodeError::TooLong {
                field: "the payload",
                length: publish.payload.len(),
                max: max / (1 + usize::from(formats.send_hex)),
            });
        }
        let counted = self.counted_publish(bytes.is_empty());
        let name = match counted {
            Some(true) => PUBEX,
            _ => PUB,
        };
        let topic = carriable(
            "the topic",
            not_empty("the topic", &publish.topic)?,
            self.limits.topic,
        )?;
        let mut step = self.step(
            name,
            publish.connection,
            Some(Reported::Published),
            |writer| {
                writer
                    .integer(publish.message_id)
                    .integer(publish.qos.level())
                    .flag(publish.retain)
                    .quoted(topic);
                if counted.is_some() {
                    writer.integer(length_in_range("the payload", bytes.len(), max)?);
                }
                Ok(())
            },
        )?;
        // Neither topic nor payload is a secret.
        step.secrets = Vec::new();
        if let Some(report) = &mut step.report {
            report.message_id = Some(publish.message_id);
        }
        step.data = Some(match counted {
            Some(_) => Data {
                ask: ask(Some(bytes.len())),
                bytes: bytes.clone(),
                secret: false,
            },
            None => {
                let limits = Limits {
                    prompt_end: DataEnd::ControlCharacters,
                    ..self.limits.clone()
                };
                limits.check_prompt_data(bytes)?;
                Data {
                    ask: ask(None),
                    bytes: [bytes, &[CTRL_Z][..]].concat(),
                    secret: false,
                }
            }
        });
        Ok(step)
    }

    /// By which command a payload goes: one with a length, which is the extended one or not, or one
    /// without. Modules that were asked want a length of 1 at least.
    fn counted_publish(&self, is_empty: bool) -> Option<bool> {
        let Qmt {
            publish_prompt,
            publish_length,
            publish_extended,
            ..
        } = self.dialect;
        if is_empty && publish_prompt {
            None
        } else if publish_length {
            Some(false)
        } else {
            (publish_extended == Extended::Length).then_some(true)
        }
    }

    /// One command for each filter: of several, most modules show what came of one alone, and how
    /// many a command may have is known of few.
    pub(super) fn subscription(
        &self,
        connection: ConnectionId,
        message_id: u16,
        name: &'static str,
        filters: &[(&str, Option<QoS>)],
    ) -> Result<Plan, EncodeError> {
        let what = match name {
            SUB => Reported::Subscribed,
            _ => Reported::Unsubscribed,
        };
        let message_id_in_range = in_range("the packet identifier", message_id, 1, u16::MAX)?;
        let mut steps = VecDeque::new();
        for (filter, qos) in filters {
            let filter = carriable(
                "the topic filter",
                not_empty("the topic filter", filter)?,
                self.limits.topic,
            )?;
            let mut step = self.step(name, connection, Some(what), |writer| {
                writer.integer(message_id_in_range).quoted(filter);
                if let Some(qos) = qos {
                    writer.integer(qos.level());
                }
                Ok(())
            })?;
            if let Some(report) = &mut step.report {
                report.message_id = Some(message_id);
            }
            steps.push_back(step);
        }
        let first = steps.pop_front();
        let first = first.ok_or(EncodeError::Empty {
            field: "the list of topic filters",
        })?;
        let course = OneByOne { rest: steps };
        Ok(Plan::new(first, Course::Follow(Box::new(course))))
    }
}

/// What asks for a payload: so many bytes, or up to Ctrl-Z, which most firmwares wait for without an
/// end.
pub(super) fn ask(length: Option<usize>) -> Ask {
    Ask {
        prompt: PROMPT,
        length,
        end: match length {
            Some(_) => DataEnd::Length,
            None => DataEnd::ControlCharacters,
        },
        patience: None,
        escapable: length.is_none(),
    }
}

/// What the end of a publish means. An error in place of `OK` says that it was not taken: modules of
/// this maker check state and parameters first (inferred from F5).
pub(super) fn judge_publish(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done {
            report: Some(Urc::Published { result, reason, .. }),
            ..
        } => Outcome::Published {
            result: *result,
            reason: *reason,
            proof: match result {
                PublishResult::Done => Proof::Acknowledged,
                _ => Proof::MayHaveArrived,
            },
        },
        StepEnd::Done { .. } => Outcome::Accepted,
        StepEnd::Refused(_) => Outcome::Failed(Proof::NeverLeft),
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

/// Filters that are subscribed to or given up one after another, until one fails.
#[derive(Debug)]
struct OneByOne {
    rest: VecDeque<Step>,
}

impl Follow for OneByOne {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        match end {
            StepEnd::Done {
                report:
                    Some(Urc::SubscriptionChanged {
                        result: Err(reason),
                        ..
                    }),
                ..
            } => Next::Done(Outcome::SubscriptionFailed(*reason)),
            StepEnd::Done { .. } => match self.rest.pop_front() {
                Some(step) => Next::Step(Box::new(step)),
                None => Next::Done(Outcome::Done),
            },
            end => Next::Done(done_or_failed(end)),
        }
    }
}
