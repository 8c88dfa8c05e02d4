//! What the module does, and what it says of what has happened.

use super::*;
use crate::dialect::{Act, Event, Finish, Ground, NoData, Prompt, Refused};
use crate::mqtt::{
    Connected, OpenFailure, PublishResult, Reason, Refusal, SecurityLevel, SubscriptionChange,
    TlsKey, TlsSetting,
};

/// What a test says of the link.
#[derive(Default)]
struct Around {
    state: Option<ConnectionState>,
    resumed: bool,
}

impl Ground for Around {
    fn state(&self, _: ConnectionId) -> Option<ConnectionState> {
        self.state
    }

    fn is_open(&self, _: ConnectionId) -> bool {
        false
    }

    fn resumed(&self, _: ConnectionId) -> bool {
        self.resumed
    }

    fn peer(&self, _: ConnectionId) -> Option<(&str, u16)> {
        None
    }

    fn is_active(&self, _: u8) -> bool {
        true
    }

    fn tls(&self, _: u8, _: TlsKey) -> TlsSetting<'_> {
        TlsSetting::SecurityLevel(SecurityLevel::None)
    }

    fn has_room(&self, _: &str) -> bool {
        true
    }

    fn file(&self, _: &str) -> Option<&[u8]> {
        None
    }

    fn files(&self) -> Vec<&str> {
        Vec::new()
    }
}

const CLOSED: Around = Around {
    state: None,
    resumed: false,
};
const CONNECTED: Around = Around {
    state: Some(ConnectionState::Connected),
    resumed: false,
};

struct Talk(Box<dyn Module>);

impl Talk {
    fn new(dialect: &Sm) -> Self {
        let mut talk = Self(dialect.module(&SIM7080.limits));
        let active = true;
        talk.0
            .noticed(Event::Context { cid: CID, active }, &mut Vec::new());
        talk
    }

    fn command(&mut self, line: &str, around: &Around) -> Result<(Finish, Vec<Act>), Refused> {
        let mut acts = Vec::new();
        let (command, _) = Command::split_first(line.as_bytes(), |_| true);
        let finish = self.0.command(&command, around, &mut acts);
        acts.retain(|act| !matches!(act, Act::Note(_) | Act::Unreadable(_)));
        finish.map(|finish| (finish, acts))
    }

    #[track_caller]
    fn takes(&mut self, line: &str) {
        assert_eq!(
            self.command(line, &CLOSED),
            Ok((Finish::Ok, vec![])),
            "{line}"
        );
    }

    #[track_caller]
    fn refuses(&mut self, line: &str, around: &Around) {
        let refused = Err(Refused::NOT_ALLOWED);
        assert_eq!(self.command(line, around), refused, "{line}");
    }

    fn says(&mut self, line: &str, around: &Around) -> String {
        let (finish, acts) = self.command(line, around).unwrap();
        assert_eq!(finish, Finish::Ok, "{line}");
        match &acts[..] {
            [Act::Say(line)] => String::from_utf8(line.clone()).unwrap(),
            acts => panic!("{acts:?}"),
        }
    }

    fn happened(&mut self, urc: Urc) -> Vec<Act> {
        let mut acts = Vec::new();
        self.0.happened(urc, &mut acts);
        acts
    }

    /// A module that is connected.
    fn connected() -> Self {
        let mut talk = Self::new(&Sm::DEFAULT);
        talk.takes(r#"+SMCONF="URL","h""#);
        talk.command("+SMCONN", &CLOSED).unwrap();
        assert_eq!(talk.happened(connected(Connected::Accepted)), [done()]);
        talk
    }
}

fn done() -> Act {
    Act::Finish(Ok(()))
}

fn failed() -> Act {
    Act::Finish(Err(Refused::NOT_ALLOWED))
}

fn connected(result: Connected) -> Urc {
    Urc::Connected {
        connection: ID,
        result,
    }
}

fn published(message_id: u16, result: PublishResult) -> Urc {
    Urc::Published {
        connection: ID,
        message_id,
        result,
        reason: Reason::NONE,
    }
}

fn subscribed(message_id: u16, result: Result<Option<i32>, Reason>) -> Urc {
    Urc::SubscriptionChanged {
        connection: ID,
        message_id,
        change: Some(SubscriptionChange::Subscribed),
        result,
    }
}

#[test]
fn the_settings_are_shown_as_a_block() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    assert_eq!(
        talk.says("+SMCONF?", &CLOSED),
        "+SMCONF:\r\nCLIENTID: \"\"\r\nURL: \"0.0.0.0\",1883\r\nKEEPTIME: 60\r\nUSERNAME: \"\"\r\n\
         PASSWORD: \"\"\r\nCLEANSS: 0\r\nQOS: 0\r\nTOPIC: \"\"\r\nMESSAGE: \"\"\r\nRETAIN: 0\r\n\
         SUBHEX: 0\r\nASYNCMODE: 0"
    );
    for line in [
        r#"+SMCONF="CLIENTID","id""#,
        r#"+SMCONF="URL","h","8883""#,
        r#"+SMCONF="KEEPTIME",30"#,
        r#"+SMCONF="USERNAME","u""#,
        r#"+SMCONF="PASSWORD","p""#,
        r#"+SMCONF="CLEANSS",1"#,
        r#"+SMCONF="QOS",1"#,
        r#"+SMCONF="TOPIC","w""#,
        r#"+SMCONF="MESSAGE","gone""#,
        r#"+SMCONF="RETAIN",1"#,
        r#"+SMCONF="SUBHEX",1"#,
        r#"+SMCONF="ASYNCMODE",1"#,
    ] {
        talk.takes(line);
    }
    assert_eq!(
        talk.says("+SMCONF?", &CLOSED),
        "+SMCONF:\r\nCLIENTID: \"id\"\r\nURL: \"h\",8883\r\nKEEPTIME: 30\r\nUSERNAME: \"u\"\r\n\
         PASSWORD: \"p\"\r\nCLEANSS: 1\r\nQOS: 1\r\nTOPIC: \"w\"\r\nMESSAGE: \"gone\"\r\nRETAIN: 1\r\n\
         SUBHEX: 1\r\nASYNCMODE: 1"
    );
    talk.0.restarted();
    assert!(talk.says("+SMCONF?", &CLOSED).contains("CLIENTID: \"\""));
    let mut older = Talk::new(&Sm::OLDER);
    assert!(!older.says("+SMCONF?", &CLOSED).contains("ASYNCMODE"));
    older.refuses("+SMCONF=\"ASYNCMODE\",1", &CLOSED);
}

#[test]
fn other_settings_are_kept_and_shown() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    for (question, at_first, set, then) in [
        ("+SMPUBHEX?", "+SMPUBHEX: 0", "+SMPUBHEX=1", "+SMPUBHEX: 1"),
        (
            "+SMSSL?",
            "+SMSSL: 0,\"\",\"\"",
            "+SMSSL=1,\"ca\",\"\"",
            "+SMSSL: 1,\"ca\",\"\"",
        ),
        (
            "+SMRCVSLPTM?",
            "+SMRCVSLPTM: 0",
            "+SMRCVSLPTM=1,10",
            "+SMRCVSLPTM: 1,10",
        ),
        (
            "+SMALIAUTH?",
            "+SMALIAUTH:\r\nProduct Key: \"\"\r\nDevice Name: \"\"\r\nDevice Secret: \"\"",
            "+SMALIAUTH=\"k\",\"n\",\"s\"",
            "+SMALIAUTH:\r\nProduct Key: \"k\"\r\nDevice Name: \"n\"\r\nDevice Secret: \"s\"",
        ),
        (
            "+SMALIDYNA?",
            "+SMALIDYNA:\r\nProduct Key: \"\"\r\nDevice Name: \"\"\r\nProduct Secret: \"\"",
            "+SMALIDYNA=\"k\",\"n\",\"s\"",
            "+SMALIDYNA:\r\nProduct Key: \"k\"\r\nDevice Name: \"n\"\r\nProduct Secret: \"s\"",
        ),
    ] {
        assert_eq!(talk.says(question, &CLOSED), at_first);
        talk.takes(set);
        assert_eq!(talk.says(question, &CLOSED), then);
    }
}

#[test]
fn a_connect_opens_the_link_and_is_answered_when_the_broker_has_answered() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    // No broker, or its port in its name.
    talk.refuses("+SMCONN", &CLOSED);
    talk.takes(r#"+SMCONF="URL","h:1883""#);
    talk.refuses("+SMCONN", &CLOSED);
    talk.takes(r#"+SMCONF="URL","h",1884"#);
    talk.takes(r#"+SMCONF="CLIENTID","id""#);
    talk.takes(r#"+SMCONF="PASSWORD","lost without a name""#);
    talk.takes(r#"+SMCONF="TOPIC","w""#);
    let (finish, acts) = talk.command("+SMCONN", &CLOSED).unwrap();
    assert!(matches!(finish, Finish::Outcome(_)));
    let [
        Act::Open {
            host, port, tls, ..
        },
        Act::Connect(connect),
    ] = &acts[..]
    else {
        panic!("{acts:?}");
    };
    assert_eq!((&**host, *port, *tls), ("h", 1884, None));
    assert_eq!((&*connect.client_id, connect.keep_alive), ("id", 60));
    assert!(!connect.clean_session && connect.password.is_none());
    assert_eq!(connect.will.as_ref().unwrap().topic, "w");
    let opened = |result| Urc::Opened {
        connection: ID,
        result,
    };
    assert_eq!(talk.happened(opened(Ok(()))), []);
    assert_eq!(talk.happened(connected(Connected::Accepted)), [done()]);
    talk.refuses("+SMCONN", &CONNECTED);
    talk.refuses(r#"+SMCONF="KEEPTIME",30"#, &CONNECTED);
    // Not opened, and refused.
    let mut talk = Talk::new(&Sm::DEFAULT);
    talk.takes(r#"+SMCONF="URL","h""#);
    talk.command("+SMCONN", &CLOSED).unwrap();
    assert_eq!(talk.happened(opened(Err(OpenFailure::Dns))), [failed()]);
    talk.command("+SMCONN", &CLOSED).unwrap();
    let refused = connected(Connected::Refused(Refusal::NotAuthorized));
    let close = Act::Close { connection: ID };
    assert_eq!(talk.happened(refused), [failed(), close]);
}

#[test]
fn without_its_bearer_it_does_not_connect() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    talk.takes(r#"+SMCONF="URL","h""#);
    let active = false;
    talk.0
        .noticed(Event::Context { cid: CID, active }, &mut Vec::new());
    talk.refuses("+SMCONN", &CLOSED);
}

#[test]
fn an_asynchronous_connect_is_answered_at_once() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    talk.takes(r#"+SMCONF="URL","h""#);
    talk.takes(r#"+SMCONF="ASYNCMODE",1"#);
    let (finish, _) = talk.command("+SMCONN", &CLOSED).unwrap();
    assert_eq!(finish, Finish::Ok);
    let opening = Around {
        state: Some(ConnectionState::Connecting),
        resumed: false,
    };
    talk.refuses("+SMCONN", &opening);
    assert_eq!(talk.says("+SMSTATE?", &opening), "+SMSTATE: 0");
    assert_eq!(talk.happened(connected(Connected::Accepted)), []);
    // Before it is connected it can be given up.
    let (_, acts) = talk.command("+SMDISC", &opening).unwrap();
    assert_eq!(acts, [Act::Close { connection: ID }]);
}

#[test]
fn tls_takes_the_context_before_its_number() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    talk.takes(r#"+SMCONF="URL","h""#);
    for (line, context, level) in [
        (r#"+SMSSL=1,"","""#, 0, SecurityLevel::None),
        (r#"+SMSSL=6,"ca","""#, 5, SecurityLevel::Server),
        (r#"+SMSSL=2,"ca","me""#, 1, SecurityLevel::Mutual),
    ] {
        talk.takes(line);
        let (_, acts) = talk.command("+SMCONN", &CLOSED).unwrap();
        let setting = TlsSetting::SecurityLevel(level);
        assert!(
            acts.contains(&Act::ConfigureTls { context, setting }),
            "{acts:?}"
        );
        let opens = |act: &Act| matches!(act, Act::Open { tls, .. } if *tls == Some(context));
        assert!(acts.iter().any(opens), "{acts:?}");
    }
}

#[test]
fn the_state_is_shown() {
    let resumed = Around {
        state: Some(ConnectionState::Connected),
        resumed: true,
    };
    let mut talk = Talk::new(&Sm::DEFAULT);
    assert_eq!(talk.says("+SMSTATE?", &CLOSED), "+SMSTATE: 0");
    assert_eq!(talk.says("+SMSTATE?", &CONNECTED), "+SMSTATE: 1");
    assert_eq!(talk.says("+SMSTATE?", &resumed), "+SMSTATE: 2");
    let mut older = Talk::new(&Sm::OLDER);
    assert_eq!(older.says("+SMSTATE?", &resumed), "+SMSTATE: 1");
}

#[test]
fn what_needs_a_connection_is_refused_without_one() {
    let mut talk = Talk::new(&Sm::DEFAULT);
    for line in [
        "+SMDISC",
        r#"+SMPUB="t",1,0,0"#,
        r#"+SMSUB="t",0"#,
        r#"+SMUNSUB="t""#,
    ] {
        talk.refuses(line, &CLOSED);
    }
}

#[test]
fn a_message_is_asked_for_and_answered_when_it_is_acknowledged() {
    let mut talk = Talk::connected();
    let (finish, acts) = talk.command(r#"+SMPUB="t",5,1,1"#, &CONNECTED).unwrap();
    let Finish::Data(ask) = finish else {
        panic!("{finish:?}");
    };
    assert_eq!((ask.prompt, ask.length), (Prompt::Sign(b">"), Some(5)));
    assert_eq!(acts, []);
    let mut acts = Vec::new();
    let finish = talk.0.data(b"a\"\r\n\0", &CONNECTED, &mut acts).unwrap();
    assert!(matches!(finish, Finish::Outcome(_)));
    let [
        Act::Publish {
            message_id: Some(id),
            payload,
            retain: true,
            ..
        },
    ] = &acts[..]
    else {
        panic!("{acts:?}");
    };
    assert_eq!(payload, b"a\"\r\n\0");
    // Another packet's acknowledgement is not this one's.
    assert_eq!(talk.happened(published(id + 1, PublishResult::Done)), []);
    assert_eq!(talk.happened(published(*id, PublishResult::Done)), [done()]);
    assert_eq!(talk.happened(published(*id, PublishResult::Done)), []);
    // In digits, which must be some.
    talk.takes("+SMPUBHEX=1");
    talk.command(r#"+SMPUB="t",4,0,0"#, &CONNECTED).unwrap();
    let mut acts = Vec::new();
    talk.0.data(b"4100", &CONNECTED, &mut acts).unwrap();
    assert!(matches!(&acts[..], [Act::Publish { payload, .. }] if payload == b"A\0"));
    talk.command(r#"+SMPUB="t",3,0,0"#, &CONNECTED).unwrap();
    assert!(talk.0.data(b"410", &CONNECTED, &mut acts).is_err());
    // It does not come.
    talk.command(r#"+SMPUB="t",3,0,0"#, &CONNECTED).unwrap();
    assert!(talk.0.no_data(NoData::Late, &mut acts).is_err());
    assert!(talk.0.data(b"410", &CONNECTED, &mut acts).is_err());
}

#[test]
fn a_subscription_is_answered_when_it_is_acknowledged() {
    let mut talk = Talk::connected();
    for (line, result, expected) in [
        (r#"+SMSUB="t/#",1"#, Ok(Some(1)), done()),
        (r#"+SMSUB="t/#",1"#, Err(Reason::NONE), failed()),
        (r#"+SMUNSUB="t/#""#, Ok(None), done()),
    ] {
        let (finish, acts) = talk.command(line, &CONNECTED).unwrap();
        assert!(matches!(finish, Finish::Outcome(_)));
        let (Act::Subscribe { message_id, .. } | Act::Unsubscribe { message_id, .. }) = &acts[0]
        else {
            panic!("{acts:?}");
        };
        let urc = subscribed(message_id.unwrap(), result);
        assert_eq!(talk.happened(urc), [expected]);
    }
}

#[test]
fn a_lost_link_ends_what_is_awaited_and_is_reported_once() {
    let mut talk = Talk::connected();
    talk.command(r#"+SMSUB="t",1"#, &CONNECTED).unwrap();
    let acts = talk.happened(status(LinkStatus::ClosedByServer));
    let [first, Act::Report(report)] = &acts[..] else {
        panic!("{acts:?}");
    };
    assert_eq!(*first, failed());
    assert_eq!(report.line, b"+SMSTATE: 0");
    assert_eq!(talk.happened(status(LinkStatus::Closed)), []);
    // Before it was connected nobody hears of it.
    talk.command("+SMCONN", &CLOSED).unwrap();
    assert_eq!(talk.happened(status(LinkStatus::Tls)), [failed()]);
    // Nor when the host has closed it.
    let mut talk = Talk::connected();
    let (finish, acts) = talk.command("+SMDISC", &CONNECTED).unwrap();
    let (connection, freed) = (ID, true);
    assert_eq!(finish, Finish::Ok);
    assert_eq!(acts, [Act::Disconnect { connection, freed }]);
    assert_eq!(talk.happened(status(LinkStatus::Closed)), []);
}

#[test]
fn messages_are_reported_as_the_host_wants_them() {
    let mut talk = Talk::connected();
    let line = |acts: Vec<Act>| match &acts[..] {
        [Act::Report(report)] => (report.line.escape_ascii().to_string(), report.unframed),
        acts => panic!("{acts:?}"),
    };
    assert_eq!(
        line(talk.happened(received("t", b"a\"b\r\n"))),
        (r#"+SMSUB: \"t\",\"a\"b\r\n\""#.to_string(), true)
    );
    talk.takes(r#"+SMCONF="SUBHEX",1"#);
    assert_eq!(
        line(talk.happened(received("t", b"a\"b\r\n"))),
        (r#"+SMSUB: \"t\",\"6122620D0A\""#.to_string(), false)
    );
}
