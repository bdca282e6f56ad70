//! Prompt pairs as CSV.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::{MAX_PAIRS, PairsError, Part, PromptPair};
use crate::Written;

/// A line of names, and a line per pair.
pub(super) fn table(text: &str) -> Result<Vec<PromptPair>, PairsError> {
    let mut records = Records::new(text);
    let Some(header) = records.find(|record| !record.is_blank()) else { return Ok(Vec::new()) };
    let columns: Vec<Option<Part>> = header.fields.iter().map(|name| Part::named(name)).collect();
    for part in Part::ALL {
        if part != Part::Name && !columns.contains(&Some(part)) {
            return Err(PairsError::NoColumn { missing: part.id() });
        }
    }
    let mut pairs = Vec::new();
    for record in records {
        // Spreadsheets leave such lines at the end.
        if record.is_blank() {
            continue;
        }
        if pairs.len() == MAX_PAIRS {
            return Err(PairsError::TooMany);
        }
        pairs.push(pair(text, &columns, record)?);
    }
    Ok(pairs)
}

fn pair(text: &str, columns: &[Option<Part>], record: Record) -> Result<PromptPair, PairsError> {
    let Record { begin, mut fields } = record;
    let line = || 1 + text[..begin].matches('\n').count();
    if fields.len() != columns.len() {
        let (got, expected) = (fields.len(), columns.len());
        return Err(PairsError::Fields { line: line(), got, expected });
    }
    let mut take = |part: Part| {
        let column = columns.iter().position(|column| *column == Some(part));
        column.map(|column| std::mem::take(&mut fields[column])).unwrap_or_default()
    };
    let words = |field: String| -> Vec<String> {
        field.split('|').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let pair = PromptPair {
        name: take(Part::Name),
        clean: take(Part::Clean),
        corrupted: take(Part::Corrupted),
        answer: words(take(Part::Answer)),
        wrong: words(take(Part::Wrong)),
        written: Written::Text,
    };
    let missing = [
        (Part::Clean, pair.clean.is_empty()),
        (Part::Corrupted, pair.corrupted.is_empty()),
        (Part::Answer, pair.answer.is_empty()),
        (Part::Wrong, pair.wrong.is_empty()),
    ];
    match missing.into_iter().find(|(_, is_missing)| *is_missing) {
        Some((part, _)) => {
            Err(PairsError::Missing { place: format!("line {}", line()), field: part.id() })
        }
        None => Ok(pair),
    }
}

/// One line, or several where a quoted field holds line ends.
struct Record {
    /// Byte at which it begins.
    begin: usize,
    fields: Vec<String>,
}

impl Record {
    fn is_blank(&self) -> bool {
        self.fields.iter().all(|field| field.trim().is_empty())
    }
}

struct Records<'a> {
    text: &'a str,
    at: usize,
    reader: Reader,
    field: Vec<u8>,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        let first = text.trim_start().lines().next().unwrap_or_default();
        let has = |delimiter: char| first.contains(delimiter);
        // In countries with a decimal comma spreadsheets write semicolons.
        let delimiter = if has('\t') {
            b'\t'
        } else if has(';') && !has(',') {
            b';'
        } else {
            b','
        };
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        // No field is longer than the text.
        Self { text, at: 0, reader, field: vec![0; text.len() + 1] }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let rest = &self.text[self.at..];
        let begin = self.at + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        let mut fields = Vec::new();
        let mut len = 0;
        loop {
            // An empty input is how the reader learns that this is the end.
            let input = &self.text.as_bytes()[self.at..];
            let (result, read, written) = self.reader.read_field(input, &mut self.field[len..]);
            self.at += read;
            len += written;
            match result {
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::Field { record_end } => {
                    fields.push(String::from_utf8_lossy(&self.field[..len]).into_owned());
                    len = 0;
                    if record_end {
                        return Some(Record { begin, fields });
                    }
                }
                ReadFieldResult::End | ReadFieldResult::OutputFull => return None,
            }
        }
    }
}
