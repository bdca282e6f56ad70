//! What the tour says of a figure, made from its numbers: nothing here is written before it is known.

use twinbeam_core::link::Highlight;
use twinbeam_core::scores::{Interaction, Redundancy, ScoreTable, Unit};
use twinbeam_core::wire::probes::Ablation;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use crate::lab::Found;
use crate::values::{Committed, count, percent};
use twinbeam_figure::scale::{Scale, signed};

/// Heads of a set that are named one by one.
const NAMED: usize = 8;

/// The heads of a complete figure in one direction, in a unit in which both methods can be compared.
pub(super) struct Heads<'a> {
    committed: &'a Committed,
    direction: Direction,
    ig: &'a ScoreTable,
    ap: &'a ScoreTable,
    found: Found,
    pub(super) factor: f32,
    pub(super) unit: &'static str,
    pub(super) scale: Scale,
}

/// One head with both its scores, and what there is to say.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) of: Component,
    /// IG, AP.
    pub(super) scores: [f32; 2],
    /// The same as they are written, without the unit.
    pub(super) written: [String; 2],
    pub(super) unit: &'static str,
    /// What leads to the head.
    pub(super) lead: &'static str,
    /// What follows from its numbers, sentence by sentence.
    pub(super) then: Vec<String>,
}

impl<'a> Heads<'a> {
    /// `None` until the figure is complete.
    pub(super) fn of(
        committed: &'a Committed,
        direction: Direction,
        wanted: Unit,
        highlight: Highlight,
    ) -> Option<Self> {
        if !committed.is_complete(ComponentKind::Heads) {
            return None;
        }
        let [ig, ap] = committed.tables(ComponentKind::Heads, direction);
        let (ig, ap) = (ig?, ap?);
        let found = Found::of_tables(ig, ap, highlight)?;
        let (factor, unit) = wanted.common(&committed.basis);
        let scale = Scale::of(&[factor * ig.max_abs(), factor * ap.max_abs()]);
        Some(Self { committed, direction, ig, ap, found, factor, unit, scale })
    }

    /// IG and AP of a head.
    pub(super) fn scores(&self, of: Component) -> Option<[f32; 2]> {
        let score = |table: &ScoreTable| table.get(of.layer, of.index);
        Some([self.factor * score(self.ig)?, self.factor * score(self.ap)?])
    }

    /// A number in the unit, as the maps write it.
    pub(super) fn written(&self, score: f32) -> String {
        self.scale.written(score)
    }

    fn told(&self, of: Component, lead: &'static str, then: Vec<String>) -> Option<Told> {
        let scores = self.scores(of)?;
        let written = scores.map(|score| self.written(score));
        Some(Told { of, scores, written, unit: self.unit, lead, then })
    }

    /// The strongest head by AP, and whether IG says the same.
    pub(super) fn strongest(&self) -> Option<Told> {
        let of = *self.ap.strongest(1).first()?;
        let mut then = vec![compared(self.scores(of)?).to_owned(), self.lists()];
        then.extend(self.layer(of, false));
        self.told(of, "The strongest head by AP is", then)
    }

    /// The head that shows best that the methods differ, and why.
    pub(super) fn differing(&self) -> Option<Told> {
        let differs = |of: &Component| {
            let [ig, ap] = self.scores(*of).unwrap_or_default();
            (ig - ap).abs()
        };
        let by_one = self.found.by_any().filter(|of| {
            let [ig, ap] = self.found.of_component(*of);
            ig != ap
        });
        let by_one = by_one.max_by(|a, b| differs(a).total_cmp(&differs(b)));
        let of = match by_one {
            Some(of) => of,
            None => *self.ig.minus(self.ap).strongest(1).first()?,
        };
        let lead = match self.found.of_component(of) {
            [true, false] => "IG counts it among the strongest, AP does not:",
            [false, true] => "AP counts it among the strongest, IG does not:",
            _ => "The two are furthest apart at",
        };
        self.told(of, lead, self.layer(of, true).into_iter().collect())
    }

    /// How many heads each method finds, and how many of them are the same.
    fn lists(&self) -> String {
        let by = |of| self.found.of_component(of);
        let (mut ig, mut ap, mut both) = (0, 0, 0);
        for [by_ig, by_ap] in self.found.by_any().map(by) {
            ig += usize::from(by_ig);
            ap += usize::from(by_ap);
            both += usize::from(by_ig && by_ap);
        }
        let are = |n: usize| if n == 1 { "is" } else { "are" };
        if both == ig && both == ap {
            format!("Each method marks {}, and they are the same ones.", count(both, "head"))
        } else {
            format!(
                "IG marks {}, AP {ap}, and {both} of them {} the same.",
                count(ig, "head"),
                are(both)
            )
        }
    }

    /// What the layer of a head does one by one and together; `None` where that says nothing. `in_full`: with what
    /// each method makes of it.
    fn layer(&self, of: Component, in_full: bool) -> Option<String> {
        let kind = ComponentKind::Heads;
        let tables = &self.committed.tables;
        let layer = Interaction::of_layer(tables, kind, self.direction, of.layer)?;
        let [solo, joint] =
            [layer.solo_sum, layer.joint].map(|effect| self.written(self.factor * effect));
        let reading = layer.reading(self.direction);
        let numbers = format!(
            "Replaced one at a time, the heads of layer {} come to {solo} {} in all; replaced together, to {joint}.",
            of.layer, self.unit
        );
        let means = match (reading, self.direction) {
            (Redundancy::Additive, _) => "Together they do about what they add up to one by one.",
            (Redundancy::Redundant, Direction::Noising) => {
                "They stand in for each other, as the inputs of an OR do: what one loses, the others make up for in part."
            }
            (Redundancy::Redundant, Direction::Denoising) => {
                "They stand in for each other, as the inputs of an OR do: one of them brings back what others would bring back too."
            }
            (Redundancy::Synergistic, Direction::Noising) => {
                "They need each other, as the inputs of an AND do: losing one already breaks what losing others breaks too."
            }
            (Redundancy::Synergistic, Direction::Denoising) => {
                "They need each other, as the inputs of an AND do: together they bring back what none brings back alone."
            }
        };
        let methods = if !in_full {
            ""
        } else if layer.joint.abs() > layer.solo_sum.abs() && reading != Redundancy::Additive {
            " AP looks at one head at a time and does not see that. IG moves the whole layer and shares it out."
        } else if reading != Redundancy::Additive {
            " AP counts that for each of them anew. IG moves the whole layer and shares it out once."
        } else {
            ""
        };
        Some(format!("{numbers} {means}{methods}"))
    }

    /// The heads that either method marks.
    pub(super) fn set(&self) -> Vec<Component> {
        self.found.by_any().collect()
    }

    /// What replacing a set together did.
    pub(super) fn replaced(&self, set: &[Component], found: &Ablation) -> Option<Replaced> {
        let after = *found.after.first()?;
        let metric = self.committed.experiment.metric;
        let gain = metric.orientation() * (after - found.before);
        let effect = match self.direction {
            Direction::Noising => 0.0 - gain,
            Direction::Denoising => gain + 0.0,
        };
        let alone = set.iter().map(|of| self.ap.get(of.layer, of.index)).sum::<Option<f32>>()?;
        let share = self.committed.basis.gap().ok().map(|gap| effect / gap);
        let verb = match self.direction {
            Direction::Noising => "takes",
            Direction::Denoising => "brings back",
        };
        let of_gap = share.map_or_else(
            || format!("changes the {} by {}", metric.label(), self.written(effect)),
            |share| format!("{verb} {} of the gap", percent(share).replace('-', "−")),
        );
        let value = |value: f32| signed(value, 2);
        let alone_share = self.committed.basis.gap().ok().map(|gap| alone / gap);
        let alone = alone_share.map_or_else(
            || format!("{} {}", signed(alone, 2), metric.unit()),
            |share| percent(share).replace('-', "−"),
        );
        Some(Replaced {
            share,
            effect,
            words: format!("Replacing {} together {of_gap}.", names(set)),
            then: format!(
                "The {} goes from {} to {} {}. One at a time, by AP, the same heads come to {alone}.",
                metric.label(),
                value(found.before),
                value(after),
                metric.unit()
            ),
        })
    }
}

/// What became of a set that was replaced.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replaced {
    /// Of the gap, if that can be divided by.
    pub(super) share: Option<f32>,
    /// In the metric's unit; positive supports the clean behaviour.
    pub(super) effect: f32,
    pub(super) words: String,
    pub(super) then: String,
}

/// The heads of a set by their names.
pub(super) fn names(set: &[Component]) -> String {
    let named: Vec<String> = set.iter().take(NAMED).map(ToString::to_string).collect();
    match (named.split_last(), set.len().saturating_sub(NAMED)) {
        (None, _) => "nothing".to_owned(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, others)), 0) => format!("{} and {last}", others.join(", ")),
        (Some(_), more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// How close two scores are.
fn compared([ig, ap]: [f32; 2]) -> &'static str {
    let larger = ig.abs().max(ap.abs());
    let apart = (ig - ap).abs() / larger;
    if larger == 0.0 {
        "Neither method gives it anything."
    } else if ig * ap < 0.0 {
        "The two do not even agree on the sign."
    } else if apart <= 0.1 {
        "IG says nearly the same."
    } else if apart <= 0.25 {
        "IG says about the same."
    } else if ig.abs() > ap.abs() {
        "IG gives it more."
    } else {
        "IG gives it less."
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::Method;

    use super::*;
    use crate::values::committed;

    const HIGHLIGHT: Highlight = Highlight::AtLeast(0.5);

    /// Two layers of two heads, with the same scores in both directions.
    fn figure(ig: [f32; 4], ap: [f32; 4], delta: [f32; 2]) -> Committed {
        let mut own = committed();
        let table = |method, direction, values: [f32; 4]| {
            let key = TableKey { kind: ComponentKind::Heads, method, direction };
            ScoreTable::new(key, 2, values.to_vec())
        };
        let both = Direction::ALL.into_iter().flat_map(|direction| {
            [
                table(Method::Ig, direction, ig).with_convergence_delta(delta.to_vec()),
                table(Method::Ap, direction, ap),
            ]
        });
        own.tables = both.collect();
        own
    }

    fn heads(committed: &Committed, direction: Direction, unit: Unit) -> Heads<'_> {
        Heads::of(committed, direction, unit, HIGHLIGHT).expect("it is complete")
    }

    #[test]
    fn where_they_agree_the_strongest_head_is_named_with_its_numbers() {
        let figure = figure([2.0, 0.1, 1.0, 0.0], [2.1, 0.0, 1.0, 0.0], [0.0; 2]);
        let told = heads(&figure, Direction::Noising, Unit::Metric).strongest().expect("a head");
        assert_eq!((told.of.layer, told.of.index, told.scores), (0, 0, [2.0, 2.1]));
        assert_eq!(told.written, ["+2.00", "+2.10"]);
        let then = told.then.join(" ");
        assert!(
            then.starts_with("IG says nearly the same. Each method marks 2 heads, and"),
            "{then}"
        );
        assert!(
            then.contains("come to +2.10 logits in all; replaced together, to +2.10"),
            "{then}"
        );
        assert!(then.ends_with("Together they do about what they add up to one by one."), "{then}");
        let share =
            heads(&figure, Direction::Noising, Unit::ShareOfGap).strongest().expect("a head");
        assert_eq!((share.scores, share.unit), ([0.5, 0.525], "of the gap"));
    }

    #[test]
    fn where_they_differ_a_head_that_one_method_finds_alone_comes_first() {
        // The largest difference is at the first head, which both find.
        let figure = figure([3.0, 0.6, 1.0, 0.0], [1.0, 0.2, 1.0, 0.0], [0.0; 2]);
        let heads = heads(&figure, Direction::Noising, Unit::Metric);
        let told = heads.differing().expect("a head");
        assert_eq!((told.of.layer, told.of.index), (0, 1));
        assert!(told.lead.starts_with("IG counts it"), "{}", told.lead);
        let why = told.then.join(" ");
        assert!(why.contains("come to +1.20 logits in all; replaced together, to +3.60"), "{why}");
        assert!(
            why.contains("They stand in for each other") && why.contains("does not see"),
            "{why}"
        );
        assert!(heads.lists().starts_with("IG marks 3 heads, AP 2, and 2 of them are"));
    }

    #[test]
    fn why_is_read_by_direction_and_sign_of_the_gap() {
        let more = figure([3.0, 0.6, 1.0, 0.0], [1.0, 0.2, 1.0, 0.0], [0.0; 2]);
        let of = |figure: &Committed, direction| {
            heads(figure, direction, Unit::Metric).differing().expect("a head").then.join(" ")
        };
        let back = of(&more, Direction::Denoising);
        assert!(back.contains("bring back what none brings back alone"), "{back}");
        // The layer does less together than its heads add up to.
        let less = figure([1.0, 0.6, 1.0, 0.0], [3.0, 0.2, 1.0, 0.0], [0.0; 2]);
        let breaks = of(&less, Direction::Noising);
        assert!(breaks.contains("They need each other") && breaks.contains("anew"), "{breaks}");
        let stands = of(&less, Direction::Denoising);
        assert!(stands.contains("stand in") && stands.contains("shares it out once"), "{stands}");
    }

    #[test]
    fn without_a_head_of_one_method_only_the_largest_difference_is_told() {
        let figure = figure([2.0, 0.0, 1.5, 0.0], [1.0, 0.0, 1.0, 0.0], [0.0; 2]);
        let told = heads(&figure, Direction::Noising, Unit::Metric).differing().expect("a head");
        assert_eq!((told.of.layer, told.of.index), (0, 0));
        assert_eq!(told.lead, "The two are furthest apart at");
    }

    #[test]
    fn a_set_that_was_replaced_is_told_as_a_share_of_the_gap() {
        let figure = figure([2.0, 0.0, 1.5, 0.0], [1.0, 0.0, 1.0, 0.0], [0.0; 2]);
        let heads = heads(&figure, Direction::Noising, Unit::Metric);
        let set = heads.set();
        assert_eq!(set.len(), 2);
        // The gap is 4: from 3 to -0.5 are 3.5 of it.
        let ablation = Ablation { direction: Direction::Noising, before: 3.0, after: vec![-0.5] };
        let told = heads.replaced(&set, &ablation).expect("it was replaced");
        assert_eq!((told.share, told.effect), (Some(0.875), 3.5));
        assert!(told.words.ends_with("together takes 88 % of the gap."), "{}", told.words);
        assert!(told.then.contains("from +3.00 to −0.50 logits"), "{}", told.then);
        assert!(told.then.ends_with("come to 50 %."), "{}", told.then);
    }

    #[test]
    fn long_sets_are_not_named_in_full() {
        let set: Vec<Component> = ComponentKind::Heads.of_layer(0, 10).collect();
        assert!(names(&set).ends_with(" and 2 more"), "{}", names(&set));
        assert_eq!(names(&set[..2]), format!("{} and {}", set[0], set[1]));
        assert_eq!(names(&[]), "nothing");
    }

    #[test]
    fn an_incomplete_figure_is_not_told() {
        let mut figure = figure([2.0, 0.0, 1.5, 0.0], [1.0, 0.0, 1.0, 0.0], [0.0; 2]);
        figure.tables.retain(|table| table.method() == Method::Ig);
        assert!(Heads::of(&figure, Direction::Noising, Unit::Metric, HIGHLIGHT).is_none());
    }
}
