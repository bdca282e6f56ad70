//! Many prompt pairs: reading them, and what their results have in common.

mod csv;
mod json;
mod merged;
mod merging;

use serde::{Deserialize, Serialize};

use crate::Written;

pub use merged::{Merged, MergedAgreement, MergedTable, OverCases};
pub use merging::{CaseResult, LeftOut, Merging};

/// Most pairs that are read.
pub const MAX_PAIRS: usize = 1000;

/// Most bytes that are read.
pub const MAX_PAIRS_BYTES: usize = 4 << 20;

/// One pair of prompts with its answers, as a person writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PromptPair {
    /// What it is called in lists; empty: its place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Prompt in which the behaviour is present.
    pub clean: String,
    /// Prompt of the same token count in which it is absent.
    pub corrupted: String,
    /// Right next tokens, with their leading space.
    pub answer: Vec<String>,
    /// Wrong next tokens, likewise.
    pub wrong: Vec<String>,
    /// Whether these are text or token ids.
    #[serde(default, skip_serializing_if = "Written::is_text")]
    pub written: Written,
}

impl PromptPair {
    /// Its name in a list of pairs, in which it has a place from 0.
    pub fn title(&self, place: usize) -> String {
        if self.name.is_empty() { format!("pair {}", place + 1) } else { self.name.clone() }
    }
}

/// Why a list of prompt pairs cannot be read; says where, and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairsError {
    /// More bytes than are read.
    #[error("the list has {0} bytes, at most {MAX_PAIRS_BYTES} are read: split it")]
    TooLarge(usize),
    /// More pairs than are read.
    #[error("the list has more than {MAX_PAIRS} pairs: split it")]
    TooMany,
    /// No pair.
    #[error(
        "there is no pair: a list is JSON objects, or CSV under a line of names, with clean, corrupted, answer \
         and wrong"
    )]
    Nothing,
    /// Begins like JSON and is not.
    #[error("line {line}, character {column}: this is not JSON ({cause})")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// In the parser's words.
        cause: String,
    },
    /// An entry of a JSON list that is no object.
    #[error("entry {0} is not an object with clean, corrupted, answer and wrong")]
    NotAnObject(usize),
    /// A column that must be there is not named in the first line of a CSV.
    #[error(
        "the first line names no column {missing}: it must name clean, corrupted, answer and wrong, and may name \
         name, in any order"
    )]
    NoColumn {
        /// The first that is missing.
        missing: &'static str,
    },
    /// A line of a CSV has more or fewer fields than its first line.
    #[error(
        "line {line} has {got} fields, the first line names {expected}: put text with a comma or a quotation mark \
         in double quotes, and double the quotation marks in it"
    )]
    Fields {
        /// From 1.
        line: usize,
        /// Its fields.
        got: usize,
        /// Those of the first line.
        expected: usize,
    },
    /// A pair without one of its parts.
    #[error("{place}: {field} is missing; a pair has clean, corrupted, answer and wrong")]
    Missing {
        /// `entry 3` of JSON, `line 4` of CSV.
        place: String,
        /// Which part.
        field: &'static str,
    },
    /// A part of a pair that is not text.
    #[error("{place}: {field} must be text{more}", more = if *list { ", or a list of texts" } else { "" })]
    NotText {
        /// `entry 3`.
        place: String,
        /// Which part.
        field: &'static str,
        /// Whether it may be a list.
        list: bool,
    },
}

/// The parts of a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Clean,
    Corrupted,
    Answer,
    Wrong,
    Name,
}

impl Part {
    const ALL: [Self; 5] = [Self::Clean, Self::Corrupted, Self::Answer, Self::Wrong, Self::Name];

    const fn id(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Corrupted => "corrupted",
            Self::Answer => "answer",
            Self::Wrong => "wrong",
            Self::Name => "name",
        }
    }

    /// The part that a field or a column is named after.
    fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("corrupt") {
            return Some(Self::Corrupted);
        }
        Self::ALL.into_iter().find(|part| name.eq_ignore_ascii_case(part.id()))
    }
}

/// Reads a list of pairs: a JSON list of objects, JSON objects one after another (one per line, usually), or CSV.
///
/// Fields and columns are `clean`, `corrupted` (or `corrupt`), `answer`, `wrong` and, optionally, `name`, in any
/// order and case; others are left out. In JSON `answer` and `wrong` are text or a list of texts. In CSV the first
/// line names the columns, `|` stands between several answers, and commas, semicolons or tabs between fields.
///
/// # Errors
/// [`PairsError`]: the first thing that cannot be read.
pub fn parse_pairs(text: &str) -> Result<Vec<PromptPair>, PairsError> {
    if text.len() > MAX_PAIRS_BYTES {
        return Err(PairsError::TooLarge(text.len()));
    }
    // Spreadsheets put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let pairs = match text.trim_start().chars().next() {
        None => return Err(PairsError::Nothing),
        Some('[') => json::list(text)?,
        Some('{') => json::objects(text)?,
        Some(_) => csv::table(text)?,
    };
    if pairs.is_empty() { Err(PairsError::Nothing) } else { Ok(pairs) }
}

/// Prints pairs as a JSON list that [`parse_pairs`] reads.
pub fn print_pairs(pairs: &[PromptPair]) -> String {
    // OK because it holds strings and lists.
    serde_json::to_string_pretty(pairs).unwrap_or_default()
}

#[cfg(test)]
mod tests;
