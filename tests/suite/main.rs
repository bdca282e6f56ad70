//! Does it agree with the reference, does it keep its promises, does it refuse what it must?

mod invariants;
mod parity;
mod refusals;
