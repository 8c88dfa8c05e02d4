use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Instant, SystemTime};

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::lint::Finding;
use crate::modem::{Happening, Modem};
use crate::network::{Network, NetworkOptions, NetworkRequest};
use crate::port::{Patient, Port};
use crate::profile::Profile;

/// Changes that may wait for the module. A program beyond that waits before its change does.
const CHANGES: usize = 16;

/// A module about to be run on a port.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// use atmq_emulator::{Emulator, Profile, StreamPort};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// let (mut host, port) = tokio::io::duplex(1024);
/// let emulator = Emulator::new(Profile::nt35e().instant());
/// let control = emulator.control();
/// tokio::spawn(emulator.serve(StreamPort(port)));
///
/// control.change(|modem, now| modem.set_sim(None, now)).await;
/// host.write_all(b"ATE0+CMEE=2;+CPIN?\r").await?;
/// let answer = b"ATE0+CMEE=2;+CPIN?\r\n+CME ERROR: SIM not inserted\r\n";
/// let mut heard = vec![0; answer.len()];
/// host.read_exact(&mut heard).await?;
/// assert_eq!(heard, answer);
/// # Ok(())
/// # }
/// ```
pub struct Emulator {
    profile: Arc<Profile>,
    seed: u64,
    network: NetworkOptions,
    rate: Option<u32>,
    on_finding: Box<dyn FnMut(Finding) + Send>,
    on_bytes: Box<dyn FnMut(Passed<'_>) + Send>,
    on_end: Option<OnEnd>,
    on_happening: Box<dyn FnMut(Happening) + Send>,
    control: Control,
    changes: mpsc::Receiver<Asked>,
}

type OnEnd = Box<dyn FnOnce(&Modem) + Send>;

/// Bytes that pass between host and module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed<'b> {
    /// The module has read them.
    FromHost(&'b [u8]),
    /// The module has said them. A host that does not read may lose them.
    ToHost(&'b [u8]),
}

/// What a program asks of a module that runs.
enum Asked {
    Change(Change),
    Wait(Wait),
}

type Change = Box<dyn FnOnce(&mut Modem, Instant) + Send>;

/// Looks at the module; whether that was for the last time.
type Wait = Box<dyn FnMut(&Modem) -> bool + Send>;

/// Changes what surrounds a module that is running. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    changes: mpsc::Sender<Asked>,
    muted: Arc<AtomicBool>,
    /// In percent.
    loss: Arc<AtomicU8>,
}

impl Control {
    /// Has the module's task call this with the [`Modem`] and the time, between two inputs. Done
    /// when the change is on its way: what is asked of the module behind it, is asked behind it.
    /// On a module that no longer runs it does nothing.
    pub async fn change(&self, change: impl FnOnce(&mut Modem, Instant) + Send + 'static) {
        // Whoever drops the module's task knows that it is gone.
        let _ = self.changes.send(Asked::Change(Box::new(change))).await;
    }

    /// As [`change`](Self::change), and brings back what it returns; `None` if the module no longer
    /// runs. Dropping the future gives up the answer, not the change.
    pub async fn ask<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Modem, Instant) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.change(|modem, now| {
            // Who has asked may have lost interest.
            let _ = sender.send(change(modem, now));
        })
        .await;
        answer.await.ok()
    }

    /// Waits until the module is so, and says whether it has come to that: `false` if the module no
    /// longer runs. It is looked at now, and whenever something has happened to it. Dropping the
    /// future ends the wait.
    pub async fn wait_until(&self, mut is_so: impl FnMut(&Modem) -> bool + Send + 'static) -> bool {
        let (sender, reached) = oneshot::channel();
        let mut sender = Some(sender);
        let wait: Wait = Box::new(move |modem| {
            let gone = sender.as_ref().is_none_or(oneshot::Sender::is_closed);
            if !gone && !is_so(modem) {
                return false;
            }
            // Who waits may have lost interest.
            let _ = sender.take().map(|sender| sender.send(()));
            true
        });
        let _ = self.changes.send(Asked::Wait(wait)).await;
        reached.await.is_ok()
    }

    /// From now on so much of what the module sends to its brokers is lost on the way, packet by
    /// packet, in percent; at most 100. Which of them, the [seed](Emulator::seed) decides. What they
    /// send arrives.
    pub fn set_loss(&self, percent: u8) {
        self.loss.store(percent.min(100), Ordering::Relaxed);
        self.wake();
    }

    /// From now on what the module sends to its brokers is lost on the way, packet by packet, or no
    /// longer. What they send arrives.
    pub fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
        self.wake();
    }

    /// Has the module's task take note of what has changed; with others waiting it does that
    /// anyway.
    fn wake(&self) {
        let _ = self.changes.try_send(Asked::Change(Box::new(|_, _| {})));
    }
}

impl Emulator {
    /// A module of this profile. Many modules of one model may share it, as an [`Arc`].
    pub fn new(profile: impl Into<Arc<Profile>>) -> Self {
        let (sender, changes) = mpsc::channel(CHANGES);
        Self {
            profile: profile.into(),
            seed: 0,
            network: NetworkOptions::default(),
            rate: None,
            on_finding: Box::new(|_| {}),
            on_bytes: Box::new(|_| {}),
            on_end: None,
            on_happening: Box::new(|_| {}),
            control: Control {
                changes: sender,
                muted: Arc::default(),
                loss: Arc::default(),
            },
            changes,
        }
    }

    /// Decides how latencies are spread; 0 unless set.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where links go; where their host names lead unless set.
    #[must_use]
    pub fn network(mut self, network: NetworkOptions) -> Self {
        self.network = network;
        self
    }

    /// Is told of everything that the host does and should not. It is called by the module's
    /// task, so it must not block.
    #[must_use]
    pub fn on_finding(mut self, on_finding: impl FnMut(Finding) + Send + 'static) -> Self {
        self.on_finding = Box::new(on_finding);
        self
    }

    /// The rate of the serial line that the module comes with, in bits per second; 115200 unless
    /// set. The port is expected to have it; only a change by `AT+IPR` is passed on to it.
    #[must_use]
    pub fn rate(mut self, rate: u32) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Is told of all bytes that pass, in the order in which they do. It is called by the module's
    /// task, so it must not block.
    #[must_use]
    pub fn on_bytes(mut self, on_bytes: impl FnMut(Passed<'_>) + Send + 'static) -> Self {
        self.on_bytes = Box::new(on_bytes);
        self
    }

    /// Is shown the module when it no longer runs: no host can come back, its port has failed, or
    /// the future of [`serve`](Self::serve) was dropped.
    #[must_use]
    pub fn on_end(mut self, on_end: impl FnOnce(&Modem) + Send + 'static) -> Self {
        self.on_end = Some(Box::new(on_end));
        self
    }

    /// Is told of what is done to the module and its surroundings, and of faults that come true,
    /// between the bytes of [`on_bytes`](Self::on_bytes). It is called by the module's task, so it
    /// must not block.
    #[must_use]
    pub fn on_happening(mut self, on_happening: impl FnMut(Happening) + Send + 'static) -> Self {
        self.on_happening = Box::new(on_happening);
        self
    }

    /// A handle to change what surrounds the module while it runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Runs the module until no host can come back, and what it has sent is answered: the one task
    /// that reads a clock and moves bytes between the host, the [`Modem`] and the network.
    ///
    /// Dropping the future is as if the module lost its power: links are cut, wills are published.
    ///
    /// # Errors
    /// The port fails.
    pub async fn serve(mut self, port: impl Port) -> io::Result<()> {
        let autobaud = self.profile.quirks.autobaud;
        let mut running = Running {
            modem: Modem::new(self.profile, self.seed, now(), SystemTime::now()),
            on_end: self.on_end,
        };
        let modem = &mut running.modem;
        let mut waits: Vec<Wait> = Vec::new();
        let mut random = fastrand::Rng::with_seed(self.seed);
        if let Some(rate) = self.rate {
            modem.set_line_rate(rate);
        }
        let mut rate = modem.line_rate();
        let mut network = Network::new(self.network);
        let mut port = Patient::new(port);
        let mut buffer = vec![0; 1024];
        // No host can come back.
        let mut ended = false;
        let mut muted = false;
        let mut loss = 0;
        loop {
            while let Some(happening) = modem.poll_happening() {
                (self.on_happening)(happening);
            }
            let mute = self.control.muted.load(Ordering::Relaxed);
            if std::mem::replace(&mut muted, mute) != mute {
                (self.on_happening)(Happening::Muted(mute));
            }
            let percent = self.control.loss.load(Ordering::Relaxed);
            if std::mem::replace(&mut loss, percent) != percent {
                (self.on_happening)(Happening::Loss(percent));
            }
            while let Some(request) = modem.poll_network() {
                let loss = if muted { 100 } else { loss };
                let lost = matches!(request, NetworkRequest::Send { .. })
                    && loss > 0
                    && random.u8(0..100) < loss;
                if !lost {
                    network.request(request);
                }
            }
            if !autobaud {
                modem.set_host_rate(port.port.rate());
            }
            if let Some(bytes) = modem.poll_transmit() {
                (self.on_bytes)(Passed::ToHost(&bytes));
                match port.write(&bytes).await {
                    // The host that had asked is gone.
                    Err(_) if ended => return Ok(()),
                    written => written?,
                }
            }
            if rate != modem.line_rate() && !modem.is_speaking() {
                rate = modem.line_rate();
                if let Some(rate) = rate {
                    port.port.set_rate(rate).await?;
                }
            }
            while let Some(finding) = modem.poll_finding() {
                (self.on_finding)(finding);
            }
            waits.retain_mut(|wait| !wait(modem));
            if ended && !modem.is_busy() {
                return Ok(());
            }
            port.port.set_busy(modem.is_busy());
            let due = modem.poll_timeout();
            let room = modem.input_capacity().min(buffer.len());
            let takes_host = room > 0 && !ended && !network.is_congested();
            tokio::select! {
                length = port.port.read(&mut buffer[..room]), if takes_host => {
                    // What was changed before the host asked is changed when it is answered.
                    while let Ok(asked) = self.changes.try_recv() {
                        answer(asked, modem, &mut waits);
                    }
                    if !autobaud {
                        modem.set_host_rate(port.port.rate());
                    }
                    match length? {
                        0 => {
                            ended = true;
                            modem.host_left(now());
                        }
                        length => {
                            let bytes = &buffer[..length];
                            (self.on_bytes)(Passed::FromHost(bytes));
                            modem.receive(bytes, now());
                        }
                    }
                }
                event = network.next_event(), if modem.takes_network() => {
                    modem.handle_network(event, now());
                }
                () = sleep_until(due.unwrap_or_else(now).into()), if due.is_some() => {
                    modem.handle_timeout(now());
                }
                // The sender in `control` keeps the channel open.
                Some(asked) = self.changes.recv() => answer(asked, modem, &mut waits),
            }
        }
    }
}

fn answer(asked: Asked, modem: &mut Modem, waits: &mut Vec<Wait>) {
    match asked {
        Asked::Change(change) => change(modem, now()),
        Asked::Wait(wait) => waits.push(wait),
    }
}

/// A module that runs, and who is shown it at the end.
struct Running {
    modem: Modem,
    on_end: Option<OnEnd>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(on_end) = self.on_end.take() {
            on_end(&self.modem);
        }
    }
}

/// The time, which tests can hold.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
