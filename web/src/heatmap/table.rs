//! The maps' numbers as a table, for eyes, ears and clipboards that want one.

use leptos::prelude::*;
use twinbeam_core::models::KnownHeads;
use twinbeam_core::words::{Component, ComponentKind};

use super::shown::{MapKind, Shown};
use crate::models;
use crate::reactive::{dynamic, live, memo};
use crate::state::AppState;

/// Lines of the table on the screen at once.
const PAGE: usize = 64;

/// In which order the lines stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Place,
    By(MapKind),
}

impl Order {
    const ALL: [Self; 4] =
        [Self::Place, Self::By(MapKind::Ig), Self::By(MapKind::Ap), Self::By(MapKind::Diff)];

    const fn label(self) -> &'static str {
        match self {
            Self::Place => "layer",
            Self::By(MapKind::Ig) => "size of IG",
            Self::By(MapKind::Ap) => "size of AP",
            Self::By(MapKind::Diff) => "size of IG − AP",
        }
    }
}

/// The maps' numbers as a table, for eyes, ears and clipboards that want one. Nothing of it is made before
/// it is opened.
#[component]
pub(crate) fn TableView(state: AppState, shown: Memo<Shown>, kind: ComponentKind) -> impl IntoView {
    let open = RwSignal::new(false);
    let (label, testid) = match kind {
        ComponentKind::Heads => ("All heads as a table", "table-heads"),
        ComponentKind::Neurons => ("All neurons as a table", "table-neurons"),
    };
    view! {
        <div class="table-view">
            <button
                type="button"
                class="link"
                data-testid=format!("{testid}-switch")
                aria-expanded=live(move || open.get().to_string())
                on:click=move |_event| open.update(|open| *open = !*open)
            >
                {label}
            </button>
            {dynamic(move || open.get().then(|| view! { <Lines state shown kind testid /> }))}
        </div>
    }
}

#[component]
fn Lines(
    state: AppState,
    shown: Memo<Shown>,
    kind: ComponentKind,
    testid: &'static str,
) -> impl IntoView {
    let order = RwSignal::new(Order::default());
    let page = RwSignal::new(0_usize);
    let components = memo(move || shown.with(|shown| in_order(shown, kind, order.get())));
    let pages = move || components.with(Vec::len).div_ceil(PAGE).max(1);
    let current = move || page.get().min(pages() - 1);
    let is_partial = move || match order.get() {
        Order::Place => false,
        Order::By(map) => shown.with(|shown| shown.n_screened(map) > 0),
    };
    let label = format!("Scores of all {}", kind.id());
    let at_start = move || current() == 0;
    let at_end = move || current() + 1 >= pages();
    let known =
        memo(move || if kind == ComponentKind::Heads { models::heads(state) } else { None });
    let rows = move || {
        let first = current() * PAGE;
        components.with(|components| {
            let here = components.iter().skip(first).take(PAGE);
            here.map(|component| row(state, (shown, known), *component)).collect_view()
        })
    };
    let choose = move |event| {
        let wanted = event_target_value(&event);
        order.set(Order::ALL.into_iter().find(|o| o.label() == wanted).unwrap_or_default());
        page.set(0);
    };
    let heads = MapKind::ALL.map(|map| {
        let unit = move || shown.with(|shown| shown.unit(map));
        view! { <th scope="col">{map.short()} " " <span class="hint">{dynamic(unit)}</span></th> }
    });
    let known_head =
        move || known.with(Option::is_some).then(|| view! { <th scope="col">"known as"</th> });
    let options = Order::ALL.map(|order| {
        view! { <option value=order.label()>{order.label()}</option> }
    });
    view! {
        <div class="table-tools">
            <label class="switch">
                "Order by "
                <select data-testid=format!("{testid}-order") on:change=choose>
                    {options}
                </select>
            </label>
            <button
                type="button"
                disabled=live(at_start)
                on:click=move |_event| page.set(current().saturating_sub(1))
            >
                "Previous"
            </button>
            <span class="hint">
                {dynamic(move || format!("page {} of {}", current() + 1, pages()))}
                {dynamic(move || if is_partial() { ", of those patched so far" } else { "" })}
            </span>
            <button
                type="button"
                disabled=live(at_end)
                on:click=move |_event| page.set(current() + 1)
            >
                "Next"
            </button>
        </div>
        <div class="tokens-scroll" tabindex="0" role="region" aria-label=label>
            <table class="list" data-testid=testid>
                <thead>
                    <tr>
                        <th scope="col">{kind.one()}</th>
                        {heads}
                        {known_head}
                    </tr>
                </thead>
                <tbody>{dynamic(rows)}</tbody>
            </table>
        </div>
    }
}

fn in_order(shown: &Shown, kind: ComponentKind, order: Order) -> Vec<Component> {
    let map = match order {
        Order::Place => MapKind::Ig,
        Order::By(map) => map,
    };
    let Some(table) = shown.table(map) else {
        return Vec::new();
    };
    match order {
        Order::Place => (0..table.values().len())
            .map(|place| Component {
                kind,
                layer: place / table.width(),
                index: place % table.width(),
            })
            .collect(),
        Order::By(_) => table.strongest(table.values().len()),
    }
}

fn row(
    state: AppState,
    (shown, known): (Memo<Shown>, Memo<Option<KnownHeads>>),
    component: Component,
) -> impl IntoView {
    let Component { layer, index, .. } = component;
    let class = move || {
        known.with(|known| {
            let class = known.as_ref()?.of(layer, index).map(|head| head.class.clone());
            Some(view! { <td>{class}</td> })
        })
    };
    let cells = MapKind::ALL.map(|map| {
        let written = move || {
            shown.with(|shown| {
                let why = shown.is_screened(map, component).then(|| shown.missing(map, component));
                // Once in a line: without AP there is no difference either.
                let why = why.filter(|_| map == MapKind::Ap).map(str::to_owned);
                shown.written(map, component).or(why)
            })
        };
        view! { <td>{dynamic(written)}</td> }
    });
    view! {
        <tr>
            <td>
                <button
                    type="button"
                    class="link"
                    data-component=component.to_string()
                    aria-label=format!("{component}: pin {}", component.spoken())
                    on:click=move |_event| state.go_to(component)
                >
                    {component.to_string()}
                </button>
            </td>
            {cells}
            {dynamic(class)}
        </tr>
    }
}
