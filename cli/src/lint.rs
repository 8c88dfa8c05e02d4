use std::collections::BTreeMap;

use atmq_emulator::lint::{Finding, Severity};
use serde_json::json;

use crate::capture::Recorder;
use crate::duration::milliseconds;
use crate::emulate::Announcer;
use crate::failure::{Failure, FailureKind};
use crate::messages::tell;
use crate::output::count;
use crate::visible::json as to_line;
use crate::visible::visible;

/// Tells what a host does and should not, as it happens and in sum.
pub(crate) struct LintReport {
    /// For lines of JSON, instead of text on stderr.
    announcer: Announcer,
    recorder: Option<Recorder>,
    counts: BTreeMap<&'static str, (Severity, u64)>,
    /// Findings for which there was no room, because nobody has read for long.
    unprinted: u64,
    /// It has been told that findings cannot be printed.
    told: bool,
}

impl LintReport {
    /// Findings are recorded too, if there is a recorder.
    pub(crate) fn new(announcer: Announcer, recorder: Option<Recorder>) -> Self {
        Self {
            announcer,
            recorder,
            counts: BTreeMap::new(),
            unprinted: 0,
            told: false,
        }
    }

    /// Tells of a finding, unless the same has been told before.
    pub(crate) fn found(&mut self, finding: &Finding) {
        let rule = finding.rule;
        let severity = finding.severity;
        self.counts.entry(rule.id()).or_insert((severity, 0)).1 += 1;
        if finding.repeated {
            return;
        }
        if let Some(recorder) = &self.recorder {
            recorder.record_world(&format!("finding: {}", text(finding)));
        }
        if self.announcer.json() {
            let line = json!({
                "event": "finding",
                "rule": rule.id(),
                "severity": severity.to_string(),
                "sentence": rule.sentence(),
                "detail": finding.detail,
                "bytes": visible(&finding.bytes),
                "connection": finding.connection.map(|id| id.0),
                "ms": milliseconds(finding.at),
                "reference": rule.reference(),
            });
            match self.announcer.announce_later(&to_line(&line)) {
                Ok(has_room) => self.unprinted += u64::from(!has_room),
                // The module goes on; it may have a state that is worth more.
                Err(failure) => self.cannot_print(&failure),
            }
        } else {
            let at = finding.at.as_secs_f64();
            tell(&format!("lint: {at:.3} s: {}", text(finding)));
        }
    }

    fn cannot_print(&mut self, failure: &Failure) {
        if failure.kind() != FailureKind::NobodyReads && !self.told {
            tell(&format!("atmq: {failure}; the module runs on"));
        }
        self.told = true;
    }

    /// Tells how much was found of which rule.
    pub(crate) fn sum_up(&self) -> Result<(), Failure> {
        if self.unprinted > 0 {
            tell(&format!(
                "atmq: {} of findings were not printed: standard output took nothing",
                count(self.unprinted, "line")
            ));
        }
        if self.announcer.json() {
            let rules: BTreeMap<_, _> = self
                .counts
                .iter()
                .map(|(id, (_, count))| (id, count))
                .collect();
            let line = json!({
                "event": "lint",
                "errors": self.count(Severity::Error),
                "warnings": self.count(Severity::Warning),
                "notes": self.count(Severity::Note),
                "rules": rules,
            });
            return self.announcer.announce(&to_line(&line));
        }
        tell(&format!("lint: {}", self.total()));
        for (id, (severity, count)) in &self.counts {
            tell(&format!("lint: {count} × {severity} {id}"));
        }
        Ok(())
    }

    /// Fails if there was an error or a warning.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        if self.count(Severity::Error) + self.count(Severity::Warning) == 0 {
            return Ok(());
        }
        let failure = Failure::new(
            FailureKind::Refused,
            format!("the host breaks rules: {}", self.total()),
        );
        Err(failure.hint("`atmq explain RULE` explains each"))
    }

    fn total(&self) -> String {
        [Severity::Error, Severity::Warning, Severity::Note]
            .map(|severity| count(self.count(severity), severity))
            .join(", ")
    }

    fn count(&self, severity: Severity) -> u64 {
        self.counts
            .values()
            .filter(|(found, _)| *found == severity)
            .map(|(_, count)| count)
            .sum()
    }
}

/// The finding on one line, without its time.
fn text(finding: &Finding) -> String {
    let rule = finding.rule;
    let mut line = format!("{}[{}]: {}", finding.severity, rule.id(), rule.sentence());
    if !finding.detail.is_empty() {
        line.push_str(": ");
        line.push_str(&finding.detail);
    }
    if !finding.bytes.is_empty() {
        line.push_str(": ");
        line.push_str(&visible(&finding.bytes));
    }
    line.push_str(" (");
    line.push_str(rule.reference());
    line.push(')');
    line
}
