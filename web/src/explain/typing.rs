//! What there is to say beside the fields: of what runs and may not be what was meant, and of how it is typed.

use twinbeam_core::prompts::{About, Does, Hint, Mend, name_of};
use twinbeam_core::wire::inspection::{TokenizerNote, TokenizerReport};
use twinbeam_core::words::Written;

use crate::values::{Notice, visible};

/// Characters of a text that a hint repeats.
const MOST_QUOTED: usize = 60;

/// What a hint says, and what its button does, if there is something to do.
pub(crate) fn hint(hint: &Hint) -> (String, Option<String>) {
    let (words, does) = match &hint.about {
        About::EndsInSpace => (
            "Ends in a space. The next word has a space in its own token, so the model would be asked for a word without one.".to_owned(),
            "take it away",
        ),
        About::NoLeadingSpace => {
            let label = match hint.mends.as_slice() {
                [(_, mend)] => format!("use “{}”", visible(mend)),
                _ => "put one in front of each".to_owned(),
            };
            let words = format!(
                "“{}” begins without a space. A word inside a text begins with one, and that is another token.",
                quoted(&hint.text)
            );
            return (words, Some(label));
        }
        About::NotComposed => (
            "Has letters and their accents as separate characters, which are other tokens than when they are one.".to_owned(),
            "join them",
        ),
        About::Hidden { character, at, n } => {
            let more = match n - 1 {
                0 => String::new(),
                1 => ", and another character that does not show".to_owned(),
                more => format!(", and {more} more characters that do not show"),
            };
            (format!("Has {} at character {at}{more}.", name_of(*character)), "use plain ones")
        }
        About::LineEnds => (
            "Has lines that end in carriage return and line feed (␍↵), where most texts have ↵ alone.".to_owned(),
            "use ↵",
        ),
        About::BosTwice => (
            "Begins with the token that BOS in front puts there as well: it stands there twice.".to_owned(),
            "take it out here",
        ),
        About::ReadAs { text } => (format!("The tokenizer reads it as “{}”.", quoted(text)), ""),
    };
    let label = (!does.is_empty() && !hint.mends.is_empty()).then(|| does.to_owned());
    (words, label)
}

/// What an offered change of a prompt does.
pub(crate) fn mend(mend: &Mend) -> String {
    let field = mend.field;
    match &mend.does {
        Does::Drop { piece } => format!("Drop “{}” from the {field}", visible(piece)),
        Does::Add { piece } => format!("Add “{}” to the {field}", visible(piece)),
        Does::Name { from, to } => format!("Use “{to}” in place of “{from}”"),
    }
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MOST_QUOTED).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", visible(&short))
}

/// A notice that token ids cannot be turned into text.
pub(crate) fn no_text_of_ids() -> Notice {
    Notice::new(
        "No text has just these tokens",
        "Part of a character, or a split that the tokenizer does not make, can be written in token ids only: they stay as \
         they are.",
    )
}

/// What the files of a model say in two ways.
pub(crate) fn tokenizer_note(note: &TokenizerNote) -> String {
    match note {
        TokenizerNote::Bos { used, used_id, other_id } => format!(
            "BOS is the tokenizer’s {used} (token {used_id}), as TransformerLens takes it; config.json names token {other_id}."
        ),
        TokenizerNote::PrefixSpace { used } => {
            let [does, other] = if *used {
                ["puts a space in front of every text", "does not"]
            } else {
                ["puts no space in front of a text", "does"]
            };
            format!(
                "The tokenizer {does}, as tokenizer_config.json says and transformers does it; by tokenizer.json it {other}."
            )
        }
        TokenizerNote::PrefixSpaceOfFile => {
            "The tokenizer puts a space in front of every text, as tokenizer.json says. transformers’ GPT2Tokenizer leaves it \
             out unless tokenizer_config.json says the same."
                .to_owned()
        }
    }
}

/// What BOS in front is.
pub(crate) fn bos_title(tokenizer: Option<&TokenizerReport>) -> String {
    let bos = tokenizer.map_or("<|endoftext|>", |tokenizer| tokenizer.bos.as_str());
    format!(
        "Whether the beginning-of-sequence token {bos} stands in front, as TransformerLens puts it"
    )
}

/// What of prompts and answers can be token ids, or is: whether it is, the button says by itself.
pub(crate) const fn written_label(written: Written) -> &'static str {
    match written {
        Written::Text | Written::Ids => "Token ids",
        Written::AnswerIds => "Answers as ids",
    }
}

/// What the choice between text and token ids is.
pub(crate) const fn written_title(reads_text: bool) -> &'static str {
    if reads_text {
        "Whether prompts and answers are typed as token ids in place of text. Switching turns what is typed from one into the other"
    } else {
        "The model in use has no tokenizer, so prompts and answers are token ids"
    }
}

/// An example on a model that reads token ids only.
pub(crate) fn example_is_text() -> Notice {
    Notice::new(
        "Examples are text, and this model has no tokenizer",
        "Type token ids below, or choose another model first.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::words::Field;

    fn about(about: About, mends: &[&str]) -> (String, Option<String>) {
        let mends = mends.iter().map(|mend| (0, (*mend).to_owned())).collect();
        hint(&Hint { field: Field::Clean, text: "Kate".to_owned(), about, mends })
    }

    #[test]
    fn a_button_is_offered_where_something_mends_it() {
        assert_eq!(about(About::EndsInSpace, &["a"]).1.as_deref(), Some("take it away"));
        assert_eq!(about(About::NoLeadingSpace, &[" Kate"]).1.as_deref(), Some("use “·Kate”"));
        let many = about(About::NoLeadingSpace, &[" Kate", " Tom"]).1;
        assert_eq!(many.as_deref(), Some("put one in front of each"));
        assert_eq!(about(About::ReadAs { text: "a".to_owned() }, &[]).1, None);
    }

    #[test]
    fn an_offer_says_what_it_does_and_where() {
        let of = |does| mend(&Mend { field: Field::Clean, text: String::new(), does });
        let (from, to) = ("Alexandria".to_owned(), "Sarah".to_owned());
        assert_eq!(of(Does::Name { from, to }), "Use “Sarah” in place of “Alexandria”");
        let piece = " the".to_owned();
        assert_eq!(of(Does::Drop { piece }), "Drop “·the” from the clean prompt");
    }

    #[test]
    fn hidden_characters_are_named_and_counted() {
        let hidden = |n| about(About::Hidden { character: '\u{a0}', at: 4, n }, &["a"]).0;
        assert_eq!(hidden(1), "Has no-break space U+00A0 at character 4.");
        assert!(hidden(3).ends_with(", and 2 more characters that do not show."), "{}", hidden(3));
    }
}
