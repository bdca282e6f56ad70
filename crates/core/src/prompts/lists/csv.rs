//! Prompt pairs as a table: commas, semicolons or tabs between the cells.

use super::parts::Places;
use super::row::{Row, named};
use super::text::{Lines, next_line};
use super::{BadRow, PairsError, RowPlace, RowProblem, Rows};

/// What may stand between cells. In countries with a decimal comma spreadsheets write semicolons.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A line of names, and a line per pair.
pub(super) fn read(text: &str, most: usize) -> Result<Rows, PairsError> {
    let (begin, said) = after_separator_line(text);
    let header = |separator: u8| {
        let mut records = Records { text, at: begin, separator };
        let header = records.find(|record| !record.is_blank())?;
        let places = Places::of(header.cells.iter().map(String::as_str).enumerate());
        Some((records, header, places))
    };
    // Of the separators, that by which the first line names most.
    let mut best: Option<((usize, usize), Records<'_>, Record, Places)> = None;
    for separator in SEPARATORS {
        if said.is_some_and(|said| said != separator) {
            continue;
        }
        let Some((records, header, places)) = header(separator) else {
            return Ok(Rows::at_most(most));
        };
        let rank = (places.n_named(), header.cells.len());
        if best.as_ref().is_none_or(|before| rank > before.0) {
            best = Some((rank, records, header, places));
        }
    }
    let Some((_, records, header, places)) = best else { return Ok(Rows::at_most(most)) };
    let names = header.cells;
    let form = places.form().map_err(|missing| PairsError::Columns {
        missing,
        found: named(names.iter().map(String::as_str)),
    })?;
    if let Some((one, other)) = places.doubt(form) {
        let (one, other) = (names[one].clone(), names[other].clone());
        return Err(PairsError::TwoColumns { one, other });
    }
    // Separators at the end of a line make columns without a name.
    let width = names.iter().rposition(|name| !name.trim().is_empty()).map_or(0, |last| last + 1);
    let mut rows = Rows::at_most(most);
    let mut lines = Lines::of(text);
    for record in records {
        // Spreadsheets leave such lines at the end.
        if record.is_blank() {
            continue;
        }
        let place = RowPlace::Line(lines.at(record.begin));
        rows.push(|| row(&names, width, place, record));
    }
    Ok(rows)
}

/// Spreadsheets may say in a first line of its own what stands between cells: `sep=;`.
fn after_separator_line(text: &str) -> (usize, Option<u8>) {
    let begin = text.len() - text.trim_start_matches(['\r', '\n']).len();
    let end = next_line(text, begin);
    let line = text[begin..end].trim_end_matches(['\r', '\n']).trim_matches('"');
    match line.as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => (end, Some(*separator)),
        _ => (begin, None),
    }
}

fn row(names: &[String], width: usize, place: RowPlace, record: Record) -> super::ReadRow {
    let Record { mut cells, is_broken, .. } = record;
    let bad = |problem| Err(BadRow { name: String::new(), place, problem });
    if is_broken {
        return bad(RowProblem::Quotes);
    }
    while cells.len() > width && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    let got = cells.len();
    if got != width {
        return bad(RowProblem::Cells { got, expected: width });
    }
    if cells == names[..width] {
        return bad(RowProblem::Header);
    }
    let row = Row::of_cells(names, cells);
    let name = row.name();
    row.pair().map_err(|problem| BadRow { name, place, problem })
}

/// One line, or several where a cell in quotation marks holds line ends.
struct Record {
    /// Byte at which the record begins.
    begin: usize,
    cells: Vec<String>,
    /// Whether a quotation mark is not closed, or closed before the cell's end.
    is_broken: bool,
}

impl Record {
    fn is_blank(&self) -> bool {
        !self.is_broken && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

/// Reads as RFC 4180 writes. A quotation mark too much or too few spoils its own line and none of the others: reading
/// goes on in the line after.
struct Records<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
}

impl Records<'_> {
    /// The cell that begins here, and whether it is the last of its line; `None`: its quotation marks are broken.
    fn cell(&mut self) -> Option<(String, bool)> {
        let rest = &self.text[self.at..];
        // Spaces between a quotation mark and what separates are no part of a cell.
        let spaces = |text: &str| text.len() - text.trim_start_matches(' ').len();
        let before = spaces(rest);
        let (cell, mut used) = if let Some(quoted) = rest[before..].strip_prefix('"') {
            let (cell, end) = unquoted(quoted)?;
            (cell, before + 1 + end + spaces(&quoted[end..]))
        } else {
            let is_end = |byte: &u8| self.is_end(*byte);
            let end = rest.as_bytes().iter().position(is_end).unwrap_or(rest.len());
            (rest[..end].to_owned(), end)
        };
        let is_last = match rest.as_bytes().get(used) {
            None => true,
            Some(byte) if *byte == self.separator => {
                used += 1;
                false
            }
            Some(b'\r' | b'\n') => {
                used += if rest[used..].starts_with("\r\n") { 2 } else { 1 };
                true
            }
            Some(_) => return None,
        };
        self.at += used;
        Some((cell, is_last))
    }

    const fn is_end(&self, byte: u8) -> bool {
        byte == self.separator || matches!(byte, b'\r' | b'\n')
    }
}

/// Text up to its closing quotation mark, in which two of them stand for one, and where it ends.
fn unquoted(text: &str) -> Option<(String, usize)> {
    let mut cell = String::new();
    let mut at = 0;
    loop {
        let mark = at + text[at..].find('"')?;
        cell.push_str(&text[at..mark]);
        at = mark + 1;
        if !text[at..].starts_with('"') {
            return Some((cell, at));
        }
        cell.push('"');
        at += 1;
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        if self.at == self.text.len() {
            return None;
        }
        let begin = self.at;
        let mut cells = Vec::new();
        loop {
            let Some((cell, is_last)) = self.cell() else {
                self.at = next_line(self.text, begin);
                return Some(Record { begin, cells, is_broken: true });
            };
            cells.push(cell);
            if is_last {
                return Some(Record { begin, cells, is_broken: false });
            }
        }
    }
}
