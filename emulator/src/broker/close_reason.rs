//! Why the broker ends a connection.

use thiserror::Error;

use super::ConnectReturnCode;

/// Why the broker closes a connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The regular end; the will is not published.
    #[error("the client sent DISCONNECT")]
    Disconnected,
    /// CONNACK carried another code than 0.
    #[error("CONNECT refused with return code {}", .0.code())]
    Refused(ConnectReturnCode),
    /// The client broke the protocol, or exceeded the packet limit.
    #[error("protocol violation")]
    Violation(#[from] Violation),
    /// The connection stayed open without CONNECT for too long.
    #[error("no CONNECT came in time")]
    ConnectTimeout,
    /// Nothing came for one and a half times the keep-alive interval.
    #[error("nothing came for one and a half times the keep-alive interval")]
    KeepAliveTimeout,
    /// Another connection presented the same client id.
    #[error("another connection took over the client id")]
    TakenOver,
    /// The client does not read what is sent to it.
    #[error("more than {limit} bytes wait to be written")]
    Overflow {
        /// [`Limits::outgoing_bytes`](super::Limits::outgoing_bytes).
        limit: usize,
    },
}

/// What a client did that MQTT 3.1.1 does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// Remaining Length takes more than four bytes (section 2.2.3).
    #[error("the remaining length takes more than four bytes")]
    RemainingLength,
    /// Not forbidden by MQTT, but beyond what this broker takes.
    #[error("a packet of {length} bytes is longer than the limit of {limit}")]
    PacketTooLarge {
        /// Remaining Length announced.
        length: usize,
        /// [`Limits::packet_bytes`](super::Limits::packet_bytes).
        limit: usize,
    },
    /// A reserved packet type, or one that only a broker sends (section 2.2.1).
    #[error("packet type {0} does not come from a client")]
    PacketType(u8),
    /// Flags in the fixed header that the packet type does not have (section 2.2.2).
    #[error("{packet} with the fixed header flags {flags:#06b}")]
    Flags {
        /// Name of the packet.
        packet: &'static str,
        /// The four bits as received.
        flags: u8,
    },
    /// CONNECT names neither `MQTT` nor `MQIsdp`.
    #[error("CONNECT for another protocol than MQTT")]
    ProtocolName,
    /// CONNECT for another level than 3 (`MQIsdp`) and 4 (`MQTT`); answered by CONNACK code 1.
    #[error("CONNECT for protocol level {0}")]
    ProtocolLevel(u8),
    /// The body of a packet says what it must not.
    #[error("{packet}: {what}")]
    Malformed {
        /// Name of the packet.
        packet: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The first packet is not CONNECT.
    #[error("a packet came before CONNECT")]
    BeforeConnect,
    /// CONNECT came twice on one connection.
    #[error("a second CONNECT came")]
    SecondConnect,
}
