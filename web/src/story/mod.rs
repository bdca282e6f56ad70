//! The story that the page tells: a tour of five steps on the visitor's own figure, and the words, papers and
//! definitions behind it.
//!
//! `tour.rs` is the panel that leads through the steps; `inputs.rs`, `methods.rs`, `figures.rs` and `replaced.rs` are
//! what stands in it. Nothing in `toy.rs`, `path.rs` and `told.rs` reacts or draws: they work out what is said and drawn from
//! numbers. `player.rs` moves a slider by itself. `glossary.rs` has the terms, `term.rs` shows one where it is used,
//! `papers.rs` has the sources, and `guide.rs` puts them in one place.

mod figures;
mod glossary;
mod guide;
mod inputs;
mod methods;
mod papers;
mod path;
mod player;
mod replaced;
mod term;
mod told;
mod tour;
mod toy;

pub(crate) use self::guide::{ExampleShows, Guide};
pub(crate) use self::papers::Papers;
pub(crate) use self::term::Term;
pub(crate) use self::tour::{Tour, TourButton};
