use burn::tensor::DType;
use pollster::block_on;
use proptest::prelude::*;
use twinbeam_attribution::RunPair;
use twinbeam_core::models::ModelShape;
use twinbeam_core::words::{Answers, Component, ComponentKind, Direction, Metric, TokenPair};
use twinbeam_gpt2::Gpt2;

use crate::random_model;

/// Token ids of the random models.
pub const VOCABULARY: u32 = 23;

/// A random model and what it is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Sizes of the model.
    pub shape: ModelShape,
    /// Of its weights.
    pub seed: u64,
    /// Tokens of the clean prompt.
    pub clean: Vec<u32>,
    /// As many of the corrupted one.
    pub corrupted: Vec<u32>,
    /// The answer and the wrong one.
    pub answers: [u32; 2],
    /// What is measured.
    pub metric: Metric,
    /// Which run is changed.
    pub direction: Direction,
    /// By which all that is picked is picked.
    pub pick: usize,
}

impl Question {
    /// The model, in a type of number.
    pub fn model(&self, dtype: DType) -> Gpt2 {
        random_model(self.shape, self.seed, dtype)
    }

    /// Both prompts.
    ///
    /// # Panics
    /// If they are not legal.
    pub fn tokens(&self) -> TokenPair {
        TokenPair::new(self.clean.clone(), self.corrupted.clone(), &self.shape).expect("legal")
    }

    /// Both runs.
    ///
    /// # Panics
    /// If they fail.
    pub fn pair<'m>(&self, model: &'m Gpt2) -> RunPair<'m> {
        let [answer, wrong] = self.answers.map(|id| vec![id]);
        let answers = Answers::new(answer, wrong, &self.shape).expect("legal");
        block_on(RunPair::new(model, &self.tokens(), answers, self.metric)).expect("runs")
    }

    /// One component.
    pub fn component(&self, kind: ComponentKind) -> Component {
        let n = self.shape.n_layers * kind.width(&self.shape);
        Component::at(kind, self.pick % n, kind.width(&self.shape))
    }

    /// The first position that differs; the last one where none does.
    pub fn first(&self) -> usize {
        self.tokens().first_difference().min(self.clean.len() - 1)
    }
}

prop_compose! {
    /// Any model of up to three layers, pair of prompts and question.
    pub fn any_question()(
        n_layers in 1_usize..4,
        n_heads in 1_usize..4,
        // Of two numbers LayerNorm makes -1 and 1: a step so sharp that no quadrature integrates across it.
        d_head in 4_usize..7,
        d_mlp in 3_usize..20,
        n_pos in 2_usize..8,
    )(
        clean in proptest::collection::vec(0..VOCABULARY, n_pos),
        // Differs in the first, the last, one, some or many positions.
        changes in proptest::collection::vec((0..n_pos, 0..VOCABULARY), 1..5),
        (answer, other) in (0..VOCABULARY, 1..VOCABULARY),
        (seed, pick, metric, noising) in (any::<u64>(), 0_usize..1000, 0_usize..4, any::<bool>()),
        shape in Just(ModelShape {
            n_layers, n_heads, d_model: n_heads * d_head, d_head, d_mlp, n_ctx: 8,
            d_vocab: VOCABULARY as usize,
        }),
    ) -> Question {
        let mut corrupted = clean.clone();
        for (position, token) in changes {
            corrupted[position] = token;
        }
        let direction = if noising { Direction::Noising } else { Direction::Denoising };
        let answers = [answer, (answer + other) % VOCABULARY];
        Question { shape, seed, clean, corrupted, answers, metric: Metric::ALL[metric], direction, pick }
    }
}
