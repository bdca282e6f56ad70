//! The neurons' figure: too many for cells of a table, so a canvas per map.
//!
//! `window.rs` says which neurons are in view, `listed.rs` which stand out, `coverage.rs` how many are exact;
//! `map.rs` draws, `overlay.rs` frames what is pointed at or chosen, and `panel.rs` puts it together.

mod coverage;
mod listed;
mod map;
mod overlay;
mod panel;
mod window;

pub(crate) use panel::{NeuronPanel, NeuronStatus};
pub(crate) use window::Window;
