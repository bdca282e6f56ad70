//! The one place that turns causes into words: a title, and what to do.

use twinbeam_core::{LinkError, Problem, PromptError};

/// Something a visitor should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) title: String,
    pub(crate) what_to_do: String,
}

impl Notice {
    pub(crate) fn new(title: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { title: title.into(), what_to_do: what_to_do.into() }
    }
}

/// Why a job or the loading has failed.
pub(crate) fn problem(problem: &Problem) -> Notice {
    match problem {
        Problem::Prompt { error } => prompt(error),
        Problem::File { file, message } => Notice::new(
            format!("{file} could not be read"),
            format!("{message}. Check the connection and choose the device again to retry."),
        ),
        Problem::Model { message } => {
            Notice::new("These files are not a GPT-2 that this page can run", format!("{message}."))
        }
        Problem::Device { message } => Notice::new(
            "The device failed",
            format!("{message}. Choose CPU under Device and run again; your inputs are kept."),
        ),
        Problem::NotFinite { what } => Notice::new(
            "The result is not a number, so nothing of it is shown",
            format!("{what} is infinite or undefined. Choose CPU under Device and run again."),
        ),
        Problem::NoModel => Notice::new(
            "No model is loaded yet",
            "Wait for it, or choose the device again to retry.",
        ),
        Problem::Cancelled => Notice::new("Stopped", "Run starts it again."),
    }
}

/// What is wrong with the inputs, and how to mend it.
pub(crate) fn prompt(error: &PromptError) -> Notice {
    match error {
        PromptError::Empty { side } => {
            Notice::new(format!("The {side} prompt is empty"), "Type a prompt, or take an example.")
        }
        PromptError::Lengths { clean, corrupted } => {
            let (longer, by) = if clean > corrupted {
                ("corrupted", clean - corrupted)
            } else {
                ("clean", corrupted - clean)
            };
            Notice::new(
                format!(
                    "The prompts differ in length: clean {clean} tokens, corrupted {corrupted}"
                ),
                format!(
                    "Patching pairs positions, so both need the same count. Make the {longer} prompt \
                     {by} token{} longer, or shorten the other where the token rows differ.",
                    if by == 1 { "" } else { "s" }
                ),
            )
        }
        PromptError::TooLong { got, most } => Notice::new(
            format!("The prompt has {got} tokens"),
            format!("This model reads at most {most}. Shorten both prompts."),
        ),
        PromptError::TooManyChars { side, got, most } => Notice::new(
            format!("The {side} prompt has {got} characters"),
            format!("At most {most} are read. Shorten it."),
        ),
        PromptError::UnknownToken { id, d_vocab } => Notice::new(
            format!("Token {id} is not one of the model's {d_vocab}"),
            "The tokenizer and the model do not belong together.",
        ),
        PromptError::NoAnswer { side } => Notice::new(
            format!("The {side} is missing"),
            "Type one token with its leading space, or take a suggestion.",
        ),
        PromptError::SameAnswer { .. } => Notice::new(
            "The answer and the wrong answer share a token",
            "The metric compares the two, so they must differ.",
        ),
        PromptError::NotOneToken { text, pieces } => {
            let split: Vec<String> = pieces.iter().map(|piece| format!("“{piece}”")).collect();
            Notice::new(
                format!("“{text}” is not one token"),
                if pieces.is_empty() {
                    "Type one token with its leading space, or take a suggestion.".to_owned()
                } else {
                    format!("It splits into {}. An answer is exactly one token.", split.join(" "))
                },
            )
        }
        PromptError::Steps { got, most } => Notice::new(
            format!("{got} steps cannot be used"),
            format!("Choose 1 to {most}; 50 is the notebook's choice."),
        ),
    }
}

/// Why the address could not be read.
pub(crate) fn link(error: &LinkError) -> Notice {
    let what_to_do = match error {
        LinkError::TooLong(_) | LinkError::Damaged => {
            "It was cut or changed on its way. The example below is shown instead; ask for the link again."
        }
        LinkError::Version => {
            "It may be from a later version of this page. The example below is shown instead."
        }
    };
    Notice::new(format!("{error}"), what_to_do)
}

/// A link asks for a model that this page does not have.
pub(crate) fn other_model(asked: &str, shown: &str) -> Notice {
    Notice::new(
        format!("The link asks for the model “{asked}”, which this page does not have"),
        format!("Its prompts are shown on the model “{shown}”; the numbers will differ."),
    )
}

/// The browser did not take a file.
pub(crate) fn not_saved(message: &str) -> Notice {
    Notice::new(
        "The file could not be saved",
        format!("{message}. Try another format; the result is kept."),
    )
}

/// The worker is gone; it has been replaced.
pub(crate) fn worker_died(message: &str) -> Notice {
    Notice::new(
        "The computing part of the page stopped and has been restarted",
        format!(
            "{message}. Your inputs are kept: run again, with shorter prompts or fewer steps if it recurs."
        ),
    )
}

/// The worker does not answer; it has been replaced.
pub(crate) fn worker_hung() -> Notice {
    Notice::new(
        "Stopped",
        "The computing part did not answer and was restarted. Run starts it again.",
    )
}

/// Page and worker are of different builds.
pub(crate) fn other_build(page: &str, worker: &str) -> Notice {
    Notice::new(
        "The page has been updated",
        format!("Reload it: this page is of build {page}, its worker of {worker}."),
    )
}
