//! A picture as SVG: its frame, and lines of text that keep to their width.

use std::fmt::Write as _;

use crate::colour::Ground;
use crate::plot::escape;

/// A picture with its size in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// It begins with `<svg`.
    pub svg: String,
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
}

impl Picture {
    /// A picture of a body of SVG, on white. `style` is for files: a page's own policy may refuse it.
    pub fn new(
        [width, height]: [usize; 2],
        title: &str,
        description: &str,
        style: &str,
        body: &str,
    ) -> Self {
        Self::on(Ground::Light, [width, height], [title, description], style, body)
    }

    /// A picture on some ground: its size, its title and description, its style and its body.
    pub fn on(
        ground: Ground,
        [width, height]: [usize; 2],
        [title, description]: [&str; 2],
        style: &str,
        body: &str,
    ) -> Self {
        let fill = ground.fill();
        let (title, description) = (escape(title), escape(description));
        let style =
            if style.is_empty() { String::new() } else { format!("<style>{style}</style>\n") };
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}</title>\n<desc>{description}</desc>\n\
             {style}<rect width=\"100%\" height=\"100%\" fill=\"{fill}\"/>\n{body}</svg>\n"
        );
        Self { svg, width, height }
    }
}

/// Adds a line of text.
pub fn text(out: &mut String, x: usize, y: usize, attributes: &str, content: &str) {
    let content = escape(content);
    // OK because writing to a string does not fail.
    writeln!(out, "<text x=\"{x}\" y=\"{y}\" {attributes}>{content}</text>").ok();
}

/// Lines of at most `width` characters, broken at spaces where there are any; what does not fit into
/// `most` lines ends in an ellipsis.
pub fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut characters: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + characters.len() > width {
            lines.push(String::new());
            length = 0;
        }
        while !characters.is_empty() {
            // There is one, from the beginning on.
            let Some(line) = lines.last_mut() else { break };
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            let taken = characters.len().min(width.max(1));
            line.extend(characters.drain(..taken));
            length += taken;
            if !characters.is_empty() {
                lines.push(String::new());
                length = 0;
            }
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_cut_with_an_ellipsis() {
        assert_eq!(wrap("one two three", 7, 5), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3, 5), ["abc", "def", "gh"]);
        assert_eq!(wrap("a b c d", 1, 2), ["a", "b…"]);
        assert_eq!(wrap("", 5, 2), [""]);
    }

    #[test]
    fn what_xml_forbids_or_hides_is_replaced() {
        assert_eq!(escape("a\u{0}\u{202e}'\n\""), "a\u{fffd}\u{fffd}&#39; &quot;");
    }
}
