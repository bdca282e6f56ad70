//! Takes the scripts out of the page, whose content security policy allows none in it, and says what it is made of then.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::build::files_of;
use crate::service;

/// Bytes of a script's SHA-256 that its name holds.
const NAMED_BYTES: usize = 8;

/// A script that was in the page, and the file that it becomes.
#[derive(Debug, PartialEq, Eq)]
struct Script {
    name: String,
    text: String,
}

/// Set where Trunk serves the page to whoever works on it: nothing of such a build is kept in a browser.
pub(crate) const SERVED: &str = "TWINBEAM_SERVED";

/// Moves each script inside a folder's `index.html` into a file beside it, and stamps its service worker.
pub(crate) fn seal(folder: &Path) -> anyhow::Result<()> {
    let page = folder.join("index.html");
    let html = std::fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let (html, scripts) = without_scripts(&html)?;
    let html = with_sizes(&without_comments(&html), folder)?;
    for Script { name, text } in scripts {
        std::fs::write(folder.join(&name), text).context(name)?;
    }
    std::fs::write(&page, html).with_context(|| page.display().to_string())?;
    if std::env::var_os(SERVED).is_some() {
        return Ok(());
    }
    service::stamp(folder)
}

/// The page with a reference in place of each script, and the scripts. What they import stays beside
/// them, so its addresses stay as they are.
fn without_scripts(html: &str) -> anyhow::Result<(String, Vec<Script>)> {
    let mut page = String::new();
    let mut scripts = Vec::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<script") {
        let (attributes, after) = after.split_once('>').context("a script's tag has no end")?;
        let (text, after) = after.split_once("</script>").context("a script has no end")?;
        page.push_str(before);
        if attributes.split_whitespace().any(|attribute| attribute.starts_with("src=")) {
            write!(page, "<script{attributes}>{text}</script>")?;
        } else {
            let script = Script::of(text);
            write!(page, "<script{attributes} src=\"./{}\"></script>", script.name)?;
            scripts.push(script);
        }
        rest = after;
    }
    page.push_str(rest);
    Ok((page, scripts))
}

/// The page without what is for readers of its sources.
fn without_comments(html: &str) -> String {
    let mut page = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<!--") {
        page.push_str(before.trim_end());
        rest = after.split_once("-->").map_or("", |(_, after)| after);
    }
    page + rest
}

/// The page with the sizes of both programs, so that it can say how much of them has come: servers say that of packed bytes,
/// or not at all.
fn with_sizes(html: &str, folder: &Path) -> anyhow::Result<String> {
    let mut html = html.to_owned();
    for file in files_of(folder)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with("_bg.wasm") {
            let attribute = if name == "worker_bg.wasm" { "worker" } else { "page" };
            html = with_size(&html, attribute, file.metadata()?.len())?;
        }
    }
    Ok(html)
}

fn with_size(html: &str, of: &str, bytes: u64) -> anyhow::Result<String> {
    let attribute = format!("data-{of}-bytes=\"");
    let (before, after) =
        html.split_once(&attribute).with_context(|| format!("the page has no {attribute}"))?;
    let (_, after) = after.split_once('"').context("an attribute has no end")?;
    Ok(format!("{before}{attribute}{bytes}\"{after}"))
}

impl Script {
    fn of(text: &str) -> Self {
        // Without lines that are comments as a whole, and without their indentation: no text goes over several lines.
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        let text = lines.fold(String::new(), |text, line| text + line + "\n");
        let digest = Sha256::digest(&text);
        let named = digest.iter().take(NAMED_BYTES);
        let hash = named.fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
        Self { name: format!("boot-{hash}.js"), text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page as Trunk 0.21.14 writes it.
    const PAGE: &str = r#"<head>
    <link rel="stylesheet" href="./tokens-1.css"/>
<script type="module">
import init, * as bindings from './page-2.js';
const wasm = await init({ module_or_path: './page-2_bg.wasm' });
</script>
    <link rel="modulepreload" href="./page-2.js" crossorigin="anonymous"></head>"#;

    #[test]
    fn a_script_moves_into_a_file_named_by_its_content() {
        let (page, scripts) = without_scripts(PAGE).unwrap();
        let [Script { name, text }] = scripts.as_slice() else { panic!("{scripts:?}") };
        assert!(text.starts_with("import init, * as bindings from './page-2.js';\n"));
        assert!(text.ends_with("_bg.wasm' });\n"));
        let hash = name.strip_prefix("boot-").and_then(|name| name.strip_suffix(".js")).unwrap();
        assert_eq!(hash.len(), 16);
        assert!(hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
        let begin = PAGE.find("<script").unwrap();
        let end = PAGE.find("\n    <link rel=\"modulepreload").unwrap();
        let reference = format!("<script type=\"module\" src=\"./{name}\"></script>");
        assert_eq!(page, format!("{}{reference}{}", &PAGE[..begin], &PAGE[end..]));

        let (_, others) = without_scripts(&PAGE.replace("page-2", "page-3")).unwrap();
        assert_ne!(&others[0].name, name);
    }

    #[test]
    fn a_sealed_page_stays_as_it_is() {
        let (page, _) = without_scripts(PAGE).unwrap();
        assert_eq!(without_scripts(&page).unwrap(), (page, Vec::new()));
    }

    #[test]
    fn comments_stay_in_the_sources() {
        let page =
            "<p>a</p>\n  <!-- why\n this -->\n<script>\n  // Why that.\n  b(\"//\");\n\n</script>";
        let (html, scripts) = without_scripts(page).unwrap();
        assert_eq!(scripts[0].text, "b(\"//\");\n");
        let html = without_comments(&html);
        assert!(html.starts_with("<p>a</p>\n<script src="), "{html}");
        assert_eq!(without_comments("<p>a</p>"), "<p>a</p>");
    }

    #[test]
    fn the_page_says_how_large_its_programs_are_now() {
        let page = std::fs::read_to_string(crate::root().join("web/index.html")).expect("the page");
        let sized = with_size(&page, "worker", 12).and_then(|page| with_size(&page, "page", 34));
        let sized = sized.and_then(|page| with_size(&page, "worker", 56)).expect("its attributes");
        assert!(sized.contains("data-page-bytes=\"34\" data-worker-bytes=\"56\""), "{sized}");
        assert!(with_size(PAGE, "page", 1).is_err());
    }

    #[test]
    fn a_broken_page_is_an_error() {
        assert!(without_scripts("<script type=\"module\"").is_err());
        assert!(without_scripts("<script>let a = 1;").is_err());
    }
}
