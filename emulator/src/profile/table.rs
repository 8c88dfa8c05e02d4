//! What stands in the TOML file of a profile, table by table, and which value of a [`Profile`] each
//! key becomes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atmq_protocol::at::framing::DataEnd;
use atmq_protocol::dialect::Dialect;
use atmq_protocol::limits::Limits;
use atmq_protocol::mqtt::SignMethod;
use serde::Deserialize;

use super::latency::of_commands;
use super::value::{
    CommandName, Milliseconds, PromptEndName, SignMethodName, VendorSetName, between,
};
use super::{Evidence, Identity, Latency, Profile, Start};
use crate::quirks::{Quirks, ResultOrder};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct File {
    name: String,
    banner: String,
    #[serde(default = "VendorSetName::all")]
    vendor_sets: Vec<VendorSetName>,
    identity: Identity,
    limits: LimitsTable,
    latency: LatencyTable,
    quirks: QuirksTable,
    start: Start,
    evidence: BTreeMap<String, Evidence>,
}

/// The bounds are those of the emulator: its buffers for input hold 16 KiB of payload, even in
/// hexadecimal digits, its table of formats holds six connections, a host name has at most 255
/// bytes and an MQTT string 65535.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LimitsTable {
    #[serde(deserialize_with = "between::<1, 6, _, _>")]
    connections: u8,
    #[serde(deserialize_with = "between::<64, 16384, _, _>")]
    command_line: usize,
    #[serde(deserialize_with = "between::<1, 255, _, _>")]
    host: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    client_id: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    username: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    password: usize,
    #[serde(deserialize_with = "between::<1, 65535, _, _>")]
    topic: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    will_payload: usize,
    #[serde(deserialize_with = "between::<0, 16384, _, _>")]
    inline_payload: usize,
    #[serde(deserialize_with = "between::<0, 16384, _, _>")]
    prompt_payload: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    received_payload: usize,
    #[serde(deserialize_with = "between::<0, 65535, _, _>")]
    keep_alive_s: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LatencyTable {
    query_ms: Milliseconds,
    command_ms: Milliseconds,
    result_ms: Milliseconds,
    commands_ms: BTreeMap<CommandName, Milliseconds>,
    boot_ms: Milliseconds,
    registration_ms: Milliseconds,
    radio_ms: Milliseconds,
    attach_ms: Milliseconds,
    scan_ms: Milliseconds,
    wake_ms: Milliseconds,
    paced: bool,
}

/// Without the switches of the dialect.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct QuirksTable {
    #[serde(deserialize_with = "between::<1, 3600, _, _>")]
    data_timeout_s: u64,
    plain_errors: bool,
    reconnects: bool,
    #[serde(with = "PromptEndName")]
    prompt_end: DataEnd,
    result_order: ResultOrder,
    #[serde(with = "SignMethodName")]
    sign_method: SignMethod,
    keeps_sessions: bool,
    #[serde(deserialize_with = "between::<0, 86400, _, _>")]
    sleep_after_s: u64,
    waking_loses_bytes: bool,
    sim_urc: bool,
    autobaud: bool,
    takes_control_topics: bool,
    qos_0_message_ids: bool,
}

impl File {
    /// The profile of a module that speaks this dialect.
    pub(super) fn profile(self, dialect: Arc<dyn Dialect>) -> Profile {
        let file = self;
        let quirks = file.quirks;
        Profile {
            name: file.name,
            identity: file.identity,
            limits: Limits {
                prompt_end: quirks.prompt_end,
                prompt_timeout: Duration::from_secs(quirks.data_timeout_s),
                ..file.limits.into()
            },
            dialect,
            vendor_sets: file.vendor_sets.iter().map(|name| name.0).collect(),
            latency: Latency {
                query: file.latency.query_ms.into(),
                command: file.latency.command_ms.into(),
                result: file.latency.result_ms.into(),
                commands: of_commands(file.latency.commands_ms),
                boot: file.latency.boot_ms.into(),
                registration: file.latency.registration_ms.into(),
                radio: file.latency.radio_ms.into(),
                attach: file.latency.attach_ms.into(),
                scan: file.latency.scan_ms.into(),
                wake: file.latency.wake_ms.into(),
                paced: file.latency.paced,
            },
            banner: file.banner,
            quirks: Quirks {
                plain_errors: quirks.plain_errors,
                reconnects: quirks.reconnects,
                result_order: quirks.result_order,
                sign_method: quirks.sign_method,
                keeps_sessions: quirks.keeps_sessions,
                sleep_after: Some(quirks.sleep_after_s)
                    .filter(|seconds| *seconds > 0)
                    .map(Duration::from_secs),
                waking_loses_bytes: quirks.waking_loses_bytes,
                sim_urc: quirks.sim_urc,
                autobaud: quirks.autobaud,
                takes_control_topics: quirks.takes_control_topics,
                qos_0_message_ids: quirks.qos_0_message_ids,
            },
            start: file.start,
            evidence: file.evidence,
        }
    }
}

impl From<LimitsTable> for Limits {
    fn from(limits: LimitsTable) -> Self {
        Self {
            connections: limits.connections,
            command_line: limits.command_line,
            host: limits.host,
            client_id: limits.client_id,
            username: limits.username,
            password: limits.password,
            topic: limits.topic,
            will_payload: limits.will_payload,
            inline_payload: limits.inline_payload,
            prompt_payload: limits.prompt_payload,
            received_payload: limits.received_payload,
            keep_alive: limits.keep_alive_s,
            // These stand among the quirks of a file.
            prompt_end: DataEnd::Length,
            prompt_timeout: Duration::ZERO,
        }
    }
}
