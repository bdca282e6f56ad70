//! Lists of cases: drawn, read, compared in shares, merged.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use twinbeam_batch::{
    Case, Done, Error, Merge, Settings, Shard, compare_share, draw_cases, read_cases as read_from,
    task,
};
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{Limits, read_pairs};
use twinbeam_core::scores::Unit;
use twinbeam_tasks::Task;

use crate::error::{InputError, no_option};
use crate::host::Waiting;
use crate::model::{Asked, Model, or_raise};

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
    ) -> Result<Done, Error> {
        let on = (&model.models, &model.device);
        compare_share(on, (&self.0, settings), (shard, out), host, |_host, _step| {})
    }
}

#[pymethods]
impl Cases {
    /// A list from JSON, as files have it.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &str) -> PyResult<Self> {
        let list = py.detach(|| read_pairs(text.as_bytes(), Limits::DISK));
        Ok(Self(list.map_err(|error| InputError::new_err(error.to_string()))?.rows))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// The cases of a file, rows that are none among them.
#[pyfunction]
pub(crate) fn read_cases(py: Python<'_>, path: PathBuf) -> PyResult<Cases> {
    or_raise(py.detach(|| read_from(&path))).map(Cases)
}

/// Pairs of a task as JSON, the same for the same seed.
#[pyfunction]
pub(crate) fn draw(py: Python<'_>, name: &str, n: usize, seed: u64) -> PyResult<String> {
    let task = task(name).map_err(|_other| no_option("task", name, &Task::ALL.map(Task::id)))?;
    Ok(py.detach(|| {
        let pairs: Vec<PromptPair> = draw_cases(task, n, seed).into_iter().flatten().collect();
        // OK because it is text.
        serde_json::to_string(&pairs).unwrap_or_default()
    }))
}

/// The names of all tasks.
#[pyfunction]
pub(crate) fn task_names() -> Vec<&'static str> {
    Task::ALL.map(Task::id).to_vec()
}

fn unit_of(unit: &str) -> PyResult<Unit> {
    match unit {
        "metric" => Ok(Unit::Metric),
        "share" => Ok(Unit::ShareOfGap),
        other => Err(no_option("unit", other, &["metric", "share"])),
    }
}

/// Raises what is wrong with options, before anything is computed with them.
#[pyfunction]
pub(crate) fn check_options(asked: Asked, unit: &str) -> PyResult<()> {
    asked.settings()?;
    unit_of(unit).map(drop)
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
    let unit = unit_of(unit)?;
    let merged = py.detach(|| twinbeam_batch::merge(&parts, Merge { out: out.as_deref(), unit }));
    or_raise(merged).map(|(merged, failed)| (merged.to_json(), failed))
}
