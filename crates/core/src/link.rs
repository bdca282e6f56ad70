//! Permalinks: an experiment, what is on the screen of it, a snapshot of its result, and a note of the sender's.

mod note;
mod paths;
mod permalink;
mod snapshot;
mod v1;
mod view;

pub use note::Note;
pub use paths::{EdgesBy, Paths, Spot};
pub use permalink::{
    Link, LinkError, MAX_FRAGMENT, experiment_from_text, experiment_to_text, parse_link, print_link,
};
pub use snapshot::{NeuronScores, Snapshot};
pub use view::{Highlight, Panel, PartsBy, ScaleChoice, SetChoice, View, WithChoice};
