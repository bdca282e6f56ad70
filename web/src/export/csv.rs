//! Lines of CSV (RFC 4180) that no spreadsheet takes for a formula.

/// One line of cells.
pub(super) fn line<const N: usize>(cells: [&str; N]) -> String {
    let mut line = cells.map(cell).join(",");
    line.push_str("\r\n");
    line
}

/// A line with one cell that begins with `#`.
pub(super) fn comment(text: &str) -> String {
    // Quoted always: a comma in it must not begin a second cell.
    format!("\"# {}\"\r\n", text.replace('"', "\"\"").replace(['\r', '\n'], " "))
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
    use super::*;

    #[test]
    fn numbers_stay_and_formulas_become_text() {
        assert_eq!(line(["-0.5", "+1", "a"]), "-0.5,+1,a\r\n");
        assert_eq!(line(["=1+1", "@x", "-x"]), "'=1+1,'@x,'-x\r\n");
        assert_eq!(line(["a,\"b\"", "c\nd"]), "\"a,\"\"b\"\"\",\"c\nd\"\r\n");
    }

    #[test]
    fn a_comment_is_one_line_and_one_cell() {
        assert_eq!(comment("a,=b\n\"c\""), "\"# a,=b \"\"c\"\"\"\r\n");
    }
}
