//! Gradients of the metric at what each receiver reads, along the line between the two runs' embeddings.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;
use twinbeam_core::words::Direction;
use twinbeam_gpt2::Hooks;

use crate::RunPair;
use crate::site::{Depth, changed, put_in};

/// Runs the model from embeddings that have gone the part `alpha` of their way from the changed run's to the others', at
/// several points at once, and back: the gradients of the oriented metric at each receiver's own residual stream, of
/// the queries, keys and values of each layer, then of its MLP, at the end of the logits; `[receivers, points, run
/// positions, d_model]` each.
pub(crate) fn gradients_at_reads(
    pair: &RunPair<'_>,
    direction: Direction,
    alphas: &[f64],
) -> Vec<Tensor<4>> {
    let (model, n_layers) = (pair.model, pair.n_layers());
    let start = pair.cost.shared_prefix_len();
    let embedded = |side| pair.resid(Depth::pre(0), side, start);
    let from = embedded(changed(direction));
    let way = embedded(put_in(direction)) - from.clone();
    let alphas: Vec<f32> = alphas.iter().map(|alpha| *alpha as f32).collect();
    let points = alphas.len();
    let resid = from + way * model.vector(&alphas).reshape([points, 1, 1]);
    let mut leaves = Leaves { n_layers, ..Leaves::default() };
    let last = model.run_after(pair.prefix(start), 0..n_layers, resid, &mut leaves);
    let gradients = pair.measure.gain(model, last).backward();
    let mut found = Vec::with_capacity(2 * n_layers + 1);
    for layer in 0..n_layers {
        let heads = |name| {
            let leaf: &Tensor<4> = &leaves.heads[&name];
            leaf.grad(&gradients).unwrap_or_else(|| leaf.clone().without_autodiff().zeros_like())
        };
        let at = [HookName::Q(layer), HookName::K(layer), HookName::V(layer)].map(heads);
        found.push(model.read_by_ports(layer, leaves.read(HookName::ResidPre(layer)), at));
        let at = leaves.gradient(HookName::Pre(layer), &gradients);
        let read = leaves.read(HookName::ResidMid(layer));
        found.push(model.read_by_mlp(layer, read, at).unsqueeze_dim(0));
    }
    let at = leaves.gradient(HookName::ResidPost(n_layers - 1), &gradients);
    found.push(at.unsqueeze_dim(0));
    found
}

/// Adds a leaf of zero wherever a receiver's own gradient is wanted, and keeps what is read there.
///
/// Gradients at the residual stream itself would be those of all that follows.
#[derive(Default)]
struct Leaves {
    n_layers: usize,
    heads: BTreeMap<HookName, Tensor<4>>,
    streams: BTreeMap<HookName, Tensor<3>>,
    read: BTreeMap<HookName, Tensor<3>>,
}

impl Leaves {
    fn read(&self, name: HookName) -> Tensor<3> {
        self.read[&name].clone()
    }

    fn gradient(&self, name: HookName, gradients: &burn::tensor::Gradients) -> Tensor<3> {
        let leaf = &self.streams[&name];
        leaf.grad(gradients).unwrap_or_else(|| leaf.clone().without_autodiff().zeros_like())
    }
}

impl Hooks for Leaves {
    fn reads(&self, name: HookName) -> bool {
        match name {
            HookName::Q(_)
            | HookName::K(_)
            | HookName::V(_)
            | HookName::Pre(_)
            | HookName::ResidPre(_)
            | HookName::ResidMid(_) => true,
            HookName::ResidPost(layer) => layer + 1 == self.n_layers,
            _ => false,
        }
    }

    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        match name {
            HookName::ResidPre(_) | HookName::ResidMid(_) => {
                self.read.insert(name, activation.clone().detach().without_autodiff());
                activation
            }
            HookName::Pre(_) | HookName::ResidPost(_) if self.reads(name) => {
                let leaf = activation.clone().without_autodiff().zeros_like().autodiff();
                let leaf = leaf.require_grad();
                self.streams.insert(name, leaf.clone());
                activation + leaf
            }
            _ => activation,
        }
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if !self.reads(name) {
            return activation;
        }
        let leaf = activation.clone().without_autodiff().zeros_like().autodiff().require_grad();
        self.heads.insert(name, leaf.clone());
        activation + leaf
    }
}
