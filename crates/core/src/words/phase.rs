//! The parts that a job goes through, as progress names them.

use serde::{Deserialize, Serialize};

/// The part of a job that is being done.
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
