//! What a plot over two axes is made of.

use twinbeam_core::words::Component;

use super::Axis;

/// A colour by what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ink {
    /// The colour of text.
    #[default]
    Plain,
    /// The scale's negative end: for the sign of a number, and nothing else.
    Cold,
    /// The positive end of the scale, likewise.
    Warm,
    /// Integrated gradients.
    Ig,
    /// Activation patching.
    Ap,
    /// The page's own.
    Accent,
    /// Pale.
    Soft,
}

impl Ink {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plot-ink",
            Self::Cold => "plot-cold",
            Self::Warm => "plot-warm",
            Self::Ig => "plot-ig",
            Self::Ap => "plot-ap",
            Self::Accent => "plot-accent",
            Self::Soft => "plot-soft",
        }
    }
}

/// The shape of a point, which says how its component stands out; what each shape means is said by the plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// A disc, for a component that does not stand out.
    #[default]
    Disc,
    /// A triangle.
    Triangle,
    /// A square.
    Square,
    /// A diamond.
    Diamond,
}

/// A component in a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The component.
    pub component: Component,
    /// Place along the first axis, in that axis's unit.
    pub x: f32,
    /// Place along the second axis, in that axis's unit.
    pub y: f32,
    /// How it is drawn.
    pub mark: Mark,
    /// Whether it is in the selection.
    pub selected: bool,
    /// Whether it is the pinned one.
    pub pinned: bool,
}

impl Point {
    /// A plain one.
    pub const fn of(component: Component, x: f32, y: f32) -> Self {
        Self { component, x, y, mark: Mark::Disc, selected: false, pinned: false }
    }

    pub(super) fn stands_out(&self) -> bool {
        self.selected || self.pinned || self.mark != Mark::Disc
    }
}

/// A curve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Name of the series; without one it is not in the legend.
    pub label: String,
    /// Colour of the series.
    pub ink: Ink,
    /// From left to right; where `y` is not finite the curve is broken.
    pub points: Vec<(f32, f32)>,
    /// Whether its points are drawn.
    pub dots: bool,
    /// Whether the line is.
    pub dashed: bool,
}

/// Where a straight line runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// Upright.
    X(f32),
    /// Level.
    Y(f32),
    /// `slope * x + intercept`.
    Slope {
        /// Change of y with x.
        slope: f32,
        /// y at x = 0.
        intercept: f32,
    },
}

/// A straight line across the frame, for a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Where.
    pub at: At,
    /// What is written beside it.
    pub label: String,
    /// Colour of the rule.
    pub ink: Ink,
}

/// A shaded range of x.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Left end of the range.
    pub from: f32,
    /// Right end of the range.
    pub to: f32,
    /// What is written in it.
    pub label: String,
}

/// A plot over two axes.
#[derive(Default)]
pub struct Xy<'a> {
    /// Name of the plot.
    pub title: String,
    /// The numbers that matter, in a sentence.
    pub summary: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// In pixels; 0: what is usual.
    pub width: f64,
    /// Whether y = x is drawn; both axes then have one range.
    pub identity: bool,
    /// Limits.
    pub rules: Vec<Rule>,
    /// Shaded ranges.
    pub bands: Vec<Band>,
    /// Curves.
    pub series: Vec<Series>,
    /// Components.
    pub points: Vec<Point>,
    /// Where a curve was computed: strokes on the x axis.
    pub nodes: Vec<f32>,
    /// What the shapes of [`Mark::Triangle`], [`Mark::Square`] and [`Mark::Diamond`] mean, for the legend.
    pub marks: [&'a str; 3],
    /// Whether those are: found by IG, by AP, by both. Then the first two have the methods' hues.
    pub by_method: bool,
    /// How many points have their name beside them, besides those that are pinned or selected: the farthest from
    /// the identity line where it is drawn, else from the origin.
    pub outliers: usize,
    /// What is said of a component besides its numbers.
    pub words: Option<&'a dyn Fn(Component) -> String>,
}
