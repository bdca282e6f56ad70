//! What is remembered of edits until they are run by themselves.

/// Edits that are run by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Edited {
    /// Whether typing has paused since the last edit, which has not been run.
    pub(crate) is_due: bool,
    /// When the last edit was, in milliseconds since 1970; 0: there was none.
    pub(crate) at: f64,
    /// Whether the address's step of the history was made by the edits that go on now.
    pub(crate) has_step: bool,
}
