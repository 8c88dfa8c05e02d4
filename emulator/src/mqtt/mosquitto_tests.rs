//! The client against a real broker, over blocking sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;
use crate::mosquitto::Mosquitto;

/// A client with its socket.
struct Wire {
    client: Client,
    socket: TcpStream,
}

impl Wire {
    fn open(broker: &Mosquitto, options: &ConnectOptions, session: Session) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", broker.port)).expect("a listening broker");
        socket.set_nodelay(true).expect("a TCP socket");
        // Only a broker that has nothing more to say runs into it, which is a failed test.
        socket
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a valid time");
        let client = Client::connect(options, session, Instant::now()).expect("fitting options");
        Self { client, socket }
    }

    fn connect(broker: &Mosquitto, options: &ConnectOptions, session: Session) -> (Self, bool) {
        let mut wire = Self::open(broker, options, session);
        match wire.next() {
            Event::Connected { session_present } => (wire, session_present),
            event => panic!("not connected: {event:?}"),
        }
    }

    /// A connected client with a clean session.
    fn new(broker: &Mosquitto, client_id: &str) -> Self {
        Self::connect(broker, &clean(client_id), Session::default()).0
    }

    fn transmit(&mut self) {
        if let Some(bytes) = self.client.poll_transmit() {
            self.socket.write_all(&bytes).expect("an open socket");
        }
    }

    fn read(&mut self) {
        let mut buffer = [0; 4096];
        let length = self.socket.read(&mut buffer).expect("an answer in time");
        assert!(length > 0, "the broker closed the link");
        self.client.receive(&buffer[..length], Instant::now());
    }

    fn next(&mut self) -> Event {
        loop {
            self.transmit();
            match self.client.poll_event() {
                Some(event) => return event,
                None => self.read(),
            }
        }
    }

    /// The next event, after everything it made the client send has been sent.
    fn next_settled(&mut self) -> Event {
        let event = self.next();
        self.transmit();
        event
    }

    fn publish(&mut self, message_id: u16, qos: QoS, payload: &[u8]) {
        let publication = Publication {
            message_id,
            qos,
            retain: false,
            topic: "t",
            payload,
        };
        self.client
            .publish(&publication, Instant::now())
            .expect("a connected client");
        self.transmit();
    }

    fn publish_completely(&mut self, message_id: u16, qos: QoS, payload: &[u8]) {
        self.publish(message_id, qos, payload);
        assert_eq!(self.next(), Event::Published { message_id });
    }

    fn subscribe(&mut self, message_id: u16, filter: &str, qos: QoS) {
        self.client
            .subscribe(message_id, &[(filter, qos)], Instant::now())
            .expect("a connected client");
        let codes = vec![qos as u8];
        assert_eq!(self.next(), Event::Subscribed { message_id, codes });
    }

    fn next_message(&mut self) -> Message {
        match self.next_settled() {
            Event::Received(message) => message,
            event => panic!("no message: {event:?}"),
        }
    }
}

fn clean(client_id: &str) -> ConnectOptions {
    ConnectOptions {
        clean_session: true,
        ..ConnectOptions::new(client_id)
    }
}

const EACH_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

#[test]
fn each_qos_goes_both_ways_in_both_versions() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let payload = b"\"quotes\", CR LF \r\n NUL \0 Ctrl-Z \x1a and \xff";
    for version in [Version::V3_1_1, Version::V3_1] {
        let options = ConnectOptions {
            version,
            ..clean("both-ways")
        };
        let (mut wire, session_present) = Wire::connect(&broker, &options, Session::default());
        assert!(!session_present);
        wire.subscribe(7, "t", QoS::ExactlyOnce);
        for (message_id, qos) in (0..).zip(EACH_QOS) {
            wire.publish(message_id, qos, payload);
            let (mut published, mut received) = (false, None);
            while !published || received.is_none() {
                match wire.next_settled() {
                    Event::Published { message_id: id } => {
                        assert_eq!(id, message_id);
                        published = true;
                    }
                    Event::Received(message) => received = Some(message),
                    event => panic!("unexpected: {event:?}"),
                }
            }
            let message = received.expect("the loop waits for it");
            assert_eq!((message.qos, &message.payload[..]), (qos, &payload[..]));
            assert_eq!(message.message_id == 0, qos == QoS::AtMostOnce);
        }
        wire.client
            .unsubscribe(0, &["t"], Instant::now())
            .expect("a connected client");
        assert_eq!(wire.next(), Event::Unsubscribed { message_id: 0 });
        assert_eq!(wire.client.stale_acknowledgements(), 0);
    }
}

#[test]
fn a_retained_message_is_marked() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let mut wire = Wire::new(&broker, "retain");
    let publication = Publication {
        message_id: 1,
        qos: QoS::AtLeastOnce,
        retain: true,
        topic: "kept",
        payload: b"1122334455",
    };
    wire.client
        .publish(&publication, Instant::now())
        .expect("a connected client");
    assert_eq!(wire.next(), Event::Published { message_id: 1 });
    wire.subscribe(2, "#", QoS::AtLeastOnce);
    let message = wire.next_message();
    assert!(message.retain);
    assert_eq!(
        (&*message.topic, &*message.payload),
        ("kept", &b"1122334455"[..])
    );
}

#[test]
fn refusals_carry_the_code_of_the_broker() {
    let Some(broker) = Mosquitto::with_config(|_| "allow_anonymous false\n".to_owned()) else {
        return;
    };
    let mut wire = Wire::open(&broker, &clean("nobody"), Session::default());
    assert_eq!(wire.next(), Event::Refused { code: 5 });

    let nameless = ConnectOptions::new("");
    let mut wire = Wire::open(&broker, &nameless, Session::default());
    assert_eq!(wire.next(), Event::Refused { code: 2 });
}

#[test]
fn the_will_is_published_when_the_link_is_cut_and_not_after_disconnect() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let mut witness = Wire::new(&broker, "witness");
    witness.subscribe(1, "#", QoS::ExactlyOnce);
    let options = |topic: &str| ConnectOptions {
        will: Some(Will {
            topic: topic.to_owned(),
            payload: b"off".to_vec(),
            qos: QoS::AtLeastOnce,
            retain: false,
        }),
        ..clean(topic)
    };
    let (mut polite, _) = Wire::connect(&broker, &options("polite"), Session::default());
    polite.client.disconnect();
    polite.transmit();
    drop(polite);
    let (cut, _) = Wire::connect(&broker, &options("cut"), Session::default());
    drop(cut);
    let message = witness.next_message();
    assert_eq!((&*message.topic, &*message.payload), ("cut", &b"off"[..]));
}

#[test]
fn a_persistent_session_gets_what_came_while_it_was_away() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let options = ConnectOptions::new("away");
    let (mut wire, _) = Wire::connect(&broker, &options, Session::default());
    wire.subscribe(1, "t", QoS::ExactlyOnce);
    wire.client.disconnect();
    wire.transmit();
    let session = wire.client.into_session();

    let mut sender = Wire::new(&broker, "sender");
    sender.publish_completely(1, QoS::AtLeastOnce, b"one");
    sender.publish_completely(2, QoS::ExactlyOnce, b"two");

    let (mut wire, session_present) = Wire::connect(&broker, &options, session);
    assert!(session_present);
    assert_eq!(wire.next_message().payload, b"one");
    assert_eq!(wire.next_message().payload, b"two");
}

#[test]
fn a_qos_2_message_is_delivered_once_over_a_cut_link() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let options = ConnectOptions::new("once");
    let (mut wire, _) = Wire::connect(&broker, &options, Session::default());
    wire.subscribe(1, "t", QoS::ExactlyOnce);
    let mut sender = Wire::new(&broker, "sender");
    sender.publish_completely(1, QoS::ExactlyOnce, b"first");

    // The message is delivered; PUBREC is never sent.
    assert!(matches!(wire.next(), Event::Received(message) if message.payload == b"first"));
    let session = wire.client.into_session();
    drop(wire.socket);

    let (mut wire, session_present) = Wire::connect(&broker, &options, session);
    assert!(session_present);
    sender.publish_completely(2, QoS::ExactlyOnce, b"second");
    assert_eq!(wire.next_message().payload, b"second");
}

#[test]
fn a_publish_cut_off_is_resumed_and_arrives_once() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let mut witness = Wire::new(&broker, "witness");
    witness.subscribe(1, "t", QoS::ExactlyOnce);
    let options = ConnectOptions::new("cut-off");
    let (mut wire, _) = Wire::connect(&broker, &options, Session::default());
    wire.publish(5, QoS::ExactlyOnce, b"first");
    // The broker has it and says so, which the client never reads.
    wire.socket.read_exact(&mut [0; 4]).expect("PUBREC");
    let session = wire.client.into_session();
    drop(wire.socket);

    let (mut wire, session_present) = Wire::connect(&broker, &options, session);
    assert!(session_present);
    assert_eq!(wire.next_settled(), Event::Published { message_id: 5 });
    wire.publish_completely(6, QoS::ExactlyOnce, b"second");
    assert_eq!(witness.next_message().payload, b"first");
    assert_eq!(witness.next_message().payload, b"second");
}

#[test]
fn keepalive_is_answered() {
    let Some(broker) = Mosquitto::start() else {
        return;
    };
    let mut wire = Wire::new(&broker, "keepalive");
    let due = wire.client.poll_timeout().expect("keepalive is on");
    wire.client.handle_timeout(due);
    wire.transmit();
    let answer_due = wire.client.poll_timeout();
    assert_eq!(answer_due, Some(due + Duration::from_secs(10)));
    wire.read();
    assert_ne!(wire.client.poll_timeout(), answer_due);
    assert_eq!(wire.client.poll_event(), None);
}
