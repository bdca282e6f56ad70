//! A GPU beside the CPU: made ready behind the work, given the jobs that it does sooner, and checked while it does them.
//!
//! The way of a job that goes there: request, second worker, its events to the page as they come; its claims to the
//! check, which computes a sample on the CPU here and then says how well they agree, or withdraws all of it. A GPU that
//! fails costs nothing but time: the CPU begins the same job anew. Of a model that is too large to be held twice the
//! GPU's worker has the only copy, and a third worker checks its jobs.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures_channel::{mpsc, oneshot};
use twinbeam_core::wire::devices::{
    Because, CheckReport, Claim, DeviceChoice, DeviceReport, GpuState, Placement, Speed, Work,
};
use twinbeam_core::wire::{Event, Expected, Problem, Request};
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Check, Host, Model, Question};
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::beside::{Beside, Heard};
use crate::browser::{millis, scope, turn};
use crate::team::Team;
use crate::{BUILD, TURN_MILLIS, Worker, send};

/// Times that a device that is lost, or whose worker has stopped, is asked for again.
const MOST_LOSSES: u32 = 1;

/// The GPU, from the side of the worker that has the CPU.
#[derive(Default)]
pub(crate) struct Gpu {
    state: RefCell<GpuState>,
    beside: RefCell<Option<Beside>>,
    /// What loads the model there, with its files: it may have to be done again.
    load: RefCell<Option<(Request, Vec<File>)>>,
    choice: Cell<DeviceChoice>,
    /// Whether the GPU alone has the model, which is too large for a second copy.
    alone: Cell<bool>,
    /// Whether the page waits for the GPU.
    is_waited_for: Cell<bool>,
    ready: RefCell<Option<oneshot::Sender<()>>>,
    begun: Cell<f64>,
    losses: Cell<u32>,
    last_words: RefCell<Option<String>>,
    /// Whether the GPU's worker has stopped.
    has_ended: Cell<bool>,
    /// The job that runs there.
    there: RefCell<Option<There>>,
    /// The worker that checks what only the GPU's worker has the model for.
    checker: RefCell<Option<Beside>>,
    /// Checks that began before this was counted up are not wanted any more.
    generation: Cell<u64>,
    /// When the last job there was done, in milliseconds.
    done_at: Cell<f64>,
    /// How fast the CPU was found to be with this model.
    cpu: Cell<Option<Speed>>,
    /// Whether the last job went there.
    is_used: Cell<bool>,
}

struct There {
    job: u64,
    end: oneshot::Sender<End>,
    /// Where claims go to the check; `None`: nothing is checked.
    claims: Option<mpsc::UnboundedSender<Claim>>,
}

/// How a job there has ended.
pub(crate) enum End {
    /// All of the job has been sent.
    Done,
    Cancelled,
    /// The GPU, or its worker, has failed.
    Failed(Problem),
    /// The check found something wrong, and has said so.
    Withdrawn,
}

impl Gpu {
    /// Forgets everything, since another model or another device is wanted: nothing is known, and nothing runs.
    pub(crate) fn reset(&self, choice: DeviceChoice) {
        self.beside.take();
        self.there.take();
        self.load.take();
        self.state.replace(GpuState::Unwanted);
        self.choice.set(choice);
        self.alone.set(false);
        self.cpu.set(None);
        self.is_used.set(false);
        self.losses.set(0);
        self.forget_checks();
    }

    pub(crate) fn is_alone(&self) -> bool {
        self.alone.get()
    }

    /// Whether the model is nowhere any more, since the GPU that had it alone is gone.
    pub(crate) fn has_left(&self) -> bool {
        self.alone.get() && self.beside.borrow().is_none()
    }

    /// What loads the model that the GPU had alone.
    pub(crate) fn load(&self) -> Option<(Request, Vec<File>)> {
        let load = self.load.borrow().clone();
        load.map(|(request, files)| (inner(request), files))
    }

    /// Notes that the CPU has the model from now on.
    pub(crate) fn taken_over(&self) {
        self.alone.set(false);
    }

    /// Whether the GPU's speed is that of the jobs.
    pub(crate) fn is_measured(&self) -> bool {
        let is_ready = matches!(*self.state.borrow(), GpuState::Ready { .. });
        is_ready && (self.is_used.get() || self.choice.get() == DeviceChoice::Gpu)
    }

    /// Checks that are under way come to nothing: the figure that they are of is gone.
    pub(crate) fn forget_checks(&self) {
        self.checker.take();
        self.generation.set(self.generation.get() + 1);
    }

    fn set(&self, state: GpuState) {
        send(&Event::Gpu { state: state.clone() });
        self.state.replace(state);
    }

    fn decided(&self, state: GpuState) {
        self.set(state);
        self.is_waited_for.set(false);
        if let Some(ready) = self.ready.take() {
            ready.send(()).ok();
        }
    }

    pub(crate) fn is_warming(&self) -> bool {
        *self.state.borrow() == GpuState::Warming
    }

    /// What the GPU is, once it is ready.
    pub(crate) fn report(&self) -> Option<DeviceReport> {
        match &*self.state.borrow() {
            GpuState::Ready { report, .. } => Some(report.clone()),
            GpuState::Unwanted | GpuState::Warming | GpuState::Unused { .. } => None,
        }
    }

    /// Why the GPU is not used.
    pub(crate) fn refusal(&self) -> Option<String> {
        match &*self.state.borrow() {
            GpuState::Unused { why } => Some(why.clone()),
            GpuState::Unwanted | GpuState::Warming | GpuState::Ready { .. } => None,
        }
    }

    /// Notes why the GPU is not even asked.
    pub(crate) fn refuse(&self, why: &str) {
        self.decided(GpuState::Unused { why: why.to_owned() });
    }

    /// Where some work goes.
    pub(crate) fn place(&self, work: Work) -> Placement {
        let cpu = self.cpu.get().unwrap_or(Speed::BROWSER_CPU);
        let placement = Placement::of(work, self.choice.get(), Some(cpu), &self.state.borrow());
        self.is_used.set(placement.gpu);
        placement
    }

    /// The CPU has done some work in so many seconds.
    pub(crate) fn cpu_took(&self, work: Work, seconds: f64) {
        self.cpu.set(Speed::learn_cpu(self.cpu.get(), work, seconds));
    }

    fn took(&self, work: Work, seconds: f64) {
        let state = self.state.borrow().clone();
        if let GpuState::Ready { report, speed, seconds: begun, memory_bytes } = state {
            let speed = speed.unwrap_or(Speed {
                operations_per_second: work.operations / seconds,
                seconds_per_dispatch: 0.0,
            });
            let speed = Some(speed.after(work, seconds)).filter(Speed::is_possible);
            self.set(GpuState::Ready { report, speed, seconds: begun, memory_bytes });
        }
    }

    /// Tells the second worker, if there is one.
    pub(crate) fn tell(&self, request: &Request) {
        if let Some(beside) = self.beside.borrow().as_ref() {
            beside.send(request, &[]);
        }
    }

    /// Has the GPU made ready, behind whatever else is done. `sha256`: of the weights that are expected there.
    pub(crate) fn start(
        worker: &Rc<Worker>,
        (load, files): (Request, Vec<File>),
        sha256: Option<String>,
        alone: bool,
    ) {
        let gpu = &worker.gpu;
        gpu.alone.set(alone);
        gpu.load.replace(Some((of_the_same(load, sha256, alone), files)));
        Self::begin(worker);
    }

    fn begin(worker: &Rc<Worker>) {
        let gpu = &worker.gpu;
        let listener = Rc::downgrade(worker);
        let hear = move |heard| {
            if let Some(worker) = Weak::upgrade(&listener) {
                Self::hear(&worker, heard);
            }
        };
        gpu.begun.set(millis());
        gpu.last_words.take();
        match (Beside::start(hear), gpu.load.borrow().as_ref()) {
            (Ok(beside), Some((load, files))) => {
                beside.send(load, files);
                gpu.beside.replace(Some(beside));
                gpu.set(GpuState::Warming);
            }
            (Err(error), _) => {
                let why = format!("its worker did not start ({error})");
                gpu.decided(GpuState::Unused { why });
            }
            (Ok(_), None) => {}
        }
    }

    /// Waits until it is known whether there is a GPU. The page hears of its progress meanwhile.
    pub(crate) async fn settled(&self) {
        if *self.state.borrow() != GpuState::Warming {
            return;
        }
        let (ready, waits) = oneshot::channel();
        self.ready.replace(Some(ready));
        self.is_waited_for.set(true);
        waits.await.ok();
    }

    fn hear(worker: &Rc<Worker>, heard: Heard) {
        let gpu = &worker.gpu;
        match heard {
            Heard::Ended(message) => {
                gpu.has_ended.set(true);
                let message = gpu.last_words.take().unwrap_or(message);
                Self::failed(worker, Problem::Device { message });
            }
            Heard::Claim(job, claim) => {
                if let Some(There { claims: Some(claims), .. }) =
                    gpu.there.borrow().as_ref().filter(|there| there.job == job)
                {
                    claims.unbounded_send(claim).ok();
                }
            }
            Heard::Words(files) => {
                if gpu.alone.get() {
                    scope().post_message(&files).ok();
                }
            }
            Heard::Event(event) => Self::hear_event(worker, event),
            // It is no member of a team.
            Heard::Bytes(_) => {}
        }
    }

    fn hear_event(worker: &Rc<Worker>, event: Event) {
        let gpu = &worker.gpu;
        let is_there = |job: u64| gpu.there.borrow().as_ref().is_some_and(|there| there.job == job);
        match event {
            Event::Started { build } if build == BUILD => {
                if let Some(beside) = gpu.beside.borrow().as_ref() {
                    beside.started();
                }
            }
            Event::Panicked { message } => {
                gpu.last_words.replace(Some(message));
            }
            Event::Gpu { state: GpuState::Ready { report, speed, memory_bytes, .. } } => {
                let seconds = (millis() - gpu.begun.get()) / 1000.0;
                gpu.decided(GpuState::Ready { report, speed, seconds, memory_bytes });
            }
            Event::Gpu { state } => {
                gpu.beside.take();
                gpu.decided(state);
                // A job that was begun meanwhile is the CPU's to its end.
                Team::grow(worker);
            }
            Event::Progress { job: 0, .. } | Event::Waiting { .. } => {
                if gpu.is_waited_for.get() {
                    send(&event);
                }
            }
            Event::Loaded { .. }
            | Event::Inspected { .. }
            | Event::Predicted { .. }
            | Event::SelfChecked { .. } => {
                if gpu.alone.get() {
                    send(&event);
                }
            }
            Event::Failed { job: None, problem } => Self::failed(worker, problem),
            Event::Failed { job: Some(job), problem } if is_there(job) => {
                gpu.end(End::Failed(problem));
            }
            Event::Cancelled { job } if is_there(job) => gpu.end(End::Cancelled),
            Event::Done { job, joint, seconds, .. } if is_there(job) => {
                let checking =
                    gpu.there.borrow().as_ref().is_some_and(|there| there.claims.is_some());
                send(&Event::Done { job, joint, seconds, checking });
                gpu.done_at.set(millis());
                gpu.end(End::Done);
            }
            Event::Benched { job, .. } | Event::Probed { job, .. } if is_there(job) => {
                send(&event);
                gpu.end(End::Done);
            }
            Event::Progress { job, .. }
            | Event::Sides { job, .. }
            | Event::Strip { job, .. }
            | Event::Patched { job, .. }
                if is_there(job) =>
            {
                send(&event);
            }
            // Of a job that is no longer wanted, and what that worker is never asked for.
            Event::Started { .. }
            | Event::Failed { .. }
            | Event::Cancelled { .. }
            | Event::Done { .. }
            | Event::Benched { .. }
            | Event::Probed { .. }
            | Event::Progress { .. }
            | Event::Sides { .. }
            | Event::Strip { .. }
            | Event::Patched { .. }
            | Event::Drawn { .. }
            | Event::Words
            | Event::Reads
            | Event::Placed { .. }
            | Event::Moved { .. }
            | Event::Checked { .. }
            | Event::Withdrawn { .. } => {}
        }
    }

    fn end(&self, end: End) {
        if let Some(there) = self.there.take() {
            there.end.send(end).ok();
        }
    }

    /// The GPU or its worker has failed: whoever waits for it goes on without.
    fn failed(worker: &Rc<Worker>, problem: Problem) {
        let gpu = &worker.gpu;
        if gpu.there.borrow().is_some() {
            gpu.end(End::Failed(problem));
        } else {
            Self::give_up(worker, &problem);
        }
    }

    /// What becomes of a GPU that has failed: one that is gone, and may come back, is asked for once more.
    pub(crate) fn give_up(worker: &Rc<Worker>, problem: &Problem) {
        let gpu = &worker.gpu;
        gpu.beside.take();
        let is_lost = matches!(problem, Problem::DeviceLost { .. }) || gpu.has_ended.take();
        // The model that it had alone is the CPU's from now on.
        if is_lost && !gpu.alone.get() && gpu.losses.get() < MOST_LOSSES {
            gpu.losses.set(gpu.losses.get() + 1);
            Self::begin(worker);
        } else {
            gpu.decided(GpuState::Unused { why: problem.to_string() });
            Team::grow(worker);
        }
    }

    /// Runs a job there, and has it checked by a model on the CPU.
    pub(crate) async fn run(
        worker: &Rc<Worker>,
        job: u64,
        request: &Request,
        checked_by: Checker,
        work: Work,
    ) -> End {
        let gpu = &worker.gpu;
        let (end, ended) = oneshot::channel();
        let (claims, heard) = mpsc::unbounded();
        let here = Rc::clone(worker);
        let claims = match checked_by {
            Checker::Nobody => None,
            Checker::Here(model, question) => {
                spawn_local(async move { check(&here, job, &model, &question, heard).await });
                Some(claims)
            }
            Checker::Apart(experiment) => {
                spawn_local(async move { check_apart(&here, job, experiment, heard).await });
                Some(claims)
            }
        };
        gpu.there.replace(Some(There { job, end, claims }));
        let begun = millis();
        gpu.tell(request);
        // Without a sender the worker was replaced.
        let end = ended.await.unwrap_or(End::Cancelled);
        if matches!(end, End::Done) && work.operations > 0.0 {
            gpu.took(work, (millis() - begun) / 1000.0);
        }
        end
    }

    /// The result of a job is not to be shown any longer, and none of this GPU's is trusted.
    fn withdraw(worker: &Rc<Worker>, job: u64, problem: Problem) {
        let gpu = &worker.gpu;
        gpu.beside.take();
        gpu.decided(GpuState::Unused { why: problem.to_string() });
        send(&Event::Withdrawn { job, problem });
        gpu.end(End::Withdrawn);
    }
}

/// Who computes a sample of a job again.
pub(crate) enum Checker {
    /// Nobody computes it again: it is no result.
    Nobody,
    /// This worker computes it, which has the model too.
    Here(Rc<Model>, Question),
    /// A third worker computes it, which reads the model block by block for that: two do not fit beside each other.
    Apart(Experiment),
}

fn inner(request: Request) -> Request {
    match request {
        Request::LoadOnGpu { load } => *load,
        other => other,
    }
}

/// The second worker's request for the same model as the first's.
fn of_the_same(load: Request, sha256: Option<String>, alone: bool) -> Request {
    let load = match load {
        Request::Load { model, files, expected, device, speeds, workers } => {
            let published = expected.published.filter(|_| alone);
            let any_digest = alone && expected.any_digest;
            let expected = Box::new(Expected { sha256, any_digest, published });
            Request::Load { model, files, expected, device, speeds, workers }
        }
        other => other,
    };
    Request::LoadOnGpu { load: Box::new(load) }
}

/// Computes a sample of what a job claims, beside the job.
async fn check(
    worker: &Rc<Worker>,
    job: u64,
    model: &Model,
    question: &Question,
    mut claims: mpsc::UnboundedReceiver<Claim>,
) {
    let mut host = Turns { worker, generation: worker.gpu.generation.get(), last: millis() };
    let report = async {
        let mut check = Check::new(model, question).await?;
        while let Ok(claim) = claims.recv().await {
            check.hear(&claim, &mut host).await?;
        }
        Ok::<_, twinbeam_engine::Error>(check.report())
    };
    let report = report.await;
    if host.cancelled() {
        return;
    }
    match report.map_err(|error| error.problem()) {
        Ok(report) => {
            let seconds = (millis() - worker.gpu.done_at.get()) / 1000.0;
            send(&Event::Checked { job, report, seconds });
        }
        Err(Problem::Cancelled) => {}
        Err(problem) => Gpu::withdraw(worker, job, problem),
    }
}

/// Computes a sample of a job of a model that only the GPU's worker has: in a third worker, block by block from where
/// the model is stored, once the job is done. Where that does not work, for want of the files for instance, the result
/// stays marked as not checked.
async fn check_apart(
    worker: &Rc<Worker>,
    job: u64,
    experiment: Experiment,
    mut heard: mpsc::UnboundedReceiver<Claim>,
) {
    let gpu = &worker.gpu;
    let generation = gpu.generation.get();
    let mut claims = Vec::new();
    while let Ok(claim) = heard.recv().await {
        claims.push(claim);
    }
    let load = gpu.load();
    // OK because claims hold finite numbers and lists.
    let (Some((load, files)), Ok(claims)) = (load, serde_json::to_string(&claims)) else {
        return;
    };
    let (answer, answered) = oneshot::channel();
    let answer = Rc::new(Cell::new(Some(answer)));
    let listener = Rc::downgrade(worker);
    let hear = move |heard| {
        let answered = match heard {
            Heard::Event(Event::Started { .. }) => {
                if let Some(worker) = Weak::upgrade(&listener)
                    && let Some(checker) = worker.gpu.checker.borrow().as_ref()
                {
                    checker.started();
                }
                return;
            }
            Heard::Event(Event::Checked { report, .. }) => Ok(report),
            Heard::Event(Event::Failed { problem, .. }) => Err(problem),
            Heard::Ended(message) => Err(Problem::Device { message }),
            Heard::Event(..) | Heard::Claim(..) | Heard::Words(..) | Heard::Bytes(..) => return,
        };
        if let Some(answer) = answer.take() {
            answer.send(answered).ok();
        }
    };
    let Ok(checker) = Beside::start(hear) else {
        send(&Event::Checked { job, report: CheckReport::default(), seconds: 0.0 });
        return;
    };
    checker.send(&Request::Check { load: Box::new(load), job, experiment, claims }, &files);
    gpu.checker.replace(Some(checker));
    let answered = answered.await;
    if generation != gpu.generation.get() {
        return;
    }
    gpu.checker.take();
    match answered {
        Ok(Err(problem @ (Problem::Untrusted { .. } | Problem::NotFinite { .. }))) => {
            Gpu::withdraw(worker, job, problem);
        }
        answered => {
            let report = answered.ok().and_then(Result::ok).unwrap_or_default();
            let seconds = (millis() - gpu.done_at.get()) / 1000.0;
            send(&Event::Checked { job, report, seconds });
        }
    }
}

/// A check's host: gives messages a turn.
struct Turns<'worker> {
    worker: &'worker Worker,
    generation: u64,
    last: f64,
}

impl Host for Turns<'_> {
    fn emit(&mut self, _event: Event) {}

    fn seconds(&self) -> f64 {
        millis() / 1000.0
    }

    async fn pause(&mut self) {
        if millis() - self.last >= TURN_MILLIS {
            turn().await;
            self.last = millis();
        }
    }

    fn cancelled(&self) -> bool {
        self.generation != self.worker.gpu.generation.get()
    }
}

/// A placement where there is no choice.
pub(crate) const ALONE: Placement = Placement {
    gpu: true,
    because: Because::Only,
    cpu_seconds: None,
    gpu_seconds: None,
    workers: 1,
};
