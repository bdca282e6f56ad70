//! The tour: which step it is at, and what the visitor had on the screen before, which comes back when it ends.

use std::sync::Arc;

use twinbeam_core::words::{ComponentKind, Direction, Experiment};

use super::edited::Edited;
use super::msg::OfTour;
use super::session::{Linked, Session};
use crate::values::{Committed, Job, LinkCheck, Sight, Step};

/// A tour under way.
#[derive(Debug, Clone)]
pub(crate) struct Tour {
    pub(super) step: Step,
    before: Box<Before>,
    /// The example that it has opened last.
    opened: Option<Experiment>,
}

/// What was on the screen before.
#[derive(Debug, Clone)]
struct Before {
    draft: Experiment,
    set_aside: Option<Experiment>,
    committed: Option<Arc<Committed>>,
    linked: Option<Linked>,
    link_check: Option<LinkCheck>,
    seconds: Option<f64>,
    sight: Sight,
}

impl Session {
    pub(super) fn of_tour(&mut self, of: OfTour) {
        match of {
            OfTour::Start => self.start_tour(),
            OfTour::Go(step) => {
                if let Some(tour) = &mut self.tour {
                    tour.step = step;
                }
            }
            OfTour::Open(experiment) => self.open_in_tour(*experiment),
            OfTour::End => self.end_tour(),
        }
    }

    /// The step that the tour is at; `None`: there is none.
    pub(crate) fn tour_step(&self) -> Option<Step> {
        self.tour.as_ref().map(|tour| tour.step)
    }

    /// What was typed before the tour, as long as the tour's own example is in its place.
    pub(super) fn behind_tour(&self) -> Option<&Experiment> {
        let tour = self.tour.as_ref()?;
        let opened = tour.opened.as_ref()?;
        let before = &tour.before.draft;
        (opened.has_inputs_of(&self.draft) && !before.has_inputs_of(&self.draft)).then_some(before)
    }

    /// Whether the end of the tour brings other prompts back.
    pub(crate) fn tour_leads_back(&self) -> bool {
        self.behind_tour().is_some()
    }

    fn start_tour(&mut self) {
        if let Some(tour) = &mut self.tour {
            tour.step = Step::Inputs;
            return;
        }
        let before = Before {
            draft: self.draft.clone(),
            set_aside: self.set_aside.clone(),
            committed: self.committed.clone(),
            linked: self.linked.clone(),
            link_check: self.link_check.clone(),
            seconds: self.seconds,
            sight: self.sight.clone(),
        };
        // What its examples show, they show noising.
        self.sight.direction = Direction::Noising;
        self.tour = Some(Tour { step: Step::Inputs, before: Box::new(before), opened: None });
    }

    /// Shows an example, and runs it if it is not what the figure is of.
    fn open_in_tour(&mut self, experiment: Experiment) {
        let Some(tour) = &mut self.tour else { return };
        // Back leads to what was there before the tour, not from example to example.
        let new_step = tour.opened.is_none();
        tour.opened = Some(experiment.clone());
        let is_running = self.running.as_ref().is_some_and(|running| {
            running.job == Job::Heads && running.experiment.has_inputs_of(&experiment)
        });
        let is_asked = self.draft.has_inputs_of(&experiment);
        if is_asked && (is_running || self.is_stale() == Some(false)) {
            return;
        }
        self.sight.pinned = None;
        self.open(experiment, None, new_step);
    }

    /// Ends the tour. What was on the screen before comes back, unless the visitor has typed something else since.
    fn end_tour(&mut self) {
        let leads_back = self.tour_leads_back();
        let Some(tour) = self.tour.take() else { return };
        if !leads_back {
            if tour.opened.is_some_and(|opened| opened.has_inputs_of(&self.draft)) {
                self.sight.pinned = tour.before.sight.pinned;
            }
            return;
        }
        let Before { draft, set_aside, committed, linked, link_check, seconds, sight } =
            *tour.before;
        let draft = Experiment { model: self.draft.model.clone(), ..draft };
        // A figure that was being drawn, or checked, is drawn anew.
        let is_whole =
            |c: &Arc<Committed>| c.is_complete(ComponentKind::Heads) && c.checking.is_empty();
        let figure = committed.filter(is_whole);
        self.sight = sight;
        self.set_aside = set_aside;
        self.notice = None;
        self.draft = draft;
        self.failed = false;
        self.edited = Edited::default();
        // What was typed and not run is for the visitor to run.
        self.workers.run_if_possible = figure.is_none();
        self.inspect(true);
        let Some(figure) = figure else { return };
        self.interrupt();
        (self.previous, self.pending) = (None, None);
        let experiment = figure.experiment.clone();
        self.committed = Some(figure);
        (self.linked, self.link_check, self.seconds) = (linked, link_check, seconds);
        let snapshot = self.snapshot();
        self.write_address(&experiment, snapshot, false);
        let lacks_neurons = !self
            .committed
            .as_ref()
            .is_some_and(|c| c.is_from_link() || c.is_complete(ComponentKind::Neurons));
        let is_quick = self.shape().is_some_and(|s| s.is_quick(s.n_layers * s.d_mlp));
        if lacks_neurons && is_quick && self.can_score_neurons() {
            self.run_neurons();
        }
    }
}
