//! A lost port is opened again once it is there, while all else goes on.

use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use atmq_driver::Port;
use tokio::time::{Instant, sleep, timeout};

use crate::capture::Recorded;
use crate::failure::Failure;
use crate::port::{PortArguments, is_device};

/// The pause before the first attempt, and before each look for a device. Ours.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause between two attempts to reach a peer of the network. Ours.
const LONGEST: Duration = Duration::from_secs(10);

/// How long a peer of the network may take for an attempt, its baud rate found included. Ours.
const LIMIT: Duration = Duration::from_secs(60);

/// A port that is lost sooner than this after it was opened was not really back. Ours.
const STEADY: Duration = Duration::from_secs(5);

/// `Err(None)`: it is not there yet.
type Attempt = Pin<Box<dyn Future<Output = Result<Recorded<Port>, Option<Failure>>>>>;

pub(super) struct Reopening {
    ports: Rc<PortArguments>,
    attempt: Option<Attempt>,
    /// Before the next attempt.
    pause: Duration,
    /// When the port was opened last.
    opened: Option<Instant>,
    /// It has been told why a device that is there cannot be opened.
    told: bool,
}

impl Reopening {
    pub(super) fn new(ports: Rc<PortArguments>) -> Self {
        Self {
            ports,
            attempt: None,
            pause: FIRST,
            opened: None,
            told: false,
        }
    }

    /// The port is lost. One that does not stay open is tried less and less often.
    pub(super) fn begin(&mut self) {
        if self.opened.is_none_or(|at| at.elapsed() >= STEADY) {
            self.pause = FIRST;
        }
        self.attempt = None;
        self.told = false;
    }

    /// The port, once it is open again. Dropping the future loses nothing.
    ///
    /// # Errors
    /// A device is there and cannot be opened; told once.
    pub(super) async fn opened(&mut self) -> Result<Recorded<Port>, Failure> {
        loop {
            let (ports, pause) = (self.ports.clone(), self.pause);
            let attempt = self.attempt.get_or_insert_with(|| {
                Box::pin(async move {
                    sleep(pause).await;
                    open(&ports).await
                })
            });
            let opened = attempt.await;
            self.attempt = None;
            // It is cheap to look for a device, and quick to be lost by a peer that is busy.
            if !is_device(self.ports.name()) {
                self.pause = LONGEST.min(self.pause * 2);
            }
            match opened {
                Ok(port) => {
                    self.opened = Some(Instant::now());
                    return Ok(port);
                }
                Err(Some(failure)) if !self.told => {
                    self.told = true;
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
    }
}

async fn open(ports: &PortArguments) -> Result<Recorded<Port>, Option<Failure>> {
    if !is_device(ports.name()) {
        // That it is away is known.
        let opened = timeout(LIMIT, ports.open()).await;
        return opened.ok().and_then(Result::ok).ok_or(None);
    }
    match Path::new(ports.name()).exists() {
        true => ports.open().await.map_err(Some),
        false => Err(None),
    }
}
