//! What a module's HTTP client is asked for, and what comes of it.

mod url;

use alloc::vec::Vec;
use core::time::Duration;

pub use url::Url;

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// To send what is at the address.
    Get,
    /// To take the body.
    Post,
}

/// A request, and the way that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// First and last byte wanted, if not all are.
    pub range: Option<(u64, u64)>,
    /// What is sent.
    pub content: Content,
    /// The packet data context that it goes over.
    pub cid: u8,
    /// The TLS context that secures it, where the address wants it secured.
    pub tls: u8,
    /// How long the response may take.
    pub patience: Duration,
}

/// What a request sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A body of this media type; empty where the method has none.
    Body(&'static str, Vec<u8>),
    /// The whole request, which the host has written.
    Whole(Vec<u8>),
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub code: u16,
    /// Status line and headers, with the empty line behind them.
    pub head: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
    /// What the server says that the body's length is, if it does, in bytes.
    pub length: Option<usize>,
}

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The packet data context is not active.
    Deactivated,
    /// The host name was not found.
    Resolve,
    /// The server could not be reached.
    Connect,
    /// TLS failed.
    Tls,
    /// The link ended within the response.
    Closed,
    /// What came is no HTTP/1 response.
    Malformed,
    /// It is longer than the module takes.
    TooLong,
    /// It did not come in time.
    TimedOut,
}
