//! Many prompts: what is to be run, how far that is, and what came out.

use std::sync::Arc;

use twinbeam_core::prompts::lists::{Limits, PairList, PairsError, read_pairs};
use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::scores::Outcome;
use twinbeam_core::scores::many::{Merged, Merging};
use twinbeam_core::words::{ComponentKind, Experiment};

use crate::values::Before;

/// Many prompts.
#[derive(Debug, Clone)]
pub(crate) struct Many {
    /// What is in the field.
    pub(crate) text: Arc<str>,
    /// What that says, read once.
    pub(crate) list: Arc<Result<PairList, PairsError>>,
    /// What is wrong with it.
    pub(crate) problem: Option<String>,
    pub(crate) pairs: Arc<Vec<PromptPair>>,
    /// Where they were drawn from, if they were.
    pub(crate) draw: Option<Draw>,
    /// What is to be drawn and added to them.
    pub(crate) adding: Option<Draw>,
    /// Whether all pairs are run as soon as those are there.
    pub(crate) run_when_drawn: bool,
    /// What a worker is drawing, and which one.
    pub(crate) drawing: Option<(u64, Draw)>,
    /// The list before something else than a person's typing has changed it.
    pub(crate) before: Option<Before>,
    /// Whether the pairs are being run: the next one begins when the worker has time.
    pub(crate) is_running: bool,
    /// The pair that comes next: as many have been run.
    pub(crate) next: usize,
    /// With which settings it was begun.
    pub(crate) of: Option<Experiment>,
    pub(crate) merged: Option<Arc<Merged>>,
    pub(crate) run: Run,
}

/// The pair that is running, as far as it has come, and what those before have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    pub(crate) merging: Option<Merging>,
    pub(crate) name: String,
    pub(crate) outcome: Option<Outcome>,
    /// Of which weights, which components and which pairs all of it is.
    pub(crate) fingerprint: String,
    pub(crate) kinds: Vec<ComponentKind>,
    pub(crate) pairs: Arc<Vec<PromptPair>>,
    pub(crate) draw: Option<Draw>,
}

impl Default for Many {
    fn default() -> Self {
        Self {
            text: Arc::from(""),
            list: Arc::new(read_pairs(b"", Limits::PAGE)),
            problem: None,
            pairs: Arc::default(),
            draw: None,
            adding: None,
            run_when_drawn: false,
            drawing: None,
            before: None,
            is_running: false,
            next: 0,
            of: None,
            merged: None,
            run: Run::default(),
        }
    }
}

impl Many {
    /// Puts a text into the field, and reads it.
    pub(crate) fn write(&mut self, text: String) {
        if *self.text != *text {
            self.list = Arc::new(read_pairs(text.as_bytes(), Limits::PAGE));
            self.text = Arc::from(text);
        }
    }

    /// The list in the field, if its pairs are those that are run.
    pub(crate) fn own_list(&self) -> Option<&PairList> {
        let list = self.list.as_ref().as_ref().ok()?;
        list.rows.iter().flatten().eq(self.pairs.iter()).then_some(list)
    }
}
