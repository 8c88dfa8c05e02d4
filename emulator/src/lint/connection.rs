//! What can be told from the commands and outcomes of one connection.

use std::time::{Duration, Instant};

use atmq_protocol::mqtt::{
    Connected, DataFormat, Formats, LinkStatus, OpenFailure, PublishPayload, QoS, Request, Setting,
    Urc,
};

use super::Rule;
use super::settings::{Settings, may_follow_open};

/// A host may need so long to take note that its connection is lost.
const REACTION: Duration = Duration::from_secs(1);

/// Message ids remembered as in flight, more than any module has.
const IN_FLIGHT: usize = 64;

/// What the host should know of its connection.
#[derive(Debug)]
pub(super) struct Observed {
    stage: Stage,
    /// The last command with an outcome that another one may depend on.
    awaited: Option<Awaited>,
    /// What the command being executed has changed, to be taken back if it is refused.
    before: Before,
    in_flight: Vec<u16>,
    settings: Settings,
    /// When the host heard that the link is lost.
    lost_at: Option<Instant>,
    /// It was closed without being open.
    pub(super) stray_close: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Closed,
    Opening,
    Open,
    Connecting,
    Connected,
    Disconnected,
}

/// What a command has changed before it is known whether the module accepts it.
#[derive(Debug, Default)]
struct Before {
    /// How far the connection was.
    progress: Option<(Stage, Option<Awaited>)>,
    /// The message id that is in flight now.
    message_id: Option<u16>,
    /// The last of the settings is new.
    configured: bool,
}

#[derive(Debug, Clone, Copy)]
struct Awaited {
    command: Dependency,
    /// When the host hears of the outcome, as soon as that is known.
    due: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dependency {
    Open,
    Connect,
    Close,
}

impl Dependency {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Connect => "CONN",
            Self::Close => "CLOSE",
        }
    }
}

impl Observed {
    /// `keeps_configuration`: whether CLOSE leaves the settings as they are.
    pub(super) fn new(keeps_configuration: bool) -> Self {
        Self {
            stage: Stage::Closed,
            awaited: None,
            before: Before::default(),
            in_flight: Vec::new(),
            settings: Settings::new(keeps_configuration),
            lost_at: None,
            stray_close: None,
        }
    }

    /// A command that the host typed by `arrived`, before it is executed; `key` is what it calls
    /// the setting that it is about.
    pub(super) fn request(
        &mut self,
        request: &Request<'_>,
        key: &str,
        send: DataFormat,
        arrived: Instant,
        mut notice: impl FnMut(Rule, String),
    ) {
        self.before = Before {
            progress: Some((self.stage, self.awaited)),
            ..Before::default()
        };
        match request {
            Request::Configure { setting, .. } => self.configure(setting, key, &mut notice),
            Request::Open { host, .. } => {
                self.depends_on(Dependency::Close, arrived, &mut notice);
                if self.stage == Stage::Closed {
                    self.settings.open(host, &mut notice);
                    self.advance(Stage::Opening, Dependency::Open);
                }
            }
            Request::Connect { .. } => {
                let early = self.depends_on(Dependency::Open, arrived, &mut notice);
                if !early && self.stage == Stage::Closed {
                    self.not_connected("the link is not open", arrived, &mut notice);
                }
                self.settings.connect(&mut notice);
                if self.stage == Stage::Open {
                    self.advance(Stage::Connecting, Dependency::Connect);
                }
            }
            Request::Subscribe { message_id, .. } | Request::Unsubscribe { message_id, .. } => {
                self.use_connection(arrived, &mut notice);
                self.use_message_id(*message_id, &mut notice);
            }
            Request::PublishExtended {
                message_id, qos, ..
            } => self.publish(*message_id, *qos, arrived, &mut notice),
            Request::Publish {
                message_id,
                qos,
                payload,
                ..
            } => {
                self.publish(*message_id, *qos, arrived, &mut notice);
                if let PublishPayload::Inline(payload) = payload
                    && send == DataFormat::Text
                    && payload.contains(&b'"')
                {
                    notice(Rule::QuoteInPayload, String::new());
                }
            }
            Request::Close { .. } if self.stage != Stage::Closed => {
                self.advance(self.stage, Dependency::Close);
            }
            _ => {}
        }
    }

    fn publish(
        &mut self,
        message_id: u16,
        qos: QoS,
        arrived: Instant,
        notice: &mut impl FnMut(Rule, String),
    ) {
        self.use_connection(arrived, notice);
        match (qos, message_id) {
            (QoS::AtMostOnce, 0) => {}
            (QoS::AtMostOnce, id) => notice(Rule::MessageIdWithQos0, format!("it is {id}")),
            (_, 0) => notice(Rule::MessageIdZero, String::new()),
            (_, id) => self.use_message_id(id, notice),
        }
    }

    /// Whether the connection is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// The module has refused the command.
    pub(super) fn refused(&mut self) {
        let before = std::mem::take(&mut self.before);
        if let Some((stage, awaited)) = before.progress {
            self.stage = stage;
            self.awaited = awaited;
        }
        if let Some(id) = before.message_id {
            self.acknowledged(id);
        }
        if before.configured {
            self.settings.take_back();
        }
    }

    /// The packet with this message id is done with.
    pub(super) fn acknowledged(&mut self, message_id: u16) {
        self.in_flight.retain(|id| *id != message_id);
    }

    /// What the module reports, and from when the host can know it.
    pub(super) fn reported(
        &mut self,
        urc: &Urc,
        formats: Formats,
        due: Instant,
        mut notice: impl FnMut(Rule, String),
    ) {
        match urc {
            Urc::Opened { result, .. } => match result {
                Ok(()) => self.arrive(Stage::Open, due),
                Err(OpenFailure::InUse) => {}
                Err(_) => self.end(due),
            },
            Urc::Connected { result, .. } => self.arrive(
                match result {
                    Connected::Accepted => Stage::Connected,
                    _ => Stage::Open,
                },
                due,
            ),
            Urc::Disconnected { result: Ok(()), .. } => {
                self.stage = Stage::Disconnected;
                self.before.progress = None;
            }
            Urc::Closed { result: Ok(()), .. } => self.end(due),
            // What becomes of a publish is told by `acknowledged`: a firmware may report that it
            // was sent again, or nothing.
            Urc::SubscriptionChanged { message_id, .. } => self.acknowledged(*message_id),
            Urc::Status { status, .. }
                if !matches!(status, LinkStatus::Fine | LinkStatus::CacheOverflow) =>
            {
                self.end(due);
                self.lost_at = Some(due);
            }
            Urc::Received { payload, .. }
                if formats.receive == DataFormat::Text
                    && !formats.show_length
                    && payload.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) =>
            {
                notice(Rule::ReceiveWithoutLength, String::new());
            }
            _ => {}
        }
    }

    /// The module has started anew: the settings are lost.
    pub(super) fn rebooted(&mut self, now: Instant) {
        self.end(now);
        self.awaited = None;
        self.stray_close = None;
    }

    fn configure(
        &mut self,
        setting: &Setting<'_>,
        key: &str,
        notice: &mut impl FnMut(Rule, String),
    ) {
        if self.stage != Stage::Closed && !may_follow_open(setting.key()) {
            notice(Rule::SettingAfterOpen, String::new());
            return;
        }
        self.before.configured = self.settings.make(setting, key);
    }

    /// A command that needs MQTT to be connected.
    fn use_connection(&mut self, arrived: Instant, notice: &mut impl FnMut(Rule, String)) {
        let early = self.depends_on(Dependency::Connect, arrived, notice);
        if !early && self.stage != Stage::Connected {
            self.not_connected("MQTT is not connected", arrived, notice);
        }
    }

    fn not_connected(&self, what: &str, arrived: Instant, notice: &mut impl FnMut(Rule, String)) {
        let reacts = self.lost_at.is_some_and(|lost| arrived < lost + REACTION);
        if !reacts {
            notice(Rule::NotConnected, what.into());
        }
    }

    fn use_message_id(&mut self, id: u16, notice: &mut impl FnMut(Rule, String)) {
        if self.in_flight.contains(&id) {
            notice(Rule::MessageIdInFlight, format!("it is {id}"));
        } else if self.stage == Stage::Connected && self.in_flight.len() < IN_FLIGHT {
            self.in_flight.push(id);
            self.before.message_id = Some(id);
        }
    }

    /// Whether the host has not waited for the outcome of that command.
    fn depends_on(
        &self,
        command: Dependency,
        arrived: Instant,
        notice: &mut impl FnMut(Rule, String),
    ) -> bool {
        let early = self.awaited.is_some_and(|awaited| {
            awaited.command == command && awaited.due.is_none_or(|due| arrived < due)
        });
        if early {
            let detail = format!("the outcome of {} is still to come", command.name());
            notice(Rule::OutcomeNotAwaited, detail);
        }
        early
    }

    fn advance(&mut self, stage: Stage, command: Dependency) {
        self.stage = stage;
        self.awaited = Some(Awaited { command, due: None });
        self.lost_at = None;
    }

    fn arrive(&mut self, stage: Stage, due: Instant) {
        self.stage = stage;
        self.before.progress = None;
        if let Some(awaited) = &mut self.awaited {
            awaited.due.get_or_insert(due);
        }
    }

    /// The link is no more, and its settings with it.
    fn end(&mut self, due: Instant) {
        self.arrive(Stage::Closed, due);
        self.before = Before::default();
        self.in_flight.clear();
        self.settings.end();
    }
}
