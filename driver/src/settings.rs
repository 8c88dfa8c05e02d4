use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use atmq_protocol::dialect::{Dialect, Lmqtt};
use atmq_protocol::limits::Limits;

use crate::session::redact;

/// How to talk to a module. The default suits an NT35E or NT26 as it leaves the factory.
#[derive(Clone)]
pub struct Settings {
    pub(crate) baud_rate: u32,
    pub(crate) dialect: &'static dyn Dialect,
    pub(crate) limits: Option<Limits>,
    pub(crate) message_queue: usize,
    pub(crate) tap: Option<Tap>,
}

/// A function that sees every byte, see [`Settings::tap`].
pub(crate) type Tap = Arc<dyn Fn(&Tapped<'_>) + Send + Sync>;

impl Settings {
    /// The bits per second of the serial port, 115200 unless set. A PTY takes any.
    pub fn baud_rate(mut self, baud_rate: u32) -> Self {
        self.baud_rate = baud_rate;
        self
    }

    /// The command set of the module, [`Lmqtt`] unless set.
    pub fn dialect(mut self, dialect: &'static dyn Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// What the module accepts. Unless set, [`Modem::initialise`](crate::Modem::initialise) asks
    /// the module for its model; until then the limits of the NT26 apply, which are the narrower
    /// ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// How many received messages wait for their reader before the port is held back, at least
    /// 1, 256 unless set. See [`Messages`](crate::Messages) for what happens then.
    pub fn message_queue(mut self, messages: usize) -> Self {
        self.message_queue = messages.max(1);
        self
    }

    /// A function that is shown every byte in either direction, as it is written or read.
    ///
    /// It is called by the task that owns the port, so it must not block.
    pub fn tap(mut self, tap: impl Fn(&Tapped<'_>) + Send + Sync + 'static) -> Self {
        self.tap = Some(Arc::new(tap));
        self
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            baud_rate: 115_200,
            dialect: &Lmqtt::DEFAULT,
            limits: None,
            message_queue: 256,
            tap: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("baud_rate", &self.baud_rate)
            .field("dialect", &self.dialect.name())
            .field("limits", &self.limits)
            .field("message_queue", &self.message_queue)
            .field("tap", &self.tap.is_some())
            .finish()
    }
}

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Written by this side.
    HostToModule,
    /// Read from the module.
    ModuleToHost,
}

/// Bytes on the port, as a tap sees them.
#[derive(Clone, Copy)]
pub struct Tapped<'a> {
    /// When they were written or read.
    pub at: Instant,
    /// Which way they go.
    pub direction: Direction,
    /// The bytes as they are, passwords and device secrets included: a whole command line or
    /// the whole data behind a prompt on the way to the module, any piece on the way back.
    pub bytes: &'a [u8],
    pub(crate) secrets: &'a [Range<usize>],
}

impl Tapped<'_> {
    /// The bytes as they can be shown and stored: with `***` for each password and device secret
    /// on its way to the module. What a module with its echo on sends back is not looked through.
    pub fn redacted(&self) -> Vec<u8> {
        redact(self.bytes, self.secrets)
    }
}

impl fmt::Debug for Tapped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.direction, self.redacted().escape_ascii())
    }
}
