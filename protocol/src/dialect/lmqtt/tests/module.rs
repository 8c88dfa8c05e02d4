//! What the module does, and what it says of what has happened.

use super::*;
use crate::at::framing::DataEnd;
use crate::dialect::{
    Act, Ask, CacheOverflow, Choice, Finish, Ground, Module, NoData, Prompt, Refused, Value,
};
use crate::mqtt::{Reason, SecurityLevel};

/// What a test says of the links.
#[derive(Default)]
struct Around {
    state: Option<ConnectionState>,
    is_open: bool,
    inactive: bool,
}

impl Ground for Around {
    fn state(&self, id: ConnectionId) -> Option<ConnectionState> {
        self.state.filter(|_| id == ID)
    }

    fn is_open(&self, id: ConnectionId) -> bool {
        self.is_open && id == ID
    }

    fn peer(&self, id: ConnectionId) -> Option<(&str, u16)> {
        self.state(id).map(|_| ("host", 1883))
    }

    fn is_active(&self, _: u8) -> bool {
        !self.inactive
    }

    fn tls(&self, _: u8, _: TlsKey) -> TlsSetting<'_> {
        TlsSetting::SecurityLevel(SecurityLevel::Server)
    }

    fn has_room(&self, name: &str) -> bool {
        name == "ca.pem"
    }

    fn file(&self, _: &str) -> Option<&[u8]> {
        None
    }

    fn files(&self) -> Vec<&str> {
        Vec::new()
    }

    fn address(&self, _: u8) -> Option<String> {
        None
    }
}

const CLOSED: Around = Around {
    state: None,
    is_open: false,
    inactive: false,
};

const OPEN: Around = Around {
    state: Some(ConnectionState::Initial),
    is_open: true,
    inactive: false,
};

const CONNECTED: Around = Around {
    state: Some(ConnectionState::Connected),
    is_open: false,
    inactive: false,
};

struct Talk(Box<dyn Module>);

impl Talk {
    fn new(dialect: &Lmqtt) -> Self {
        Self(dialect.module(&crate::dialect::lmqtt::NT35E.limits))
    }

    /// What the module does, without what is only noted.
    fn command(&mut self, line: &str, around: &Around) -> Result<(Finish, Vec<Act>), Refused> {
        let mut acts = Vec::new();
        let (command, _) = Command::split_first(line.as_bytes(), |_| true);
        let finish = self.0.command(&command, around, &mut acts);
        acts.retain(|act| !matches!(act, Act::Note(_) | Act::Unreadable(_)));
        finish.map(|finish| (finish, acts))
    }

    fn says(&mut self, line: &str, around: &Around) -> Vec<String> {
        let (finish, acts) = self.command(line, around).unwrap();
        assert_eq!(finish, Finish::Ok, "{line}");
        acts.into_iter()
            .map(|act| match act {
                Act::Say(line) => String::from_utf8(line).unwrap(),
                act => panic!("{act:?}"),
            })
            .collect()
    }

    fn reports(&mut self, urc: Urc) -> Vec<String> {
        let mut acts = Vec::new();
        self.0.happened(urc, &mut acts);
        lines(acts)
    }
}

fn lines(acts: Vec<Act>) -> Vec<String> {
    acts.into_iter()
        .map(|act| match act {
            Act::Report(report) => String::from_utf8(report.line).unwrap(),
            act => panic!("{act:?}"),
        })
        .collect()
}

fn received(message_id: u16) -> Urc {
    Urc::Received {
        connection: ID,
        message_id,
        topic: "t".into(),
        payload: b"\r".to_vec(),
    }
}

fn published(message_id: u16) -> Urc {
    Urc::Published {
        connection: ID,
        message_id,
        result: PublishResult::Done,
        reason: Reason::NONE,
    }
}

#[test]
fn the_state_of_the_link_decides_what_is_refused() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    for (line, allowed) in [
        ("+LMQTTCFG=\"keepalive\",0,60", [true, false, false]),
        ("+LMQTTCFG=\"recv/mode\",0,0,1", [true, true, true]),
        ("+LMQTTCONN=0,\"id\"", [false, true, false]),
        ("+LMQTTSUBUNSUB=0,0,1,\"t\",0", [false, false, true]),
        ("+LMQTTPUB=0,0,0,0,\"t\",1,\"x\"", [false, false, true]),
        ("+LMQTTPUBEX=0,0,0,0,\"t\",1", [false, false, true]),
        ("+LMQTTDISC=0", [false, false, true]),
        ("+LMQTTCLOSE=0", [false, true, true]),
        ("+LMQTTFOO=0", [false, false, false]),
    ] {
        for (around, allowed) in [CLOSED, OPEN, CONNECTED].iter().zip(allowed) {
            let result = talk.command(line, around);
            assert_eq!(result.is_ok(), allowed, "{line}");
            assert!(result.is_ok() || result == Err(Refused::NOT_ALLOWED));
        }
    }
}

#[test]
fn what_cannot_be_opened_is_reported() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    let line = "+LMQTTOPEN=0,\"host\",1883";
    let inactive = Around {
        inactive: true,
        ..CLOSED
    };
    for (around, reported) in [
        (&OPEN, "+LMQTTOPEN: 0,-1,2"),
        (&inactive, "+LMQTTOPEN: 0,-1,3"),
    ] {
        let (finish, acts) = talk.command(line, around).unwrap();
        assert_eq!(finish, Finish::Reported(ID));
        assert_eq!(lines(acts), [reported]);
    }
    talk.command("+LMQTTCFG=\"sslenable\",0,1,2", &CLOSED)
        .unwrap();
    let (_, acts) = talk.command(line, &CLOSED).unwrap();
    let host = "host".into();
    assert_eq!(
        acts,
        [Act::Open {
            connection: ID,
            host,
            port: 1883,
            cid: 1,
            tls: Some(2),
        }]
    );
}

#[test]
fn queries_are_answered_by_what_is_set_and_what_is_around() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    talk.command("+LMQTTCFG=\"keepalive\",0,60", &CLOSED)
        .unwrap();
    for (line, said) in [
        ("+LMQTTCFG=\"keepalive\",0", "+LMQTTCFG: \"keepalive\",60"),
        ("+LMQTTCONN?", "+LMQTTCONN: 0,3"),
        ("+LMQTTOPEN?", "+LMQTTOPEN: 0,\"host\",1883"),
        ("+LSSLCFG=\"seclevel\",1", "+LSSLCFG: \"seclevel\",1,1"),
    ] {
        assert_eq!(talk.says(line, &CONNECTED), [said]);
    }
    talk.0.freed(ID);
    let said = talk.says("+LMQTTCFG=\"keepalive\",0", &CLOSED);
    assert_eq!(said, ["+LMQTTCFG: \"keepalive\",120"]);
}

#[test]
fn a_payload_behind_the_prompt_is_published_as_its_digits_say() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    talk.command("+LMQTTCFG=\"send/mode\",0,1", &CLOSED)
        .unwrap();
    let line = "+LMQTTPUBEX=0,7,1,0,\"t\",4";
    let ask = Ask {
        prompt: Prompt::Sign(b"> "),
        length: Some(4),
        end: DataEnd::Length,
        patience: Some(core::time::Duration::from_secs(30)),
        escapable: false,
    };
    let (finish, acts) = talk.command(line, &CONNECTED).unwrap();
    assert_eq!((finish, acts), (Finish::Data(ask), Vec::new()));
    let mut acts = Vec::new();
    let finish = talk.0.data(b"4142", &CONNECTED, &mut acts);
    assert_eq!(finish, Ok(Finish::Reported(ID)));
    assert_eq!(
        acts,
        [Act::Publish {
            connection: ID,
            message_id: Some(7),
            qos: QoS::AtLeastOnce,
            retain: false,
            topic: "t".into(),
            payload: b"AB".to_vec(),
        }]
    );
    assert_eq!(talk.reports(published(7)), ["+LMQTTPUBEX: 0,7,0"]);
    assert_eq!(talk.reports(published(7)), ["+LMQTTPUB: 0,7,0"]);

    for (data, around) in [(&b"4"[..], &CONNECTED), (b"4142", &CLOSED)] {
        talk.command(line, &CONNECTED).unwrap();
        let finish = talk.0.data(data, around, &mut Vec::new());
        assert_eq!(finish, Err(Refused::NOT_ALLOWED));
    }
    for (why, result) in [
        (NoData::Left, Ok(Finish::Ok)),
        (NoData::Late, Err(Refused::NOT_ALLOWED)),
    ] {
        talk.command(line, &CONNECTED).unwrap();
        assert_eq!(talk.0.no_data(why, &mut Vec::new()), result);
    }
}

#[test]
fn who_does_not_want_outcomes_of_publishes_hears_none() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    let again = |talk: &mut Talk| {
        let mut acts = Vec::new();
        talk.0.sent_again(ID, 7, 2, &mut acts);
        lines(acts)
    };
    assert_eq!(again(&mut talk), Vec::<String>::new());
    talk.command("+LMQTTCFG=\"timeout\",0,5,3,1", &CLOSED)
        .unwrap();
    assert_eq!(again(&mut talk), ["+LMQTTPUB: 0,7,1,2"]);
    talk.command("+LMQTTCFG=\"urc\",0,0", &CONNECTED).unwrap();
    let line = "+LMQTTPUB=0,7,1,0,\"t\",1,\"x\"";
    assert_eq!(talk.command(line, &CONNECTED).unwrap().0, Finish::Ok);
    assert_eq!(talk.reports(published(7)), Vec::<String>::new());
    assert_eq!(again(&mut talk), Vec::<String>::new());
}

#[test]
fn messages_wait_in_the_cache_as_far_as_it_goes() {
    let mut talk = Talk::new(&Lmqtt {
        cache_slots: 1,
        cache_overflow: CacheOverflow::DropOldest,
        ..Lmqtt::DEFAULT
    });
    let report = talk.0.report(received(1));
    assert!(report.unframed && !report.outcome);
    talk.command("+LMQTTCFG=\"cache\",0,1", &CONNECTED).unwrap();
    assert_eq!(talk.reports(received(1)), ["+LMQTTURC: RECV,0,1"]);
    assert_eq!(
        talk.reports(received(2)),
        ["+LMQTTURC: STATS,0,13", "+LMQTTURC: RECV,0,2"]
    );
    assert_eq!(talk.says("+LMQTTREAD?", &CONNECTED), ["+LMQTTREAD: 0,2"]);
    assert_eq!(
        talk.says("+LMQTTREAD=0,2", &CONNECTED),
        ["+LMQTTREAD: 0,2,\"t\",1,\r"]
    );
    assert_eq!(
        talk.says("+LMQTTREAD=0,2", &CONNECTED),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_is_stored_if_there_is_room_for_it() {
    let mut talk = Talk::new(&Lmqtt::DEFAULT);
    assert!(talk.command("+LFUPL=\"x.pem\",3", &CLOSED).is_err());
    let (finish, _) = talk.command("+LFUPL=\"ca.pem\",3,9", &CLOSED).unwrap();
    let Finish::Data(ask) = finish else {
        panic!("{finish:?}");
    };
    assert_eq!(ask.prompt, Prompt::Line(b"CONNECT"));
    assert_eq!(ask.patience, Some(core::time::Duration::from_secs(9)));
    let mut acts = Vec::new();
    assert_eq!(talk.0.data(b"abc", &CLOSED, &mut acts), Ok(Finish::Ok));
    let (name, bytes) = ("ca.pem".into(), b"abc".to_vec());
    assert_eq!(acts, [Act::Store { name, bytes }]);
}

#[test]
fn every_value_of_a_switch_makes_another_dialect() {
    for switch in Lmqtt::DEFAULT.switches() {
        let values: Vec<_> = match switch.choice {
            Choice::Flag => vec![Value::Flag(false), Value::Flag(true)],
            Choice::Number(from, to) => vec![Value::Number(from), Value::Number(to)],
            Choice::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
        };
        let with = |value: &Value<'_>| {
            let dialect = Lmqtt::DEFAULT.with(&[(switch.name, *value)]);
            format!("{dialect:?}")
        };
        let mut dialects: Vec<_> = values.iter().map(with).collect();
        dialects.sort();
        dialects.dedup();
        assert_eq!(dialects.len(), values.len(), "{}", switch.name);
    }
}
