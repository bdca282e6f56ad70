//! What the browser's storage holds of a model: a list of entries, one JSON object per line, each written
//! after the bytes that it speaks of. What was cut off is a line without an end, and is not believed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// How large a file is where it came from.
    Size {
        /// Name of the file.
        file: String,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A file is not there.
    Absent {
        /// Name of the file.
        file: String,
    },
    /// Bytes of a file are kept.
    Piece(Piece),
    /// Bytes that were kept turned out to be damaged.
    Dropped {
        /// Name of the file.
        file: String,
        /// Byte of the file at which the piece begins.
        start: u64,
    },
    /// Everything that a model needs is kept, and was a working model.
    Complete(Completion),
}

/// A range of a file, and where it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// Name of the file.
    pub file: String,
    /// First byte of the range.
    pub start: u64,
    /// The byte after the last of the range.
    pub end: u64,
    /// Byte of the storage at which the range lies.
    pub at: u64,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: String,
}

impl Piece {
    /// Number of bytes of the piece.
    const fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

/// What is known of a model that is kept whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub sha256: String,
    /// When the model was complete, in milliseconds since 1970.
    pub millis: u64,
    /// Whether the digest is the expected one; `None`: none was known.
    pub as_expected: Option<bool>,
}

/// What a journal's entries add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// Sizes of files.
    pub sizes: BTreeMap<String, u64>,
    /// Files that are not there.
    pub absent: Vec<String>,
    /// Pieces by file and first byte.
    pub pieces: BTreeMap<(String, u64), Piece>,
    /// Whether the model is kept whole.
    pub complete: Option<Completion>,
    /// The first byte of the storage that no piece was ever given.
    pub end: u64,
}

impl Journal {
    /// Adds the entries of a text up to the first that is not whole; the number of bytes that were
    /// taken, behind which the next entry belongs.
    pub fn read(text: &[u8]) -> (Self, usize) {
        let mut journal = Self::default();
        let mut taken = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let Some(entry) = line.strip_suffix(b"\n") else { break };
            let Some(entry) = Entry::read(entry) else { break };
            journal.add(entry);
            taken += line.len();
        }
        (journal, taken)
    }

    /// Adds one entry.
    pub fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Size { file, bytes } => {
                self.sizes.insert(file, bytes);
            }
            Entry::Absent { file } => self.absent.push(file),
            Entry::Piece(piece) => {
                self.end = self.end.max(piece.at.saturating_add(piece.len()));
                self.pieces.insert((piece.file.clone(), piece.start), piece);
            }
            Entry::Dropped { file, start } => {
                self.pieces.remove(&(file, start));
                self.complete = None;
            }
            Entry::Complete(completion) => self.complete = Some(completion),
        }
    }

    /// The piece that is exactly this range of a file.
    pub fn piece(&self, file: &str, start: u64, end: u64) -> Option<&Piece> {
        self.pieces.get(&(file.to_owned(), start)).filter(|piece| piece.end == end)
    }

    /// Bytes of all pieces.
    pub fn bytes(&self) -> u64 {
        self.pieces.values().fold(0, |bytes: u64, piece| bytes.saturating_add(piece.len()))
    }
}

impl Entry {
    /// Reads a line without its end. By hand: a derived reader of a tagged list of fields adds 14 kB to the page.
    fn read(line: &[u8]) -> Option<Self> {
        let fields: Value = serde_json::from_str(std::str::from_utf8(line).ok()?).ok()?;
        let text = |name: &str| Some(fields.get(name)?.as_str()?.to_owned());
        let number = |name: &str| fields.get(name)?.as_u64();
        Some(match fields.get("entry")?.as_str()? {
            "size" => Self::Size { file: text("file")?, bytes: number("bytes")? },
            "absent" => Self::Absent { file: text("file")? },
            "piece" => {
                let (start, end, at) = (number("start")?, number("end")?, number("at")?);
                // A range that cannot be is damage like any other.
                at.checked_add(end.checked_sub(start)?)?;
                Self::Piece(Piece { file: text("file")?, start, end, at, sha256: text("sha256")? })
            }
            "dropped" => Self::Dropped { file: text("file")?, start: number("start")? },
            "complete" => Self::Complete(Completion {
                sha256: text("sha256")?,
                millis: number("millis")?,
                as_expected: fields.get("as_expected").and_then(Value::as_bool),
            }),
            _ => return None,
        })
    }

    /// The entry as a line, with its end.
    pub fn line(&self) -> String {
        // OK because an entry holds strings and numbers.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(start: u64, at: u64) -> Entry {
        let (file, sha256) = ("model.safetensors".to_owned(), "00".to_owned());
        Entry::Piece(Piece { file, start, end: start + 10, at, sha256 })
    }

    #[test]
    fn a_torn_line_is_not_believed() {
        let size = Entry::Size { file: "config.json".to_owned(), bytes: 7 };
        let whole = [size, piece(0, 0), piece(10, 10)].map(|entry| entry.line()).concat();
        let complete = Completion { sha256: "ab".to_owned(), millis: 5, as_expected: None };
        let last = Entry::Complete(complete).line();
        for cut in 0..last.len() {
            let text = format!("{whole}{}", &last[..cut]);
            let (journal, taken) = Journal::read(text.as_bytes());
            assert_eq!((taken, journal.complete.is_none()), (whole.len(), true), "cut at {cut}");
            assert_eq!((journal.bytes(), journal.end), (20, 20));
        }
        let (journal, taken) = Journal::read(format!("{whole}{last}").as_bytes());
        assert_eq!(taken, whole.len() + last.len());
        assert!(journal.complete.is_some());
        assert_eq!(journal.piece("model.safetensors", 10, 20).map(|piece| piece.at), Some(10));
        assert_eq!(journal.piece("model.safetensors", 10, 21), None);
    }

    #[test]
    fn a_dropped_piece_is_gone_and_nothing_is_complete() {
        let complete = Completion { sha256: "ab".to_owned(), millis: 5, as_expected: Some(true) };
        let mut journal = Journal::default();
        journal.add(piece(0, 0));
        journal.add(Entry::Complete(complete));
        journal.add(Entry::Dropped { file: "model.safetensors".to_owned(), start: 0 });
        assert_eq!((journal.bytes(), journal.complete.clone(), journal.end), (0, None, 10));
    }

    #[test]
    fn a_range_that_cannot_be_is_not_believed() {
        let line = |start: u64, end: u64, at: u64| {
            format!(
                "{{\"entry\":\"piece\",\"file\":\"a\",\"start\":{start},\"end\":{end},\"at\":{at},\"sha256\":\"\"}}\n"
            )
        };
        for (start, end, at) in [(7, 3, 0), (0, 2, u64::MAX - 1), (0, u64::MAX, 1)] {
            assert_eq!(Journal::read(line(start, end, at).as_bytes()), (Journal::default(), 0));
        }
        let text = line(0, u64::MAX, 0) + &line(1, u64::MAX, 0);
        assert_eq!(Journal::read(text.as_bytes()).0.bytes(), u64::MAX, "as many as there are");
    }

    #[test]
    fn any_bytes_can_be_read() {
        use proptest::prelude::*;
        proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
            let (_, taken) = Journal::read(&bytes);
            prop_assert!(taken <= bytes.len());
        });
    }
}
