//! One level deeper: parts of heads, direct effects, edges between components, and circuits of edges.
//! docs/METHODS.md#circuits defines them.
//!
//! An edge's exact effect is a patch like any other. A sender's change is an addition to what the receiver reads, and
//! what the receiver then does differently is an addition to the residual stream behind it: from there on edges go
//! through the rest of the model in one sweep (`patch.rs`), as components do. So all edges of a model cost about what as
//! many neurons cost. Parts of heads are the same, with the other run's activation in place of what was read.
//!
//! - `versions.rs`: queries, keys and values of a layer in several versions, and what heads write when they mix them.
//! - `senders.rs`: what each sender writes differently in the two runs.
//! - [`patch_edges`] (`paths.rs`): exact effects of edges, and of one edge position by position.
//! - [`estimate_edges`] (`estimates.rs`): EAP and EAP-IG of all edges, from gradients at what each receiver reads
//!   (`reads.rs`).
//! - [`parts()`] (`parts.rs`): AP, IG and AtP of queries, keys, values, patterns and MLP outputs; `curve.rs` is the way of
//!   queries and keys that move.
//! - [`direct`] and [`lens`] (`direct.rs`): what goes straight to the logits.
//! - [`circuits()`] (`run.rs`): circuits of edges, each run from the corrupted prompt with what its edges carry.

mod curve;
mod direct;
mod estimates;
mod parts;
mod paths;
mod reads;
mod run;
mod senders;
mod versions;

pub use direct::{Lens, direct, lens};
pub use estimates::estimate_edges;
pub use parts::parts;
pub use paths::{edge_positions, patch_edges};
pub use run::circuits;
