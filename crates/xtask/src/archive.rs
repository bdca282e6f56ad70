//! The page as it is handed on: how large it is, and all of it in one archive for a host without Rust.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use miniz_oxide::deflate::compress_to_vec;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, DataDescriptorOutput, ZipArchiveWriter};

use crate::build::{build_name, files_of};
use crate::{root, say};

/// The archive's folder.
const FOLDER: &str = "twinbeam";
/// What its README says; `{build}` is replaced.
const README: &str = include_str!("../../../web/hosting/ARCHIVE.txt");
/// What programs for archives take by themselves.
const LEVEL: u8 = 6;

/// Says how large each file of the built page is.
#[expect(clippy::print_stdout, reason = "a program that reports what it does")]
pub(crate) fn say_sizes(dist: &Path) -> anyhow::Result<()> {
    println!("{:>12} {:>12}  file in dist/", "bytes", "gzip");
    for file in files_of(dist)? {
        let bytes = file.metadata()?.len();
        let name = file.strip_prefix(dist)?.display();
        println!("{bytes:>12} {:>12}  {name}", gzipped(&file)?);
    }
    Ok(())
}

/// Bytes that a visitor downloads when the server compresses, as most do.
fn gzipped(file: &Path) -> anyhow::Result<usize> {
    let mut gzip = Command::new("gzip");
    let mut child =
        gzip.arg("-9c").arg(file).stdout(Stdio::piped()).spawn().context("starting gzip")?;
    let mut bytes = Vec::new();
    child.stdout.take().context("gzip has no output")?.read_to_end(&mut bytes)?;
    child.wait()?;
    Ok(bytes.len())
}

/// Packs `dist/`, the licences and how to host it, and says where the archive is.
pub(crate) fn zip() -> anyhow::Result<()> {
    let build = build_name();
    let mut entries =
        vec![("README.txt".to_owned(), README.replace("{build}", &build).into_bytes())];
    for entry in std::fs::read_dir(root())? {
        let file = entry?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("LICENSE") {
            entries.push((name, read(&file)?));
        }
    }
    let dist = root().join("dist");
    for file in files_of(&dist)? {
        let parts = file.strip_prefix(&dist)?.components();
        let parts = parts.map(|part| part.as_os_str().to_string_lossy().into_owned());
        entries.push((parts.collect::<Vec<_>>().join("/"), read(&file)?));
    }
    let archive = root().join("target").join(format!("{FOLDER}-{build}.zip"));
    let bytes = packed(&entries, made())?;
    std::fs::write(&archive, &bytes).with_context(|| archive.display().to_string())?;
    let megabytes = bytes.len() as f64 / 1e6;
    say(&format!("{}, {megabytes:.1} MB: its README.txt says how to host it", archive.display()));
    Ok(())
}

fn read(file: &PathBuf) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| file.display().to_string())
}

/// Seconds from the beginning of 1970 to the last commit, so that the same sources make the same archive.
fn made() -> i64 {
    let git = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()).output();
    let text = git.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    // 2026, where there is no git: a time is needed, since some programs refuse month 0 of 1980.
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1_767_225_600)
}

/// An archive of files by their names in its folder.
fn packed(entries: &[(String, Vec<u8>)], made: i64) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in entries {
        ensure!(name.is_ascii(), "{name} may not be read everywhere");
        let name = format!("{FOLDER}/{name}");
        let file = archive.new_file(&name).compression_method(CompressionMethod::DEFLATE);
        let (mut file, _config) = file.last_modified(UtcDateTime::from_unix(made)).start()?;
        file.write_all(&compress_to_vec(bytes, LEVEL))?;
        file.finish(DataDescriptorOutput::new(rawzip::crc32(bytes), bytes.len() as u64))?;
    }
    Ok(archive.finish()?)
}

#[cfg(test)]
mod tests {
    use miniz_oxide::inflate::decompress_to_vec;
    use rawzip::ZipArchive;

    use super::*;

    #[test]
    fn what_is_packed_is_there_again() {
        let entries = [
            ("README.txt".to_owned(), b"how".to_vec()),
            ("models/mini/config.json".to_owned(), b"{}".repeat(1000)),
        ];
        let bytes = packed(&entries, 1_700_000_000).expect("plain names");
        let archive = ZipArchive::from_slice(&bytes).expect("an archive");
        for (entry, (name, plain)) in archive.entries().zip(&entries) {
            let entry = entry.expect("an entry");
            let file = archive.get_entry(entry.wayfinder()).expect("its bytes");
            assert_eq!(&decompress_to_vec(file.data()).expect("packed"), plain);
            assert_eq!(entry.crc32(), rawzip::crc32(plain));
            let path = entry.file_path().try_normalize().expect("a name").as_ref().to_owned();
            assert_eq!(path, format!("twinbeam/{name}"));
        }
        assert!(packed(&[("é".to_owned(), Vec::new())], 0).is_err());
    }

    #[test]
    fn the_readme_says_how_to_host_it() {
        assert_eq!(README.matches("{build}").count(), 1);
        assert!(README.is_ascii() && README.lines().all(|line| line.len() <= 120));
        for word in ["python3 -m http.server", "text/javascript", "index.html", "models.json"] {
            assert!(README.contains(word), "{word}");
        }
    }
}
