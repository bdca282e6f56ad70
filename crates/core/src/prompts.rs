//! Prompts as people write them: pairs and lists of them, where two differ, and what of a text may not be meant.

mod align;
mod hint;
pub mod lists;
mod pair;

pub use align::{Aligned, align};
pub use hint::{About, Hint, hides, is_unseen, name_of};
pub use pair::{Draw, PromptPair};
