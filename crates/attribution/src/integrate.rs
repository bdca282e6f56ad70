use burn::tensor::{Tensor, Transaction};
use twinbeam_core::{ComponentKind, Direction};

use crate::error::finite;
use crate::run::{Side, Site, changed, put_in, sign};
use crate::suffix::{Contributions, run_suffix};
use crate::{Error, Progress, RunPair, gauss_legendre};

/// What moving one layer along a straight line says of its components.
///
/// # Units
/// The metric's. Positive: the component supports the clean behaviour.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerIntegral {
    /// Integrated gradients; one per component.
    pub ig: Vec<f32>,
    /// Attribution patching: the gradient at the run that is changed; one per component.
    pub atp: Vec<f32>,
    /// Effect of putting in the whole layer.
    pub joint: f32,
    /// Sum of `ig` minus `joint`.
    pub convergence_delta: f32,
}

/// Integrated gradients of all heads, or all neurons, of one layer, with the other run's
/// activations as the baseline; upstream is the run that is changed.
///
/// # Errors
/// [`Error::Cancelled`] through `progress`, a device that fails, results that are not finite.
///
/// # Source
/// Sundararajan et al. (2017), arXiv:1703.01365; captum's `LayerIntegratedGradients` with
/// `gausslegendre`; Nanda (2023), "Attribution patching".
pub async fn integrate(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    direction: Direction,
    n_steps: usize,
    progress: &mut impl Progress,
) -> Result<LayerIntegral, Error> {
    let site = Site { kind, layer };
    let ends = (changed(direction), Some(put_in(direction)));
    along_line(pair, site, direction, ends, n_steps, progress).await
}

/// The same with activations of zero as the baseline and the clean run upstream: the notebook's
/// first experiment. Not comparable with patching, and often not converged.
///
/// # Errors
/// As [`integrate`].
pub async fn integrate_from_zero(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    layer: usize,
    n_steps: usize,
    progress: &mut impl Progress,
) -> Result<LayerIntegral, Error> {
    let site = Site { kind, layer };
    along_line(pair, site, Direction::Noising, (Side::Clean, None), n_steps, progress).await
}

/// From the changed run at `t = 0` to the values put in at `t = 1`. The batch holds both ends and
/// the quadrature nodes, so that one pass yields IG, AtP and the joint patch.
async fn along_line(
    pair: &RunPair<'_>,
    site: Site,
    direction: Direction,
    (from, to): (Side, Option<Side>),
    n_steps: usize,
    progress: &mut impl Progress,
) -> Result<LayerIntegral, Error> {
    let nodes = gauss_legendre(n_steps);
    // (t, weight in AtP, weight in IG)
    let mut rows = vec![(0.0, 1.0, 0.0), (1.0, 0.0, 0.0)];
    rows.extend(nodes.into_iter().map(|(t, weight)| (t as f32, 0.0, weight as f32)));

    // An activation of zero differs from the run's at every position.
    let rest = pair.rest(site, if to.is_some() { pair.first_difference } else { 0 });
    let prefix = pair.prefix(rest.start);
    let base = pair.resid_after(site, direction, rest.start); // [1, run positions, d_model]
    let contributions = Contributions::between(pair, site, from, to, rest.start);
    let total = contributions.total(); // [1, run positions, d_model]
    let [_, pos, d_model] = total.dims();

    let mut joint = 0.0;
    let mut gradient: Option<Tensor<2>> = None; // [2, pos * d_model]: AtP's and IG's
    let size = rest.batch_rows(true);
    for chunk in rows.chunks(size) {
        let n = chunk.len();
        let column = |pick: fn(&(f32, f32, f32)) -> f32| {
            pair.model.vector(&chunk.iter().map(pick).collect::<Vec<_>>())
        };
        let t = column(|row| row.0).reshape([n, 1, 1]);
        let stream = (base.clone() + total.clone() * t).autodiff().require_grad(); // [n, pos, d_model]
        let gain = run_suffix(pair, site, &prefix, stream.clone()); // [n]
        let gradients = gain.clone().sum().backward();
        let Some(grad) = stream.grad(&gradients) else {
            // OK because the metric is a function of the stream it was computed from.
            unreachable!("the residual stream is a leaf of the metric")
        };
        let weights = Tensor::stack::<2>(vec![column(|row| row.1), column(|row| row.2)], 0); // [2, n]
        let weighted = weights.matmul(grad.reshape([n, pos * d_model]));
        gradient = Some(match gradient {
            Some(sum) => sum + weighted,
            None => weighted,
        });
        // A read per batch keeps the queue of a GPU short and lets a job be cancelled.
        let data = gain.without_autodiff().into_data_async().await;
        let data = data.map_err(|source| pair.device_error(&source))?;
        let gains = finite(&data, || what(site, "metric on the line"))?;
        if chunk[0].0 == 0.0 {
            // The first batch holds both ends, in its first two rows.
            joint = sign(direction) * gains[1] + 0.0;
        }
        progress.advance(rest.work(n, true)).await?;
    }
    let Some(gradient) = gradient else {
        // OK because `rows` begins with both ends.
        unreachable!("there is at least one batch")
    };
    let scores = contributions.dot(gradient.reshape([2, pos, d_model])); // [2, components]
    let data = Transaction::default().register(scores).execute_async().await;
    let data = data.map_err(|source| pair.device_error(&source))?;
    let scores = finite(&data[0], || what(site, "gradient"))?;
    let (atp, ig) = scores.split_at(scores.len() / 2);
    let oriented = |scores: &[f64]| {
        scores.iter().map(|s| (sign(direction) * s + 0.0) as f32).collect::<Vec<_>>()
    };
    let convergence_delta = (sign(direction) * ig.iter().sum::<f64>() - joint) as f32;
    Ok(LayerIntegral {
        ig: oriented(ig),
        atp: oriented(atp),
        joint: joint as f32,
        convergence_delta,
    })
}

fn what(site: Site, quantity: &str) -> String {
    format!("a {quantity} of the {} of layer {}", site.kind.id(), site.layer)
}
