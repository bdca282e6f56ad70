//! What the methods cost: which positions and blocks a site's residual streams still have to run
//! through, in floating-point operations.

use twinbeam_core::{ComponentKind, ModelShape, TokenPair};

/// Memory that one batch may take, in bytes. Small enough for a browser's heap, large enough that
/// the matrix products are large.
const BATCH_BYTES: usize = 192 << 20;

/// A backward pass to the site, where only activations have gradients, costs as much as the forward
/// pass.
const WITH_GRADIENTS: u64 = 2;

/// The part of a run that follows a site, for one residual stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest<'shape> {
    shape: &'shape ModelShape,
    kind: ComponentKind,
    layer: usize,
    n_pos: usize,
    /// First position that is run. Those before it are the same in every run, and what later ones
    /// read of them is kept.
    pub(crate) start: usize,
}

impl<'shape> Rest<'shape> {
    /// `first`: the first position at which the streams of the site may differ.
    pub(crate) fn new(
        shape: &'shape ModelShape,
        kind: ComponentKind,
        layer: usize,
        n_pos: usize,
        first: usize,
    ) -> Self {
        // No position reads another one after the last attention.
        let start = if layer + 1 == shape.n_layers { n_pos - 1 } else { first.min(n_pos - 1) };
        Self { shape, kind, layer, n_pos, start }
    }

    /// Positions that are run.
    pub(crate) const fn n_run(&self) -> usize {
        self.n_pos - self.start
    }

    /// Floating-point operations of one stream, without the final readout's logits.
    pub(crate) fn flops(&self) -> u64 {
        let Self { shape, kind, layer, n_pos, .. } = *self;
        let (d, d_mlp) = (shape.d_model, shape.d_mlp);
        let mlp = |positions: usize| 4 * positions * d * d_mlp;
        let attention = |queries: usize| {
            let project = 2 * d * (3 * d * self.n_run() + d * queries);
            project + 4 * d * n_pos * queries
        };
        let own = if kind == ComponentKind::Heads { mlp(self.n_run()) } else { 0 };
        let blocks = (layer + 1..shape.n_layers).map(|later| {
            // The last block is asked for the last position only.
            let queries = if later + 1 == shape.n_layers { 1 } else { self.n_run() };
            attention(queries) + mlp(queries)
        });
        // One direction of the unembedding: never nothing.
        (own + blocks.sum::<usize>() + 2 * d) as u64
    }

    /// Residual streams per batch.
    pub(crate) fn batch_rows(&self, gradients: bool) -> usize {
        let shape = self.shape;
        // Per position: what one block holds at its widest, or, for gradients, what all of them keep.
        let per_block = 8 * shape.d_mlp + 16 * shape.d_model + 4 * shape.n_heads * self.n_pos;
        let kept = if gradients { shape.n_layers } else { 1 };
        (BATCH_BYTES / (4 * self.n_run() * per_block * kept)).clamp(2, 256)
    }

    /// Work of a batch of streams.
    pub(crate) fn work(&self, rows: usize, gradients: bool) -> u64 {
        let each = if gradients { WITH_GRADIENTS * self.flops() } else { self.flops() };
        rows as u64 * each
    }
}

/// Floating-point operations of patching the components of one layer.
pub fn patch_work(
    shape: &ModelShape,
    kind: ComponentKind,
    layer: usize,
    tokens: &TokenPair,
) -> u64 {
    let rest = Rest::new(shape, kind, layer, tokens.n_pos(), tokens.first_difference());
    let width = kind.width(shape);
    // Every batch also runs the unchanged stream.
    let batches = width.div_ceil(rest.batch_rows(false));
    rest.work(width + batches, false)
}

/// Floating-point operations of integrating one layer in `n_steps` steps; from zero, no position is
/// spared.
pub fn integral_work(
    shape: &ModelShape,
    kind: ComponentKind,
    layer: usize,
    n_steps: usize,
    tokens: &TokenPair,
    from_zero: bool,
) -> u64 {
    let first = if from_zero { 0 } else { tokens.first_difference() };
    let rest = Rest::new(shape, kind, layer, tokens.n_pos(), first);
    // Both ends of the line are rows of their own.
    rest.work(n_steps + 2, true)
}
