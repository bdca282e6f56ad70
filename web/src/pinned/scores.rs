//! The scores of what is pinned: both methods, both directions, and where it stands by each.

use leptos::prelude::*;
use twinbeam_core::scores::ScoreTable;
use twinbeam_core::words::{Component, Direction};

use crate::explain;
use crate::heatmap::{MapKind, Standing};
use crate::heatmap::{shown_of, shown_on_screen};
use crate::reactive::dynamic;
use crate::state::AppState;
use crate::values::{Look, count};
use twinbeam_figure::scale::small;

/// A table for each direction, that on the screen first.
#[component]
pub(super) fn Scores(state: AppState, of: Component) -> impl IntoView {
    let tables = move || {
        let first = state.direction();
        let mut directions = Direction::ALL;
        directions.sort_by_key(|direction| *direction != first);
        directions.map(|direction| table(state, of, direction)).collect_view()
    };
    view! {
        <div class="tokens-scroll" tabindex="0" role="region" aria-label="Scores of what is pinned">
            <table class="pinned-scores">
                <thead>
                    <tr>
                        <td></td>
                        {["IG", "AP", "IG − AP"].map(|name| view! { <th scope="col">{name}</th> })}
                    </tr>
                </thead>
                {dynamic(tables)}
            </table>
        </div>
        <p class="hint">
            "Part of its layer: its absolute score over the sum of the layer’s absolute scores. " {explain::why_apart(of.kind)}
            " " {dynamic(move || explain::sign(shown_on_screen(state, of.kind).look()))}
        </p>
    }
}

/// The lines of a direction.
fn table(state: AppState, of: Component, direction: Direction) -> impl IntoView {
    state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        // Of both directions, in the unit and on the scale of the screen.
        let shown = shown_of(committed, Look { direction, ..state.look() }, of.kind);
        let written = |map| {
            let score = shown.written(map, of);
            score.unwrap_or_else(|| shown.missing(map, of).to_owned())
        };
        let standings = committed
            .tables(of.kind, direction)
            .map(|table| table.and_then(|table| Standing::of(table, of)));
        let ranks = standings.map(|standing| standing.map(Standing::words));
        let shares = standings.map(|standing| standing.and_then(Standing::share_in_words));
        let delta = shown.table(MapKind::Ig).and_then(|table| delta_in_words(table, of.layer));
        let difference = shown.table(MapKind::Diff).map(|_| written(MapKind::Diff));
        let [ig_unit, ap_unit] = [MapKind::Ig, MapKind::Ap].map(|map| shown.unit(map));
        let unit = if ig_unit == ap_unit {
            explain::in_unit(ig_unit)
        } else {
            format!("IG {ig_unit}; AP {ap_unit}")
        };
        let [ig, ap] = [MapKind::Ig, MapKind::Ap].map(written);
        let [ig_rank, ap_rank] = ranks;
        let [ig_share, ap_share] = shares;
        Some(view! {
            <tbody>
                <tr>
                    <th colspan="4" scope="rowgroup">
                        {direction.id()} <span class="hint">", " {unit}</span>
                    </th>
                </tr>
                <tr><th scope="row">"score"</th><td>{ig}</td><td>{ap}</td><td>{difference}</td></tr>
                <tr><th scope="row">"rank by size"</th><td>{ig_rank}</td><td>{ap_rank}</td><td></td></tr>
                <tr><th scope="row">"part of its layer"</th><td>{ig_share}</td><td>{ap_share}</td><td></td></tr>
                <tr>
                    <th scope="row">"its layer’s convergence delta"</th>
                    <td colspan="3" data-testid="card-delta">{delta}</td>
                </tr>
            </tbody>
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
    use twinbeam_core::scores::TableKey;
    use twinbeam_core::words::{ComponentKind, Method};

    use super::*;

    #[test]
    fn points_stand_beside_the_delta_where_they_are_known() {
        let key = TableKey {
            kind: ComponentKind::Heads,
            method: Method::Ig,
            direction: Direction::Noising,
        };
        let table = |n_steps| {
            ScoreTable::new(key, 1, vec![0.0; 2])
                .with_convergence_delta(vec![0.0012, 0.0])
                .with_n_steps(n_steps)
        };
        let words = |n_steps| delta_in_words(&table(n_steps), 0);
        assert_eq!(words(vec![17, 5]).as_deref(), Some("+0.001, 17 points"));
        assert_eq!(words(vec![1, 1]).as_deref(), Some("+0.001, 1 point"));
        assert_eq!(words(Vec::new()).as_deref(), Some("+0.001"));
        assert_eq!(delta_in_words(&table(vec![17, 5]), 9), None);
    }
}
