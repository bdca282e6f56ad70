//! A Jupyter notebook that computes the result again with other programs.

use serde_json::{Value, json};

use crate::Record;

/// Code of the Jupyter notebook, in cells: a line `# %%` begins one, `# %% [markdown]` one of text.
const SOURCE: &str = include_str!("reproduce.py");
const CELL: &str = "# %%";
const TEXT: &str = " [markdown]";
/// Where a visitor's own files are to be put.
const FOLDER: &str = "model";
/// The hub that Python's tools know by itself.
const HUB: &str = "https://huggingface.co/";

/// Where a Jupyter notebook finds the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Name of a repository on the hub, address of a folder, or name of a folder.
    source: String,
    commit: Option<String>,
}

impl Origin {
    /// The origin of a model whose files have this address; without one they are to be put into a folder beside the
    /// notebook.
    pub fn of(address: Option<&str>) -> Self {
        let address = address.unwrap_or(FOLDER);
        let on_hub = address
            .strip_prefix(HUB)
            .and_then(|path| path.trim_end_matches('/').split_once("/resolve/"));
        match on_hub {
            Some((repo, commit)) => {
                Self { source: repo.to_owned(), commit: Some(commit.to_owned()) }
            }
            None => Self { source: address.to_owned(), commit: None },
        }
    }

    /// The origin in words.
    pub(crate) fn words(&self) -> String {
        let Self { source, commit } = self;
        match commit {
            Some(commit) => format!("{source} at {commit}"),
            None if source == FOLDER => format!("to be put into a folder named {FOLDER}"),
            None => source.clone(),
        }
    }
}

/// The Jupyter notebook of a result (nbformat 4), to be put beside `result.json`.
pub(crate) fn notebook(record: &Record, origin: &Origin) -> String {
    let experiment = serde_json::to_string(&record.experiment).unwrap_or_default();
    let commit = origin.commit.as_deref().map_or_else(|| "None".to_owned(), literal);
    // The experiment last: what visitors have typed is not looked at again.
    let code = SOURCE
        .replace("\"MODEL_SOURCE\"", &literal(&origin.source))
        .replace("\"MODEL_COMMIT\"", &commit)
        .replace("\"EXPERIMENT_JSON\"", &literal(&experiment));
    let cells: Vec<Value> = cells(&code).enumerate().map(|(place, of)| cell(place, of)).collect();
    let notebook = json!({
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": { "name": "python3", "display_name": "Python 3", "language": "python" },
            "language_info": { "name": "python" },
        },
        "cells": cells,
    });
    notebook.to_string()
}

/// Text as Python writes it: a JSON string is one, with the same meaning.
fn literal(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What stands between lines that begin a cell, those lines' rests included.
fn cells(code: &str) -> impl Iterator<Item = (&str, &str)> {
    // Such a line within what was typed would have to begin one, and a literal has no line ends.
    let begin = code.strip_prefix(CELL).unwrap_or(code);
    begin.split("\n# %%").map(|cell| cell.split_once('\n').unwrap_or((cell, "")))
}

fn cell(place: usize, (head, body): (&str, &str)) -> Value {
    let id = format!("cell-{place}");
    let body = body.trim();
    if head == TEXT {
        let lines: Vec<&str> = body
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or_else(|| line.trim_start_matches('#')))
            .collect();
        json!({ "cell_type": "markdown", "id": id, "metadata": {}, "source": lines.join("\n") })
    } else {
        json!({
            "cell_type": "code",
            "id": id,
            "metadata": {},
            "execution_count": null,
            "outputs": [],
            "source": body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::record;

    #[test]
    fn a_model_of_the_hub_is_named_and_others_keep_their_address() {
        let hub = Origin::of(Some("https://huggingface.co/openai-community/gpt2/resolve/607a/"));
        assert_eq!(hub.words(), "openai-community/gpt2 at 607a");
        assert_eq!(Origin::of(Some("http://a/models/mini/")).words(), "http://a/models/mini/");
        assert_eq!(Origin::of(None).words(), "to be put into a folder named model");
    }

    #[test]
    fn what_was_typed_stays_within_its_literal() {
        let mut record = record();
        let odd = "\"); import os\n# %%\n\\\"MODEL_SOURCE\" 'EXPERIMENT_JSON' “é”\u{2028}";
        odd.clone_into(&mut record.experiment.clean);
        let text = notebook(&record, &Origin::of(None));
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let cells = read["cells"].as_array().expect("cells");
        let plain = SOURCE.matches(CELL).count();
        assert_eq!(cells.len(), plain);
        assert_eq!(cells[0]["cell_type"], "markdown");
        assert!(cells[0]["source"].as_str().is_some_and(|text| text.starts_with("# A figure")));
        let first = cells[1]["source"].as_str().expect("code");
        let line =
            first.lines().find(|line| line.starts_with("EXPERIMENT = ")).expect("it is there");
        let inside = line.trim_start_matches("EXPERIMENT = json.loads(").trim_end_matches(')');
        let once: String = serde_json::from_str(inside).expect("one literal");
        let experiment: twinbeam_core::words::Experiment =
            serde_json::from_str(&once).expect("its own");
        assert_eq!(experiment, record.experiment);
        assert!(first.contains("MODEL = \"model\"\nREVISION = None\n"), "{first}");
    }
}
