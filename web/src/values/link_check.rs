//! How the visitor's own numbers compare with those that came with a link.

use twinbeam_core::link::Snapshot;
use twinbeam_core::wire::devices::GPU_TOLERANCE;
use twinbeam_core::words::Component;

use super::Committed;

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
    /// Compares a finished result of the same experiment with the one of the link.
    pub(crate) fn of(snapshot: &Snapshot, own: &Committed) -> Self {
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

#[cfg(test)]
mod tests {
    use twinbeam_core::models::ModelShape;
    use twinbeam_core::scores::{ScoreTable, TableKey};
    use twinbeam_core::words::{ComponentKind, Direction, Method};

    use super::super::committed::tests::complete;
    use super::*;

    #[test]
    fn agreement_and_disagreement_are_told_apart() {
        let own = complete();
        let mut snapshot = own.snapshot(None).expect("it is complete");
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
