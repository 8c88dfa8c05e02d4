//! What a line means, in a few words, and what passed between module and broker because of it.

use atmq_protocol::at::command::{Command, Form};
use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::dialect::{Dialect, Lmqtt};
use atmq_protocol::mqtt::{
    Connected, ConnectionState, Information, LinkStatus, OpenFailure, PublishPayload,
    PublishResult, QoS, Refusal, Request, Setting, SubscriptionChange, Urc,
};
use atmq_protocol::standard::StandardRequest;

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

    fn failure(words: impl Into<String>) -> Self {
        Self {
            failed: true,
            ..Self::words(words)
        }
    }

    pub(super) fn data(length: usize) -> Self {
        Self::words(format!("{length} bytes of data"))
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

pub(super) fn of_request(request: &Request<'_>) -> Meaning {
    match request {
        Request::Configure { setting, .. } => Meaning::words(of_setting(setting)),
        Request::QuerySetting { key, .. } => Meaning::words(format!("how is {key:?} set?")),
        Request::Open { host, port, .. } => Meaning::words(format!("open a link to {host}:{port}"))
            .sent(format!("open {host}:{port}")),
        Request::QueryOpen => Meaning::words("which links are open?"),
        Request::Close { .. } => Meaning::words("close the link").sent("close"),
        Request::Connect {
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
        Request::QueryState => Meaning::words("how far are the connections?"),
        Request::Disconnect { .. } => Meaning::words("disconnect").sent("DISCONNECT"),
        Request::Subscribe {
            message_id,
            filters,
            ..
        } => {
            let filters = filters.iter();
            let list =
                filters.map(|filter| format!("{} (QoS {})", filter.filter, filter.qos.level()));
            let list = list.collect::<Vec<_>>().join(", ");
            Meaning::words(format!("subscribe to {list}, id {message_id}"))
                .sent(format!("SUBSCRIBE {list}"))
        }
        Request::Unsubscribe { filters, .. } => {
            let list = filters.join(", ");
            Meaning::words(format!("unsubscribe from {list}")).sent(format!("UNSUBSCRIBE {list}"))
        }
        Request::Publish {
            message_id,
            qos,
            retain,
            topic,
            payload,
            ..
        } => {
            let length = match payload {
                PublishPayload::Inline(payload) => payload.len(),
                PublishPayload::Prompted(length) => *length,
            };
            publish(*message_id, *qos, *retain, topic, length)
        }
        Request::PublishExtended {
            message_id,
            qos,
            retain,
            topic,
            length,
            ..
        } => publish(*message_id, *qos, *retain, topic, *length),
        Request::Read { message_id, .. } => {
            Meaning::words(format!("read message {message_id} from the cache"))
        }
        Request::QueryUnread => Meaning::words("which messages wait in the cache?"),
        Request::ConfigureTls { context, .. } => {
            Meaning::words(format!("set up TLS context {context}"))
        }
        Request::QueryTls { context, .. } => {
            Meaning::words(format!("how is TLS context {context} set up?"))
        }
        Request::Upload { name, length, .. } => {
            Meaning::words(format!("store the file {name}, {length} bytes"))
        }
    }
}

fn publish(message_id: u16, qos: QoS, retain: bool, topic: &str, length: usize) -> Meaning {
    let level = qos.level();
    let retained = if retain { ", retained" } else { "" };
    let id = match qos {
        QoS::AtMostOnce => String::new(),
        _ => format!(", id {message_id}"),
    };
    Meaning::words(format!(
        "publish {length} bytes on {topic}, QoS {level}{retained}{id}"
    ))
    .sent(format!("PUBLISH QoS {level}, {length} bytes, {topic}"))
}

fn of_setting(setting: &Setting<'_>) -> String {
    let on = |on: bool| if on { "on" } else { "off" };
    match setting {
        Setting::Version(version) => format!("MQTT version {version:?}")
            .replace("V3_1_1", "3.1.1")
            .replace("V3_1", "3.1"),
        Setting::CleanSession(clean) => format!("clean session {}", on(*clean)),
        Setting::KeepAlive(0) => "no keepalive".into(),
        Setting::KeepAlive(seconds) => format!("keepalive {seconds} s"),
        Setting::Timeouts(timeouts) => format!(
            "wait {} s for an acknowledgement, send again {} times",
            timeouts.packet_seconds, timeouts.retries
        ),
        Setting::ReceiveMode {
            format,
            show_length,
        } => format!(
            "received payloads: {format:?}, {} length",
            if *show_length { "with" } else { "without" }
        ),
        Setting::SendMode(format) => format!("payloads to publish: {format:?}"),
        Setting::DataFormats { send, receive } => {
            format!("payloads: {send:?} to publish, {receive:?} received")
        }
        Setting::Cache(cache) => format!("keep received messages in the module: {}", on(*cache)),
        Setting::ResultUrcs(reported) => {
            format!("report what came of a publish: {}", on(*reported))
        }
        Setting::Cloud { platform, .. } => match platform {
            1 => "cloud platform: OneNET".into(),
            2 => "cloud platform: Alibaba Cloud".into(),
            platform => format!("cloud platform {platform}"),
        },
        Setting::AliAuth {
            product_key,
            device_name,
            ..
        } => format!("Alibaba Cloud device {device_name} of {product_key}"),
        Setting::AliDevice(_) => "an Alibaba Cloud device".into(),
        Setting::QuickRelease(quick) => format!("quick release of the radio: {}", on(*quick)),
        Setting::PdpContext(cid) => format!("packet data context {cid}"),
        Setting::Tls { enabled: false, .. } => "no TLS".into(),
        Setting::Tls { context, .. } => format!("TLS with context {context}"),
        Setting::Will(None) => "no will".into(),
        Setting::Will(Some(will)) => format!("will on {}", will.topic),
    }
}

/// A command that is not the dialect's, without its `AT`.
pub(super) fn of_command(body: &[u8]) -> Meaning {
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
        Some(StandardRequest::Revision | StandardRequest::LierdaRevision) => "which firmware?",
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
        _ if matches!(command.form, Form::Test) && Lmqtt::DEFAULT.owns(command.name) => {
            "what can be given?"
        }
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

pub(super) fn of_information(information: &Information<'_>) -> Meaning {
    match information {
        Information::Setting(setting) => Meaning::words(of_setting(setting)),
        Information::Opened { host, port, .. } => {
            Meaning::words(format!("a link to {host}:{port} is open"))
        }
        Information::State { state, .. } => Meaning::words(match state {
            ConnectionState::Initial => "not yet connected",
            ConnectionState::Connecting => "connecting",
            ConnectionState::Connected => "connected",
            ConnectionState::Disconnecting => "disconnecting",
        }),
        Information::Message { topic, payload, .. } => {
            Meaning::words(format!("{} bytes on {topic}", payload.len()))
        }
        Information::Unread { message_ids, .. } => {
            Meaning::words(format!("{} messages wait", message_ids.len()))
        }
        Information::TlsSetting { context, .. } => Meaning::words(format!("TLS context {context}")),
    }
}

/// A URC, which may report what came of `request`.
pub(super) fn of_urc(urc: &Urc, request: Option<&Request<'_>>) -> Meaning {
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
            let subscribes = match request {
                Some(Request::Unsubscribe { .. }) => false,
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
        Urc::Published { result, .. } | Urc::PublishedExtended { result, .. } => {
            of_published(*result, request)
        }
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

fn of_published(result: PublishResult, request: Option<&Request<'_>>) -> Meaning {
    let qos = match request {
        Some(Request::Publish { qos, .. } | Request::PublishExtended { qos, .. }) => Some(*qos),
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
        LinkStatus::Other(_) => "link lost",
    };
    Meaning::failure(words)
}

/// A line that is neither the dialect's nor a final result code.
pub(super) fn of_line(line: &[u8]) -> Meaning {
    if line.starts_with(b"^boot.rom") {
        return Meaning::words("the module has started");
    }
    match line {
        b"NORMAL POWER DOWN" => Meaning::words("the module is switched off"),
        _ => Meaning::default(),
    }
}
