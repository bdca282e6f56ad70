//! A case as files: its figure, and its record with all that judges and repeats it.

use serde::{Deserialize, Serialize};
use twinbeam_core::link::{ScaleChoice, View};
use twinbeam_core::models::Catalog;
use twinbeam_core::scores::Unit;
use twinbeam_core::wire::devices::DeviceReport;
use twinbeam_core::wire::probes::circuits::PartMap;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Direction, Experiment};
use twinbeam_engine::DeviceKind;
use twinbeam_figure::colour::Ground;
use twinbeam_figure::whole::{Found, figure as drawn};
use twinbeam_figure::{Look, Picture};
use twinbeam_record::{Extras, Looked, Origin, PackError, Record, Scored};

use crate::{Compared, Models};

/// The model in words where its weights are none of the list's.
const OWN: &str = "of your own";

/// What a case was computed with, and where it can be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// SHA-256 of the weights, in hexadecimal. By it the model has its name, where it is a known one.
    pub model_sha256: String,
    /// Number of files that the weights are in, if not in one: the digest is then that of the list of theirs.
    pub model_shards: Option<usize>,
    /// What computed.
    pub device: DeviceReport,
    /// An address that shows the same; empty: there is none.
    pub link: String,
}

impl Source {
    /// What a model computes on a device. It leads nowhere yet.
    pub fn of(models: &Models, device: &DeviceKind) -> Self {
        let model = models.model();
        Self {
            model_sha256: model.fingerprint().to_owned(),
            model_shards: model.shards(),
            device: device.report().clone(),
            link: String::new(),
        }
    }
}

/// Draws what was found of a case in one direction, in the metric's unit.
pub fn figure(
    compared: &Compared,
    source: &Source,
    direction: Direction,
    ground: Ground,
) -> Picture {
    of_record(&record(compared, source, direction), compared, ground)
}

fn of_record(record: &Record, Compared { outcome, .. }: &Compared, ground: Ground) -> Picture {
    let (tables, joint, basis) = (&outcome.tables, &outcome.joint[..], record.basis);
    drawn(&record.caption(), &Found { tables, joint, basis }, record.look, ground)
}

/// The archive that the page saves too, with the whole figure: `figure.svg` is of one direction, all else of both. `made`:
/// seconds since the beginning of 1970.
///
/// # Errors
/// Files that an archive cannot hold.
pub fn bundle(
    compared: &Compared,
    source: &Source,
    direction: Direction,
    made: i64,
) -> Result<Vec<u8>, PackError> {
    let record = record(compared, source, direction);
    let extras = Extras {
        figure: of_record(&record, compared, Ground::Light),
        figure_is: "head maps, neurons where there are any, IG against AP, and layer by layer",
        origin: Origin::of(record.model_address.as_deref()),
        batch: None,
        pairs: &[],
    };
    twinbeam_record::bundle(&record, &extras, made)
}

/// What belongs to a case, looked at in one direction and in the metric's unit.
fn record(
    Compared { outcome, parts, checked, .. }: &Compared,
    source: &Source,
    direction: Direction,
) -> Record {
    let catalog = Catalog::bundled();
    let Source { model_sha256, model_shards, device, link } = source;
    let known = catalog.identify(model_sha256, &outcome.shape);
    let view =
        View { direction, unit: Unit::Metric, scale: ScaleChoice::Shared, ..View::default() };
    let (look, basis) = (Look::of(&view), outcome.basis());
    let experiment = Experiment {
        model: known.map_or_else(|| outcome.experiment.model.clone(), |model| model.id.clone()),
        ..outcome.experiment.clone()
    };
    // The list's own folders are beside a page, and here is none.
    let address = known.filter(|model| !model.is_bundled()).map(|model| catalog.address(model));
    let lab = Direction::ALL.map(|direction| {
        let of = |map: &&PartMap| map.direction == direction;
        let found = parts.iter().filter(of).cloned().collect();
        let unchecked = device.gpu;
        Looked { probe: Probe::Parts { direction }, found: Finding::Parts(found), unchecked }
    });
    let is_there =
        |looked: &Looked| matches!(&looked.found, Finding::Parts(maps) if !maps.is_empty());
    Record {
        twinbeam: env!("CARGO_PKG_VERSION"),
        link: link.clone(),
        model_title: known.map_or_else(|| OWN.to_owned(), |model| model.title.clone()),
        model_commit: known.and_then(|model| model.commit.clone()),
        model_address: address,
        model_sha256: model_sha256.clone(),
        model_shards: *model_shards,
        // By its digest, where the list has one.
        model_as_expected: known.and_then(|model| model.sha256.as_ref()).map(|_digest| true),
        model_shape: outcome.shape,
        device: device.clone(),
        neurons_on: None,
        checking: false,
        checked: *checked,
        view,
        unit_refused: None,
        look,
        unit: experiment.metric.unit(),
        sign: Record::SIGN,
        gap: basis.gap,
        experiment,
        clean: outcome.clean.clone(),
        corrupted: outcome.corrupted.clone(),
        rounded_to: None,
        tables: outcome.tables.iter().map(|table| Scored::of(table, &basis, look)).collect(),
        joint: outcome.joint.clone(),
        partial: Vec::new(),
        known_heads: known.and_then(|model| model.known_heads.clone()),
        basis,
        lab: lab.into_iter().filter(is_there).collect(),
    }
}
