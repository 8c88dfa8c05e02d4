use atmq_protocol::mqtt::{Reason, ReasonKind};
use tokio::sync::oneshot::Receiver;

use super::*;
use crate::error::Disconnected;

type Waiting = Receiver<Result<(), Error>>;

fn subscribe(subscriptions: &mut Subscriptions, filter: &str, qos: QoS) -> Waiting {
    let (told, waiting) = oneshot::channel();
    subscriptions.subscribe(filter.into(), qos, told);
    waiting
}

fn unsubscribe(subscriptions: &mut Subscriptions, filter: &str) -> Waiting {
    let (told, waiting) = oneshot::channel();
    subscriptions.unsubscribe(filter.into(), told);
    waiting
}

/// Does the next thing with this outcome.
fn change(subscriptions: &mut Subscriptions, outcome: &Result<(), Error>) -> (String, Changed) {
    let change = subscriptions.next().expect("there is something to do");
    let changed = subscriptions.changed(&change, outcome, 3);
    match change {
        Change::Subscribe { filter, .. } => (format!("+{filter}"), changed),
        Change::Unsubscribe { filter } => (format!("-{filter}"), changed),
    }
}

fn refused() -> Result<(), Error> {
    Err(Error::Subscription {
        filter: "a".into(),
        reason: Reason::new(ReasonKind::Refused, Some(128)),
    })
}

fn no_report() -> Result<(), Error> {
    Err(Error::Exchange(ExchangeError::NoReport {
        command: "AT+LMQTTSUB".into(),
        limit: std::time::Duration::from_secs(1),
        sent_again: false,
    }))
}

fn gone() -> Result<(), Error> {
    Err(Error::Disconnected(Disconnected::Rebooted))
}

#[test]
fn each_connection_gets_all_subscriptions_in_their_order() {
    let mut subscriptions = Subscriptions::default();
    let mut first = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    let _second = subscribe(&mut subscriptions, "b", QoS::AtMostOnce);
    for expected in [("+a", Changed::Done), ("+b", Changed::Done)] {
        let (what, changed) = change(&mut subscriptions, &Ok(()));
        assert_eq!((&what[..], changed), expected);
    }
    assert_eq!(first.try_recv().unwrap(), Ok(()));
    assert_eq!(subscriptions.next(), None);
    subscriptions.connected(true);
    for expected in [("+a", Changed::Again), ("+b", Changed::Again)] {
        let (what, changed) = change(&mut subscriptions, &Ok(()));
        assert_eq!((&what[..], changed), expected);
    }
    assert_eq!(subscriptions.next(), None);
}

#[test]
fn what_is_refused_at_once_is_forgotten_and_told() {
    let mut subscriptions = Subscriptions::default();
    let mut waiting = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    assert!(subscriptions.is_awaited(&subscriptions.next().unwrap()));
    assert_eq!(change(&mut subscriptions, &refused()).1, Changed::GivenUp);
    assert_eq!(waiting.try_recv().unwrap(), refused());
    subscriptions.connected(true);
    assert_eq!(subscriptions.next(), None);
}

#[test]
fn what_was_taken_once_is_tried_again_on_the_next_connection() {
    let mut subscriptions = Subscriptions::default();
    let _waiting = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    change(&mut subscriptions, &Ok(()));
    subscriptions.connected(true);
    assert_eq!(change(&mut subscriptions, &refused()).1, Changed::GivenUp);
    assert_eq!(subscriptions.next(), None);
    subscriptions.connected(true);
    assert_eq!(change(&mut subscriptions, &Ok(())).1, Changed::Again);
}

#[test]
fn a_subscription_that_fails_again_and_again_does_not_block_for_ever() {
    let mut subscriptions = Subscriptions::default();
    let mut waiting = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    for _ in 0..10 {
        assert_eq!(change(&mut subscriptions, &gone()).1, Changed::Later);
    }
    for expected in [Changed::Later, Changed::Later, Changed::GivenUp] {
        assert!(waiting.try_recv().is_err());
        assert_eq!(change(&mut subscriptions, &no_report()).1, expected);
    }
    assert_eq!(waiting.try_recv().unwrap(), no_report());
}

#[test]
fn what_is_taken_back_without_a_connection_depends_on_the_session() {
    for clean in [true, false] {
        let mut subscriptions = Subscriptions::default();
        let _waiting = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
        change(&mut subscriptions, &Ok(()));
        let mut left = unsubscribe(&mut subscriptions, "a");
        subscriptions.connected(clean);
        if !clean {
            let (what, changed) = change(&mut subscriptions, &Ok(()));
            assert_eq!((&what[..], changed), ("-a", Changed::Done));
        }
        assert_eq!(left.try_recv().unwrap(), Ok(()));
        assert_eq!(subscriptions.next(), None);
    }
}

#[test]
fn the_last_wish_counts() {
    let mut subscriptions = Subscriptions::default();
    let mut first = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    let asked = subscriptions.next().unwrap();
    // Meanwhile another quality is wanted: what comes of the first does not answer that.
    let mut second = subscribe(&mut subscriptions, "a", QoS::ExactlyOnce);
    assert_eq!(subscriptions.changed(&asked, &Ok(()), 3), Changed::Done);
    assert!(first.try_recv().is_err());
    change(&mut subscriptions, &Ok(()));
    assert_eq!(first.try_recv().unwrap(), Ok(()));
    assert_eq!(second.try_recv().unwrap(), Ok(()));
    // Taken back and wanted again before anything was sent.
    let _left = unsubscribe(&mut subscriptions, "a");
    let _back = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    assert_eq!(change(&mut subscriptions, &Ok(())).0, "+a");
    assert_eq!(subscriptions.next(), None);
}

#[test]
fn everyone_is_told_when_it_stops() {
    let mut subscriptions = Subscriptions::default();
    let mut coming = subscribe(&mut subscriptions, "a", QoS::AtMostOnce);
    let mut going = unsubscribe(&mut subscriptions, "b");
    subscriptions.stop(&Error::Disconnected(Disconnected::Requested));
    assert!(coming.try_recv().unwrap().is_err());
    assert!(going.try_recv().unwrap().is_err());
}
