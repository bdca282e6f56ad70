//! Values and the steps between them, one below the other: each step begins where the value before it ends.

use super::axis::Axis;
use super::markup::{line, picture, rectangle, text};

const WIDTH: f64 = 360.0;
/// Left of the bars: names.
const LEFT: f64 = 66.0;
/// Right of the bars: numbers.
const RIGHT: f64 = 70.0;
const ROW: f64 = 22.0;
const BAR: f64 = 12.0;

/// A bar from one value to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// 0 for a value.
    pub(crate) from: f32,
    pub(crate) to: f32,
    /// Class of the bar.
    pub(crate) class: &'static str,
}

/// Draws steps; `write` writes what each adds.
pub(crate) fn draw(steps: &[Step], write: &dyn Fn(f32) -> String) -> String {
    let axis = Axis { signed: true, ..Axis::default() };
    let mut ends = steps.iter().flat_map(|step| [step.from, step.to]).chain([0.0]);
    let span = axis.span(&mut ends);
    let place = |value: f32| {
        LEFT + 4.0 + (WIDTH - LEFT - RIGHT - 8.0) * span.share(value.into()).clamp(0.0, 1.0)
    };
    let height = ROW * steps.len() as f64;
    let mut out = String::new();
    line(&mut out, "plot-zero", [place(0.0), 0.0, place(0.0), height]);
    for (row, step) in steps.iter().enumerate() {
        let y = ROW * row as f64;
        let (from, to) = (place(step.from), place(step.to));
        let base = y + ROW / 2.0 + 4.0;
        text(&mut out, "", [4.0, base], step.name);
        // A step of nothing is a hairline.
        let bar = [from.min(to), y + (ROW - BAR) / 2.0, (to - from).abs().max(1.0), BAR];
        rectangle(&mut out, step.class, bar);
        text(&mut out, "plot-end", [WIDTH - 4.0, base], &write(step.to - step.from));
        // Down to the next, where that begins or ends.
        if let Some(next) = steps.get(row + 1)
            && (step.to == next.to || step.to == next.from)
        {
            let below = y + ROW + (ROW - BAR) / 2.0;
            line(&mut out, "steps-link", [to, y + (ROW + BAR) / 2.0, to, below]);
        }
    }
    picture([WIDTH, height], &out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_written_as_what_it_adds() {
        let steps = [
            Step { name: "AP", from: 0.0, to: 0.5, class: "a" },
            Step { name: "IG − AP", from: 0.5, to: -0.25, class: "b" },
            Step { name: "IG", from: 0.0, to: -0.25, class: "c" },
        ];
        let svg = draw(&steps, &|value| format!("{value:+.2}"));
        for words in [">+0.50<", ">-0.75<", ">-0.25<", "class=\"b\""] {
            assert!(svg.contains(words), "{words} in {svg}");
        }
        assert_eq!(svg.matches("steps-link").count(), 2);
    }
}
