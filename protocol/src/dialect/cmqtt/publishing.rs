//! Publishing, subscribing and unsubscribing: several commands, of which the last one acts.
//!
//! | end of a publish | proves | source |
//! |---|---|---|
//! | an error of TOPIC or PAYLOAD, or `ERROR` alone to PUB | never left | documented: wrong state or syntax |
//! | result 0 | acknowledged | documented |
//! | results 2, 9 to 15, 18, 20, 22 | never left | inferred: they can be told without sending |
//! | other results | may have arrived | inferred; measured of 6 |

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::codes;
use super::host::CmqttHost;
use super::table::{PAYLOAD, PUB, SUB, SUBTOPIC, TOPIC, UNSUB, UNSUBTOPIC};
use crate::dialect::{
    Course, EncodeError, Follow, Next, Plan, Step, StepEnd, Then, done_or_failed,
};
use crate::mqtt::{ConnectionId, Outcome, Proof, Publish, PublishResult, TopicFilter, Urc};

/// How long the module is told to wait for the broker's acknowledgement, in seconds: the shortest
/// time that every family takes.
const PUBLISH_TIMEOUT: u16 = 60;

/// How much longer the report is awaited. Ours.
const MARGIN: Duration = Duration::from_secs(15);

/// All topics that are collected may have so many bytes (documented for SIM7600).
const COLLECTED: usize = 5120;

/// TOPIC, PAYLOAD, PUB. An empty payload is one that was not given.
pub(super) fn publish(host: &CmqttHost, publish: Publish) -> Result<Plan, EncodeError> {
    let Publish {
        connection,
        qos,
        retain,
        topic,
        payload,
        ..
    } = publish;
    let topic = checked("the topic", topic, host.limits.topic)?;
    let (length, max) = (payload.len(), host.limits.prompt_payload);
    if length > max {
        let field = "the payload";
        return Err(EncodeError::TooLong { field, length, max });
    }
    let mut steps = VecDeque::new();
    steps.push_back(host.staged(TOPIC, connection, topic, |_| {})?);
    if !payload.is_empty() {
        steps.push_back(host.staged(PAYLOAD, connection, payload, |_| {})?);
    }
    let mut send = host.step(PUB, connection, |writer| {
        writer
            .integer(qos.level())
            .integer(PUBLISH_TIMEOUT)
            .flag(retain);
    })?;
    send.limit = Duration::from_secs(PUBLISH_TIMEOUT.into()) + MARGIN;
    steps.push_back(send);
    plan(steps, judge_publish)
}

/// SUB with one topic, or SUBTOPIC for each and one SUB, where the family collects.
pub(super) fn subscribe(
    host: &CmqttHost,
    connection: ConnectionId,
    filters: Vec<TopicFilter>,
) -> Result<Plan, EncodeError> {
    let collects = collects(host, filters.iter().map(|filter| filter.filter.len()));
    let name = if collects { SUBTOPIC } else { SUB };
    let mut steps = VecDeque::new();
    for TopicFilter { filter, qos } in filters {
        let filter = checked(FILTER, filter, host.limits.topic)?;
        steps.push_back(host.staged(name, connection, filter, |writer| {
            writer.integer(qos.level());
        })?);
    }
    if collects {
        steps.push_back(host.step(SUB, connection, |_| {})?);
    }
    plan(steps, judge_subscription)
}

/// UNSUB with one topic, or UNSUBTOPIC for each and one UNSUB, where the family collects.
pub(super) fn unsubscribe(
    host: &CmqttHost,
    connection: ConnectionId,
    filters: Vec<String>,
) -> Result<Plan, EncodeError> {
    let collects = collects(host, filters.iter().map(String::len));
    let mut steps = VecDeque::new();
    for filter in filters {
        let filter = checked(FILTER, filter, host.limits.topic)?;
        steps.push_back(match collects {
            true => host.staged(UNSUBTOPIC, connection, filter, |_| {})?,
            false => host.staged(UNSUB, connection, filter, |writer| {
                writer.flag(false);
            })?,
        });
    }
    if collects {
        steps.push_back(host.step(UNSUB, connection, |writer| {
            writer.flag(false);
        })?);
    }
    plan(steps, judge_subscription)
}

const FILTER: &str = "the topic filter";

/// Whether several topics go in one packet.
fn collects(host: &CmqttHost, lengths: impl Iterator<Item = usize> + Clone) -> bool {
    host.dialect.collects() && lengths.clone().count() > 1 && lengths.sum::<usize>() <= COLLECTED
}

/// The bytes of a text that goes behind a prompt: any, but not none.
pub(super) fn checked(
    field: &'static str,
    text: String,
    max: usize,
) -> Result<Vec<u8>, EncodeError> {
    match text.len() {
        0 => Err(EncodeError::Empty { field }),
        length if length > max => Err(EncodeError::TooLong { field, length, max }),
        _ => Ok(text.into_bytes()),
    }
}

fn plan(
    mut steps: VecDeque<Step>,
    judge: fn(&StepEnd<'_>) -> Outcome,
) -> Result<Plan, EncodeError> {
    // What was given to the module must not be taken for a part of something else.
    if let Some((_, staging)) = steps.make_contiguous().split_last_mut() {
        for step in staging.iter_mut().filter(|step| step.report.is_none()) {
            step.then = Then::Nobody;
        }
    }
    let first = steps
        .pop_front()
        .ok_or(EncodeError::Empty { field: FILTER })?;
    let reports = first.report.is_some();
    let course = Staged {
        steps,
        reports,
        judge,
    };
    Ok(Plan::new(first, Course::Follow(Box::new(course))))
}

/// Steps of which each must succeed.
#[derive(Debug)]
struct Staged {
    steps: VecDeque<Step>,
    /// Whether the step under way acts, and does not only give the module something.
    reports: bool,
    judge: fn(&StepEnd<'_>) -> Outcome,
}

impl Follow for Staged {
    fn next(&mut self, end: &StepEnd<'_>) -> Next {
        if self.reports {
            let outcome = (self.judge)(end);
            if outcome != Outcome::Done {
                return Next::Done(outcome);
            }
        } else if !matches!(end, StepEnd::Done { .. }) {
            // Nothing has been sent without the last one.
            return Next::Done(Outcome::Failed(Proof::NeverLeft));
        }
        match self.steps.pop_front() {
            Some(step) => {
                self.reports = step.report.is_some();
                Next::Step(Box::new(step))
            }
            None => Next::Done(Outcome::Done),
        }
    }
}

/// What the end of PUB means.
fn judge_publish(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done {
            report: Some(Urc::Published { result, reason, .. }),
            ..
        } => Outcome::Published {
            result: *result,
            reason: *reason,
            proof: match result {
                PublishResult::Done => Proof::Acknowledged,
                PublishResult::NotSent if codes::is_unsent(*reason) => Proof::NeverLeft,
                _ => Proof::MayHaveArrived,
            },
        },
        StepEnd::Done { .. } => Outcome::Accepted,
        StepEnd::Refused(_) => Outcome::Failed(Proof::NeverLeft),
        _ => Outcome::Failed(Proof::MayHaveArrived),
    }
}

fn judge_subscription(end: &StepEnd<'_>) -> Outcome {
    match end {
        StepEnd::Done {
            report:
                Some(Urc::SubscriptionChanged {
                    result: Err(reason),
                    ..
                }),
            ..
        } => Outcome::SubscriptionFailed(*reason),
        end => done_or_failed(end),
    }
}
