//! A module and a broker wired together in virtual time.

use std::time::{Duration, Instant, UNIX_EPOCH};

use atmq_emulator::Profile;
use atmq_emulator::broker::{
    AlibabaCloud, AlibabaProduct, Authenticator, ConnectReturnCode, ConnectionId as PeerId, Core,
    Credentials, Greeting, Limits, OneNet, Output,
};
use atmq_emulator::modem::{Cell, Modem, Operator, Sim};
use atmq_emulator::network::{CloseReason, NetworkEvent, NetworkRequest, OpenFailure};
use atmq_protocol::standard::{Registration, SignalQuality};

use crate::raw_mqtt;
use crate::transcript::{BrokerStep, WorldStep};
use crate::web;

/// A module wired to a broker without a socket or a clock: the whole emulator in virtual time.
///
/// Host names lead to the broker, but `http.test`, which is a [web site](crate::web),
/// `closed.test`, where nothing listens, and `unknown.test`, which cannot be resolved. The broker refuses the user name `wrong` with code 4 and the user
/// name `banned` with code 5. It is also Alibaba Cloud, for user names of the form `<dn>&<pk>`,
/// and OneNET, for the product `123123`.
pub struct Bench {
    modem: Modem,
    broker: Core,
    now: Instant,
    /// The broker's end of each of the module's links.
    links: Vec<(u8, PeerId)>,
    /// The web site's end of a link, and what has come on it.
    web: Option<(u8, Vec<u8>)>,
    /// Another client, which publishes.
    other: PeerId,
    heard: Vec<u8>,
    /// What the module sends does not reach the broker.
    muted: bool,
    /// The broker takes no links.
    down: bool,
}

impl Bench {
    /// A module of this profile. `seed` decides how latencies are spread.
    pub fn new(profile: Profile, seed: u64) -> Self {
        let now = Instant::now();
        // 2026-11-21 01:05:07 UTC
        let time = UNIX_EPOCH + Duration::from_secs(1_795_223_107);
        let mut broker = Core::new(Limits::default()).authenticated_by(Platforms::new());
        let other = broker.open(now);
        broker.receive(other, &raw_mqtt::Connect::new("other").bytes(), now);
        let mut bench = Self {
            modem: Modem::new(profile, seed, now, time),
            broker,
            now,
            links: Vec::new(),
            web: None,
            other,
            heard: Vec::new(),
            muted: false,
            down: false,
        };
        bench.settle();
        bench
    }

    /// The time since some moment.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The host sends.
    pub fn send(&mut self, bytes: &[u8]) {
        self.modem.receive(bytes, self.now);
        self.settle();
    }

    /// Something happens on the broker's side.
    pub fn broker(&mut self, step: &BrokerStep) {
        match step {
            BrokerStep::Publish {
                qos,
                topic,
                payload,
            } => {
                let mut packet = raw_mqtt::Publish::new(topic, payload);
                if *qos > 0 {
                    packet = packet.qos(*qos, 1);
                }
                self.broker.receive(self.other, &packet.bytes(), self.now);
                if *qos == 2 {
                    self.broker
                        .receive(self.other, &raw_mqtt::pubrel(1), self.now);
                }
            }
            BrokerStep::Mute => self.muted = true,
            BrokerStep::Listen => self.muted = false,
            BrokerStep::Up => self.down = false,
            BrokerStep::Drop | BrokerStep::Down => {
                self.down = *step == BrokerStep::Down;
                for (link, peer) in std::mem::take(&mut self.links) {
                    self.broker.closed(peer);
                    let reason = CloseReason::Peer;
                    self.modem
                        .handle_network(NetworkEvent::Closed { link, reason }, self.now);
                }
            }
        }
        self.settle();
    }

    /// Something happens around the module.
    pub fn world(&mut self, step: &WorldStep) {
        let now = self.now;
        match step {
            WorldStep::NoSim => self.modem.set_sim(None, now),
            WorldStep::Sim => self.modem.set_sim(Some(Sim::unlocked()), now),
            WorldStep::LockedSim { pin, puk } => {
                self.modem.set_sim(Some(Sim::locked(pin, puk)), now);
            }
            WorldStep::Registration(stat) => {
                let registration = Registration::from_number(*stat);
                self.modem.set_registration(registration, now);
            }
            WorldStep::Rejection(cause) => self.modem.set_rejection(*cause),
            WorldStep::Cell { area, id } => {
                let mut cells = self.modem.world().cells().to_vec();
                let cell = Cell {
                    area: *area,
                    id: *id,
                    ..Cell::default()
                };
                cells.splice(..1, [cell]);
                self.modem.set_cells(cells, now);
            }
            WorldStep::Signal(rssi) => {
                let ber = 0;
                self.modem.set_signal(SignalQuality { rssi: *rssi, ber });
            }
            WorldStep::Operator { number, name } => self.modem.set_operator(Operator {
                number: number.clone(),
                name: name.clone(),
            }),
            WorldStep::Time { seconds, zone } => {
                let time = UNIX_EPOCH + Duration::from_secs(*seconds);
                self.modem.set_network_time(time, *zone, now);
            }
            WorldStep::PowerOn => self.modem.power_on(now),
            WorldStep::Sleep => self.modem.set_asleep(true, now),
        }
        self.settle();
    }

    /// A program changes the module.
    pub fn change(&mut self, change: impl FnOnce(&mut Modem, Instant)) {
        change(&mut self.modem, self.now);
        self.settle();
    }

    /// Takes what the module has sent so far.
    pub fn take_heard(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.heard)
    }

    /// Lets time pass until the module has something to do, at most until `limit`. Returns whether
    /// there was.
    pub fn pass_until(&mut self, limit: Instant) -> bool {
        match self.modem.poll_timeout() {
            Some(due) if due <= limit => {
                self.now = self.now.max(due);
                self.modem.handle_timeout(self.now);
                self.settle();
                true
            }
            _ => {
                self.now = self.now.max(limit);
                false
            }
        }
    }

    /// The host sends a command line, and hears what the module says within ten seconds.
    pub fn ask(&mut self, line: &str) -> String {
        self.take_heard();
        self.send(format!("{line}\r").as_bytes());
        let limit = self.now + Duration::from_secs(10);
        while self.pass_until(limit) {}
        String::from_utf8_lossy(&self.take_heard()).into_owned()
    }

    /// Moves bytes between module and broker until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(bytes) = self.modem.poll_transmit() {
                self.heard.extend_from_slice(&bytes);
            }
            while let Some(request) = self.modem.poll_network() {
                quiet = false;
                self.network(request);
            }
            loop {
                match self.broker.poll() {
                    Output::Wait(_) => break,
                    Output::Transmit { connection, bytes } => {
                        quiet = false;
                        self.broker.transmitted(connection, bytes.len());
                        if let Some(link) = self.link_of(connection) {
                            self.modem
                                .handle_network(NetworkEvent::Received { link, bytes }, self.now);
                        }
                    }
                    Output::Close { connection, .. } => {
                        quiet = false;
                        if let Some(link) = self.link_of(connection) {
                            self.links.retain(|(_, peer)| *peer != connection);
                            let reason = CloseReason::Peer;
                            self.modem
                                .handle_network(NetworkEvent::Closed { link, reason }, self.now);
                        }
                    }
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn network(&mut self, request: NetworkRequest) {
        match request {
            NetworkRequest::Open { link, host, .. } => {
                let event = match host.as_str() {
                    _ if self.down => NetworkEvent::OpenFailed {
                        link,
                        reason: OpenFailure::Refused,
                    },
                    "closed.test" => NetworkEvent::OpenFailed {
                        link,
                        reason: OpenFailure::Refused,
                    },
                    "unknown.test" => NetworkEvent::OpenFailed {
                        link,
                        reason: OpenFailure::Resolve,
                    },
                    "http.test" => {
                        self.web = Some((link, Vec::new()));
                        NetworkEvent::Opened { link }
                    }
                    _ => {
                        self.links.push((link, self.broker.open(self.now)));
                        NetworkEvent::Opened { link }
                    }
                };
                self.modem.handle_network(event, self.now);
            }
            NetworkRequest::Send { .. } if self.muted => {}
            NetworkRequest::Send { link, bytes }
                if let Some((_, request)) = self.web.as_mut().filter(|web| web.0 == link) =>
            {
                request.extend(bytes);
                if let Some(bytes) = web::answer(request) {
                    let event = NetworkEvent::Received { link, bytes };
                    self.modem.handle_network(event, self.now);
                }
            }
            NetworkRequest::Send { link, bytes } => {
                if let Some((_, peer)) = self.links.iter().find(|(known, _)| *known == link) {
                    self.broker.receive(*peer, &bytes, self.now);
                }
            }
            NetworkRequest::Close { link } => {
                self.web.take_if(|web| web.0 == link);
                for (_, peer) in self.links.iter().filter(|(known, _)| *known == link) {
                    self.broker.closed(*peer);
                }
                self.links.retain(|(known, _)| *known != link);
            }
        }
    }

    fn link_of(&self, connection: PeerId) -> Option<u8> {
        let found = self.links.iter().find(|(_, peer)| *peer == connection);
        found.map(|(link, _)| *link)
    }
}

/// All the brokers that a transcript may connect to.
struct Platforms {
    alibaba: AlibabaCloud,
    onenet: OneNet,
}

impl Platforms {
    /// The device and the keys of the reference's worked examples; tokens are good in 2018.
    fn new() -> Self {
        let product = AlibabaProduct {
            secret: Some("abcdef0123456789".into()),
            devices: [("dev001".into(), "0123456789abcdef0123456789abcdef".into())].into(),
        };
        let then = UNIX_EPOCH + Duration::from_secs(1_537_000_000);
        let key = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=";
        Self {
            alibaba: AlibabaCloud::new().with_product("a1B2c3D4e5F", product),
            onenet: OneNet::new(move || then).with_key("products/123123", key),
        }
    }
}

impl Authenticator for Platforms {
    fn authenticate(&mut self, credentials: &Credentials) -> ConnectReturnCode {
        match credentials.username.as_deref() {
            Some("wrong") => ConnectReturnCode::BadUserNameOrPassword,
            Some("banned") => ConnectReturnCode::NotAuthorized,
            Some("123123") => self.onenet.authenticate(credentials),
            Some(device) if device.contains('&') => self.alibaba.authenticate(credentials),
            _ => ConnectReturnCode::Accepted,
        }
    }

    fn greet(&mut self, credentials: &Credentials) -> Option<Greeting> {
        self.alibaba.greet(credentials)
    }
}
