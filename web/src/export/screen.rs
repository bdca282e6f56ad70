//! All that files and links are made from, as plain values: nothing here is reactive, so that a test can hold every
//! one of them against what the screen shows.

use twinbeam_core::link::{Snapshot, View, print_link};
use twinbeam_core::models::KnownHeads;
use twinbeam_core::words::{ComponentKind, Experiment};
use twinbeam_figure::{Picture, maps, paper};
use twinbeam_record::{Looked, Record};

use super::{record, slide};
use crate::explain::claim::Piece;
use crate::heatmap::{Shown, pieces_of, shown_of};
use crate::lab::Found;
use crate::values::{Committed, Look};

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

/// A result as it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    /// What is asked, line by line.
    pub(crate) asked: Vec<String>,
    /// What the maps say together, if they can be compared.
    pub(crate) sentence: Option<String>,
    pub(crate) maps: Vec<Picture>,
    /// What the numbers were computed with, line by line.
    pub(crate) source: Vec<String>,
    pub(crate) link: String,
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
        shown_of(self.committed, self.look(), kind)
    }

    /// The address that shows all this again, with the result in it; the page's own, where it fits into none.
    pub(super) fn link(&self) -> String {
        let snapshot = self.committed.snapshot(self.linked);
        match print_link(self.experiment(), snapshot.as_ref(), &self.view) {
            Ok(link) => format!("{}#{link}", self.page),
            Err(_too_long) => self.page.clone(),
        }
    }

    pub(super) fn record(&self) -> Record {
        record::record(self)
    }

    /// The head maps as a drawing.
    pub(super) fn picture(&self) -> Picture {
        paper::picture(&self.record().caption(), &self.shown(ComponentKind::Heads))
    }

    /// The head maps as a slide.
    pub(super) fn slide(&self) -> Picture {
        let claim = self.claim().unwrap_or_default();
        slide::slide(&self.record(), &self.shown(ComponentKind::Heads), &claim)
    }

    /// What the head maps say together, as under the maps of the screen; `None`: they cannot be compared.
    fn claim(&self) -> Option<String> {
        let kind = ComponentKind::Heads;
        let Self { committed, view, .. } = self;
        let found = Found::of(committed, kind, view.direction, view.highlight)?;
        let shown = self.shown(kind);
        let words = pieces_of(&shown, &found)?.into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Name(of) => of.to_string(),
        });
        Some(words.collect())
    }

    /// The head maps as a drawing without any text around them.
    pub(crate) fn maps_alone(&self) -> Picture {
        paper::maps_alone(&self.shown(ComponentKind::Heads))
    }

    /// What a printed page says of it, and each of its maps.
    pub(crate) fn sheet(&self) -> Sheet {
        let (record, shown) = (self.record(), self.shown(ComponentKind::Heads));
        Sheet {
            title: paper::title(shown.look().direction),
            asked: paper::lines(&record.caption(), usize::MAX, 1),
            sentence: self.claim(),
            maps: maps::one_by_one(&shown),
            source: paper::source(&record.caption(), &shown, usize::MAX),
            link: record.link,
        }
    }

    pub(super) fn file_name(&self, extension: &str) -> String {
        let (model, direction) = (&self.experiment().model, self.view.direction);
        format!("twinbeam-{model}-{direction}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::screen;
    use super::*;
    use crate::values::committed;

    fn drawn() -> Picture {
        screen(&committed()).picture()
    }

    #[test]
    fn three_maps_with_a_number_in_each_cell_and_nothing_unescaped() {
        let Picture { svg, .. } = drawn();
        assert_eq!(svg.matches("class=\"cell").count(), 3 * 4);
        assert_eq!(svg.matches("class=\"map\"").count(), 3);
        assert!(svg.contains("&lt;b&gt;now&lt;/b&gt; &amp; then"));
        assert!(!svg.contains("<b>"));
        assert_eq!(svg.matches(">logits</text>").count(), 3, "each legend has its unit");
    }

    #[test]
    fn every_tag_is_one_of_ours_and_closed() {
        let Picture { svg, .. } = drawn();
        for (index, _) in svg.match_indices('<') {
            let tag: String =
                svg[index + 1..].chars().take_while(|c| !" />".contains(*c)).collect();
            assert!(["svg", "title", "desc", "style", "rect", "text", ""].contains(&tag.as_str()));
        }
        for tag in ["svg", "title", "desc", "style", "text"] {
            let closed = svg.matches(&format!("</{tag}>")).count();
            let opened =
                svg.matches(&format!("<{tag} ")).count() + svg.matches(&format!("<{tag}>")).count();
            assert_eq!(opened, closed, "{tag}");
        }
    }
}
