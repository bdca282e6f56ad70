//! Formats of files that are known by their first bytes: what may stand in the place of a model's file or a list.

/// A format of files that is known by the first bytes. Whoever expects another file says what is there instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// The placeholder that stands for a file in a Git repository.
    LfsPointer,
    /// A zip archive, which workbooks and PyTorch's files are as well.
    Zip,
    /// A compressed file.
    Gzip,
    /// A compressed file.
    Bzip2,
    /// A compressed file.
    Xz,
    /// A compressed file.
    Zstd,
    /// A 7z archive.
    SevenZip,
    /// A Python pickle of protocol 2 and up; older ones cannot be told from text.
    Pickle,
    /// Weights in the GGUF format.
    Gguf,
    /// An HDF5 file.
    Hdf5,
    /// A NumPy array.
    NumPy,
    /// A Parquet table.
    Parquet,
    /// An Arrow table.
    Arrow,
    /// An SQLite database.
    Sqlite,
    /// A workbook of Excel in its old, binary form.
    OldExcel,
    /// A PDF document.
    Pdf,
    /// A document in rich text.
    RichText,
    /// HTML or XML: something in angle brackets.
    Markup,
}

/// How files of each format begin.
const BEGINNINGS: [(&[u8], FileFormat); 18] = [
    (b"version https://git-lfs", FileFormat::LfsPointer),
    (b"PK\x03\x04", FileFormat::Zip),
    // Of an archive without a file.
    (b"PK\x05\x06", FileFormat::Zip),
    (b"\x1f\x8b", FileFormat::Gzip),
    (b"BZh", FileFormat::Bzip2),
    (b"\xfd7zXZ", FileFormat::Xz),
    (b"\x28\xb5\x2f\xfd", FileFormat::Zstd),
    (b"7z\xbc\xaf", FileFormat::SevenZip),
    (b"GGUF", FileFormat::Gguf),
    (b"\x89HDF", FileFormat::Hdf5),
    (b"\x93NUMPY", FileFormat::NumPy),
    (b"PAR1", FileFormat::Parquet),
    (b"ARROW1", FileFormat::Arrow),
    (b"SQLite format 3", FileFormat::Sqlite),
    (b"\xd0\xcf\x11\xe0", FileFormat::OldExcel),
    (b"%PDF", FileFormat::Pdf),
    (b"{\\rtf", FileFormat::RichText),
    (b"<", FileFormat::Markup),
];

impl FileFormat {
    /// What a file is, if its first bytes say it.
    pub fn of(first: &[u8]) -> Option<Self> {
        if let [0x80, 2..=5, ..] = first {
            return Some(Self::Pickle);
        }
        let found = BEGINNINGS.iter().find(|(begin, _)| first.starts_with(begin));
        found.map(|(_, format)| *format)
    }
}
