use atmq_driver::Error;
use serde_json::{Value, json};

use crate::broker::exchange_failure;
use crate::failure::Failure;

/// What was looked at, and how it is.
#[derive(Debug)]
pub(super) struct Check {
    name: &'static str,
    pub(super) verdict: Verdict,
    detail: String,
    hint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Failed => "fail",
            Self::Skipped => "skip",
        }
    }
}

impl Check {
    pub(super) fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, detail)
    }

    pub(super) fn warning(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Warning, detail)
    }

    pub(super) fn failed(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Failed, detail)
    }

    pub(super) fn skipped(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(name, Verdict::Skipped, detail)
    }

    /// A question that the module did not answer.
    pub(super) fn of_error(name: &'static str, error: &Error) -> Self {
        Self::of_failure(name, &exchange_failure(error))
    }

    pub(super) fn of_failure(name: &'static str, failure: &Failure) -> Self {
        let hint = failure.advice().unwrap_or_default();
        Self::failed(name, failure.what()).hint(hint)
    }

    fn new(name: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            detail: detail.into(),
            hint: String::new(),
        }
    }

    /// Says what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(super) fn to_json(&self) -> Value {
        let hint = Some(&self.hint).filter(|hint| !hint.is_empty());
        json!({
            "event": "check",
            "check": self.name,
            "verdict": self.verdict.word(),
            "detail": self.detail,
            "hint": hint,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let Self {
            name,
            verdict,
            detail,
            hint,
        } = self;
        let verdict = verdict.word();
        match hint.is_empty() {
            true => format!("{verdict:4}  {name:12}  {detail}"),
            false => format!("{verdict:4}  {name:12}  {detail}; {hint}"),
        }
    }
}
