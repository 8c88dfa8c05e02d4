//! `AT+LMQTT…`: Lierda NT35E, NT26E-CN and NT26-KCN (reference `lmqtt.md`).

mod aliauth;
mod codes;
pub(in crate::dialect) mod command;
mod config;
mod connecting;
mod host;
mod information;
mod intent;
mod keys;
mod models;
mod module;
mod power;
mod publish;
mod received;
mod request;
mod setting;
mod switches;
mod table;
#[cfg(test)]
mod tests;
mod tls;
mod urc;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

pub use models::{NT26, NT35E};
pub use request::{Context, Exchange, Information, PublishEnd, PublishPayload, Request};
pub use setting::{DataFormat, FormatTable, Formats, Setting, SettingKey};
pub(super) use table::COMMANDS as SPECS;

use super::{
    DecodeError, Dialect, EncodeError, Host, Model, Module, Power, Recognised, Switch, Value,
};
use crate::at::command::Command;
use crate::at::framing::Extent;
use crate::at::parameter::ParameterError;
use crate::limits::Limits;
use crate::mqtt::{ConnectionId, Proof, Urc};
use crate::spec::{Codes, Key, Spec};

/// The manual's time limit of a query, in seconds (reference `lmqtt.md` 1.2).
const QUERY: u16 = 5;

/// The LMQTT dialect, with what differs between firmwares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lmqtt {
    /// How the module calls the outcome of an unsubscribe. Hosts understand both.
    pub unsubscribe_urc: UnsubscribeUrc,
    /// How the module calls the outcome of an extended publish. Hosts understand both.
    pub publish_extended_urc: PublishExtendedUrc,
    /// What the length before a received payload in hexadecimal digits counts.
    pub hex_length: HexLength,
    /// What the length of a payload to publish in hexadecimal digits counts.
    pub publish_hex_length: HexLength,
    /// Whether `AT+LMQTTCFG` has the key `pdpcid`: one product's firmware has it commented out.
    pub pdp_context: bool,
    /// Whether there are `AT+LSSLCFG` and `AT+LFUPL`, which are our own and unverified.
    pub tls_commands: bool,
    /// Whether the module reports outcomes of publishes before the host asks for it with the key
    /// `urc`: firmwares differ (reference `README.md`, "Decisions").
    pub result_urcs: bool,
    /// Whether the module refuses msgID 0 but for a publish with QoS 0, and there takes nothing
    /// else.
    pub strict_message_ids: bool,
    /// Messages that a connection keeps with `cache` 1.
    pub cache_slots: usize,
    /// What happens to a message for which there is no slot.
    pub cache_overflow: CacheOverflow,
    /// Whether the configuration of a connection is still there after CLOSE.
    pub keeps_configuration: bool,
    /// Whether DISC closes the link and forgets the configuration, as ECMT does: CLOSE after it is
    /// refused.
    pub disconnect_frees: bool,
}

/// How the outcome of an unsubscribe is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsubscribeUrc {
    /// `+LMQTTSUBUNSUB`, like the command.
    SubUnsub,
    /// `+LMQTTUNSUNSUB`, as the manual prints it.
    UnsUnsub,
}

/// How the outcome of an extended publish is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishExtendedUrc {
    /// `+LMQTTPUBEX`, like the command.
    PubEx,
    /// `+LMQTTPUB`, like that of the plain publish.
    Pub,
}

/// What happens to a message that finds the cache full. Either way it is reported once, with
/// `STATS` 13, until a message has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOverflow {
    /// It is dropped.
    DropNewest,
    /// It takes the place of the oldest.
    DropOldest,
}

/// What the length before a payload in hexadecimal digits counts. No source tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HexLength {
    /// The bytes that the digits stand for.
    Payload,
    /// The digits.
    Digits,
}

impl HexLength {
    /// The length that is shown for a payload of so many bytes.
    fn shown(self, format: DataFormat, length: usize) -> usize {
        match self {
            Self::Payload => length,
            Self::Digits => format.wire_length(length),
        }
    }

    /// How many bytes stand on the line behind a length.
    fn wire(self, format: DataFormat, shown: usize) -> usize {
        match self {
            Self::Payload => format.wire_length(shown),
            Self::Digits => shown,
        }
    }

    /// The length that is shown for so many bytes on the line; `None` if half a byte is left over.
    fn of_wire(self, format: DataFormat, wire: usize) -> Option<usize> {
        match self {
            Self::Payload => {
                let shown = wire / format.wire_length(1);
                (format.wire_length(shown) == wire).then_some(shown)
            }
            Self::Digits => Some(wire),
        }
    }
}

impl Lmqtt {
    /// As decided where the manual and the sources disagree.
    pub const DEFAULT: Self = Self {
        unsubscribe_urc: UnsubscribeUrc::SubUnsub,
        publish_extended_urc: PublishExtendedUrc::PubEx,
        hex_length: HexLength::Payload,
        publish_hex_length: HexLength::Digits,
        pdp_context: false,
        tls_commands: true,
        result_urcs: true,
        strict_message_ids: false,
        // As many as Quectel's modules keep.
        cache_slots: 5,
        cache_overflow: CacheOverflow::DropNewest,
        keeps_configuration: false,
        disconnect_frees: false,
    };

    /// The names of the commands that this firmware has, with their leading sign.
    pub fn commands(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.specs().iter().map(|spec| spec.name)
    }

    /// Whether this firmware has what the request is about.
    fn has(&self, request: &Request<'_>) -> bool {
        self.pdp_context
            || !matches!(
                request,
                Request::Configure {
                    setting: Setting::PdpContext(_),
                    ..
                } | Request::QuerySetting {
                    key: SettingKey::PdpContext,
                    ..
                }
            )
    }
}

/// Its commands and lines one by one, both directions.
impl Lmqtt {
    /// What a request goes through until it is done.
    pub fn exchange(&self, request: &Request<'_>) -> Exchange {
        let (name, is_read) = command::called(request);
        let mut known = table::COMMANDS.iter();
        let spec = known.find(|spec| spec.name == name);
        let (report, seconds) = match spec {
            Some(spec) if !is_read => (spec.report, spec.limit.unwrap_or(QUERY)),
            _ => (None, QUERY),
        };
        Exchange {
            reported: report.is_some(),
            limit: Duration::from_secs(seconds.into()),
        }
    }

    /// Host: how a payload is to be given to the module, so that it arrives as it is.
    ///
    /// # Errors
    /// The payload is longer than the module takes, or holds what its prompt does not carry.
    ///
    /// Inline while it is plain text that fits, else behind the prompt. Quotes would survive
    /// inline on the firmware that was measured; the prompt does not depend on that.
    pub fn publish_payload<'a>(
        &self,
        formats: Formats,
        limits: &Limits,
        payload: Cow<'a, [u8]>,
    ) -> Result<PublishPayload<'a>, EncodeError> {
        let wire_length = formats.send.wire_length(payload.len());
        // The module checks the length that it is told.
        let shown = |length| self.publish_hex_length.shown(formats.send, length);
        let length = shown(payload.len());
        let plain = match formats.send {
            DataFormat::Text => core::str::from_utf8(&payload)
                .is_ok_and(|text| !text.contains(|c: char| c == '"' || c.is_control())),
            DataFormat::HexString | DataFormat::Hex => true,
        };
        if plain && length <= limits.inline_payload {
            Ok(PublishPayload::Inline(payload))
        } else if length <= limits.prompt_payload {
            if formats.send == DataFormat::Text {
                limits.check_prompt_data(&payload)?;
            }
            Ok(PublishPayload::Prompted(wire_length))
        } else {
            // Whoever has too much counts bytes, whatever the module is told.
            Err(EncodeError::TooLong {
                field: "the payload",
                length: payload.len(),
                max: limits.prompt_payload / shown(1),
            })
        }
    }

    /// Host: appends the command line, from `AT` to the carriage return.
    ///
    /// # Errors
    /// The module does not take the request, or the command syntax cannot carry it. Nothing has
    /// been appended then.
    pub fn encode_request(
        &self,
        request: &Request<'_>,
        context: Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let before = out.len();
        command::encode(request, self.publish_hex_length, context, out)
            .inspect_err(|_| out.truncate(before))
    }

    /// Host: what the end of a publish proves of its message.
    pub fn proof(&self, end: PublishEnd) -> Proof {
        publish::proof(end)
    }

    /// Host: reads a line as an information response to `request`; `None` if it is none.
    pub fn decode_information<'a>(
        &self,
        request: &Request<'_>,
        line: &'a [u8],
        formats: &FormatTable,
    ) -> Option<Information<'a>> {
        information::decode(request, line, self.hex_length, formats)
    }

    /// Host: reads a line as a URC; `None` if it is none.
    pub fn decode_urc(&self, line: &[u8], formats: &FormatTable) -> Option<Urc> {
        urc::decode(line, self.hex_length, formats)
    }

    /// Host: how far the line that begins with these bytes reaches.
    pub fn extent(&self, line: &[u8], context: Context<'_>) -> Extent {
        received::extent(line, self.hex_length, context)
    }

    /// Host: the connection that a received message is for, by the beginning of its line, however
    /// the rest is written; `None` if it is no message.
    pub fn addressee(&self, line: &[u8]) -> Option<ConnectionId> {
        received::addressee(line)
    }

    /// Module: reads a command that the dialect owns.
    ///
    /// # Errors
    /// What is wrong with the command.
    pub fn decode_request<'a>(
        &self,
        command: &Command<'a>,
        context: Context<'_>,
    ) -> Result<Request<'a>, DecodeError> {
        let request = command::decode(command, self.publish_hex_length, context)?;
        if !self.has(&request) {
            return Err(ParameterError::Unknown { name: "key" }.into());
        }
        Ok(request)
    }

    /// Module: appends a URC, without line ends.
    pub fn encode_urc(&self, urc: &Urc, formats: &FormatTable, out: &mut Vec<u8>) {
        urc::encode(urc, false, self, formats, out);
    }
}

impl Dialect for Lmqtt {
    fn name(&self) -> &'static str {
        "LMQTT"
    }

    fn models(&self) -> &'static [Model] {
        &models::ALL
    }

    fn recognised_by(&self) -> &'static str {
        "AT+LMQTTCFG=?"
    }

    fn reports(&self) -> &'static [&'static str] {
        &urc::BEGINNINGS
    }

    fn report<'l>(&self, line: &'l [u8]) -> Option<Recognised<'l>> {
        urc::report(line, self.hex_length)
    }

    fn switches(&self) -> &'static [Switch] {
        &switches::ALL
    }

    fn with(&self, switches: &[(&str, Value<'_>)]) -> Arc<dyn Dialect> {
        let mut dialect = self.clone();
        for (name, value) in switches {
            switches::set(&mut dialect, name, *value);
        }
        Arc::new(dialect)
    }

    fn specs(&self) -> &'static [Spec] {
        match self.tls_commands {
            true => table::COMMANDS,
            false => {
                table::COMMANDS
                    .split_at(table::COMMANDS.len() - table::TLS)
                    .0
            }
        }
    }

    fn has_key(&self, key: &Key) -> bool {
        self.pdp_context || key.name != config::name(SettingKey::PdpContext)
    }

    fn has_urc(&self, name: &str) -> bool {
        match name {
            urc::UNSUNSUB => self.unsubscribe_urc == UnsubscribeUrc::UnsUnsub,
            command::PUBEX => self.publish_extended_urc == PublishExtendedUrc::PubEx,
            _ => true,
        }
    }

    fn codes(&self) -> &'static [&'static Codes] {
        codes::ALL
    }

    fn host(&self, limits: &Limits) -> Box<dyn Host> {
        Box::new(host::LmqttHost::new(self.clone(), limits.clone()))
    }

    fn module(&self, limits: &Limits) -> Box<dyn Module> {
        Box::new(module::LmqttModule::new(self.clone(), limits.clone()))
    }

    fn power(&self, line: &[u8]) -> Option<Power> {
        power::decode(line)
    }

    fn keeps_settings(&self) -> bool {
        self.keeps_configuration
    }

    fn farewell(&self) -> &'static str {
        power::DOWN
    }
}
