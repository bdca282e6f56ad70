//! How much a GPU takes at a time: how many rows a batch has, and how many batches are read back together.
//!
//! Nobody can ask a GPU what it can do, so both are found on the way. Whoever waits for it measures how long work takes
//! and tells the [`Pace`]; the methods ask it before each batch. It belongs to the device, so that a later job begins
//! with what an earlier one has found. A CPU has none: its batches are those that fit its caches, and reading is free.
//!
//! **Rows of a batch.** Work of a kind (with gradients or without, on a model of some sizes) begins with batches that
//! fit the device's [`crate::Budget`]. They double as long as the time of a row falls by more than a twentieth, at most
//! three times, and stay there. Time is compared by units of work, since rows are of different depths, and only of
//! batches that would not have fitted the size before. What was measured first at a size does not count: kernels
//! are compiled for it. So there are four sizes at most of one kind of batch, and few distinct shapes; how much memory they
//! may be asks [`crate::CostModel`]. A device that runs out of memory gets the next size that is smaller than what it
//! ran out of, all of that work again, and never a larger one than that.
//!
//! **Batches of a read.** Waiting for a GPU costs a browser up to 0.1 s, whatever the work was. Batches are run
//! without waiting and read together: twice as many each time as long as a read follows less than 50 ms after the
//! last, or, up to a quarter of a second, as long as it makes work faster by more than a tenth, which it does where
//! waiting is what takes long. After half a second they are halved: progress is shown and Cancel heard when something was read.

use std::sync::{Arc, Mutex, PoisonError};

use twinbeam_core::models::ModelShape;

/// How many times a batch has doubled since the first size of its kind; negative: how many times it was halved.
pub(crate) type Size = i32;

/// How many times the rows of a batch can double.
pub(crate) const LARGEST: Size = 3;

/// What the time of a row falls to when a larger batch was worth it. Little is enough, since it takes fewer dispatches too.
const WORTH_GROWING: f64 = 0.95;

/// What the time of a unit falls to when waiting longer was worth it.
const WORTH_WAITING: f64 = 0.9;

/// Measurements that a size is judged by, after the first, which does not count.
const MEASUREMENTS: u32 = 2;

/// Seconds between two reads below which more batches are read together.
const SOON: f64 = 0.05;
/// Seconds between two reads up to which more batches are read together where that makes work faster.
const WORTHWHILE: f64 = 0.25;
/// Seconds between two reads from which on fewer batches are read together: too long for whoever watches.
const LONG: f64 = 0.5;

/// What some work is like for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) shape: ModelShape,
    pub(crate) has_gradients: bool,
}

/// Work that is read back together.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    units: u64,
    paced: Option<Paced>,
}

#[derive(Debug, Clone, Copy)]
struct Paced {
    kind: Kind,
    batches: usize,
    /// The size of its batches, if each of them is too large for the one before.
    size: Option<Size>,
}

impl Load {
    /// Units of work that come in one piece.
    pub(crate) const fn of(units: u64) -> Self {
        Self { units, paced: None }
    }

    /// Units of work in batches of a kind.
    pub(crate) const fn of_batches(
        units: u64,
        kind: Kind,
        batches: usize,
        size: Option<Size>,
    ) -> Self {
        Self { units, paced: Some(Paced { kind, batches, size }) }
    }

    /// Units of work, as [`crate::CostModel`] counts them.
    pub const fn units(&self) -> u64 {
        self.units
    }
}

/// What has been found of one device; its copies are the same one.
#[derive(Debug, Clone, Default)]
pub struct Pace(Arc<Mutex<Vec<(Kind, Found)>>>);

#[derive(Debug, Clone, Copy, Default)]
struct Found {
    growth: Growth,
    group: Group,
}

impl Pace {
    /// Hears that work took so many seconds from the end of the last one until it was read.
    pub fn took(&self, load: &Load, seconds: f64) {
        let Some(Paced { kind, batches, size }) = load.paced else {
            return;
        };
        self.with(kind, |Found { growth, group }| {
            let is_steady = group.took(batches, load.units, seconds);
            // Twice the size takes twice the time.
            let can_grow = seconds / batches as f64 <= WORTHWHILE;
            if is_steady && can_grow && size == Some(growth.size) {
                let before = growth.size;
                growth.took(seconds / load.units.max(1) as f64);
                if growth.size > before {
                    group.batches = group.batches.div_ceil(2);
                }
            }
        });
    }

    /// Hears that a device ran out of memory, which it will be spared.
    pub(crate) fn ran_out(&self, kind: Kind, smaller: Size) {
        self.with(kind, |found| found.growth.ran_out(smaller));
    }

    /// How large batches are.
    pub(crate) fn size(&self, kind: Kind) -> Size {
        self.with(kind, |found| found.growth.size)
    }

    /// How many batches are read together.
    pub(crate) fn batches(&self, kind: Kind) -> usize {
        self.with(kind, |found| found.group.batches)
    }

    /// Whether some batches are as many as are read together, by their number or by their work.
    pub(crate) fn is_enough(&self, kind: Kind, batches: usize, units: u64) -> bool {
        self.with(kind, |found| found.group.is_full(batches, units))
    }

    fn with<T>(&self, kind: Kind, look: impl FnOnce(&mut Found) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|(of, _)| *of == kind).unwrap_or_else(|| {
            all.push((kind, Found::default()));
            all.len() - 1
        });
        look(&mut all[place].1)
    }
}

/// The size of batches on its way to where it stays.
#[derive(Debug, Clone, Copy)]
struct Growth {
    size: Size,
    is_final: bool,
    /// Measurements at this size, and the least time of a unit that they say.
    seen: u32,
    best: f64,
    /// The least time of a unit at the size before.
    before: Option<f64>,
}

impl Default for Growth {
    fn default() -> Self {
        Self { size: 0, is_final: false, seen: 0, best: f64::INFINITY, before: None }
    }
}

impl Growth {
    /// Hears how long a unit of work took in batches of this size.
    fn took(&mut self, seconds: f64) {
        if self.is_final {
            return;
        }
        self.seen += 1;
        if self.seen > 1 {
            self.best = self.best.min(seconds);
        }
        if self.seen <= MEASUREMENTS {
            return;
        }
        if self.before.is_some_and(|before| self.best > WORTH_GROWING * before) {
            *self = Self { size: self.size - 1, is_final: true, ..*self };
        } else if self.size == LARGEST {
            self.is_final = true;
        } else {
            *self = Self { size: self.size + 1, before: Some(self.best), ..Self::default() };
        }
    }

    fn ran_out(&mut self, smaller: Size) {
        *self = Self { size: smaller.min(self.size), is_final: true, ..*self };
    }
}

/// How much is read together: so many batches, or so many units of work if these are fewer.
#[derive(Debug, Clone, Copy)]
struct Group {
    batches: usize,
    units: u64,
    /// Least time of a unit in a full one.
    least: Option<f64>,
}

impl Default for Group {
    fn default() -> Self {
        Self { batches: 1, units: 1, least: None }
    }
}

impl Group {
    const fn is_full(&self, batches: usize, units: u64) -> bool {
        batches >= self.batches || units >= self.units
    }

    /// Hears how long a group took. Whether it was a full one and the next will be the same.
    fn took(&mut self, batches: usize, units: u64, seconds: f64) -> bool {
        if seconds > LONG {
            *self = Self { batches: (batches / 2).max(1), units: units / 2, least: None };
            return false;
        }
        if !self.is_full(batches, units) {
            return false;
        }
        let of_unit = seconds / units.max(1) as f64;
        let is_faster = self.least.is_none_or(|least| of_unit < WORTH_WAITING * least);
        self.least = Some(self.least.map_or(of_unit, |least| least.min(of_unit)));
        let grows = seconds < SOON || (seconds < WORTHWHILE && is_faster);
        if grows {
            self.batches = self.batches.max(batches.saturating_mul(2));
            self.units = self.units.max(units.saturating_mul(2));
        }
        !grows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A device on which a unit takes so many seconds at each size, first halves of which are wasted on kernels.
    fn grown(seconds: impl Fn(Size) -> f64) -> Growth {
        let mut growth = Growth::default();
        for _ in 0..20 {
            let first = if growth.seen == 0 { 10.0 } else { 1.0 };
            growth.took(first * seconds(growth.size));
        }
        assert!(growth.is_final);
        growth
    }

    #[test]
    fn a_batch_doubles_while_that_makes_its_rows_faster_and_stays_there() {
        let sizes: Vec<Size> = [0.97, 0.85, 0.5]
            .into_iter()
            .map(|falls: f64| grown(|size| falls.powi(size)).size)
            .collect();
        assert_eq!(sizes, [0, LARGEST, LARGEST]);
        // Faster once, and then no more: what was tried beyond is left again.
        assert_eq!(grown(|size| if size == 0 { 1.0 } else { 0.8 }).size, 1);
        assert_eq!(grown(|size| if size < 2 { 1.0 / f64::from(size + 1) } else { 3.0 }).size, 1);
    }

    #[test]
    fn what_is_measured_first_at_a_size_does_not_count() {
        let mut growth = Growth::default();
        growth.took(100.0);
        growth.took(1.0);
        growth.took(1.0);
        assert_eq!((growth.size, growth.before), (1, Some(1.0)));
        growth.took(100.0);
        growth.took(0.5);
        assert_eq!(growth.size, 1, "one measurement is none");
        growth.took(0.5);
        assert_eq!(growth.size, 2);
    }

    #[test]
    fn what_ran_out_of_memory_is_never_tried_again() {
        let mut growth = grown(|size| 0.5_f64.powi(size));
        growth.ran_out(1);
        assert_eq!((growth.size, growth.is_final), (1, true));
        growth.ran_out(-2);
        for _ in 0..20 {
            growth.took(1e-9);
        }
        assert_eq!(growth.size, -2);
        growth.ran_out(0);
        assert_eq!(growth.size, -2, "of two jobs the smaller size counts");
    }

    /// Groups of a device after many reads, each of which takes some time by itself and each batch some more; the
    /// seconds of the last, and whether none but the first was long.
    fn settled(read: f64, batch: f64) -> (Group, f64, bool) {
        let (mut group, mut last, mut is_prompt) = (Group::default(), 0.0, true);
        for place in 0..40 {
            let batches = group.batches;
            last = read + batch * batches as f64;
            is_prompt &= place == 0 || last <= LONG;
            group.took(batches, 1000 * batches as u64, last);
        }
        (group, last, is_prompt)
    }

    #[test]
    fn reads_of_quick_work_are_rare_and_of_slow_work_prompt() {
        for batch in [1e-4, 1e-3, 7e-3, 0.02, 0.04] {
            for read in [0.0, 1e-3, 0.1] {
                let (group, last, is_prompt) = settled(read, batch);
                let work = batch * group.batches as f64;
                assert!(work >= SOON && last >= SOON, "{read} {batch}: {work} s of work");
                assert!(is_prompt, "{read} {batch}: {last} s");
            }
        }
        // Slow ones are read one by one.
        for batch in [0.26, 0.4, 3.0] {
            assert_eq!(settled(1e-3, batch).0.batches, 1, "{batch}");
        }
    }

    #[test]
    fn a_group_that_takes_long_is_halved_and_a_part_of_one_says_nothing() {
        let mut group = Group { batches: 64, units: 1 << 20, least: Some(1e-9) };
        assert!(!group.took(3, 30, 0.01));
        assert_eq!(group.batches, 64);
        assert!(!group.took(10, 1 << 20, 0.8));
        assert_eq!((group.batches, group.units), (5, 1 << 19));
        // Full by its work, whatever number of batches that is.
        assert!(group.is_full(2, 1 << 19) && group.is_full(5, 7) && !group.is_full(4, 7));
    }

    #[test]
    fn kinds_of_work_are_kept_apart_and_copies_are_one() {
        let shape = |d_mlp| ModelShape {
            n_layers: 1,
            n_heads: 1,
            d_model: 4,
            d_head: 4,
            d_mlp,
            n_ctx: 4,
            d_vocab: 4,
        };
        let pace = Pace::default();
        let kind = |d_mlp, has_gradients| Kind { shape: shape(d_mlp), has_gradients };
        // As many batches as it wants, of 1,000 units at first, each of which takes some seconds at a size.
        let read = |kind: Kind, fills: bool, unit: &dyn Fn(Size) -> f64| {
            let (size, batches) = (pace.size(kind), pace.batches(kind));
            let units = (1000 << size) * batches as u64;
            let load = Load::of_batches(units, kind, batches, fills.then_some(size));
            pace.clone().took(&load, units as f64 * unit(size));
        };
        // A device that is twice as fast with batches of twice the size.
        for _ in 0..30 {
            read(kind(8, false), true, &|size| 2e-5 * 0.5_f64.powi(size));
        }
        assert_eq!(pace.size(kind(8, false)), LARGEST);
        assert_eq!(pace.size(kind(8, true)), 0);
        assert_eq!(pace.size(kind(9, false)), 0);
        // Batches that would have fitted the size before say nothing of this one.
        for _ in 0..30 {
            read(kind(9, false), false, &|_| 2e-5);
        }
        assert_eq!(pace.size(kind(9, false)), 0);
        // What takes a quarter of a second already is not made to take half.
        for _ in 0..30 {
            read(kind(9, true), true, &|size| 3e-4 * 0.5_f64.powi(size));
        }
        assert_eq!(pace.size(kind(9, true)), 0);
    }
}
