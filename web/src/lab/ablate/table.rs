//! Sets and what each does when it is replaced: nothing here is reactive.

use twinbeam_core::link::SetChoice;
use twinbeam_core::scores::{GapRefused, Interaction, Redundancy, TableKey, Tables};
use twinbeam_core::wire::probes::{Ablation, Replacement};
use twinbeam_core::words::{Component, Direction, Method, Metric};

use super::set_name;
use crate::lab::claim::named;
use crate::lab::why::{least_read, meaning, read, word};
use crate::plot::escape;
use crate::values::{Committed, count, percent};
use twinbeam_figure::scale::{signed, small};

/// What a metric may change by when nothing is replaced, as a share of its size.
const ROUNDING: f32 = 2e-6;

/// A set that was replaced.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    /// `None`: the set of nothing.
    choice: Option<SetChoice>,
    of: Vec<Component>,
    n: usize,
    after: f32,
    /// Effect of replacing it; positive supports the clean behaviour.
    joint: f32,
    /// The sum of its AP scores, and how that compares, if it is large enough; `None` where they say nothing of
    /// this replacement.
    solo: Option<(f32, Option<Redundancy>)>,
}

/// All sets of one answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    all: Vec<Row>,
    before: f32,
    direction: Direction,
    metric: Metric,
    /// What shares are of, or why there are none.
    gap: Result<f32, GapRefused>,
    /// What counts as rounding, in the metric's unit.
    rounding: f32,
    with: Replacement,
}

impl Rows {
    /// `None` where the answer is not of these sets.
    pub(super) fn of(
        committed: &Committed,
        sets: &[Vec<Component>],
        with: &Replacement,
        found: &Ablation,
    ) -> Option<Self> {
        let &Ablation { direction, before, ref after } = found;
        if sets.len() != after.len() {
            return None;
        }
        let metric = committed.experiment.metric;
        let basis = &committed.basis;
        let all = after.iter().map(|after| effect(metric, direction, before, *after).abs());
        let least = least_read(basis.size(), all.fold(0.0, f32::max));
        let row = |(place, (set, after)): (usize, (&Vec<Component>, &f32))| {
            let joint = effect(metric, direction, before, *after);
            let solos = (*with == Replacement::OtherRun)
                .then(|| solos(&committed.tables, set, direction))
                .flatten();
            let solo = solos.map(|solos| {
                let solo_sum = total(&solos, |solo| solo);
                let solo_abs = total(&solos, f64::abs);
                let gap = joint - solo_sum;
                // A set is read as a layer is.
                let of = Interaction { layer: 0, joint, solo_sum, solo_abs, gap };
                (solo_sum, read(&of, direction, least))
            });
            let choice = SetChoice::ALL.get(place).copied();
            Row { choice, of: set.clone(), n: set.len(), after: *after, joint, solo }
        };
        let all = sets.iter().zip(after).enumerate().map(row).collect();
        let (clean, corrupted) = &committed.sides;
        let size = clean.metrics.get(metric).abs().max(corrupted.metrics.get(metric).abs());
        Some(Self {
            all,
            before,
            direction,
            metric,
            gap: basis.gap(),
            rounding: ROUNDING * size,
            with: with.clone(),
        })
    }

    fn share(&self, effect: f32) -> Option<String> {
        self.gap.ok().map(|gap| percent(effect / gap).replace('-', "−"))
    }

    /// One row per set.
    pub(super) fn html(&self, chosen: SetChoice) -> String {
        let unit = self.metric.unit();
        let mut out = String::from("<table class=\"list\"><thead><tr>");
        let heads = [
            "set".to_owned(),
            "components".to_owned(),
            format!("{} before", self.metric.label()),
            format!("after, {unit}"),
            format!("joint effect, {unit}"),
            "of the gap".to_owned(),
            format!("sum of solo AP, {unit}"),
            "together they are".to_owned(),
        ];
        for head in heads {
            let more = format!("<th scope=\"col\">{}</th>", escape(&head));
            out.push_str(&more);
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.all {
            out += &self.row_html(row, row.choice == Some(chosen));
        }
        out.push_str("</tbody></table>");
        out
    }

    fn row_html(&self, row: &Row, is_chosen: bool) -> String {
        let cell = |testid: &str, value: Option<f32>, written: &str| {
            let testid = if is_chosen && !testid.is_empty() {
                format!(" data-testid=\"{testid}\"")
            } else {
                String::new()
            };
            let value = value.map_or_else(String::new, |value| format!(" data-value=\"{value}\""));
            let written = escape(written);
            let written = if is_chosen { format!("<strong>{written}</strong>") } else { written };
            format!("<td{testid}{value}>{written}</td>")
        };
        let name = row.choice.map_or("nothing, as a check", set_name);
        let solo = row.solo.map(|(sum, _)| sum);
        let nothing = || "—".to_owned();
        let name = cell("", None, name).replace("<td", "<th scope=\"row\"").replace("</td", "</th");
        let id = row.choice.map_or("nothing", SetChoice::id);
        let current = if is_chosen { " aria-current=\"true\"" } else { "" };
        [
            format!("<tr data-set=\"{id}\"{current}>{name}"),
            cell("ablate-n", Some(row.n as f32), &row.n.to_string()),
            cell("ablate-before", Some(self.before), &signed(self.before, 3)),
            cell("ablate-after", Some(row.after), &signed(row.after, 3)),
            cell("ablate-joint", Some(row.joint), &small(row.joint)),
            cell(
                "ablate-share",
                self.gap.ok().map(|gap| row.joint / gap),
                &self.share(row.joint).unwrap_or_else(nothing),
            ),
            cell("ablate-solo", solo, &solo.map_or_else(nothing, small)),
            cell(
                "ablate-together",
                None,
                &row.solo
                    .filter(|_| row.n > 1)
                    .map_or_else(nothing, |(_, reading)| word(reading).to_owned()),
            ),
            "</tr>".to_owned(),
        ]
        .concat()
    }

    /// The sentence of the chapter: what the chosen set takes when it is replaced, or brings back.
    pub(super) fn claim(&self, chosen: SetChoice) -> String {
        let unit = self.metric.unit();
        let Some(row) = self.all.iter().find(|row| row.choice == Some(chosen)) else {
            return String::new();
        };
        if row.n == 0 {
            return format!("No component is {}: nothing is replaced.", described(chosen));
        }
        let those = match (chosen, row.n) {
            (SetChoice::Random, n) => format!("{} drawn at random", count(n, "component")),
            (_, 1) => format!("{} alone", named(&row.of)),
            _ => format!("{} together", named(&row.of)),
        };
        let does = match (self.direction, row.joint < 0.0) {
            (Direction::Noising, false) => "takes",
            (Direction::Noising, true) => "adds",
            (Direction::Denoising, false) => "brings back",
            (Direction::Denoising, true) => "takes another",
        };
        let amount = match self.share(row.joint.abs()) {
            Some(share) => format!("{share} of the gap"),
            None => format!("{} {unit}", small(row.joint.abs()).trim_start_matches('+')),
        };
        let alone = match row.solo.filter(|_| row.n > 1) {
            Some((sum, reading)) => {
                let sum = match self.share(sum) {
                    Some(share) => share,
                    None => format!("{} {unit}", small(sum)),
                };
                format!(" One by one they add up to {sum}: {}.", meaning(reading))
            }
            None => String::new(),
        };
        format!("Replacing {those} {does} {amount}.{alone}")
    }

    /// What the chosen set says.
    pub(super) fn reading(&self, chosen: SetChoice) -> String {
        let unit = self.metric.unit();
        let mut words = match self.all.iter().find(|row| row.choice == Some(chosen)) {
            Some(row) if row.n == 0 => {
                format!("No component is {}: nothing is replaced.", described(chosen))
            }
            Some(row) => {
                let share = self.share(row.joint);
                let share =
                    share.map_or_else(String::new, |share| format!(" ({share} of the gap)"));
                let mut words = format!(
                    "Replacing {} {} moves the {} from {} to {}: together {} {unit}{share}.",
                    count(row.n, "component"),
                    described(chosen),
                    self.metric.label(),
                    signed(self.before, 3),
                    signed(row.after, 3),
                    small(row.joint),
                );
                if let Some((sum, reading)) = row.solo.filter(|_| row.n > 1) {
                    let more = format!(
                        " One at a time they add up to {}: {}, {}.",
                        small(sum),
                        word(reading),
                        meaning(reading)
                    );
                    words.push_str(&more);
                }
                words
            }
            None => String::new(),
        };
        if self.with != Replacement::OtherRun {
            words.push_str(
                " The sum of solo AP stays empty: those patches put in the other run’s values, and are no \
                 measure of this replacement.",
            );
            if self.direction == Direction::Denoising {
                words.push_str(
                    " It is the corrupted run that is changed: positive says that the clean behaviour is better off \
                     without what these components do there.",
                );
            }
        } else if self.all.iter().any(|row| row.n > 0 && row.solo.is_none()) {
            words.push_str(" A sum is missing where a component has not been patched yet.");
        }
        if let Err(refused) = self.gap {
            let why = format!(" The share of the gap stays empty. {refused}");
            words.push_str(&why);
        }
        let off = |row: &Row| (row.after - self.before).abs();
        if self.all.iter().any(|row| row.n == 0 && off(row) > self.rounding) {
            words
                .push_str(" Replacing nothing has changed the metric: do not trust these numbers.");
        }
        words
    }
}

/// The components of a set, after "that are".
const fn described(choice: SetChoice) -> &'static str {
    match choice {
        SetChoice::Random => "drawn at random",
        other => set_name(other),
    }
}

/// By how much the clean behaviour is better off, as a score says it.
fn effect(metric: Metric, direction: Direction, before: f32, after: f32) -> f32 {
    let gain = metric.orientation() * (after - before);
    // `+ 0.0`: an effect of nothing is 0, not -0.
    match direction {
        Direction::Noising => 0.0 - gain,
        Direction::Denoising => gain + 0.0,
    }
}

/// The AP scores of a set, if all are there.
fn solos(tables: &Tables, set: &[Component], direction: Direction) -> Option<Vec<f32>> {
    let solo = |c: &Component| {
        tables.get(TableKey { kind: c.kind, method: Method::Ap, direction })?.get(c.layer, c.index)
    };
    set.iter().map(solo).collect()
}

fn total(solos: &[f32], of: fn(f64) -> f64) -> f32 {
    solos.iter().map(|solo| of(f64::from(*solo))).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use twinbeam_core::words::ComponentKind;

    use super::*;
    use crate::values::committed;

    fn rows(with: Replacement) -> Rows {
        rows_of(&committed(), with)
    }

    fn rows_of(committed: &Committed, with: Replacement) -> Rows {
        let head = |layer, index| Component { kind: ComponentKind::Heads, layer, index };
        let mut sets = vec![Vec::new(); 6];
        // AP: 0.25 and 2; together 3 of a gap of 4.
        sets[SetChoice::IgOnly as usize] = vec![head(0, 0), head(1, 1)];
        sets[SetChoice::ApOnly as usize] = vec![head(0, 1)];
        let after = vec![0.0, 3.25, 3.0, 3.0, 3.0, 3.0];
        let found = Ablation { direction: Direction::Noising, before: 3.0, after };
        Rows::of(committed, &sets, &with, &found).expect("six of six")
    }

    #[test]
    fn a_set_stands_beside_the_sum_of_its_components() {
        let html = rows(Replacement::OtherRun).html(SetChoice::IgOnly);
        for part in [
            "data-testid=\"ablate-before\" data-value=\"3\"",
            "data-testid=\"ablate-after\" data-value=\"0\"",
            "data-testid=\"ablate-joint\" data-value=\"3\"><strong>+3.000</strong>",
            "data-testid=\"ablate-share\" data-value=\"0.75\"><strong>75 %</strong>",
            "data-testid=\"ablate-solo\" data-value=\"2.25\"",
            "<strong>redundant</strong>",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches("ablate-joint").count(), 1, "only the chosen one: {html}");
        assert!(html.contains("data-value=\"-0.25\">−0.250</td>"), "AP only: {html}");
        assert_eq!(html.matches("<tr data-set").count(), 6);
    }

    #[test]
    fn the_reading_compares_the_set_with_its_parts() {
        let words = rows(Replacement::OtherRun).reading(SetChoice::IgOnly);
        assert!(words.contains("2 components found by IG only moves"), "{words}");
        assert!(words.contains("together +3.000 logits (75 % of the gap)"), "{words}");
        assert!(words.contains("add up to +2.250: redundant, they stand in"), "{words}");
        assert!(!words.contains("do not trust"), "{words}");
        let words = rows(Replacement::OtherRun).reading(SetChoice::Both);
        assert!(words.starts_with("No component is found by both"), "{words}");
    }

    #[test]
    fn the_claim_names_the_set_and_its_share_of_the_gap() {
        let head = |layer, index| Component { kind: ComponentKind::Heads, layer, index };
        let rows = rows(Replacement::OtherRun);
        let expected = format!(
            "Replacing {} and {} together takes 75 % of the gap. One by one they add up to 56 %: they stand in for each other.",
            head(0, 0),
            head(1, 1)
        );
        assert_eq!(rows.claim(SetChoice::IgOnly), expected);
        let alone = format!("Replacing {} alone adds 6.2 % of the gap.", head(0, 1));
        assert_eq!(rows.claim(SetChoice::ApOnly), alone);
        assert!(rows.claim(SetChoice::Both).starts_with("No component is found by both"));
        let back = Rows { direction: Direction::Denoising, ..rows.clone() };
        assert!(back.claim(SetChoice::IgOnly).contains("brings back 75 %"));
        let mut small = rows;
        small.gap = Err(GapRefused::TooSmall { metric: Metric::LogitDiff, gap: 0.01, least: 0.1 });
        assert!(
            small.claim(SetChoice::ApOnly).ends_with("alone adds 0.250 logits."),
            "{}",
            small.claim(SetChoice::ApOnly)
        );
    }

    #[test]
    fn what_is_next_to_nothing_is_not_read() {
        let mut committed = committed();
        committed.basis.gap = 4000.0;
        let words = rows_of(&committed, Replacement::OtherRun).reading(SetChoice::IgOnly);
        assert!(words.contains("add up to +2.250: too small to say, both"), "{words}");
    }

    #[test]
    fn other_replacements_have_no_solo_sum() {
        let rows = rows(Replacement::Zero);
        let html = rows.html(SetChoice::IgOnly);
        assert!(html.contains("data-testid=\"ablate-solo\"><strong>—</strong>"), "{html}");
        assert!(rows.reading(SetChoice::IgOnly).contains("stays empty"));
    }

    #[test]
    fn a_check_that_fails_is_said() {
        let mut rows = rows(Replacement::OtherRun);
        rows.all[5].after = 3.000_001;
        assert!(!rows.reading(SetChoice::IgOnly).contains("do not trust"), "that is rounding");
        rows.all[5].after = 2.0;
        assert!(rows.reading(SetChoice::IgOnly).contains("do not trust"));
    }

    #[test]
    fn a_negative_gap_has_no_shares() {
        let mut committed = committed();
        committed.basis.gap = -4.0;
        let found = Ablation { direction: Direction::Noising, before: 3.0, after: vec![3.0] };
        let rows = Rows::of(&committed, &[Vec::new()], &Replacement::OtherRun, &found);
        let rows = rows.expect("one of one");
        let html = rows.html(SetChoice::IgOnly);
        assert!(html.contains("data-testid=\"ablate-share\"><strong>—"), "{html}");
        let words = rows.reading(SetChoice::IgOnly);
        assert!(
            words.contains("stays empty. The clean run does not beat the corrupted one"),
            "{words}"
        );
    }

    #[test]
    fn effects_have_the_sign_of_scores() {
        let of = |metric, direction| effect(metric, direction, 3.0, 1.0);
        assert_eq!(of(Metric::LogitDiff, Direction::Noising), 2.0);
        assert_eq!(of(Metric::LogitDiff, Direction::Denoising), -2.0);
        assert_eq!(of(Metric::Kl, Direction::Denoising), 2.0);
        let nothing = effect(Metric::LogitDiff, Direction::Noising, 3.0, 3.0);
        assert!(nothing == 0.0 && nothing.is_sign_positive());
    }
}
