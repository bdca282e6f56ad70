//! Weights written in another type of number, tensor by tensor.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_batch::store::{CHUNK, NewFile};
use twinbeam_engine::{ByteSource as _, Weights};
use twinbeam_gpt2::{
    Gpt2Config, PlannedTensor, StoredDtype, expected_params, safetensors_header_of,
};

use crate::stored::WEIGHTS;

/// Writes the tensors of one model into another's only file, in another type and in the order of [`expected_params`];
/// causal masks are left out, and so is a copy of the embedding, unless the configuration asks for it. A megabyte of
/// each is in memory at a time.
pub(super) fn rewrite(
    model: &Path,
    out: &Path,
    config: Gpt2Config,
    dtype: StoredDtype,
) -> anyhow::Result<NewFile> {
    let of = || format!("reading the weights of {}", model.display());
    let mut params = expected_params(&config.shape);
    if !config.tie_word_embeddings {
        let (_, dims) = params[0].clone();
        params.push(("lm_head.weight".to_owned(), dims));
    }
    let source = Folder(model.to_path_buf());
    let weights = block_on(Weights::open(&source, config)).with_context(of)?;
    let (new, mut writer) = NewFile::create(&out.join(WEIGHTS))?;
    writer.write_all(&safetensors_header_of(&params, dtype))?;
    for (name, _) in params {
        // OK because the weights are complete, or they would not have been opened.
        let planned = weights.tensors().find(|(_, tensor)| tensor.name == name);
        let (file, tensor) = planned.with_context(|| format!("tensor {name:?} is missing"))?;
        for start in tensor.range.clone().step_by(CHUNK as usize) {
            let end = tensor.range.end.min(start + CHUNK);
            let bytes = block_on(source.read(file, start..end)).with_context(of)?;
            let converted = converted(tensor, &bytes, dtype)?;
            writer.write_all(&converted).context("writing the weights")?;
        }
    }
    new.written(writer)?;
    Ok(new)
}

/// Some numbers of a tensor in another type, if it can hold them.
fn converted(tensor: &PlannedTensor, bytes: &[u8], dtype: StoredDtype) -> anyhow::Result<Vec<u8>> {
    let values = || tensor.dtype.decode_exactly(bytes);
    let converted: Vec<u8> = values().flat_map(|value| dtype.encode(value)).collect();
    let is_infinite = |value: f64| !value.is_finite();
    let too_large = dtype.decode_exactly(&converted).position(is_infinite);
    if let Some(value) = too_large.and_then(|index| values().nth(index)) {
        let (name, id) = (&tensor.name, dtype.id());
        // The exponent of bf16 is that of f32; only what rounds up beyond its largest number does not fit.
        let wider = if dtype == StoredDtype::F16 { "bf16" } else { "f32" };
        bail!("tensor {name:?} holds {value}, too large for {id}: use --dtype {wider}");
    }
    Ok(converted)
}
