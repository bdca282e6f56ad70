//! Whether a model gives the numbers that were published of it.

use serde::{Deserialize, Serialize};

/// Most that a logit difference may be from a published one, in logits: one unit of the last digit that was published,
/// since two programs round differently.
pub const PUBLISHED_TOLERANCE: f64 = 1e-3;

/// What was compared, in the order in which a difference would spread.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SelfCheck {
    /// The comparisons; none: nothing is known of the model.
    pub items: Vec<CheckedItem>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedItem {
    /// What was compared.
    pub what: String,
    /// The value that is expected, with its unit.
    pub expected: String,
    /// The value that was found.
    pub got: String,
    /// Whether the two agree.
    pub passed: bool,
}

impl SelfCheck {
    /// Adds a comparison of two texts that must be equal.
    pub fn same(&mut self, what: &str, expected: &str, got: &str) {
        let passed = expected == got;
        let [expected, got] = [expected, got].map(str::to_owned);
        self.items.push(CheckedItem { what: what.to_owned(), expected, got, passed });
    }

    /// Adds a comparison of a published logit difference, in logits, with a computed one.
    pub fn logits(&mut self, what: &str, expected: f64, got: f64) {
        // A hair more than the tolerance, which is no binary fraction.
        let passed = (expected - got).abs() <= PUBLISHED_TOLERANCE * 1.001;
        let (expected, got) = (format!("{expected:+.3} logits"), format!("{got:+.4} logits"));
        self.items.push(CheckedItem { what: what.to_owned(), expected, got, passed });
    }

    /// All comparisons in one line; expected and got are cut where they have more than `longest` characters.
    pub fn headline(&self, longest: usize) -> String {
        let passed = self.items.iter().filter(|item| item.passed).count();
        let of = self.items.len();
        match self.first_difference() {
            None => format!("Self-check passed: {passed} of {of}"),
            Some(CheckedItem { what, expected, got, .. }) => {
                let [expected, got] = [expected, got].map(|text| cut(text, longest));
                format!(
                    "Self-check: {passed} of {of} agree. First difference: {what}, expected {expected}, got {got}"
                )
            }
        }
    }

    /// The first difference; `None`: all agree.
    pub fn first_difference(&self) -> Option<&CheckedItem> {
        self.items.iter().find(|item| !item.passed)
    }
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(longest).collect();
    format!("{}…", beginning.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let mut check = SelfCheck::default();
        check.same("weights", "ab", "ab");
        check.logits("clean run", 4.276, 4.2768);
        assert_eq!(check.first_difference(), None);
        check.logits("corrupted run", -2.738, -2.736);
        check.same("tokens", "1", "2");
        let first = check.first_difference().unwrap();
        assert_eq!((first.what.as_str(), first.got.as_str()), ("corrupted run", "-2.7360 logits"));
        check.logits("broken", 1.0, f64::NAN);
        assert!(!check.items.last().unwrap().passed);
    }

    #[test]
    fn only_long_texts_are_cut() {
        let short = |text: &str| cut(text, 24);
        assert_eq!(short("+4.276 logits"), "+4.276 logits");
        assert_eq!(short(&"é".repeat(24)), "é".repeat(24));
        assert_eq!(short(&"é".repeat(25)), format!("{}…", "é".repeat(24)));
        assert_eq!(short("50256, 3260, 1757, 290, 5335"), "50256, 3260, 1757, 290,…");
    }
}
