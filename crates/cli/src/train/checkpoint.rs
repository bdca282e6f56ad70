//! A training run that was stopped: its parameters, moments and step in one file.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use burn::tensor::TensorCreationOptions;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use twinbeam_gpt2::{Param, StoredDtype, stored_bytes};

pub(super) use burn::optim::AdaptiveMomentumState as Moments;

const STEP: &str = "step";

/// Parameters, AdamW's moments and the number of steps, in one safetensors file.
pub(super) struct Checkpoint {
    path: PathBuf,
    step: usize,
    values: BTreeMap<String, Vec<f32>>,
}

impl Checkpoint {
    pub(super) fn new(step: usize) -> Self {
        Self { path: PathBuf::new(), step, values: BTreeMap::new() }
    }

    pub(super) fn step(&self) -> usize {
        self.step
    }

    pub(super) fn insert(&mut self, name: &str, values: &[f32]) {
        self.values.insert(name.to_owned(), values.to_vec());
    }

    pub(super) fn insert_moments(&mut self, name: &str, first: &[f32], second: &[f32]) {
        self.insert(&format!("{name}.moment_1"), first);
        self.insert(&format!("{name}.moment_2"), second);
    }

    pub(super) fn values(&self, name: &str) -> anyhow::Result<Vec<f32>> {
        let values = self.values.get(name);
        values.cloned().with_context(|| format!("{} lacks {name}", self.path.display()))
    }

    pub(super) fn moments(
        &self,
        name: &str,
        dims: &[usize],
        options: &TensorCreationOptions,
    ) -> anyhow::Result<(Param, Param)> {
        let read = |moment: &str| -> anyhow::Result<Param> {
            let name = format!("{name}.{moment}");
            Ok(Param::from_values(&name, dims, self.values(&name)?, options)?)
        };
        Ok((read("moment_1")?, read("moment_2")?))
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let of = || format!("reading {}", path.display());
        let bytes = fs::read(path).with_context(of)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).with_context(of)?;
        let step = header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(STEP))
            .and_then(|step| step.parse().ok())
            .with_context(|| format!("{} does not say its step", path.display()))?;
        let file = SafeTensors::deserialize(&bytes).with_context(of)?;
        let values = file
            .iter()
            .map(|(name, view)| (name.to_owned(), StoredDtype::F32.decode(view.data())))
            .collect();
        Ok(Self { path: path.to_path_buf(), step, values })
    }

    /// Writes the checkpoint beside the old one and then puts it in its place, so that a stop leaves one of them whole.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let bytes: BTreeMap<&String, Vec<u8>> = self
            .values
            .iter()
            .map(|(name, values)| (name, stored_bytes(values, StoredDtype::F32)))
            .collect();
        let views = bytes
            .iter()
            .map(|(name, bytes)| {
                Ok((name.as_str(), TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?))
            })
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        let metadata = HashMap::from([(STEP.to_owned(), self.step.to_string())]);
        let file = safetensors::serialize(views, Some(metadata))?;
        let partial = path.with_extension("partial");
        fs::write(&partial, file).with_context(|| format!("writing {}", partial.display()))?;
        fs::rename(&partial, path).with_context(|| format!("writing {}", path.display()))
    }
}
