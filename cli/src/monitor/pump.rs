use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use atmq_driver::{Direction, Port};
use atmq_emulator::Pty;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::display::Display;
use crate::capture::{Recorded, Recorder};
use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::port::PortArguments;

/// Read at a time: what the kernel holds for a terminal.
const PIECE: usize = 4096;

/// How often it is looked whether the host has set another rate, beside before each of its bytes.
const RATE: Duration = Duration::from_millis(200);

/// How often a lost port is tried again. Ours.
const REOPEN: Duration = Duration::from_millis(250);

/// How long a host that does not read is waited for. What it does not take then is lost, as it
/// would be on a UART.
const PATIENCE: Duration = Duration::from_secs(1);

/// Passes bytes on between the host's pseudo terminal and the module's port.
pub(super) struct Pump {
    pty: Pty,
    port: Port,
    recorder: Option<Recorder>,
    rate: Rate,
    display: Display,
    to_module: Vec<u8>,
    to_host: Vec<u8>,
    /// Bytes that the host did not take.
    lost: u64,
    /// Bytes that the host said while there was no module.
    lost_by_host: u64,
}

enum Moved {
    FromHost(usize),
    FromModule(usize),
    ToModule(usize),
    ToHost(usize),
    Stalled,
    Tick,
}

impl Pump {
    pub(super) fn new(pty: Pty, port: Recorded<Port>, baud: u32, display: Display) -> Self {
        let (port, recorder) = port.into_parts();
        Self {
            rate: Rate::new(&pty, baud),
            pty,
            port,
            recorder,
            display,
            to_module: Vec::new(),
            to_host: Vec::new(),
            lost: 0,
            lost_by_host: 0,
        }
    }

    /// Runs until the host's side fails. A port that is lost is opened again once it is there; what
    /// the host says meanwhile is lost, as without a module.
    pub(super) async fn run(&mut self, ports: &PortArguments) -> Result<(), Failure> {
        loop {
            let lost = self.pass().await?;
            let name = ports.name();
            tell(&format!(
                "atmq: the module's port is lost: {lost}; waiting for {name} to come back"
            ));
            self.reopen(ports).await?;
            tell(&format!("atmq: {name} is open again"));
        }
    }

    /// Opens the port again, however long that takes.
    async fn reopen(&mut self, ports: &PortArguments) -> Result<(), Failure> {
        self.to_module.clear();
        let mut host = [0; PIECE];
        loop {
            let opening = async {
                sleep(REOPEN).await;
                ports.open().await
            };
            tokio::pin!(opening);
            let opened = loop {
                tokio::select! {
                    opened = &mut opening => break opened,
                    read = self.pty.read(&mut host) => {
                        let length = read.map_err(|error| broken(&error))?;
                        self.lost_by_host += length as u64;
                    }
                }
            };
            if let Ok(port) = opened {
                self.port = port.into_parts().0;
                self.rate.port = ports.baud();
                self.follow_rate();
                return Ok(());
            }
        }
    }

    /// Passes on what comes until the port is lost. Returns why it is.
    async fn pass(&mut self) -> Result<io::Error, Failure> {
        let (mut host, mut module) = ([0; PIECE], [0; PIECE]);
        let mut tick = interval(RATE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stalled = Instant::now();
        loop {
            let taken = self.to_module.is_empty();
            let waiting = !self.to_host.is_empty();
            let moved = tokio::select! {
                read = self.pty.read(&mut host), if taken => {
                    Moved::FromHost(read.map_err(|error| broken(&error))?)
                }
                written = self.pty.write(&self.to_host), if waiting => {
                    Moved::ToHost(written.map_err(|error| broken(&error))?)
                }
                moved = with_port(&mut self.port, &self.to_module, (!waiting).then_some(&mut module)) => {
                    match moved {
                        Ok(moved) => moved,
                        Err(lost) => return Ok(lost),
                    }
                }
                () = sleep_until(stalled), if waiting => Moved::Stalled,
                _ = tick.tick() => Moved::Tick,
            };
            match moved {
                Moved::FromHost(length) => {
                    self.follow_rate();
                    self.to_module.extend_from_slice(&host[..length]);
                }
                Moved::ToModule(length) => {
                    let passed: Vec<u8> = self.to_module.drain(..length).collect();
                    self.passed(Direction::HostToModule, &passed)?;
                }
                Moved::FromModule(length) => {
                    self.to_host.extend_from_slice(&module[..length]);
                    stalled = Instant::now() + PATIENCE;
                }
                Moved::ToHost(length) => {
                    let passed: Vec<u8> = self.to_host.drain(..length).collect();
                    self.passed(Direction::ModuleToHost, &passed)?;
                    stalled = Instant::now() + PATIENCE;
                }
                Moved::Stalled => {
                    if self.lost == 0 {
                        tell("atmq: the host does not read: what the module says is lost to it");
                    }
                    let lost = std::mem::take(&mut self.to_host);
                    self.lost += lost.len() as u64;
                    self.passed(Direction::ModuleToHost, &lost)?;
                }
                Moved::Tick => self.follow_rate(),
            }
        }
    }

    /// Records and shows what has passed: behind it, so that it does not wait for either.
    fn passed(&mut self, direction: Direction, bytes: &[u8]) -> Result<(), Failure> {
        if let Some(recorder) = &self.recorder {
            recorder.record(direction, bytes);
        }
        self.display.show(direction, bytes)
    }

    /// Says what was lost, and ends the display.
    pub(super) fn end(self) -> Result<(), Failure> {
        if self.lost > 0 {
            tell(&format!(
                "atmq: {} bytes were lost, because the host did not read",
                self.lost
            ));
        }
        if self.lost_by_host > 0 {
            tell(&format!(
                "atmq: {} bytes of the host were lost, because the module's port was",
                self.lost_by_host
            ));
        }
        self.display.end()
    }

    fn follow_rate(&mut self) {
        let Some(rate) = self.rate.changed(&self.pty) else {
            return;
        };
        let outcome = match self.port.set_baud_rate(rate) {
            Ok(()) => format!("the host has set {rate} bits per second"),
            // A TCP peer has no rate.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return,
            Err(error) => format!("the port does not take {rate} bits per second: {error}"),
        };
        tell(&format!("atmq: {outcome}"));
    }
}

/// Writes to the port what there is to write, or reads from it if there is room.
async fn with_port(
    port: &mut Port,
    out: &[u8],
    mut room: Option<&mut [u8; PIECE]>,
) -> io::Result<Moved> {
    poll_fn(|cx| {
        if !out.is_empty()
            && let Poll::Ready(written) = Pin::new(&mut *port).poll_write(cx, out)
        {
            return Poll::Ready(match written? {
                0 => Err(io::ErrorKind::WriteZero.into()),
                written => Ok(Moved::ToModule(written)),
            });
        }
        let Some(room) = &mut room else {
            return Poll::Pending;
        };
        let mut buffer = ReadBuf::new(&mut room[..]);
        match Pin::new(&mut *port).poll_read(cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => Poll::Ready(match (read, buffer.filled().len()) {
                (Err(error), _) => Err(error),
                (Ok(()), 0) => Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it was closed",
                )),
                (Ok(()), length) => Ok(Moved::FromModule(length)),
            }),
        }
    })
    .await
}

/// The bits per second that the host sets on its side of the pseudo terminal.
struct Rate {
    /// As it was found: no host has set it.
    untouched: Option<u32>,
    port: u32,
}

impl Rate {
    fn new(pty: &Pty, port: u32) -> Self {
        let untouched = Self::read(pty);
        Self { untouched, port }
    }

    fn read(pty: &Pty) -> Option<u32> {
        // 0 is to hang up.
        pty.rate().filter(|rate| *rate > 0)
    }

    /// The new rate, if the host has set one that the port does not have.
    fn changed(&mut self, pty: &Pty) -> Option<u32> {
        let rate = Self::read(pty)?;
        if self.untouched == Some(rate) {
            return None;
        }
        self.untouched = None;
        (std::mem::replace(&mut self.port, rate) != rate).then_some(rate)
    }
}

fn broken(error: &io::Error) -> Failure {
    let what = format!("the host's pseudo terminal failed: {error}");
    Failure::new(FailureKind::Unavailable, what)
}
