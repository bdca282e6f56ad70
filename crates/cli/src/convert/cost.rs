//! What a conversion changes in a model's answers.

use std::collections::BTreeMap;
use std::fmt;

use pollster::block_on;
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Error, Model, Plan, run};

use super::pairs::Asked;
use crate::terminal::Terminal;

/// What a conversion changes in a model's answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// Each prompt pair that was asked.
    pub pairs: Vec<PairCost>,
    /// Pairs that could not be asked, by what keeps them from it.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Whether the prompts were random tokens instead of text.
    pub random: bool,
}

/// One prompt pair before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct PairCost {
    /// Name of the pair.
    pub name: String,
    /// Logit differences with the weights as they were.
    pub before: LogitDiffs,
    /// Logit differences with the converted weights.
    pub after: LogitDiffs,
}

/// Logit differences of the two runs; logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogitDiffs {
    /// Logit difference of the clean run.
    pub clean: f32,
    /// Logit difference of the corrupted run.
    pub corrupted: f32,
}

/// Logit differences of both runs of every pair, without any method.
pub(super) fn logit_diffs(model: &Model, asked: &Asked) -> Result<Vec<LogitDiffs>, Error> {
    let nothing = Plan { directions: Vec::new(), kinds: Vec::new(), zero_baseline: false };
    let mut terminal = Terminal::new();
    let mut both_runs = |(_, question): &(_, _)| {
        let experiment = Experiment::default();
        let outcome = block_on(run(model, question, experiment, &nothing, 0, &mut terminal))?;
        let [clean, corrupted] =
            [outcome.clean, outcome.corrupted].map(|side| side.metrics.logit_diff);
        Ok(LogitDiffs { clean, corrupted })
    };
    let diffs = asked.questions.iter().map(&mut both_runs).collect();
    terminal.finish();
    diffs
}

impl Cost {
    pub(super) fn new(asked: Asked, before: &[LogitDiffs], after: &[LogitDiffs]) -> Self {
        let names = asked.questions.into_iter().map(|(name, _)| name);
        let pairs = names
            .zip(before.iter().zip(after))
            .map(|(name, (before, after))| PairCost { name, before: *before, after: *after })
            .collect();
        Self { pairs, left_out: asked.left_out, random: asked.random }
    }

    /// Mean over both runs of all pairs of how far the logit difference moves; logits.
    pub fn mean_change(&self) -> f64 {
        mean(self.pairs.iter().flat_map(PairCost::changes).map(f64::abs))
    }

    /// The pair whose logit difference moves the most in either run.
    pub fn worst(&self) -> Option<&PairCost> {
        self.pairs.iter().max_by(|a, b| a.largest_change().total_cmp(&b.largest_change()))
    }
}

impl PairCost {
    /// Changes of the clean and of the corrupted run's logit difference; logits.
    pub fn changes(&self) -> [f64; 2] {
        let (before, after) = (self.before, self.after);
        [(before.clean, after.clean), (before.corrupted, after.corrupted)]
            .map(|(before, after)| f64::from(after) - f64::from(before))
    }

    /// The larger of the two changes, without its sign; logits.
    pub fn largest_change(&self) -> f64 {
        self.changes().into_iter().map(f64::abs).fold(0.0, f64::max)
    }

    /// The larger of the two changes as a share of what the two runs differ by; `None`: they do not differ.
    pub fn share_of_gap(&self) -> Option<f64> {
        let gap = (f64::from(self.before.clean) - f64::from(self.before.corrupted)).abs();
        (gap > 0.0).then(|| self.largest_change() / gap)
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    if n > 0.0 { sum / n } else { 0.0 }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.random {
            writeln!(
                f,
                "Prompts of random tokens: no text fits the model, or it has no tokenizer."
            )?;
        }
        writeln!(
            f,
            "Logit differences before and after, how far they move, and that as a share of the gap:"
        )?;
        let run = |name: &str| format!("{name:>9} {:>9} {:>8}", "after", "change");
        writeln!(f, "{}  {} {:>9}", run("clean"), run("corrupted"), "of gap")?;
        for pair in &self.pairs {
            let (PairCost { name, before, after }, [clean, corrupted]) = (pair, pair.changes());
            write!(f, "{:>+9.4} {:>+9.4} {clean:>+8.4}  ", before.clean, after.clean)?;
            write!(f, "{:>+9.4} {:>+9.4} {corrupted:>+8.4} ", before.corrupted, after.corrupted)?;
            writeln!(f, "{:>9}  {name}", percent(pair.share_of_gap()))?;
        }
        self.summary(f)
    }
}

impl Cost {
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = || self.pairs.iter().filter_map(PairCost::share_of_gap);
        let most = shares().reduce(f64::max);
        let n = count(self.pairs.len());
        match self.worst() {
            None => writeln!(f, "no prompt pair can be asked of this model")?,
            Some(worst) if worst.largest_change() == 0.0 => writeln!(f, "{n}: nothing moves")?,
            Some(worst) => {
                let (mean, largest) = (self.mean_change(), worst.largest_change());
                let name = &worst.name;
                writeln!(f, "{n}: mean change {mean:.4}, largest {largest:.4} logits ({name})")?;
                let mean = percent(most.map(|_| self::mean(shares())));
                writeln!(f, "of the gap: mean {mean}, largest {}", percent(most))?;
            }
        }
        for (reason, n) in &self.left_out {
            writeln!(f, "left out: {}, {reason}", count(*n))?;
        }
        Ok(())
    }
}

fn count(n_pairs: usize) -> String {
    if n_pairs == 1 { "1 pair".to_owned() } else { format!("{n_pairs} pairs") }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.3} %", 100.0 * share))
}
