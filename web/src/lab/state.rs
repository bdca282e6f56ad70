//! The lab's signals: what is chosen, what is asked of the worker, and what it has answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::link::{Highlight, Panel, SetChoice, View, WithChoice};
use twinbeam_core::prompts::lists::{PairList, PairsError, read_pairs};
use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::scores::many::Merged;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Experiment};

use crate::reactive::{effect, memo};
use crate::state::{AppState, Progress};

/// A place for one question at a time: a new question takes the old one's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Integrand,
    Pattern,
    ZeroBaseline,
    Positions,
    Ablate,
    Faithfulness,
    Streams,
}

impl Slot {
    /// In the order in which they are answered: the quick ones first.
    pub(crate) const ALL: [Self; 7] = [
        Self::Integrand,
        Self::Pattern,
        Self::ZeroBaseline,
        Self::Positions,
        Self::Ablate,
        Self::Faithfulness,
        Self::Streams,
    ];
}

/// What the worker has said to a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Of which experiment, and of which weights.
    pub(crate) experiment: Experiment,
    pub(crate) fingerprint: String,
    pub(crate) probe: Probe,
    /// What was found, or why not.
    pub(crate) found: Result<Finding, String>,
    /// Whether a GPU computed it and nothing has checked that.
    pub(crate) unchecked: bool,
}

/// Many prompts: what is to be run, how far that is, and what came out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    /// What is in the field.
    pub(crate) text: RwSignal<String>,
    /// What that says, read once.
    pub(crate) list: Memo<Result<PairList, PairsError>>,
    /// What is wrong with it.
    pub(crate) problem: RwSignal<Option<String>>,
    pub(crate) pairs: RwSignal<Vec<PromptPair>>,
    /// Where they were drawn from, if they were.
    pub(crate) draw: RwSignal<Option<Draw>>,
    /// What is to be drawn and added to them.
    pub(crate) adding: RwSignal<Option<Draw>>,
    /// The list before something else than a person's typing has changed it.
    pub(crate) before: RwSignal<Option<Before>>,
    /// Whether neurons are scored too.
    pub(crate) neurons: RwSignal<bool>,
    pub(crate) running: RwSignal<bool>,
    /// The pair that comes next: as many have been run.
    pub(crate) next: RwSignal<usize>,
    pub(crate) progress: RwSignal<Option<Progress>>,
    /// With which settings it was begun.
    pub(crate) of: RwSignal<Option<Experiment>>,
    pub(crate) merged: RwSignal<Option<Arc<Merged>>>,
}

impl Batch {
    /// The list in the field, if its pairs are these.
    pub(crate) fn list_of<T>(
        &self,
        pairs: &[PromptPair],
        read: impl FnOnce(&PairList) -> T,
    ) -> Option<T> {
        self.list.with_untracked(|list| {
            let list = list.as_ref().ok()?;
            list.rows.iter().flatten().eq(pairs).then(|| read(list))
        })
    }
}

/// A list that another has taken the place of, and that can be brought back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Before {
    pub(crate) text: String,
    pub(crate) pairs: Vec<PromptPair>,
    pub(crate) draw: Option<Draw>,
    /// What was done, in words.
    pub(crate) done: String,
    /// Whether nothing has been typed since, so that the field's own undo has nothing to undo.
    pub(crate) is_last: bool,
}

/// Everything of the lab that changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lab {
    pub(crate) kind: RwSignal<ComponentKind>,
    pub(crate) selected: RwSignal<BTreeSet<Component>>,
    pub(crate) highlight: RwSignal<Highlight>,
    pub(crate) zero_baseline: RwSignal<bool>,
    pub(crate) split: RwSignal<bool>,
    pub(crate) directions_by_ig: RwSignal<bool>,
    pub(crate) open: RwSignal<Vec<Panel>>,
    pub(crate) set: RwSignal<SetChoice>,
    pub(crate) with: RwSignal<WithChoice>,
    /// The experiment for which sets have been replaced.
    pub(crate) ablated: RwSignal<Option<Experiment>>,
    /// The experiment for which maps by token were asked for, where they are not drawn by themselves.
    pub(crate) streamed: RwSignal<Option<Experiment>>,
    wants: [RwSignal<Option<Probe>>; 7],
    answers: [RwSignal<Option<Arc<Answer>>>; 7],
    /// The running question, and its number.
    pub(crate) job: RwSignal<Option<u64>>,
    pub(crate) progress: RwSignal<Option<Progress>>,
    pub(crate) batch: Batch,
    /// The job that runs a pair of the batch.
    pub(crate) batch_job: RwSignal<Option<u64>>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let view = View::default();
        let text = RwSignal::new(String::new());
        Self {
            kind: RwSignal::new(view.kind),
            selected: RwSignal::new(BTreeSet::new()),
            highlight: RwSignal::new(view.highlight),
            zero_baseline: RwSignal::new(false),
            split: RwSignal::new(false),
            directions_by_ig: RwSignal::new(false),
            open: RwSignal::new(view.open),
            set: RwSignal::new(view.set),
            with: RwSignal::new(view.with),
            ablated: RwSignal::new(None),
            streamed: RwSignal::new(None),
            wants: [(); 7].map(|()| RwSignal::new(None)),
            answers: [(); 7].map(|()| RwSignal::new(None)),
            job: RwSignal::new(None),
            progress: RwSignal::new(None),
            batch: Batch {
                text,
                list: memo(move || text.with(|text| read_pairs(text.as_bytes()))),
                problem: RwSignal::new(None),
                pairs: RwSignal::new(Vec::new()),
                draw: RwSignal::new(None),
                adding: RwSignal::new(None),
                before: RwSignal::new(None),
                neurons: RwSignal::new(false),
                running: RwSignal::new(false),
                next: RwSignal::new(0),
                progress: RwSignal::new(None),
                of: RwSignal::new(None),
                merged: RwSignal::new(None),
            },
            batch_job: RwSignal::new(None),
        }
    }

    pub(crate) fn wants(&self, slot: Slot) -> RwSignal<Option<Probe>> {
        self.wants[slot as usize]
    }

    pub(crate) fn answers(&self, slot: Slot) -> RwSignal<Option<Arc<Answer>>> {
        self.answers[slot as usize]
    }

    /// Whether a part is open.
    pub(crate) fn is_open(&self, panel: Panel) -> bool {
        self.open.with(|open| open.contains(&panel))
    }
}

impl AppState {
    /// Asks `probe` for as long as it is wanted: at once, or when the worker has time. `None`: nothing.
    pub(crate) fn ask(&self, slot: Slot, probe: impl Fn() -> Option<Probe> + 'static) {
        let wants = self.lab.wants(slot);
        effect(move || {
            let probe = probe();
            if wants.with_untracked(|before| *before != probe) {
                wants.set(probe);
            }
        });
    }

    /// The answer to what a slot asks now, if it is there: of the figure on the screen and no other.
    pub(crate) fn answer(&self, slot: Slot) -> Option<Arc<Answer>> {
        let answer = self.lab.answers(slot).get()?;
        let is_asked = self.lab.wants(slot).with(|probe| probe.as_ref() == Some(&answer.probe));
        (is_asked && self.is_of_figure(&answer)).then_some(answer)
    }

    /// Whether an answer is of the experiment and the weights that the figure is of.
    pub(crate) fn is_of_figure(&self, answer: &Answer) -> bool {
        self.committed.with(|committed| {
            committed.as_ref().is_some_and(|committed| {
                committed.experiment == answer.experiment
                    && answer.fingerprint.starts_with(&committed.model.fingerprint)
            })
        })
    }

    /// The component that the lab looks at: the pinned one, else the head whose scores differ most.
    pub(crate) fn focus(&self) -> Option<Component> {
        if let Some(pinned) = self.pinned.get() {
            return Some(pinned);
        }
        let direction = self.direction();
        self.committed.with(|committed| {
            let [ig, ap] = committed.as_ref()?.tables(ComponentKind::Heads, direction);
            let (ig, ap) = (ig?, ap?);
            if ig.values().len() != ap.values().len() {
                return None;
            }
            ig.minus(ap).strongest(1).into_iter().next()
        })
    }

    /// Whether sets have been replaced for the figure on the screen.
    pub(crate) fn is_ablated(&self) -> bool {
        self.is_figures(self.lab.ablated)
    }

    /// Whether something was asked for, and for the figure on the screen.
    pub(crate) fn is_figures(&self, asked: RwSignal<Option<Experiment>>) -> bool {
        let of = |asked: &Experiment| {
            self.committed.with(|c| c.as_ref().is_some_and(|c| c.experiment == *asked))
        };
        asked.with(|asked| asked.as_ref().is_some_and(of))
    }

    /// What is on the screen of a result: what links and files take along, and what opening a link brings back.
    pub(crate) fn view(&self) -> View {
        let lab = &self.lab;
        let batch = &lab.batch;
        let draw = batch.draw.get();
        let window = self.window.get();
        let named = self.named_window.get();
        View {
            direction: self.direction.get(),
            unit: self.unit.get(),
            scale: self.scale.get(),
            // Before a model says how many there are, as they were named.
            neurons_in_view: if window.total() == 0 { named } else { window.in_part() },
            pinned: self.pinned.get(),
            kind: lab.kind.get(),
            selected: lab.selected.with(|selected| selected.iter().copied().collect()),
            highlight: lab.highlight.get(),
            zero_baseline: lab.zero_baseline.get(),
            split: lab.split.get(),
            directions_by_ig: lab.directions_by_ig.get(),
            open: lab.open.get(),
            set: lab.set.get(),
            with: lab.with.get(),
            ablated: self.is_ablated(),
            streams: self.is_figures(lab.streamed),
            batch_neurons: batch.neurons.get(),
            // What was drawn can be drawn again.
            pairs: if draw.is_some() { Vec::new() } else { batch.pairs.get() },
            draw,
        }
    }

    /// Takes what a link says is on the screen, and of which experiment. Pairs that were drawn are drawn again by
    /// whoever needs them.
    pub(crate) fn take_view(&self, view: View, of: &Experiment) {
        let lab = &self.lab;
        lab.ablated.set(view.ablated.then(|| of.clone()));
        lab.streamed.set(view.streams.then(|| of.clone()));
        self.direction.set(view.direction);
        self.unit.set(view.unit);
        self.scale.set(view.scale);
        self.named_window.set(view.neurons_in_view);
        self.pinned.set(view.pinned);
        self.cell.set(None);
        lab.kind.set(view.kind);
        lab.selected.set(view.selected.into_iter().collect());
        lab.highlight.set(view.highlight);
        lab.zero_baseline.set(view.zero_baseline);
        lab.split.set(view.split);
        lab.directions_by_ig.set(view.directions_by_ig);
        lab.open.set(view.open);
        lab.set.set(view.set);
        lab.with.set(view.with);
        lab.batch.neurons.set(view.batch_neurons);
        if view.draw.is_none() && view.pairs.is_empty() {
            // What is in the field is of the address before.
            lab.batch.text.set(String::new());
            lab.batch.problem.set(None);
        }
        lab.batch.adding.set(None);
        lab.batch.before.set(None);
        lab.batch.draw.set(view.draw);
        lab.batch.pairs.set(view.pairs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_that_of_the_field_whatever_pairs_are_run() {
        Owner::new().with(|| {
            let batch = Lab::new().batch;
            assert!(batch.list.with_untracked(Result::is_err), "nothing is in the field");
            batch.text.set("clean,corrupted,answer,wrong\na,b,c,d\na,b".to_owned());
            let list = batch.list.get_untracked();
            let pairs = list.expect("a pair is in the field").pairs();
            assert_eq!(batch.list_of(&pairs, |list| list.bad().count()), Some(1));
            assert_eq!(batch.list_of(&[], |_| ()), None, "other pairs are run");
            batch.text.set(String::new());
            assert_eq!(batch.list_of(&pairs, |_| ()), None, "the field is empty");
        });
    }
}
