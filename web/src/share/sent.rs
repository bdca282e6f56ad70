//! What a link brings, read from the link itself: what the dialog shows is what its receiver will see.

use twinbeam_core::link::{Link, Note, parse_link};
use twinbeam_core::models::CatalogModel;
use twinbeam_core::words::{ComponentKind, Experiment};

use crate::explain;
use crate::export::{Picture, Screen};
use crate::values::{Committed, Look};

/// What whoever opens a link sees at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) experiment: Experiment,
    /// Direction, unit and scale, in a line.
    pub(super) look: String,
    /// The maps; `None`: the link has no result, and the receiver's device computes it first.
    pub(super) maps: Option<Picture>,
    pub(super) note: Note,
}

impl Sent {
    /// Reads an address; `None`: there is no link in it that could be read.
    pub(super) fn of(address: &str) -> Option<Self> {
        let (page, fragment) = address.split_once('#')?;
        let Link { experiment, snapshot, view, .. } = parse_link(fragment).ok()?;
        let note = view.note.clone();
        let looks = |look| explain::on_screen(look, experiment.metric, ComponentKind::Heads, None);
        let Some(snapshot) = snapshot else {
            return Some(Self { look: looks(Look::of(&view)), maps: None, note, experiment });
        };
        let committed = Committed::of_link(experiment.clone(), &snapshot);
        let look = looks(Look::of(&view).at(&committed.basis));
        let screen = Screen {
            committed: &committed,
            view,
            linked: Some(&snapshot),
            known: None,
            lab: Vec::new(),
            page: page.to_owned(),
        };
        Some(Self { look, maps: Some(screen.maps_alone()), note, experiment })
    }

    /// What is asked of which model: its title where it is known, else its name.
    pub(super) fn asked(&self, model: Option<CatalogModel>) -> String {
        let title = model.map_or_else(|| self.experiment.model.clone(), |model| model.title);
        format!("{title}; {}.", self.look)
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::link::{View, print_link};
    use twinbeam_core::scores::Unit;
    use twinbeam_core::words::Direction;

    use super::*;
    use crate::values::complete;

    fn address(committed: &Committed, view: &View, has_result: bool) -> String {
        let snapshot = committed.snapshot(None).filter(|_| has_result);
        let link = print_link(&committed.experiment, snapshot.as_ref(), view).expect("it fits");
        format!("https://example.org/page/#{link}")
    }

    #[test]
    fn the_receiver_sees_the_senders_direction_unit_and_numbers() {
        let committed = complete();
        for direction in Direction::ALL {
            let note = Note::new("Look at L0H1.");
            let view = View { direction, unit: Unit::ShareOfGap, note, ..View::default() };
            let sent = Sent::of(&address(&committed, &view, true)).expect("a link");
            assert_eq!(sent.experiment, committed.experiment);
            assert_eq!(sent.note.text(), "Look at L0H1.");
            assert!(sent.look.starts_with(&format!("{direction}; unit: of the gap")), "{sent:?}");
            let svg = sent.maps.as_ref().expect("a figure").svg.clone();
            assert!(svg.contains(&format!("patching, {direction}</title>")), "{svg}");
            assert_eq!(svg.matches("class=\"cell").count(), 3 * 4);
            assert!(svg.contains(">of the gap</text>"));
            assert!(sent.asked(None).starts_with("mini; "));
        }
    }

    #[test]
    fn a_link_without_a_result_brings_no_maps_and_no_link_brings_nothing() {
        let committed = complete();
        let sent = Sent::of(&address(&committed, &View::default(), false)).expect("a link");
        assert_eq!((sent.maps, sent.experiment), (None, committed.experiment));
        for address in ["https://example.org/page/", "https://example.org/page/#v1=%%"] {
            assert_eq!(Sent::of(address), None, "{address}");
        }
    }
}
