//! Does it agree with the reference, does it keep its promises, does it refuse what it must?

mod batches;
mod boundaries;
mod bundled_model;
mod circuits;
mod circuits_parity;
mod convert;
mod damage;
mod documents;
mod engine;
mod floors;
#[cfg(feature = "gpu")]
mod gpu;
mod hosts;
mod invariants;
mod lab;
mod links;
mod lists;
mod loading;
mod one_by_one;
mod parity;
mod refusals;
mod shards;
mod shares;
mod statistics;
mod tokens;
mod variants;
