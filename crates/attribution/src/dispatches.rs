//! How often a GPU is told to run a program for a job: what small models cost there, where arithmetic is next to
//! nothing.

use twinbeam_core::words::ComponentKind;

use crate::CostModel;
use crate::site::{Depth, Site};

/// Programs per half of a block, forward. A half of attention takes a little more, one of an MLP a little less.
const PER_HALF: f64 = 9.0;
/// How many times as many programs a pass with gradients takes as one without.
const WITH_GRADIENTS: f64 = 2.5;
/// Programs of each batch outside the blocks: streams that are joined, the metric, what is read.
const PER_BATCH: f64 = 15.0;

impl CostModel {
    /// Dispatches of patching every component of all layers, within its batches.
    pub fn patch_dispatches(&self, kind: ComponentKind) -> f64 {
        let (n_layers, width) = (self.shape().n_layers, kind.width(self.shape()));
        let rows = self.most_rows(0).max(1);
        let all = n_layers * width;
        let of_batch = |first: usize| {
            let joining = (first + rows).min(all).div_ceil(width) - first / width;
            self.forward(Site { kind, layer: first / width }.depth()) + joining as f64
        };
        (0..all).step_by(rows).map(of_batch).sum()
    }

    /// Dispatches of metric and gradient at some points of one layer's line.
    pub fn point_dispatches(
        &self,
        kind: ComponentKind,
        layer: usize,
        n: usize,
        from_zero: bool,
    ) -> f64 {
        let depth = Site { kind, layer }.depth();
        let rows = self.points_at_once(depth, from_zero).max(1);
        n.div_ceil(rows) as f64 * WITH_GRADIENTS * self.forward(depth)
    }

    /// Dispatches of one batch from a place to the metric.
    fn forward(&self, depth: Depth) -> f64 {
        PER_BATCH + PER_HALF * depth.halves_left(self.shape().n_layers) as f64
    }
}
