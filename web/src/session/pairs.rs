//! Many prompts are run one after the other, each as an ordinary job of its own.

use std::sync::Arc;

use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::PairList;
use twinbeam_core::scores::many::{CaseResult, Merging};
use twinbeam_core::scores::{Outcome, SideSummary, Tables, Unit};
use twinbeam_core::wire::Event;
use twinbeam_core::words::{ComponentKind, Experiment};

use super::many::Run;
use super::session::Session;
use crate::explain::{self, lists};
use crate::values::BUILD;
use crate::values::Job;

/// What the pairs have in common, with all that it was computed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// As programs read it.
    pub(crate) json: String,
    /// Pairs that it is of.
    pub(crate) n: usize,
    /// The settings in words.
    pub(crate) settings: String,
}

impl Session {
    /// Runs all pairs from the first one on.
    pub(super) fn begin_pairs(&mut self) {
        let settings = self.draft.clone();
        let Some(loaded) = self.loaded.clone() else { return };
        self.pause_pairs();
        let mut kinds = vec![ComponentKind::Heads];
        if self.sight.pairs_with_neurons {
            kinds.push(ComponentKind::Neurons);
        }
        let mut merging = Merging::new(settings.metric, Unit::Metric, loaded.shape.d_model);
        for bad in self.many.own_list().into_iter().flat_map(PairList::bad) {
            let reason =
                if bad.name.is_empty() { bad.problem.to_string() } else { bad.to_string() };
            merging.leave_out(bad.title(), reason);
        }
        let many = &mut self.many;
        many.run = Run {
            merging: Some(merging),
            name: String::new(),
            outcome: None,
            fingerprint: loaded.fingerprint.clone(),
            kinds,
            pairs: Arc::clone(&many.pairs),
            draw: many.draw.clone(),
        };
        many.problem = None;
        many.of = Some(settings);
        many.merged = None;
        many.next = 0;
        many.is_running = true;
    }

    /// Goes on where it was stopped.
    pub(super) fn resume_pairs(&mut self) {
        self.many.problem = None;
        self.many.is_running = true;
    }

    /// Stops after what is done.
    pub(super) fn pause_pairs(&mut self) {
        self.many.is_running = false;
        self.interrupt_if(|job| job == Job::Pair);
    }

    /// Runs the next pair.
    pub(super) fn next_pair(&mut self) {
        let many = &mut self.many;
        let pair = many.pairs.get(many.next).cloned();
        let (Some(pair), Some(settings)) = (pair, many.of.clone()) else {
            many.is_running = false;
            return;
        };
        let fingerprint = self.loaded.as_ref().map(|loaded| &loaded.fingerprint);
        if fingerprint != Some(&many.run.fingerprint) {
            many.problem = Some(lists::ANOTHER_MODEL.to_owned());
            many.is_running = false;
            return;
        }
        (many.run.name, many.run.outcome) = (pair.title(many.next), None);
        let kinds = many.run.kinds.clone();
        let PromptPair { clean, corrupted, answer, wrong, written, .. } = pair;
        let experiment = Experiment { clean, corrupted, answer, wrong, written, ..settings };
        self.begin_run(Job::Pair, experiment, kinds);
    }

    /// What the worker says of the running pair.
    pub(super) fn hear_of_pair(&mut self, event: Event) {
        let outcome = &mut self.many.run.outcome;
        match event {
            Event::Sides { clean, corrupted, .. } => self.begin_outcome(*clean, *corrupted),
            Event::Strip { strip, .. } => {
                if let Some(outcome) = outcome {
                    strip.add_to(&mut outcome.tables);
                }
            }
            Event::Patched { patches, .. } => {
                if let Some(outcome) = outcome {
                    patches.add_to(&mut outcome.tables);
                }
            }
            // A GPU's pair is taken when the CPU has confirmed a sample of it.
            Event::Done { checking: true, .. } => {}
            Event::Withdrawn { .. } => {
                *outcome = None;
                self.running = None;
                self.next_pair();
            }
            Event::Done { .. } | Event::Checked { .. } => {
                let Run { outcome, merging, name, .. } = &mut self.many.run;
                if let (Some(outcome), Some(merging)) = (outcome.take(), merging) {
                    merging.add(&CaseResult::of(name.clone(), outcome));
                }
                self.one_more_pair();
            }
            Event::Failed { problem, .. } => {
                self.leave_out(explain::in_a_line(&problem, self.is_on_gpu()));
            }
            Event::Cancelled { .. } => {
                self.many.is_running = false;
                self.finish();
            }
            _ => {}
        }
    }

    /// Lists the running pair as one that failed, and goes on.
    pub(super) fn leave_out(&mut self, reason: String) {
        let Run { merging, name, .. } = &mut self.many.run;
        if let Some(merging) = merging {
            merging.leave_out(name.clone(), reason);
        }
        self.one_more_pair();
    }

    fn begin_outcome(&mut self, clean: SideSummary, corrupted: SideSummary) {
        let (Some(shape), Some(experiment)) = (self.shape(), self.many.of.clone()) else {
            return;
        };
        self.many.run.outcome = Some(Outcome {
            experiment,
            shape,
            clean,
            corrupted,
            tables: Tables::default(),
            joint: Vec::new(),
            seconds: Vec::new(),
        });
    }

    /// A pair is done, whatever came of it.
    fn one_more_pair(&mut self) {
        let many = &mut self.many;
        many.merged = many.run.merging.as_ref().map(|merging| Arc::new(merging.merged()));
        many.next += 1;
        if many.next >= many.pairs.len() {
            many.is_running = false;
        }
        self.finish();
    }

    /// What the pairs have in common; `None` before a pair is done.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let many = &self.many;
        let (merged, of) = (many.merged.as_ref()?, many.of.as_ref()?);
        let Experiment { model, metric, n_steps, prepend_bos, .. } = of;
        let provenance = serde_json::json!({
            "twinbeam": BUILD,
            "model": model,
            "model_sha256": many.run.fingerprint,
            "metric": metric.id(),
            "n_steps": n_steps,
            "prepend_bos": prepend_bos,
            "draw": many.run.draw,
        });
        Some(Summary {
            json: format!("{{\"provenance\":{provenance},\"merged\":{}}}\n", merged.to_json()),
            n: merged.n(),
            settings: format!("{model}, {}, {n_steps} steps", metric.label()),
        })
    }
}
