//! The smallest network whose two inputs are a logical AND or OR, and every method's scores of it in closed form.
//!
//! It shows why the directions differ: to break an AND one input is enough, to make one true takes both; of an OR
//! it is the other way round. Clean inputs are (1, 1), corrupted ones (0, 0).

use crate::words::Direction;

/// Weights of the AND, from a later notebook of the comparison (docs/METHODS.md#the-notebook), where it was trained to
/// a probability; the OR has the same.
const W: [f64; 2] = [3.0482, 3.0556];
/// Bias of the AND.
const B: f64 = -4.7946;

/// One sigmoid unit of two inputs: `sigmoid(w[0] * x[0] + w[1] * x[1] + b)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateNetwork {
    /// Weight of each input.
    pub w: [f64; 2],
    /// Bias.
    pub b: f64,
}

/// Scores of the two inputs.
///
/// # Units
/// The output's (a probability); positive supports the clean output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateEffects {
    /// Activation patching: one input is replaced.
    pub ap: [f64; 2],
    /// Integrated gradients: both inputs move together.
    pub ig: [f64; 2],
    /// Attribution patching: the gradient at the run that is changed.
    pub atp: [f64; 2],
    /// Both inputs are replaced: the gap.
    pub joint: f64,
}

impl GateNetwork {
    /// The gate AND: true where both inputs are.
    pub const AND: Self = Self { w: W, b: B };
    /// The gate OR: true where one input is. It is the AND with true and false exchanged on inputs and output.
    pub const OR: Self = Self { w: W, b: -(W[0] + W[1]) - B };

    /// The output, in 0..1.
    pub fn output(&self, inputs: [f64; 2]) -> f64 {
        let [x, y] = inputs;
        1.0 / (1.0 + (-(self.w[0] * x + self.w[1] * y + self.b)).exp())
    }

    /// Clean output minus corrupted output.
    pub fn gap(&self) -> f64 {
        self.output([1.0, 1.0]) - self.output([0.0, 0.0])
    }

    /// The scores of both inputs.
    ///
    /// # Source
    /// The two inputs move along one line, on which the slope of the output shares itself out by the weights: IG of
    /// an input is `w / (w[0] + w[1])` of the gap, in both directions.
    pub fn effects(&self, direction: Direction) -> GateEffects {
        let gap = self.gap();
        let (clean, corrupted) = (self.output([1.0, 1.0]), self.output([0.0, 0.0]));
        let [first, second] = self.w;
        let (ap, at) = match direction {
            Direction::Noising => {
                ([clean - self.output([0.0, 1.0]), clean - self.output([1.0, 0.0])], clean)
            }
            Direction::Denoising => (
                [self.output([1.0, 0.0]) - corrupted, self.output([0.0, 1.0]) - corrupted],
                corrupted,
            ),
        };
        GateEffects {
            ap,
            ig: self.w.map(|w| w / (first + second) * gap),
            // The derivative of a sigmoid, times the difference of the inputs: 1.
            atp: self.w.map(|w| w * at * (1.0 - at)),
            joint: gap,
        }
    }
}

impl GateEffects {
    /// The scores divided by a number: by the gap, its shares.
    #[must_use]
    pub fn over(&self, gap: f64) -> Self {
        let over = |values: [f64; 2]| values.map(|value| value / gap);
        Self { ap: over(self.ap), ig: over(self.ig), atp: over(self.atp), joint: self.joint / gap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(network: GateNetwork, direction: Direction) -> GateEffects {
        network.effects(direction).over(network.gap())
    }

    fn close(got: [f64; 2], expected: [f64; 2]) {
        for (got, expected) in got.into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-4, "{got} {expected}");
        }
    }

    #[test]
    fn an_and_is_found_by_noising_and_an_or_by_denoising() {
        close(shares(GateNetwork::AND, Direction::Noising).ap, [0.8187, 0.8200]);
        close(shares(GateNetwork::AND, Direction::Denoising).ap, [0.1800, 0.1813]);
        // Exchanging true and false exchanges the directions.
        close(shares(GateNetwork::OR, Direction::Denoising).ap, [0.8187, 0.8200]);
        close(shares(GateNetwork::OR, Direction::Noising).ap, [0.1800, 0.1813]);
    }

    #[test]
    fn integrated_gradients_are_complete_and_the_same_in_both_directions() {
        for network in [GateNetwork::AND, GateNetwork::OR] {
            let [noising, denoising] = Direction::ALL.map(|d| network.effects(d));
            assert_eq!(noising.ig, denoising.ig);
            assert!((noising.ig.iter().sum::<f64>() - noising.joint).abs() < 1e-12);
            // By the midpoint rule: what integrated gradients are by their definition.
            let slope = |alpha: f64| {
                let at = network.output([alpha; 2]);
                network.w[0] * at * (1.0 - at)
            };
            let n = 10_000;
            let sum: f64 = (0..n).map(|k| slope((f64::from(k) + 0.5) / f64::from(n))).sum();
            assert!((sum / f64::from(n) - noising.ig[0]).abs() < 1e-8);
        }
    }

    #[test]
    fn attribution_patching_is_the_slope_where_the_run_is() {
        let step = 1e-6;
        for (direction, at) in [(Direction::Noising, 1.0), (Direction::Denoising, 0.0)] {
            let network = GateNetwork::AND;
            let moved = network.output([at + step, at]) - network.output([at - step, at]);
            assert!((network.effects(direction).atp[0] - moved / (2.0 * step)).abs() < 1e-8);
        }
    }
}
