//! The driver's session, and a module that says anything at any time.

use std::time::{Duration, Instant};

use atmq_driver::session::{Command, Event, Publish, RawCommand, Session};
use atmq_driver::{ConnectionId, QoS};
use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::mqtt::{DataFormat, Request, Setting};
use atmq_protocol::standard::StandardRequest;

use crate::pieces::pieces;

/// Longer than any exchange takes, with all probes behind it.
const END: Duration = Duration::from_secs(1000);

/// How often a session may want to be woken in that time.
const WAKES: usize = 10_000;

/// The first byte decides the cuts, the second what is asked for. Of the rest a byte `0xff` is a
/// pause of 3 seconds.
///
/// # Panics
/// Another cut gives other events or other bytes to the module; an exchange ends more than once or
/// not at all; the session is never at rest.
pub(crate) fn check(data: &[u8]) {
    let [seed, first, bytes @ ..] = data else {
        return;
    };
    let whole = run(*first, bytes, |bytes, host| host.hear(bytes));
    let split = run(*first, bytes, |bytes, host| {
        for piece in pieces(bytes, *seed) {
            host.hear(piece);
        }
    });
    assert_eq!(split, whole);
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    events: Vec<Event>,
    written: Vec<u8>,
}

fn run(first: u8, bytes: &[u8], hear: impl Fn(&[u8], &mut Host)) -> Seen {
    let mut host = Host::new();
    for (number, heard) in (first..=u8::MAX)
        .cycle()
        .zip(bytes.split(|byte| *byte == 0xff))
    {
        // What waits behind a fence is sent in the middle of what is heard, and not answered by
        // what has come before.
        if !host.session.is_listening() {
            host.ask(command(number));
        }
        // To hear nothing is not to hear.
        if !heard.is_empty() {
            hear(heard, &mut host);
        }
        host.wait(Duration::from_secs(3));
    }
    host.wait(END);
    let completed = |event: &&Event| matches!(event, Event::Completed(_));
    let ended = host.seen.events.iter().filter(completed).count();
    assert_eq!(ended, host.asked, "exchanges that ended");
    host.seen
}

fn command(number: u8) -> Command {
    let connection = ConnectionId(0);
    match number % 6 {
        0 => Command::Standard(StandardRequest::SignalQuality),
        1 => Command::Mqtt(Request::Configure {
            connection,
            setting: Setting::ReceiveMode {
                format: DataFormat::Text,
                show_length: true,
            },
        }),
        2 => Command::Mqtt(Request::Open {
            connection,
            host: "h".into(),
            port: 1883,
        }),
        3 | 4 => Command::Publish(Publish {
            connection,
            message_id: 1,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "t".into(),
            // One goes inline, the other behind the prompt.
            payload: if number % 6 == 3 { b"x" } else { b"\r" }.to_vec(),
        }),
        _ => Command::Raw(RawCommand::new("AT+CGMM")),
    }
}

struct Host {
    session: Session,
    now: Instant,
    asked: usize,
    seen: Seen,
}

impl Host {
    fn new() -> Self {
        Self {
            session: Session::new(&Lmqtt::DEFAULT, atmq_protocol::dialect::lmqtt::NT35E.limits),
            now: Instant::now(),
            asked: 0,
            seen: Seen {
                events: Vec::new(),
                written: Vec::new(),
            },
        }
    }

    fn ask(&mut self, command: Command) {
        let asked = self.session.request(command, None, self.now);
        asked.expect("the command can be written, and nothing is under way");
        self.asked += 1;
        self.take();
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.session.receive(bytes, self.now);
        self.take();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut wakes = 0;
        while let Some(deadline) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(deadline);
            self.session.handle_timeout(self.now);
            self.take();
            wakes += 1;
            assert!(wakes < WAKES, "the session is never at rest");
        }
        self.now = end;
    }

    fn take(&mut self) {
        while let Some(transmit) = self.session.poll_transmit() {
            self.seen.written.extend_from_slice(&transmit.bytes);
        }
        while let Some(event) = self.session.poll_event() {
            self.seen.events.push(event);
        }
    }
}
