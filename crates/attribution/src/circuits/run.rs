//! Circuits of edges, run.

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::circuits::{Circuit, Graph};
use twinbeam_core::words::{Direction, Side};

use crate::batches::{Batch, Work, dealt_evenly, in_batches};
use crate::error::finite;
use crate::pace::Size;
use crate::site::Depth;
use crate::{Error, Progress, RunPair};

/// The metric of some circuits: each receiver reads the corrupted run, and of its edges in the circuit what their senders
/// write in this very run in place of what they write in the corrupted one.
///
/// # Units
/// The metric's: of the clean run for all edges, of the corrupted run for none.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Mueller et al. (2025), arXiv:2504.13151 (docs/METHODS.md#circuits-and-faithfulness).
pub async fn circuits(
    pair: &RunPair<'_>,
    circuits: &[Circuit],
    progress: &mut dyn Progress,
) -> Result<Vec<f32>, Error> {
    let gains = vec![0.0; circuits.len()];
    let mut runs = Runs { pair, graph: Graph::new(pair.shape()), circuits, gains };
    in_batches(pair, &mut runs, progress).await?;
    // The run that is changed is the corrupted one.
    Ok(runs.gains.iter().map(|gain| pair.after(Direction::Denoising, *gain)).collect())
}

struct Runs<'a, 'model> {
    pair: &'a RunPair<'model>,
    graph: Graph,
    circuits: &'a [Circuit],
    gains: Vec<f64>,
}

impl Runs<'_, '_> {
    fn n_run(&self) -> usize {
        self.pair.n_pos - self.pair.cost.shared_prefix_len()
    }

    /// Residual streams of the corrupted run with what the circuits' edges add to it; `receivers` from one on that read
    /// the same senders, and what these write differently `[circuits, senders, run positions, d_model]`, to
    /// `[circuits, receivers, run positions, d_model]`. The first circuit is that of no edges.
    fn read(
        &self,
        at: Depth,
        (first, receivers): (usize, usize),
        batch: &[usize],
        sent: &Tensor<4>,
    ) -> Tensor<4> {
        let [rows, senders, n_run, d_model] = sent.dims();
        let mut carried = vec![0.0; receivers * senders];
        for place in batch {
            let edges = self.graph.offset(first)..self.graph.offset(first) + receivers * senders;
            carried.extend(edges.map(|edge| f32::from(u8::from(self.circuits[*place].has(edge)))));
        }
        let carried = self.pair.model.vector(&carried).reshape([rows, receivers, senders]);
        let sent = sent.clone().reshape([rows, senders, n_run * d_model]);
        let added = carried.matmul(sent).reshape([rows, receivers, n_run, d_model]);
        let start = self.pair.cost.shared_prefix_len();
        self.pair.resid(at, Side::Corrupted, start).unsqueeze_dim::<4>(0) + added
    }

    /// What each head of a layer writes, whose queries, keys and values read streams of their own; `[circuits, 3 *
    /// n_heads, run positions, d_model]` to `[circuits, n_heads, run positions, d_model]`.
    fn heads(&self, layer: usize, read: Tensor<4>) -> Tensor<4> {
        let model = self.pair.model;
        let [rows, ports, n_run, d_model] = read.dims();
        let n_heads = self.graph.n_heads();
        let read = read.swap_dims(0, 1).reshape([ports, rows * n_run, d_model]);
        let qkv = model.ports(layer, read); // [3 * n_heads, circuits * run positions, d_head]
        let [_, _, d_head] = qkv.dims();
        let qkv = qkv.reshape([n_heads, 3, rows, n_run, d_head]).permute([1, 2, 0, 3, 4]);
        let [q, k, v] = [0, 1, 2].map(|part| qkv.clone().narrow(0, part, 1).squeeze_dim::<4>(0));
        let prefix = self.pair.prefix(self.pair.n_pos - n_run);
        let [k, v] = prefix.before(layer, [k, v]); // [circuits, n_heads, n_pos, d_head]
        let each = |part: Tensor<4>| {
            let [_, _, len, _] = part.dims();
            part.reshape([rows * n_heads, len, d_head])
        };
        let [q, k, v] = [q, k, v].map(each);
        let z = model.pattern(layer, q, k, prefix).matmul(v);
        let z = z.reshape([rows, n_heads, n_run, d_head]);
        let z = z.clone() - z.narrow(0, 0, 1);
        model.head_results(layer, z.swap_dims(1, 2))
    }

    /// Circuits of a batch.
    fn rows(&self, size: Size) -> usize {
        (self.pair.cost.batch_rows(self.n_run() * self.width(), None, size) - 1).max(1)
    }

    /// How many times as much a circuit holds as a residual stream does: about what each sender writes, three times, and
    /// what each receiver of a layer reads.
    fn width(&self) -> usize {
        let streams = 3 * self.graph.n_senders() + 4 * self.graph.n_ports();
        streams.div_ceil(48)
    }
}

impl Work for Runs<'_, '_> {
    fn places(&self) -> usize {
        self.circuits.len()
    }

    fn has_gradients(&self) -> bool {
        false
    }

    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>> {
        dealt_evenly(self.pair, places, self.rows(size))
    }

    fn most(&self, _places: &[usize], size: Size) -> usize {
        self.rows(size)
    }

    fn run(&self, batch: &[usize]) -> Vec<Tensor<1>> {
        let Self { pair, graph, .. } = *self;
        let model = pair.model;
        let start = pair.cost.shared_prefix_len();
        let of = |side| pair.resid(Depth::pre(0), side, start);
        let rows = batch.len() + 1;
        let embed = of(Side::Clean) - of(Side::Corrupted); // [1, run positions, d_model]
        let [_, n_run, d_model] = embed.dims();
        let mut sent = embed.unsqueeze_dim::<4>(0).expand([rows, 1, n_run, d_model]);
        let ports = graph.n_ports();
        for layer in 0..graph.n_layers() {
            let first = graph.first_of_layer(layer);
            let read = self.read(Depth::pre(layer), (first, ports), batch, &sent);
            sent = Tensor::cat(vec![sent, self.heads(layer, read)], 1);
            let read = self.read(Depth::mid(layer), (first + ports, 1), batch, &sent);
            let out = model.mlp_out(layer, read.squeeze_dim(1)); // [circuits, run positions, d_model]
            let out = out.clone() - out.narrow(0, 0, 1);
            sent = Tensor::cat(vec![sent, out.unsqueeze_dim(1)], 1);
        }
        let logits = graph.n_receivers() - 1;
        let read = self.read(Depth::pre(graph.n_layers()), (logits, 1), batch, &sent);
        vec![pair.measure.gain(model, read.squeeze_dim(1))]
    }

    fn units(&self, batch: &[usize]) -> u64 {
        self.pair.cost.circuits(batch.len() + 1)
    }

    fn keep(&mut self, batch: &[usize], numbers: &[TensorData]) -> Result<(), Error> {
        let gains = finite(&numbers[0], || "a circuit's metric".to_owned())?;
        for (place, gain) in batch.iter().zip(&gains[1..]) {
            self.gains[*place] = *gain;
        }
        Ok(())
    }

    fn renew(&mut self) {}
}
