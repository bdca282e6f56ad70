//! Prompt pairs as JSON.

use serde_json::{Deserializer, Map, Value};

use super::{MAX_PAIRS, PairsError, Part, PromptPair};
use crate::Written;

/// One JSON list of objects.
pub(super) fn list(text: &str) -> Result<Vec<PromptPair>, PairsError> {
    let entries: Vec<Value> = serde_json::from_str(text).map_err(not_json)?;
    if entries.len() > MAX_PAIRS {
        return Err(PairsError::TooMany);
    }
    entries.into_iter().enumerate().map(|(place, entry)| pair(place + 1, entry)).collect()
}

/// JSON objects, one after another.
pub(super) fn objects(text: &str) -> Result<Vec<PromptPair>, PairsError> {
    let mut pairs = Vec::new();
    for entry in Deserializer::from_str(text).into_iter::<Value>() {
        if pairs.len() == MAX_PAIRS {
            return Err(PairsError::TooMany);
        }
        pairs.push(pair(pairs.len() + 1, entry.map_err(not_json)?)?);
    }
    Ok(pairs)
}

fn not_json(source: serde_json::Error) -> PairsError {
    let (line, column, cause) = (source.line(), source.column(), source.to_string());
    // The place is said already.
    let cause = cause.split(" at line ").next().unwrap_or_default().to_owned();
    PairsError::NotJson { line, column, cause }
}

fn pair(entry: usize, value: Value) -> Result<PromptPair, PairsError> {
    let Value::Object(fields) = value else { return Err(PairsError::NotAnObject(entry)) };
    let mut fields = Fields { entry, fields };
    Ok(PromptPair {
        name: fields.text(Part::Name)?.unwrap_or_default(),
        clean: fields.prompt(Part::Clean)?,
        corrupted: fields.prompt(Part::Corrupted)?,
        answer: fields.words(Part::Answer)?,
        wrong: fields.words(Part::Wrong)?,
        written: Written::Text,
    })
}

struct Fields {
    entry: usize,
    fields: Map<String, Value>,
}

impl Fields {
    fn place(&self) -> String {
        format!("entry {}", self.entry)
    }

    fn missing(&self, part: Part) -> PairsError {
        PairsError::Missing { place: self.place(), field: part.id() }
    }

    fn not_text(&self, part: Part, list: bool) -> PairsError {
        PairsError::NotText { place: self.place(), field: part.id(), list }
    }

    fn take(&mut self, part: Part) -> Option<Value> {
        let is_it = |name: &str| Part::named(name) == Some(part);
        let value = if self.fields.contains_key(part.id()) {
            self.fields.get_mut(part.id())?
        } else {
            self.fields.iter_mut().find(|(name, _)| is_it(name))?.1
        };
        Some(value.take()).filter(|value| !value.is_null())
    }

    fn text(&mut self, part: Part) -> Result<Option<String>, PairsError> {
        match self.take(part) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.not_text(part, false)),
        }
    }

    fn prompt(&mut self, part: Part) -> Result<String, PairsError> {
        let text = self.text(part)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.missing(part))
    }

    fn words(&mut self, part: Part) -> Result<Vec<String>, PairsError> {
        let words = match self.take(part) {
            None => Vec::new(),
            Some(Value::Array(words)) => words,
            Some(word) => vec![word],
        };
        let mut texts = Vec::with_capacity(words.len());
        for word in words {
            match word {
                Value::String(text) if text.is_empty() => return Err(self.missing(part)),
                Value::String(text) => texts.push(text),
                _ => return Err(self.not_text(part, true)),
            }
        }
        if texts.is_empty() { Err(self.missing(part)) } else { Ok(texts) }
    }
}
