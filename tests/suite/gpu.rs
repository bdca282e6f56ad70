//! On a GPU, which may be a program: how batches are sized and read together changes no score beyond what single precision
//! rounds. One test, since a device is made once.

use std::cell::Cell;
use std::future::{Future, ready};

use pollster::block_on;
use twinbeam_cli::files::Folder;
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::{Event, Expected};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Steps};
use twinbeam_engine::{DeviceKind, Host, Model, Plan, question, run};
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
    (result.expect("it runs").0, device.waits() - before)
}

fn assert_close(what: &str, got: &Outcome, expected: &Outcome, allowed: f32) {
    assert_eq!(got.tables.len(), expected.tables.len());
    for (got, expected) in got.tables.iter().zip(&expected.tables) {
        let off = got.values.iter().zip(&expected.values).map(|(a, b)| (a - b).abs());
        let off = off.fold(0.0, f32::max) / expected.max_abs();
        assert!(off <= allowed, "{what}, {:?} {:?}: off by {off:e}", got.kind, got.method);
    }
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
