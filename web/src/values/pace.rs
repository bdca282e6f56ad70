//! How fast something arrives, and how long the rest will take.

use std::collections::VecDeque;

/// Seconds that the rate is taken over.
const WINDOW: f64 = 8.0;
/// Seconds before a rate says anything.
const SHORTEST: f64 = 0.5;

/// What had arrived at which second, over the last few.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pace {
    seen: VecDeque<(f64, u64)>,
}

impl Pace {
    /// Adds what has arrived by now.
    pub(crate) fn add(&mut self, seconds: f64, done: u64) {
        let goes_on = self.seen.back().is_none_or(|(last, had)| *last <= seconds && *had <= done);
        if !goes_on {
            // Something else is counted now.
            self.seen.clear();
        }
        self.seen.push_back((seconds, done));
        // One that is older than the window stays, so that the window is always spanned.
        while self.seen.get(1).is_some_and(|(second, _)| seconds - second >= WINDOW) {
            self.seen.pop_front();
        }
    }

    /// Bytes per second; `None` before it can be known, or if nothing comes.
    pub(crate) fn rate(&self) -> Option<f64> {
        let ((first, had), (last, has)) = (self.seen.front()?, self.seen.back()?);
        let (seconds, came) = (last - first, has - had);
        (seconds >= SHORTEST && came > 0).then(|| came as f64 / seconds)
    }

    /// Seconds until all has arrived.
    pub(crate) fn left(&self, total: u64) -> Option<f64> {
        let (_, has) = self.seen.back()?;
        Some(total.saturating_sub(*has) as f64 / self.rate()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_is_not_speed() {
        let mut pace = Pace::default();
        pace.add(0.1, 300_000_000);
        assert_eq!((pace.rate(), pace.left(500_000_000)), (None, None));
        pace.add(2.1, 320_000_000);
        assert_eq!(pace.rate(), Some(10_000_000.0));
        assert_eq!(pace.left(500_000_000), Some(18.0));
    }

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut pace = Pace::default();
        for second in 0..20 {
            pace.add(f64::from(second), second as u64 * 100);
        }
        for second in 20..29 {
            pace.add(f64::from(second), 1_900 + (second as u64 - 19) * 10);
        }
        assert_eq!(pace.rate(), Some(10.0));
        assert_eq!(pace.left(100), Some(0.0), "more than all is no time");
    }

    #[test]
    fn counting_from_the_start_is_another_count() {
        let mut pace = Pace::default();
        pace.add(0.0, 0);
        pace.add(1.0, 1000);
        pace.add(1.1, 50);
        assert_eq!(pace.rate(), None);
        pace.add(2.1, 50);
        assert_eq!(pace.rate(), None, "a standstill has no end");
    }
}
