//! Every byte of the module and of the host is typed by hand from the reference.

mod exchanges;
mod fences;
mod hostile;
mod power;
mod prompts;
mod splits;
mod uploads;

use std::time::{Duration, Instant};

use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::Lmqtt;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::{
    Connected, ConnectionId, ConnectionState, DataFormat, Information, LinkStatus, PublishResult,
    QoS, Reason, Request, Setting, TopicFilter, Urc,
};
use atmq_protocol::standard::{
    Registration, RegistrationChanged, RegistrationDomain, SignalQuality, StandardInformation,
    StandardRequest, StandardUrc,
};

use super::{Answer, Command, Event, Publish, RawCommand, Response, Session};
use crate::error::{ExchangeError, Reached, RequestError};

const ID: ConnectionId = ConnectionId(0);

/// A session and a clock that only tests move.
struct Host {
    session: Session,
    now: Instant,
}

impl Host {
    fn new() -> Self {
        Self {
            session: Session::new(&Lmqtt::DEFAULT, atmq_protocol::dialect::lmqtt::NT35E.limits),
            now: Instant::now(),
        }
    }

    /// Asks for an exchange; what is written for it.
    fn ask(&mut self, command: Command) -> String {
        self.session.request(command, None, self.now).unwrap();
        self.written()
    }

    /// What is written to the port.
    fn written(&mut self) -> String {
        let mut bytes = Vec::new();
        while let Some(transmit) = self.session.poll_transmit() {
            bytes.extend_from_slice(&transmit.bytes);
        }
        bytes.escape_ascii().to_string()
    }

    /// The module sends these bytes; what the session makes of them.
    fn hear(&mut self, bytes: impl AsRef<[u8]>) -> Vec<Event> {
        self.session.receive(bytes.as_ref(), self.now);
        self.events()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// Time passes without a byte; what is written meanwhile, and what happens.
    fn wait(&mut self, seconds: f64) -> (String, Vec<Event>) {
        let end = self.now + Duration::from_secs_f64(seconds);
        let (mut written, mut events) = (String::new(), Vec::new());
        while let Some(deadline) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = deadline;
            self.session.handle_timeout(deadline);
            written += &self.written();
            events.append(&mut self.events());
        }
        self.now = end;
        (written, events)
    }

    /// Asks, hears the answer, and expects it to be good.
    fn done(&mut self, command: Command, answer: &str) -> Answer {
        self.ask(command);
        match &self.hear(answer)[..] {
            [Event::Completed(Ok(answer))] => answer.clone(),
            other => panic!("{other:?}"),
        }
    }
}

fn attention() -> Command {
    Command::Standard(StandardRequest::Attention)
}

fn signal() -> Command {
    Command::Standard(StandardRequest::SignalQuality)
}

fn quality(rssi: u8) -> Answer {
    let quality = SignalQuality { rssi, ber: 0 };
    Answer::Standard(vec![StandardInformation::SignalQuality(quality)])
}

fn configure(setting: Setting<'static>) -> Command {
    Command::Mqtt(Request::Configure {
        connection: ID,
        setting,
    })
}

fn show_length() -> Command {
    configure(Setting::ReceiveMode {
        format: DataFormat::Text,
        show_length: true,
    })
}

fn open() -> Command {
    Command::Mqtt(Request::Open {
        connection: ID,
        host: "h".into(),
        port: 1883,
    })
}

fn close() -> Command {
    Command::Mqtt(Request::Close { connection: ID })
}

fn subscribe(message_id: u16) -> Command {
    Command::Mqtt(Request::Subscribe {
        connection: ID,
        message_id,
        filters: vec![TopicFilter {
            filter: "t".into(),
            qos: QoS::AtLeastOnce,
        }],
    })
}

fn publish(message_id: u16, payload: &[u8]) -> Command {
    Command::Publish(Publish {
        connection: ID,
        message_id,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: "t".into(),
        payload: payload.into(),
    })
}

fn raw(line: &str) -> Command {
    Command::Raw(RawCommand::new(line))
}

fn plain() -> Answer {
    Answer::Mqtt {
        information: Vec::new(),
        report: None,
    }
}

fn reported(report: Urc) -> Answer {
    Answer::Mqtt {
        information: Vec::new(),
        report: Some(report),
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

fn received(payload: &[u8]) -> Urc {
    Urc::Received {
        connection: ID,
        message_id: 1,
        topic: "t".into(),
        payload: payload.to_vec().into(),
    }
}

fn completed(answer: Answer) -> Event {
    Event::Completed(Ok(answer))
}

fn failed(error: ExchangeError) -> Event {
    Event::Completed(Err(error))
}
