//! Which model an experiment is meant for, and what happens if that is not the one in use.

use std::sync::Arc;

use twinbeam_core::link::{Link, LinkError, Snapshot, View};
use twinbeam_core::words::Experiment;

use super::address::Held;
use super::edited::Edited;
use super::edits::kept_draft;
use super::msg::Effect;
use super::session::Session;
use crate::explain;
use crate::values::{CatalogFault, Committed, Listed, Sight, bytes, fetch_bytes};

impl Session {
    /// Takes the address that the page was opened with. Edits from before a reload stay, and the figure is of the address.
    /// `remembered`: what the browser has kept of them.
    pub(crate) fn open_address(
        &mut self,
        link: Option<Result<Link, LinkError>>,
        remembered: Option<&str>,
    ) {
        let is_readable = !matches!(link, Some(Err(_)));
        let (experiment, snapshot) = self.read_address(link);
        let remembered = remembered.filter(|_| is_readable);
        let edits = remembered.and_then(|text| kept_draft(text, &experiment));
        self.workers.is_named = self.address.is_some();
        self.show_link(&experiment, snapshot);
        match edits {
            Some(edits) => {
                self.draft = edits;
                self.workers.first = Some(experiment);
                self.notice = self.notice.take().or_else(|| Some(explain::draft_is_back()));
            }
            None => self.draft = experiment,
        }
    }

    /// Follows the address to another link.
    pub(super) fn follow_address(&mut self, link: Option<Result<Link, LinkError>>) {
        let link = link.map(|link| link.map(|link| self.meant(link)));
        if let Some(Ok(link)) = &link
            && self.is_of_figure(&link.experiment)
        {
            // Parts that cannot be used are said, whatever the rest is about.
            self.notice = explain::parts_of_link(link);
            self.look_as(link);
            return;
        }
        let (experiment, snapshot) = self.read_address(link);
        self.draw_again();
        self.open(experiment, snapshot, false);
    }

    /// What a link is about: one that names a chapter only, what the page opens with.
    fn meant(&self, mut link: Link) -> Link {
        if link.is_of_opening {
            link.experiment = self.opening.clone();
        }
        link
    }

    /// Whether the address is of an experiment whose figure is on the screen, or coming.
    fn is_of_figure(&self, experiment: &Experiment) -> bool {
        let is_here = self.address.as_ref().is_some_and(|held| held.experiment == *experiment);
        let is_shown = self.committed.as_ref().is_some_and(|c| c.experiment == *experiment);
        let is_coming = self.running.as_ref().is_some_and(|r| r.experiment == *experiment);
        is_here && (is_shown || is_coming)
    }

    /// Looks at the figure on the screen as a link does, as after a step back: nothing is run again, what is being typed
    /// stays, and so does a list of pairs.
    fn look_as(&mut self, link: &Link) {
        let Link { experiment, snapshot, view, .. } = link.clone();
        self.sight = Sight::of(&view, &experiment);
        if self.many.text.trim().is_empty() {
            self.take_pairs_of_link(&view);
            self.draw_again();
        }
        self.address = Some(Box::new(Held { experiment, snapshot, view }));
        self.looked = None;
    }

    /// What an address asks for, and what came with it; what there is to say about it is said.
    fn read_address(
        &mut self,
        link: Option<Result<Link, LinkError>>,
    ) -> (Experiment, Option<Snapshot>) {
        self.notice = None;
        self.address = None;
        let (experiment, snapshot, view) = match link {
            None => (self.opening.clone(), None, View::default()),
            Some(Err(error)) => {
                self.notice = Some(explain::link(&error));
                (self.opening.clone(), None, View::default())
            }
            Some(Ok(link)) => {
                let link = self.meant(link);
                self.notice = explain::parts_of_link(&link);
                let Link { experiment, snapshot, view, .. } = link;
                self.address = Some(Box::new(Held {
                    experiment: experiment.clone(),
                    snapshot: snapshot.clone(),
                    view: view.clone(),
                }));
                (experiment, snapshot, view)
            }
        };
        self.take_pairs_of_link(&view);
        self.sight = Sight::of(&view, &experiment);
        self.looked = None;
        (experiment, snapshot)
    }

    /// Takes another experiment, shows what came with it, and runs it on its model.
    pub(super) fn open(
        &mut self,
        experiment: Experiment,
        snapshot: Option<Snapshot>,
        new_step: bool,
    ) {
        self.show_link(&experiment, snapshot);
        self.draft = experiment;
        self.edited = Edited::default();
        self.set_aside = None;
        self.workers.is_named = true;
        self.workers.first = None;
        self.workers.run_when_loaded = self.loaded.is_none();
        self.ask_model(new_step);
    }

    /// Puts a link's result on the screen, or takes the last one's word back.
    fn show_link(&mut self, experiment: &Experiment, snapshot: Option<Snapshot>) {
        self.link_check = None;
        self.linked = snapshot.map(|snapshot| Arc::new((experiment.clone(), snapshot)));
        self.link_stays = self.linked.is_some();
        if let Some(linked) = &self.linked {
            self.committed = Some(Arc::new(Committed::of_link(experiment.clone(), &linked.1)));
            self.seconds = None;
        }
    }

    /// The list of models is there.
    pub(super) fn listed(&mut self, listed: Listed, fault: Option<&CatalogFault>) {
        if let Some(fault) = fault {
            // What a link has to say comes first.
            self.notice = self.notice.take().or_else(|| Some(explain::catalog(fault)));
        }
        let first = listed.catalog.first().id.clone();
        self.models.listed = Some(Arc::new(listed));
        self.workers.spec = self.models.spec(&first);
        self.load_in_use();
        if self.workers.is_named {
            self.ask_model(false);
        } else {
            self.draft.model = first;
        }
        self.effects.push(Effect::LookAtShelves);
    }

    /// Finds the model that the draft names: in use, at hand, to be fetched, or not there at all. From here on
    /// the draft names the one in use, since that is what Run takes.
    fn ask_model(&mut self, new_step: bool) {
        self.models.waiting = None;
        let Some(in_use) = self.workers.spec.as_ref().map(|spec| spec.identity.clone()) else {
            // The list of models is on its way, and this is asked again then.
            return;
        };
        let wanted = self.draft.model.clone();
        if wanted == in_use.id {
            self.inspect(true);
            self.run_if_loaded(new_step);
            return;
        }
        self.draft.model = in_use.id;
        self.inspect(true);
        if self.models.find(&wanted).is_none() {
            if self.linked.is_some() {
                // What was sent is shown; to run it takes files that only the sender has.
                self.notice = Some(explain::unknown_model(&wanted, &in_use.title));
                self.models.waiting = Some(wanted);
                return;
            }
            if self.is_from_link() {
                // What an earlier link has shown would be taken for this one's.
                self.committed = None;
            }
            self.notice = Some(explain::other_model(&wanted, &in_use.title));
            self.run_if_loaded(new_step);
            return;
        }
        self.models.waiting = Some(wanted);
        self.models.is_undecided = true;
        // What is there of it is found out first.
        self.effects.push(Effect::LookAtShelves);
    }

    /// Loads the model that is waited for if it is at hand, and offers to fetch it otherwise.
    pub(super) fn decide(&mut self) {
        if !std::mem::take(&mut self.models.is_undecided) {
            return;
        }
        let Some(model) = self.models.waiting.as_ref().and_then(|id| self.models.find(id)).cloned()
        else {
            return;
        };
        if self.models.is_at_hand(&model) {
            if let Some(spec) = self.models.spec(&model.id) {
                self.load(spec);
            }
        } else {
            let size = bytes(fetch_bytes(&model));
            let has_figure = self.linked.is_some();
            self.notice = Some(explain::offer(&model.id, &model.title, &size, has_figure));
        }
    }

    fn run_if_loaded(&mut self, new_step: bool) {
        if self.loaded.is_some() && !self.keeps_link() {
            self.run(new_step);
        }
    }
}
