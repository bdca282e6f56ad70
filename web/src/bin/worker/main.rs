//! The worker: the engine behind messages. It owns the model; the page owns everything else.
//!
//! Requests are handled one after the other, in the order in which they came, except `Cancel`, which
//! is heard while a job is running because the host pauses between steps.

mod browser;
#[cfg(feature = "faults")]
mod faults;
mod files;
mod network;
mod storage;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::Array;
use twinbeam_core::{
    ComponentKind, DeviceChoice, DeviceReport, Direction, Draw, Event, Expected, Experiment,
    ModelFiles, Outcome, Probe, Problem, PromptPair, Published, Request,
};
use twinbeam_engine::{
    BenchPlan, ByteSource, DeviceKind, Error, Host, Model, Plan, Remote, bench, bench_question,
    inspect, probe, question, run, self_check,
};
use twinbeam_tasks::{Split, Task, pairs};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent};

use self::browser::{millis, scope, turn};
use self::files::Chosen;
use self::network::Network;

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
}

#[derive(Default)]
struct Worker {
    queue: RefCell<VecDeque<Work>>,
    busy: Cell<bool>,
    cancelled: Cell<Option<u64>>,
    model: RefCell<Option<Rc<Model>>>,
    /// Where it runs.
    device: RefCell<Option<DeviceReport>>,
    /// Where the model's files are, for the copy that checks a GPU.
    files: RefCell<Option<(ModelFiles, Vec<File>)>>,
}

fn hear(worker: &Rc<Worker>, event: &MessageEvent) {
    // A message that cannot be read is not ours: the page and the worker are of one build.
    let Some((request, files)) = parse(&event.data()) else {
        return;
    };
    if let Request::Cancel { job } = request {
        worker.cancelled.set(Some(job));
        return;
    }
    worker.queue.borrow_mut().push_back(Work::Request(request, files));
    if !worker.busy.replace(true) {
        let worker = Rc::clone(worker);
        spawn_local(async move {
            while let Some(work) = worker.next() {
                worker.handle(work).await;
            }
            worker.busy.set(false);
        });
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

/// Tells the page.
fn send(event: &Event) {
    // OK because events hold finite numbers, strings and lists.
    let Ok(text) = serde_json::to_string(event) else {
        return;
    };
    scope().post_message(&JsValue::from_str(&text)).ok();
}

impl Worker {
    /// What to do next. Of several drafts in a row only the last is looked at.
    fn next(&self) -> Option<Work> {
        let is_draft = |work: &Work| matches!(work, Work::Request(Request::Inspect { .. }, _));
        let mut queue = self.queue.borrow_mut();
        let mut work = queue.pop_front()?;
        while is_draft(&work) && queue.iter().any(is_draft) {
            work = queue.pop_front()?;
        }
        Some(work)
    }

    async fn handle(&self, work: Work) {
        let (job, result) = match work {
            Work::Request(Request::Load { model, files, expected, device }, chosen) => {
                // In a box, since it is large and seldom.
                (None, Box::pin(self.load(model, files, chosen, *expected, device)).await)
            }
            Work::Request(Request::Inspect { seq, draft }, _) => {
                (None, self.inspect(seq, &draft).await)
            }
            Work::Request(Request::Run { job, experiment, first, kinds }, _) => {
                (Some(job), self.run(job, experiment, first, kinds).await)
            }
            Work::Request(Request::Bench { job, experiment }, _) => {
                // In a box for the same reason.
                (Some(job), Box::pin(self.bench(job, &experiment)).await)
            }
            Work::Request(Request::Probe { job, experiment, probe }, _) => {
                (Some(job), Box::pin(self.probe(job, &experiment, &probe)).await)
            }
            Work::Request(Request::Draw { draw }, _) => {
                let pairs = drawn(&draw);
                send(&Event::Drawn { draw, pairs });
                (None, Ok(()))
            }
            Work::SelfCheck(published, sha256) => {
                (None, self.self_check(&published, sha256.as_deref()).await)
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

    async fn load(
        &self,
        name: String,
        files: ModelFiles,
        chosen: Vec<File>,
        expected: Expected,
        choice: DeviceChoice,
    ) -> Result<(), Problem> {
        // The old model goes first: two do not fit where memory is short.
        self.model.replace(None);
        self.queue.borrow_mut().retain(|work| !matches!(work, Work::SelfCheck(..)));
        #[cfg(feature = "faults")]
        if is_spoiled(&files).await {
            return Ok(());
        }
        let begun = millis();
        let device = DeviceKind::choose(choice).await.map_err(|error| error.problem())?;
        let ready = millis();
        let load = Load { name, expected, device, seconds: (ready - begun) / 1000.0 };
        self.files.replace(Some((files.clone(), chosen.clone())));
        match files {
            ModelFiles::Local => self.load_from(&Chosen(chosen), load).await,
            ModelFiles::Address { base, shelf: None } => {
                let remote = Remote::new(Network { cache: true }, base).whole_first();
                self.load_from(&remote, load).await
            }
            ModelFiles::Address { base, shelf: Some(folder) } => {
                let remote = Remote::new(Network { cache: false }, base);
                self.load_from(&storage::shelf(remote, &folder).await, load).await
            }
        }
    }

    /// Reads the copy that checks a large model's results, from where they are at hand: nothing is fetched
    /// twice for it. Where that does not work, results are marked as not checked.
    async fn load_twin(&self, model: &Model, job: u64) {
        let files = self.files.borrow().clone();
        let mut host = self.host(job);
        let loaded = match files {
            Some((ModelFiles::Local, chosen)) => {
                model.load_twin(&Chosen(chosen), job, &mut host).await.is_ok()
            }
            Some((ModelFiles::Address { base, shelf: Some(folder) }, _)) => {
                let remote = Remote::new(Network { cache: false }, base);
                let shelf = storage::shelf(remote, &folder).await;
                shelf.completed().is_some() && model.load_twin(&shelf, job, &mut host).await.is_ok()
            }
            _ => false,
        };
        // Not tried again, unless it was cancelled: the reason would be the same.
        if !loaded && !host.cancelled() {
            self.files.replace(None);
        }
    }

    async fn load_from(&self, source: &impl ByteSource, load: Load) -> Result<(), Problem> {
        let Load { name, expected, device, seconds } = load;
        let begun = millis();
        let mut host = self.host(0);
        let model = Model::load(source, &expected, &device, &mut host).await;
        let model = model.map_err(|error| error.problem())?;
        send(&Event::Loaded {
            model: name,
            shape: *model.shape(),
            device: device.report().clone(),
            fingerprint: model.fingerprint().to_owned(),
            shards: model.shards(),
            as_expected: model.as_expected(),
            tokenizer: model.tokenizer_report(),
            kept: source.kept(),
            seconds: vec![
                ("device".to_owned(), seconds),
                ("load".to_owned(), (millis() - begun) / 1000.0),
            ],
            memory_bytes: memory_bytes(),
        });
        self.device.replace(Some(device.report().clone()));
        self.model.replace(Some(Rc::new(model)));
        if let Some(published) = expected.published {
            let check = Work::SelfCheck(Box::new(published), expected.sha256);
            self.queue.borrow_mut().push_back(check);
        }
        Ok(())
    }

    async fn self_check(&self, published: &Published, sha256: Option<&str>) -> Result<(), Problem> {
        let model = self.loaded()?;
        let check = self_check(&model, published, sha256).await;
        send(&Event::SelfChecked { check: check.map_err(|error| error.problem())? });
        Ok(())
    }

    async fn inspect(&self, seq: u64, draft: &Experiment) -> Result<(), Problem> {
        // The page asks again once a model is there.
        let Ok(model) = self.loaded() else {
            return Ok(());
        };
        let inspection = inspect(&model, draft).await.map_err(|error| error.problem())?;
        send(&Event::Inspected { seq, inspection: Box::new(inspection) });
        Ok(())
    }

    async fn run(
        &self,
        job: u64,
        experiment: Experiment,
        first: Direction,
        kinds: Vec<ComponentKind>,
    ) -> Result<(), Problem> {
        let model = self.loaded()?;
        let plan = Plan::of(kinds, first);
        let question = question(&model, &experiment).map_err(|error| error.problem())?;
        if model.wants_twin() && self.files.borrow().is_some() {
            Box::pin(self.load_twin(&model, job)).await;
        }
        let mut host = self.host(job);
        let outcome = run(&model, &question, experiment, &plan, job, &mut host).await;
        let (outcome, checked) = outcome.map_err(|error: Error| error.problem())?;
        let Outcome { joint, seconds, .. } = outcome;
        send(&Event::Done { job, joint, seconds, checked });
        Ok(())
    }

    async fn bench(&self, job: u64, experiment: &Experiment) -> Result<(), Problem> {
        let model = self.loaded()?;
        let device = self.device.borrow().clone().ok_or(Problem::NoModel)?;
        // Of another draft than one that can be run the speed is that of as many tokens as the model takes.
        let question = match question(&model, experiment) {
            Ok(question) => question,
            Err(_) => bench_question(&model, experiment.n_steps).map_err(Problem::from)?,
        };
        let plan = BenchPlan::small(model.shape());
        let mut host = self.host(job);
        let bench = bench(&model, &device, &question, &plan, job, &mut host).await;
        let bench = Box::new(bench.map_err(|error| error.problem())?);
        send(&Event::Benched { job, bench });
        Ok(())
    }

    async fn probe(&self, job: u64, experiment: &Experiment, asked: &Probe) -> Result<(), Problem> {
        let model = self.loaded()?;
        if model.wants_twin() && self.files.borrow().is_some() {
            self.load_twin(&model, job).await;
        }
        let mut host = self.host(job);
        let found = probe(&model, experiment, asked, job, &mut host).await;
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

/// What is wanted, apart from where its files are.
struct Load {
    name: String,
    expected: Expected,
    device: DeviceKind,
    /// That it took until the device was ready.
    seconds: f64,
}

/// Most memory that this worker has had: it is never given back.
fn memory_bytes() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size::<0>() as u64 * 65536;
    #[cfg(not(target_arch = "wasm32"))]
    return 0;
}

/// Asks the server of the model for a fault, once. Whether the worker is not to go on.
#[cfg(feature = "faults")]
async fn is_spoiled(files: &ModelFiles) -> bool {
    use twinbeam_engine::{Body as _, Transport as _, faults as engine};
    let ModelFiles::Address { base, .. } = files else {
        return false;
    };
    let answer = Network { cache: false }.get(&format!("{base}fault.txt"), None).await;
    if let Ok(mut answer) = answer
        && answer.status == 200
        && let Ok(Some(name)) = answer.body.next().await
    {
        let name = String::from_utf8_lossy(&name);
        engine::arm(&name);
        faults::arm(&name);
    }
    let of_another_build = engine::is_of_another_build();
    if of_another_build {
        send(&Event::Started { build: "another".to_owned() });
    }
    of_another_build
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

    fn seconds(&self) -> f64 {
        millis() / 1000.0
    }

    async fn pause(&mut self) {
        if millis() - self.last_turn < TURN_MILLIS {
            return;
        }
        turn().await;
        self.last_turn = millis();
    }

    fn cancelled(&self) -> bool {
        // Numbers grow, and whoever stops a job wants none before it: two may be stopped before this is asked.
        self.job != 0 && self.worker.cancelled.get().is_some_and(|last| self.job <= last)
    }
}
