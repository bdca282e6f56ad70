use leptos::prelude::*;
use twinbeam_core::{Component, ComponentKind, Direction, ScoreTable, Unit};

use super::shown::{MapKind, Shown, Standing};
use crate::models;
use crate::state::AppState;

/// All that is known of the pinned component, if it is of this kind: both methods, both directions, where it
/// stands.
#[component]
pub(crate) fn Card(state: AppState, kind: ComponentKind) -> impl IntoView {
    move || {
        let cell = state.pinned.get().filter(|cell| cell.kind == kind)?;
        let name = cell.to_string().replacen("layer", "Layer", 1);
        let label = name.clone();
        let role = if kind == ComponentKind::Heads { known_role(state, cell) } else { None };
        let rows = Direction::ALL.map(|direction| row(state, cell, direction));
        Some(view! {
            <section class="card" data-testid="card" aria-label=label>
                <header>
                    <h3>{name}</h3>
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
                <div class="tokens-scroll" tabindex="0" role="region" aria-label="Scores of what is pinned">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"direction"</th>
                                <th scope="col">"method"</th>
                                <th scope="col">"score"</th>
                                <th scope="col">"rank by size"</th>
                                <th scope="col">"part of its layer"</th>
                                <th scope="col">"IG − AP"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {role.map(|role| view! { <p class="hint" data-testid="known-role">{role}</p> })}
                <p class="hint">
                    {format!(
                        "Part of its layer: its absolute score over the sum of the layer’s absolute scores. IG − AP is what the \
                         {0} does together with other {0}s of its layer and not alone, or what a saturating metric hides.",
                        kind.one(),
                    )}
                </p>
            </section>
        })
    }
}

/// What the head was found to do.
fn known_role(state: AppState, cell: Component) -> Option<String> {
    let known = models::heads(state)?;
    let head = known.of(cell.layer, cell.index)?;
    Some(format!(
        "Known as a {} head in {} ({}): {}. That is what it was found to do there, not that a method must score it high.",
        head.class, known.task, known.source, head.role
    ))
}

/// The two lines of a direction.
fn row(state: AppState, cell: Component, direction: Direction) -> impl IntoView {
    state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        let tables = committed.tables(cell.kind, direction);
        let in_unit =
            |unit| Shown::new(tables, &committed.basis, unit, state.scale.get(), cell.kind);
        let shown = in_unit(state.unit.get()).or_else(|_| in_unit(Unit::Metric)).ok()?;
        let written = |map| {
            let score = shown.written(map, cell).unwrap_or_else(|| "not computed".to_owned());
            format!("{score} {}", shown.unit(map))
        };
        let standing =
            |table: Option<&ScoreTable>| table.and_then(|table| Standing::of(table, cell));
        let rank = |standing: Option<Standing>| standing.map(|s| format!("{} of {}", s.rank, s.of));
        let share = |standing: Option<Standing>| {
            standing.and_then(|s| s.share).map(|share| format!("{:.0} %", 100.0 * share))
        };
        let [ig, ap] = tables.map(standing);
        let difference = shown.table(MapKind::Diff).map(|_| written(MapKind::Diff));
        Some(view! {
            <tr>
                <th scope="row" rowspan="2">{direction.id()}</th>
                <td>"IG"</td>
                <td>{written(MapKind::Ig)}</td>
                <td>{rank(ig)}</td>
                <td>{share(ig)}</td>
                <td rowspan="2">{difference}</td>
            </tr>
            <tr>
                <td>"AP"</td>
                <td>{written(MapKind::Ap)}</td>
                <td>{rank(ap)}</td>
                <td>{share(ap)}</td>
            </tr>
        })
    })
}
