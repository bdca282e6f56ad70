//! What is said of lists of prompt pairs.

use twinbeam_core::prompts::lists::{Limits, PairList, PairsError};

use crate::values::{Loss, count, sentence};

/// After a list was brought back.
pub(crate) const UNDONE: &str =
    "The list is as it was before. Undo once more for the one that took its place.";

/// Why nothing of a text can be read.
pub(crate) fn unreadable(source: &PairsError) -> String {
    format!("{}.", sentence(&source.to_string()))
}

/// Why a file was not read; the list is as it was.
pub(crate) fn file_refused(name: &str, source: &PairsError) -> String {
    format!("{name} was not read, and the list is as it was: {source}.")
}

/// A file that the browser does not hand out.
pub(crate) fn file_unread(name: &str) -> String {
    format!("The browser could not read {name}. Open it in an editor and paste its text.")
}

/// A file has taken the place of a list.
pub(crate) fn file_instead(name: &str) -> String {
    format!("{name} has taken the place of the list before.")
}

/// Drawn pairs have taken the place of a list.
pub(crate) fn drawn_instead(n: usize) -> String {
    format!("{} drawn in place of the list before.", count(n, "pair"))
}

/// Drawn pairs were added to a list of the visitor's own.
pub(crate) fn added(n: usize, own: usize, n_bad: usize) -> String {
    let bad = match n_bad {
        0 => String::new(),
        n => {
            let be = if n == 1 { "is" } else { "are" };
            format!(" {} could not be read and {be} left out.", count(n, "row"))
        }
    };
    format!("{} drawn and added to the {own} that were there.{bad}", count(n, "pair"))
}

/// Pairs that a list has no room for.
pub(crate) fn no_room(own: usize, n: usize) -> String {
    let most = Limits::PAGE.pairs;
    let room = most.saturating_sub(own);
    format!(
        "The list has {}, and {n} more would be over the {most} that are read. Draw at most {room}, or empty the list.",
        count(own, "pair")
    )
}

/// Why many prompts do not go on.
pub(crate) const ANOTHER_MODEL: &str = "Another model is in use now than at the beginning: run all pairs anew, or choose \
    that model again.";

/// Why a pair is left out whose worker was lost.
pub(crate) fn lost(loss: Loss) -> String {
    format!("{} while this pair was run.", super::lost(loss))
}

/// A link has named a task that there is not.
pub(crate) fn no_task(task: &str) -> String {
    format!("There is no task named “{task}”. Choose one of the list.")
}

/// How many pairs were read.
pub(crate) fn read(list: &PairList) -> String {
    format!("{} read.", count(list.rows.len() - list.bad().count(), "pair"))
}

/// How many rows were not.
pub(crate) fn left_out(list: &PairList) -> String {
    let n = list.bad().count();
    let is = if n == 1 { "is no pair and is" } else { "are no pairs and are" };
    format!("{} of {} {is} left out", count(n, "row"), list.rows.len())
}

#[cfg(test)]
mod tests {
    use twinbeam_core::prompts::lists::read_pairs;

    use super::*;

    #[test]
    fn a_mistake_is_a_sentence_with_what_was_found() {
        let source =
            read_pairs(b"clean,answer\na,b", Limits::PAGE).expect_err("a column is missing");
        let words = unreadable(&source);
        assert!(
            words.starts_with("No column is the corrupted prompt") && words.ends_with("answer."),
            "{words}"
        );
        let words = file_refused("old.csv", &PairsError::Utf32);
        assert!(
            words.starts_with(
                "old.csv was not read, and the list is as it was: the list is in UTF-32"
            ),
            "{words}"
        );
    }

    #[test]
    fn what_was_read_and_what_was_not_is_counted() {
        let list = read_pairs(b"clean,corrupted,answer,wrong\na,b,c,d\na,b,c\na\n", Limits::PAGE)
            .expect("one of three");
        assert_eq!(
            (read(&list).as_str(), left_out(&list).as_str()),
            ("1 pair read.", "2 rows of 3 are no pairs and are left out")
        );
        assert_eq!(
            added(20, 3, 1),
            "20 pairs drawn and added to the 3 that were there. 1 row could not be read and is left out."
        );
        assert!(no_room(990, 20).contains("Draw at most 10"));
    }
}
