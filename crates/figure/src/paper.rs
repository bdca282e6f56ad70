//! The figure as a picture for a paper: title, prompts, axes, legends, units, provenance.

use twinbeam_core::scores::{ScoreTable, SideSummary};
use twinbeam_core::words::Direction;

use crate::colour::Ground;
use crate::maps::{self, CHARACTER, Sizes};
use crate::picture::{Picture, text, wrap};
use crate::scale::{signed, small};
use crate::{Caption, MapKind, Shown, words};

const MARGIN: usize = 24;
const LINE: usize = 18;
/// Narrower than this the lines of text do not fit beside each other.
const MIN_WIDTH: usize = 720;
/// Lines that a prompt may take; the whole of it is in the description.
const PROMPT_LINES: usize = 3;
/// Answers that are written one by one.
const MOST_ANSWERS: usize = 4;

/// Draws the maps as they are on the screen, in the light theme.
pub fn picture(caption: &Caption<'_>, shown: &Shown) -> Picture {
    let mut sheet = Sheet::begin(caption, shown, &title(shown.look().direction), Ground::Light);
    sheet.maps(shown);
    sheet.end(caption, shown, "")
}

/// A sheet that is filled from top to bottom: what was asked, drawings, and where the numbers come from.
#[derive(Debug)]
pub(crate) struct Sheet {
    title: String,
    ground: Ground,
    /// Of what is drawn, between the margins.
    pub(crate) width: usize,
    /// Where the next drawing begins.
    pub(crate) y: usize,
    pub(crate) drawn: String,
}

impl Sheet {
    pub(crate) const LEFT: usize = MARGIN;

    /// A sheet as wide as the head maps, with what was asked.
    pub(crate) fn begin(caption: &Caption<'_>, shown: &Shown, title: &str, ground: Ground) -> Self {
        let n = maps::maps(shown).count();
        let [map_width, _] = Sizes::of(shown).map(maps::grid(shown));
        let maps_width = n * (map_width + maps::gap()) - maps::gap().min(n * maps::gap());
        let width = maps_width.max(MIN_WIDTH);
        let mut sheet =
            Self { title: title.to_owned(), ground, width, y: MARGIN + 6, drawn: String::new() };
        text(&mut sheet.drawn, MARGIN, sheet.y, "class=\"title\"", title);
        sheet.y += 8;
        for line in lines(caption, width / CHARACTER, PROMPT_LINES) {
            sheet.y += LINE;
            text(&mut sheet.drawn, MARGIN, sheet.y, "", &line);
        }
        sheet.y += LINE;
        sheet
    }

    /// Draws the head maps.
    pub(crate) fn maps(&mut self, shown: &Shown) {
        let (at, gap) = ([MARGIN, self.y], maps::gap());
        let [_, height] =
            maps::draw_all(&mut self.drawn, shown, at, Sizes::of(shown), gap, self.ground);
        self.y += height + LINE;
    }

    /// The sheet as a picture, with where its numbers come from. `style`: of what else was drawn.
    pub(crate) fn end(mut self, caption: &Caption<'_>, shown: &Shown, style: &str) -> Picture {
        for line in source(caption, shown, self.width / CHARACTER) {
            text(&mut self.drawn, MARGIN, self.y, "class=\"soft\"", &line);
            self.y += LINE;
        }
        let size = [2 * MARGIN + self.width, self.y + MARGIN - LINE];
        let said = [self.title.as_str(), &description(caption)];
        let style = self.ground.style(STYLE) + style;
        Picture::on(self.ground, size, said, &style, &self.drawn)
    }
}

/// The maps alone, for whoever says the rest beside them.
pub fn maps_alone(shown: &Shown) -> Picture {
    maps::side_by_side(shown, &title(shown.look().direction), &Ground::Light.style(STYLE))
}

const STYLE: &str = "text{font:12px Helvetica,Arial,'Liberation Sans',sans-serif;fill:@ink}\
    .title{font-size:16px;font-weight:bold}.map{font-size:13px;font-weight:bold}.soft{fill:@ink-soft;font-size:11px}\
    .cell{font-size:11px;text-anchor:middle;fill:#000000}.light{fill:#ffffff}.mid{text-anchor:middle}.end{text-anchor:end}";

/// What a figure of a direction is called.
pub fn title(direction: Direction) -> String {
    format!("Attention heads by integrated gradients and activation patching, {direction}")
}

/// What is asked, and the two runs: each in at most so many lines.
pub fn lines(caption: &Caption<'_>, width: usize, most: usize) -> Vec<String> {
    let experiment = caption.experiment;
    let metric = experiment.metric;
    let value = |side: &SideSummary| signed(side.metrics.get(metric), 3);
    let mut lines = wrap(&format!("clean: “{}”", experiment.clean), width, most);
    lines.extend(wrap(&format!("corrupted: “{}”", experiment.corrupted), width, most));
    let answers = format!(
        "answer {}, wrong answer {}{}; {}: clean {}, corrupted {} {}",
        quoted(&experiment.answer),
        quoted(&experiment.wrong),
        words::written(experiment.written),
        metric.label(),
        value(caption.clean),
        value(caption.corrupted),
        caption.unit
    );
    lines.extend(wrap(&answers, width, most));
    lines
}

/// What the numbers were computed with.
pub fn source(caption: &Caption<'_>, shown: &Shown, width: usize) -> Vec<String> {
    let shape = caption.shape;
    let digest: String = caption.model_sha256.chars().take(12).collect();
    let unexpected =
        if caption.model_as_expected == Some(false) { " (not the expected one)" } else { "" };
    let n_steps = caption.experiment.n_steps;
    let model = caption.model;
    // In the unit of its map, as on the screen.
    let ig = shown.table(MapKind::Ig);
    let deltas = ig.map(ScoreTable::convergence_delta).unwrap_or_default();
    let used = ig.map(ScoreTable::n_steps).unwrap_or_default();
    let steps = words::steps(n_steps, used);
    let worst = deltas.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    let line = format!(
        "Model {model} ({} layers, {} heads), sha256 {digest}{unexpected}; {steps}, largest \
         convergence delta {} {}; {}; Twinbeam {}",
        shape.n_layers,
        shape.n_heads,
        small(worst),
        shown.unit(MapKind::Ig),
        caption.device,
        caption.twinbeam
    );
    let mut lines = wrap(words::sign(shown.look()), width, PROMPT_LINES);
    lines.extend(wrap(&line, width, PROMPT_LINES));
    lines
}

/// All of what is asked, for those who do not see the figure.
pub fn description(caption: &Caption<'_>) -> String {
    let experiment = caption.experiment;
    format!(
        "Clean prompt: {} Corrupted prompt: {} Answer: {}. Wrong answer: {}{}. {}",
        experiment.clean,
        experiment.corrupted,
        quoted(&experiment.answer),
        quoted(&experiment.wrong),
        words::written(experiment.written),
        caption.link
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
