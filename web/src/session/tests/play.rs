//! A page that is played: a session, and a worker whose lines a test speaks.

use twinbeam_core::link::Link;
use twinbeam_core::models::Catalog;
use twinbeam_core::scores::{JointEffects, Patches, Strip, TableKey, Timed};
use twinbeam_core::wire::devices::{DeviceChoice, DeviceReport};
use twinbeam_core::wire::inspection::{Inspection, TokenizerReport};
use twinbeam_core::wire::{Event, Kept, Request};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Method};

use crate::session::{Death, Effect, Moment, Msg, Session, Visitor, update};
use crate::values::{BUILD, Job, Listed, SHAPE, Shelves, side};

/// Digest of the weights that a worker says it has loaded, unless a test says another.
pub(super) const DIGEST: &str = "abababababababababababababababababababababababababababababababab";

pub(super) struct Play {
    pub(super) session: Session,
    /// What the last message has led to.
    pub(super) effects: Vec<Effect>,
    millis: f64,
}

impl Play {
    /// A page that was opened with an address, before anything has answered.
    pub(super) fn opened(link: Option<Link>) -> Self {
        let mut session = Session::new(Experiment::default(), DeviceChoice::Auto);
        session.open_address(link.map(Ok), None);
        Self::begun(session)
    }

    /// A page that computes nothing by itself.
    pub(super) fn of(session: Session) -> Self {
        Self { session, effects: Vec::new(), millis: 0.0 }
    }

    pub(super) fn begun(session: Session) -> Self {
        let mut play = Self::of(session);
        play.effects = play.session.begin();
        play
    }

    /// A page whose first figure is complete, with its neurons.
    pub(super) fn ready() -> Self {
        let mut play = Self::loaded();
        play.figure();
        play.neurons();
        assert_eq!(play.session.job(), None);
        play
    }

    /// A page whose bundled model has just been loaded, so that it runs.
    pub(super) fn loaded() -> Self {
        let mut play = Self::opened(None);
        play.listed();
        play.starts();
        play.loads("mini");
        play.inspected();
        play
    }

    pub(super) fn msg(&mut self, msg: impl Into<Msg>) {
        self.millis += 1.0;
        let now = Moment { millis: self.millis, is_online: true };
        self.effects = update(&mut self.session, now, msg.into());
    }

    /// Some time passes.
    pub(super) fn passes(&mut self, millis: f64) {
        self.millis += millis;
    }

    pub(super) fn listed(&mut self) {
        let catalog = Catalog::bundled();
        let folders = catalog.models.iter().map(|model| format!("{}/", model.id)).collect();
        self.msg(Msg::Listed { listed: Listed { catalog, folders }, fault: None });
    }

    /// The worker in use says something.
    pub(super) fn hears(&mut self, event: Event) {
        let from = self.session.workers.in_use.expect("a worker is in use");
        self.hears_from(from, event);
    }

    pub(super) fn hears_from(&mut self, from: u64, event: Event) {
        self.msg(Msg::Worker { from, event: Box::new(event) });
    }

    pub(super) fn starts(&mut self) {
        self.hears(Event::Started { build: BUILD.to_owned() });
    }

    /// The worker in use dies.
    pub(super) fn dies(&mut self, words: &str) {
        let from = self.session.workers.in_use.expect("a worker is in use");
        self.msg(Msg::Died { from, death: Death::Stopped(words.to_owned()) });
    }

    pub(super) fn loads(&mut self, model: &str) {
        self.hears(loaded(model, DIGEST));
    }

    /// The worker has looked at the draft and finds nothing wrong.
    pub(super) fn inspected(&mut self) {
        let seq = self.session.workers.inspections;
        self.hears(Event::Inspected { seq, inspection: Box::new(Inspection::default()) });
    }

    /// Number of the running job.
    pub(super) fn job(&self) -> u64 {
        self.session.running.as_ref().expect("something is running").id
    }

    /// Both runs are measured.
    pub(super) fn sides(&mut self) {
        let (clean, corrupted) = (Box::new(side(3.0)), Box::new(side(-1.0)));
        let job = self.job();
        self.hears(Event::Sides { job, clean, corrupted });
    }

    pub(super) fn strips(&mut self, kind: ComponentKind, methods: &[Method]) {
        let job = self.job();
        for direction in Direction::ALL {
            for method in methods {
                for layer in 0..SHAPE.n_layers {
                    let is_ig = *method == Method::Ig;
                    let strip = Strip {
                        key: TableKey { kind, method: *method, direction },
                        layer,
                        values: vec![0.5; kind.width(&SHAPE)],
                        convergence_delta: is_ig.then_some(0.0),
                        n_steps: is_ig.then_some(50),
                    };
                    self.hears(Event::Strip { job, strip });
                }
            }
        }
    }

    pub(super) fn done(&mut self, checking: bool) {
        let job = self.job();
        let joint = Vec::<JointEffects>::new();
        self.hears(Event::Done { job, joint, seconds: vec![(Timed::Runs, 1.5)], checking });
    }

    /// The running job of heads goes through.
    pub(super) fn figure(&mut self) {
        assert_eq!(self.session.job(), Some(Job::Heads));
        self.sides();
        self.strips(ComponentKind::Heads, &[Method::Ig, Method::Atp, Method::Ap]);
        self.done(false);
    }

    /// The running job of neurons goes through.
    pub(super) fn neurons(&mut self) {
        assert_eq!(self.session.job(), Some(Job::Neurons));
        self.strips(ComponentKind::Neurons, &[Method::Ig, Method::Atp]);
        let n = SHAPE.n_layers * SHAPE.d_mlp;
        for direction in Direction::ALL {
            let patches = Patches {
                kind: ComponentKind::Neurons,
                direction,
                places: (0..n).collect(),
                values: vec![0.25; n],
            };
            let coverage = coverage(n);
            let job = self.job();
            self.hears(Event::Patched { job, patches, coverage });
        }
        self.done(false);
    }

    /// What the last message had workers told.
    pub(super) fn requests(&self) -> Vec<&Request> {
        let mut requests = Vec::new();
        for effect in &self.effects {
            if let Effect::Tell { request, .. } = effect {
                requests.push(&**request);
            }
        }
        requests
    }

    /// The links that the last message has put into the address.
    pub(super) fn links(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Address { link, .. } => Some(link.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Types into the draft, and the model finds nothing wrong with it.
    pub(super) fn types(&mut self, clean: &str) {
        let draft = Experiment { clean: clean.to_owned(), ..self.session.draft.clone() };
        self.msg(Visitor::Edit { draft: Box::new(draft), at_once: true });
        self.inspected();
    }

    pub(super) fn notice(&self) -> &str {
        self.session.notice.as_ref().map_or("", |notice| notice.title.as_str())
    }

    /// What the browser keeps has been looked at: nothing.
    pub(super) fn looked_at_shelves(&mut self) {
        self.msg(Msg::Kept { shelves: Shelves::Read(Vec::new()), space: None });
    }
}

/// How much of one direction's neurons is exact: all of `n`.
pub(super) fn coverage(n: usize) -> twinbeam_core::scores::Coverage {
    twinbeam_core::scores::Coverage {
        exact: n,
        total: n,
        sampled: 0,
        larger: 0,
        missed_share: None,
    }
}

pub(super) fn loaded(model: &str, digest: &str) -> Event {
    Event::Loaded {
        model: model.to_owned(),
        shape: SHAPE,
        device: cpu(),
        fingerprint: digest.to_owned(),
        shards: None,
        as_expected: Some(true),
        tokenizer: Some(TokenizerReport::default()),
        kept: Kept::Elsewhere,
        seconds: Vec::new(),
        memory_bytes: 0,
    }
}

pub(super) fn cpu() -> DeviceReport {
    DeviceReport { gpu: false, name: "CPU".to_owned(), reason: String::new() }
}

pub(super) fn gpu() -> DeviceReport {
    DeviceReport { gpu: true, name: "A GPU".to_owned(), reason: String::new() }
}
