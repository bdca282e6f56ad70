//! Activations times a weight, the operation that nearly all of a GPU's arithmetic here is.
//!
//! The definition is [`by_operations`]. On a GPU in single precision `choice.rs` says by shape whether a kernel of our
//! own computes it or the tensor library's; everything else, the CPU before all, takes the definition as it stands.
//!
//! Gradients are those of the activations: a model's weights never ask for any, and where one does, the definition
//! runs.

#[cfg(feature = "gpu")]
mod backend;
#[cfg(feature = "gpu")]
mod choice;
#[cfg(feature = "gpu")]
mod kernel;
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
mod trial;

use burn::tensor::Tensor;

#[cfg(feature = "gpu")]
pub use choice::{Plan, Shape, choose, plans};
#[cfg(all(feature = "gpu", any(test, feature = "faults")))]
pub use trial::trial;

/// The product of `x` and a weight, plus a bias for each of its columns if there is one; `[rows, in]` and `[in, out]`
/// to `[rows, out]`. A weight that is a transposed view is read as it lies.
pub fn product(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    #[cfg(feature = "gpu")]
    if backend::takes(&x, &weight, bias.as_ref()) {
        return backend::product(x, weight, bias);
    }
    by_operations(x, weight, bias)
}

/// The definition of [`product`], by operations of the tensor library.
pub fn by_operations(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let product = x.matmul(weight);
    match bias {
        Some(bias) => product + bias.unsqueeze(),
        None => product,
    }
}

/// A product on a GPU by our kernel, in one way of several: for whoever times them. It has no gradient.
///
/// # Panics
/// On another device.
#[cfg(feature = "gpu")]
pub fn by_plan(x: Tensor<2>, weight: Tensor<2>, plan: Plan) -> Tensor<2> {
    backend::by_plan(x, weight, plan)
}
