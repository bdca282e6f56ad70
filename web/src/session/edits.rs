//! The draft: how it is edited, turned from text into token ids and back, looked at, let go, and remembered.

use twinbeam_core::link::{experiment_from_text, experiment_to_text};
use twinbeam_core::wire::devices::{DeviceChoice, DeviceReport, GpuState, Speed};
use twinbeam_core::wire::inspection::{AnswerCheck, AnswerReading, Inspection, SideView};
use twinbeam_core::words::{Experiment, Written};

use super::msg::{Effect, Memory};
use super::session::Session;
use super::settle::{DRAFT, SPEEDS};
use crate::explain;

/// Most adapters, and widths of models on them, whose speed is remembered.
const MOST_SPEEDS: usize = 12;

impl Session {
    /// Changes the draft and has it looked at, and run by itself if that is quick: at once for a choice, after a pause for
    /// typing.
    pub(super) fn edit(&mut self, draft: Experiment, at_once: bool) {
        if self.workers.jobs == 0 && self.workers.first.is_none() {
            // The first figure is of what the page was opened with, and not of half a word.
            self.workers.first = Some(self.draft.clone());
        }
        self.draft = draft;
        self.failed = false;
        // What is being typed is for the visitor to run.
        self.workers.run_if_possible = false;
        self.inspect(at_once);
        self.plan_auto_run(at_once);
    }

    /// Lets the edits go: the inputs of the figure come back.
    pub(super) fn let_edits_go(&mut self) {
        if let Some(figures) = self.behind_edits() {
            let draft = of_model(figures.clone(), &self.draft);
            self.notice = None;
            self.edit(draft, true);
        }
    }

    /// Turns what is typed into token ids, or into text. Where no text has just these tokens they stay ids: other tokens
    /// would be another experiment.
    pub(super) fn switch_writing(&mut self) {
        // What the model sees must be of what is typed by now.
        if !self.inspected {
            return;
        }
        let turned = match self.draft.written {
            Written::Text => Some(in_ids(&self.draft, &self.inspection)),
            Written::AnswerIds | Written::Ids => self.inspection.in_text.as_deref().cloned(),
        };
        if turned.is_some() {
            // The visitor has chosen: another model takes nothing of it back.
            self.set_aside = None;
        } else {
            self.notice = Some(explain::no_text_of_ids());
        }
        self.edit(turned.unwrap_or_else(|| self.draft.clone()), true);
    }

    /// Token ids are typed from now on, beginning with none.
    pub(super) fn start_with_ids(&mut self) {
        self.follow_tokenizer(false);
        self.inspect(true);
    }

    /// Follows the model that has come into use: one without a tokenizer reads token ids only, and what was typed as text
    /// waits for one that has a tokenizer. Whether there is nothing to run before it is typed.
    pub(super) fn follow_tokenizer(&mut self, reads_text: bool) -> bool {
        // What was typed of the other kind, with the options as they are now.
        let draft = &self.draft;
        let aside = self.set_aside.clone().map(|aside| Experiment {
            model: draft.model.clone(),
            metric: draft.metric,
            n_steps: draft.n_steps,
            ..aside
        });
        let are_ids = draft.written == Written::Ids;
        let aside = aside.filter(|aside| (aside.written == Written::Ids) != are_ids);
        let turned = match aside {
            // As it should be; token ids are read by every model.
            _ if reads_text != are_ids => None,
            None if reads_text => None,
            None => Some(emptied(draft)),
            aside => aside,
        };
        if let Some(turned) = turned {
            self.set_aside = Some(std::mem::replace(&mut self.draft, turned));
        }
        self.draft == emptied(&self.draft)
    }

    /// Has the browser remember the draft, as long as it is not what the address says.
    pub(super) fn remember_draft(&mut self) {
        let address = self.address.as_ref().map_or(&self.opening, |held| &held.experiment);
        // Of a draft that was only emptied, for a model without a tokenizer, the text that waits is what was typed.
        let aside = self.set_aside.as_ref().filter(|_| self.draft == emptied(&self.draft));
        // The tour's examples are not what was typed.
        let draft = self.behind_tour().or(aside).unwrap_or(&self.draft);
        let is_edited = !draft.has_inputs_of(address);
        let is_remembered = match &self.remembered {
            Some((of, edits)) => is_edited && of == address && edits.has_inputs_of(draft),
            None => !is_edited,
        };
        if is_remembered {
            return;
        }
        let edits = is_edited.then(|| (address.clone(), of_model(draft.clone(), address)));
        let text = edits.as_ref().map(|(address, draft)| print_draft(address, draft));
        self.effects.push(Effect::Remember { memory: Memory::OfTab, key: DRAFT, text });
        self.remembered = edits;
    }

    /// Something new is known of the GPU.
    pub(super) fn take_gpu(&mut self, gpu: GpuState) {
        match &gpu {
            GpuState::Ready { report, speed: Some(speed), .. } => {
                self.remember_speed(report, *speed);
            }
            GpuState::Unused { why } if self.device_choice == DeviceChoice::Gpu => {
                self.notice = Some(explain::device::refused(why));
            }
            _ => {}
        }
        self.gpu = gpu;
    }

    fn remember_speed(&mut self, report: &DeviceReport, speed: Speed) {
        let Some(shape) = self.shape() else { return };
        let name = report.speed_name(&shape);
        self.speeds.retain(|(known, _)| *known != name);
        self.speeds.insert(0, (name, speed));
        self.speeds.truncate(MOST_SPEEDS);
        let text = serde_json::to_string(&self.speeds).ok();
        self.effects.push(Effect::Remember { memory: Memory::Lasting, key: SPEEDS, text });
    }
}

/// The edits that the browser remembers, if they were made of the experiment in the address: another link is shown as
/// it is.
pub(super) fn kept_draft(text: &str, address: &Experiment) -> Option<Experiment> {
    let (of, draft) = text.split_once('\n')?;
    let of = experiment_from_text(of).filter(|of| of == address)?;
    let draft = of_model(experiment_from_text(draft)?, &of);
    (draft != of).then_some(draft)
}

/// A line for the experiment in the address, and one for the draft: JSON has no line ends.
pub(super) fn print_draft(address: &Experiment, draft: &Experiment) -> String {
    format!("{}\n{}", experiment_to_text(address), experiment_to_text(draft))
}

/// An experiment on another's model: which one is used is not typed, and said elsewhere.
fn of_model(experiment: Experiment, other: &Experiment) -> Experiment {
    Experiment { model: other.model.clone(), ..experiment }
}

/// A draft before any token id is typed.
fn emptied(draft: &Experiment) -> Experiment {
    Experiment {
        clean: String::new(),
        corrupted: String::new(),
        answer: Vec::new(),
        wrong: Vec::new(),
        written: Written::Ids,
        ..draft.clone()
    }
}

pub(super) fn in_ids(draft: &Experiment, seen: &Inspection) -> Experiment {
    let prompt = |side: &SideView, typed: &str| {
        or_typed(print(side.tokens.iter().map(|token| token.id)), typed)
    };
    let answers = |check: &AnswerCheck, typed: &[String]| {
        each(check, typed, |reading| print(reading.ids.iter().copied()))
    };
    Experiment {
        clean: prompt(&seen.clean, &draft.clean),
        corrupted: prompt(&seen.corrupted, &draft.corrupted),
        answer: answers(&seen.answer, &draft.answer),
        wrong: answers(&seen.wrong, &draft.wrong),
        written: Written::Ids,
        ..draft.clone()
    }
}

fn print(ids: impl Iterator<Item = u32>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(" ")
}

fn or_typed(turned: String, typed: &str) -> String {
    if turned.is_empty() { typed.to_owned() } else { turned }
}

fn each(
    check: &AnswerCheck,
    typed: &[String],
    turn: impl Fn(&AnswerReading) -> String,
) -> Vec<String> {
    let turned = |(place, typed): (usize, &String)| {
        let reading = check.readings.get(place);
        or_typed(reading.map(&turn).unwrap_or_default(), typed)
    };
    typed.iter().enumerate().map(turned).collect()
}
