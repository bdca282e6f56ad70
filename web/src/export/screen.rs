//! All that files and links are made from, as plain values: nothing here is reactive, so that a test can hold every
//! one of them against what the screen shows.

use twinbeam_core::{ComponentKind, Experiment, KnownHeads, Snapshot, View, print_link};

use super::record::{Looked, Record};
use super::svg::Picture;
use super::{embed, svg};
use crate::heatmap::{Look, Shown};
use crate::linked::snapshot_of;
use crate::state::Committed;

/// A result and what is on the screen of it.
#[derive(Debug, Clone)]
pub(crate) struct Screen<'a> {
    /// The result, of the experiment that was run, whatever is being typed.
    pub(crate) committed: &'a Committed,
    pub(crate) view: View,
    /// The result that came with the link, as it came.
    pub(crate) linked: Option<&'a Snapshot>,
    /// Heads whose part in a task is known.
    pub(crate) known: Option<KnownHeads>,
    /// Answers to the closer questions that are open.
    pub(crate) lab: Vec<Looked>,
    /// Address of the page, without query and fragment.
    pub(crate) page: String,
}

impl Screen<'_> {
    pub(super) const fn experiment(&self) -> &Experiment {
        &self.committed.experiment
    }

    /// How the result is looked at, in the unit that it is shown in.
    pub(super) fn look(&self) -> Look {
        Look::of(&self.view).at(&self.committed.basis)
    }

    /// What the maps of a kind show.
    pub(super) fn shown(&self, kind: ComponentKind) -> Shown {
        Shown::new(self.committed, self.look(), kind)
    }

    /// The address that shows all this again, with the result in it; the page's own, where it fits into none.
    pub(super) fn link(&self) -> String {
        let snapshot = snapshot_of(self.committed, self.linked);
        match print_link(self.experiment(), snapshot.as_ref(), &self.view) {
            Ok(link) => format!("{}#{link}", self.page),
            Err(_too_long) => self.page.clone(),
        }
    }

    /// The line of HTML that shows the figure in another page.
    pub(super) fn embed(&self) -> String {
        embed::frame(&self.link())
    }

    pub(super) fn record(&self) -> Record {
        Record::new(self)
    }

    /// The head maps as a drawing.
    pub(super) fn picture(&self) -> Picture {
        svg::picture(&self.record(), &self.shown(ComponentKind::Heads))
    }

    pub(super) fn file_name(&self, extension: &str) -> String {
        let (model, direction) = (&self.experiment().model, self.view.direction);
        format!("twinbeam-{model}-{direction}.{extension}")
    }
}
