use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::{fmt, io};

use super::wire::{Duplex, Stream};
use crate::port::open_port;
use crate::settings::Settings;

/// A future on the heap.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Makes a stream that takes the place of a lost one, see
/// [`Settings::reopen_with`](crate::Settings::reopen_with).
pub(crate) type Reopen = Arc<dyn Fn() -> Boxed<io::Result<Pin<Box<dyn Duplex>>>> + Send + Sync>;

/// Where another stream comes from when one is lost.
pub(crate) enum Supply {
    /// From nowhere.
    None,
    /// The port of this name is opened again.
    Port(String),
    /// The caller knows.
    Caller(Reopen),
}

impl Supply {
    /// Whether there may be another.
    pub(super) fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Tries once to make another. `baud_rate`: with which the module was last spoken to.
    pub(super) async fn open(&self, settings: &Settings, baud_rate: u32) -> io::Result<Stream> {
        match self {
            Self::None => Err(io::ErrorKind::Unsupported.into()),
            Self::Port(name) => {
                let settings = settings.clone().baud_rate(baud_rate);
                let port = open_port(name, &settings).await;
                port.map(Stream::Port).map_err(io::Error::other)
            }
            Self::Caller(reopen) => reopen().await.map(Stream::Other),
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Port(name) => f.debug_tuple("Port").field(name).finish(),
            Self::Caller(_) => f.write_str("Caller"),
        }
    }
}
