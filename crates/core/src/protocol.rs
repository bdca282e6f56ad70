//! What the page and its worker say to each other: plain values, JSON on the wire.
//!
//! Enums are tagged from outside, as serde does by itself: tags inside would cost the page 27 kB.

use serde::{Deserialize, Serialize};

use crate::{
    Aligned, Bench, ComponentKind, Coverage, Direction, Draw, Experiment, Finding, GpuState, Hint,
    JointEffects, ModelShape, Patches, Placement, Probe, PromptError, PromptPair, Published,
    SelfCheck, SideSummary, Speed, Strip, TopToken,
};

/// Where a visitor wants the model to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceChoice {
    /// The GPU if it passes its self-test and is real hardware, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The GPU, a software adapter included; it must still pass the self-test.
    Gpu,
}

/// Where the model runs, and why there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Whether it is a GPU.
    pub gpu: bool,
    /// Short name, for instance `CPU (wasm SIMD)` or the adapter's name.
    pub name: String,
    /// One sentence: why this one, and what the self-test said.
    pub reason: String,
}

/// Where a model's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFiles {
    /// In a folder on a server.
    Address {
        /// Absolute address of the folder, ending in `/`.
        base: String,
        /// Folder of the browser's storage where they are kept; `None`: they are not.
        shelf: Option<String>,
    },
    /// On the visitor's own disk: the files travel beside the message.
    Local,
}

impl ModelFiles {
    /// Name of the file with a model's sizes.
    pub const CONFIG: &str = "config.json";
    /// Name of the file with its weights.
    pub const WEIGHTS: &str = "model.safetensors";
    /// Name of the file that says which of several files holds which weights, where they are not in one.
    pub const INDEX: &str = "model.safetensors.index.json";
    /// Name of the file with its tokenizer.
    pub const TOKENIZER: &str = "tokenizer.json";
    /// Name of the file with its tokens, where there is no [`Self::TOKENIZER`].
    pub const VOCAB: &str = "vocab.json";
    /// Name of the file that says how they are made of others, beside [`Self::VOCAB`].
    pub const MERGES: &str = "merges.txt";
    /// Names of the files that may say more of either.
    pub const TOKENIZER_EXTRAS: [&str; 3] =
        ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
    /// All files that say how text becomes tokens, in any of their forms.
    pub const OF_TEXT: [&str; 6] = {
        let [config, special, added] = Self::TOKENIZER_EXTRAS;
        [Self::TOKENIZER, Self::VOCAB, Self::MERGES, config, special, added]
    };
}

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
        /// Where its files are.
        files: ModelFiles,
        /// What they should be.
        expected: Box<Expected>,
        /// Wanted device.
        device: DeviceChoice,
        /// How fast GPUs were found to be on earlier visits, by their names.
        speeds: Vec<(String, Speed)>,
    },
    /// From a worker to the one beside it: take a GPU, and load the same model there.
    LoadOnGpu {
        /// The request that the other one has answered.
        load: Box<Self>,
    },
    /// From a worker to one that is there for this alone: compute a sample of a job's claims again on the CPU, block by
    /// block from where the model is stored.
    Check {
        /// The request by which the model was loaded.
        load: Box<Self>,
        /// Number of the job.
        job: u64,
        /// What was run.
        experiment: Experiment,
        /// A list of [`crate::Claim`], as JSON: the page, which knows this type, need not know that one.
        claims: String,
    },
    /// Look at what is typed: tokens, alignment, answers, most likely next tokens.
    Inspect {
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
        /// Of which experiment.
        experiment: Experiment,
        /// The question.
        probe: Probe,
    },
    /// Draw prompt pairs of a task.
    Draw {
        /// Which, and how many.
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
        /// Its sizes.
        shape: ModelShape,
        /// Where it runs.
        device: DeviceReport,
        /// SHA-256 of `model.safetensors`, in hexadecimal; of weights in several files, of the list of their digests.
        fingerprint: String,
        /// In how many files the weights are; `None`: in one, as usual.
        shards: Option<usize>,
        /// Whether that is the expected one; `None`: none is known.
        as_expected: Option<bool>,
        /// What reads text for it; `None`: nothing, and it takes token ids only.
        tokenizer: Option<TokenizerReport>,
        /// Where its files are from now on.
        kept: Kept,
        /// Seconds per phase: until the device was ready, until the model was.
        seconds: Vec<(String, f64)>,
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
    /// Answer to [`Request::Inspect`].
    Inspected {
        /// Number of the request.
        seq: u64,
        /// What was found.
        inspection: Box<Inspection>,
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
        /// Seconds per phase, in the order in which they ran.
        seconds: Vec<(String, f64)>,
        /// Whether a sample is still being computed a second time: an [`Event::Checked`] or [`Event::Withdrawn`] follows.
        checking: bool,
    },
    /// What is known of the GPU has changed.
    Gpu {
        /// As it is now.
        state: GpuState,
    },
    /// It is decided where a job runs.
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
        /// How well; of no values: it could not be computed there.
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
    /// Where they were: beside the page, or on the visitor's disk.
    Elsewhere,
    /// In the browser's storage, for the next visit.
    Stored {
        /// Bytes of them that came over the network this time.
        fetched: u64,
        /// Pieces that were damaged and have been fetched again.
        healed: u64,
    },
    /// In memory only: the next visit fetches them again.
    Memory {
        /// Why the browser does not keep them.
        reason: String,
    },
}

/// What loading waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// The server, before it is asked again.
    Retry {
        /// Seconds until then.
        seconds: u32,
        /// How often it will be asked after that.
        left: u32,
        /// What it said.
        fault: FetchFault,
    },
    /// Another tab, which is reading or writing the same files.
    OtherTab,
}

/// How a server, or the way to it, has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchFault {
    /// No answer at all: offline, no such server, a broken connection, or a browser that forbids it.
    #[error("no answer: {message}")]
    Unreachable {
        /// What the browser said.
        message: String,
    },
    /// 404 or 410.
    #[error("the server has no such file")]
    NotFound,
    /// 401 or 403.
    #[error("the server refuses it ({status})")]
    Forbidden {
        /// Its answer.
        status: u16,
    },
    /// 429.
    #[error("the server asks for patience (429)")]
    TooMany {
        /// Seconds to wait, if it said so.
        retry_after: Option<u32>,
    },
    /// 5xx.
    #[error("the server failed ({status})")]
    Server {
        /// Its answer.
        status: u16,
    },
    /// Any other answer that is no success.
    #[error("the server answered {status}")]
    Status {
        /// Its answer.
        status: u16,
    },
    /// A web page instead of the file, as login pages of networks are.
    #[error("a web page came instead of the file")]
    WebPage,
    /// Other bytes than were asked for.
    #[error("the server sent other bytes than it was asked for: {got:?} for {expected:?}")]
    WrongRange {
        /// `Content-Range` as it should begin.
        expected: String,
        /// As it was.
        got: String,
    },
    /// Fewer bytes than were promised.
    #[error("the answer ended after {got} of {expected} bytes")]
    Short {
        /// Promised.
        expected: u64,
        /// Sent.
        got: u64,
    },
    /// More bytes than were promised.
    #[error("the answer was longer than the {expected} bytes that were asked for")]
    Long {
        /// Promised.
        expected: u64,
    },
    /// Another file than the one that was asked for before.
    #[error("the file has changed on the server")]
    Changed,
    /// Neither the server nor the file itself says how long it is, and it is too large to be held whole.
    #[error("neither the server nor the file says how long it is")]
    Unsized,
}

impl FetchFault {
    /// Whether asking again may help.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TooMany { .. }
            | Self::Server { .. }
            | Self::WrongRange { .. }
            | Self::Short { .. }
            | Self::Long { .. }
            | Self::Changed => true,
            Self::NotFound
            | Self::Forbidden { .. }
            | Self::Status { .. }
            | Self::WebPage
            | Self::Unsized => false,
        }
    }

    /// Whether it is a matter of which bytes came: what is the same twice is not an accident of the way.
    pub const fn is_of_bytes(&self) -> bool {
        matches!(
            self,
            Self::WrongRange { .. } | Self::Short { .. } | Self::Long { .. } | Self::Changed
        )
    }
}

/// How a sample of a job's results agrees with the same computed on the CPU in double precision.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct CheckReport {
    /// Worst difference, relative to the largest value of its table or list.
    pub worst: f32,
    /// Numbers that were compared.
    pub values: u64,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Fetching the model's files; counted in bytes.
    Fetching,
    /// Reading the model's files from where they are kept; counted in bytes.
    Loading,
    /// Comparing the GPU with known answers.
    SelfTest,
    /// Running the two prompts.
    Runs,
    /// Integrated gradients, attribution patching and joint patches of heads.
    IgHeads,
    /// Patching heads.
    ApHeads,
    /// Integrated gradients, attribution patching and joint patches of neurons.
    IgNeurons,
    /// Patching neurons.
    ApNeurons,
    /// Timing the methods.
    Bench,
    /// Answering a question about an experiment.
    Probe,
}

impl Phase {
    /// A few words for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Fetching => "fetching the model",
            Self::Loading => "loading the model",
            Self::SelfTest => "testing the GPU",
            Self::Runs => "running both prompts",
            Self::IgHeads => "integrated gradients, heads",
            Self::ApHeads => "activation patching, heads",
            Self::IgNeurons => "integrated gradients, neurons",
            Self::ApNeurons => "activation patching, neurons",
            Self::Bench => "measuring the speed",
            Self::Probe => "looking closer",
        }
    }
}

/// Why something could not be done: a cause with its facts.
///
/// The page turns it into a title and what to do, in one place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The prompts or answers cannot be compared.
    #[error(transparent)]
    Prompt {
        /// What is wrong with them.
        #[from]
        error: PromptError,
    },
    /// A file of the model could not be read.
    #[error("{file}: {message}")]
    File {
        /// Name of the file.
        file: String,
        /// What happened.
        message: String,
    },
    /// A file of the model could not be fetched.
    #[error("{file}: {fault}")]
    Fetch {
        /// Name of the file.
        file: String,
        /// What happened, the last time that it was tried.
        fault: FetchFault,
    },
    /// The weights are complete, and not those that were expected; nothing is loaded.
    #[error("model.safetensors: expected sha256 {expected}, got {got}")]
    Digest {
        /// The pinned SHA-256.
        expected: String,
        /// That of the file.
        got: String,
    },
    /// The files are not a model that this program runs.
    #[error("{message}")]
    Model {
        /// File, tensor, expected and got.
        message: String,
    },
    /// The device failed, or could not be used.
    #[error("{message}")]
    Device {
        /// What the device or its driver said.
        message: String,
    },
    /// The device is gone, with all that it held; a fresh worker can ask for another.
    #[error("the device was lost: {message}")]
    DeviceLost {
        /// What the browser or the driver said.
        message: String,
    },
    /// A result is not a number; nothing of it is shown.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// Which result.
        what: String,
    },
    /// The CPU comes to another result than the GPU; what was shown of that is withdrawn.
    #[error(
        "the CPU disagrees with the device: {what} by {off} of the largest, allowed: {allowed}"
    )]
    Untrusted {
        /// Which result.
        what: String,
        /// Difference, in percent.
        off: String,
        /// Most that rounding explains, in percent.
        allowed: String,
    },
    /// No model is loaded.
    #[error("no model is loaded")]
    NoModel,
    /// The job was stopped on request.
    #[error("cancelled")]
    Cancelled,
}

/// A tokenizer as far as it is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenizerReport {
    /// The token that is put in front of prompts, as text.
    pub bos: String,
    /// Where its files disagree, and what is made of that.
    pub notes: Vec<TokenizerNote>,
}

/// Something that the files of a model say in two ways.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerNote {
    /// `config.json` and the tokenizer name different beginning-of-sequence tokens.
    #[error(
        "BOS: the tokenizer's is {used:?} (id {used_id}), config.json's bos_token_id is {other_id}; \
         the tokenizer's is put in front, as TransformerLens does"
    )]
    Bos {
        /// The tokenizer's, which is used.
        used: String,
        /// Its id.
        used_id: u32,
        /// That of `config.json`.
        other_id: u32,
    },
    /// `tokenizer.json` and `tokenizer_config.json` say different things of a space in front of every text, and
    /// transformers' GPT-2 tokenizer goes by the latter.
    #[error(
        "add_prefix_space: tokenizer.json says {}, tokenizer_config.json {used}; {used} is used, as transformers does",
        !used
    )]
    PrefixSpace {
        /// What is done.
        used: bool,
    },
    /// `tokenizer.json` puts a space in front of every text, which `tokenizer_config.json` does not ask for.
    #[error(
        "add_prefix_space: tokenizer.json puts a space in front of every text, as it says; transformers' GPT2Tokenizer \
         leaves it out unless tokenizer_config.json says the same"
    )]
    PrefixSpaceOfFile,
}

/// One token as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Token id.
    pub id: u32,
    /// Its text; bytes that are not a whole character are shown as the replacement character.
    pub text: String,
    /// Whether it is the beginning-of-sequence token that was put in front.
    pub bos: bool,
    /// Whether the tokenizer has it as a whole, special or added, and found it in the text as it stands.
    pub special: bool,
}

/// One prompt, tokenised and, if it fits, run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SideView {
    /// Its tokens.
    pub tokens: Vec<TokenView>,
    /// Most likely next tokens; empty when the prompt cannot be run.
    pub top: Vec<TopToken>,
}

/// How one entered answer reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerReading {
    /// As entered.
    pub text: String,
    /// The tokens it splits into; one is right.
    pub ids: Vec<u32>,
    /// Their texts.
    pub pieces: Vec<String>,
    /// The same with a leading space, if that is one token and this is not.
    pub with_space: Option<String>,
}

/// The entered answers of one side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnswerCheck {
    /// One reading per entered token.
    pub readings: Vec<AnswerReading>,
}

/// What is typed, as the model sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inspection {
    /// The clean prompt.
    pub clean: SideView,
    /// The corrupted prompt.
    pub corrupted: SideView,
    /// Columns for showing both.
    pub columns: Vec<Aligned>,
    /// The answer field.
    pub answer: AnswerCheck,
    /// The wrong-answer field.
    pub wrong: AnswerCheck,
    /// Why it cannot be run; `None`: it can.
    pub problem: Option<PromptError>,
    /// What runs and may not be what was meant.
    pub hints: Vec<Hint>,
    /// The draft written as text, where it is written in token ids and there is a text of just these tokens.
    pub in_text: Option<Box<Experiment>>,
}
