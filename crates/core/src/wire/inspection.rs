//! What is typed, as a model sees it.

use serde::{Deserialize, Serialize};

use super::devices::Work;
use crate::prompts::{Aligned, Hint, Mend};
use crate::words::{Experiment, PromptError, TopToken};

/// One token as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// Token id.
    pub id: u32,
    /// Text of the token; bytes that are not a whole character are shown as the replacement character.
    pub text: String,
    /// Whether the token is the beginning-of-sequence token that was put in front.
    pub bos: bool,
    /// Whether the tokenizer has it as a whole, special or added, and found it in the text as it stands.
    pub special: bool,
}

/// One prompt, tokenised and, if it fits, run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SideView {
    /// Tokens of the prompt.
    pub tokens: Vec<TokenView>,
    /// What the model expects behind them.
    pub next: Prediction,
}

/// What a model expects behind a prompt; nothing where the prompt cannot be run, or has not been run yet.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Prediction {
    /// Most likely next tokens.
    pub top: Vec<TopToken>,
    /// Probability that one of the right answers comes next; `None`: there is none, or one that is no single token.
    pub p_answer: Option<f32>,
    /// Probability that one of the wrong answers comes next.
    pub p_wrong: Option<f32>,
}

/// What a model expects behind both prompts of a draft.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Predictions {
    /// Behind the clean prompt.
    pub clean: Prediction,
    /// Behind the corrupted prompt.
    pub corrupted: Prediction,
}

/// How one entered answer reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerReading {
    /// The answer as it was entered.
    pub text: String,
    /// The tokens it splits into; one is right.
    pub ids: Vec<u32>,
    /// Their texts.
    pub pieces: Vec<String>,
    /// The answer with a leading space, if that is one token and the answer as entered is not.
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
    /// What it asks of a device to score the heads; `None`: it cannot be run.
    pub work: Option<Work>,
    /// What would make prompts of unequal length equally long.
    pub mends: Vec<Mend>,
    /// What runs and may not be what was meant.
    pub hints: Vec<Hint>,
    /// The draft written as text, where it is written in token ids and there is a text of just these tokens.
    pub in_text: Option<Box<Experiment>>,
}
/// A tokenizer as far as it is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenizerReport {
    /// The token that is put in front of prompts, as text.
    pub bos: String,
    /// Where the tokenizer's files disagree, and what is made of that.
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
        /// Id of the token that is used.
        used_id: u32,
        /// Id of the token that `config.json` names.
        other_id: u32,
    },
    /// `tokenizer.json` and `tokenizer_config.json` say different things of a space in front of every text, and
    /// transformers' GPT-2 tokenizer goes by the latter.
    #[error(
        "add_prefix_space: tokenizer.json says {}, tokenizer_config.json {used}; {used} is used, as transformers does",
        !used
    )]
    PrefixSpace {
        /// Whether a space is put in front.
        used: bool,
    },
    /// `tokenizer.json` puts a space in front of every text, which `tokenizer_config.json` does not ask for.
    #[error(
        "add_prefix_space: tokenizer.json puts a space in front of every text, as it says; transformers' GPT2Tokenizer \
         leaves it out unless tokenizer_config.json says the same"
    )]
    PrefixSpaceOfFile,
}
