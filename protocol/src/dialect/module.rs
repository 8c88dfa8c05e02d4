//! The module's face of a dialect: what its commands do, and how it reports what has happened.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::host::Ask;
use crate::at::command::Command;
use crate::at::parameter::ParameterError;
use crate::at::result_code::CmeError;
use crate::mqtt::{
    Connect, ConnectionId, ConnectionState, Intent, QoS, TlsKey, TlsSetting, TopicFilter, Urc,
};

/// One module's side of a conversation with a host, without I/O and clock.
///
/// It remembers what such a module remembers between commands: settings, formats, messages that
/// wait to be read, half a message. What the links do, the module around it knows ([`Ground`]) and
/// does ([`Act`]).
pub trait Module: fmt::Debug + Send {
    /// Carries out a command that the dialect owns.
    ///
    /// What it does is appended to `acts`. Where it is refused, only [`Act::Note`]s are to be
    /// looked at, and nothing has changed.
    ///
    /// # Errors
    /// How the command is refused.
    fn command(
        &mut self,
        command: &Command<'_>,
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused>;

    /// The data has come that the last command asked for by [`Finish::Data`].
    ///
    /// # Errors
    /// How it is refused.
    fn data(
        &mut self,
        data: &[u8],
        ground: &dyn Ground,
        acts: &mut Vec<Act>,
    ) -> Result<Finish, Refused>;

    /// The data that was asked for does not come: the host has left the prompt by an ESC, or the
    /// module has given up.
    fn no_data(&mut self, acts: &mut Vec<Act>);

    /// Something has happened that the host may have to hear of: what came of an act, or what
    /// nobody asked for. The lines are appended as [`Act::Report`]s.
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>);

    /// A packet was sent again, for the nth time, counted from 1.
    fn sent_again(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        attempt: u32,
        acts: &mut Vec<Act>,
    );

    /// The line that reports this, whether or not it is so.
    fn report(&self, urc: &Urc) -> Vec<u8>;

    /// The link of a connection is gone, and what is lost with it.
    fn freed(&mut self, connection: ConnectionId);

    /// The module starts anew.
    fn restarted(&mut self);

    /// Whether the radio is to be released as soon as there is nothing more to say.
    fn releases_quickly(&self, connection: ConnectionId) -> bool;
}

/// What the module around the dialect knows.
pub trait Ground {
    /// How far a connection is; `None` if it is closed.
    fn state(&self, connection: ConnectionId) -> Option<ConnectionState>;

    /// Whether the link stands and MQTT has not been spoken on it.
    fn is_open(&self, connection: ConnectionId) -> bool;

    /// Whether the packet data context of this number can be used.
    fn is_active(&self, cid: u8) -> bool;

    /// A value of a TLS context.
    fn tls(&self, context: u8, key: TlsKey) -> TlsSetting<'_>;

    /// Whether a file of this name can be stored.
    fn has_room(&self, name: &str) -> bool;
}

/// What a module does because of a command or an event, in the order of the acts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// Nothing: what the command asks for, for those who watch. It comes first, also where the
    /// command is refused then.
    Note(Intent),
    /// A command that cannot be read, and why, for those who watch.
    Unreadable(ParameterError),
    /// Say an information response, without line ends.
    Say(Vec<u8>),
    /// Make the link of a connection.
    Open {
        /// The connection.
        connection: ConnectionId,
        /// Name or address of the broker.
        host: String,
        /// Its TCP port.
        port: u16,
        /// The packet data context that it goes over.
        cid: u8,
        /// The TLS context that secures it.
        tls: Option<u8>,
    },
    /// Send CONNECT on the open link. Host, port and TLS are those of the link.
    Connect(Box<Connect>),
    /// Subscribe.
    Subscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; `None` is the client's choice.
        message_id: Option<u16>,
        /// The filters and the quality of service asked for each.
        filters: Vec<TopicFilter>,
    },
    /// Take back subscriptions.
    Unsubscribe {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; `None` is the client's choice.
        message_id: Option<u16>,
        /// The filters.
        filters: Vec<String>,
    },
    /// Publish.
    Publish {
        /// The connection.
        connection: ConnectionId,
        /// The packet identifier; `None` is the client's choice.
        message_id: Option<u16>,
        /// The quality of service.
        qos: QoS,
        /// Whether the broker retains the message.
        retain: bool,
        /// The topic.
        topic: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Send DISCONNECT, and close the link if it is `freed` with it.
    Disconnect {
        /// The connection.
        connection: ConnectionId,
        /// Whether the connection is closed with it.
        freed: bool,
    },
    /// Close the link, after a DISCONNECT if MQTT is connected.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Send a URC, without line ends; one that goes over several lines is sent in one piece.
    Report {
        /// The connection that it tells of.
        connection: ConnectionId,
        /// The line.
        line: Vec<u8>,
        /// What it says.
        urc: Urc,
        /// Whether it tells what came of a command, and so comes no sooner than that may be known.
        outcome: bool,
        /// Whether a payload stands in it that nothing tells from the lines behind it.
        unframed: bool,
    },
    /// Change a TLS context.
    ConfigureTls {
        /// The context.
        context: u8,
        /// The new value.
        setting: TlsSetting<'static>,
    },
    /// Store a file.
    Store {
        /// Its name.
        name: String,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// End the command that waits for its outcome, where the final result code tells it.
    Finish(Result<(), Refused>),
}

/// How a command that is not refused goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// `OK`.
    Ok,
    /// `OK`, and what came of it is reported for this connection.
    Reported(ConnectionId),
    /// Neither before its outcome is known, by [`Act::Finish`]; after this time it is an error.
    Outcome(Duration),
    /// Data is asked for first.
    Data(Ask),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The module does not know the command.
    Unknown,
    /// With a code of `+CME ERROR`.
    Cme(u16),
    /// With a code of `+CMS ERROR`.
    Cms(u16),
    /// `NO CARRIER`
    NoCarrier,
}

impl Refused {
    /// Bad parameter, state or form: the one code that ECMT's handlers raise, and families like it.
    pub const NOT_ALLOWED: Self = Self::Cme(CmeError::NOT_ALLOWED);
}
