//! An experiment: everything that decides the numbers, and the words that it is made of.

use std::fmt;
use std::str::FromStr;

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{TopToken, parse_ids};

/// Longest prompt a visitor may type, in characters; longer text is refused before tokenising.
pub const MAX_PROMPT_CHARS: usize = 4000;

/// Most Gauss-Legendre nodes an experiment may ask for.
pub const MAX_STEPS: usize = 300;

/// The direction of an effect: which run is changed, and so which question a score answers. A run computes both.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The clean run is changed with corrupted values: is the component necessary?
    #[default]
    Noising,
    /// The corrupted run is changed with clean values: is the component sufficient?
    Denoising,
}

impl Direction {
    /// Both, in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::Noising, Self::Denoising];

    /// Stable lower-case name, as in links, files and the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Noising => "noising",
            Self::Denoising => "denoising",
        }
    }

    /// The other direction.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Noising => Self::Denoising,
            Self::Denoising => Self::Noising,
        }
    }
}

/// A metric: what is measured at the last token of a run.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean logit of the answer tokens minus mean logit of the wrong ones; logits.
    #[default]
    LogitDiff,
    /// Probability of the answer tokens minus that of the wrong ones.
    ProbDiff,
    /// Natural logarithm of the answer tokens' probability; nats.
    LogProb,
    /// Kullback-Leibler divergence from the clean run's distribution to this one's; nats.
    Kl,
}

impl Metric {
    /// All metrics, the default first.
    pub const ALL: [Self; 4] = [Self::LogitDiff, Self::ProbDiff, Self::LogProb, Self::Kl];

    /// Stable lower-case name, as in links, files and the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::LogitDiff => "logit_diff",
            Self::ProbDiff => "prob_diff",
            Self::LogProb => "log_prob",
            Self::Kl => "kl",
        }
    }

    /// Name of the metric in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::LogitDiff => "logit difference",
            Self::ProbDiff => "probability difference",
            Self::LogProb => "log probability",
            Self::Kl => "KL divergence",
        }
    }

    /// Unit of the metric and of every score computed with it.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::LogitDiff => "logits",
            Self::ProbDiff => "probability",
            Self::LogProb | Self::Kl => "nats",
        }
    }

    /// `1.0` where more of the metric is more of the clean behaviour, `-1.0` where less is (`Kl`).
    ///
    /// Scores are taken of `orientation * metric`, so that positive supports the clean behaviour
    /// whatever is measured.
    pub const fn orientation(self) -> f32 {
        match self {
            Self::LogitDiff | Self::ProbDiff | Self::LogProb => 1.0,
            Self::Kl => -1.0,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The points of its line at which a layer is integrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// A number of Gauss-Legendre nodes, the same for every layer.
    Fixed(usize),
    /// Points that are found on the way, as many as each layer takes.
    Auto {
        /// Most that the convergence delta, and what the last refinement has changed of any score, may be:
        /// millionths of the gap between the two runs, or what single precision resolves, where that is more.
        tolerance_ppm: u32,
    },
}

impl Steps {
    /// Most points that are taken where their number is found on the way.
    pub const MOST_POINTS: usize = 257;

    /// Steps that are found on the way, for a thousandth of the gap.
    pub const AUTO: Self = Self::Auto { tolerance_ppm: 1000 };

    /// Whether the number is in the range that is offered: 1 to [`MAX_STEPS`] nodes, or a tolerance from a millionth to
    /// a tenth.
    pub fn is_possible(self) -> bool {
        match self {
            Self::Fixed(n) => (1..=MAX_STEPS).contains(&n),
            Self::Auto { tolerance_ppm } => (1..=100_000).contains(&tolerance_ppm),
        }
    }
}

/// `50`, `auto`, or `auto:` and a tolerance in millionths of the gap.
impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(n) => write!(f, "{n}"),
            auto if *auto == Self::AUTO => f.write_str("auto"),
            Self::Auto { tolerance_ppm } => write!(f, "auto:{tolerance_ppm}"),
        }
    }
}

/// Text that names no number of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, auto, or auto: and millionths of the gap")]
pub struct NotSteps;

impl FromStr for Steps {
    type Err = NotSteps;

    fn from_str(text: &str) -> Result<Self, NotSteps> {
        if text == "auto" {
            return Ok(Self::AUTO);
        }
        match text.strip_prefix("auto:") {
            Some(tolerance) => tolerance.parse().map(|tolerance_ppm| Self::Auto { tolerance_ppm }),
            None => text.parse().map(Self::Fixed),
        }
        .map_err(|_source| NotSteps)
    }
}

/// A number, or a text as [`Steps`] prints itself; among bytes, which do not say which of the two follows, a text.
impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(n) if serializer.is_human_readable() => serializer.serialize_u64(*n as u64),
            Self::Fixed(_) | Self::Auto { .. } => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom);
        }
        let steps = match Value::deserialize(deserializer)? {
            Value::String(text) => text.parse().ok(),
            number => number.as_u64().and_then(|n| usize::try_from(n).ok()).map(Self::Fixed),
        };
        steps.ok_or_else(|| serde::de::Error::custom(NotSteps))
    }
}

/// How the texts of an experiment, or of a prompt pair, are to be read.
///
/// A model may come without a tokenizer, and published lists name answers by token id.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Prompts and answers are text, which the model's tokenizer splits.
    #[default]
    Text,
    /// Prompts are text; each answer is a token id in decimal.
    AnswerIds,
    /// Prompts are lists of token ids, nothing is put in front of them; each answer is a token id.
    Ids,
}

impl Written {
    /// All ways of writing, the default first.
    pub const ALL: [Self; 3] = [Self::Text, Self::AnswerIds, Self::Ids];

    /// Stable lower-case name, as in links and files.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::AnswerIds => "answer_ids",
            Self::Ids => "ids",
        }
    }

    /// Whether prompts are lists of token ids.
    pub const fn prompts_are_ids(self) -> bool {
        matches!(self, Self::Ids)
    }

    /// Whether answers are token ids.
    pub const fn answers_are_ids(self) -> bool {
        !matches!(self, Self::Text)
    }

    /// Whether everything is text, which is what files leave out.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) const fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }
}

/// Everything that decides the numbers, as a visitor enters it, and nothing else: two that are equal have the same
/// result. What of a result is looked at is a [`crate::link::View`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Experiment {
    /// Name of the model, for instance `mini`. Never an address.
    pub model: String,
    /// Prompt in which the behaviour is present.
    pub clean: String,
    /// Prompt of the same token count in which it is absent.
    pub corrupted: String,
    /// Right next tokens, each one token, with their leading space.
    pub answer: Vec<String>,
    /// Wrong next tokens, each one token, with their leading space.
    pub wrong: Vec<String>,
    /// Whether prompts and answers are text or token ids.
    pub written: Written,
    /// Whether `<|endoftext|>` goes in front, as TransformerLens does.
    pub prepend_bos: bool,
    /// What is measured.
    pub metric: Metric,
    /// Points at which integrated gradients are taken.
    pub n_steps: Steps,
}

/// Links and files leave out that it is text, as it usually is; bytes have a place for everything.
impl Serialize for Experiment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_written = !serializer.is_human_readable() || !self.written.is_text();
        let n_fields = 8 + usize::from(is_written);
        let mut experiment = serializer.serialize_struct("Experiment", n_fields)?;
        experiment.serialize_field("model", &self.model)?;
        experiment.serialize_field("clean", &self.clean)?;
        experiment.serialize_field("corrupted", &self.corrupted)?;
        experiment.serialize_field("answer", &self.answer)?;
        experiment.serialize_field("wrong", &self.wrong)?;
        if is_written {
            experiment.serialize_field("written", &self.written)?;
        }
        experiment.serialize_field("prepend_bos", &self.prepend_bos)?;
        experiment.serialize_field("metric", &self.metric)?;
        experiment.serialize_field("n_steps", &self.n_steps)?;
        experiment.end()
    }
}

impl Experiment {
    /// Whether another experiment asks the same of whatever model it is for.
    pub fn has_inputs_of(&self, other: &Self) -> bool {
        // A field that is added must be thought of here.
        let Self {
            model: _,
            clean,
            corrupted,
            answer,
            wrong,
            written,
            prepend_bos,
            metric,
            n_steps,
        } = self;
        *clean == other.clean
            && *corrupted == other.corrupted
            && *answer == other.answer
            && *wrong == other.wrong
            && *written == other.written
            && *prepend_bos == other.prepend_bos
            && *metric == other.metric
            && *n_steps == other.n_steps
    }

    /// Whether a token is among some answers, which are written as this experiment writes them.
    pub fn names(&self, answers: &[String], token: &TopToken) -> bool {
        let is_it = |answer: &String| {
            if self.written.answers_are_ids() {
                parse_ids(answer).is_ok_and(|ids| ids == [token.id])
            } else {
                *answer == token.text
            }
        };
        answers.iter().any(is_it)
    }
}

impl Default for Experiment {
    /// The notebook's pair (docs/METHODS.md#the-notebook), on the bundled model.
    fn default() -> Self {
        Self {
            model: "mini".to_owned(),
            clean: "After John and Mary went to the store, Mary gave a bottle of milk to"
                .to_owned(),
            corrupted: "After John and Mary went to the store, John gave a bottle of milk to"
                .to_owned(),
            answer: vec![" John".to_owned()],
            wrong: vec![" Mary".to_owned()],
            written: Written::Text,
            prepend_bos: true,
            metric: Metric::LogitDiff,
            n_steps: Steps::Fixed(50),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_all_but_the_model() {
        let of = Experiment::default();
        let text = || "other".to_owned();
        assert!(of.has_inputs_of(&Experiment { model: text(), ..of.clone() }));
        let others = [
            Experiment { clean: text(), ..of.clone() },
            Experiment { corrupted: text(), ..of.clone() },
            Experiment { answer: vec![text()], ..of.clone() },
            Experiment { wrong: vec![text()], ..of.clone() },
            Experiment { written: Written::Ids, ..of.clone() },
            Experiment { prepend_bos: !of.prepend_bos, ..of.clone() },
            Experiment { metric: Metric::Kl, ..of.clone() },
            Experiment { n_steps: Steps::Fixed(7), ..of.clone() },
        ];
        assert!(others.iter().all(|other| !of.has_inputs_of(other)));
    }

    #[test]
    fn steps_read_as_they_are_printed() {
        for (text, steps) in [
            ("50", Steps::Fixed(50)),
            ("auto", Steps::AUTO),
            ("auto:20", Steps::Auto { tolerance_ppm: 20 }),
        ] {
            assert_eq!((text.parse(), steps.to_string().as_str()), (Ok(steps), text));
            let json = serde_json::to_string(&steps).expect("a number or a text");
            assert_eq!(serde_json::from_str::<Steps>(&json).expect("its own"), steps);
        }
        assert_eq!(serde_json::to_string(&Steps::Fixed(7)).expect("a number"), "7");
        for text in ["", "many", "auto:", "auto:-1", "-3"] {
            assert_eq!(text.parse::<Steps>(), Err(NotSteps), "{text}");
        }
        let impossible = [Steps::Fixed(0), Steps::Fixed(301), Steps::Auto { tolerance_ppm: 0 }];
        assert!(impossible.into_iter().all(|steps| !steps.is_possible()));
    }

    #[test]
    fn a_token_is_named_by_its_text_or_by_its_id() {
        let token = TopToken { id: 7, text: " a".to_owned(), logit: 1.0, prob: 0.5 };
        let names = |written, answer: &str| {
            let experiment = Experiment { written, ..Experiment::default() };
            experiment.names(&["x".to_owned(), answer.to_owned()], &token)
        };
        assert!(
            names(Written::Text, " a") && !names(Written::Text, "a") && !names(Written::Text, "7")
        );
        for written in [Written::AnswerIds, Written::Ids] {
            assert!(names(written, "#7") && !names(written, " a") && !names(written, "77"));
        }
    }
}
