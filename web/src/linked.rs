//! A result that came with the link: shown at once, marked, and compared with one's own.

use leptos::prelude::*;
use twinbeam_core::link::{LinkError, Snapshot};
use twinbeam_core::scores::{ScoreTable, Tables, UnitBasis};
use twinbeam_core::wire::Kept;
use twinbeam_core::wire::devices::{DeviceReport, GPU_TOLERANCE};
use twinbeam_core::words::{Component, ComponentKind, Experiment};

use crate::models::{Identity, LOCAL};
use crate::state::{AppState, Committed, Loaded, Origin};
use crate::{explain, url_state};

/// Agreement of two CPUs, relative to the largest score: both compute in single precision at least.
const CPU_TOLERANCE: f32 = 1e-4;

/// How the visitor's own numbers compare with the link's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkCheck {
    /// Largest difference as a share of its table's largest score; `None`: the link's are of a model of
    /// other sizes.
    pub(crate) worst: Option<(f32, Component)>,
    /// What rounding explains: of the link, and of both devices.
    pub(crate) allowed: f32,
    pub(crate) same_weights: bool,
    pub(crate) link_sha256: String,
}

impl LinkCheck {
    fn of(snapshot: &Snapshot, own: &Committed) -> Self {
        let gpu = snapshot.gpu || own.is_of_gpu();
        let tolerance = if gpu { GPU_TOLERANCE } else { CPU_TOLERANCE };
        Self {
            worst: snapshot.distance(&own.tables),
            allowed: Snapshot::ROUNDING + tolerance,
            same_weights: own.model.fingerprint.starts_with(&snapshot.model_sha256),
            link_sha256: snapshot.model_sha256.clone(),
        }
    }

    pub(crate) fn agrees(&self) -> bool {
        self.worst.is_some_and(|(worst, _)| worst <= self.allowed)
    }
}

/// Puts a link's result on the screen, or takes the last one's word back.
pub(crate) fn show(state: AppState, experiment: &Experiment, snapshot: Option<Snapshot>) {
    state.link_check.set(None);
    if let Some(snapshot) = &snapshot {
        state.committed.set(Some(committed(experiment.clone(), snapshot)));
        state.seconds.set(None);
    }
    state.linked.set(snapshot.map(|snapshot| (experiment.clone(), snapshot)));
}

/// Takes a link's result off the screen: it is of a model that is not there.
pub(crate) fn forget(state: AppState) {
    state.linked.set(None);
    state.link_check.set(None);
    if untrack(|| state.is_from_link()) {
        state.committed.set(None);
    }
}

/// A link's result as the figure draws it.
pub(crate) fn committed(experiment: Experiment, snapshot: &Snapshot) -> Committed {
    let sides = (snapshot.clean.clone(), snapshot.corrupted.clone());
    let name = if snapshot.gpu {
        "from a link, computed on a GPU"
    } else {
        "from a link, computed on a CPU"
    };
    let device = DeviceReport {
        gpu: snapshot.gpu,
        name: name.to_owned(),
        reason: format!(
            "Rounded to {} of the largest score.",
            explain::percent(Snapshot::ROUNDING)
        ),
    };
    Committed {
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

/// What a link to the result on the screen carries.
pub(crate) fn snapshot(state: AppState) -> Option<Snapshot> {
    state.committed.with(|committed| {
        state.linked.with(|linked| {
            snapshot_of(committed.as_ref()?, linked.as_ref().map(|(_, snapshot)| snapshot))
        })
    })
}

/// What a link to a result carries; a link's own result travels on as it came.
pub(crate) fn snapshot_of(committed: &Committed, linked: Option<&Snapshot>) -> Option<Snapshot> {
    if committed.origin == Origin::Link {
        return linked.cloned();
    }
    let Committed { model, sides: (clean, corrupted), tables, .. } = committed;
    let whole = |table: &&ScoreTable| {
        table.kind() == ComponentKind::Heads || committed.is_complete(ComponentKind::Neurons)
    };
    let tables: Tables = tables.iter().filter(whole).cloned().collect();
    let Loaded { shape, fingerprint, .. } = model;
    Snapshot::of(shape, fingerprint, committed.is_of_gpu(), [clean, corrupted], &tables)
}

/// The link to what is on the screen: what is asked, and its result unless that is out of date.
///
/// # Errors
/// Prompts that fit into no link.
pub(crate) fn address(state: AppState) -> Result<String, LinkError> {
    let snapshot = if state.is_stale() == Some(false) { snapshot(state) } else { None };
    url_state::share(&state.asked(), snapshot.as_ref(), &state.view())
}

/// Compares the visitor's own result with the link's, if it is of the same experiment.
pub(crate) fn compare(state: AppState) {
    let check = state.linked.with_untracked(|linked| {
        let (experiment, snapshot) = linked.as_ref()?;
        state.committed.with_untracked(|own| {
            own.as_ref()
                .filter(|own| own.origin != Origin::Link)
                .filter(|own| own.experiment == *experiment)
                .map(|own| LinkCheck::of(snapshot, own))
        })
    });
    state.link_check.set(check);
}

/// Where the numbers on the screen come from, as far as a link has to do with it.
#[component]
pub(crate) fn LinkMark(state: AppState) -> impl IntoView {
    let words = move || {
        let shown = state.committed.with(|c| {
            c.as_ref().filter(|c| c.origin == Origin::Link).map(|c| c.model.fingerprint.clone())
        });
        match shown {
            Some(sha256) => {
                let title = |id: String| match id.as_str() {
                    LOCAL => "the sender’s own files".to_owned(),
                    id => state.models.title(id),
                };
                let waits_for = state.models.waiting.get().map(title);
                let running = state.job.get().is_some();
                Some(("link", explain::from_link(&sha256, running, waits_for.as_deref())))
            }
            None => state.link_check.get().map(|check| {
                let verdict = if check.agrees() { "agrees" } else { "differs" };
                (verdict, explain::link_check(&check))
            }),
        }
    };
    move || {
        words().map(|(verdict, words)| {
            view! {
                <p class="link-mark" data-testid="link-mark" data-verdict=verdict role="status">
                    {words}
                </p>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::committed as own;
    use twinbeam_core::models::ModelShape;
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::{Direction, Method};

    fn complete() -> Committed {
        let mut own = own();
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

    fn snapshot_of(own: &Committed) -> Snapshot {
        let Loaded { shape, device, fingerprint, .. } = &own.model;
        let sides = [&own.sides.0, &own.sides.1];
        Snapshot::of(shape, fingerprint, device.gpu, sides, &own.tables).expect("it is complete")
    }

    #[test]
    fn a_link_is_drawn_as_what_it_was_made_of() {
        let own = complete();
        let shown = committed(own.experiment.clone(), &snapshot_of(&own));
        assert_eq!((&shown.tables, &shown.basis), (&own.tables, &own.basis));
        assert_eq!(shown.origin, Origin::Link);
    }

    #[test]
    fn agreement_and_disagreement_are_told_apart() {
        let own = complete();
        let mut snapshot = snapshot_of(&own);
        assert!(LinkCheck::of(&snapshot, &own).agrees());
        let (kind, method) = (ComponentKind::Heads, Method::Ap);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let mut values = snapshot.heads.get(key).expect("it is there").values().to_vec();
        values[2] += 0.01;
        snapshot.heads.insert(ScoreTable::new(key, 2, values));
        let check = LinkCheck::of(&snapshot, &own);
        assert!(!check.agrees() && check.same_weights);
        assert_eq!(
            check.worst.map(|(_, component)| (component.layer, component.index)),
            Some((1, 0))
        );

        snapshot.model_sha256 = "00".repeat(8);
        assert!(!LinkCheck::of(&snapshot, &own).same_weights);
        snapshot.shape = ModelShape { n_heads: 1, ..snapshot.shape };
        let narrow = |table: &ScoreTable| ScoreTable::new(table.key(), 1, table.values().to_vec());
        snapshot.heads = snapshot.heads.iter().map(narrow).collect();
        let check = LinkCheck::of(&snapshot, &own);
        assert!(check.worst.is_none() && !check.agrees());
    }
}
