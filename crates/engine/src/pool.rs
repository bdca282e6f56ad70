//! Who computes a table's shares: whoever runs the job, and others that have the same model.
//!
//! All take from the front of one list, so of integrals, whose first layers cost most, the large shares are begun first.
//! Each of the others has one share more than it computes, so that it need not wait for the next. What they find is
//! handed on in the order of the shares, whoever was sooner. What a member that is gone had is dealt again; what
//! one is late with is computed by whoever runs the job. What arrives twice is the same.
//!
//! This is bookkeeping and knows of no worker: how a share gets to somebody is up to who makes the pool.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::shares::{Computed, Share};

/// Shares that one of the others has at a time: the one that it computes, and the next.
const AT_ONCE: usize = 2;
/// Nobody waits for a member any longer that has said nothing for so many times as long as its share should take.
const PATIENCE: f64 = 4.0;
/// Seconds of silence that are always waited for.
const LEAST_PATIENCE: f64 = 4.0;

/// What somebody is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Order<'share> {
    /// Compute a share.
    Compute(&'share Share),
    /// A share is not wanted any more unless it has been begun.
    Leave,
}

/// Tells a member of the pool something about the share of a number.
type Tell = dyn Fn(u64, u64, Order<'_>);

/// The shares of one table at a time, and who has them.
pub struct Pool {
    tell: Box<Tell>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    shares: Vec<Offered>,
    /// Number of the first share: a number is never used again, so an answer that comes late is known as one.
    first: u64,
    /// Places of the shares that nobody has.
    waiting: VecDeque<usize>,
    members: BTreeMap<u64, Member>,
    /// Units of work that others have done, and those that were counted on for the same, since somebody asked.
    elsewhere: (u64, u64),
    /// Seconds that a unit of work took whoever needed most for it.
    seconds_per_unit: f64,
}

struct Offered {
    share: Share,
    /// Units of work that are counted on.
    counted: u64,
    /// Whether only who runs the job computes it: somebody else could not.
    stays: bool,
    progress: Progress,
}

enum Progress {
    /// It is to be computed, or being computed.
    Open,
    /// What was found, for whoever runs the job.
    Found(Computed),
    /// It has been handed on.
    Over,
}

impl Progress {
    /// What was found, once.
    fn take(&mut self) -> Option<Computed> {
        match std::mem::replace(self, Self::Over) {
            Self::Found(computed) => Some(computed),
            before => {
                *self = before;
                None
            }
        }
    }
}

impl Offered {
    const fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Open)
    }
}

#[derive(Default)]
struct Member {
    /// Places of the shares that it has, the one that it computes first.
    has: VecDeque<usize>,
    /// When it began with that one.
    begun: f64,
    /// When it was last heard of.
    heard: f64,
    /// It did not come back with a share in time, and gets no other until it does.
    is_late: bool,
}

impl Pool {
    /// A pool whose members are told what to do by `tell`: who, the number of the share, and what about it.
    pub fn new(tell: impl Fn(u64, u64, Order<'_>) + 'static) -> Self {
        Self { tell: Box::new(tell), state: RefCell::default() }
    }

    /// A pool of nobody else.
    pub fn alone() -> Self {
        Self::new(|_, _, _| {})
    }

    /// Somebody is ready, and gets shares of what is computed now.
    pub fn join(&self, member: u64, now: f64) {
        self.state.borrow_mut().members.insert(member, Member::default());
        self.deal(now);
    }

    /// Somebody is no more: the shares that it had are dealt again, first of all.
    pub fn leave(&self, member: u64, now: f64) {
        {
            let mut state = self.state.borrow_mut();
            let had = state.members.remove(&member).map(|member| member.has);
            for place in had.into_iter().flatten().rev() {
                state.put_back(place);
            }
        }
        self.deal(now);
    }

    /// A sign of life of a member.
    pub fn is_alive(&self, member: u64, now: f64) {
        if let Some(member) = self.state.borrow_mut().members.get_mut(&member) {
            member.heard = now;
        }
    }

    /// A member cannot compute a share, through no fault of its own: whoever runs the job computes it, and finds what is
    /// wrong with it.
    pub fn refuse(&self, member: u64, number: u64, now: f64) {
        {
            let mut state = self.state.borrow_mut();
            let place = state.place(number);
            if let Some(of) = state.members.get_mut(&member) {
                (of.heard, of.begun) = (now, now);
                of.has.retain(|has| Some(*has) != place);
            }
            if let Some(place) = place {
                state.shares[place].stays = true;
                state.put_back(place);
            }
        }
        self.deal(now);
    }

    /// Members that take part.
    pub fn n_members(&self) -> usize {
        self.state.borrow().members.len()
    }

    /// Members that have not come back with a share in time, and not since then.
    pub fn late(&self) -> Vec<u64> {
        let state = self.state.borrow();
        let late = state.members.iter().filter(|(_, member)| member.is_late);
        late.map(|(id, _)| *id).collect()
    }

    /// The shares of a table, in their order, with the units of work that are counted on; those before them are forgotten.
    pub(crate) fn offer(&self, shares: Vec<(Share, u64)>, now: f64) {
        {
            let mut state = self.state.borrow_mut();
            state.forget();
            state.waiting = (0..shares.len()).collect();
            let open = |(share, counted)| Offered {
                share,
                counted,
                stays: false,
                progress: Progress::Open,
            };
            state.shares = shares.into_iter().map(open).collect();
        }
        self.deal(now);
    }

    /// Nothing of what was offered is wanted any more: the job is over.
    pub(crate) fn forget(&self) {
        let mut state = self.state.borrow_mut();
        state.forget();
        state.elsewhere = (0, 0);
    }

    /// A share for who runs the job to compute: the next that nobody has.
    pub(crate) fn take(&self) -> Option<(usize, Share, u64)> {
        let mut state = self.state.borrow_mut();
        let place = state.waiting.pop_front()?;
        Some(state.share(place))
    }

    /// A share for who runs the job to compute, where nobody has to be given one: one that somebody has not begun, else
    /// one that somebody is late with.
    pub(crate) fn take_back(&self, now: f64) -> Option<(usize, Share, u64)> {
        let (recalled, taken) = {
            let mut state = self.state.borrow_mut();
            let recalled = state.recall();
            let place = recalled.map(|(_, place)| place).or_else(|| state.overdue(now))?;
            (recalled, state.share(place))
        };
        if let Some((member, place)) = recalled {
            (self.tell)(member, self.number(place), Order::Leave);
        }
        Some(taken)
    }

    /// What whoever runs the job has found of a share that it took, in so many seconds. Whether it was wanted: somebody
    /// else may have come back with it meanwhile.
    pub(crate) fn put(&self, place: usize, computed: Computed, seconds: f64) -> bool {
        let mut state = self.state.borrow_mut();
        state.learn(computed.units, seconds);
        state.keep(place, computed)
    }

    /// What a member has found of a share. Whether it was wanted.
    pub fn answer(&self, member: u64, number: u64, computed: Computed, now: f64) -> bool {
        let was_wanted = {
            let mut state = self.state.borrow_mut();
            let place = state.place(number);
            if let Some(of) = state.members.get_mut(&member) {
                // Of an earlier table, too, it is a sign of life.
                of.is_late = false;
                of.heard = now;
                of.has.retain(|has| Some(*has) != place);
                let seconds = now - std::mem::replace(&mut of.begun, now);
                state.learn(computed.units, seconds);
            }
            let open = place.filter(|place| state.shares[*place].is_open());
            if let Some(place) = open {
                state.elsewhere.0 += computed.units;
                state.elsewhere.1 += state.shares[place].counted;
                state.waiting.retain(|waiting| *waiting != place);
                state.keep(place, computed);
            }
            open.is_some()
        };
        self.deal(now);
        was_wanted
    }

    /// What was found of a share, once.
    pub(crate) fn found(&self, place: usize) -> Option<Computed> {
        let mut state = self.state.borrow_mut();
        state.shares.get_mut(place)?.progress.take()
    }

    /// Units of work that others have done since the last time, and those that were counted on for the same.
    pub(crate) fn done_elsewhere(&self) -> (u64, u64) {
        std::mem::take(&mut self.state.borrow_mut().elsewhere)
    }

    fn number(&self, place: usize) -> u64 {
        self.state.borrow().first + place as u64
    }

    /// Gives everybody who has too few the next shares.
    fn deal(&self, now: f64) {
        let mut given = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            // One each at a time, so that nobody has two while another has none.
            for most in 1..=AT_ONCE {
                let State { members, waiting, shares, first, .. } = &mut *state;
                for (id, member) in members.iter_mut() {
                    if member.has.len() >= most || member.is_late {
                        continue;
                    }
                    let next = waiting.iter().position(|place| !shares[*place].stays);
                    let Some(place) = next.and_then(|next| waiting.remove(next)) else { break };
                    if member.has.is_empty() {
                        (member.begun, member.heard) = (now, now);
                    }
                    member.has.push_back(place);
                    given.push((*id, *first + place as u64, shares[place].share.clone()));
                }
            }
        }
        for (member, number, share) in given {
            (self.tell)(member, number, Order::Compute(&share));
        }
    }
}

impl State {
    fn forget(&mut self) {
        self.first += self.shares.len() as u64;
        self.shares.clear();
        self.waiting.clear();
        for member in self.members.values_mut() {
            member.has.clear();
        }
    }

    fn put_back(&mut self, place: usize) {
        let is_open = self.shares.get(place).is_some_and(Offered::is_open);
        if is_open && !self.waiting.contains(&place) {
            self.waiting.push_front(place);
        }
    }

    /// Keeps what was found of a share, if nothing was found before.
    fn keep(&mut self, place: usize, computed: Computed) -> bool {
        let open = self.shares.get_mut(place).filter(|offered| offered.is_open());
        open.map(|offered| offered.progress = Progress::Found(computed)).is_some()
    }

    /// The place of the share of a number; `None`: it is of an earlier table.
    fn place(&self, number: u64) -> Option<usize> {
        let place = number.checked_sub(self.first)? as usize;
        (place < self.shares.len()).then_some(place)
    }

    fn share(&self, place: usize) -> (usize, Share, u64) {
        let Offered { share, counted, .. } = &self.shares[place];
        (place, share.clone(), *counted)
    }

    fn learn(&mut self, units: u64, seconds: f64) {
        let found = seconds / units.max(1) as f64;
        let known = self.seconds_per_unit;
        // A tab that was frozen in the middle teaches nothing.
        if found.is_finite() && (known == 0.0 || found < PATIENCE * known) {
            self.seconds_per_unit = known.max(found);
        }
    }

    /// The first of the shares that members have and have not begun, with who had it.
    fn recall(&mut self) -> Option<(u64, usize)> {
        let next = |(id, member): (&u64, &Member)| member.has.get(1).map(|place| (*id, *place));
        let (id, place) = self.members.iter().filter_map(next).min_by_key(|(_, place)| *place)?;
        self.members.get_mut(&id)?.has.retain(|has| *has != place);
        Some((id, place))
    }

    /// The first of the shares whose member has not been heard of for longer than the share should take.
    fn overdue(&mut self, now: f64) -> Option<usize> {
        let Self { members, shares, seconds_per_unit, .. } = self;
        members.values_mut().find_map(|member| {
            let place = *member.has.front()?;
            let expected = shares.get(place)?.counted as f64 * *seconds_per_unit;
            let is_late = now - member.heard > (PATIENCE * expected).max(LEAST_PATIENCE);
            is_late.then(|| {
                member.is_late = true;
                member.has.pop_front();
                place
            })
        })
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        f.debug_struct("Pool")
            .field("members", &state.members.len())
            .field("shares", &state.shares.len())
            .finish_non_exhaustive()
    }
}
