//! A result with everything that is needed to judge and to repeat it, as CSV and JSON carry it.

use serde::{Serialize, Serializer};
use twinbeam_core::link::{Snapshot, View};
use twinbeam_core::models::{KnownHeads, ModelShape};
use twinbeam_core::scores::{Coverage, ScoreTable, SideSummary};
use twinbeam_core::wire::devices::{CheckReport, DeviceReport};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{
    Component, ComponentKind, Direction, Experiment, Method, Steps, Written,
};

use super::{Screen, circuits, csv};
use twinbeam_figure::Caption;

use crate::explain;
use crate::lab::common_unit;
use crate::values::{Answer, Committed, Identity, Look, Origin};

/// A result with everything that is needed to judge and to repeat it.
///
/// # Units
/// The metric's, whatever unit is on the screen, and both directions; positive supports the clean behaviour. `view` and
/// each table's `shown` say how the screen has it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    /// The page's version and commit.
    pub(crate) twinbeam: &'static str,
    /// Address of the page with the experiment in it.
    pub(crate) link: String,
    /// The model's name for people; `experiment` has the one in links.
    pub(crate) model_title: String,
    /// Commit of the model's repository.
    pub(crate) model_commit: Option<String>,
    /// Folder of the model's files.
    pub(crate) model_address: Option<String>,
    pub(crate) model_sha256: String,
    /// Number of files that the model's weights are in, if not in one: the digest is then that of the list of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model_shards: Option<usize>,
    /// Whether the weights have the expected digest; `None`: none is known.
    pub(crate) model_as_expected: Option<bool>,
    pub(crate) model_shape: ModelShape,
    pub(crate) device: DeviceReport,
    /// Where the neurons were computed, if not where the heads were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) neurons_on: Option<DeviceReport>,
    /// Whether the check on the CPU is still running.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) checking: bool,
    /// How the result was checked; on a GPU against the CPU.
    pub(crate) checked: Option<CheckReport>,
    pub(crate) experiment: Experiment,
    /// What was on the screen of it: the direction, the unit that was chosen, the scale and what was pinned, among others.
    pub(crate) view: View,
    /// Why scores are not shown in the chosen unit, if they are not: then they are in the metric's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit_refused: Option<String>,
    /// What was on the screen, in the unit that scores are shown in.
    #[serde(skip)]
    pub(crate) look: Look,
    pub(crate) unit: &'static str,
    pub(crate) sign: &'static str,
    /// Clean metric minus corrupted metric, so oriented that more is more of the clean behaviour.
    pub(crate) gap: f32,
    pub(crate) clean: SideSummary,
    pub(crate) corrupted: SideSummary,
    /// What scores may be off by as a share of their table's largest, where they came with a link.
    pub(crate) rounded_to: Option<f32>,
    pub(crate) tables: Vec<Scored>,
    /// What is not patched to the last component, and how much of it is; empty: all is.
    pub(crate) partial: Vec<Partial>,
    /// Heads whose part in a task was studied, which is not that they must score high in this one.
    pub(crate) known_heads: Option<KnownHeads>,
    /// How the screen writes scores of parts of heads, and direct effects.
    #[serde(skip)]
    lab_shown: (f32, &'static str),
    /// Answers to the closer questions that were open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lab: Vec<Looked>,
}

/// A closer question with what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Looked {
    probe: Probe,
    found: Finding,
    /// Whether a GPU computed it and nothing has checked that.
    unchecked: bool,
}

impl Looked {
    /// The closer question of an answer, if there is one.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        let found = answer.found.as_ref().ok()?.clone();
        Some(Self { probe: answer.probe.clone(), found, unchecked: answer.unchecked })
    }
}

/// How much of a table of patches is exact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Partial {
    kind: ComponentKind,
    direction: Direction,
    coverage: Coverage,
}

impl Partial {
    /// The neurons' coverage, once they have been begun.
    fn of(committed: &Committed) -> Vec<Self> {
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
            .map(|(direction, coverage)| Self { kind, direction, coverage })
            .collect()
    }

    fn line(&self) -> (&'static str, String) {
        let Self { kind, direction, coverage: Coverage { exact, total, .. } } = self;
        let kind = kind.id();
        let rest = if *exact == 0 { "" } else { ", the others are left empty" };
        ("in part", format!("AP exact for {exact} of {total} {kind}, {direction}{rest}"))
    }
}

/// A table, and how the screen writes its scores.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    /// The table in the metric's unit.
    pub(crate) table: ScoreTable,
    pub(crate) shown: InUnit,
}

/// How scores are written on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct InUnit {
    pub(crate) unit: &'static str,
    /// What a score in the metric's unit is multiplied by.
    pub(crate) factor: f32,
}

impl Scored {
    fn of(table: &ScoreTable, committed: &Committed, look: Look) -> Self {
        let (key, basis) = (table.key(), &committed.basis);
        // OK because the look is in a unit that the result allows.
        let factor = look.unit.factor(basis, key).unwrap_or(1.0);
        let unit = look.unit.label(basis.metric, key.method, key.kind);
        Self { table: table.clone(), shown: InUnit { unit, factor } }
    }
}

/// The table as programs read it: `null` where a component has not been patched, since what stands in for it on the
/// screen is no score of AP.
impl Serialize for Scored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            kind: ComponentKind,
            method: Method,
            direction: Direction,
            width: usize,
            shown: InUnit,
            values: Vec<Option<f32>>,
            convergence_delta: &'a [f32],
            n_steps: &'a [usize],
        }
        let Self { table, shown } = self;
        Fields {
            kind: table.kind(),
            method: table.method(),
            direction: table.direction(),
            width: table.width(),
            shown: *shown,
            values: exact(table).collect(),
            convergence_delta: table.convergence_delta(),
            n_steps: table.n_steps(),
        }
        .serialize(serializer)
    }
}

/// The scores of a table, layer by layer; `None` where something stands in.
fn exact(table: &ScoreTable) -> impl Iterator<Item = Option<f32>> {
    let scores = table.values().iter().enumerate();
    scores.map(|(place, score)| table.is_exact(place).then_some(*score))
}

impl Record {
    /// The record of what is on the screen.
    pub(super) fn new(screen: &Screen<'_>) -> Self {
        let Screen { committed, view, known, lab, .. } = screen;
        let (committed, look): (&Committed, Look) = (committed, screen.look());
        let Identity { title, commit, address, .. } = committed.model.identity.clone();
        let (clean, corrupted) = committed.sides.clone();
        let experiment = committed.experiment.clone();
        Self {
            lab_shown: common_unit(&committed.basis, view.unit),
            twinbeam: crate::values::BUILD,
            link: screen.link(),
            model_title: title,
            model_commit: commit,
            model_address: address,
            model_sha256: committed.model.fingerprint.clone(),
            model_shards: committed.model.shards,
            model_as_expected: committed.model.as_expected,
            model_shape: committed.model.shape,
            device: committed.model.device.clone(),
            neurons_on: committed.neurons_on.clone(),
            checking: !committed.checking.is_empty(),
            checked: committed.checked(),
            view: view.clone(),
            unit_refused: view.unit.of_result(&committed.basis).err().map(|why| why.to_string()),
            look,
            unit: experiment.metric.unit(),
            sign: "positive: supports the clean behaviour",
            gap: committed.basis.gap,
            experiment,
            clean,
            corrupted,
            tables: committed.tables.iter().map(|t| Scored::of(t, committed, look)).collect(),
            partial: Partial::of(committed),
            rounded_to: (committed.origin == Origin::Link).then_some(Snapshot::ROUNDING),
            known_heads: known.clone(),
            lab: lab.clone(),
        }
    }

    /// What a picture says of it.
    pub(super) fn caption(&self) -> Caption<'_> {
        Caption {
            experiment: &self.experiment,
            clean: &self.clean,
            corrupted: &self.corrupted,
            unit: self.unit,
            model: &self.model_title,
            shape: self.model_shape,
            model_sha256: &self.model_sha256,
            model_as_expected: self.model_as_expected,
            device: &self.device.name,
            twinbeam: self.twinbeam,
            link: &self.link,
        }
    }

    /// What closer questions have found.
    pub(super) fn findings(&self) -> Vec<&Finding> {
        self.lab.iter().map(|looked| &looked.found).collect()
    }

    /// What is on the screen, in a line.
    pub(super) fn screen_line(&self) -> String {
        explain::on_screen(
            self.look,
            self.experiment.metric,
            ComponentKind::Heads,
            self.view.pinned,
        )
    }

    /// The model in a line: names, commit, digest and address, as far as they are known.
    fn model_line(&self) -> String {
        let (title, id) = (&self.model_title, &self.experiment.model);
        let name = if title == id { id.clone() } else { format!("{title} ({id})") };
        let mut digest = self.model_sha256.clone();
        if let Some(n) = self.model_shards {
            digest = format!("{digest} of the list of {n} files’ digests");
        }
        let digest = if self.model_as_expected == Some(false) {
            format!("sha256 {digest}, which is not the expected one")
        } else {
            format!("sha256 {digest}")
        };
        let commit = self.model_commit.as_ref().map(|commit| format!("commit {commit}"));
        let parts = [Some(name), commit, Some(digest), self.model_address.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The known heads in a line.
    fn known_line(&self) -> Option<(&'static str, String)> {
        let known = self.known_heads.as_ref()?;
        let heads = known.heads.iter();
        let heads: Vec<String> = heads
            .map(|known| {
                let (kind, layer, index) = (ComponentKind::Heads, known.layer, known.head);
                format!("{} {}", Component { kind, layer, index }, known.class)
            })
            .collect();
        Some(("known roles", format!("{} ({}): {}", known.task, known.source, heads.join("; "))))
    }

    pub(crate) fn json(&self) -> String {
        // OK because it holds finite numbers, strings and lists.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Lines of provenance, a header, and a line per score.
    pub(crate) fn csv(&self) -> String {
        let Experiment {
            clean,
            corrupted,
            answer,
            wrong,
            written,
            prepend_bos,
            n_steps,
            metric,
            ..
        } = &self.experiment;
        let igs = self.tables.iter().map(|scored| &scored.table);
        let used = igs.filter(|t| t.method() == Method::Ig).flat_map(ScoreTable::n_steps);
        let steps = match n_steps {
            Steps::Fixed(n_steps) => n_steps.to_string(),
            auto @ Steps::Auto { .. } => format!("{auto}, {}", explain::steps(*auto, used)),
        };
        let list = |texts: &[String]| serde_json::to_string(texts).unwrap_or_default();
        let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let said = |name: &str, value: &str| csv::comment(&format!("{name}: {value}"));
        let mut provenance = vec![
            said("twinbeam", self.twinbeam),
            said("model", &self.model_line()),
            said("device", &device_words(&self.device)),
            csv::typed("clean", &text(clean)),
            csv::typed("corrupted", &text(corrupted)),
            csv::typed("answer", &list(answer)),
            csv::typed("wrong", &list(wrong)),
            // What is given in token ids has nothing put in front.
            said("begins with BOS", &(*prepend_bos && !written.prompts_are_ids()).to_string()),
            said("IG steps", &steps),
            said("metric", &format!("{metric}, in {}", self.unit)),
            said("gap", &format!("{} {}", self.gap, self.unit)),
            said("score", &format!("in the metric's unit, both directions; {}", self.sign)),
            said("shown", "the same score as the screen has it, in shown_unit"),
            said("on the screen", &self.screen_line()),
            said("sign on the screen", explain::sign(self.look)),
            said("link", &self.link),
        ];
        if let Some(device) = &self.neurons_on {
            provenance.push(said("device of the neurons", &device_words(device)));
        }
        if self.checking {
            provenance.push(said("check", "still running when this was saved"));
        }
        if *written != Written::Text {
            provenance.push(said("written as", written.id()));
        }
        provenance.extend(self.unit_refused.iter().map(|why| said("unit refused", why)));
        provenance.extend(self.partial.iter().map(Partial::line).map(|(n, v)| said(n, &v)));
        provenance.extend(self.known_line().map(|(n, v)| said(n, &v)));
        let deeper = circuits::said(&self.findings());
        provenance.extend(deeper.into_iter().map(|(name, value)| said(name, value)));
        // This line, the provenance; then comes the header.
        let n_lines = 1 + provenance.len();
        let mut out = csv::comment(&format!(
            "{n_lines} lines of provenance, then the table: pandas.read_csv(name, comment='#') reads it"
        ));
        out += &provenance.concat();
        out += &csv::line([
            "kind",
            "method",
            "direction",
            "layer",
            "index",
            "score",
            "unit",
            "shown",
            "shown_unit",
        ]);
        for Scored { table, shown } in &self.tables {
            let [kind, method, direction] =
                [table.kind().id(), table.method().id(), table.direction().id()];
            for (place, score) in exact(table).enumerate() {
                let Component { layer, index, .. } =
                    Component::at(table.kind(), place, table.width());
                let (layer, index) = (layer.to_string(), index.to_string());
                let written = |factor: f32| {
                    score.map(|score| (score * factor).to_string()).unwrap_or_default()
                };
                let (score, in_unit) = (written(1.0), written(shown.factor));
                out += &csv::line([
                    kind, method, direction, &layer, &index, &score, self.unit, &in_unit,
                    shown.unit,
                ]);
            }
        }
        out + &circuits::lines(&self.findings(), self.unit, self.lab_shown)
    }
}

fn device_words(device: &DeviceReport) -> String {
    format!("{}. {}", device.name, device.reason)
}

#[cfg(test)]
pub(crate) mod tests {
    use twinbeam_core::models::Catalog;
    use twinbeam_core::scores::{Patches, TableKey, Unit};

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

    /// A small result whose prompts try to break out.
    pub(crate) fn record() -> Record {
        screen(&committed()).record()
    }

    #[test]
    fn csv_begins_with_comments_that_say_how_many_they_are() {
        let csv = record().csv();
        let lines: Vec<&str> = csv.lines().collect();
        let n: usize =
            lines[0].trim_start_matches("# ").split(' ').next().unwrap().parse().unwrap();
        assert_eq!(lines[n], "kind,method,direction,layer,index,score,unit,shown,shown_unit");
        assert_eq!(lines.len(), n + 1 + 8);
        assert_eq!(lines[n + 2], "heads,ig,noising,0,1,-0.25,logits,-0.25,logits");
        assert!(lines[..n].iter().all(|line| line.starts_with("# ")), "{lines:?}");
        assert!(lines[n..].iter().all(|line| !line.contains('#')), "{lines:?}");
        let prompt = r#"# clean: "=1+1\nsay \u0022yes\u0022, <b>now</b> & then""#;
        assert!(lines.contains(&prompt), "{lines:?}");
    }

    /// What everybody reads such a file with: python3, pandas where it is there and else its own module.
    #[test]
    fn csv_is_read_by_python_in_one_line() {
        let committed = committed();
        let mut screen = screen(&committed);
        screen.view.unit = Unit::Notebook;
        let file = std::env::temp_dir().join(format!("twinbeam-{}.csv", std::process::id()));
        std::fs::write(&file, screen.record().csv()).unwrap();
        let program = r##"
import csv, sys
name = sys.argv[1]
try:
    import pandas
    rows = pandas.read_csv(name, comment="#").astype(str).to_dict("records")
except ImportError:
    with open(name, encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
ap = [row for row in rows if row["method"] == "ap"]
print(len(rows), *(f"{float(row['score'])} {float(row['shown'])} {row['unit']}" for row in ap), ap[0]["shown_unit"], sep="|")
with open(name, encoding="utf-8", newline="") as lines:
    cells = [cell for row in csv.reader(lines) for cell in row]
bad = [cell for cell in cells if cell[:1] in "=+@\t" and cell or cell[:1] == "-" and not cell[1:2].isdigit()]
print(bad)
"##;
        let python =
            std::process::Command::new("python3").args(["-c", program]).arg(&file).output();
        std::fs::remove_file(&file).ok();
        let Ok(python) = python else {
            // Everything else about the file is held in Rust.
            return;
        };
        let said = String::from_utf8_lossy(&python.stdout);
        let errors = String::from_utf8_lossy(&python.stderr);
        assert_eq!(
            said.trim(),
            "8|0.25 -0.0625 logits|-0.25 0.0625 logits|0.0 -0.0 logits|2.0 -0.5 logits|of the gap, notebook’s sign\n[]",
            "{errors}"
        );
    }

    #[test]
    fn json_holds_the_scores_to_the_bit_and_a_link_that_can_be_read() {
        let record = record();
        let json: serde_json::Value = serde_json::from_str(&record.json()).unwrap();
        let tables: Vec<ScoreTable> = serde_json::from_value(json["tables"].clone()).unwrap();
        assert!(tables.iter().eq(record.tables.iter().map(|scored| &scored.table)));
        let fragment = json["link"].as_str().and_then(|link| link.split('#').nth(1)).unwrap();
        let link = twinbeam_core::link::parse_link(fragment).unwrap();
        assert_eq!(link.experiment, record.experiment);
        assert_eq!(json["gap"], 4.0);
    }

    #[test]
    fn what_is_not_patched_has_no_score_of_ap_in_any_file() {
        let mut committed = committed();
        let values: Vec<f32> = (0..16).map(|place| place as f32 / 16.0).collect();
        let (kind, direction) = (ComponentKind::Neurons, Direction::Noising);
        let key = TableKey { kind, method: Method::Ig, direction };
        committed.tables.insert(ScoreTable::new(key, 8, values));
        let patches = Patches { kind, direction, places: vec![3], values: vec![7.0] };
        patches.add_to(&mut committed.tables);
        let coverage = Coverage { exact: 1, total: 16, sampled: 0, larger: 0, missed_share: None };
        committed.cover(Direction::Noising, coverage);
        assert!(!committed.is_complete(ComponentKind::Neurons));
        let record = screen(&committed).record();
        let csv = record.csv();
        let said = |words: &str| csv.contains(&format!("# in part: {words}\r\n"));
        assert!(said("AP exact for 1 of 16 neurons, noising, the others are left empty"), "{csv}");
        assert!(said("AP exact for 0 of 16 neurons, denoising"), "{csv}");
        assert!(csv.contains("neurons,ap,noising,0,3,7,logits,7,logits\r\n"), "{csv}");
        assert!(csv.contains("neurons,ap,noising,1,3,,logits,,logits\r\n"), "{csv}");
        assert!(csv.contains("neurons,ig,noising,1,3,0.6875,logits,0.6875,logits\r\n"), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&record.json()).unwrap();
        assert_eq!(
            (&json["tables"][3]["values"][3], &json["tables"][3]["values"][4]),
            (&7.0.into(), &serde_json::Value::Null)
        );
        assert_eq!(
            (&json["partial"][0]["coverage"]["exact"], &json["partial"][1]["coverage"]["exact"]),
            (&1.into(), &0.into())
        );
    }

    #[test]
    fn the_model_and_what_is_known_of_its_heads_travel_with_the_scores() {
        let known = Catalog::bundled().find("gpt2").and_then(|small| small.known_heads.clone());
        let commit = Some("c0".repeat(20));
        let record = Record { model_commit: commit, known_heads: known, ..record() };
        let csv = record.csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[2].contains("Bundled model (mini), commit c0c0"), "{}", lines[2]);
        let header = lines.iter().position(|line| line.starts_with("kind,")).unwrap();
        assert!(lines[header - 1].contains("L9H9 Name Mover"), "{}", lines[header - 1]);
        assert!(lines[0].contains(&format!("# {header} lines")), "{}", lines[0]);
    }
}
