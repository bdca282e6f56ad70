//! What stands in the place of a model's file, told by its first bytes: one table for every kind of file.

use std::borrow::Cow;
use std::fmt;

use serde::de::IgnoredAny;
use twinbeam_core::models::FileFormat;

/// Bytes of a file that are looked at.
pub(crate) const FIRST_BYTES: usize = 64;

/// Characters of a text that a message repeats.
const MOST_QUOTED: usize = 40;

/// What a file of a model should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A JSON object, as a configuration, a tokenizer and an index are.
    Json,
    /// Text in lines, as `merges.txt` is.
    Text,
    /// Weights in the safetensors format.
    Weights,
}

/// What stands in the place of a file, as its bytes show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// A file without a byte.
    Empty,
    /// The placeholder that stands for a file in a Git repository.
    LfsPointer,
    /// A page, as login and error pages are, or another answer of a server in angle brackets.
    WebPage,
    /// A Python pickle.
    Pickle,
    /// A zip archive, which PyTorch's files are as well.
    Zip,
    /// A compressed file, by the name of its format.
    Packed(&'static str),
    /// A file of another format, by its name.
    Format(&'static str),
    /// Text in UTF-16.
    Utf16,
    /// Zero bytes only.
    Zeros,
    /// Text of another kind, by its beginning.
    Words(String),
    /// JSON that ends before it is complete.
    CutOff,
    /// Text that is no JSON from some place on.
    NotJson {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// JSON that is no object but a list, a text or a number.
    NotAnObject(&'static str),
    /// Bytes that are no text.
    NotText,
}

/// A file that is not what it should be: what was expected, what was found, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {damage}: {}", self.way_out())]
pub struct NotTheFile {
    /// The kind of file that should be there.
    pub expected: FileKind,
    /// What is there instead.
    pub damage: Damage,
}

impl FileKind {
    /// The error of a file of this kind that has a damage.
    pub(crate) const fn with(self, damage: Damage) -> NotTheFile {
        NotTheFile { expected: self, damage }
    }

    /// Looks at the first bytes of a file, 64 of them if there are as many. Damage that shows further on is
    /// found where the file is read.
    ///
    /// # Errors
    /// The file is recognised as something else.
    pub fn check(self, first: &[u8]) -> Result<(), NotTheFile> {
        self.recognise(first).map_or(Ok(()), |damage| Err(self.with(damage)))
    }

    fn recognise(self, first: &[u8]) -> Option<Damage> {
        let first = first.get(..FIRST_BYTES).unwrap_or(first);
        if first.is_empty() {
            return Some(Damage::Empty);
        }
        // The length of a header, then the header: this is what it should be, whatever the length looks like.
        if self == Self::Weights && first.get(8) == Some(&b'{') && first[4..8] == [0; 4] {
            return None;
        }
        if first.len() >= 8 && first.iter().all(|byte| *byte == 0) {
            return Some(Damage::Zeros);
        }
        of_a_format(first).or_else(|| match self {
            Self::Weights => words(first).map(Damage::Words),
            Self::Json | Self::Text => None,
        })
    }

    /// The words of a text: what is left without a byte order mark.
    ///
    /// # Errors
    /// What is no text in UTF-8, or is recognised as something else.
    pub fn text(self, bytes: &[u8]) -> Result<&str, NotTheFile> {
        self.check(bytes)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        std::str::from_utf8(bytes).map_err(|_utf8| self.with(Damage::NotText))
    }
}

/// Checks that bytes are a JSON object, and gives them without a byte order mark.
///
/// # Errors
/// Whatever they are instead: recognised by their beginning, cut off, no JSON, no object.
pub fn json_object(bytes: &[u8]) -> Result<&[u8], NotTheFile> {
    let text = FileKind::Json.text(bytes)?;
    let refused = |damage| Err(FileKind::Json.with(damage));
    let begun = text.trim_start();
    if begun.is_empty() {
        return refused(Damage::Empty);
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        return refused(if error.is_eof() {
            Damage::CutOff
        } else if begun.starts_with(['{', '[']) {
            Damage::NotJson { line: error.line(), column: error.column() }
        } else {
            Damage::Words(quoted(begun))
        });
    }
    match begun.as_bytes()[0] {
        b'{' => Ok(text.as_bytes()),
        b'[' => refused(Damage::NotAnObject("a list")),
        b'"' => refused(Damage::NotAnObject("a text")),
        b't' | b'f' => refused(Damage::NotAnObject("true or false")),
        b'n' => refused(Damage::NotAnObject("null")),
        _ => refused(Damage::NotAnObject("a number")),
    }
}

/// Files that are known by their first bytes.
fn of_a_format(first: &[u8]) -> Option<Damage> {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let is_markup = FileFormat::of(text) == Some(FileFormat::Markup);
    match FileFormat::of(first).or(is_markup.then_some(FileFormat::Markup)) {
        Some(format) => return Some(of(format)),
        None if first.starts_with(b"\xff\xfe") || first.starts_with(b"\xfe\xff") => {
            return Some(Damage::Utf16);
        }
        None => {}
    }
    // Every other byte of Latin letters in UTF-16 is zero, also where no mark says so.
    let halves = |from: usize| first.iter().skip(from).step_by(2);
    let is_ascii = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let alternate = |zero: usize| {
        halves(zero).all(|byte| *byte == 0) && halves(1 - zero).all(is_ascii) && first.len() >= 4
    };
    (alternate(0) || alternate(1)).then_some(Damage::Utf16)
}

/// What a file of another format is in the place of a model's.
const fn of(format: FileFormat) -> Damage {
    match format {
        FileFormat::LfsPointer => Damage::LfsPointer,
        FileFormat::Markup => Damage::WebPage,
        FileFormat::Pickle => Damage::Pickle,
        FileFormat::Zip => Damage::Zip,
        FileFormat::Gzip => Damage::Packed("gzip"),
        FileFormat::Bzip2 => Damage::Packed("bzip2"),
        FileFormat::Xz => Damage::Packed("xz"),
        FileFormat::Zstd => Damage::Packed("zstd"),
        FileFormat::SevenZip => Damage::Packed("7z"),
        FileFormat::Gguf => Damage::Format("GGUF"),
        FileFormat::Hdf5 => Damage::Format("HDF5"),
        FileFormat::NumPy => Damage::Format("NumPy"),
        FileFormat::Parquet => Damage::Format("Parquet"),
        FileFormat::Arrow => Damage::Format("Arrow"),
        FileFormat::Sqlite => Damage::Format("SQLite"),
        FileFormat::OldExcel => Damage::Format("binary Excel"),
        FileFormat::Pdf => Damage::Format("PDF"),
        FileFormat::RichText => Damage::Format("rich text (RTF)"),
    }
}

/// How a file begins that is text as far as it shows.
fn words(first: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        // The last character may go on behind what is looked at.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(first.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || c.is_whitespace();
    (text.len() > 3 && text.chars().all(is_text)).then(|| quoted(text))
}

/// The beginning of a text, on one line.
fn quoted(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(MOST_QUOTED).collect()
}

impl NotTheFile {
    fn way_out(&self) -> &'static str {
        let is_weights = self.expected == FileKind::Weights;
        match self.damage {
            Damage::LfsPointer => {
                "run `git lfs pull` where it was cloned, or download the file itself"
            }
            Damage::WebPage => {
                "a server that wants a login, or does not have the file, answers like this; download the file itself"
            }
            Damage::Pickle | Damage::Zip | Damage::Format(_) if is_weights => {
                "convert the model to safetensors, for instance with save_pretrained of transformers"
            }
            Damage::Packed(_) | Damage::Zip => "unpack it",
            Damage::Utf16 if !is_weights => "save it in UTF-8",
            Damage::NotJson { .. } => "mend it there, or download it again",
            Damage::Empty | Damage::Zeros | Damage::CutOff => {
                "the download was cut off; download it again"
            }
            Damage::Pickle
            | Damage::Format(_)
            | Damage::Utf16
            | Damage::Words(_)
            | Damage::NotAnObject(_)
            | Damage::NotText => "it is another file; take the model’s own",
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "a JSON object",
            Self::Text => "text",
            Self::Weights => "weights in the safetensors format",
        })
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Cow<'_, str> = match self {
            Self::Empty => "an empty file".into(),
            Self::LfsPointer => {
                "a Git LFS pointer, which stands for the file in a repository".into()
            }
            Self::WebPage => "a web page".into(),
            Self::Pickle => "a Python pickle, which can run code when it is read".into(),
            Self::Zip => "a zip archive, as PyTorch’s pickled weights are".into(),
            Self::Packed(format) => format!("a file packed by {format}").into(),
            Self::Format(format) => format!("a {format} file").into(),
            Self::Utf16 => "text in UTF-16".into(),
            Self::Zeros => "zero bytes only".into(),
            Self::Words(words) => format!("text that begins “{words}”").into(),
            Self::CutOff => "JSON that ends in the middle".into(),
            Self::NotJson { line, column } => {
                format!("text that is no JSON from line {line}, column {column} on").into()
            }
            Self::NotAnObject(kind) => format!("JSON that is {kind}").into(),
            Self::NotText => "bytes that are no text in UTF-8".into(),
        };
        f.write_str(&words)
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_header_is_no_damage_whatever_its_length_looks_like() {
        // 60 is `<`, 0x8b1f is gzip's mark, 0x0280 a pickle's, 0x4b50 a zip's.
        for length in [60_u64, 0x8b1f, 0x0280, 0x0003_4b50, 0x0403_4b50, 0xfeff, 0x3c3c_3c3c] {
            let first = [&length.to_le_bytes()[..], b"{\"__metadata__\":{}}"].concat();
            assert_eq!(FileKind::Weights.check(&first), Ok(()), "{length:x}");
        }
    }

    #[test]
    fn a_json_object_comes_back_without_its_mark() {
        for (bytes, object) in [
            (&b"{}"[..], &b"{}"[..]),
            (b"\xef\xbb\xbf{\"a\": 1}", b"{\"a\": 1}"),
            (b"\n {}\n", b"\n {}\n"),
        ] {
            assert_eq!(json_object(bytes), Ok(object));
        }
    }

    #[test]
    fn what_is_no_json_object_is_named() {
        let damage = |bytes: &[u8]| json_object(bytes).expect_err("damaged").damage;
        assert_eq!(damage(b""), Damage::Empty);
        assert_eq!(damage(b" \n"), Damage::Empty);
        assert_eq!(damage(b"{\"a\": [1,"), Damage::CutOff);
        assert_eq!(damage(b"{\n\"a\" 1}"), Damage::NotJson { line: 2, column: 5 });
        assert_eq!(damage(b"[1]"), Damage::NotAnObject("a list"));
        assert_eq!(damage(b"null"), Damage::NotAnObject("null"));
        assert_eq!(damage(b"Entry not found"), Damage::Words("Entry not found".to_owned()));
        assert_eq!(damage(b"{\0\"\0a\0"), Damage::Utf16);
        assert_eq!(damage(b"{\"a\": \"\xff\"}"), Damage::NotText);
    }

    #[test]
    fn any_bytes_can_be_looked_at() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..20_000 {
            let len = rng.random_range(0..100);
            // Few values, so that marks, zeros and text come up.
            let values = b"\0\xef\xbb\xbf\xff\xfe{}[]\"a1 <PK\x03\x04\x80\x02";
            let byte = |_| values[rng.random_range(0..values.len())];
            let bytes: Vec<u8> = (0..len).map(byte).collect();
            for kind in [FileKind::Json, FileKind::Text, FileKind::Weights] {
                let is_known = kind.check(&bytes).is_err();
                assert!(!is_known || kind.text(&bytes).is_err(), "{bytes:?}");
            }
            if let Ok(object) = json_object(&bytes) {
                assert!(serde_json::from_slice::<serde_json::Value>(object).unwrap().is_object());
            }
        }
    }
}
