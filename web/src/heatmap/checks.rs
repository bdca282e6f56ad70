//! Whether integrated gradients add up: layer by layer, what they fail to come to.

use std::iter;

use leptos::prelude::*;
use twinbeam_core::words::Steps;

use super::shown::{MapKind, Shown};
use crate::reactive::{dynamic, memo};
use crate::state::AppState;
use crate::values::count;
use twinbeam_figure::scale::{signed, small};

/// What is checked of a layer.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    /// Sum of its scores.
    sum: f32,
    /// By how much that misses the effect of replacing the layer.
    delta: f32,
    /// Points by which it was taken, where that is known.
    points: Option<usize>,
}

fn layers(shown: &Shown) -> Vec<Layer> {
    let Some(table) = shown.table(MapKind::Ig) else { return Vec::new() };
    let points = table.n_steps().iter().copied().map(Some).chain(iter::repeat(None));
    let deltas = table.convergence_delta().iter().copied();
    let sums = table.rows().map(|row| row.iter().sum::<f32>());
    let layers = sums.zip(deltas).zip(points);
    layers.map(|((sum, delta), points)| Layer { sum, delta, points }).collect()
}

/// The convergence delta of each layer, folded away behind the largest of them.
#[component]
pub(super) fn Checks(state: AppState, shown: Memo<Shown>) -> impl IntoView {
    let checked = memo(move || shown.with(|shown| (layers(shown), shown.unit(MapKind::Ig))));
    // Found by itself, the number of points is another for each layer.
    let auto = move || {
        let steps = state.committed.with(|c| c.as_ref().map(|c| c.experiment.n_steps));
        matches!(steps, Some(Steps::Auto { .. }))
    };
    let words = move || {
        checked.with(|(layers, unit)| {
            let worst = layers.iter().map(|layer| layer.delta.abs()).fold(0.0, f32::max);
            if layers.is_empty() {
                "Do the layers add up?".to_owned()
            } else {
                format!(
                    "Do the layers add up? To within {} {unit}.",
                    small(worst).trim_start_matches('+')
                )
            }
        })
    };
    let cells = move || {
        let auto = auto();
        let (layers, unit) = checked.get();
        let cells = layers.into_iter().enumerate().map(|(layer, Layer { sum, delta, points })| {
            let delta_in_words = small(delta);
            let by = points.map(|points| count(points, "point"));
            let and_points = by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
            let label =
                format!("layer {layer}: convergence delta {delta_in_words} {unit}{and_points}");
            let title = format!(
                "Layer {layer}: its scores sum to {}, and patching all its heads together gives {} {unit}{and_points}",
                signed(sum, 3),
                signed(sum - delta, 3)
            );
            view! {
                <td
                    data-layer=layer
                    data-value=delta.to_string()
                    data-points=points.map(|points| points.to_string())
                    aria-label=label
                    title=title
                >
                    {delta_in_words}
                    {by.filter(|_| auto).map(|by| view! { <span class="points">{by}</span> })}
                </td>
            }
        });
        cells.collect_view()
    };
    let columns = move || {
        let n_layers = checked.with(|(layers, _)| layers.len());
        (0..n_layers).map(|layer| view! { <th scope="col">"layer " {layer}</th> }).collect_view()
    };
    view! {
        <details class="checks">
            <summary>{dynamic(words)}</summary>
            <p class="hint">
                "The IG scores of a layer must sum to the effect of patching all its heads together. What is missing, the \
                 convergence delta, says how far the steps were too few."
            </p>
            <div class="tokens-scroll" tabindex="0" role="region" aria-label="Convergence delta of each layer">
                <table class="convergence" data-testid="convergence">
                    <thead>
                        <tr>
                            <td></td>
                            {dynamic(columns)}
                        </tr>
                    </thead>
                    <tbody>
                        <tr>
                            <th scope="row">"delta, " {dynamic(move || checked.with(|(_, unit)| *unit))}</th>
                            {dynamic(cells)}
                        </tr>
                    </tbody>
                </table>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::heatmap::shown_of;
    use crate::values::{Look, complete};
    use twinbeam_core::words::ComponentKind;

    #[test]
    fn every_layer_has_its_sum_and_what_it_misses() {
        let shown = shown_of(&complete(), Look::default(), ComponentKind::Heads);
        let of = |sum| Layer { sum, delta: 0.0, points: None };
        assert_eq!(layers(&shown), [of(0.25), of(1.0)]);
        assert_eq!(layers(&Shown::default()), []);
    }
}
