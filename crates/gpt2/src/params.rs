//! A model's parameters by their checkpoint names.

use std::collections::BTreeMap;

use burn::tensor::{Element, Tensor, TensorCreationOptions, TensorData};
use twinbeam_core::models::ModelShape;

use crate::LoadError;

/// Every parameter of a GPT-2 with its shape, under the checkpoint's names without prefix.
///
/// `wte.weight` is also the unembedding. Conv1D weights are `[in, out]`.
pub fn expected_params(shape: &ModelShape) -> Vec<(String, Vec<usize>)> {
    let (d, d_mlp) = (shape.d_model, shape.d_mlp);
    let mut params = vec![
        ("wte.weight".to_owned(), vec![shape.d_vocab, d]),
        ("wpe.weight".to_owned(), vec![shape.n_ctx, d]),
    ];
    for layer in 0..shape.n_layers {
        let block: [(&str, &[usize]); 12] = [
            ("ln_1.weight", &[d]),
            ("ln_1.bias", &[d]),
            ("attn.c_attn.weight", &[d, 3 * d]),
            ("attn.c_attn.bias", &[3 * d]),
            ("attn.c_proj.weight", &[d, d]),
            ("attn.c_proj.bias", &[d]),
            ("ln_2.weight", &[d]),
            ("ln_2.bias", &[d]),
            ("mlp.c_fc.weight", &[d, d_mlp]),
            ("mlp.c_fc.bias", &[d_mlp]),
            ("mlp.c_proj.weight", &[d_mlp, d]),
            ("mlp.c_proj.bias", &[d]),
        ];
        params.extend(block.map(|(name, dims)| (format!("h.{layer}.{name}"), dims.to_vec())));
    }
    params.push(("ln_f.weight".to_owned(), vec![d]));
    params.push(("ln_f.bias".to_owned(), vec![d]));
    params
}

/// A parameter on a device.
#[derive(Debug, Clone)]
pub enum Param {
    /// A bias or a LayerNorm weight.
    Vector(Tensor<1>),
    /// An embedding, or a Conv1D weight `[in, out]`.
    Matrix(Tensor<2>),
}

impl Param {
    /// Puts numbers on a device, in a type.
    ///
    /// # Errors
    /// Values that do not fill `dims`, or dims that are neither a vector's nor a matrix's.
    pub fn from_values<E: Element>(
        name: &str,
        dims: &[usize],
        values: Vec<E>,
        options: &TensorCreationOptions,
    ) -> Result<Self, LoadError> {
        let n_values = values.len();
        // The numbers are moved: a copy of a large tensor does not fit where memory is short.
        let data = |dims: &[usize]| TensorData::new(values, dims.to_vec());
        match *dims {
            [n] if n == n_values => {
                Ok(Self::Vector(Tensor::from_data(data(dims), options.clone())))
            }
            [rows, columns] if rows * columns == n_values => {
                Ok(Self::Matrix(Tensor::from_data(data(dims), options.clone())))
            }
            _ => Err(LoadError::Shape {
                tensor: name.to_owned(),
                expected: dims.to_vec(),
                got: vec![n_values],
            }),
        }
    }

    /// Shape of the parameter.
    pub fn dims(&self) -> Vec<usize> {
        match self {
            Self::Vector(tensor) => tensor.dims().to_vec(),
            Self::Matrix(tensor) => tensor.dims().to_vec(),
        }
    }
}

/// The parameters of a model by their checkpoint names, without prefix.
#[derive(Debug, Clone, Default)]
pub struct Params {
    by_name: BTreeMap<String, Param>,
}

impl Params {
    /// Puts parameters on a device, in a type, one at a time: each with its name, its shape and its numbers, as
    /// [`crate::random_params`] makes them.
    ///
    /// # Errors
    /// As [`Param::from_values`].
    pub fn from_values(
        values: impl IntoIterator<Item = (String, Vec<usize>, Vec<f32>)>,
        options: &TensorCreationOptions,
    ) -> Result<Self, LoadError> {
        let mut params = Self::default();
        for (name, dims, values) in values {
            let param = Param::from_values(&name, &dims, values, options)?;
            params.insert(name, param);
        }
        Ok(params)
    }

    /// Adds or replaces a parameter.
    pub fn insert(&mut self, name: String, param: Param) {
        self.by_name.insert(name, param);
    }

    /// Parameters in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.by_name.iter().map(|(name, param)| (name.as_str(), param))
    }

    /// Compares names and shapes with what a model of `shape` has.
    ///
    /// # Errors
    /// The first parameter that is missing, unknown, or of another shape.
    pub fn check(&self, shape: &ModelShape) -> Result<(), LoadError> {
        let expected: BTreeMap<String, Vec<usize>> = expected_params(shape).into_iter().collect();
        for (name, dims) in &expected {
            let got = self.get(name)?.dims();
            if got != *dims {
                let (tensor, expected) = (name.clone(), dims.clone());
                return Err(LoadError::Shape { tensor, expected, got });
            }
        }
        match self.by_name.keys().find(|name| !expected.contains_key(*name)) {
            Some(name) => Err(LoadError::extra(name.clone(), shape)),
            None => Ok(()),
        }
    }

    pub(crate) fn vector(&self, name: &str) -> Result<Tensor<1>, LoadError> {
        match self.get(name)? {
            Param::Vector(tensor) => Ok(tensor.clone()),
            Param::Matrix(tensor) => Err(rank_error(name, 1, tensor.dims().to_vec())),
        }
    }

    pub(crate) fn matrix(&self, name: &str) -> Result<Tensor<2>, LoadError> {
        match self.get(name)? {
            Param::Matrix(tensor) => Ok(tensor.clone()),
            Param::Vector(tensor) => Err(rank_error(name, 2, tensor.dims().to_vec())),
        }
    }

    fn get(&self, name: &str) -> Result<&Param, LoadError> {
        self.by_name.get(name).ok_or_else(|| LoadError::missing(name))
    }
}

fn rank_error(name: &str, rank: usize, got: Vec<usize>) -> LoadError {
    LoadError::Shape { tensor: name.to_owned(), expected: vec![0; rank], got }
}
