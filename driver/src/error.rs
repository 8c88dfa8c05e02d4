//! What can go wrong, told from the caller's side.

mod words;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::at::result_code::{CmeError, FinalResult};
use atmq_protocol::cloud::CredentialsError;
use atmq_protocol::dialect::EncodeError;
use atmq_protocol::mqtt::{
    ConnectionId, LinkStatus, OpenFailure, QoS, Reason, Refusal, TopicError,
};
use thiserror::Error;

use crate::tls::TlsError;

use words::{
    bytes, during, open_words, reason_words, refusal_words, remedy, sent_again_words,
    silence_words, status_words, subscription_words,
};

/// Why a port could not be opened, or nothing behind it answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The serial device cannot be opened.
    #[error("cannot open {path}")]
    Device {
        /// The device.
        path: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The TCP peer that stands for a serial port cannot be reached.
    #[error("cannot connect to {address}")]
    Tcp {
        /// Host and port.
        address: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The port is open, but the module cannot be brought to talk.
    #[error("the module does not answer as it should")]
    Initialise(#[source] Error),
}

impl OpenError {
    /// Whether there is nothing yet that could be opened: no such device, or nobody at the address.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Device { source, .. } => source.kind() == io::ErrorKind::NotFound,
            // A peer that is there, and no bridge or unable to set up its device so, stays that.
            Self::Tcp { source, .. } => source.kind() != io::ErrorKind::Unsupported,
            Self::Initialise(_) => false,
        }
    }
}

/// An error with everything that caused it, on one line.
///
/// ```
/// # #[derive(Debug, thiserror::Error)] #[error("cannot open it")] struct Failed(#[source] std::io::Error);
/// let error = Failed(std::io::Error::other("no such device"));
/// assert_eq!(atmq_driver::chain(&error), "cannot open it: no such device");
/// ```
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Why a command cannot be sent. Nothing has been written to the port.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The module does not take the request, or no command can carry it.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A raw command line holds a control character; it could end the line and begin another.
    #[error("the command line holds the control character {byte:#04x} at byte {at}")]
    ControlCharacter {
        /// The character.
        byte: u8,
        /// Where it stands, in bytes.
        at: usize,
    },
    /// A raw command line does not begin with `AT`.
    #[error("a command line begins with AT")]
    NotACommand,
    /// What is to follow the prompt does not have the length that the command announces.
    #[error("the command announces {} behind the prompt, {} given", bytes(.announced), bytes(.given))]
    DataLength {
        /// Bytes announced; `None` if the command brings no prompt.
        announced: Option<usize>,
        /// Bytes given.
        given: Option<usize>,
    },
    /// Quality of service 0 has message id 0, the others have any other.
    #[error("message id {message_id} does not go with quality of service {}", .qos.level())]
    MessageId {
        /// The quality of service.
        qos: QoS,
        /// The message id.
        message_id: u16,
    },
    /// A topic or a topic filter is none; no broker would take it.
    #[error("{field} {error}")]
    Topic {
        /// Which one.
        field: &'static str,
        /// What is wrong with it.
        error: TopicError,
    },
    /// The session is in the middle of another exchange.
    #[error("another exchange is in progress")]
    Busy,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reached {
    /// It waits for its turn: nothing was written.
    Waiting,
    /// It was written to the port, in whole or in part.
    Written,
    /// The module has taken it, and only the report is missing.
    Accepted,
}

/// Why an exchange that was begun did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The module answered with an error.
    #[error("the module answered {command} with {result}")]
    Refused {
        /// The command, without its parameters.
        command: String,
        /// The final result code.
        result: FinalResult,
    },
    /// The module did not answer in time. The command may have been carried out.
    #[error("the module did not answer {command} within {} s", .limit.as_secs_f32())]
    Timeout {
        /// The command, without its parameters.
        command: String,
        /// The time limit.
        limit: Duration,
    },
    /// The module took the command, but did not report in time what came of it.
    #[error(
        "the module took {command}{}, but reported no outcome within {} s",
        sent_again_words(*.sent_again), .limit.as_secs_f32()
    )]
    NoReport {
        /// The command, without its parameters.
        command: String,
        /// The time limit.
        limit: Duration,
        /// Whether it reported that it has sent the packet again: the broker did not answer.
        sent_again: bool,
    },
    /// The prompt did not come in time, so no data was sent.
    #[error("the module did not ask for the data of {command} within {} s", .limit.as_secs_f32())]
    NoPrompt {
        /// The command, without its parameters.
        command: String,
        /// The time limit.
        limit: Duration,
    },
    /// The answer is longer than what the session stores.
    #[error("the answer to {command} has more than {limit} bytes")]
    TooLong {
        /// The command, without its parameters.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// The module has rebooted meanwhile. A command that had been written may have been carried
    /// out.
    #[error("the module rebooted {} {command}", during(*.reached))]
    Rebooted {
        /// The command, without its parameters.
        command: String,
        /// How far the command had come.
        reached: Reached,
    },
    /// The module was switched off meanwhile. A command that had been written may have been carried
    /// out.
    #[error("the module was switched off {} {command}", during(*.reached))]
    PoweredDown {
        /// The command, without its parameters.
        command: String,
        /// How far the command had come.
        reached: Reached,
    },
    /// The link was lost meanwhile.
    #[error("the link was lost during {command} ({})", status_words(*.status, *.code))]
    LinkLost {
        /// The command, without its parameters.
        command: String,
        /// What the module says of the link.
        status: LinkStatus,
        /// The number behind the status, such as the broker's return code.
        code: Option<i32>,
    },
    /// The module answers nothing; the command was not sent.
    #[error("{}, so {command} was not sent{}", silence_words(*.probes, *.awaits), remedy(*.awaits))]
    Unresponsive {
        /// The command, without its parameters.
        command: String,
        /// Probes sent since the module last answered.
        probes: u32,
        /// How many bytes of data the module may be waiting for. Anything that is sent could
        /// complete them and be published, so only a reset helps.
        awaits: Option<usize>,
    },
}

impl ExchangeError {
    /// The command, without its parameters.
    pub fn command(&self) -> &str {
        match self {
            Self::Refused { command, .. }
            | Self::Timeout { command, .. }
            | Self::NoReport { command, .. }
            | Self::NoPrompt { command, .. }
            | Self::TooLong { command, .. }
            | Self::Rebooted { command, .. }
            | Self::PoweredDown { command, .. }
            | Self::LinkLost { command, .. }
            | Self::Unresponsive { command, .. } => command,
        }
    }
}

impl ExchangeError {
    /// The reason of a refusal, where the module has given one. Decide by its
    /// [`number`](CmeError::number), which is the same for an error in words.
    pub fn cme(&self) -> Option<&CmeError> {
        match self {
            Self::Refused {
                result: FinalResult::Cme(error),
                ..
            } => Some(error),
            _ => None,
        }
    }

    /// For the log.
    pub(crate) fn in_one_word(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Timeout { .. } => "timeout",
            Self::NoReport { .. } => "no report",
            Self::NoPrompt { .. } => "no prompt",
            Self::TooLong { .. } => "answer too long",
            Self::Rebooted { .. } => "rebooted",
            Self::PoweredDown { .. } => "powered down",
            Self::LinkLost { .. } => "link lost",
            Self::Unresponsive { .. } => "unresponsive",
        }
    }
}

/// Why a call to the modem or the client failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing was sent: the command cannot be written.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The exchange with the module failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The module ended the command with success, but without the information asked for.
    #[error("the module answered {command} without the information asked for")]
    NoInformation {
        /// The command.
        command: String,
    },
    /// The broker or the module did not take the subscription, or the end of it. That the module
    /// gives no reason where it is the broker's refusal is inferred.
    #[error("{} (`{filter}`)", subscription_words(*.reason))]
    Subscription {
        /// The topic filter; several are separated by a comma and a blank.
        filter: String,
        /// The module's reason. Without one, and with MQTT's own 128, the broker has refused.
        reason: Reason,
    },
    /// The opposite has been asked for meanwhile: a subscription that was to be made is to be taken
    /// back, or the other way round.
    #[error("the opposite was asked for meanwhile (`{filter}`)")]
    Overtaken {
        /// The topic filter.
        filter: String,
    },
    /// The connection has ended; see the reason.
    #[error("not connected: {0}")]
    Disconnected(Disconnected),
    /// The port has been closed, by its device or with the last handle.
    #[error("the port is closed: {0}")]
    PortClosed(PortClosed),
    /// The port was lost while the command was under way, which may have been carried out.
    #[error("the port was lost meanwhile: {0}")]
    PortLost(PortLost),
    /// The port is lost and has not come back yet. Nothing was sent.
    #[error("the port has not come back yet: {0}")]
    PortAway(PortLost),
    /// The module was reset while the command was under way, which may have been carried out.
    #[error("the module was reset meanwhile")]
    Reset,
    /// The caller's way to reset the module has failed, see
    /// [`Settings::reset_hook`](crate::Settings::reset_hook).
    #[error("the module could not be reset: {0}")]
    ResetFailed(String),
}

impl Error {
    /// The reason of a refusal, where the module has given one.
    pub fn cme(&self) -> Option<&CmeError> {
        match self {
            Self::Exchange(error) => error.cme(),
            _ => None,
        }
    }
}

/// Why the port is closed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PortClosed(pub(crate) Arc<str>);

/// Why the port was lost. It is opened again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct PortLost(pub(crate) Arc<str>);

/// Why a connection has ended.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Disconnected {
    /// [`Client::disconnect`](crate::Client::disconnect) was called.
    #[error("the client disconnected")]
    Requested,
    /// The module reports that the link is lost.
    #[error("the link was lost ({})", status_words(*.status, *.code))]
    LinkLost {
        /// What the module says of the link.
        status: LinkStatus,
        /// The number behind the status, such as the broker's return code.
        code: Option<i32>,
    },
    /// The module has rebooted.
    #[error("the module rebooted")]
    Rebooted,
    /// The module has been switched off.
    #[error("the module was switched off")]
    PoweredDown,
    /// The connection could not be established.
    #[error("the connection was not established")]
    NotEstablished,
    /// The port was lost. It may have come back meanwhile.
    #[error("the port was lost: {0}")]
    PortLost(PortLost),
    /// The port is closed.
    #[error("the port is closed: {0}")]
    PortClosed(PortClosed),
}

/// Why a connection could not be established. The link is closed again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Another client uses this connection.
    #[error("connection {0} is in use by another client")]
    Occupied(ConnectionId),
    /// The module could not open the link to the broker.
    #[error("the module could not open the link to {host}:{port}: {}", open_words(*.failure))]
    Open {
        /// The broker's host.
        host: String,
        /// The broker's TCP port.
        port: u16,
        /// The module's reason.
        failure: OpenFailure,
    },
    /// The link was made, but could not be secured.
    #[error(
        "TLS to {host}:{port} failed: check the CA certificate, the name in the broker's \
         certificate, the client's certificate and the module's clock"
    )]
    Tls {
        /// The broker's host.
        host: String,
        /// The broker's TCP port.
        port: u16,
    },
    /// TLS cannot be set up as asked for. Nothing was sent.
    #[error(transparent)]
    TlsOptions(#[from] TlsError),
    /// The module did not take the TLS context.
    #[error(
        "the module did not take the TLS context; set it up as its manual says, and name it by \
         `tls_context`"
    )]
    TlsSetUp(#[source] Error),
    /// The broker refused the client.
    #[error("the broker refused the client: {} (code {})", refusal_words(*.0), .0.code())]
    Refused(Refusal),
    /// The broker did not answer the CONNECT, or the module could not send it.
    #[error("the CONNECT was not accepted{}", reason_words(*.reason))]
    NotAccepted {
        /// The module's reason.
        reason: Reason,
    },
    /// The module took a command and reported no outcome, as modules do that report on another port.
    #[error("the module reports nothing on this port: {remedy}")]
    Unheard {
        /// What to do about it.
        remedy: &'static str,
        /// What was not reported.
        #[source]
        error: Error,
    },
    /// The cloud platform would not take the device. Nothing was sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The function that was to give the credentials gave none. Nothing was sent.
    #[error("there are no credentials to connect with: {reason}")]
    NoCredentials {
        /// What the function says.
        reason: String,
    },
    /// A command failed on the way.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Why a publish is not known to have succeeded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// Nothing was sent: the module cannot carry the message, or there is no connection.
    #[error("the message was not sent")]
    NotSent(#[source] Error),
    /// The module reports that it could not send the message.
    #[error("the module could not send the message{}", reason_words(*.reason))]
    Failed {
        /// The module's reason.
        reason: Reason,
        /// Whether it may have sent it before, and failed to send it again.
        may_have_arrived: bool,
    },
    /// The module sent the message and got the wrong acknowledgement, or none: it may have
    /// arrived.
    #[error("the message was sent, but not acknowledged as it should be{}", reason_words(*.reason))]
    WrongAcknowledgement {
        /// The module's reason.
        reason: Reason,
    },
    /// The module took the message, and what came of it is not known: it may have arrived.
    #[error("what came of the message is not known")]
    Unknown(#[source] Error),
}

impl PublishError {
    /// Whether the message may have reached the broker all the same: publishing it again may
    /// deliver it twice.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::NotSent(_) => false,
            Self::Failed {
                may_have_arrived, ..
            } => *may_have_arrived,
            Self::WrongAcknowledgement { .. } | Self::Unknown(_) => true,
        }
    }
}
