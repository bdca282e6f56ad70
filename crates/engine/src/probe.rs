//! Questions about an experiment beyond its score tables. Whoever has the model on the CPU asks there: what a GPU says
//! would have to be computed again before it may be shown.

mod graph;

use twinbeam_attribution::{
    CostModel, Nodes, Progress, RunPair, Values, ablate, attention_pattern, direct, edge_positions,
    estimate_edges, faithfulness, integrand, integrate_from_zero, means, parts, position_effects,
    streams,
};
use twinbeam_core::circuits::Part;
use twinbeam_core::models::ModelShape;
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::wire::probes::{Finding, Probe, Replacement};
use twinbeam_core::words::{Component, ComponentKind, Entered, Experiment, Phase, TokenPair};

use crate::inspect::encode;
use crate::run::{Ticker, ZERO_BASELINE};
use crate::{Error, Host, Model, Question, question};

/// Answers a question about an experiment. Beside the finding: whether a GPU has computed it and nothing has
/// checked that.
///
/// # Errors
/// The errors of [`crate::question()`] and [`crate::run()`]; [`Error::Probe`] for what is not in the model.
pub async fn probe(
    model: &Model,
    experiment: &Experiment,
    probe: &Probe,
    job: u64,
    host: &mut impl Host,
) -> Result<(Finding, bool), Error> {
    let question = question(model, experiment)?;
    probe_question(model, (&question, experiment), probe, job, host).await
}

/// Answers a question about an experiment whose tokens are known. Beside the finding: whether a GPU has computed it and
/// nothing has checked that.
///
/// # Errors
/// The errors of [`crate::run()`]; [`Error::Probe`] for what is not in the model.
pub async fn probe_question(
    model: &Model,
    (question, experiment): (&Question, &Experiment),
    probe: &Probe,
    job: u64,
    host: &mut impl Host,
) -> Result<(Finding, bool), Error> {
    check(probe, model.shape())?;
    let prompts = prompts(model, experiment, probe)?;
    let unchecked = model.is_on_gpu();
    let cost = CostModel::new(model.shape(), &question.tokens, question.metric);
    let total = work(&cost, question, probe, &prompts, model.shape());
    let mut ticker = Ticker::new(host, job, Phase::Probe, total, model.watch.begin());
    // Boxed: all probes in a row make a large future.
    let found = Box::pin(answer(model, question, experiment, probe, &prompts, &mut ticker)).await;
    Ok((ticker.settle(found).await?, unchecked))
}

async fn answer<H: Host>(
    model: &Model,
    question: &Question,
    experiment: &Experiment,
    probe: &Probe,
    prompts: &[Vec<u32>],
    ticker: &mut Ticker<'_, H>,
) -> Result<Finding, Error> {
    ticker.advance(0).await?;
    let pair = model.runs(question).await?;
    ticker.advance(0).await?;
    ticker.begin(ticker.total());
    let nodes = question.nodes(&pair);
    let skip = usize::from(has_bos(model, question, experiment, prompts));
    let found = match probe {
        Probe::Integrand { component, direction } => {
            integrand(&pair, *component, *direction, nodes, ticker).await.map(Finding::Integrand)
        }
        Probe::Positions { component, direction } => {
            let found = position_effects(&pair, *component, *direction, nodes, ticker).await;
            found.map(Finding::Positions)
        }
        Probe::Streams { direction } => {
            streams(&pair, *direction, nodes, ticker).await.map(Finding::Streams)
        }
        Probe::Pattern { layer, head } => {
            let found = attention_pattern(&pair, *layer, *head, ticker).await;
            found.map(Finding::Pattern)
        }
        Probe::ZeroBaseline => zero_baseline(&pair, nodes, ticker).await.map(Finding::ZeroBaseline),
        Probe::Ablate { sets, with, direction } => {
            let with = values(&pair, with, prompts, skip, ticker).await?;
            ablate(&pair, sets, &with, *direction, ticker).await.map(Finding::Ablate)
        }
        Probe::Faithfulness { kind, orders, sizes, with } => {
            let with = values(&pair, with, prompts, skip, ticker).await?;
            let found = faithfulness(&pair, *kind, orders, sizes, &with, ticker).await;
            found.map(Finding::Faithfulness)
        }
        Probe::Parts { direction } => {
            parts(&pair, &Part::ALL, *direction, nodes, ticker).await.map(Finding::Parts)
        }
        Probe::Direct { direction } => direct(&pair, *direction, ticker).await.map(Finding::Direct),
        Probe::Lens { layer, head } => {
            graph::lens_of(model, &pair, *layer, *head).await.map(Finding::Lens)
        }
        Probe::Edges { direction } => {
            estimate_edges(&pair, *direction, nodes, ticker).await.map(Finding::Edges)
        }
        Probe::PatchEdges { edges, direction } => {
            graph::patched(&pair, edges, *direction, ticker).await.map(Finding::PatchEdges)
        }
        Probe::EdgePositions { edge, direction } => {
            let found = edge_positions(&pair, *edge as usize, *direction, nodes, ticker).await;
            found.map(Finding::EdgePositions)
        }
        Probe::CircuitCurves { orders, sizes } => {
            graph::curves(&pair, orders, sizes, ticker).await.map(Finding::CircuitCurves)
        }
        Probe::Circuits { sets } => {
            graph::metrics(&pair, sets, ticker).await.map(Finding::Circuits)
        }
    };
    ticker.end();
    Ok(found?)
}

/// Heads of all layers, integrated from activations of zero.
async fn zero_baseline(
    pair: &RunPair<'_>,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<ScoreTable, twinbeam_attribution::Error> {
    let (mut values, mut deltas, mut n_steps) = (Vec::new(), Vec::new(), Vec::new());
    for layer in 0..pair.n_layers() {
        let integral =
            integrate_from_zero(pair, ZERO_BASELINE.kind, layer, nodes, progress).await?;
        values.extend(integral.ig);
        deltas.push(integral.convergence_delta);
        n_steps.push(integral.n_steps);
    }
    let table = ScoreTable::new(ZERO_BASELINE, pair.shape().n_heads, values);
    Ok(table.with_convergence_delta(deltas).with_n_steps(n_steps))
}

async fn values(
    pair: &RunPair<'_>,
    with: &Replacement,
    prompts: &[Vec<u32>],
    skip: usize,
    progress: &mut dyn Progress,
) -> Result<Values, twinbeam_attribution::Error> {
    Ok(match with {
        Replacement::OtherRun => Values::OtherRun,
        Replacement::Zero => Values::Zero,
        Replacement::Mean { .. } => Values::Mean(means(pair, prompts, skip, progress).await?),
    })
}

/// Whether the first token of all prompts is the one that goes in front. Token ids are taken as they are: there it is looked
/// for.
fn has_bos(
    model: &Model,
    question: &Question,
    experiment: &Experiment,
    prompts: &[Vec<u32>],
) -> bool {
    if !experiment.written.prompts_are_ids() {
        return experiment.prepend_bos;
    }
    let Ok(bos) = model.words().bos() else { return false };
    let own = [question.tokens.clean(), question.tokens.corrupted()];
    let all = own.into_iter().chain(prompts.iter().map(Vec::as_slice));
    all.into_iter().all(|ids| ids.first() == Some(&bos))
}

/// Floating-point operations that are counted on.
fn work(
    cost: &CostModel,
    question: &Question,
    probe: &Probe,
    prompts: &[Vec<u32>],
    shape: &ModelShape,
) -> u64 {
    let n = question.expected_points();
    let of_means = cost.runs(prompts.iter().map(Vec::len));
    match probe {
        Probe::Integrand { component: Component { kind, layer, .. }, .. } => {
            cost.integrand(*kind, *layer, n)
        }
        Probe::Positions { component: Component { kind, layer, .. }, .. } => {
            cost.positions(*kind, *layer, n)
        }
        Probe::Streams { .. } => cost.streams(n),
        Probe::Pattern { .. } | Probe::Lens { .. } => cost.ablations(2),
        Probe::ZeroBaseline => {
            let heads = ComponentKind::Heads;
            (0..shape.n_layers).map(|layer| cost.points(heads, layer, n, true)).sum()
        }
        Probe::Ablate { sets, .. } => of_means + cost.ablations(sets.len()),
        Probe::Faithfulness { orders, sizes, .. } => {
            of_means + cost.ablations(orders.len() * sizes.len())
        }
        Probe::Parts { .. } => cost.parts(&Part::ALL, n),
        Probe::Direct { .. } => cost.direct(),
        Probe::Edges { .. } => cost.edge_estimates(n),
        Probe::PatchEdges { edges, .. } => cost.edges(edges.iter().map(|edge| *edge as usize)),
        Probe::EdgePositions { edge, .. } => cost.edge_positions(*edge as usize, n),
        Probe::CircuitCurves { orders, sizes } => cost.circuits(orders.len() * sizes.len()),
        Probe::Circuits { sets } => cost.circuits(sets.len()),
    }
}

/// Refuses what is not in the model.
fn check(probe: &Probe, shape: &ModelShape) -> Result<(), Error> {
    match probe {
        Probe::Integrand { component, .. } | Probe::Positions { component, .. } => {
            check_component(*component, shape)
        }
        Probe::Pattern { layer, head } | Probe::Lens { layer, head } => {
            let (kind, layer, index) = (ComponentKind::Heads, *layer, *head);
            check_component(Component { kind, layer, index }, shape)
        }
        Probe::Ablate { sets, .. } => {
            sets.iter().flatten().try_for_each(|component| check_component(*component, shape))
        }
        Probe::Faithfulness { kind, orders, sizes, .. } => {
            orders.iter().try_for_each(|order| check_order(*kind, order, sizes, shape))
        }
        Probe::PatchEdges { edges, .. } => graph::check_edges(edges, shape),
        Probe::EdgePositions { edge, .. } => graph::check_edges([edge], shape),
        Probe::Circuits { sets } => graph::check_edges(sets.iter().flatten(), shape),
        Probe::CircuitCurves { orders, sizes } => graph::check_curves(orders, sizes, shape),
        Probe::Streams { .. }
        | Probe::ZeroBaseline
        | Probe::Parts { .. }
        | Probe::Direct { .. }
        | Probe::Edges { .. } => Ok(()),
    }
}

fn check_component(component: Component, shape: &ModelShape) -> Result<(), Error> {
    let width = component.kind.width(shape);
    if component.layer < shape.n_layers && component.index < width {
        return Ok(());
    }
    let (layers, kind) = (shape.n_layers, component.kind.id());
    Err(Error::Probe(format!(
        "there is no {component}: the model has {layers} layers of {width} {kind}"
    )))
}

fn check_order(
    kind: ComponentKind,
    order: &[usize],
    sizes: &[usize],
    shape: &ModelShape,
) -> Result<(), Error> {
    let (n, id) = (shape.n_layers * kind.width(shape), kind.id());
    let mut seen = vec![false; n];
    for place in order {
        match seen.get_mut(*place) {
            None => {
                let text = format!("there is no place {place} among the model's {n} {id}");
                return Err(Error::Probe(text));
            }
            Some(true) => {
                return Err(Error::Probe(format!("an order names place {place} twice")));
            }
            Some(seen) => *seen = true,
        }
    }
    match sizes.iter().find(|size| **size > order.len()) {
        Some(size) => {
            let named = order.len();
            Err(Error::Probe(format!("{size} {id} cannot be kept: the order names {named}")))
        }
        None => Ok(()),
    }
}

/// Prompts that activations are averaged over, in tokens; none where nothing is.
fn prompts(model: &Model, experiment: &Experiment, probe: &Probe) -> Result<Vec<Vec<u32>>, Error> {
    let (Probe::Ablate { with, .. } | Probe::Faithfulness { with, .. }) = probe else {
        return Ok(Vec::new());
    };
    let Replacement::Mean { prompts } = with else {
        return Ok(Vec::new());
    };
    if prompts.is_empty() {
        return Err(Error::Probe("a mean needs at least one prompt to be taken over".to_owned()));
    }
    let encoded = |text: &String| {
        let ids = encode(model.words(), text, Entered::Averaged, experiment)?;
        // Of equal lengths by construction: what is looked at is each length and each id.
        TokenPair::new(ids.clone(), ids.clone(), model.shape())?;
        Ok(ids)
    };
    prompts.iter().map(encoded).collect()
}
