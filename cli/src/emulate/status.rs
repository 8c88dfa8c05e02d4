use std::fmt;

use atmq_emulator::modem::{ConnectionStatus, MessageCounts, Modem};
use atmq_protocol::mqtt::ConnectionState;
use atmq_protocol::standard::Registration;
use serde_json::{Value, json};

use super::desk::findings;
use crate::output::count;

/// How things stand with a module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Status {
    on: bool,
    asleep: bool,
    sim: String,
    registration: Registration,
    rssi: u8,
    connections: Vec<ConnectionStatus>,
    messages: MessageCounts,
    /// Errors, warnings, notes.
    findings: [u64; 3],
    /// Faults that wait for their moment.
    faults: usize,
    pub(super) muted: bool,
    /// In percent.
    pub(super) loss: u8,
    pub(super) host: Option<String>,
    /// Bytes.
    pub(super) from_host: u64,
    /// Bytes.
    pub(super) to_host: u64,
}

impl Status {
    /// As far as the module knows.
    pub(super) fn of(modem: &Modem) -> Self {
        let sim = modem.world().sim();
        Self {
            on: modem.is_on(),
            asleep: modem.is_asleep(),
            sim: sim.map_or_else(|| "absent".to_owned(), |sim| sim.status().to_string()),
            registration: modem.own_registration(),
            rssi: modem.world().signal().rssi,
            connections: modem.connections(),
            messages: modem.messages(),
            findings: findings(modem),
            faults: modem.faults().count(),
            muted: false,
            loss: 0,
            host: None,
            from_host: 0,
            to_host: 0,
        }
    }

    /// As facts.
    pub(super) fn json(&self) -> Value {
        let connections = self.connections.iter().map(|connection| {
            json!({
                "id": connection.id.0,
                "state": state_name(connection.state),
                "host": connection.host,
                "port": connection.port,
                "client_id": connection.client_id,
            })
        });
        let [errors, warnings, notes] = self.findings;
        json!({
            "power": self.on,
            "asleep": self.asleep,
            "sim": self.sim,
            "registration": registration_name(self.registration),
            "rssi": self.rssi,
            "connections": connections.collect::<Vec<_>>(),
            "published": self.messages.published,
            "received": self.messages.received,
            "findings": { "errors": errors, "warnings": warnings, "notes": notes },
            "faults": self.faults,
            "muted": self.muted,
            "loss": self.loss,
            "host": self.host,
            "bytes_from_host": self.from_host,
            "bytes_to_host": self.to_host,
        })
    }

    /// For a line of the terminal.
    pub(super) fn brief(&self) -> String {
        let mut parts = Vec::new();
        if let Some(host) = &self.host {
            parts.push(format!("host {host}"));
        }
        if self.on {
            parts.push(registration_name(self.registration).to_owned());
        } else {
            parts.push("off".to_owned());
        }
        for (is_so, word) in [
            (self.asleep, "asleep"),
            (self.muted, "muted"),
            (self.sim != "READY", "sim not ready"),
        ] {
            if is_so {
                parts.push(word.to_owned());
            }
        }
        if self.loss > 0 {
            parts.push(format!("loses {} %", self.loss));
        }
        for connection in &self.connections {
            let (id, state) = (connection.id.0, state_name(connection.state));
            parts.push(format!("mqtt {id} {state}"));
        }
        let MessageCounts {
            published,
            received,
        } = self.messages;
        parts.push(format!("{published} published, {received} received"));
        parts.push(format!("{} B in, {} B out", self.from_host, self.to_host));
        let [errors, warnings, _] = self.findings;
        if errors + warnings > 0 {
            let (errors, warnings) = (count(errors, "error"), count(warnings, "warning"));
            parts.push(format!("lint {errors}, {warnings}"));
        }
        if self.faults > 0 {
            parts.push(format!("{} waiting", count(self.faults, "fault")));
        }
        parts.join(" · ")
    }
}

impl fmt::Display for Status {
    /// `key=value`, of which none has a blank in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |is_so| if is_so { "yes" } else { "no" };
        write!(
            f,
            "power={} asleep={} sim={} registration={} rssi={} connections=",
            if self.on { "on" } else { "off" },
            yes(self.asleep),
            self.sim.replace(' ', "-").to_lowercase(),
            registration_name(self.registration),
            self.rssi
        )?;
        if self.connections.is_empty() {
            f.write_str("none")?;
        }
        for (index, connection) in self.connections.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(
                f,
                "{comma}{}:{}",
                connection.id.0,
                state_name(connection.state)
            )?;
        }
        let [errors, warnings, notes] = self.findings;
        write!(
            f,
            " published={} received={} errors={errors} warnings={warnings} notes={notes} \
             faults={} muted={} loss={} from_host={} to_host={} host={}",
            self.messages.published,
            self.messages.received,
            self.faults,
            yes(self.muted),
            self.loss,
            self.from_host,
            self.to_host,
            self.host.as_deref().unwrap_or("unknown"),
        )
    }
}

pub(super) fn registration_name(registration: Registration) -> &'static str {
    match registration {
        Registration::NotRegistered => "none",
        Registration::Home => "home",
        Registration::Searching => "searching",
        Registration::Denied => "denied",
        Registration::Roaming => "roaming",
        _ => "unknown",
    }
}

pub(super) fn state_name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Initial => "open",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Disconnecting => "disconnected",
    }
}
