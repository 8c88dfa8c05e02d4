use std::time::Duration;

use atmq_protocol::redact::{HIDDEN, redacted};

use crate::capture::Mask;
use crate::failure::{Failure, FailureKind};
use crate::output::print_line;
use crate::visible::visible;

/// Compares what was recorded with what comes, and keeps count.
pub(super) struct Comparison {
    masks: Vec<Mask>,
    who: &'static str,
    alike: usize,
    different: usize,
}

impl Comparison {
    /// `who` is compared: `host` or `module`.
    pub(super) fn new(masks: Vec<Mask>, who: &'static str) -> Self {
        Self {
            masks,
            who,
            alike: 0,
            different: 0,
        }
    }

    /// Whether both are the same, but for masks and secrets.
    pub(super) fn alike(&self, expected: &[u8], got: &[u8]) -> bool {
        let [expected, got] = [expected, got].map(|bytes| Mask::all(&self.masks, bytes));
        expected == got || matches_hidden(&expected, &got)
    }

    pub(super) fn found_alike(&mut self) {
        self.alike += 1;
    }

    /// Tells of a difference, with the place where it begins.
    pub(super) fn found(
        &mut self,
        at: Duration,
        expected: &[u8],
        got: &[u8],
    ) -> Result<(), Failure> {
        self.line(at, "-", expected)?;
        self.different += 1;
        let got = redacted(got);
        print_line(format!("{:19} + {}", "", visible(&got)))?;
        let [expected, got] = [expected, &got].map(|bytes| Mask::all(&self.masks, bytes));
        let same = expected
            .iter()
            .zip(got.iter())
            .take_while(|(a, b)| a == b)
            .count();
        let byte = |bytes: &[u8]| match bytes.get(same) {
            Some(byte) => format!("{byte:02x}"),
            None => "the end".into(),
        };
        let (wanted, came) = (byte(&expected), byte(&got));
        let before = visible(&got[..same]).chars().count();
        print_line(format!(
            "{:22}{:before$}^ byte {same}: {came} instead of {wanted}",
            "", ""
        ))
    }

    /// Tells of something that was recorded and did not come.
    pub(super) fn missing(&mut self, at: Duration, expected: &[u8]) -> Result<(), Failure> {
        self.different += 1;
        self.line(at, "-", expected)
    }

    /// Tells of something that came and was not recorded.
    pub(super) fn extra(&mut self, at: Duration, got: &[u8]) -> Result<(), Failure> {
        self.different += 1;
        self.line(at, "+", got)
    }

    fn line(&self, at: Duration, mark: &str, bytes: &[u8]) -> Result<(), Failure> {
        let (at, who) = (at.as_secs_f64(), self.who);
        print_line(format!("{at:10.3}  {who:6}  {mark} {}", visible(bytes)))
    }

    /// Sums up.
    ///
    /// # Errors
    /// There are differences.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let (alike, different, who) = (self.alike, self.different, self.who);
        if different == 0 {
            return print_line(format!("the {who} said the same: {alike} lines"));
        }
        let differ = if different == 1 {
            "1 difference"
        } else {
            &format!("{different} differences")
        };
        let what = format!("{differ} to the capture in what the {who} said, {alike} lines alike");
        Err(Failure::new(FailureKind::Refused, what).hint("--mask leaves out what may differ"))
    }
}

/// Whether the lines are the same where nothing is hidden: a secret reaches to the end of its
/// line, but for a quote.
fn matches_hidden(expected: &[u8], got: &[u8]) -> bool {
    let hidden = expected
        .windows(HIDDEN.len())
        .position(|window| window == HIDDEN);
    let Some(hidden) = hidden else {
        return false;
    };
    let end = expected[hidden..]
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'));
    let end = end.map_or(expected.len(), |end| hidden + end);
    got.starts_with(&expected[..hidden]) && got[hidden..].ends_with(&expected[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_for_any() {
        let comparison = Comparison::new(vec!["[0-9]+".parse().unwrap()], "host");
        for (expected, got, alike) in [
            (&b"AT+CPIN=\"***\"\r"[..], &b"AT+CPIN=\"abcd\"\r"[..], true),
            (b"AT+CPIN=\"***\"\r", b"AT+CPIN=abcd\r", false),
            (b"AT+X=1", b"AT+X=234", true),
            (b"AT+X=1", b"AT+Y=1", false),
            (b"OK", b"OK\r", false),
        ] {
            assert_eq!(
                comparison.alike(expected, got),
                alike,
                "{}",
                got.escape_ascii()
            );
        }
    }
}
