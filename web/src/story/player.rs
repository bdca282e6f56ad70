//! A slider that moves by itself, once, unless the visitor wants less motion.

use leptos::prelude::*;

use super::path::alpha_at;
use crate::ports::screen;

/// How long the whole way takes.
const MILLIS: f64 = 4000.0;
/// Where those who want less motion stop.
pub(super) const STOPS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Whether the visitor has asked for less motion.
pub(super) fn wants_less_motion() -> bool {
    screen::matches("(prefers-reduced-motion: reduce)") == Some(true)
}

/// The slider's place, and whether it moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Player {
    pub(super) alpha: RwSignal<f32>,
    pub(super) is_playing: RwSignal<bool>,
    /// How long it has played.
    millis: StoredValue<f64>,
}

impl Player {
    pub(super) fn new() -> Self {
        Self {
            alpha: RwSignal::new(0.0),
            is_playing: RwSignal::new(false),
            millis: StoredValue::new(0.0),
        }
    }

    /// Goes on from where it stands; from the end it begins anew.
    pub(super) fn play(self) {
        if self.is_playing.get_untracked() {
            return;
        }
        let share = f64::from(self.alpha.get_untracked());
        let from = if share >= 1.0 { 0.0 } else { played(share) };
        self.millis.set_value(from);
        self.alpha.set(alpha_at(from, MILLIS));
        self.is_playing.set(true);
        self.next(now());
    }

    pub(super) fn pause(self) {
        self.is_playing.set(false);
    }

    /// Stands at a place, where the visitor has put it.
    pub(super) fn stand(self, alpha: f32) {
        self.pause();
        self.alpha.set(alpha.clamp(0.0, 1.0));
    }

    /// Moves on with the next frame. The step may be gone by then.
    fn next(self, last: f64) {
        request_animation_frame(move || {
            if self.is_playing.try_get_untracked() != Some(true) {
                return;
            }
            let now = now();
            self.millis.update_value(|millis| *millis += (now - last).max(0.0));
            let alpha = alpha_at(self.millis.get_value(), MILLIS);
            self.alpha.set(alpha);
            if alpha < 1.0 {
                self.next(now);
            } else {
                self.pause();
            }
        });
    }
}

/// How long it takes to come to a share of the way.
fn played(share: f64) -> f64 {
    // The way is even in time but for its ends: a few halvings find the time.
    let (mut low, mut high) = (0.0, MILLIS);
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        if f64::from(alpha_at(middle, MILLIS)) < share { low = middle } else { high = middle }
    }
    low
}

fn now() -> f64 {
    window().performance().map_or_else(js_sys::Date::now, |clock| clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn playing_goes_on_where_it_stood() {
        for share in [0.1, 0.5, 0.9] {
            let back = f64::from(alpha_at(played(share), MILLIS));
            assert!((back - share).abs() < 1e-3, "{share}: {back}");
        }
    }
}
