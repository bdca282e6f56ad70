//! One case by both methods, with all that is wanted of it.

use pollster::block_on;
use serde::{Deserialize, Serialize};
use twinbeam_core::circuits::Part;
use twinbeam_core::prompts::{Hint, PromptPair};
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::Expected;
use twinbeam_core::wire::devices::CheckReport;
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Metric, Steps};
use twinbeam_engine::{
    ByteSource, DeviceKind, Error as EngineError, Host, Model, Plan, Question, hints,
    probe_question, run,
};

use crate::checked::run_checked;
use crate::{Error, question_of};

/// What is computed of every case, whatever its prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether `<|endoftext|>` is put in front of prompts that are text.
    pub prepend_bos: bool,
    /// What is measured; scores are in its unit.
    pub metric: Metric,
    /// Points of the line of integrated gradients.
    pub n_steps: Steps,
    /// Which runs are changed, each in turn.
    pub directions: Vec<Direction>,
    /// Neurons too.
    pub neurons: bool,
    /// Parts of heads and MLPs, each replaced by itself. What a GPU says of them is not checked on the CPU.
    pub parts: Vec<Part>,
}

impl Default for Settings {
    /// Heads in both directions with 50 points, by the logit difference.
    fn default() -> Self {
        Self {
            prepend_bos: true,
            metric: Metric::LogitDiff,
            n_steps: Steps::Fixed(50),
            directions: Direction::ALL.to_vec(),
            neurons: false,
            parts: Vec::new(),
        }
    }
}

/// A model on its device and, where that is a GPU, on the CPU as well, which computes a sample again.
#[derive(Debug)]
pub struct Models {
    model: Model,
    on_cpu: Option<Model>,
}

impl Models {
    /// Loads a model, twice where the device is a GPU.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn load(
        source: &impl ByteSource,
        device: &DeviceKind,
        host: &mut impl Host,
    ) -> Result<Self, EngineError> {
        let mut load =
            |device: &DeviceKind| block_on(Model::load(source, &Expected::default(), device, host));
        let model = load(device)?;
        let is_gpu = device.report().gpu;
        let on_cpu = is_gpu.then(|| load(&DeviceKind::cpu("To check the GPU."))).transpose()?;
        Ok(Self { model, on_cpu })
    }

    /// The model on the wanted device.
    pub const fn model(&self) -> &Model {
        &self.model
    }
}

/// What was found of a case.
#[derive(Debug, Serialize, Deserialize)]
pub struct Compared {
    /// All scores, in the metric's unit; positive supports the clean behaviour.
    pub outcome: Outcome,
    /// Maps of the wanted parts, one per part and direction.
    pub parts: Vec<PartMap>,
    /// What runs and may not be what was meant.
    pub hints: Vec<Hint>,
    /// How well a GPU agrees with the CPU; `None` on the CPU.
    pub checked: Option<CheckReport>,
}

/// Compares both methods on a case. `host` hears how far it is, and may stop it.
///
/// # Errors
/// Prompts or answers that cannot be compared, a device that fails, a GPU that the CPU does not confirm, or
/// [`Error::is_cancelled`].
pub fn compare(
    Models { model, on_cpu }: &Models,
    case: PromptPair,
    settings: &Settings,
    host: &mut impl Host,
) -> Result<Compared, Error> {
    let experiment = Experiment {
        model: String::new(),
        prepend_bos: settings.prepend_bos,
        metric: settings.metric,
        n_steps: settings.n_steps,
        ..Experiment::default()
    };
    let (question, experiment) = question_of(model, case, experiment)?;
    let hints = hints(model.words(), &experiment);
    let directions = settings.directions.clone();
    let mut kinds = vec![ComponentKind::Heads];
    if settings.neurons {
        kinds.push(ComponentKind::Neurons);
    }
    // The zero baseline is defined with the clean run upstream, which is the noising direction.
    let zero_baseline = directions.contains(&Direction::Noising);
    let parts = parts(model, (&question, &experiment), settings, host)?;
    let plan = Plan { directions, kinds, zero_baseline };
    let (outcome, checked) = match on_cpu {
        None => (block_on(run(model, &question, experiment, &plan, 1, host))?, None),
        Some(on_cpu) => {
            let asked = (&question, experiment, &plan);
            let (outcome, report) = run_checked(model, on_cpu, asked, host)?;
            (outcome, Some(report))
        }
    };
    Ok(Compared { outcome, parts, hints, checked })
}

/// Maps of the wanted parts in the wanted directions.
fn parts(
    model: &Model,
    asked: (&Question, &Experiment),
    Settings { parts: wanted, directions, .. }: &Settings,
    host: &mut impl Host,
) -> Result<Vec<PartMap>, EngineError> {
    let mut maps = Vec::new();
    if wanted.is_empty() {
        return Ok(maps);
    }
    for direction in directions {
        let probe = Probe::Parts { direction: *direction };
        let (found, _unchecked) = block_on(probe_question(model, asked, &probe, 1, host))?;
        if let Finding::Parts(found) = found {
            maps.extend(found.into_iter().filter(|map| wanted.contains(&map.part)));
        }
    }
    Ok(maps)
}
