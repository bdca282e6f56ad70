//! What an experiment is made of: its prompts as tokens, what is changed, what is measured, and of what.

mod component;
mod experiment;
mod phase;
mod side;
mod tokens;

pub use component::{Component, ComponentKind, Method};
pub use experiment::{
    Direction, Experiment, MAX_PROMPT_CHARS, MAX_STEPS, Metric, NotSteps, Steps, Written,
};
pub use phase::Phase;
pub use side::{Entered, Field, Side};
pub use tokens::{Answers, PromptError, TokenPair, TopToken, parse_ids};
