//! The function of a GPT-2's neurons, by the names that transformers has for it.

use burn::tensor::Tensor;
use burn::tensor::activation::relu;

use crate::gelu::{gelu, gelu_new};

/// What a neuron makes of its input.
///
/// Transformers has several names for one function; a configuration that is written keeps the one that was
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    name: &'static str,
    function: Function,
}

/// A function of the neurons, whatever a configuration calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    GeluNew,
    Gelu,
    Relu,
}

/// Names in transformers' `ACT2FN` with the function that each computes there. `gelu_fast` writes `sqrt(2 / pi)`
/// with ten digits, which changes nothing that double precision of a score shows.
const NAMES: [(&str, Function); 8] = [
    ("gelu_new", Function::GeluNew),
    ("gelu_fast", Function::GeluNew),
    ("gelu_pytorch_tanh", Function::GeluNew),
    ("gelu_python_tanh", Function::GeluNew),
    ("gelu_accurate", Function::GeluNew),
    ("gelu", Function::Gelu),
    ("gelu_python", Function::Gelu),
    ("relu", Function::Relu),
];

impl Activation {
    /// The function of the published GPT-2s' neurons: `gelu_new`, the tanh form of GELU.
    pub const GELU_NEW: Self = Self { name: "gelu_new", function: Function::GeluNew };

    /// The function that transformers has under a name, if it is computed here.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(name, function)| Self { name, function: *function })
    }

    /// Names of all functions that are computed here, that of the published GPT-2s first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The name of the function in a configuration.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The function itself, whatever its name.
    #[cfg(feature = "gpu")]
    pub(crate) const fn function(self) -> Function {
        self.function
    }

    /// The function, number by number.
    pub(crate) fn apply<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self.function {
            Function::GeluNew => gelu_new(x),
            Function::Gelu => gelu(x),
            Function::Relu => relu(x),
        }
    }
}
