//! A case of the output file.

use std::collections::BTreeMap;

use serde::Serialize;
use twinbeam_core::scores::{MetricValues, Outcome, ScoreTable, TableKey};
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::words::{ComponentKind, Method};

/// One case of the output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Entry<'a> {
    /// It ran.
    Result(Box<Scores<'a>>),
    /// It could not be run.
    Failure {
        /// What it is called.
        name: &'a str,
        /// Why.
        error: String,
    },
}

/// What a run of a case has found; every score in the metric's unit, positive supports the clean behaviour.
#[derive(Debug, Serialize)]
pub(super) struct Scores<'a> {
    name: &'a str,
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

#[derive(Debug, Serialize)]
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
    pub(super) fn of(name: &'a str, outcome: &'a Outcome, parts: &'a [PartMap]) -> Self {
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
