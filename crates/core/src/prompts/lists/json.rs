//! Prompt pairs as JSON.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::row::Row;
use super::text::{Lines, line_at, next_line};
use super::{BadRow, PairsError, RowPlace, RowProblem, Rows};

/// What an object may call the list of pairs that it holds.
const LISTS: [&str; 6] = ["prompts", "cases", "pairs", "data", "examples", "rows"];

/// A value of JSON that keeps the fields of an object as they are written, also where two have one name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// A number of JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(f64);

impl Number {
    /// The number as a token id, if it is one.
    pub(super) fn id(self) -> Option<u32> {
        let id = self.0 as u32;
        (f64::from(id) == self.0).then_some(id)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Json {
    /// The kind of the value, in words.
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(Number(value as f64)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(Number(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(Number(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

/// A list of objects, an object that holds one, or objects one after another.
pub(super) fn read(text: &str, most: usize) -> Result<Rows, PairsError> {
    let begin = text.len() - text.trim_start().len();
    let (value, end) = match next(text, begin) {
        Ok(next) => next,
        // A list is one value. Of objects that follow each other, one that is broken is one of many.
        Err(source) if text[begin..].starts_with('[') => {
            return Err(not_json(text, begin, &source));
        }
        Err(_) => return sequence(text, most),
    };
    if !text[end..].trim().is_empty() {
        return sequence(text, most);
    }
    let mut rows = Rows::at_most(most);
    let entries = match value {
        Json::List(entries) => entries,
        Json::Object(fields) => held(fields)?,
        other => vec![other],
    };
    for (place, entry) in entries.into_iter().enumerate() {
        rows.push(|| row(RowPlace::Entry(place + 1), entry));
    }
    Ok(rows)
}

/// The list that an object holds, or the object itself.
fn held(mut fields: Vec<(String, Json)>) -> Result<Vec<Json>, PairsError> {
    let is_list = |(name, value): &(String, Json)| {
        let is_named = LISTS.iter().any(|list| name.trim().eq_ignore_ascii_case(list));
        is_named && matches!(value, Json::List(_))
    };
    let mut lists = fields.iter().enumerate().filter(|(_, field)| is_list(field));
    match (lists.next(), lists.next()) {
        (None, _) => Ok(vec![Json::Object(fields)]),
        (Some((_, (one, _))), Some((_, (other, _)))) => {
            Err(PairsError::TwoLists { one: one.clone(), other: other.clone() })
        }
        (Some((at, _)), None) => match fields.swap_remove(at).1 {
            Json::List(entries) => Ok(entries),
            other => Ok(vec![other]),
        },
    }
}

/// Objects one after another, one per line as a rule. What is none is listed, and reading goes on in the next line.
pub(super) fn sequence(text: &str, most: usize) -> Result<Rows, PairsError> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '\u{feff}');
    let mut lines = Lines::of(text);
    let mut rows = Rows::at_most(most);
    let (mut at, mut is_json, mut first) = (0, false, None);
    loop {
        at += text[at..].len() - text[at..].trim_start_matches(is_between).len();
        if at == text.len() {
            break;
        }
        let begin = at;
        let place = RowPlace::Line(lines.at(begin));
        match next(text, begin) {
            Ok((object @ Json::Object(_), end)) => {
                is_json = true;
                rows.push(|| row(place, object));
                at = end;
            }
            Ok((other, end)) => {
                rows.push(|| row(place, other));
                at = next_line(text, end);
            }
            Err(source) => {
                let cause = cause(&source);
                rows.push(|| {
                    Err(BadRow {
                        name: String::new(),
                        place,
                        problem: RowProblem::NotJson { cause },
                    })
                });
                first = first.or_else(|| Some(not_json(text, begin, &source)));
                at = after_broken(text, begin);
            }
        }
    }
    match first {
        // Not one object could be read: this is no list with a bad row in it.
        Some(error) if !is_json => Err(error),
        _ => Ok(rows),
    }
}

/// Where to go on after an object that is broken: in the next line, or, where objects take several lines, at the next
/// one that begins as this one does.
fn after_broken(text: &str, begin: usize) -> usize {
    let next = next_line(text, begin);
    if text[begin..next].trim_end() != "{" {
        return next;
    }
    let line_begin = text[..begin].rfind('\n').map_or(0, |end| end + 1);
    let indent = &text[line_begin..begin];
    let mut at = next;
    while at < text.len() {
        if text[at..].strip_prefix(indent).is_some_and(|line| line.starts_with('{')) {
            return at;
        }
        at = next_line(text, at);
    }
    at
}

/// The value that begins at a byte, and where it ends.
fn next(text: &str, begin: usize) -> Result<(Json, usize), serde_json::Error> {
    let mut stream = serde_json::Deserializer::from_str(&text[begin..]).into_iter::<Json>();
    // Nothing is what an empty text holds.
    let value = stream.next().unwrap_or(Ok(Json::Null))?;
    Ok((value, begin + stream.byte_offset()))
}

fn row(place: RowPlace, value: Json) -> super::ReadRow {
    let Json::Object(fields) = value else {
        let problem = RowProblem::NotAnObject { what: value.what() };
        return Err(BadRow { name: String::new(), place, problem });
    };
    let row = Row::of_object(fields);
    let name = row.name();
    row.pair().map_err(|problem| BadRow { name, place, problem })
}

fn not_json(text: &str, begin: usize, source: &serde_json::Error) -> PairsError {
    // The parser counts from where it began, and knows one kind of line end.
    let before = line_at(text, begin) - 1;
    let column_before = if source.line() == 1 {
        text[..begin].rsplit('\n').next().unwrap_or_default().len()
    } else {
        0
    };
    PairsError::NotJson {
        line: before + source.line(),
        column: column_before + source.column(),
        cause: cause(source),
    }
}

/// The parser's words without the place, which is said already.
fn cause(source: &serde_json::Error) -> String {
    source.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}
