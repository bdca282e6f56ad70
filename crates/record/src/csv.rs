//! Lines of CSV (RFC 4180) that no spreadsheet takes for a formula, and lines of comment above them.
//!
//! A comment is plain text after `#`, so that programs skip it: `pandas.read_csv(file, comment="#")`, R's `comment.char`.
//! A spreadsheet does not skip it but cuts it at its separators, whichever those are where it was set up. So what a
//! cell of it could begin with is made harmless: no formula, no quote that would swallow the lines below.

use std::fmt::Write as _;

/// What spreadsheets cut a line at.
const SEPARATORS: [char; 4] = [',', ';', '|', '\t'];

/// One line of cells.
pub(crate) fn line<const N: usize>(cells: [&str; N]) -> String {
    let mut line = cells.map(cell).join(",");
    line.push_str("\r\n");
    line
}

/// A line of comment with a value in words.
pub(crate) fn comment(text: &str) -> String {
    let mut line = String::from("# ");
    let mut begins = false;
    for character in text.chars() {
        let character = if is_line_break(character) { ' ' } else { character };
        match character {
            // An apostrophe in front is how a spreadsheet is told that this is text.
            '=' | '+' | '-' | '@' if begins => line.extend(['\'', character]),
            // Only at its beginning does it hold a cell together, and none of ours is to be held.
            '"' if begins => line.push('\''),
            _ => line.push(character),
        }
        begins = SEPARATORS.contains(&character) || begins && is_wrapper(character);
    }
    line + "\r\n"
}

/// A line of comment with what somebody has typed, as JSON, which means the same afterwards: a text, or a list of texts.
pub(crate) fn typed(name: &str, json: &str) -> String {
    let mut line = format!("# {name}: ");
    // By its number, as JSON may have every character.
    let number = |line: &mut String, character: char| {
        // OK because writing to a string does not fail.
        write!(line, "\\u{:04x}", u32::from(character)).ok();
    };
    let (mut begins, mut in_text) = (false, false);
    let mut characters = json.chars();
    while let Some(character) = characters.next() {
        let is_separator = SEPARATORS.contains(&character);
        match character {
            // Of quotes within a text none is left: the others come in pairs.
            '\\' => match characters.next() {
                Some('"') => number(&mut line, '"'),
                other => line.extend(['\\'].into_iter().chain(other)),
            },
            '=' | '+' | '-' | '@' if begins => number(&mut line, character),
            // The quote at the end of a text must not be the first of a cell.
            _ if is_separator && in_text && ends_text(characters.as_str()) => {
                number(&mut line, character);
            }
            _ if is_line_break(character) => number(&mut line, character),
            _ => line.push(character),
        }
        in_text ^= character == '"';
        begins = is_separator || begins && is_wrapper(character);
    }
    line + "\r\n"
}

/// Whether a text has nothing more that a cell could begin with.
fn ends_text(rest: &str) -> bool {
    rest.trim_start_matches(|character| character != '"' && is_wrapper(character)).starts_with('"')
}

/// Whether some program ends a line there, or hides what follows.
const fn is_line_break(character: char) -> bool {
    matches!(character, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

/// Whether a spreadsheet may look past it for the beginning of a cell.
const fn is_wrapper(character: char) -> bool {
    matches!(character, ' ' | '"' | '\'' | '[' | '(' | '\u{a0}')
}

fn cell(text: &str) -> String {
    let number = text.parse::<f64>().is_ok();
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number;
    // An apostrophe in front is how a spreadsheet is told that this is text.
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_stay_and_formulas_become_text() {
        assert_eq!(line(["-0.5", "+1", "a"]), "-0.5,+1,a\r\n");
        assert_eq!(line(["=1+1", "@x", "-x"]), "'=1+1,'@x,'-x\r\n");
        assert_eq!(line(["a,\"b\"", "c\nd"]), "\"a,\"\"b\"\"\",\"c\nd\"\r\n");
    }

    #[test]
    fn a_comment_is_one_plain_line_without_a_formula() {
        assert_eq!(comment("a, b-c: -1 = 2"), "# a, b-c: -1 = 2\r\n");
        assert_eq!(comment("a,=b\n\"c\",\" -d;@e"), "# a,'=b \"c\",' '-d;'@e\r\n");
        let texts = ["say \"a\", \"=b\" - c\u{2028}".to_owned(), "=1,+1".to_owned()];
        let line = typed("clean", &serde_json::to_string(&texts).expect("texts"));
        assert_eq!(
            line,
            "# clean: [\"say \\u0022a\\u0022, \\u0022=b\\u0022 - c\\u2028\",\"\\u003d1,\\u002b1\"]\r\n"
        );
    }

    /// The cells of one line as a spreadsheet cuts it, each without what stands around it.
    fn cells(line: &str, separator: char) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        for character in line.chars() {
            let cell = cells.last_mut().expect("there is one");
            if character == '"' && (quoted || cell.is_empty()) {
                quoted = !quoted;
            } else if character == separator && !quoted {
                cells.push(String::new());
            } else {
                cell.push(character);
            }
        }
        assert!(!quoted, "a quote swallows what follows: {line:?}");
        cells.iter().map(|cell| cell.trim_start_matches([' ', '"', '[', '(']).to_owned()).collect()
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_one_line_and_no_formula(
            texts in proptest::collection::vec("[-=+@,;|\t\"'a \\\\\n\r\u{2028}\\[\u{85}]{0,12}", 1..4),
        ) {
            let json = serde_json::to_string(&texts).expect("texts");
            let lines = [typed("answer", &json), comment(&texts.join(" "))];
            for line in &lines {
                let inside = line.strip_suffix("\r\n").expect("one line");
                prop_assert!(inside.starts_with("# ") && !inside.chars().any(is_line_break), "{:?}", line);
                for separator in SEPARATORS {
                    let dangerous = cells(inside, separator).into_iter().find(|c| c.starts_with(['=', '+', '-', '@']));
                    prop_assert_eq!(dangerous, None, "in {:?}", line);
                }
            }
            let json = lines[0].trim_start_matches("# answer: ");
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(json).expect("JSON"), texts);
        }
    }
}
