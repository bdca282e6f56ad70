//! The one place that turns causes into words: a title, what to do, and buttons that do it.
//!
//! `device.rs` has those of the CPU and the GPU, `progress.rs` and `loading.rs` those of models and their files, `lists.rs` those of prompt pairs, `typing.rs` what may not be
//! what was meant; `figure.rs` says what a figure's numbers mean, `claim.rs` what they come to.

pub(crate) mod claim;
pub(crate) mod device;
mod figure;
pub(crate) mod lists;
mod loading;
mod progress;
mod typing;

use twinbeam_core::link::{Link, LinkError, Snapshot};
use twinbeam_core::scores::GapRefused;
use twinbeam_core::wire::Problem;
use twinbeam_core::words::PromptError;

use crate::values::{LOCAL, LinkCheck, Loss, NoAnswer, Notice, Service, WayOn, percent, sentence};
pub(crate) use figure::{direction, why_apart};
pub(crate) use loading::{
    LoadFailure, arriving_died, catalog, chosen, from_memory, load_failed, local_files,
    not_deleted, offer, waiting,
};
pub(crate) use progress::{arriving, cancels, done, in_progress, program, run_label};
pub(crate) use twinbeam_figure::words::{in_unit, on_screen, sign, steps, tolerance, written};
pub(crate) use typing::{
    bos_title, example_is_text, hint, mend, no_text_of_ids, tokenizer_note, written_label,
    written_title,
};

/// Why a job or the loading has failed.
pub(crate) fn problem(problem: &Problem, on_gpu: bool) -> Notice {
    match problem {
        Problem::Prompt { error } => prompt(error),
        Problem::File { file, message } => Notice::new(
            format!("{file} could not be read"),
            format!("{message}. Check the connection and try again; your inputs are kept."),
        )
        .offering([WayOn::RunAgain]),
        Problem::Fetch { file, fault } => loading::fetch(file, fault),
        Problem::Digest { expected, got } => loading::digest(expected, got),
        Problem::Model { message } if says_memory(message) => Notice::new(
            "This device has not enough memory for the model",
            format!("{message}. {MORE_MEMORY}"),
        ),
        Problem::Model { message } => {
            Notice::new("These files are not a GPT-2 that this page can run", format!("{message}."))
        }
        Problem::Device { message } => Notice::new(
            "The device failed, so nothing of this result is shown",
            format!("{message}. The CPU can run it; your inputs are kept."),
        )
        .offering([WayOn::UseCpu, WayOn::RunAgain]),
        Problem::DeviceLost { message } => Notice::new(
            "The GPU was lost again",
            format!("{message}. The CPU can run it; your inputs are kept."),
        )
        .offering([WayOn::UseCpu, WayOn::RunAgain]),
        Problem::Untrusted { what, off, allowed } => Notice::new(
            "This GPU’s result is not to be trusted, so nothing of it is shown",
            format!(
                "The CPU was asked for a sample and disagrees: {what} is off by {:.2} % of the largest value, where rounding \
                 explains {:.2} %. The CPU can run all of it; your inputs are kept.",
                100.0 * off,
                100.0 * allowed
            ),
        )
        .offering([WayOn::UseCpu, WayOn::RunAgain]),
        Problem::NotFinite { what } => Notice::new(
            "The result is not a number, so nothing of it is shown",
            format!("{what} is infinite or undefined; your inputs are kept."),
        )
        .offering_another_run(on_gpu),
        Problem::NoModel => Notice::new("No model is loaded yet", "Wait for it, or try again.")
            .offering([WayOn::RunAgain]),
        Problem::Cancelled => Notice::new("Stopped", "Run starts it again."),
    }
}

/// Why something has failed, and the way out, in a line.
pub(crate) fn in_a_line(cause: &Problem, on_gpu: bool) -> String {
    let notice = problem(cause, on_gpu);
    format!("{}. {}", notice.title, notice.what_to_do)
}

/// Why a question of the lab has no answer.
pub(crate) fn no_answer(why: &NoAnswer) -> String {
    match why {
        NoAnswer::Failed { problem, on_gpu } => in_a_line(problem, *on_gpu),
        NoAnswer::Lost(loss) => format!("{} while this was computed.", lost(*loss)),
        NoAnswer::Stopped => "It was stopped.".to_owned(),
    }
}

/// How a worker was lost, as a sentence begins.
const fn lost(loss: Loss) -> &'static str {
    match loss {
        Loss::Died => "The worker stopped",
        Loss::Hung => "The worker hung",
        Loss::DeviceLost => "The GPU was lost",
    }
}

/// A notice that the neurons were stopped, whose result in part is one all the same.
pub(crate) fn neurons_stopped() -> Notice {
    Notice::new(
        "Stopped",
        "What was computed of the neurons stays on the screen; they can be started again below their heading.",
    )
}

/// What an answer is.
const ONE_TOKEN: &str =
    "Type one token, text with its leading space or a token id, or take a suggestion.";

/// What is wrong with the inputs, and how to mend it.
pub(crate) fn prompt(error: &PromptError) -> Notice {
    match error {
        PromptError::Empty { what } => {
            Notice::new(format!("The {what} is empty"), "Type a prompt, or take an example.")
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
        PromptError::TooManyChars { what, got, most } => Notice::new(
            format!("The {what} has {got} characters"),
            format!("At most {most} are read. Shorten it."),
        ),
        PromptError::UnknownToken { id, d_vocab } => Notice::new(
            format!("Token {id} is not one of the model's {d_vocab}"),
            format!("Its tokens are numbered from 0 to {}.", d_vocab.saturating_sub(1)),
        ),
        PromptError::NotInModel { text, id, d_vocab } => Notice::new(
            format!("“{text}” is token {id}, and the model has {d_vocab}"),
            "The tokenizer has tokens that the model was never given. Use none of them, or another text for it.",
        ),
        PromptError::BosNotInModel { text, id, d_vocab } => Notice::new(
            format!("BOS is “{text}”, token {id}, and the model has {d_vocab}"),
            "It cannot stand in front: switch BOS in front off.",
        ),
        PromptError::NotSpelt { text, spelt } => Notice::new(
            format!("The tokenizer cannot spell “{text}”"),
            format!(
                "The part of it that the tokenizer can read is “{spelt}”. Leave the rest out, or write it with other \
                 characters."
            ),
        ),
        PromptError::NoTokenizer => Notice::new(
            "This model has no tokenizer",
            "It cannot read text: type token ids, or use files with a tokenizer.json, or a vocab.json and a merges.txt.",
        )
        .offering([WayOn::TypeIds, WayOn::UseLocalFiles]),
        PromptError::NoAnswer { field } => Notice::new(
            format!("The {field} is missing"),
            ONE_TOKEN,
        ),
        PromptError::SameAnswer { .. } => Notice::new(
            "The answer and the wrong answer share a token",
            "The metric compares the two, so they must differ.",
        ),
        PromptError::NotIds { text } => Notice::new(
            format!("“{text}” is not a token id"),
            "Type token ids as whole numbers with spaces between them, for instance 464 262 1438.",
        ),
        PromptError::NoBos { got, d_vocab } => Notice::new(
            format!("The model has no token to put in front: its bos_token_id is {got}"),
            format!(
                "It has {d_vocab} tokens, numbered from 0 to {}. Turn off “BOS in front”, or mend config.json and load the \
                 files again.",
                d_vocab.saturating_sub(1)
            ),
        ),
        PromptError::NotOneToken { text, pieces } => {
            let split: Vec<String> = pieces.iter().map(|piece| format!("“{piece}”")).collect();
            Notice::new(
                format!("“{text}” is not one token"),
                if pieces.is_empty() {
                    ONE_TOKEN.to_owned()
                } else {
                    format!("It splits into {}. An answer is exactly one token.", split.join(" "))
                },
            )
        }
        PromptError::Steps { got, most } => Notice::new(
            // What is not a whole number has been read as 0.
            if got == "0" {
                "IG steps are a whole number".to_owned()
            } else {
                format!("{got} steps cannot be used")
            },
            format!("Choose 1 to {most}, or auto; 50 is the notebook's choice."),
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
    Notice::new(sentence(&error.to_string()), what_to_do)
}

/// What of a link could not be used; `None`: all of it was.
pub(crate) fn parts_of_link(link: &Link) -> Option<Notice> {
    let in_words = |name: &&str| {
        match *name {
            "prepend_bos" => "BOS in front",
            "n_steps" => "IG steps",
            "clean" => "the clean prompt",
            "corrupted" => "the corrupted prompt",
            "wrong" => "the wrong answer",
            "result" => "its result",
            "view" => "what was chosen below the figure",
            other => other,
        }
        .to_owned()
    };
    let refused: Vec<String> = link.refused.iter().map(in_words).collect();
    if !refused.is_empty() {
        let parts = refused.join(", ");
        return Some(Notice::new(
            "Parts of the link cannot be used",
            format!(
                "They were changed on their way, or never were right: {parts}. The example’s stand in their place."
            ),
        ));
    }
    link.has_unknown.then(|| {
        Notice::new(
            "The link holds more than this page knows",
            "It may be from a later version. The rest of it is shown.",
        )
    })
}

/// Prompts that no link can hold.
pub(crate) fn no_link(error: &LinkError) -> Notice {
    Notice::new(
        "These prompts are too long for a link",
        format!("{}. Save the result as JSON and send that.", sentence(&error.to_string())),
    )
}

/// A link that leaves the list of pairs behind.
pub(crate) fn no_pairs_in_link() -> Notice {
    Notice::new(
        "The link leaves the prompt pairs out",
        "A link holds at most 100 pairs, of prompts that are not too long. Send the list itself along, as JSON from “Many prompts” \
         or with the bundle.",
    )
}

/// The figure is a link's own.
pub(crate) fn from_link(sha256: &str, next: &AfterLink) -> String {
    let next = match next {
        AfterLink::Computing => {
            "Your device is computing its own numbers, which will take their place.".to_owned()
        }
        AfterLink::Changed { title } => format!(
            "The model has changed since then: {title} has other weights now, and these scores are not theirs. They stay until \
             you press Run, which computes those of the weights in use."
        ),
        AfterLink::WaitsFor { title } => format!(
            "Its model goes by the name of {title}, which is not in use: once that is loaded, your device computes its own \
             numbers. Run takes the model in use, and its numbers are others."
        ),
        AfterLink::Run => "Run computes your own.".to_owned(),
    };
    format!(
        "From the link: these scores came with it, rounded to {} of a map’s largest score, of the model with sha256 \
         {sha256}…. {next}",
        percent(Snapshot::ROUNDING)
    )
}

/// What comes after the scores that came with a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AfterLink {
    /// The visitor's own are being computed.
    Computing,
    /// The model of that name has other weights now.
    Changed {
        /// Its name for people.
        title: String,
    },
    /// Another model than the one in use is waited for.
    WaitsFor {
        /// Its name for people.
        title: String,
    },
    /// The visitor may run them.
    Run,
}

/// How the visitor's own numbers compare with the link's.
pub(crate) fn link_check(check: &LinkCheck) -> String {
    let LinkCheck { worst, allowed, same_weights, link_sha256 } = check;
    let Some((worst, component)) = worst else {
        return "Your own numbers cannot be compared with the link’s: those are of a model of other sizes.".to_owned();
    };
    let (worst, allowed) = (percent(*worst), percent(*allowed));
    if check.agrees() {
        return format!(
            "Computed here, and the link’s numbers agree: no head differs by more than {worst} of its map’s largest score \
             (rounding explains up to {allowed})."
        );
    }
    let why = if *same_weights {
        "The model is the same, so the link was changed or one of the two devices is wrong."
            .to_owned()
    } else {
        format!("The link’s are of other weights (sha256 {link_sha256}…).")
    };
    format!(
        "Computed here, and the link’s numbers differ: {component} by {worst} of its map’s largest score, where rounding \
         explains {allowed}. {why}"
    )
}

/// Why shares of the gap are refused, with the page's minus.
pub(crate) fn refused(why: &GapRefused) -> String {
    why.to_string().replace('-', "−")
}

/// What was typed before a reload is back.
pub(crate) fn draft_is_back() -> Notice {
    Notice::new(
        "Your edits are back",
        "They were not run before the page was loaded anew. The figure is of the inputs before; Run takes the edits.",
    )
    .offering([WayOn::DropDraft])
}

/// A link asks for a model that this page does not have.
pub(crate) fn other_model(asked: &str, shown: &str) -> Notice {
    Notice::new(
        format!("The link asks for the model “{asked}”, which this page does not have"),
        format!("Its prompts are shown on the model “{shown}”; the numbers will differ."),
    )
    .offering([WayOn::UseLocalFiles])
}

/// A link's figure is of a model that this page does not have.
pub(crate) fn unknown_model(asked: &str, shown: &str) -> Notice {
    let of = if asked == LOCAL {
        "files of the sender’s own".to_owned()
    } else {
        format!("the model “{asked}”, which this page does not have")
    };
    Notice::new(
        format!("The link’s figure is of {of}"),
        format!(
            "It is shown as it came. Run takes {shown}, and its numbers are others; with the same files you can compute \
             the figure yourself."
        ),
    )
    .offering([WayOn::UseLocalFiles])
}

/// The browser did not take a file.
pub(crate) fn not_saved(message: &str) -> Notice {
    Notice::new(
        "The file could not be saved",
        format!("{message}. Try another format; the result is kept."),
    )
}

/// The worker is gone; it has been replaced.
pub(crate) fn worker_died(message: &str, on_gpu: bool) -> Notice {
    let help = if says_memory(message) {
        "Shorter prompts or fewer steps need less memory; your inputs are kept."
    } else {
        "Your inputs are kept."
    };
    Notice::new(
        "The computing part of the page stopped and has been restarted",
        format!("{}. {help}", message.trim_end_matches('.')),
    )
    .offering_another_run(on_gpu)
}

/// What helps where a model does not fit.
const MORE_MEMORY: &str = "Closing other tabs, or a smaller model, leaves more memory.";

/// How browsers and allocators say that there is not enough memory. A place in memory that does not exist is a mistake.
const OF_MEMORY: [&str; 7] = [
    "out of memory",
    "could not allocate",
    "allocation failed",
    "memory allocation of",
    "no memory for",
    "maximum memory",
    "memory size",
];

/// Whether whoever stopped the worker says that it was for want of memory: nothing else is a sign of it.
fn says_memory(message: &str) -> bool {
    let message = message.to_lowercase();
    OF_MEMORY.iter().any(|sign| message.contains(sign))
}

/// What stands in for the reason of an error that has none.
pub(crate) const UNSAID: &str = "The browser does not say why";

/// A notice that there is no worker at all.
pub(crate) fn no_worker(message: &str) -> Notice {
    let guess = if message == UNSAID {
        " Either its program did not come over the network, or the browser forbids workers here."
    } else {
        ""
    };
    Notice::new(
        "The computing part of the page could not be started",
        format!("{}.{guess} Your inputs are kept.", sentence(message.trim_end_matches('.'))),
    )
    .offering([WayOn::RunAgain, WayOn::Reload])
}

/// The worker does not answer; it has been replaced.
pub(crate) fn worker_hung() -> Notice {
    Notice::new(
        "Stopped",
        "The computing part did not answer and was restarted; your inputs are kept.",
    )
    .offering([WayOn::RunAgain])
}

/// A busy worker has said nothing for a while.
pub(crate) fn silent(seconds: u32) -> Notice {
    Notice::new(
        format!("No word from the computing part for {seconds} s"),
        "A first step on a GPU can take that long. Cancel stops it and keeps your inputs.",
    )
}

/// The device is gone, and another is being asked for.
pub(crate) fn device_lost_once() -> Notice {
    Notice::new(
        "The GPU was lost",
        "The browser or the driver took it away. The run begins again on a fresh one.",
    )
    .offering([WayOn::UseCpu])
}

/// Page and worker are of different builds.
pub(crate) fn other_build(page: &str, worker: &str) -> Notice {
    Notice::new(
        "The page has been updated",
        format!(
            "This page is of build {page}, its computing part of {worker}: they do not talk to each other. The link in the \
             address keeps your experiment."
        ),
    )
    .offering([WayOn::Reload])
}

/// There is another build of the page than this; `None`: there is none.
pub(crate) fn newer(service: Service) -> Option<Notice> {
    let (title, what_to_do, way_on) = match service {
        Service::Absent | Service::Kept => return None,
        Service::Newer => (
            "A newer version of this page is ready",
            "Nothing changes until you load it, or close all of its tabs and come back. Prompts, edits and the figure stay; what is \
             running begins again, and files of your own are to be chosen again.",
            WayOn::LoadNewer,
        ),
        Service::Stuck => (
            "The server has a newer version of this page, which this browser could not keep",
            "This tab goes on as it is. Once you load it, the page comes from the server; prompts, edits and the figure stay.",
            WayOn::LoadNewer,
        ),
        Service::Replaced => (
            "Another version of this page is in use in another tab",
            "This tab goes on as it is; once it is loaded again it is of that version, too. Prompts, edits and the figure stay.",
            WayOn::Reload,
        ),
        Service::Gone => (
            "The server does not offer to keep this page any more",
            "What this browser had kept of it is thrown away now: loaded again, this address shows what the server has.",
            WayOn::Reload,
        ),
    };
    Some(Notice::new(title, what_to_do).offering([way_on]))
}

/// Whether the page opens without a network, as one of its last sentences.
pub(crate) const fn kept(is_kept: bool) -> &'static str {
    if is_kept {
        "This browser keeps the page, which opens without a network, too."
    } else {
        "This browser does not keep the page: each visit needs a network."
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_named_only_where_the_browser_names_it() {
        let trap = "Uncaught RuntimeError: unreachable executed";
        let panic = "panicked at crates/engine/src/run.rs:7:5: index out of bounds";
        let outside = "RuntimeError: memory access out of bounds";
        for message in [trap, panic, outside, "RangeError: Maximum call stack size exceeded"] {
            for notice in [worker_died(message, false), arriving_died("GPT-2", message)] {
                assert!(notice.what_to_do.starts_with(message), "{}", notice.what_to_do);
                let more = &notice.what_to_do[message.len()..];
                assert!(!more.contains("memory"), "{}", notice.what_to_do);
            }
        }
        let full = "RangeError: WebAssembly.Memory.grow(): Maximum memory size exceeded";
        let buffer = "RangeError: Array buffer allocation failed";
        for message in [full, buffer, "memory allocation of 4096 bytes failed", "Out of memory"] {
            for notice in [worker_died(message, false), arriving_died("GPT-2", message)] {
                let more = &notice.what_to_do[message.len()..];
                assert!(more.contains("memory"), "{}", notice.what_to_do);
            }
        }
    }

    #[test]
    fn causes_of_a_missing_worker_are_guessed_only_where_none_is_said() {
        let known = no_worker("the server answers 404 for worker.js").what_to_do;
        assert_eq!(known, "The server answers 404 for worker.js. Your inputs are kept.");
        let unknown = no_worker(UNSAID).what_to_do;
        assert!(unknown.contains("why. Either its program did not come"), "{unknown}");
    }
}
