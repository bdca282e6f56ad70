//! Several files in one, packed.

use std::io::Write as _;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use miniz_oxide::deflate::compress_to_vec;
use rawzip::path::EntryPath;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

use crate::PackError;

/// What programs for archives take by themselves: tables of numbers become a fifth.
const LEVEL: u8 = 6;
/// The checksum of archives.
const CHECKSUM: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// A file by its name in the archive, which is ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, with folders.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Entry {
    pub(crate) fn of(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), text }
    }
}

/// A zip archive of files, made so many seconds after the beginning of 1970.
///
/// # Errors
/// Files that an archive cannot hold.
pub(crate) fn archive(entries: &[Entry], made: i64) -> Result<Vec<u8>, PackError> {
    Ok(packed(entries, made)?)
}

fn packed(entries: &[Entry], made: i64) -> Result<Vec<u8>, rawzip::Error> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for Entry { name, text } in entries {
        let bytes = text.as_bytes();
        // Names are ours and plain: to have them made so would take more of the program.
        let name = EntryPath::verbatim(name.as_bytes());
        let file = archive.new_file(name).compression_method(CompressionMethod::DEFLATE);
        // Without a time it would be month 0 of 1980, which some programs refuse.
        let file = file.last_modified(UtcDateTime::from_unix(made));
        let (mut file, _config) = file.start()?;
        file.write_all(&compress_to_vec(bytes, LEVEL))?;
        file.finish(DataDescriptorOutput::new(CHECKSUM.checksum(bytes), bytes.len() as u64))?;
    }
    archive.finish()
}

#[cfg(test)]
mod tests {
    use miniz_oxide::inflate::decompress_to_vec;
    use rawzip::ZipArchive;

    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let entries = [
            Entry::of("README.txt", "one\ntwo “three”".to_owned()),
            Entry::of("plots/a.svg", "<svg/>".repeat(1000)),
            Entry::of("empty", String::new()),
        ];
        let bytes = archive(&entries, 1_700_000_000).expect("names are plain");
        assert!(bytes.len() < 1000, "{}", bytes.len());
        let read = ZipArchive::from_slice(&bytes).expect("an archive");
        let mut seen = Vec::new();
        for entry in read.entries() {
            let entry = entry.expect("an entry");
            let file = read.get_entry(entry.wayfinder()).expect("its bytes");
            let plain = decompress_to_vec(file.data()).expect("packed");
            assert_eq!(entry.crc32(), rawzip::crc32(&plain));
            let name = entry.file_path().try_normalize().expect("a name").as_ref().to_owned();
            seen.push(Entry { name, text: String::from_utf8(plain).expect("text") });
        }
        assert_eq!(seen, entries);
    }
}
