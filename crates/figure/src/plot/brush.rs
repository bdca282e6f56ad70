//! What a pointer or a key reaches in a plot. Nothing here knows of the page.

use std::collections::BTreeSet;

use twinbeam_core::words::Component;

use super::{Drawn, Target};

/// What becomes of the selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The components are the selection.
    Replace,
    /// What is reached joins the selection.
    Add,
    /// Each joins it, or leaves it if it is in it.
    Toggle,
}

impl Pick {
    /// Changes a selection.
    pub fn apply(self, selected: &mut BTreeSet<Component>, picked: &[Component]) {
        if self == Self::Replace {
            selected.clear();
        }
        for component in picked {
            if !selected.insert(*component) && self == Self::Toggle {
                selected.remove(component);
            }
        }
    }
}

/// A place on the screen in units of the view box. `picture`: left, top, width and height on the screen.
pub fn in_view([x, y]: [f64; 2], picture: [f64; 4], size: [f32; 2]) -> [f32; 2] {
    let [left, top, width, height] = picture;
    let share = |at: f64, of: f64| if of > 0.0 { (at / of).clamp(0.0, 1.0) as f32 } else { 0.0 };
    [share(x - left, width) * size[0], share(y - top, height) * size[1]]
}

/// Left, top, width and height of the rectangle with two corners.
pub const fn rectangle(a: [f32; 2], b: [f32; 2]) -> [f32; 4] {
    let [x, y] = [a[0].min(b[0]), a[1].min(b[1])];
    [x, y, (a[0] - b[0]).abs(), (a[1] - b[1]).abs()]
}

/// Components in a rectangle, in order, each once.
pub fn inside(drawn: &Drawn, a: [f32; 2], b: [f32; 2]) -> Vec<Component> {
    let [x, y, width, height] = rectangle(a, b);
    let holds =
        |at: [f32; 2]| (x..=x + width).contains(&at[0]) && (y..=y + height).contains(&at[1]);
    let mut found = Vec::new();
    for target in drawn.points.iter().filter(|target| holds(target.place)) {
        found.extend(target.component);
    }
    for (component, _) in drawn.rest.iter().filter(|(_, at)| holds(*at)) {
        found.push(*component);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The nearest target of a component within a distance.
pub fn nearest(targets: &[Target], [x, y]: [f32; 2], within: f32) -> Option<usize> {
    let mut best = (within, None);
    for (at, target) in targets.iter().enumerate() {
        let distance = (target.place[0] - x).hypot(target.place[1] - y);
        if distance < best.0 {
            best = (distance, Some(at));
        }
    }
    best.1
}

/// The target that a key leads to; `None`: the key means nothing here, or nothing can be reached.
pub fn reached(drawn: &Drawn, from: Option<usize>, key: &str) -> Option<usize> {
    let targets = &drawn.points;
    let last = targets.len().checked_sub(1)?;
    let by_rows = drawn.grid && matches!(key, "ArrowUp" | "ArrowDown");
    match (key, from) {
        ("Home", _) | ("ArrowLeft" | "ArrowUp" | "ArrowRight" | "ArrowDown", None) => Some(0),
        ("End", _) => Some(last),
        (_, Some(from)) if by_rows => {
            let [x, y] = targets.get(from)?.place;
            let side = if key == "ArrowDown" { 1.0 } else { -1.0 };
            let mut best = (f32::INFINITY, from.min(last));
            for (at, target) in targets.iter().enumerate() {
                let down = (target.place[1] - y) * side;
                if (target.place[0] - x).abs() < 0.5 && down > 0.5 && down < best.0 {
                    best = (down, at);
                }
            }
            Some(best.1)
        }
        ("ArrowLeft" | "ArrowUp", Some(from)) => Some(from.saturating_sub(1).min(last)),
        ("ArrowRight" | "ArrowDown", Some(from)) => Some((from + 1).min(last)),
        _ => None,
    }
}
