//! A publisher anywhere in the network, whose topics and payloads a module reports.

use std::time::{Duration, Instant};

use atmq_driver::session::{Answer, Command, Event, RawCommand, Session};
use atmq_driver::{ConnectionId, QoS};
use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::dialect::lmqtt::FormatTable;
use atmq_protocol::dialect::lmqtt::NT35E;
use atmq_protocol::mqtt::{Operation, Publish, PublishResult, Urc};

use crate::pieces::pieces;

/// The first byte decides the cuts. Behind it stand messages, apart by `0xff`, each a topic and a
/// payload, apart by `0xfe`. Topics that hold control characters, or that no module takes, are
/// passed over: nothing is promised of the first, and the second do not exist.
///
/// # Panics
/// Something is received that was not published, or in another order, or happens that nobody has
/// said.
pub(crate) fn check(data: &[u8]) {
    let [seed, messages @ ..] = data else {
        return;
    };
    let messages: Vec<_> = messages
        .split(|byte| *byte == 0xff)
        .filter_map(message)
        .collect();
    let mut formats = FormatTable::default();
    formats[ConnectionId(0)].show_length = true;
    let mut host = Host::new();
    host.ask(Command::Raw(RawCommand::new(
        "AT+LMQTTCFG=\"recv/mode\",0,0,1",
    )));
    host.hear(b"\r\nOK\r\n", *seed);
    let publish = Operation::Publish(Publish {
        connection: ConnectionId(0),
        message_id: 1,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "t".into(),
        payload: b"x".to_vec(),
    });
    let plan = host.session.plan(publish);
    let step = plan.expect("commands can carry it").begin();
    host.ask(Command::Step(step.expect("it has a step")));
    let (first, second) = messages.split_at(messages.len() / 2);
    for (part, own) in [(first, "OK"), (second, "+LMQTTPUB: 0,1,2,6")] {
        let mut said = Vec::new();
        for (topic, payload) in part {
            said.extend_from_slice(b"\r\n");
            let urc = Urc::Received {
                connection: ConnectionId(0),
                message_id: 1,
                topic: (*topic).into(),
                payload: (*payload).into(),
            };
            Lmqtt::DEFAULT.encode_urc(&urc, &formats, &mut said);
            said.extend_from_slice(b"\r\n");
        }
        host.hear(&said, *seed);
        host.wait(Duration::from_secs(1));
        host.hear(format!("\r\n{own}\r\n").as_bytes(), *seed);
    }
    let mut published = messages.iter();
    let mut ends = 0;
    for event in host.events {
        match event {
            Event::Urc(Urc::Received { topic, payload, .. }) => {
                let known = published.any(|known| *known == (&*topic, &*payload));
                assert!(
                    known,
                    "{topic:?} {} was not published",
                    payload.escape_ascii()
                );
            }
            Event::Completed(Ok(Answer::Raw(_))) => ends += 1,
            Event::Completed(Ok(Answer::Mqtt { report, .. })) => {
                ends += 1;
                let expected = (ends == 2).then_some(Urc::Published {
                    connection: ConnectionId(0),
                    message_id: 1,
                    result: PublishResult::NotSent,
                    reason: atmq_protocol::mqtt::Reason::new(
                        atmq_protocol::mqtt::ReasonKind::NotSent,
                        Some(6),
                    ),
                });
                assert_eq!(report, expected);
            }
            Event::Unreadable { .. } | Event::Unrecognised(_) => {}
            other => panic!("nobody said {other:?}"),
        }
    }
    assert_eq!(ends, 2, "exchanges that ended");
}

fn message(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0xfe)?;
    let topic = std::str::from_utf8(&bytes[..end]).ok()?;
    let carried = (1..=NT35E.limits.topic).contains(&topic.len());
    (carried && !topic.contains(|c: char| c.is_ascii_control()))
        .then_some((topic, &bytes[end + 1..]))
}

struct Host {
    session: Session,
    now: Instant,
    events: Vec<Event>,
}

impl Host {
    fn new() -> Self {
        Self {
            session: Session::new(&NT35E),
            now: Instant::now(),
            events: Vec::new(),
        }
    }

    fn ask(&mut self, command: Command) {
        let asked = self.session.request(command, None, self.now);
        asked.expect("the command can be written, and nothing is under way");
    }

    fn hear(&mut self, bytes: &[u8], seed: u8) {
        for piece in pieces(bytes, seed) {
            self.session.receive(piece, self.now);
        }
        self.take();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = deadline;
            self.session.handle_timeout(deadline);
            self.take();
        }
        self.now = end;
    }

    fn take(&mut self) {
        while self.session.poll_transmit().is_some() {}
        self.events
            .extend(std::iter::from_fn(|| self.session.poll_event()));
    }
}
