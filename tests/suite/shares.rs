//! A job in shares: whoever computes them, and whatever becomes of whom, the result is the same to the last bit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use pollster::block_on;
use twinbeam_batch::Folder;
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::{Event, Expected, Problem};
use twinbeam_core::words::{ComponentKind, Direction, Experiment, Steps};
use twinbeam_engine::{
    Assistant, DeviceKind, Error, Host, Model, Order, Plan, Pool, Question, Share, question, run,
};
use twinbeam_tests::{Listener, repository};

/// What a member of the pool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It computes what it is told.
    Works,
    /// It is gone when it has computed so many shares, with the next one in its hands.
    DiesAfter(usize),
    /// It never comes back with anything.
    Hangs,
    /// It comes back with each share so many turns after everybody has stopped waiting for it.
    IsLate(usize),
    /// It says that something is wrong with the share of a number.
    Refuses(u64),
    /// It joins when so many turns have gone.
    JoinsAfter(usize),
}

#[derive(Debug)]
struct Member {
    manner: Manner,
    orders: VecDeque<(u64, Share)>,
    computed: usize,
    waited: usize,
    is_gone: bool,
}

/// A job's host with others beside it: at each of its turns each of them computes a share.
struct Team<'model> {
    heard: Listener,
    assistant: Assistant<'model>,
    members: Rc<RefCell<Vec<Member>>>,
    pool: Rc<Pool>,
    turns: Cell<usize>,
    /// Shares that came back and were no longer wanted.
    in_vain: usize,
}

impl<'model> Team<'model> {
    fn new(model: &'model Model, question: &Question, manners: &[Manner]) -> Self {
        let member = |manner: &Manner| Member {
            manner: *manner,
            orders: VecDeque::new(),
            computed: 0,
            waited: 0,
            is_gone: false,
        };
        let members = Rc::new(RefCell::new(manners.iter().map(member).collect::<Vec<_>>()));
        let told = Rc::clone(&members);
        let pool = Rc::new(Pool::new(move |id, number, order| {
            let orders = &mut told.borrow_mut()[id as usize].orders;
            match order {
                Order::Compute(share) => orders.push_back((number, share.clone())),
                Order::Leave => orders.retain(|(given, _)| *given != number),
            }
        }));
        for (id, manner) in (0..).zip(manners) {
            if !matches!(manner, Manner::JoinsAfter(_)) {
                pool.join(id, 0.0);
            }
        }
        let assistant = block_on(Assistant::new(model, question)).expect("it runs");
        let (heard, turns) = (Listener::default(), Cell::new(0));
        Self { heard, assistant, members, pool, turns, in_vain: 0 }
    }

    fn turn(&mut self) {
        self.turns.set(self.turns.get() + 1);
        let n = self.members.borrow().len();
        for id in 0..n {
            let now = self.seconds();
            let next = {
                let mut members = self.members.borrow_mut();
                let member = &mut members[id];
                if member.is_gone {
                    continue;
                }
                match member.manner {
                    Manner::JoinsAfter(turns) if self.turns.get() == turns => {
                        drop(members);
                        self.pool.join(id as u64, now);
                        continue;
                    }
                    Manner::DiesAfter(most)
                        if member.computed == most && !member.orders.is_empty() =>
                    {
                        member.is_gone = true;
                        drop(members);
                        self.pool.leave(id as u64, now);
                        continue;
                    }
                    Manner::Hangs => continue,
                    Manner::IsLate(turns) if member.waited < turns => {
                        member.waited += usize::from(!member.orders.is_empty());
                        continue;
                    }
                    _ => {}
                }
                member.waited = 0;
                let next = member.orders.pop_front();
                if let (Manner::Refuses(wrong), Some((number, _))) = (member.manner, &next)
                    && wrong == *number
                {
                    drop(members);
                    self.pool.refuse(id as u64, wrong, now);
                    continue;
                }
                member.computed += usize::from(next.is_some());
                next
            };
            if let Some((number, share)) = next {
                let computed =
                    block_on(self.assistant.compute(7, &share, &mut Listener::default()))
                        .expect("it computes");
                let was_wanted = self.pool.answer(id as u64, number, computed, now);
                self.in_vain += usize::from(!was_wanted);
            }
        }
    }

    fn computed(&self) -> usize {
        self.members.borrow().iter().map(|member| member.computed).sum()
    }
}

impl Host for Team<'_> {
    fn emit(&mut self, event: Event) {
        self.heard.emit(event);
    }

    fn seconds(&self) -> f64 {
        self.turns.get() as f64 * 0.05
    }

    async fn pause(&mut self) {
        self.turn();
    }

    fn pool(&self) -> Option<Rc<Pool>> {
        Some(Rc::clone(&self.pool))
    }

    fn cancelled(&self) -> bool {
        self.heard.cancelled()
    }
}

fn bundled() -> Model {
    let folder = Folder(repository("assets/models/mini"));
    let device = DeviceKind::cpu("a test");
    block_on(Model::load(&folder, &Expected::default(), &device, &mut Listener::default()))
        .expect("it loads")
}

/// Heads and neurons of a short line, so that there are some hundred shares.
fn asked(model: &Model) -> (Question, Experiment, Plan) {
    let experiment = Experiment { n_steps: Steps::Fixed(3), ..Experiment::default() };
    let question = question(model, &experiment).expect("a question");
    let plan = Plan::of(vec![ComponentKind::Heads, ComponentKind::Neurons], Direction::Denoising);
    (question, experiment, plan)
}

/// What was said, without how far it was and how long it took.
fn said(events: &[Event]) -> Vec<Event> {
    let events = events.iter().filter(|event| !matches!(event, Event::Progress { .. }));
    events.cloned().collect()
}

fn run_in(team: &mut Team<'_>, model: &Model) -> Result<Outcome, Error> {
    let (question, experiment, plan) = asked(model);
    block_on(run(model, &question, experiment, &plan, 7, team))
}

#[test]
fn what_several_compute_is_what_one_computes_to_the_last_bit_and_in_the_same_order() {
    use Manner::{DiesAfter, Hangs, IsLate, JoinsAfter, Refuses, Works};
    let model = bundled();
    let (question, experiment, plan) = asked(&model);
    let mut alone = Listener::default();
    let expected = block_on(run(&model, &question, experiment, &plan, 7, &mut alone));
    let expected = expected.expect("it runs");
    let teams: [&[Manner]; 7] = [
        &[Works],
        &[Works, Works, Works],
        &[DiesAfter(0), DiesAfter(3), Works],
        &[Hangs, Works],
        &[IsLate(120), Works],
        &[JoinsAfter(40)],
        &[Refuses(1), Refuses(9)],
    ];
    for manners in teams {
        let mut team = Team::new(&model, &question, manners);
        let outcome = run_in(&mut team, &model).expect("it runs");
        assert_eq!(outcome.tables, expected.tables, "{manners:?}");
        assert_eq!(outcome.joint, expected.joint, "{manners:?}");
        assert_eq!(said(&team.heard.events), said(&alone.events), "{manners:?}");
        assert!(team.computed() > 0, "{manners:?} computes nothing");
        let progress = team.heard.events.iter().rev().find_map(|event| match event {
            Event::Progress { done, total, .. } => Some((*done, *total)),
            _ => None,
        });
        let (done, total) = progress.expect("there is progress");
        assert_eq!(done, total, "{manners:?}: the count of the work is exact");
        for event in &team.heard.events {
            if let Event::Progress { done, total, .. } = event {
                assert!(done <= total, "{manners:?}: {done} of {total}");
            }
        }
        if manners.contains(&Hangs) || manners.contains(&IsLate(120)) {
            // Twice what it is given at a time, of nearly two hundred shares.
            assert!(team.in_vain <= 4, "{manners:?}: {} shares in vain", team.in_vain);
        } else {
            assert_eq!(team.in_vain, 0, "{manners:?}: nothing is computed twice");
        }
    }
}

#[test]
fn points_that_are_found_on_the_way_are_the_same_too() {
    let model = bundled();
    let experiment = Experiment { n_steps: Steps::AUTO, ..Experiment::default() };
    let question = question(&model, &experiment).expect("a question");
    let plan = Plan::of(vec![ComponentKind::Heads], Direction::Noising);
    let mut alone = Listener::default();
    let expected = block_on(run(&model, &question, experiment.clone(), &plan, 7, &mut alone));
    let mut team = Team::new(&model, &question, &[Manner::Works, Manner::Works]);
    let outcome = block_on(run(&model, &question, experiment, &plan, 7, &mut team));
    assert_eq!(outcome.expect("it runs").tables, expected.expect("it runs").tables);
    assert_eq!(said(&team.heard.events), said(&alone.events));
    let last = team.heard.events.iter().rev().find_map(|event| match event {
        Event::Progress { done, total, .. } => Some((*done, *total)),
        _ => None,
    });
    let (done, total) = last.expect("there is progress");
    assert_eq!(done, total, "what others found on the way is counted");
}

#[test]
fn a_job_that_is_stopped_leaves_nothing_to_compute() {
    let model = bundled();
    let (question, ..) = asked(&model);
    let mut team = Team::new(&model, &question, &[Manner::Works, Manner::Works]);
    team.heard.cancel_after = Some(30);
    let error = run_in(&mut team, &model).expect_err("it is stopped");
    assert_eq!(error.problem(), Problem::Cancelled);
    // What members still hold is not wanted any more, and the next job is not disturbed by it.
    team.heard = Listener::default();
    let outcome = run_in(&mut team, &model).expect("it runs");
    let mut alone = Listener::default();
    let (question, experiment, plan) = asked(&model);
    let expected = block_on(run(&model, &question, experiment, &plan, 7, &mut alone));
    assert_eq!(outcome.tables, expected.expect("it runs").tables);
}
