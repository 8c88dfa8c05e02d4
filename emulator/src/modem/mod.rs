//! The whole module without I/O or clock: command interpreter, SIM and network, MQTT connections.

mod command;
mod connect;
mod connection;
mod credentials;
mod data;
mod events;
mod faces;
mod fault;
mod happening;
mod http;
mod inject;
mod line;
mod network;
mod network_registration;
mod output;
mod phase;
mod power;
mod reconnect;
mod refused;
mod registration;
mod report;
mod sim;
mod sleep;
mod standard;
mod status;
mod store;
mod uart;
mod world;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use atmq_protocol::at::framing::CommandReader;
use atmq_protocol::dialect::{Face, Module, Refused};
use atmq_protocol::standard::{Location, OperatorFormat, Registration};
use atmq_protocol::throttle::Throttle;

use crate::lint::{Finding, Linter};
use crate::mqtt::Session;
use crate::network::{NetworkEvent, NetworkRequest};
use crate::profile::{Latency, Profile};
use connection::Connection;
use events::{Indicators, PacketEvent};
use fault::Faults;
use happening::Happenings;
use http::Exchange;
use output::Output;
use phase::Phase;
use refused::NOT_ALLOWED;
use standard::{PacketContext, Settings};
use store::Store;
use uart::Arriving;

pub use fault::{ArmedFault, Effect, Fault, FaultError};
pub use happening::Happening;
pub use sim::Sim;
pub use standard::command_forms;
pub use status::{ConnectionStatus, MessageCounts};
pub use world::{Cell, Operator, World};

/// How many bytes of a host wait while the module is busy: the UART's buffer. It holds the longest
/// payload that a profile may allow behind the prompt, in hexadecimal digits.
const INPUT_LIMIT: usize = 32 * 1024;

/// Above so many bytes waiting for the host, nothing more is taken from the network, and no more
/// commands are read.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// A module as a pure state machine.
///
/// Bytes of the host, events of the network and the time go in; bytes for the host, requests to
/// the network and the next deadline come out. After each input:
///
/// 1. drain [`poll_transmit`](Self::poll_transmit) and [`poll_network`](Self::poll_network);
/// 2. call [`handle_timeout`](Self::handle_timeout) once [`poll_timeout`](Self::poll_timeout) has
///    come.
///
/// Memory is bounded if the caller respects [`input_capacity`](Self::input_capacity) and hands in
/// no data of the network while [`takes_network`](Self::takes_network) says no.
pub struct Modem {
    profile: Arc<Profile>,
    world: World,
    /// The host's rate in bits per second, if it matters and is known.
    host_rate: Option<u32>,
    arriving: Arriving,
    random: fastrand::Rng,
    reader: CommandReader,
    phase: Phase,
    /// The command line that `A/` repeats.
    last_line: Vec<u8>,
    /// What commands have set.
    settings: Settings,
    /// What `AT&W` has stored.
    stored_settings: Settings,
    /// How the operator is chosen, `AT+COPS=<mode>`; 2: none is.
    operator_mode: u8,
    /// How `AT+COPS?` shows the operator.
    operator_format: OperatorFormat,
    /// The packet data contexts that are defined, by their numbers.
    contexts: BTreeMap<u8, PacketContext>,
    /// `AT+CFUN`
    functionality: u8,
    /// In a low-power state: URCs are held until the host has woken the module.
    asleep: bool,
    /// Until when it leaves that state.
    wakes: Option<Instant>,
    /// When it has last had anything to do.
    active: Instant,
    /// `AT+CGATT`
    attach_wanted: bool,
    /// The network refuses the access point of the default bearer.
    bearer_refused: bool,
    /// Until when the module looks for the network.
    search: Option<Instant>,
    /// The registration that the host knows of.
    announced: (Registration, Option<Location>),
    /// The indicators that the host knows of.
    told_indicators: Indicators,
    /// The network's time zone that the host knows of.
    told_zone: i8,
    /// When the module has last done something.
    driven: Instant,
    connections: Vec<Connection>,
    /// What the dialect remembers.
    face: Box<dyn Module>,
    /// What the vendor sets of the profile remember, in its order, once they are used.
    sets: Vec<Option<Box<dyn Face>>>,
    sessions: HashMap<String, Session>,
    /// Files, TLS contexts, what platforms gave.
    store: Store,
    /// When the outcome of the last command may be heard, once it is known.
    outcome_due: Option<Instant>,
    /// What came of a command whose final result code tells it.
    outcome: Option<Result<(), Refused>>,
    output: Output,
    network: VecDeque<NetworkRequest>,
    /// The HTTP request that is on its way.
    http: Option<Exchange>,
    /// Before this moment no URC about the last HTTP request is sent.
    announce_from: Instant,
    lint: Linter,
    faults: Faults,
    happenings: Happenings,
    messages: MessageCounts,
    /// For the log: links that failed for TLS, and sessions for which there was no room.
    tls_failures: Throttle<Instant>,
    sessions_lost: Throttle<Instant>,
    drops: Throttle<Instant>,
}

impl Modem {
    /// A module that has been switched on a while ago. `time` is the time of day at `now`; `seed`
    /// decides how latencies are spread. Modules of one model may share its profile.
    pub fn new(
        profile: impl Into<Arc<Profile>>,
        seed: u64,
        now: Instant,
        time: SystemTime,
    ) -> Self {
        let profile = profile.into();
        let connections = (0..profile.limits.connections)
            .map(|_| Connection::new(now))
            .collect();
        let mut modem = Self {
            world: World::new(&profile.start, now, time),
            host_rate: None,
            arriving: Arriving::default(),
            random: fastrand::Rng::with_seed(seed),
            reader: CommandReader::new(profile.limits.command_line),
            phase: Phase::Idle,
            last_line: Vec::new(),
            settings: Settings::default(),
            stored_settings: Settings::default(),
            operator_mode: 0,
            operator_format: OperatorFormat::Long,
            contexts: Self::default_contexts(),
            functionality: 1,
            asleep: profile.start.asleep,
            wakes: None,
            active: now,
            attach_wanted: true,
            bearer_refused: false,
            search: None,
            announced: (Registration::NotRegistered, None),
            told_indicators: Indicators::default(),
            told_zone: profile.start.time_zone_quarters,
            driven: now,
            connections,
            face: profile.dialect.module(&profile.limits),
            sets: profile.vendor_sets.iter().map(|_| None).collect(),
            sessions: HashMap::new(),
            store: Store::new(profile.dialect.sends_server_name()),
            outcome_due: None,
            outcome: None,
            output: Output::default(),
            network: VecDeque::new(),
            http: None,
            announce_from: now,
            lint: Linter::new(&profile, now),
            messages: MessageCounts::default(),
            faults: Faults::default(),
            happenings: Happenings::default(),
            tls_failures: Throttle::new(),
            sessions_lost: Throttle::new(),
            drops: Throttle::new(),
            profile,
        };
        modem.apply_settings();
        modem.announced = (modem.registration(), modem.location());
        modem.told_indicators = modem.indicators();
        modem
    }

    /// The default bearer is defined from the start.
    fn default_contexts() -> BTreeMap<u8, PacketContext> {
        BTreeMap::from([(1, PacketContext::default())])
    }

    /// The module model.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// From now on the module takes so long. What it is doing already takes its time.
    pub fn set_latency(&mut self, latency: Latency) {
        let changes = self.profile.latency.changes(&latency);
        if !changes.is_empty() {
            self.happened(Happening::Latency(changes));
        }
        // Modules of one model share their profile until one of them differs.
        Arc::make_mut(&mut self.profile).latency = latency;
        self.apply_settings();
    }

    /// Takes bytes from the host, cut anywhere.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        if matches!(self.phase, Phase::Off) {
            return;
        }
        match self.host_rate {
            None => self.arriving.push(bytes, now),
            Some(rate) => {
                let bytes = uart::heard_at(bytes, rate, self.rate());
                self.arriving.push(&bytes, now);
            }
        }
        self.drive(now);
    }

    /// How many more bytes of the host the module has room for.
    pub fn input_capacity(&self) -> usize {
        INPUT_LIMIT.saturating_sub(self.reader.unread() + self.arriving.waiting())
    }

    /// Takes what has happened on the network.
    pub fn handle_network(&mut self, event: NetworkEvent, now: Instant) {
        self.active = now;
        self.network_event(event, now);
        self.drive(now);
    }

    /// Whether there is room for what comes from the network.
    pub fn takes_network(&self) -> bool {
        self.output.waiting() < OUTPUT_LIMIT
    }

    /// Does what is due by now.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clients_timeout(now);
        self.drive(now);
    }

    /// Bytes for the host.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.output.take()
    }

    /// No host can come back: nothing more is received.
    pub(crate) fn host_left(&mut self, now: Instant) {
        self.lint.host_left(now);
    }

    /// What the network is asked to do.
    pub fn poll_network(&mut self) -> Option<NetworkRequest> {
        self.network.pop_front()
    }

    /// What the host has done that it should not, one after another; see [`crate::lint`].
    pub fn poll_finding(&mut self) -> Option<Finding> {
        self.lint.poll()
    }

    /// How often the host has broken which rule.
    pub fn lint(&self) -> &Linter {
        &self.lint
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Idle => {
                let urc = self.output.next_due().filter(|_| !self.asleep);
                let sleep = self.sleep_due();
                let due = urc.into_iter().chain(self.search).chain(sleep).min();
                // Until it is awake, nothing is done.
                due.max(self.wakes)
            }
            Phase::Off => None,
            Phase::Executing { due, .. } | Phase::Taking { due, .. } | Phase::Booting { due } => {
                Some(*due)
            }
            Phase::Prompted { give_up, .. } => *give_up,
            Phase::Waiting { give_up } => Some(*give_up),
            Phase::Reporting { give_up } => Some(self.outcome_due.unwrap_or(*give_up)),
        };
        let others = self.clients_due().into_iter();
        let others = others.chain(self.owes_indicators().then_some(self.driven));
        let others = others.chain(self.output.carries_until());
        let others = others.chain(self.arriving.due());
        let others = others.chain(self.lint.due());
        phase.into_iter().chain(others).min()
    }

    /// A moment of the range, by the seed.
    fn spread(&mut self, (from, to): (Duration, Duration)) -> Duration {
        let span = u64::try_from(to.saturating_sub(from).as_micros()).unwrap_or(u64::MAX);
        from + Duration::from_micros(self.random.u64(0..=span))
    }
}
