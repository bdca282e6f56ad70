//! The worker: the engine behind messages. It owns the model; the page owns everything else.
//!
//! The page talks to one worker, which has the model on the CPU. Where there may be a GPU it starts a second one with the
//! same program (`beside.rs`), gives that the jobs which a GPU does sooner, and checks what comes back (`gpu.rs`). A long
//! job on the CPU is computed by several workers (`team.rs`).
//!
//! Requests are handled one after the other, in the order in which they came, except those that are heard while a job
//! is running because the host pauses between steps: `Cancel`, and what is asked of a draft (`typed.rs`). A worker that
//! is told `Words` has no model: it looks at drafts, and nothing is ever in its way.

mod beside;
mod browser;
#[cfg(feature = "faults")]
mod faults;
mod files;
mod gpu;
mod loading;
mod network;
mod source;
mod storage;
mod team;
mod typed;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use twinbeam_core::models::Published;
use twinbeam_core::prompts::{Draw, PromptPair};
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::devices::{Claim, DeviceReport, Placement, Work as Asked};
use twinbeam_core::wire::probes::Probe;
use twinbeam_core::wire::{Event, PAGE, Problem, Request, pack};
use twinbeam_core::words::{ComponentKind, Direction, Experiment};
use twinbeam_engine::{
    BenchPlan, Error, Host, Model, Plan, Pool, bench, bench_question, probe, question, run,
    self_check,
};
use twinbeam_tasks::{Split, Task, pairs};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent};

use self::beside::send_claim;
use self::browser::{millis, scope, turn};
use self::gpu::{ALONE, Checker, End, Gpu};
use self::team::{Member, Team, look};
use self::typed::Typed;

/// The page refuses a worker of another build.
const BUILD: &str = match option_env!("TWINBEAM_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// Most pairs that are drawn at once.
const MOST_DRAWN: usize = 1000;
/// Milliseconds of computing after which messages get a turn.
const TURN_MILLIS: f64 = 12.0;
/// Milliseconds between two progress messages.
const PROGRESS_MILLIS: f64 = 50.0;

fn main() {
    twinbeam_constructors::run();
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        // The page hears of the end by itself, but not why.
        send(&Event::Panicked { message: info.to_string().replace('\n', " ") });
    }));
    // Where the browser cannot, products take a little longer.
    gemm::relax();
    let worker = Rc::new(Worker::default());
    let listener = Rc::clone(&worker);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(&listener, &event);
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker does.
    on_message.forget();
    send(&Event::Started { build: BUILD.to_owned() });
}

/// Something to do, in its turn.
enum Work {
    /// What the page asked for, with the files that came with it.
    Request(Request, Vec<File>),
    /// Comparing the model with what was published of it.
    SelfCheck(Box<Published>, Option<String>),
    /// Saying what the model expects behind the last draft.
    Predict,
    /// Becoming a member of another worker's team, whose model it loads, with weights of a digest.
    Join(Box<Request>, Vec<File>, String),
}

#[derive(Default)]
struct Worker {
    queue: RefCell<VecDeque<Work>>,
    busy: Cell<bool>,
    cancelled: Cell<Option<u64>>,
    model: RefCell<Option<Rc<Model>>>,
    /// Where it runs.
    device: RefCell<Option<DeviceReport>>,
    /// The GPU beside it.
    gpu: Gpu,
    /// Those that compute shares of its jobs.
    team: Team,
    /// What it is to another worker's team.
    member: Member,
    /// What is typed, and what reads it.
    typed: Typed,
}

fn hear(worker: &Rc<Worker>, event: &MessageEvent) {
    if Member::hear(worker, event) {
        return;
    }
    // A message that cannot be read is not ours: the page and the worker are of one build.
    let Some((request, files)) = parse(&event.data()) else {
        return;
    };
    if let Request::Cancel { job } = request {
        worker.cancelled.set(Some(job));
        worker.gpu.tell(&request);
        return;
    }
    if let Some(request) = Typed::hear(worker, request) {
        worker.queue.borrow_mut().push_back(Work::Request(request, files));
        Worker::work(worker);
    }
}

/// A request as text, or a list of it and of the files that belong to it.
fn parse(message: &JsValue) -> Option<(Request, Vec<File>)> {
    let parts = match message.dyn_ref::<Array>() {
        Some(parts) => parts.clone(),
        None => Array::of1(message),
    };
    let request = serde_json::from_str(&parts.get(0).as_string()?).ok()?;
    Some((request, parts.iter().filter_map(|part| part.dyn_into().ok()).collect()))
}

/// A request as a message; files travel beside it, in a list.
fn message(request: &Request, files: &[File]) -> Option<JsValue> {
    // OK because requests hold strings, numbers and lists.
    let text = JsValue::from_str(&serde_json::to_string(request).ok()?);
    if files.is_empty() {
        return Some(text);
    }
    let mut list = Array::of1(&text);
    list.extend(files.iter().cloned());
    Some(list.into())
}

/// Tells the page, which reads bytes, or whoever else has started this worker.
fn send(event: &Event) {
    if scope().name() == PAGE {
        if let Some(bytes) = pack(event) {
            scope().post_message(&Uint8Array::from(bytes.as_slice())).ok();
        }
        return;
    }
    // OK because events hold finite numbers, strings and lists.
    let Ok(text) = serde_json::to_string(event) else {
        return;
    };
    scope().post_message(&JsValue::from_str(&text)).ok();
}

impl Worker {
    /// Does what there is to do, unless that is being done.
    fn work(worker: &Rc<Self>) {
        if !worker.busy.replace(true) {
            let worker = Rc::clone(worker);
            spawn_local(async move {
                while let Some(work) = worker.next() {
                    Self::handle(&worker, work).await;
                }
                worker.busy.set(false);
            });
        }
    }

    /// What to do next: who types waits for no job.
    fn next(&self) -> Option<Work> {
        if self.typed.is_asked() {
            return Some(Work::Predict);
        }
        self.queue.borrow_mut().pop_front()
    }

    async fn handle(worker: &Rc<Self>, work: Work) {
        let (job, result) = match work {
            Work::Request(request @ Request::Load { .. }, files) => {
                // In a box, since it is large and seldom.
                (None, Box::pin(Self::load(worker, request, files)).await)
            }
            Work::Request(Request::LoadOnGpu { load, .. }, files) => {
                (None, Box::pin(worker.load_on_gpu(*load, files)).await)
            }
            Work::Request(Request::Check { load, job, experiment, claims }, files) => {
                let checked = worker.check(&load, &files, job, &experiment, &claims);
                (Some(job), Box::pin(checked).await)
            }
            Work::Request(Request::Words, files) => (None, worker.read_words(&files).await),
            Work::Request(request @ (Request::Inspect { .. } | Request::Predict { .. }), _) => {
                (None, Self::look_elsewhere(worker, request).await)
            }
            Work::Predict => (None, worker.predict().await),
            Work::Join(load, files, sha256) => {
                (None, Box::pin(Member::join(worker, *load, files, &sha256)).await)
            }
            Work::Request(Request::Run { job, experiment, first, kinds }, _) => {
                (Some(job), Self::run(worker, job, experiment, first, kinds).await)
            }
            Work::Request(Request::Bench { job, experiment }, _) => {
                // In a box for the same reason.
                (Some(job), Box::pin(Self::bench(worker, job, experiment)).await)
            }
            Work::Request(Request::Probe { job, experiment, probe }, _) => {
                (Some(job), Box::pin(Self::probe(worker, job, experiment, probe)).await)
            }
            Work::Request(Request::Draw { draw }, _) => {
                let pairs = drawn(&draw);
                send(&Event::Drawn { draw, pairs });
                (None, Ok(()))
            }
            Work::SelfCheck(published, sha256) => {
                (None, worker.self_check(&published, sha256.as_deref()).await)
            }
            // Heard before it was queued.
            Work::Request(Request::Cancel { .. }, _) => return,
        };
        match (job, result) {
            (_, Ok(())) => {}
            (Some(job), Err(Problem::Cancelled)) => send(&Event::Cancelled { job }),
            (job, Err(problem)) => send(&Event::Failed { job, problem }),
        }
    }

    async fn self_check(&self, published: &Published, sha256: Option<&str>) -> Result<(), Problem> {
        let model = self.loaded()?;
        let check = self_check(&model, published, sha256).await;
        send(&Event::SelfChecked { check: check.map_err(|error| error.problem())? });
        Ok(())
    }

    async fn run(
        worker: &Rc<Self>,
        job: u64,
        experiment: Experiment,
        first: Direction,
        kinds: Vec<ComponentKind>,
    ) -> Result<(), Problem> {
        if kinds.contains(&ComponentKind::Heads) {
            // It is the beginning of another figure.
            worker.gpu.forget_checks();
        }
        let request =
            Request::Run { job, experiment: experiment.clone(), first, kinds: kinds.clone() };
        if worker.is_only_there().await? {
            if let Some(device) = worker.gpu.report() {
                send(&Event::Placed { job, device, placement: ALONE });
            }
            let checked_by = Checker::Apart(experiment.clone());
            match Gpu::run(worker, job, &request, checked_by, Asked::default()).await {
                End::Done | End::Withdrawn => return Ok(()),
                End::Cancelled => return Err(Problem::Cancelled),
                End::Failed(problem) => {
                    Gpu::give_up(worker, &problem);
                    send(&Event::Moved { job, problem });
                    worker.take_over().await?;
                }
            }
        }
        let model = worker.loaded()?;
        let plan = Plan::of(kinds, first);
        let question = question(&model, &experiment).map_err(|error| error.problem())?;
        let work = plan.work(model.shape(), &question);
        let placement = worker.gpu.place(work);
        if let Some(device) = worker.gpu.report().filter(|_| placement.gpu) {
            send(&Event::Placed { job, device, placement });
            let checked_by = Checker::Here(Rc::clone(&model), question.clone());
            match Gpu::run(worker, job, &request, checked_by, work).await {
                End::Done | End::Withdrawn => return Ok(()),
                End::Cancelled => return Err(Problem::Cancelled),
                End::Failed(problem) => {
                    Gpu::give_up(worker, &problem);
                    send(&Event::Moved { job, problem });
                }
            }
        }
        let placement = Placement { gpu: false, ..placement };
        let device = worker.device.borrow().clone();
        if let Some(device) = device {
            send(&Event::Placed { job, device: device.clone(), placement });
            Team::begin(worker, (job, experiment.clone()), (device, placement));
        }
        let mut host = worker.host(job);
        let begun = millis();
        let outcome = run(&model, &question, experiment, &plan, job, &mut host).await;
        let workers = Team::end(worker);
        let Outcome { joint, seconds, .. } = outcome.map_err(|error: Error| error.problem())?;
        if workers == 1 {
            // What is expected is known of one: others may not be there the next time.
            worker.gpu.cpu_took(work, (millis() - begun) / 1000.0);
        }
        send(&Event::Done { job, joint, seconds, checking: false });
        Ok(())
    }

    /// Whether only the second worker has the model. Where the GPU that had it alone is gone, the CPU takes it over first.
    async fn is_only_there(&self) -> Result<bool, Problem> {
        if self.gpu.has_left() {
            self.take_over().await?;
        }
        Ok(self.gpu.is_alone())
    }

    /// Has the second worker answer something that is no result and needs no check.
    async fn there(worker: &Rc<Self>, job: u64, request: &Request) -> Result<(), Problem> {
        match Gpu::run(worker, job, request, Checker::Nobody, Asked::default()).await {
            End::Done | End::Withdrawn => Ok(()),
            End::Cancelled => Err(Problem::Cancelled),
            End::Failed(problem) => {
                Gpu::give_up(worker, &problem);
                Err(problem)
            }
        }
    }

    async fn bench(worker: &Rc<Self>, job: u64, experiment: Experiment) -> Result<(), Problem> {
        if worker.is_only_there().await? || worker.gpu.is_measured() {
            return Self::there(worker, job, &Request::Bench { job, experiment }).await;
        }
        let model = worker.loaded()?;
        let device = worker.device.borrow().clone().ok_or(Problem::NoModel)?;
        // Of another draft than one that can be run the speed is that of as many tokens as the model takes.
        let question = match question(&model, &experiment) {
            Ok(question) => question,
            Err(_) => bench_question(&model, experiment.n_steps).map_err(Problem::from)?,
        };
        let plan = BenchPlan::small(model.shape());
        let mut host = worker.host(job);
        let bench = bench(&model, &device, &question, &plan, job, &mut host).await;
        let bench = Box::new(bench.map_err(|error| error.problem())?);
        send(&Event::Benched { job, bench });
        Ok(())
    }

    async fn probe(
        worker: &Rc<Self>,
        job: u64,
        experiment: Experiment,
        asked: Probe,
    ) -> Result<(), Problem> {
        if worker.is_only_there().await? {
            let request = Request::Probe { job, experiment, probe: asked };
            return Self::there(worker, job, &request).await;
        }
        let model = worker.loaded()?;
        let mut host = worker.host(job);
        let found = probe(&model, &experiment, &asked, job, &mut host).await;
        let (finding, unchecked) = found.map_err(|error| error.problem())?;
        send(&Event::Probed { job, finding: Box::new(finding), unchecked });
        Ok(())
    }

    fn loaded(&self) -> Result<Rc<Model>, Problem> {
        self.model.borrow().clone().ok_or(Problem::NoModel)
    }

    fn host(&self, job: u64) -> Messages<'_> {
        Messages { worker: self, job, last_turn: millis(), last_progress: 0.0 }
    }
}

/// Pairs of a task that no training text holds; none of a task that is not there.
fn drawn(Draw { task, n, seed }: &Draw) -> Vec<PromptPair> {
    let Some(task) = Task::ALL.into_iter().find(|known| known.id() == task) else {
        return Vec::new();
    };
    let n = (*n).min(MOST_DRAWN);
    let drawn = pairs(task, Split::HeldOut, n, u64::from(*seed)).into_iter().enumerate();
    drawn
        .map(|(place, pair)| PromptPair {
            name: format!("{} {}", task.id(), place + 1),
            clean: pair.clean,
            corrupted: pair.corrupted,
            answer: pair.answer,
            wrong: pair.wrong,
            ..PromptPair::default()
        })
        .collect()
}

/// The engine's host: the page at the other end of the messages.
struct Messages<'worker> {
    worker: &'worker Worker,
    job: u64,
    last_turn: f64,
    last_progress: f64,
}

impl Host for Messages<'_> {
    fn emit(&mut self, event: Event) {
        if let Event::Progress { done, total, .. } = event {
            let now = millis();
            if now - self.last_progress < PROGRESS_MILLIS && done < total {
                return;
            }
            self.last_progress = now;
        }
        send(&event);
    }

    fn claim(&mut self, claim: Claim) {
        send_claim(self.job, &claim);
    }

    fn seconds(&self) -> f64 {
        millis() / 1000.0
    }

    async fn pause(&mut self) {
        if millis() - self.last_turn < TURN_MILLIS {
            return;
        }
        turn().await;
        // A GPU's worker hears of a draft at any time, and looks at it here: its device does one thing after the other.
        if self.worker.typed.is_asked()
            && let Err(problem) = self.worker.predict().await
        {
            send(&Event::Failed { job: None, problem });
        }
        self.last_turn = millis();
    }

    fn pool(&self) -> Option<Rc<Pool>> {
        self.worker.team.pool(self.job)
    }

    async fn idle(&mut self) {
        look().await;
    }

    fn cancelled(&self) -> bool {
        // Numbers grow, and whoever stops a job wants none before it: two may be stopped before this is asked.
        self.job != 0 && self.worker.cancelled.get().is_some_and(|last| self.job <= last)
    }
}
