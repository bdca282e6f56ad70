//! Everything that belongs to a result in one archive.

use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::print_pairs;
use twinbeam_core::scores::{ExactPairs, ScoreTable};
use twinbeam_core::words::{Component, ComponentKind, Direction};
use twinbeam_figure::plot::{Axis, Drawn, Labels, Matrix, Point, Xy, standalone};
use twinbeam_figure::scale::signed;
use twinbeam_figure::{MapKind, Picture, Shown, words};

use crate::notebook::{Origin, notebook};
use crate::zip::{Entry, archive};
use crate::{PackError, Record, circuits};

/// What goes into the archive beside the record.
#[derive(Debug)]
pub struct Extras<'a> {
    /// The figure, as SVG.
    pub figure: Picture,
    /// What the figure is, as the rest of a line.
    pub figure_is: &'a str,
    /// Where the Jupyter notebook finds the model.
    pub origin: Origin,
    /// What many prompts have in common, if they were run.
    pub batch: Option<Batch<'a>>,
    /// Pairs of the batch.
    pub pairs: &'a [PromptPair],
}

/// What many prompts have in common.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// All of it, for programs.
    pub json: &'a str,
    /// Pairs that it is of.
    pub n: usize,
    /// The settings in words.
    pub settings: &'a str,
}

/// The record as a zip archive, with a figure and plots, a Jupyter notebook that computes it again, and a text that says
/// what each file is. `made`: seconds since the beginning of 1970.
///
/// # Errors
/// Files that an archive cannot hold.
pub fn bundle(record: &Record, extras: &Extras<'_>, made: i64) -> Result<Vec<u8>, PackError> {
    archive(&entries(record, extras), made)
}

/// The files of that archive.
pub fn entries(record: &Record, extras: &Extras<'_>) -> Vec<Entry> {
    let Extras { figure, origin, batch, pairs, .. } = extras;
    let mut entries = vec![
        Entry::of("README.txt", readme(record, extras)),
        Entry::of("result.json", record.json()),
        Entry::of("scores.csv", record.csv()),
        Entry::of("reproduce.ipynb", notebook(record, origin)),
        Entry::of("figure.svg", figure.svg.clone()),
    ];
    let plots = plots(record);
    entries.extend(
        plots
            .into_iter()
            .map(|(name, drawn)| Entry::of(&format!("plots/{name}.svg"), standalone(&drawn.svg))),
    );
    if let Some(Batch { json, .. }) = batch {
        entries.push(Entry::of("batch.json", (*json).to_owned()));
    }
    if !pairs.is_empty() {
        entries.push(Entry::of("pairs.json", print_pairs(pairs)));
    }
    entries
}

/// Plots of the heads' scores in both directions, by name; each map as the screen has it in that direction.
fn plots(record: &Record) -> Vec<(String, Drawn)> {
    let kind = ComponentKind::Heads;
    let mut plots = Vec::new();
    for direction in Direction::ALL {
        let [Some(ig), Some(ap)] = record.tables(kind, direction) else { continue };
        let shown = record.shown(kind, direction);
        for (map, name) in
            [(MapKind::Ig, "ig"), (MapKind::Ap, "ap"), (MapKind::Diff, "ig-minus-ap")]
        {
            plots.extend(
                matrix(&shown, map).map(|drawn| (format!("heads-{name}-{direction}"), drawn)),
            );
        }
        plots.push((format!("heads-scatter-{direction}"), scatter(record, direction, [ig, ap])));
    }
    plots
}

/// A map of the figure as a drawing; `None` where there is no such map, as of the difference of two units.
fn matrix(shown: &Shown, map: MapKind) -> Option<Drawn> {
    let table = shown.table(map)?;
    let component = |row: usize, column: usize| {
        Some(Component { kind: table.kind(), layer: row, index: column })
    };
    let drawn = Matrix {
        title: format!("{} of heads, {}", map.title(), shown.look().direction),
        unit: shown.unit(map).to_owned(),
        rows: Labels::numbers("layer", table.n_layers()),
        columns: Labels::numbers("head", table.width()),
        values: table.values().to_vec(),
        limit: Some(shown.scale(map).limit()),
        component: Some(&component),
        ..Matrix::default()
    };
    Some(drawn.draw())
}

/// Both methods in one unit: that of the screen, where it is one.
fn scatter(record: &Record, direction: Direction, [ig, ap]: [&ScoreTable; 2]) -> Drawn {
    let (factor, unit) = record.view.unit.common(&record.basis);
    let pairs = ExactPairs::of(ig, ap);
    let point = |at: usize| {
        let component = Component::at(ig.kind(), pairs.places[at], ig.width());
        Point::of(component, factor * pairs.ap[at], factor * pairs.ig[at])
    };
    Xy {
        title: format!("Heads by both methods, {direction}"),
        x: Axis::signed("AP", unit),
        y: Axis::signed("IG", unit),
        identity: true,
        points: (0..pairs.places.len()).map(point).collect(),
        outliers: 6,
        ..Xy::default()
    }
    .draw()
}

/// The text that says what each file is.
fn readme(record: &Record, extras: &Extras<'_>) -> String {
    let Extras { figure_is, origin, batch, pairs, .. } = extras;
    let n_pairs = pairs.len();
    let unit = record.unit;
    let experiment = &record.experiment;
    let kept = if record.lab.is_empty() {
        ""
    } else {
        " `lab` holds the answers to the closer questions that were asked of it."
    };
    let deeper = if circuits::said(&record.findings()).is_empty() {
        ""
    } else {
        "; parts of heads and direct effects, too"
    };
    let rounded = record.rounded_to.map_or_else(String::new, |share| {
        format!(
            "The scores came with a link and are rounded to {share} of a table's largest score.\n"
        )
    });
    let refused = record.unit_refused.as_ref();
    let refused = refused.map_or_else(String::new, |why| format!("{why}\n"));
    let mut batch = batch.map_or_else(String::new, |Batch { n, settings, .. }| {
        format!(
            "batch.json       mean and spread of each component over {n} prompt pairs, and how far IG agrees with AP;\n\
             \x20                computed with {settings}, which need not be those of the figure\n"
        )
    });
    if n_pairs > 0 {
        batch = format!("{batch}pairs.json       all {n_pairs} pairs of the list\n");
    }
    format!(
        "A result of Twinbeam {version}\n\n\
         {link}\
         clean prompt      {clean}\n\
         corrupted prompt  {corrupted}\n\
         answer            {answer}\n\
         wrong answer      {wrong}{written}\n\
         metric            {metric}: clean {clean_value}, corrupted {corrupted_value} {unit}\n\
         model             {model}, sha256 {sha256}\n\
         computed on       {device}\n\
         {rounded}\
         on the screen     {screen}\n\
         {refused}\n\
         Every score is in {unit}; positive: the component supports the clean behaviour, in both directions. On the\n\
         screen, in figure.svg and in the maps in plots/ it is in the unit of the screen, as `shown` in scores.csv and result.json.\n\
         There: {sign}\n\
         IG: integrated gradients, all components of a layer on the line from their corrupted to their clean\n\
         activations. AP: activation patching, one component at a time, at all positions. Noising changes the clean\n\
         run, denoising the corrupted one.\n\n\
         result.json      everything with every digit, layer by layer; null: not patched.{kept}\n\
         scores.csv       the same scores, one per line, below lines of provenance{deeper}\n\
         reproduce.ipynb  computes them again with TransformerLens and captum, and compares; model: {origin}\n\
         figure.svg       {figure_is}\n\
         plots/           the maps of both directions, and both methods against each other\n\
         {batch}",
        screen = record.screen_line(),
        sign = words::sign(record.look),
        version = record.twinbeam,
        link = if record.link.is_empty() { String::new() } else { format!("{}\n\n", record.link) },
        clean = one_line(&experiment.clean),
        corrupted = one_line(&experiment.corrupted),
        answer = one_line(&experiment.answer.join("|")),
        wrong = one_line(&experiment.wrong.join("|")),
        written = words::written(experiment.written),
        metric = experiment.metric.label(),
        clean_value = signed(record.clean.metrics.get(experiment.metric), 3),
        corrupted_value = signed(record.corrupted.metrics.get(experiment.metric), 3),
        model = record.model_title,
        sha256 = record.model_sha256,
        device = record.device.name,
        origin = origin.words(),
    )
}

/// Text that begins no line of its own; spaces at its ends show.
fn one_line(text: &str) -> String {
    format!("“{}”", text.replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;

    fn extras<'a>() -> Extras<'a> {
        let figure = Picture::new([1, 1], "a figure", "", "", "");
        let figure_is = "the maps as they were on the screen";
        Extras { figure, figure_is, origin: Origin::of(None), batch: None, pairs: &[] }
    }

    #[test]
    fn a_bundle_has_all_files_and_says_what_they_are() {
        let record = record();
        let entries = entries(&record, &extras());
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        for name in ["README.txt", "result.json", "scores.csv", "reproduce.ipynb", "figure.svg"] {
            assert!(names.contains(&name), "{names:?}");
        }
        // Noising only is there.
        assert_eq!(names.iter().filter(|name| name.starts_with("plots/")).count(), 4);
        let readme = &entries[0].text;
        assert!(readme.contains("Every score is in logits"), "{readme}");
        assert!(
            readme.contains(&format!("\n\n{}\n\nclean prompt      “=1+1 say", record.link)),
            "{readme}"
        );
        assert!(
            readme.contains("figure.svg       the maps as they were on the screen\n"),
            "{readme}"
        );
        let plot = entries.iter().find(|entry| entry.name == "plots/heads-ig-noising.svg");
        assert!(plot.is_some_and(|plot| plot.text.contains("xmlns")));
    }

    #[test]
    fn who_has_no_page_has_no_link() {
        let record = Record { link: String::new(), ..record() };
        let readme = readme(&record, &extras());
        assert!(readme.starts_with("A result of Twinbeam 1.2.3\n\nclean prompt "), "{readme}");
        assert!(!record.csv().contains("# link"));
    }
}
