//! What the maps show, with all that it was computed with.

use twinbeam_core::circuits::Ends;
use twinbeam_core::link::{NeuronScores, Snapshot};
use twinbeam_core::scores::{
    Coverage, GapRefused, ScoreTable, SideSummary, TableKey, Tables, UnitBasis,
};
use twinbeam_core::wire::Kept;
use twinbeam_core::wire::devices::{CheckReport, DeviceReport};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Method};

use super::{Identity, Loaded, percent};

/// Where a result comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Origin {
    /// Computed here, and on a GPU compared with the CPU, beside it.
    Device { checked: Option<CheckReport> },
    /// Came with the link, rounded.
    Link,
}

/// What the maps show. It belongs to the experiment that was run, not to what is being typed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Committed {
    pub(crate) experiment: Experiment,
    pub(crate) origin: Origin,
    /// What it was run on, which may be another by now.
    pub(crate) model: Loaded,
    /// Where the neurons were computed, if not where the heads were.
    pub(crate) neurons_on: Option<DeviceReport>,
    /// Jobs of it of which a sample is being computed again on the CPU.
    pub(crate) checking: Vec<u64>,
    pub(crate) sides: (SideSummary, SideSummary),
    pub(crate) basis: UnitBasis,
    pub(crate) tables: Tables,
    /// How much of the neurons' AP is exact, by direction; `None`: none is there.
    pub(crate) coverage: [Option<Coverage>; 2],
    /// The neurons that a link names.
    pub(crate) neurons: Vec<NeuronScores>,
}

impl Committed {
    /// IG's and AP's scores, as far as they are computed.
    pub(crate) fn tables(
        &self,
        kind: ComponentKind,
        direction: Direction,
    ) -> [Option<&ScoreTable>; 2] {
        [Method::Ig, Method::Ap].map(|method| self.tables.get(TableKey { kind, method, direction }))
    }

    /// The metric of both runs, between which faithfulness is measured.
    ///
    /// # Errors
    /// A gap that cannot be divided by.
    pub(crate) fn ends(&self) -> Result<Ends, GapRefused> {
        let (clean, corrupted) = &self.sides;
        Ends::of(&self.basis, clean, corrupted)
    }

    /// Whether it came with a link.
    pub(crate) fn is_from_link(&self) -> bool {
        self.origin == Origin::Link
    }

    /// Where components of a kind were computed.
    pub(crate) fn device(&self, kind: ComponentKind) -> &DeviceReport {
        let of_neurons = self.neurons_on.as_ref().filter(|_| kind == ComponentKind::Neurons);
        of_neurons.unwrap_or(&self.model.device)
    }

    /// Whether a GPU computed any of it.
    pub(crate) fn is_of_gpu(&self) -> bool {
        ComponentKind::ALL.into_iter().any(|kind| self.device(kind).gpu)
    }

    /// How a GPU's numbers compare with the CPU's.
    pub(crate) const fn checked(&self) -> Option<CheckReport> {
        match self.origin {
            Origin::Device { checked } => checked,
            Origin::Link => None,
        }
    }

    /// Whether every component has both methods' scores in both directions, exact ones.
    pub(crate) fn is_complete(&self, kind: ComponentKind) -> bool {
        let n_layers = self.model.shape.n_layers;
        let full = |table: Option<&ScoreTable>| {
            table.is_some_and(|t| t.n_layers() == n_layers && t.is_all_exact())
        };
        Direction::ALL.into_iter().all(|d| self.tables(kind, d).into_iter().all(full))
    }

    /// Takes the neurons out, as they are to be computed anew.
    pub(crate) fn drop_neurons(&mut self) {
        self.tables.retain(|table| table.kind() != ComponentKind::Neurons);
        self.coverage = [None; 2];
    }

    /// Some neurons have been patched, and this is how many.
    pub(crate) fn cover(&mut self, direction: Direction, coverage: Coverage) {
        self.coverage[direction as usize] = Some(coverage);
    }

    /// A link's result as the figure draws it.
    pub(crate) fn of_link(experiment: Experiment, snapshot: &Snapshot) -> Self {
        let sides = (snapshot.clean.clone(), snapshot.corrupted.clone());
        let name = if snapshot.gpu {
            "from a link, computed on a GPU"
        } else {
            "from a link, computed on a CPU"
        };
        let device = DeviceReport {
            gpu: snapshot.gpu,
            name: name.to_owned(),
            reason: format!("Rounded to {} of the largest score.", percent(Snapshot::ROUNDING)),
        };
        Self {
            basis: UnitBasis::new(experiment.metric, &sides.0, &sides.1, snapshot.shape.d_model),
            origin: Origin::Link,
            model: Loaded {
                identity: Identity::named(&experiment.model),
                shape: snapshot.shape,
                device,
                fingerprint: snapshot.model_sha256.clone(),
                // A link does not say; what it says of the weights is compared as it is.
                shards: None,
                as_expected: None,
                tokenizer: None,
                kept: Kept::Elsewhere,
                seconds: Vec::new(),
                memory_bytes: 0,
            },
            neurons_on: None,
            checking: Vec::new(),
            experiment,
            sides,
            tables: snapshot.heads.clone(),
            coverage: [None; 2],
            neurons: snapshot.neurons.clone(),
        }
    }

    /// What a link to a result carries; a link's own result travels on as it came.
    pub(crate) fn snapshot(&self, linked: Option<&Snapshot>) -> Option<Snapshot> {
        if self.origin == Origin::Link {
            return linked.cloned();
        }
        let Self { model, sides: (clean, corrupted), tables, .. } = self;
        let whole = |table: &&ScoreTable| {
            table.kind() == ComponentKind::Heads || self.is_complete(ComponentKind::Neurons)
        };
        let tables: Tables = tables.iter().filter(whole).cloned().collect();
        let Loaded { shape, fingerprint, .. } = model;
        Snapshot::of(shape, fingerprint, self.is_of_gpu(), [clean, corrupted], &tables)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use twinbeam_core::models::ModelShape;
    use twinbeam_core::scores::MetricValues;

    /// Sizes of a model that is small enough to be written down.
    pub(crate) const SHAPE: ModelShape = ModelShape {
        n_layers: 2,
        n_heads: 2,
        d_model: 4,
        d_head: 2,
        d_mlp: 8,
        n_ctx: 8,
        d_vocab: 9,
    };

    /// One of two runs, by its logit difference.
    pub(crate) fn side(logit_diff: f32) -> SideSummary {
        let metrics = MetricValues {
            logit_diff,
            prob_answer: 0.5,
            prob_wrong: 0.25,
            prob_diff: 0.25,
            log_prob: -0.7,
            kl: 0.0,
        };
        SideSummary { metrics, n_pos: 5, top: Vec::new() }
    }

    /// A small result whose prompts try to break out of the files that they are written into.
    pub(crate) fn committed() -> Committed {
        let experiment = Experiment {
            clean: "=1+1\nsay \"yes\", <b>now</b> & then".to_owned(),
            ..Experiment::default()
        };
        let table = |method, values: [f32; 4]| {
            ScoreTable::new(
                TableKey { kind: ComponentKind::Heads, method, direction: Direction::Noising },
                2,
                values.to_vec(),
            )
        };
        let sides = (side(3.0), side(-1.0));
        Committed {
            basis: UnitBasis::new(experiment.metric, &sides.0, &sides.1, 4),
            experiment,
            origin: Origin::Device { checked: None },
            neurons_on: None,
            checking: Vec::new(),
            coverage: [None; 2],
            neurons: Vec::new(),
            model: loaded(),
            sides,
            tables: Tables::from_iter([
                table(Method::Ig, [0.5, -0.25, 0.0, 1.0]),
                table(Method::Ap, [0.25, -0.25, 0.0, 2.0]),
            ]),
        }
    }

    fn loaded() -> Loaded {
        let device =
            DeviceReport { gpu: false, name: "CPU".to_owned(), reason: "Chosen.".to_owned() };
        Loaded {
            identity: Identity { title: "Bundled model".to_owned(), ..Identity::named("mini") },
            shape: SHAPE,
            device,
            fingerprint: "ab".repeat(32),
            shards: None,
            as_expected: None,
            tokenizer: None,
            kept: Kept::Elsewhere,
            seconds: Vec::new(),
            memory_bytes: 0,
        }
    }

    #[test]
    fn a_link_is_drawn_as_what_it_was_made_of() {
        let own = complete();
        let snapshot = own.snapshot(None).expect("it is complete");
        let shown = Committed::of_link(own.experiment.clone(), &snapshot);
        assert_eq!((&shown.tables, &shown.basis), (&own.tables, &own.basis));
        assert_eq!(shown.origin, Origin::Link);
        assert_eq!(shown.snapshot(Some(&snapshot)), Some(snapshot), "it travels on as it came");
    }

    /// With both directions, as a finished job leaves it.
    pub(crate) fn complete() -> Committed {
        let mut own = committed();
        let mut tables = Tables::default();
        for direction in Direction::ALL {
            for table in &own.tables {
                let table = table.clone().with_key(TableKey { direction, ..table.key() });
                tables.insert(match table.method() {
                    Method::Ig => table.with_convergence_delta(vec![0.0; 2]),
                    _ => table,
                });
            }
        }
        own.tables = tables;
        own
    }
}
