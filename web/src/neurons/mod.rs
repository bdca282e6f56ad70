//! The neurons' figure: too many for cells of a table, so a canvas per map.
//!
//! `listed.rs` says which stand out, `coverage.rs` how many are exact; `map.rs` draws, `overlay.rs` frames what is
//! pointed at or chosen, and `panel.rs` puts it together. Which neurons are in view is in `values/window.rs`.

mod coverage;
mod listed;
mod map;
mod overlay;
mod panel;

pub(crate) use panel::NeuronPanel;
