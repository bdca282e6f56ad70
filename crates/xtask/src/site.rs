//! Names the address that the page will have in the page itself, for those who show its card beside a link to it.

use std::path::Path;

use anyhow::{Context as _, ensure};

use crate::service;

/// Writes a site's address into the page in a folder.
pub(crate) fn name(folder: &Path, site: &str) -> anyhow::Result<()> {
    let page = folder.join("index.html");
    let html = std::fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    std::fs::write(&page, named(&html, site)?).with_context(|| page.display().to_string())?;
    service::stamp(folder)
}

/// The page with the whole address of its card, and its own.
fn named(html: &str, site: &str) -> anyhow::Result<String> {
    let is_web = site.starts_with("https://") || site.starts_with("http://");
    let is_plain = site.chars().all(|c| c.is_ascii_graphic() && !"\"'<>&?#".contains(c));
    ensure!(
        is_web && is_plain,
        "{site} is no address of a folder, like https://example.org/twinbeam/"
    );
    let site = site.strip_suffix("index.html").unwrap_or(site).trim_end_matches('/');
    let card = "content=\"card.png\"";
    let n = html.matches(card).count();
    ensure!(n == 2, "the page names its card {n} times, not for Open Graph and for Twitter");
    let html = html.replace(card, &format!("content=\"{site}/card.png\""));
    let (before, after) = html.split_once("</title>").context("the page has no title")?;
    Ok(format!("{before}</title><meta property=\"og:url\" content=\"{site}/\">{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::root;

    fn page() -> String {
        std::fs::read_to_string(root().join("web/index.html")).expect("the page")
    }

    #[test]
    fn addresses_of_the_card_become_whole() {
        for site in
            ["https://example.org/a", "https://example.org/a/", "https://example.org/a/index.html"]
        {
            let html = named(&page(), site).expect(site);
            assert_eq!(
                html.matches("content=\"https://example.org/a/card.png\"").count(),
                2,
                "{html}"
            );
            assert!(html.contains("<meta property=\"og:url\" content=\"https://example.org/a/\">"));
            assert!(!html.contains("\"card.png\""));
        }
        for site in
            ["example.org", "https://a/?b", "https://a/\"><script>", "file:///a", "https://a b/"]
        {
            assert!(named(&page(), site).is_err(), "{site}");
        }
        assert!(named("<title></title>", "https://example.org/").is_err(), "no card is named");
    }

    #[test]
    fn the_card_is_there_and_of_the_size_that_the_page_says() {
        let card =
            std::fs::read(root().join("assets/card.png")).expect("cargo xtask card makes it");
        assert!(card.starts_with(b"\x89PNG") && card.len() < 60_000, "{} bytes", card.len());
        let number = |at: usize| u32::from_be_bytes(card[at..at + 4].try_into().expect("four"));
        let [width, height] = [number(16), number(20)];
        assert_eq!([width, height], [1200, 630]);
        for (name, size) in [("width", width), ("height", height)] {
            let tag = format!("<meta property=\"og:image:{name}\" content=\"{size}\" />");
            assert!(page().contains(&tag), "{tag}");
        }
    }
}
