//! What a comparison has found, for Python: tables as NumPy arrays, all else as JSON.

use std::borrow::Cow;

use numpy::{PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;
use serde_json::json;
use twinbeam_batch::{Compared, Source};
use twinbeam_core::link::{Snapshot, View, print_link};
use twinbeam_core::models::{Catalog, ModelShape};
use twinbeam_core::scores::{MetricValues, SideSummary, TableKey};
use twinbeam_core::wire::{pack, unpack};
use twinbeam_core::words::{ComponentKind, Direction, Method};
use twinbeam_figure::colour::Ground;

use crate::error::{InputError, TwinbeamError, no_option};

/// What a comparison has found. `twinbeam.Result` has it in attributes.
#[pyclass(frozen, module = "twinbeam._engine")]
pub(crate) struct Found {
    compared: Compared,
    source: Source,
}

impl Found {
    pub(crate) const fn new(compared: Compared, source: Source) -> Self {
        Self { compared, source }
    }

    const fn shape(&self) -> &ModelShape {
        &self.compared.outcome.shape
    }
}

/// That a direction was computed.
fn is_there(compared: &Compared, direction: Direction) -> PyResult<()> {
    let tables = &compared.outcome.tables;
    if tables.iter().any(|table| table.direction() == direction) {
        return Ok(());
    }
    let other = direction.other();
    Err(InputError::new_err(format!(
        "There is no {direction} in this result, which was asked for {other} only: compare with direction=\"both\"."
    )))
}

/// Which table is meant by three names.
fn key(kind: &str, method: &str, direction: &str) -> PyResult<TableKey> {
    let kind = ComponentKind::ALL
        .into_iter()
        .find(|one| one.id() == kind)
        .ok_or_else(|| no_option("kind", kind, &ComponentKind::ALL.map(ComponentKind::id)))?;
    let method = Method::ALL
        .into_iter()
        .find(|one| one.id() == method)
        .ok_or_else(|| no_option("method", method, &Method::ALL.map(Method::id)))?;
    Ok(TableKey { kind, method, direction: crate::model::direction(direction)? })
}

#[pymethods]
impl Found {
    /// Scores of a table, `[n_layers, n_heads]` or `[n_layers, d_mlp]`, float32; `None`: it was not asked for.
    fn table<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        method: &str,
        direction: &str,
    ) -> PyResult<Option<Bound<'py, PyArray2<f32>>>> {
        let Some(table) = self.compared.outcome.tables.get(key(kind, method, direction)?) else {
            return Ok(None);
        };
        let values = PyArray1::from_slice(py, table.values());
        values.reshape([table.n_layers(), table.width()]).map(Some)
    }

    /// By how much the scores of each layer miss its joint patch, `[n_layers]`; `None` where nothing is claimed.
    fn convergence_delta<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        method: &str,
        direction: &str,
    ) -> PyResult<Option<Bound<'py, PyArray1<f32>>>> {
        let table = self.compared.outcome.tables.get(key(kind, method, direction)?);
        let deltas = table.map(twinbeam_core::scores::ScoreTable::convergence_delta);
        Ok(deltas
            .filter(|deltas| !deltas.is_empty())
            .map(|deltas| PyArray1::from_slice(py, deltas)))
    }

    /// Points of the line that each layer took, `[n_layers]`; `None` where there is none.
    fn n_steps(&self, kind: &str, method: &str, direction: &str) -> PyResult<Option<Vec<usize>>> {
        let table = self.compared.outcome.tables.get(key(kind, method, direction)?);
        Ok(table.map(|table| table.n_steps().to_vec()).filter(|steps| !steps.is_empty()))
    }

    /// Effect of replacing all components of a kind of each layer together, `[n_layers]`; `None`: it was not computed.
    fn joint<'py>(
        &self,
        py: Python<'py>,
        kind: &str,
        direction: &str,
    ) -> PyResult<Option<Bound<'py, PyArray1<f32>>>> {
        let wanted = key(kind, "ap", direction)?;
        let is_it = |(kind, direction)| (kind, direction) == (wanted.kind, wanted.direction);
        let joint = self.compared.outcome.joint.iter();
        let found = joint.into_iter().find(|joint| is_it((joint.kind, joint.direction)));
        Ok(found.map(|joint| PyArray1::from_slice(py, &joint.values)))
    }

    /// Everything but the tables, as JSON.
    fn about(&self) -> String {
        let outcome = &self.compared.outcome;
        let side = |side: &SideSummary| {
            let MetricValues { logit_diff, prob_answer, prob_wrong, prob_diff, log_prob, kl } =
                side.metrics;
            let top =
                side.top.iter().map(|token| json!({ "text": token.text, "prob": token.prob }));
            json!({
                "logit_diff": logit_diff, "prob_answer": prob_answer, "prob_wrong": prob_wrong,
                "prob_diff": prob_diff, "log_prob": log_prob, "kl": kl, "n_pos": side.n_pos,
                "top": top.collect::<Vec<_>>(),
            })
        };
        let parts = self.compared.parts.iter().map(|map| {
            json!({
                "part": map.part.id(), "direction": map.direction.id(), "width": map.width, "ap": map.ap, "ig": map.ig,
                "atp": map.atp, "joint": map.joint, "convergence_delta": map.convergence_delta,
            })
        });
        let seconds =
            outcome.seconds.iter().map(|(part, seconds)| (part.to_string(), json!(seconds)));
        let checked = self.compared.checked;
        // Where the runs hardly differ, or the wrong way round, there is little to explain.
        let gap = outcome.basis().gap().err().map(|why| why.to_string());
        let hints = self.compared.hints.iter().map(ToString::to_string).chain(gap);
        let hints: Vec<String> = hints.collect();
        json!({
            "experiment": outcome.experiment,
            "unit": outcome.experiment.metric.unit(),
            "gap": outcome.basis().gap,
            "shape": outcome.shape,
            "clean": side(&outcome.clean),
            "corrupted": side(&outcome.corrupted),
            "parts": parts.collect::<Vec<_>>(),
            "hints": hints,
            "seconds": seconds.collect::<serde_json::Map<_, _>>(),
            "device": self.source.device.name,
            "checked": checked.map(|report| json!({ "worst": report.worst, "values": report.values })),
            "model_sha256": self.source.model_sha256,
            "twinbeam": env!("CARGO_PKG_VERSION"),
        })
        .to_string()
    }

    /// All of it as bytes, which the same version makes it of again.
    fn to_bytes(&self) -> PyResult<Cow<'_, [u8]>> {
        let packed = pack(&(&self.compared, &self.source)).map(Cow::Owned);
        packed.ok_or_else(|| TwinbeamError::new_err("this result cannot be packed"))
    }

    /// What `to_bytes` has packed.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let (compared, source) = unpack(bytes).ok_or_else(|| {
            TwinbeamError::new_err("This is no result that this version of twinbeam has pickled.")
        })?;
        Ok(Self { compared, source })
    }

    /// The figure of a direction, as SVG.
    fn svg(&self, py: Python<'_>, direction: &str, dark: bool) -> PyResult<String> {
        let direction = crate::model::direction(direction)?;
        is_there(&self.compared, direction)?;
        let ground = if dark { Ground::Dark } else { Ground::Light };
        let draw = || twinbeam_batch::figure(&self.compared, &self.source, direction, ground).svg;
        Ok(py.detach(draw))
    }

    /// The archive that the page saves too, looked at in a direction. `link`: an address that shows the same; `made`:
    /// seconds since the beginning of 1970.
    fn bundle(
        &self,
        py: Python<'_>,
        direction: &str,
        link: Option<String>,
        made: i64,
    ) -> PyResult<Cow<'_, [u8]>> {
        let direction = crate::model::direction(direction)?;
        is_there(&self.compared, direction)?;
        let source = Source { link: link.unwrap_or_default(), ..self.source.clone() };
        let packed = py.detach(|| twinbeam_batch::bundle(&self.compared, &source, direction, made));
        packed.map(Cow::Owned).map_err(|error| TwinbeamError::new_err(error.to_string()))
    }

    /// A link to a page, which shows this result and can compute it again.
    #[pyo3(signature = (base, direction, model=None))]
    fn link(&self, base: &str, direction: &str, model: Option<&str>) -> PyResult<String> {
        let Source { model_sha256: sha256, device, .. } = &self.source;
        let catalog = Catalog::bundled();
        let known = catalog.identify(sha256, self.shape()).map(|model| model.id.clone());
        let Some(model) = model.map(str::to_owned).or(known) else {
            return Err(InputError::new_err(
                "The page's list has no model whose file has this SHA-256, so a link cannot say which one it is: name it, as in \
                 link(base, model=\"gpt2\"), if the page that it leads to has it by that name. A model that came from memory \
                 has no file, and always has to be named.",
            ));
        };
        let outcome = &self.compared.outcome;
        let experiment = twinbeam_core::words::Experiment { model, ..outcome.experiment.clone() };
        let sides = [&outcome.clean, &outcome.corrupted];
        let snapshot = Snapshot::of(self.shape(), sha256, device.gpu, sides, &outcome.tables);
        let direction: Direction = crate::model::direction(direction)?;
        is_there(&self.compared, direction)?;
        let view = View { direction, ..View::default() };
        let link = print_link(&experiment, snapshot.as_ref(), &view);
        let link = link.map_err(|error| InputError::new_err(error.to_string()))?;
        Ok(format!("{}#{link}", base.split('#').next().unwrap_or_default()))
    }
}
