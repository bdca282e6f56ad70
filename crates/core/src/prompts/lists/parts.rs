//! What the fields of an object and the columns of a table are called.

/// A part of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Clean,
    Corrupted,
    Answer,
    Wrong,
    CleanIds,
    CorruptedIds,
    AnswerIds,
    WrongIds,
    Label,
    Written,
}

/// Parts of a pair.
const N_PARTS: usize = 11;

/// The names of each part, the project's own first. Names of published lists are those of EAP-IG
/// (`correct_idx`, `answers_idx`, `clean_answer_idx`, `country_idx`, each with its opposite; `label`), of auto-circuit
/// (`corrupt`, `answers`, `wrong_answers`) and of feature circuits (`clean_prefix`, `patch_answer`).
const NAMES: [(Part, &[&str]); N_PARTS] = [
    (Part::Name, &["name", "title"]),
    (Part::Clean, &["clean", "clean_prompt", "clean_prefix"]),
    (
        Part::Corrupted,
        &["corrupted", "corrupt", "corrupted_prompt", "corrupt_prompt", "patch_prefix"],
    ),
    (
        Part::Answer,
        &[
            "answer",
            "answers",
            "correct",
            "correct_answer",
            "correct_answers",
            "clean_answer",
            "clean_answers",
        ],
    ),
    (
        Part::Wrong,
        &[
            "wrong",
            "wrong_answer",
            "wrong_answers",
            "incorrect",
            "incorrect_answer",
            "incorrect_answers",
            "corrupted_answer",
            "corrupted_answers",
            "corrupt_answer",
            "corrupt_answers",
            "patch_answer",
        ],
    ),
    (Part::CleanIds, &["clean_ids", "clean_token_ids"]),
    (
        Part::CorruptedIds,
        &["corrupted_ids", "corrupt_ids", "corrupted_token_ids", "corrupt_token_ids"],
    ),
    (
        Part::AnswerIds,
        &[
            "answer_id",
            "answer_ids",
            "answer_idx",
            "answers_idx",
            "correct_id",
            "correct_ids",
            "correct_idx",
            "clean_answer_idx",
            "country_idx",
        ],
    ),
    (
        Part::WrongIds,
        &[
            "wrong_id",
            "wrong_ids",
            "wrong_idx",
            "incorrect_id",
            "incorrect_ids",
            "incorrect_idx",
            "corrupted_answer_idx",
            "corrupted_answers_idx",
            "corrupted_country_idx",
        ],
    ),
    (Part::Label, &["label"]),
    (Part::Written, &["written"]),
];

/// The part that a field is named after, and whether by its own name: whatever the size of its letters, and with
/// spaces or hyphens in place of underscores.
fn named(name: &str) -> Option<(Part, bool)> {
    let plain: String = name
        .trim()
        .chars()
        .map(|c| if matches!(c, ' ' | '-') { '_' } else { c.to_ascii_lowercase() })
        .collect();
    let (part, names) = NAMES.iter().find(|(_, names)| names.contains(&plain.as_str()))?;
    Some((*part, names[0] == plain))
}

/// In which field a part is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// No field has the part.
    #[default]
    Nowhere,
    /// This field has the part.
    In(usize),
    /// Two fields may have the part, and it is not certain which is meant.
    Twice(usize, usize),
}

/// In which field each part is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Places([Place; N_PARTS]);

impl Places {
    /// The places of all parts by the names of all fields. A part's own name goes before its others; of two of a kind
    /// neither is taken.
    pub(super) fn of<'a>(names: impl Iterator<Item = (usize, &'a str)> + Clone) -> Self {
        let mut places = Self::default();
        for own in [true, false] {
            let mut found = Self::default();
            for (at, name) in names.clone() {
                let Some((part, is_own)) = named(name) else { continue };
                if is_own != own || places.get(part) != Place::Nowhere {
                    continue;
                }
                let place = match found.get(part) {
                    Place::Nowhere => Place::In(at),
                    // A pair is the same by any name.
                    before if part == Part::Name => before,
                    Place::In(first) | Place::Twice(first, _) => Place::Twice(first, at),
                };
                found.set(part, place);
            }
            for (place, found) in places.0.iter_mut().zip(found.0) {
                if *place == Place::Nowhere {
                    *place = found;
                }
            }
        }
        places
    }

    pub(super) const fn get(&self, part: Part) -> Place {
        self.0[part as usize]
    }

    pub(super) const fn set(&mut self, part: Part, place: Place) {
        self.0[part as usize] = place;
    }

    /// Whether any field is named after a part.
    pub(super) fn has(&self, part: Part) -> bool {
        self.get(part) != Place::Nowhere
    }

    /// Parts that a field is named after.
    pub(super) fn n_named(&self) -> usize {
        self.0.iter().filter(|place| **place != Place::Nowhere).count()
    }

    /// How a pair with these fields is written: as text before all else, in ids before half in ids.
    ///
    /// # Errors
    /// What no field is named after and every pair needs, in words.
    pub(super) fn form(&self) -> Result<Form, &'static str> {
        let has = |part| self.has(part);
        let as_text = has(Part::Clean) && has(Part::Corrupted);
        let as_ids = has(Part::CleanIds) && has(Part::CorruptedIds);
        let answer_ids = has(Part::AnswerIds) && has(Part::WrongIds);
        if as_text && has(Part::Answer) && has(Part::Wrong) {
            return Ok(Form::Text);
        }
        if as_ids && answer_ids {
            return Ok(Form::Ids);
        }
        if as_text && answer_ids {
            return Ok(Form::AnswerIds);
        }
        let no_answer = !has(Part::Answer) && !has(Part::Wrong);
        if as_text && no_answer && has(Part::Label) {
            return Ok(Form::Label);
        }
        if as_text && no_answer && has(Part::AnswerIds) {
            return Ok(Form::Year);
        }
        let needed = [
            (Part::Clean, Part::CleanIds, "the clean prompt"),
            (Part::Corrupted, Part::CorruptedIds, "the corrupted prompt"),
            (Part::Answer, Part::AnswerIds, "the answer"),
            (Part::Wrong, Part::WrongIds, "the wrong answer"),
        ];
        let lacks = needed.into_iter().find(|(text, ids, _)| !has(*text) && !has(*ids));
        Err(lacks.map_or("one side of a pair whose other side is in ids", |(.., what)| what))
    }

    /// Two fields of which it is not certain which is meant, where a form needs one.
    pub(super) fn doubt(&self, form: Form) -> Option<(usize, usize)> {
        form.parts().iter().find_map(|part| match self.get(*part) {
            Place::Twice(one, other) => Some((one, other)),
            _ => None,
        })
    }
}

/// How a pair is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Prompts and answers as text.
    Text,
    /// Prompts and answers in token ids.
    Ids,
    /// Prompts as text, answers in token ids.
    AnswerIds,
    /// Prompts as text, and the two digits of a year that the answers are above.
    Label,
    /// Prompts as text, and a single number that may be the year and may be a token id.
    Year,
}

impl Form {
    /// The parts that a pair in this form needs.
    pub(super) const fn parts(self) -> &'static [Part] {
        match self {
            Self::Text => &[Part::Clean, Part::Corrupted, Part::Answer, Part::Wrong],
            Self::Ids => &[Part::CleanIds, Part::CorruptedIds, Part::AnswerIds, Part::WrongIds],
            Self::AnswerIds => &[Part::Clean, Part::Corrupted, Part::AnswerIds, Part::WrongIds],
            Self::Label => &[Part::Clean, Part::Corrupted, Part::Label],
            Self::Year => &[Part::Clean, Part::Corrupted, Part::AnswerIds],
        }
    }
}
