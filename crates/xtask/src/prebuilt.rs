//! Tools as their authors publish them, ready to run: taken only if every byte is the one that was expected.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, anyhow, ensure};
use sha2::{Digest as _, Sha256};

use crate::execute;

/// An archive with one program at its top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    pub(crate) address: String,
    pub(crate) sha256: &'static str,
    pub(crate) program: &'static str,
}

/// Trunk of a version for a system; `None` where none is published, or none whose digest was checked.
pub(crate) fn trunk(version: &str, os: &str, arch: &str) -> Option<Archive> {
    // Of 0.21.14: what Trunk's release page states, and several projects have checked and pinned.
    let (system, sha256) = match (version, os, arch) {
        ("0.21.14", "linux", "x86_64") => (
            "x86_64-unknown-linux-gnu",
            "f2b4680cd239693a646a2795e4633c625328d7b2a044fbe749fa3a2fe9e7036b",
        ),
        ("0.21.14", "linux", "aarch64") => (
            "aarch64-unknown-linux-gnu",
            "b1d8e60e454f7fc182d9a4d95d1506ffbae947d8ba90f8f6f02da93b60f980f9",
        ),
        ("0.21.14", "macos", "x86_64") => (
            "x86_64-apple-darwin",
            "f1ba0e3bbe24e0ae219c6d22c33e24e2825c1608dd27c2556e323495110f1a95",
        ),
        ("0.21.14", "macos", "aarch64") => (
            "aarch64-apple-darwin",
            "764e299dd50d89442a4e96a236349f57961984b701e74d3dbdb39cd1c9f5101e",
        ),
        _ => return None,
    };
    let releases = "https://github.com/trunk-rs/trunk/releases/download";
    let address = format!("{releases}/v{version}/trunk-{system}.tar.gz");
    Some(Archive { address, sha256, program: "trunk" })
}

/// Fetches an archive by the given protocols (`=https`), compares its digest, and unpacks the program into a folder. Nothing
/// is left in the folder where one of these fails.
pub(crate) fn take(archive: &Archive, protocols: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let packed = folder.join("archive");
    let result = fetch(archive, protocols, &packed).and_then(|()| unpack(archive, &packed, folder));
    if packed.exists() {
        std::fs::remove_file(&packed).with_context(|| packed.display().to_string())?;
    }
    result
}

fn fetch(archive: &Archive, protocols: &str, packed: &Path) -> anyhow::Result<()> {
    let mut curl = Command::new("curl");
    // A network that does not have it says so at once or never.
    curl.args(["--silent", "--show-error", "--fail", "--location", "--proto", protocols]);
    curl.args(["--proto-redir", protocols, "--connect-timeout", "10", "--max-time", "180"]);
    let fetched = execute(curl.arg("--output").arg(packed).arg(&archive.address));
    // It has said why.
    fetched.map_err(|_| anyhow!("{} could not be fetched", archive.address))
}

fn unpack(archive: &Archive, packed: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let bytes = std::fs::read(packed).context("what was fetched")?;
    let digest = hexadecimal(&bytes);
    ensure!(
        digest == archive.sha256,
        "{} has the SHA-256 {digest}, not {}: it is not used",
        archive.address,
        archive.sha256
    );
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file"]).arg(packed).arg("--directory").arg(folder);
    execute(tar.arg(archive.program))?;
    Ok(folder.join(archive.program))
}

/// The SHA-256 of bytes, as it is published.
fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    /// A folder that is removed with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let id = std::process::id();
            let folder = std::env::temp_dir().join(format!("twinbeam-prebuilt-{id}-{name}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            Self(folder)
        }

        fn names(&self) -> Vec<String> {
            let entries = std::fs::read_dir(&self.0).expect("the folder");
            entries
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("cleaned up");
        }
    }

    /// An archive with a program that says `ready`.
    fn packed(source: &str) -> Vec<u8> {
        let folder = Folder::new(source);
        let script =
            "echo '#!/bin/sh\necho ready' > tool && chmod +x tool && tar -czf archive.tar.gz tool";
        let status = Command::new("sh").args(["-c", script]).current_dir(&folder.0).status();
        assert!(status.expect("sh").success());
        std::fs::read(folder.0.join("archive.tar.gz")).expect("the archive")
    }

    /// Answers one request with a status and bytes.
    fn server(status: &'static str, bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).expect("the request") > 0);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes()).expect("the head");
            stream.write_all(&bytes).expect("the bytes");
        });
        format!("http://{address}/tool.tar.gz")
    }

    fn digest(bytes: &[u8]) -> &'static str {
        hexadecimal(bytes).leak()
    }

    #[test]
    fn an_archive_with_the_right_digest_is_unpacked() {
        let bytes = packed("source");
        let sha256 = digest(&bytes);
        let archive = Archive { address: server("200 OK", bytes), sha256, program: "tool" };
        let folder = Folder::new("right");
        let tool = take(&archive, "=http", &folder.0).expect("it is taken");
        let said = Command::new(tool).output().expect("it runs");
        assert_eq!(said.stdout, b"ready\n");
        assert_eq!(folder.names(), ["tool"]);
    }

    #[test]
    fn nothing_is_left_of_what_is_not_right() {
        let bytes = packed("another source");
        let sha256 = digest(b"another");
        let folder = Folder::new("wrong");
        let address = server("200 OK", bytes.clone());
        let other = Archive { address, sha256, program: "tool" };
        let said = take(&other, "=http", &folder.0).expect_err("another digest").to_string();
        assert!(said.contains(sha256) && said.contains(digest(&bytes)), "{said}");
        let address = server("404 Not Found", bytes.clone());
        let missing = Archive { address, sha256: digest(&bytes), program: "tool" };
        take(&missing, "=http", &folder.0).expect_err("it is not there");
        let address = server("200 OK", bytes.clone());
        let insecure = Archive { address, sha256: digest(&bytes), program: "tool" };
        take(&insecure, "=https", &folder.0).expect_err("no other protocol");
        assert_eq!(folder.names(), [""; 0]);
    }

    #[test]
    fn a_version_without_digests_is_built() {
        for (os, arch) in [("linux", "x86_64"), ("macos", "aarch64")] {
            let archive = trunk("0.21.14", os, arch).expect("it is published");
            assert_eq!(archive.sha256.len(), 64);
            assert!(archive.address.starts_with("https://") && archive.address.contains(arch));
        }
        assert_eq!(trunk("0.21.13", "linux", "x86_64"), None);
        assert_eq!(trunk("0.21.14", "plan9", "x86_64"), None);
    }
}
