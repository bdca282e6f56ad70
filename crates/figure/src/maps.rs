//! The head maps as drawings: cells with their numbers, axes, and the legend with its unit.

use std::fmt::Write as _;

use crate::colour::Ground;
use crate::picture::{Picture, text};
use crate::scale::Scale;
use crate::{MapKind, Shown};

/// A cell of the drawing for paper: at least so wide, the longest number on the screen widens it.
const CELL_WIDTH: usize = 36;
const CELL_HEIGHT: usize = 26;
/// Left of a map: the axis label and the layers' numbers.
const LEFT: usize = 44;
/// Above a map's cells: its title, the axis label and the heads' numbers.
const TOP: usize = 56;
/// Below a map's cells: the legend.
const BOTTOM: usize = 52;
const GAP: usize = 36;
/// Pixels that a character of the text takes at most, nearly always, and that one of a cell's number does.
pub const CHARACTER: usize = 7;
/// Height of the text.
const TYPE: usize = 12;
const RAMP_STEPS: usize = 64;

/// How large maps are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Width and height of a cell, in pixels.
    pub cell: [usize; 2],
    /// Times of the sizes for paper, of everything but the cells.
    pub scale: f32,
    /// Whether numbers fit into the cells.
    pub has_numbers: bool,
}

impl Sizes {
    /// Sizes for paper, with a number in every cell.
    pub fn of(shown: &Shown) -> Self {
        let width = CELL_WIDTH.max(CHARACTER * characters(shown) + 4);
        Self { cell: [width, CELL_HEIGHT], scale: 1.0, has_numbers: true }
    }

    /// The largest for a map of so many columns and rows that fit into a box, in type of `scale` times that for paper.
    pub fn within(
        [width, height]: [usize; 2],
        [columns, rows]: [usize; 2],
        shown: &Shown,
        scale: f32,
    ) -> Self {
        let sizes = Self { cell: [0, 0], scale, has_numbers: false };
        let room = [
            width.saturating_sub(sizes.px(LEFT)) / columns.max(1),
            height.saturating_sub(sizes.px(TOP + BOTTOM)) / rows.max(1),
        ];
        // Wider than high, as on the screen.
        let cell = [room[0].min(2 * room[1]).max(1), room[1].min(4 * room[0] / 5).max(1)];
        // Type of numbers is a little smaller than other text.
        let takes = [sizes.px(9 * CHARACTER * characters(shown) / 10), sizes.px(TYPE + 2)];
        let has_numbers = cell[0] >= takes[0] && cell[1] >= takes[1];
        Self { cell, has_numbers, ..sizes }
    }

    /// Pixels for so many on paper.
    fn px(self, on_paper: usize) -> usize {
        (on_paper as f32 * self.scale).round() as usize
    }

    /// Width and height of a map of so many columns and rows.
    pub fn map(self, [columns, rows]: [usize; 2]) -> [usize; 2] {
        let [width, height] = self.cell;
        [self.px(LEFT) + columns * width, self.px(TOP + BOTTOM) + rows * height]
    }
}

/// Characters of the longest number on the screen.
fn characters(shown: &Shown) -> usize {
    maps(shown).map(|map| shown.scale(map).characters()).max().unwrap_or(0)
}

/// The maps that there are.
pub fn maps(shown: &Shown) -> impl Iterator<Item = MapKind> {
    MapKind::ALL.into_iter().filter(|map| shown.table(*map).is_some())
}

/// Columns and rows of the maps.
pub fn grid(shown: &Shown) -> [usize; 2] {
    let table = maps(shown).find_map(|map| shown.table(map));
    table.map_or([0, 0], |table| [table.width(), table.rows().count()])
}

/// Draws the maps side by side, and gives the width and the height that they take.
pub fn draw_all(
    out: &mut String,
    shown: &Shown,
    [x, y]: [usize; 2],
    sizes: Sizes,
    gap: usize,
    ground: Ground,
) -> [usize; 2] {
    let [width, height] = sizes.map(grid(shown));
    let mut n = 0;
    for map in maps(shown) {
        draw(out, shown, map, [x + n * (width + gap), y], (sizes, ground));
        n += 1;
    }
    [n * (width + gap) - gap.min(n * gap), height]
}

/// The maps alone, side by side, without their text.
pub fn side_by_side(shown: &Shown, title: &str, style: &str) -> Picture {
    let mut body = String::new();
    let size = draw_all(&mut body, shown, [0, 0], Sizes::of(shown), GAP, Ground::Light);
    Picture::new(size, title, "", style, &body)
}

/// Each map as a picture of its own, without a style.
pub fn one_by_one(shown: &Shown) -> Vec<Picture> {
    let sizes = Sizes::of(shown);
    let one = |map: MapKind| {
        let mut body = String::new();
        draw(&mut body, shown, map, [0, 0], (sizes, Ground::Light));
        Picture::new(sizes.map(grid(shown)), map.title(), "", "", &body)
    };
    maps(shown).map(one).collect()
}

/// Between two maps on paper.
pub const fn gap() -> usize {
    GAP
}

fn draw(
    out: &mut String,
    shown: &Shown,
    map: MapKind,
    [x, y]: [usize; 2],
    (sizes, ground): (Sizes, Ground),
) {
    let Some(table) = shown.table(map) else { return };
    let scale = shown.scale(map);
    let [cell_width, cell_height] = sizes.cell;
    let px = |on_paper| sizes.px(on_paper);
    let (n_layers, n_heads) = (table.rows().count(), table.width());
    let (left, top) = (x + px(LEFT), y + px(TOP));
    text(out, left, y + px(12), "class=\"map\"", map.title());
    let middle = left + n_heads * cell_width / 2;
    text(out, middle, y + px(32), "class=\"soft mid\"", "head");
    let (axis_x, axis_y) = (x + px(10), top + n_layers * cell_height / 2);
    let turned = format!("class=\"soft mid\" transform=\"rotate(-90 {axis_x} {axis_y})\"");
    text(out, axis_x, axis_y, &turned, "layer");
    // Numbers of an axis do not touch each other.
    let every = |room: usize, takes: usize| takes.div_ceil(room.max(1)).max(1);
    for head in (0..n_heads).step_by(every(cell_width, px(2 * CHARACTER + 2))) {
        let middle = left + head * cell_width + cell_width / 2;
        text(out, middle, top - px(6), "class=\"soft mid\"", &head.to_string());
    }
    let every = every(cell_height, px(TYPE));
    for (layer, row) in table.rows().enumerate() {
        let cell_y = top + layer * cell_height;
        let base = cell_y + cell_height / 2 + px(4);
        if layer % every == 0 {
            text(out, left - px(8), base, "class=\"soft end\"", &layer.to_string());
        }
        for (head, score) in row.iter().enumerate() {
            // What stands in for a score is none.
            if !table.is_exact(layer * table.width() + head) {
                continue;
            }
            let cell_x = left + head * cell_width;
            let place = scale.place(*score);
            let fill = ground.theme().hex(place);
            let (width, height) = (cell_width - 1, cell_height - 1);
            // OK because writing to a string does not fail.
            writeln!(
                out,
                "<rect x=\"{cell_x}\" y=\"{cell_y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
            )
            .ok();
            if !sizes.has_numbers {
                continue;
            }
            // By class: where a content security policy holds, a style in an attribute counts for nothing.
            let on_dark = ground.theme().ink(place) == "#ffffff";
            let class = if on_dark { "class=\"cell light\"" } else { "class=\"cell\"" };
            let number = scale.written(*score);
            text(out, cell_x + cell_width / 2, base, class, &number);
        }
    }
    let scale = shown.scale(map);
    let at = [left, top + n_layers * cell_height + px(14)];
    draw_legend(out, (scale, shown.unit(map)), at, (sizes, ground));
}

/// The scale from one end to the other, with its unit.
pub(crate) fn draw_legend(
    out: &mut String,
    (scale, unit): (Scale, &str),
    [x, y]: [usize; 2],
    (sizes, ground): (Sizes, Ground),
) {
    let px = |on_paper| sizes.px(on_paper);
    let (width, height) = (px(160), px(10));
    let step_width = width as f32 / RAMP_STEPS as f32;
    for step in 0..RAMP_STEPS {
        let place = 2.0 * (step as f32 + 0.5) / RAMP_STEPS as f32 - 1.0;
        let step_x = x as f32 + step as f32 * step_width;
        let fill = ground.theme().hex(place);
        // Half a pixel wider, so that no seam shows between two steps.
        let step_width = step_width + 0.5;
        writeln!(
            out,
            "<rect x=\"{step_x}\" y=\"{y}\" width=\"{step_width}\" height=\"{height}\" fill=\"{fill}\"/>"
        )
        .ok();
    }
    let below = y + height + px(14);
    let end = |sign: f32| scale.written(sign * scale.limit());
    text(out, x, below, "class=\"soft\"", &end(-1.0));
    text(out, x + width / 2, below, "class=\"soft mid\"", "0");
    text(out, x + width, below, "class=\"soft end\"", &end(1.0));
    text(out, x + width + px(8), below, "class=\"soft\"", unit);
}
