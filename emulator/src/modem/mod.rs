//! The whole module without I/O or clock: command interpreter, SIM and network, MQTT connections.

mod cache;
mod command;
mod config;
mod connection;
mod mqtt;
mod network;
mod output;
mod publish;
mod registration;
mod report;
mod store;
mod upload;
mod world;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use atmq_protocol::framing::{CommandReader, Input};
use atmq_protocol::mqtt::{ConnectionId, FormatTable};
use atmq_protocol::result_code::{CmeError, FinalResult};

use crate::mqtt::Session;
use crate::network::{NetworkEvent, NetworkRequest};
use crate::profile::Profile;
use config::Config;
use connection::{Connection, Link};
use output::Output;
use publish::Publish;
use store::Store;
use upload::Upload;

pub use world::World;

/// How many bytes of a host wait while the module is busy, in bytes: the UART's buffer.
const INPUT_LIMIT: usize = 16 * 1024;

/// Above so many bytes waiting for the host, nothing more is taken from the network.
const OUTPUT_LIMIT: usize = 64 * 1024;

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
    random: fastrand::Rng,
    reader: CommandReader,
    phase: Phase,
    /// The command line that `A/` repeats.
    last_line: Vec<u8>,
    echo: bool,
    /// `AT+CMEE`
    error_reports: u8,
    /// `AT+CEREG=<n>`
    registration_reports: u8,
    /// `AT+CFUN`
    functionality: u8,
    connections: Vec<Connection>,
    formats: FormatTable,
    sessions: HashMap<String, Session>,
    /// Files, TLS contexts, what platforms gave.
    store: Store,
    /// When the outcome of the last command may be heard, once it is known.
    outcome_due: Option<Instant>,
    output: Output,
    network: VecDeque<NetworkRequest>,
}

/// What the command interpreter is doing.
#[derive(Debug)]
enum Phase {
    /// Waiting for a command.
    Idle,
    /// A command line is executed once the module has thought about it.
    Executing { due: Instant, line: Vec<u8> },
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
}

/// Bad parameter, state or form: the one code that ECMT's handlers raise.
const NOT_ALLOWED: Refused = Refused::Cme(CmeError::NOT_ALLOWED);

impl Modem {
    /// A module that has been switched on a while ago. `time` is the time of day at `now`; `seed`
    /// decides how latencies are spread.
    pub fn new(profile: Profile, seed: u64, now: Instant, time: SystemTime) -> Self {
        let connections = (0..profile.limits.connections)
            .map(|_| Connection::new(Config::new(profile.result_urcs), now))
            .collect();
        Self {
            world: World::new(now, time),
            random: fastrand::Rng::with_seed(seed),
            reader: CommandReader::new(profile.limits.command_line),
            phase: Phase::Idle,
            last_line: Vec::new(),
            echo: true,
            error_reports: 0,
            registration_reports: 0,
            functionality: 1,
            connections,
            formats: FormatTable::default(),
            sessions: HashMap::new(),
            store: Store::default(),
            outcome_due: None,
            output: Output::default(),
            network: VecDeque::new(),
            profile,
        }
    }

    /// The module model.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What surrounds the module, to be changed at run time.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Takes bytes from the host, cut anywhere.
    pub fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.reader.push(bytes);
        if let Phase::Prompted { give_up, .. } = &mut self.phase {
            *give_up = now + self.profile.data_timeout;
        }
        if let Phase::Uploading { upload, give_up } = &mut self.phase {
            *give_up = upload.give_up(now);
        }
        self.drive(now);
    }

    /// How many more bytes of the host the module has room for.
    pub fn input_capacity(&self) -> usize {
        INPUT_LIMIT.saturating_sub(self.reader.unread())
    }

    /// Takes what has happened on the network.
    pub fn handle_network(&mut self, event: NetworkEvent, now: Instant) {
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

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let phase = match &self.phase {
            Phase::Idle => self.output.next_due(),
            Phase::Executing { due, .. }
            | Phase::Publishing { due, .. }
            | Phase::Booting { due } => Some(*due),
            Phase::Prompted { give_up, .. } | Phase::Uploading { give_up, .. } => Some(*give_up),
            Phase::Reporting { give_up } => Some(self.outcome_due.unwrap_or(*give_up)),
        };
        phase.into_iter().chain(self.clients_due()).min()
    }

    /// Goes on until something has to be waited for.
    fn drive(&mut self, now: Instant) {
        while self.step(now) {}
    }

    /// Whether there may be more to do.
    fn step(&mut self, now: Instant) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle => {
                self.output.release(now);
                return self.read_command(now);
            }
            Phase::Executing { due, line } if due <= now => self.execute(&line, now),
            Phase::Publishing {
                due,
                publish,
                payload,
            } if due <= now => match self.publish_prompted(&publish, &payload, now) {
                Ok(()) => self.finish_publish(publish.connection, now),
                Err(refused) => self.finish(Err(refused)),
            },
            Phase::Booting { due } if due <= now => {
                let banner = self.profile.banner;
                self.output.raw(banner.as_bytes());
                self.output.raw(b"\r\n");
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
        let mut echo = Vec::new();
        let typed = match self.reader.next(&mut echo) {
            None => Typed::Nothing,
            Some(Input::Command(line)) => Typed::Line(line.to_vec()),
            Some(Input::Repeat) => Typed::Line(self.last_line.clone()),
            Some(Input::Overlong { .. }) => Typed::Overlong,
            Some(Input::Noise(_) | Input::Data(_)) => Typed::Noise,
        };
        if self.echo {
            self.output.raw(&echo);
        }
        match typed {
            Typed::Nothing => return false,
            Typed::Noise => {}
            Typed::Overlong => self.finish(Err(NOT_ALLOWED)),
            Typed::Line(line) => {
                let latency = self.latency_of(&line);
                let due = now + self.spread(latency);
                self.last_line.clone_from(&line);
                self.phase = Phase::Executing { due, line };
            }
        }
        true
    }

    fn read_payload(&mut self, publish: Publish, give_up: Instant, now: Instant) -> bool {
        if let Some(Input::Data(payload)) = self.reader.next(&mut Vec::new()) {
            let payload = payload.to_vec();
            let latency = self.profile.latency.command;
            self.phase = Phase::Publishing {
                due: now + self.spread(latency),
                publish,
                payload,
            };
            return true;
        }
        if give_up <= now {
            self.reader.abort_data();
            self.finish(Err(NOT_ALLOWED));
            return true;
        }
        self.phase = Phase::Prompted { publish, give_up };
        false
    }

    /// Writes the final result code.
    fn finish(&mut self, result: Result<FinalResult, Refused>) {
        let result = result.unwrap_or_else(|refused| self.refusal(refused));
        self.output.line(|out| result.encode(out));
    }

    /// How a refusal is written is the host's choice, by `AT+CMEE`.
    fn refusal(&self, refused: Refused) -> FinalResult {
        let code = match refused {
            Refused::Unknown => CmeError::UNKNOWN,
            Refused::Cme(code) => code,
        };
        match self.error_reports {
            _ if self.profile.quirks.plain_errors => FinalResult::Error,
            0 => FinalResult::Error,
            1 => FinalResult::Cme(CmeError::Code(code)),
            _ => FinalResult::Cme(match CmeError::words(code) {
                Some(words) => CmeError::Text(words.into()),
                None => CmeError::Code(code),
            }),
        }
    }

    /// Starts anew: nothing is stored, everything is forgotten.
    fn reboot(&mut self, now: Instant) {
        for link in 0..self.profile.limits.connections {
            self.network.push_back(NetworkRequest::Close { link });
        }
        self.output.forget();
        self.reader = CommandReader::new(self.profile.limits.command_line);
        let latency = self.profile.latency.boot;
        self.phase = Phase::Booting {
            due: now + self.spread(latency),
        };
        self.last_line.clear();
        self.echo = true;
        self.error_reports = 0;
        self.registration_reports = 0;
        self.functionality = 1;
        self.sessions.clear();
        self.store.reboot();
        self.formats = FormatTable::default();
        for connection in &mut self.connections {
            *connection = Connection::new(Config::new(self.profile.result_urcs), now);
        }
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
