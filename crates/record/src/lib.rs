//! A result as files: numbers with their provenance, a Jupyter notebook that computes them again, and all of it in one
//! archive.
//!
//! Who has a result fills in a [`Record`]: the page, the command line, and Python. It is written down in one way, so that
//! what reads one of their files reads the others'.
//!
//! - `record.rs`: what belongs to a result; `csv.rs` (with `circuits.rs` for parts of heads and direct effects) writes it
//!   as lines that no spreadsheet takes for formulas.
//! - `bundle.rs`: the archive (`zip.rs`), with plots and a notebook (`notebook.rs`, `reproduce.py`) that computes the
//!   result again with TransformerLens and captum, and compares.

mod bundle;
mod circuits;
mod csv;
mod notebook;
mod record;
mod zip;

pub use bundle::{Batch, Extras, bundle, entries};
pub use notebook::Origin;
pub use record::{InUnit, Looked, Partial, Record, Scored};
pub use zip::Entry;

/// An archive that could not be packed. Its own words are few: all of its cause's would be in the page's download.
#[derive(Debug, thiserror::Error)]
#[error("the archive could not be packed")]
pub struct PackError(#[from] rawzip::Error);
