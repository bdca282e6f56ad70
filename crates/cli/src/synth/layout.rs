//! Where everything of a written weights file is: header, tensors and causal masks.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use twinbeam_core::models::ModelShape;
use twinbeam_gpt2::{StoredDtype, expected_params, safetensors_header, stored_bytes};

/// Places of everything in a weights file.
pub(super) struct Layout {
    /// First bytes of the file.
    pub(super) header: Vec<u8>,
    /// Place at which each tensor starts, counted from the beginning of the file.
    pub(super) starts: BTreeMap<String, u64>,
}

impl Layout {
    /// The parameters in the order of [`expected_params`].
    pub(super) fn in_order(shape: &ModelShape, dtype: StoredDtype) -> Self {
        let header = safetensors_header(shape, dtype);
        let mut start = header.len() as u64;
        let mut starts = BTreeMap::new();
        for (name, dims) in expected_params(shape) {
            starts.insert(name, start);
            start += (dims.iter().product::<usize>() * dtype.bytes()) as u64;
        }
        Self { header, starts }
    }

    /// Causal masks among the parameters, sorted by name as the safetensors crate writes them. Masks are single
    /// precision whatever the rest is: they are there to be skipped.
    pub(super) fn published(shape: &ModelShape, dtype: StoredDtype) -> anyhow::Result<Self> {
        let stored = match dtype {
            StoredDtype::F64 => Dtype::F64,
            StoredDtype::F32 => Dtype::F32,
            StoredDtype::F16 => Dtype::F16,
            StoredDtype::Bf16 => Dtype::BF16,
        };
        let params = expected_params(shape).into_iter();
        let mut tensors: BTreeMap<String, (Vec<usize>, Dtype, usize)> =
            params.map(|(name, dims)| (name, (dims, stored, dtype.bytes()))).collect();
        let n_ctx = shape.n_ctx;
        tensors.extend(
            mask_names(shape).map(|name| (name, (vec![1, 1, n_ctx, n_ctx], Dtype::F32, 4))),
        );

        let (mut infos, mut starts, mut start) = (Vec::new(), BTreeMap::new(), 0);
        for (name, (shape, dtype, bytes)) in tensors {
            let end = start + shape.iter().product::<usize>() * bytes;
            starts.insert(name.clone(), start as u64);
            infos.push((name, TensorInfo { dtype, shape, data_offsets: (start, end) }));
            start = end;
        }
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let metadata = Metadata::new(Some(format), infos).context("laying out the file")?;
        let mut json = serde_json::to_vec(&metadata)?;
        json.resize(json.len().next_multiple_of(8), b' ');
        let mut header = (json.len() as u64).to_le_bytes().to_vec();
        header.append(&mut json);
        for start in starts.values_mut() {
            *start += header.len() as u64;
        }
        Ok(Self { header, starts })
    }
}

/// Names of the causal-mask buffers.
pub(super) fn mask_names(shape: &ModelShape) -> impl Iterator<Item = String> {
    (0..shape.n_layers).map(|layer| format!("h.{layer}.attn.bias"))
}

/// A lower triangle of ones.
pub(super) fn mask_bytes(n_ctx: usize) -> Vec<u8> {
    let row = |query_pos| (0..n_ctx).map(move |key_pos| f32::from(u8::from(key_pos <= query_pos)));
    stored_bytes(&(0..n_ctx).flat_map(row).collect::<Vec<f32>>(), StoredDtype::F32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::Size;

    #[test]
    fn a_masked_gpt2_has_as_many_bytes_of_data_as_the_published_file() {
        let layout = Layout::published(&Size::Gpt2.shape(), StoredDtype::F32).unwrap();
        let header = layout.header.len() as u64;
        // `wte` comes last; the published file's header has 14,283 bytes.
        let end = layout.starts["wte.weight"] + 4 * 50257 * 768;
        assert_eq!(end - header, 548_105_171 - 8 - 14_283);
        assert_eq!(layout.starts["h.0.attn.bias"], header);
        assert_eq!(layout.starts.len(), 160);
    }
}
