//! Prompts and answers as token ids, valid by construction, and why they cannot be compared.

use serde::{Deserialize, Serialize};

use super::{Entered, Field, Side};
use crate::models::ModelShape;

/// Why two token lists cannot be compared on a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PromptError {
    /// A prompt has no tokens.
    #[error("the {what} is empty")]
    Empty {
        /// The text that is empty.
        what: Entered,
    },
    /// Patching pairs positions, so both prompts need the same number of tokens.
    #[error("the prompts differ in length: clean {clean} tokens, corrupted {corrupted}")]
    Lengths {
        /// Tokens of the clean prompt.
        clean: usize,
        /// Tokens of the corrupted prompt.
        corrupted: usize,
    },
    /// The prompt does not fit the model's context.
    #[error("the prompt has {got} tokens, the model reads at most {most}")]
    TooLong {
        /// Tokens of the prompt.
        got: usize,
        /// The model's `n_ctx`.
        most: usize,
    },
    /// More characters than are tokenised.
    #[error("the {what} has {got} characters, at most {most} are read")]
    TooManyChars {
        /// The text that is too long.
        what: Entered,
        /// Characters of the text.
        got: usize,
        /// [`crate::words::MAX_PROMPT_CHARS`].
        most: usize,
    },
    /// A token id that the model does not have.
    #[error("token id {id} is outside the model's vocabulary of {d_vocab}")]
    UnknownToken {
        /// The id.
        id: u32,
        /// Size of the vocabulary.
        d_vocab: usize,
    },
    /// A token of the tokenizer that the model does not have.
    #[error("the token {text:?} has the id {id}, and the model has {d_vocab} tokens")]
    NotInModel {
        /// The token.
        text: String,
        /// Id of the token.
        id: u32,
        /// Size of the model's vocabulary.
        d_vocab: usize,
    },
    /// The token that is put in front is not one of the model's.
    #[error(
        "the token {text:?} that is put in front (BOS) has the id {id}, and the model has {d_vocab} tokens"
    )]
    BosNotInModel {
        /// The token.
        text: String,
        /// Id of the token.
        id: u32,
        /// Size of the model's vocabulary.
        d_vocab: usize,
    },
    /// The tokenizer has no tokens for a part of a text.
    #[error("the tokens of {text:?} spell {spelt:?}: the tokenizer has none for a part of it")]
    NotSpelt {
        /// What was to be tokenised.
        text: String,
        /// What its tokens say.
        spelt: String,
    },
    /// Text was given to a model without a tokenizer.
    #[error("the model has no tokenizer, so prompts and answers can only be given as token ids")]
    NoTokenizer,
    /// No answer token, or no wrong token.
    #[error("the {field} is missing")]
    NoAnswer {
        /// The field of either.
        field: Field,
    },
    /// A token stands on both sides of the comparison.
    #[error("token id {id} is both an answer and a wrong answer")]
    SameAnswer {
        /// The id.
        id: u32,
    },
    /// A word that should be a token id is none.
    #[error("{text:?} is not a token id: ids are whole numbers, as in 464 262 1438")]
    NotIds {
        /// The first word that is none.
        text: String,
    },
    /// An answer is not exactly one token.
    #[error("{text:?} is {} tokens, an answer is one", pieces.len())]
    NotOneToken {
        /// What was entered.
        text: String,
        /// The pieces that it splits into.
        pieces: Vec<String>,
    },
    /// The beginning-of-sequence token that the model's configuration names is none of its tokens.
    #[error(
        "bos_token_id: expected one of the model's {d_vocab} token ids, 0 to {}, got {got}: leave the beginning-of-sequence \
         token out (BOS off, --no-bos), or mend config.json",
        d_vocab.saturating_sub(1)
    )]
    NoBos {
        /// What `config.json` says.
        got: String,
        /// Size of the vocabulary.
        d_vocab: usize,
    },
    /// The number of steps is outside what is offered.
    #[error("{got} steps: choose 1 to {most}, or auto")]
    Steps {
        /// What was asked for.
        got: String,
        /// [`crate::words::MAX_STEPS`].
        most: usize,
    },
}

/// Token ids written in decimal: between spaces, commas, line ends or the brackets of a list, each with
/// or without a `#` in front.
///
/// # Errors
/// [`PromptError::NotIds`] with the first word that is no id.
pub fn parse_ids(text: &str) -> Result<Vec<u32>, PromptError> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '[' | ']');
    let words = text.split(is_between).filter(|word| !word.is_empty());
    let id = |word: &str| {
        let digits = word.strip_prefix('#').unwrap_or(word);
        // `+7` is a number for Rust, and no id for anybody.
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let id = plain.then(|| digits.parse().ok()).flatten();
        id.ok_or_else(|| PromptError::NotIds { text: word.chars().take(MOST_QUOTED).collect() })
    };
    words.map(id).collect()
}

/// Characters of a word that a message repeats.
const MOST_QUOTED: usize = 40;

/// The two prompts as token ids of equal, legal length; valid by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPair {
    clean: Vec<u32>,
    corrupted: Vec<u32>,
}

impl TokenPair {
    /// Checks the two prompts once, so that nobody below has to look again.
    ///
    /// # Errors
    /// Empty, unequal or over-long prompts, and ids outside the vocabulary.
    pub fn new(
        clean: Vec<u32>,
        corrupted: Vec<u32>,
        shape: &ModelShape,
    ) -> Result<Self, PromptError> {
        for (side, tokens) in [(Side::Clean, &clean), (Side::Corrupted, &corrupted)] {
            if tokens.is_empty() {
                return Err(PromptError::Empty { what: Entered::Field(Field::prompt(side)) });
            }
            check_ids(tokens, shape)?;
        }
        if clean.len() != corrupted.len() {
            return Err(PromptError::Lengths { clean: clean.len(), corrupted: corrupted.len() });
        }
        if clean.len() > shape.n_ctx {
            return Err(PromptError::TooLong { got: clean.len(), most: shape.n_ctx });
        }
        Ok(Self { clean, corrupted })
    }

    /// Ids of the clean prompt; `[pos]`.
    pub fn clean(&self) -> &[u32] {
        &self.clean
    }

    /// Ids of the corrupted prompt; `[pos]`.
    pub fn corrupted(&self) -> &[u32] {
        &self.corrupted
    }

    /// The first position at which the prompts differ; their length if they are the same.
    ///
    /// A token changes nothing before it, so up to there the two runs are equal to the bit.
    pub fn first_difference(&self) -> usize {
        let differ = |(a, b): (&u32, &u32)| a != b;
        self.clean.iter().zip(&self.corrupted).position(differ).unwrap_or(self.n_pos())
    }

    /// Number of positions.
    pub fn n_pos(&self) -> usize {
        self.clean.len()
    }
}

fn check_ids(ids: &[u32], shape: &ModelShape) -> Result<(), PromptError> {
    match ids.iter().find(|id| **id as usize >= shape.d_vocab) {
        Some(id) => Err(PromptError::UnknownToken { id: *id, d_vocab: shape.d_vocab }),
        None => Ok(()),
    }
}

/// The right and the wrong next tokens; neither side is empty, and they share no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    answer: Vec<u32>,
    wrong: Vec<u32>,
}

impl Answers {
    /// Checks both sides once.
    ///
    /// # Errors
    /// An empty side, an id on both sides, an id outside the vocabulary.
    pub fn new(answer: Vec<u32>, wrong: Vec<u32>, shape: &ModelShape) -> Result<Self, PromptError> {
        for (field, ids) in [(Field::Answer, &answer), (Field::Wrong, &wrong)] {
            if ids.is_empty() {
                return Err(PromptError::NoAnswer { field });
            }
            check_ids(ids, shape)?;
        }
        if let Some(id) = answer.iter().find(|id| wrong.contains(id)) {
            return Err(PromptError::SameAnswer { id: *id });
        }
        Ok(Self { answer, wrong })
    }

    /// Ids that continue the clean prompt.
    pub fn answer(&self) -> &[u32] {
        &self.answer
    }

    /// Ids that do not.
    pub fn wrong(&self) -> &[u32] {
        &self.wrong
    }

    /// The answers exchanged with the wrong answers: the same question asked the other way round.
    #[must_use]
    pub fn swapped(self) -> Self {
        Self { answer: self.wrong, wrong: self.answer }
    }
}

/// A likely next token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopToken {
    /// Token id.
    pub id: u32,
    /// Text of the token, with its leading space if it has one.
    pub text: String,
    /// Probability in the run.
    pub prob: f32,
    /// Logit in the run.
    pub logit: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ModelShape = ModelShape {
        n_layers: 1,
        n_heads: 1,
        d_model: 4,
        d_head: 4,
        d_mlp: 4,
        n_ctx: 3,
        d_vocab: 10,
    };

    #[test]
    fn illegal_prompts_are_refused_with_their_cause() {
        let pair = |clean: &[u32], corrupted: &[u32]| {
            TokenPair::new(clean.to_vec(), corrupted.to_vec(), &SHAPE).map(|pair| pair.n_pos())
        };
        assert_eq!(pair(&[1, 2], &[1, 3]), Ok(2));
        assert_eq!(pair(&[], &[]), Err(PromptError::Empty { what: Entered::Field(Field::Clean) }));
        assert_eq!(pair(&[1], &[1, 2]), Err(PromptError::Lengths { clean: 1, corrupted: 2 }));
        assert_eq!(pair(&[1; 4], &[1; 4]), Err(PromptError::TooLong { got: 4, most: 3 }));
        assert_eq!(pair(&[1], &[10]), Err(PromptError::UnknownToken { id: 10, d_vocab: 10 }));
    }

    #[test]
    fn ids_are_read_as_people_write_them() {
        for text in ["464 262 1438", "[464, 262, 1438]", "#464 #262,#1438", " 464;262\n1438 "] {
            assert_eq!(parse_ids(text), Ok(vec![464, 262, 1438]), "{text}");
        }
        assert_eq!(parse_ids(" "), Ok(Vec::new()));
        for (text, word) in
            [("464 -1", "-1"), ("1.5", "1.5"), ("+7", "+7"), ("4294967296", "4294967296")]
        {
            assert_eq!(parse_ids(text), Err(PromptError::NotIds { text: word.to_owned() }));
        }
    }

    #[test]
    fn answers_are_two_disjoint_sides() {
        assert!(Answers::new(vec![1], vec![2, 3], &SHAPE).is_ok());
        assert_eq!(Answers::new(vec![1], vec![1], &SHAPE), Err(PromptError::SameAnswer { id: 1 }));
        assert!(matches!(Answers::new(vec![], vec![1], &SHAPE), Err(PromptError::NoAnswer { .. })));
    }
}
