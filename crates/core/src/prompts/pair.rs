//! One pair of prompts with its answers, as a person writes it.

use serde::{Deserialize, Serialize};

use crate::words::Written;

/// One pair of prompts with its answers, as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromptPair {
    /// Name of the pair in lists; empty: its place stands for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
    #[serde(default, skip_serializing_if = "Written::is_text")]
    pub written: Written,
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
