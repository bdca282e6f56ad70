//! A device's first look at a model: the programs that it needs are compiled, and its speed is measured.

use twinbeam_attribution::{Nodes, Progress, RunPair, integrate, patch_some};
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::{Speed, Work};
use twinbeam_core::words::{Component, ComponentKind, Direction, Phase, Steps};

use crate::check::Turns;
use crate::{Error, Host, Model, bench_question};

/// Points of the line that is integrated.
const POINTS: usize = 6;
/// Dispatches in a row whose time is taken.
const CHAIN: usize = 256;
/// Share of a measured time that is taken for the dispatches' at most: they run while others are made ready.
const MOST_IN_DISPATCHES: f64 = 0.9;

/// Runs a little of each method once, so that a GPU has compiled what it needs, and a second time to see how fast
/// it is. Both take about a second on a GPU; nothing of the results is kept.
///
/// # Errors
/// A device that fails; cancelled through `host`; a model that reads a single token.
pub async fn warm(model: &Model, host: &mut impl Host) -> Result<Speed, Error> {
    let begun = host.seconds();
    let (job, phase, done, total) = (0, Phase::SelfTest, 0, 0);
    host.emit(Event::Progress { job, phase, done, total, seconds: begun });
    let mut step = model.watch.begin();
    let speed = Box::pin(measured(model, host)).await;
    step.settle(speed).await
}

async fn measured(model: &Model, host: &mut impl Host) -> Result<Speed, Error> {
    let question = bench_question(model, Steps::Fixed(POINTS))?;
    let pair = model.runs(&question).await?;
    for kind in ComponentKind::ALL {
        let some: Vec<_> = kind.of_layer(0, kind.width(model.shape()).min(2)).collect();
        sample(&pair, kind, &some, &mut Turns(host)).await?;
    }
    let seconds_per_dispatch = {
        let before = host.seconds();
        let mut chain = model.gpt2.vector(&[0.0; 64]);
        for _ in 0..CHAIN {
            chain = chain.add_scalar(1.0);
        }
        let read = chain.into_data_async().await;
        read.map_err(|source| Error::Device(source.to_string()))?;
        (host.seconds() - before) / CHAIN as f64
    };
    let kind = ComponentKind::Heads;
    let all: Vec<Component> = heads(model.shape()).collect();
    let before = host.seconds();
    sample(&pair, kind, &all, &mut Turns(host)).await?;
    let seconds = host.seconds() - before;
    let cost = pair.cost();
    let layers = all.iter().map(|head| head.layer);
    let operations = cost.patches(kind, layers) + cost.points(kind, 0, POINTS + 2, false);
    let dispatches =
        cost.patch_dispatches(kind) + cost.point_dispatches(kind, 0, POINTS + 2, false);
    Ok(speed(Work { operations: operations as f64, dispatches }, seconds, seconds_per_dispatch))
}

/// All heads of a model.
fn heads(shape: &ModelShape) -> impl Iterator<Item = Component> {
    let n_heads = shape.n_heads;
    (0..shape.n_layers).flat_map(move |layer| ComponentKind::Heads.of_layer(layer, n_heads))
}

/// A little of each method.
async fn sample(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    components: &[Component],
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let direction = Direction::Noising;
    patch_some(pair, components, direction, progress).await?;
    integrate(pair, kind, 0, direction, Nodes::Fixed(POINTS), progress).await?;
    Ok(())
}

/// The speed of a device on which work took so long, and whose dispatches by themselves take what was found.
fn speed(work: Work, seconds: f64, seconds_per_dispatch: f64) -> Speed {
    let most = MOST_IN_DISPATCHES * seconds;
    let in_dispatches = (work.dispatches * seconds_per_dispatch).min(most);
    Speed {
        operations_per_second: work.operations / (seconds - in_dispatches).max(1e-9),
        seconds_per_dispatch: in_dispatches / work.dispatches.max(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_time_is_what_is_expected_of_the_same_work() {
        let work = Work { operations: 3e9, dispatches: 500.0 };
        for (seconds, seconds_per_dispatch) in [(1.0, 1e-4), (1.0, 1e-2), (0.02, 1e-3)] {
            let speed = speed(work, seconds, seconds_per_dispatch);
            assert!(speed.is_possible(), "{speed:?}");
            assert!((speed.seconds(work) - seconds).abs() < 1e-9, "{speed:?}");
        }
    }
}
