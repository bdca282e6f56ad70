//! Lists of prompt pairs: the one reader of them.

mod csv;
mod json;
mod parts;
mod row;
mod text;

use std::fmt;

use super::PromptPair;

pub use text::pairs_text;

/// How much of a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows.
    pub pairs: usize,
    /// Most bytes, of the file and of its text in UTF-8.
    pub bytes: usize,
}

impl Limits {
    /// Of a list in a page, which shows every row.
    pub const PAGE: Self = Self { pairs: 1000, bytes: 4 << 20 };
    /// Of a list on the disk, which may be dealt to many machines.
    pub const DISK: Self = Self { pairs: 1_000_000, bytes: 1 << 30 };

    /// Whether a list of so many bytes is read.
    ///
    /// # Errors
    /// [`PairsError::TooLarge`].
    pub const fn hold(self, bytes: usize) -> Result<(), PairsError> {
        let most = self.bytes;
        if bytes > most { Err(PairsError::TooLarge { bytes, most }) } else { Ok(()) }
    }
}

/// A list of prompt pairs as it was read: every row, also those that are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PairList {
    /// All rows in the order of the list; at least one.
    pub rows: Vec<Result<PromptPair, BadRow>>,
}

impl PairList {
    /// The pairs, in their order.
    pub fn pairs(&self) -> Vec<PromptPair> {
        self.rows.iter().flatten().cloned().collect()
    }

    /// The rows that are no pairs, in their order.
    pub fn bad(&self) -> impl Iterator<Item = &BadRow> {
        self.rows.iter().filter_map(|row| row.as_ref().err())
    }
}

/// A row of a list that is no pair, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BadRow {
    /// Name that the row gives itself; empty: none.
    pub name: String,
    /// Place of the row in the list.
    pub place: RowPlace,
    /// What is wrong with the row.
    pub problem: RowProblem,
}

impl BadRow {
    /// Name of the row in a list of rows.
    pub fn title(&self) -> String {
        if self.name.is_empty() { self.place.to_string() } else { self.name.clone() }
    }
}

/// Where in a list a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPlace {
    /// Number of an entry of a JSON list, from 1.
    Entry(usize),
    /// Line in which a row of JSON lines or of a table begins, from 1.
    Line(usize),
}

impl fmt::Display for RowPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => write!(f, "entry {entry}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// What every pair must say, for messages.
const WANTED: &str = "wanted are clean, corrupted, answer and wrong; or, for answers by token id, correct_idx and \
    incorrect_idx in place of the last two; or clean_ids, corrupted_ids, answer_id and wrong_id";

/// What is wrong with one row; the others can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// The row is not JSON where JSON is expected.
    #[error("this is not JSON ({cause})")]
    NotJson {
        /// In the parser's words.
        cause: String,
    },
    /// The row is JSON, and no object.
    #[error("this is {what}, not an object with clean, corrupted, answer and wrong")]
    NotAnObject {
        /// What the row is instead.
        what: &'static str,
    },
    /// A part of the pair is not there, or has no content.
    #[error("{what} is missing: {WANTED}; found with content: {found}")]
    Missing {
        /// The part, in words.
        what: &'static str,
        /// The fields that have content.
        found: String,
    },
    /// A part of the pair is there and has no content.
    #[error("{field} is empty")]
    Empty {
        /// The field's name.
        field: String,
    },
    /// Two fields may be meant.
    #[error(
        "{one} and {other} name the same part, so it is not certain which is meant: leave one of them out"
    )]
    Twice {
        /// Name of one.
        one: String,
        /// Name of the other.
        other: String,
    },
    /// A part of the pair is not text.
    #[error(
        "{field} must be text{more}; a token id goes by the name of answer_id, wrong_id, clean_ids or corrupted_ids",
        more = if *list { ", or a list of texts" } else { "" }
    )]
    NotText {
        /// The field's name.
        field: String,
        /// Whether it may be a list.
        list: bool,
    },
    /// A part of the pair is no token id.
    #[error(
        "{field} must be token ids, which are whole numbers from 0 to {}; found {text:?}",
        u32::MAX
    )]
    NotIds {
        /// The field's name.
        field: String,
        /// What stands there.
        text: String,
    },
    /// A single number stands for the answers, and it is not certain for which.
    #[error(
        "{field} alone says the answers of a greater-than list only, where it is a number from 0 to 98 and the clean \
         prompt has a year and ends in the first two digits of it: {WANTED}; found with content: {found}"
    )]
    NoYear {
        /// The field's name.
        field: String,
        /// The fields that have content.
        found: String,
    },
    /// The row says in another word than the three that are known how it is written.
    #[error("written must be text, answer_ids or ids")]
    UnknownForm,
    /// The row has more or fewer cells than the first line of the table.
    #[error(
        "{got} fields, where the first line names {expected}: put text with a comma or a quotation mark in double \
         quotes, and double the quotation marks in it"
    )]
    Cells {
        /// Cells of the row.
        got: usize,
        /// Cells of the first line.
        expected: usize,
    },
    /// Quotation marks of the row do not fit together.
    #[error(
        "a quotation mark is not closed, or closed before the end of its field: double the quotation marks inside text \
         in double quotes"
    )]
    Quotes,
    /// The row is the first line of a table once more, as in tables that were joined.
    #[error("this is the first line of the table once more")]
    Header,
}

/// Why no row of a list of prompt pairs can be read; says where, what was found, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairsError {
    /// The list has more bytes than are read.
    #[error("the list has {bytes} bytes, at most {most} are read: split it")]
    TooLarge {
        /// Bytes of the list.
        bytes: usize,
        /// Most that are read.
        most: usize,
    },
    /// The list has more pairs than are read.
    #[error("the list has {pairs} pairs, at most {most} are read: split it")]
    TooMany {
        /// Pairs of the list.
        pairs: usize,
        /// Most that are read.
        most: usize,
    },
    /// The list holds no pair.
    #[error(
        "there is no pair: a list is JSON objects, or CSV under a line of names, with clean, corrupted, answer \
         and wrong"
    )]
    Nothing,
    /// The bytes are another kind of file.
    #[error("this is {what}, and no list of pairs: {way_out}")]
    NotAList {
        /// What the bytes are.
        what: &'static str,
        /// What can be done about it.
        way_out: &'static str,
    },
    /// The text holds a byte that the encodings that are read do not have there.
    #[error(
        "line {line}: byte {byte:#04x} at {offset} is neither UTF-8 nor UTF-16, so the list is in another encoding, such \
         as Windows-1252 or Latin-1, and its letters are not certain: save it as UTF-8"
    )]
    Encoding {
        /// Line, from 1.
        line: usize,
        /// Place of the byte, from 0.
        offset: usize,
        /// The byte.
        byte: u8,
    },
    /// The file ends within a letter.
    #[error(
        "the file ends within a letter, after {bytes} bytes: it was cut off, so save or fetch it again"
    )]
    CutOff {
        /// Bytes of the file.
        bytes: usize,
    },
    /// The list is in an encoding of four bytes a letter.
    #[error("the list is in UTF-32, which is not read: save it as UTF-8")]
    Utf32,
    /// The text holds a byte, or a letter, of zero, which no text has.
    #[error(
        "line {line} holds a NUL, which no text does: this is another kind of file, or an encoding that is not read; \
         save the list as UTF-8"
    )]
    Nul {
        /// Line, from 1.
        line: usize,
    },
    /// The text begins like JSON and is not JSON.
    #[error("line {line}, character {column}: this is not JSON ({cause})")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// In the parser's words.
        cause: String,
    },
    /// The list is an object that holds two lists.
    #[error(
        "{one} and {other} are lists, and it is not certain which is that of the pairs: leave one of them out"
    )]
    TwoLists {
        /// Name of one.
        one: String,
        /// Name of the other.
        other: String,
    },
    /// The first line of a table does not name what every pair needs.
    #[error("no column is {missing}: {WANTED}; the first line names {found}")]
    Columns {
        /// The first part that is missing.
        missing: &'static str,
        /// The columns that there are.
        found: String,
    },
    /// Two columns of a table may be meant.
    #[error(
        "the columns {one} and {other} name the same part, so it is not certain which is meant: leave one of them out"
    )]
    TwoColumns {
        /// Name of one.
        one: String,
        /// Name of the other.
        other: String,
    },
}

/// Rows as they are read; beyond the most that are wanted they are counted and not kept.
struct Rows {
    kept: Vec<ReadRow>,
    count: usize,
    most: usize,
}

type ReadRow = Result<PromptPair, BadRow>;

impl Rows {
    const fn at_most(most: usize) -> Self {
        Self { kept: Vec::new(), count: 0, most }
    }

    fn push(&mut self, row: impl FnOnce() -> ReadRow) {
        self.count += 1;
        if self.count <= self.most {
            self.kept.push(row());
        }
    }
}

/// Reads a list of prompt pairs from the bytes of a file, or of a text. The page and the command line have no other.
///
/// **Encodings**: UTF-8 and UTF-16, as [`pairs_text`] says; nothing else is read.
///
/// **Forms**: a JSON list of objects; an object with such a list under `prompts`, `cases`, `pairs`, `data`, `examples` or
/// `rows`; JSON objects one after another, one per line as a rule; or a table under a line of names, with commas,
/// semicolons or tabs between its cells, whichever makes the first line name most (a line `sep=;` before it decides).
/// A cell with a separator, a line end or a quotation mark stands in double quotes, with the quotation marks in it
/// doubled. Lines end in LF, CRLF or CR; empty lines and lines of empty cells are passed over, as are separators at the
/// end of a line.
///
/// **Fields** go by these names, in any order, in letters of either size, with spaces, hyphens or underscores; fields of
/// other names are left out, as is the column without a name that pandas writes first. A part's first name goes before
/// its others; where two of the others, or two that differ in nothing but the size of letters, may be meant, neither is
/// taken.
///
/// | part | names |
/// |---|---|
/// | name | `name`, `title`: text, a number, true or false |
/// | clean prompt | `clean`, `clean_prompt`, `clean_prefix` |
/// | corrupted prompt | `corrupted`, `corrupt`, `corrupted_prompt`, `corrupt_prompt`, `patch_prefix` |
/// | answers | `answer`, `correct`, `correct_answer`, `clean_answer`, and their plurals in `s` |
/// | wrong answers | `wrong`, `wrong_answer`, `incorrect`, `incorrect_answer`, `corrupted_answer`, `corrupt_answer`, `patch_answer`, and the plurals |
/// | answers by token id | `answer_id`, `answer_ids`, `answer_idx`, `answers_idx`, `correct_id`, `correct_ids`, `correct_idx`, `clean_answer_idx`, `country_idx` |
/// | wrong answers by token id | `wrong_id`, `wrong_ids`, `wrong_idx`, `incorrect_id`, `incorrect_ids`, `incorrect_idx`, `corrupted_answer_idx`, `corrupted_answers_idx`, `corrupted_country_idx` |
/// | prompts by token id | `clean_ids`, `corrupted_ids`, with `corrupt` or `token_ids` too |
/// | a year | `label` |
///
/// A row needs both prompts and both sides' answers: all as text; else all as token ids; else prompts as text and
/// answers as token ids of the model's tokenizer; each row for itself. Spaces of prompts and answers are part of them.
/// In JSON several answers are a list; in a table `|` stands between them (an answer that holds `|` needs JSON), or they
/// are a list as Python or JSON prints it, which gives way to token ids in the same line. Token ids are numbers, a list
/// of numbers, or text with spaces, commas or `|` between them; prompts that are lists of numbers are token ids by any
/// name.
///
/// A **greater-than** list (Hanna et al. 2023) has a single number for the answers, `label`. It is read where the clean
/// prompt ends in two digits and has a year of four that begins with them: right are the two-digit years above the
/// label, wrong are `00` up to the label, each one token. The same number under the name of a token id, as EAP-IG
/// publishes it too, is read so where the prompt has just that year.
///
/// A row that is no pair is in the list with its place and the reason, and spoils no other: a broken line of JSON, a
/// quotation mark that is not closed, a first line in the middle of joined tables.
///
/// # Errors
/// [`PairsError`]: what makes the whole list unreadable.
pub fn read_pairs(bytes: &[u8], limits: Limits) -> Result<PairList, PairsError> {
    let text = pairs_text(bytes, limits)?;
    let most = limits.pairs;
    let rows = match text.trim_start().chars().next() {
        None => return Err(PairsError::Nothing),
        Some('[' | '{') => json::read(&text, most)?,
        Some(_) => table_or_lines(&text, most)?,
    };
    match rows.count {
        0 => Err(PairsError::Nothing),
        pairs if pairs > most => Err(PairsError::TooMany { pairs, most }),
        _ => Ok(PairList { rows: rows.kept }),
    }
}

/// A table, or JSON lines of which the first is broken.
fn table_or_lines(text: &str, most: usize) -> Result<Rows, PairsError> {
    let table = csv::read(text, most);
    let may_be_lines = || text.lines().any(|line| line.trim_start().starts_with('{'));
    if matches!(table, Err(PairsError::Columns { .. }))
        && may_be_lines()
        && let Ok(rows) = json::sequence(text, most)
        && rows.kept.iter().any(Result::is_ok)
    {
        return Ok(rows);
    }
    table
}

/// Prints pairs as a JSON list that [`read_pairs`] reads.
pub fn print_pairs(pairs: &[PromptPair]) -> String {
    // OK because it holds strings and lists.
    serde_json::to_string_pretty(pairs).unwrap_or_default()
}

#[cfg(test)]
mod read_tests;
