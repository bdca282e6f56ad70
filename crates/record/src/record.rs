//! A result with everything that is needed to judge and to repeat it, as CSV and JSON carry it.

use serde::{Serialize, Serializer};
use twinbeam_core::link::View;
use twinbeam_core::models::{KnownHeads, ModelShape};
use twinbeam_core::scores::{Coverage, JointEffects, ScoreTable, SideSummary, TableKey, UnitBasis};
use twinbeam_core::wire::devices::{CheckReport, DeviceReport};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{
    Component, ComponentKind, Direction, Experiment, Method, Steps, Written,
};
use twinbeam_figure::{Caption, Look, Shown, words};

use crate::{circuits, csv};

/// A result with everything that is needed to judge and to repeat it.
///
/// # Units
/// The metric's, whatever unit is on the screen, and both directions; positive supports the clean behaviour. `view` and
/// each table's `shown` say how the screen has it.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Version of Twinbeam, with its commit where that is known.
    pub twinbeam: &'static str,
    /// Address of a page with the experiment in it; empty: there is none.
    pub link: String,
    /// The model's name for people; `experiment` has the one in links.
    pub model_title: String,
    /// Commit of the model's repository.
    pub model_commit: Option<String>,
    /// Folder of the model's files.
    pub model_address: Option<String>,
    /// SHA-256 of the weights, in hexadecimal.
    pub model_sha256: String,
    /// Number of files that the model's weights are in, if not in one: the digest is then that of the list of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_shards: Option<usize>,
    /// Whether the weights have the expected digest; `None`: none is known.
    pub model_as_expected: Option<bool>,
    /// Sizes of the model.
    pub model_shape: ModelShape,
    /// What computed the heads, and the neurons unless `neurons_on` says otherwise.
    pub device: DeviceReport,
    /// Where the neurons were computed, if not where the heads were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neurons_on: Option<DeviceReport>,
    /// Whether the check on the CPU is still running.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checking: bool,
    /// How the result was checked; on a GPU against the CPU.
    pub checked: Option<CheckReport>,
    /// What was asked.
    pub experiment: Experiment,
    /// What was on the screen of it: the direction, the unit that was chosen, the scale and what was pinned, among others.
    pub view: View,
    /// Why scores are not shown in the chosen unit, if they are not: then they are in the metric's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_refused: Option<String>,
    /// What was on the screen, in the unit that scores are shown in.
    #[serde(skip)]
    pub look: Look,
    /// The metric's unit.
    pub unit: &'static str,
    /// What the sign of a score in that unit says.
    pub sign: &'static str,
    /// Clean metric minus corrupted metric, so oriented that more is more of the clean behaviour.
    pub gap: f32,
    /// The clean run.
    pub clean: SideSummary,
    /// The corrupted run.
    pub corrupted: SideSummary,
    /// What scores may be off by as a share of their table's largest, where they came with a link.
    pub rounded_to: Option<f32>,
    /// All scores.
    pub tables: Vec<Scored>,
    /// Effects of whole layers, each with all of its components replaced together, where they were handed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub joint: Vec<JointEffects>,
    /// What is not patched to the last component, and how much of it is; empty: all is.
    pub partial: Vec<Partial>,
    /// Heads whose part in a task was studied, which is not that they must score high in this one.
    pub known_heads: Option<KnownHeads>,
    /// What the units depend on.
    #[serde(skip)]
    pub basis: UnitBasis,
    /// Answers to the closer questions that were open.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lab: Vec<Looked>,
}

/// A closer question with what was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Looked {
    /// The question.
    pub probe: Probe,
    /// The answer.
    pub found: Finding,
    /// Whether a GPU computed it and nothing has checked that.
    pub unchecked: bool,
}

/// How much of a table of patches is exact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Partial {
    /// Heads or neurons.
    pub kind: ComponentKind,
    /// Which run is changed.
    pub direction: Direction,
    /// How much of it is exact.
    pub coverage: Coverage,
}

impl Partial {
    fn line(&self) -> (&'static str, String) {
        let Self { kind, direction, coverage: Coverage { exact, total, .. } } = self;
        let kind = kind.id();
        let rest = if *exact == 0 { "" } else { ", the others are left empty" };
        ("in part", format!("AP exact for {exact} of {total} {kind}, {direction}{rest}"))
    }
}

/// A table, and how the screen writes its scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The table in the metric's unit.
    pub table: ScoreTable,
    /// How the screen writes it.
    pub shown: InUnit,
}

/// How scores are written on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InUnit {
    /// The unit in words.
    pub unit: &'static str,
    /// What a score in the metric's unit is multiplied by.
    pub factor: f32,
}

impl Scored {
    /// A table in the metric's unit. `look`: in a unit that the result allows, as [`Look::at`] makes it.
    pub fn of(table: &ScoreTable, basis: &UnitBasis, look: Look) -> Self {
        let key = table.key();
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
    /// What the sign of every score says in the metric's unit, by every method and in both directions.
    pub const SIGN: &'static str = "positive: supports the clean behaviour";

    /// IG's and AP's scores of a kind and direction, as the screen has them, or would have them in that direction.
    pub fn shown(&self, kind: ComponentKind, direction: Direction) -> Shown {
        let look = Look { direction, ..self.look };
        Shown::new(self.tables(kind, direction), &self.basis, look, kind)
    }

    /// IG's and AP's scores of a kind and direction in the metric's unit, as far as they are there.
    pub(crate) fn tables(
        &self,
        kind: ComponentKind,
        direction: Direction,
    ) -> [Option<&ScoreTable>; 2] {
        [Method::Ig, Method::Ap].map(|method| {
            let key = TableKey { kind, method, direction };
            self.tables.iter().map(|scored| &scored.table).find(|table| table.key() == key)
        })
    }

    /// What a picture says of it.
    pub fn caption(&self) -> Caption<'_> {
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
    pub(crate) fn findings(&self) -> Vec<&Finding> {
        self.lab.iter().map(|looked| &looked.found).collect()
    }

    /// What is on the screen, in a line.
    pub(crate) fn screen_line(&self) -> String {
        words::on_screen(self.look, self.experiment.metric, ComponentKind::Heads, self.view.pinned)
    }

    /// The model in a line: names, commit, digest and address, as far as they are known.
    fn model_line(&self) -> String {
        let (title, id) = (&self.model_title, &self.experiment.model);
        let name =
            if title == id || id.is_empty() { title.clone() } else { format!("{title} ({id})") };
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

    /// All of it as JSON: every score with every digit, by table; `null` where a component has not been patched.
    pub fn json(&self) -> String {
        // OK because it holds finite numbers, strings and lists.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Lines of provenance, a header, and a line per score.
    pub fn csv(&self) -> String {
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
            auto @ Steps::Auto { .. } => format!("{auto}, {}", words::steps(*auto, used)),
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
            said("sign on the screen", words::sign(self.look)),
        ];
        provenance.extend((!self.link.is_empty()).then(|| said("link", &self.link)));
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
        let common = self.view.unit.common(&self.basis);
        out + &circuits::lines(&self.findings(), self.unit, common)
    }
}

fn device_words(device: &DeviceReport) -> String {
    format!("{}. {}", device.name, device.reason)
}

#[cfg(test)]
pub(crate) mod tests {
    use twinbeam_core::models::Catalog;
    use twinbeam_core::scores::{MetricValues, Unit};

    use super::*;

    const SHAPE: ModelShape = ModelShape {
        n_layers: 2,
        n_heads: 2,
        d_model: 4,
        d_head: 2,
        d_mlp: 8,
        n_ctx: 8,
        d_vocab: 9,
    };

    /// A small result whose prompts try to break out of the files that they are written into.
    pub(crate) fn record() -> Record {
        record_in(Unit::Metric)
    }

    /// That result on a screen which shows another unit.
    pub(crate) fn record_in(unit: Unit) -> Record {
        let experiment = Experiment {
            clean: "=1+1\nsay \"yes\", <b>now</b> & then".to_owned(),
            ..Experiment::default()
        };
        let side = |logit_diff| {
            let metrics = MetricValues {
                logit_diff,
                prob_answer: 0.5,
                prob_wrong: 0.25,
                prob_diff: 0.25,
                log_prob: -0.7,
                kl: 0.0,
            };
            SideSummary { metrics, n_pos: 5, top: Vec::new() }
        };
        let [clean, corrupted] = [3.0, -1.0].map(side);
        let basis = UnitBasis::new(experiment.metric, &clean, &corrupted, SHAPE.d_model);
        let view = View { unit, ..View::default() };
        let look = Look::of(&view).at(&basis);
        let (kind, direction) = (ComponentKind::Heads, Direction::Noising);
        let scored = |(method, values): (Method, [f32; 4])| {
            let table = ScoreTable::new(TableKey { kind, method, direction }, 2, values.to_vec());
            Scored::of(&table, &basis, look)
        };
        let tables = [(Method::Ig, [0.5, -0.25, 0.0, 1.0]), (Method::Ap, [0.25, -0.25, 0.0, 2.0])];
        Record {
            twinbeam: "1.2.3",
            link: "https://example.org/page/#v1=link".to_owned(),
            model_title: "Bundled model".to_owned(),
            model_commit: None,
            model_address: None,
            model_sha256: "ab".repeat(32),
            model_shards: None,
            model_as_expected: None,
            model_shape: SHAPE,
            device: DeviceReport {
                gpu: false,
                name: "CPU".to_owned(),
                reason: "Chosen.".to_owned(),
            },
            neurons_on: None,
            checking: false,
            checked: None,
            view,
            unit_refused: None,
            look,
            unit: experiment.metric.unit(),
            sign: Record::SIGN,
            gap: basis.gap,
            experiment,
            clean,
            corrupted,
            rounded_to: None,
            tables: tables.into_iter().map(scored).collect(),
            joint: Vec::new(),
            partial: Vec::new(),
            known_heads: None,
            basis,
            lab: Vec::new(),
        }
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
        let file = std::env::temp_dir().join(format!("twinbeam-{}.csv", std::process::id()));
        std::fs::write(&file, record_in(Unit::Notebook).csv()).unwrap();
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
    fn json_holds_the_scores_to_the_bit() {
        let record = record();
        let json: serde_json::Value = serde_json::from_str(&record.json()).unwrap();
        let tables: Vec<ScoreTable> = serde_json::from_value(json["tables"].clone()).unwrap();
        assert!(tables.iter().eq(record.tables.iter().map(|scored| &scored.table)));
        assert_eq!(json["link"], record.link);
        assert_eq!(json["gap"], 4.0);
    }

    #[test]
    fn what_is_not_patched_has_no_score_of_ap_in_any_file() {
        let mut record = record();
        let (kind, direction) = (ComponentKind::Neurons, Direction::Noising);
        let ig: Vec<f32> = (0..16).map(|place| place as f32 / 16.0).collect();
        let mut ap = ig.clone();
        ap[3] = 7.0;
        let key = |method| TableKey { kind, method, direction };
        let tables = [
            ScoreTable::new(key(Method::Ig), 8, ig),
            ScoreTable::new(key(Method::Ap), 8, ap)
                .with_exact((0..16).map(|place| place == 3).collect()),
        ];
        record.tables.extend(tables.iter().map(|t| Scored::of(t, &record.basis, record.look)));
        record.partial = [(direction, 1), (direction.other(), 0)]
            .map(|(direction, exact)| {
                let coverage =
                    Coverage { exact, total: 16, sampled: 0, larger: 0, missed_share: None };
                Partial { kind, direction, coverage }
            })
            .to_vec();
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
