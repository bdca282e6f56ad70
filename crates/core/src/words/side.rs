//! The two prompts, clean and corrupted, and the fields of an experiment that are typed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two prompts, and the run of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The clean prompt, in which the behaviour is present.
    Clean,
    /// The corrupted prompt, in which the behaviour is absent.
    Corrupted,
}

impl Side {
    /// Both sides, clean first as everywhere.
    pub const ALL: [Self; 2] = [Self::Clean, Self::Corrupted];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Corrupted => "corrupted",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A field of an experiment that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The clean prompt.
    Clean,
    /// The corrupted prompt.
    Corrupted,
    /// The answers.
    Answer,
    /// The wrong answers.
    Wrong,
}

impl Field {
    /// The prompt of a side.
    pub const fn prompt(side: Side) -> Self {
        match side {
            Side::Clean => Self::Clean,
            Side::Corrupted => Self::Corrupted,
        }
    }
}

/// The field as its name in words.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "clean prompt",
            Self::Corrupted => "corrupted prompt",
            Self::Answer => "answer",
            Self::Wrong => "wrong answer",
        })
    }
}

/// A text that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entered {
    /// A field of the experiment.
    Field(Field),
    /// One of the prompts that activations are averaged over.
    Averaged,
}

/// What it is in words.
impl fmt::Display for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Averaged => f.write_str("averaged prompt"),
        }
    }
}
