//! More cores for one job: workers with the same program and the same model, which compute shares of it.
//!
//! This is both ends of that. The lead is the worker that the page talks to: it starts members where a job is worth it,
//! deals shares to them (`Pool`, of the engine) and takes what they find. A member loads the model from where the lead
//! has it, runs both prompts of each job once, and then computes what it is told. A member that dies, or does not come
//! back, costs some time and nothing else.
//!
//! Shares travel as bytes, in which numbers are what they were, bit for bit. Nothing here needs a page that is isolated
//! from others: no memory is shared, each member has the model.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use futures_channel::mpsc;
use js_sys::{Array, Reflect, Uint8Array};
use serde::{Deserialize, Serialize};
use twinbeam_core::wire::devices::{DeviceReport, Placement};
use twinbeam_core::wire::{Event, Problem, Request, pack, unpack};
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Assistant, Computed, Host, Order, Pool, Share, question};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, MessageEvent};

use crate::beside::{Beside, Heard};
use crate::browser::{millis, scope, sleep, turn};
use crate::loading::memory_bytes;
use crate::{BUILD, TURN_MILLIS, Work, Worker, send};

/// Seconds that a job must be expected to take before members are started for it: each of them has to load the model.
const WORTH_SECONDS: f64 = 8.0;
/// Seconds without a job after which members are let go: each of them holds a model.
const IDLE_SECONDS: f64 = 90.0;
/// Seconds between two looks for what members have found, while there is nothing else to do.
const LOOK_SECONDS: f64 = 0.004;
/// Members that may die before none is started again for the same model.
const MOST_DEATHS: usize = 3;
/// Most workers, whatever somebody chooses.
const MOST_WORKERS: usize = 16;
/// Gigabytes for each core that a device counts as having where the browser does not say: a phone has six cores, and ends a
/// page that takes two gigabytes.
const ASSUMED_PER_CORE: f64 = 0.5;
/// Gigabytes that any device counts as having.
const LEAST_ASSUMED: f64 = 2.0;
/// Bytes of a member besides the model that the lead has in memory: a batch with its gradients, compiled code, and what the
/// browser needs for a worker.
const BESIDES: f64 = 260e6;
/// Seconds between two signs of life of a member that computes.
const SIGN_SECONDS: f64 = 1.0;

/// What a member is told.
#[derive(Debug, Serialize, Deserialize)]
enum Told {
    /// Load the model of a [`Request::Load`], which is JSON, if its weights have a digest.
    Load { load: String, sha256: String },
    /// Compute a share of a job.
    Compute { job: u64, experiment: Experiment, number: u64, share: Share },
    /// A share is not wanted any more unless it has been begun.
    Leave(u64),
    /// Nothing of a job, or of those before it, is wanted any more.
    Stop(u64),
}

/// What a member says.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    /// It has the model.
    Ready,
    /// It is at it.
    Works,
    /// It has computed a share.
    Found(u64, Computed),
    /// Something is wrong with a share, and not with the member.
    Refused(u64),
    /// It cannot go on.
    Failed(Problem),
}

/// The members, from the side of the lead.
#[derive(Default)]
pub(crate) struct Team {
    pool: RefCell<Option<Rc<Pool>>>,
    members: RefCell<BTreeMap<u64, Beside>>,
    /// Members that were started, those that are gone included.
    started: Cell<u64>,
    /// The member that loads the model now: they do so one after the other, since a browser's files are open once.
    loading: Cell<Option<u64>>,
    deaths: Cell<usize>,
    /// What loads the model in a member, with its files and the digest that its weights must have; `None`: it cannot be
    /// loaded a second time.
    load: RefCell<Option<(String, Vec<File>, String)>>,
    /// Most members at once.
    most: Cell<usize>,
    /// Whether members were asked for, so that no job is too small.
    is_chosen: Cell<bool>,
    job: RefCell<Option<(u64, Experiment)>>,
    /// Whether the job is worth members.
    is_worth_it: Cell<bool>,
    /// Where the job is, as the page was told.
    placed: RefCell<Option<(DeviceReport, Placement)>>,
    /// Jobs that were begun: who waits for a quiet time sees by it that there was none.
    jobs: Cell<u64>,
}

impl Team {
    /// Forgets everything: another model is wanted.
    pub(crate) fn reset(&self) {
        self.let_go();
        self.load.take();
        self.job.take();
        self.placed.take();
        self.deaths.set(0);
        self.most.set(0);
    }

    /// The model that this worker has, with weights of a digest, can be loaded by members. `workers`: how many compute at
    /// once, where the visitor has chosen.
    pub(crate) fn can_load(
        &self,
        load: &Request,
        files: &[File],
        sha256: String,
        workers: Option<usize>,
    ) {
        // OK because requests hold strings, numbers and lists.
        let Ok(load) = serde_json::to_string(load) else {
            return;
        };
        self.load.replace(Some((load, files.to_vec(), sha256)));
        self.is_chosen.set(workers.is_some_and(|workers| workers > 1));
        let most = workers.unwrap_or_else(|| cores() as usize).min(MOST_WORKERS);
        self.most.set(most.min(fitting()).saturating_sub(1));
    }

    /// A job begins here: starts members where that is worth it. `placed`: where it is, for the page to be told how many are
    /// at it.
    pub(crate) fn begin(
        worker: &Rc<Worker>,
        (job, experiment): (u64, Experiment),
        placed: (DeviceReport, Placement),
    ) {
        let team = &worker.team;
        team.jobs.set(team.jobs.get() + 1);
        let seconds = placed.1.cpu_seconds.unwrap_or(0.0);
        team.is_worth_it.set(team.is_chosen.get() || seconds > WORTH_SECONDS);
        team.job.replace(Some((job, experiment)));
        team.placed.replace(Some(placed));
        if team.pool.borrow().is_none() {
            team.pool.replace(Some(Rc::new(Self::new_pool(worker))));
        }
        Self::grow(worker);
        team.tell_page();
    }

    /// The job is over, or was stopped: members drop what they have of it, and are let go if no other comes. How many
    /// workers were at it at the end.
    pub(crate) fn end(worker: &Rc<Worker>) -> usize {
        let team = &worker.team;
        let (job, placed) = (team.job.take(), team.placed.take());
        let (Some((job, _)), false) = (job, team.members.borrow().is_empty()) else {
            return 1;
        };
        for member in team.members.borrow().values() {
            tell(member, &Told::Stop(job), &[]);
        }
        let pool = team.pool.borrow().clone();
        // Who has not been heard of by now may never be.
        for late in pool.iter().flat_map(|pool| pool.late()) {
            team.lose(late);
        }
        let jobs = team.jobs.get();
        let listener = Rc::downgrade(worker);
        spawn_local(async move {
            sleep(IDLE_SECONDS).await;
            if let Some(worker) = Weak::upgrade(&listener)
                && worker.team.jobs.get() == jobs
            {
                worker.team.let_go();
            }
        });
        placed.map_or(1, |(_, placement)| placement.workers)
    }

    fn let_go(&self) {
        self.members.take();
        self.pool.take();
        self.loading.take();
    }

    /// Who else computes shares of the job that runs here.
    pub(crate) fn pool(&self, job: u64) -> Option<Rc<Pool>> {
        self.job.borrow().as_ref().filter(|(known, _)| *known == job)?;
        self.pool.borrow().clone()
    }

    /// Starts the next member, if there is a job that is worth it and none is on its way. While a GPU is being made ready
    /// nobody is started: the next job is likely its own, and it loads the model too.
    pub(crate) fn grow(worker: &Rc<Worker>) {
        let team = &worker.team;
        let is_wanted = team.job.borrow().is_some()
            && team.is_worth_it.get()
            && (team.is_chosen.get() || !worker.gpu.is_warming());
        let n = team.members.borrow().len();
        if !is_wanted
            || n >= team.most.get()
            || team.loading.get().is_some()
            || team.deaths.get() >= MOST_DEATHS
        {
            return;
        }
        let Some((load, files, sha256)) = team.load.borrow().clone() else {
            return;
        };
        let number = team.started.get() + 1;
        team.started.set(number);
        let listener = Rc::downgrade(worker);
        let hear = move |heard| {
            if let Some(worker) = Weak::upgrade(&listener) {
                Self::hear(&worker, number, heard);
            }
        };
        if let Ok(member) = Beside::start(hear) {
            tell(&member, &Told::Load { load, sha256 }, &files);
            team.members.borrow_mut().insert(number, member);
            team.loading.set(Some(number));
        } else {
            // A worker that may not start another one computes alone.
            team.most.set(0);
        }
    }

    fn new_pool(worker: &Rc<Worker>) -> Pool {
        let listener = Rc::downgrade(worker);
        Pool::new(move |member, number, order| {
            let Some(worker) = Weak::upgrade(&listener) else {
                return;
            };
            let (members, job) = (worker.team.members.borrow(), worker.team.job.borrow());
            let (Some(member), Some((job, experiment))) = (members.get(&member), job.as_ref())
            else {
                return;
            };
            let told = match order {
                Order::Compute(share) => Told::Compute {
                    job: *job,
                    experiment: experiment.clone(),
                    number,
                    share: share.clone(),
                },
                Order::Leave => Told::Leave(number),
            };
            tell(member, &told, &[]);
        })
    }

    fn hear(worker: &Rc<Worker>, number: u64, heard: Heard) {
        let team = &worker.team;
        let pool = team.pool.borrow().clone();
        let Some(pool) = pool else {
            return;
        };
        match heard {
            Heard::Event(Event::Started { build }) if build == BUILD => {
                if let Some(member) = team.members.borrow().get(&number) {
                    member.started();
                }
            }
            Heard::Bytes(bytes) => match unpack(&bytes) {
                Some(Said::Ready) => {
                    pool.join(number, seconds());
                    team.tell_page();
                    team.loading.set(None);
                    Self::grow(worker);
                }
                Some(Said::Works) => pool.is_alive(number, seconds()),
                Some(Said::Found(share, computed)) => {
                    pool.answer(number, share, computed, seconds());
                }
                Some(Said::Refused(share)) => pool.refuse(number, share, seconds()),
                Some(Said::Failed(_)) | None => Self::replace(worker, number),
            },
            // It is of another build, it has not loaded the model, or it is no more.
            Heard::Event(Event::Started { .. } | Event::Failed { .. }) | Heard::Ended(_) => {
                Self::replace(worker, number);
            }
            Heard::Event(_) | Heard::Claim(..) | Heard::Words(_) => {}
        }
    }

    /// A member is gone: the others compute what it had, and another one takes its place.
    fn replace(worker: &Rc<Worker>, number: u64) {
        worker.team.lose(number);
        Self::grow(worker);
    }

    fn lose(&self, number: u64) {
        let lost = self.members.borrow_mut().remove(&number);
        let pool = self.pool.borrow().clone();
        if let (Some(_), Some(pool)) = (lost, pool) {
            self.deaths.set(self.deaths.get() + 1);
            if self.loading.get() == Some(number) {
                self.loading.set(None);
            }
            pool.leave(number, seconds());
            self.tell_page();
        }
    }

    /// Tells the page how many compute now.
    fn tell_page(&self) {
        let others = self.pool.borrow().as_ref().map_or(0, |pool| pool.n_members());
        let job = self.job.borrow();
        let mut placed = self.placed.borrow_mut();
        let (Some((job, _)), Some((device, placement))) = (job.as_ref(), placed.as_mut()) else {
            return;
        };
        if placement.workers != others + 1 {
            placement.workers = others + 1;
            send(&Event::Placed { job: *job, device: device.clone(), placement: *placement });
        }
    }
}

/// What the browser says of its device.
fn said(name: &str) -> Option<f64> {
    let value = Reflect::get(&scope().navigator(), &JsValue::from_str(name)).ok()?;
    value.as_f64().filter(|value| *value > 0.0)
}

/// Cores of the device, as many as the browser admits to. Each takes a worker: the page has little to do meanwhile.
fn cores() -> f64 {
    said("hardwareConcurrency").unwrap_or(2.0)
}

/// Workers, this one included, that half of the device's memory holds: the other half is others'.
fn fitting() -> usize {
    let assumed = || (cores() * ASSUMED_PER_CORE).max(LEAST_ASSUMED);
    let memory = said("deviceMemory").unwrap_or_else(assumed);
    let each = memory_bytes() as f64 + BESIDES;
    (memory * 1e9 / 2.0 / each) as usize
}

fn tell(member: &Beside, told: &Told, files: &[File]) {
    // OK because what is told holds strings, numbers and lists.
    let Some(bytes) = pack(told) else {
        return;
    };
    let mut list = Array::of1(&Uint8Array::from(bytes.as_slice()));
    list.extend(files.iter().cloned());
    member.send_value(list.into());
}

fn say(said: &Said) {
    // OK because what is said holds numbers and lists.
    if let Some(bytes) = pack(said) {
        scope().post_message(&Uint8Array::from(bytes.as_slice())).ok();
    }
}

fn seconds() -> f64 {
    millis() / 1000.0
}

/// A member, from its own side.
#[derive(Default)]
pub(crate) struct Member {
    orders: RefCell<VecDeque<Shared>>,
    /// Tells whoever computes that there is something new.
    news: RefCell<Option<mpsc::UnboundedSender<()>>>,
    /// The last job of which nothing is wanted any more.
    stopped: Cell<u64>,
}

/// A share to compute.
struct Shared {
    job: u64,
    experiment: Experiment,
    number: u64,
    share: Share,
}

impl Member {
    /// Hears what a lead tells; whether it was that.
    pub(crate) fn hear(worker: &Rc<Worker>, event: &MessageEvent) -> bool {
        let Ok(parts) = event.data().dyn_into::<Array>() else {
            return false;
        };
        let Ok(bytes) = parts.get(0).dyn_into::<Uint8Array>() else {
            return false;
        };
        let member = &worker.member;
        match unpack(&bytes.to_vec()) {
            Some(Told::Load { load, sha256 }) => {
                // OK because the same program has written it.
                if let Ok(load) = serde_json::from_str(&load) {
                    let files = parts.iter().filter_map(|part| part.dyn_into().ok()).collect();
                    let work = Work::Join(Box::new(load), files, sha256);
                    worker.queue.borrow_mut().push_back(work);
                    Worker::work(worker);
                }
            }
            Some(Told::Compute { job, experiment, number, share }) => {
                member.orders.borrow_mut().push_back(Shared { job, experiment, number, share });
                member.wake();
            }
            Some(Told::Leave(number)) => {
                member.orders.borrow_mut().retain(|order| order.number != number);
            }
            Some(Told::Stop(job)) => {
                member.stopped.set(job);
                member.orders.borrow_mut().retain(|order| order.job > job);
                member.wake();
            }
            None => {}
        }
        true
    }

    fn wake(&self) {
        if let Some(news) = self.news.borrow().as_ref() {
            news.unbounded_send(()).ok();
        }
    }

    /// Loads the model, and computes what it is told for as long as it lives.
    pub(crate) async fn join(
        worker: &Worker,
        load: Request,
        files: Vec<File>,
        sha256: &str,
    ) -> Result<(), Problem> {
        worker.load_beside(load, files, sha256).await?;
        let model = worker.loaded()?;
        let member = &worker.member;
        let (news, mut heard) = mpsc::unbounded();
        member.news.replace(Some(news));
        say(&Said::Ready);
        // Both runs of the job that is under way.
        let mut runs: Option<(u64, Assistant<'_>)> = None;
        loop {
            let next = member.orders.borrow_mut().pop_front();
            let Some(Shared { job, experiment, number, share }) = next else {
                if runs.as_ref().is_some_and(|(job, _)| *job <= member.stopped.get()) {
                    // Activations of both runs, of which another job needs others.
                    runs = None;
                }
                if heard.recv().await.is_err() {
                    return Ok(());
                }
                continue;
            };
            let mut host = Quiet { member, job, last_turn: millis(), last_sign: seconds() };
            let computed = async {
                if runs.as_ref().is_none_or(|(known, _)| *known != job) {
                    runs = None;
                    let question = question(&model, &experiment)?;
                    runs = Some((job, Assistant::new(&model, &question).await?));
                }
                let Some((_, assistant)) = &runs else {
                    // OK because they were made where they were missing.
                    unreachable!("both runs are there")
                };
                assistant.compute(job, &share, &mut host).await
            };
            match computed.await.map_err(|error: twinbeam_engine::Error| error.problem()) {
                Ok(computed) => say(&Said::Found(number, computed)),
                Err(Problem::Cancelled) => {}
                // The lead computes the share itself, and says what is wrong.
                Err(Problem::NotFinite { .. }) => say(&Said::Refused(number)),
                Err(problem) => say(&Said::Failed(problem)),
            }
        }
    }
}

/// A member's host: it says nothing, and hears what it is told between two steps.
struct Quiet<'worker> {
    member: &'worker Member,
    job: u64,
    last_turn: f64,
    last_sign: f64,
}

impl Host for Quiet<'_> {
    fn emit(&mut self, _event: Event) {}

    fn seconds(&self) -> f64 {
        seconds()
    }

    async fn pause(&mut self) {
        if millis() - self.last_turn >= TURN_MILLIS {
            turn().await;
            self.last_turn = millis();
            if seconds() - self.last_sign >= SIGN_SECONDS {
                self.last_sign = seconds();
                say(&Said::Works);
            }
        }
    }

    fn cancelled(&self) -> bool {
        self.job <= self.member.stopped.get()
    }
}

/// Waits a moment for what members find.
pub(crate) async fn look() {
    sleep(LOOK_SECONDS).await;
}
