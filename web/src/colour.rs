//! The maps' colours where there is no style sheet: on a canvas, and in a picture.

use oklab::{Oklab, oklab_to_srgb, srgb_to_oklab};

/// An sRGB colour, 0 to 255.
pub(crate) type Rgb = [u8; 3];

/// The ends and the middle of the diverging scale, as `styles/tokens.css` has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Theme {
    zero: Rgb,
    warm: Rgb,
    cold: Rgb,
    /// Shares of the scale at which black and white are equally readable.
    warm_turn: f32,
    cold_turn: f32,
    /// Whether white is the one beyond.
    white_beyond: bool,
}

pub(crate) const LIGHT: Theme = Theme {
    zero: [0xf6, 0xf4, 0xef],
    warm: [0xa3, 0x3b, 0x12],
    cold: [0x17, 0x54, 0x8f],
    warm_turn: 0.827,
    cold_turn: 0.768,
    white_beyond: true,
};

pub(crate) const DARK: Theme = Theme {
    zero: [0x23, 0x27, 0x2e],
    warm: [0xff, 0x9a, 0x5c],
    cold: [0x6c, 0xb4, 0xff],
    warm_turn: 0.589,
    cold_turn: 0.604,
    white_beyond: false,
};

impl Theme {
    /// Colour of a place on the scale, from -1 to 1, mixed in Oklab as the style sheet does.
    pub(crate) fn of(&self, place: f32) -> Rgb {
        let (end, share) = (if place < 0.0 { self.cold } else { self.warm }, place.abs().min(1.0));
        let [from, to] = [self.zero, end].map(|colour| srgb_to_oklab(colour.into()));
        let mix = |from: f32, to: f32| from + (to - from) * share;
        let (l, a, b) = (mix(from.l, to.l), mix(from.a, to.a), mix(from.b, to.b));
        oklab_to_srgb(Oklab { l, a, b }).into()
    }

    /// The same as SVG writes it.
    pub(crate) fn hex(&self, place: f32) -> String {
        hex(self.of(place))
    }

    /// Black or white, whichever can be read there.
    pub(crate) fn ink(&self, place: f32) -> &'static str {
        let turn = if place < 0.0 { self.cold_turn } else { self.warm_turn };
        if (place.abs() > turn) == self.white_beyond { "#ffffff" } else { "#000000" }
    }
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_themes_are_the_style_sheets() {
        let css = include_str!("../styles/tokens.css");
        for (name, light, dark, place) in [
            ("zero", LIGHT.zero, DARK.zero, 0.0),
            ("warm", LIGHT.warm, DARK.warm, 1.0),
            ("cold", LIGHT.cold, DARK.cold, -1.0),
        ] {
            assert_eq!([LIGHT.of(place), DARK.of(place)], [light, dark], "there and back");
            let rule = format!("--map-{name}: light-dark({}, {});", hex(light), hex(dark));
            assert!(css.contains(&rule), "tokens.css lacks {rule}");
        }
        for theme in [LIGHT, DARK] {
            for (name, turn) in [("warm", theme.warm_turn), ("cold", theme.cold_turn)] {
                assert!(css.contains(&format!("--map-{name}-turn: {turn};")));
            }
        }
    }

    #[test]
    fn lightness_moves_steadily_from_zero_to_both_ends() {
        for (theme, darker) in [(LIGHT, true), (DARK, false)] {
            for sign in [1.0, -1.0] {
                let lightness: Vec<f32> = (0..=20)
                    .map(|step| srgb_to_oklab(theme.of(sign * step as f32 / 20.0).into()).l)
                    .collect();
                assert!(
                    lightness.is_sorted_by(|a, b| (a > b) == darker && a != b),
                    "{lightness:?}"
                );
            }
        }
    }
}
