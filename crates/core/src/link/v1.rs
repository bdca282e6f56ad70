//! What a link of version 1 leaves out. Frozen: a link means the same for ever, whatever a later version of the page
//! begins with.

use super::{
    EdgesBy, Highlight, Note, Panel, PartsBy, Paths, ScaleChoice, SetChoice, View, WithChoice,
};
use crate::scores::Unit;
use crate::words::{ComponentKind, Direction, Experiment, Metric, Steps, Written};

/// The fields of an experiment that a link leaves out.
pub(super) fn experiment() -> Experiment {
    Experiment {
        model: "mini".to_owned(),
        clean: "After John and Mary went to the store, Mary gave a bottle of milk to".to_owned(),
        corrupted: "After John and Mary went to the store, John gave a bottle of milk to"
            .to_owned(),
        answer: vec![" John".to_owned()],
        wrong: vec![" Mary".to_owned()],
        written: Written::Text,
        prepend_bos: true,
        metric: Metric::LogitDiff,
        n_steps: Steps::Fixed(50),
    }
}

/// The fields of a view that a link leaves out.
pub(super) fn view() -> View {
    View {
        direction: Direction::Noising,
        unit: Unit::Metric,
        scale: ScaleChoice::Shared,
        neurons_in_view: None,
        pinned: None,
        kind: ComponentKind::Heads,
        selected: Vec::new(),
        highlight: Highlight::Quantile(0.9),
        zero_baseline: false,
        split: false,
        directions_by_ig: false,
        chapter: Panel::Why,
        set: SetChoice::Both,
        ablated: false,
        streams: false,
        parts_by: PartsBy::Ap,
        parts: false,
        with: WithChoice::OtherRun,
        paths: Paths {
            n: 20,
            by: EdgesBy::EapIg,
            connected: false,
            pinned: None,
            kept: false,
            by_hand: Vec::new(),
        },
        batch_neurons: false,
        draw: None,
        pairs: Vec::new(),
        note: Note::default(),
    }
}
