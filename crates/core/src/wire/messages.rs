//! Requests and events.

use serde::{Deserialize, Serialize};

use super::devices::{Bench, CheckReport, DeviceChoice, DeviceReport, GpuState, Placement, Speed};
use super::inspection::{Inspection, Predictions, TokenizerReport};
use super::probes::{Finding, Probe};
use super::{FetchFault, Problem};
use crate::models::{ModelFiles, ModelShape, Published, SelfCheck};
use crate::prompts::{Draw, PromptPair};
use crate::scores::{Coverage, JointEffects, Patches, SideSummary, Strip, Timed};
use crate::words::{ComponentKind, Direction, Experiment, Phase};

/// What a model's files should be, as far as it is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Expected {
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub sha256: Option<String>,
    /// Whether another digest is taken all the same: the visitor has said so.
    pub any_digest: bool,
    /// Numbers that were published of it.
    pub published: Option<Published>,
}

/// Page to worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Choose a device and load a model.
    Load {
        /// Name of the model.
        model: String,
        /// Where the model's files are.
        files: ModelFiles,
        /// What the files should be.
        expected: Box<Expected>,
        /// Wanted device.
        device: DeviceChoice,
        /// How fast GPUs were found to be on earlier visits, by their names.
        speeds: Vec<(String, Speed)>,
        /// Workers that compute at once on the CPU; `None`: as many as the device has cores and memory for, where a job
        /// is worth it.
        workers: Option<usize>,
    },
    /// Asks the worker beside this one to take a GPU, and to load the same model there.
    LoadOnGpu {
        /// The request that the other one has answered.
        load: Box<Self>,
    },
    /// Asks a worker that is there for this alone to compute a sample of a job's claims again on the CPU, block by
    /// block from where the model is stored.
    Check {
        /// The request by which the model was loaded.
        load: Box<Self>,
        /// Number of the job.
        job: u64,
        /// What was run.
        experiment: Experiment,
        /// A list of [`super::devices::Claim`], as JSON: the page, which knows this type, need not know that one.
        claims: String,
    },
    /// Read what reads text for a model, from the small files that travel beside the request, and nothing else: a worker
    /// that is there for this alone looks at what is typed while others compute.
    Words,
    /// Look at what is typed, as far as it is known without running the model: tokens, alignment, answers, hints. It is
    /// heard while a job is running.
    Inspect {
        /// Number of the request; an answer with an older one is dropped.
        seq: u64,
        /// The draft.
        draft: Experiment,
    },
    /// Say what the model expects behind what is typed. It is heard while a job is running, and answered between two of
    /// the job's steps.
    Predict {
        /// Number of the request; an answer with an older one is dropped.
        seq: u64,
        /// The draft.
        draft: Experiment,
    },
    /// Run an experiment.
    Run {
        /// Number of the job; every event of it carries the same.
        job: u64,
        /// What to run.
        experiment: Experiment,
        /// The direction that is computed first: the one that is looked at.
        first: Direction,
        /// What is scored.
        kinds: Vec<ComponentKind>,
    },
    /// Time the methods on an experiment, for a few seconds.
    Bench {
        /// Number of the job.
        job: u64,
        /// On what.
        experiment: Experiment,
    },
    /// Answer a question about an experiment, beyond its score tables.
    Probe {
        /// Number of the job.
        job: u64,
        /// The experiment that the question is about.
        experiment: Experiment,
        /// The question.
        probe: Probe,
    },
    /// Draw prompt pairs of a task.
    Draw {
        /// The pairs to draw.
        draw: Draw,
    },
    /// Stop a job at its next step.
    Cancel {
        /// Number of the job.
        job: u64,
    },
}

/// Worker to page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The worker's program has started.
    Started {
        /// Build it belongs to; another than the page's means that the page must be reloaded.
        build: String,
    },
    /// The worker's program has found a mistake of its own, and ends.
    Panicked {
        /// What is wrong, and where.
        message: String,
    },
    /// The model is ready.
    Loaded {
        /// Name of the model.
        model: String,
        /// Sizes of the model.
        shape: ModelShape,
        /// Device that the model runs on.
        device: DeviceReport,
        /// SHA-256 of `model.safetensors`, in hexadecimal; of weights in several files, of the list of their digests.
        fingerprint: String,
        /// Number of files that the weights are in; `None`: one, as usual.
        shards: Option<usize>,
        /// Whether that is the expected one; `None`: none is known.
        as_expected: Option<bool>,
        /// The tokenizer that reads text for the model; `None`: there is none, and the model takes token ids only.
        tokenizer: Option<TokenizerReport>,
        /// Where the model's files are from now on.
        kept: Kept,
        /// Seconds per part: until the device was ready, until the model was.
        seconds: Vec<(LoadPart, f64)>,
        /// Most memory that the worker has had until now, in bytes.
        memory_bytes: u64,
    },
    /// How the model's numbers compare with published ones.
    SelfChecked {
        /// The comparisons.
        check: SelfCheck,
    },
    /// Loading has to wait; it goes on by itself.
    Waiting {
        /// For what.
        wait: Wait,
    },
    /// What reads text for the model that was loaded: small files, for a worker that is asked for [`Request::Words`]. They
    /// are all of the message, and this is what is made of it.
    Words,
    /// Answer to [`Request::Words`]: what is typed can be looked at here.
    Reads,
    /// Answer to [`Request::Inspect`].
    Inspected {
        /// Number of the request.
        seq: u64,
        /// What was found.
        inspection: Box<Inspection>,
    },
    /// Answer to [`Request::Predict`].
    Predicted {
        /// Number of the request.
        seq: u64,
        /// What the model expects.
        predictions: Box<Predictions>,
    },
    /// A step is done.
    Progress {
        /// Number of the job; 0 while loading.
        job: u64,
        /// What is being done.
        phase: Phase,
        /// Units of work done, of `total`.
        done: u64,
        /// All units of the job.
        total: u64,
        /// Seconds since the job began.
        seconds: f64,
    },
    /// The two runs are measured.
    Sides {
        /// Number of the job.
        job: u64,
        /// The clean run.
        clean: Box<SideSummary>,
        /// The corrupted run.
        corrupted: Box<SideSummary>,
    },
    /// A layer of a table is complete.
    Strip {
        /// Number of the job.
        job: u64,
        /// The scores.
        strip: Strip,
    },
    /// Some components of a table have been patched, whose integrated gradients are complete.
    Patched {
        /// Number of the job.
        job: u64,
        /// Their effects.
        patches: Patches,
        /// What is exact now, and what the rest may hold.
        coverage: Coverage,
    },
    /// How fast the methods run.
    Benched {
        /// Number of the job.
        job: u64,
        /// What was measured.
        bench: Box<Bench>,
    },
    /// What a [`Request::Probe`] has found.
    Probed {
        /// Number of the job.
        job: u64,
        /// What was found.
        finding: Box<Finding>,
        /// Whether a GPU computed it and nothing has checked that. Otherwise the CPU did.
        unchecked: bool,
    },
    /// Pairs of a [`Request::Draw`].
    Drawn {
        /// What was asked for.
        draw: Draw,
        /// The pairs; empty: there is no such task.
        pairs: Vec<PromptPair>,
    },
    /// The job is complete: all its strips have been sent.
    Done {
        /// Number of the job.
        job: u64,
        /// Joint layer patches.
        joint: Vec<JointEffects>,
        /// Seconds per part, in the order in which they ran.
        seconds: Vec<(Timed, f64)>,
        /// Whether a sample is still being computed a second time: an [`Event::Checked`] or [`Event::Withdrawn`] follows.
        checking: bool,
    },
    /// What is known of the GPU has changed.
    Gpu {
        /// The GPU's state as it is now.
        state: GpuState,
    },
    /// It has been decided where a job runs.
    Placed {
        /// Number of the job.
        job: u64,
        /// The device.
        device: DeviceReport,
        /// Why there.
        placement: Placement,
    },
    /// A GPU has failed, and the CPU begins the same job anew.
    Moved {
        /// Number of the job.
        job: u64,
        /// What was wrong.
        problem: Problem,
    },
    /// A sample of a GPU's job was computed a second time on the CPU, and agrees.
    Checked {
        /// Number of the job.
        job: u64,
        /// How well the sample agrees; of no values: it could not be computed there.
        report: CheckReport,
        /// Seconds that it took after the job was done.
        seconds: f64,
    },
    /// A sample of a GPU's job does not agree with the CPU, or could not be computed there: nothing of the job is to
    /// be shown any longer.
    Withdrawn {
        /// Number of the job.
        job: u64,
        /// What was wrong.
        problem: Problem,
    },
    /// The job was stopped on request.
    Cancelled {
        /// Number of the job.
        job: u64,
    },
    /// Loading or a job has failed; the worker lives on.
    Failed {
        /// Number of the job; `None` while loading.
        job: Option<u64>,
        /// Why.
        problem: Problem,
    },
}

/// Where a model's files are after it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The files are where they were: beside the page, or on the visitor's disk.
    Elsewhere,
    /// The files are in the browser's storage, for the next visit.
    Stored {
        /// Bytes of them that came over the network this time.
        fetched: u64,
        /// Pieces that were damaged and have been fetched again.
        healed: u64,
    },
    /// The model is in memory only: the next visit fetches its files again.
    Memory {
        /// Why the browser does not keep them.
        reason: String,
    },
}

/// A part of loading that is timed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadPart {
    /// The device is made ready, and tested.
    Device,
    /// The model comes onto it.
    Load,
}

/// What loading waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The server, before it is asked again.
    Retry {
        /// Seconds until then.
        seconds: u32,
        /// How often the server will be asked after that.
        left: u32,
        /// The fault of the last answer.
        fault: FetchFault,
    },
    /// Another tab, which is reading or writing the same files.
    OtherTab,
}
