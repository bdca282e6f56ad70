//! A plot on the page: keys, pointer, brush, and the numbers behind it.

use std::sync::Arc;

use leptos::ev::{KeyboardEvent, MouseEvent, PointerEvent};
use leptos::html;
use leptos::prelude::*;
use twinbeam_core::words::Component;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDetailsElement};

use super::{Drawn, Target, html_table};
use crate::components::{has_moved, rectangle as on_page};
use crate::reactive::{dynamic, leave_no_trace, live};
use crate::state::Pointer;
use twinbeam_figure::plot::brush::{Pick, in_view, inside, nearest, reached, rectangle};

/// Nearer than this, in pixels, a press is a click.
const CLICK_PIXELS: f64 = 5.0;
/// Nearer than this, in units of the view box, a pointer is at a point.
const NEAR: f32 = 9.0;

/// Takes what a brush picks.
type Brush = Callback<(Vec<Component>, Pick)>;

/// A plot that can be stepped through, pointed at, pinned from and, with a brush, selected from.
#[component]
pub(crate) fn PlotView(
    /// What is pointed at and pinned, on the page as a whole.
    #[prop(into)]
    pointer: Pointer,
    testid: &'static str,
    /// Said before the summary, unless that begins with it.
    label: &'static str,
    /// Without one the plot is hidden.
    #[prop(into)]
    drawn: Signal<Option<Arc<Drawn>>>,
    #[prop(default = None)] brush: Option<Brush>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let plot = Plot {
        pointer,
        drawn,
        brush,
        at: RwSignal::new(None),
        last: StoredValue::new(None),
        pointed: StoredValue::new(false),
        drag: StoredValue::new(Drag::Idle),
        area: NodeRef::new(),
    };
    plot.draw();
    let open = RwSignal::new(false);
    let summary = move || {
        let summary = plot.with(|drawn| drawn.summary.clone()).unwrap_or_default();
        if summary.starts_with(label) { summary } else { [label, ": ", &summary].concat() }
    };
    let readout = move || {
        let label = plot.with(|drawn| Some(drawn.points[plot.current(drawn)?].label.clone()));
        label.flatten().unwrap_or_default()
    };
    let table = move || {
        open.get().then(|| {
            view! {
                <div
                    class="tokens-scroll"
                    tabindex="0"
                    role="region"
                    aria-label=["Table: ", label].concat()
                    inner_html=live(move || plot.with(|drawn| html_table(&drawn.table)).unwrap_or_default())
                ></div>
            }
        })
    };
    view! {
        <div class="plot" hidden=live(move || drawn.with(Option::is_none))>
            <div
                class="plot-area"
                class:plot-brushed=brush.is_some()
                node_ref=plot.area
                tabindex="0"
                role="group"
                aria-roledescription="plot"
                aria-label=live(summary)
                data-testid=testid
                on:focus=move |_event| plot.come_back()
                on:keydown=move |event| plot.press(&event)
                on:pointerdown=move |event| plot.begin(&event)
                on:pointermove=move |event| plot.move_to(&event)
                on:pointerup=move |event| plot.end(&event)
                on:pointercancel=move |_event| plot.cancel(Drag::Idle)
                on:pointerleave=move |_event| plot.leave()
                on:click=move |event| plot.click(&event)
                on:scroll=move |_event| {
                    if let Some(area) = plot.area.get_untracked() {
                        show_more(&area);
                    }
                }
            ></div>
            <p class="plot-readout" aria-live="polite" data-testid=[testid, "-readout"].concat()>
                {dynamic(readout)}
            </p>
            {children.map(|children| children())}
            <details
                class="plot-table"
                data-testid=[testid, "-table"].concat()
                on:toggle=move |event| open.set(event_target::<HtmlDetailsElement>(&event).open())
            >
                <summary>"Table"</summary>
                {dynamic(table)}
            </details>
        </div>
    }
    .into_any()
}

/// What the pointer does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Drag {
    Idle,
    /// The pointer was pressed here on the screen, and has hardly moved.
    Pressed([f64; 2]),
    /// A rectangle begins here.
    Moving([f64; 2]),
    /// The gesture is over; the click that follows is none.
    Over,
}

#[derive(Clone, Copy)]
struct Plot {
    pointer: Pointer,
    drawn: Signal<Option<Arc<Drawn>>>,
    brush: Option<Brush>,
    /// The target under the pointer, or that the keys have reached.
    at: RwSignal<Option<usize>>,
    /// The component that the keys have reached; the order of the targets may change.
    last: StoredValue<Option<Component>>,
    /// Whether it was the pointer.
    pointed: StoredValue<bool>,
    drag: StoredValue<Drag>,
    area: NodeRef<html::Div>,
}

impl Plot {
    fn with<T>(&self, read: impl FnOnce(&Drawn) -> T) -> Option<T> {
        self.drawn.with(|drawn| drawn.as_deref().map(read))
    }

    fn now(&self) -> Option<Arc<Drawn>> {
        self.drawn.get_untracked()
    }

    /// Puts the picture into the page, and marks what is current and what is pinned. Only the inside of the
    /// area is replaced: the focus stays.
    fn draw(self) {
        Effect::new(move |before: Option<Option<Arc<Drawn>>>| {
            leave_no_trace();
            let drawn = self.drawn.get();
            let area = self.area.get()?;
            let before = before.flatten();
            let same = match (&before, &drawn) {
                (Some(before), Some(now)) => Arc::ptr_eq(before, now),
                _ => false,
            };
            if !same {
                area.set_inner_html(drawn.as_ref().map_or("", |drawn| &drawn.svg));
                if let Some(drawn) = &drawn {
                    self.look_at(drawn, drawn.eye);
                }
            }
            let pinned = self.pointer.pinned.get();
            if let Some(drawn) = &drawn {
                mark(&area, "plot-pin", position(&drawn.points, pinned));
                mark(&area, "plot-current", self.current(drawn));
            }
            drawn
        });
    }

    /// The target at hand: this plot's own, else that of the component under the pointer elsewhere.
    fn current(&self, drawn: &Drawn) -> Option<usize> {
        let cell = self.pointer.cell.get();
        let holds = |target: &Target| target.component.is_none() || target.component == cell;
        let own = self.at.get().filter(|at| drawn.points.get(*at).is_some_and(holds));
        own.or_else(|| position(&drawn.points, cell))
    }

    fn visit(&self, drawn: &Drawn, at: usize, pointed: bool) {
        self.pointed.set_value(pointed);
        if let Some(target) = drawn.points.get(at) {
            self.at.set(Some(at));
            if !pointed {
                self.last.set_value(target.component);
            }
            if target.component.is_some() && self.pointer.cell.get_untracked() != target.component {
                self.pointer.cell.set(target.component);
            }
        }
    }

    /// Marks what the keys had reached here before they went elsewhere: it is what they act on again.
    fn come_back(&self) {
        // A press on a target is of that one.
        if self.pointed.get_value() && self.at.get_untracked().is_some() {
            return;
        }
        let last = self.last.get_value();
        let is_there = self.now().is_some_and(|drawn| position(&drawn.points, last).is_some());
        if is_there && self.pointer.cell.get_untracked() != last {
            self.pointer.cell.set(last);
        }
    }

    fn pin(&self, component: Component) {
        if self.pointer.pinned.get_untracked() == Some(component) {
            self.pointer.pinned.set(None);
        } else {
            self.pointer.go_to(component);
        }
    }

    fn press(&self, event: &KeyboardEvent) {
        let Some(drawn) = self.now() else { return };
        if event.ctrl_key() || event.alt_key() || event.meta_key() {
            return;
        }
        let at = untrack(|| self.current(&drawn));
        let component = at.and_then(|at| drawn.points[at].component);
        match (event.key().as_str(), component, self.brush) {
            ("b" | "B", Some(component), Some(brush)) => {
                brush.run((vec![component], Pick::Toggle));
            }
            ("Enter", Some(component), Some(brush)) if event.shift_key() => {
                brush.run((vec![component], Pick::Toggle));
            }
            ("Enter" | " ", Some(component), _) => self.pin(component),
            // What stands for no component cannot be pinned, and the page must not scroll for that.
            (" ", None, _) => {}
            ("Escape", ..) => match self.drag.get_value() {
                Drag::Pressed(_) | Drag::Moving(_) => self.cancel(Drag::Over),
                Drag::Idle | Drag::Over => self.pointer.pinned.set(None),
            },
            // On from where the keys have been, if a pointer has been elsewhere since.
            (key, ..) => match reached(&drawn, at.or(self.at.get_untracked()), key) {
                Some(to) => {
                    self.visit(&drawn, to, false);
                    self.bring_into_view(&drawn, to);
                }
                None => return,
            },
        }
        event.prevent_default();
    }

    /// A plot wider than the screen scrolls along with the keys.
    fn bring_into_view(&self, drawn: &Drawn, at: usize) {
        self.look_at(drawn, drawn.points.get(at).map(|target| target.place[0]));
    }

    /// Scrolls a plot that is wider than its room to a place across, and says at which sides there is more.
    fn look_at(&self, drawn: &Drawn, place: Option<f32>) {
        let Some(area) = self.area.get_untracked() else { return };
        let (room, width) = (area.client_width(), area.scroll_width());
        if let Some(place) = place.filter(|_| width > room && drawn.size[0] > 0.0) {
            let x = place / drawn.size[0] * width as f32;
            area.set_scroll_left(x as i32 - room / 2);
        }
        show_more(&area);
    }

    fn begin(&self, event: &PointerEvent) {
        let begins = self.brush.is_some() && event.button() == 0 && event.is_primary();
        self.drag.set_value(if begins { Drag::Pressed(on_screen(event)) } else { Drag::Idle });
    }

    fn move_to(&self, event: &PointerEvent) {
        let to = on_screen(event);
        let mut drag = self.drag.get_value();
        if let Drag::Pressed(from) = drag
            && (to[0] - from[0]).hypot(to[1] - from[1]) >= CLICK_PIXELS
            && let Some(area) = self.area.get_untracked()
        {
            // Not before: a click would be one at the area, not at what is under the pointer.
            area.set_pointer_capture(event.pointer_id()).ok();
            drag = Drag::Moving(from);
            self.drag.set_value(drag);
        }
        if let Drag::Moving(from) = drag {
            if let Some((a, b)) = self.corners(from, to) {
                self.stretch(rectangle(a, b));
            }
            return;
        }
        // A page that scrolls under a pointer that rests has not been pointed at.
        if !has_moved(event) {
            return;
        }
        let Some(drawn) = self.now() else { return };
        match self.target(&drawn, event) {
            Some(at) if self.at.get_untracked() != Some(at) => self.visit(&drawn, at, true),
            _ => {}
        }
    }

    fn end(&self, event: &PointerEvent) {
        let Drag::Moving(from) = self.drag.get_value() else {
            self.drag.set_value(Drag::Idle);
            return;
        };
        let picked = self.corners(from, on_screen(event)).zip(self.now());
        self.cancel(Drag::Over);
        if let (Some(((a, b), drawn)), Some(brush)) = (picked, self.brush) {
            let how = if event.shift_key() { Pick::Add } else { Pick::Replace };
            brush.run((inside(&drawn, a, b), how));
        }
    }

    /// Takes the rubber band away.
    fn cancel(&self, then: Drag) {
        self.drag.set_value(then);
        self.stretch([0.0; 4]);
    }

    fn leave(&self) {
        // What the keys have reached stays.
        if self.pointed.get_value() {
            self.at.set(None);
            self.pointer.cell.set(None);
        }
    }

    fn click(&self, event: &MouseEvent) {
        if self.drag.get_value() == Drag::Over {
            self.drag.set_value(Drag::Idle);
            return;
        }
        let Some(drawn) = self.now() else { return };
        if let Some(at) = self.target(&drawn, event) {
            self.visit(&drawn, at, true);
            if let Some(component) = drawn.points[at].component {
                self.pin(component);
            }
        }
    }

    /// The target under the pointer, or near it.
    fn target(&self, drawn: &Drawn, event: &MouseEvent) -> Option<usize> {
        let element: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
        let hit = element.and_then(|element| element.closest("[data-at]").ok().flatten());
        let at = hit.and_then(|hit| hit.get_attribute("data-at")?.parse().ok());
        let at = at.filter(|at| *at < drawn.points.len());
        if at.is_some() || drawn.grid {
            return at;
        }
        let picture = self.picture()?;
        nearest(&drawn.points, in_view(on_screen(event), picture, drawn.size), NEAR)
    }

    /// Two places on the screen, in units of the view box.
    fn corners(&self, from: [f64; 2], to: [f64; 2]) -> Option<([f32; 2], [f32; 2])> {
        let (size, picture) = (self.now()?.size, self.picture()?);
        Some((in_view(from, picture, size), in_view(to, picture, size)))
    }

    /// Left, top, width and height of the picture on the screen.
    fn picture(&self) -> Option<[f64; 4]> {
        on_page(&self.area.get_untracked()?.query_selector("svg").ok()??)
    }

    fn stretch(&self, to: [f32; 4]) {
        let Some(area) = self.area.get_untracked() else { return };
        if let Ok(Some(rubber)) = area.query_selector(".plot-rubber") {
            for (name, number) in ["x", "y", "width", "height"].into_iter().zip(to) {
                rubber.set_attribute(name, &number.to_string()).ok();
            }
        }
    }
}

fn on_screen(event: &MouseEvent) -> [f64; 2] {
    [event.client_x().into(), event.client_y().into()]
}

fn position(targets: &[Target], component: Option<Component>) -> Option<usize> {
    component?;
    targets.iter().position(|target| target.component == component)
}

/// Marks the sides at which a scrolled element has more: where scroll bars hide, nothing else says so.
fn show_more(area: &Element) {
    let (left, room, width) = (area.scroll_left(), area.client_width(), area.scroll_width());
    for (class, is) in [("more-before", left > 1), ("more-after", left + room < width - 1)] {
        area.class_list().toggle_with_force(class, is).ok();
    }
}

/// Moves a class to a target.
fn mark(area: &Element, class: &str, at: Option<usize>) {
    if let Ok(Some(old)) = area.query_selector(&[".", class].concat()) {
        old.class_list().remove_1(class).ok();
    }
    if let Some(at) = at
        && let Ok(Some(new)) = area.query_selector(&format!("[data-at=\"{at}\"]"))
    {
        new.class_list().add_1(class).ok();
    }
}
