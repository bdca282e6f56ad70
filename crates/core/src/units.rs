use crate::{ComponentKind, Direction, Method, Metric, SideSummary};

/// In which unit scores are shown. What is computed and stored is always in the metric's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// The metric's own: logits for `logit_diff`.
    #[default]
    Metric,
    /// Divided by what the metric differs by between the two runs.
    ShareOfGap,
    /// As the notebook writes them: IG as a mean over positions (and `d_model` for heads), AP divided by the gap,
    /// negative where noising hurts. The two are not in one unit.
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

/// The two runs differ too little to divide by it.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the runs differ by {gap:.3} {unit} only; shares need at least {least} {unit}", unit = metric.unit())]
pub struct GapTooSmall {
    /// What is measured.
    pub metric: Metric,
    /// By how much the runs differ.
    pub gap: f32,
    /// What it takes.
    pub least: f32,
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

    /// The gap, if it is one that can be divided by.
    ///
    /// # Errors
    /// It is under 0.1 logits or nats, or under 0.01 of probability.
    pub fn gap(&self) -> Result<f32, GapTooSmall> {
        let least = if self.metric == Metric::ProbDiff { 0.01 } else { 0.1 };
        if self.gap.abs() >= least {
            Ok(self.gap)
        } else {
            Err(GapTooSmall { metric: self.metric, gap: self.gap, least })
        }
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

    /// Whether IG and AP in this unit can be compared, and subtracted.
    pub const fn comparable(self) -> bool {
        !matches!(self, Self::Notebook)
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

    /// What a score in the metric's unit is multiplied by.
    ///
    /// # Errors
    /// A gap that is too small to divide by.
    pub fn factor(
        self,
        basis: &UnitBasis,
        method: Method,
        kind: ComponentKind,
        direction: Direction,
    ) -> Result<f32, GapTooSmall> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const BASIS: UnitBasis =
        UnitBasis { metric: Metric::LogitDiff, gap: 8.0, n_pos: 5, d_model: 10 };

    fn factor(unit: Unit, method: Method, kind: ComponentKind, direction: Direction) -> f32 {
        unit.factor(&BASIS, method, kind, direction).expect("the gap is large")
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
    fn a_small_gap_is_refused_with_its_size() {
        let basis = UnitBasis { gap: -0.04, ..BASIS };
        let error = Unit::ShareOfGap
            .factor(&basis, Method::Ig, ComponentKind::Heads, Direction::Noising)
            .expect_err("too small");
        assert_eq!(
            error.to_string(),
            "the runs differ by -0.040 logits only; shares need at least 0.1 logits"
        );
        let probability = UnitBasis { metric: Metric::ProbDiff, gap: 0.04, ..BASIS };
        assert_eq!(probability.gap(), Ok(0.04));
    }
}
