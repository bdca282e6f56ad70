//! The card of the pinned component: all that is known of it.

use leptos::prelude::*;
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::scale::small;
use super::shown::{MapKind, Shown, Standing};
use crate::explain;
use crate::models;
use crate::reactive::dynamic;
use crate::state::AppState;
use crate::values::{Look, count};

/// All that is known of the pinned component, if it is of this kind: both methods, both directions, where it
/// stands.
#[component]
pub(crate) fn Card(state: AppState, kind: ComponentKind) -> impl IntoView {
    move || {
        let cell = state.pinned.get().filter(|cell| cell.kind == kind)?;
        let name = cell.to_string();
        let label = cell.spoken();
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
                                <th scope="col">"convergence delta of its layer"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
                {role.map(|role| view! { <p class="hint" data-testid="known-role">{role}</p> })}
                <p class="hint">
                    "Part of its layer: its absolute score over the sum of the layer’s absolute scores. "
                    {explain::why_apart(kind)} " "
                    {dynamic(move || explain::sign(Shown::of(state, kind).look()))}
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
        // Of both directions, in the unit and on the scale of the screen.
        let shown = Shown::new(committed, Look { direction, ..state.look() }, cell.kind);
        let written = |map| match shown.written(map, cell) {
            Some(score) => format!("{score} {}", shown.unit(map)),
            None => shown.missing(map, cell).to_owned(),
        };
        let standing =
            |table: Option<&ScoreTable>| table.and_then(|table| Standing::of(table, cell));
        let rank = |standing: Option<Standing>| {
            let so_far = |s: Standing| if s.is_final { "" } else { " so far" };
            standing.map(|s| format!("{} of {}{}", s.rank, s.of, so_far(s)))
        };
        let share = |standing: Option<Standing>| {
            standing.and_then(|s| s.share).map(|share| format!("{:.0} %", 100.0 * share))
        };
        let [ig, ap] = tables.map(standing);
        let delta = shown.table(MapKind::Ig).and_then(|table| delta_in_words(table, cell.layer));
        let difference = shown.table(MapKind::Diff).map(|_| written(MapKind::Diff));
        Some(view! {
            <tr>
                <th scope="row" rowspan="2">{direction.id()}</th>
                <td>"IG"</td>
                <td>{written(MapKind::Ig)}</td>
                <td>{rank(ig)}</td>
                <td>{share(ig)}</td>
                <td rowspan="2">{difference}</td>
                <td rowspan="2" data-testid="card-delta">{delta}</td>
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

/// What the layer's integrated gradients fail to add up to, and by how many points they were taken.
fn delta_in_words(ig: &ScoreTable, layer: usize) -> Option<String> {
    let delta = small(*ig.convergence_delta().get(layer)?);
    Some(match ig.n_steps().get(layer) {
        Some(points) => format!("{delta}, {}", count(*points, "point")),
        None => delta,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::Method;

    #[test]
    fn points_stand_beside_the_delta_where_they_are_known() {
        let table = |n_steps| {
            ScoreTable::new(
                TableKey {
                    kind: ComponentKind::Heads,
                    method: Method::Ig,
                    direction: Direction::Noising,
                },
                1,
                vec![0.0; 2],
            )
            .with_convergence_delta(vec![0.0012, 0.0])
            .with_n_steps(n_steps)
        };
        let words = |n_steps| delta_in_words(&table(n_steps), 0);
        assert_eq!(words(vec![17, 5]).as_deref(), Some("+0.001, 17 points"));
        assert_eq!(words(vec![1, 1]).as_deref(), Some("+0.001, 1 point"));
        assert_eq!(words(Vec::new()).as_deref(), Some("+0.001"));
        assert_eq!(delta_in_words(&table(vec![17]), 9), None);
    }
}
