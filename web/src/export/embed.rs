//! The line of HTML that shows the figure in another page.

/// Pixels that a frame is high where nobody listens for how high its figure is: the bundled model's figure, and the three
/// maps one below the other in a narrow column.
const HEIGHT: u32 = 1000;

/// A frame for the figure of a link of ours, which has no query of its own.
///
/// No style and no script: whatever policy the other page has, it holds there once frames of our address are allowed.
pub(crate) fn frame(link: &str) -> String {
    let (page, fragment) = link.split_once('#').unwrap_or((link, ""));
    let address = format!("{page}?embed#{fragment}");
    let address = address.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<iframe class=\"twinbeam\" src=\"{address}\" title=\"Twinbeam: attention heads by integrated gradients and \
         activation patching\" width=\"100%\" height=\"{HEIGHT}\" frameborder=\"0\" loading=\"lazy\"></iframe>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The card of the Hugging Face Space.
    const CARD: &str = include_str!("../../hosting/README.md");

    #[test]
    fn the_card_of_the_space_shows_the_line_that_the_page_makes() {
        let line = frame("https://USER-twinbeam.static.hf.space/index.html#v1=...");
        assert!(
            CARD.lines().any(|of_card| of_card == line),
            "not in web/hosting/README.md: {line}"
        );
    }

    #[test]
    fn an_address_cannot_leave_its_attribute() {
        let line = frame("https://example.org/&x=\"><script>#v1=a");
        assert!(line.contains("src=\"https://example.org/&amp;x=&quot;>&lt;script>?embed#v1=a\""));
        assert_eq!(line.matches('<').count(), 2);
    }
}
