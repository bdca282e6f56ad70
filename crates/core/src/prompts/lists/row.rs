//! One pair, from the fields of an object or of a line.

use super::RowProblem;
use super::json::Json;
use super::parts::{Form, Part, Place, Places};
use crate::prompts::PromptPair;
use crate::words::{Written, parse_ids};

/// Characters of a field that a message repeats.
const MOST_QUOTED: usize = 40;
/// Fields that a message names.
const MOST_NAMED: usize = 16;

/// Fields by their names, those of a row that hold something.
pub(super) struct Row {
    fields: Vec<(String, Json)>,
    places: Places,
    /// Whether they are cells of a table, where all is text and `|` stands between answers.
    is_table: bool,
}

impl Row {
    /// The row that an object of JSON is.
    pub(super) fn of_object(fields: Vec<(String, Json)>) -> Self {
        Self::of(fields, false)
    }

    /// The row that the cells of a table are, under the names in its first line.
    pub(super) fn of_cells(names: &[String], cells: Vec<String>) -> Self {
        let fields = names.iter().cloned().zip(cells.into_iter().map(Json::Text)).collect();
        Self::of(fields, true)
    }

    fn of(mut fields: Vec<(String, Json)>, is_table: bool) -> Self {
        fields.retain(|(_, value)| match value {
            Json::Null => false,
            Json::Text(text) => !text.is_empty(),
            _ => true,
        });
        let names = fields.iter().map(|(name, _)| name.as_str()).enumerate();
        let places = Places::of(names);
        let mut row = Self { fields, places, is_table };
        row.move_numbers();
        row
    }

    /// Moves lists of numbers to where token ids are: that is what they are, whatever they are called.
    fn move_numbers(&mut self) {
        let is_numbers = |part| match self.value(part) {
            Some(Json::List(items)) => items.iter().all(|item| matches!(item, Json::Number(_))),
            _ => false,
        };
        if is_numbers(Part::Clean) && is_numbers(Part::Corrupted) {
            self.rename(Part::Clean, Part::CleanIds);
            self.rename(Part::Corrupted, Part::CorruptedIds);
            self.rename(Part::Answer, Part::AnswerIds);
            self.rename(Part::Wrong, Part::WrongIds);
        }
    }

    fn rename(&mut self, from: Part, to: Part) {
        if !self.places.has(to) {
            self.places.set(to, self.places.get(from));
        }
        self.places.set(from, Place::Nowhere);
    }

    fn value(&self, part: Part) -> Option<&Json> {
        match self.places.get(part) {
            Place::In(at) => self.fields.get(at).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What a part's field is called here.
    fn field(&self, part: Part) -> String {
        match self.places.get(part) {
            Place::In(at) => self.fields[at].0.trim().to_owned(),
            _ => String::new(),
        }
    }

    /// What the row calls itself; empty: nothing.
    pub(super) fn name(&self) -> String {
        match self.value(Part::Name) {
            Some(Json::Text(name)) => name.clone(),
            Some(Json::Number(number)) => number.to_string(),
            Some(Json::Bool(is)) => is.to_string(),
            _ => String::new(),
        }
    }

    /// The pair that the row writes.
    pub(super) fn pair(mut self) -> Result<PromptPair, RowProblem> {
        self.take_written()?;
        let form = self.places.form().map_err(|what| RowProblem::Missing {
            what,
            found: named(self.fields.iter().map(|(name, _)| name.as_str())),
        })?;
        // A list in a cell is how tables are printed by programs, which leave the answers' leading space out: where
        // there are ids too, those are what is meant.
        let is_printed =
            |part| matches!(self.value(part), Some(Json::Text(t)) if printed(t).is_some());
        let form = if form == Form::Text
            && self.is_table
            && self.places.has(Part::AnswerIds)
            && self.places.has(Part::WrongIds)
            && is_printed(Part::Answer)
        {
            Form::AnswerIds
        } else {
            form
        };
        if let Some((one, other)) = self.places.doubt(form) {
            let (one, other) = (self.fields[one].0.clone(), self.fields[other].0.clone());
            return Err(RowProblem::Twice { one, other });
        }
        let name = self.name();
        let ([clean, corrupted], [answer, wrong], written) = match form {
            Form::Text => (
                [self.prompt(Part::Clean)?, self.prompt(Part::Corrupted)?],
                [self.words(Part::Answer)?, self.words(Part::Wrong)?],
                Written::Text,
            ),
            Form::AnswerIds => (
                [self.prompt(Part::Clean)?, self.prompt(Part::Corrupted)?],
                [self.ids(Part::AnswerIds)?, self.ids(Part::WrongIds)?],
                Written::AnswerIds,
            ),
            Form::Ids => (
                [self.ids(Part::CleanIds)?.join(" "), self.ids(Part::CorruptedIds)?.join(" ")],
                [self.ids(Part::AnswerIds)?, self.ids(Part::WrongIds)?],
                Written::Ids,
            ),
            Form::Label | Form::Year => {
                let clean = self.prompt(Part::Clean)?;
                let years = self.years(form, &clean)?;
                ([clean, self.prompt(Part::Corrupted)?], years, Written::Text)
            }
        };
        Ok(PromptPair { name, clean, corrupted, answer, wrong, written })
    }

    /// Where the row itself says how it is written, by the word that [`PromptPair`] prints.
    fn take_written(&mut self) -> Result<(), RowProblem> {
        let Some(value) = self.value(Part::Written) else { return Ok(()) };
        let known = |id: &str| Written::ALL.into_iter().find(|written| written.id() == id);
        let written = match value {
            Json::Text(id) => known(id),
            _ => None,
        };
        let written = written.ok_or(RowProblem::UnknownForm)?;
        if written.prompts_are_ids() {
            self.rename(Part::Clean, Part::CleanIds);
            self.rename(Part::Corrupted, Part::CorruptedIds);
        }
        if written.answers_are_ids() {
            self.rename(Part::Answer, Part::AnswerIds);
            self.rename(Part::Wrong, Part::WrongIds);
        }
        Ok(())
    }

    fn not_text(&self, part: Part, list: bool) -> RowProblem {
        RowProblem::NotText { field: self.field(part), list }
    }

    fn empty(&self, part: Part) -> RowProblem {
        RowProblem::Empty { field: self.field(part) }
    }

    fn prompt(&self, part: Part) -> Result<String, RowProblem> {
        match self.value(part) {
            Some(Json::Text(text)) if text.trim().is_empty() => Err(self.empty(part)),
            Some(Json::Text(text)) => Ok(text.clone()),
            _ => Err(self.not_text(part, false)),
        }
    }

    /// Answers as text. Their spaces are part of them.
    fn words(&self, part: Part) -> Result<Vec<String>, RowProblem> {
        let words = match self.value(part) {
            Some(Json::Text(cell)) if self.is_table => match printed(cell) {
                Some(words) => words,
                None => {
                    cell.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect()
                }
            },
            Some(Json::Text(text)) => vec![text.clone()],
            Some(Json::List(items)) => {
                let text = |item: &Json| match item {
                    Json::Text(text) => Ok(text.clone()),
                    _ => Err(self.not_text(part, true)),
                };
                items.iter().map(text).collect::<Result<_, _>>()?
            }
            _ => return Err(self.not_text(part, true)),
        };
        if words.is_empty() || words.iter().any(String::is_empty) {
            return Err(self.empty(part));
        }
        Ok(words)
    }

    /// Token ids, as [`PromptPair`] holds them.
    fn ids(&self, part: Part) -> Result<Vec<String>, RowProblem> {
        let not_ids = |text: &str| {
            let text = text.chars().take(MOST_QUOTED).collect();
            RowProblem::NotIds { field: self.field(part), text }
        };
        let in_text = |text: &str| {
            // Programs that know of missing numbers print 326 as 326.0.
            let plain = |word: &str| word.strip_suffix(".0").unwrap_or(word).to_owned();
            let is_between =
                |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '[' | ']' | '(' | ')');
            let words: Vec<String> = text.split(is_between).map(plain).collect();
            parse_ids(&words.join(" ")).map_err(|_source| not_ids(text.trim()))
        };
        let single = |value: &Json| match value {
            Json::Number(number) => {
                number.id().map(|id| vec![id]).ok_or_else(|| not_ids(&number.to_string()))
            }
            Json::Text(text) => in_text(text),
            _ => Err(not_ids(value.what())),
        };
        let ids = match self.value(part) {
            Some(Json::List(items)) => {
                let mut ids = Vec::with_capacity(items.len());
                for item in items {
                    ids.extend(single(item)?);
                }
                ids
            }
            Some(value) => single(value)?,
            None => Vec::new(),
        };
        if ids.is_empty() {
            Err(self.empty(part))
        } else {
            Ok(ids.iter().map(u32::to_string).collect())
        }
    }

    /// Right and wrong years of a greater-than list: two digits each, those above the year's and the rest.
    fn years(&self, form: Form, clean: &str) -> Result<[Vec<String>; 2], RowProblem> {
        let part = if form == Form::Label { Part::Label } else { Part::AnswerIds };
        let found = || named(self.fields.iter().map(|(name, _)| name.as_str()));
        let label = self.ids(part).ok().and_then(|ids| match &ids[..] {
            [id] => id.parse::<u32>().ok().filter(|label| *label < 99),
            _ => None,
        });
        let uncertain = || RowProblem::NoYear { field: self.field(part), found: found() };
        let label = label.ok_or_else(uncertain)?;
        let century = century(clean).ok_or_else(uncertain)?;
        let begun = years_of(clean, century);
        // A number that is called a token's is a year only where the prompt has that year.
        let is_certain = match form {
            Form::Label => !begun.is_empty(),
            _ => begun.contains(&label),
        };
        if !is_certain {
            return Err(uncertain());
        }
        let years = |range: std::ops::Range<u32>| range.map(|year| format!("{year:02}")).collect();
        Ok([years(label + 1..100), years(0..label + 1)])
    }
}

/// The two digits that a prompt ends in, as the beginning of a year.
fn century(prompt: &str) -> Option<&str> {
    let digits = prompt.len() - prompt.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    (digits == 2).then(|| &prompt[prompt.len() - 2..])
}

/// The last two digits of the years of a century in a prompt.
fn years_of(prompt: &str, century: &str) -> Vec<u32> {
    let numbers = prompt.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() == 4);
    numbers.filter_map(|number| number.strip_prefix(century)?.parse().ok()).collect()
}

/// The texts of a list as JSON or Python prints it, `[" Kate", " Tom"]`; `None` for any other text.
fn printed(cell: &str) -> Option<Vec<String>> {
    let mut rest = cell.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let mut text = String::new();
        let mut letters = rest.char_indices().skip(1);
        let end = loop {
            match letters.next()? {
                (at, c) if c == quote => break at + 1,
                (_, '\\') => match letters.next()?.1 {
                    c @ ('\\' | '\'' | '"' | '/') => text.push(c),
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    _ => return None,
                },
                (_, c) => text.push(c),
            }
        };
        texts.push(text);
        rest = rest[end..].trim_start();
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    (!texts.is_empty()).then_some(texts)
}

/// Names of fields in a message.
pub(super) fn named<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names
        .filter(|name| !name.trim().is_empty())
        .map(|name| name.trim().chars().take(MOST_QUOTED).collect())
        .collect();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    match (names.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (_, 0) => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}
