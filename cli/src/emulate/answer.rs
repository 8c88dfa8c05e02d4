use serde_json::{Value, json};

use crate::visible::json as to_line;

/// How an answer begins, behind `error`, if something has not come to be in time.
pub(crate) const TIMED_OUT: &str = "timed out";

/// What comes of a line of words.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// Done: in words, and as facts.
    Done(String, Value),
    /// Not done, and why.
    Refused(String),
    /// What was waited for has not come to be: after which time, and how things stand instead.
    TimedOut(String),
}

impl Answer {
    pub(super) fn done(text: impl Into<String>) -> Self {
        let text = text.into();
        let facts = json!({ "did": text });
        Self::Done(text, facts)
    }

    /// On one line: `ok …` or `error …`, or as JSON.
    pub(super) fn line(&self, json: bool) -> String {
        match (self, json) {
            (Self::Done(text, _), false) if text.is_empty() => "ok".to_owned(),
            (Self::Done(text, _), false) => format!("ok {text}"),
            (Self::Refused(why), false) => format!("error {why}"),
            (Self::Done(_, facts), true) => {
                let mut line = facts.clone();
                line["event"] = "answer".into();
                line["ok"] = true.into();
                to_line(&line)
            }
            (Self::TimedOut(why), false) => format!("error {TIMED_OUT} {why}"),
            (Self::Refused(why), true) => {
                to_line(&json!({ "event": "answer", "ok": false, "error": why }))
            }
            (Self::TimedOut(why), true) => to_line(&json!({
                "event": "answer",
                "ok": false,
                "error": format!("{TIMED_OUT} {why}"),
                "timed_out": true,
            })),
        }
    }
}
