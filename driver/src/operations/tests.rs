//! Plans side by side over one session, against bytes that are typed by hand.

mod reports;

use std::time::{Duration, Instant};

use atmq_protocol::dialect::lmqtt::NT35E;
use atmq_protocol::dialect::{Course, Follow};
use atmq_protocol::mqtt::{Connect, LinkStatus, TlsSetUp, TlsUse, TlsVersion};
use tokio::sync::oneshot::{Receiver, error::TryRecvError};

use super::*;
use crate::messages::Inbox;
use crate::session::Event;

const OK: &str = "\r\nOK\r\n";

type Outcomes = Receiver<Result<Option<Performed>, Error>>;

/// What stands between the port and its callers.
struct Host {
    session: Session,
    performer: Performer,
    now: Instant,
}

impl Host {
    fn new() -> Self {
        Self {
            session: Session::new(&NT35E),
            performer: Performer::default(),
            now: Instant::now(),
        }
    }

    fn start(&mut self, operation: Operation, link: Option<&Arc<Link>>) -> Outcomes {
        let (reply, outcome) = oneshot::channel();
        let link = link.cloned();
        self.performer.start(operation, Asked { link, reply });
        outcome
    }

    /// What is written when the next step has its turn.
    fn next(&mut self) -> String {
        if self.session.is_ready() {
            self.performer.next(&mut self.session, self.now);
        }
        let mut bytes = Vec::new();
        while let Some(transmit) = self.session.poll_transmit() {
            bytes.extend_from_slice(&transmit.bytes);
        }
        bytes.escape_ascii().to_string()
    }

    /// The module says this.
    fn hear(&mut self, said: &str) {
        self.session.receive(said.as_bytes(), self.now);
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Completed(outcome) => {
                    let ended = self.session.ended().expect("one has ended");
                    self.performer.step_ended(ended, outcome, &mut self.session);
                }
                Event::Urc(urc) => panic!("nobody waits for {urc:?}"),
                _ => {}
            }
        }
        // The pause behind an error.
        self.now += Duration::from_millis(100);
        self.session.handle_timeout(self.now);
    }

    /// Takes step after step of a connect, up to this one.
    fn until(&mut self, line: &str) {
        assert_eq!(self.next(), close(0));
        self.hear("\r\nERROR\r\n");
        let mut written = self.next();
        while written != line {
            assert_ne!(written, "", "{line} is not sent");
            self.hear(OK);
            written = self.next();
        }
    }
}

fn link(connection: u8) -> Arc<Link> {
    let inbox = Inbox::new(1, Arc::default());
    Arc::new(Link::new(ConnectionId(connection), inbox))
}

fn connect(connection: u8, secured: bool) -> Operation {
    let mut connect = Connect::new(ConnectionId(connection), "h", 1883, "id");
    connect.tls = secured.then_some(TlsUse {
        context: 0,
        set_up: Some(TlsSetUp {
            ca: Some(Arc::from(*b"ca")),
            identity: None,
            version: TlsVersion::All,
            server_name: true,
            ignore_time: false,
        }),
    });
    Operation::Connect(Box::new(connect))
}

fn state(connection: u8) -> Operation {
    Operation::State {
        connection: ConnectionId(connection),
    }
}

fn close(connection: u8) -> String {
    format!(r"AT+LMQTTCLOSE={connection}\r")
}

#[test]
fn plans_take_turns() {
    let mut host = Host::new();
    let (first, second) = (link(0), link(1));
    let _outcomes = [
        host.start(connect(0, false), Some(&first)),
        host.start(connect(1, false), Some(&second)),
    ];
    for key in ["CLOSE=", r#"CFG=\"recv/mode\","#, r#"CFG=\"send/mode\","#] {
        for connection in [1, 0] {
            let line = host.next();
            assert!(
                line.starts_with(&format!("AT+LMQTT{key}{connection}")),
                "{line}"
            );
            host.hear("\r\nERROR\r\n");
        }
    }
}

#[test]
fn who_comes_has_the_next_turn() {
    let mut host = Host::new();
    let link = link(0);
    let _connecting = host.start(connect(0, false), Some(&link));
    assert_eq!(host.next(), close(0));
    host.hear("\r\nERROR\r\n");
    let mut told = host.start(state(1), None);
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    host.hear(OK);
    let outcome = Outcome::State(None);
    let error = None;
    assert_eq!(told.try_recv(), Ok(Ok(Some(Performed { outcome, error }))));
}

/// The module has one set of contexts and files: what one connect sets up is set up before
/// another begins, which does not give it the same file again.
#[test]
fn one_sets_up_at_a_time() {
    let mut host = Host::new();
    let (first, second) = (link(0), link(1));
    let _first = host.start(connect(0, true), Some(&first));
    assert_eq!(host.next(), close(0));
    host.hear("\r\nERROR\r\n");
    let _second = host.start(connect(1, true), Some(&second));
    assert_eq!(host.next(), r#"AT+LFUPL=\"atmq_ca_0.pem\",2\r"#);
    host.hear("\r\nCONNECT\r\n");
    assert_eq!(host.next(), "ca");
    host.hear(OK);
    // Who sets up nothing need not wait.
    let _other = host.start(state(2), None);
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    host.hear(OK);
    for key in ["cacert", "seclevel", "sslversion", "sni", "ignorelocaltime"] {
        let line = host.next();
        assert!(
            line.starts_with(&format!(r#"AT+LSSLCFG=\"{key}\""#)),
            "{line}"
        );
        host.hear(OK);
    }
    assert_eq!(host.next(), close(1));
    host.hear("\r\nERROR\r\n");
    assert_eq!(host.next(), r#"AT+LMQTTCFG=\"recv/mode\",0,0,1\r"#);
    host.hear(OK);
    let line = host.next();
    assert!(line.starts_with(r#"AT+LSSLCFG=\"cacert\""#), "{line}");
}

/// What waits for its turn is sent when the module is in order again; what was begun is not.
#[test]
fn what_befalls_the_module_ends_what_was_begun() {
    let mut host = Host::new();
    let link = link(0);
    let mut connecting = host.start(connect(0, false), Some(&link));
    assert_eq!(host.next(), close(0));
    let mut asking = host.start(state(1), None);
    host.performer.fail(&Error::Reset, None);
    assert_eq!(connecting.try_recv(), Ok(Err(Error::Reset)));
    assert_eq!(link.ended(), Some(Disconnected::NotEstablished));
    assert_eq!(asking.try_recv(), Err(TryRecvError::Empty));
    let closed = Error::ResetFailed("it is gone".into());
    host.performer.fail(&Error::Reset, Some(&closed));
    assert_eq!(asking.try_recv(), Ok(Err(closed)));
    assert!(host.performer.is_idle());
}

#[derive(Debug)]
struct TwoSteps;

impl Follow for TwoSteps {
    fn next(&mut self, _end: &StepEnd<'_>) -> Next {
        Next::Step(Box::new(Step::new(
            b"AT+PAYLOAD\r".into(),
            Duration::from_secs(5),
        )))
    }
}

#[test]
fn nothing_comes_between_what_is_inseparable() {
    let mut host = Host::new();
    let dropped = link(0);
    let connecting = host.start(connect(0, false), Some(&dropped));
    assert_eq!(host.next(), close(0));
    host.hear("\r\nERROR\r\n");
    let mut topic = Step::new(b"AT+TOPIC\r".into(), Duration::from_secs(5));
    topic.then = Then::Nobody;
    let mut told = host.start(state(0), None);
    let (performing, _) = host.performer.queue.pop_front().expect("it waits");
    let plan = Plan::new(topic, Course::Follow(Box::new(TwoSteps)));
    host.performer.go_on(performing, plan);
    assert!(!host.performer.is_exclusive(&host.session));
    assert_eq!(host.next(), r"AT+TOPIC\r");
    host.hear(OK);
    assert!(host.performer.is_exclusive(&host.session));
    let _other = host.start(state(1), None);
    // Not even an undo.
    drop(connecting);
    assert_eq!(host.next(), r"AT+PAYLOAD\r");
    host.hear(OK);
    assert!(host.performer.is_exclusive(&host.session));
    assert_eq!(host.next(), close(0));
    host.hear("\r\nERROR\r\n");
    assert!(!host.performer.is_exclusive(&host.session));
    assert_eq!(host.next(), r"AT+LMQTTCONN?\r");
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
}

#[derive(Debug)]
struct Fails;

impl Follow for Fails {
    fn next(&mut self, _end: &StepEnd<'_>) -> Next {
        Next::Done(Outcome::Failed(Proof::MayHaveArrived))
    }
}

#[test]
fn a_failure_has_an_error_where_no_step_has() {
    let mut host = Host::new();
    let mut told = host.start(state(0), None);
    let (performing, _) = host.performer.queue.pop_front().expect("it waits");
    let step = Step::new(b"AT+ASK?\r".into(), Duration::from_secs(5));
    let plan = Plan::new(step, Course::Follow(Box::new(Fails)));
    host.performer.go_on(performing, plan);
    host.next();
    host.hear(OK);
    let told = told.try_recv().expect("it is told").expect("it was begun");
    let error = told.and_then(|told| told.error).expect("it has failed");
    let expected = "the module answered AT+ASK? without the information asked for";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_link_that_is_lost_between_two_steps_ends_the_connect() {
    let mut host = Host::new();
    let link = link(0);
    let mut told = host.start(connect(0, false), Some(&link));
    host.until(r#"AT+LMQTTOPEN=0,\"h\",1883\r"#);
    assert!(link.is_armed());
    host.hear("\r\nOK\r\n\r\n+LMQTTOPEN: 0,0\r\n");
    let reason = Disconnected::LinkLost {
        status: LinkStatus::ClosedByServer,
        code: None,
    };
    link.end(reason.clone());
    assert_eq!(host.next(), close(0));
    assert!(host.performer.is_exclusive(&host.session) || !host.session.is_ready());
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    host.hear("\r\nERROR\r\n");
    assert_eq!(
        told.try_recv(),
        Ok(Ok(Some(Performed {
            outcome: Outcome::Failed(Proof::NeverLeft),
            error: Some(Error::Disconnected(reason)),
        })))
    );
    assert!(host.performer.is_idle());
}
