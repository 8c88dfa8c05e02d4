//! What can be told from the commands and outcomes of one connection.

use std::time::{Duration, Instant};

use atmq_protocol::dialect::Report;
use atmq_protocol::mqtt::{Connected, Intent, LinkStatus, OpenFailure, QoS, Urc};

use super::Rule;
use super::host::beside_a_name;
use super::settings::Settings;

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
    in_flight: Vec<InFlight>,
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

/// A message id that is used.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    id: u16,
    /// From when on the host knows what came of its packet, as soon as that is known.
    known: Option<Instant>,
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
    /// `keeps_settings`: whether CLOSE leaves them as they are.
    pub(super) fn new(keeps_settings: bool) -> Self {
        Self {
            stage: Stage::Closed,
            awaited: None,
            before: Before::default(),
            in_flight: Vec::new(),
            settings: Settings::new(keeps_settings),
            lost_at: None,
            stray_close: None,
        }
    }

    /// What a command asks for that the host typed by `arrived`, before it is done.
    pub(super) fn note(
        &mut self,
        intent: &Intent,
        arrived: Instant,
        mut notice: impl FnMut(Rule, String),
    ) {
        self.before = Before {
            progress: Some((self.stage, self.awaited)),
            ..Before::default()
        };
        match intent {
            Intent::Configure {
                key,
                change,
                before_open,
                ..
            } => {
                if self.stage != Stage::Closed && *before_open {
                    notice(Rule::SettingAfterOpen, String::new());
                } else {
                    self.before.configured = self.settings.make(key, *change);
                }
            }
            Intent::Open { host, .. } => {
                if let Some(what) = beside_a_name(host) {
                    notice(Rule::HostNotAName, what.into());
                }
                self.depends_on(Dependency::Close, arrived, &mut notice);
                if self.stage == Stage::Closed {
                    self.settings.open(host, &mut notice);
                    self.advance(Stage::Opening, Dependency::Open);
                }
            }
            Intent::Connect { .. } => {
                let early = self.depends_on(Dependency::Open, arrived, &mut notice);
                if !early && self.stage == Stage::Closed {
                    self.not_connected("the link is not open", arrived, &mut notice);
                }
                self.settings.connect(&mut notice);
                if self.stage == Stage::Open {
                    self.advance(Stage::Connecting, Dependency::Connect);
                }
            }
            Intent::Subscribe { message_id, .. } | Intent::Unsubscribe { message_id, .. } => {
                self.use_connection(arrived, &mut notice);
                if let Some(id) = *message_id {
                    self.use_message_id(id, arrived, &mut notice);
                }
            }
            Intent::Publish {
                message_id,
                qos,
                quote_inside,
                ..
            } => {
                self.publish(*message_id, *qos, arrived, &mut notice);
                if *quote_inside {
                    notice(Rule::QuoteInPayload, String::new());
                }
            }
            Intent::Close { .. } if self.stage != Stage::Closed => {
                self.advance(self.stage, Dependency::Close);
            }
            _ => {}
        }
    }

    fn publish(
        &mut self,
        message_id: Option<u16>,
        qos: QoS,
        arrived: Instant,
        notice: &mut impl FnMut(Rule, String),
    ) {
        self.use_connection(arrived, notice);
        match (qos, message_id) {
            (_, None) | (QoS::AtMostOnce, Some(0)) => {}
            (QoS::AtMostOnce, Some(id)) => notice(Rule::MessageIdWithQos0, format!("it is {id}")),
            (_, Some(0)) => notice(Rule::MessageIdZero, String::new()),
            (_, Some(id)) => self.use_message_id(id, arrived, notice),
        }
    }

    /// Whether the connection is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// The module has refused the command.
    pub(super) fn refused(&mut self) {
        self.cancelled();
        let before = std::mem::take(&mut self.before);
        if let Some((stage, awaited)) = before.progress {
            self.stage = stage;
            self.awaited = awaited;
        }
        if before.configured {
            self.settings.take_back();
        }
    }

    /// The packet of the command is not sent.
    pub(super) fn cancelled(&mut self) {
        if let Some(id) = self.before.message_id.take() {
            let last = self.in_flight.iter().rposition(|sent| sent.id == id);
            last.map(|at| self.in_flight.remove(at));
        }
    }

    /// It is known what came of the packet with this message id. The host may use it again from
    /// `due` on, when it can have heard of that.
    pub(super) fn acknowledged(&mut self, message_id: u16, due: Instant) {
        let mut sent = self.in_flight.iter_mut();
        let first = sent.find(|sent| sent.id == message_id && sent.known.is_none());
        if let Some(first) = first {
            first.known = Some(due);
        }
    }

    /// What the module reports, and from when the host can know it.
    pub(super) fn reported(
        &mut self,
        report: &Report,
        due: Instant,
        mut notice: impl FnMut(Rule, String),
    ) {
        match &report.urc {
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
            // That a publish was sent again may be reported like its outcome, and is none.
            Urc::Published { message_id, .. } if report.outcome => {
                self.acknowledged(*message_id, due);
            }
            Urc::SubscriptionChanged { message_id, .. } => self.acknowledged(*message_id, due),
            Urc::Status { status, .. }
                if !matches!(status, LinkStatus::Fine | LinkStatus::CacheOverflow) =>
            {
                self.end(due);
                self.lost_at = Some(due);
            }
            Urc::Received { .. } if report.unframed => {
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

    /// The same id may be in flight more than once, and each time has its own report.
    fn use_message_id(&mut self, id: u16, arrived: Instant, notice: &mut impl FnMut(Rule, String)) {
        let in_flight = &mut self.in_flight;
        in_flight.retain(|sent| sent.known.is_none_or(|known| arrived < known));
        if in_flight.iter().any(|sent| sent.id == id) {
            notice(Rule::MessageIdInFlight, format!("it is {id}"));
        }
        if self.stage == Stage::Connected && in_flight.len() < IN_FLIGHT {
            in_flight.push(InFlight { id, known: None });
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
