//! Two inputs and one output: what the visitor has switched, and what the two methods say of it.

use twinbeam_core::statistics::GateNetwork;
use twinbeam_core::words::Direction;

/// Which of the two networks it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    And,
    Or,
}

impl Gate {
    pub(super) const ALL: [Self; 2] = [Self::And, Self::Or];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }

    /// When it is on.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::And => "on if both inputs are",
            Self::Or => "on if one input is",
        }
    }

    const fn network(self) -> GateNetwork {
        match self {
            Self::And => GateNetwork::AND,
            Self::Or => GateNetwork::OR,
        }
    }
}

/// The network as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Toy {
    pub(super) gate: Gate,
    /// Whether each input has its clean value, 1, or its corrupted one, 0.
    pub(super) clean: [bool; 2],
}

impl Toy {
    /// As the tour begins: an AND, both inputs clean.
    pub(super) const FIRST: Self = Self { gate: Gate::And, clean: [true; 2] };

    fn output_of(self, clean: [bool; 2]) -> f64 {
        self.gate.network().output(clean.map(|clean| if clean { 1.0 } else { 0.0 }))
    }

    /// The output as it stands, in 0 to 1.
    pub(super) fn output(self) -> f64 {
        self.output_of(self.clean)
    }

    /// Scores of both inputs as shares of the gap, noising: activation patching, and integrated gradients.
    pub(super) fn scores(self) -> [[f64; 2]; 2] {
        let network = self.gate.network();
        let effects = network.effects(Direction::Noising).over(network.gap());
        [effects.ap, effects.ig]
    }

    /// What there is to see now.
    pub(super) fn says(self) -> String {
        let (clean, now) = (self.output_of([true; 2]), self.output());
        let [ap, ig] = self.scores();
        match self.clean {
            [true, true] => format!(
                "Both inputs are clean, and the output is {now:.2}. Corrupt one of them: click it."
            ),
            [false, false] => format!(
                "Both are corrupted: that is the whole gap. One at a time they cost {} and {}, which is {} in all. IG \
                 moves both together and shares the gap out: {} and {}, and that is 100 %.",
                share(ap[0]),
                share(ap[1]),
                share(ap[0] + ap[1]),
                share(ig[0]),
                share(ig[1]),
            ),
            [first, _] => {
                let input = usize::from(first);
                format!(
                    "Only input {} is corrupted: the output goes from {clean:.2} to {now:.2}. That is {} of the gap, \
                     and it is what AP gives this input.",
                    input + 1,
                    share(ap[input]),
                )
            }
        }
    }
}

/// A share in whole percent.
pub(super) fn share(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toy(gate: Gate, clean: [bool; 2]) -> Toy {
        Toy { gate, clean }
    }

    #[test]
    fn an_and_breaks_with_one_input_and_an_or_does_not() {
        let falls = |gate| toy(gate, [true; 2]).output() - toy(gate, [false, true]).output();
        assert!(falls(Gate::And) > 0.5 && falls(Gate::Or) < 0.2);
        assert_eq!(Toy::FIRST, toy(Gate::And, [true; 2]));
    }

    #[test]
    fn what_the_visitor_does_by_hand_is_activation_patching() {
        for gate in Gate::ALL {
            let of = |clean| toy(gate, clean).output();
            let gap = of([true; 2]) - of([false; 2]);
            let [ap, ig] = toy(gate, [true; 2]).scores();
            let by_hand =
                [[false, true], [true, false]].map(|clean| (of([true; 2]) - of(clean)) / gap);
            for input in 0..2 {
                assert!((by_hand[input] - ap[input]).abs() < 1e-12, "{gate:?} {input}");
            }
            assert!((ig[0] + ig[1] - 1.0).abs() < 1e-12, "IG adds up to the gap");
        }
    }

    #[test]
    fn sentences_have_the_numbers_of_what_is_switched() {
        let says = |gate, clean| toy(gate, clean).says();
        let first = says(Gate::And, [false, true]);
        assert!(first.starts_with("Only input 1") && first.contains("82 % of the gap"), "{first}");
        let second = says(Gate::Or, [true, false]);
        assert!(second.starts_with("Only input 2") && second.contains("18 % of"), "{second}");
        let both = says(Gate::And, [false; 2]);
        assert!(both.contains("164 % in all") && both.contains("50 % and 50 %"), "{both}");
        assert!(says(Gate::Or, [true; 2]).starts_with("Both inputs are clean"));
    }
}
