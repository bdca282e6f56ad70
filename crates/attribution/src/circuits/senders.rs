//! What each sender writes differently in the two runs.

use burn::tensor::Tensor;
use twinbeam_core::words::{ComponentKind, Direction};

use crate::RunPair;
use crate::site::{Depth, Site, changed, put_in};
use crate::suffix::Contributions;

/// What each sender writes in the run whose values are put in, minus what it writes in the changed one, in the order of
/// [`twinbeam_core::circuits::Graph`]'s senders: of the positions that can differ; `[senders, run positions, d_model]`.
pub(crate) fn deltas(pair: &RunPair<'_>, direction: Direction) -> Tensor<3> {
    let start = pair.cost.shared_prefix_len();
    let (from, to) = (changed(direction), put_in(direction));
    let first = Depth::pre(0);
    let embed = pair.resid(first, to, start) - pair.resid(first, from, start);
    let of_site =
        |kind, layer| Contributions::between(pair, Site { kind, layer }, from, Some(to), start);
    let mut all = vec![embed];
    for layer in 0..pair.n_layers() {
        match of_site(ComponentKind::Heads, layer) {
            Contributions::Heads(heads) => all.push(heads),
            // OK because contributions of heads are theirs.
            Contributions::Neurons { .. } | Contributions::Positions { .. } => unreachable!(),
        }
        all.push(of_site(ComponentKind::Neurons, layer).total());
    }
    Tensor::cat(all, 0)
}
