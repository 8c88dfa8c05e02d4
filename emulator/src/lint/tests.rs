//! For each rule a dialogue that breaks it and one that does not, typed by hand.

mod dialogue;
mod known;
mod typed;

use std::time::{Instant, UNIX_EPOCH};

use Step::{Answer, Broker, Drop, Send, Sleep, Type, Until, Wait};
use atmq_protocol::at::framing::DataEnd;
use proptest::prelude::*;

use super::{EXAMPLES, Rule, SHOWN, Severity, WAITING, shown};
use crate::Profile;
use crate::modem::Modem;
use dialogue::{Dialogue, Step};

const OPEN: Step = Type(b"AT+LMQTTOPEN=0,\"h\",1883\r\n");
const CLOSE: Step = Type(b"AT+LMQTTCLOSE=0\r\n");
const CONNECT: Step = Type(b"AT+LMQTTCONN=0,\"id\"\r\n");
/// CONNACK, accepted.
const ACCEPT: Step = Broker(b"\x20\x02\x00\x00");
const KEEPALIVE: Step = Type(b"AT+LMQTTCFG=\"keepalive\",0,60\r\n");
/// Without a line feed behind, which would be taken for payload if it came late.
const PROMPT_4: Step = Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r");
const PUBLISH_5: Step = Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",1,\"a\"\r\n");
/// PUBACK for message id 5.
const PUBACK_5: Step = Broker(b"\x40\x02\x00\x05");
const QUERY: Step = Send(b"AT+CSQ\r\n");
const DEVICE: Step = Type(b"AT+LMQTTCFG=\"aliauth\",0,\"pk\",\"dn\",\"ds\"\r\n");

/// A dialogue that breaks the rule, and one that breaks none.
fn dialogues(rule: Rule) -> (Vec<Step>, Vec<Step>) {
    let connected = |steps: &[Step]| [&[OPEN, CONNECT, ACCEPT], steps].concat();
    match rule {
        Rule::BootNotAwaited => (
            vec![
                Send(b"AT+CFUN=0,1\r\n"),
                Until(b"OK"),
                Wait(100),
                Type(b"AT\r\n"),
            ],
            vec![
                Send(b"AT+CFUN=0,1\r\n"),
                Until(b"boot.rom"),
                Type(b"AT\r\n"),
            ],
        ),
        Rule::CloseWithoutOpen => (
            vec![CLOSE, CLOSE],
            vec![CLOSE, KEEPALIVE, OPEN, CLOSE, KEEPALIVE, OPEN],
        ),
        Rule::CommandBeforeFinalResult => (
            vec![Send(b"AT+LMQTTCFG?\r\nAT\r\n"), Wait(5000)],
            vec![Send(b"AT+LMQTTCFG?\r\n"), Until(b"ERROR"), Send(b"AT\r\n")],
        ),
        Rule::CommandInData => {
            let prompt = Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",12\r");
            (
                connected(&[prompt, Type(b"21.5AT+CSQ\r\n")]),
                connected(&[prompt, Type(b"21.5 AT&T ok")]),
            )
        }
        Rule::ConfigurationDiffers => {
            let version = Type(b"AT+LMQTTCFG=\"version\",0,4\r\n");
            (
                vec![KEEPALIVE, version, OPEN, CLOSE, KEEPALIVE, OPEN],
                vec![KEEPALIVE, OPEN, CLOSE, version, KEEPALIVE, OPEN],
            )
        }
        Rule::ConfigurationLost => (
            vec![KEEPALIVE, OPEN, CLOSE, OPEN],
            vec![KEEPALIVE, OPEN, CLOSE, KEEPALIVE, OPEN],
        ),
        Rule::ControlCharacterInCommand => (
            vec![Type(b"AT+CSX\x08Q\r\n"), Type(b"AT+CMEE\0=1\r\n")],
            vec![Type(b"\0\x08AT+CSQ\r\n\x1a\x1b"), Type(b"AT+CMEE=1\r\n")],
        ),
        Rule::CtrlZAfterPayload => (
            connected(&[PROMPT_4, Type(b"abcd\x1a")]),
            connected(&[PROMPT_4, Type(b"abc\x1a")]),
        ),
        Rule::GarbageBetweenCommands => (
            vec![Type(b"hello\r\n"), Type(b"AT\r\n")],
            vec![Type(b"\r\n\x1b\x1a"), Type(b" AT\r\n")],
        ),
        Rule::HostNotAName => (
            vec![Type(b"AT+LMQTTOPEN=0,\"mqtt://h\",1883\r\n")],
            vec![Type(b"AT+LMQTTOPEN=0,\"::1\",1883\r\n")],
        ),
        Rule::KeepaliveOutOfRange => {
            let short = Type(b"AT+LMQTTCFG=\"keepalive\",0,29\r\n");
            (
                vec![short, DEVICE, OPEN, CONNECT],
                // Any other platform.
                vec![
                    short,
                    OPEN,
                    CONNECT,
                    ACCEPT,
                    Type(b"AT+LMQTTDISC=0\r\n"),
                    CLOSE,
                    KEEPALIVE,
                    DEVICE,
                    OPEN,
                    CONNECT,
                ],
            )
        }
        Rule::LineFeedOnly => (vec![Type(b"AT\n")], vec![Type(b"AT\r\n"), Type(b"\nAT\r")]),
        Rule::LineTooLong => (vec![Type(&[b'A'; 5000]), Type(b"\r")], vec![Type(b"AT\r")]),
        Rule::MessageIdInFlight => (
            connected(&[PUBLISH_5, PUBLISH_5]),
            connected(&[PUBLISH_5, PUBACK_5, PUBLISH_5]),
        ),
        Rule::MessageIdWithQos0 => (
            connected(&[Type(b"AT+LMQTTPUB=0,5,0,0,\"t\",1,\"a\"\r\n")]),
            connected(&[Type(b"AT+LMQTTPUB=0,0,0,0,\"t\",1,\"a\"\r\n")]),
        ),
        Rule::MessageIdZero => (
            connected(&[Type(b"AT+LMQTTPUB=0,0,1,0,\"t\",1,\"a\"\r\n")]),
            connected(&[PUBLISH_5]),
        ),
        Rule::NotConnected => (
            connected(&[Drop, Wait(1500), PUBLISH_5]),
            // The host cannot have taken note that quickly.
            connected(&[Drop, Wait(500), PUBLISH_5]),
        ),
        Rule::OutcomeNotAwaited => (
            vec![
                Send(b"AT+LMQTTOPEN=0,\"h\",1883\r\n"),
                Until(b"OK"),
                CONNECT,
            ],
            vec![
                Send(b"AT+LMQTTOPEN=0,\"h\",1883\r\n"),
                Until(b"+LMQTTOPEN: 0,0\r\n"),
                CONNECT,
            ],
        ),
        Rule::PayloadLengthMismatch => (
            connected(&[Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",2,\"a\"\r\n")]),
            connected(&[PUBLISH_5]),
        ),
        Rule::PayloadTooLong => (
            connected(&[Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",8001\r\n")]),
            connected(&[
                Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",8000\r"),
                Type(&[b'x'; 8000]),
            ]),
        ),
        Rule::PayloadTooShort => (
            connected(&[PROMPT_4, Type(b"abc"), Wait(30_000)]),
            connected(&[
                PROMPT_4,
                Wait(20_000),
                Type(b"abc"),
                Wait(20_000),
                Type(b"d"),
            ]),
        ),
        Rule::PollingTooFast => (
            vec![QUERY, Wait(300), QUERY, Wait(300), QUERY, Wait(50)],
            vec![QUERY, Wait(300), QUERY, Wait(1000), QUERY, Wait(300), QUERY],
        ),
        Rule::PromptNotAwaited => (
            connected(&[Send(b"AT+LMQTTPUB=0,5,1,0,\"t\",4\rabcd"), Wait(5000)]),
            connected(&[PROMPT_4, Type(b"abcd")]),
        ),
        Rule::QuoteInPayload => (
            connected(&[Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",7,\"{\"a\":1}\"\r\n")]),
            connected(&[Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",7\r"), Type(b"{\"a\":1}")]),
        ),
        Rule::ReceiveWithoutLength => {
            let message = Broker(b"\x30\x05\x00\x01t\r\n");
            (
                connected(&[message]),
                connected(&[Type(b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r\n"), message]),
            )
        }
        Rule::SettingAfterOpen => (
            vec![OPEN, KEEPALIVE],
            vec![
                KEEPALIVE,
                OPEN,
                Type(b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r\n"),
            ],
        ),
        Rule::WakeNotAwaited => (
            vec![Sleep, Type(b"AT+CSQ\r\n"), QUERY, Wait(5000)],
            vec![Sleep, Type(b"AT\r\n"), QUERY, Wait(5000)],
        ),
    }
}

#[test]
fn each_rule_is_found_where_it_is_broken_and_nowhere_else() {
    for rule in Rule::all() {
        let (broken, kept) = dialogues(rule);
        for seed in 0..10 {
            let found = Dialogue::run(&broken, seed);
            assert!(
                !found.is_empty() && found.iter().all(|finding| finding.rule == rule),
                "{}, seed {seed}: {found:?}",
                rule.id()
            );
            let found = Dialogue::run(&kept, seed);
            assert_eq!(found, [], "{}, seed {seed}", rule.id());
        }
    }
}

#[test]
fn hosts_that_exist_are_not_accused() {
    // Host sequence G2 of the reference, `lmqtt.md` 1.9.
    let found = Dialogue::run(
        &[
            Type(b"AT+LMQTTDISC=0\r\n"),
            CLOSE,
            Type(b"AT+LMQTTCFG=\"send/mode\",0,0\r\n"),
            Type(b"AT+LMQTTCFG=\"session\",0,1\r\n"),
            Type(b"AT+LMQTTCFG=\"version\",0,4\r\n"),
            Type(b"AT+LMQTTCFG=\"timeout\",0,60,3,0\r\n"),
            KEEPALIVE,
            Type(b"AT+LMQTTCFG=\"recv/mode\",0,0,1\r\n"),
            OPEN,
            CONNECT,
            ACCEPT,
            Type(b"AT+LMQTTSUBUNSUB=0,0,1,\"/device/x/y/#\",1\r\n"),
            Broker(b"\x90\x03\x00\x01\x01"),
            Type(b"AT+LMQTTPUB=0,1,1,0,\"t\",4\r"),
            Type(b"\x00\r\n\x1a"),
            Broker(b"\x40\x02\x00\x01"),
        ],
        0,
    );
    assert_eq!(found, []);
}

#[test]
fn data_behind_connect_is_no_garbage() {
    let found = Dialogue::run(
        &[
            Type(b"AT+LFUPL=\"ca.pem\",8\r\n"),
            Type(b"x\r\nAT+Y\r"),
            Type(b"AT+LHTTPURL=8\r"),
            Type(b"http://h"),
            Type(b"AT+LHTTPPOST=3\r"),
            Type(b"\x1ab\n"),
            Type(b"AT+LHTTPSTOP\r"),
        ],
        0,
    );
    assert_eq!(found, []);
}

#[test]
fn a_finding_has_the_bytes_without_the_secrets() {
    let found = Dialogue::run(
        &[Type(b"AT+LMQTTCONN=0,\"id\",\"user\",\"hunter2\"\r\n")],
        0,
    );
    let [finding] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(finding.rule, Rule::NotConnected);
    assert_eq!(finding.rule.severity(), Severity::Error);
    let bytes = finding.bytes.escape_ascii().to_string();
    assert_eq!(bytes, r#"AT+LMQTTCONN=0,\"id\",\"user\",\"***\""#);
}

#[test]
fn the_bytes_of_a_finding_are_cut() {
    assert_eq!(shown(&[b'x'; SHOWN]), [b'x'; SHOWN]);
    let long = shown(&[b'x'; SHOWN + 1]);
    assert_eq!(long, [&[b'x'; SHOWN][..], b"..."].concat());
}

#[test]
fn what_a_refused_command_was_to_change_is_not_remembered() {
    let publish = Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",3\r");
    // No hexadecimal digits: the publish is refused, and its message id free again.
    let found = Dialogue::run(
        &[
            Type(b"AT+LMQTTCFG=\"send/mode\",0,2\r\n"),
            OPEN,
            CONNECT,
            ACCEPT,
            publish,
            Type(b"abc"),
            publish,
            Type(b"abc"),
        ],
        0,
    );
    assert_eq!(found, []);
}

#[test]
fn a_payload_may_end_before_its_length_where_the_module_has_it_so() {
    let prompt = Type(b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r");
    let early = Send(b"AT+LMQTTPUB=0,5,1,0,\"t\",4\ra\x1a");
    let test = Type(b"AT\r");
    let connected = [OPEN, CONNECT, ACCEPT];
    let rows: [(&[Step], &[Rule]); 3] = [
        // A cancelled publish leaves its message id free.
        (
            &[prompt, Type(b"ab\x1b"), prompt, Type(b"ab\x1a"), test],
            &[],
        ),
        (
            &[prompt, Send(b"a\x1aAT\r"), Wait(5000)],
            &[Rule::CommandBeforeFinalResult],
        ),
        (&[early, Wait(5000), test], &[Rule::PromptNotAwaited]),
    ];
    for (steps, expected) in rows {
        let mut profile = Profile::nt35e();
        profile.limits.prompt_end = DataEnd::ControlCharacters;
        let mut dialogue = Dialogue::with(profile, 0);
        for step in connected.iter().chain(steps) {
            dialogue.step(*step);
        }
        let found = dialogue.findings();
        let rules: Vec<_> = found.iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected, "{found:?}");
    }
}

#[test]
fn the_same_again_is_counted_and_not_told_twice() {
    let found = Dialogue::run(&[Type(b"hello\r\n"), Type(b"hello\r\n")], 0);
    let repeated: Vec<_> = found.iter().map(|finding| finding.repeated).collect();
    assert_eq!(repeated, [false, true]);
    let found = Dialogue::run(&[QUERY, Wait(300)].repeat(5), 0);
    let repeated: Vec<_> = found.iter().map(|finding| finding.repeated).collect();
    assert_eq!(repeated, [false, true, true]);
}

#[test]
fn memory_is_bounded() {
    let now = Instant::now();
    let mut modem = Modem::new(Profile::nt35e().instant(), 0, now, UNIX_EPOCH);
    for n in 0..1000 {
        modem.receive(format!("garbage {n}\r").as_bytes(), now);
    }
    let count = modem.lint().counts().collect::<Vec<_>>();
    assert_eq!(count, [(Rule::GarbageBetweenCommands, 1000)]);
    let found: Vec<_> = std::iter::from_fn(|| modem.poll_finding()).collect();
    assert_eq!(found.len(), WAITING);
    let told = found.iter().filter(|finding| !finding.repeated);
    assert_eq!(told.count(), EXAMPLES);
}

proptest! {
    #[test]
    fn any_host_is_watched_without_a_panic(
        pieces in prop::collection::vec(
            (
                prop_oneof![
                    prop::sample::select(vec![
                        &b"AT+LMQTTOPEN=0,\"h\",1883\r"[..],
                        b"AT+LMQTTCONN=0,\"id\"\r",
                        b"AT+LMQTTCFG=\"keepalive\",0,60\r",
                        b"AT+LMQTTPUB=0,5,1,0,\"t\",4\r",
                        b"AT+LMQTTPUB=0,5,1,0,\"t\",1,\"a\"\r",
                        b"AT+LMQTTSUBUNSUB=0,0,5,\"t\",1\r",
                        b"AT+LMQTTDISC=0\r",
                        b"AT+LMQTTCLOSE=0\r",
                        b"AT+CFUN=0,1\r",
                        b"A/",
                        b"abcd\x1a",
                    ]).prop_map(<[u8]>::to_vec),
                    prop::collection::vec(any::<u8>(), 0..40),
                ],
                0u64..3000,
                any::<bool>(),
            ),
            0..60,
        ),
        seed: u64,
    ) {
        let mut dialogue = Dialogue::new(seed);
        for (bytes, wait, accepts) in &pieces {
            dialogue.send(bytes);
            dialogue.step(Wait(*wait));
            if *accepts {
                dialogue.step(ACCEPT);
            }
        }
        for finding in dialogue.findings() {
            prop_assert!(finding.bytes.len() < 200);
        }
    }
}
