//! A case of the output file.

use serde::Serialize;
use twinbeam_core::circuits::{Areas, Ends, areas};
use twinbeam_core::scores::SideSummary;
use twinbeam_core::wire::probes::circuits::CircuitCurves;
use twinbeam_core::words::{Direction, Metric};

/// One case of the output.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Entry {
    /// It ran.
    Result(Box<Scores>),
    /// It could not be run.
    Failure {
        /// What it is called.
        name: String,
        /// Why.
        error: String,
    },
}

/// What was found of a case; every score in the metric's unit, positive supports the clean behaviour.
#[derive(Debug, Serialize)]
pub(super) struct Scores {
    name: String,
    metric: &'static str,
    unit: &'static str,
    /// The metric of each run.
    clean: f32,
    corrupted: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    noising: Option<DirectionEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denoising: Option<DirectionEntry>,
}

impl Scores {
    pub(super) fn new(name: &str, [clean, corrupted]: [&SideSummary; 2], metric: Metric) -> Self {
        Self {
            name: name.to_owned(),
            metric: metric.id(),
            unit: metric.unit(),
            clean: clean.metrics.get(metric),
            corrupted: corrupted.metrics.get(metric),
            noising: None,
            denoising: None,
        }
    }

    pub(super) fn insert(&mut self, direction: Direction, entry: DirectionEntry) {
        match direction {
            Direction::Noising => self.noising = Some(entry),
            Direction::Denoising => self.denoising = Some(entry),
        }
    }
}

/// What was found in one direction.
#[derive(Debug, Serialize)]
pub(super) struct DirectionEntry {
    pub(super) nodes: Vec<String>,
    pub(super) edges: Vec<EdgeEntry>,
    /// Points of the embeddings' line.
    pub(super) n_steps: usize,
    /// Sum of EAP-IG over the edges of the embedding, minus the gap.
    pub(super) convergence_delta: f32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) circuit: Vec<CircuitEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) areas: Option<AreasEntry>,
    /// Why there are no circuits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) circuit_refused: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct EdgeEntry {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) eap: f32,
    pub(super) eap_ig: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exact: Option<f32>,
}

/// Faithfulness of circuits of a size, by ranking; random is a mean.
#[derive(Debug, Serialize)]
pub(super) struct CircuitEntry {
    /// Edges that are taken of each ranking.
    k: usize,
    /// Edges of these that are connected.
    kept: Rankings<usize>,
    #[serde(flatten)]
    faithfulness: Rankings<f32>,
}

#[derive(Debug, Serialize)]
struct Rankings<T> {
    ig: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    ap: Option<T>,
    random: T,
}

/// Areas of the curves.
#[derive(Debug, Serialize)]
pub(super) struct AreasEntry {
    cpr: Rankings<f32>,
    cmd: Rankings<f32>,
}

/// Faithfulness by size: of the ranking by EAP-IG and, where there is one, of that by exact effects, and the mean of the
/// random ones.
pub(super) fn circuits(
    ranked: &CircuitCurves,
    random: &CircuitCurves,
    ends: Ends,
) -> Vec<CircuitEntry> {
    let faithful = |metric: f32| ends.faithfulness(metric);
    let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len().max(1) as f32;
    let of_size = |(place, size): (usize, &usize)| CircuitEntry {
        k: *size,
        kept: Rankings {
            ig: ranked.kept[0][place],
            ap: ranked.kept.get(1).map(|kept| kept[place]),
            random: random.kept.iter().map(|kept| kept[place]).sum::<usize>()
                / random.kept.len().max(1),
        },
        faithfulness: Rankings {
            ig: faithful(ranked.metric[0][place]),
            ap: ranked.metric.get(1).map(|curve| faithful(curve[place])),
            random: mean(random.metric.iter().map(|curve| faithful(curve[place])).collect()),
        },
    };
    ranked.sizes.iter().enumerate().map(of_size).collect()
}

/// The areas of all rankings; `None`: there are no circuits.
pub(super) fn areas_of(circuit: &[CircuitEntry]) -> Option<AreasEntry> {
    let of = |curve: &dyn Fn(&CircuitEntry) -> Option<f32>| -> Option<Areas> {
        areas(&circuit.iter().map(curve).collect::<Option<Vec<f32>>>()?)
    };
    let ig = of(&|entry| Some(entry.faithfulness.ig))?;
    let ap = of(&|entry| entry.faithfulness.ap);
    let random = of(&|entry| Some(entry.faithfulness.random))?;
    Some(AreasEntry {
        cpr: Rankings { ig: ig.cpr, ap: ap.map(|of| of.cpr), random: random.cpr },
        cmd: Rankings { ig: ig.cmd, ap: ap.map(|of| of.cmd), random: random.cmd },
    })
}
