//! Work in batches: run, read back and kept, and done again where a device ran out of memory.
//!
//! A batch is some of the places of a list, and what is known of it after it was read is kept by place. So batches can
//! be of any size, and one that is done again in halves gives each place its number once: of work that did not fit,
//! nothing is kept. On a CPU as many batches as there are lanes are run at once and read one by one; on a GPU as many
//! are run one after the other as its [`crate::Pace`] says, and read together.
//!
//! What a GPU computed since its errors were last looked at may be missing when it ran out of memory, also what fitted:
//! all of a submission is dropped with its first command that is refused. So work that is done again begins with what it
//! is made from, which is [`Work::renew`]. What lies further back was read, or was submitted before something that
//! was: [`RunPair::new`] and [`crate::means()`] take care of that.

use std::future::poll_fn;
use std::task::Poll;

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::lanes::{each, lanes};
use crate::pace::{Kind, Load, Pace, Size};
use crate::progress::ReadBack;
use crate::run::device_error;
use crate::{Error, Progress, RunPair};

/// Places of a list that are run together.
pub(crate) type Batch = Vec<usize>;

/// Something to be done at each place of a list.
pub(crate) trait Work: Sync {
    /// How many places there are.
    fn places(&self) -> usize;

    /// Whether gradients are kept on the way.
    fn has_gradients(&self) -> bool;

    /// Some places, which ascend, in batches of a size: those that are run at once, and these one after the other.
    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>>;

    /// How many places a batch with the first of some may have at a size.
    fn most(&self, places: &[usize], size: Size) -> usize;

    /// What there is to be read of a batch.
    fn run(&self, batch: &[usize]) -> Vec<Tensor<1>>;

    /// Units of work of a batch.
    fn units(&self, batch: &[usize]) -> u64;

    /// Keeps what was read of a batch, one list of numbers for each tensor.
    ///
    /// # Errors
    /// Numbers that are not finite.
    fn keep(&mut self, batch: &[usize], numbers: &[TensorData]) -> Result<(), Error>;

    /// Makes anew what batches are made from.
    fn renew(&mut self);
}

/// Places in batches of at most `most`, as many at once as a device takes, each of these about as long.
pub(crate) fn dealt_evenly(pair: &RunPair<'_>, places: &[usize], most: usize) -> Vec<Vec<Batch>> {
    let lanes = lanes(&pair.model.device());
    let at_once = places.len().div_ceil(lanes).clamp(1, most);
    let batches: Vec<Batch> = places.chunks(at_once).map(<[usize]>::to_vec).collect();
    batches.chunks(lanes).map(<[Batch]>::to_vec).collect()
}

/// Does some work at all of its places.
///
/// # Errors
/// Those of [`Progress::read`] and [`Work::keep`]; [`Error::OutOfMemory`] of a device on which not even the
/// smallest batch fits.
pub(crate) async fn in_batches(
    pair: &RunPair<'_>,
    work: &mut dyn Work,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let device = pair.model.device();
    let kind = kind_of(pair, work.has_gradients());
    let pace = progress.pace().cloned();
    let size_of = |pace: &Option<Pace>| pace.as_ref().map_or(0, |pace| pace.size(kind));
    let mut size = size_of(&pace);
    let mut left = Left::new(work, (0..work.places()).collect(), size);
    let mut ahead: Option<Group> = None;
    loop {
        let mut group = ahead.take().unwrap_or_else(|| left.group(work, pace.as_ref(), kind, size));
        if group.ran.is_empty() {
            return Ok(());
        }
        let at_once = if pace.is_some() { group.ran.len() } else { 1 };
        while !group.ran.is_empty() {
            let (batches, results): (Vec<_>, Vec<_>) =
                group.ran.drain(..at_once.min(group.ran.len())).unzip();
            let units = batches.iter().map(|batch| work.units(batch)).sum();
            let fills = batches.iter().all(|batch| batch.len() > work.most(batch, group.size - 1));
            let load = Load::of_batches(units, kind, batches.len(), fills.then_some(group.size));
            let lens: Vec<usize> = results.iter().map(Vec::len).collect();
            let mut reading = progress.read(read_back(pair, results.into_iter().flatten()), load);
            let first = first_answer(&mut reading).await;
            // What comes next is submitted before the answer is here: a GPU that is told of one thing at a time stands
            // still while it is told of the next.
            if pace.is_some() && !matches!(first, Poll::Ready(Err(_))) {
                ahead = Some(left.group(work, pace.as_ref(), kind, size));
            }
            let numbers = match first {
                Poll::Ready(numbers) => {
                    drop(reading);
                    numbers
                }
                Poll::Pending => reading.await,
            };
            match numbers {
                Ok(numbers) => {
                    let mut numbers = &numbers[..];
                    for (batch, len) in batches.iter().zip(lens) {
                        let of_batch;
                        (of_batch, numbers) = numbers.split_at(len);
                        work.keep(batch, of_batch)?;
                    }
                }
                Err(error @ Error::OutOfMemory { .. }) => {
                    size = smaller(work, &batches, group.size).ok_or(error)?;
                    if let Some(pace) = &pace {
                        pace.ran_out(kind, size);
                    }
                    // Those that were run and not read are not looked at either.
                    let unread = ahead.take().into_iter().flat_map(|ahead| ahead.ran);
                    let unread = group.ran.drain(..).chain(unread);
                    left.again(batches.into_iter().chain(unread.map(|(batch, _)| batch)));
                    // Nor is what the device says of them: they did not fit any better.
                    match progress.advance(0).await {
                        Ok(()) | Err(Error::OutOfMemory { .. }) => {}
                        Err(error) => return Err(error),
                    }
                    // Buffers that could not be had would be used again.
                    device.memory_cleanup();
                    work.renew();
                    left = left.dealt(work, size);
                }
                Err(error) => return Err(error),
            }
        }
        let found = size_of(&pace);
        if pace.is_some() && found != size {
            size = found;
            // Buffers of the last size would stay beside those of this one.
            device.memory_cleanup();
            left = left.dealt(work, size);
        }
    }
}

/// What some numbers are now. All that they depend on is submitted then.
async fn first_answer(reading: &mut ReadBack<'_>) -> Poll<Result<Vec<TensorData>, Error>> {
    poll_fn(|context| Poll::Ready(reading.as_mut().poll(context))).await
}

/// What some work of a pair is to its device.
pub(crate) fn kind_of(pair: &RunPair<'_>, has_gradients: bool) -> Kind {
    Kind { shape: *pair.model.shape(), has_gradients }
}

/// The next size at which each of some batches has fewer places, but those that cannot have fewer; `None`: no size
/// makes a difference.
fn smaller(work: &dyn Work, batches: &[Batch], size: Size) -> Option<Size> {
    let shrinks = |batch: &Batch, size| work.most(batch, size) < batch.len();
    let divisible: Vec<&Batch> = batches.iter().filter(|batch| shrinks(batch, Size::MIN)).collect();
    let fits = |size: &Size| divisible.iter().all(|batch| shrinks(batch, *size));
    if divisible.is_empty() { None } else { (Size::MIN..size).rev().find(fits) }
}

/// Numbers of tensors that have been computed by then, all of them at once.
pub(crate) fn read_back<'a>(
    pair: &'a RunPair<'_>,
    tensors: impl IntoIterator<Item = Tensor<1>>,
) -> ReadBack<'a> {
    // A copy each and no dispatch: joined on the device they would cost one each.
    let transaction = tensors.into_iter().fold(Transaction::default(), Transaction::register);
    Box::pin(async move {
        let numbers = transaction.execute_async().await;
        numbers.map_err(|source| device_error(pair.model, &source))
    })
}

/// Batches that were run and are read together, with what there is to be read of each.
struct Group {
    ran: Vec<(Batch, Vec<Tensor<1>>)>,
    /// The size of the batches.
    size: Size,
}

/// Batches that have not been run; those that are run at once together, the next ones last.
struct Left(Vec<Vec<Batch>>);

impl Left {
    fn new(work: &dyn Work, places: Vec<usize>, size: Size) -> Self {
        let mut batches = work.deal(&places, size);
        batches.reverse();
        Self(batches)
    }

    /// Some batches are to be run again.
    fn again(&mut self, batches: impl Iterator<Item = Batch>) {
        self.0.push(batches.collect());
    }

    /// Deals the places of all batches that are left to batches of another size.
    fn dealt(self, work: &dyn Work, size: Size) -> Self {
        let mut places = self.0.concat().concat();
        places.sort_unstable();
        Self::new(work, places, size)
    }

    /// Runs as many batches as are read together on a device of some pace, or as are run at once.
    fn group(&mut self, work: &dyn Work, pace: Option<&Pace>, kind: Kind, size: Size) -> Group {
        let (mut ran, mut units) = (Vec::new(), 0);
        while let Some(batches) = self.0.pop() {
            let results = each(&batches, |batch| work.run(batch));
            units += batches.iter().map(|batch| work.units(batch)).sum::<u64>();
            ran.extend(batches.into_iter().zip(results));
            if pace.is_none_or(|pace| pace.is_enough(kind, ran.len(), units)) {
                break;
            }
        }
        Group { ran, size }
    }
}
