//! A job in shares: parts of a table that can be computed by themselves, here or wherever the same model is.
//!
//! A share is cut as one worker alone would cut it, so that whoever computes it gets the same numbers, bit for bit.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use twinbeam_attribution::{
    Baseline, LayerIntegral, Nodes, Progress, RunPair, integrate_layers, patch_some,
};
use twinbeam_core::scores::TableKey;
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Phase};

use crate::run::Ticker;
use crate::{Error, Host, Model, Question};

/// A part of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// Integrals of some layers.
    Integrals {
        /// The table; its method is from the other run's activations, or from zero.
        key: TableKey,
        /// The layers.
        layers: Range<usize>,
    },
    /// Effects of some patched components.
    Patches {
        /// Heads or neurons.
        kind: ComponentKind,
        /// Which run is changed.
        direction: Direction,
        /// The components' places in their table, row by row.
        places: Vec<usize>,
    },
}

/// What computing a share has found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Found {
    /// One integral per layer.
    Integrals(Vec<LayerIntegral>),
    /// One effect per component, in the metric's unit.
    Patches(Vec<f32>),
}

/// A share that has been computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Computed {
    /// What was found.
    pub found: Found,
    /// Units of work that it took, of those that progress is counted in.
    pub units: u64,
}

impl Share {
    /// What is being done while it is computed.
    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::Integrals { key: TableKey { kind: ComponentKind::Heads, .. }, .. } => {
                Phase::IgHeads
            }
            Self::Integrals { .. } => Phase::IgNeurons,
            Self::Patches { kind: ComponentKind::Heads, .. } => Phase::ApHeads,
            Self::Patches { .. } => Phase::ApNeurons,
        }
    }

    /// Units of work that are counted on, where each line is cut at `expected` points.
    pub(crate) fn units(&self, pair: &RunPair<'_>, expected: usize) -> u64 {
        let cost = pair.cost();
        match self {
            Self::Integrals { key, layers } => {
                let from_zero = key.method == Method::IgZero;
                layers.clone().map(|layer| cost.points(key.kind, layer, expected, from_zero)).sum()
            }
            Self::Patches { kind, places, .. } => {
                let width = kind.width(pair.shape());
                cost.patches(*kind, places.iter().map(|place| place / width))
            }
        }
    }

    /// Computes the share on the device that the pair was run on.
    ///
    /// # Errors
    /// Those of the method.
    pub(crate) async fn compute(
        &self,
        pair: &RunPair<'_>,
        nodes: Nodes,
        progress: &mut dyn Progress,
    ) -> Result<Found, Error> {
        match self {
            Self::Integrals { key, layers } => {
                let (layers, baseline) = (layers.clone(), baseline(*key));
                let found =
                    integrate_layers(pair, key.kind, layers, baseline, nodes, progress).await?;
                Ok(Found::Integrals(found))
            }
            Self::Patches { kind, direction, places } => {
                let width = kind.width(pair.shape());
                let component = |place: &usize| Component::at(*kind, *place, width);
                let components: Vec<Component> = places.iter().map(component).collect();
                Ok(Found::Patches(patch_some(pair, &components, *direction, progress).await?))
            }
        }
    }
}

/// What the lines of a table of integrals lead to.
pub(crate) fn baseline(key: TableKey) -> Baseline {
    match key.method {
        Method::IgZero => Baseline::Zero,
        _ => Baseline::OtherRun(key.direction),
    }
}

/// Who computes shares of somebody else's job: the same model, and both runs of the same question.
#[derive(Debug)]
pub struct Assistant<'model> {
    model: &'model Model,
    pair: RunPair<'model>,
    nodes: Nodes,
}

impl<'model> Assistant<'model> {
    /// Runs both prompts of the question.
    ///
    /// # Errors
    /// A device that fails, logits that are not finite.
    pub async fn new(model: &'model Model, question: &Question) -> Result<Self, Error> {
        let pair = model.runs(question).await?;
        let nodes = question.nodes(&pair);
        Ok(Self { model, pair, nodes })
    }

    /// Computes a share of a job.
    ///
    /// # Errors
    /// [`twinbeam_attribution::Error::Cancelled`] when the host wants it, a device that fails, results that are not
    /// finite.
    pub async fn compute(
        &self,
        job: u64,
        share: &Share,
        host: &mut impl Host,
    ) -> Result<Computed, Error> {
        let mut ticker = Ticker::new(host, job, share.phase(), 0, self.model.watch.begin());
        let found = Box::pin(share.compute(&self.pair, self.nodes, &mut ticker)).await;
        let found = ticker.settle(found).await?;
        #[cfg(feature = "faults")]
        crate::faults::after_strip();
        Ok(Computed { found, units: ticker.done() })
    }
}
