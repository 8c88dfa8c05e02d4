//! Plans of which some wait for a report while others have the line.

use atmq_protocol::dialect::{Expected, Reported};
use atmq_protocol::mqtt::{Publish, QoS};

use super::*;

const OPEN: &str = r#"AT+LMQTTOPEN=0,\"h\",1883\r"#;

/// Only the connection that waits for a report has no turn.
#[test]
fn others_go_on_while_a_report_is_awaited() {
    let mut host = Host::new();
    let (first, second) = (link(0), link(1));
    let mut connecting = host.start(connect(0, false), Some(&first));
    host.until(OPEN);
    host.hear(OK);
    assert!(!host.performer.is_exclusive(&host.session));
    let _other = host.start(connect(1, false), Some(&second));
    assert_eq!(host.next(), close(1));
    host.hear(OK);
    // Nobody's turn: both wait for a report.
    assert_eq!(host.next(), "");
    assert!(!host.performer.is_due(&host.session));
    host.hear("\r\n+LMQTTCLOSE: 1,0\r\n");
    assert_eq!(host.next(), r#"AT+LMQTTCFG=\"recv/mode\",1,0,1\r"#);
    host.hear("\r\n+LMQTTOPEN: 0,0\r\n\r\nOK\r\n");
    assert_eq!(host.next(), r#"AT+LMQTTCONN=0,\"id\"\r"#);
    host.hear("\r\nOK\r\n\r\n+LMQTTCONN: 0,0,0\r\n");
    let (outcome, error) = (Outcome::Done, None);
    let told = Performed { outcome, error };
    assert_eq!(connecting.try_recv(), Ok(Ok(Some(told))));
}

#[test]
fn what_waits_for_a_report_keeps_its_order() {
    let mut host = Host::new();
    let message = |message_id| {
        Operation::Publish(Publish {
            connection: ConnectionId(0),
            message_id,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "t".into(),
            payload: b"a".to_vec(),
        })
    };
    let line = |id| format!(r#"AT+LMQTTPUB=0,{id},1,0,\"t\",1,\"a\"\r"#);
    let _first = host.start(message(1), None);
    assert_eq!(host.next(), line(1));
    host.hear(OK);
    let _waiting = [2, 3, 4].map(|id| host.start(message(id), None));
    // Another connection's goes ahead of them.
    assert_eq!(host.next(), "");
    let _state = host.start(state(1), None);
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    host.hear(OK);
    for id in [1, 2, 3] {
        assert_eq!(host.next(), "");
        host.hear(&format!("\r\n+LMQTTPUB: 0,{id},0\r\n"));
        assert_eq!(host.next(), line(id + 1));
        host.hear(OK);
    }
}

/// The report of the topic is awaited: nobody comes before the payload all the same.
#[test]
fn a_report_is_awaited_alone_by_what_is_inseparable() {
    let mut host = Host::new();
    let mut topic = Step::new(b"AT+TOPIC\r".into(), Duration::from_secs(5));
    topic.then = Then::Nobody;
    topic.report = Some(Expected {
        what: Reported::Published,
        connection: ConnectionId(0),
        message_id: None,
    });
    let _told = host.start(state(0), None);
    let (performing, _) = host.performer.queue.pop_front().expect("it waits");
    let plan = Plan::new(topic, Course::Follow(Box::new(TwoSteps)));
    host.performer.go_on(performing, plan);
    assert_eq!(host.next(), r"AT+TOPIC\r");
    host.hear(OK);
    let _other = host.start(state(1), None);
    assert!(host.performer.is_exclusive(&host.session));
    assert_eq!(host.next(), "");
    host.hear("\r\n+LMQTTPUB: 0,0,0\r\n");
    assert_eq!(host.next(), r"AT+PAYLOAD\r");
}

/// One is undone when its report has come, the other is not touched.
#[test]
fn a_connect_that_is_dropped_while_its_link_is_opened_is_undone_behind_the_report() {
    let mut host = Host::new();
    let link = link(0);
    let connecting = host.start(connect(0, false), Some(&link));
    host.until(OPEN);
    host.hear(OK);
    drop(connecting);
    let _state = host.start(state(1), None);
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    host.hear("\r\n+LMQTTOPEN: 0,0\r\n\r\nOK\r\n");
    let _state = host.start(state(1), None);
    assert_eq!(host.next(), close(0));
    host.hear(OK);
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    host.hear("\r\n+LMQTTCLOSE: 0,0\r\n\r\nOK\r\n");
    assert_eq!(link.ended(), Some(Disconnected::NotEstablished));
    assert!(host.performer.is_idle());
}
