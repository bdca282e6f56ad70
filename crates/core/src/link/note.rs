//! A note that a link's sender has written: their own words, short, plain, and with nothing in it that hides or turns.

use serde::{Deserialize, Deserializer, Serialize};

use crate::prompts::{hides, is_unseen};

/// What the sender of a link has to say of it, in one paragraph of plain text.
///
/// However it was made or read, it has at most [`Note::MAX_CHARS`] characters, and none that would hide, end a line, or
/// turn the direction of what follows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Note(String);

impl Note {
    /// Most characters of a note.
    pub const MAX_CHARS: usize = 280;

    /// A note of any text: what hides is taken out, whatever separates words becomes one space, and the rest is cut to
    /// its length.
    pub fn new(text: &str) -> Self {
        let mut note = String::new();
        let (mut length, mut is_apart) = (0, false);
        for character in text.chars() {
            // A soft hyphen is counted among the spaces that do not show, and separates nothing.
            let separates =
                character.is_whitespace() || is_unseen(character) && !is_hidden(character);
            if separates {
                is_apart = true;
                continue;
            }
            if is_hidden(character) {
                continue;
            }
            // The space in front needs room too.
            let takes = 1 + usize::from(is_apart && length > 0);
            if length + takes > Self::MAX_CHARS {
                break;
            }
            if takes > 1 {
                note.push(' ');
            }
            note.push(character);
            length += takes;
            is_apart = false;
        }
        Self(note)
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a character would hide, or change how others are shown, without being one that separates words.
fn is_hidden(character: char) -> bool {
    let is_break = matches!(character, '\t'..='\r' | '\u{85}');
    hides(character) && !is_break
        || matches!(
            character,
            // The soft hyphen, the Arabic letter mark, fillers that show nothing, a separator of Mongolian.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}'
            // Annotations, what is no character, tags.
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// From text of anybody's: what no note may have is taken out of it.
impl<'de> Deserialize<'de> for Note {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::link::{View, parse_link, print_link};
    use crate::words::Experiment;

    #[test]
    fn a_note_is_one_paragraph_of_what_shows() {
        for (typed, kept) in [
            ("  Look at layer 0.\n\n\tIt does  it all. ", "Look at layer 0. It does it all."),
            ("", ""),
            ("\u{202e}\u{2066}\u{200b}\0\u{1b}", ""),
            ("a\u{202e}b\u{200b}c\0d", "abcd"),
            ("no\u{a0}break, thin\u{2009}space, line\u{2028}end", "no break, thin space, line end"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("<b>bold</b> & \"quoted\"", "<b>bold</b> & \"quoted\""),
            ("שלום 👋🏽 ελληνικά", "שלום 👋🏽 ελληνικά"),
        ] {
            assert_eq!(Note::new(typed).text(), kept, "{typed:?}");
        }
    }

    #[test]
    fn a_note_is_cut_to_its_length_and_ends_in_no_space() {
        let long = "é".repeat(1000);
        assert_eq!(Note::new(&long).text().chars().count(), Note::MAX_CHARS);
        let word = format!("{} more", "x".repeat(Note::MAX_CHARS - 1));
        assert_eq!(Note::new(&word).text(), "x".repeat(Note::MAX_CHARS - 1));
    }

    #[test]
    fn a_note_travels_in_a_link_and_pages_of_before_leave_it_out() {
        let note = Note::new("See L0H7: it copies the name.");
        let view = View { note: note.clone(), ..View::default() };
        let link = print_link(&Experiment::default(), None, &view).expect("it is short");
        let read = parse_link(&link).expect("our own");
        assert_eq!((read.view.note, read.refused.len(), read.has_unknown), (note, 0, false));
        let plain = print_link(&Experiment::default(), None, &View::default()).expect("short");
        assert_eq!(parse_link(&plain).expect("our own").view.note, Note::default());
        assert!(!serde_json::to_string(&View::default()).expect("plain values").contains("note"));
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_a_note_that_stays_as_it_is(typed in ".{0,400}|[\\PC\u{202e}\u{200b}\n ]{0,400}") {
            let note = Note::new(&typed);
            let text = note.text();
            prop_assert!(text.chars().count() <= Note::MAX_CHARS);
            prop_assert!(!text.chars().any(|c| hides(c) || is_unseen(c) || is_hidden(c)), "{:?}", text);
            prop_assert!(text.trim() == text && !text.contains("  "), "{:?}", text);
            prop_assert_eq!(&Note::new(text), &note);
            let view = View { note: note.clone(), ..View::default() };
            let link = print_link(&Experiment::default(), None, &view).expect("it is short");
            let read = parse_link(&link).expect("our own");
            prop_assert!(read.refused.is_empty());
            prop_assert_eq!(read.view.note, note);
        }
    }
}
