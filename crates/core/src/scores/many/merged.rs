//! What the results of many prompt pairs have in common.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::scores::{ScoreTable, TableKey, Unit};
use crate::statistics::{Agreement, bootstrap_mean};
use crate::words::{ComponentKind, Direction, Metric};

use super::merging::LeftOut;

/// Level of the intervals over prompts.
const LEVEL: f64 = 0.95;
/// Resamples of a bootstrap. The ends of an interval move by a few per cent of its width with the seed, which is always
/// the same.
const RESAMPLES: usize = 2000;

/// The results of many prompt pairs, merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// What was measured.
    pub metric: Metric,
    /// The unit of means and spreads.
    pub unit: Unit,
    /// Names of the pairs that are merged.
    pub names: Vec<String>,
    /// Mean and spread of each component.
    pub tables: Vec<MergedTable>,
    /// How far IG agrees with AP.
    pub agreements: Vec<MergedAgreement>,
    /// Pairs that are not merged, with their reasons.
    pub left_out: Vec<LeftOut>,
}

/// Mean and spread of each component over prompts, of one method, direction and kind.
///
/// # Units
/// Those that [`Merged::unit`] names; positive supports the clean behaviour (in the notebook's unit, AP of noising is
/// turned round).
#[derive(Debug, Clone, PartialEq)]
pub struct MergedTable {
    /// Key of the table that is merged, of every prompt.
    pub key: TableKey,
    /// Components per layer.
    pub width: usize,
    /// Prompts with an exact score of every component.
    pub n: usize,
    /// Means, layer by layer; `[n_layers * width]`.
    pub mean: Vec<f32>,
    /// Standard deviations over prompts, by n - 1, layer by layer, `[n_layers * width]`; empty with one prompt.
    pub sd: Vec<f32>,
}

/// How far IG agrees with AP over many prompts. Slopes are of the metric's unit, whatever the tables' is.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedAgreement {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// Which run was changed.
    pub direction: Direction,
    /// Agreement of each prompt, with its name.
    pub cases: Vec<(String, Agreement)>,
    /// Pearson correlation over prompts.
    pub pearson: OverCases,
    /// Rank correlation over prompts.
    pub spearman: OverCases,
    /// Slope of IG on AP over prompts.
    pub slope: OverCases,
    /// Agreement of the mean of IG with the mean of AP.
    pub of_means: Agreement,
}

/// A statistic over prompts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OverCases {
    /// Mean of the statistic; `None` where it is undefined for all prompts.
    pub mean: Option<f64>,
    /// 95 % interval of the mean, by a percentile bootstrap over prompts; `None` under two prompts.
    pub interval: Option<[f64; 2]>,
    /// Prompts for which the statistic is defined.
    pub n: usize,
    /// Prompts for which the statistic is not defined, left out of the mean.
    pub undefined: usize,
}

impl OverCases {
    pub(super) fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let all: Vec<Option<f64>> = values.collect();
        let defined: Vec<f64> = all.iter().copied().flatten().collect();
        let n = defined.len();
        Self {
            mean: (n > 0).then(|| defined.iter().sum::<f64>() / n as f64),
            interval: bootstrap_mean(&defined, LEVEL, RESAMPLES, 0),
            n,
            undefined: all.len() - n,
        }
    }

    fn to_value(self) -> Value {
        let Self { mean, interval, n, undefined } = self;
        json!({ "mean": mean, "interval": interval, "n": n, "undefined": undefined })
    }
}

impl MergedTable {
    /// The means as a table of scores, of which no completeness is claimed.
    pub fn to_scores(&self) -> ScoreTable {
        ScoreTable::new(self.key, self.width, self.mean.clone())
    }
}

impl Merged {
    /// Number of pairs that are in it.
    pub const fn n(&self) -> usize {
        self.names.len()
    }

    /// The table of a key.
    pub fn table(&self, key: TableKey) -> Option<&MergedTable> {
        self.tables.iter().find(|table| table.key == key)
    }

    /// The agreement of one kind and direction.
    pub fn agreement(&self, kind: ComponentKind, direction: Direction) -> Option<&MergedAgreement> {
        self.agreements.iter().find(|found| (found.kind, found.direction) == (kind, direction))
    }

    /// One JSON file with everything in it: `mean` and `sd` of each table are lists per layer.
    pub fn to_json(&self) -> String {
        let Self { metric, unit, names, .. } = self;
        let left_out = |left: &LeftOut| json!({ "name": left.name, "reason": left.reason });
        let file = File {
            metric: metric.id(),
            unit: unit.id(),
            sign: if unit.comparable() {
                "positive: the component supports the clean behaviour, in both directions"
            } else {
                "the notebook's (mwmlo/gradient_causal_knowledge): AP under noising is negative where the component supports the clean behaviour"
            },
            n: names.len(),
            names,
            left_out: self.left_out.iter().map(left_out).collect(),
            agreement: self.agreements.iter().map(AgreementFile::of).collect(),
            tables: self.tables.iter().map(|table| TableFile::of(table, *metric, *unit)).collect(),
        };
        // OK because it holds finite numbers, strings and lists.
        serde_json::to_string(&file).unwrap_or_default()
    }
}

fn rows(values: &[f32], width: usize) -> Vec<&[f32]> {
    // A width of 0 has no rows; `chunks` refuses 0.
    values.chunks(width.max(1)).collect()
}

/// How both methods agree, of one kind and direction.
#[derive(Serialize)]
struct AgreementFile<'a> {
    #[serde(serialize_with = "cases")]
    cases: &'a [(String, Agreement)],
    direction: &'a str,
    kind: &'a str,
    of_means: Agreed<'a>,
    pearson: Value,
    slope: Value,
    spearman: Value,
}

/// How both methods agree, on one case where it has a name.
#[derive(Serialize)]
struct Agreed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    pearson: Option<f64>,
    slope: Option<f64>,
    spearman: Option<f64>,
}

impl<'a> Agreed<'a> {
    const fn of(name: Option<&'a str>, agreement: &Agreement) -> Self {
        let Agreement { pearson, spearman, slope } = *agreement;
        Self { name, pearson, slope, spearman }
    }
}

/// Written one by one: there may be a million.
fn cases<S: Serializer>(cases: &[(String, Agreement)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(cases.iter().map(|(name, found)| Agreed::of(Some(name), found)))
}

impl<'a> AgreementFile<'a> {
    fn of(found: &'a MergedAgreement) -> Self {
        Self {
            cases: &found.cases,
            direction: found.direction.id(),
            kind: found.kind.id(),
            of_means: Agreed::of(None, &found.of_means),
            pearson: found.pearson.to_value(),
            slope: found.slope.to_value(),
            spearman: found.spearman.to_value(),
        }
    }
}

/// A [`Value`] of every score would take several times the room, and print an `f32` with the digits of an `f64`.
#[derive(Serialize)]
struct File<'a> {
    metric: &'a str,
    unit: &'a str,
    sign: &'a str,
    n: usize,
    names: &'a [String],
    left_out: Vec<Value>,
    agreement: Vec<AgreementFile<'a>>,
    tables: Vec<TableFile<'a>>,
}

#[derive(Serialize)]
struct TableFile<'a> {
    kind: &'a str,
    method: &'a str,
    direction: &'a str,
    unit: &'a str,
    n: usize,
    mean: Vec<&'a [f32]>,
    sd: Vec<&'a [f32]>,
}

impl<'a> TableFile<'a> {
    fn of(table: &'a MergedTable, metric: Metric, unit: Unit) -> Self {
        let TableKey { kind, method, direction } = table.key;
        Self {
            kind: kind.id(),
            method: method.id(),
            direction: direction.id(),
            unit: unit.label(metric, method, kind),
            n: table.n,
            mean: rows(&table.mean, table.width),
            sd: rows(&table.sd, table.width),
        }
    }
}
