//! Links that are out in the world keep their meaning.

use serde_json::Value;
use twinbeam_core::link::{View, parse_link, print_link};
use twinbeam_core::scores::TableKey;
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Method};
use twinbeam_tests::json;

fn corpus() -> Vec<Value> {
    let Value::Array(entries) = json("links/v1.json") else { panic!("a list of links") };
    entries
}

/// The direction that a link was made in. Then it was one of the experiment's fields.
fn direction_of(entry: &Value) -> Direction {
    serde_json::from_value(entry["experiment"]["direction"].clone()).expect("a direction")
}

#[test]
fn links_of_version_1_mean_what_they_meant() {
    let entries = corpus();
    assert!(entries.len() >= 8, "the corpus is there");
    for entry in &entries {
        let link = entry["link"].as_str().expect("a link");
        let read = parse_link(link).unwrap_or_else(|error| panic!("{link}: {error}"));
        let meant: Experiment = serde_json::from_value(entry["experiment"].clone()).expect("one");
        assert_eq!(read.experiment, meant, "{link}");
        assert_eq!(read.view.direction, direction_of(entry), "{link}");
        assert_eq!(read.has_unknown, entry["has_unknown"] == true, "{link}");
        let scores = entry.get("heads_ap_noising").map(twinbeam_tests::numbers);
        assert_eq!(read.snapshot.is_some(), scores.is_some(), "{link}");
        let Some((snapshot, scores)) = read.snapshot.zip(scores) else { continue };
        let (kind, method) = (ComponentKind::Heads, Method::Ap);
        let key = TableKey { kind, method, direction: Direction::Noising };
        let table = snapshot.heads.get(key).expect("AP, noising");
        twinbeam_tests::assert_close(link, table.values(), &scores, 1e-6);
        assert_eq!(snapshot.neurons.len() as u64, entry["neurons"].as_u64().expect("a count"));
    }
}

#[test]
fn what_is_printed_today_is_read_as_the_corpus_is() {
    // Version 1 is frozen on the way out too: an experiment prints as a link that old pages read.
    for entry in corpus().iter().filter(|entry| entry.get("heads_ap_noising").is_none()) {
        let meant: Experiment = serde_json::from_value(entry["experiment"].clone()).expect("one");
        let view = View { direction: direction_of(entry), ..View::default() };
        let printed = print_link(&meant, None, &view).expect("it fits");
        let read = parse_link(&printed).expect("our own");
        assert_eq!((read.experiment, read.view), (meant, view));
    }
}
