//! A list of prompt pairs that can be brought back.

use twinbeam_core::prompts::{Draw, PromptPair};

/// A list that another has taken the place of, and that can be brought back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Before {
    pub(crate) text: String,
    pub(crate) pairs: Vec<PromptPair>,
    /// Where they were drawn from, if they were.
    pub(crate) draw: Option<Draw>,
    /// What was done, in words.
    pub(crate) done: String,
    /// Whether nothing has been typed since, so that the field's own undo has nothing to undo.
    pub(crate) is_last: bool,
}
