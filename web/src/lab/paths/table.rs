//! All edges as a table: the graph's numbers for eyes, ears and keys.

use std::fmt::Write as _;
use std::sync::Arc;

use leptos::ev::MouseEvent;
use leptos::html;
use leptos::prelude::*;
use twinbeam_core::circuits::{Edge, Receiver};
use twinbeam_core::link::{EdgesBy, Paths, Spot};
use web_sys::Event;

use super::ranked::Ranked;
use super::seen::{Lists, Seen, attribute_at, toggle};
use super::{kept, words};
use crate::components::{chosen, focus};
use crate::plot::escape;
use crate::reactive::{dynamic, effect, live, memo};
use crate::state::AppState;

/// Lines on the screen at once.
const PAGE: usize = 12;

const fn name(by: EdgesBy) -> &'static str {
    match by {
        EdgesBy::EapIg => "size of EAP-IG",
        EdgesBy::Exact => "size of the exact effect",
        EdgesBy::Difference => "size of EAP-IG − exact",
        EdgesBy::Eap => "size of EAP",
    }
}

/// What is pinned, and a way to unpin it.
fn filter(state: AppState, spot: Spot) -> impl IntoView {
    let words = match spot {
        Spot::Edge(edge) => format!("Pinned: {edge}."),
        node => format!("Only edges from or to {node}, which is pinned."),
    };
    let unpin = move |_event| state.lab.paths.update(|paths| paths.pinned = None);
    view! {
        <span class="hint">{words}</span>
        <button type="button" data-testid="paths-unpin" on:click=unpin>"Unpin"</button>
    }
}

/// Takes an edge into a set by hand, or out of it; as many as a link takes along.
fn choose(set: &mut Vec<u32>, edge: u32) {
    match set.binary_search(&edge) {
        Ok(at) => {
            set.remove(at);
        }
        Err(at) if set.len() < Paths::MOST_BY_HAND => set.insert(at, edge),
        Err(_) => {}
    }
}

/// The table with its order and its pages.
#[component]
pub(super) fn TableOfEdges(state: AppState, seen: Seen) -> impl IntoView {
    let Seen { ranked, pinned, .. } = seen;
    let paths = state.lab.paths;
    let area = NodeRef::<html::Div>::new();
    let page = RwSignal::new(0_usize);
    let spot = move || pinned.get().parse::<Spot>().ok();
    // A list of one.
    let lines = memo(move || -> Lists {
        let Some(ranked) = ranked.get() else { return Vec::new() };
        let node = spot().filter(|spot| !matches!(spot, Spot::Edge(_)));
        let order = ranked.order(paths.with(|paths| paths.by)).into_iter();
        let mine = order.filter(|edge| node.is_none_or(|node| node.is_of(ranked.edge(*edge))));
        vec![mine.map(|edge| edge as u32).collect()]
    });
    let pages = move || lines.with(|lines| lines.first().map_or(0, Vec::len)).div_ceil(PAGE).max(1);
    let current = move || page.get().min(pages() - 1);
    effect(move || {
        let Some(area) = area.get() else { return };
        let html = ranked.with(|ranked| {
            let ranked = ranked.as_ref()?;
            let first = current() * PAGE;
            lines.with(|lines| {
                let lines = lines.first()?.get(first..)?;
                let lines = &lines[..PAGE.min(lines.len())];
                Some(paths.with(|paths| html(ranked, lines, spot(), &paths.by_hand)))
            })
        });
        // Whoever is at something in the table is there afterwards too.
        let at = document().active_element().filter(|one| area.contains(Some(one)));
        let key = at.map(|at| at.get_attribute("data-key"));
        area.set_inner_html(&html.unwrap_or_default());
        if let Some(Some(key)) = key {
            let there = format!("[data-key=\"{key}\"]");
            let is_there = area.query_selector(&there).ok().flatten().is_some();
            focus(if is_there { &there } else { "[data-testid=paths-table]" });
        }
    });
    let click = move |event: MouseEvent| {
        if let Some(spot) = attribute_at(&event, "data-spot").and_then(|name| name.parse().ok()) {
            page.set(0);
            toggle(state, spot);
        }
    };
    let choose = move |event: Event| {
        let Some(edge) = attribute_at(&event, "data-keep").and_then(|edge| edge.parse().ok())
        else {
            return;
        };
        paths.update(|paths| choose(&mut paths.by_hand, edge));
    };
    let sort = move |event| {
        if let Some(by) = chosen(&event, &EdgesBy::ALL, EdgesBy::id) {
            page.set(0);
            paths.update(|paths| paths.by = by);
        }
    };
    let options = EdgesBy::ALL.map(|by| view! { <option value=by.id()>{name(by)}</option> });
    let filter = move || spot().map(|spot| filter(state, spot));
    view! {
        <div class="edges" hidden=live(move || ranked.with(Option::is_none))>
            <h4>"All edges"</h4>
            <div class="panel-tools">
                <label class="switch">
                    "Order by "
                    <select data-testid="paths-order" prop:value=live(move || paths.with(|paths| paths.by.id())) on:change=sort>
                        {options}
                    </select>
                </label>
                <button
                    type="button"
                    data-testid="paths-previous"
                    disabled=live(move || current() == 0)
                    on:click=move |_event| page.set(current().saturating_sub(1))
                >
                    "Previous"
                </button>
                <span class="hint">{dynamic(move || format!("page {} of {}", current() + 1, pages()))}</span>
                <button
                    type="button"
                    data-testid="paths-next"
                    disabled=live(move || current() + 1 >= pages())
                    on:click=move |_event| page.set(current() + 1)
                >
                    "Next"
                </button>
                {dynamic(filter)}
            </div>
            <div
                class="tokens-scroll edges-table"
                data-testid="paths-table"
                tabindex="0"
                role="region"
                aria-label="All edges"
                node_ref=area
                on:click=click
                on:change=choose
            ></div>
            <ByHand state ranked />
        </div>
    }
    .into_any()
}

/// What is chosen by hand, and quick ways to choose.
#[component]
fn ByHand(state: AppState, ranked: Memo<Option<Arc<Ranked>>>) -> impl IntoView {
    let paths = state.lab.paths;
    let n = move || paths.with(|paths| paths.by_hand.len());
    let says = move || {
        let loose = ranked
            .with(|ranked| paths.with(|paths| Some(kept::loose(ranked.as_ref()?, &paths.by_hand))));
        match (n(), loose.unwrap_or_default()) {
            (0, _) => {
                "Tick edges to make a circuit of your own; what it keeps is said under Circuits."
                    .to_owned()
            }
            (n, 0) => format!("{} by hand, all on a path from embed to logits.", words::edges(n)),
            (n, loose) => format!(
                "{} by hand, of which {loose} on no path of them from embed to logits: those change nothing.",
                words::edges(n)
            ),
        }
    };
    let begin = move |_event| {
        let of_size = untrack(|| {
            let ranked = ranked.get()?;
            let (n, by) = paths.with(|paths| (paths.n, paths.by));
            Some(kept::numbers(&ranked.ranking(by == EdgesBy::Exact).circuit(n)))
        });
        if let Some(mut set) = of_size {
            set.truncate(Paths::MOST_BY_HAND);
            paths.update(|paths| paths.by_hand = set);
        }
    };
    view! {
        <p class="panel-tools">
            <span class="hint" role="status" data-testid="paths-by-hand">{dynamic(says)}</span>
            <button type="button" data-testid="paths-take" on:click=begin>"Take the circuit that is drawn"</button>
            <button
                type="button"
                data-testid="paths-clear"
                disabled=live(move || n() == 0)
                on:click=move |_event| paths.update(|paths| paths.by_hand.clear())
            >
                "Clear"
            </button>
        </p>
    }
    .into_any()
}

/// The lines of some edges.
fn html(ranked: &Ranked, lines: &[u32], pinned: Option<Spot>, by_hand: &[u32]) -> String {
    let mut out = String::from("<table class=\"list\"><thead><tr>");
    for (name, is_score) in [
        ("from", false),
        ("to", false),
        ("EAP", true),
        ("EAP-IG", true),
        ("exact", true),
        ("EAP-IG − exact", true),
        ("rank by EAP-IG", false),
        ("rank by exact", false),
        ("edge", false),
        ("by hand", false),
    ] {
        let unit = if is_score { [", ", ranked.unit].concat() } else { String::new() };
        // OK because writing to a string does not fail.
        write!(out, "<th scope=\"col\">{}</th>", escape(&[name, &unit].concat())).ok();
    }
    out.push_str("</tr></thead><tbody>");
    for edge in lines {
        line(&mut out, ranked, *edge as usize, pinned, by_hand);
    }
    out.push_str("</tbody></table>");
    out
}

fn line(out: &mut String, ranked: &Ranked, number: usize, pinned: Option<Spot>, by_hand: &[u32]) {
    let edge = ranked.edge(number);
    let Edge { from, to } = edge;
    let reader = to.node().map_or(Spot::Logits, Spot::Node);
    let current = if pinned == Some(Spot::Edge(edge)) { " aria-current=\"true\"" } else { "" };
    write!(out, "<tr data-edge=\"{edge}\"{current}>").ok();
    let pin = |column: &str, spot: Spot, words: &str| {
        let is_pinned = pinned == Some(spot);
        let does = if is_pinned { "unpin" } else { "pin" };
        format!(
            "<td><button type=\"button\" class=\"link\" data-key=\"{number}{column}\" data-spot=\"{spot}\" \
             aria-pressed=\"{is_pinned}\" aria-label=\"{words}: {does} {spot}\">{words}</button></td>"
        )
    };
    out.push_str(&pin("f", Spot::Node(from), &from.to_string()));
    let name = match to {
        Receiver::Logits => "logits".to_owned(),
        Receiver::Head { .. } | Receiver::Mlp { .. } => to.to_string(),
    };
    out.push_str(&pin("t", reader, &name));
    let scores = [
        Some(ranked.eap[number]),
        Some(ranked.ig[number]),
        ranked.exact(number),
        ranked.difference(number),
    ];
    for score in scores {
        match score {
            Some(score) => {
                write!(out, "<td data-value=\"{score}\">{}</td>", ranked.written(score)).ok();
            }
            None => out.push_str("<td>—</td>"),
        }
    }
    write!(out, "<td>{}</td>", ranked.rank_ig(number)).ok();
    let rank = ranked.rank_exact(number).map_or_else(|| "—".to_owned(), |rank| rank.to_string());
    write!(out, "<td>{rank}</td>").ok();
    let does = if current.is_empty() { "pin" } else { "unpin" };
    out.push_str(&pin("e", Spot::Edge(edge), does));
    let checked = if by_hand.contains(&(number as u32)) { " checked" } else { "" };
    write!(
        out,
        "<td><label><input type=\"checkbox\" data-key=\"{number}h\" data-keep=\"{number}\" \
         aria-label=\"{edge} by hand\"{checked}></label></td></tr>"
    )
    .ok();
}

#[cfg(test)]
mod tests {
    use super::super::ranked::tests::{PATH, ranked};
    use super::*;

    #[test]
    fn a_line_has_all_numbers_and_ways_to_pin() {
        let ranked = ranked(&PATH, false);
        let number =
            ranked.graph.number("L0H0 -> L1H1.k".parse().expect("an edge")).expect("of it");
        let rows = html(
            &ranked,
            &[number as u32, 0],
            Some("L0H0".parse().expect("a head")),
            &[number as u32],
        );
        for part in [
            "<tr data-edge=\"L0H0 → L1H1.k\">",
            "data-spot=\"L0H0\" aria-pressed=\"true\" aria-label=\"L0H0: unpin L0H0\">L0H0<",
            "data-spot=\"L1H1\" aria-pressed=\"false\" aria-label=\"L1H1.k: pin L1H1\">L1H1.k<",
            "<td data-value=\"4\">+4.00</td><td data-value=\"2\">+2.00</td><td data-value=\"1\">+1.00</td>",
            "<td data-value=\"1\">+1.00</td><td>1</td><td>2</td>",
            "aria-label=\"pin: pin L0H0 → L1H1.k\"",
            " checked></label></td></tr>",
            "<th scope=\"col\">exact, logits</th>",
        ] {
            assert!(rows.contains(part), "{part} in {rows}");
        }
        assert!(rows.contains("<td>—</td><td>—</td>"), "not patched: {rows}");
        let pinned = html(&ranked, &[number as u32], Some(Spot::Edge(ranked.edge(number))), &[]);
        assert!(
            pinned.contains("<tr data-edge=\"L0H0 → L1H1.k\" aria-current=\"true\">"),
            "{pinned}"
        );
    }
}
