//! What follows by itself after every message: whoever is idle is given something to do, and the address and the
//! browser's memory keep up with what has changed.

use std::sync::Arc;

use twinbeam_core::link::{Snapshot, View, print_link};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::wire::Request;
use twinbeam_core::words::Experiment;

use super::address::Held;
use super::msg::{Effect, Timer};
use super::session::Session;
use crate::values::{Job, Sight, Slot, Window};

/// Where the browser remembers edits that were not run.
pub(crate) const DRAFT: &str = "twinbeam-draft";
/// Where it remembers that edits are not to be run by themselves.
pub(crate) const AUTO_RUN: &str = "twinbeam-auto-run";
/// Where it remembers how fast GPUs are.
pub(crate) const SPEEDS: &str = "twinbeam-gpu-speeds";

/// Pause after which a change of what is shown is put into the address.
const LOOKING_MILLIS: u32 = 300;

impl Session {
    /// Does what is due.
    pub(super) fn settle(&mut self) {
        self.fit_window();
        if !self.is_frame {
            self.draw_missing();
            self.give_work();
            self.remember_draft();
            self.keep_page();
        }
        self.watch_view();
    }

    /// The neurons in view are of the model that the maps are of.
    fn fit_window(&mut self) {
        // While a model is on its way the one before says how many there are.
        let Some(total) = self.shown_shape().map(|shape| shape.d_mlp) else { return };
        if self.sight.window.total() != total {
            self.sight.window = Window::named(total, self.sight.named_window);
        }
    }

    /// Has the worker draw what is to be drawn and is not there.
    fn draw_missing(&mut self) {
        let many = &self.many;
        let missing = many.draw.as_ref().filter(|_| many.pairs.is_empty());
        let wanted = many.adding.as_ref().or(missing).cloned();
        let worker = self.workers.in_use.filter(|_| self.loaded.is_some());
        let wanted = worker.zip(wanted);
        if let Some((_, draw)) = wanted.clone().filter(|_| wanted != self.many.drawing) {
            self.tell(Request::Draw { draw });
        }
        self.many.drawing = wanted;
    }

    /// Gives the worker something to do, if it is idle and there is something: the lab's questions, the quick ones first,
    /// then the next pair of many.
    fn give_work(&mut self) {
        if let Some(running) = &self.running {
            let is_wanted = match (running.job, &running.question) {
                (Job::Question(slot), Some((probe, _))) => {
                    self.wants[slot as usize].as_ref() == Some(probe)
                }
                _ => true,
            };
            if is_wanted {
                return;
            }
            // What is asked now would wait for what nobody reads any more.
            self.interrupt();
        }
        // Many pairs would wait for a model's thousands of edges.
        let has_time = |slot: Slot| slot != Slot::PatchEdges || !self.many.is_running;
        let is_open = |slot: &Slot| {
            self.wants[*slot as usize].is_some() && self.answer(*slot).is_none() && has_time(*slot)
        };
        let question = Slot::ALL.into_iter().find(is_open).and_then(|slot| {
            let probe = self.wants[slot as usize].clone()?;
            Some((slot, probe, self.figure_in_use()?))
        });
        if let Some((slot, probe, of)) = question {
            self.ask(slot, probe, of);
        } else if self.many.is_running && self.loaded.is_some() {
            self.next_pair();
        }
    }

    /// The address follows what is on the screen, after a pause.
    fn watch_view(&mut self) {
        let mut view = self.sight.view(self.committed.as_ref().map(|c| &c.experiment));
        view.draw.clone_from(&self.many.draw);
        view.note = self.note().cloned().unwrap_or_default();
        let is_same = |(looked, pairs): &(View, Arc<Vec<PromptPair>>)| {
            *looked == view && Arc::ptr_eq(pairs, &self.many.pairs)
        };
        if self.looked.as_ref().is_some_and(is_same) {
            return;
        }
        // What was drawn can be drawn again.
        let pairs = if view.draw.is_some() { Vec::new() } else { self.many.pairs.to_vec() };
        self.view = Arc::new(View { pairs, ..view.clone() });
        // The first time it is what the address has said.
        if self.looked.is_some() && !self.is_frame {
            let timer = Timer::Looking;
            self.effects.push(Effect::After { timer, millis: LOOKING_MILLIS });
        }
        self.looked = Some((view, Arc::clone(&self.many.pairs)));
    }

    /// Puts what is looked at into the address, with the result that is in it already.
    pub(super) fn write_view(&mut self) {
        if self.is_stale() == Some(false) {
            let asked = self.asked();
            self.write_address(&asked, None, false);
        }
    }

    /// Looks at something else, as a step that Back undoes: it leads to what was on the screen until then.
    pub(super) fn step(&mut self, sight: Sight) {
        self.write_view();
        self.sight = sight;
        // The address is of the figure, whatever is being typed.
        let held = self.address.as_ref().map(|held| held.experiment.clone());
        let of = held.unwrap_or_else(|| self.asked());
        self.write_address(&of, None, true);
    }

    /// The address holds the result of what it asks for, once that is no longer being checked.
    pub(super) fn keep_in_address(&mut self) {
        let is_checking = self.committed.as_ref().is_some_and(|c| !c.checking.is_empty());
        if self.is_stale() == Some(false) && !is_checking {
            let snapshot = self.snapshot();
            let draft = self.draft.clone();
            self.write_address(&draft, snapshot, false);
        }
    }

    /// Puts an experiment, what is on the screen of it, and its result if there is one, into the address: as a new
    /// step of the history, or in place of this one.
    pub(super) fn write_address(
        &mut self,
        experiment: &Experiment,
        snapshot: Option<Snapshot>,
        new_step: bool,
    ) {
        // It may have changed with the message that is taken now.
        self.watch_view();
        let view = (*self.view).clone();
        // A result is not taken out of the address by an experiment that it belongs to.
        let here = self.address.as_deref().filter(|here| here.experiment == *experiment);
        if snapshot.is_none() && here.is_some_and(|here| here.view == view) {
            return;
        }
        let snapshot = snapshot.or_else(|| here.and_then(|here| here.snapshot.clone()));
        // Prompts that fit into no link leave the address as it is; Share says so.
        let Ok(link) = print_link(experiment, snapshot.as_ref(), &view) else {
            return;
        };
        let experiment = experiment.clone();
        self.address = Some(Box::new(Held { experiment, snapshot, view }));
        self.effects.push(Effect::Address { link, new_step });
    }
}
