use std::time::Duration;

use atmq_protocol::mqtt::SignMethod;
use serde::Deserialize;

/// What firmwares do differently, or nobody knows: one field for each of the reference's
/// "Decisions" (`README.md`) that is about behaviour. What is a command set's own is a
/// [switch](atmq_protocol::dialect::Switch) of the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quirks {
    /// Every refusal is a plain `ERROR`, whatever `AT+CMEE` says.
    pub plain_errors: bool,
    /// The module opens a lost link again by itself and connects with the same CONNECT, as ECMT
    /// does. It goes on trying, with pauses from a second to a minute, until it succeeds or the
    /// host closes the connection.
    pub reconnects: bool,
    /// When `OK` comes, and when the result URC.
    pub result_order: ResultOrder,
    /// How the credentials of an Alibaba Cloud device are signed unless the host says otherwise.
    pub sign_method: SignMethod,
    /// Persistent MQTT sessions are still there after a reboot.
    pub keeps_sessions: bool,
    /// How long the module has nothing to do before it falls asleep, if it does so by itself. With
    /// `raimode` on an open connection it is a second at most.
    pub sleep_after: Option<Duration>,
    /// What the host sends while the module wakes is lost.
    pub waking_loses_bytes: bool,
    /// `+CPIN: <state>` is reported when the SIM is put in, taken out or unlocked.
    pub sim_urc: bool,
    /// The module speaks at the host's rate, whatever it is. Otherwise each hears garbage of the
    /// other where the host's rate is not that of `AT+IPR`; on ports that have a rate.
    pub autobaud: bool,
    /// A message whose topic holds control characters is reported as it is. Otherwise the MQTT
    /// client takes it for a breach of the protocol, and ends the link.
    pub takes_control_topics: bool,
    /// The host library of this module gives every publish a message id other than 0, those with
    /// QoS 0 as well: the linter only notes it. It changes nothing of what the module does.
    pub qos_0_message_ids: bool,
}

/// The order of the final result code and the result URC of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultOrder {
    /// `OK` at once, the URC when the outcome is known.
    OkFirst,
    /// Nothing until the outcome is known, then `OK` and the URC in one burst.
    OneBurst,
    /// Nothing until the outcome is known, then the URC and `OK` behind it.
    UrcFirst,
}
