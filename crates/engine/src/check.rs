//! A sample of a GPU's job, computed a second time on the CPU, beside the job: in double precision, or in single where
//! the model is large. A GPU can be wrong without an error: a driver may miscompile a kernel of a shape that the
//! self-test does not have.
//!
//! The job claims what it has found ([`crate::Host::claim`]), part by part; a [`Check`] hears the claims, in a
//! worker or a thread of its own.

mod stored;

use std::collections::BTreeMap;
use std::slice;

use twinbeam_attribution::{
    Advance, Error as MethodError, Nodes, Progress, RunPair, integrate, integrate_from_zero,
    patch_some, plain,
};
use twinbeam_core::scores::{Patches, TableKey};
use twinbeam_core::statistics::SplitMix64;
use twinbeam_core::wire::devices::{CheckReport, Claim, ClaimedIntegral, GPU_TOLERANCE};
use twinbeam_core::words::{Component, ComponentKind, Direction, Method, Metric, Side};

pub use self::stored::check_stored;
use crate::run::claimed;
use crate::{Error, Host, Model, Question};

/// Part of what scores are differences of below which they are compared with it, not with each other: single precision
/// leaves about 1e-6 of it.
const RESOLVED: f32 = 1e-3;

/// Patched components of which one is looked at, whatever it is: about one per batch of a GPU.
const SAMPLED_OF: usize = 256;

/// Picks one list of what an integral says.
type Pick = fn(&ClaimedIntegral) -> &[f32];

/// The second computation of one job, and how well the first agrees with it.
#[derive(Debug)]
pub struct Check<'job> {
    pair: RunPair<'job>,
    question: &'job Question,
    /// The least that scores are compared with.
    least: f32,
    /// The largest effect so far of a table of patches, which comes in parts.
    patched: BTreeMap<(ComponentKind, Direction), f32>,
    /// How many places were drawn so far.
    drawn: u64,
    report: CheckReport,
}

impl<'job> Check<'job> {
    /// Runs both prompts on a model on the CPU.
    ///
    /// # Errors
    /// Logits that are not finite.
    pub async fn new(model: &'job Model, question: &'job Question) -> Result<Self, Error> {
        Ok(Self::of(model.runs(question).await?, question))
    }

    fn of(pair: RunPair<'job>, question: &'job Question) -> Self {
        let least = RESOLVED * scale(&pair, question.metric);
        let (patched, report) = (BTreeMap::new(), CheckReport::default());
        Self { pair, question, least, patched, drawn: 0, report }
    }

    /// Computes a sample of what is claimed. In between, others get a turn through `host`.
    ///
    /// # Errors
    /// [`Error::Untrusted`]; cancelled through `host`.
    pub async fn hear(&mut self, claim: &Claim, host: &mut impl Host) -> Result<(), Error> {
        let progress = &mut Turns(host);
        match claim {
            Claim::Runs { clean, corrupted } => self.runs(clean, corrupted),
            Claim::Integrals { key, layers } => self.integrals(*key, layers, progress).await,
            Claim::Patches(patches) => self.patches(patches, progress).await,
        }
    }

    /// Agreement so far.
    pub fn report(&self) -> CheckReport {
        self.report
    }

    /// Compares the two runs.
    ///
    /// # Errors
    /// [`Error::Untrusted`].
    fn runs(&mut self, clean: &[f32], corrupted: &[f32]) -> Result<(), Error> {
        for (side, got) in [(Side::Clean, clean), (Side::Corrupted, corrupted)] {
            let expected = logits(&self.pair, side);
            let what = || format!("the logits of the {side} run");
            self.compare(&what, &expected, got, largest(&expected))?;
        }
        Ok(())
    }

    /// Compares one layer of a table of integrals, which holds one per layer: that with the largest
    /// score.
    ///
    /// # Errors
    /// [`Error::Untrusted`]; cancelled through `progress`.
    async fn integrals(
        &mut self,
        key: TableKey,
        table: &[ClaimedIntegral],
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let Some((layer, nodes)) = self.sampled_layer(table) else {
            return Ok(());
        };
        let pair = &self.pair;
        let TableKey { kind, method, direction } = key;
        let expected = match method {
            Method::IgZero => integrate_from_zero(pair, kind, layer, nodes, progress).await?,
            _ => integrate(pair, kind, layer, direction, nodes, progress).await?,
        };
        self.compare_layer(key, table, layer, &claimed(&expected))
    }

    /// Which layer of a table is computed again, and at which points: at as many as the device took, which need not be
    /// those that the CPU would take.
    fn sampled_layer(&self, table: &[ClaimedIntegral]) -> Option<(usize, Nodes)> {
        let scores: Vec<f32> = table.iter().map(|integral| largest(&integral.ig)).collect();
        let layer = strongest(&scores)?;
        let nodes = match self.question.nodes(&self.pair) {
            Nodes::Until { .. } => Nodes::Nested(table[layer].n_steps - 1),
            nodes => nodes,
        };
        Some((layer, nodes))
    }

    fn compare_layer(
        &mut self,
        TableKey { kind, direction, .. }: TableKey,
        table: &[ClaimedIntegral],
        layer: usize,
        expected: &ClaimedIntegral,
    ) -> Result<(), Error> {
        let lists: [(&str, Pick); 3] = [
            ("integrated gradients", |integral| &integral.ig),
            ("attribution patching", |integral| &integral.atp),
            ("the joint patch", |integral| slice::from_ref(&integral.joint)),
        ];
        for (name, pick) in lists {
            let what = || format!("{name} of the {} of layer {layer}, {direction}", kind.id());
            let most = table.iter().map(|integral| largest(pick(integral))).fold(0.0, f32::max);
            self.compare(&what, pick(expected), pick(&table[layer]), most)?;
        }
        Ok(())
    }

    /// Compares some of a list of patched components. In a small model the strongest of all
    /// is compared with the definition of patching too.
    ///
    /// # Errors
    /// [`Error::Untrusted`]; cancelled through `progress`.
    async fn patches(
        &mut self,
        patches: &Patches,
        progress: &mut dyn Progress,
    ) -> Result<(), Error> {
        let (direction, effects) = (patches.direction, &patches.values);
        let components = self.components(patches);
        let places = self.sampled_places(&components, effects);
        let wanted: Vec<Component> = places.iter().map(|place| components[*place]).collect();
        let expected = patch_some(&self.pair, &wanted, direction, progress).await?;
        let most = self.most(patches);
        for (place, expected) in places.iter().zip(expected) {
            self.one_patch((components[*place], direction), expected, effects[*place], most)?;
        }
        if let Some(place) = strongest(effects).filter(|_| self.pair.is_double()) {
            // The definition takes four full runs, which a large model has no time for.
            let (component, tokens) = (components[place], &self.question.tokens);
            let defined = plain::patch_one(&self.pair, tokens, component, direction).await?;
            self.one_patch((component, direction), defined, effects[place], most)?;
            progress.advance(0).await?;
        }
        Ok(())
    }

    /// Which places of a list of patches are computed again: the strongest of each layer, and one of every so many,
    /// whatever it is, since a batch that is wrong need not hold a strong one.
    fn sampled_places(&mut self, components: &[Component], effects: &[f32]) -> Vec<usize> {
        let mut by_layer = BTreeMap::new();
        for (place, Component { layer, .. }) in components.iter().enumerate() {
            let strongest = by_layer.entry(*layer).or_insert(place);
            if effects[place].abs() > effects[*strongest].abs() {
                *strongest = place;
            }
        }
        let mut places: Vec<usize> = by_layer.into_values().collect();
        for (begin, chunk) in effects.chunks(SAMPLED_OF).enumerate() {
            // Another one each time, and the same for the same job, so that a failure can be repeated.
            self.drawn += 1;
            places.push(begin * SAMPLED_OF + SplitMix64(self.drawn).below(chunk.len()));
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The largest effect of a table so far, of which these are a part: what is rounded is as large in a part where
    /// nothing happens.
    fn most(&mut self, part: &Patches) -> f32 {
        let most = self.patched.entry((part.kind, part.direction)).or_default();
        *most = most.max(largest(&part.values));
        *most
    }

    /// What was patched, in this model.
    fn components(&self, patches: &Patches) -> Vec<Component> {
        patches.components(patches.kind.width(self.pair.shape()))
    }

    fn one_patch(
        &mut self,
        (component, direction): (Component, Direction),
        expected: f32,
        got: f32,
        most: f32,
    ) -> Result<(), Error> {
        let what = || format!("patching {component}, {direction}");
        self.compare(&what, &[expected], &[got], most)
    }

    /// Compares numbers with those that are expected, relative to `most`, the largest value of what `got` is a part of.
    fn compare(
        &mut self,
        what: &impl Fn() -> String,
        expected: &[f32],
        got: &[f32],
        most: f32,
    ) -> Result<(), Error> {
        let scale = most.max(largest(expected)).max(self.least);
        let off = distance(expected, got, scale);
        if off.is_nan() || off > GPU_TOLERANCE {
            return Err(Error::Untrusted { what: what(), off, allowed: GPU_TOLERANCE });
        }
        self.report.worst = self.report.worst.max(off);
        self.report.values += got.len() as u64;
        Ok(())
    }
}

/// Progress that gives others a turn and a chance to stop: what a check takes is not counted.
pub(crate) struct Turns<'host, H>(pub(crate) &'host mut H);

impl<H: Host> Progress for Turns<'_, H> {
    fn advance(&mut self, _units: u64) -> Advance<'_> {
        Box::pin(async {
            self.0.pause().await;
            if self.0.cancelled() { Err(MethodError::Cancelled) } else { Ok(()) }
        })
    }
}

/// What a metric is a difference of: its rounding is relative to that.
pub(crate) fn scale(pair: &RunPair<'_>, metric: Metric) -> f32 {
    let of = |side| {
        let values = pair.metrics(side);
        match metric {
            Metric::ProbDiff => values.prob_answer.max(values.prob_wrong),
            Metric::LogitDiff | Metric::LogProb | Metric::Kl => largest(&logits(pair, side)),
        }
    };
    of(Side::Clean).max(of(Side::Corrupted))
}

/// Logits of the next token of one run.
pub(crate) fn logits(pair: &RunPair<'_>, side: Side) -> Vec<f32> {
    pair.logits(side).iter().map(|logit| *logit as f32).collect()
}

/// Largest absolute value.
pub(crate) fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// Worst difference relative to `scale`; NaN if anything is missing or NaN.
pub(crate) fn distance(expected: &[f32], got: &[f32], scale: f32) -> f32 {
    if expected.is_empty() || expected.len() != got.len() {
        return f32::NAN;
    }
    let scale = scale.max(f32::MIN_POSITIVE);
    let differences = expected.iter().zip(got).map(|(e, g)| (e - g).abs() / scale);
    // `f32::max` would drop a NaN.
    differences.fold(0.0, |most, off| if off.is_nan() || off > most { off } else { most })
}

/// Place of the largest absolute value.
fn strongest(values: &[f32]) -> Option<usize> {
    let order = |a: &(usize, &f32), b: &(usize, &f32)| a.1.abs().total_cmp(&b.1.abs());
    values.iter().enumerate().max_by(order).map(|(index, _)| index)
}

#[cfg(test)]
mod tests {
    use std::future::{Future, ready};

    use burn::tensor::{DType, Device, TensorCreationOptions};
    use pollster::block_on;
    use twinbeam_attribution::{NoProgress, patch};
    use twinbeam_core::models::ModelShape;
    use twinbeam_core::wire::Event;
    use twinbeam_core::words::{Answers, Experiment, Steps, TokenPair};
    use twinbeam_gpt2::{Gpt2, Gpt2Config, Params, random_params};

    use super::*;
    use crate::{Plan, run};

    const SHAPE: ModelShape = ModelShape {
        n_layers: 2,
        n_heads: 2,
        d_model: 16,
        d_head: 8,
        d_mlp: 24,
        n_ctx: 8,
        d_vocab: 30,
    };

    #[derive(Default)]
    struct Listener(Vec<Event>, Vec<Claim>);

    impl Host for Listener {
        fn emit(&mut self, event: Event) {
            self.0.push(event);
        }

        fn claim(&mut self, claim: Claim) {
            self.1.push(claim);
        }

        fn seconds(&self) -> f64 {
            0.0
        }

        fn pause(&mut self) -> impl Future<Output = ()> {
            ready(())
        }

        fn cancelled(&self) -> bool {
            false
        }
    }

    /// `mixed_up`: the two heads of every layer have changed places, which no logit shows.
    fn gpt2(seed: u64, mixed_up: bool, dtype: DType) -> Gpt2 {
        let options = TensorCreationOptions::new(Device::flex()).with_dtype(dtype);
        let random = random_params(&SHAPE, seed, 0.3).map(|(name, dims, mut values)| {
            if mixed_up && name.contains("attn.c_attn") {
                let heads = values.chunks_mut(SHAPE.d_model);
                heads.for_each(|heads| heads.rotate_left(SHAPE.d_head));
            } else if mixed_up && name.ends_with("attn.c_proj.weight") {
                values.rotate_left(SHAPE.d_head * SHAPE.d_model);
            }
            (name, dims, values)
        });
        let params = Params::from_values(random, &options).expect("it fits");
        Gpt2::from_params(Gpt2Config::new(SHAPE, 0), &params).expect("all parameters")
    }

    fn question() -> Question {
        let (clean, corrupted) = (vec![0, 5, 9, 13, 21, 2], vec![0, 5, 9, 14, 21, 2]);
        Question {
            tokens: TokenPair::new(clean, corrupted, &SHAPE).expect("a pair"),
            answers: Answers::new(vec![11], vec![29], &SHAPE).expect("answers"),
            metric: Metric::LogitDiff,
            n_steps: Steps::Fixed(6),
        }
    }

    /// Runs on one model, and has another hear what it claims.
    fn run_on(gpt2: Gpt2, other: Gpt2) -> (Result<CheckReport, Error>, Vec<Event>) {
        let [model, other] = [gpt2, other].map(Model::without_files);
        let plan = Plan {
            zero_baseline: true,
            ..Plan::of(ComponentKind::ALL.to_vec(), Direction::Noising)
        };
        let mut host = Listener::default();
        let question = question();
        block_on(run(&model, &question, Experiment::default(), &plan, 1, &mut host))
            .expect("it runs");
        let Listener(events, claims) = host;
        let result = block_on(async {
            let mut check = Check::new(&other, &question).await?;
            for claim in &claims {
                check.hear(claim, &mut Listener::default()).await?;
            }
            Ok(check.report())
        });
        (result, events)
    }

    fn strips(events: &[Event]) -> usize {
        events.iter().filter(|event| matches!(event, Event::Strip { .. })).count()
    }

    fn patched(events: &[Event]) -> usize {
        events.iter().filter(|event| matches!(event, Event::Patched { .. })).count()
    }

    #[test]
    fn single_precision_passes() {
        let (report, events) = run_on(gpt2(7, false, DType::F32), gpt2(7, false, DType::F64));
        let CheckReport { worst, values } = report.expect("it passes");
        assert!(worst > 0.0 && worst < 1e-4, "{worst:e}");
        let (heads, neurons) = (2 * SHAPE.n_heads + 1, 2 * SHAPE.d_mlp + 1);
        // The strongest of each layer, and the strongest of all by the definition.
        let patches = 2 * (SHAPE.n_layers + 1);
        let least = 2 * SHAPE.d_vocab + 2 * (heads + neurons + patches) + heads;
        assert!(values >= least as u64, "{values} of {least}");
        // IG and AtP of both kinds and AP of heads in both directions, and IG from zero.
        assert_eq!(strips(&events), ((2 * 2 + 1) * 2 + 1) * SHAPE.n_layers);
        assert_eq!(patched(&events), 2);
    }

    #[test]
    fn other_logits_are_found() {
        let (report, _) = run_on(gpt2(7, false, DType::F32), gpt2(8, false, DType::F64));
        let error = report.expect_err("other logits");
        assert!(
            matches!(&error, Error::Untrusted { what, .. } if what.contains("logits")),
            "{error}"
        );
    }

    #[test]
    fn heads_that_are_mixed_up_are_found_where_logits_agree() {
        let (report, _) = run_on(gpt2(7, true, DType::F32), gpt2(7, false, DType::F64));
        let error = report.expect_err("heads are mixed up");
        assert!(
            matches!(&error, Error::Untrusted { what, .. } if what.contains("gradients of the heads")),
            "{error}"
        );
    }

    #[test]
    fn patches_are_compared_with_the_definition() {
        let (model, question) = (Model::without_files(gpt2(7, false, DType::F64)), question());
        let mut check = block_on(Check::new(&model, &question)).expect("the CPU runs");
        for kind in ComponentKind::ALL {
            let direction = Direction::Denoising;
            let effects = block_on(patch(&check.pair, kind, 0, direction, &mut NoProgress));
            let effects = effects.expect("the CPU runs");
            // Of the first layer, so the places are the components' indices.
            let mut look = |effects: &[f32]| {
                let (places, values) = ((0..effects.len()).collect(), effects.to_vec());
                let patches = Patches { kind, direction, places, values };
                block_on(check.patches(&patches, &mut NoProgress))
            };
            look(&effects).expect("the same");
            let mut off = effects.clone();
            off[strongest(&effects).expect("components")] *= 1.1;
            assert!(matches!(look(&off), Err(Error::Untrusted { .. })));
            let stale = vec![0.0; effects.len()];
            assert!(matches!(look(&stale), Err(Error::Untrusted { .. })));
        }
    }

    #[test]
    fn rounding_is_not_a_difference_and_a_nan_is() {
        let (model, question) = (Model::without_files(gpt2(7, false, DType::F64)), question());
        let mut check = block_on(Check::new(&model, &question)).expect("the CPU runs");
        let what = || "it".to_owned();
        check.compare(&what, &[1e-7], &[2e-7], 2e-7).expect("both are rounding");
        check.compare(&what, &[0.0], &[0.0], 0.0).expect("equal");
        assert!(check.compare(&what, &[1.0], &[1.01], 1.0).is_err());
        assert!(check.compare(&what, &[1.0], &[f32::NAN], 1.0).is_err());
        assert!(check.compare(&what, &[1.0, 1.0], &[1.0], 1.0).is_err());
    }
}
