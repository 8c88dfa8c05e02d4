//! What the module does, and what it says of what has happened.

use core::time::Duration;

use super::*;
use crate::at::framing::DataEnd;
use crate::dialect::{Act, Ask, Finish, Ground, Module, NoData, Prompt, Refused, Value};
use crate::mqtt::{SecurityLevel, TlsKey, TlsSetting};

/// What a test says of the links.
pub(super) struct Around {
    state: Option<ConnectionState>,
    is_open: bool,
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

    fn is_active(&self, cid: u8) -> bool {
        cid == 1
    }

    fn tls(&self, _: u8, _: TlsKey) -> TlsSetting<'_> {
        TlsSetting::SecurityLevel(SecurityLevel::Server)
    }

    fn has_room(&self, _: &str) -> bool {
        false
    }

    fn file(&self, _: &str) -> Option<&[u8]> {
        None
    }

    fn files(&self) -> Vec<&str> {
        Vec::new()
    }
}

pub(super) const CLOSED: Around = Around {
    state: None,
    is_open: false,
};

pub(super) const OPEN: Around = Around {
    state: Some(ConnectionState::Initial),
    is_open: true,
};

pub(super) const CONNECTED: Around = Around {
    state: Some(ConnectionState::Connected),
    is_open: false,
};

pub(super) struct Talk(pub(super) Box<dyn Module>);

impl Talk {
    pub(super) fn new(model: &Model) -> Self {
        Self(model.dialect.module(&model.limits))
    }

    pub(super) fn with(model: &Model, switches: &[(&str, Value<'_>)]) -> Self {
        Self(model.dialect.with(switches).module(&model.limits))
    }

    /// What the module does, without what is only noted.
    pub(super) fn bytes(
        &mut self,
        line: &[u8],
        around: &Around,
    ) -> Result<(Finish, Vec<Act>), Refused> {
        let mut acts = Vec::new();
        let (command, _) = Command::split_first(line, |_| true);
        let finish = self.0.command(&command, around, &mut acts);
        acts.retain(|act| !matches!(act, Act::Note(_) | Act::Unreadable(_)));
        finish.map(|finish| (finish, acts))
    }

    pub(super) fn command(
        &mut self,
        line: &str,
        around: &Around,
    ) -> Result<(Finish, Vec<Act>), Refused> {
        self.bytes(line.as_bytes(), around)
    }

    pub(super) fn says(&mut self, line: &str, around: &Around) -> Vec<String> {
        let (finish, acts) = self.command(line, around).expect(line);
        assert_eq!(finish, Finish::Ok, "{line}");
        lines(acts)
    }

    pub(super) fn reports(&mut self, urc: Urc) -> Vec<String> {
        let mut acts = Vec::new();
        self.0.happened(urc, &mut acts);
        lines(acts)
    }
}

pub(super) fn lines(acts: Vec<Act>) -> Vec<String> {
    acts.into_iter()
        .map(|act| match act {
            Act::Report(report) => String::from_utf8(report.line).expect("it is text"),
            Act::Say(line) => String::from_utf8(line).expect("it is text"),
            act => panic!("{act:?}"),
        })
        .collect()
}

pub(super) fn published(message_id: u16, result: PublishResult) -> Urc {
    Urc::Published {
        connection: ID,
        message_id,
        result,
        reason: Reason::NONE,
    }
}

pub(super) fn subscribed(message_id: u16, result: Result<Option<i32>, Reason>) -> Urc {
    Urc::SubscriptionChanged {
        connection: ID,
        message_id,
        change: Some(SubscriptionChange::Subscribed),
        result,
    }
}

pub(super) fn status(status: LinkStatus) -> Urc {
    Urc::Status {
        connection: ID,
        status,
        code: None,
    }
}

#[test]
fn the_state_of_the_link_decides_what_is_refused() {
    let mut talk = Talk::new(&EC25);
    for (line, allowed) in [
        ("+QMTCFG=\"keepalive\",0,60", [true, true, true]),
        ("+QMTOPEN=0,\"h\",1883", [true, true, true]),
        ("+QMTCONN=0,\"id\"", [false, true, false]),
        ("+QMTCONN=0,0", [false, true, false]),
        ("+QMTSUB=0,1,\"t\",0", [false, false, true]),
        ("+QMTSUB=0,1,\"t\",0,\"u\",2", [false, false, true]),
        ("+QMTUNS=0,1,\"t\",\"u\"", [false, false, true]),
        ("+QMTPUB=0,0,0,0,\"t\"", [false, false, true]),
        ("+QMTPUBEX=0,0,0,0,\"t\",1", [false, false, true]),
        // Hosts close blindly.
        ("+QMTDISC=0", [true, true, true]),
        ("+QMTCLOSE=0", [true, true, true]),
        ("+QMTCONN?", [true, true, true]),
        ("+QMTRECV?", [true, true, true]),
    ] {
        for (around, allowed) in [CLOSED, OPEN, CONNECTED].iter().zip(allowed) {
            assert_eq!(talk.command(line, around).is_ok(), allowed, "{line}");
        }
    }
}

#[test]
fn bad_commands_are_refused_by_every_model() {
    for model in models() {
        let mut talk = Talk::new(&model);
        for line in [
            "+QMTCFG",
            "+QMTCFG=\"nokey\",0,1",
            "+QMTCFG=\"version\",6,4",
            "+QMTCFG=\"version\",0,5",
            "+QMTCFG=\"keepalive\",0,3601",
            "+QMTCFG=\"session\",0,2",
            "+QMTCFG=\"timeout\",0,0,3,0",
            "+QMTCFG=\"timeout\",0,5,11,0",
            "+QMTCFG=\"will\",0,1",
            "+QMTCFG=\"will\",0,1,0,0,\"t\"",
            "+QMTCFG=\"will\",0,0,0,0,\"t\",\"m\"",
            "+QMTCFG=\"ssl\",0,1,6",
            "+QMTCFG=\"pdpcid\",0,17",
            "+QMTCFG=\"aliauth\",0,\"pk\",\"dn\"",
            "+QMTOPEN=0,\"\",1883",
            "+QMTOPEN=0,\"h\",0",
            "+QMTOPEN=0,\"h\"",
            "+QMTSUB=0,0,\"t\",0",
            "+QMTSUB=0,1,\"t\"",
            "+QMTSUB=0,1,\"t\",3",
            "+QMTUNS=0,1",
            "+QMTPUB=0,1,1,0",
            "+QMTPUB=0,1,3,0,\"t\"",
            "+QMTPUB=0,1,1,0,\"\"",
            "+QMTPUB=0,1,1,0,\"t\",\"x\"",
            // Quality of service 0 has msgID 0, and nothing else has.
            "+QMTPUB=0,1,0,0,\"t\"",
            "+QMTPUB=0,0,1,0,\"t\"",
            "+QMTPUBEX=0,1,1,0,\"t\"",
            "+QMTPUBEX=0,1,1,0,\"t\",5,\"hello\"",
            "+QMTRECV=0,5",
            "+QMTCLOSE",
            "+QMTDISC=0,1",
        ] {
            let refused = talk.command(line, &CONNECTED);
            assert!(refused.is_err(), "{} {line}: {refused:?}", model.name);
        }
    }
}

#[test]
fn each_model_takes_the_ways_of_publishing_that_it_has() {
    for (model, [ended, counted, extended, inline]) in [
        (EC25, [true, false, true, false]),
        (EC800M, [true, false, true, false]),
        (EG800K, [false, false, true, false]),
        (BG95, [true, true, false, true]),
        (BG96, [true, false, false, false]),
        (BG770A, [true, true, false, false]),
    ] {
        for (line, allowed) in [
            ("+QMTPUB=0,1,1,0,\"t\"", ended),
            ("+QMTPUB=0,1,1,0,\"t\",4", counted),
            ("+QMTPUB=0,1,1,0,\"t\",4097", false),
            ("+QMTPUBEX=0,1,1,0,\"t\",4", extended),
            ("+QMTPUBEX=0,1,1,0,\"t\",\"it's, so\"", inline),
            ("+QMTPUBEX=0,1,1,0,\"t\",\"a\"b\"", false),
        ] {
            let taken = Talk::new(&model).command(line, &CONNECTED);
            assert_eq!(taken.is_ok(), allowed, "{} {line}", model.name);
        }
        let (test, _) = Command::split_first(b"+QMTPUBEX=?", |_| true);
        let describes = !model.dialect.describe(&test, &model.limits).is_empty();
        assert_eq!(describes, extended || inline, "{}", model.name);
    }
}

#[test]
fn payloads_end_as_their_command_says() {
    let ask = |length: Option<usize>| Ask {
        prompt: Prompt::Sign(b"> "),
        length,
        end: match length {
            Some(_) => DataEnd::Length,
            None => DataEnd::ControlCharacters,
        },
        patience: None,
        escapable: length.is_none(),
    };
    let publish = |payload: &[u8]| {
        vec![Act::Publish {
            connection: ID,
            message_id: Some(7),
            qos: QoS::AtLeastOnce,
            retain: true,
            topic: "t".into(),
            payload: payload.into(),
        }]
    };
    let mut talk = Talk::new(&EC25);
    let mut acts = Vec::new();
    let asked = talk.command("+QMTPUB=0,7,1,1,\"t\"", &CONNECTED);
    assert_eq!(asked, Ok((Finish::Data(ask(None)), vec![])));
    let finish = talk.0.data(b"up to Ctrl-Z", &CONNECTED, &mut acts);
    assert_eq!(finish, Ok(Finish::Reported(ID)));
    assert_eq!(acts, publish(b"up to Ctrl-Z"));
    assert_eq!(
        talk.reports(published(7, PublishResult::Done)),
        ["+QMTPUB: 0,7,0"]
    );

    acts.clear();
    let asked = talk.command("+qmtpubex=0,7,1,1,\"t\",3", &CONNECTED);
    assert_eq!(asked, Ok((Finish::Data(ask(Some(3))), vec![])));
    talk.0.data(b"\x1a\x1b\"", &CONNECTED, &mut acts).unwrap();
    assert_eq!(acts, publish(b"\x1a\x1b\""));
    assert_eq!(
        talk.reports(published(7, PublishResult::Done)),
        ["+QMTPUBEX: 0,7,0"]
    );
    // The outcome of a publish has failed if it has not succeeded.
    let failed = talk.reports(published(8, PublishResult::WrongAcknowledgement));
    assert_eq!(failed, ["+QMTPUB: 0,8,2"]);

    // BG95 tells the outcome of the extended command by the plain name.
    let mut talk = Talk::new(&BG95);
    let done = talk.command("+QMTPUBEX=0,7,1,1,\"t\",\"x\"", &CONNECTED);
    assert_eq!(done, Ok((Finish::Reported(ID), publish(b"x"))));
    assert_eq!(
        talk.reports(published(7, PublishResult::Done)),
        ["+QMTPUB: 0,7,0"]
    );

    // What is too much is dropped.
    acts.clear();
    let mut talk = Talk::new(&BG96);
    talk.command("+QMTPUB=0,7,1,1,\"t\"", &CONNECTED).unwrap();
    talk.0.data(&[b'x'; 1600], &CONNECTED, &mut acts).unwrap();
    assert_eq!(acts, publish(&[b'x'; 1548]));
    // ESC cancels.
    acts.clear();
    talk.command("+QMTPUB=0,7,1,1,\"t\"", &CONNECTED).unwrap();
    assert_eq!(talk.0.no_data(NoData::Left, &mut acts), Ok(Finish::Ok));
    assert_eq!(acts, []);
    // The link may be gone by the time that the data is there.
    talk.command("+QMTPUB=0,7,1,1,\"t\"", &CONNECTED).unwrap();
    assert!(talk.0.data(b"x", &CLOSED, &mut acts).is_err());
}

#[test]
fn the_prompt_is_left_where_that_is_set() {
    let mut talk = Talk::new(&EC800M);
    for (setting, patience) in [
        ("1,5", Some(Duration::from_secs(5))),
        ("1", Some(Duration::from_secs(60))),
        ("0", None),
    ] {
        talk.says(&format!("+QMTCFG=\"edit/timeout\",0,{setting}"), &OPEN);
        let asked = talk.command("+QMTPUBEX=0,7,1,1,\"t\",3", &CONNECTED);
        let Ok((Finish::Data(ask), _)) = asked else {
            panic!("{asked:?}");
        };
        assert_eq!(ask.patience, patience);
        assert!(talk.0.no_data(NoData::Late, &mut Vec::new()).is_err());
    }
}

#[test]
fn an_open_that_cannot_be_is_reported() {
    let mut talk = Talk::new(&EC25);
    let (finish, acts) = talk.command("+QMTOPEN=0,\"h\",1883", &OPEN).unwrap();
    assert_eq!(finish, Finish::Reported(ID));
    assert_eq!(lines(acts), ["+QMTOPEN: 0,2"]);
    talk.says("+QMTCFG=\"pdpcid\",0,3", &CLOSED);
    let (_, acts) = talk.command("+QMTOPEN=0,\"h\",1883", &CLOSED).unwrap();
    assert_eq!(lines(acts), ["+QMTOPEN: 0,3"]);
    let reported = |failure| Urc::Opened {
        connection: ID,
        result: failure,
    };
    for (failure, line) in [
        (Ok(()), "+QMTOPEN: 0,0"),
        (Err(OpenFailure::Dns), "+QMTOPEN: 0,4"),
        (Err(OpenFailure::Network), "+QMTOPEN: 0,5"),
        (Err(OpenFailure::Other(None)), "+QMTOPEN: 0,-1"),
    ] {
        assert_eq!(talk.reports(reported(failure)), [line]);
    }
    // That TLS has failed is told by that.
    assert_eq!(talk.reports(status(LinkStatus::Tls)), Vec::<String>::new());
}

#[test]
fn a_blind_close_comes_to_what_the_firmware_has() {
    for (word, close, disconnect) in [
        ("done", Some("+QMTCLOSE: 0,0"), Some("+QMTDISC: 0,0")),
        ("failed", Some("+QMTCLOSE: 0,-1"), Some("+QMTDISC: 0,-1")),
        ("error", None, None),
    ] {
        let mut talk = Talk::with(&EC25, &[("when_closed", Value::Word(word))]);
        for (line, expected) in [("+QMTCLOSE=0", close), ("+QMTDISC=0", disconnect)] {
            let done = talk.command(line, &CLOSED);
            let said = done.ok().map(|(_, acts)| lines(acts).concat());
            assert_eq!(said.as_deref(), expected);
        }
    }
    // DISC closes the link.
    let (_, acts) = Talk::new(&EC25).command("+QMTDISC=0", &CONNECTED).unwrap();
    let freed = true;
    assert_eq!(
        acts,
        [Act::Disconnect {
            connection: ID,
            freed
        }]
    );
}

#[test]
fn open_links_and_states_are_listed() {
    let mut talk = Talk::new(&EC25);
    assert_eq!(talk.says("+QMTOPEN?", &CLOSED), Vec::<String>::new());
    assert_eq!(talk.says("+QMTCONN?", &CLOSED), Vec::<String>::new());
    let links = talk.says("+QMTOPEN?", &CONNECTED);
    assert_eq!(links, ["+QMTOPEN: 0,\"host\",1883"]);
    assert_eq!(talk.says("+QMTCONN?", &OPEN), ["+QMTCONN: 0,1"]);
    assert_eq!(talk.says("+QMTCONN?", &CONNECTED), ["+QMTCONN: 0,3"]);
}

#[test]
fn a_module_that_reports_elsewhere_says_ok_and_no_more() {
    let mut talk = Talk::new(&EG800K);
    let port = talk.says("+QURCCFG=\"urcport\"", &CLOSED);
    assert_eq!(port, ["+QURCCFG: \"urcport\",\"usbat\""]);
    let opened = || Urc::Opened {
        connection: ID,
        result: Ok(()),
    };
    assert_eq!(talk.reports(opened()), Vec::<String>::new());
    let (finish, acts) = talk.command("+QMTOPEN=0,\"h\",1883", &OPEN).unwrap();
    assert_eq!((finish, acts), (Finish::Reported(ID), vec![]));
    talk.says("+QURCCFG=\"urcport\",\"uart1\"", &CLOSED);
    assert_eq!(talk.reports(opened()), ["+QMTOPEN: 0,0"]);
    assert!(
        talk.command("+QURCCFG=\"urcport\",\"uart9\"", &CLOSED)
            .is_err()
    );
}

#[test]
fn test_forms_are_as_they_were_captured() {
    for (model, command, line) in [
        (
            BG96,
            "+QMTPUB=?",
            "+QMTPUB: (0-5), <msgid>,(0-2),(0,1),\"topic\",(1-1548)",
        ),
        (
            BG96,
            "+QMTOPEN=?",
            "+QMTOPEN: (0-5),\"host_name\",(1-65536)",
        ),
        (
            EC800M,
            "+QMTPUBEX=?",
            "+QMTPUBEX: (0-5), <msgid>,(0-2),(0,1),\"topic\",\"length\"",
        ),
        (
            EG800K,
            "+QMTOPEN=?",
            "+QMTOPEN: (0-5),\"hostname\",(1-65535)",
        ),
        (EC25, "+QMTCLOSE=?", "+QMTCLOSE: (0-5)"),
    ] {
        let mut talk = Talk::new(&model);
        assert_eq!(talk.says(command, &CLOSED), [line]);
    }
    // No blank line stands before the result code of BG770A.
    let mut talk = Talk::new(&BG770A);
    let (finish, acts) = talk.command("+QMTOPEN=?", &CLOSED).unwrap();
    assert_eq!(finish, Finish::Silently);
    assert_eq!(lines(acts), ["+QMTOPEN: (0-5),<host_name>,(0-65535)\r\nOK"]);
    let keys = |model: &Model| {
        Talk::new(model)
            .command("+QMTCFG=?", &CLOSED)
            .unwrap()
            .1
            .len()
    };
    assert_eq!((keys(&EC800M), keys(&BG770A), keys(&BG96)), (19, 9, 8));
}
