//! What the chapters of the lab are called, and what each of them asks.

use twinbeam_core::link::Panel;

/// What a chapter is called in the list, and the question that it answers.
pub(super) const fn names(chapter: Panel) -> [&'static str; 2] {
    match chapter {
        Panel::Why => ["Why", "Why do IG and AP differ?"],
        Panel::Agreement => ["Agreement", "How far do the two methods agree?"],
        Panel::Directions => ["Directions", "What is necessary, and what is sufficient?"],
        Panel::Positions => ["Tokens", "At which token does it happen?"],
        Panel::Ablate => ["Test", "Does it hold when they are replaced together?"],
        Panel::Paths => ["Paths", "Along which paths does it travel?"],
        Panel::Batch => ["Many prompts", "Does it hold beyond this pair?"],
    }
}
