//! The units that scores are shown in, and the one rule for shares of the gap.

use serde::{Serialize, Serializer};

use super::{SideSummary, TableKey};
use crate::words::{ComponentKind, Direction, Method, Metric};

/// A unit that scores are shown in. What is computed and stored is always in the metric's.
///
/// Where a result allows a unit, positive supports the clean behaviour in it, but for AP of noising in the notebook's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// The metric's own: logits for `logit_diff`.
    #[default]
    Metric,
    /// Divided by what the metric differs by between the two runs.
    ShareOfGap,
    /// The notebook's units (docs/METHODS.md#the-notebook): IG as a mean over positions (and `d_model` for heads), AP
    /// divided by the gap, negative where noising hurts. The two are not in one unit.
    Notebook,
}

/// What the units depend on, besides the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitBasis {
    /// What is measured.
    pub metric: Metric,
    /// How much more of the behaviour the clean run has, in the metric's unit.
    pub gap: f32,
    /// Tokens of each prompt.
    pub n_pos: usize,
    /// Width of the residual stream.
    pub d_model: usize,
}

/// Why shares of the gap are refused. Its words are whole sentences: what was found, and the way out.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum GapRefused {
    /// The two runs differ too little to divide by it, whichever has more of the behaviour.
    #[error(
        "The runs differ by {size:.3} {unit} only, and shares of the gap need at least {least} {unit}: choose prompts \
         that differ more, or read the scores in {unit}.",
        size = gap.abs(),
        unit = metric.unit()
    )]
    TooSmall {
        /// What is measured.
        metric: Metric,
        /// How much more of the behaviour the clean run has, in the metric's unit.
        gap: f32,
        /// The smallest gap that is divided by, in the metric's unit.
        least: f32,
    },
    /// The clean run has less of the behaviour than the corrupted one: a share would have the other sign than its score.
    #[error(
        "The clean run does not beat the corrupted one (the gap is {gap:.3} {unit}), and as shares of that gap all \
         scores would change their signs: swap the answers or the two prompts, or read the scores in {unit}.",
        unit = metric.unit()
    )]
    Reversed {
        /// What is measured.
        metric: Metric,
        /// How much more of the behaviour the clean run has, in the metric's unit: less than nothing.
        gap: f32,
    },
}

impl UnitBasis {
    /// The basis of a pair of runs.
    pub fn new(
        metric: Metric,
        clean: &SideSummary,
        corrupted: &SideSummary,
        d_model: usize,
    ) -> Self {
        let difference = clean.metrics.get(metric) - corrupted.metrics.get(metric);
        Self { metric, gap: metric.orientation() * difference, n_pos: clean.n_pos, d_model }
    }

    /// The gap, if scores can be divided by it: the one rule for shares of it. It is positive.
    ///
    /// # Errors
    /// It is under 0.1 logits or nats, or under 0.01 of probability, which a negative one always is.
    pub fn gap(&self) -> Result<f32, GapRefused> {
        let Self { metric, gap, .. } = *self;
        match self.size() {
            None => Err(GapRefused::TooSmall { metric, gap, least: self.least_gap() }),
            Some(size) if gap < 0.0 => Err(GapRefused::Reversed { metric, gap: -size }),
            Some(size) => Ok(size),
        }
    }

    /// How far the runs are apart, whichever has more of the behaviour, if that is enough to measure the sizes of
    /// effects by. For what has a sign, it takes [`Self::gap`].
    pub fn size(&self) -> Option<f32> {
        let size = self.gap.abs();
        (size >= self.least_gap()).then_some(size)
    }

    /// The smallest difference of two runs that is divided by.
    const fn least_gap(&self) -> f32 {
        if matches!(self.metric, Metric::ProbDiff) { 0.01 } else { 0.1 }
    }
}

impl Unit {
    /// All units, the default first.
    pub const ALL: [Self; 3] = [Self::Metric, Self::ShareOfGap, Self::Notebook];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::ShareOfGap => "share",
            Self::Notebook => "notebook",
        }
    }

    /// This unit, if scores of a result can be shown in it.
    ///
    /// # Errors
    /// A gap that cannot be divided by, where some of its scores are shares of it.
    pub fn of_result(self, basis: &UnitBasis) -> Result<Self, GapRefused> {
        match self {
            Self::Metric => Ok(self),
            Self::ShareOfGap | Self::Notebook => basis.gap().map(|_gap| self),
        }
    }

    /// The unit that stands in for this one where a result does not allow it: the metric's.
    #[must_use]
    pub fn or_metric(self, basis: &UnitBasis) -> Self {
        self.of_result(basis).unwrap_or(Self::Metric)
    }

    /// Whether IG and AP in this unit can be compared, and subtracted.
    pub const fn comparable(self) -> bool {
        !matches!(self, Self::Notebook)
    }

    /// This unit, if both methods' scores can be compared in it and the gap allows it, else the metric's: what a score in
    /// the metric's unit is multiplied by, and the unit in words. Positive supports the clean behaviour.
    pub fn common(self, basis: &UnitBasis) -> (f32, &'static str) {
        // In such a unit, both methods, kinds and directions have one factor.
        let (method, kind, direction) = (Method::Ap, ComponentKind::Heads, Direction::Noising);
        let label = |unit: Self| unit.label(basis.metric, method, kind);
        let factor = self.factor(basis, TableKey { kind, method, direction }).ok();
        match factor.filter(|_| self.comparable()) {
            Some(factor) => (factor, label(self)),
            None => (1.0, label(Self::Metric)),
        }
    }

    /// The unit of a method's scores in words.
    pub const fn label(self, metric: Metric, method: Method, kind: ComponentKind) -> &'static str {
        match (self, method, kind) {
            (Self::Metric, _, _) => metric.unit(),
            (Self::ShareOfGap, _, _) => "of the gap",
            (Self::Notebook, Method::Ap, _) => "of the gap, notebook’s sign",
            (Self::Notebook, _, ComponentKind::Heads) => "mean over positions and d_model",
            (Self::Notebook, _, ComponentKind::Neurons) => "mean over positions",
        }
    }

    /// What the scores of a table in the metric's unit are multiplied by.
    ///
    /// # Errors
    /// A gap that cannot be divided by.
    pub fn factor(self, basis: &UnitBasis, key: TableKey) -> Result<f32, GapRefused> {
        let TableKey { kind, method, direction } = key;
        match (self, method) {
            (Self::Metric, _) => Ok(1.0),
            (Self::ShareOfGap, _) => Ok(1.0 / basis.gap()?),
            (Self::Notebook, Method::Ap) => {
                // There, noising is the patched metric minus the clean one.
                let sign = if direction == Direction::Noising { -1.0 } else { 1.0 };
                Ok(sign / basis.gap()?)
            }
            (Self::Notebook, _) => {
                let width = if kind == ComponentKind::Heads { basis.d_model } else { 1 };
                Ok(1.0 / (basis.n_pos * width).max(1) as f32)
            }
        }
    }
}

/// The unit as its name.
impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::MetricValues;

    const BASIS: UnitBasis =
        UnitBasis { metric: Metric::LogitDiff, gap: 8.0, n_pos: 5, d_model: 10 };

    fn factor(unit: Unit, method: Method, kind: ComponentKind, direction: Direction) -> f32 {
        unit.factor(&BASIS, TableKey { kind, method, direction }).expect("the gap is large")
    }

    #[test]
    fn factors_are_those_of_the_definitions() {
        use ComponentKind::{Heads, Neurons};
        use Direction::{Denoising, Noising};
        assert_eq!(factor(Unit::Metric, Method::Ig, Heads, Noising), 1.0);
        assert_eq!(factor(Unit::ShareOfGap, Method::Ap, Neurons, Noising), 0.125);
        assert_eq!(factor(Unit::Notebook, Method::Ig, Heads, Noising), 0.02);
        assert_eq!(factor(Unit::Notebook, Method::Ig, Neurons, Denoising), 0.2);
        assert_eq!(factor(Unit::Notebook, Method::Ap, Heads, Noising), -0.125);
        assert_eq!(factor(Unit::Notebook, Method::Ap, Heads, Denoising), 0.125);
    }

    #[test]
    fn two_methods_are_compared_in_one_unit() {
        assert_eq!(Unit::ShareOfGap.common(&BASIS), (0.125, "of the gap"));
        assert_eq!(Unit::Notebook.common(&BASIS), (1.0, "logits"));
        for gap in [0.01, -8.0] {
            let basis = UnitBasis { gap, ..BASIS };
            assert_eq!(Unit::ShareOfGap.common(&basis), (1.0, "logits"), "{gap}");
        }
    }

    #[test]
    fn a_small_gap_is_refused_with_its_size() {
        let basis = UnitBasis { gap: -0.04, ..BASIS };
        let (kind, method) = (ComponentKind::Heads, Method::Ig);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let error = Unit::ShareOfGap.factor(&basis, key).expect_err("too small");
        assert_eq!(
            error.to_string(),
            "The runs differ by 0.040 logits only, and shares of the gap need at least 0.1 logits: choose prompts \
             that differ more, or read the scores in logits."
        );
        let probability = UnitBasis { metric: Metric::ProbDiff, gap: 0.04, ..BASIS };
        assert_eq!(probability.gap(), Ok(0.04));
        let equal = UnitBasis { metric: Metric::Kl, gap: -0.0, ..BASIS };
        let words = equal.gap().expect_err("there is none").to_string();
        assert!(words.starts_with("The runs differ by 0.000 nats only"), "{words}");
        let none = UnitBasis { gap: f32::NAN, ..BASIS };
        assert!(none.gap().is_err() && none.size().is_none());
    }

    #[test]
    fn a_gap_the_wrong_way_round_is_refused_in_every_unit_that_divides_by_it() {
        let basis = UnitBasis { gap: -0.5, ..BASIS };
        let refused = GapRefused::Reversed { metric: Metric::LogitDiff, gap: -0.5 };
        for unit in [Unit::ShareOfGap, Unit::Notebook] {
            assert_eq!(unit.of_result(&basis), Err(refused));
            assert_eq!(unit.or_metric(&basis), Unit::Metric);
            for direction in Direction::ALL {
                let (kind, method) = (ComponentKind::Heads, Method::Ap);
                let factor = unit.factor(&basis, TableKey { kind, method, direction });
                assert_eq!(factor, Err(refused), "{unit:?} {direction}");
            }
        }
        assert_eq!(Unit::Metric.of_result(&basis), Ok(Unit::Metric));
        assert_eq!(basis.size(), Some(0.5), "as a size it is one");
        let words = refused.to_string();
        assert!(words.contains("(the gap is -0.500 logits)"), "{words}");
        assert!(words.contains("swap the answers or the two prompts"), "{words}");
    }

    #[test]
    fn the_gap_is_of_the_behaviour_whatever_is_measured() {
        let side = |logit_diff, kl| SideSummary {
            metrics: MetricValues {
                logit_diff,
                prob_answer: 0.5,
                prob_wrong: 0.25,
                prob_diff: 0.25,
                log_prob: -0.7,
                kl,
            },
            n_pos: 5,
            top: Vec::new(),
        };
        let gap = |metric| UnitBasis::new(metric, &side(-1.0, 0.0), &side(2.0, 3.0), 10).gap();
        assert_eq!(gap(Metric::Kl), Ok(3.0), "less divergence is more of the behaviour");
        let metric = Metric::LogitDiff;
        assert_eq!(gap(metric), Err(GapRefused::Reversed { metric, gap: -3.0 }));
    }
}
