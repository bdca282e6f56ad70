//! What the methods cost: which positions and blocks residual streams still have to run through, in
//! floating-point operations. Progress, time left and batch sizes come from it, and the benchmark holds
//! what is reached against it.

use twinbeam_core::circuits::{Graph, Part};
use twinbeam_core::models::ModelShape;
use twinbeam_core::words::{ComponentKind, Metric, TokenPair};
use twinbeam_gpt2::kernels::MOST_KEYS;

use crate::pace::{LARGEST, Size};
use crate::site::{Depth, Half, Site};

/// Fewer positions in a batch than this are not worth being run beside another batch: reading the weights
/// would take most of the time.
pub(crate) const LEAST_POSITIONS: usize = 128;

/// Points of a line that are drawn in any case.
pub(crate) const DRAWN_POINTS: usize = 33;

/// A backward pass to the site, where only activations have gradients, costs as much as the forward
/// pass.
const WITH_GRADIENTS: u64 = 2;

/// Rows of a batch at first, whatever else it may take.
const MOST_ROWS: usize = 256;

/// Most groups of shader threads that WebGPU guarantees in one direction: the heads of all rows are one direction
/// of attention's products.
const MOST_GROUPS: usize = 65_535;

/// How much of a device one batch may take.
///
/// On a GPU that is where batches begin; [`crate::Pace`] finds whether larger ones are faster. They never hold more than
/// half of the largest buffer that the device binds, with gradients all of it, or eight times the first size where that
/// is less: no device says how much memory it has, and the largest buffer is the only hint. What a batch holds is
/// what its widest block computes (with gradients: all blocks), not the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of all that a batch holds at a time.
    pub batch: usize,
    /// Bytes of all that a batch with gradients holds, which keeps what every block computes.
    pub gradients: usize,
    /// Bytes of the largest buffer that the device binds.
    pub buffer: usize,
    /// Whether kernels of our own compute a block, which keep little of what is on the way.
    pub has_kernels: bool,
}

impl Budget {
    /// The budget of one of several batches that a CPU runs at once: small enough for its caches to help, large enough
    /// that the matrix products are large, and with many cores no more than they have together.
    pub fn cpu(lanes: usize) -> Self {
        // A browser's worker is one thread, whose caches nobody else fills.
        let batch = if cfg!(target_family = "wasm") { 96 << 20 } else { 48 << 20 };
        let together = |bytes: usize| bytes.min((1 << 30) / lanes.max(1));
        let [batch, gradients] = [batch, 192 << 20].map(together);
        Self { batch, gradients, buffer: usize::MAX, has_kernels: false }
    }

    /// The budget of a GPU that binds buffers of some size, in bytes: products that keep it busy, of memory that every
    /// GPU has.
    pub const fn gpu(buffer: usize) -> Self {
        Self { batch: 192 << 20, gradients: 384 << 20, buffer, has_kernels: true }
    }
}

/// What is needed for one question: the floor, which every fast way has to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostModel {
    budget: Budget,
    shape: ModelShape,
    n_pos: usize,
    /// Before it the two runs are the same. The last position is run in any case.
    start: usize,
    /// Directions of the unembedding that the metric asks for.
    readout: usize,
}

impl CostModel {
    /// The costs of comparing two prompts on a model of a size.
    pub fn new(shape: &ModelShape, tokens: &TokenPair, metric: Metric) -> Self {
        let n_pos = tokens.n_pos();
        let readout = if metric == Metric::LogitDiff { 1 } else { shape.d_vocab };
        let start = tokens.first_difference().min(n_pos - 1);
        Self { budget: Budget::cpu(1), shape: *shape, n_pos, start, readout }
    }

    /// This cost model with batches for another device.
    #[must_use]
    pub const fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Sizes of the model.
    pub(crate) const fn shape(&self) -> &ModelShape {
        &self.shape
    }

    /// Length of the prefix of positions that are the same in every run.
    pub(crate) const fn shared_prefix_len(&self) -> usize {
        self.start
    }

    /// First position that is run from a place on. Those before it are the same in every run, and what later
    /// ones read of them is kept.
    pub(crate) fn start(&self, depth: Depth, from_zero: bool) -> usize {
        // No position reads another one after the last attention, and zero differs at every position.
        if self.is_last(depth) {
            self.n_pos - 1
        } else if from_zero {
            0
        } else {
            self.start
        }
    }

    /// Floating-point operations of patching components of some layers, one for each time that a layer is
    /// named.
    pub fn patches(&self, kind: ComponentKind, layers: impl IntoIterator<Item = usize>) -> u64 {
        layers.into_iter().map(|layer| self.joined(Site { kind, layer }.depth())).sum()
    }

    /// Floating-point operations of patching every component of a layer.
    pub fn patch(&self, kind: ComponentKind, layer: usize) -> u64 {
        kind.width(&self.shape) as u64 * self.patches(kind, [layer])
    }

    /// Floating-point operations of metric and gradient at some points of one layer's line.
    pub fn points(&self, kind: ComponentKind, layer: usize, n: usize, from_zero: bool) -> u64 {
        let depth = Site { kind, layer }.depth();
        self.line(depth, n, from_zero, kind.width(&self.shape))
    }

    /// Floating-point operations of metric and gradient at `n` points of a line at any place, where `width` numbers per
    /// position are what the gradient is looked at with.
    pub(crate) fn line(&self, depth: Depth, n: usize, from_zero: bool, width: usize) -> u64 {
        let n_run = self.n_pos - self.start(depth, from_zero);
        // Each gradient's product with what is added.
        let dot = [2, n_run, self.shape.d_model, width].map(|n| n as u64).iter().product::<u64>();
        n as u64 * (WITH_GRADIENTS * self.stream(depth, n_run) + dot)
    }

    /// Floating-point operations of one stream that joins at a place.
    pub(crate) fn joined(&self, depth: Depth) -> u64 {
        self.stream(depth, self.n_pos - self.start(depth, false))
    }

    /// Floating-point operations of the metric along a layer's line, of which `n` points are found on the way.
    pub fn integrand(&self, kind: ComponentKind, layer: usize, n: usize) -> u64 {
        // About as many again are drawn, and a cut line is integrated.
        self.points(kind, layer, 2 * n + 2 * DRAWN_POINTS, false)
    }

    /// Floating-point operations of what a component does at each position, with `n` points of its line.
    pub fn positions(&self, kind: ComponentKind, layer: usize, n: usize) -> u64 {
        let depth = Site { kind, layer }.depth();
        let n_run = self.n_pos - self.start(depth, false);
        // The gradient is looked at with all of the layer, and with the component by position.
        let width = kind.width(&self.shape) + 1;
        n_run as u64 * self.joined(depth) + self.line(depth, n, false, width)
    }

    /// Floating-point operations of all streams at each layer and position, with `n` points of each line.
    pub fn streams(&self, n: usize) -> u64 {
        let places = (0..self.shape.n_layers)
            .flat_map(|layer| [Depth::pre(layer), Depth::mid(layer), Depth::pre(layer + 1)]);
        let each = |depth| {
            let n_run = self.n_pos - self.start(depth, false);
            n_run as u64 * self.joined(depth) + self.line(depth, n, false, 1)
        };
        places.map(each).sum()
    }

    /// Floating-point operations of full runs of some numbers of positions.
    pub fn runs(&self, n_pos: impl IntoIterator<Item = usize>) -> u64 {
        // In 64 bits, which a browser's `usize` does not have.
        let ModelShape { n_layers, d_model, d_mlp, .. } = self.shape;
        let [n_layers, d, d_mlp, readout] =
            [n_layers, d_model, d_mlp, self.readout].map(|n| n as u64);
        let block = |n: u64| 8 * n * d * d + 4 * d * n * n + 4 * n * d * d_mlp;
        n_pos.into_iter().map(|n| n_layers * block(n as u64) + 2 * d * readout).sum()
    }

    /// Floating-point operations of `n` full runs of one of the two prompts.
    pub fn ablations(&self, n: usize) -> u64 {
        n as u64 * self.runs([self.n_pos])
    }

    /// Floating-point operations of patching some edges by their numbers in the model's graph.
    pub fn edges(&self, edges: impl IntoIterator<Item = usize>) -> u64 {
        let graph = Graph::new(&self.shape);
        let reads = |edge| graph.receiver(graph.ends(edge).1);
        let of = |edge| self.joined(Depth::behind(reads(edge), self.shape.n_layers));
        edges.into_iter().map(of).sum()
    }

    /// Floating-point operations of estimating all edges from gradients at `n` points.
    pub fn edge_estimates(&self, n: usize) -> u64 {
        self.line(Depth::pre(0), n, false, Graph::new(&self.shape).n_senders())
    }

    /// Floating-point operations of what an edge carries at each position, with `n` points of its estimates.
    pub fn edge_positions(&self, edge: usize, n: usize) -> u64 {
        (self.n_pos - self.start) as u64 * self.edges([edge]) + self.edge_estimates(n)
    }

    /// Floating-point operations of parts of heads and MLPs, with `n` points of each line.
    pub fn parts(&self, wanted: &[Part], n: usize) -> u64 {
        let of = |part: &Part, layer: usize| {
            let depth = Depth::of_part(*part, layer);
            let width = part.width(&self.shape);
            width as u64 * self.joined(depth) + self.line(depth, n, false, width)
        };
        (0..self.shape.n_layers)
            .map(|layer| wanted.iter().map(|part| of(part, layer)).sum::<u64>())
            .sum()
    }

    /// Floating-point operations of direct effects of all heads, MLPs and neurons.
    pub fn direct(&self) -> u64 {
        let ModelShape { n_layers, n_heads, d_mlp, .. } = self.shape;
        let n = n_layers as u64 * (n_heads as u64 + 1 + d_mlp as u64);
        n * self.joined(Depth::pre(n_layers))
    }

    /// Floating-point operations of `n` circuits: a run each of the positions that can differ, and what each receiver
    /// reads added up from what senders write.
    pub fn circuits(&self, n: usize) -> u64 {
        let graph = Graph::new(&self.shape);
        let n_run = (self.n_pos - self.start) as u64;
        let added = 2 * graph.n_edges() as u64 * n_run * self.shape.d_model as u64;
        n as u64 * (self.joined(Depth::pre(0)) + added)
    }

    /// Whether no attention follows, so that the last position is all that matters.
    fn is_last(&self, depth: Depth) -> bool {
        depth >= Depth::mid(self.shape.n_layers - 1)
    }

    /// Floating-point operations of one residual stream from a place to the metric.
    fn stream(&self, depth: Depth, n_run: usize) -> u64 {
        let last = self.shape.n_layers;
        // In 64 bits, which a browser's `usize` does not have.
        let [d, d_mlp, n_pos, readout] =
            [self.shape.d_model, self.shape.d_mlp, self.n_pos, self.readout].map(|n| n as u64);
        let n_run = n_run as u64;
        let (mut at, mut sum) = (depth, 2 * d * readout);
        while at < Depth::pre(last) {
            let (half, next) = at.step();
            // The last block is asked for the last position only.
            let queries = if self.is_last(next) { 1 } else { n_run };
            sum += match half {
                Half::Attention(_) => {
                    2 * d * (3 * d * n_run + d * queries) + 4 * d * n_pos * queries
                }
                Half::Mlp(_) => 4 * queries * d * d_mlp,
            };
            at = next;
        }
        sum
    }

    /// Numbers per position that one block holds at its widest, or keeps for its gradients.
    ///
    /// By operation that is each result with what its gradient needs. Of the kernels it is at its widest `2 * d_mlp +
    /// 4 * d_model`, and for gradients `d_mlp + 5 * d_model`, besides the pattern while gradients of attention are
    /// computed; the rest is room for what is made and given back in between.
    fn numbers_per_block(&self) -> usize {
        let ModelShape { d_model, d_mlp, n_heads, .. } = self.shape;
        let scores = 4 * n_heads * self.n_pos;
        if self.budget.has_kernels && self.n_pos <= MOST_KEYS {
            2 * d_mlp + 10 * d_model + scores
        } else {
            8 * d_mlp + 16 * d_model + scores
        }
    }

    /// Residual streams per batch of a size, of some positions; with gradients from a layer on.
    pub(crate) fn batch_rows(
        &self,
        n_run: usize,
        gradients_from: Option<usize>,
        size: Size,
    ) -> usize {
        let Self { budget, shape, n_pos, readout, .. } = self;
        let per_block = self.numbers_per_block();
        let (bytes, blocks, most_bytes) = match gradients_from {
            Some(layer) => (budget.gradients, shape.n_layers - layer, budget.buffer),
            None => (budget.batch, 1, budget.buffer / 2),
        };
        // In 64 bits, since all blocks of a long prompt can be more than a browser's `usize` counts.
        let row = 4 * (n_run as u64 * per_block as u64 * blocks as u64 + 4 * *readout as u64);
        let in_all = (bytes as u64 / row) as usize;
        let widest = shape.d_mlp.max(3 * shape.d_model).max(shape.n_heads * n_pos);
        let largest = (n_run * widest).max(*readout);
        let bindable = budget.buffer / (4 * largest);
        let first = in_all.min(bindable).clamp(2, MOST_ROWS);
        if size <= 0 {
            return (first >> size.unsigned_abs().min(usize::BITS - 1)).max(2);
        }
        let grown = (bytes as u64).saturating_mul(1 << LARGEST);
        let in_all = (grown.min(most_bytes as u64) / row) as usize;
        let most = in_all.min(bindable).min(MOST_GROUPS / shape.n_heads);
        (first << size.min(LARGEST)).min(most.max(first))
    }

    /// Residual streams per batch without gradients.
    pub(crate) fn most_rows(&self, size: Size) -> usize {
        self.batch_rows(self.n_pos - self.start, None, size)
    }

    /// Points of a line from a place on per batch, with gradients.
    pub(crate) fn points_at_once(&self, depth: Depth, from_zero: bool) -> usize {
        self.batch_rows(self.n_pos - self.start(depth, from_zero), Some(depth.block()), 0)
    }

    /// How streams at some places are dealt to batches that are run at once, so that all of these cost the same:
    /// groups of batches of places.
    pub(crate) fn deal(&self, places: &[usize], lanes: usize, size: Size) -> Vec<Vec<Vec<usize>>> {
        self.deal_runs(places, self.n_pos - self.start, lanes, size)
    }

    /// How streams of `n_run` positions are dealt to batches that are run at once: groups of batches of places.
    pub(crate) fn deal_runs(
        &self,
        places: &[usize],
        n_run: usize,
        lanes: usize,
        size: Size,
    ) -> Vec<Vec<Vec<usize>>> {
        let (most, n) = (self.batch_rows(n_run, None, size), places.len());
        let group = |places: &[usize]| {
            let wanted = places.len() * n_run / LEAST_POSITIONS;
            let batches = wanted.clamp(1, lanes).max(places.len().div_ceil(most));
            (0..batches).map(|b| places[b..].iter().copied().step_by(batches).collect()).collect()
        };
        // Groups of one size: a small rest would be run by itself.
        let groups = n.div_ceil(most * lanes).max(1);
        places.chunks(n.div_ceil(groups).max(1)).map(group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GPT-2 small and the notebook's pair (docs/METHODS.md#the-notebook): 17 tokens, of which the eleventh differs.
    fn notebook() -> (ModelShape, CostModel) {
        let shape = ModelShape::GPT2_SMALL;
        let (clean, mut corrupted) = (vec![1; 17], vec![1; 17]);
        corrupted[10] = 2;
        let tokens = TokenPair::new(clean, corrupted, &shape).expect("a pair");
        (shape, CostModel::new(&shape, &tokens, Metric::LogitDiff))
    }

    #[test]
    fn the_notebooks_job_costs_what_was_counted_by_hand() {
        let (shape, cost) = notebook();
        let all = |each: &dyn Fn(usize) -> u64| (0..shape.n_layers).map(each).sum::<u64>() as f64;
        let neurons = all(&|layer| cost.patch(ComponentKind::Neurons, layer));
        assert!((neurons / 17.7e12 - 1.0).abs() < 0.02, "{neurons:e}");
        let heads = all(&|layer| cost.patch(ComponentKind::Heads, layer));
        assert!((heads / 0.079e12 - 1.0).abs() < 0.02, "{heads:e}");
        let ig = |kind| all(&|layer| cost.points(kind, layer, 52, false));
        let ig = ig(ComponentKind::Heads) + ig(ComponentKind::Neurons);
        assert!((ig / 1.32e12 - 1.0).abs() < 0.05, "{ig:e}");
    }

    #[test]
    fn every_stream_is_dealt_once_and_all_batches_of_a_group_cost_the_same() {
        let (_, cost) = notebook();
        for (n, lanes) in [(1, 2), (12, 16), (144, 2), (144, 1), (5000, 3)] {
            for size in [0, 1, -3, -100] {
                let places: Vec<usize> = (0..n).map(|place| 3 * place).collect();
                let groups = cost.deal(&places, lanes, size);
                let mut seen: Vec<usize> = groups.iter().flatten().flatten().copied().collect();
                seen.sort_unstable();
                assert_eq!(seen, places, "{n} on {lanes}");
                for group in groups {
                    assert!((1..=lanes).contains(&group.len()), "{n} on {lanes}");
                    let lens = || group.iter().map(Vec::len);
                    let (least, most) = (lens().min(), lens().max());
                    assert!(most.expect("batches") - least.expect("batches") <= 1);
                    assert!(most.expect("batches") <= cost.batch_rows(7, None, size));
                }
            }
        }
    }

    #[test]
    fn batches_fit_the_buffers_of_a_device() {
        let (_, cost) = notebook();
        let gpu = cost.within(Budget::gpu(128 << 20));
        assert!(gpu.most_rows(0) > cost.most_rows(0), "a GPU is kept busy");
        let row = 4 * 7 * 3072;
        for buffer in [10 * row, 100 * row, 1000 * row] {
            for size in 0..=LARGEST {
                let rows = cost.within(Budget::gpu(buffer)).most_rows(size);
                assert!(rows * row <= buffer, "{rows} rows in {buffer} bytes");
            }
        }
    }

    #[test]
    fn batches_double_up_to_a_part_of_what_a_device_binds() {
        let (_, cost) = notebook();
        let rows = |buffer: u64, gradients_from| {
            let gpu = cost.within(Budget::gpu(usize::try_from(buffer).expect("64 bits")));
            (0..=LARGEST).map(|size| gpu.batch_rows(7, gradients_from, size)).collect::<Vec<_>>()
        };
        let large = rows(4 << 30, None);
        assert_eq!(large, [large[0], 2 * large[0], 4 * large[0], 8 * large[0]]);
        let large = rows(4 << 30, Some(0));
        assert_eq!(large, [large[0], 2 * large[0], 4 * large[0], 8 * large[0]]);
        // A stream of one block holds 0.4 MB, of twelve 4.9.
        let of_block = 4 * 7 * (2 * 3072 + 10 * 768 + 4 * 12 * 17);
        let medium = rows(1 << 30, None);
        assert_eq!(medium[..2], [medium[0], 2 * medium[0]]);
        assert!(medium[3] < 8 * medium[0] && medium[3] * of_block <= (1 << 29), "{medium:?}");
        let gradients = rows(1 << 30, Some(0));
        assert!(gradients[3] > gradients[1] && gradients[3] * 12 * of_block <= (1 << 30));
        // What is guaranteed is what it begins with.
        let least = rows(128 << 20, None);
        assert_eq!(least[3], least[0], "{least:?}");
        // No direction of a product has more groups than every device takes.
        let huge = Budget { batch: usize::MAX, ..Budget::gpu(1 << 40) };
        let small = cost.within(huge);
        assert!(small.batch_rows(1, None, LARGEST) * 12 <= MOST_GROUPS);
    }

    #[test]
    fn batches_halve_down_to_two_rows() {
        let (_, cost) = notebook();
        let rows: Vec<usize> = (0..20).map(|halves| cost.most_rows(-halves)).collect();
        assert_eq!(rows[..3], [rows[0], rows[0] / 2, rows[0] / 4]);
        assert!(rows.is_sorted_by(|a, b| a >= b) && rows[19] == 2, "{rows:?}");
    }

    #[test]
    fn few_streams_stay_together() {
        let (_, cost) = notebook();
        let deal = |n: usize| cost.deal(&(0..n).collect::<Vec<_>>(), 2, 0).concat();
        assert_eq!(deal(12).len(), 1);
        assert_eq!(deal(144).iter().map(Vec::len).max(), Some(36));
    }
}
