//! What a visitor has chosen to look at. Nothing of it changes a number: it decides what of a result is on the screen.

use std::collections::BTreeSet;

use twinbeam_core::link::{
    Highlight, Note, Panel, PartsBy, Paths, ScaleChoice, SetChoice, View, WithChoice,
};
use twinbeam_core::scores::Unit;
use twinbeam_core::words::{Component, ComponentKind, Direction, Experiment};

use super::Window;

/// Everything that is chosen of what to look at.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the page")]
pub(crate) struct Sight {
    /// Which run is changed in all that is shown. Both directions are computed.
    pub(crate) direction: Direction,
    pub(crate) unit: Unit,
    pub(crate) scale: ScaleChoice,
    /// The neurons that are in view.
    pub(crate) window: Window,
    /// First and last of those that a link has named, as long as its model is the one that is shown.
    pub(crate) named_window: Option<[usize; 2]>,
    /// The component under the pointer or the focus.
    pub(crate) cell: Option<Component>,
    /// The component that the card is about.
    pub(crate) pinned: Option<Component>,
    /// Heads or neurons, in the lab.
    pub(crate) kind: ComponentKind,
    pub(crate) selected: BTreeSet<Component>,
    /// Which components count as found.
    pub(crate) highlight: Highlight,
    /// Whether IG is taken from a zero baseline.
    pub(crate) zero_baseline: bool,
    /// Whether the integral is cut off where the metric saturates.
    pub(crate) split: bool,
    /// Whether the two directions are compared by IG, else by AP.
    pub(crate) directions_by_ig: bool,
    /// The chapter of the lab that is open.
    pub(crate) chapter: Panel,
    /// Which set of components is replaced together, and by what.
    pub(crate) set: SetChoice,
    pub(crate) with: WithChoice,
    /// The experiment for which sets have been replaced.
    pub(crate) ablated: Option<Experiment>,
    /// The experiment for which maps by token were asked for, where they are not drawn by themselves.
    pub(crate) streamed: Option<Experiment>,
    /// By which method the parts of heads are shown.
    pub(crate) parts_by: PartsBy,
    /// The experiment for which parts of heads were asked for, where they are not computed by themselves.
    pub(crate) parted: Option<Experiment>,
    /// What is looked at of the model's graph.
    pub(crate) paths: Paths,
    /// The experiment for which circuits have been run.
    pub(crate) kept: Option<Experiment>,
    /// The experiment of which all edges are to be patched, however long that takes.
    pub(crate) patched: Option<Experiment>,
    /// Whether neurons of many prompts are scored too.
    pub(crate) pairs_with_neurons: bool,
    /// The model that the visitor has pointed at, and that would have to be fetched.
    pub(crate) offered: Option<String>,
    /// What the sender of a link has to say of its experiment, until it is closed.
    pub(crate) noted: Option<(Experiment, Note)>,
}

impl Default for Sight {
    fn default() -> Self {
        Self::of(&View::default(), &Experiment::default())
    }
}

impl Sight {
    /// What a link says is on the screen, of its experiment.
    pub(crate) fn of(view: &View, experiment: &Experiment) -> Self {
        Self {
            direction: view.direction,
            unit: view.unit,
            scale: view.scale,
            window: Window::default(),
            named_window: view.neurons_in_view,
            cell: None,
            pinned: view.pinned,
            kind: view.kind,
            selected: view.selected.iter().copied().collect(),
            highlight: view.highlight,
            zero_baseline: view.zero_baseline,
            split: view.split,
            directions_by_ig: view.directions_by_ig,
            chapter: view.chapter,
            set: view.set,
            with: view.with,
            ablated: view.ablated.then(|| experiment.clone()),
            streamed: view.streams.then(|| experiment.clone()),
            parts_by: view.parts_by,
            parted: view.parts.then(|| experiment.clone()),
            paths: view.paths.clone(),
            kept: view.paths.kept.then(|| experiment.clone()),
            patched: None,
            pairs_with_neurons: view.batch_neurons,
            offered: None,
            noted: (!view.note.is_empty()).then(|| (experiment.clone(), view.note.clone())),
        }
    }

    /// What of it goes into links and files, beside the figure of `shown`. The pairs of prompts and a note are for their owner
    /// to add.
    pub(crate) fn view(&self, shown: Option<&Experiment>) -> View {
        let is_shown = |of: &Option<Experiment>| of.is_some() && of.as_ref() == shown;
        View {
            direction: self.direction,
            unit: self.unit,
            scale: self.scale,
            // Before a model says how many there are, as they were named.
            neurons_in_view: if self.window.total() == 0 {
                self.named_window
            } else {
                self.window.in_part()
            },
            pinned: self.pinned,
            kind: self.kind,
            selected: self.selected.iter().copied().collect(),
            highlight: self.highlight,
            zero_baseline: self.zero_baseline,
            split: self.split,
            directions_by_ig: self.directions_by_ig,
            chapter: self.chapter,
            set: self.set,
            with: self.with,
            ablated: is_shown(&self.ablated),
            streams: is_shown(&self.streamed),
            parts_by: self.parts_by,
            parts: is_shown(&self.parted),
            paths: Paths { kept: is_shown(&self.kept), ..self.paths.clone() },
            batch_neurons: self.pairs_with_neurons,
            draw: None,
            pairs: Vec::new(),
            note: Note::default(),
        }
    }
}
