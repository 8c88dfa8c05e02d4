//! A module without anything around it.

use super::*;
use crate::dialect::{Act, Event, Finish, Ground, Module, NoData, Refused};
use crate::mqtt::{Connected, ConnectionState, TlsKey, TlsSetting};

/// What a test says of the links.
#[derive(Default)]
pub(super) struct Around {
    pub(super) state: Option<ConnectionState>,
}

impl Ground for Around {
    fn state(&self, id: ConnectionId) -> Option<ConnectionState> {
        self.state.filter(|_| id == ID)
    }

    fn is_open(&self, _: ConnectionId) -> bool {
        false
    }

    fn peer(&self, _: ConnectionId) -> Option<(&str, u16)> {
        None
    }

    fn is_active(&self, _: u8) -> bool {
        true
    }

    fn tls(&self, _: u8, _: TlsKey) -> TlsSetting<'_> {
        TlsSetting::ServerName(false)
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

    fn address(&self, _: u8) -> Option<String> {
        None
    }
}

/// A module, and what it has said and done so far, in words.
pub(super) struct Bench {
    dialect: Cmqtt,
    module: Box<dyn Module>,
    pub(super) around: Around,
}

impl Bench {
    pub(super) fn new(model: &Model) -> Self {
        let dialect = dialect(model);
        Self {
            module: dialect.module(&model.limits),
            dialect,
            around: Around::default(),
        }
    }

    /// One whose service runs.
    pub(super) fn started(model: &Model) -> Self {
        let mut bench = Self::new(model);
        bench.types("AT+CMQTTSTART");
        bench.notices(true);
        bench
    }

    /// One with a client that is connected.
    pub(super) fn connected(model: &Model) -> Self {
        let mut bench = Self::started(model);
        bench.types("AT+CMQTTACCQ=0,\"c\"");
        bench.types("AT+CMQTTCONNECT=0,\"tcp://h\",60,1");
        bench.happens(Urc::Opened {
            connection: ID,
            result: Ok(()),
        });
        bench.happens(Urc::Connected {
            connection: ID,
            result: Connected::Accepted,
        });
        bench.around.state = Some(ConnectionState::Connected);
        bench
    }

    /// What a command comes to.
    pub(super) fn types(&mut self, line: &str) -> Vec<String> {
        let mut acts = Vec::new();
        let command = command(&self.dialect, line);
        let finish = self.module.command(&command, &self.around, &mut acts);
        words(finish, acts)
    }

    /// A command that asks for data, and the data.
    pub(super) fn gives(&mut self, line: &str, data: &[u8]) -> Vec<String> {
        let prompt = self.types(line);
        assert_eq!(prompt, [">"], "{line}");
        let mut acts = Vec::new();
        let finish = self.module.data(data, &self.around, &mut acts);
        words(finish, acts)
    }

    pub(super) fn happens(&mut self, urc: Urc) -> Vec<String> {
        let mut acts = Vec::new();
        self.module.happened(urc, &mut acts);
        words(Ok(Finish::Silently), acts)
    }

    /// The data that was asked for does not come.
    pub(super) fn gives_nothing(&mut self) -> Vec<String> {
        let mut acts = Vec::new();
        let finish = self.module.no_data(NoData::Late, &mut acts);
        words(finish, acts)
    }

    /// The packet data context of the service comes, or goes.
    pub(super) fn notices(&mut self, active: bool) -> Vec<String> {
        let mut acts = Vec::new();
        self.module
            .noticed(Event::Context { cid: 1, active }, &mut acts);
        words(Ok(Finish::Silently), acts)
    }
}

/// What is said and done, in its order.
fn words(finish: Result<Finish, Refused>, acts: Vec<Act>) -> Vec<String> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let mut words: Vec<_> = acts
        .into_iter()
        .filter_map(|act| {
            Some(match act {
                Act::Note(_) | Act::Unreadable(_) => return None,
                Act::Say(line) | Act::Announce(line) => text(line),
                Act::Report(report) => text(report.line),
                Act::Finish(Ok(())) => "OK".into(),
                Act::Finish(Err(Refused::Plain)) => "ERROR".into(),
                Act::Activate { cid, active } => format!("activate {cid} {active}"),
                Act::Open {
                    host,
                    port,
                    cid,
                    tls,
                    ..
                } => format!("open {host} {port} {cid} {tls:?}"),
                Act::Connect(connect) => format!(
                    "connect {} {} {:?} {:?}",
                    connect.client_id, connect.clean_session, connect.version, connect.will
                ),
                Act::Close { .. } => "close".into(),
                Act::Publish {
                    qos,
                    retain,
                    topic,
                    payload,
                    ..
                } => format!("publish {} {retain} {topic} {payload:?}", qos.level()),
                Act::Subscribe { filters, .. } => {
                    let filters = filters.iter();
                    let shown = filters.map(|of| format!("{} {}", of.filter, of.qos.level()));
                    format!("subscribe {}", shown.collect::<Vec<_>>().join(","))
                }
                Act::Unsubscribe { filters, .. } => format!("unsubscribe {}", filters.join(",")),
                other => format!("{other:?}"),
            })
        })
        .collect();
    match finish {
        Ok(Finish::Data(_)) => words.push(">".into()),
        Ok(Finish::Ok | Finish::Reported(_) | Finish::Announced) => words.push("OK".into()),
        Ok(_) => {}
        // What a refused command would have done does not count.
        Err(Refused::Plain) => words = vec!["ERROR".into()],
        Err(other) => panic!("{other:?}"),
    }
    words
}
