use std::time::Instant;

use atmq_protocol::at::result_code::FinalResult;
use atmq_protocol::redact::redacted;
use serde_json::{Map, Value};

use crate::duration::milliseconds;
use crate::explain::explain_line;
use crate::failure::Failure;
use crate::grammar::body;
use crate::output::print_line;
use crate::visible::json as to_line;

/// Prints what is sent and received: lines as they are, or as JSON.
pub(super) struct Printer {
    json: bool,
    explain: bool,
    begun: Instant,
    /// The command that lines may answer.
    asked: Option<Vec<u8>>,
}

impl Printer {
    pub(super) fn new(json: bool, explain: bool) -> Self {
        Self {
            json,
            explain,
            begun: Instant::now(),
            asked: None,
        }
    }

    /// A command goes out.
    pub(super) fn sent(&mut self, command: &str) -> Result<(), Failure> {
        self.asked = Some(command.as_bytes().to_vec());
        // As text, only what the module sends is printed.
        match self.json {
            true => self.print_json("sent", "command", command.as_bytes()),
            false => Ok(()),
        }
    }

    /// Data goes out behind a prompt.
    pub(super) fn sent_data(&mut self, data: &[u8]) -> Result<(), Failure> {
        match self.json {
            true => self.print_json("sent", "data", data),
            false => Ok(()),
        }
    }

    /// The module asks for data.
    pub(super) fn prompted(&mut self) -> Result<(), Failure> {
        match self.json {
            true => self.print_json("received", "prompt", b">"),
            false => Ok(()),
        }
    }

    /// A line has come.
    pub(super) fn received(&mut self, line: &[u8]) -> Result<(), Failure> {
        if self.json {
            self.print_json("received", "line", line)?;
        } else {
            print_line(line)?;
            if self.explain
                && let Some(meaning) = explain_line(line, self.asked.as_deref())
            {
                print_line(format!("    {}", meaning.sentences.join(" ")))?;
            }
        }
        if FinalResult::decode(line).is_some() {
            self.asked = None;
        }
        Ok(())
    }

    fn print_json(&self, direction: &str, kind: &str, bytes: &[u8]) -> Result<(), Failure> {
        let mut line = Map::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("ms", milliseconds(self.begun.elapsed()).into());
        put("direction", direction.into());
        put("kind", kind.into());
        // An answer can hold a device secret, a file be a private key, and JSON ends up in logs.
        let bytes = &redacted(bytes)[..];
        match std::str::from_utf8(bytes) {
            Ok(text) => put("text", text.into()),
            Err(_) => {
                let mut digits = Vec::new();
                atmq_protocol::at::parameter::encode_hex(bytes, &mut digits);
                put("hex", String::from_utf8_lossy(&digits).into())
            }
        };
        if self.explain && kind != "data" {
            // A command answers nothing.
            let asked = self.asked.as_deref().filter(|_| body(bytes).is_none());
            if let Some(meaning) = explain_line(bytes, asked) {
                put("meaning", meaning.sentences.join(" ").into());
            }
        }
        print_line(to_line(&Value::Object(line)))
    }
}
