//! What runs and may not be what was meant, on the standard error.

use std::mem::discriminant;

use twinbeam_core::prompts::Hint;
use twinbeam_core::wire::devices::CheckReport;
use twinbeam_core::wire::inspection::TokenizerNote;
use twinbeam_engine::Model;

/// What was found in the cases, each kind once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// A hint, the case that it was first true of, and of how many it is.
    found: Vec<(Hint, String, usize)>,
    /// How well a GPU agrees with the CPU, over all cases.
    checked: Option<CheckReport>,
}

impl Notes {
    /// Says what the model's files disagree about; nothing of BOS where none is put in front.
    #[expect(clippy::print_stderr, reason = "the standard output is for results")]
    pub(super) fn of(model: &Model, prepend_bos: bool) -> Self {
        let notes = model.words().tokenizer_report().map(|report| report.notes).unwrap_or_default();
        for note in notes {
            if prepend_bos || !matches!(note, TokenizerNote::Bos { .. }) {
                eprintln!("Note: {note}");
            }
        }
        Self::default()
    }

    /// Adds what there is to say of a case.
    pub(super) fn add(&mut self, case: &str, hints: Vec<Hint>) {
        for hint in hints {
            let is_same = |(other, _, _): &&mut (Hint, String, usize)| {
                other.field == hint.field && discriminant(&other.about) == discriminant(&hint.about)
            };
            match self.found.iter_mut().find(is_same) {
                Some((_, _, n)) => *n += 1,
                None => self.found.push((hint, case.to_owned(), 1)),
            }
        }
    }

    /// Adds how well a case's sample agrees with the CPU.
    pub(super) fn checked(&mut self, report: Option<CheckReport>) {
        let Some(CheckReport { worst, values }) = report else { return };
        let before = self.checked.unwrap_or_default();
        let (worst, values) = (before.worst.max(worst), before.values + values);
        self.checked = Some(CheckReport { worst, values });
    }

    /// Says all that was found, once for all cases.
    #[expect(clippy::print_stderr, reason = "the standard output is for results")]
    pub(super) fn show(&self) {
        for line in self.lines() {
            eprintln!("Note: {line}");
        }
        if let Some(CheckReport { worst, values }) = self.checked {
            eprintln!(
                "Checked: a sample of {values} numbers was computed again on the CPU; the worst is off by {worst:.0e} of \
                 the largest of its list."
            );
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |(hint, case, n): &(Hint, String, usize)| match n - 1 {
            0 => format!("{case}: {hint}"),
            1 => format!("{case}: {hint} (and one more case is like it)"),
            more => format!("{case}: {hint} (and {more} more cases are like it)"),
        };
        self.found.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::prompts::About;
    use twinbeam_core::words::Field;

    #[test]
    fn what_many_cases_share_is_said_once() {
        let hint = |field| Hint {
            field,
            text: "a ".to_owned(),
            about: About::EndsInSpace,
            mends: Vec::new(),
        };
        let mut notes = Notes::default();
        notes.add("first", vec![hint(Field::Clean), hint(Field::Corrupted)]);
        notes.add("second", vec![hint(Field::Clean)]);
        notes.add("third", vec![hint(Field::Clean)]);
        let lines = notes.lines();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("first: the clean prompt ends in a space"), "{}", lines[0]);
        assert!(lines[0].ends_with("(and 2 more cases are like it)"), "{}", lines[0]);
        assert!(!lines[1].contains("more case"), "{}", lines[1]);
    }
}
