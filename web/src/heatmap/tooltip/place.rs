//! Where a tooltip goes: beside what it is about, and within the window. Nothing here knows of the page.

/// Between the tooltip and what it is about.
const GAP: f64 = 8.0;
/// Between the tooltip and the edge of the window.
const EDGE: f64 = 4.0;

/// Left and top of a tooltip of a size that leaves `keep` (left, top, width and height) free: above it, else below, else
/// beside it; in a window that has no room anywhere, as far from it as the window allows.
pub(super) fn place(keep: [f64; 4], [width, height]: [f64; 2], window: [f64; 2]) -> [f64; 2] {
    let [left, top, wide, high] = keep;
    let within = |at: f64, size: f64, room: f64| at.min(room - EDGE - size).max(EDGE);
    let [across, down] = [
        within(left + wide / 2.0 - width / 2.0, width, window[0]),
        within(top + high / 2.0 - height / 2.0, height, window[1]),
    ];
    let above = top - GAP - height;
    let below = top + high + GAP;
    if above >= EDGE {
        return [across, above];
    }
    if below + height + EDGE <= window[1] {
        return [across, below];
    }
    let (before, after) = (left - GAP - width, left + wide + GAP);
    if after + width + EDGE <= window[0] {
        return [after, down];
    }
    if before >= EDGE {
        return [before, down];
    }
    let is_low = top + high / 2.0 > window[1] / 2.0;
    [across, if is_low { EDGE } else { within(below, height, window[1]) }]
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: [f64; 2] = [400.0, 300.0];
    const SIZE: [f64; 2] = [100.0, 60.0];

    /// Whether a tooltip lies within the window and off what it is about.
    fn is_free(keep: [f64; 4], [x, y]: [f64; 2], [width, height]: [f64; 2]) -> bool {
        let is_within = x >= 0.0 && y >= 0.0 && x + width <= WINDOW[0] && y + height <= WINDOW[1];
        let is_off = x + width <= keep[0]
            || x >= keep[0] + keep[2]
            || y + height <= keep[1]
            || y >= keep[1] + keep[3];
        is_within && is_off
    }

    #[test]
    fn it_is_above_where_there_is_room_and_never_over_what_it_is_about() {
        assert_eq!(place([180.0, 200.0, 40.0, 20.0], SIZE, WINDOW), [150.0, 132.0]);
        for x in 0..20 {
            for y in 0..15 {
                let keep = [20.0 * f64::from(x), 20.0 * f64::from(y), 20.0, 20.0];
                let at = place(keep, SIZE, WINDOW);
                assert!(is_free(keep, at, SIZE), "{keep:?}: {at:?}");
            }
        }
    }

    #[test]
    fn a_tall_one_goes_beside() {
        let tall = [100.0, 200.0];
        for x in [10.0, 200.0, 370.0] {
            let keep = [x, 140.0, 20.0, 20.0];
            let at = place(keep, tall, WINDOW);
            assert!(is_free(keep, at, tall), "{keep:?}: {at:?}");
        }
    }

    #[test]
    fn in_a_window_that_is_too_small_it_begins_within() {
        let at = place([10.0, 280.0, 380.0, 20.0], [390.0, 290.0], WINDOW);
        assert_eq!(at, [5.0, EDGE]);
        assert_eq!(place([0.0, 0.0, 10.0, 10.0], [900.0, 900.0], WINDOW), [EDGE, EDGE]);
    }
}
