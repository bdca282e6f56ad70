//! The whole figure of a pair, for those who have no page: head maps, neurons, how far the methods agree, layer by layer.

use std::fmt::Write as _;

use twinbeam_core::scores::{ExactPairs, JointEffects, ScoreTable, TableKey, Tables, UnitBasis};
use twinbeam_core::statistics::{Agreement, slope};
use twinbeam_core::words::{Component, ComponentKind, Method};

use crate::colour::Ground;
use crate::maps::{Sizes, draw_legend};
use crate::paper::Sheet;
use crate::picture::text;
use crate::plot::{At, Axis, Bar, Bars, Drawn, Ink, Point, Rule, Xy, placed, style};
use crate::{Caption, Look, MapKind, Picture, Shown};

/// Between two drawings beside each other.
const GAP: usize = 32;
/// Height of all strips of neurons together, about, and of one at least and at most.
const STRIPS: usize = 96;
const LOWEST: usize = 11;
const HIGHEST: usize = 20;
/// Left of strips, for the numbers of their layers; above them, for their title; and below, for the legend.
const LEFT: usize = 44;
const TOP: usize = 26;
const BOTTOM: usize = 50;
/// Least width of a place of a strip, in pixels: of the neurons that it stands for, the one that matters most is drawn.
const PLACE: usize = 3;
/// Components of a scatter that have their names.
const NAMED: usize = 5;

/// What a comparison has found, as far as it is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Scores of heads and, if they were computed, of neurons.
    pub tables: &'a Tables,
    /// Effects of replacing all components of a layer together.
    pub joint: &'a [JointEffects],
    /// What the scores can be converted by.
    pub basis: UnitBasis,
}

impl Found<'_> {
    fn tables(&self, kind: ComponentKind, look: Look) -> [Option<&ScoreTable>; 2] {
        let direction = look.direction;
        [Method::Ig, Method::Ap].map(|method| self.tables.get(TableKey { kind, method, direction }))
    }

    fn shown(&self, kind: ComponentKind, look: Look) -> Shown {
        Shown::new(self.tables(kind, look), &self.basis, look, kind)
    }
}

/// Draws everything that there is of one direction, on one ground.
pub fn figure(caption: &Caption<'_>, found: &Found<'_>, look: Look, ground: Ground) -> Picture {
    let heads = found.shown(ComponentKind::Heads, look);
    let title = format!("Integrated gradients and activation patching, {}", heads.look().direction);
    let mut sheet = Sheet::begin(caption, &heads, &title, ground);
    sheet.maps(&heads);
    if found.tables(ComponentKind::Neurons, look).iter().any(Option::is_some) {
        strips(&mut sheet, &found.shown(ComponentKind::Neurons, look), ground);
    }
    let width = (sheet.width - GAP) / 2;
    for kind in [ComponentKind::Heads, ComponentKind::Neurons] {
        // Of the metric's own unit, in which sums and effects of layers are.
        let [Some(ig), Some(ap)] = found.tables(kind, look) else { continue };
        let across = [
            scatter(caption, kind, [ig, ap], width),
            layers(caption, kind, [ig, ap], found.joint, width),
        ];
        sheet.y += GAP / 2;
        let mut height = 0.0_f32;
        for (place, drawn) in across.iter().enumerate() {
            placed(&mut sheet.drawn, drawn, [Sheet::LEFT + place * (width + GAP), sheet.y]);
            height = height.max(drawn.size[1]);
        }
        sheet.y += height.ceil() as usize + GAP / 2;
    }
    sheet.y += GAP / 2;
    sheet.end(caption, &heads, &style(ground))
}

/// Neurons by both methods, a strip for each layer.
fn strips(sheet: &mut Sheet, shown: &Shown, ground: Ground) {
    let maps = [MapKind::Ig, MapKind::Ap];
    let width = (sheet.width - GAP) / 2;
    let places = (width - LEFT) / PLACE;
    let mut height = 0;
    for (at, map) in maps.into_iter().enumerate() {
        let Some(table) = shown.table(map) else { continue };
        let (x, y) = (Sheet::LEFT + at * (width + GAP), sheet.y);
        let scale = shown.scale(map);
        let strip = (STRIPS / table.n_layers().max(1)).clamp(LOWEST, HIGHEST);
        let each = table.width().div_ceil(places).max(1);
        let of_each =
            if each > 1 { format!(", the strongest of each {each}") } else { String::new() };
        let across = (width - LEFT) as f64 / table.width().div_ceil(each).max(1) as f64;
        let title = format!("Neurons: {}{of_each}", map.title().to_lowercase());
        text(&mut sheet.drawn, x + LEFT, y + 12, "class=\"map\"", &title);
        for (layer, row) in table.rows().enumerate() {
            let top = y + TOP + layer * strip;
            let number = layer.to_string();
            text(
                &mut sheet.drawn,
                x + LEFT - 8,
                top + strip / 2 + 4,
                "class=\"soft end\"",
                &number,
            );
            for (place, scores) in row.chunks(each).enumerate() {
                let strongest = scores.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
                let fill = ground.theme().hex(scale.place(strongest.unwrap_or(0.0)));
                let (left, height) = ((x + LEFT) as f64 + place as f64 * across, strip - 1);
                // OK because writing to a string does not fail.
                writeln!(
                    sheet.drawn,
                    "<rect x=\"{left:.2}\" y=\"{top}\" width=\"{across:.2}\" height=\"{height}\" fill=\"{fill}\"/>"
                )
                .ok();
            }
        }
        let bottom = y + TOP + table.n_layers() * strip;
        let legend = [x + LEFT, bottom + 8];
        draw_legend(&mut sheet.drawn, (scale, shown.unit(map)), legend, (Sizes::of(shown), ground));
        height = height.max(bottom + BOTTOM - y);
    }
    sheet.y += height;
}

/// IG against AP, with the line on which they agree.
fn scatter(
    caption: &Caption<'_>,
    kind: ComponentKind,
    [ig, ap]: [&ScoreTable; 2],
    width: usize,
) -> Drawn {
    let pairs = ExactPairs::of(ig, ap);
    let agreement = Agreement::of(&pairs.ig, &pairs.ap);
    let said = |value: Option<f64>| {
        value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.3}"))
    };
    let line = slope(&pairs.ap, &pairs.ig);
    let points = pairs.places.iter().zip(pairs.ig.iter().zip(&pairs.ap));
    let points = points.map(|(place, (ig, ap))| {
        Point::of(Component::at(kind, *place, kind.width(&caption.shape)), *ap, *ig)
    });
    Xy {
        title: format!("{}: IG against AP", capital(kind)),
        summary: format!(
            "Pearson {}, Spearman {}.",
            said(agreement.pearson),
            said(agreement.spearman)
        ),
        x: Axis::signed("AP", caption.unit),
        y: Axis::signed("IG", caption.unit),
        identity: true,
        rules: line
            .map(|line| Rule {
                at: At::Slope { slope: line.slope as f32, intercept: line.intercept as f32 },
                label: format!("slope {:.2}", line.slope),
                ink: Ink::Soft,
            })
            .into_iter()
            .collect(),
        points: points.collect(),
        outliers: NAMED,
        width: width as f64,
        ..Xy::default()
    }
    .draw()
}

/// The sum of each layer's scores by AP beside what its joint patch does, which is the sum of IG's.
fn layers(
    caption: &Caption<'_>,
    kind: ComponentKind,
    [ig, ap]: [&ScoreTable; 2],
    joint: &[JointEffects],
    width: usize,
) -> Drawn {
    let joint = joint.iter().find(|joint| (joint.kind, joint.direction) == (kind, ap.direction()));
    let sums =
        |table: &ScoreTable| -> Vec<f32> { table.rows().map(|row| row.iter().sum()).collect() };
    let together = joint.map_or_else(|| sums(ig), |joint| joint.values.clone());
    let rows = sums(ap).into_iter().zip(together).enumerate();
    let rows = rows.map(|(layer, (alone, together))| Bar {
        label: format!("layer {layer}"),
        values: vec![alone, together],
        ..Bar::default()
    });
    Bars {
        title: format!("{} of each layer, alone and together", capital(kind)),
        summary: String::new(),
        unit: caption.unit.to_owned(),
        names: vec!["sum of AP".to_owned(), "joint patch".to_owned()],
        inks: [Ink::Ap, Ink::Plain],
        rows: rows.collect(),
        range: None,
        signed: true,
        width: width as f64,
    }
    .draw()
}

const fn capital(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Heads => "Heads",
        ComponentKind::Neurons => "Neurons",
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::ModelShape;
    use twinbeam_core::scores::{MetricValues, SideSummary};
    use twinbeam_core::words::{Direction, Experiment, Metric};

    use super::*;

    const SHAPE: ModelShape = ModelShape::GPT2_SMALL;

    fn table(kind: ComponentKind, method: Method) -> ScoreTable {
        let width = kind.width(&SHAPE);
        let score = |place: usize| ((place * 37 + method as usize * 11) % 101) as f32 / 50.0 - 1.0;
        let values = (0..SHAPE.n_layers * width).map(score).collect();
        ScoreTable::new(TableKey { kind, method, direction: Direction::Noising }, width, values)
    }

    fn side(logit_diff: f32) -> SideSummary {
        let metrics = MetricValues {
            logit_diff,
            prob_answer: 0.5,
            prob_wrong: 0.1,
            prob_diff: 0.4,
            log_prob: -0.7,
            kl: 0.0,
        };
        SideSummary { metrics, n_pos: 17, top: Vec::new() }
    }

    fn drawn(kinds: &[ComponentKind], ground: Ground) -> Picture {
        let experiment = Experiment {
            clean: "a <b> & c".to_owned(),
            corrupted: "a d".repeat(200),
            answer: vec![" x".to_owned()],
            wrong: vec![" y".to_owned()],
            ..Experiment::default()
        };
        let sides = [side(4.0), side(-2.0)];
        let tables = kinds
            .iter()
            .flat_map(|kind| [Method::Ig, Method::Ap].map(|method| table(*kind, method)));
        let tables: Tables = tables.collect();
        let basis = UnitBasis::new(Metric::LogitDiff, &sides[0], &sides[1], SHAPE.d_model);
        let caption = Caption {
            experiment: &experiment,
            clean: &sides[0],
            corrupted: &sides[1],
            unit: "logits",
            model: "GPT-2 small",
            shape: SHAPE,
            model_sha256: "0123456789abcdef",
            model_as_expected: None,
            device: "CPU",
            twinbeam: "0.1.0",
            link: "",
        };
        figure(&caption, &Found { tables: &tables, joint: &[], basis }, Look::default(), ground)
    }

    /// Whether every tag that is opened is closed, in order, and no attribute of one is there twice.
    fn is_well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
            if let Some(name) = tag.strip_prefix('/') {
                if open.pop() != Some(name) {
                    return false;
                }
                continue;
            }
            let mut names: Vec<&str> =
                tag.split("=\"").filter_map(|before| before.rsplit(['"', ' ']).next()).collect();
            names.pop();
            let n = names.len();
            names.sort_unstable();
            names.dedup();
            if names.len() != n {
                return false;
            }
            if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap_or_default());
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_figure_is_one_file_of_well_formed_svg_on_both_grounds() {
        for ground in [Ground::Light, Ground::Dark] {
            for kinds in [&[ComponentKind::Heads][..], &ComponentKind::ALL[..]] {
                let Picture { svg, width, height } = drawn(kinds, ground);
                assert!(is_well_formed(&svg), "{svg}");
                assert!(!svg.contains('@') && !svg.contains("NaN"), "each colour has its value");
                assert!(svg.contains(ground.fill()) && width > 700 && height > 700);
                assert!(svg.contains("a &lt;b&gt; &amp; c") && svg.contains("sha256 0123456789ab"));
                let of_neurons = svg.matches("Neurons: ").count();
                assert_eq!(
                    of_neurons,
                    if kinds.len() == 2 { 3 } else { 0 },
                    "two strips and a scatter"
                );
            }
        }
        assert!(!is_well_formed("<a x=\"1\" x=\"2\"/>") && !is_well_formed("<a><b></a></b>"));
    }

    #[test]
    fn of_many_neurons_the_strongest_of_each_place_is_drawn() {
        let Picture { svg, .. } = drawn(&ComponentKind::ALL, Ground::Light);
        let (_, strips) = svg.split_once("Neurons: integrated gradients").expect("strips");
        let (_, each) =
            strips.split_once("the strongest of each ").expect("more than there is room for");
        let each: usize = each.split('<').next().and_then(|n| n.parse().ok()).expect("a number");
        let rects =
            strips.split("Neurons: activation").next().expect("one").matches("<rect").count();
        // Its legend has steps of its own.
        let steps = 64;
        assert_eq!(rects - steps, SHAPE.n_layers * SHAPE.d_mlp.div_ceil(each));
    }
}
