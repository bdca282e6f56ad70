//! A case of the output file.

use serde_json::{Map, Value, json};
use twinbeam_core::scores::{MetricValues, Outcome, TableKey};
use twinbeam_core::words::{ComponentKind, Method};

/// One case of the output; every score in the metric's unit, positive supports the clean behaviour.
pub(super) fn entry(name: &str, outcome: &Outcome) -> Value {
    let (clean, corrupted) = (&outcome.clean.metrics, &outcome.corrupted.metrics);
    let (heads, neurons) = (ComponentKind::Heads, ComponentKind::Neurons);
    let mut entry = Map::new();
    entry.insert("name".to_owned(), json!(name));
    entry.insert(
        "logit_diff".to_owned(),
        json!({ "clean": clean.logit_diff, "corrupted": corrupted.logit_diff }),
    );
    entry.insert(
        "metrics".to_owned(),
        json!({ "clean": metrics(clean), "corrupted": metrics(corrupted) }),
    );
    entry.insert("heads".to_owned(), tables(outcome, heads));
    let has_neurons = outcome.tables.iter().any(|table| table.kind() == neurons);
    if has_neurons {
        entry.insert("neurons".to_owned(), tables(outcome, neurons));
    }
    let mut joint = Map::new();
    for effects in &outcome.joint {
        insert(&mut joint, &[effects.kind.id(), effects.direction.id()], json!(effects.values));
    }
    entry.insert("joint".to_owned(), Value::Object(joint));
    let mut deltas = Map::new();
    for table in &outcome.tables {
        let value = json!(table.convergence_delta());
        let TableKey { kind, method, direction } = table.key();
        match method {
            Method::Ig => {
                insert(&mut deltas, &["ig", kind.id(), direction.id()], value);
            }
            Method::IgZero => insert(&mut deltas, &["ig_zero"], value),
            Method::Ap | Method::Atp => {}
        }
    }
    entry.insert("convergence_delta".to_owned(), Value::Object(deltas));
    let mut steps = Map::new();
    for table in outcome.tables.iter().filter(|table| !table.n_steps().is_empty()) {
        let TableKey { kind, method, direction } = table.key();
        insert(&mut steps, &[method.id(), kind.id(), direction.id()], json!(table.n_steps()));
    }
    entry.insert("n_steps".to_owned(), Value::Object(steps));
    let seconds: Map<String, Value> =
        outcome.seconds.iter().map(|(part, seconds)| (part.to_string(), json!(seconds))).collect();
    entry.insert("seconds".to_owned(), Value::Object(seconds));
    Value::Object(entry)
}

fn metrics(values: &MetricValues) -> Value {
    json!({
        "logit_diff": values.logit_diff,
        "prob_diff": values.prob_diff,
        "log_prob": values.log_prob,
        "kl": values.kl,
        "prob_answer": values.prob_answer,
        "prob_wrong": values.prob_wrong,
    })
}

fn tables(outcome: &Outcome, kind: ComponentKind) -> Value {
    let mut map = Map::new();
    for table in outcome.tables.iter().filter(|table| table.kind() == kind) {
        let rows = json!(table.rows().collect::<Vec<_>>());
        let TableKey { method, direction, .. } = table.key();
        match method {
            Method::IgZero => insert(&mut map, &[method.id()], rows),
            _ => insert(&mut map, &[method.id(), direction.id()], rows),
        }
    }
    Value::Object(map)
}

/// Puts a value at a path of keys.
fn insert(map: &mut Map<String, Value>, path: &[&str], value: Value) {
    match path {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let inner = map.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}
