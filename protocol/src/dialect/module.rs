//! The module's face: what commands do, and how it is reported what has happened.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::host::Ask;
use crate::at::command::Command;
use crate::at::parameter::ParameterError;
use crate::at::result_code::CmeError;
use crate::http;
use crate::mqtt::{
    Connect, ConnectionId, ConnectionState, Intent, QoS, TlsKey, TlsSetting, TopicFilter, Urc,
};

/// What a module does with the commands of one set, without I/O and clock: those of a
/// [vendor set](crate::commands::VendorSet), or of a dialect, which is a [`Module`] as well.
///
/// It remembers what such a module remembers between commands: settings, formats, messages that
/// wait to be read, half a message. What the links do, the module around it knows ([`Ground`]) and
/// does ([`Act`]).
pub trait Face: fmt::Debug + Send {
    /// Carries out a command of the set.
    ///
    /// What it does is appended to `acts`. Where it is refused, only [`Act::Note`]s and
    /// [`Act::Unreadable`] are to be looked at, and nothing has changed.
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

    /// The data that was asked for does not come.
    ///
    /// # Errors
    /// How the command is refused then.
    fn no_data(&mut self, why: NoData, acts: &mut Vec<Act>) -> Result<Finish, Refused>;

    /// What came of an act that is no matter of a connection, or what else happens around it.
    fn noticed(&mut self, _event: Event, _acts: &mut Vec<Act>) {}

    /// The module starts anew.
    fn restarted(&mut self);
}

/// The face of a dialect: one module's side of a conversation about MQTT.
pub trait Module: Face {
    /// Something has happened that the host may have to hear of: what came of an act, or what
    /// nobody asked for. The lines are appended as [`Act::Report`]s; a command that waits for this
    /// outcome is ended by [`Act::Finish`], behind what is to be said before its result.
    fn happened(&mut self, urc: Urc, acts: &mut Vec<Act>);

    /// The broker has answered a subscribe with these return codes, one for each filter. What is to
    /// be said of that comes by [`happened`](Self::happened) behind it.
    fn acknowledged(&mut self, _connection: ConnectionId, _message_id: u16, _codes: &[u8]) {}

    /// A publish was sent again, for the nth time, counted from 1.
    fn sent_again(
        &mut self,
        connection: ConnectionId,
        message_id: u16,
        attempt: u32,
        acts: &mut Vec<Act>,
    );

    /// How this is reported, whether or not it is so.
    fn report(&self, urc: Urc) -> Report;

    /// The link of a connection is gone, and what is lost with it. What is to be said of that
    /// comes by [`happened`](Self::happened) behind it.
    fn freed(&mut self, connection: ConnectionId);

    /// Whether the radio is to be released as soon as there is nothing more to say.
    fn releases_quickly(&self, connection: ConnectionId) -> bool;
}

/// What the module around the dialect knows.
pub trait Ground {
    /// How far a connection is; `None` if it is closed.
    fn state(&self, connection: ConnectionId) -> Option<ConnectionState>;

    /// Whether the link stands and MQTT has not been spoken on it.
    fn is_open(&self, connection: ConnectionId) -> bool;

    /// Whether the broker had a session of the client when it accepted it.
    fn resumed(&self, connection: ConnectionId) -> bool {
        let _ = connection;
        false
    }

    /// Host and port of [`Act::Open`], as they were given; `None` if the connection is closed.
    fn peer(&self, connection: ConnectionId) -> Option<(&str, u16)>;

    /// Whether the packet data context of this number can be used.
    fn is_active(&self, cid: u8) -> bool;

    /// The address of the module in a packet data context; `None` if it cannot be used.
    fn address(&self, _cid: u8) -> Option<String> {
        None
    }

    /// A value of a TLS context.
    fn tls(&self, context: u8, key: TlsKey) -> TlsSetting<'_>;

    /// Whether a file of this name can be stored.
    fn has_room(&self, name: &str) -> bool;

    /// What a file holds; `None` if there is none of this name.
    fn file(&self, name: &str) -> Option<&[u8]>;

    /// The names of the files, in their order.
    fn files(&self) -> Vec<&str>;
}

/// What a module does because of a command or an event, in the order of the acts.
///
/// What comes of an act that takes time is told by [`Module::happened`]. A command with an act that
/// cannot be done at all is refused with [`Refused::NOT_ALLOWED`].
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
    /// Say `CONNECT`, and then these bytes as they are.
    Stream(Vec<u8>),
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
    /// Send CONNECT on the open link, or as soon as the link that is being made stands. Host, port
    /// and TLS are those of the link.
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
    /// Send a URC.
    Report(Report),
    /// Send a URC that is about no connection, without line ends; what came of a
    /// [`Request`](Self::Request), or of a command that ends with [`Finish::Announced`], no sooner
    /// than that may be known.
    Announce(Vec<u8>),
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
    /// Remove a file.
    Remove {
        /// Its name.
        name: String,
    },
    /// Define a packet data context; what is active keeps the access point that it has.
    DefineContext {
        /// The context.
        cid: u8,
        /// `IP`, `IPV6` or `IPV4V6`.
        kind: &'static str,
        /// The access point; empty for the network's choice.
        access_point: String,
    },
    /// Activate a packet data context, or deactivate it with every link over it. What comes of it
    /// is told by [`Event::Context`].
    Activate {
        /// The context.
        cid: u8,
        /// Whether it is to be active.
        active: bool,
    },
    /// Send a HTTP request, in place of one that is on its way. What comes of it is told by
    /// [`Event::Response`].
    Request(Box<http::Request>),
    /// Give the HTTP request up; nothing is told of it.
    DropRequest,
    /// End the command that waits for its outcome, where the final result code tells it.
    Finish(Result<(), Refused>),
}

/// What has happened that is no matter of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What came of [`Act::Request`].
    Response(Result<http::Response, http::Failure>),
    /// A packet data context was activated or deactivated, whoever has asked for it, or stays as
    /// it was against what was asked for.
    Context {
        /// The context.
        cid: u8,
        /// Whether it can be used.
        active: bool,
    },
}

/// A URC, and what there is to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The line, without line ends; one that goes over several lines is sent in one piece.
    pub line: Vec<u8>,
    /// What it says.
    pub urc: Urc,
    /// Whether it tells what came of a command, and so comes no sooner than that may be known.
    pub outcome: bool,
    /// Whether a payload stands in it that nothing tells from the lines behind it.
    pub unframed: bool,
}

/// Why data does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoData {
    /// The host has left the prompt by an ESC.
    Left,
    /// The module has waited too long for the next byte.
    Late,
}

/// How a command that is not refused goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finish {
    /// `OK`.
    Ok,
    /// `OK`, and what came of it is reported for this connection.
    Reported(ConnectionId),
    /// `OK`, and what came of it is told by an [`Act::Announce`], as late as a report is.
    Announced,
    /// Neither before its outcome is known, by [`Act::Finish`]; after this time it is an error, and
    /// nothing waits for the outcome any more.
    Outcome(Duration),
    /// Data is asked for first, perhaps not for the first time.
    Data(Ask),
    /// Nothing more is said: the final result code came before the data
    /// ([`Prompt::AfterOk`](super::Prompt::AfterOk)).
    Silently,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The module does not know the command.
    Unknown,
    /// `ERROR`, whatever the host has asked for.
    Plain,
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

impl From<ParameterError> for Refused {
    fn from(_: ParameterError) -> Self {
        Self::NOT_ALLOWED
    }
}
