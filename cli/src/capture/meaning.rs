//! What a line means, in a few words, and what passed between module and broker because of it.

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::{Answer, Power};
use atmq_protocol::mqtt::{
    Connected, ConnectionState, Intent, LinkStatus, OpenFailure, PublishResult, QoS, Queried,
    Refusal, SubscriptionChange, Urc,
};
use atmq_protocol::standard::StandardRequest;

use crate::dialect::power;

/// What is known of an entry.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    pub(super) words: Option<String>,
    pub(super) hop: Option<Hop>,
    /// Whether something went wrong.
    pub(super) failed: bool,
}

/// What passed between module and broker, as the commands tell: nobody has seen the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hop {
    /// Whether the module sent it.
    pub(crate) outward: bool,
    /// The packet, and what it is about.
    pub(crate) label: String,
}

impl Meaning {
    pub(super) fn words(words: impl Into<String>) -> Self {
        Self {
            words: Some(words.into()),
            ..Self::default()
        }
    }

    pub(super) fn failure(words: impl Into<String>) -> Self {
        Self {
            failed: true,
            ..Self::words(words)
        }
    }

    /// `early`: it has not waited for the prompt.
    pub(super) fn data(length: usize, early: bool) -> Self {
        let early = if early {
            ", sent before the prompt"
        } else {
            ""
        };
        Self::words(format!("{length} bytes of data{early}"))
    }

    fn sent(self, label: impl Into<String>) -> Self {
        self.hop(true, label)
    }

    fn came(self, label: impl Into<String>) -> Self {
        self.hop(false, label)
    }

    fn hop(mut self, outward: bool, label: impl Into<String>) -> Self {
        let label = label.into();
        self.hop = Some(Hop { outward, label });
        self
    }
}

/// What the tables say of a line is left out here, such as which setting is changed.
pub(super) fn of_intent(intent: &Intent) -> Meaning {
    match intent {
        Intent::Query { what, .. } => of_query(*what),
        Intent::Open { host, port, .. } => Meaning::words(format!("open a link to {host}:{port}"))
            .sent(format!("open {host}:{port}")),
        Intent::Close { .. } => Meaning::words("close the link").sent("close"),
        Intent::Connect {
            client_id,
            username,
            ..
        } => {
            let who = match username {
                Some(username) => format!("as {client_id}, user {username}"),
                None => format!("as {client_id}"),
            };
            Meaning::words(format!("connect {who}")).sent(format!("CONNECT {client_id}"))
        }
        Intent::Disconnect { .. } => Meaning::words("disconnect").sent("DISCONNECT"),
        Intent::Subscribe {
            message_id,
            filters,
            ..
        } => {
            let filters = filters.iter();
            let list =
                filters.map(|filter| format!("{} (QoS {})", filter.filter, filter.qos.level()));
            let list = list.collect::<Vec<_>>().join(", ");
            let id = identifier(*message_id);
            Meaning::words(format!("subscribe to {list}{id}")).sent(format!("SUBSCRIBE {list}"))
        }
        Intent::Unsubscribe { filters, .. } => {
            let list = filters.join(", ");
            Meaning::words(format!("unsubscribe from {list}")).sent(format!("UNSUBSCRIBE {list}"))
        }
        Intent::Publish {
            message_id,
            qos,
            retain,
            topic,
            length,
            ..
        } => {
            let level = qos.level();
            let retained = if *retain { ", retained" } else { "" };
            let id = match qos {
                QoS::AtMostOnce => String::new(),
                _ => identifier(*message_id),
            };
            Meaning::words(format!(
                "publish {length} bytes on {topic}, QoS {level}{retained}{id}"
            ))
            .sent(format!("PUBLISH QoS {level}, {length} bytes, {topic}"))
        }
        Intent::Read { message_id, .. } => {
            Meaning::words(format!("read message {message_id} from the cache"))
        }
        Intent::ConfigureTls { context } => Meaning::words(format!("set up TLS context {context}")),
        Intent::Upload { name, length } => {
            Meaning::words(format!("store the file {name}, {length} bytes"))
        }
        _ => Meaning::default(),
    }
}

fn of_query(what: Queried) -> Meaning {
    match what {
        Queried::Links => Meaning::words("which links are open?"),
        Queried::States => Meaning::words("how far are the connections?"),
        Queried::Unread => Meaning::words("which messages wait in the cache?"),
        Queried::Tls(context) => Meaning::words(format!("how is TLS context {context} set up?")),
        _ => Meaning::default(),
    }
}

/// The packet identifier, where the host has chosen it.
fn identifier(message_id: Option<u16>) -> String {
    message_id.map_or_else(String::new, |id| format!(", id {id}"))
}

/// A command that asks nothing of the MQTT client, without its `AT`. `owned`: it belongs to the
/// client's command set even so.
pub(super) fn of_command(body: &[u8], owned: bool) -> Meaning {
    let (command, rest) = Command::split_first(body, |_| false);
    let known = StandardRequest::decode(&command).and_then(Result::ok);
    let words = match known {
        _ if !rest.is_empty() => return Meaning::default(),
        Some(StandardRequest::Attention) => "are you there?",
        Some(StandardRequest::Echo(true)) => "echo on",
        Some(StandardRequest::Echo(false)) => "echo off",
        Some(StandardRequest::Identification) => "what are you?",
        Some(StandardRequest::Manufacturer) => "who made you?",
        Some(StandardRequest::Model) => "which model?",
        Some(StandardRequest::Revision) => "which firmware?",
        Some(StandardRequest::SerialNumber(_)) => "which serial number?",
        Some(StandardRequest::Subscriber) => "which IMSI?",
        Some(StandardRequest::CardId) => "which SIM card?",
        Some(StandardRequest::SimStatus) => "is the SIM ready?",
        Some(StandardRequest::SignalQuality) => "how strong is the signal?",
        Some(StandardRequest::EnterPin(_)) => "here is the PIN",
        Some(StandardRequest::ExtendedSignalQuality) => "how well is the cell heard?",
        Some(StandardRequest::QueryOperator) => "whose network?",
        Some(StandardRequest::QueryRegistration(_)) => "registered with the network?",
        Some(StandardRequest::QueryAttach) => "attached to the packet domain?",
        Some(StandardRequest::Address(_)) => "which IP address?",
        Some(StandardRequest::QueryClock) => "what time is it?",
        Some(StandardRequest::QueryErrorReports) => "how are errors written?",
        Some(StandardRequest::ErrorReports(0)) => "errors without a reason",
        Some(StandardRequest::ErrorReports(1)) => "errors as numbers",
        Some(StandardRequest::ErrorReports(_)) => "errors in words",
        _ if owned && matches!(command.form, Form::Test) => "what can be given?",
        _ => return Meaning::default(),
    };
    Meaning::words(words)
}

pub(super) fn of_result(result: &FinalResult) -> Meaning {
    match result {
        FinalResult::Ok => Meaning::default(),
        FinalResult::Error => Meaning::failure("refused"),
        FinalResult::Cme(error) => match error.number().and_then(CmeError::words) {
            Some(words) => Meaning::failure(format!("refused: {words}")),
            None => Meaning::failure("refused"),
        },
        FinalResult::Cms(_) | FinalResult::CmsText(_) => Meaning::failure("refused"),
        FinalResult::Connect(_) => Meaning::words("send the data"),
        FinalResult::NoCarrier => Meaning::failure("no connection"),
    }
}

pub(super) fn of_answer(answer: &Answer) -> Meaning {
    match answer {
        Answer::Link { host, port, .. } => {
            Meaning::words(format!("a link to {host}:{port} is open"))
        }
        Answer::State { state, .. } => Meaning::words(match state {
            ConnectionState::Initial => "not yet connected",
            ConnectionState::Connecting => "connecting",
            ConnectionState::Connected => "connected",
            ConnectionState::Disconnecting => "disconnecting",
        }),
        Answer::Message { topic, payload, .. } => {
            Meaning::words(format!("{} bytes on {topic}", payload.len()))
        }
        Answer::Unread { message_ids, .. } => {
            Meaning::words(format!("{} messages wait", message_ids.len()))
        }
        _ => Meaning::default(),
    }
}

/// A URC, which may report what came of `intent`.
pub(super) fn of_urc(urc: &Urc, intent: Option<&Intent>) -> Meaning {
    match urc {
        Urc::Opened { result: Ok(()), .. } => Meaning::words("the link is open").came("open"),
        Urc::Opened {
            result: Err(failure),
            ..
        } => {
            let why = match failure {
                OpenFailure::Parameter => "a parameter is wrong",
                OpenFailure::InUse => "the connection id is in use",
                OpenFailure::PdpActivation => "no packet data context",
                OpenFailure::Dns => "the host name is not known",
                OpenFailure::Network => "the host does not answer",
                OpenFailure::Tls => "TLS failed",
                OpenFailure::Other(_) => "no reason known",
            };
            let meaning = Meaning::failure(format!("the link was not opened: {why}"));
            match failure {
                OpenFailure::Network => meaning.came("no connection"),
                _ => meaning,
            }
        }
        Urc::Closed { result: Ok(()), .. } => Meaning::words("the link is closed"),
        Urc::Closed { .. } => Meaning::failure("the link was not closed"),
        Urc::Connected { result, .. } => of_connected(*result),
        Urc::Disconnected { result: Ok(()), .. } => Meaning::words("disconnected"),
        Urc::Disconnected { .. } => Meaning::failure("not disconnected"),
        Urc::SubscriptionChanged { change, result, .. } => {
            let subscribes = match intent {
                Some(Intent::Unsubscribe { .. }) => false,
                Some(_) => true,
                None => *change != Some(SubscriptionChange::Unsubscribed),
            };
            match (result, subscribes) {
                (Ok(_), true) => Meaning::words("subscribed").came("SUBACK"),
                (Ok(_), false) => Meaning::words("unsubscribed").came("UNSUBACK"),
                (Err(_), true) => Meaning::failure("not subscribed"),
                (Err(_), false) => Meaning::failure("not unsubscribed"),
            }
        }
        Urc::Published { result, .. } => of_published(*result, intent),
        Urc::Received { topic, payload, .. } => {
            let length = payload.len();
            Meaning::words(format!("received {length} bytes on {topic}"))
                .came(format!("PUBLISH {length} bytes, {topic}"))
        }
        Urc::Buffered { message_id, .. } => {
            Meaning::words(format!("message {message_id} waits in the cache")).came("PUBLISH")
        }
        Urc::Status { status, .. } => of_status(*status),
    }
}

fn of_connected(result: Connected) -> Meaning {
    match result {
        Connected::Accepted => Meaning::words("the broker has accepted").came("CONNACK 0"),
        Connected::Refused(refusal) => {
            let why = match refusal {
                Refusal::ProtocolVersion => "unacceptable protocol version",
                Refusal::Identifier => "client id not allowed",
                Refusal::ServerUnavailable => "server unavailable",
                Refusal::BadCredentials => "wrong user name or password",
                Refusal::NotAuthorized => "not authorised",
                Refusal::Other(_) => "another reason",
            };
            Meaning::failure(format!("the broker has refused: {why}"))
                .came(format!("CONNACK {}", refusal.code()))
        }
        Connected::Retransmitted(_) => Meaning::words("CONNECT was sent again"),
        Connected::Failed(_) => Meaning::failure("not connected: no answer"),
    }
}

fn of_published(result: PublishResult, intent: Option<&Intent>) -> Meaning {
    let qos = match intent {
        Some(Intent::Publish { qos, .. }) => Some(*qos),
        _ => None,
    };
    match (result, qos) {
        (PublishResult::Done, Some(QoS::AtLeastOnce)) => {
            Meaning::words("published, acknowledged").came("PUBACK")
        }
        (PublishResult::Done, Some(QoS::ExactlyOnce)) => {
            Meaning::words("published, exactly once").came("PUBCOMP")
        }
        (PublishResult::Done, _) => Meaning::words("published"),
        (PublishResult::WrongAcknowledgement, _) => {
            Meaning::failure("sent, wrongly acknowledged: it may have arrived")
        }
        (PublishResult::NotSent, _) => Meaning::failure("not sent"),
    }
}

fn of_status(status: LinkStatus) -> Meaning {
    let words = match status {
        LinkStatus::Fine => return Meaning::words("the link is fine"),
        LinkStatus::ClosedByServer => {
            return Meaning::failure("link lost: closed by the broker").came("closed");
        }
        LinkStatus::Address => "link lost: bad address",
        LinkStatus::Dns => "link lost: the host name is not known",
        LinkStatus::Protocol => "link lost: the broker broke the protocol",
        LinkStatus::Http => "link lost: HTTP error",
        LinkStatus::ConnectTimeout => "link lost: no connection in time",
        LinkStatus::ConnectFailed => "link lost: no connection",
        LinkStatus::Fatal => "link lost: fatal error",
        LinkStatus::Closed => "link lost: closed",
        LinkStatus::NeedMoreData => "link lost: more data needed",
        LinkStatus::CacheOverflow => "a message was dropped: the cache is full",
        LinkStatus::Tls => "link lost: TLS failed",
        LinkStatus::Refused => "link lost: refused by the broker",
        LinkStatus::PingTimeout => "link lost: a ping was not answered",
        LinkStatus::Other(_) => "link lost",
    };
    Meaning::failure(words)
}

/// A line that is neither the dialect's nor a final result code.
pub(super) fn of_line(line: &[u8]) -> Meaning {
    match power(line) {
        Some(Power::Started) => Meaning::words("the module has started"),
        Some(Power::Down) => Meaning::words("the module is switched off"),
        Some(Power::Banner) | None => Meaning::default(),
    }
}
