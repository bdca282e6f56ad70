//! What is known of the copy of the page that the browser keeps, and of newer ones.

/// What the browser says of the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// It does not keep the page.
    Absent,
    /// It keeps all of this build: the page opens without a network.
    Kept,
    /// It has another build ready, which waits to be asked for.
    Newer,
    /// The server has another build, of which not all could be kept.
    Stuck,
    /// Another tab has taken another build into use.
    Replaced,
    /// The server has no such page any more.
    Gone,
}

impl Service {
    /// What a word of the start script means.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "absent" => Self::Absent,
            "kept" => Self::Kept,
            "newer" => Self::Newer,
            "stuck" => Self::Stuck,
            "replaced" => Self::Replaced,
            "gone" => Self::Gone,
            _ => return None,
        })
    }
}

/// What the start script is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Have the browser keep the page.
    Keep,
    /// Load the page anew, as the build that waits.
    Load,
    /// Throw away what is kept, if a server is there: what came from it does not work.
    Leave,
}
