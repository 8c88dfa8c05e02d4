//! A command set that has what the built-in ones have not: opening and connecting in one command,
//! the outcome in the final result code, more than one prompt, data without a length, no packet
//! identifiers.

use std::time::{Duration, SystemTime};

use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::{Ask, Module, Prompt, Report};
use atmq_protocol::mqtt::{Connect, Connected, QoS, Urc};

use super::*;
use crate::network::{NetworkEvent, NetworkRequest, OpenFailure};
use crate::profile::Profile;

const ID: ConnectionId = ConnectionId(0);
const LIMIT: Duration = Duration::from_secs(20);

/// `+LMQTTOPEN` opens and connects, `+LMQTTPUB` publishes behind two prompts, `+LMQTTCFG` takes data
/// behind its `OK` and stores it, `+LMQTTCLOSE` lists what is stored and removes it.
#[derive(Debug, Default)]
struct Other {
    topic: Option<String>,
    stored: bool,
}

fn ask(prompt: Prompt) -> Ask {
    Ask {
        prompt,
        length: None,
        end: DataEnd::ControlCharacters,
        patience: Some(Duration::from_secs(5)),
        escapable: true,
    }
}

impl Face for Other {
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if command.is("+LMQTTCLOSE") {
            for name in ground.files() {
                let length = ground.file(name).map_or(0, <[u8]>::len);
                acts.push(Act::Say(format!("{name} {length}").into_bytes()));
                acts.push(Act::Remove { name: name.into() });
            }
            return Ok(Finish::Ok);
        }
        self.topic = None;
        self.stored = command.is("+LMQTTCFG");
        if self.stored {
            return Ok(Finish::Data(ask(Prompt::AfterOk)));
        }
        if command.is("+LMQTTPUB") {
            return Ok(Finish::Data(ask(Prompt::Sign(b">"))));
        }
        acts.push(Act::Open {
            connection: ID,
            host: "broker".into(),
            port: 1883,
            cid: 1,
            tls: None,
        });
        acts.push(Act::Connect(Connect::new(ID, "", 0, "other").into()));
        Ok(Finish::Outcome(LIMIT))
    }

    fn data(
        &mut self,
        data: &[u8],
        _: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused> {
        if self.stored {
            let (name, bytes) = ("file".into(), data.to_vec());
            acts.push(Act::Store { name, bytes });
            return Ok(Finish::Silently);
        }
        let Some(topic) = self.topic.take() else {
            self.topic = Some(String::from_utf8_lossy(data).into_owned());
            return Ok(Finish::Data(ask(Prompt::SignAfterOk(b"> "))));
        };
        acts.push(Act::Publish {
            connection: ID,
            message_id: None,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic,
            payload: data.to_vec(),
        });
        Ok(Finish::Outcome(LIMIT))
    }

    fn no_data(&mut self, why: NoData, _: &mut Vec<Act>) -> Result<Finish, Refused> {
        Err(match why {
            NoData::Left => Refused::Cme(1),
            NoData::Late => Refused::Cme(2),
        })
    }

    fn restarted(&mut self) {}
}

impl Module for Other {
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>) {
        match urc {
            Urc::Opened { result: Err(_), .. } => acts.push(Act::Finish(Err(Refused::NoCarrier))),
            Urc::Connected {
                result: Connected::Accepted,
                ..
            } => {
                acts.push(Act::Say(b"first".to_vec()));
                acts.push(Act::Finish(Ok(())));
                acts.push(Act::Report(self.report(urc)));
            }
            Urc::Published { .. } => {
                acts.push(Act::Report(self.report(urc)));
                acts.push(Act::Finish(Ok(())));
            }
            _ => {}
        }
    }

    fn sent_again(&mut self, _: ConnectionId, _: u16, _: u32, _: &mut Vec<Act>) {}

    fn report(&self, urc: Urc) -> Report {
        Report {
            line: b"#EVENT".to_vec(),
            urc,
            outcome: true,
            unframed: false,
        }
    }

    fn freed(&mut self, _: ConnectionId) {}

    fn releases_quickly(&self, _: ConnectionId) -> bool {
        false
    }
}

struct Dialogue {
    modem: Modem,
    now: Instant,
}

impl Dialogue {
    fn new() -> Self {
        let now = Instant::now();
        let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, SystemTime::now());
        modem.face = Box::<Other>::default();
        let mut dialogue = Self { modem, now };
        assert_eq!(dialogue.say(b"ATE0;+CMEE=1\r"), "ATE0;+CMEE=1\r\nOK\r\n");
        dialogue
    }

    fn say(&mut self, bytes: &[u8]) -> String {
        self.modem.receive(bytes, self.now);
        self.heard()
    }

    fn heard(&mut self) -> String {
        while self.modem.poll_timeout().is_some_and(|due| due <= self.now) {
            self.modem.handle_timeout(self.now);
        }
        let bytes = self.modem.poll_transmit().unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    fn happens(&mut self, event: NetworkEvent) -> String {
        self.modem.handle_network(event, self.now);
        self.heard()
    }

    fn asks(&mut self) -> NetworkRequest {
        self.modem.poll_network().unwrap()
    }

    fn pass(&mut self, time: Duration) -> String {
        self.now += time;
        self.heard()
    }

    fn connected() -> Self {
        let mut dialogue = Self::new();
        assert_eq!(dialogue.say(b"AT+LMQTTOPEN=0\r"), "");
        assert!(matches!(dialogue.asks(), NetworkRequest::Open { .. }));
        assert_eq!(dialogue.happens(NetworkEvent::Opened { link: 0 }), "");
        assert!(matches!(dialogue.asks(), NetworkRequest::Send { .. }));
        let bytes = b"\x20\x02\0\0".to_vec();
        let heard = dialogue.happens(NetworkEvent::Received { link: 0, bytes });
        assert_eq!(heard, "\r\nfirst\r\n\r\nOK\r\n\r\n#EVENT\r\n");
        dialogue
    }
}

#[test]
fn one_command_opens_and_connects_and_its_result_tells_the_outcome() {
    Dialogue::connected();
}

#[test]
fn an_outcome_that_is_bad_or_late_is_an_error() {
    let mut dialogue = Dialogue::new();
    dialogue.say(b"AT+LMQTTOPEN=0\r");
    let reason = OpenFailure::Resolve;
    let heard = dialogue.happens(NetworkEvent::OpenFailed { link: 0, reason });
    assert_eq!(heard, "\r\nNO CARRIER\r\n");
    dialogue.say(b"AT+LMQTTOPEN=0\r");
    assert_eq!(dialogue.pass(LIMIT / 2), "");
    assert_eq!(dialogue.pass(LIMIT / 2), "\r\n+CME ERROR: 3\r\n");
    assert_eq!(dialogue.say(b"AT\r"), "\r\nOK\r\n");
}

#[test]
fn a_publish_has_as_many_prompts_as_it_needs_and_the_clients_packet_identifier() {
    let mut dialogue = Dialogue::connected();
    assert_eq!(dialogue.say(b"AT+LMQTTPUB=0\r"), "\r\n>");
    assert_eq!(dialogue.say(b"topic\x1a"), "\r\nOK\r\n\r\n> ");
    assert_eq!(dialogue.say(b"payload\x1a"), "");
    let NetworkRequest::Send { bytes, .. } = dialogue.asks() else {
        panic!("nothing was sent");
    };
    let [b'\x32', 16, 0, 5, packet @ ..] = &bytes[..] else {
        panic!("{}", bytes.escape_ascii());
    };
    assert_eq!(&packet[..5], b"topic");
    assert_eq!(&packet[7..], b"payload");
    let bytes = [b"\x40\x02", &packet[5..7]].concat();
    let heard = dialogue.happens(NetworkEvent::Received { link: 0, bytes });
    assert_eq!(heard, "\r\n#EVENT\r\n\r\nOK\r\n");
}

#[test]
fn the_dialect_says_what_it_means_that_data_does_not_come() {
    let mut dialogue = Dialogue::connected();
    dialogue.say(b"AT+LMQTTPUB=0\r");
    assert_eq!(dialogue.say(b"top\x1b"), "\r\n+CME ERROR: 1\r\n");
    dialogue.say(b"AT+LMQTTPUB=0\r");
    assert_eq!(
        dialogue.pass(Duration::from_secs(5)),
        "\r\n+CME ERROR: 2\r\n"
    );
}

#[test]
fn data_may_follow_the_result() {
    let mut dialogue = Dialogue::new();
    assert_eq!(dialogue.say(b"AT+LMQTTCFG=0\r"), "\r\nOK\r\n");
    assert_eq!(dialogue.say(b"bytes\x1a"), "");
    assert_eq!(dialogue.say(b"AT\r"), "\r\nOK\r\n");
    let listed = "\r\nfile 5\r\n\r\nOK\r\n";
    assert_eq!(dialogue.say(b"AT+LMQTTCLOSE=0\r"), listed);
    assert_eq!(dialogue.say(b"AT+LMQTTCLOSE=0\r"), "\r\nOK\r\n");
}

#[test]
fn a_module_has_the_vendor_sets_of_its_profile_and_no_others() {
    let text = "base = \"nt35e\"\nvendor_sets = [\"Lierda\"]\n";
    let now = Instant::now();
    let profile = Profile::parse(text).unwrap().instant();
    let modem = Modem::new(profile, 0, now, SystemTime::now());
    let mut dialogue = Dialogue { modem, now };
    dialogue.say(b"ATE0\r");
    for (line, answer) in [
        ("AT+LGMR", "\r\nNT35ECNA00NNA-L1.0.0\r\n\r\nOK\r\n"),
        ("AT+CSQ", "\r\n+CSQ: 29,0\r\n\r\nOK\r\n"),
        ("AT+ECSTATUS", "\r\nERROR\r\n"),
        ("AT+LHTTPURL?", "\r\nERROR\r\n"),
        ("AT+LHTTPCFG=?", "\r\nERROR\r\n"),
    ] {
        let heard = dialogue.say(format!("{line}\r").as_bytes());
        assert_eq!(heard, answer, "{line}");
    }
}
