//! Lists of cases: drawn, read, compared in shares, merged.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use twinbeam_batch::{
    Case, Error, Inputs, Merge, Part, Settings, Shard, compare, draw_cases, name_of,
    read_cases as read_from, task,
};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{Limits, read_pairs};
use twinbeam_core::scores::Unit;
use twinbeam_tasks::Task;

use crate::error::{InputError, no_option};
use crate::host::Waiting;
use crate::model::{Model, or_raise};

/// A list of cases, rows that are none among them.
#[pyclass(frozen, module = "twinbeam._engine")]
pub(crate) struct Cases(Vec<Case>);

/// A share by its numbers.
pub(crate) fn shard((place, of): (usize, usize)) -> PyResult<Shard> {
    let no_share = || InputError::new_err(format!("{place}/{of} is no share of a list"));
    Shard::new(place, of).ok_or_else(no_share)
}

impl Cases {
    pub(crate) fn compare_share(
        &self,
        model: &Model,
        shard: Shard,
        out: &Path,
        settings: &Settings,
        host: &mut Waiting,
    ) -> Result<(usize, bool), Error> {
        let inputs = Inputs::of(&self.0, &model.models, &model.device, settings);
        if let Some(failed) = Part::done(out, shard, &inputs)? {
            return Ok((failed, true));
        }
        let range = shard.range(self.0.len());
        let mut part = Part::create(out, shard, &inputs, &model.models)?;
        for (index, case) in range.clone().zip(&self.0[range]) {
            let name = name_of(case, index);
            let result = match case.clone() {
                Ok(pair) => compare(&model.models, pair, settings, host).map_err(Some),
                Err(_) => Err(None),
            };
            match result {
                Ok(compared) => part.push(&name, Ok(&compared))?,
                Err(Some(error)) if error.is_cancelled() => return Err(error),
                Err(Some(error)) => part.push(&name, Err(&error.to_string()))?,
                Err(None) => {
                    let why = case.as_ref().err().map(ToString::to_string).unwrap_or_default();
                    part.push(&name, Err(&why))?;
                }
            }
        }
        Ok((part.close()?, false))
    }
}

#[pymethods]
impl Cases {
    /// A list from JSON, as files have it.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        let list = read_pairs(text.as_bytes(), Limits::DISK);
        Ok(Self(list.map_err(|error| InputError::new_err(error.to_string()))?.rows))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// The cases of a file, rows that are none among them.
#[pyfunction]
pub(crate) fn read_cases(path: PathBuf) -> PyResult<Cases> {
    or_raise(read_from(&path)).map(Cases)
}

/// Pairs of a task as JSON, the same for the same seed.
#[pyfunction]
pub(crate) fn draw(name: &str, n: usize, seed: u64) -> PyResult<String> {
    let task = task(name).map_err(|_other| no_option("task", name, &Task::ALL.map(Task::id)))?;
    let pairs: Vec<PromptPair> = draw_cases(task, n, seed).into_iter().flatten().collect();
    // OK because it is text.
    Ok(serde_json::to_string(&pairs).unwrap_or_default())
}

/// The names of all tasks.
#[pyfunction]
pub(crate) fn task_names() -> Vec<&'static str> {
    Task::ALL.map(Task::id).to_vec()
}

/// Makes one result of all parts: returns its summary as JSON, and how many cases failed.
#[pyfunction]
#[pyo3(signature = (parts, out=None, unit="metric"))]
pub(crate) fn merge(
    py: Python<'_>,
    parts: Vec<PathBuf>,
    out: Option<PathBuf>,
    unit: &str,
) -> PyResult<(String, usize)> {
    let unit = match unit {
        "metric" => Unit::Metric,
        "share" => Unit::ShareOfGap,
        other => return Err(no_option("unit", other, &["metric", "share"])),
    };
    let merged = py.detach(|| twinbeam_batch::merge(&parts, Merge { out: out.as_deref(), unit }));
    or_raise(merged).map(|(merged, failed)| (merged.to_json(), failed))
}
