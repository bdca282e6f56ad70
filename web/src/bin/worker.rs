//! The worker: the engine behind messages. It owns the model; the page owns everything else.
//!
//! Requests are handled one after the other, in the order in which they came, except `Cancel`, which
//! is heard while a job is running because the host pauses between steps.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;

use js_sys::{Promise, Uint8Array};
use twinbeam_core::{ComponentKind, DeviceChoice, Event, Experiment, Outcome, Problem, Request};
use twinbeam_engine::{
    ByteSource, DeviceKind, Error, Host, Model, Plan, SourceError, inspect, question, run,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, Response};

/// The page refuses a worker of another build.
const BUILD: &str = match option_env!("TWINBEAM_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// Milliseconds of computing after which messages get a turn.
const TURN_MILLIS: f64 = 12.0;
/// Milliseconds between two progress messages.
const PROGRESS_MILLIS: f64 = 50.0;

fn main() {
    console_error_panic_hook::set_once();
    let worker = Rc::new(Worker::new());
    let listener = Rc::clone(&worker);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(&listener, &event);
    });
    worker.scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker does.
    on_message.forget();
    worker.send(&Event::Started { build: BUILD.to_owned() });
}

struct Worker {
    scope: DedicatedWorkerGlobalScope,
    queue: RefCell<VecDeque<Request>>,
    busy: Cell<bool>,
    cancelled: Cell<Option<u64>>,
    model: RefCell<Option<Rc<Model>>>,
}

fn hear(worker: &Rc<Worker>, event: &MessageEvent) {
    // A message that cannot be read is not ours: the page and the worker are of one build.
    let Some(request) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok())
    else {
        return;
    };
    if let Request::Cancel { job } = request {
        worker.cancelled.set(Some(job));
        return;
    }
    worker.queue.borrow_mut().push_back(request);
    if !worker.busy.replace(true) {
        let worker = Rc::clone(worker);
        spawn_local(async move {
            while let Some(request) = worker.next() {
                worker.handle(request).await;
            }
            worker.busy.set(false);
        });
    }
}

impl Worker {
    fn new() -> Self {
        Self {
            scope: js_sys::global().unchecked_into(),
            queue: RefCell::default(),
            busy: Cell::new(false),
            cancelled: Cell::new(None),
            model: RefCell::new(None),
        }
    }

    /// The next request. Of several drafts in a row only the last is looked at.
    fn next(&self) -> Option<Request> {
        let mut queue = self.queue.borrow_mut();
        let request = queue.pop_front()?;
        if matches!(request, Request::Inspect { .. }) {
            let newer = queue.iter().any(|other| matches!(other, Request::Inspect { .. }));
            if newer {
                drop(queue);
                return self.next();
            }
        }
        Some(request)
    }

    fn send(&self, event: &Event) {
        // OK because events hold finite numbers, strings and lists.
        let Ok(text) = serde_json::to_string(event) else {
            return;
        };
        self.scope.post_message(&JsValue::from_str(&text)).ok();
    }

    fn millis(&self) -> f64 {
        self.scope.performance().map_or_else(js_sys::Date::now, |clock| clock.now())
    }

    async fn handle(&self, request: Request) {
        let (job, result) = match request {
            Request::Load { model, base, device } => (None, self.load(model, base, device).await),
            Request::Inspect { seq, draft } => (None, self.inspect(seq, &draft).await),
            Request::Run { job, experiment, kinds } => {
                (Some(job), self.run(job, experiment, kinds).await)
            }
            // Heard before it was queued.
            Request::Cancel { .. } => return,
        };
        match (job, result) {
            (_, Ok(())) => {}
            (Some(job), Err(Problem::Cancelled)) => self.send(&Event::Cancelled { job }),
            (job, Err(problem)) => self.send(&Event::Failed { job, problem }),
        }
    }

    async fn load(&self, name: String, base: String, choice: DeviceChoice) -> Result<(), Problem> {
        // The old model goes first: two do not fit where memory is short.
        self.model.replace(None);
        let problem = |error: Error| error.problem();
        let source = Http { scope: self.scope.clone(), base, files: RefCell::default() };
        #[cfg(feature = "faults")]
        if self.is_spoiled(&source).await {
            return Ok(());
        }
        let device = DeviceKind::choose(choice).await.map_err(problem)?;
        let mut host = self.host(0);
        let model = Model::load(&source, &device, &mut host).await.map_err(problem)?;
        self.send(&Event::Loaded {
            model: name,
            shape: *model.shape(),
            device: device.report().clone(),
            fingerprint: model.fingerprint().to_owned(),
        });
        self.model.replace(Some(Rc::new(model)));
        Ok(())
    }

    /// Asks the server for a fault. Whether the worker is not to go on.
    #[cfg(feature = "faults")]
    async fn is_spoiled(&self, source: &Http) -> bool {
        use twinbeam_engine::faults;
        if let Ok(name) = source.fetch("fault.txt").await {
            faults::arm(&String::from_utf8_lossy(&name));
        }
        let of_another_build = faults::is_of_another_build();
        if of_another_build {
            self.send(&Event::Started { build: "another".to_owned() });
        }
        of_another_build
    }

    async fn inspect(&self, seq: u64, draft: &Experiment) -> Result<(), Problem> {
        // The page asks again once a model is there.
        let Ok(model) = self.loaded() else {
            return Ok(());
        };
        let inspection = inspect(&model, draft).await.map_err(|error| error.problem())?;
        self.send(&Event::Inspected { seq, inspection: Box::new(inspection) });
        Ok(())
    }

    async fn run(
        &self,
        job: u64,
        experiment: Experiment,
        kinds: Vec<ComponentKind>,
    ) -> Result<(), Problem> {
        let model = self.loaded()?;
        let plan = Plan::of(kinds, experiment.direction);
        let mut host = self.host(job);
        let question = question(&model, &experiment).map_err(|error| error.problem())?;
        let outcome = run(&model, &question, experiment, &plan, job, &mut host).await;
        let (outcome, checked) = outcome.map_err(|error| error.problem())?;
        let Outcome { joint, seconds, .. } = outcome;
        self.send(&Event::Done { job, joint, seconds, checked });
        Ok(())
    }

    fn loaded(&self) -> Result<Rc<Model>, Problem> {
        self.model.borrow().clone().ok_or(Problem::NoModel)
    }

    fn host(&self, job: u64) -> Messages<'_> {
        Messages { worker: self, job, last_turn: self.millis(), last_progress: 0.0 }
    }
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
            let now = self.worker.millis();
            if now - self.last_progress < PROGRESS_MILLIS && done < total {
                return;
            }
            self.last_progress = now;
        }
        self.worker.send(&event);
    }

    fn seconds(&self) -> f64 {
        self.worker.millis() / 1000.0
    }

    async fn pause(&mut self) {
        if self.worker.millis() - self.last_turn < TURN_MILLIS {
            return;
        }
        turn().await;
        self.last_turn = self.worker.millis();
    }

    fn cancelled(&self) -> bool {
        self.worker.cancelled.get() == Some(self.job)
    }
}

/// Lets the browser deliver what has arrived. A message to oneself is not slowed down as timers are.
async fn turn() {
    let Ok(channel) = MessageChannel::new() else {
        return;
    };
    let promise = Promise::new(&mut |resolve, _reject| {
        channel.port1().set_onmessage(Some(&resolve));
        channel.port2().post_message(&JsValue::NULL).ok();
    });
    JsFuture::from(promise).await.ok();
    channel.port1().set_onmessage(None);
    channel.port1().close();
}

/// Files below an address, each fetched whole, once.
struct Http {
    scope: DedicatedWorkerGlobalScope,
    base: String,
    files: RefCell<BTreeMap<String, Rc<Vec<u8>>>>,
}

impl Http {
    async fn file(&self, file: &str) -> Result<Rc<Vec<u8>>, SourceError> {
        if let Some(bytes) = self.files.borrow().get(file) {
            return Ok(Rc::clone(bytes));
        }
        let bytes = Rc::new(self.fetch(file).await?);
        self.files.borrow_mut().insert(file.to_owned(), Rc::clone(&bytes));
        Ok(bytes)
    }

    async fn fetch(&self, file: &str) -> Result<Vec<u8>, SourceError> {
        let failed = |error: JsValue| SourceError::Failed(describe(&error));
        let address = format!("{}{file}", self.base);
        let response = JsFuture::from(self.scope.fetch_with_str(&address)).await.map_err(failed)?;
        let response: Response = response.unchecked_into();
        match response.status() {
            200 => {}
            404 => return Err(SourceError::NotFound),
            status => return Err(SourceError::Failed(format!("the server answered {status}"))),
        }
        let buffer = JsFuture::from(response.array_buffer().map_err(failed)?).await;
        Ok(Uint8Array::new(&buffer.map_err(failed)?).to_vec())
    }
}

impl ByteSource for Http {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        Ok(self.file(file).await?.len() as u64)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let bytes = self.file(file).await?;
        let wanted = bytes.get(range.start as usize..range.end as usize);
        let short = || SourceError::Failed(format!("the file ends at byte {}", bytes.len()));
        wanted.map(<[u8]>::to_vec).ok_or_else(short)
    }
}

fn describe(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &JsValue::from_str("message")).ok();
    message.and_then(|text| text.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
