use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};

use atmq_protocol::dialect::Model;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::port_task::{Boxed, Duplex, Reopen};
use crate::session::redact;

/// How to talk to a module. The default suits one as it leaves the factory.
#[derive(Clone)]
pub struct Settings {
    pub(crate) baud_rate: u32,
    pub(crate) auto_baud: bool,
    pub(crate) rts_cts: bool,
    pub(crate) model: Option<Model>,
    pub(crate) message_queue: usize,
    pub(crate) tap: Option<Tap>,
    pub(crate) wait_for_port: Duration,
    pub(crate) reopen: bool,
    pub(crate) reopen_with: Option<Reopen>,
    pub(crate) reset_hook: Option<ResetHook>,
    pub(crate) recover: bool,
    pub(crate) fresh: bool,
}

/// A function that sees every byte, see [`Settings::tap`].
pub(crate) type Tap = Arc<dyn Fn(&Tapped<'_>) + Send + Sync>;

/// A way to reset the module, see [`Settings::reset_hook`].
pub(crate) type ResetHook = Arc<dyn Fn() -> Boxed<io::Result<()>> + Send + Sync>;

impl Settings {
    /// The bits per second of the serial port, 115200 unless set. A PTY takes any.
    pub fn baud_rate(mut self, baud_rate: u32) -> Self {
        self.baud_rate = baud_rate;
        self
    }

    /// Whether the rate of the module is looked for, each time before it is initialised: at the
    /// [given rate](Self::baud_rate) first, then at the usual ones from 9600 to 921600. It is
    /// not, unless set. At each `AT` is sent up to three times, for 0.9 s, until a result code
    /// comes back; at a wrong rate garbage comes, or nothing. If it is not found, which takes
    /// 8 s, the module is initialised at the given rate all the same.
    ///
    /// Only for [`Modem::open`](crate::Modem::open), for serial devices and those behind an
    /// RFC 2217 bridge; others have no rate.
    pub fn auto_baud(mut self, auto_baud: bool) -> Self {
        self.auto_baud = auto_baud;
        self
    }

    /// Whether host and module hold each other back by RTS and CTS, where both are wired. They do
    /// not, unless set. This is the host's side; the module's is set by `AT+IFC=2,2`.
    ///
    /// Only for [`Modem::open`](crate::Modem::open), for serial devices and those behind an
    /// RFC 2217 bridge.
    pub fn rts_cts(mut self, rts_cts: bool) -> Self {
        self.rts_cts = rts_cts;
        self
    }

    /// The module's model: its command set, and what it accepts. Unless set,
    /// [`Modem::initialise`](crate::Modem::initialise) asks for it; until then the module is taken
    /// for one of which [nothing is known](atmq_protocol::dialect::UNKNOWN).
    pub fn model(mut self, model: Model) -> Self {
        self.model = Some(model);
        self
    }

    /// How many received messages wait for their reader before the port is held back, at least
    /// 1, 256 unless set. See [`Messages`](crate::Messages) for what happens then.
    pub fn message_queue(mut self, messages: usize) -> Self {
        self.message_queue = messages.max(1);
        self
    }

    /// How long a port that is [not there yet](crate::OpenError::is_away) is waited for, when it is
    /// opened: a device that is still to be plugged in, a TCP peer that does not listen yet. It is
    /// not, unless set.
    pub fn wait_for_port(mut self, limit: Duration) -> Self {
        self.wait_for_port = limit;
        self
    }

    /// Whether a port that is lost is opened again: a serial device that was unplugged, a TCP
    /// peer that has closed the connection. It is, unless set: of
    /// [`Modem::open`](crate::Modem::open), for [`Modem::over`](crate::Modem::over) see
    /// [`reopen_with`](Self::reopen_with).
    ///
    /// What was under way fails with [`Error::PortLost`](crate::Error::PortLost), connections end
    /// with [`Disconnected::PortLost`](crate::Disconnected::PortLost), and while the port is away
    /// commands fail at once with [`Error::PortAway`](crate::Error::PortAway). So a program that
    /// does one thing ends with an error either way, and one that runs for months need not have
    /// asked for it. The port is tried after 0.25 s, then at intervals up to 2 s. When it is
    /// back, the module is initialised before anything else is sent; all handles stay valid.
    ///
    /// A device may come back under another name, and another device under its name: on Linux
    /// open `/dev/serial/by-id/…`.
    pub fn reopen(mut self, reopen: bool) -> Self {
        self.reopen = reopen;
        self
    }

    /// Makes another stream in place of one that is lost, for
    /// [`Modem::over`](crate::Modem::over). It is called until it succeeds, at the intervals of
    /// [`reopen`](Self::reopen), and dropped if no handle is left meanwhile.
    ///
    /// ```
    /// use atmq_driver::Settings;
    /// use tokio::net::TcpStream;
    ///
    /// let settings = Settings::default().reopen_with(|| TcpStream::connect("10.0.0.7:4000"));
    /// ```
    pub fn reopen_with<F, S>(mut self, reopen: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        self.reopen_with = Some(Arc::new(move || {
            let opening = reopen();
            Box::pin(async {
                let stream: Pin<Box<dyn Duplex>> = Box::pin(opening.await?);
                Ok(stream)
            })
        }));
        self
    }

    /// The caller's way to reset the module, such as a pulse on its reset line. It must end
    /// within 30 s. Unless set, the module is told to start anew (`AT+CFUN=0,1`). See
    /// [`Modem::reset`](crate::Modem::reset).
    pub fn reset_hook<F>(mut self, reset: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        self.reset_hook = Some(Arc::new(move || Box::pin(reset())));
        self
    }

    /// Whether a module that answers nothing is [reset](crate::Modem::reset) without being asked.
    /// It is not, unless set: other programs may use the module, and a reset costs all its
    /// connections.
    ///
    /// A module counts as silent when a command has waited in vain for the answer to four probes,
    /// for 15 s. It is reset at most once a minute; each time is counted in
    /// [`Counters::resets`](crate::Counters::resets).
    pub fn recover(mut self, recover: bool) -> Self {
        self.recover = recover;
        self
    }

    /// Whether the module is known to take commands when it is first spoken to: its reset line has
    /// just been pulled, or nobody else can have used it. It is not, unless set.
    ///
    /// A program that died behind a prompt leaves a module that takes whatever comes next for the
    /// rest of a message, and publishes it. So `AT` is sent once; if it is not answered, nothing
    /// more is sent until the module has given up waiting (30 s, and a margin of 5 s). That holds
    /// for [`initialise`](crate::Modem::initialise), for [`auto_baud`](Self::auto_baud), and for a
    /// port that was opened again. With this set it is spoken to at once.
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
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
            auto_baud: false,
            rts_cts: false,
            model: None,
            message_queue: 256,
            tap: None,
            wait_for_port: Duration::ZERO,
            reopen: true,
            reopen_with: None,
            reset_hook: None,
            recover: false,
            fresh: false,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("baud_rate", &self.baud_rate)
            .field("auto_baud", &self.auto_baud)
            .field("rts_cts", &self.rts_cts)
            .field("model", &self.model)
            .field("message_queue", &self.message_queue)
            .field("tap", &self.tap.is_some())
            .field("wait_for_port", &self.wait_for_port)
            .field("reopen", &self.reopen)
            .field("reopen_with", &self.reopen_with.is_some())
            .field("reset_hook", &self.reset_hook.is_some())
            .field("recover", &self.recover)
            .field("fresh", &self.fresh)
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
    /// The bytes as they can be shown and stored: with `***` for each password, PIN and device
    /// secret, on its way to the module and on its way back: in the echo of a command, however it
    /// is cut into pieces, and, from four bytes on, wherever else one stands that was sent before.
    /// Of such a one up to three bytes are shown if they are the last of their piece.
    pub fn redacted(&self) -> Vec<u8> {
        redact(self.bytes, self.secrets)
    }
}

impl fmt::Debug for Tapped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.direction, self.redacted().escape_ascii())
    }
}
