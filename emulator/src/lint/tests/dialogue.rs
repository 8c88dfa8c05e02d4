//! A module, its host and its broker, step by step in virtual time.

use std::time::{Duration, Instant, UNIX_EPOCH};

use Step::{Answer, Broker, Drop, Send, Sleep, Type, Until, Wait};

use crate::Profile;
use crate::lint::Finding;
use crate::modem::Modem;
use crate::network::{CloseReason, NetworkEvent, NetworkRequest};

/// What host and broker do.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// The host sends, and waits for five seconds.
    Type(&'static [u8]),
    /// The host sends, and goes on at once.
    Send(&'static [u8]),
    /// The host waits until it hears this.
    Until(&'static [u8]),
    /// The host waits for so many milliseconds.
    Wait(u64),
    /// The broker sends on connection 0, and all wait for five seconds.
    Broker(&'static [u8]),
    /// The broker sends on connection 0, and the host goes on at once.
    Answer(&'static [u8]),
    /// The broker closes connection 0.
    Drop,
    /// The module falls asleep.
    Sleep,
}

/// A module whose links always open, and a broker that says what the steps say.
pub(super) struct Dialogue {
    pub(super) modem: Modem,
    now: Instant,
    heard: Vec<u8>,
}

impl Dialogue {
    pub(super) fn new(seed: u64) -> Self {
        let mut profile = Profile::nt35e();
        profile.quirks.waking_loses_bytes = true;
        Self::with(profile, seed)
    }

    pub(super) fn with(profile: Profile, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            modem: Modem::new(profile, seed, now, UNIX_EPOCH),
            now,
            heard: Vec::new(),
        }
    }

    pub(super) fn run(steps: &[Step], seed: u64) -> Vec<Finding> {
        let mut dialogue = Self::new(seed);
        for step in steps {
            dialogue.step(*step);
        }
        dialogue.findings()
    }

    pub(super) fn findings(&mut self) -> Vec<Finding> {
        std::iter::from_fn(|| self.modem.poll_finding()).collect()
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.heard.clear();
        self.modem.receive(bytes, self.now);
        self.settle();
    }

    pub(super) fn step(&mut self, step: Step) {
        let link = 0;
        match step {
            Send(bytes) => self.send(bytes),
            Type(bytes) => {
                self.step(Send(bytes));
                self.step(Wait(5000));
            }
            Wait(milliseconds) => {
                let end = self.now + Duration::from_millis(milliseconds);
                while self.pass(end) {}
                self.now = end;
            }
            Until(awaited) => {
                let end = self.now + Duration::from_secs(5);
                while !self.heard.windows(awaited.len()).any(|w| w == awaited) {
                    let passes = self.pass(end);
                    assert!(passes, "only heard {}", self.heard.escape_ascii());
                }
            }
            Broker(bytes) => {
                self.step(Answer(bytes));
                self.step(Wait(5000));
            }
            Answer(bytes) => {
                let bytes = bytes.to_vec();
                let event = NetworkEvent::Received { link, bytes };
                self.modem.handle_network(event, self.now);
                self.settle();
            }
            Drop => {
                let reason = CloseReason::Peer;
                let event = NetworkEvent::Closed { link, reason };
                self.modem.handle_network(event, self.now);
                self.settle();
            }
            Sleep => self.modem.set_asleep(true, self.now),
        }
    }

    fn pass(&mut self, end: Instant) -> bool {
        match self.modem.poll_timeout() {
            Some(due) if due <= end => {
                self.now = self.now.max(due);
                self.modem.handle_timeout(self.now);
                self.settle();
                true
            }
            _ => false,
        }
    }

    fn settle(&mut self) {
        while let Some(request) = self.modem.poll_network() {
            if let NetworkRequest::Open { link, .. } = request {
                self.modem
                    .handle_network(NetworkEvent::Opened { link }, self.now);
            }
        }
        while let Some(bytes) = self.modem.poll_transmit() {
            self.heard.extend_from_slice(&bytes);
        }
    }
}
