//! What a module and its network tell each other.

use std::fmt;

use super::TlsOptions;

/// What a module wants from the network.
#[derive(Clone, PartialEq, Eq)]
pub enum NetworkRequest {
    /// Resolve a name, connect, secure the link if asked. [`NetworkEvent::Opened`] or
    /// [`NetworkEvent::OpenFailed`] follows. An open link of this number is closed first.
    Open {
        /// The module's number for the link.
        link: u8,
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// TLS, if the link is to have it.
        tls: Option<TlsOptions>,
    },
    /// Send bytes on an open link. On a link that is not open they are dropped: its
    /// [`NetworkEvent::Closed`] is on its way or has been taken.
    Send {
        /// Link they are for.
        link: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Send what is queued and close. No event of this link follows.
    Close {
        /// Link to close.
        link: u8,
    },
}

/// Bytes are counted and not shown: a CONNECT holds a password.
impl fmt::Debug for NetworkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open {
                link,
                host,
                port,
                tls,
            } => f
                .debug_struct("Open")
                .field("link", link)
                .field("host", host)
                .field("port", port)
                .field("tls", tls)
                .finish(),
            Self::Send { link, bytes } => write!(f, "Send({link}, {} bytes)", bytes.len()),
            Self::Close { link } => write!(f, "Close({link})"),
        }
    }
}

/// What the network tells a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkEvent {
    /// A link is open.
    Opened {
        /// Link meant.
        link: u8,
    },
    /// A link could not be opened.
    OpenFailed {
        /// Link meant.
        link: u8,
        /// Why not.
        reason: OpenFailure,
    },
    /// Bytes came.
    Received {
        /// Link they came on.
        link: u8,
        /// The bytes, at least one.
        bytes: Vec<u8>,
    },
    /// A congested link has written most of its backlog; see
    /// [`Network::is_congested`](super::Network::is_congested).
    Drained {
        /// Link meant.
        link: u8,
    },
    /// An open link is closed, but not by [`NetworkRequest::Close`].
    Closed {
        /// Link meant.
        link: u8,
        /// Why.
        reason: CloseReason,
    },
}

impl NetworkEvent {
    /// The link that it tells of.
    pub fn link(&self) -> u8 {
        match self {
            Self::Opened { link }
            | Self::OpenFailed { link, .. }
            | Self::Received { link, .. }
            | Self::Drained { link }
            | Self::Closed { link, .. } => *link,
        }
    }
}

/// Why a link could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenFailure {
    /// No address for the host name.
    #[error("the host name cannot be resolved")]
    Resolve,
    /// Nothing listens there.
    #[error("the host refuses the connection")]
    Refused,
    /// It took longer than [`NetworkOptions::open_time_limit`](super::NetworkOptions::open_time_limit), or than the system allows.
    #[error("the host does not answer in time")]
    TimedOut,
    /// No way to the address.
    #[error("the host or its network is unreachable")]
    Unreachable,
    /// The link was made but not secured.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// Another answer of the system.
    #[error("the link cannot be opened: {0}")]
    Other(String),
}

/// Why a link is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The peer closed or reset it.
    #[error("the peer closed the link")]
    Peer,
    /// More bytes were queued than the peer took.
    #[error("the peer left more than {limit} bytes untaken")]
    Overrun {
        /// Bytes that may be queued.
        limit: usize,
    },
    /// Another answer of the system or of TLS.
    #[error("the link failed: {0}")]
    Failed(String),
}
