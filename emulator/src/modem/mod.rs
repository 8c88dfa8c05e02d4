//! The whole module without I/O or clock: command interpreter, SIM and network, MQTT connections.

mod cache;
mod command;
mod config;
mod connection;
mod events;
mod fault;
mod http;
mod line;
mod mqtt;
mod network;
mod output;
mod power;
mod publish;
mod reconnect;
mod registration;
mod report;
mod sleep;
mod standard;
mod status;
mod store;
mod uart;
mod upload;
mod world;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use atmq_protocol::framing::{CommandReader, Input};
use atmq_protocol::mqtt::{ConnectionId, FormatTable};
use atmq_protocol::parameter::ParameterError;
use atmq_protocol::result_code::{CmeError, FinalResult};
use atmq_protocol::standard::{Location, OperatorFormat, Registration};

use crate::lint::{Attention, Finding, Linter};
use crate::mqtt::Session;
use crate::network::{NetworkEvent, NetworkRequest};
use crate::profile::Profile;
use config::Config;
use connection::{Connection, Link};
use events::{Indicators, PacketEvent};
use fault::Faults;
use http::Http;
use output::{Output, Style};
use publish::Publish;
use standard::{PacketContext, Settings};
use store::Store;
use uart::Arriving;
use upload::Upload;

pub use fault::{Effect, Fault, FaultError};
pub use standard::command_forms;
pub(crate) use standard::is_standard;
pub use status::{ConnectionStatus, MessageCounts};
pub use world::{Cell, Operator, Sim, World};

/// How many bytes of a host wait while the module is busy: the UART's buffer. It holds the longest
/// payload that a profile may allow behind the prompt, in hexadecimal digits.
const INPUT_LIMIT: usize = 32 * 1024;

/// Above so many bytes waiting for the host, nothing more is taken from the network, and no more
/// commands are read.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// The rate at which the module speaks after it has been told to detect the host's, in bits per
/// second: on a pseudo terminal there is none to detect.
const DETECTED_RATE: u32 = 115_200;

/// How many persistent sessions the module remembers.
const SESSIONS: usize = 16;

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
    profile: Profile,
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
    formats: FormatTable,
    sessions: HashMap<String, Session>,
    /// Files, TLS contexts, what platforms gave.
    store: Store,
    /// When the outcome of the last command may be heard, once it is known.
    outcome_due: Option<Instant>,
    output: Output,
    network: VecDeque<NetworkRequest>,
    http: Http,
    lint: Linter,
    faults: Faults,
    messages: MessageCounts,
}

/// What the command interpreter is doing.
#[derive(Debug)]
enum Phase {
    /// Waiting for a command.
    Idle,
    /// A command line is executed once the module has thought about it.
    Executing {
        due: Instant,
        line: Vec<u8>,
        fault: Option<Effect>,
        /// From when on a byte of the host aborts it, if one may.
        abort_from: Option<Instant>,
    },
    /// A prompt stands, and the payload is awaited.
    Prompted { publish: Publish, give_up: Instant },
    /// The payload is there, and is published once the module has thought about it.
    Publishing {
        due: Instant,
        publish: Publish,
        payload: Vec<u8>,
    },
    /// `CONNECT` stands, and a file is awaited.
    Uploading { upload: Upload, give_up: Instant },
    /// `OK` waits for the outcome of the command.
    Reporting { give_up: Instant },
    /// The module starts.
    Booting { due: Instant },
    /// The module has no power.
    Off,
}

impl Phase {
    fn attention(&self) -> Attention {
        match self {
            Self::Idle | Self::Prompted { .. } | Self::Uploading { .. } => Attention::Listening,
            Self::Executing { .. } | Self::Publishing { .. } | Self::Reporting { .. } => {
                Attention::Executing
            }
            Self::Booting { .. } | Self::Off => Attention::Booting,
        }
    }
}

/// What the host has typed.
enum Typed {
    Nothing,
    /// Without `AT`: V.250 has a module pass it over in silence.
    Noise,
    /// A line that does not fit into the module's buffer.
    Overlong,
    Line(Vec<u8>),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The module does not know the command.
    Unknown,
    /// With a code of `+CME ERROR`.
    Cme(u16),
    /// With a code of `+CMS ERROR`.
    Cms(u16),
    /// `NO CARRIER`
    NoCarrier,
}

/// Bad parameter, state or form: the one code that ECMT's handlers raise.
const NOT_ALLOWED: Refused = Refused::Cme(CmeError::NOT_ALLOWED);

impl From<ParameterError> for Refused {
    fn from(error: ParameterError) -> Self {
        tracing::debug!(%error, "bad parameter");
        NOT_ALLOWED
    }
}

impl Modem {
    /// A module that has been switched on a while ago. `time` is the time of day at `now`; `seed`
    /// decides how latencies are spread.
    pub fn new(profile: Profile, seed: u64, now: Instant, time: SystemTime) -> Self {
        let connections = (0..profile.limits.connections)
            .map(|_| Connection::new(Config::new(profile.result_urcs), now))
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
            formats: FormatTable::default(),
            sessions: HashMap::new(),
            store: Store::default(),
            outcome_due: None,
            output: Output::default(),
            network: VecDeque::new(),
            http: Http::default(),
            lint: Linter::new(&profile, now),
            messages: MessageCounts::default(),
            faults: Faults::default(),
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

    /// The rate of the host's UART, in bits per second; `None` if it is as good as the module's
    /// own. Where the two differ, both sides hear garbage. The module's own is that of `AT+IPR`,
    /// and with `AT+IPR=0` the host's.
    pub fn set_host_rate(&mut self, rate: Option<u32>) {
        self.host_rate = rate.filter(|_| self.line_rate().is_some());
        self.output.set_host_rate(self.host_rate);
    }

    /// The module's rate, in bits per second.
    fn rate(&self) -> u32 {
        self.line_rate().unwrap_or(DETECTED_RATE)
    }

    /// Takes what the serial line has brought by now.
    fn arrive(&mut self, now: Instant) {
        let came = self.arriving.take(now);
        if came.is_empty() || !self.wake(came.len(), now) {
            return;
        }
        self.active = now;
        let mut bytes = &came[..];
        if let Phase::Executing { abort_from, .. } = &self.phase
            && abort_from.is_some_and(|from| from <= now)
        {
            // The byte that aborts is not looked at (V.250 section 5.6.1).
            self.phase = Phase::Idle;
            self.finish(Ok(FinalResult::Ok));
            bytes = &bytes[1..];
        }
        self.lint.receive(bytes, self.phase.attention(), now);
        self.reader.push(bytes);
        if let Phase::Prompted { give_up, .. } = &mut self.phase {
            *give_up = now + self.profile.data_timeout;
        }
        if let Phase::Uploading { upload, give_up } = &mut self.phase {
            *give_up = upload.give_up(now);
        }
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
            Phase::Executing { due, .. }
            | Phase::Publishing { due, .. }
            | Phase::Booting { due } => Some(*due),
            Phase::Prompted { give_up, .. } | Phase::Uploading { give_up, .. } => Some(*give_up),
            Phase::Reporting { give_up } => Some(self.outcome_due.unwrap_or(*give_up)),
        };
        let others = self.clients_due().into_iter();
        let others = others.chain(self.owes_indicators().then_some(self.driven));
        let others = others.chain(self.output.carries_until());
        let others = others.chain(self.arriving.due());
        phase.into_iter().chain(others).min()
    }

    /// Goes on until something has to be waited for.
    fn drive(&mut self, now: Instant) {
        self.driven = now;
        self.arrive(now);
        self.announce_indicators(now);
        self.output.carry(now);
        while self.step(now) {
            self.output.carry(now);
        }
        self.output.carry(now);
    }

    /// Whether there may be more to do.
    fn step(&mut self, now: Instant) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => {
                self.finish_search(now);
                self.finish_waking(now);
                if self.is_waking() {
                    return false;
                }
                if !self.asleep {
                    self.output.release(now);
                }
                let busy = self.read_command(now);
                if !busy {
                    self.fall_asleep(now);
                }
                return busy;
            }
            Phase::Executing {
                due, line, fault, ..
            } if due <= now => {
                self.execute_with(fault, &line, now);
            }
            Phase::Publishing {
                due,
                publish,
                payload,
            } if due <= now => match self.publish_prompted(&publish, &payload, now) {
                Ok(()) => self.finish_publish(publish.connection, now),
                Err(refused) => self.finish(Err(refused)),
            },
            Phase::Booting { due } if due <= now => {
                self.boot(now);
            }
            Phase::Prompted { publish, give_up } => {
                return self.read_payload(publish, give_up, now);
            }
            Phase::Uploading { upload, give_up } => {
                return self.read_upload(upload, give_up, now);
            }
            Phase::Reporting { give_up } => return self.await_outcome(give_up, now),
            waiting => {
                self.phase = waiting;
                return false;
            }
        }
        true
    }

    fn read_command(&mut self, now: Instant) -> bool {
        // Who does not take the answers gets no more of them.
        if self.output.not_carried() >= OUTPUT_LIMIT {
            return false;
        }
        let mut echo = Vec::new();
        let typed = match self.reader.next(&mut echo) {
            None => Typed::Nothing,
            Some(Input::Command(line)) => Typed::Line(line.to_vec()),
            Some(Input::Repeat) => Typed::Line(self.last_line.clone()),
            Some(Input::Overlong { .. }) => Typed::Overlong,
            Some(Input::Noise(_) | Input::Data(_) | Input::Cancelled) => Typed::Noise,
        };
        if self.settings.number("E") == 1 {
            self.output.raw(&echo);
        }
        match typed {
            Typed::Nothing => return false,
            Typed::Noise => {}
            Typed::Overlong => self.finish(Err(NOT_ALLOWED)),
            Typed::Line(line) => self.begin(line, now),
        }
        true
    }

    fn read_payload(&mut self, publish: Publish, give_up: Instant, now: Instant) -> bool {
        match self.reader.next(&mut Vec::new()) {
            Some(Input::Data(payload)) => {
                let payload = payload.to_vec();
                let latency = self.profile.latency.command;
                self.phase = Phase::Publishing {
                    due: now + self.spread(latency),
                    publish,
                    payload,
                };
                return true;
            }
            Some(Input::Cancelled) => {
                self.lint.published(publish.connection, publish.message_id);
                self.finish(Ok(FinalResult::Ok));
                return true;
            }
            _ => {}
        }
        if give_up <= now {
            let came = self.reader.abort_data();
            self.lint.gave_up(came, publish.length(), now);
            self.finish(Err(NOT_ALLOWED));
            return true;
        }
        self.phase = Phase::Prompted { publish, give_up };
        false
    }

    /// Writes the final result code.
    fn finish(&mut self, result: Result<FinalResult, Refused>) {
        self.active = self.driven;
        self.lint.finished(result.is_ok());
        let result = result.unwrap_or_else(|refused| self.refusal(refused));
        if !std::mem::take(&mut self.faults.result_lost) {
            self.output.result(&result);
        }
    }

    /// How a refusal is written is the host's choice, by `AT+CMEE`.
    fn refusal(&self, refused: Refused) -> FinalResult {
        let code = match refused {
            Refused::Unknown => CmeError::UNKNOWN,
            Refused::Cme(code) => code,
            Refused::Cms(code) => return FinalResult::Cms(code),
            Refused::NoCarrier => return FinalResult::NoCarrier,
        };
        match self.settings.number("+CMEE") {
            _ if self.profile.quirks.plain_errors => FinalResult::Error,
            0 => FinalResult::Error,
            1 => FinalResult::Cme(CmeError::Code(code)),
            _ => FinalResult::Cme(match CmeError::words(code) {
                Some(words) => CmeError::Text(words.into()),
                None => CmeError::Code(code),
            }),
        }
    }

    /// Has the settings act: on what the module says and on how it reads a command line.
    fn apply_settings(&mut self) {
        let settings = &self.settings;
        // The table keeps characters below 128.
        let character = |name| settings.number(name) as u8;
        self.reader.set_line_end(character("S3"));
        self.reader.set_backspace(character("S5"));
        self.output.set_style(Style {
            verbose: settings.number("V") == 1,
            quiet: settings.number("Q") == 1,
            line_end: character("S3"),
            line_feed: character("S4"),
        });
        let byte = if self.profile.latency.paced {
            Duration::from_nanos(10 * 1_000_000_000 / u64::from(self.rate()))
        } else {
            Duration::ZERO
        };
        self.output.set_pace(self.rate(), byte);
        self.arriving.set_pace(byte);
    }

    /// A moment of the range, by the seed.
    fn spread(&mut self, (from, to): (Duration, Duration)) -> Duration {
        let span = u64::try_from(to.saturating_sub(from).as_micros()).unwrap_or(u64::MAX);
        from + Duration::from_micros(self.random.u64(0..=span))
    }

    /// Remembers what a persistent session needs on its next link.
    fn keep_session(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[usize::from(id.0)];
        let link = std::mem::replace(&mut connection.link, Link::Closed);
        let Link::Mqtt {
            client, client_id, ..
        } = link
        else {
            return;
        };
        let session = client.into_session();
        if session.is_empty() {
            self.sessions.remove(&client_id);
        } else if self.sessions.len() < SESSIONS || self.sessions.contains_key(&client_id) {
            self.sessions.insert(client_id, session);
        }
    }
}
