//! The methods by their definitions: full runs of the model with hooks, one component or one step at
//! a time. Slow, and what the fast path is tested against.

use burn::tensor::Tensor;
use twinbeam_core::{ComponentKind, Direction, HookName, TokenPair};
use twinbeam_gpt2::{Activations, Gpt2, Hooks};

use crate::run::{changed, put_in, sign};
use crate::{Error, RunPair, Side, gauss_legendre};

/// Tokens of the run that is changed, its activations at a site, and the values to put in.
struct Ends {
    tokens: Vec<u32>,
    from: Tensor<4>,
    to: Tensor<4>,
}

/// What the hook at the site returns instead of the activation.
struct Replace {
    name: HookName,
    /// `[1, pos, components, width of one]`.
    with: Tensor<4>,
}

impl Hooks for Replace {
    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        if name == self.name { self.with.clone().squeeze_dim(3) } else { activation }
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if name == self.name { self.with.clone() } else { activation }
    }
}

/// Activation patching of one component: one full run with its activation replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_one(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    kind: ComponentKind,
    (layer, index): (usize, usize),
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, kind, layer, direction, false);
    let after = ends.to.clone().narrow(2, index, 1);
    let pieces = (0..ends.from.dims()[2])
        .map(|i| if i == index { after.clone() } else { ends.from.clone().narrow(2, i, 1) });
    let with = Tensor::cat(pieces.collect(), 2);
    let before =
        read(pair, metric_with(pair, &ends.tokens, kind, layer, ends.from.clone())).await?;
    let after = read(pair, metric_with(pair, &ends.tokens, kind, layer, with)).await?;
    Ok((sign(direction) * (after - before)) as f32)
}

/// The joint layer patch: one full run with every component of the layer replaced.
///
/// # Errors
/// A device that fails.
pub async fn patch_layer(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
) -> Result<f32, Error> {
    let ends = ends(pair.model, tokens, kind, layer, direction, false);
    let before = read(pair, metric_with(pair, &ends.tokens, kind, layer, ends.from)).await?;
    let after = read(pair, metric_with(pair, &ends.tokens, kind, layer, ends.to)).await?;
    Ok((sign(direction) * (after - before)) as f32)
}

/// Integrated gradients of a layer, as captum computes them: one forward and backward pass per
/// node, the activation of the site replaced by its interpolation. With `only`, the line moves that
/// one component and the others stay, so that its score equals its patching effect.
///
/// # Errors
/// A device that fails.
pub async fn integrate_layer(
    pair: &RunPair<'_>,
    tokens: &TokenPair,
    (kind, layer): (ComponentKind, usize),
    direction: Direction,
    options: PlainOptions,
) -> Result<Vec<f32>, Error> {
    let ends = ends(pair.model, tokens, kind, layer, direction, options.from_zero);
    let [_, _, components, _] = ends.from.dims();
    let mut difference = ends.to - ends.from.clone();
    if let Some(only) = options.only {
        let kept = difference.clone().narrow(2, only, 1);
        let pieces =
            (0..components).map(|i| if i == only { kept.clone() } else { kept.zeros_like() });
        difference = Tensor::cat(pieces.collect(), 2);
    }
    let mut sum = difference.zeros_like();
    let nodes = match options.n_steps {
        // AtP: the gradient at the run that is changed.
        0 => vec![(0.0, 1.0)],
        n => gauss_legendre(n),
    };
    for (t, weight) in nodes {
        let point = (ends.from.clone() + difference.clone() * t).autodiff().require_grad();
        let metric = metric_with(pair, &ends.tokens, kind, layer, point.clone());
        let gradients = metric.backward();
        if let Some(gradient) = point.grad(&gradients) {
            sum = sum + gradient * weight;
        }
    }
    let scores = (sum * difference).sum_dim(3).sum_dim(1) * sign(direction); // [1, 1, components, 1]
    let data = scores.into_data_async().await.map_err(|source| pair.device_error(&source))?;
    Ok(data.iter::<f32>().collect())
}

/// How [`integrate_layer`] moves.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainOptions {
    /// Gauss-Legendre nodes; 0 is attribution patching.
    pub n_steps: usize,
    /// Move this component only.
    pub only: Option<usize>,
    /// Between the run that is changed and activations of zero.
    pub from_zero: bool,
}

fn ends(
    model: &Gpt2,
    tokens: &TokenPair,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
    from_zero: bool,
) -> Ends {
    let ids = |side| match side {
        Side::Clean => tokens.clean(),
        Side::Corrupted => tokens.corrupted(),
    };
    let at_site = |ids: &[u32]| {
        let (_, cache) = model.run_with_cache(model.tokens(&[ids]));
        match cache.get(site_name(kind, layer)) {
            Some(Activations::Heads(z)) => z.clone(),
            Some(Activations::Stream(post)) => post.clone().unsqueeze_dim(3),
            // OK because a full cache has every hook point of every layer.
            None => unreachable!("the site is a hook point"),
        }
    };
    let tokens = ids(changed(direction)).to_vec();
    let from = at_site(&tokens);
    let to = if from_zero { from.zeros_like() } else { at_site(ids(put_in(direction))) };
    Ends { tokens, from, to }
}

fn site_name(kind: ComponentKind, layer: usize) -> HookName {
    match kind {
        ComponentKind::Heads => HookName::Z(layer),
        ComponentKind::Neurons => HookName::Post(layer),
    }
}

/// The oriented metric of a full run with the site's activation replaced; `[1]`.
fn metric_with(
    pair: &RunPair<'_>,
    tokens: &[u32],
    kind: ComponentKind,
    layer: usize,
    with: Tensor<4>,
) -> Tensor<1> {
    let model = pair.model;
    let mut hooks = Replace { name: site_name(kind, layer), with };
    let embedded = model.embed(model.tokens(&[tokens]), &mut hooks);
    let resid = model.run_from_pre(0, embedded, &mut hooks);
    let last = model.final_norm(resid.narrow(1, tokens.len() - 1, 1));
    pair.measure.oriented(model, last).squeeze_dim(1)
}

async fn read(pair: &RunPair<'_>, metric: Tensor<1>) -> Result<f64, Error> {
    let data = metric.into_data_async().await.map_err(|source| pair.device_error(&source))?;
    Ok(data.iter::<f64>().next().unwrap_or(f64::NAN))
}
