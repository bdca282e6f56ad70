//! What every plot must have: keys, names, numbers behind it, and markup that is well formed.

use std::collections::BTreeSet;

use twinbeam_core::words::{Component, ComponentKind};

use super::axis::Span;
use super::brush::{Pick, in_view, inside, nearest, reached, rectangle};
use super::labels::Places;
use super::*;

fn head(layer: usize, index: usize) -> Component {
    Component { kind: ComponentKind::Heads, layer, index }
}

fn neuron(place: usize) -> Component {
    Component::at(ComponentKind::Neurons, place, 3072)
}

/// Every tag is closed, no number is none, and no class is without a rule.
fn sound(drawn: &Drawn) {
    let css = include_str!("../../../../web/styles/lab.css");
    for text in [&drawn.svg, &drawn.summary] {
        for wrong in ["NaN", "inf", "style="] {
            assert!(!text.contains(wrong), "{wrong} in {text}");
        }
    }
    let mut open = Vec::new();
    for part in drawn.svg.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap_or_default().to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new(), "left open");
    for classes in drawn.svg.split("class=\"").skip(1) {
        let (classes, _) = classes.split_once('"').expect("an attribute ends");
        for class in classes.split(' ').filter(|class| *class != "plot-point") {
            assert!(css.contains(&format!(".{class}")), "{class} has no rule");
        }
    }
    for (at, target) in drawn.points.iter().enumerate() {
        assert!(drawn.svg.contains(&format!("data-at=\"{at}\"")), "{at} is not drawn");
        let [x, y] = target.place;
        assert!((0.0..=drawn.size[0]).contains(&x) && (0.0..=drawn.size[1]).contains(&y));
        assert!(!target.label.contains("NaN"), "{}", target.label);
    }
    for row in &drawn.table.rows {
        assert_eq!(row.len(), drawn.table.head.len());
    }
    let file = standalone(&drawn.svg);
    assert!(
        file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && file.ends_with("</svg>")
    );
    assert!(!file.contains("var(") && file.matches("<style>").count() == 1);
}

const ODD: [&[f32]; 8] = [
    &[],
    &[0.0],
    &[0.7, 0.7, 0.7],
    &[f32::MAX, -f32::MAX],
    &[1e-30, 3e-30],
    &[f32::NAN, f32::INFINITY, 1.0],
    &[1e-6, -2e-6],
    &[1e7, 2.0],
];

#[test]
fn odd_numbers_break_no_plot() {
    for numbers in ODD {
        for (x, y) in [
            (Axis::signed("IG", "logits"), Axis::signed("AP", "logits")),
            (Axis::of("alpha", ""), Axis::of("metric", "logits")),
            (Axis::log("k"), Axis::of("share", "")),
            (Axis { range: Some((1.0, 1.0)), ..Axis::log("k") }, Axis::default()),
        ] {
            for identity in [false, true] {
                let points = numbers.iter().enumerate();
                let series = numbers.iter().map(|number| (*number, -*number)).collect();
                let plot = Xy {
                    x: x.clone(),
                    y: y.clone(),
                    identity,
                    outliers: 3,
                    nodes: numbers.to_vec(),
                    rules: numbers
                        .iter()
                        .flat_map(|n| {
                            [At::X(*n), At::Y(*n), At::Slope { slope: *n, intercept: *n }]
                        })
                        .map(|at| Rule { at, label: "limit".to_owned(), ink: Ink::Warm })
                        .collect(),
                    bands: numbers
                        .iter()
                        .map(|n| Band { from: *n, to: 2.0, label: "flat".to_owned() })
                        .collect(),
                    series: vec![Series { points: series, ..Series::default() }],
                    ..Xy::default()
                };
                sound(&plot.draw());
                let points = points.map(|(at, n)| Point::of(head(0, at), *n, *n)).collect();
                sound(&Xy { points, ..plot }.draw());
            }
        }
        let bars = Bars {
            rows: numbers.iter().map(|n| Bar { values: vec![*n, -*n], ..Bar::default() }).collect(),
            ..Bars::default()
        };
        sound(&bars.draw());
        for shades in [Shades::Diverging, Shades::Sequential] {
            let matrix = Matrix {
                rows: Labels::numbers("layer", 1),
                columns: Labels::numbers("head", numbers.len()),
                values: numbers.to_vec(),
                shades,
                ..Matrix::default()
            };
            sound(&matrix.draw());
        }
        let most = numbers.iter().fold(0.0, |most: f32, number| most.max(number.abs()));
        sound(&small_maps(numbers, most).draw());
    }
    sound(&Kinds::default().draw());
}

/// Four maps of one layer, the last without values.
fn small_maps(numbers: &[f32], limit: f32) -> Panes<'static> {
    let pane = |values: &[f32]| Pane {
        name: "queries".to_owned(),
        id: "parts-q",
        values: values.to_vec(),
    };
    Panes {
        title: "Parts".to_owned(),
        summary: String::new(),
        unit: "logits".to_owned(),
        size: [1, numbers.len()],
        all: vec![pane(numbers), pane(numbers), pane(numbers), pane(&[])],
        limit,
        framed: Some([0, 0]),
        component: &head,
        width: 360.0,
    }
}

#[test]
fn small_maps_have_one_scale_and_keys_go_from_one_to_the_next() {
    let panes = Panes { size: [2, 2], ..small_maps(&[1.0, -2.0, 0.5, 0.0], 2.0) };
    let drawn = panes.draw();
    sound(&drawn);
    assert_eq!(drawn.points.len(), 12);
    assert_eq!(drawn.svg.matches("plot-framed").count(), 3, "not where nothing is known");
    assert_eq!(drawn.points[1].label, "L0H1, queries: −2.00 logits");
    assert_eq!(drawn.points[1].component, Some(head(0, 1)));
    assert_eq!(drawn.table.rows[1], ["L0H1", "−2.00", "−2.00", "−2.00", ""]);
    let key = |from, key| reached(&drawn, Some(from), key);
    assert_eq!(key(0, "ArrowDown"), Some(2), "the next layer");
    assert_eq!(key(2, "ArrowDown"), Some(8), "the map below");
    assert_eq!(key(3, "ArrowRight"), Some(4), "the map beside");
    // A large model's cells are small, and stay within the picture.
    let many: Vec<f32> = (0..48 * 25).map(|at| at as f32).collect();
    let large = Panes { size: [48, 25], ..small_maps(&many, 1200.0) }.draw();
    sound(&large);
    assert_eq!(large.size[0], 360.0);
}

#[test]
fn text_from_outside_is_escaped_wherever_it_goes() {
    let evil = "<b onload='x'>&\u{202e}\"";
    assert_eq!(escape(evil), "&lt;b onload=&#39;x&#39;&gt;&amp;\u{fffd}&quot;");
    let labels = || Labels::tokens(evil, vec![evil.to_owned()]);
    let matrix = Matrix {
        title: evil.to_owned(),
        unit: evil.to_owned(),
        rows: labels(),
        columns: labels(),
        values: vec![0.5],
        ..Matrix::default()
    };
    let kinds = Kinds {
        rows: labels(),
        columns: labels(),
        names: vec![('<', evil.to_owned())],
        cells: vec![Some(0)],
        ..Kinds::default()
    };
    let xy = Xy {
        title: evil.to_owned(),
        x: Axis::of(evil, evil),
        y: Axis::of(evil, evil),
        series: vec![Series { label: evil.to_owned(), ..Series::default() }],
        rules: vec![Rule { at: At::Y(1.0), label: evil.to_owned(), ink: Ink::Plain }],
        bands: vec![Band { from: 0.0, to: 1.0, label: evil.to_owned() }],
        ..Xy::default()
    };
    let bar = Bar {
        label: evil.to_owned(),
        values: vec![1.0],
        note: evil.to_owned(),
        then: evil.to_owned(),
        ..Bar::default()
    };
    let bars = Bars { title: evil.to_owned(), rows: vec![bar], ..Bars::default() };
    for drawn in [matrix.draw(), kinds.draw(), xy.draw(), bars.draw()] {
        assert!(!drawn.svg.contains("<b") && !drawn.svg.contains('\u{202e}'));
        let table = html_table(&drawn.table);
        assert!(!table.contains("<b") && !table.contains('\u{202e}'));
    }
}

#[test]
fn ticks_are_round_numbers_in_range() {
    let words = |axis: Axis, numbers: &[f32]| {
        let span = axis.span(&mut numbers.iter().copied());
        span.ticks().into_iter().map(|(_, words)| words).collect::<Vec<_>>()
    };
    assert_eq!(words(Axis::signed("", ""), &[-0.42, 0.9]), ["−0.5", "0", "0.5", "1.0"]);
    assert_eq!(words(Axis::of("", ""), &[0.0, 1.0]), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    assert_eq!(words(Axis::log(""), &[1.0, 144.0]), ["1", "2", "5", "10", "20", "50", "100"]);
    assert_eq!(words(Axis::log(""), &[98304.0]), ["1", "10", "100", "1000", "10000"]);
    assert_eq!(words(Axis::of("", ""), &[]), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    for numbers in ODD {
        let span: Span = Axis::signed("", "").span(&mut numbers.iter().copied());
        let ticks = span.ticks();
        assert!((2..=12).contains(&ticks.len()), "{numbers:?}: {ticks:?}");
        assert!(ticks.iter().all(|(number, _)| span.holds(*number)));
    }
}

#[test]
fn labels_stay_inside_and_apart() {
    let frame = [0.0, 0.0, 200.0, 100.0];
    let mut places = Places::new(frame);
    let mut boxes: Vec<[f64; 4]> = Vec::new();
    let mut placed = 0;
    for at in 0..60 {
        let (x, y) = (f64::from(at * 37 % 201), f64::from(at * 53 % 101));
        if let Some([x, y]) = places.beside([x, y], "11.11") {
            let words = [x, y - 9.6, x + markup::text_width("11.11"), y + 3.0];
            assert!(words[0] >= 0.0 && words[1] >= 0.0 && words[2] <= 200.0 && words[3] <= 100.0);
            for other in &boxes {
                let apart = words[2] <= other[0]
                    || other[2] <= words[0]
                    || words[3] <= other[1]
                    || other[3] <= words[1];
                assert!(apart, "{words:?} over {other:?}");
            }
            boxes.push(words);
            placed += 1;
        }
    }
    assert!(placed > 5, "{placed} of 60");
}

#[test]
fn names_stand_in_their_band_and_beside_their_line() {
    let mut places = Places::new([0.0, 0.0, 300.0, 100.0]);
    let width = markup::text_width("last 10 %");
    let [x, _] = places.between(200.0, 300.0, "last 10 %").expect("it fits");
    assert!(x >= 200.0 && x + width <= 300.0);
    let [x, _] = places.along(200.0, "split IG ends").expect("left of the line");
    assert!(x + markup::text_width("split IG ends") < 200.0);
    assert_eq!(places.between(10.0, 40.0, "last 10 %"), None);
    assert!(places.upright(10.0, 40.0, "last 10 %").is_some());
    assert_eq!(places.upright(290.0, 300.0, "last 10 %"), None, "too narrow for either");
}

#[test]
fn a_crowd_has_no_names_but_those_of_the_selection() {
    let mut points: Vec<Point> = (0..400_u16)
        .map(|at| {
            let [x, y] = [f32::from(at % 20), f32::from(at / 20)];
            Point::of(head(usize::from(at / 20), usize::from(at % 20)), x, y)
        })
        .collect();
    let names = |points: &[Point]| {
        let plot = Xy { outliers: 5, points: points.to_vec(), ..Xy::default() };
        plot.draw().svg.matches("class=\"plot-name\"").count()
    };
    assert!(names(&points) < 5);
    points[210].selected = true;
    let plot = Xy { points: points.clone(), ..Xy::default() };
    let drawn = plot.draw();
    sound(&drawn);
    assert!(drawn.svg.contains("plot-name") && drawn.svg.contains(">L10H10</text>"));
}

#[test]
fn a_map_of_zeros_has_no_scale() {
    let matrix = Matrix {
        rows: Labels::numbers("layer", 1),
        columns: Labels::numbers("head", 2),
        values: vec![0.0; 2],
        ..Matrix::default()
    };
    let drawn = matrix.draw();
    sound(&drawn);
    assert!(drawn.svg.contains("all values are 0") && !drawn.svg.contains("plot-c40"));
}

#[test]
fn a_scatter_says_and_lists_its_points() {
    let mut points = vec![
        Point::of(head(0, 6), 0.1, 0.05),
        Point::of(head(1, 2), 0.42, 0.11),
        Point { mark: Mark::Diamond, ..Point::of(head(3, 1), -0.9, -0.8) },
    ];
    points[0].pinned = true;
    let drawn = Xy {
        title: "IG against AP".to_owned(),
        summary: "rank correlation 0.91.".to_owned(),
        x: Axis::signed("IG", "logits"),
        y: Axis::signed("AP", "logits"),
        identity: true,
        outliers: 1,
        marks: ["IG only", "AP only", "both"],
        points,
        words: Some(&|component| {
            if component.layer == 3 { "a name mover".to_owned() } else { String::new() }
        }),
        ..Xy::default()
    }
    .draw();
    sound(&drawn);
    assert_eq!(drawn.summary, "IG against AP: rank correlation 0.91.");
    let labels: Vec<&str> = drawn.points.iter().map(|target| target.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "L3H1: IG −0.90, AP −0.80 logits; a name mover",
            "L1H2: IG +0.42, AP +0.11 logits",
            "L0H6: IG +0.10, AP +0.05 logits",
        ]
    );
    assert_eq!(drawn.table.head, ["component", "IG, logits", "AP, logits"]);
    assert!(drawn.svg.contains(">L1H2</text>"), "the farthest from the line is named");
    assert!(drawn.svg.contains(">L0H6</text>"), "and so is what is pinned");
    assert!(!drawn.svg.contains(">L3H1</text>"));
    assert!(drawn.svg.contains("data-kind=\"heads\" data-layer=\"3\" data-index=\"1\""));
    assert!(drawn.svg.contains(">both</text>") && !drawn.svg.contains(">AP only</text>"));
}

#[test]
fn of_very_many_points_the_farthest_are_marks_and_what_stands_out() {
    let mut points: Vec<Point> = (0..36_864_u32)
        .map(|at| {
            let angle = at as f32 * 2.4;
            let far = 1.0 / (1.0 + (at % 5000) as f32);
            Point::of(neuron(at as usize), far * angle.cos(), far * angle.sin())
        })
        .collect();
    points[4999].selected = true;
    let drawn =
        Xy { x: Axis::signed("IG", ""), y: Axis::signed("AP", ""), points, ..Xy::default() }.draw();
    sound(&drawn);
    assert_eq!((drawn.points.len(), drawn.rest.len()), (1500, 36_864 - 1500));
    assert!(drawn.summary.contains("1500 components") && drawn.summary.contains("35364"));
    assert!(drawn.points.iter().any(|target| target.component == Some(neuron(4999))));
    assert!(drawn.svg.len() < 600_000, "{} bytes", drawn.svg.len());
    let [width, height] = drawn.size;
    assert_eq!(inside(&drawn, [0.0, 0.0], [width, height]).len(), 36_864);
}

/// Where it leaves the frame does not turn it: it still goes through what it was fitted to.
#[test]
fn a_steep_line_goes_through_its_points() {
    for slope in [3.0_f32, 170.0, -170.0, 1e6] {
        let drawn = Xy {
            points: [-1.0_f32, 1.0].map(|at| Point::of(head(0, 0), 1e-3 * at, at)).to_vec(),
            x: Axis::signed("AP", "nats"),
            y: Axis::signed("IG", "nats"),
            identity: true,
            rules: vec![Rule {
                at: At::Slope { slope, intercept: 0.0 },
                label: String::new(),
                ink: Ink::Soft,
            }],
            ..Xy::default()
        }
        .draw();
        let line = drawn.svg.split("class=\"plot-rule\"").nth(1).expect("it is drawn");
        let number = |name: &str| -> f64 {
            let rest = line.split(&format!(" {name}=\"")).nth(1).expect(name);
            rest.split('"').next().and_then(|text| text.parse().ok()).expect("a number")
        };
        let [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map(number);
        // Of the middle, where both are 0: both axes are symmetric there.
        let [width, height] = drawn.size.map(f64::from);
        assert!(x1.min(x2) > -width && y1.abs().max(y2.abs()) < 30.0 * height, "{line}");
        let origin = drawn.points.iter().map(|target| target.place);
        let [x0, y0] = origin.fold([0.0, 0.0], |sum, at| {
            [sum[0] + f64::from(at[0]) / 2.0, sum[1] + f64::from(at[1]) / 2.0]
        });
        let x_there = x1 + (x2 - x1) * (y0 - y1) / (y2 - y1);
        assert!((x_there - x0).abs() < 1.0, "slope {slope}: at {x_there} and not at {x0}");
    }
}

#[test]
fn curves_can_be_stepped_through_and_are_a_table() {
    let series = |label: &str, up: f32| Series {
        label: label.to_owned(),
        points: vec![(0.0, up), (0.5, f32::NAN), (1.0, -up)],
        ..Series::default()
    };
    let drawn = Xy {
        x: Axis::of("alpha", ""),
        y: Axis::signed("slope", "logits"),
        series: vec![series("head", 1.0), series("layer", 2.0)],
        bands: vec![Band { from: 0.6, to: 1.0, label: "saturated".to_owned() }],
        nodes: vec![0.0, 0.5, 1.0],
        ..Xy::default()
    }
    .draw();
    sound(&drawn);
    assert_eq!(drawn.points.len(), 4);
    assert_eq!(drawn.points[0].label, "head: alpha 0.00, slope +1.00 logits");
    assert_eq!(drawn.table.head, ["alpha", "head", "layer"]);
    assert_eq!(drawn.table.rows[1], ["0.50", "", ""]);
    assert!(drawn.svg.contains("saturated"));
}

#[test]
fn a_matrix_leaves_out_what_is_none_and_says_where_it_is_cut() {
    let tokens = |n| (0..n).map(|at| format!(" t{at}")).collect::<Vec<_>>();
    let mut matrix = Matrix {
        title: "Attention".to_owned(),
        rows: Labels::tokens("query", tokens(2)),
        columns: Labels::tokens("key", tokens(2)),
        values: vec![1.0, f32::NAN, 0.25, 0.75],
        shades: Shades::Sequential,
        outlined: vec![(1, 0)],
        ..Matrix::default()
    };
    let drawn = matrix.draw();
    sound(&drawn);
    assert_eq!(drawn.points.len(), 3);
    assert_eq!(drawn.points[1].label, "query 1 “·t1”, key 0 “·t0”: 0.25");
    assert!(drawn.svg.contains("data-row=\"1\" data-column=\"0\" data-value=\"0.25\""));
    assert_eq!(drawn.svg.matches("plot-outlined").count(), 1);
    assert_eq!(drawn.svg.matches("plot-c40").count(), 3, "cell, its number, and the legend's end");

    matrix.rows = Labels::numbers("layer", 3);
    matrix.columns = Labels::tokens("position", tokens(130));
    matrix.values = vec![0.5; 390];
    let drawn = matrix.draw();
    sound(&drawn);
    assert_eq!(drawn.points.len(), 300);
    assert_eq!(drawn.summary, "Attention: The last 100 of 130 columns are drawn.");
    assert!(drawn.points[0].label.starts_with("layer 0, position 30 “·t30”"));
}

#[test]
fn kinds_have_a_letter_each_and_name_components() {
    let names = [('A', "AND"), ('O', "OR"), ('B', "both"), ('N', "neither")];
    let of = |layer, index| Some(head(layer, index));
    let drawn = Kinds {
        rows: Labels::numbers("layer", 2),
        columns: Labels::numbers("head", 2),
        names: names.map(|(letter, name)| (letter, name.to_owned())).to_vec(),
        cells: vec![Some(0), Some(1), Some(2), Some(3)],
        component: Some(&of),
        ..Kinds::default()
    }
    .draw();
    sound(&drawn);
    assert_eq!(drawn.points[3].label, "L1H1: neither");
    assert!(
        names
            .iter()
            .all(|(letter, _)| drawn.svg.matches(&format!(">{letter}</text>")).count() == 2)
    );
    assert_eq!(reached(&drawn, Some(0), "ArrowDown"), Some(2));
    assert_eq!(reached(&drawn, Some(2), "ArrowDown"), Some(2));
    assert_eq!(reached(&drawn, Some(3), "ArrowUp"), Some(1));
}

#[test]
fn a_waterfall_steps_from_amount_to_amount() {
    let fall = |label: &str, from, to, ink| Fall {
        label: label.to_owned(),
        from,
        to,
        ink,
        ..Fall::default()
    };
    let plot = Waterfall {
        title: "Ladder".to_owned(),
        unit: "logits".to_owned(),
        component: Some(head(0, 6)),
        falls: vec![
            fall("AP", 0.0, 1.0, Ink::Ap),
            fall("IG − AP", 1.0, 3.0, Ink::Warm),
            fall("IG", 0.0, 3.0, Ink::Ig),
        ],
        ..Waterfall::default()
    };
    let drawn = plot.draw();
    sound(&drawn);
    assert_eq!(drawn.points[1].label, "IG − AP: +2.00 logits");
    assert_eq!(drawn.table.rows[2], ["IG", "+3.00"]);
    assert_eq!(drawn.svg.matches("plot-meets").count(), 2);
    // Narrow or wide, nothing leaves the picture.
    for width in [240.0, 320.0, 700.0] {
        sound(&Waterfall { width, ..plot.clone() }.draw());
    }
}

#[test]
fn no_word_of_a_limit_lies_over_a_point() {
    // A band of points along the limit's right end, where its words would stand.
    let points: Vec<Point> = (0..40_u8)
        .map(|at| Point::of(head(0, at.into()), 6.0 + f32::from(at) / 10.0, 0.05))
        .collect();
    let rule = |at, label: &str| Rule { at, label: label.to_owned(), ink: Ink::Soft };
    let plot = Xy {
        x: Axis { range: Some((0.0, 10.0)), ..Axis::of("mean", "") },
        y: Axis { range: Some((-1.0, 1.0)), ..Axis::signed("difference", "") },
        rules: vec![rule(At::Y(0.0), "mean +0.05"), rule(At::Y(0.04), "a limit")],
        points,
        ..Xy::default()
    };
    let drawn = plot.draw();
    sound(&drawn);
    for words in ["mean +0.05", "a limit"] {
        let (before, _) = drawn.svg.split_once(&format!(">{words}</text>")).expect(words);
        let tag = before.rsplit('<').next().expect("a tag");
        let number = |name: &str| -> f32 {
            let (_, rest) = tag.split_once(&format!(" {name}=\"")).expect(name);
            rest.split('"').next().and_then(|value| value.parse().ok()).expect("a number")
        };
        let (x, y) = (number("x"), number("y"));
        let right = x + markup::text_width(words) as f32;
        let over = drawn.points.iter().filter(|point| {
            let [at_x, at_y] = point.place;
            (x..right).contains(&at_x) && (y - 10.0..y + 3.0).contains(&at_y)
        });
        assert_eq!(over.count(), 0, "{words}");
    }
}

#[test]
fn bars_say_what_each_step_adds() {
    let bar = |label: &str, value, then: &str| Bar {
        label: label.to_owned(),
        values: vec![value],
        then: then.to_owned(),
        ..Bar::default()
    };
    let drawn = Bars {
        title: "Ladder".to_owned(),
        unit: "logits".to_owned(),
        rows: vec![bar("AP", 0.11, "+0.31 curvature"), bar("IG", 0.42, "")],
        signed: true,
        ..Bars::default()
    }
    .draw();
    sound(&drawn);
    assert_eq!(drawn.points[0].label, "AP: +0.110 logits; then +0.31 curvature");
    assert_eq!(drawn.table.head, ["", "value, logits", "what the next adds"]);
}

#[test]
fn a_rectangle_on_the_screen_takes_the_components_in_it() {
    let picture = [100.0, 50.0, 720.0, 600.0];
    assert_eq!(in_view([460.0, 350.0], picture, [360.0, 300.0]), [180.0, 150.0]);
    assert_eq!(in_view([0.0, 9999.0], picture, [360.0, 300.0]), [0.0, 300.0], "kept inside");
    assert_eq!(in_view([5.0, 5.0], [0.0; 4], [360.0, 300.0]), [0.0, 0.0]);
    assert_eq!(rectangle([5.0, 1.0], [2.0, 4.0]), [2.0, 1.0, 3.0, 3.0]);
    let target =
        |index, place| Target { component: Some(head(0, index)), label: String::new(), place };
    let drawn = Drawn {
        points: vec![target(3, [10.0, 10.0]), target(1, [20.0, 20.0]), target(3, [11.0, 11.0])],
        rest: vec![(head(0, 2), [15.0, 12.0])],
        ..Drawn::default()
    };
    assert_eq!(inside(&drawn, [16.0, 16.0], [9.0, 9.0]), [head(0, 2), head(0, 3)]);
    assert_eq!(inside(&drawn, [0.0, 0.0], [1.0, 1.0]), []);
    assert_eq!(nearest(&drawn.points, [18.0, 19.0], 9.0), Some(1));
    assert_eq!(nearest(&drawn.points, [90.0, 90.0], 9.0), None);
}

#[test]
fn keys_step_and_stop_at_the_ends() {
    let target = |at| Target { component: None, label: String::new(), place: [at, 0.0] };
    let drawn = Drawn { points: vec![target(0.0), target(1.0)], ..Drawn::default() };
    let to = |from, key| reached(&drawn, from, key);
    assert_eq!([to(None, "ArrowRight"), to(Some(0), "ArrowRight")], [Some(0), Some(1)]);
    assert_eq!([to(Some(1), "ArrowDown"), to(Some(0), "ArrowUp")], [Some(1), Some(0)]);
    assert_eq!([to(Some(1), "Home"), to(None, "End"), to(None, "x")], [Some(0), Some(1), None]);
    assert_eq!(reached(&Drawn::default(), None, "End"), None);
}

#[test]
fn a_selection_is_replaced_added_to_or_toggled() {
    let mut selected = BTreeSet::from([head(0, 0)]);
    Pick::Toggle.apply(&mut selected, &[head(0, 0), head(0, 1)]);
    assert_eq!(selected, BTreeSet::from([head(0, 1)]));
    Pick::Add.apply(&mut selected, &[head(0, 1), head(0, 2)]);
    assert_eq!(selected.len(), 2);
    Pick::Replace.apply(&mut selected, &[]);
    assert!(selected.is_empty());
}
