//! The second step: what each method does to the model in use, on one head, moved by one slider.

use std::fmt::Write as _;
use std::sync::Arc;

use leptos::prelude::*;
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::probes::{Finding, Probe};
use twinbeam_core::words::{Component, ComponentKind, Direction};

use super::path::{Path, SIZE};
use super::player::{Player, STOPS, wants_less_motion};
use super::term::Term;
use super::told::Heads;
use crate::explain;
use crate::reactive::{dynamic, effect, live, memo};
use crate::state::AppState;
use crate::values::{Committed, Slot, Step};
use twinbeam_figure::scale::Scale;

/// Size of a head's box, and the distance to the next, in units of the view box.
const BOX: usize = 12;
const PITCH: usize = 15;

/// Reads the figure and the head that the step is about: the pinned one, else the one that shows best that the methods
/// differ.
fn with_subject<T>(
    state: AppState,
    read: impl FnOnce(&Committed, &Heads<'_>, Component) -> Option<T>,
) -> Option<T> {
    let (direction, unit) = (state.direction(), state.unit.get());
    let (highlight, pinned) = (state.lab.highlight.get(), state.pinned.get());
    state.committed.with(|committed| {
        let committed = committed.as_deref()?;
        let heads = Heads::of(committed, direction, unit, highlight)?;
        let pinned = pinned.filter(|of| of.kind == ComponentKind::Heads);
        let pinned = pinned.filter(|of| heads.scores(*of).is_some());
        let of = pinned.or_else(|| heads.differing().map(|told| told.of))?;
        read(committed, &heads, of)
    })
}

/// Asks for the line of the head's layer, as long as the tour is at this step.
pub(super) fn ask(state: AppState) {
    let wanted = memo(move || {
        let is_here = state.tour.get() == Some(Step::Methods);
        is_here.then(|| with_subject(state, |_, _, of| Some(of))).flatten()
    });
    state.ask(Slot::TourLine, move || {
        let component = wanted.get()?;
        Some(Probe::Integrand { component, direction: state.direction() })
    });
}

/// All that is drawn: one head, both its scores, and the line of its layer if it is known.
#[derive(Debug, Clone, PartialEq)]
struct Subject {
    of: Component,
    shape: ModelShape,
    direction: Direction,
    /// IG, AP.
    scores: [f32; 2],
    written: [String; 2],
    scale: Scale,
    unit: &'static str,
    path: Option<Arc<Path>>,
}

impl Subject {
    fn now(state: AppState) -> Option<Self> {
        let direction = state.direction();
        let answer = state.answer(Slot::TourLine);
        with_subject(state, |committed, heads, of| {
            let scores = heads.scores(of)?;
            let path = answer.and_then(|answer| match &answer.found {
                Ok(Finding::Integrand(line))
                    if line.component == of && line.direction == direction =>
                {
                    Path::of(line, heads.factor, scores[0]).map(Arc::new)
                }
                _ => None,
            });
            Some(Self {
                of,
                shape: committed.model.shape,
                direction,
                scores,
                written: scores.map(|score| heads.written(score)),
                scale: heads.scale,
                unit: heads.unit,
                path,
            })
        })
    }

    /// A number as the maps write it.
    fn number(&self, value: f32) -> String {
        self.scale.written(value)
    }

    /// Which run is changed, and which is put in.
    const fn runs(&self) -> [&'static str; 2] {
        match self.direction {
            Direction::Noising => ["clean", "corrupted"],
            Direction::Denoising => ["corrupted", "clean"],
        }
    }
}

/// The heads of all layers, as the maps have them: those that are moved, and what is computed anew behind them.
fn drawing(shape: &ModelShape, of: Component, one_head: bool) -> String {
    let (width, height) = (shape.n_heads * PITCH, shape.n_layers * PITCH);
    let mut svg = format!("<svg viewBox=\"-1 -1 {width} {height}\" aria-hidden=\"true\">");
    for layer in 0..shape.n_layers {
        for head in 0..shape.n_heads {
            let is_moved = layer == of.layer && (!one_head || head == of.index);
            let is_subject = layer == of.layer && head == of.index;
            let class = match (is_moved, layer > of.layer) {
                (true, _) if is_subject => "moved subject",
                (true, _) => "moved",
                (false, true) => "after",
                (false, false) => "still",
            };
            let (x, y) = (head * PITCH, layer * PITCH);
            let at = format!("x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"{BOX}\" rx=\"2\"");
            write!(svg, "<rect class=\"box {class}\" {at}/>").ok();
            if is_moved || layer > of.layer {
                write!(svg, "<rect class=\"fill {class}\" {at}/>").ok();
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// What AP does and what IG does, on one figure with one slider.
#[component]
pub(super) fn Methods(state: AppState) -> impl IntoView {
    let subject = memo(move || Subject::now(state));
    let player = Player::new();
    let calm = wants_less_motion();
    // Once by itself, as soon as there is something to see.
    let has_played = StoredValue::new(false);
    let has_path = memo(move || subject.with(|s| s.as_ref().is_some_and(|s| s.path.is_some())));
    effect(move || {
        if has_path.get() && !calm && !has_played.get_value() {
            has_played.set_value(true);
            player.play();
        }
    });
    let shape_of = memo(move || subject.with(|s| s.as_ref().map(|s| (s.of, s.shape, s.unit))));
    view! {
        {dynamic(move || match shape_of.get() {
            None => waiting(state).into_any(),
            Some((of, shape, _)) => view! {
                <div class="methods" style=("--alpha", move || player.alpha.get().to_string())>
                    <Model subject player of shape by=Method::Ap />
                    <Model subject player of shape by=Method::Ig />
                    <Curve state subject player calm enabled=has_path />
                </div>
            }
            .into_any(),
        })}
    }
    .into_any()
}

/// Why there is nothing to see yet.
pub(super) fn waiting(state: AppState) -> impl IntoView {
    let words = move || {
        if state.loaded.with(Option::is_none) {
            "The model is on its way. This follows with its numbers."
        } else if state.job.with(Option::is_some) {
            "The figure is being computed. This follows with its numbers."
        } else {
            "There is no figure yet: run your prompts, or go on to an example."
        }
    };
    view! { <p class="pending" role="status">{dynamic(words)}</p> }
}

/// One of the two methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Ap,
    Ig,
}

/// The model with what a method moves in it, and the method's number.
#[component]
fn Model(
    subject: Memo<Option<Subject>>,
    player: Player,
    of: Component,
    shape: ModelShape,
    by: Method,
) -> impl IntoView {
    let (id, title, place) = match by {
        Method::Ap => ("ap", "AP swaps one head, at once", 1),
        Method::Ig => ("ig", "IG moves its whole layer, little by little", 0),
    };
    let alpha = move || player.alpha.get();
    // AP is done as soon as anything moves.
    let moved = move || if by == Method::Ap && alpha() > 0.0 { 1.0 } else { alpha() };
    let value = move || {
        subject.with(|subject| {
            let subject = subject.as_ref()?;
            Some(match by {
                Method::Ap if alpha() > 0.0 => subject.scores[place],
                Method::Ap => 0.0,
                Method::Ig => subject.path.as_ref()?.so_far(alpha()),
            })
        })
    };
    let share = move || {
        subject.with(|subject| {
            let largest =
                subject.as_ref().map_or(0.0, |s| s.scores[0].abs().max(s.scores[1].abs()));
            let value = value().unwrap_or_default().abs();
            if largest > 0.0 { (value / largest).min(1.0) } else { 0.0 }
        })
    };
    let words = move || {
        subject.with(|subject| {
            let subject = subject.as_ref()?;
            let number = subject.number(value()?);
            Some(match by {
                Method::Ig if alpha() < 1.0 => {
                    format!("{number} of {} {}", subject.written[place], subject.unit)
                }
                _ => format!("{number} {}", subject.unit),
            })
        })
    };
    view! {
        <figure class=format!("tour-model by-{id}") style=("--moved", move || moved().to_string())>
            <figcaption>{title}</figcaption>
            <div inner_html=drawing(&shape, of, by == Method::Ap)></div>
            <p>
                <span class=format!("tour-bar by-{id}") style=("--share", move || share().to_string())></span>
                <span data-testid=format!("tour-{id}-now") data-value=live(move || value().map(|v| v.to_string()))>
                    {dynamic(words)}
                </span>
            </p>
        </figure>
    }
    .into_any()
}

/// The head's gradient along the line, the area under it, and what it comes to.
#[component]
fn Curve(
    state: AppState,
    subject: Memo<Option<Subject>>,
    player: Player,
    calm: bool,
    enabled: Memo<bool>,
) -> impl IntoView {
    let path = memo(move || subject.with(|s| s.as_ref().and_then(|s| s.path.clone())));
    let drawn = move |draw: fn(&Path, f32) -> String| {
        path.with(|path| path.as_ref().map(|path| draw(path, player.alpha.get())))
    };
    let whole = move || path.with(|path| path.as_ref().map(|path| path.curve(1.0)));
    let zero = move || path.with(|path| path.as_ref().map(|path| path.zero().to_string()));
    let dot = move |axis: usize| {
        path.with(|path| path.as_ref().map(|path| path.at(player.alpha.get())[axis].to_string()))
    };
    let [width, height] = SIZE;
    let why_not = move || {
        if path.with(Option::is_some) {
            return None;
        }
        let answer = state.answer(Slot::TourLine);
        let words = match answer.as_ref().map(|answer| &answer.found) {
            Some(Err(why)) => explain::no_answer(why),
            _ => "The curve is being computed.".to_owned(),
        };
        Some(view! { <p class="pending" role="status">{words}</p> })
    };
    view! {
        <figure class="tour-curve by-ig">
            <figcaption>
                    {dynamic(move || subject.with(|s| s.as_ref().map(|s| s.of.to_string())))}
                "’s gradient as the layer moves: its area is IG"
            </figcaption>
            <svg
                viewBox=format!("-4 0 {} {height}", width + 8.0)
                role="img"
                aria-label="The gradient along the line, and the area under it"
                hidden=live(move || path.with(Option::is_none))
            >
                <path class="area" d=live(move || drawn(Path::area)) />
                <line class="zero" x1="0" x2=width.to_string() y1=live(zero) y2=live(zero) />
                <path class="ahead" d=live(whole) />
                <path class="curve" d=live(move || drawn(Path::curve)) />
                <circle r="4" cx=live(move || dot(0)) cy=live(move || dot(1)) />
            </svg>
            {dynamic(why_not)}
            <Slider player calm enabled />
            <p class="tour-ends" aria-hidden="true">
                <span>{dynamic(move || subject.with(|s| s.as_ref().map(|s| s.runs()[0])))}</span>
                <span>{dynamic(move || subject.with(|s| s.as_ref().map(|s| s.runs()[1])))}</span>
            </p>
        </figure>
        <p class="tour-says" data-testid="tour-methods">{dynamic(move || says(subject, player))}</p>
    }
    .into_any()
}

/// What the picture comes to.
fn says(subject: Memo<Option<Subject>>, player: Player) -> Option<AnyView> {
    let is_at_end = memo(move || player.alpha.get() >= 1.0);
    subject.with(|subject| {
        let Subject { of, scores, written, unit, .. } = subject.clone()?;
        let runs = subject.as_ref()?.runs();
        let [ig, ap] = written;
        let [ig_score, ap_score] = scores.map(|score| score.to_string());
        Some(
            view! {
                {format!("AP puts the {} output of {of} into the {} run, and nothing else: ", runs[1], runs[0])}
                <strong data-testid="tour-ap" data-value=ap_score>{ap}</strong> {format!(" {unit}. ")}
                {dynamic(move || {
                    if is_at_end.get() {
                        "IG has moved the whole layer, and the area is "
                    } else {
                        "Once IG has moved the whole layer, the area is "
                    }
                })}
                <strong data-testid="tour-ig" data-value=ig_score>{ig}</strong>
                {format!(" {unit}: the number of {of} in the map. What lies between the two is ")}
                <Term id="interaction" /> "."
            }
            .into_any(),
        )
    })
}

/// The slider, and what moves it.
#[component]
fn Slider(player: Player, calm: bool, enabled: Memo<bool>) -> impl IntoView {
    let written = move || format!("{:.2}", player.alpha.get());
    let stops = calm.then(|| {
        STOPS.map(|stop| {
            view! {
                <button
                    type="button"
                    data-testid="alpha-stop"
                    disabled=live(move || !enabled.get())
                    aria-pressed=live(move || (player.alpha.get() == stop).to_string())
                    on:click=move |_event| player.stand(stop)
                >
                    {stop.to_string()}
                </button>
            }
        })
    });
    let play = (!calm).then(|| {
        view! {
            <button
                type="button"
                data-testid="alpha-play"
                disabled=live(move || !enabled.get())
                on:click=move |_event| {
                    if player.is_playing.get_untracked() { player.pause() } else { player.play() }
                }
            >
                {dynamic(move || if player.is_playing.get() { "Pause" } else { "Play" })}
            </button>
        }
    });
    let slide = move |event| {
        if let Ok(alpha) = event_target_value(&event).parse() {
            player.stand(alpha);
        }
    };
    view! {
        <div class="alpha">
            <label for="alpha">"alpha"</label>
            <input
                id="alpha"
                data-testid="alpha"
                type="range"
                min="0"
                max="1"
                step="0.01"
                disabled=live(move || !enabled.get())
                prop:value=live(written)
                aria-valuetext=live(written)
                on:input=slide
            />
            <output class="alpha-value">{dynamic(written)}</output>
            {play}
            {stops}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::SHAPE;

    #[test]
    fn ap_moves_one_box_and_ig_the_layer() {
        let of = Component { kind: ComponentKind::Heads, layer: 0, index: 1 };
        let moved = |one_head| drawing(&SHAPE, of, one_head).matches("fill moved").count();
        assert_eq!([moved(true), moved(false)], [1, SHAPE.n_heads]);
        let svg = drawing(&SHAPE, of, true);
        assert_eq!(svg.matches("class=\"box").count(), SHAPE.n_layers * SHAPE.n_heads);
        assert_eq!(svg.matches("fill after").count(), SHAPE.n_heads, "the layer behind it");
        assert_eq!(svg.matches("moved subject").count(), 2);
    }
}
