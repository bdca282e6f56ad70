//! One pair of prompts with its answers, as a person writes it.

use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::words::Written;

/// One pair of prompts with its answers, as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct PromptPair {
    /// Name of the pair in lists; empty: its place stands for it.
    #[serde(default)]
    pub name: String,
    /// Prompt in which the behaviour is present.
    pub clean: String,
    /// Prompt of the same token count in which it is absent.
    pub corrupted: String,
    /// Right next tokens, with their leading space.
    pub answer: Vec<String>,
    /// Wrong next tokens, with their leading space.
    pub wrong: Vec<String>,
    /// Whether prompts and answers are text or token ids.
    #[serde(default)]
    pub written: Written,
}

/// A person who reads it is not told of what is as usual; bytes have a place for everything.
impl Serialize for PromptPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = !serializer.is_human_readable();
        let is_named = whole || !self.name.is_empty();
        let is_written = whole || !self.written.is_text();
        let n_fields = 4 + usize::from(is_named) + usize::from(is_written);
        let mut pair = serializer.serialize_struct("PromptPair", n_fields)?;
        if is_named {
            pair.serialize_field("name", &self.name)?;
        }
        pair.serialize_field("clean", &self.clean)?;
        pair.serialize_field("corrupted", &self.corrupted)?;
        pair.serialize_field("answer", &self.answer)?;
        pair.serialize_field("wrong", &self.wrong)?;
        if is_written {
            pair.serialize_field("written", &self.written)?;
        }
        pair.end()
    }
}

impl PromptPair {
    /// Name of the pair in a list of pairs, in which it has a place from 0.
    pub fn title(&self, place: usize) -> String {
        if self.name.is_empty() { format!("pair {}", place + 1) } else { self.name.clone() }
    }
}

/// A draw of prompt pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// Name of the task.
    pub task: String,
    /// Number of pairs.
    pub n: usize,
    /// Seed of the draw: with the same one the same pairs are drawn.
    pub seed: u32,
}
