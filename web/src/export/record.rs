use serde::Serialize;
use twinbeam_core::{CheckReport, DeviceReport, Experiment, ModelShape, ScoreTable, SideSummary};

use super::csv;
use crate::state::Committed;

/// A result with everything that is needed to judge and to repeat it.
///
/// # Units
/// The metric's, whatever unit is on the screen; positive supports the clean behaviour.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    /// The page's version and commit.
    pub(crate) twinbeam: &'static str,
    /// Address of the page with the experiment in it.
    pub(crate) link: String,
    pub(crate) model_sha256: String,
    pub(crate) model_shape: ModelShape,
    pub(crate) device: DeviceReport,
    /// How it was checked; on a GPU against the CPU.
    pub(crate) checked: Option<CheckReport>,
    pub(crate) experiment: Experiment,
    pub(crate) unit: &'static str,
    pub(crate) sign: &'static str,
    /// Clean metric minus corrupted metric, so oriented that more is more of the clean behaviour.
    pub(crate) gap: f32,
    pub(crate) clean: SideSummary,
    pub(crate) corrupted: SideSummary,
    pub(crate) tables: Vec<ScoreTable>,
}

impl Record {
    /// `link` is the address that opens the experiment.
    pub(crate) fn new(link: String, committed: &Committed) -> Self {
        let (clean, corrupted) = committed.sides.clone();
        let experiment = committed.experiment.clone();
        Self {
            twinbeam: crate::BUILD,
            link,
            model_sha256: committed.model.fingerprint.clone(),
            model_shape: committed.model.shape,
            device: committed.model.device.clone(),
            checked: committed.checked(),
            unit: experiment.metric.unit(),
            sign: "positive: supports the clean behaviour",
            gap: committed.basis.gap,
            experiment,
            clean,
            corrupted,
            tables: committed.tables.clone(),
        }
    }

    pub(crate) fn json(&self) -> String {
        // OK because it holds finite numbers, strings and lists.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Lines of provenance, a header, and a line per score.
    pub(crate) fn csv(&self) -> String {
        let Experiment {
            model, clean, corrupted, answer, wrong, prepend_bos, n_steps, metric, ..
        } = &self.experiment;
        let list = |texts: &[String]| serde_json::to_string(texts).unwrap_or_default();
        let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let provenance = [
            ("twinbeam", self.twinbeam.to_owned()),
            ("model", format!("{model}, sha256 {}", self.model_sha256)),
            ("device", format!("{}. {}", self.device.name, self.device.reason)),
            ("clean", text(clean)),
            ("corrupted", text(corrupted)),
            ("answer", list(answer)),
            ("wrong", list(wrong)),
            ("begins with <|endoftext|>", prepend_bos.to_string()),
            ("IG steps", n_steps.to_string()),
            ("metric", format!("{metric}, in {}", self.unit)),
            ("gap", format!("{} {}", self.gap, self.unit)),
            ("sign", self.sign.to_owned()),
            ("link", self.link.clone()),
        ];
        // This line, the provenance; then comes the header.
        let n_lines = 1 + provenance.len();
        let mut out = csv::comment(&format!("{n_lines} lines of provenance, then the table"));
        for (name, value) in &provenance {
            out += &csv::comment(&format!("{name}: {value}"));
        }
        out += &csv::line(["kind", "method", "direction", "layer", "index", "score", "unit"]);
        for table in &self.tables {
            for (layer, row) in table.rows().enumerate() {
                for (index, score) in row.iter().enumerate() {
                    let (layer, index, score) =
                        (layer.to_string(), index.to_string(), score.to_string());
                    let [kind, method, direction] =
                        [table.kind.id(), table.method.id(), table.direction.id()];
                    out += &csv::line([kind, method, direction, &layer, &index, &score, self.unit]);
                }
            }
        }
        out
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use twinbeam_core::{ComponentKind, Direction, Method, MetricValues, UnitBasis, print_link};

    use super::*;
    use crate::state::{Loaded, Origin};

    /// A small result whose prompts try to break out.
    pub(crate) fn record() -> Record {
        let committed = committed();
        let link = print_link(&committed.experiment, None).expect("it is short");
        Record::new(format!("https://example.org/page/#{link}"), &committed)
    }

    pub(crate) fn committed() -> Committed {
        let experiment = Experiment {
            clean: "=1+1\nsay \"yes\", <b>now</b> & then".to_owned(),
            ..Experiment::default()
        };
        let side = |logit_diff| SideSummary {
            metrics: MetricValues {
                logit_diff,
                prob_answer: 0.5,
                prob_wrong: 0.25,
                prob_diff: 0.25,
                log_prob: -0.7,
                kl: 0.0,
            },
            n_pos: 5,
            top: Vec::new(),
        };
        let table = |method, values: [f32; 4]| ScoreTable {
            kind: ComponentKind::Heads,
            method,
            direction: Direction::Noising,
            width: 2,
            values: values.to_vec(),
            convergence_delta: Vec::new(),
        };
        let sides = (side(3.0), side(-1.0));
        Committed {
            basis: UnitBasis::new(experiment.metric, &sides.0, &sides.1, 4),
            experiment,
            origin: Origin::Device { checked: None },
            neurons: Vec::new(),
            model: loaded(),
            sides,
            tables: vec![
                table(Method::Ig, [0.5, -0.25, 0.0, 1.0]),
                table(Method::Ap, [0.25, -0.25, 0.0, 2.0]),
            ],
        }
    }

    fn loaded() -> Loaded {
        let shape = ModelShape {
            n_layers: 2,
            n_heads: 2,
            d_model: 4,
            d_head: 2,
            d_mlp: 8,
            n_ctx: 8,
            d_vocab: 9,
        };
        let device =
            DeviceReport { gpu: false, name: "CPU".to_owned(), reason: "Chosen.".to_owned() };
        Loaded { shape, device, fingerprint: "ab".repeat(32) }
    }

    #[test]
    fn csv_has_one_cell_per_line_of_provenance_and_no_formula() {
        let csv = record().csv();
        let lines: Vec<&str> = csv.lines().collect();
        let n: usize =
            lines[0].trim_start_matches("\"# ").split(' ').next().unwrap().parse().unwrap();
        assert_eq!(lines[n], "kind,method,direction,layer,index,score,unit");
        assert_eq!(lines.len(), n + 1 + 8);
        assert_eq!(lines[n + 2], "heads,ig,noising,0,1,-0.25,logits");
        for line in &lines[..n] {
            assert!(line.starts_with("\"# ") && line.ends_with('"'), "{line}");
            let inside = &line[1..line.len() - 1];
            assert!(!inside.replace("\"\"", "").contains('"'), "one cell: {line}");
        }
    }

    #[test]
    fn json_holds_the_scores_to_the_bit_and_a_link_that_can_be_read() {
        let record = record();
        let json: serde_json::Value = serde_json::from_str(&record.json()).unwrap();
        let tables: Vec<ScoreTable> = serde_json::from_value(json["tables"].clone()).unwrap();
        assert_eq!(tables, record.tables);
        let fragment = json["link"].as_str().and_then(|link| link.split('#').nth(1)).unwrap();
        let link = twinbeam_core::parse_link(fragment).unwrap();
        assert_eq!(link.experiment, record.experiment);
        assert_eq!(json["gap"], 4.0);
    }
}
