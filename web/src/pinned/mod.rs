//! The panel of what is pinned: where it sits in the model, what it attends to, how its methods differ, its scores, the
//! ways from there into the lab, its queries, keys and values, what of it goes straight to the logits, and which tokens
//! it writes. It stays until it is unpinned.

pub(crate) mod attention;
mod direct;
mod keys;
mod lens;
mod parts;
mod pieces;
mod scores;
mod ways;

use leptos::prelude::*;
use twinbeam_core::scores::Ladder;
use twinbeam_core::wire::probes::Finding;
use twinbeam_core::words::{Component, ComponentKind, Side};

use self::keys::KEY;
use self::pieces::WIDTH;
use self::scores::Scores;
use self::ways::Ways;
use crate::lab::{Pending, Steps, tokens, unchecked};
use crate::models;
use crate::plot::Residual;
use crate::ports::{address, screen};
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;
use crate::values::Slot;
use twinbeam_figure::scale::small;

/// The panel, wherever it is.
const PANEL: &str = ".pin-panel";
/// Screens that have room for a column beside the maps.
const WIDE: &str = "(min-width: 106rem)";

/// The panel as a column beside the maps where the screen has room for one; elsewhere, with `below`, under the maps of
/// that kind. There is one of them at a time.
#[component]
pub(crate) fn PinnedPanel(
    state: AppState,
    /// Under the maps of this kind; without it: the column, which asks for all of them.
    #[prop(optional, into)]
    below: Option<ComponentKind>,
) -> impl IntoView {
    let wide = is_wide();
    if below.is_none() {
        keys::listen(state);
        state.ask(Slot::Pinned, move || attention::question(state.pinned.get()?));
        state.ask(Slot::Direct, move || direct::question(state));
        state.ask(Slot::Lens, move || lens::question(state));
        state.ask(Slot::Parts, move || parts::question(state));
    }
    let of = memo(move || {
        let is_here = |of: &Component| match below {
            Some(kind) => !wide.get() && of.kind == kind,
            None => wide.get(),
        };
        state.pinned.get().filter(is_here)
    });
    // Made anew for another kind only, which the first of it stands for: what is pinned from within leaves the focus
    // where it is.
    let first = memo(move || of.get().map(|of| Component { layer: 0, index: 0, ..of }));
    let panel =
        dynamic(move || first.get().map(|of_kind| view! { <Panel state of kind=of_kind.kind /> }));
    if below.is_some() {
        return panel.into_any();
    }
    let empty = move || {
        of.get().is_none().then(|| {
            view! {
                <p class="pinned-empty hint">
                    "Click a head or a neuron, or press Enter on it, to keep it here: where it sits in the model, what it "
                    "attends to, and how the two methods come to differ."
                </p>
            }
        })
    };
    view! {
        <div class="pinned-side" hidden=live(move || !wide.get())>
            {panel} {dynamic(empty)}
        </div>
    }
    .into_any()
}

/// Whether the screen has room for a column beside the maps.
fn is_wide() -> RwSignal<bool> {
    let wide = RwSignal::new(screen::matches(WIDE) == Some(true));
    if let Some(listener) = screen::on_change(WIDE, move |is_wide| wide.set(is_wide)) {
        // It lives as long as the page.
        listener.forget();
    }
    wide
}

/// All that is known of what is pinned.
#[component]
fn Panel(state: AppState, of: Memo<Option<Component>>, kind: ComponentKind) -> impl IntoView {
    let is_head = kind == ComponentKind::Heads;
    let head = move || {
        of.get().map(|of| {
            let role = if is_head { known_role(state, of) } else { None };
            view! {
                <header>
                    <h3>{of.to_string()}</h3>
                    <span class="hint">
                        {of.spoken()} ". "
                        <span class="pinned-keys">
                            <kbd>{KEY}</kbd> " leads here and back, " <kbd>"Esc"</kbd> " unpins."
                        </span>
                    </span>
                    <button
                        type="button"
                        class="dismiss"
                        aria-label="Unpin"
                        title="Escape in a map does the same"
                        on:click=move |_event| state.pinned.set(None)
                    >
                        "×"
                    </button>
                </header>
                {role.map(|role| view! { <p class="hint" data-testid="known-role">{role}</p> })}
            }
        })
    };
    // Each part for itself: as one type they would take more of the program.
    let first = move || {
        of.get().map(|of| {
            [
                view! { <Place state of /> }.into_any(),
                view! { <Climb state of /> }.into_any(),
                view! { <div class="pinned-part"><Scores state of /></div> }.into_any(),
            ]
        })
    };
    // A frame in another page asks nothing.
    let more = move || {
        let straight = direct::straight(state, of);
        if is_head {
            let (maps, numbers) = (parts::maps(state, of), parts::numbers(state, of));
            vec![maps, numbers, straight, lens::written(state, of)]
        } else {
            vec![straight]
        }
    };
    view! {
        <section
            class="pin-panel"
            data-testid="card"
            tabindex="-1"
            aria-label=live(move || of.get().map(|of| of.spoken()))
        >
            {dynamic(head)}
            <div class="pinned-parts">{dynamic(first)}</div>
            <div class="pinned-parts">{(!address::is_embedded()).then(more)}</div>
        </section>
    }
}

/// What the head was found to do.
fn known_role(state: AppState, of: Component) -> Option<String> {
    let known = models::heads(state)?;
    let head = known.of(of.layer, of.index)?;
    Some(format!(
        "Known as a {} head in {} ({}): {}. That is what it was found to do there, not that a method must score it high.",
        head.class, known.task, known.source, head.role
    ))
}

/// Where it sits in the model, and what it attends to.
#[component]
fn Place(state: AppState, of: Component) -> impl IntoView {
    let tokens = tokens(state);
    let attention =
        memo(move || attention::answer(state, of).and_then(|answer| attention::of_last(&answer)));
    // Where the lab has been asked for them.
    let effects = memo(move || {
        let answer = state.last_answer(Slot::Positions)?;
        match &answer.found {
            Ok(Finding::Positions(found))
                if found.component == of && found.direction == state.direction() =>
            {
                Some([found.ig.clone(), found.ap.clone()])
            }
            _ => None,
        }
    });
    let svg = move || {
        let n_layers = state.shown_shape()?.n_layers;
        let n_pos = state.committed.with(|c| c.as_ref().map(|c| c.basis.n_pos))?;
        let both = tokens.with(|tokens| {
            let tokens = tokens.as_ref()?;
            let pairs = tokens.clean.iter().zip(&tokens.corrupted);
            Some(pairs.map(|(clean, corrupted)| [clean.clone(), corrupted.clone()]).collect())
        });
        let residual = Residual {
            of: Some(of),
            n_layers,
            n_pos,
            tokens: both.unwrap_or_default(),
            attention: attention.get().unwrap_or_default(),
            effects: effects.get().unwrap_or_default(),
        };
        Some(residual.draw())
    };
    let where_it_is = match of.kind {
        ComponentKind::Heads => format!(
            "{} in the model: it reads tokens and writes into the stream of the last one, in layer {}.",
            of.spoken(),
            of.layer
        ),
        ComponentKind::Neurons => {
            format!("{} in the model: it acts on every token, in layer {}.", of.spoken(), of.layer)
        }
    };
    let is_head = of.kind == ComponentKind::Heads;
    let lines = move || {
        is_head.then(|| {
            [Side::Clean, Side::Corrupted].map(|side| {
                let words =
                    move || {
                        attention.with(|attention| {
                            let weights = &attention.as_ref()?[side as usize];
                            Some(tokens.with(|tokens| {
                                attention::in_words(weights, side, tokens.as_ref(), 3)
                            }))
                        })
                    };
                let testid = format!("attends-{}", side.id());
                view! {
                    <div>
                        <dt>{side.id()}</dt>
                        <dd data-testid=testid>{dynamic(words)}</dd>
                    </div>
                }
            })
        })
    };
    view! {
        <div class="pinned-part" data-testid="pinned-place">
            <h4>"Where it sits"</h4>
            <div class="pinned-svg" role="img" aria-label=where_it_is inner_html=live(svg)></div>
            {is_head.then(|| view! {
                <p class="pinned-attends">"From the last token it attends to:"</p>
                <dl class="panel-numbers pinned-attends">{lines()}</dl>
            })}
            <div class="pinned-waits">
                {dynamic(move || {
                    (is_head && attention.with(Option::is_none)).then(|| view! { <Pending state of=Slot::Pinned /> })
                })}
                {dynamic(move || unchecked(state, Slot::Pinned).filter(|_| is_head))}
            </div>
        </div>
    }
}

/// From patching to the integral: small, what the lab has in full.
#[component]
fn Climb(state: AppState, of: Component) -> impl IntoView {
    let steps = memo(move || {
        let (direction, wanted) = (state.direction(), state.unit.get());
        state
            .committed
            .with(|committed| Some(Steps::of(committed.as_ref()?, of, direction, wanted)))
    });
    let svg = move || steps.with(|steps| Some(steps.as_ref()?.waterfall(WIDTH, false)?.svg));
    let list = move || steps.with(|steps| steps.as_ref().map(list));
    let claim = move || steps.with(|steps| steps.as_ref().map(Steps::claim));
    view! {
        <div class="pinned-part" data-testid="pinned-ladder">
            <h4>"From AP to IG"</h4>
            <div class="pinned-svg" aria-hidden="true" inner_html=live(svg)></div>
            <dl class="unseen" inner_html=live(list)></dl>
            <p>{dynamic(claim)}</p>
            <Ways state of />
        </div>
    }
}

/// The steps for those who do not see them, with the numbers in full: each is IG minus another.
fn list(steps: &Steps) -> String {
    let Ladder { atp, ig, ap, .. } = steps.ladder;
    let minus = |other: Option<f32>| Some(ig? - other?);
    let lines = [
        ("step-ap", "AP", ap),
        ("step-diff", "IG − AP", minus(ap)),
        ("step-ig", "IG", ig),
        ("step-curvature", "IG − AtP", minus(atp)),
        ("step-atp", "AtP", atp),
    ];
    let line = |(testid, name, value): (&str, &str, Option<f32>)| {
        let (value, unit) = (value?, steps.unit);
        let written = small(value);
        Some(format!(
            "<div><dt>{name}</dt><dd data-testid=\"{testid}\" data-value=\"{value}\">{written} {unit}</dd></div>"
        ))
    };
    lines.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use twinbeam_core::scores::Unit;
    use twinbeam_core::words::Direction;

    use super::*;
    use crate::values::committed;

    #[test]
    fn the_steps_climb_from_patching_to_the_integral_with_one_sign() {
        let head = Component { kind: ComponentKind::Heads, layer: 1, index: 1 };
        let steps = Steps::of(&committed(), head, Direction::Noising, Unit::Metric);
        let html = list(&steps);
        for line in [
            "\"step-ap\" data-value=\"2\"",
            "\"step-diff\" data-value=\"-1\">−1.000 logits",
            "\"step-ig\" data-value=\"1\"",
        ] {
            assert!(html.contains(line), "{line} in {html}");
        }
        assert!(!html.contains("step-atp") && !html.contains("step-curvature"), "unknown: {html}");
        let other = Component { index: 7, ..head };
        assert_eq!(list(&Steps::of(&committed(), other, Direction::Noising, Unit::Metric)), "");
    }
}
