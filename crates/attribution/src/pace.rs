//! How much a GPU takes at a time: how many rows a batch has, and how many batches are read back together.
//!
//! Nobody can ask a GPU what it can do, so both are found on the way. Whoever waits for it measures how long work takes
//! and tells the [`Pace`]; the methods ask it before each batch. It belongs to the device, so that a later job begins
//! with what an earlier one has found. A CPU has none: its batches are those that fit its caches, and reading is free.
//!
//! **Rows of a batch.** Work of a kind (with gradients or without, on a model of some sizes) begins with batches that
//! fit the device's [`crate::Budget`]. They double as long as the time of a row falls by more than a tenth, at most
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

use twinbeam_core::ModelShape;

/// How many times a batch has doubled since the first size of its kind; negative: how many times it was halved.
pub(crate) type Size = i32;

/// Most that it can double.
pub(crate) const LARGEST: Size = 3;

/// What time falls to when something was worth it.
const WORTH_IT: f64 = 0.9;

/// Measurements that a size is judged by, after the first, which does not count.
const MEASUREMENTS: u32 = 2;

/// Seconds between two reads. Sooner is too soon;
const SOON: f64 = 0.05;
/// up to this it can be worth it to wait longer;
const WORTHWHILE: f64 = 0.25;
/// and this is too long for whoever watches.
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

    /// The same in batches.
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
    /// The same at the size before.
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
        if self.before.is_some_and(|before| self.best > WORTH_IT * before) {
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
        let is_faster = self.least.is_none_or(|least| of_unit < WORTH_IT * least);
        self.least = Some(self.least.map_or(of_unit, |least| least.min(of_unit)));
        let grows = seconds < SOON || (seconds < WORTHWHILE && is_faster);
        if grows {
            self.batches = self.batches.max(batches.saturating_mul(2));
            self.units = self.units.max(units.saturating_mul(2));
        }
        !grows
    }
}
