use std::collections::HashMap;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::mqtt::{LinkStatus, Reason, ReasonKind};
use proptest::prelude::*;

use super::super::message::Receipt;
use super::*;
use crate::error::{Disconnected, RequestError};

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> QueuePolicy {
    QueuePolicy {
        messages: 3,
        bytes: 1000,
        when_full: WhenFull::Refuse,
        expire_after: None,
        attempts: 3,
        in_doubt: InDoubt::GiveUp,
    }
}

fn message(payload: &str) -> Outgoing {
    Outgoing::new("t", payload)
}

fn push(outbox: &mut Outbox, message: Outgoing, now: Instant) -> (u64, Receipt) {
    let (sender, receipt) = Receipt::new();
    (outbox.push(message, sender, now).unwrap(), receipt)
}

/// What the queue wants to be sent.
fn send(outbox: &mut Outbox, now: Instant) -> (u64, String) {
    match outbox.next(now) {
        Next::Send { id, message } => (id, String::from_utf8(message.payload).unwrap()),
        other => panic!("{other:?} instead of a message"),
    }
}

fn link_lost() -> PublishError {
    PublishError::Unknown(Error::Exchange(ExchangeError::LinkLost {
        command: "AT+LMQTTPUB".into(),
        status: LinkStatus::ClosedByServer,
        code: None,
    }))
}

fn refused() -> PublishError {
    PublishError::NotSent(Error::Exchange(ExchangeError::Refused {
        command: "AT+LMQTTPUB".into(),
        result: FinalResult::Error,
    }))
}

fn not_connected() -> PublishError {
    PublishError::NotSent(Error::Disconnected(Disconnected::Rebooted))
}

fn unwritable() -> PublishError {
    PublishError::NotSent(Error::Request(RequestError::NotACommand))
}

#[test]
fn messages_leave_in_the_order_in_which_they_came() {
    let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
    let mut receipts = Vec::new();
    for payload in ["1", "2", "3"] {
        receipts.push(push(&mut outbox, message(payload), now).1);
    }
    assert_eq!(outbox.depth().bytes, 3 * (64 + 2));
    for (payload, receipt) in ["1", "2", "3"].into_iter().zip(&mut receipts) {
        let (id, sent) = send(&mut outbox, now);
        assert_eq!(sent, payload);
        assert_eq!(receipt.try_outcome(), None);
        let afterwards = outbox.sent(id, Ok(Delivery::Acknowledged), now);
        assert_eq!(afterwards, Afterwards::Sound);
        let delivered = receipt.try_outcome().unwrap().unwrap();
        assert_eq!(delivered.delivery, Delivery::Acknowledged);
        assert!(!delivered.repeated);
    }
    assert_eq!(outbox.next(now), Next::Idle);
    assert_eq!(outbox.depth(), QueueDepth::default());
}

#[test]
fn a_full_queue_refuses_by_number_and_by_bytes() {
    let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
    for payload in ["1", "2", "3"] {
        let _ = push(&mut outbox, message(payload), now);
    }
    let (sender, _receipt) = Receipt::new();
    assert_eq!(
        outbox.push(message("4"), sender, now),
        Err(Undelivered::Full {
            messages: 3,
            bytes: 198
        })
    );
    assert_eq!(
        outbox.check(&message(&"x".repeat(936))),
        Err(Undelivered::TooLarge {
            bytes: 1001,
            limit: 1000
        })
    );
    assert_eq!(outbox.check(&message(&"x".repeat(935))), Ok(()));
    assert!(!outbox.has_room(&message("")));
    assert_eq!(outbox.counters.rejected, 2);
}

#[test]
fn the_oldest_make_room_but_not_the_one_that_is_being_sent() {
    let mut policy = policy();
    policy.when_full = WhenFull::DropOldest;
    let (mut outbox, now) = (Outbox::new(policy, false), Instant::now());
    let (first, mut sending) = push(&mut outbox, message("1"), now);
    let (_, mut oldest) = push(&mut outbox, message("2"), now);
    let (_, mut third) = push(&mut outbox, message(&"x".repeat(600)), now);
    assert_eq!(send(&mut outbox, now).0, first);
    // Both others are in the way of its bytes.
    let _ = push(&mut outbox, message(&"y".repeat(700)), now);
    assert_eq!(sending.try_outcome(), None);
    let displaced = Some(Err(Undelivered::Displaced {
        may_have_arrived: false,
    }));
    assert_eq!(oldest.try_outcome(), displaced);
    assert_eq!(third.try_outcome(), displaced);
    // What cannot make room is kept, and the new one refused.
    let (sender, _receipt) = Receipt::new();
    let large = outbox.push(message(&"z".repeat(930)), sender, now);
    assert!(matches!(large, Err(Undelivered::Full { messages: 1, .. })));
    outbox.sent(first, Ok(Delivery::Acknowledged), now);
    assert!(sending.try_outcome().unwrap().is_ok());
}

#[test]
fn messages_expire_but_not_the_one_that_is_being_sent() {
    let mut policy = policy();
    policy.expire_after = Some(10 * SECOND);
    let (mut outbox, now) = (Outbox::new(policy, false), Instant::now());
    let (first, mut sending) = push(&mut outbox, message("1"), now);
    let short = message("2").expire_after(SECOND);
    let (_, mut short) = push(&mut outbox, short, now);
    let (_, mut last) = push(&mut outbox, message("3"), now);
    assert_eq!(outbox.next_expiry(), Some(now + SECOND));
    assert_eq!(send(&mut outbox, now).0, first);
    outbox.expire(now + SECOND);
    let expired = |may_have_arrived| Some(Err(Undelivered::Expired { may_have_arrived }));
    assert_eq!(short.try_outcome(), expired(false));
    outbox.expire(now + 10 * SECOND);
    assert_eq!(last.try_outcome(), expired(false));
    assert_eq!(sending.try_outcome(), None);
    assert_eq!(outbox.next_expiry(), None);
    // Its time is over when it comes back from the module, and perhaps it has arrived.
    outbox.sent(first, Err(link_lost()), now + 10 * SECOND);
    assert_eq!(outbox.next(now + 10 * SECOND), Next::Idle);
    assert_eq!(sending.try_outcome(), expired(true));
    assert_eq!(outbox.counters.expired, 3);
}

#[test]
fn what_was_lost_on_the_way_is_repeated_by_its_quality_of_service() {
    for (qos, in_doubt, again) in [
        (QoS::AtMostOnce, InDoubt::Repeat, false),
        (QoS::AtLeastOnce, InDoubt::GiveUp, true),
        (QoS::ExactlyOnce, InDoubt::GiveUp, false),
        (QoS::ExactlyOnce, InDoubt::Repeat, true),
    ] {
        let mut policy = policy();
        policy.in_doubt = in_doubt;
        let (mut outbox, now) = (Outbox::new(policy, false), Instant::now());
        let (id, mut receipt) = push(&mut outbox, message("1").qos(qos), now);
        send(&mut outbox, now);
        let afterwards = outbox.sent(id, Err(link_lost()), now);
        assert!(matches!(afterwards, Afterwards::Reconnect(_)));
        if again {
            assert_eq!(send(&mut outbox, now).0, id);
            outbox.sent(id, Ok(Delivery::Acknowledged), now);
            assert!(receipt.try_outcome().unwrap().unwrap().repeated);
            assert_eq!(outbox.counters.repeated, 1);
        } else {
            let outcome = receipt.try_outcome().unwrap().unwrap_err();
            assert_eq!(outcome, Undelivered::InDoubt(link_lost()));
            assert!(outcome.may_have_arrived());
            assert_eq!(outbox.next(now), Next::Idle);
        }
    }
}

#[test]
fn what_the_module_was_not_given_is_no_attempt() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
        let (id, mut receipt) = push(&mut outbox, message("1").qos(qos), now);
        for _ in 0..10 {
            assert_eq!(send(&mut outbox, now).0, id);
            outbox.sent(id, Err(not_connected()), now);
        }
        send(&mut outbox, now);
        outbox.sent(id, Ok(Delivery::Acknowledged), now);
        assert!(!receipt.try_outcome().unwrap().unwrap().repeated);
    }
}

#[test]
fn a_message_that_cannot_be_carried_does_not_block_those_behind() {
    let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
    let (id, mut bad) = push(&mut outbox, message("bad"), now);
    let _ = push(&mut outbox, message("good"), now);
    send(&mut outbox, now);
    assert_eq!(outbox.sent(id, Err(unwritable()), now), Afterwards::Sound);
    assert_eq!(
        bad.try_outcome(),
        Some(Err(Undelivered::Refused {
            attempts: 0,
            may_have_arrived: false,
            error: unwritable()
        }))
    );
    assert_eq!(send(&mut outbox, now).1, "good");
}

#[test]
fn a_message_that_is_refused_again_and_again_does_not_block_for_ever() {
    for error in [
        refused(),
        PublishError::Failed {
            reason: Reason::new(ReasonKind::BadParameter, Some(7)),
            may_have_arrived: false,
        },
    ] {
        let (mut outbox, mut now) = (Outbox::new(policy(), false), Instant::now());
        let (id, mut bad) = push(&mut outbox, message("bad"), now);
        let _ = push(&mut outbox, message("good"), now);
        for attempt in 1..=3 {
            assert_eq!(send(&mut outbox, now).0, id);
            let afterwards = outbox.sent(id, Err(error.clone()), now);
            assert_eq!(afterwards, Afterwards::AskState);
            if attempt < 3 {
                assert_eq!(outbox.next(now), Next::Wait(now + SECOND * attempt));
                now += SECOND * attempt;
            }
        }
        let outcome = bad.try_outcome().unwrap().unwrap_err();
        assert!(matches!(outcome, Undelivered::Refused { attempts: 3, .. }));
        assert_eq!(send(&mut outbox, now).1, "good");
    }
}

#[test]
fn a_message_on_which_the_broker_closes_the_link_does_not_block_for_ever() {
    let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
    let (id, mut bad) = push(&mut outbox, message("forbidden"), now);
    let _ = push(&mut outbox, message("good"), now);
    for _ in 0..3 {
        assert_eq!(send(&mut outbox, now).0, id);
        outbox.sent(id, Err(link_lost()), now);
    }
    assert_eq!(
        bad.try_outcome(),
        Some(Err(Undelivered::Refused {
            attempts: 3,
            may_have_arrived: true,
            error: link_lost()
        }))
    );
    assert_eq!(send(&mut outbox, now).1, "good");
}

#[test]
fn everyone_is_told_when_it_stops() {
    let (mut outbox, now) = (Outbox::new(policy(), false), Instant::now());
    let (first, mut sent) = push(&mut outbox, message("1"), now);
    let (_, mut waiting) = push(&mut outbox, message("2"), now);
    send(&mut outbox, now);
    outbox.sent(first, Err(link_lost()), now);
    outbox.stop(&Stopped::Requested);
    let stopped = |may_have_arrived| {
        Some(Err(Undelivered::Stopped {
            why: Stopped::Requested,
            may_have_arrived,
        }))
    };
    assert_eq!(sent.try_outcome(), stopped(true));
    assert_eq!(waiting.try_outcome(), stopped(false));
    assert_eq!(outbox.depth(), QueueDepth::default());
    assert_eq!(outbox.counters.abandoned, 2);
}

#[derive(Debug, Clone)]
enum Step {
    Push {
        qos: u8,
        length: usize,
        lifetime: u64,
    },
    Send,
    Outcome(u8),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3u8, 0..400usize, 0..20u64).prop_map(|(qos, length, lifetime)| Step::Push {
            qos,
            length,
            lifetime
        }),
        Just(Step::Send),
        (0..6u8).prop_map(Step::Outcome),
        (0..5u64).prop_map(Step::Pass),
    ]
}

fn outcome(number: u8) -> Result<Delivery, PublishError> {
    Err(match number {
        0 => return Ok(Delivery::Acknowledged),
        1 => link_lost(),
        2 => refused(),
        3 => not_connected(),
        4 => unwritable(),
        _ => PublishError::WrongAcknowledgement {
            reason: Reason::NONE,
        },
    })
}

proptest! {
    /// Whatever happens: each message is told of once, in the queue or counted; bounds hold; and
    /// none is sent before one that came earlier and still waits.
    #[test]
    fn the_books_balance(
        steps in proptest::collection::vec(step(), 0..200),
        when_full in prop_oneof![Just(WhenFull::DropOldest), Just(WhenFull::Refuse)],
        in_doubt in prop_oneof![Just(InDoubt::GiveUp), Just(InDoubt::Repeat)],
    ) {
        let policy = QueuePolicy { when_full, in_doubt, ..policy() };
        let mut outbox = Outbox::new(policy, false);
        let mut now = Instant::now();
        let mut waiting = HashMap::new();
        let mut sending = None;
        let mut last = 0;
        let mut told = 0;
        for step in steps {
            match step {
                Step::Push { qos, length, lifetime } => {
                    let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][usize::from(qos)];
                    let message = message(&"x".repeat(length))
                        .qos(qos)
                        .expire_after(SECOND * lifetime as u32);
                    let (sender, receipt) = Receipt::new();
                    if let Ok(id) = outbox.push(message, sender, now) {
                        waiting.insert(id, receipt);
                    }
                }
                Step::Send if sending.is_none() => match outbox.next(now) {
                    Next::Send { id, .. } => {
                        prop_assert!(id >= last);
                        last = id;
                        sending = Some(id);
                    }
                    Next::Wait(until) => prop_assert!(until > now),
                    Next::Idle => prop_assert!(outbox.is_empty()),
                    Next::Take(_) => prop_assert!(false, "there is no disk"),
                },
                Step::Send => {}
                Step::Outcome(number) => {
                    if let Some(id) = sending.take() {
                        outbox.sent(id, outcome(number), now);
                    }
                }
                Step::Pass(seconds) => {
                    now += SECOND * seconds as u32;
                    outbox.expire(now);
                }
            }
            waiting.retain(|_, receipt| {
                let outcome = receipt.try_outcome();
                told += u64::from(outcome.is_some());
                outcome.is_none()
            });
            let depth = outbox.depth();
            prop_assert!(depth.messages <= 3 && depth.bytes <= 1000);
            prop_assert_eq!(depth.messages, waiting.len());
            let counters = outbox.counters;
            let left = counters.delivered + counters.expired + counters.displaced
                + counters.refused + counters.in_doubt;
            prop_assert_eq!(left, told);
            prop_assert_eq!(counters.enqueued, told + waiting.len() as u64);
        }
    }
}
