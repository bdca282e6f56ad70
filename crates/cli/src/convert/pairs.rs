//! The prompt pairs by which a converted model is compared with the original.

use std::collections::BTreeMap;

use anyhow::Context as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use twinbeam_core::models::ModelShape;
use twinbeam_core::prompts::PromptPair;
use twinbeam_core::prompts::lists::{Limits, read_pairs};
use twinbeam_core::words::{Answers, Experiment, Metric, PromptError, Steps, TokenPair};
use twinbeam_engine::{Error, Model, Question, question};
use twinbeam_tasks::{Split, Task, pairs};

/// The page's examples, of which one is the notebook's pair (docs/METHODS.md#the-notebook).
const EXAMPLES: &str = include_str!("../../../../assets/examples.json");

/// Held-out pairs of each task.
const PER_TASK: usize = 4;
const SEED: u64 = 0x636f_7374;
/// Pairs of random tokens, and the most tokens of a prompt.
const RANDOM_PAIRS: usize = 16;
const RANDOM_TOKENS: usize = 12;

/// Prompt pairs for one tokenizer and one vocabulary.
pub(super) struct Asked {
    /// Name and question of each pair.
    pub(super) questions: Vec<(String, Question)>,
    /// Pairs that the model cannot be asked, by what keeps them from it.
    pub(super) left_out: BTreeMap<&'static str, usize>,
    /// Whether the prompts are random tokens instead of text.
    pub(super) random: bool,
}

/// Pairs of the tasks and the page's examples, as far as they fit the model; random tokens if none does.
pub(super) fn draw(model: &Model) -> anyhow::Result<Asked> {
    let mut asked = Asked { questions: Vec::new(), left_out: BTreeMap::new(), random: false };
    // A model without a token to put in front is asked without one.
    let prepend_bos = model.words().bos().is_ok();
    for (name, experiment) in experiments()? {
        let experiment = Experiment { prepend_bos, ..experiment };
        let reason = match question(model, &experiment) {
            Ok(question) => {
                asked.questions.push((name, question));
                continue;
            }
            Err(Error::NoTokenizer) => break,
            Err(Error::Prompt(problem)) => reason(&problem),
            Err(Error::Tokenizer(_)) => "the tokenizer cannot spell it",
            Err(error) => return Err(error.into()),
        };
        *asked.left_out.entry(reason).or_default() += 1;
    }
    if asked.questions.is_empty() {
        asked.questions = random_questions(model.shape())?;
        asked.random = true;
    }
    Ok(asked)
}

fn experiments() -> anyhow::Result<Vec<(String, Experiment)>> {
    let examples = read_pairs(EXAMPLES.as_bytes(), Limits::PAGE)
        .context("the examples that this program was built with")?
        .rows
        .into_iter()
        .collect::<Result<Vec<PromptPair>, _>>()?;
    let drawn = Task::ALL.into_iter().flat_map(|task| {
        let numbered = pairs(task, Split::HeldOut, PER_TASK, SEED).into_iter().zip(1..);
        numbered.map(move |(pair, number)| {
            let (clean, corrupted) = (pair.clean, pair.corrupted);
            let (answer, wrong) = (pair.answer, pair.wrong);
            (format!("{} {number}", task.id()), (clean, corrupted, answer, wrong))
        })
    });
    let shown = examples.into_iter().map(|example| {
        let PromptPair { name, clean, corrupted, answer, wrong, .. } = example;
        (name, (clean, corrupted, answer, wrong))
    });
    let experiment = |(name, (clean, corrupted, answer, wrong))| {
        (name, Experiment { clean, corrupted, answer, wrong, ..Experiment::default() })
    };
    Ok(drawn.chain(shown).map(experiment).collect())
}

fn reason(problem: &PromptError) -> &'static str {
    match problem {
        PromptError::NotOneToken { .. } => "an answer is not one token",
        PromptError::Lengths { .. } => "the prompts differ in length",
        PromptError::TooLong { .. } | PromptError::TooManyChars { .. } => "a prompt is too long",
        PromptError::SameAnswer { .. } => "a token is both right and wrong",
        PromptError::UnknownToken { .. }
        | PromptError::NotInModel { .. }
        | PromptError::BosNotInModel { .. } => "a token is outside the vocabulary",
        PromptError::NotSpelt { .. } => "the tokenizer cannot spell it",
        PromptError::NotIds { .. } | PromptError::NoTokenizer => "it is not token ids",
        PromptError::NoBos { .. }
        | PromptError::Empty { .. }
        | PromptError::NoAnswer { .. }
        | PromptError::Steps { .. } => "something is missing",
    }
}

/// Pairs of random prompts that differ in one token; none where the vocabulary has no two tokens.
fn random_questions(shape: &ModelShape) -> Result<Vec<(String, Question)>, PromptError> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let n_pos = shape.n_ctx.min(RANDOM_TOKENS);
    let d_vocab = shape.d_vocab as u32;
    let n_pairs = if d_vocab < 2 { 0 } else { RANDOM_PAIRS };
    let mut questions = Vec::with_capacity(n_pairs);
    for number in 1..=n_pairs {
        let mut id = || rng.random_range(0..d_vocab);
        let clean: Vec<u32> = (0..n_pos).map(|_| id()).collect();
        let (answer, wrong) = (id(), rng.random_range(1..d_vocab));
        let (place, step) = (rng.random_range(0..n_pos), rng.random_range(1..d_vocab));
        // A step of less than a whole round leads to another token.
        let another = |id: u32, step: u32| (id + step) % d_vocab;
        let mut corrupted = clean.clone();
        corrupted[place] = another(clean[place], step);
        let tokens = TokenPair::new(clean, corrupted, shape)?;
        let answers = Answers::new(vec![answer], vec![another(answer, wrong)], shape)?;
        let question =
            Question { tokens, answers, metric: Metric::LogitDiff, n_steps: Steps::Fixed(1) };
        questions.push((format!("random {number}"), question));
    }
    Ok(questions)
}
