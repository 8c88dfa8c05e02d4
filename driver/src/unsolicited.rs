use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use atmq_protocol::mqtt::Urc;
use atmq_protocol::standard::{RegistrationChanged, SimStatus, StandardUrc};
use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// So many may wait for their reader. Ours.
const LIMIT: usize = 256;

/// Something that the module says by itself. See [`Modem::urcs`](crate::Modem::urcs).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleUrc {
    /// Of its MQTT client: received messages, states of links, and results that came too late
    /// for those who asked.
    Mqtt(Urc),
    /// The registration with the network has changed. Reported if asked for, as
    /// [`Modem::bring_up`](crate::Modem::bring_up) does.
    Registration(RegistrationChanged),
    /// The state of the SIM.
    SimStatus(SimStatus),
    /// The network has told the time.
    TimeZone {
        /// Quarters of an hour east of UTC, -96 to 96.
        zone: i8,
        /// Hours of daylight saving time within it, where the module tells.
        daylight_saving: Option<u8>,
    },
    /// It has started: what it was told before is forgotten.
    Booted,
    /// It is switching itself off.
    PoweredDown,
    /// A line that nobody recognises, without its line end.
    Unknown(Vec<u8>),
}

impl From<StandardUrc> for ModuleUrc {
    fn from(urc: StandardUrc) -> Self {
        match urc {
            StandardUrc::Registration(changed) => Self::Registration(changed),
            StandardUrc::SimStatus(status) => Self::SimStatus(status),
            StandardUrc::TimeZone {
                zone,
                daylight_saving,
            } => Self::TimeZone {
                zone,
                daylight_saving,
            },
        }
    }
}

/// What the module says by itself, typed. See [`Modem::urcs`](crate::Modem::urcs).
///
/// At most 256 wait for their reader. More are dropped and counted, in [`missed`](Self::missed)
/// and in [`Counters::lines_dropped`](crate::Counters::lines_dropped).
#[derive(Debug)]
pub struct Urcs(Reader<ModuleUrc>);

/// Lines that answer no command. See [`Modem::lines`](crate::Modem::lines).
///
/// At most 256 wait for their reader. More are dropped and counted, in [`missed`](Self::missed)
/// and in [`Counters::lines_dropped`](crate::Counters::lines_dropped).
#[derive(Debug)]
pub struct Lines(Reader<Vec<u8>>);

macro_rules! reader {
    ($name:ident, $item:ty, $what:literal) => {
        impl $name {
            fn new() -> (Feed<$item>, Self) {
                let (feed, reader) = channel();
                (feed, Self(reader))
            }

            #[doc = concat!("The next ", $what, "; `None` once the port is closed.")]
            ///
            /// Dropping the future loses nothing.
            pub async fn recv(&mut self) -> Option<$item> {
                self.0.receiver.recv().await
            }

            #[doc = concat!("The next ", $what, " if one waits.")]
            pub fn try_recv(&mut self) -> Option<$item> {
                self.0.receiver.try_recv().ok()
            }

            /// How many were dropped, because this reader was too slow.
            pub fn missed(&self) -> u64 {
                self.0.missed.load(Ordering::Relaxed)
            }
        }

        impl Stream for $name {
            type Item = $item;

            fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<$item>> {
                self.get_mut().0.receiver.poll_recv(cx)
            }
        }
    };
}

reader!(Urcs, ModuleUrc, "one");
reader!(Lines, Vec<u8>, "line without its line end");

/// Who reads what the module says by itself. Handles put themselves in, the port's task gives.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    pub(crate) lines: Vec<Feed<Vec<u8>>>,
    pub(crate) urcs: Vec<Feed<ModuleUrc>>,
    closed: bool,
}

impl Feeds {
    /// What comes from now on goes to this reader, too.
    pub(crate) fn add_lines(&mut self) -> Lines {
        let (feed, lines) = Lines::new();
        self.lines.extend((!self.closed).then_some(feed));
        lines
    }

    /// As [`add_lines`](Self::add_lines).
    pub(crate) fn add_urcs(&mut self) -> Urcs {
        let (feed, urcs) = Urcs::new();
        self.urcs.extend((!self.closed).then_some(feed));
        urcs
    }

    /// Nothing will come any more.
    pub(crate) fn close(&mut self) {
        *self = Self {
            closed: true,
            ..Self::default()
        };
    }
}

/// Gives to all who still read; how many were too slow.
pub(crate) fn give<T: Clone>(feeds: &mut Vec<Feed<T>>, thing: &T) -> u64 {
    feeds.retain(|feed| !feed.sender.is_closed());
    let slow = feeds.iter().filter(|feed| !feed.give(thing.clone()));
    slow.count() as u64
}

#[derive(Debug)]
struct Reader<T> {
    receiver: mpsc::Receiver<T>,
    missed: Arc<AtomicU64>,
}

/// The end to which the port's task gives.
#[derive(Debug)]
pub(crate) struct Feed<T> {
    sender: mpsc::Sender<T>,
    missed: Arc<AtomicU64>,
}

fn channel<T>() -> (Feed<T>, Reader<T>) {
    let (sender, receiver) = mpsc::channel(LIMIT);
    let missed = Arc::<AtomicU64>::default();
    let feed = Feed {
        sender,
        missed: missed.clone(),
    };
    (feed, Reader { receiver, missed })
}

impl<T> Feed<T> {
    /// Gives; `false` if it had to be dropped, because too many wait.
    fn give(&self, thing: T) -> bool {
        let full = matches!(self.sender.try_send(thing), Err(TrySendError::Full(_)));
        if full {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        !full
    }
}
