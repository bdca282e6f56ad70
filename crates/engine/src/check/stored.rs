//! The check of a model that is too large to be held beside a GPU's: block by block from where it is stored.

use burn::tensor::TensorCreationOptions;
use twinbeam_attribution::{
    Advance, Baseline, Blocks, Error as MethodError, Integrated, Patched, RunPair, sample,
};
use twinbeam_core::scores::TableKey;
use twinbeam_core::wire::devices::{CheckReport, Claim};
use twinbeam_core::words::{Experiment, Method};

use super::Check;
use crate::model::without_blocks;
use crate::run::claimed;
use crate::weights::refused;
use crate::{ByteSource, DeviceKind, Error, Host, Model, Weights, question};

/// Bytes of activations that are kept of lines on their way through the model.
const MOST_KEPT: usize = 512 << 20;

/// Computes a sample of what a job has claimed, all of it in three passes through the stored blocks. More memory than
/// that of the embedding, one block and the streams is not needed.
///
/// # Errors
/// [`Error::Untrusted`]; files that cannot be read; cancelled through `host`.
pub async fn check_stored(
    source: &impl ByteSource,
    experiment: &Experiment,
    claims: &[Claim],
    host: &mut impl Host,
) -> Result<CheckReport, Error> {
    let device = DeviceKind::cpu("");
    let (model, weights) = without_blocks(source, &device).await?;
    let options = device.options(model.shape());
    let question = question(&model, experiment)?;
    let (gpt2, tokens) = (&model.gpt2, &question.tokens);
    let (answers, metric) = (question.answers.clone(), question.metric);
    let mut blocks =
        Stored { source, weights: &weights, model: &model, options, host, failed: None };
    let pair = RunPair::one_by_one(gpt2, &mut blocks, tokens, answers, metric).await;
    let pair = pair.map_err(|error| blocks.cause(error))?;
    let mut check = Check::of(pair, &question);
    let mut patches = Vec::new();
    let mut layers = Vec::new();
    // What is sampled of each claim.
    let mut places = Vec::new();
    for claim in claims {
        let mut of_claim = Vec::new();
        match claim {
            Claim::Runs { clean, corrupted } => check.runs(clean, corrupted)?,
            Claim::Integrals { key: TableKey { kind, method, direction }, layers: table } => {
                if let Some((layer, nodes)) = check.sampled_layer(table) {
                    let baseline = match method {
                        Method::IgZero => Baseline::Zero,
                        _ => Baseline::OtherRun(*direction),
                    };
                    layers.push(Integrated { kind: *kind, layer, baseline, nodes });
                    of_claim.push(layer);
                }
            }
            Claim::Patches(claimed) => {
                let components = check.components(claimed);
                of_claim = check.sampled_places(&components, &claimed.values);
                let direction = claimed.direction;
                let of = |place: &usize| Patched { component: components[*place], direction };
                patches.extend(of_claim.iter().map(of));
            }
        }
        places.push(of_claim);
    }
    let expected = sample(&check.pair, &mut blocks, &patches, &layers, MOST_KEPT).await;
    let (effects, integrals) = expected.map_err(|error| blocks.cause(error))?;
    let (mut effects, mut integrals) = (effects.into_iter(), integrals.iter());
    for (claim, places) in claims.iter().zip(places) {
        match claim {
            Claim::Runs { .. } => {}
            Claim::Integrals { key, layers } => {
                for (layer, expected) in places.into_iter().zip(integrals.by_ref()) {
                    check.compare_layer(*key, layers, layer, &claimed(expected))?;
                }
            }
            Claim::Patches(claimed) => {
                let (components, most) = (check.components(claimed), check.most(claimed));
                for (place, expected) in places.into_iter().zip(effects.by_ref()) {
                    let of = (components[place], claimed.direction);
                    check.one_patch(of, expected, claimed.values[place], most)?;
                }
            }
        }
    }
    Ok(check.report())
}

/// Blocks that are read when they are needed.
struct Stored<'a, S, H> {
    source: &'a S,
    weights: &'a Weights,
    model: &'a Model,
    options: TensorCreationOptions,
    host: &'a mut H,
    /// Why a block could not be had: a method can only be told to stop.
    failed: Option<Error>,
}

impl<S, H> Stored<'_, S, H> {
    /// What was wrong, where a method says that it was stopped.
    fn cause(&mut self, error: MethodError) -> Error {
        self.failed.take().unwrap_or_else(|| error.into())
    }
}

impl<S: ByteSource, H: Host> Blocks for Stored<'_, S, H> {
    fn bring(&mut self, layer: usize) -> Advance<'_> {
        Box::pin(async move {
            self.host.pause().await;
            if self.host.cancelled() {
                return Err(MethodError::Cancelled);
            }
            let params = self.weights.read_block(self.source, layer, &self.options).await;
            let brought = params.and_then(|params| {
                let brought = self.model.gpt2.bring(layer, &params);
                brought.map_err(|cause| refused(self.weights.name(), cause))
            });
            brought.map_err(|error| {
                self.failed = Some(error);
                MethodError::Cancelled
            })
        })
    }
}
