//! From numbers to places along an axis, and how the numbers are written.

use crate::scale::{signed, small};

/// Ticks that are aimed at.
const TICKS: f64 = 5.0;
/// Beyond these, numbers are written with a power of ten.
const LEAST: f64 = 1e-3;
const MOST: f64 = 1e6;

/// How numbers are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm, from 1: for sizes and counts.
    Log,
}

/// What is measured along one side of a plot.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// Name of the axis, as each point's label says it.
    pub title: String,
    /// Unit of the axis, if it has one.
    pub unit: String,
    /// How numbers are spread.
    pub reach: Reach,
    /// Ends of the axis; `None`: what the numbers need.
    pub range: Option<(f32, f32)>,
    /// Numbers are written with their sign, and zero is in range and has a line.
    pub signed: bool,
}

impl Axis {
    /// An axis of numbers without a sign.
    pub fn of(title: &str, unit: &str) -> Self {
        Self { title: title.to_owned(), unit: unit.to_owned(), ..Self::default() }
    }

    /// An axis of numbers with a sign.
    pub fn signed(title: &str, unit: &str) -> Self {
        Self { signed: true, ..Self::of(title, unit) }
    }

    /// An axis of sizes or counts, by their logarithms.
    pub fn log(title: &str) -> Self {
        Self { reach: Reach::Log, ..Self::of(title, "") }
    }

    /// The range that holds these numbers; what is not finite is passed over.
    pub(super) fn span(&self, numbers: &mut dyn Iterator<Item = f32>) -> Span {
        let log = self.reach == Reach::Log;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let given = self.range.filter(|(from, to)| from.is_finite() && to.is_finite());
        if let Some((from, to)) = given {
            (low, high) = (f64::from(from.min(to)), f64::from(from.max(to)));
        } else {
            for number in numbers.filter(|number| number.is_finite()).map(f64::from) {
                (low, high) = (low.min(number), high.max(number));
            }
            if self.signed {
                (low, high) = (low.min(0.0), high.max(0.0));
            }
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if log {
            low = if given.is_some() { low.max(1.0) } else { 1.0 };
            high = if high > low { high } else { 10.0 * low };
        } else if low == high {
            let by = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
            (low, high) = (low - by, high + by);
        }
        let mut span = Span { low, high, log, signed: self.signed };
        if given.is_none() && !log {
            let step = span.step();
            (span.low, span.high) = ((low / step).floor() * step, (high / step).ceil() * step);
        }
        span
    }
}

/// A range with its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
    pub(super) signed: bool,
}

impl Span {
    /// Place of a number: 0 at the low end, 1 at the high one, beyond them outside.
    pub(super) fn share(self, number: f64) -> f64 {
        if self.log {
            let from = self.low.ln();
            return (number.max(1.0).ln() - from) / (self.high.ln() - from);
        }
        (number - self.low) / (self.high - self.low)
    }

    /// Whether a number is in range, but for rounding.
    pub(super) fn holds(self, number: f64) -> bool {
        (-1e-6..=1.0 + 1e-6).contains(&self.share(number))
    }

    /// Distance between ticks: one, two or five times a power of ten.
    fn step(self) -> f64 {
        let rough = (self.high - self.low) / TICKS;
        let power = 10f64.powf(rough.log10().floor());
        let times = rough / power;
        power * [1.0, 2.0, 5.0].into_iter().find(|step| times <= *step * 1.001).unwrap_or(10.0)
    }

    /// Numbers with a tick, ascending, and how each is written.
    pub(super) fn ticks(self) -> Vec<(f64, String)> {
        let mut ticks = Vec::new();
        if self.log {
            let few = self.high / self.low > 1000.0;
            let mut power = 10f64.powf(self.low.log10().floor());
            while power <= self.high {
                for times in [1.0, 2.0, 5.0] {
                    let number = times * power;
                    if (times == 1.0 || !few) && self.holds(number) {
                        ticks.push((number, self.write(number)));
                    }
                }
                power *= 10.0;
            }
            return ticks;
        }
        let step = self.step();
        let (first, last) = ((self.low / step - 1e-6).ceil(), (self.high / step + 1e-6).floor());
        let mut at = first;
        while at <= last && ticks.len() < 20 {
            let number = at * step;
            ticks.push((number, tick(number, step)));
            at += 1.0;
        }
        ticks
    }

    /// A number as it is said.
    pub(super) fn write(self, number: f64) -> String {
        if self.log && number.fract() == 0.0 {
            return format!("{number:.0}");
        }
        written(number, self.low.abs().max(self.high.abs()), self.signed)
    }
}

/// A number with the digits that a scale with this end needs.
pub(super) fn written(number: f64, limit: f64, with_sign: bool) -> String {
    let number = number as f32;
    let text = if limit < LEAST && number != 0.0 {
        small(number)
    } else if limit >= MOST {
        power_of_ten(f64::from(number), 2)
    } else {
        signed(number, (2.0 - limit.max(LEAST).log10().floor()).clamp(0.0, 5.0) as usize)
    };
    if with_sign {
        return text;
    }
    match text.strip_prefix('+') {
        Some(rest) => rest.to_owned(),
        None => text,
    }
}

fn power_of_ten(number: f64, decimals: usize) -> String {
    format!("{number:.decimals$e}").replace('-', "−")
}

/// A tick's number, with as many decimals as its step has.
fn tick(number: f64, step: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !(LEAST..MOST).contains(&step) {
        return power_of_ten(number, 1);
    }
    let decimals = (0.0 - (step.log10() + 1e-9).floor()).max(0.0) as usize;
    format!("{number:.decimals$}").replace('-', "−")
}
