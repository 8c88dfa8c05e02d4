use std::fmt::Write as _;

use serde_json::{Value, json};

use super::announce::Announcer;
use crate::failure::Failure;
use crate::visible::json as to_line;

/// The line that says where the module is to be found.
#[derive(Default)]
pub(crate) struct Ready(Vec<(&'static str, String)>);

impl Ready {
    /// In the order in which the line shows them.
    const KEYS: [&str; 8] = [
        "pty", "link", "tcp", "connect", "port", "stdio", "control", "broker",
    ];

    pub(crate) fn add(&mut self, key: &'static str, value: impl Into<String>) {
        self.0.push((key, value.into()));
    }

    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        let mut values = self.0.iter();
        values.find_map(|(known, value)| (*known == key).then_some(&**value))
    }

    /// What a host opens, if there is something.
    pub(crate) fn port(&self) -> Option<String> {
        let device = self.value("link").or_else(|| self.value("pty"));
        let tcp = || Some(format!("tcp://{}", self.value("tcp")?));
        device.map(str::to_owned).or_else(tcp)
    }

    pub(crate) fn print(mut self, announcer: Announcer) -> Result<(), Failure> {
        self.0
            .sort_by_key(|(key, _)| Self::KEYS.iter().position(|known| known == key));
        if announcer.json() {
            let mut object = json!({ "event": "ready" });
            for (key, value) in self.0 {
                object[key] = Value::String(value);
            }
            return announcer.announce(&to_line(&object));
        }
        let mut line = String::from("ready");
        for (key, value) in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(line, " {key}={value}");
        }
        announcer.announce(&line)
    }
}
