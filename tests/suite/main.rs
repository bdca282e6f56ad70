//! Does it agree with the reference, does it keep its promises, does it refuse what it must?

mod boundaries;
mod bundled_model;
mod convert;
mod damage;
mod engine;
mod hosts;
mod invariants;
mod lab;
mod links;
mod lists;
mod loading;
mod parity;
mod refusals;
mod statistics;
mod tokens;
mod variants;
