//! Where each message goes.

use std::sync::Arc;

use twinbeam_core::wire::{Event, Problem};

use super::msg::{Effect, Moment, Msg, OfPairs, Timer, Visitor};
use super::session::Session;
use super::workers::Role;
use crate::explain;
use crate::values::{Job, Progress};

/// The job number of loading a model.
const LOADING: u64 = 0;

/// Takes a message, and gives what is to be done outside, in order.
pub(crate) fn update(session: &mut Session, now: Moment, msg: Msg) -> Vec<Effect> {
    session.now = now;
    match msg {
        Msg::Visitor(visitor) => session.visited(visitor),
        Msg::Worker { from, event } => session.hear(from, *event),
        Msg::Died { from, death } => session.died(from, &death),
        Msg::Address(link) => session.follow_address(link.map(|link| *link)),
        Msg::Listed { listed, fault } => session.listed(listed, fault.as_ref()),
        Msg::Kept { shelves, space } => {
            (session.models.shelves, session.models.space) = (shelves, space);
            session.decide();
        }
        Msg::Program(program) => session.program = Some(program),
        Msg::Service(service) => session.hear_service(service),
        Msg::Timer(Timer::Typing) => session.typing_paused(),
        Msg::Timer(Timer::Pausing) => session.auto_run_is_due(),
        Msg::Timer(Timer::Stopping) => session.replace_hung(),
        Msg::Timer(Timer::Looking) => session.write_view(),
        Msg::Second => session.second(),
    }
    session.settle();
    std::mem::take(&mut session.effects)
}

impl Session {
    /// Starts the page: a worker, and the list of models meanwhile.
    pub(crate) fn begin(&mut self) -> Vec<Effect> {
        self.workers.run_when_loaded = true;
        self.restart();
        self.effects.push(Effect::ReadCatalog);
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn visited(&mut self, visitor: Visitor) {
        match visitor {
            Visitor::Edit { draft, at_once } => self.edit(*draft, at_once),
            Visitor::Open(experiment) => self.open(*experiment, None, true),
            Visitor::SwitchWriting => self.switch_writing(),
            Visitor::StartWithIds => self.start_with_ids(),
            Visitor::LetEditsGo => self.let_edits_go(),
            Visitor::Run => self.run(true),
            Visitor::RunAgain => self.run_again(),
            Visitor::RunNeurons => self.run_neurons(),
            Visitor::SetAutoRun(wanted) => self.set_auto_run(wanted),
            Visitor::MeasureSpeed => self.measure_speed(),
            Visitor::Cancel => self.cancel(),
            Visitor::ChooseDevice(device, workers) => self.start_on(device, workers),
            Visitor::ChooseModel(id) => self.choose(&id),
            Visitor::ChooseFiles { words, model } => {
                self.models.chosen = Some(words);
                match model {
                    Ok(spec) => {
                        self.notice = None;
                        self.load(*spec);
                    }
                    Err(notice) => self.notice = Some(notice),
                }
            }
            Visitor::LoadAgain { any_digest } => self.load_again(any_digest),
            Visitor::UseBundled => self.use_bundled(),
            Visitor::CancelLoad => self.cancel_load(),
            Visitor::Deleted { shelf } => self.deleted(&shelf),
            Visitor::Look(sight) => self.sight = *sight,
            Visitor::Step(sight) => self.step(*sight),
            Visitor::Want { slot, probe } => self.wants[slot as usize] = probe,
            Visitor::AskAgain(slot) => self.answers[slot as usize] = None,
            Visitor::Pairs(pairs) => self.of_pairs(pairs),
            Visitor::Tour(of) => self.of_tour(of),
            Visitor::Hear(notice) => self.notice = Some(notice),
            Visitor::Dismiss => self.notice = None,
            Visitor::LoadNewer => self.load_newer(),
            Visitor::Later => self.newer = None,
        }
    }

    fn of_pairs(&mut self, pairs: OfPairs) {
        match pairs {
            OfPairs::Run => self.begin_pairs(),
            OfPairs::Stop => self.pause_pairs(),
            OfPairs::GoOn => self.resume_pairs(),
            OfPairs::Type(text) => self.type_pairs(text),
            OfPairs::Read { name, text } => self.read_file(&name, text),
            OfPairs::Refuse { name, why } => self.refuse_file(&name, why.as_ref()),
            OfPairs::Draw { task, n, seed } => self.draw_pairs(task, n, seed),
            OfPairs::DrawAndRun(draw) => self.draw_and_run(draw),
            OfPairs::Undo => self.undo_pairs(),
        }
    }

    /// What a worker says counts as long as it is one of ours.
    fn hear(&mut self, from: u64, event: Event) {
        if let Event::Panicked { message } = event {
            self.workers.last_words = Some((from, message));
            return;
        }
        match self.workers.role(from) {
            Some(Role::InUse) => self.hear_in_use(event),
            Some(Role::Arriving) => self.hear_arriving(event),
            Some(Role::Reader) => self.hear_reader(event),
            None => {}
        }
    }

    fn hear_in_use(&mut self, event: Event) {
        self.workers.silence = 0;
        match event {
            Event::Started { build } => self.started(&build, Role::InUse),
            Event::Loaded { .. } => self.take_loaded(event),
            Event::SelfChecked { check } => self.models.self_check = Some(check),
            Event::Waiting { wait } => {
                if !self.is_another_arriving() {
                    self.arriving_waits(wait);
                }
            }
            Event::Words => self.open_reader(),
            Event::Inspected { seq, inspection } => self.take_inspection(seq, *inspection),
            Event::Predicted { seq, predictions } => self.take_predictions(seq, *predictions),
            Event::Drawn { draw, pairs } => self.take_drawn(&draw, pairs),
            Event::Gpu { state } => self.take_gpu(state),
            Event::Progress { job, phase, done, total, seconds } => {
                let progress = Progress { phase, done, total, seconds };
                if job == LOADING {
                    self.loading = Some(progress);
                    if !self.is_another_arriving() {
                        self.arriving_progress(progress);
                    }
                } else if let Some(running) = self.running.as_mut().filter(|r| r.id == job) {
                    running.progress = Some(progress);
                }
            }
            // A check goes on after its job.
            Event::Checked { job, report, .. } if !self.is_pair(job) => {
                if self.confirmed(job, report) {
                    self.keep_in_address();
                }
            }
            Event::Withdrawn { job, problem } if !self.is_pair(job) => {
                self.withdrawn(job, &problem);
            }
            // A lost device is everybody's.
            Event::Failed { job, problem }
                if job.is_none() || matches!(problem, Problem::DeviceLost { .. }) =>
            {
                self.failed(&problem);
            }
            event => self.hear_of_job(event),
        }
    }

    /// Hears what is said of the running job. What is said of another is of one that nobody wants any more.
    fn hear_of_job(&mut self, event: Event) {
        let Some(running) = self.running.as_ref().filter(|r| job_of(&event) == Some(r.id)) else {
            return;
        };
        match running.job {
            Job::Pair => self.hear_of_pair(event),
            Job::Question(slot) => self.hear_answer(slot, event),
            Job::Heads | Job::Neurons | Job::Speed => self.hear_of_figure(event),
        }
    }

    fn hear_of_figure(&mut self, event: Event) {
        let job = self.job();
        match event {
            Event::Sides { clean, corrupted, .. } => self.begin_result(*clean, *corrupted),
            Event::Strip { strip, .. } => {
                self.add(strip.key.kind, |committed| strip.add_to(&mut committed.tables));
            }
            Event::Patched { patches, coverage, .. } => {
                self.add(patches.kind, |committed| {
                    patches.add_to(&mut committed.tables);
                    committed.cover(patches.direction, coverage);
                });
            }
            Event::Placed { device, placement, .. } => self.placed(device, placement),
            Event::Moved { problem, .. } => self.moved(&problem),
            Event::Benched { bench, .. } => {
                self.finish();
                self.bench = Some(Arc::from(bench));
            }
            Event::Done { job: id, seconds, checking, .. } => match job {
                Some(Job::Neurons) => {
                    self.finish();
                    self.check(id, checking);
                    self.keep_in_address();
                }
                Some(Job::Heads) => {
                    let seconds = seconds.iter().map(|(_, seconds)| seconds).sum();
                    self.seconds = Some(seconds);
                    self.learn_speed(seconds);
                    self.heads_done(id, checking);
                }
                _ => {}
            },
            Event::Cancelled { .. } => {
                self.finish();
                match job {
                    // Its button is there again, which says enough.
                    Some(Job::Speed) => {}
                    Some(Job::Neurons) => self.notice = Some(explain::neurons_stopped()),
                    _ => self.notice = Some(explain::problem(&Problem::Cancelled, false)),
                }
            }
            Event::Failed { problem, .. } => self.failed(&problem),
            _ => {}
        }
    }

    /// Whether a job is the running pair of many.
    fn is_pair(&self, job: u64) -> bool {
        self.running.as_ref().is_some_and(|r| r.id == job && r.job == Job::Pair)
    }
}

/// The job that an event belongs to.
const fn job_of(event: &Event) -> Option<u64> {
    match event {
        Event::Progress { job, .. }
        | Event::Sides { job, .. }
        | Event::Strip { job, .. }
        | Event::Patched { job, .. }
        | Event::Benched { job, .. }
        | Event::Probed { job, .. }
        | Event::Done { job, .. }
        | Event::Placed { job, .. }
        | Event::Moved { job, .. }
        | Event::Checked { job, .. }
        | Event::Withdrawn { job, .. }
        | Event::Cancelled { job } => Some(*job),
        Event::Failed { job, .. } => *job,
        Event::Started { .. }
        | Event::Panicked { .. }
        | Event::Loaded { .. }
        | Event::SelfChecked { .. }
        | Event::Gpu { .. }
        | Event::Waiting { .. }
        | Event::Words
        | Event::Reads
        | Event::Inspected { .. }
        | Event::Predicted { .. }
        | Event::Drawn { .. } => None,
    }
}
