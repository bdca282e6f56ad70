//! Results of many prompt pairs, one after another, without keeping them.

use crate::scores::{ExactPairs, Outcome, ScoreTable, TableKey, Tables, Unit, UnitBasis};
use crate::statistics::Agreement;
use crate::words::{ComponentKind, Direction, Method, Metric};

use super::merged::{Merged, MergedAgreement, MergedTable, OverCases};

/// The result of one prompt pair, as far as it is merged.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// Name of the pair.
    pub name: String,
    /// How much more of the behaviour the clean run has, in the metric's unit.
    pub gap: f32,
    /// Tokens of each prompt.
    pub n_pos: usize,
    /// Score tables of the pair, in the metric's unit.
    pub tables: Tables,
}

impl CaseResult {
    /// The case that a run is, by its name.
    pub fn of(name: String, outcome: Outcome) -> Self {
        let UnitBasis { gap, n_pos, .. } = outcome.basis();
        Self { name, gap, n_pos, tables: outcome.tables }
    }
}

/// A prompt pair that is not in the merged result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Name of the pair.
    pub name: String,
    /// Why it is left out.
    pub reason: String,
}

/// Mean and squared deviations of each component so far (Welford).
#[derive(Debug, Clone)]
struct Running {
    key: TableKey,
    width: usize,
    n: usize,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Running {
    fn of(table: &ScoreTable) -> Self {
        let zeros = vec![0.0; table.values().len()];
        let (key, width) = (table.key(), table.width());
        Self { key, width, n: 0, mean: zeros.clone(), squares: zeros }
    }

    fn add(&mut self, values: &[f32], factor: f32) {
        self.n += 1;
        let n = self.n as f64;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(values) {
            let value = f64::from(*value) * f64::from(factor);
            let before = value - *mean;
            *mean += before / n;
            *squares += before * (value - *mean);
        }
    }

    fn merged(&self) -> MergedTable {
        let Self { key, width, n, ref mean, ref squares } = *self;
        let sd = |squares: &f64| (squares / (n - 1) as f64).sqrt() as f32;
        MergedTable {
            key,
            width,
            n,
            mean: mean.iter().map(|mean| *mean as f32).collect(),
            sd: if n < 2 { Vec::new() } else { squares.iter().map(sd).collect() },
        }
    }
}

/// What was found of each pair, by its name.
type Named = Vec<(String, Agreement)>;

/// Takes results in one after another; holds one mean and one spread per component, whatever their number.
#[derive(Debug, Clone)]
pub struct Merging {
    metric: Metric,
    unit: Unit,
    d_model: usize,
    names: Vec<String>,
    running: Vec<Running>,
    agreements: Vec<(ComponentKind, Direction, Named)>,
    left_out: Vec<LeftOut>,
}

impl Merging {
    /// A merging without results. Scores are merged in a unit: in shares of the gap, pairs whose gap cannot be divided
    /// by are left out ([`UnitBasis::gap`]).
    pub fn new(metric: Metric, unit: Unit, d_model: usize) -> Self {
        let (names, running) = (Vec::new(), Vec::new());
        Self { metric, unit, d_model, names, running, agreements: Vec::new(), left_out: Vec::new() }
    }

    /// Takes in one result, as a whole or, with a reason, not at all (`false`).
    ///
    /// Of its tables those count whose scores are all exact: in a table that was screened, some scores are of
    /// another method.
    pub fn add(&mut self, case: &CaseResult) -> bool {
        // IG from zero is of the clean run alone, and a gradient rounds.
        let compares = |table: &&ScoreTable| matches!(table.method(), Method::Ig | Method::Ap);
        let is_nothing = |table: &ScoreTable| table.max_abs() == 0.0;
        if case.gap == 0.0 && case.tables.iter().filter(compares).all(is_nothing) {
            // Zeros of two equal prompts would halve every mean.
            let reason = "The two runs are the same, so there is nothing to compare.".to_owned();
            self.leave_out(case.name.clone(), reason);
            return false;
        }
        let factors = match self.factors(case) {
            Ok(factors) => factors,
            Err(reason) => {
                self.leave_out(case.name.clone(), reason);
                return false;
            }
        };
        for (table, factor) in case.tables.iter().zip(factors) {
            let Some(factor) = factor else { continue };
            let place = self.running.iter().position(|running| running.key == table.key());
            let place = place.unwrap_or_else(|| {
                self.running.push(Running::of(table));
                self.running.len() - 1
            });
            self.running[place].add(table.values(), factor);
        }
        for kind in ComponentKind::ALL {
            for direction in Direction::ALL {
                self.compare(case, kind, direction);
            }
        }
        self.names.push(case.name.clone());
        true
    }

    /// What the scores of each table are multiplied by; `None` for a table that does not count.
    fn factors(&self, case: &CaseResult) -> Result<Vec<Option<f32>>, String> {
        let basis = UnitBasis {
            metric: self.metric,
            gap: case.gap,
            n_pos: case.n_pos,
            d_model: self.d_model,
        };
        let factor = |table: &ScoreTable| {
            if !table.values().iter().all(|value| value.is_finite()) {
                return Err("some of its scores are not finite numbers".to_owned());
            }
            let before = self.running.iter().find(|running| running.key == table.key());
            let fits = |running: &Running| {
                running.mean.len() == table.values().len() && running.width == table.width()
            };
            if !before.is_none_or(fits) {
                return Err("it is of a model of other sizes than the first".to_owned());
            }
            let factor = self.unit.factor(&basis, table.key());
            let factor = factor.map_err(|source| source.to_string())?;
            Ok(table.is_all_exact().then_some(factor))
        };
        case.tables.iter().map(factor).collect()
    }

    fn compare(&mut self, case: &CaseResult, kind: ComponentKind, direction: Direction) {
        let table = |method| case.tables.get(TableKey { kind, method, direction });
        let (Some(ig), Some(ap)) = (table(Method::Ig), table(Method::Ap)) else { return };
        if ap.n_exact() < ig.values().len() {
            return;
        }
        let ExactPairs { ig, ap, .. } = ExactPairs::of(ig, ap);
        let entry = (case.name.clone(), Agreement::of(&ig, &ap));
        match self.agreements.iter_mut().find(|(k, d, _)| (*k, *d) == (kind, direction)) {
            Some((_, _, cases)) => cases.push(entry),
            None => self.agreements.push((kind, direction, vec![entry])),
        }
    }

    /// Lists a pair that has no result.
    pub fn leave_out(&mut self, name: String, reason: String) {
        self.left_out.push(LeftOut { name, reason });
    }

    /// Number of results that were taken in.
    pub const fn n(&self) -> usize {
        self.names.len()
    }

    /// What the results have in common so far.
    pub fn merged(&self) -> Merged {
        let mut tables: Vec<MergedTable> = self.running.iter().map(Running::merged).collect();
        // By their keys: which came first depends on how the results travelled.
        tables.sort_by_key(|table| table.key);
        let find = |key| tables.iter().find(|table| table.key == key);
        let agreement = |(kind, direction, cases): &(ComponentKind, Direction, Vec<_>)| {
            let (kind, direction) = (*kind, *direction);
            let of = |method| find(TableKey { kind, method, direction });
            let means = of(Method::Ig).zip(of(Method::Ap));
            let over = |statistic: fn(&Agreement) -> Option<f64>| {
                OverCases::of(cases.iter().map(|(_, agreement)| statistic(agreement)))
            };
            MergedAgreement {
                kind,
                direction,
                pearson: over(|agreement| agreement.pearson),
                spearman: over(|agreement| agreement.spearman),
                slope: over(|agreement| agreement.slope),
                of_means: means
                    .map(|(ig, ap)| Agreement::of(&ig.mean, &ap.mean))
                    .unwrap_or_default(),
                cases: cases.clone(),
            }
        };
        let agreements = self.agreements.iter().map(agreement).collect();
        Merged {
            metric: self.metric,
            unit: self.unit,
            names: self.names.clone(),
            agreements,
            left_out: self.left_out.clone(),
            tables,
        }
    }
}
