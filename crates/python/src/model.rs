//! A model that is loaded, and what is asked of it.

use std::sync::OnceLock;

use pollster::block_on;
use pyo3::prelude::*;
use twinbeam_batch::{
    Compared, Done, Error, Folder, Models, Settings, Source, compare, question_of,
};
use twinbeam_core::circuits::Part;
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::wire::devices::DeviceChoice;
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::words::{Direction, Experiment, MAX_STEPS, Metric, Steps, Written};
use twinbeam_engine::{ByteSource, DeviceKind, Precision, probe_question};

use crate::error::{InputError, TwinbeamError, no_option, raised};
use crate::found::Found;
use crate::host::Waiting;
use crate::source::InMemory;

/// A model that is loaded. Several threads may use one at the same time.
#[pyclass(frozen, module = "twinbeam._engine")]
pub(crate) struct Model {
    pub(crate) models: Models,
    pub(crate) device: DeviceKind,
}

/// A direction by its name.
pub(crate) fn direction(name: &str) -> PyResult<Direction> {
    let found = Direction::ALL.into_iter().find(|direction| direction.id() == name);
    found.ok_or_else(|| no_option("direction", name, &Direction::ALL.map(Direction::id)))
}

/// What is computed of a case, by names.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked {
    metric: String,
    directions: Vec<String>,
    n_steps: String,
    neurons: bool,
    nodes: Vec<String>,
    prepend_bos: bool,
}

impl Asked {
    pub(crate) fn settings(&self) -> PyResult<Settings> {
        let metric = Metric::ALL.into_iter().find(|metric| metric.id() == self.metric);
        let metric = metric
            .ok_or_else(|| no_option("metric", &self.metric, &Metric::ALL.map(Metric::id)))?;
        let steps: Steps =
            self.n_steps.parse().map_err(|source: twinbeam_core::words::NotSteps| {
                InputError::new_err(format!("n_steps: {source}"))
            })?;
        if !steps.is_possible() {
            return Err(InputError::new_err(format!(
                "n_steps: {steps} is not possible: choose 1 to {MAX_STEPS}, \"auto\", or \"auto:1\" to \"auto:100000\""
            )));
        }
        let part = |name: &String| {
            let found = Part::ALL.into_iter().find(|part| part.id() == name);
            found.ok_or_else(|| no_option("nodes", name, &Part::ALL.map(Part::id)))
        };
        Ok(Settings {
            prepend_bos: self.prepend_bos,
            metric,
            n_steps: steps,
            directions: self
                .directions
                .iter()
                .map(|name| direction(name))
                .collect::<PyResult<_>>()?,
            neurons: self.neurons,
            parts: self.nodes.iter().map(part).collect::<PyResult<_>>()?,
        })
    }
}

/// A pair of prompts with its answers, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Pair {
    clean: String,
    corrupted: String,
    answer: Vec<String>,
    wrong: Vec<String>,
    /// Whether all of them are token ids.
    ids: bool,
}

impl From<Pair> for PromptPair {
    fn from(Pair { clean, corrupted, answer, wrong, ids }: Pair) -> Self {
        let written = if ids { Written::Ids } else { Written::Text };
        Self { name: String::new(), clean, corrupted, answer, wrong, written }
    }
}

impl Model {
    fn read(
        py: Python<'_>,
        source: impl ByteSource + Send,
        device: &str,
        precision: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let choice = match device {
            "cpu" => DeviceChoice::Cpu,
            "gpu" => DeviceChoice::Gpu,
            other => return Err(no_option("device", other, &["cpu", "gpu"])),
        };
        let precision = match precision {
            "auto" => Precision::Auto,
            "float32" => Precision::Single,
            "float64" => Precision::Double,
            other => return Err(no_option("precision", other, &["auto", "float32", "float64"])),
        };
        is_begun_here()?;
        py.detach(move || {
            let mut host = Waiting::new(progress);
            let mut load = || {
                let device = block_on(DeviceKind::choose(choice))?.with_precision(precision);
                let models = Models::load(&source, &device, &mut host)?;
                Ok::<_, Error>(Self { models, device })
            };
            let loaded = load();
            loaded.map_err(|error| host.exception(&error))
        })
    }
}

#[pymethods]
impl Model {
    /// Loads a model from a folder.
    #[staticmethod]
    #[pyo3(signature = (folder, device, precision, progress=None))]
    fn load(
        py: Python<'_>,
        folder: std::path::PathBuf,
        device: &str,
        precision: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        Self::read(py, Folder(folder), device, precision, progress)
    }

    /// Loads a model from an object with its files.
    #[staticmethod]
    #[pyo3(signature = (files, device, precision, progress=None))]
    fn from_files(
        py: Python<'_>,
        files: Py<PyAny>,
        device: &str,
        precision: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        Self::read(py, InMemory(files), device, precision, progress)
    }

    /// Sizes, weights and device, as JSON.
    fn about(&self) -> String {
        let model = self.models.model();
        serde_json::json!({
            "shape": model.shape(),
            "sha256": model.fingerprint(),
            "precision": model.precision(),
            "device": self.device.report().name,
            "gpu": self.device.report().gpu,
        })
        .to_string()
    }

    /// Compares both methods on a pair.
    #[pyo3(signature = (pair, asked, progress=None))]
    fn compare(
        &self,
        py: Python<'_>,
        pair: Pair,
        asked: Asked,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Found> {
        is_begun_here()?;
        let settings = asked.settings()?;
        let compared: Compared = py.detach(|| {
            let mut host = Waiting::new(progress);
            let found = compare(&self.models, pair.into(), &settings, &mut host);
            found.map_err(|error| host.exception(&error))
        })?;
        Ok(Found::new(compared, Source::of(&self.models, &self.device)))
    }

    /// Answers a question of the lab: JSON in, JSON out.
    #[pyo3(signature = (pair, asked, probe, progress=None))]
    fn probe(
        &self,
        py: Python<'_>,
        pair: Pair,
        asked: Asked,
        probe: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        is_begun_here()?;
        let Settings { prepend_bos, metric, n_steps, .. } = asked.settings()?;
        let probe: Probe = serde_json::from_str(probe).map_err(|source| {
            // Its place in the text is nobody's who did not write it.
            let words = source.to_string();
            let words = words.split(" at line ").next().unwrap_or_default();
            InputError::new_err(format!("The question cannot be read: {words}."))
        })?;
        py.detach(|| {
            let mut host = Waiting::new(progress);
            let answer = |host: &mut Waiting| {
                let model = self.models.model();
                let experiment = Experiment {
                    model: String::new(),
                    prepend_bos,
                    metric,
                    n_steps,
                    ..Experiment::default()
                };
                let (question, experiment) = question_of(model, pair.into(), experiment)?;
                let asked = (&question, &experiment);
                let (found, _unchecked) = block_on(probe_question(model, asked, &probe, 1, host))?;
                // OK because it is plain values.
                Ok::<_, Error>(serde_json::to_string(&found).unwrap_or_default())
            };
            let answered = answer(&mut host);
            answered.map_err(|error| host.exception(&error))
        })
    }

    /// Compares a share of a list, and writes its file. Returns how many of its cases failed, and whether it was done
    /// before.
    #[pyo3(signature = (cases, share, out, asked, progress=None))]
    fn compare_share(
        &self,
        py: Python<'_>,
        cases: &crate::lists::Cases,
        share: (usize, usize),
        out: std::path::PathBuf,
        asked: Asked,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<(usize, bool)> {
        is_begun_here()?;
        let settings = asked.settings()?;
        let shard = crate::lists::shard(share)?;
        py.detach(|| {
            let mut host = Waiting::new(progress);
            let done = cases.compare_share(self, shard, &out, &settings, &mut host);
            done.map(|Done { failed, before }| (failed, before))
                .map_err(|error| host.exception(&error))
        })
    }
}

/// Raises where this process was forked from one that has computed: its threads stayed there, and whoever waits for them
/// waits for ever.
fn is_begun_here() -> PyResult<()> {
    static BEGUN: OnceLock<u32> = OnceLock::new();
    let here = std::process::id();
    if *BEGUN.get_or_init(|| here) == here {
        return Ok(());
    }
    Err(TwinbeamError::new_err(
        "This process was forked from one that has computed already, and has none of its threads: start processes with \
         multiprocessing.get_context(\"spawn\"), or fork before the first model is loaded.",
    ))
}

/// Raises what has no host.
pub(crate) fn or_raise<T>(result: Result<T, Error>) -> PyResult<T> {
    result.map_err(|error| raised(&error))
}
