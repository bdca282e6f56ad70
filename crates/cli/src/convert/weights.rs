use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use twinbeam_core::ModelShape;
use twinbeam_gpt2::{
    PlannedTensor, StoredDtype, WeightPlan, expected_params, safetensors_header, stored_bytes,
};

use crate::store::{CHUNK, NewFile, WEIGHTS};

/// Writes the tensors of one file into another, in another type and in the order of [`expected_params`]; causal
/// masks and a copy of the embedding are left out. A megabyte of each is in memory at a time.
pub(super) fn rewrite(
    from: &Path,
    out: &Path,
    shape: &ModelShape,
    dtype: StoredDtype,
) -> anyhow::Result<NewFile> {
    let of = || format!("reading {}", from.display());
    let mut file = File::open(from).with_context(of)?;
    let plan = plan(&mut file, shape).with_context(of)?;
    let (new, mut writer) = NewFile::create(out, WEIGHTS)?;
    writer.write_all(&safetensors_header(shape, dtype))?;
    for (name, _) in expected_params(shape) {
        // OK because the plan is complete, or there is none.
        let planned = plan.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = planned.with_context(|| format!("tensor {name:?} is missing"))?;
        for start in tensor.range.clone().step_by(CHUNK as usize) {
            let mut bytes = vec![0; (tensor.range.end - start).min(CHUNK) as usize];
            file.seek(SeekFrom::Start(start))
                .and_then(|_| file.read_exact(&mut bytes))
                .with_context(of)?;
            let converted = converted(tensor, &bytes, dtype)?;
            writer.write_all(&converted).context("writing the weights")?;
        }
    }
    new.written(writer)?;
    Ok(new)
}

fn plan(file: &mut File, shape: &ModelShape) -> anyhow::Result<WeightPlan> {
    let file_len = file.metadata()?.len();
    let mut first = vec![0; file_len.min(64) as usize];
    file.read_exact(&mut first)?;
    let mut header = vec![0; WeightPlan::header_len(&first, file_len)? as usize];
    file.seek(SeekFrom::Start(8))?;
    file.read_exact(&mut header)?;
    Ok(WeightPlan::new(&header, file_len, shape)?)
}

/// Some numbers of a tensor in another type, if it can hold them.
fn converted(tensor: &PlannedTensor, bytes: &[u8], dtype: StoredDtype) -> anyhow::Result<Vec<u8>> {
    let values = tensor.dtype.decode(bytes);
    let converted = stored_bytes(&values, dtype);
    let is_infinite = |value: &f32| !value.is_finite();
    if let Some(index) = dtype.decode(&converted).iter().position(is_infinite) {
        let (name, id) = (&tensor.name, dtype.id());
        // The exponent of bf16 is that of f32; only what rounds up beyond its largest number does not fit.
        let wider = if dtype == StoredDtype::F16 { "bf16" } else { "f32" };
        bail!("tensor {name:?} holds {}, too large for {id}: use --dtype {wider}", values[index]);
    }
    Ok(converted)
}
