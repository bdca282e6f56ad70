//! The figure as a picture for a paper: title, prompts, axes, legends, units, provenance.

use std::fmt::Write as _;

use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::Direction;

use super::Record;
use crate::heatmap::scale::{signed, small};
use crate::heatmap::{MapKind, Shown};
use crate::plot::escape;
use crate::{colour, explain};

/// At least; the longest number on the screen widens it.
const CELL_WIDTH: usize = 36;
const CELL_HEIGHT: usize = 26;
/// Left of a map: the axis label and the layers' numbers.
const MAP_LEFT: usize = 44;
/// Above a map's cells: its title, the axis label and the heads' numbers.
const MAP_TOP: usize = 56;
/// Below a map's cells: the legend.
const MAP_BOTTOM: usize = 52;
const MAP_GAP: usize = 36;
const MARGIN: usize = 24;
const LINE: usize = 18;
/// Pixels that a character of the text takes at most, nearly always.
const CHARACTER: usize = 7;
/// Narrower than this the lines of text do not fit beside each other.
const MIN_WIDTH: usize = 720;
/// Lines that a prompt may take; the whole of it is in the description.
const PROMPT_LINES: usize = 3;
/// Answers that are written one by one.
const MOST_ANSWERS: usize = 4;
const RAMP_STEPS: usize = 64;

/// A picture with its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) svg: String,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// Draws the maps as they are on the screen, in the light theme.
pub(super) fn picture(record: &Record, shown: &Shown) -> Picture {
    let shape = record.model_shape;
    let maps: Vec<MapKind> =
        MapKind::ALL.into_iter().filter(|map| shown.table(*map).is_some()).collect();
    let characters = maps.iter().map(|map| shown.scale(*map).characters()).max().unwrap_or(0);
    let cell_width = CELL_WIDTH.max(CHARACTER * characters + 4);
    let map_width = MAP_LEFT + shape.n_heads * cell_width;
    let map_height = MAP_TOP + shape.n_layers * CELL_HEIGHT + MAP_BOTTOM;
    let maps_width = maps.len() * (map_width + MAP_GAP) - MAP_GAP.min(maps.len() * MAP_GAP);
    let width = 2 * MARGIN + maps_width.max(MIN_WIDTH);
    let text_width = (width - 2 * MARGIN) / CHARACTER;

    let mut body = String::new();
    let mut y = MARGIN + 6;
    let title = title(shown.look().direction);
    text(&mut body, MARGIN, y, "class=\"title\"", &title);
    y += 8;
    for line in lines(record, text_width) {
        y += LINE;
        text(&mut body, MARGIN, y, "", &line);
    }
    y += LINE;
    for (place, map) in maps.iter().enumerate() {
        let x = MARGIN + place * (map_width + MAP_GAP);
        draw_map(&mut body, shown, *map, (x, y), cell_width);
    }
    y += map_height + LINE;
    for line in source(record, shown, text_width) {
        text(&mut body, MARGIN, y, "class=\"soft\"", &line);
        y += LINE;
    }
    let height = y + MARGIN - LINE;

    let title = escape(&title);
    let description = escape(&description(record));
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}</title>\n<desc>{description}</desc>\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
    );
    Picture { svg, width, height }
}

const STYLE: &str = "text{font:12px Helvetica,Arial,'Liberation Sans',sans-serif;fill:#1c1d20}\
    .title{font-size:16px;font-weight:bold}.map{font-size:13px;font-weight:bold}.soft{fill:#5a5c62;font-size:11px}\
    .cell{font-size:11px;text-anchor:middle;fill:#000000}.light{fill:#ffffff}.mid{text-anchor:middle}.end{text-anchor:end}";

fn title(direction: Direction) -> String {
    format!("Attention heads by integrated gradients and activation patching, {direction}")
}

/// What is asked, and the two runs.
fn lines(record: &Record, width: usize) -> Vec<String> {
    let experiment = &record.experiment;
    let metric = experiment.metric;
    let value = |side: &twinbeam_core::scores::SideSummary| signed(side.metrics.get(metric), 3);
    let mut lines = wrap(&format!("clean: “{}”", experiment.clean), width, PROMPT_LINES);
    lines.extend(wrap(&format!("corrupted: “{}”", experiment.corrupted), width, PROMPT_LINES));
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
    lines.extend(wrap(&answers, width, PROMPT_LINES));
    lines
}

/// What the numbers were computed with.
fn source(record: &Record, shown: &Shown, width: usize) -> Vec<String> {
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

fn description(record: &Record) -> String {
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

fn draw_map(
    out: &mut String,
    shown: &Shown,
    map: MapKind,
    (x, y): (usize, usize),
    cell_width: usize,
) {
    let Some(table) = shown.table(map) else { return };
    let scale = shown.scale(map);
    let (n_layers, n_heads) = (table.rows().count(), table.width());
    let (left, top) = (x + MAP_LEFT, y + MAP_TOP);
    text(out, left, y + 12, "class=\"map\"", map.title());
    let middle = left + n_heads * cell_width / 2;
    text(out, middle, y + 32, "class=\"soft mid\"", "head");
    let (axis_x, axis_y) = (x + 10, top + n_layers * CELL_HEIGHT / 2);
    let turned = format!("class=\"soft mid\" transform=\"rotate(-90 {axis_x} {axis_y})\"");
    text(out, axis_x, axis_y, &turned, "layer");
    for head in 0..n_heads {
        let middle = left + head * cell_width + cell_width / 2;
        text(out, middle, top - 6, "class=\"soft mid\"", &head.to_string());
    }
    for (layer, row) in table.rows().enumerate() {
        let cell_y = top + layer * CELL_HEIGHT;
        let base = cell_y + CELL_HEIGHT / 2 + 4;
        text(out, left - 8, base, "class=\"soft end\"", &layer.to_string());
        for (head, score) in row.iter().enumerate() {
            // What stands in for a score is none.
            if !table.is_exact(layer * table.width() + head) {
                continue;
            }
            let cell_x = left + head * cell_width;
            let place = scale.place(*score);
            let fill = colour::LIGHT.hex(place);
            let (width, height) = (cell_width - 1, CELL_HEIGHT - 1);
            // OK because writing to a string does not fail.
            writeln!(
                out,
                "<rect x=\"{cell_x}\" y=\"{cell_y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
            )
            .ok();
            // By class: where a content security policy holds, a style in an attribute counts for nothing.
            let on_dark = colour::LIGHT.ink(place) == "#ffffff";
            let class = if on_dark { "class=\"cell light\"" } else { "class=\"cell\"" };
            let number = signed(*score, scale.decimals());
            text(out, cell_x + cell_width / 2, base, class, &number);
        }
    }
    draw_legend(out, shown, map, (left, top + n_layers * CELL_HEIGHT + 14));
}

fn draw_legend(out: &mut String, shown: &Shown, map: MapKind, (x, y): (usize, usize)) {
    const WIDTH: usize = 160;
    const HEIGHT: usize = 10;
    let step_width = WIDTH as f32 / RAMP_STEPS as f32;
    for step in 0..RAMP_STEPS {
        let place = 2.0 * (step as f32 + 0.5) / RAMP_STEPS as f32 - 1.0;
        let step_x = x as f32 + step as f32 * step_width;
        let fill = colour::LIGHT.hex(place);
        // Half a pixel wider, so that no seam shows between two steps.
        let step_width = step_width + 0.5;
        writeln!(
            out,
            "<rect x=\"{step_x}\" y=\"{y}\" width=\"{step_width}\" height=\"{HEIGHT}\" fill=\"{fill}\"/>"
        )
        .ok();
    }
    let scale = shown.scale(map);
    let below = y + HEIGHT + 14;
    let end = |sign: f32| signed(sign * scale.limit(), scale.decimals());
    text(out, x, below, "class=\"soft\"", &end(-1.0));
    text(out, x + WIDTH / 2, below, "class=\"soft mid\"", "0");
    text(out, x + WIDTH, below, "class=\"soft end\"", &end(1.0));
    text(out, x + WIDTH + 8, below, "class=\"soft\"", shown.unit(map));
}

fn text(out: &mut String, x: usize, y: usize, attributes: &str, content: &str) {
    let content = escape(content);
    writeln!(out, "<text x=\"{x}\" y=\"{y}\" {attributes}>{content}</text>").ok();
}

/// Lines of at most `width` characters, broken at spaces where there are any; what does not fit into
/// `most` lines ends in an ellipsis.
fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut characters: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + characters.len() > width {
            lines.push(String::new());
            length = 0;
        }
        while !characters.is_empty() {
            let line = lines.last_mut().expect("there is a line");
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            let taken = characters.len().min(width.max(1));
            line.extend(characters.drain(..taken));
            length += taken;
            if !characters.is_empty() {
                lines.push(String::new());
                length = 0;
            }
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
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

    #[test]
    fn text_is_broken_at_spaces_and_cut_with_an_ellipsis() {
        assert_eq!(wrap("one two three", 7, 5), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3, 5), ["abc", "def", "gh"]);
        assert_eq!(wrap("a b c d", 1, 2), ["a", "b…"]);
        assert_eq!(wrap("", 5, 2), [""]);
    }

    #[test]
    fn what_xml_forbids_or_hides_is_replaced() {
        assert_eq!(escape("a\u{0}\u{202e}'\n\""), "a\u{fffd}\u{fffd}&#39; &quot;");
    }
}
