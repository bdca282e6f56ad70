//! On a GPU, which may be a program: how batches are sized and read together changes no score beyond what single precision
//! rounds. One test, since a device is made once.

use std::cell::Cell;
use std::future::{Future, ready};

use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_core::circuits::Graph;
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::probes::circuits::EdgeOrder;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::wire::{Event, Expected};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Steps};
use twinbeam_engine::{DeviceKind, Host, Model, Plan, probe, question, run};
use twinbeam_tests::repository;

/// A host whose clock makes its device as fast as the test wants it.
struct Clock {
    /// Seconds between two looks at the clock.
    step: f64,
    now: Cell<f64>,
}

impl Host for Clock {
    fn emit(&mut self, _event: Event) {}

    fn seconds(&self) -> f64 {
        self.now.set(self.now.get() + self.step);
        self.now.get()
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        ready(())
    }

    fn cancelled(&self) -> bool {
        false
    }
}

fn scores(device: &DeviceKind, kinds: &[ComponentKind], step: f64) -> (Outcome, u64) {
    let mut clock = Clock { step, now: Cell::new(0.0) };
    let folder = Folder(repository("assets/models/mini"));
    let model = block_on(Model::load(&folder, &Expected::default(), device, &mut clock));
    let model = model.expect("it loads");
    let experiment = Experiment { n_steps: Steps::Fixed(4), ..Experiment::default() };
    let question = question(&model, &experiment).expect("it can be run");
    let plan = Plan::of(kinds.to_vec(), Direction::Noising);
    let before = device.waits();
    let result = block_on(run(&model, &question, experiment, &plan, 1, &mut clock));
    (result.expect("it runs"), device.waits() - before)
}

fn assert_close(what: &str, got: &Outcome, expected: &Outcome, allowed: f32) {
    assert_eq!(got.tables.len(), expected.tables.len());
    for (got, expected) in got.tables.iter().zip(&expected.tables) {
        let name = format!("{what}, {:?} {:?}", got.kind(), got.method());
        assert_list(&name, got.values(), expected.values(), allowed);
    }
}

/// Each value is off by no more than a part of the largest.
fn assert_list(what: &str, got: &[f32], expected: &[f32], allowed: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let off = got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let largest = expected.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
    assert!(off <= allowed * largest, "{what}: off by {:e} of the largest", off / largest);
}

/// What is found of the model's graph, as lists of numbers with their names.
fn of_the_graph(device: &DeviceKind) -> Vec<(&'static str, Vec<f32>)> {
    let mut clock = Clock { step: 1e-6, now: Cell::new(0.0) };
    let folder = Folder(repository("assets/models/mini"));
    let model = block_on(Model::load(&folder, &Expected::default(), device, &mut clock));
    let model = model.expect("it loads");
    let experiment = Experiment { n_steps: Steps::Fixed(4), ..Experiment::default() };
    let direction = Direction::Denoising;
    let n = Graph::new(model.shape()).n_edges() as u32;
    let probes = [
        Probe::Edges { direction },
        Probe::PatchEdges { edges: (0..n).step_by(7).collect(), direction },
        Probe::EdgePositions { edge: n / 2, direction },
        Probe::Parts { direction },
        Probe::Direct { direction },
        Probe::CircuitCurves { orders: vec![EdgeOrder::Random { seed: 1 }], sizes: vec![1, 900] },
    ];
    let mut lists = Vec::new();
    for asked in probes {
        let found = block_on(probe(&model, &experiment, &asked, 1, &mut clock));
        match found.expect("an answer").0 {
            Finding::Edges(found) => {
                lists.extend([("EAP", found.eap), ("EAP-IG", found.eap_ig)]);
            }
            Finding::PatchEdges(found) => lists.push(("edges", found.exact)),
            Finding::EdgePositions(found) => {
                lists.extend([("by position", found.exact), ("shares", found.eap_ig)]);
            }
            Finding::Parts(maps) => {
                for map in maps {
                    lists.extend([("a part, AP", map.ap), ("a part, IG", map.ig)]);
                }
            }
            Finding::Direct(found) => {
                lists.extend([("heads", found.heads.exact), ("neurons", found.neurons.exact)]);
                lists.extend(found.heads.dla.map(|dla| ("DLA", dla)));
            }
            Finding::CircuitCurves(found) => lists.push(("circuits", found.metric.concat())),
            other => panic!("another answer came: {other:?}"),
        }
    }
    lists
}

#[test]
fn scores_do_not_depend_on_how_they_are_read() {
    let heads = [ComponentKind::Heads];
    let device =
        block_on(DeviceKind::choose(DeviceChoice::Gpu)).expect("an adapter").checked(false);
    let (cpu, waits) = scores(&DeviceKind::cpu("a test"), &heads, 0.0);
    assert_eq!(waits, 0);
    // A device that takes a second for each batch, which are then read one by one, and one that takes no time.
    let (slow, each) = scores(&device, &heads, 1.0);
    let (first, _) = scores(&device, &heads, 1e-6);
    let (again, together) = scores(&device, &heads, 1e-6);
    // Gradients layer by layer and patches, in both directions, and the two runs.
    assert_eq!(each, 2 * (4 + 1) + 1);
    // All layers together.
    assert_eq!(together, 2 * (1 + 1) + 1);
    for (what, gpu) in [("one by one", &slow), ("first", &first), ("together", &again)] {
        assert_close(what, gpu, &cpu, 1e-3);
    }
    assert_close("together and one by one", &again, &slow, 1e-5);

    for ((what, gpu), (_, cpu)) in
        of_the_graph(&device).iter().zip(&of_the_graph(&DeviceKind::cpu("a test")))
    {
        assert_list(what, gpu, cpu, 2e-3);
    }

    #[cfg(feature = "faults")]
    {
        twinbeam_engine::faults::arm("memory");
        let (halves, more) = scores(&device, &heads, 1e-6);
        assert!(more > together, "something was read again");
        assert_close("in halves", &halves, &slow, 1e-5);
        let (after, _) = scores(&device, &heads, 1e-6);
        assert_close("after that", &after, &slow, 1e-5);
    }
}
