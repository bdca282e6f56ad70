//! Writes into the page's service worker what the build is made of: only those bytes are kept in a browser.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};

use crate::build::files_of;

/// The service worker, beside the page.
pub(crate) const NAME: &str = "sw.js";
/// How the statement begins that holds the build.
const STATEMENT: &str = "const BUILD = ";
/// Most bytes that a visitor's browser is asked to keep: a page has 25 million.
const MOST_BYTES: u64 = 64_000_000;
/// The model that comes with the page; other models are kept when they are asked for.
const BUNDLED: &str = "models/mini/";
/// Digits of the build's digest in the names of its cache.
const NAMED_DIGITS: usize = 16;

/// Files by their names, with the SHA-256 of each.
type Digests = BTreeMap<String, String>;

/// Stamps the service worker in a folder with the files that are there now.
pub(crate) fn stamp(folder: &Path) -> anyhow::Result<()> {
    let script = folder.join(NAME);
    let (mut digests, mut all) = (Digests::new(), 0);
    for file in files_of(folder)? {
        let parts = file.strip_prefix(folder)?.components();
        let parts = parts.map(|part| part.as_os_str().to_string_lossy().into_owned());
        let name = parts.collect::<Vec<_>>().join("/");
        if is_of_the_page(&name) {
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            ensure!(
                name.chars().all(is_plain),
                "{name}: a browser would ask for it by another name"
            );
            all += bytes.len() as u64;
            digests.insert(name, hex(&Sha256::digest(bytes)));
        }
    }
    ensure!(all <= MOST_BYTES, "{all} bytes are more than a visitor's browser is asked to keep");
    let text = std::fs::read_to_string(&script).with_context(|| script.display().to_string())?;
    std::fs::write(&script, stamped(&text, &digests)?).with_context(|| script.display().to_string())
}

/// Whether a visitor's browser fetches a file of the folder: not what is for readers of it, for those who show a link to
/// the page, or for nobody, as a loader of the worker that Trunk writes.
fn is_of_the_page(name: &str) -> bool {
    let is_read = [".md", ".txt", ".gz", ".br"].iter().any(|ending| name.ends_with(ending));
    let is_hidden = name.split('/').any(|part| part.starts_with('.'));
    let is_other_model = name.starts_with("models/") && !name.starts_with(BUNDLED);
    !is_read
        && !is_hidden
        && !is_other_model
        && ![NAME, "card.png", "worker_loader.js", "_headers"].contains(&name)
}

/// The script with a build in place of the one in it, or of none.
fn stamped(script: &str, digests: &Digests) -> anyhow::Result<String> {
    ensure!(digests.contains_key("index.html"), "there is no page to keep");
    let (before, after) = script
        .split_once(&format!("\n{STATEMENT}"))
        .with_context(|| format!("{NAME} has no statement “{STATEMENT}”"))?;
    let (_, after) = after.split_once(";\n").context("the statement has no end")?;
    // What Rust prints of it is a script's object, too.
    let files = format!("{digests:?}");
    let name: String = hex(&Sha256::digest(&files)).chars().take(NAMED_DIGITS).collect();
    Ok(format!("{before}\n{STATEMENT}{{ name: \"{name}\", files: {files} }};\n{after}"))
}

/// A digest in digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    fn script() -> String {
        std::fs::read_to_string(root().join("web").join(NAME)).expect("the service worker")
    }

    fn digests(page: &str) -> Digests {
        [("index.html", page), ("worker.js", "cd")]
            .map(|(name, digest)| (name.to_owned(), digest.to_owned()))
            .into()
    }

    #[test]
    fn the_script_that_is_in_the_sources_keeps_nothing() {
        assert!(script().contains("\nconst BUILD = undefined;\n"));
    }

    #[test]
    fn a_stamp_takes_the_place_of_the_one_before() {
        let one = stamped(&script(), &digests("ab")).expect("a stamp");
        assert!(one.contains("files: {\"index.html\": \"ab\", \"worker.js\": \"cd\"}"), "{one}");
        let other = stamped(&one, &digests("ef")).expect("another");
        assert!(!other.contains("\"ab\"") && other.contains("\"ef\""));
        assert_eq!(stamped(&other, &digests("ab")).expect("the first again"), one);
        // Caches of two builds have two names.
        let name = |text: &str| text.split("name: ").nth(1).map(|rest| rest[..18].to_owned());
        assert!(name(&one).is_some() && name(&one) != name(&other));
    }

    #[test]
    fn a_folder_without_a_page_is_none() {
        assert!(stamped(&script(), &Digests::new()).is_err());
        assert!(stamped("addEventListener();", &digests("ab")).is_err());
    }

    #[test]
    fn what_no_visitor_fetches_is_not_kept() {
        for name in ["index.html", "models.json", "worker_bg.wasm", "models/mini/config.json"] {
            assert!(is_of_the_page(name), "{name}");
        }
        for name in [
            "sw.js",
            "card.png",
            "fonts/OFL.txt",
            "models/mini/MODEL_CARD.md",
            "models/own/model.safetensors",
            ".git/HEAD",
            "worker_bg.wasm.br",
        ] {
            assert!(!is_of_the_page(name), "{name}");
        }
    }
}
