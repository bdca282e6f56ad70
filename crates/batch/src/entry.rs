//! A case as it stands in files, and lists of them: written, and read back as far as it is merged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twinbeam_core::scores::many::CaseResult;
use twinbeam_core::scores::{
    MetricValues, Outcome, ScoreTable, SideSummary, TableKey, Tables, UnitBasis,
};
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::words::{ComponentKind, Direction, Method, Metric};

use crate::store::NewFile;
use crate::{Compared, Error};

/// A JSON list of cases that is written entry by entry, a line each: all scores of many cases do not fit into memory.
#[derive(Debug)]
pub struct ListFile {
    path: PathBuf,
    new: NewFile,
    file: BufWriter<File>,
    is_empty: bool,
}

impl ListFile {
    /// Begins a list.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be made.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let (new, file) = NewFile::create(path)?;
        Ok(Self { path: path.to_owned(), new, file, is_empty: true })
    }

    /// Adds what was found of a case, or why nothing was.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written.
    pub fn push(&mut self, name: &str, result: Result<&Compared, &str>) -> Result<(), Error> {
        self.push_line(&line_of(name, result))
    }

    /// Adds an entry as it stands in another file.
    pub(crate) fn push_line(&mut self, entry: &str) -> Result<(), Error> {
        let begin = if self.is_empty { "[\n" } else { ",\n" };
        self.is_empty = false;
        self.write(begin)?;
        self.write(entry)
    }

    /// Ends the list, which now gets its name.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written, or not renamed.
    pub fn close(mut self) -> Result<(), Error> {
        self.write(if self.is_empty { "[]\n" } else { "\n]\n" })?;
        self.new.written(self.file)?;
        self.new.name()
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.file.write_all(text.as_bytes()).map_err(Error::file("writing", &self.path))
    }
}

/// A case as a line of JSON.
pub(crate) fn line_of(name: &str, result: Result<&Compared, &str>) -> String {
    let entry = match result {
        Ok(Compared { outcome, parts, .. }) => {
            Entry::Result(Box::new(Scores::of(name, outcome, parts)))
        }
        Err(error) => Entry::Failure { name, error },
    };
    // OK because keys are text and all else has a form in JSON.
    serde_json::to_string(&entry).unwrap_or_default()
}

/// One case of the output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    /// It ran.
    Result(Box<Scores<'a>>),
    /// It could not be run.
    Failure {
        /// What it is called.
        name: &'a str,
        /// Why.
        error: &'a str,
    },
}

/// What a run of a case has found; every score in the metric's unit, positive supports the clean behaviour.
#[derive(Debug, Serialize)]
struct Scores<'a> {
    name: &'a str,
    /// Tokens of each prompt, `<|endoftext|>` included.
    n_pos: usize,
    logit_diff: Sides<f32>,
    metrics: Sides<&'a MetricValues>,
    heads: ByMethod<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    neurons: ByMethod<'a>,
    /// Parts of heads and MLPs that were asked for: a table per method and direction.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    nodes: BTreeMap<&'static str, BTreeMap<&'static str, ByDirection<Rows<'a>>>>,
    joint: ByKind<&'a [f32]>,
    convergence_delta: Deltas<'a>,
    n_steps: BTreeMap<&'static str, ByKind<&'a [usize]>>,
    seconds: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Sides<T> {
    clean: T,
    corrupted: T,
}

type ByDirection<T> = BTreeMap<&'static str, T>;
type ByKind<T> = BTreeMap<&'static str, ByDirection<T>>;
type ByMethod<'a> = BTreeMap<&'static str, Maps<'a>>;

/// A list of scores per layer.
type Rows<'a> = Vec<&'a [f32]>;

/// The tables of a method.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Maps<'a> {
    ByDirection(ByDirection<Rows<'a>>),
    /// Integrals from zero are of the clean run alone.
    FromZero(Rows<'a>),
}

#[derive(Debug, Default, Serialize)]
struct Deltas<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ig: ByKind<&'a [f32]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ig_zero: Option<&'a [f32]>,
}

impl<'a> Scores<'a> {
    /// Of a run, and of maps of parts beside it.
    fn of(name: &'a str, outcome: &'a Outcome, parts: &'a [PartMap]) -> Self {
        let (clean, corrupted) = (&outcome.clean.metrics, &outcome.corrupted.metrics);
        let mut joint = ByKind::new();
        for effects in &outcome.joint {
            let of_kind: &mut ByDirection<_> = joint.entry(effects.kind.id()).or_default();
            of_kind.insert(effects.direction.id(), effects.values.as_slice());
        }
        let mut convergence_delta = Deltas::default();
        let mut n_steps = BTreeMap::new();
        for table in &outcome.tables {
            let TableKey { kind, method, direction } = table.key();
            let deltas = table.convergence_delta();
            match method {
                Method::Ig => {
                    let of_kind = convergence_delta.ig.entry(kind.id()).or_default();
                    of_kind.insert(direction.id(), deltas);
                }
                Method::IgZero => convergence_delta.ig_zero = Some(deltas),
                Method::Ap | Method::Atp => {}
            }
            if !table.n_steps().is_empty() {
                let of_method: &mut ByKind<_> = n_steps.entry(method.id()).or_default();
                let of_kind = of_method.entry(kind.id()).or_default();
                of_kind.insert(direction.id(), table.n_steps());
            }
        }
        let mut nodes: BTreeMap<_, BTreeMap<_, ByDirection<Rows<'_>>>> = BTreeMap::new();
        for map in parts {
            let rows = |values: &'a [f32]| values.chunks(map.width).collect::<Rows<'_>>();
            let of_part = nodes.entry(map.part.id()).or_default();
            let tables = [
                ("ap", rows(&map.ap)),
                ("ig", rows(&map.ig)),
                ("atp", rows(&map.atp)),
                ("joint", map.joint.chunks(1).collect()),
                ("convergence_delta", map.convergence_delta.chunks(1).collect()),
            ];
            for (name, rows) in tables {
                of_part.entry(name).or_default().insert(map.direction.id(), rows);
            }
        }
        let seconds = outcome.seconds.iter();
        Self {
            name,
            n_pos: outcome.clean.n_pos,
            logit_diff: Sides { clean: clean.logit_diff, corrupted: corrupted.logit_diff },
            metrics: Sides { clean, corrupted },
            heads: maps(outcome, ComponentKind::Heads),
            neurons: maps(outcome, ComponentKind::Neurons),
            nodes,
            joint,
            convergence_delta,
            n_steps,
            seconds: seconds.map(|(part, seconds)| (part.to_string(), *seconds)).collect(),
        }
    }
}

/// The tables of a kind, by method.
fn maps(outcome: &Outcome, kind: ComponentKind) -> ByMethod<'_> {
    let mut by_method = ByMethod::new();
    for table in outcome.tables.iter().filter(|table| table.kind() == kind) {
        let rows: Rows<'_> = ScoreTable::rows(table).collect();
        let TableKey { method, direction, .. } = table.key();
        if method == Method::IgZero {
            by_method.insert(method.id(), Maps::FromZero(rows));
            continue;
        }
        let maps = by_method.entry(method.id());
        if let Maps::ByDirection(maps) = maps.or_insert_with(|| Maps::ByDirection(BTreeMap::new()))
        {
            maps.insert(direction.id(), rows);
        }
    }
    by_method
}

/// An entry as far as results are merged.
#[derive(Debug, Deserialize)]
struct ReadEntry {
    name: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    n_pos: usize,
    #[serde(default)]
    metrics: Option<Sides<ReadMetrics>>,
    #[serde(default)]
    heads: ReadMethods,
    #[serde(default)]
    neurons: ReadMethods,
}

/// Metrics of a run; those that are no number are written as null.
#[derive(Debug, Deserialize)]
struct ReadMetrics {
    logit_diff: Option<f32>,
    prob_answer: Option<f32>,
    prob_wrong: Option<f32>,
    prob_diff: Option<f32>,
    log_prob: Option<f32>,
    kl: Option<f32>,
}

impl ReadMetrics {
    fn values(&self) -> MetricValues {
        let number = |value: Option<f32>| value.unwrap_or(f32::NAN);
        MetricValues {
            logit_diff: number(self.logit_diff),
            prob_answer: number(self.prob_answer),
            prob_wrong: number(self.prob_wrong),
            prob_diff: number(self.prob_diff),
            log_prob: number(self.log_prob),
            kl: number(self.kl),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReadMethods {
    ap: ReadDirections,
    ig: ReadDirections,
    atp: ReadDirections,
    ig_zero: Vec<Vec<f32>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReadDirections {
    noising: Vec<Vec<f32>>,
    denoising: Vec<Vec<f32>>,
}

/// A case of a file.
#[derive(Debug)]
pub(crate) enum ReadCase {
    /// It has a result, ready to be merged.
    Result(CaseResult),
    /// It has none.
    Failure {
        /// What it is called.
        name: String,
        /// Why.
        error: String,
    },
}

/// Reads a case of a file.
///
/// # Errors
/// The line is not an entry: in the parser's words.
pub(crate) fn read_line(
    line: &str,
    metric: Metric,
    d_model: usize,
) -> Result<ReadCase, serde_json::Error> {
    let ReadEntry { name, error, n_pos, metrics, heads, neurons } = serde_json::from_str(line)?;
    let (None, Some(Sides { clean, corrupted })) = (error.as_ref(), metrics) else {
        let error = error.unwrap_or_else(|| "it has no metrics".to_owned());
        return Ok(ReadCase::Failure { name, error });
    };
    let side =
        |metrics: ReadMetrics| SideSummary { metrics: metrics.values(), n_pos, top: Vec::new() };
    let UnitBasis { gap, .. } = UnitBasis::new(metric, &side(clean), &side(corrupted), d_model);
    let kinds = [(ComponentKind::Heads, heads), (ComponentKind::Neurons, neurons)];
    let tables = kinds.into_iter().flat_map(|(kind, methods)| {
        let ReadMethods { ap, ig, atp, ig_zero } = methods;
        let of = |method, ReadDirections { noising, denoising }| {
            [(method, Direction::Noising, noising), (method, Direction::Denoising, denoising)]
        };
        let with_direction = [of(Method::Ap, ap), of(Method::Ig, ig), of(Method::Atp, atp)];
        let from_zero = (Method::IgZero, Direction::Noising, ig_zero);
        let all = with_direction.into_iter().flatten().chain([from_zero]);
        all.filter_map(move |(method, direction, rows)| {
            let width = rows.first()?.len();
            Some(ScoreTable::new(TableKey { kind, method, direction }, width, rows.concat()))
        })
    });
    Ok(ReadCase::Result(CaseResult { name, gap, n_pos, tables: tables.collect::<Tables>() }))
}
