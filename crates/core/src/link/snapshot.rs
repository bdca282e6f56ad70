//! What a link carries of a result: enough to draw the figure at once, before anything is computed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::models::ModelShape;
use crate::scores::{MetricValues, ScoreTable, SideSummary, TableKey, Tables};
use crate::words::{Component, ComponentKind, Direction, Method};

/// Steps of the quantised scale on either side of zero.
const STEPS: f64 = 32767.0;
/// Neurons kept per direction and ranking.
const KEPT_NEURONS: usize = 10;
/// Digits of the model's SHA-256 that travel.
const SHA_DIGITS: usize = 16;
/// Layers above which a model is not drawn from a link: no GPT-2 has as many.
const MAX_LAYERS: usize = 96;
const MAX_WIDTH: usize = 65_536;
const MAX_HEADS: usize = 4096;
/// Absolute score above which a link is not believed: no score of a GPT-2 comes near it.
const MAX_SCORE: f32 = 1e6;

/// Tables of heads that travel, in this order.
const TABLES: [(Direction, Method); 4] = [
    (Direction::Noising, Method::Ig),
    (Direction::Noising, Method::Ap),
    (Direction::Denoising, Method::Ig),
    (Direction::Denoising, Method::Ap),
];

const fn heads(method: Method, direction: Direction) -> TableKey {
    TableKey { kind: ComponentKind::Heads, method, direction }
}

/// A result as a link carries it: rounded, and without what only a run knows.
///
/// # Units
/// The metric's. Every score is within [`Snapshot::ROUNDING`] of its table's largest from what was
/// computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// First 16 hexadecimal digits of the model's SHA-256.
    pub model_sha256: String,
    /// Whether the result was computed on a GPU.
    pub gpu: bool,
    /// Sizes of the model.
    pub shape: ModelShape,
    /// The clean run; likely next tokens do not travel.
    pub clean: SideSummary,
    /// The corrupted run, likewise.
    pub corrupted: SideSummary,
    /// IG and AP of the heads, in both directions.
    pub heads: Tables,
    /// The neurons that stand out.
    pub neurons: Vec<NeuronScores>,
}

/// Both methods' scores of one neuron.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeuronScores {
    /// The neuron.
    pub component: Component,
    /// Which run was changed.
    pub direction: Direction,
    /// Integrated gradients.
    pub ig: f32,
    /// Activation patching.
    pub ap: f32,
}

impl Snapshot {
    /// Largest rounding error of a score, as a share of its table's largest absolute score: half a step,
    /// and what single precision leaves.
    pub const ROUNDING: f32 = (0.5 / STEPS) as f32 + f32::EPSILON;

    /// The part of a result that travels; `None` until both methods have scored every head in both directions.
    pub fn of(
        shape: &ModelShape,
        model_sha256: &str,
        gpu: bool,
        sides: [&SideSummary; 2],
        tables: &Tables,
    ) -> Option<Self> {
        let heads = TABLES.map(|(direction, method)| {
            tables
                .get(heads(method, direction))
                .filter(|table| table.n_layers() == shape.n_layers)
                .cloned()
        });
        let heads = heads.into_iter().collect::<Option<Tables>>()?;
        let neurons = Direction::ALL.into_iter().flat_map(|d| strongest_neurons(tables, d));
        let [clean, corrupted] = sides.map(|side| SideSummary { top: Vec::new(), ..side.clone() });
        let model_sha256 = model_sha256.chars().take(SHA_DIGITS).collect();
        let neurons = neurons.collect();
        Some(Self { model_sha256, gpu, shape: *shape, clean, corrupted, heads, neurons })
    }

    /// How far this result is from other tables of the same experiment: the largest difference of a
    /// head's score, as a share of its table's largest absolute score, and whose it is.
    ///
    /// `None` if a table is missing or of another size.
    pub fn distance(&self, tables: &Tables) -> Option<(f32, Component)> {
        let kind = ComponentKind::Heads;
        let mut worst = (0.0, Component { kind, layer: 0, index: 0 });
        for own in &self.heads {
            let other = tables.get(own.key())?;
            if other.values().len() != own.values().len() || other.width() != own.width() {
                return None;
            }
            let largest = own.max_abs().max(other.max_abs()).max(f32::MIN_POSITIVE);
            for (place, (a, b)) in own.values().iter().zip(other.values()).enumerate() {
                let off = (a - b).abs() / largest;
                if off > worst.0 {
                    worst = (off, Component::at(kind, place, own.width()));
                }
            }
        }
        Some(worst)
    }

    pub(crate) fn to_wire(&self) -> Wire {
        let table = |(direction, method)| {
            let table = self.heads.get(heads(method, direction));
            pack(table.map(ScoreTable::values).unwrap_or_default())
        };
        let deltas = |direction| {
            let table = self.heads.get(heads(Method::Ig, direction));
            let deltas = table.map(ScoreTable::convergence_delta).unwrap_or_default();
            deltas.iter().map(|delta| three_digits(*delta)).collect()
        };
        let neurons = |direction| {
            let of_it = |n: &&NeuronScores| n.direction == direction;
            let list: Vec<&NeuronScores> = self.neurons.iter().filter(of_it).collect();
            let scores: Vec<f32> = list.iter().flat_map(|n| [n.ig, n.ap]).collect();
            let places = list.iter().map(|n| [n.component.layer, n.component.index]).collect();
            (places, pack(&scores))
        };
        let ModelShape { n_layers, n_heads, d_model, d_head, d_mlp, n_ctx, d_vocab } = self.shape;
        Wire {
            sha256: self.model_sha256.clone(),
            gpu: self.gpu,
            shape: [n_layers, n_heads, d_model, d_head, d_mlp, n_ctx, d_vocab],
            n_pos: self.clean.n_pos,
            sides: [&self.clean, &self.corrupted].map(|side| metrics_to_wire(&side.metrics)),
            heads: TABLES.map(table),
            deltas: Direction::ALL.map(deltas),
            neurons: Direction::ALL.map(neurons),
        }
    }

    /// The snapshot of what a link holds; `None` if anything in it cannot be: then nothing of it is shown.
    pub(crate) fn from_wire(wire: Wire) -> Option<Self> {
        let [n_layers, n_heads, d_model, d_head, d_mlp, n_ctx, d_vocab] = wire.shape;
        let shape = ModelShape { n_layers, n_heads, d_model, d_head, d_mlp, n_ctx, d_vocab };
        let sizes = [n_heads, d_model, d_head, d_mlp];
        let possible = (1..=MAX_LAYERS).contains(&n_layers)
            && sizes.iter().all(|size| (1..=MAX_WIDTH).contains(size))
            && n_layers * n_heads <= MAX_HEADS
            && (1..=n_ctx).contains(&wire.n_pos)
            && d_vocab > 0;
        let hexadecimal = |digit: char| digit.is_ascii_hexdigit();
        let named = wire.sha256.len() == SHA_DIGITS && wire.sha256.chars().all(hexadecimal);
        if !(possible && named) {
            return None;
        }
        let mut tables = Tables::default();
        for ((direction, method), packed) in TABLES.into_iter().zip(&wire.heads) {
            let values = unpack(packed, n_layers * n_heads)?;
            let table = ScoreTable::new(heads(method, direction), n_heads, values);
            tables.insert(match method {
                Method::Ig => {
                    let deltas = &wire.deltas[direction as usize];
                    let can_be = |delta: &f32| delta.abs() <= MAX_SCORE;
                    if deltas.len() != n_layers || !deltas.iter().all(can_be) {
                        return None;
                    }
                    table.with_convergence_delta(deltas.clone())
                }
                _ => table,
            });
        }
        let mut neurons = Vec::new();
        for (direction, (places, packed)) in Direction::ALL.into_iter().zip(&wire.neurons) {
            let scores = unpack(packed, 2 * places.len())?;
            for ([layer, index], scores) in places.iter().copied().zip(scores.chunks(2)) {
                if layer >= n_layers || index >= d_mlp {
                    return None;
                }
                let component = Component { kind: ComponentKind::Neurons, layer, index };
                let (ig, ap) = (scores[0], scores[1]);
                neurons.push(NeuronScores { component, direction, ig, ap });
            }
        }
        let side = |metrics| {
            let metrics = metrics_from_wire(metrics)?;
            Some(SideSummary { metrics, n_pos: wire.n_pos, top: Vec::new() })
        };
        let [clean, corrupted] = wire.sides;
        Some(Self {
            model_sha256: wire.sha256.to_ascii_lowercase(),
            gpu: wire.gpu,
            shape,
            clean: side(clean)?,
            corrupted: side(corrupted)?,
            heads: tables,
            neurons,
        })
    }
}

/// The strongest by IG, by AP and by their difference, each once.
fn strongest_neurons(tables: &Tables, direction: Direction) -> Vec<NeuronScores> {
    let kind = ComponentKind::Neurons;
    let find = |method| tables.get(TableKey { kind, method, direction });
    let (Some(ig), Some(ap)) = (find(Method::Ig), find(Method::Ap)) else {
        return Vec::new();
    };
    if ig.values().len() != ap.values().len() {
        return Vec::new();
    }
    let rankings = [ig.clone(), ap.clone(), ig.minus(ap)];
    let mut components: Vec<Component> =
        rankings.iter().flat_map(|table| table.strongest(KEPT_NEURONS)).collect();
    components.sort_unstable();
    components.dedup();
    let scores = |component: Component| {
        let Component { layer, index, .. } = component;
        let (ig, ap) = (ig.get(layer, index)?, ap.get(layer, index)?);
        Some(NeuronScores { component, direction, ig, ap })
    };
    components.into_iter().filter_map(scores).collect()
}

/// A snapshot as JSON holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wire {
    sha256: String,
    gpu: bool,
    /// Sizes of the model, in the order of the fields of [`ModelShape`].
    shape: [usize; 7],
    n_pos: usize,
    /// Metrics of the clean and the corrupted run, in the order of the fields of [`MetricValues`].
    sides: [[f32; 6]; 2],
    heads: [Packed; 4],
    /// Convergence deltas by direction, one per layer.
    deltas: [Vec<f32>; 2],
    /// Neurons by direction: layer and index, and IG and AP in turn.
    neurons: [(Vec<[usize; 2]>, Packed); 2],
}

/// The largest absolute score, and every score as a multiple of its 1/32,767th: 16-bit integers, low
/// byte first, in base64url.
type Packed = (f32, String);

fn pack(scores: &[f32]) -> Packed {
    let largest = scores.iter().fold(0.0, |most: f32, score| most.max(score.abs()));
    let step = |score: &f32| {
        let share = if largest > 0.0 { f64::from(*score) / f64::from(largest) } else { 0.0 };
        let steps = (share * STEPS).round();
        (steps as i16).to_le_bytes()
    };
    (largest, URL_SAFE_NO_PAD.encode(scores.iter().flat_map(step).collect::<Vec<u8>>()))
}

fn unpack((largest, text): &Packed, n: usize) -> Option<Vec<f32>> {
    if !(0.0..=MAX_SCORE).contains(largest) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    if bytes.len() != 2 * n {
        return None;
    }
    let score = |pair: &[u8]| {
        let steps = f64::from(i16::from_le_bytes([pair[0], pair[1]]));
        // Division last: the largest score itself comes back to the bit.
        (f64::from(*largest) * steps / STEPS) as f32
    };
    Some(bytes.chunks(2).map(score).collect())
}

fn three_digits(number: f32) -> f32 {
    // OK because what Rust prints, it reads.
    format!("{number:.2e}").parse().unwrap_or(number)
}

fn metrics_to_wire(metrics: &MetricValues) -> [f32; 6] {
    let MetricValues { logit_diff, prob_answer, prob_wrong, prob_diff, log_prob, kl } = *metrics;
    [logit_diff, prob_answer, prob_wrong, prob_diff, log_prob, kl]
}

fn metrics_from_wire(values: [f32; 6]) -> Option<MetricValues> {
    let [logit_diff, prob_answer, prob_wrong, prob_diff, log_prob, kl] = values;
    let possible = values.iter().all(|value| value.abs() <= MAX_SCORE);
    possible.then_some(MetricValues {
        logit_diff,
        prob_answer,
        prob_wrong,
        prob_diff,
        log_prob,
        kl,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A result of a small model; `seed` makes its scores.
    pub(crate) fn snapshot(seed: u32, with_neurons: bool) -> Snapshot {
        let shape = ModelShape {
            n_layers: 3,
            n_heads: 2,
            d_model: 8,
            d_head: 4,
            d_mlp: 16,
            n_ctx: 32,
            d_vocab: 9,
        };
        let mut state = seed;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 2.0_f32.powi(23) - 1.0
        };
        let mut tables = Tables::default();
        for kind in ComponentKind::ALL {
            if kind == ComponentKind::Neurons && !with_neurons {
                continue;
            }
            for (direction, method) in TABLES {
                let width = kind.width(&shape);
                let values = (0..3 * width).map(|_| 3.0 * next()).collect();
                let table = ScoreTable::new(TableKey { kind, method, direction }, width, values);
                tables.insert(match method {
                    Method::Ig => table.with_convergence_delta(vec![1e-5, 0.0, -0.25]),
                    _ => table,
                });
            }
        }
        let side = |logit_diff| SideSummary {
            metrics: MetricValues {
                logit_diff,
                prob_answer: 0.9,
                prob_wrong: 0.1,
                prob_diff: 0.8,
                log_prob: -0.105,
                kl: 0.0,
            },
            n_pos: 17,
            top: Vec::new(),
        };
        let sides = [&side(4.276), &side(-2.738)];
        Snapshot::of(&shape, &"ab12".repeat(16), false, sides, &tables).expect("it is complete")
    }

    proptest! {
        #[test]
        fn scores_come_back_within_the_stated_rounding(seed in any::<u32>()) {
            let sent = snapshot(seed, true);
            let read = Snapshot::from_wire(sent.to_wire()).expect("it is possible");
            prop_assert_eq!((&read.clean, &read.shape), (&sent.clean, &sent.shape));
            let (off, _) = read.distance(&sent.heads).expect("the same tables");
            prop_assert!(off <= Snapshot::ROUNDING, "{} of the largest", off);
            for (a, b) in read.heads.iter().zip(&sent.heads) {
                prop_assert_eq!(a.max_abs(), b.max_abs());
                prop_assert_eq!(a.convergence_delta(), b.convergence_delta());
            }
            let places = |s: &Snapshot| -> Vec<_> {
                s.neurons.iter().map(|n| (n.direction, n.component)).collect()
            };
            prop_assert_eq!(places(&read), places(&sent));
        }
    }

    #[test]
    fn neurons_that_stand_out_travel_once_each() {
        let snapshot = snapshot(5, true);
        for direction in Direction::ALL {
            let list: Vec<Component> = snapshot
                .neurons
                .iter()
                .filter(|n| n.direction == direction)
                .map(|n| n.component)
                .collect();
            assert!((KEPT_NEURONS..=3 * KEPT_NEURONS).contains(&list.len()), "{}", list.len());
            assert!(list.is_sorted_by(|a, b| a < b), "each once");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_whole() {
        let good = snapshot(1, true).to_wire();
        let changes: [fn(&mut Wire); 10] = [
            |w| w.shape[0] = 0,
            |w| w.shape[0] = usize::MAX,
            |w| w.shape[1] = 3,
            |w| w.n_pos = 33,
            |w| w.sha256 = "<img src=x>12345".to_owned(),
            |w| w.heads[0].0 = f32::INFINITY,
            |w| w.heads[3].1.truncate(4),
            |w| w.deltas[0] = vec![f32::NAN; 3],
            |w| w.neurons[1].0[0] = [0, 16],
            |w| w.sides[0][0] = f32::NEG_INFINITY,
        ];
        assert!(Snapshot::from_wire(good.clone()).is_some());
        for (place, change) in changes.into_iter().enumerate() {
            let mut wire = good.clone();
            change(&mut wire);
            assert_eq!(Snapshot::from_wire(wire), None, "change {place}");
        }
    }

    #[test]
    fn a_result_in_the_making_does_not_travel() {
        let full = snapshot(2, false);
        let sides = [&full.clean, &full.corrupted];
        let of = |tables: &Tables| Snapshot::of(&full.shape, "ab", true, sides, tables);
        assert!(of(&full.heads).is_some());
        assert_eq!(of(&full.heads.iter().take(3).cloned().collect()), None);
        let (key, mut short) = (heads(Method::Ig, Direction::Denoising), full.heads.clone());
        let values = short.get(key).expect("it is there").values()[..2].to_vec();
        short.insert(ScoreTable::new(key, 2, values));
        assert_eq!(of(&short), None);
    }
}
