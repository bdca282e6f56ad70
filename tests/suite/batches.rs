//! Batches of any size, read in any groups and done again in any halves, say the same.

use burn::tensor::DType;
use pollster::block_on;
use proptest::prelude::*;
use twinbeam_attribution::{
    Advance, Baseline, Budget, Error, Load, NoProgress, Nodes, Pace, Progress, ReadBack, RunPair,
    Values, ablate, integrate, integrate_layers, patch_some, streams,
};
use twinbeam_core::models::ModelShape;
use twinbeam_core::words::{Component, ComponentKind};
use twinbeam_tests::any_question;

/// A device that answers as it is told: whether memory ran out, while a batch is larger than the least.
struct Told<'a> {
    /// Whether each read runs out; the last is followed by ones that do not.
    runs_out: &'a [bool],
    /// Units of work that always fit.
    least: u64,
    /// Its pace, and seconds that a read and a unit take, if it has any.
    pace: Option<(Pace, f64, f64)>,
    reads: usize,
    done: u64,
    repeated: usize,
}

impl<'a> Told<'a> {
    fn new(runs_out: &'a [bool], least: u64) -> Self {
        Self { runs_out, least, pace: None, reads: 0, done: 0, repeated: 0 }
    }

    fn paced(read: f64, unit: f64) -> Self {
        Self { pace: Some((Pace::default(), read, unit)), ..Self::new(&[], 0) }
    }
}

impl Progress for Told<'_> {
    fn advance(&mut self, units: u64) -> Advance<'_> {
        self.done += units;
        Box::pin(std::future::ready(Ok(())))
    }

    fn read<'a>(&'a mut self, numbers: ReadBack<'a>, load: Load) -> ReadBack<'a> {
        Box::pin(async move {
            let runs_out = self.runs_out.get(self.reads).copied().unwrap_or_default();
            self.reads += 1;
            if runs_out && load.units() > self.least {
                self.repeated += 1;
                return Err(Error::OutOfMemory { message: "it was told so".to_owned() });
            }
            let numbers = numbers.await?;
            if let Some((pace, read, unit)) = &self.pace {
                pace.took(&load, read + unit * load.units() as f64);
            }
            self.advance(load.units()).await?;
            Ok(numbers)
        })
    }

    fn pace(&self) -> Option<&Pace> {
        self.pace.as_ref().map(|(pace, ..)| pace)
    }
}

fn all_components(kind: ComponentKind, shape: &ModelShape) -> Vec<Component> {
    let width = kind.width(shape);
    (0..shape.n_layers).flat_map(|layer| kind.of_layer(layer, width)).collect()
}

/// Scores of one device: patches, then integrals of all layers with their slopes at one end.
fn scores(
    pair: &RunPair<'_>,
    kind: ComponentKind,
    q: &twinbeam_tests::Question,
    nodes: Nodes,
    progress: &mut dyn Progress,
) -> Result<Vec<Vec<f32>>, Error> {
    let all = all_components(kind, &q.shape);
    let ap = block_on(patch_some(pair, &all, q.direction, progress))?;
    let layers = 0..q.shape.n_layers;
    let baseline = Baseline::OtherRun(q.direction);
    let found = block_on(integrate_layers(pair, kind, layers, baseline, nodes, progress))?;
    let lists = found.into_iter().flat_map(|layer| [layer.ig, layer.atp, vec![layer.joint]]);
    Ok(std::iter::once(ap).chain(lists).collect())
}

fn all_close(got: &[Vec<f32>], expected: &[Vec<f32>]) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        let largest = expected.iter().fold(1e-6_f32, |most, value| most.max(value.abs()));
        prop_assert_eq!(got.len(), expected.len());
        for (a, b) in got.iter().zip(expected) {
            prop_assert!((a - b).abs() <= 1e-5 * largest, "{a} {b} of {largest}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_runs_out_of_memory_is_done_again_and_counted_once(
        q in any_question(),
        runs_out in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        // Double precision: what a batch holds shows in the last digits only.
        let model = q.model(DType::F64);
        let pair = q.pair(&model).within(Budget::gpu(128 << 20));
        let cost = *pair.cost();
        for kind in ComponentKind::ALL {
            for nodes in [Nodes::Fixed(9), Nodes::Until { tolerance: 1e-4 }] {
                let mut whole = Told::new(&[], 0);
                let expected = scores(&pair, kind, &q, nodes, &mut whole).expect("it runs");
                // No batch of more than two rows is as little as this.
                let least = [2 * cost.patches(kind, [0]), cost.points(kind, 0, 2, false)];
                let mut told = Told::new(&runs_out, least.into_iter().max().unwrap_or_default());
                let got = scores(&pair, kind, &q, nodes, &mut told).expect("it runs in halves");
                all_close(&got, &expected)?;
                // Each place was read once, or the sum would be another.
                prop_assert_eq!(told.done, whole.done, "{} reads again", told.repeated);
            }
            let width = kind.width(&q.shape);
            let sets: Vec<Vec<Component>> =
                (0..width).map(|index| vec![Component { kind, layer: 0, index }]).collect();
            let with = Values::OtherRun;
            let expected = block_on(ablate(&pair, &sets, &with, q.direction, &mut NoProgress)).expect("runs");
            let mut told = Told::new(&runs_out, cost.ablations(2));
            let got = block_on(ablate(&pair, &sets, &with, q.direction, &mut told)).expect("runs");
            all_close(&[got.after], &[expected.after])?;
            prop_assert_eq!(told.done, cost.ablations(width));
        }
    }

    #[test]
    fn what_does_not_fit_at_all_is_an_error(q in any_question()) {
        let model = q.model(DType::F32);
        let pair = q.pair(&model);
        let always = [true; 200];
        for kind in ComponentKind::ALL {
            let mut told = Told::new(&always, 0);
            let error = scores(&pair, kind, &q, Nodes::Fixed(3), &mut told).expect_err("it never fits");
            prop_assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
            prop_assert_eq!(told.done, 0, "nothing of it is counted");
            prop_assert!(told.reads < 40, "{} reads", told.reads);
        }
    }

    #[test]
    fn batches_that_are_read_together_say_what_single_ones_do(q in any_question()) {
        let model = q.model(DType::F64);
        // Small batches, so that there are many.
        let pair = q.pair(&model).within(Budget { batch: 1 << 14, gradients: 1 << 14, buffer: 1 << 20, has_kernels: false });
        for kind in ComponentKind::ALL {
            for nodes in [Nodes::Fixed(9), Nodes::Until { tolerance: 1e-4 }] {
                let mut single = Told::new(&[], 0);
                let expected = scores(&pair, kind, &q, nodes, &mut single).expect("it runs");
                // A device on which waiting is what takes long.
                let mut together = Told::paced(1e-3, 1e-12);
                let got = scores(&pair, kind, &q, nodes, &mut together).expect("it runs");
                all_close(&got, &expected)?;
                prop_assert_eq!(together.done, single.done);
                prop_assert!(together.reads <= single.reads, "{} of {}", together.reads, single.reads);
                if single.reads > 20 {
                    prop_assert!(together.reads < 15, "{} of {}", together.reads, single.reads);
                }
            }
        }
    }

    #[test]
    fn layers_together_are_what_they_are_one_by_one_to_the_bit(q in any_question()) {
        let model = q.model(DType::F32);
        let pair = q.pair(&model);
        for kind in ComponentKind::ALL {
            for nodes in [Nodes::Fixed(5), Nodes::Nested(8), Nodes::Until { tolerance: 1e-3 }] {
                let no = &mut NoProgress;
                let baseline = Baseline::OtherRun(q.direction);
                let layers = 0..q.shape.n_layers;
                let together = block_on(integrate_layers(&pair, kind, layers.clone(), baseline, nodes, no));
                let single = layers.map(|layer| block_on(integrate(&pair, kind, layer, q.direction, nodes, no)));
                let single: Result<Vec<_>, _> = single.collect();
                prop_assert_eq!(together.expect("IG"), single.expect("IG"));
            }
        }
        let found = block_on(streams(&pair, q.direction, Nodes::Fixed(5), &mut NoProgress)).expect("runs");
        let again = block_on(streams(&pair, q.direction, Nodes::Fixed(5), &mut NoProgress)).expect("runs");
        prop_assert_eq!(found, again);
    }
}
