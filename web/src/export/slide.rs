//! The figure as a slide: 1920 by 1080 pixels, with type that is read from the back of a room.

use twinbeam_figure::colour::Ground;
use twinbeam_figure::maps::{self, Sizes};
use twinbeam_figure::paper;
use twinbeam_figure::picture::{Picture, text, wrap};
use twinbeam_record::Record;

use crate::heatmap::{MapKind, Shown};

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
const MARGIN: usize = 72;
/// Between two maps.
const GAP: usize = 48;
/// Type of the maps, as times of that for paper.
const SCALE: f32 = 1.75;
/// Heads that are named below each map.
const NAMED: usize = 3;

/// Pixels that a character takes of each pixel of the type's size, in a wide face.
const CHARACTER: f32 = 0.58;
const TITLE: usize = 42;
const TEXT: usize = 30;
const SOFT: usize = 21;

const STYLE: &str = "text{font:30px Helvetica,Arial,'Liberation Sans',sans-serif;fill:#1c1d20}\
    .title{font-size:42px;font-weight:bold}.map{font-size:28px;font-weight:bold}.soft{fill:#5a5c62;font-size:21px}\
    .cell{font-size:18px;text-anchor:middle;fill:#000000}.light{fill:#ffffff}.mid{text-anchor:middle}.end{text-anchor:end}";

/// Draws what is on the screen as a slide, in the light theme. `claim`: what the maps say together.
pub(super) fn slide(record: &Record, shown: &Shown, claim: &str) -> Picture {
    let mut body = String::new();
    let title = paper::title(shown.look().direction);
    let mut y = MARGIN + TITLE / 2;
    text(&mut body, MARGIN, y, "class=\"title\"", &title);
    y += TEXT;
    for line in paper::lines(&record.caption(), columns(TEXT), 2) {
        y += TEXT * 4 / 3;
        text(&mut body, MARGIN, y, "", &line);
    }

    y += TEXT / 3;
    for line in wrap(claim, columns(TEXT), 3) {
        y += TEXT * 4 / 3;
        text(&mut body, MARGIN, y, "class=\"map\"", &line);
    }

    // From below: where the numbers come from, and where to see them move.
    let page = record.link.split('#').next().unwrap_or_default();
    let mut source = paper::source(&record.caption(), shown, columns(SOFT));
    source.extend(wrap(page, columns(SOFT), 1));
    let source_height = source.len() * SOFT * 4 / 3;
    let mut bottom = HEIGHT - MARGIN / 2 - source_height;
    let top = y + TEXT;
    let maps_bottom = bottom - 2 * SOFT;
    draw_maps(&mut body, shown, [top, maps_bottom]);
    for line in source {
        bottom += SOFT * 4 / 3;
        text(&mut body, MARGIN, bottom - SOFT / 2, "class=\"soft\"", &line);
    }
    Picture::new([WIDTH, HEIGHT], &title, &paper::description(&record.caption()), STYLE, &body)
}

/// The maps between two heights, each with its strongest heads beneath.
fn draw_maps(out: &mut String, shown: &Shown, [top, bottom]: [usize; 2]) {
    let n = maps::maps(shown).count().max(1);
    let width = (WIDTH - 2 * MARGIN - (n - 1) * GAP) / n;
    let named_height = 2 * SOFT;
    let room = [width, bottom.saturating_sub(top + named_height)];
    let sizes = Sizes::within(room, maps::grid(shown), shown, SCALE);
    let [map_width, map_height] = sizes.map(maps::grid(shown));
    let gap = width + GAP - map_width;
    // What is left of the height stands half above and half below.
    let y = top + (room[1].saturating_sub(map_height)) / 2;
    maps::draw_all(out, shown, [MARGIN, y], sizes, gap, Ground::Light);
    for (place, map) in maps::maps(shown).enumerate() {
        let x = MARGIN + place * (width + GAP);
        text(out, x, y + map_height + SOFT, "class=\"soft\"", &strongest(shown, map));
    }
}

/// The heads whose scores are largest, in words.
fn strongest(shown: &Shown, map: MapKind) -> String {
    let Some(table) = shown.table(map) else { return String::new() };
    let heads = table.strongest(NAMED).into_iter().map(|head| {
        let score = shown.score(map, head).unwrap_or_default();
        format!("{head} {}", shown.scale(map).written(score))
    });
    let heads: Vec<String> = heads.collect();
    if heads.is_empty() { "all are 0".to_owned() } else { format!("largest: {}", heads.join(", ")) }
}

/// Characters of a line in type of a size.
fn columns(size: usize) -> usize {
    ((WIDTH - 2 * MARGIN) as f32 / (CHARACTER * size as f32)) as usize
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::screen;
    use super::*;
    use crate::values::committed;

    /// The heights at which a drawing has text.
    fn heights(svg: &str) -> Vec<usize> {
        let begins = svg.split("<text ").skip(1);
        begins
            .map(|text| text.split("y=\"").nth(1).and_then(|y| y.split('"').next()).expect("a y"))
            .map(|y| y.parse().expect("a number"))
            .collect()
    }

    #[test]
    fn a_slide_has_the_screens_title_prompts_maps_legends_and_source() {
        let committed = committed();
        let screen = screen(&committed);
        let Picture { svg, width, height } = screen.slide();
        assert_eq!((width, height), (1920, 1080));
        assert!(svg.contains(&paper::title(screen.view.direction)), "{svg}");
        assert!(svg.matches("class=\"map\"").count() > 3, "three maps and what they say");
        assert!(svg.contains(">Both methods count L"), "{svg}");
        assert_eq!(svg.matches("class=\"cell").count(), 3 * 4, "small maps have their numbers");
        assert_eq!(svg.matches(">largest: L").count(), 3);
        for words in ["&lt;b&gt;now&lt;/b&gt; &amp; then", "sha256", "https://example.org/page/<"] {
            assert!(svg.contains(words), "{words} in {svg}");
        }
        assert!(!svg.contains("<b>") && svg.matches(">logits</text>").count() == 3);
    }

    #[test]
    fn whatever_the_prompts_the_text_stays_on_the_slide() {
        let mut committed = committed();
        committed.experiment.clean = "one word after another ".repeat(40);
        committed.experiment.corrupted = "x".repeat(900);
        committed.experiment.answer = vec![" a rather long answer".repeat(4); 4];
        let Picture { svg, .. } = screen(&committed).slide();
        assert!(heights(&svg).into_iter().all(|y| y < HEIGHT - 8), "{svg}");
    }

    #[test]
    fn a_map_of_many_heads_leaves_the_numbers_out_and_fits() {
        let committed = committed();
        let shown = screen(&committed).shown(twinbeam_core::words::ComponentKind::Heads);
        for grid in [[12, 12], [16, 24], [20, 36], [25, 48]] {
            let sizes = Sizes::within([560, 600], grid, &shown, SCALE);
            let [width, height] = sizes.map(grid);
            assert!(width <= 560 && height <= 600, "{grid:?}: {width} by {height}");
            assert!(!sizes.has_numbers, "{grid:?}");
        }
        assert!(Sizes::within([560, 600], [4, 4], &shown, SCALE).has_numbers);
    }
}
