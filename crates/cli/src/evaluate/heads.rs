//! What the heads of a model look at in lists of words that are read twice, and how they work together there.

use std::collections::BTreeMap;

use pollster::block_on;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use twinbeam_core::circuits::{Graph, Port, Receiver, Sender};
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Direction, Experiment};
use twinbeam_engine::{Error, Model, Silent, probe};
use twinbeam_tasks::{Pair, Split, Task, pairs, repeated};

/// Words of each list: a multiple of four. Which words may follow which in a held-out list repeats after four, and in a list
/// of another length only a fifth of them could stand, since its first word follows its last.
pub const LIST_WORDS: usize = 24;

/// Where a head looks in lists of words that are read twice; means of attention, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadScore {
    /// Layer of the head.
    pub layer: usize,
    /// The head.
    pub head: usize,
    /// Attention to the token before, from all words but the first.
    pub previous: f64,
    /// Attention from a word's second reading to the word after its first.
    pub induction: f64,
}

/// Where all heads look in `n` pairs of lists of a split, layer by layer.
///
/// # Errors
/// A model that cannot read the lists, or cannot run.
pub fn head_scores(
    model: &Model,
    split: Split,
    n: usize,
    seed: u64,
) -> Result<Vec<HeadScore>, Error> {
    let shape = *model.shape();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut scores: Vec<HeadScore> = (0..shape.n_layers * shape.n_heads)
        .map(|place| HeadScore {
            layer: place / shape.n_heads,
            head: place % shape.n_heads,
            previous: 0.0,
            induction: 0.0,
        })
        .collect();
    for _ in 0..n {
        let mut list = || repeated(LIST_WORDS, 2, split, &mut rng);
        let (clean, corrupted) = (list(), list());
        let word = |text: &str, place| {
            format!(" {}", text.split_whitespace().nth(place).unwrap_or_default())
        };
        let experiment = Experiment {
            answer: vec![word(&clean, 0)],
            wrong: vec![word(&clean, 1)],
            clean,
            corrupted,
            ..Experiment::default()
        };
        for score in &mut scores {
            let asked = Probe::Pattern { layer: score.layer, head: score.head };
            let (found, _) = block_on(probe(model, &experiment, &asked, 1, &mut Silent))?;
            let Finding::Pattern(found) = found else { unreachable!("a pattern was asked for") };
            for pattern in [&found.clean, &found.corrupted] {
                let share = 0.5 / n as f64;
                let [previous, induction] = looks(pattern, found.n_pos);
                score.previous += share * previous;
                score.induction += share * induction;
            }
        }
    }
    Ok(scores)
}

/// Mean attention to the token before, and from second readings to what came after the first, in a pattern `[pos, pos]`
/// of `<|endoftext|>` and a list read twice.
fn looks(pattern: &[f32], n_pos: usize) -> [f64; 2] {
    let mean = |looks: Vec<(usize, usize)>| {
        let sum: f64 = looks.iter().map(|(from, to)| f64::from(pattern[from * n_pos + to])).sum();
        sum / looks.len() as f64
    };
    // The first word has nothing but <|endoftext|> before it, on which heads rest that have nothing to do.
    let previous = (2..n_pos).map(|from| (from, from - 1)).collect();
    let second = n_pos.div_ceil(2);
    let induction = (second..n_pos - 1).map(|from| (from, from - LIST_WORDS + 1)).collect();
    [mean(previous), mean(induction)]
}

/// How often an edge between heads was the strongest by path patching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeCount {
    /// The head that writes.
    pub from: Sender,
    /// What reads it.
    pub to: Receiver,
    /// In how many prompt pairs.
    pub pairs: usize,
}

/// The strongest edge from head to head, by exact path patching of the clean run, in each of `n` induction pairs, the most
/// common first.
///
/// # Errors
/// A model that cannot read the prompts, or cannot run.
pub fn strongest_edges(
    model: &Model,
    split: Split,
    n: usize,
    seed: u64,
) -> Result<Vec<EdgeCount>, Error> {
    let graph = Graph::new(model.shape());
    let between: Vec<u32> = (0..graph.n_edges())
        .filter(|number| {
            let edge = graph.edge(*number);
            matches!((edge.from, edge.to), (Sender::Head { .. }, Receiver::Head { .. }))
        })
        .map(|number| number as u32)
        .collect();
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for Pair { clean, corrupted, answer, wrong, .. } in pairs(Task::Induction, split, n, seed) {
        let experiment = Experiment { clean, corrupted, answer, wrong, ..Experiment::default() };
        let asked = Probe::PatchEdges { edges: between.clone(), direction: Direction::Noising };
        let (found, _) = block_on(probe(model, &experiment, &asked, 1, &mut Silent))?;
        let Finding::PatchEdges(found) = found else { unreachable!("edges were asked for") };
        let strongest = found
            .edges
            .iter()
            .zip(&found.exact)
            .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
        if let Some((edge, _)) = strongest {
            *counts.entry(*edge).or_default() += 1;
        }
    }
    let mut edges: Vec<EdgeCount> = counts
        .into_iter()
        .map(|(number, pairs)| {
            let edge = graph.edge(number as usize);
            EdgeCount { from: edge.from, to: edge.to, pairs }
        })
        .collect();
    edges.sort_by_key(|edge| std::cmp::Reverse(edge.pairs));
    Ok(edges)
}

impl EdgeCount {
    /// Whether a head reads it by its keys.
    pub fn through_keys(&self) -> bool {
        matches!(self.to, Receiver::Head { port: Port::Key, .. })
    }
}
