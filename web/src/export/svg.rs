//! The figure as a picture for a paper: title, prompts, axes, legends, units, provenance.

use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::Direction;

use super::Record;
use super::maps::{self, CHARACTER, Sizes};
use super::picture::{Picture, text, wrap};
use crate::explain;
use crate::heatmap::scale::{signed, small};
use crate::heatmap::{MapKind, Shown};

const MARGIN: usize = 24;
const LINE: usize = 18;
/// Narrower than this the lines of text do not fit beside each other.
const MIN_WIDTH: usize = 720;
/// Lines that a prompt may take; the whole of it is in the description.
const PROMPT_LINES: usize = 3;
/// Answers that are written one by one.
const MOST_ANSWERS: usize = 4;

/// Draws the maps as they are on the screen, in the light theme.
pub(super) fn picture(record: &Record, shown: &Shown) -> Picture {
    let mut drawn = String::new();
    // Where they are is known when the lines above them are, and how wide those may be, when the maps are.
    let sizes = Sizes::of(shown);
    let n = maps::maps(shown).count();
    let [map_width, map_height] = sizes.map(maps::grid(shown));
    let maps_width = n * (map_width + maps::gap()) - maps::gap().min(n * maps::gap());
    let width = 2 * MARGIN + maps_width.max(MIN_WIDTH);
    let text_width = (width - 2 * MARGIN) / CHARACTER;

    let mut y = MARGIN + 6;
    let title = title(shown.look().direction);
    text(&mut drawn, MARGIN, y, "class=\"title\"", &title);
    y += 8;
    for line in lines(record, text_width, PROMPT_LINES) {
        y += LINE;
        text(&mut drawn, MARGIN, y, "", &line);
    }
    y += LINE;
    maps::draw_all(&mut drawn, shown, [MARGIN, y], sizes, maps::gap());
    y += map_height + LINE;
    for line in source(record, shown, text_width) {
        text(&mut drawn, MARGIN, y, "class=\"soft\"", &line);
        y += LINE;
    }
    let height = y + MARGIN - LINE;
    Picture::new([width, height], &title, &description(record), STYLE, &drawn)
}

/// The maps alone, for whoever says the rest beside them.
pub(super) fn maps_alone(shown: &Shown) -> Picture {
    maps::side_by_side(shown, &title(shown.look().direction), STYLE)
}

const STYLE: &str = "text{font:12px Helvetica,Arial,'Liberation Sans',sans-serif;fill:#1c1d20}\
    .title{font-size:16px;font-weight:bold}.map{font-size:13px;font-weight:bold}.soft{fill:#5a5c62;font-size:11px}\
    .cell{font-size:11px;text-anchor:middle;fill:#000000}.light{fill:#ffffff}.mid{text-anchor:middle}.end{text-anchor:end}";

pub(super) fn title(direction: Direction) -> String {
    format!("Attention heads by integrated gradients and activation patching, {direction}")
}

/// What is asked, and the two runs: each in at most so many lines.
pub(super) fn lines(record: &Record, width: usize, most: usize) -> Vec<String> {
    let experiment = &record.experiment;
    let metric = experiment.metric;
    let value = |side: &twinbeam_core::scores::SideSummary| signed(side.metrics.get(metric), 3);
    let mut lines = wrap(&format!("clean: “{}”", experiment.clean), width, most);
    lines.extend(wrap(&format!("corrupted: “{}”", experiment.corrupted), width, most));
    let answers = format!(
        "answer {}, wrong answer {}{}; {}: clean {}, corrupted {} {}",
        quoted(&experiment.answer),
        quoted(&experiment.wrong),
        explain::written(experiment.written),
        metric.label(),
        value(&record.clean),
        value(&record.corrupted),
        record.unit
    );
    lines.extend(wrap(&answers, width, most));
    lines
}

/// What the numbers were computed with.
pub(super) fn source(record: &Record, shown: &Shown, width: usize) -> Vec<String> {
    let shape = record.model_shape;
    let digest: String = record.model_sha256.chars().take(12).collect();
    let unexpected =
        if record.model_as_expected == Some(false) { " (not the expected one)" } else { "" };
    let n_steps = record.experiment.n_steps;
    let model = &record.model_title;
    // In the unit of its map, as on the screen.
    let ig = shown.table(MapKind::Ig);
    let deltas = ig.map(ScoreTable::convergence_delta).unwrap_or_default();
    let used = ig.map(ScoreTable::n_steps).unwrap_or_default();
    let steps = explain::steps(n_steps, used);
    let worst = deltas.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    let line = format!(
        "Model {model} ({} layers, {} heads), sha256 {digest}{unexpected}; {steps}, largest \
         convergence delta {} {}; {}; Twinbeam {}",
        shape.n_layers,
        shape.n_heads,
        small(worst),
        shown.unit(MapKind::Ig),
        record.device.name,
        record.twinbeam
    );
    let mut lines = wrap(explain::sign(shown.look()), width, PROMPT_LINES);
    lines.extend(wrap(&line, width, PROMPT_LINES));
    lines
}

pub(super) fn description(record: &Record) -> String {
    let experiment = &record.experiment;
    format!(
        "Clean prompt: {} Corrupted prompt: {} Answer: {}. Wrong answer: {}{}. {}",
        experiment.clean,
        experiment.corrupted,
        quoted(&experiment.answer),
        quoted(&experiment.wrong),
        explain::written(experiment.written),
        record.link
    )
}

/// All of a few, the ends of many.
fn quoted(texts: &[String]) -> String {
    if let [first, .., last] = texts
        && texts.len() > MOST_ANSWERS
    {
        return format!("“{first}” … “{last}” ({} tokens)", texts.len());
    }
    texts.iter().map(|text| format!("“{text}”")).collect::<Vec<_>>().join(" ")
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
