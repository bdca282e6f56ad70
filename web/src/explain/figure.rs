//! What a figure's numbers mean, in one place: the screen and every file say the same.

use twinbeam_core::words::{ComponentKind, Direction};

/// What a direction asks.
pub(crate) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Noising => {
            "Noising: run the clean prompt and put corrupted values in. Is the head necessary?"
        }
        Direction::Denoising => {
            "Denoising: run the corrupted prompt and put clean values in. Is the head sufficient?"
        }
    }
}

/// Why IG and AP differ: the one reason there is (docs/METHODS.md, identity 2), and the one place that says it.
pub(crate) const fn why_apart(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Heads => {
            "IG − AP is what a head does together with the other heads of its layer and not alone: they need each other, \
             or stand in for each other. It is nothing else: on a line that moves this head alone, its IG would be its AP."
        }
        ComponentKind::Neurons => {
            "IG − AP is what a neuron does together with the other neurons of its layer and not alone: they need each \
             other, or stand in for each other. It is nothing else: on a line that moves this neuron alone, its IG would \
             be its AP."
        }
    }
}
