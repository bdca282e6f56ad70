//! Edge attribution patching, at the changed run and along the embeddings' line, of all edges.

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::circuits::Graph;
use twinbeam_core::wire::probes::circuits::EdgeEstimates;
use twinbeam_core::words::{Direction, Steps};

use super::reads::gradients_at_reads;
use super::senders::deltas;
use crate::batches::{Batch, Work, dealt_evenly, in_batches};
use crate::error::finite;
use crate::pace::Size;
use crate::quadrature::{FIRST_INTERVALS, clenshaw_curtis, gauss_legendre, new_nodes, refined};
use crate::site::{Depth, sign};
use crate::{Error, Nodes, Progress, RunPair};

/// Estimates of all edges by gradients at what receivers read: EAP at the changed run, EAP-IG along the line between the
/// two runs' embeddings, in the order of the model's [`Graph`].
///
/// EAP-IG of the embedding's edges adds up to the gap of the two runs; what it does not add up to is the convergence
/// delta. With [`Nodes::Until`] points are added until that, and what the last of them have changed of any edge, are
/// small enough.
///
/// # Units
/// The metric's. Positive: the edge supports the clean behaviour.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Syed et al. (2023), arXiv:2310.10348; Hanna et al. (2024), arXiv:2403.17806.
pub async fn estimate_edges(
    pair: &RunPair<'_>,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<EdgeEstimates, Error> {
    let found = integrated(pair, direction, nodes, None, progress).await?;
    Ok(EdgeEstimates {
        direction,
        eap: found.eap.iter().map(|score| *score as f32).collect(),
        eap_ig: found.ig.iter().map(|score| *score as f32).collect(),
        convergence_delta: delta(pair, &found.ig) as f32,
        n_steps: found.n_steps,
    })
}

/// EAP and EAP-IG of one edge by positions; `[n_pos]` each.
pub(crate) async fn estimate_positions(
    pair: &RunPair<'_>,
    edge: usize,
    direction: Direction,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<[Vec<f32>; 2], Error> {
    let ends = Graph::new(pair.shape()).ends(edge);
    let found = integrated(pair, direction, nodes, Some(ends), progress).await?;
    let before = vec![0.0; pair.cost.shared_prefix_len()];
    Ok([found.eap, found.ig].map(|scores| {
        before.iter().copied().chain(scores.iter().map(|score| *score as f32)).collect()
    }))
}

struct Integrated {
    eap: Vec<f64>,
    ig: Vec<f64>,
    n_steps: usize,
}

async fn integrated(
    pair: &RunPair<'_>,
    direction: Direction,
    nodes: Nodes,
    only: Option<(usize, usize)>,
    progress: &mut dyn Progress,
) -> Result<Integrated, Error> {
    let mut points = Points {
        pair,
        direction,
        only,
        senders: deltas(pair, direction),
        asked: Vec::new(),
        weights: None,
        found: Vec::new(),
    };
    let (intervals, tolerance) = match nodes {
        Nodes::Fixed(n) => {
            let rule = gauss_legendre(n);
            points.weights = Some(rule.iter().map(|(_, weight)| *weight).collect());
            let alphas = rule.iter().map(|(alpha, _)| *alpha);
            let mut found = points.at(std::iter::once(0.0).chain(alphas), progress).await?;
            // OK because both lists are there from the beginning.
            let (ig, eap) = (found.pop().expect("a sum"), found.pop().expect("a list"));
            return Ok(Integrated { eap, ig, n_steps: n });
        }
        Nodes::Nested(intervals) => (intervals, f64::INFINITY),
        Nodes::Until { tolerance } => (FIRST_INTERVALS, tolerance),
    };
    let closed = |scores: &[Vec<f64>]| {
        let rule = clenshaw_curtis(scores.len() - 1);
        weighted(rule.iter().map(|(_, weight)| *weight), scores)
    };
    let rule = clenshaw_curtis(intervals);
    let mut scores = points.at(rule.iter().map(|(alpha, _)| *alpha), progress).await?;
    loop {
        let ig = closed(&scores);
        let every_other: Vec<Vec<f64>> = scores.iter().step_by(2).cloned().collect();
        let coarse = closed(&every_other);
        let off = ig.iter().zip(&coarse).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let off = if only.is_some() { off } else { off.max(delta(pair, &ig).abs()) };
        if off <= tolerance || scores.len() >= Steps::MOST_POINTS {
            let n_steps = scores.len();
            return Ok(Integrated { eap: scores.swap_remove(0), ig, n_steps });
        }
        let new = points.at(new_nodes(scores.len()), progress).await?;
        scores = refined(scores, new);
    }
}

/// What EAP-IG of the embedding's edges adds up to, minus the gap.
fn delta(pair: &RunPair<'_>, ig: &[f64]) -> f64 {
    let graph = Graph::new(pair.shape());
    let of_embed = (0..graph.n_receivers()).map(|receiver| graph.offset(receiver));
    of_embed.map(|edge| ig[edge]).sum::<f64>() - pair.gap()
}

fn weighted(weights: impl Iterator<Item = f64>, scores: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; scores.first().map_or(0, Vec::len)];
    for (weight, scores) in weights.zip(scores) {
        for (sum, score) in sum.iter_mut().zip(scores) {
            *sum += weight * score;
        }
    }
    sum
}

/// Scores of all edges, or of one by positions, at points of the embeddings' line.
struct Points<'a, 'model> {
    pair: &'a RunPair<'model>,
    direction: Direction,
    /// Sender and receiver of the edge that is asked for by positions.
    only: Option<(usize, usize)>,
    /// What each sender writes differently; `[senders, run positions, d_model]`.
    senders: Tensor<3>,
    asked: Vec<f64>,
    /// Weights of all points but the first, whose scores are only added up: a list of a large model's edges is long.
    weights: Option<Vec<f64>>,
    /// The scores of each point, or of the first and the weighted sum of the others.
    found: Vec<Vec<f64>>,
}

impl Points<'_, '_> {
    async fn at(
        &mut self,
        alphas: impl IntoIterator<Item = f64>,
        progress: &mut dyn Progress,
    ) -> Result<Vec<Vec<f64>>, Error> {
        self.asked = alphas.into_iter().collect();
        let lists = if self.weights.is_some() { 2 } else { self.asked.len() };
        self.found = vec![Vec::new(); lists];
        let pair = self.pair;
        in_batches(pair, self, progress).await?;
        Ok(std::mem::take(&mut self.found))
    }

    /// Products of what senders write differently with the gradients where it is read, in the order of the graph's edges;
    /// `[receivers, points, run positions, d_model]` to `[points, edges]`.
    fn of_edges(&self, gradients: Tensor<4>, n_read: usize) -> Tensor<2> {
        let [receivers, points, n_run, d_model] = gradients.dims();
        let senders = self.senders.clone().narrow(0, 0, n_read);
        let senders = senders.reshape([n_read, n_run * d_model]).transpose();
        let gradients = gradients.reshape([receivers * points, n_run * d_model]);
        let scores = gradients.matmul(senders).reshape([receivers, points, n_read]);
        scores.swap_dims(0, 1).reshape([points, receivers * n_read])
    }

    fn scores(&self, gradients: Vec<Tensor<4>>) -> Tensor<2> {
        let graph = Graph::new(self.pair.shape());
        if let Some((sender, receiver)) = self.only {
            let mut at = receiver;
            for gradients in gradients {
                let [receivers, ..] = gradients.dims();
                if at < receivers {
                    let gradient = gradients.narrow(0, at, 1).squeeze_dim::<3>(0);
                    let product = gradient * self.senders.clone().narrow(0, sender, 1);
                    return product.sum_dim(2).squeeze_dim(2); // [points, run positions]
                }
                at -= receivers;
            }
            // OK because the edge is of this model.
            unreachable!("every receiver reads somewhere")
        }
        let mut receiver = 0;
        let of_half = |gradients: Tensor<4>| {
            let [receivers, ..] = gradients.dims();
            let n_read = graph.n_read(receiver);
            receiver += receivers;
            self.of_edges(gradients, n_read)
        };
        Tensor::cat(gradients.into_iter().map(of_half).collect(), 1)
    }

    /// Points of a batch: what every block computes is kept; beside it, gradients by receiver of one layer are little.
    fn rows(&self, size: Size) -> usize {
        let cost = &self.pair.cost;
        let n_run = self.pair.n_pos - cost.shared_prefix_len();
        cost.batch_rows(n_run, Some(0), size)
    }
}

impl Work for Points<'_, '_> {
    fn places(&self) -> usize {
        self.asked.len()
    }

    fn has_gradients(&self) -> bool {
        true
    }

    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>> {
        dealt_evenly(self.pair, places, self.rows(size))
    }

    fn most(&self, _places: &[usize], size: Size) -> usize {
        self.rows(size)
    }

    fn run(&self, batch: &[usize]) -> Vec<Tensor<1>> {
        let alphas: Vec<f64> = batch.iter().map(|place| self.asked[*place]).collect();
        let gradients = gradients_at_reads(self.pair, self.direction, &alphas);
        let scores = self.scores(gradients);
        let [points, width] = scores.dims();
        vec![scores.reshape([points * width])]
    }

    fn units(&self, batch: &[usize]) -> u64 {
        self.pair.cost.line(Depth::pre(0), batch.len(), false, self.senders.dims()[0])
    }

    fn keep(&mut self, batch: &[usize], numbers: &[TensorData]) -> Result<(), Error> {
        let scores = finite(&numbers[0], || "a gradient of an edge".to_owned())?;
        let sign = sign(self.direction);
        for (place, scores) in batch.iter().zip(scores.chunks(scores.len() / batch.len())) {
            // `+ 0.0`: a score of nothing is 0, not -0.
            let scores = scores.iter().map(|score| sign * score + 0.0);
            match self.weights.as_ref().zip(place.checked_sub(1)) {
                None => self.found[*place] = scores.collect(),
                Some((weights, other)) => {
                    let sum = &mut self.found[1];
                    sum.resize(scores.len(), 0.0);
                    for (sum, score) in sum.iter_mut().zip(scores) {
                        *sum += weights[other] * score;
                    }
                }
            }
        }
        Ok(())
    }

    fn renew(&mut self) {
        self.senders = deltas(self.pair, self.direction);
    }
}
