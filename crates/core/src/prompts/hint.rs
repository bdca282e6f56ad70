//! What a tokenizer takes without a word, and what may not be what was meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::Field;

/// Something that runs, and may give other numbers than were meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The field that it is about.
    pub field: Field,
    /// The text that it is about: a prompt, or the first answer that it is true of.
    pub text: String,
    /// What it is about.
    pub about: About,
    /// What would mend it, by the place of each answer in its field, 0 for a prompt; empty where only a
    /// person can know.
    pub mends: Vec<(usize, String)>,
}

/// What a [`Hint`] is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A prompt ends in a space. GPT-2's words begin with theirs, so what follows is no word by itself.
    EndsInSpace,
    /// An answer begins without a space, is one token like that, and is another with the space.
    NoLeadingSpace,
    /// Letters and their accents are separate characters, which are other tokens than when they are one.
    NotComposed,
    /// Characters that cannot be seen, or look like a plain space.
    Hidden {
        /// The first of these characters.
        character: char,
        /// Place of that character in the text, in characters from 1.
        at: usize,
        /// Number of such characters.
        n: usize,
    },
    /// Lines end in a carriage return and a line feed.
    LineEnds,
    /// A prompt begins with the token that is put in front of it anyway.
    BosTwice,
    /// The tokenizer changes the text before it splits it.
    ReadAs {
        /// The text that the tokens spell.
        text: String,
    },
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field;
        match &self.about {
            About::EndsInSpace => {
                write!(f, "the {field} ends in a space: the next word would begin without its own")
            }
            About::NoLeadingSpace => write!(
                f,
                "the {field} {:?} begins without a space, and is another token with one",
                self.text
            ),
            About::NotComposed => write!(
                f,
                "the {field} has letters and accents as separate characters, which are other tokens than composed ones"
            ),
            About::Hidden { character, at, n } => {
                write!(f, "the {field} has {} at character {at}", name_of(*character))?;
                if *n > 1 { write!(f, ", and {} more like it", n - 1) } else { Ok(()) }
            }
            About::LineEnds => {
                write!(f, "the {field} has lines that end in \\r\\n, where most texts have \\n")
            }
            About::BosTwice => write!(
                f,
                "the {field} begins with the token that is put in front of it: it stands there twice"
            ),
            About::ReadAs { text } => write!(f, "the tokenizer reads the {field} as {text:?}"),
        }
    }
}

/// Whether a character would hide, or turn the direction of what follows.
pub const fn hides(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// Whether a character is worth a [`About::Hidden`]: it hides, or is a space that is not the plain one. Tabs and line
/// ends are none, since they show.
pub const fn is_unseen(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        // Soft hyphen; no-break, figure, narrow and ideographic spaces, and the typesetter's; line and paragraph ends.
        '\u{a0}'
        | '\u{ad}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => true,
        other => hides(other),
    }
}

/// A character that cannot be seen, by its name and its number.
pub fn name_of(character: char) -> String {
    let name = match character {
        '\u{a0}' => "no-break space ",
        '\u{ad}' => "soft hyphen ",
        '\u{200b}' => "zero-width space ",
        '\u{200c}' => "zero-width non-joiner ",
        '\u{200d}' => "zero-width joiner ",
        '\u{202f}' => "narrow no-break space ",
        '\u{feff}' => "byte order mark ",
        _ => "",
    };
    format!("{name}U+{:04X}", u32::from(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_is_not_hidden() {
        for character in ['a', ' ', '\n', '\r', '\t', 'é', '\u{301}', '漢', '👩', '\u{fe0f}'] {
            assert!(!is_unseen(character), "{character:?}");
        }
        for character in
            ['\0', '\u{a0}', '\u{200b}', '\u{202e}', '\u{2028}', '\u{3000}', '\u{feff}']
        {
            assert!(is_unseen(character), "{character:?}");
        }
    }

    #[test]
    fn a_hint_says_what_and_where() {
        let about = About::Hidden { character: '\u{200b}', at: 3, n: 2 };
        let hint = Hint { field: Field::Wrong, text: "a".to_owned(), about, mends: Vec::new() };
        assert_eq!(
            hint.to_string(),
            "the wrong answer has zero-width space U+200B at character 3, and 1 more like it"
        );
        let json = serde_json::to_string(&hint).expect("plain values");
        assert_eq!(serde_json::from_str::<Hint>(&json).expect("its own"), hint);
    }
}
