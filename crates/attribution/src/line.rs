//! A line from the changed run to the values put in, and the metric with its slopes at points of it.
//!
//! The line is straight in what moves. So it is in the residual stream, but where queries or keys move: attention is not
//! linear in those.

use burn::tensor::{Tensor, TensorData};
use twinbeam_core::words::{Direction, Side};

use crate::batches::{Batch, Work, in_batches};
use crate::cost::LEAST_POSITIONS;
use crate::error::finite;
use crate::lanes::{is_cpu, lanes};
use crate::pace::Size;
use crate::site::{Depth, Site, changed, put_in, sign};
use crate::suffix::{Contributions, run_suffix};
use crate::{Error, Progress, RunPair};

/// A line from the changed run at `t = 0` to the values put in at `t = 1`.
pub(crate) struct Line<'pair> {
    pair: &'pair RunPair<'pair>,
    depth: Depth,
    /// What moves, in words.
    moved: String,
    direction: Direction,
    pub(crate) sign: f64,
    from_zero: bool,
    making: Making<'pair, Box<dyn Moves + 'pair>>,
    making_others: Vec<Making<'pair, Contributions>>,
    made: Made<'pair>,
}

/// Makes what a line is made of.
type Making<'pair, T> = Box<dyn Fn() -> T + Send + Sync + 'pair>;

/// What moves along a line.
pub(crate) trait Moves: Send + Sync {
    /// How many parts move.
    fn parts(&self) -> usize;

    /// Numbers per position that a gradient is looked at with.
    fn width(&self) -> usize;

    /// What is added to the residual stream at some points; `[n]` to `[n, pos, d_model]`.
    fn change(&self, t: Tensor<1>) -> Tensor<3>;

    /// Slopes because of each part at some points, from the gradients of the residual stream there; `[n]` and `[n, pos,
    /// d_model]` to `[n, parts]`.
    fn slopes(&self, t: Tensor<1>, gradients: Tensor<3>) -> Tensor<2>;
}

/// Additions to the residual stream that grow evenly.
struct Straight {
    /// All of them together; `[1, pos, d_model]`.
    total: Tensor<3>,
    parts: Contributions,
}

impl Straight {
    fn boxed(parts: Contributions) -> Box<dyn Moves> {
        Box::new(Self { total: parts.total(), parts })
    }
}

impl Moves for Straight {
    fn parts(&self) -> usize {
        self.parts.parts()
    }

    fn width(&self) -> usize {
        self.parts.width()
    }

    fn change(&self, t: Tensor<1>) -> Tensor<3> {
        let [n] = t.dims();
        self.total.clone() * t.reshape([n, 1, 1])
    }

    fn slopes(&self, _: Tensor<1>, gradients: Tensor<3>) -> Tensor<2> {
        self.parts.dot(gradients)
    }
}

/// What a line is on its device.
struct Made<'pair> {
    /// Residual stream of the changed run; `[1, run positions, d_model]`.
    base: Tensor<3>,
    moving: Box<dyn Moves + 'pair>,
    /// Parts whose share in the slope is asked for too.
    others: Vec<Contributions>,
}

/// The slope of the oriented metric along `t` because of each part, at one point of a line: of the parts that move,
/// then of the others that are asked for.
pub(crate) type Slopes = Vec<f64>;

/// A point of a line.
pub(crate) struct Point {
    /// The gain of the oriented metric over the beginning of its batch.
    pub(crate) gain: f64,
    pub(crate) slopes: Slopes,
}

impl<'pair> Line<'pair> {
    /// All components of a site between the two runs.
    pub(crate) fn between(pair: &'pair RunPair<'_>, site: Site, direction: Direction) -> Self {
        Self::of_site(pair, site, direction, (changed(direction), Some(put_in(direction))))
    }

    /// All components of a site from activations of zero to those of the clean run.
    pub(crate) fn from_zero(pair: &'pair RunPair<'_>, site: Site) -> Self {
        Self::of_site(pair, site, Direction::Noising, (Side::Clean, None))
    }

    fn of_site(
        pair: &'pair RunPair<'_>,
        site: Site,
        direction: Direction,
        (from, to): (Side, Option<Side>),
    ) -> Self {
        let (depth, from_zero) = (site.depth(), to.is_none());
        let start = pair.cost.start(depth, from_zero);
        let parts =
            Box::new(move || Straight::boxed(Contributions::between(pair, site, from, to, start)));
        let moved = format!("the {} of layer {}", site.kind.id(), site.layer);
        Self::new(pair, depth, direction, from_zero, parts, moved)
    }

    /// Parts that move together between the two runs, of the positions that are run from there on.
    pub(crate) fn of_parts(
        pair: &'pair RunPair<'_>,
        depth: Depth,
        direction: Direction,
        parts: impl Fn() -> Contributions + Send + Sync + 'pair,
        moved: String,
    ) -> Self {
        let making = Box::new(move || Straight::boxed(parts()));
        Self::new(pair, depth, direction, false, making, moved)
    }

    /// What moves together between the two runs, in any way.
    pub(crate) fn of(
        pair: &'pair RunPair<'_>,
        depth: Depth,
        direction: Direction,
        moving: impl Fn() -> Box<dyn Moves + 'pair> + Send + Sync + 'pair,
        moved: String,
    ) -> Self {
        Self::new(pair, depth, direction, false, Box::new(moving), moved)
    }

    fn new(
        pair: &'pair RunPair<'_>,
        depth: Depth,
        direction: Direction,
        from_zero: bool,
        making: Making<'pair, Box<dyn Moves + 'pair>>,
        moved: String,
    ) -> Self {
        let base = pair.resid(depth, changed(direction), pair.cost.start(depth, from_zero));
        let made = Made { base, moving: making(), others: Vec::new() };
        let making_others = Vec::new();
        let sign = sign(direction);
        Self { pair, depth, moved, direction, sign, from_zero, making, making_others, made }
    }

    /// This line, asked about other parts too: their scores follow those of the parts that move, and count for when
    /// scores are good enough, but not in sums.
    pub(crate) fn asked_about_too(
        mut self,
        others: impl Fn() -> Contributions + Send + Sync + 'pair,
    ) -> Self {
        self.made.others.push(others());
        self.making_others.push(Box::new(others));
        self
    }

    /// How many parts move.
    pub(crate) fn parts(&self) -> usize {
        self.made.moving.parts()
    }

    /// Makes anew what is on the device.
    fn renew(&mut self) {
        let Self { pair, depth, direction, from_zero, .. } = *self;
        let base = pair.resid(depth, changed(direction), pair.cost.start(depth, from_zero));
        let others = self.making_others.iter().map(|make| make()).collect();
        self.made = Made { base, moving: (self.making)(), others };
    }

    /// Points per batch of some that are asked for.
    fn points_at_once(&self, n: usize, size: Size) -> usize {
        let most = self.most_at_once(size);
        let n = n.div_ceil(lanes(&self.pair.model.device()));
        // Two at least: the metric at the second is compared with that at the first.
        n.max(LEAST_POSITIONS / self.n_run()).clamp(2, most)
    }

    fn most_at_once(&self, size: Size) -> usize {
        self.pair.cost.batch_rows(self.n_run(), Some(self.depth.block()), size)
    }

    fn n_run(&self) -> usize {
        self.made.base.dims()[1]
    }

    /// What one pass gives of some points: gains over the first of them `[n]`, and slopes `[n * parts]`.
    fn batch(&self, ts: &[f64]) -> Vec<Tensor<1>> {
        let streams = self.streams(ts).autodiff().require_grad();
        let gains = run_suffix(self.pair, self.depth, streams.clone()); // [n]
        // Of all of them at once, which is that of their sum.
        let gradients = gains.backward();
        let Some(gradients) = streams.grad(&gradients) else {
            // OK because the metric is a function of the streams it was computed from.
            unreachable!("the residual stream is a leaf of the metric")
        };
        vec![gains.without_autodiff(), self.slopes(ts, &gradients)]
    }

    /// Points on the device; `[n]`.
    fn on_device(&self, ts: &[f64]) -> Tensor<1> {
        self.pair.model.vector(&ts.iter().map(|t| *t as f32).collect::<Vec<_>>())
    }

    /// Residual streams at some points; `[n, pos, d_model]`.
    pub(crate) fn streams(&self, ts: &[f64]) -> Tensor<3> {
        self.made.base.clone() + self.made.moving.change(self.on_device(ts))
    }

    /// Slopes along each part at some points, from the gradients of residual streams there; `[n, pos, d_model]` to
    /// `[n * parts]`.
    pub(crate) fn slopes(&self, ts: &[f64], gradients: &Tensor<3>) -> Tensor<1> {
        let own = self.made.moving.slopes(self.on_device(ts), gradients.clone());
        let others = self.made.others.iter().map(|parts| parts.dot(gradients.clone()));
        let mut slopes: Vec<Tensor<2>> = std::iter::once(own).chain(others).collect();
        let slopes = if slopes.len() == 1 { slopes.remove(0) } else { Tensor::cat(slopes, 1) };
        let [n, parts] = slopes.dims();
        slopes.reshape([n * parts])
    }

    /// Units of work of some points.
    fn units(&self, n: usize) -> u64 {
        let others = self.made.others.iter().map(Contributions::width).sum::<usize>();
        let width = self.made.moving.width() + others;
        self.pair.cost.line(self.depth, n, self.from_zero, width)
    }

    pub(crate) fn what(&self, quantity: &str) -> String {
        format!("a {quantity} of {}", self.moved)
    }
}

/// Points of some lines of one pair: each list is of the line whose place it names. Gains are over the first
/// point of a list where that is in the same batch, as the second is, or over the beginning of the line if each batch
/// has that in front.
pub(crate) async fn points(
    lines: &mut [Line<'_>],
    asked: &[(usize, Vec<f64>)],
    has_start: bool,
    progress: &mut dyn Progress,
) -> Result<Vec<Vec<Point>>, Error> {
    let Some(pair) = lines.first().map(|line| line.pair) else {
        return Ok(Vec::new());
    };
    let of_list = |(place, (_, ts)): (usize, &(usize, Vec<f64>))| {
        ts.iter().map(|t| (place, *t)).collect::<Vec<_>>()
    };
    let all: Vec<(usize, f64)> = asked.iter().enumerate().flat_map(of_list).collect();
    let found = all.iter().map(|_| None).collect();
    let mut work = Points { lines, asked, all, has_start, found };
    in_batches(pair, &mut work, progress).await?;
    // OK because each place is kept once.
    let mut found = work.found.into_iter().map(|point| point.expect("every point was read"));
    Ok(asked.iter().map(|(_, ts)| found.by_ref().take(ts.len()).collect()).collect())
}

struct Points<'a, 'pair> {
    lines: &'a mut [Line<'pair>],
    asked: &'a [(usize, Vec<f64>)],
    /// All that is asked for, each with the list that it is of.
    all: Vec<(usize, f64)>,
    has_start: bool,
    found: Vec<Option<Point>>,
}

impl<'pair> Points<'_, 'pair> {
    fn line(&self, place: usize) -> &Line<'pair> {
        &self.lines[self.asked[self.all[place].0].0]
    }
}

impl Work for Points<'_, '_> {
    fn places(&self) -> usize {
        self.all.len()
    }

    fn has_gradients(&self) -> bool {
        true
    }

    fn deal(&self, places: &[usize], size: Size) -> Vec<Vec<Batch>> {
        let mut dealt = Vec::new();
        for places in places.chunk_by(|a, b| self.all[*a].0 == self.all[*b].0) {
            let line = self.line(places[0]);
            let device = line.pair.model.device();
            let at_once = line.points_at_once(places.len(), size) - usize::from(self.has_start);
            // Batches of one size are fewer kernels on a GPU; a small rest costs a CPU nothing.
            let even = || places.len().div_ceil(places.len().div_ceil(at_once));
            let at_once = if is_cpu(&device) { at_once } else { even() };
            let batches: Vec<Batch> = places.chunks(at_once).map(<[usize]>::to_vec).collect();
            dealt.extend(batches.chunks(lanes(&device)).map(<[Batch]>::to_vec));
        }
        dealt
    }

    fn most(&self, places: &[usize], size: Size) -> usize {
        self.line(places[0]).most_at_once(size) - usize::from(self.has_start)
    }

    fn run(&self, batch: &[usize]) -> Vec<Tensor<1>> {
        // The beginning of the line, to be compared with in the same arithmetic.
        let start = self.has_start.then_some(0.0);
        let ts: Vec<f64> =
            start.into_iter().chain(batch.iter().map(|place| self.all[*place].1)).collect();
        self.line(batch[0]).batch(&ts)
    }

    fn units(&self, batch: &[usize]) -> u64 {
        self.line(batch[0]).units(batch.len() + usize::from(self.has_start))
    }

    fn keep(&mut self, batch: &[usize], numbers: &[TensorData]) -> Result<(), Error> {
        let line = self.line(batch[0]);
        let gains = finite(&numbers[0], || line.what("metric on the line"))?;
        let slopes = finite(&numbers[1], || line.what("gradient"))?;
        let slopes = slopes.chunks(slopes.len() / gains.len()).map(<[f64]>::to_vec);
        let points = gains.into_iter().zip(slopes).skip(usize::from(self.has_start));
        for (place, (gain, slopes)) in batch.iter().zip(points) {
            self.found[*place] = Some(Point { gain, slopes });
        }
        Ok(())
    }

    fn renew(&mut self) {
        for (line, _) in self.asked {
            self.lines[*line].renew();
        }
    }
}
