//! The text of a list of pairs: encodings, and files that are something else.

use std::borrow::Cow;

use super::{Limits, PairsError};
use crate::models::FileFormat;

/// The byte order mark, which stands in front of a text, says in which order its bytes are, and is no part of it.
const MARK: char = '\u{feff}';

const UNPACK: &str = "unpack it first";
const AS_CSV: &str = "save it as CSV in UTF-8";
const AS_JSONL: &str = "save its rows as JSON lines, or as CSV in UTF-8";

/// The text of a list of prompt pairs, from the bytes of a file.
///
/// Read are UTF-8, with or without a byte order mark, and UTF-16 in either order of bytes, with a mark or, where the
/// first two letters are ASCII and nothing else fits, without one. Line ends are kept, the mark is not.
///
/// # Errors
/// [`PairsError`]: more bytes than the limits say, an archive or another file that is no text, and every other
/// encoding, with the first byte that tells. Nothing is read by guess: another encoding's letters would be other
/// prompts.
pub fn pairs_text(bytes: &[u8], limits: Limits) -> Result<Cow<'_, str>, PairsError> {
    limits.hold(bytes.len())?;
    if let Some((what, way_out)) = other(bytes) {
        return Err(PairsError::NotAList { what, way_out });
    }
    let text = match bytes {
        [0xff, 0xfe, 0, 0, ..]
        | [0, 0, 0xfe, 0xff, ..]
        | [1..=0x7f, 0, 0, 0, ..]
        | [0, 0, 0, 1..=0x7f, ..] => return Err(PairsError::Utf32),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes, 2)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes, 2)?),
        // No text in UTF-8 holds a NUL.
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => Cow::Owned(utf16(bytes, u16::from_le_bytes, 0)?),
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => Cow::Owned(utf16(bytes, u16::from_be_bytes, 0)?),
        _ => Cow::Borrowed(utf8(bytes)?),
    };
    if let Some(at) = text.find('\0') {
        return Err(PairsError::Nul { line: line_at(&text, at) });
    }
    // Joined files have several.
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_start_matches(MARK)),
        Cow::Owned(text) if text.starts_with(MARK) => {
            Cow::Owned(text.trim_start_matches(MARK).to_owned())
        }
        owned @ Cow::Owned(_) => owned,
    };
    limits.hold(text.len())?;
    if let Some((what, way_out)) = other(text.trim_start().as_bytes()) {
        return Err(PairsError::NotAList { what, way_out });
    }
    Ok(text)
}

/// What these bytes are in place of a list, if their beginning says it.
fn other(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    Some(match FileFormat::of(bytes)? {
        // The names of an archive's parts are not packed.
        FileFormat::Zip if holds(b"xl/workbook") || holds(b"opendocument.spreadsheet") => {
            ("a workbook (xlsx or ods)", AS_CSV)
        }
        // So does torch.save.
        FileFormat::Zip if holds(b"data.pkl") => ("a file of PyTorch", AS_JSONL),
        FileFormat::Zip => ("a zip archive", UNPACK),
        FileFormat::Gzip => ("a gzip archive", UNPACK),
        FileFormat::Bzip2 => ("a bzip2 archive", UNPACK),
        FileFormat::Xz => ("an xz archive", UNPACK),
        FileFormat::Zstd => ("a zstd archive", UNPACK),
        FileFormat::SevenZip => ("a 7z archive", UNPACK),
        FileFormat::OldExcel => ("an Excel workbook (xls)", AS_CSV),
        FileFormat::Pickle => ("a pickle of Python", AS_JSONL),
        FileFormat::Parquet => ("a Parquet table", AS_JSONL),
        FileFormat::Arrow => ("an Arrow table", AS_JSONL),
        FileFormat::NumPy => ("a NumPy array", AS_JSONL),
        FileFormat::Hdf5 => ("an HDF5 file", AS_JSONL),
        FileFormat::Sqlite => ("an SQLite database", AS_JSONL),
        FileFormat::Gguf => ("a model’s weights (GGUF)", "take the list itself"),
        FileFormat::Pdf => ("a PDF document", "copy its text into a CSV"),
        FileFormat::RichText => ("a document in rich text (RTF)", "save it as plain text"),
        FileFormat::LfsPointer => (
            "a pointer of Git LFS, not the file itself",
            "fetch the file with git lfs pull, or by the host’s download button",
        ),
        FileFormat::Markup => {
            ("a web page (HTML) or XML", "save the list itself, by the page’s “raw” or “download”")
        }
    })
}

fn utf8(bytes: &[u8]) -> Result<&str, PairsError> {
    std::str::from_utf8(bytes).map_err(|source| {
        let offset = source.valid_up_to();
        let before = std::str::from_utf8(&bytes[..offset]).unwrap_or_default();
        if let Some(at) = before.find('\0') {
            return PairsError::Nul { line: line_at(before, at) };
        }
        if source.error_len().is_none() {
            return PairsError::CutOff { bytes: bytes.len() };
        }
        PairsError::Encoding { line: line_at(before, offset), offset, byte: bytes[offset] }
    })
}

/// Text of two bytes a unit, which begin at a byte of the file.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, begin: usize) -> Result<String, PairsError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(PairsError::CutOff { bytes: begin + bytes.len() });
    }
    let mut text = String::with_capacity(bytes.len());
    let mut offset = begin;
    for letter in char::decode_utf16(pairs.iter().copied().map(unit)) {
        let Ok(letter) = letter else {
            let byte = bytes[offset - begin];
            return Err(PairsError::Encoding { line: line_at(&text, text.len()), offset, byte });
        };
        offset += 2 * letter.len_utf16();
        text.push(letter);
    }
    Ok(text)
}

/// The line that a byte is in, from 1. Lines end as they do on any system.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    let mut lines = Lines::of(text);
    lines.at(at)
}

/// Counts lines on the way through a text.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of a byte, from 1; later bytes are asked for later.
    pub(super) fn at(&mut self, at: usize) -> usize {
        let at = at.min(self.text.len());
        while self.at < at {
            let is_end = match self.text[self.at] {
                b'\n' => true,
                b'\r' => self.text.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += usize::from(is_end);
            self.at += 1;
        }
        self.line
    }
}

/// Where the line after the one of a byte begins.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    let end = text[at..].find(['\n', '\r']).map_or(text.len(), |end| at + end);
    let is_pair = text[end..].starts_with("\r\n");
    (end + 1 + usize::from(is_pair)).min(text.len())
}
