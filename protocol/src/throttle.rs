//! How often a line of one kind is logged where bytes from outside cause it: whoever sends them must
//! not fill a disk.

use core::ops::Add;
use core::time::Duration;

/// Lets one line through at a time, and counts those that are held back.
///
/// `I` is a moment on whatever clock its owner is driven by, such as `std::time::Instant`.
#[derive(Debug, Clone)]
pub struct Throttle<I> {
    /// Nothing is let through before.
    until: Option<I>,
    held_back: u64,
}

/// The least time between two lines of one kind. Ours.
const INTERVAL: Duration = Duration::from_secs(10);

impl<I> Throttle<I> {
    /// Lets the first line through.
    pub const fn new() -> Self {
        Self {
            until: None,
            held_back: 0,
        }
    }

    /// Whether a line is to be logged now: then with how many were held back since the one before.
    pub fn pass(&mut self, now: I) -> Option<u64>
    where
        I: Copy + PartialOrd + Add<Duration, Output = I>,
    {
        if self.until.is_some_and(|until| now < until) {
            self.held_back += 1;
            return None;
        }
        self.until = Some(now + INTERVAL);
        Some(core::mem::take(&mut self.held_back))
    }
}

impl<I> Default for Throttle<I> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_each_interval_and_a_number() {
        let mut throttle = Throttle::new();
        assert_eq!(throttle.pass(Duration::ZERO), Some(0));
        for millisecond in 1..10_000 {
            let passed = throttle.pass(Duration::from_millis(millisecond));
            assert_eq!(passed, None, "{millisecond} ms");
        }
        assert_eq!(throttle.pass(INTERVAL), Some(9_999));
        assert_eq!(throttle.pass(INTERVAL * 3), Some(0));
    }
}
