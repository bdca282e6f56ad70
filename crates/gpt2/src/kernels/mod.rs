//! Kernels of our own for a GPU, each beside its plain definition.

pub mod product;
