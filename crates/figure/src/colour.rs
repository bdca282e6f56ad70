//! The maps' colours where there is no style sheet: on a canvas, and in a picture.

use oklab::{Oklab, oklab_to_srgb, srgb_to_oklab};

/// An sRGB colour, 0 to 255.
pub type Rgb = [u8; 3];

/// The ends and the middle of the diverging scale, as `styles/tokens.css` has them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theme {
    zero: Rgb,
    warm: Rgb,
    cold: Rgb,
    /// Shares of the scale at which black and white are equally readable.
    warm_turn: f32,
    cold_turn: f32,
    /// Whether white is the one beyond.
    white_beyond: bool,
}

/// Of the light theme, and of paper.
pub const LIGHT: Theme = Theme {
    zero: [0xf6, 0xf4, 0xef],
    warm: [0xa3, 0x3b, 0x12],
    cold: [0x17, 0x54, 0x8f],
    warm_turn: 0.827,
    cold_turn: 0.768,
    white_beyond: true,
};

/// Of the dark theme.
pub const DARK: Theme = Theme {
    zero: [0x23, 0x27, 0x2e],
    warm: [0xff, 0x9a, 0x5c],
    cold: [0x6c, 0xb4, 0xff],
    warm_turn: 0.589,
    cold_turn: 0.604,
    white_beyond: false,
};

/// What a drawing is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ground {
    /// Paper, or a page in the light theme.
    #[default]
    Light,
    /// A page in the dark theme.
    Dark,
}

impl Ground {
    /// The scale of the scores.
    pub const fn theme(self) -> &'static Theme {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }

    /// The ground itself, as SVG writes it.
    pub const fn fill(self) -> &'static str {
        match self {
            Self::Light => "#ffffff",
            Self::Dark => "#1b1e24",
        }
    }

    /// A style with its colours in the places of their names, such as `@ink`, as `styles/tokens.css` has them.
    pub(crate) fn style(self, named: &str) -> String {
        // A name that begins like another stands in front of it.
        const COLOURS: [(&str, [&str; 2]); 14] = [
            ("@ink-soft", ["#5a5c62", "#a5a7ad"]),
            ("@ink", ["#1c1d20", "#e8e6e1"]),
            ("@line", ["#d9d6ce", "#353a43"]),
            ("@accent", ["#33415c", "#b9c7e6"]),
            ("@chosen", ["#1f5c4d", "#7fc7b0"]),
            ("@ground", ["#ffffff", "#1b1e24"]),
            ("@warm", ["#a33b12", "#ff9a5c"]),
            ("@cold", ["#17548f", "#6cb4ff"]),
            ("@ig", ["#09806a", "#74ead0"]),
            ("@ap", ["#6f1b6e", "#c774c0"]),
            ("@k0", ["#d8d6d2", "#2d3138"]),
            ("@k1", ["#e6e4df", "#282c33"]),
            ("@k2", ["#bbb9b6", "#4a4f58"]),
            ("@k3", ["#f6f4ef", "#23272e"]),
        ];
        let colour =
            |style: String, (name, on): (&str, [&str; 2])| style.replace(name, on[self as usize]);
        COLOURS.into_iter().fold(named.to_owned(), colour)
    }
}

/// The hues of the two methods in the light theme, as `styles/tokens.css` has them: IG, AP.
pub const METHODS: [Rgb; 2] = [[0x09, 0x80, 0x6a], [0x6f, 0x1b, 0x6e]];

impl Theme {
    /// Colour of a place on the scale, from -1 to 1, mixed in Oklab as the style sheet does.
    pub fn of(&self, place: f32) -> Rgb {
        let (end, share) = (if place < 0.0 { self.cold } else { self.warm }, place.abs().min(1.0));
        let [from, to] = [self.zero, end].map(|colour| srgb_to_oklab(colour.into()));
        let mix = |from: f32, to: f32| from + (to - from) * share;
        let (l, a, b) = (mix(from.l, to.l), mix(from.a, to.a), mix(from.b, to.b));
        oklab_to_srgb(Oklab { l, a, b }).into()
    }

    /// Colour of a place on the scale, as SVG writes it.
    pub fn hex(&self, place: f32) -> String {
        hex(self.of(place))
    }

    /// Black or white, whichever can be read there.
    pub fn ink(&self, place: f32) -> &'static str {
        let turn = if place < 0.0 { self.cold_turn } else { self.warm_turn };
        if (place.abs() > turn) == self.white_beyond { "#ffffff" } else { "#000000" }
    }
}

/// A colour as a style sheet writes it.
pub fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use oklab::linear_srgb_to_oklab;

    use super::*;

    const CSS: &str = include_str!("../../../web/styles/tokens.css");

    /// How an eye sees: what each primary becomes, in linear sRGB. Machado, Oliveira and Fernandes 2009, severity 1.0.
    const EYES: [(&str, [[f32; 3]; 3]); 4] = [
        ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367_322, 0.860_646, -0.227_968],
                [0.280_085, 0.672_501, 0.047_413],
                [-0.011_820, 0.042_940, 0.968_881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255_528, -0.076_749, -0.178_779],
                [-0.078_411, 0.930_809, 0.147_602],
                [0.004_733, 0.691_367, 0.303_900],
            ],
        ),
    ];

    /// A token's colour in the light theme and in the dark one.
    fn token(name: &str) -> [Rgb; 2] {
        let (_, rest) = CSS.split_once(&format!("--{name}: light-dark(")).expect(name);
        let (value, _) = rest.split_once(')').expect("it ends");
        let read = |text: &str| -> Rgb {
            let number = u32::from_str_radix(text.trim().trim_start_matches('#'), 16).expect(name);
            let [_, red, green, blue] = number.to_be_bytes();
            [red, green, blue]
        };
        let (light, dark) = value.split_once(',').expect("two themes");
        [read(light), read(dark)]
    }

    /// From 0 to 1 by the amount of light.
    fn linear(colour: Rgb) -> [f32; 3] {
        colour.map(|channel| {
            let share = f32::from(channel) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// How far apart two colours are for an eye, in Oklab: 0.02 is about what can be told apart side by side.
    fn apart(one: Rgb, other: Rgb, eye: [[f32; 3]; 3]) -> f32 {
        let seen = |colour: Rgb| {
            let light = linear(colour);
            let [r, g, b] = eye.map(|row| {
                let sum: f32 = row.iter().zip(light).map(|(share, light)| share * light).sum();
                sum.clamp(0.0, 1.0)
            });
            linear_srgb_to_oklab(oklab::LinearRgb { r, g, b })
        };
        let (one, other) = (seen(one), seen(other));
        ((one.l - other.l).powi(2) + (one.a - other.a).powi(2) + (one.b - other.b).powi(2)).sqrt()
    }

    /// Contrast as WCAG has it, from 1 to 21.
    fn contrast(one: Rgb, other: Rgb) -> f32 {
        let luminance = |colour: Rgb| {
            let [red, green, blue] = linear(colour);
            0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn both_themes_are_the_style_sheets() {
        for (name, light, dark, place) in [
            ("map-zero", LIGHT.zero, DARK.zero, 0.0),
            ("map-warm", LIGHT.warm, DARK.warm, 1.0),
            ("map-cold", LIGHT.cold, DARK.cold, -1.0),
        ] {
            assert_eq!([LIGHT.of(place), DARK.of(place)], [light, dark], "there and back");
            assert_eq!(token(name), [light, dark], "{name}");
        }
        assert_eq!(["ig", "ap"].map(|name| token(name)[0]), METHODS);
        let same =
            ["ink", "ink-soft", "line", "accent", "ig", "ap", "map-warm", "map-cold", "map-zero"];
        for name in same.into_iter().chain(["surface"]) {
            let here = match name {
                "surface" => "@ground".to_owned(),
                "map-zero" => "@k3".to_owned(),
                name => format!("@{}", name.trim_start_matches("map-")),
            };
            let styled = [Ground::Light, Ground::Dark].map(|ground| ground.style(&here));
            assert_eq!(styled, token(name).map(hex), "{name}");
        }
        assert_eq!([Ground::Light, Ground::Dark].map(Ground::fill), token("surface").map(hex));
        for theme in [LIGHT, DARK] {
            for (name, turn) in [("warm", theme.warm_turn), ("cold", theme.cold_turn)] {
                assert!(CSS.contains(&format!("--map-{name}-turn: {turn};")));
            }
        }
    }

    #[test]
    fn the_methods_and_the_signs_are_told_apart_by_every_eye() {
        let tokens = ["ig", "ap", "map-warm", "map-cold"].map(token);
        for (eye, matrix) in EYES {
            for theme in [0, 1] {
                let [ig, ap, warm, cold] = tokens.map(|of| of[theme]);
                let hold = |one: Rgb, other: Rgb, least: f32| {
                    let by = apart(one, other, matrix);
                    let pair = [hex(one), hex(other)];
                    assert!(by >= least, "{pair:?} are {by} apart with {eye}, at least {least}");
                };
                hold(ig, ap, 0.15);
                hold(warm, cold, 0.18);
                // A method is not taken for a sign.
                for method in [ig, ap] {
                    hold(method, warm, 0.05);
                    hold(method, cold, 0.05);
                }
            }
        }
    }

    #[test]
    fn marks_and_words_in_these_colours_stand_out_from_the_paper() {
        for ground in ["paper", "surface"].map(token) {
            // The methods' names are written in their hues; the scale's ends are drawn only.
            for (name, least) in [("ig", 4.5), ("ap", 4.5), ("map-warm", 3.0), ("map-cold", 3.0)] {
                for (theme, colour) in token(name).into_iter().enumerate() {
                    let contrast = contrast(colour, ground[theme]);
                    assert!(contrast >= least, "{name} {} is {contrast} to 1", hex(colour));
                }
            }
        }
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-3);
    }

    #[test]
    fn an_eye_that_lacks_a_cone_confuses_what_it_must() {
        let (red, green) = ([0xc0, 0x30, 0x20], [0x60, 0x70, 0x20]);
        let of = |eye: usize| apart(red, green, EYES[eye].1);
        assert!(of(2) < 0.4 * of(0), "{} of {}", of(2), of(0));
        assert!(apart([255; 3], [255; 3], EYES[3].1) < 1e-6);
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
