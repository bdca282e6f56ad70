//! The record of what is on the screen: what files carry of it.

use twinbeam_core::link::Snapshot;
use twinbeam_core::scores::Coverage;
use twinbeam_core::words::{ComponentKind, Direction};
use twinbeam_record::{Looked, Partial, Record, Scored};

use super::Screen;
use crate::values::{Answer, BUILD, Committed, Identity, Origin};

/// The closer question of an answer with what was found, if something was.
pub(super) fn looked(answer: &Answer) -> Option<Looked> {
    let found = answer.found.as_ref().ok()?.clone();
    Some(Looked { probe: answer.probe.clone(), found, unchecked: answer.unchecked })
}

/// The record of what is on the screen.
pub(super) fn record(screen: &Screen<'_>) -> Record {
    let Screen { committed, view, known, lab, .. } = screen;
    let (committed, look): (&Committed, _) = (committed, screen.look());
    let (model, basis) = (&committed.model, committed.basis);
    let Identity { title, commit, address, .. } = model.identity.clone();
    let (clean, corrupted) = committed.sides.clone();
    let experiment = committed.experiment.clone();
    Record {
        twinbeam: BUILD,
        link: screen.link(),
        model_title: title,
        model_commit: commit,
        model_address: address,
        model_sha256: model.fingerprint.clone(),
        model_shards: model.shards,
        model_as_expected: model.as_expected,
        model_shape: model.shape,
        device: model.device.clone(),
        neurons_on: committed.neurons_on.clone(),
        checking: !committed.checking.is_empty(),
        checked: committed.checked(),
        view: view.clone(),
        unit_refused: view.unit.of_result(&basis).err().map(|why| why.to_string()),
        look,
        unit: experiment.metric.unit(),
        sign: Record::SIGN,
        gap: basis.gap,
        experiment,
        clean,
        corrupted,
        rounded_to: (committed.origin == Origin::Link).then_some(Snapshot::ROUNDING),
        tables: committed.tables.iter().map(|table| Scored::of(table, &basis, look)).collect(),
        // Of a link there are none; the sums of IG and their deltas say the same.
        joint: Vec::new(),
        partial: partial(committed),
        known_heads: known.clone(),
        basis,
        lab: lab.clone(),
    }
}

/// The neurons' coverage, once they have been begun.
fn partial(committed: &Committed) -> Vec<Partial> {
    let kind = ComponentKind::Neurons;
    let is_begun = committed.tables.iter().any(|table| table.kind() == kind);
    if !is_begun || committed.is_complete(kind) {
        return Vec::new();
    }
    let shape = committed.model.shape;
    let total = shape.n_layers * kind.width(&shape);
    let none = Coverage { exact: 0, total, sampled: 0, larger: 0, missed_share: None };
    let all = Direction::ALL.into_iter().zip(committed.coverage);
    all.map(|(direction, coverage)| (direction, coverage.unwrap_or(none)))
        .filter(|(_, coverage)| coverage.rest() > 0)
        .map(|(direction, coverage)| Partial { kind, direction, coverage })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use twinbeam_core::link::View;
    use twinbeam_core::scores::{Patches, ScoreTable, TableKey};
    use twinbeam_core::words::Method;

    use super::*;
    use crate::values::committed;

    /// A result as the page shows it at first.
    pub(crate) fn screen(committed: &Committed) -> Screen<'_> {
        Screen {
            committed,
            view: View::default(),
            linked: None,
            known: None,
            lab: Vec::new(),
            page: "https://example.org/page/".to_owned(),
        }
    }

    #[test]
    fn it_has_every_score_and_a_link_that_leads_back() {
        let committed = committed();
        let record = record(&screen(&committed));
        assert!(record.tables.iter().map(|scored| &scored.table).eq(committed.tables.iter()));
        let fragment = record.link.split('#').nth(1).expect("a link");
        let link = twinbeam_core::link::parse_link(fragment).expect("its own");
        assert_eq!(link.experiment, committed.experiment);
        assert_eq!((record.gap, record.partial.len()), (4.0, 0));
    }

    #[test]
    fn it_says_how_much_of_the_neurons_is_patched() {
        let mut committed = committed();
        let (kind, direction) = (ComponentKind::Neurons, Direction::Noising);
        let key = TableKey { kind, method: Method::Ig, direction };
        committed.tables.insert(ScoreTable::new(key, 8, vec![0.5; 16]));
        let patches = Patches { kind, direction, places: vec![3], values: vec![7.0] };
        patches.add_to(&mut committed.tables);
        let coverage = Coverage { exact: 1, total: 16, sampled: 0, larger: 0, missed_share: None };
        committed.cover(Direction::Noising, coverage);
        assert!(!committed.is_complete(ComponentKind::Neurons));
        let record = record(&screen(&committed));
        let exact: Vec<usize> = record.partial.iter().map(|part| part.coverage.exact).collect();
        assert_eq!(exact, [1, 0]);
        assert!(record.csv().contains("neurons,ap,noising,0,3,7,logits,7,logits\r\n"));
    }
}
