//! SVG and HTML, tag by tag.

use std::fmt::Write as _;

use twinbeam_core::words::Component;

use super::{Drawn, Table};
use crate::colour::Ground;
use twinbeam_core::prompts::hides;

/// Size of the type in units of the view box, which are pixels: `--small` of the style sheet.
pub(super) const TYPE: f64 = 13.0;
/// Width of a character, of most of them in most fonts at most.
const CHARACTER: f64 = 0.6 * TYPE;
/// Of a digit or a sign, and of a point.
const DIGIT: f64 = 0.58 * TYPE;
const POINT: f64 = 0.32 * TYPE;
/// Width of a plot for which none is asked.
const WIDTH: f64 = 360.0;
/// No plot can be drawn in less.
const LEAST: f64 = 240.0;
/// Steps of the diverging scale, its middle included.
pub(super) const LEVELS: usize = 41;

/// Text as XML and HTML hold it. Characters that XML forbids, that would hide, or that would turn the
/// direction of what follows become the replacement character.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

pub(super) fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if hides(other) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

/// A coordinate, to a tenth; 0 for what is not a number.
pub(super) fn push_number(out: &mut String, number: f64) {
    let tenths = (10.0 * number).round() as i64;
    if tenths < 0 {
        out.push('-');
    }
    let tenths = tenths.unsigned_abs();
    push_count(out, tenths / 10);
    if !tenths.is_multiple_of(10) {
        out.push('.');
        push_count(out, tenths % 10);
    }
}

pub(super) fn push_count(out: &mut String, count: u64) {
    // OK because writing to a string does not fail.
    write!(out, "{count}").ok();
}

/// The beginning of a tag: more attributes may follow, and its end must.
pub(super) fn begin(out: &mut String, tag: &str, class: &str, numbers: &[(&str, f64)]) {
    out.push('<');
    out.push_str(tag);
    if !class.is_empty() {
        attribute(out, "class", class);
    }
    for (name, number) in numbers {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        push_number(out, *number);
        out.push('"');
    }
}

/// A whole tag without content.
pub(super) fn shape(out: &mut String, tag: &str, class: &str, numbers: &[(&str, f64)]) {
    begin(out, tag, class, numbers);
    out.push_str("/>");
}

pub(super) fn rectangle(out: &mut String, class: &str, [x, y, width, height]: [f64; 4]) {
    shape(
        out,
        "rect",
        class,
        &[("x", x), ("y", y), ("width", width.max(0.0)), ("height", height.max(0.0))],
    );
}

pub(super) fn line(out: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    shape(out, "line", class, &[("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)]);
}

pub(super) fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    push_escaped(out, value);
    out.push('"');
}

/// A line of text. `class`: with `plot-mid` or `plot-end` the place is its middle or its end.
pub(super) fn text(out: &mut String, class: &str, [x, y]: [f64; 2], words: &str) {
    begin(out, "text", class, &[("x", x), ("y", y)]);
    out.push('>');
    push_escaped(out, words);
    out.push_str("</text>");
}

/// A line of text from bottom to top.
pub(super) fn upright(out: &mut String, class: &str, [x, y]: [f64; 2], words: &str) {
    begin(out, "text", class, &[]);
    out.push_str(" transform=\"translate(");
    push_number(out, x);
    out.push(' ');
    push_number(out, y);
    out.push_str(") rotate(-90)\">");
    push_escaped(out, words);
    out.push_str("</text>");
}

/// What makes an element one that can be reached: its place in the order, and its component.
pub(super) fn reachable(out: &mut String, at: usize, component: Option<Component>) {
    out.push_str(" data-at=\"");
    push_count(out, at as u64);
    out.push('"');
    if let Some(Component { kind, layer, index }) = component {
        attribute(out, "data-kind", kind.id());
        out.push_str(" data-layer=\"");
        push_count(out, layer as u64);
        out.push_str("\" data-index=\"");
        push_count(out, index as u64);
        out.push('"');
    }
}

/// A picture of this size round what is drawn. The rubber band of a brush is there from the beginning, without
/// a size.
pub(super) fn picture([width, height]: [f64; 2], body: &str) -> String {
    let mut out = String::with_capacity(body.len() + 200);
    out.push_str("<svg aria-hidden=\"true\" class=\"plot-svg\" width=\"");
    push_number(&mut out, width);
    out.push_str("\" height=\"");
    push_number(&mut out, height);
    out.push_str("\" viewBox=\"0 0 ");
    push_number(&mut out, width);
    out.push(' ');
    push_number(&mut out, height);
    out.push_str("\">");
    out.push_str(body);
    out.push_str("<rect class=\"plot-rubber\" width=\"0\" height=\"0\"/></svg>");
    out
}

/// The width that a plot is drawn in; `wanted` is 0 where none is asked for.
pub(super) const fn room(wanted: f64) -> f64 {
    if wanted > 0.0 { wanted.max(LEAST) } else { WIDTH }
}

/// Units that a text takes at most, nearly always: it must not be found to be longer when it is too late.
pub(super) fn text_width(words: &str) -> f64 {
    words.chars().map(character_width).sum()
}

const fn character_width(character: char) -> f64 {
    match character {
        '\u{2e80}'.. => TYPE,
        '0'..='9' | '+' | '−' => DIGIT,
        '.' | ',' | ' ' => POINT,
        _ => CHARACTER,
    }
}

/// A text as far as it fits, with an ellipsis where that is not all.
pub(super) fn cut(words: &str, room: f64) -> String {
    if text_width(words) <= room {
        return words.to_owned();
    }
    let mut out = String::new();
    let mut left = room - text_width("…");
    for character in words.chars() {
        left -= character_width(character);
        if left < 0.0 {
            break;
        }
        out.push(character);
    }
    out.push('…');
    out
}

/// The numbers behind a plot as an HTML table.
pub fn html_table(table: &Table) -> String {
    let mut out = String::from("<table class=\"list\"><thead><tr>");
    for name in &table.head {
        out.push_str("<th scope=\"col\">");
        push_escaped(&mut out, name);
        out.push_str("</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let (open, close) =
                if place == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            out.push_str(open);
            push_escaped(&mut out, cell);
            out.push_str(close);
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
    out
}

/// What `styles/lab.css` says, for a file: by the names of colours, the scale's steps apart.
const FILE_STYLE: &str = ".plot-title{font-weight:bold}.plot-mid{text-anchor:middle}.plot-end{text-anchor:end}.plot-soft{color:@ink-soft}\
    .plot-cold{color:@cold}.plot-warm{color:@warm}.plot-accent{color:@chosen}.plot-ink{color:@ink}\
    text.plot-soft{fill:@ink-soft}.plot-frame,.plot-grid{fill:none;stroke:@line}.plot-zero{stroke:@ink-soft}\
    .plot-identity,.plot-meets{stroke:@ink-soft;stroke-dasharray:2 3}.plot-rule{stroke:currentColor;stroke-dasharray:6 3}\
    .plot-curve{fill:none;stroke:currentColor;stroke-width:1.8}.plot-dashed{stroke-dasharray:5 3}\
    .plot-band{fill:@ink;opacity:.08}.plot-node{stroke:@ink-soft}.plot-dot,.plot-bar{fill:currentColor}\
    .plot-hidden,.plot-rubber{opacity:0}.plot-mark{fill:@ink-soft;fill-opacity:.55}\
    .plot-found{fill:currentColor;fill-opacity:1}text:is(.plot-ig,.plot-ap){fill:currentColor}\
    .plot-selected{stroke:@chosen;stroke-width:2}.plot-pinned{stroke:@ink;stroke-width:2.5}.plot-d1,.plot-d2,\
    .plot-d3,.plot-d4{fill:@ink-soft}.plot-d1{opacity:.25}.plot-d2{opacity:.45}.plot-d3{opacity:.65}.plot-d4{opacity:.9}\
    .plot-outlined{fill:none;stroke:@ink;stroke-width:2}.plot-framed{fill:none;stroke:@accent;stroke-width:3}.plot-hatch{fill:none;stroke:@ink;opacity:.35}\
    .net-edge{fill:none;stroke:currentColor;stroke-opacity:.8}.net-hit{opacity:0;fill:none}.net-dim{opacity:.2}\
    .net-node rect{fill:@ground;stroke:@ink-soft}.net-lit rect{stroke-width:2.5}.net-node .net-port{fill:@ink-soft;stroke:none}\
    .plot-neutral{filter:grayscale(1)}.plot-k0{fill:@k0}.plot-k1{fill:@k1}.plot-k2{fill:@k2}.plot-k3{fill:@k3}.plot-ig{color:@ig}.plot-ap{color:@ap}";
const FILE_TEXT: &str = "text{font:13px Helvetica,Arial,'Liberation Sans',sans-serif;fill:@ink}";

/// A picture as a file of its own, in the light theme.
pub fn standalone(svg: &str) -> String {
    let ground = Ground::Light;
    let (tag, body) = opened(svg);
    let mut out = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
    out.push_str(tag);
    out.push_str("><style>");
    out.push_str(&ground.style(FILE_TEXT));
    out.push_str(&ground.style(FILE_STYLE));
    if body.contains("plot-cell") {
        push_cells(&mut out, ground);
    }
    out.push_str("</style><rect width=\"100%\" height=\"100%\" fill=\"");
    out.push_str(ground.fill());
    out.push_str("\"/>");
    out.push_str(body);
    out
}

/// A picture at a place in another one, in its own size. The other one has the [`style`].
pub fn placed(out: &mut String, drawn: &Drawn, [x, y]: [usize; 2]) {
    let (tag, body) = opened(&drawn.svg);
    // OK because writing to a string does not fail.
    write!(out, "<svg x=\"{x}\" y=\"{y}\"{tag}>{body}").ok();
}

/// The style of plots in a file, but for their type.
pub fn style(ground: Ground) -> String {
    let mut out = ground.style(FILE_STYLE);
    push_cells(&mut out, ground);
    out
}

/// What the steps of the scale look like.
fn push_cells(out: &mut String, ground: Ground) {
    let theme = ground.theme();
    for level in 0..LEVELS {
        let place = place_of(level);
        let (fill, ink) = (theme.hex(place), theme.ink(place));
        write!(out, ".plot-c{level}{{fill:{fill}}}text.plot-c{level}{{fill:{ink}}}").ok();
    }
}

/// Attributes of a picture's tag, and what follows it.
fn opened(svg: &str) -> (&str, &str) {
    let rest = svg.strip_prefix("<svg aria-hidden=\"true\"").unwrap_or(svg);
    rest.split_once('>').unwrap_or((rest, "</svg>"))
}

/// The step of a place on the scale, from -1 to 1.
pub(super) fn level(place: f64) -> usize {
    let half = (LEVELS / 2) as f64;
    (half + half * place.clamp(-1.0, 1.0)).round() as usize
}

fn place_of(level: usize) -> f32 {
    let half = (LEVELS / 2) as f32;
    (level as f32 - half) / half
}
