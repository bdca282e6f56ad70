//! Prompts as people write them: pairs and lists of them, where two differ, what of a text may not be meant, and what
//! makes two of them equally long.

mod align;
mod hint;
pub mod lists;
mod mend;
mod pair;

pub use align::{Aligned, align};
pub use hint::{About, Hint, hides, is_unseen, name_of};
pub use mend::{Does, Mend, Spelt, mends};
pub use pair::{Draw, PromptPair};
