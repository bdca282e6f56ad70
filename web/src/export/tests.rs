//! Everything that is taken away of a result, held against what the screen shows of it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use twinbeam_core::link::{ScaleChoice, Snapshot, View, parse_link};
use twinbeam_core::models::KnownHeads;
use twinbeam_core::scores::{
    Coverage, MetricValues, ScoreTable, SideSummary, TableKey, Tables, Unit, UnitBasis,
};
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Metric, Steps};

use super::record::tests::screen;
use super::{Screen, embed};
use crate::explain;
use crate::heatmap::shown_of;
use crate::heatmap::{MapKind, Shown};
use crate::plot::escape;
use crate::values::{Committed, Look, committed};
use twinbeam_record::{Entry, Extras, Origin, entries};

/// What is drawn at random.
#[derive(Debug, Clone)]
struct State {
    view: View,
    metric: Metric,
    /// The metric of both runs.
    sides: [f32; 2],
    seed: u32,
    /// Neurons: none, all of them exact, some.
    neurons: u8,
    from_link: bool,
    has_known: bool,
}

fn any_state() -> impl Strategy<Value = State> {
    let component = (any::<bool>(), 0_usize..2, 0_usize..2).prop_map(|(head, layer, index)| {
        let kind = if head { ComponentKind::Heads } else { ComponentKind::Neurons };
        Component { kind, layer, index }
    });
    let view = (
        (any::<bool>(), 0..3_usize, any::<bool>(), any::<bool>()),
        proptest::option::of(component),
        (any::<bool>(), any::<bool>()),
        proptest::option::of((0..8_usize, 0..8_usize)),
    );
    let view = view.prop_map(|((noising, unit, shared, heads), pinned, switches, window)| View {
        direction: if noising { Direction::Noising } else { Direction::Denoising },
        unit: Unit::ALL[unit],
        scale: if shared { ScaleChoice::Shared } else { ScaleChoice::Own },
        neurons_in_view: window.map(|(a, b)| [a.min(b), a.max(b)]),
        pinned,
        kind: if heads { ComponentKind::Heads } else { ComponentKind::Neurons },
        zero_baseline: switches.0,
        streams: switches.1,
        ..View::default()
    });
    // A gap that is large, too small, or the wrong way round, of every metric.
    let gap = prop_oneof![0.5_f32..9.0, -0.009_f32..0.009, -9.0_f32..-0.5];
    let rest = (any::<u32>(), 0..3_u8, any::<bool>(), any::<bool>());
    (view, 0..4_usize, gap, rest).prop_map(
        |(view, metric, gap, (seed, neurons, from_link, has_known))| State {
            view,
            metric: Metric::ALL[metric],
            sides: [1.25 + gap, 1.25],
            seed,
            neurons,
            from_link,
            has_known,
        },
    )
}

/// The result of a state, and the one that came with its link.
fn result(state: &State) -> (Committed, Option<Snapshot>) {
    let mut committed = committed();
    committed.experiment.metric = state.metric;
    committed.experiment.n_steps = Steps::Fixed(7);
    let side = |value: f32| SideSummary {
        metrics: MetricValues {
            logit_diff: value,
            prob_answer: 0.5,
            prob_wrong: 0.25,
            prob_diff: value,
            log_prob: value,
            kl: -value,
        },
        n_pos: 5,
        top: Vec::new(),
    };
    let [clean, corrupted] = state.sides.map(side);
    committed.basis = UnitBasis::new(state.metric, &clean, &corrupted, 4);
    committed.sides = (clean, corrupted);
    committed.tables = Tables::default();
    let mut random = state.seed;
    let mut next = move || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as f32 / 2.0_f32.powi(22) - 2.0
    };
    for kind in ComponentKind::ALL {
        if kind == ComponentKind::Neurons && state.neurons == 0 {
            continue;
        }
        let width = kind.width(&committed.model.shape);
        for direction in Direction::ALL {
            for method in [Method::Ig, Method::Ap, Method::Atp] {
                let values: Vec<f32> = (0..2 * width).map(|_| next()).collect();
                let exact = match (kind, method, state.neurons) {
                    (ComponentKind::Neurons, Method::Ap, 2) => {
                        (0..2 * width).map(|place| place % 3 == 0).collect()
                    }
                    _ => Vec::new(),
                };
                let deltas = if method == Method::Ig { vec![next(), 1e-6] } else { Vec::new() };
                committed.tables.insert(
                    ScoreTable::new(TableKey { kind, method, direction }, width, values)
                        .with_exact(exact)
                        .with_convergence_delta(deltas),
                );
            }
            if kind == ComponentKind::Neurons && state.neurons == 2 {
                let coverage =
                    Coverage { exact: 6, total: 16, sampled: 0, larger: 0, missed_share: None };
                committed.cover(direction, coverage);
            }
        }
    }
    if !state.from_link {
        return (committed, None);
    }
    let snapshot = committed.snapshot(None).expect("its heads are complete");
    (Committed::of_link(committed.experiment, &snapshot), Some(snapshot))
}

/// The texts of an SVG that have a class, in their order.
fn texts<'a>(svg: &'a str, class: &str) -> Vec<&'a str> {
    let begin = svg.split("<text ").skip(1);
    begin
        .filter(|text| {
            let attributes = text.split('>').next().unwrap_or_default();
            attributes.split('"').nth(5).is_some_and(|c| c.split(' ').any(|c| c == class))
        })
        .filter_map(|text| text.split('>').nth(1)?.split('<').next())
        .collect()
}

/// Each score as its cell writes it, map by map.
fn cells(shown: &Shown) -> Vec<String> {
    let all = |map: MapKind| {
        let table = shown.table(map)?;
        let at = |place| Component::at(table.kind(), place, table.width());
        Some((0..table.values().len()).filter_map(move |place| shown.written(map, at(place))))
    };
    MapKind::ALL.into_iter().filter_map(all).flatten().collect()
}

fn of_method(shown: &Shown, method: &str, of: Component) -> Option<(f32, &'static str)> {
    let map = match method {
        "ig" => MapKind::Ig,
        "ap" => MapKind::Ap,
        _ => return None,
    };
    Some((shown.score(map, of)?, shown.unit(map)))
}

/// The maps of the screen by their kind.
fn on_screen(state: &State, committed: &Committed) -> BTreeMap<&'static str, Shown> {
    let look = Look::of(&state.view);
    ComponentKind::ALL.map(|kind| (kind.id(), shown_of(committed, look, kind))).into()
}

fn component(kind: &str, layer: usize, index: usize) -> Component {
    let kind = ComponentKind::ALL.into_iter().find(|k| k.id() == kind).expect("a kind");
    Component { kind, layer, index }
}

/// The files of the page's archive.
fn bundled(screen: &Screen<'_>) -> Vec<Entry> {
    let (figure, origin) = (screen.picture(), Origin::of(None));
    let extras = Extras { figure, figure_is: "the maps", origin, batch: None, pairs: &[] };
    entries(&screen.record(), &extras)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Every number, title and sign of every file is the screen's, and its link leads to the same screen.
    #[test]
    fn what_is_exported_is_what_is_shown(state in any_state()) {
        let (committed, linked) = result(&state);
        let mut screen = Screen { linked: linked.as_ref(), view: state.view.clone(), ..screen(&committed) };
        if state.has_known {
            screen.known = Some(KnownHeads {
                task: "a task".to_owned(), source: "somebody, 2022".to_owned(), heads: Vec::new(),
            });
        }
        let all = on_screen(&state, &committed);
        let shown = &all["heads"];
        let (direction, other) = (state.view.direction, state.view.direction.other());
        let is_refused = committed.basis.gap().is_err() && state.view.unit != Unit::Metric;
        prop_assert_eq!(shown.look().unit == state.view.unit, !is_refused);
        let sign = explain::sign(shown.look());

        // The drawing: its title, each number in its place, the ends of each scale, each unit, and the sign.
        let svg = screen.picture().svg;
        let title = format!("<title>Attention heads by integrated gradients and activation patching, {direction}</title>");
        prop_assert!(svg.contains(&title), "{}", svg);
        prop_assert!(!svg.contains(&format!("patching, {other}")), "{}", svg);
        prop_assert_eq!(texts(&svg, "cell"), cells(shown));
        let drawn = MapKind::ALL.into_iter().filter(|map| shown.table(*map).is_some());
        for map in drawn.clone() {
            let scale = shown.scale(map);
            for end in [-1.0, 1.0] {
                let end = scale.written(end * scale.limit());
                prop_assert!(texts(&svg, "soft").contains(&end.as_str()), "{} in {}", end, svg);
            }
            prop_assert!(svg.contains(&format!(">{}</text>", escape(shown.unit(map)))), "{}", svg);
        }
        prop_assert_eq!(texts(&svg, "map"), drawn.clone().map(|map| escape(map.title())).collect::<Vec<_>>());
        let provenance = texts(&svg, "soft").join(" ");
        prop_assert!(provenance.contains(&*escape(sign)), "{}", provenance);

        // The slide, the printed page and the maps alone show the same.
        let others = [screen.slide().svg, screen.maps_alone().svg, screen.sheet().maps.into_iter().map(|map| map.svg).collect()];
        for other in others {
            prop_assert_eq!(texts(&other, "cell"), cells(shown));
            prop_assert!(!other.contains(&format!("patching, {}", direction.other())), "{}", other);
            for map in drawn.clone() {
                prop_assert!(other.contains(&format!(">{}</text>", escape(shown.unit(map)))), "{}", other);
            }
        }
        let sheet = screen.sheet();
        prop_assert!(sheet.title.ends_with(&format!(", {direction}")) && sheet.source[0] == sign, "{:?}", sheet);
        prop_assert_eq!(&sheet.link, &screen.link());

        // The tables: each score in the metric's unit, and beside it as the screen has it.
        let record = screen.record();
        let csv = record.csv();
        prop_assert!(csv.contains(&format!("# sign on the screen: {sign}\r\n")), "{}", csv);
        prop_assert!(csv.contains(&format!("# on the screen: {direction}; unit: ")), "{}", csv);
        prop_assert_eq!(csv.contains("# unit refused: "), is_refused);
        let mut n = 0;
        for line in csv.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let line = line.replace(", notebook’s sign", "; notebook’s sign").replace('"', "");
            let row: Vec<&str> = line.split(',').collect();
            let [kind, method, of, layer, index, score, unit, in_unit, shown_unit] = row[..] else {
                panic!("nine cells: {line}");
            };
            prop_assert_eq!(unit, state.metric.unit());
            prop_assert!(!(is_refused && shown_unit.contains("gap")), "{}", line);
            let of_component = component(kind, layer.parse().expect("a layer"), index.parse().expect("a number"));
            if of == direction.id() && method != "atp" {
                let expected = of_method(&all[kind], method, of_component);
                let got = in_unit.parse::<f32>().ok().map(|number| (number, shown_unit.replace(';', ",")));
                prop_assert_eq!(got, expected.map(|(number, unit)| (number, unit.to_owned())), "{}", line);
                n += 1;
            }
            let (score, in_unit) = (score.parse::<f32>().ok(), in_unit.parse::<f32>().ok());
            prop_assert_eq!(score.is_some(), in_unit.is_some());
            let turned = shown.look().unit == Unit::Notebook && method == "ap" && of == "noising";
            if let (Some(score), Some(in_unit)) = (score, in_unit) {
                let same = score * in_unit >= 0.0;
                prop_assert!(score == 0.0 || same != turned, "{}", line);
            }
        }
        prop_assert!(n >= 8, "{} rows of the screen", n);

        // The same for programs.
        let json: Value = serde_json::from_str(&record.json()).expect("JSON");
        let view: View = serde_json::from_value(json["view"].clone()).expect("a view");
        prop_assert_eq!(&view, &state.view);
        prop_assert!(json["experiment"].get("direction").is_none());
        prop_assert_eq!(json.get("unit_refused").is_some(), is_refused);
        for table in json["tables"].as_array().expect("tables") {
            let [kind, method, of] = ["kind", "method", "direction"].map(|f| table[f].as_str().expect("a name"));
            if of != direction.id() || method == "atp" {
                continue;
            }
            let factor = table["shown"]["factor"].as_f64().expect("a factor") as f32;
            let width = table["width"].as_u64().expect("a width") as usize;
            for (place, score) in table["values"].as_array().expect("scores").iter().enumerate() {
                let expected = of_method(&all[kind], method, component(kind, place / width, place % width));
                let got = score.as_f64().map(|score| score as f32 * factor);
                prop_assert_eq!(got, expected.map(|(score, _)| score));
                prop_assert!(expected.is_none_or(|(_, unit)| table["shown"]["unit"] == unit));
            }
        }

        // The link, and whatever carries it: the same experiment and the same view, and so the same screen.
        let link = screen.link();
        for (name, text) in [("SVG", &svg), ("CSV", &csv), ("embed", &embed::frame(&link))] {
            let fragment = link.split('#').nth(1).expect("it fits");
            prop_assert!(text.contains(fragment), "{}", name);
        }
        prop_assert_eq!(&json["link"], &link);
        let read = parse_link(link.split('#').nth(1).expect("it fits")).expect("ours");
        prop_assert_eq!((&read.experiment, &read.view), (&committed.experiment, &state.view));
        prop_assert!(read.refused.is_empty() && !read.has_unknown);
        let again = read.snapshot.expect("the heads are complete");
        let again = Committed::of_link(read.experiment, &again);
        let reopened = shown_of(&again, Look::of(&read.view), ComponentKind::Heads);
        prop_assert_eq!(reopened.look(), shown.look());
        for map in MapKind::ALL {
            prop_assert_eq!(reopened.unit(map), shown.unit(map));
            let (a, b) = (reopened.table(map), shown.table(map));
            prop_assert_eq!(a.is_some(), b.is_some());
            // The difference of two maps has the rounding of both.
            let allowed = 4.0 * Snapshot::ROUNDING * shown.scale(MapKind::Ig).limit().max(shown.scale(MapKind::Ap).limit());
            for (a, b) in a.into_iter().flat_map(ScoreTable::values).zip(b.into_iter().flat_map(ScoreTable::values)) {
                prop_assert!((a - b).abs() <= allowed, "{} for {}", a, b);
            }
        }

        // Names and the archive.
        for extension in ["csv", "json", "svg", "png", "zip"] {
            prop_assert_eq!(screen.file_name(extension), format!("twinbeam-mini-{direction}.{extension}"));
        }
        let files: BTreeMap<String, String> =
            bundled(&screen).into_iter().map(|entry| (entry.name, entry.text)).collect();
        prop_assert_eq!(&files["figure.svg"], &svg);
        prop_assert_eq!(&files["scores.csv"], &csv);
        prop_assert_eq!(&files["result.json"], &record.json());
        let readme = &files["README.txt"];
        prop_assert!(readme.contains(&format!("on the screen     {direction}; unit: ")), "{}", readme);
        prop_assert!(readme.contains(sign) && readme.contains(&link), "{}", readme);
        for of in Direction::ALL {
            let look = Look { direction: of, ..Look::of(&state.view) };
            let there = shown_of(&committed, look, ComponentKind::Heads);
            for (map, name) in [(MapKind::Ig, "ig"), (MapKind::Ap, "ap"), (MapKind::Diff, "ig-minus-ap")] {
                let plot = files.get(&format!("plots/heads-{name}-{of}.svg"));
                prop_assert_eq!(plot.is_some(), there.table(map).is_some(), "{}", name);
                let Some(plot) = plot else { continue };
                prop_assert!(plot.contains(&format!("{} of heads, {of}", map.title())), "{}", plot);
                prop_assert!(plot.contains(&*escape(there.unit(map))), "{}", plot);
            }
        }
    }
}

/// Drawings of one result as they once were, byte for byte: what draws them may move, what they show may not by the way.
#[test]
fn files_are_drawn_as_they_were() {
    let committed = crate::values::complete();
    let mut screen = screen(&committed);
    screen.view.unit = Unit::ShareOfGap;
    let mut files = vec![
        ("figure.svg".to_owned(), screen.picture().svg),
        ("slide.svg".to_owned(), screen.slide().svg),
        ("maps.svg".to_owned(), screen.maps_alone().svg),
    ];
    let plots = bundled(&screen).into_iter().filter(|entry| {
        entry.name.contains("ig-minus-ap-noising") || entry.name.contains("scatter-noising")
    });
    files.extend(plots.map(|plot| (plot.name.replace("plots/", ""), plot.text)));
    assert_eq!(files.len(), 5);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/figure");
    for (name, now) in files {
        // The build is another each time.
        let now = now.replace(&format!("Twinbeam {}", crate::values::BUILD), "Twinbeam BUILD");
        let before = std::fs::read_to_string(format!("{folder}/{name}")).expect(&name);
        assert!(now == before, "{name} was {before}\nand is {now}");
    }
}
