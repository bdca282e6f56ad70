//! The figure of a case, as SVG.

use twinbeam_core::link::ScaleChoice;
use twinbeam_core::models::Catalog;
use twinbeam_core::scores::Unit;
use twinbeam_core::words::Direction;
use twinbeam_figure::colour::Ground;
use twinbeam_figure::whole::{Found, figure as drawn};
use twinbeam_figure::{Caption, Look, Picture};

use crate::Compared;

/// Draws what was found of a case in one direction, in the metric's unit. `model_sha256`: of the weights, by which the
/// model has its name where it is a known one. `device`: what computed.
pub fn figure(
    Compared { outcome, .. }: &Compared,
    [model_sha256, device]: [&str; 2],
    direction: Direction,
    ground: Ground,
) -> Picture {
    let catalog = Catalog::bundled();
    let known = catalog.recognise(model_sha256, &outcome.shape);
    let caption = Caption {
        experiment: &outcome.experiment,
        clean: &outcome.clean,
        corrupted: &outcome.corrupted,
        unit: outcome.experiment.metric.unit(),
        model: known.map_or("of your own", |model| &model.title),
        shape: outcome.shape,
        model_sha256,
        model_as_expected: None,
        device,
        twinbeam: env!("CARGO_PKG_VERSION"),
        link: "",
    };
    let (tables, joint, basis) = (&outcome.tables, &outcome.joint[..], outcome.basis());
    let look = Look { direction, unit: Unit::Metric, scale: ScaleChoice::Shared };
    drawn(&caption, &Found { tables, joint, basis }, look, ground)
}
