//! What is on the screen: what a link keeps beside the experiment and its result.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Note, Paths};
use crate::prompts::{Draw, PromptPair};
use crate::scores::Unit;
use crate::words::{Component, ComponentKind, Direction, MAX_PROMPT_CHARS};

/// Components that a link names at most.
const MOST_SELECTED: usize = 200;
/// Prompt pairs that a link takes along at most; more are too long for it anyway.
const MOST_PAIRS: usize = 100;
/// Layers above which no component is named: no GPT-2 has as many.
pub(super) const MOST_LAYERS: usize = 96;
pub(super) const MOST_WIDTH: usize = 65_536;

/// Longest name of a unit that is read.
const MOST_UNIT: usize = 20;

/// Whether the maps have one scale, or each its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleChoice {
    /// One scale for all maps.
    #[default]
    Shared,
    /// A scale per map.
    Own,
}

impl ScaleChoice {
    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
        }
    }
}

/// Which components count as found by a method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Highlight {
    /// Components whose absolute score is at or above this quantile of the map, 0 to 1. To begin with 0.9, which a
    /// later notebook of the comparison takes (docs/METHODS.md#the-notebook).
    Quantile(f32),
    /// Components whose absolute score is at least this much, in the metric's unit.
    AtLeast(f32),
}

impl Default for Highlight {
    fn default() -> Self {
        Self::Quantile(0.9)
    }
}

/// A chapter of the lab. One at a time is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Panel {
    /// How far the two methods agree.
    Agreement,
    /// Why the methods differ for one component.
    #[default]
    Why,
    /// What each direction finds.
    Directions,
    /// What a component and the streams do token by token.
    Positions,
    /// What a set does together.
    Ablate,
    /// Along which edges it travels.
    Paths,
    /// What many prompts have in common.
    Batch,
}

impl Panel {
    /// All chapters, in the order of the argument.
    pub const ALL: [Self; 7] = [
        Self::Why,
        Self::Agreement,
        Self::Directions,
        Self::Positions,
        Self::Ablate,
        Self::Paths,
        Self::Batch,
    ];
    /// Chapters that were open at once, in a link of old that did not say which came first.
    const OPEN_ONCE: [Self; 3] = [Self::Agreement, Self::Why, Self::Directions];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Why => "why",
            Self::Directions => "directions",
            Self::Positions => "positions",
            Self::Ablate => "ablate",
            Self::Paths => "paths",
            Self::Batch => "batch",
        }
    }

    /// The one that a link is about in which several may be open, as they once could: what its sender has opened
    /// besides those that were open anyway, else the first of those.
    fn of_open(open: &[Self]) -> Self {
        let first = |opened: bool| {
            let is_it = |panel: &Self| {
                open.contains(panel) && (!opened || !Self::OPEN_ONCE.contains(panel))
            };
            Self::ALL.into_iter().find(is_it)
        };
        first(true).or_else(|| first(false)).unwrap_or_default()
    }
}

/// A chapter as a list of open panels, which is what links hold.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn chapter_in_list<S: Serializer>(chapter: &Panel, serializer: S) -> Result<S::Ok, S::Error> {
    [*chapter].serialize(serializer)
}

fn chapter_of_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Panel, D::Error> {
    Vec::<Panel>::deserialize(deserializer).map(|open| Panel::of_open(&open))
}

/// Which set of components is ablated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetChoice {
    /// Found by integrated gradients and not by patching.
    IgOnly,
    /// Found by patching and not by integrated gradients.
    ApOnly,
    /// Found by both.
    #[default]
    Both,
    /// Drawn at random, as many as both have found.
    Random,
    /// Selected by hand.
    Selected,
}

impl SetChoice {
    /// All sets, in the order in which they are offered.
    pub const ALL: [Self; 5] =
        [Self::IgOnly, Self::ApOnly, Self::Both, Self::Random, Self::Selected];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::IgOnly => "ig_only",
            Self::ApOnly => "ap_only",
            Self::Both => "both",
            Self::Random => "random",
            Self::Selected => "selected",
        }
    }
}

/// What ablated components are replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithChoice {
    /// The other run's activations.
    #[default]
    OtherRun,
    /// The components' mean over the prompts of the batch.
    Mean,
    /// Zero.
    Zero,
}

impl WithChoice {
    /// All replacements, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::OtherRun, Self::Mean, Self::Zero];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::OtherRun => "other_run",
            Self::Mean => "mean",
            Self::Zero => "zero",
        }
    }
}

/// By which method the parts of heads are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartsBy {
    /// Activation patching.
    #[default]
    Ap,
    /// Integrated gradients.
    Ig,
    /// Integrated gradients minus activation patching.
    Diff,
}

impl PartsBy {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Ap, Self::Ig, Self::Diff];

    /// Stable lower-case name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ap => "ap",
            Self::Ig => "ig",
            Self::Diff => "diff",
        }
    }

    /// Whether links leave it out.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a switch is off, and links leave it out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_off(switch: &bool) -> bool {
    !*switch
}

/// What is on the screen of a result. None of it decides a number, and a change of it makes no result stale.
///
/// Everything that shows a result elsewhere (a link, a file, a frame) takes from here what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the page")]
pub struct View {
    /// Which run is changed in what the maps show. In a link it stands beside the experiment's fields.
    pub direction: Direction,
    /// The unit that scores are shown in, where the result allows it.
    #[serde(deserialize_with = "unit_or_default")]
    pub unit: Unit,
    /// Whether the maps have one scale.
    pub scale: ScaleChoice,
    /// First and last of the neurons that are in view; `None`: all.
    pub neurons_in_view: Option<[usize; 2]>,
    /// The component that is pinned.
    pub pinned: Option<Component>,
    /// Kind of the components that the lab is about.
    pub kind: ComponentKind,
    /// Components that are selected.
    pub selected: Vec<Component>,
    /// Which components count as found by a method.
    pub highlight: Highlight,
    /// Whether IG is taken from zero.
    pub zero_baseline: bool,
    /// Whether the integral is cut off where the metric saturates.
    pub split: bool,
    /// Whether the two directions are compared by IG, else by AP.
    pub directions_by_ig: bool,
    /// The chapter of the lab that is open. In a link it is a list of one: once, several could be.
    #[serde(
        rename = "open",
        serialize_with = "chapter_in_list",
        deserialize_with = "chapter_of_list"
    )]
    pub chapter: Panel,
    /// The set that is ablated.
    pub set: SetChoice,
    /// Whether the set has been ablated, for the figure that the link holds.
    pub ablated: bool,
    /// Whether the maps by token were asked for, for the figure that the link holds, where they are not drawn by
    /// themselves.
    pub streams: bool,
    /// By which method the parts of heads are shown.
    #[serde(skip_serializing_if = "PartsBy::is_default")]
    pub parts_by: PartsBy,
    /// Whether parts of heads and direct effects were asked for, for the figure that the link holds, where they are not
    /// computed by themselves.
    #[serde(skip_serializing_if = "is_off")]
    pub parts: bool,
    /// What ablated components are replaced by.
    pub with: WithChoice,
    /// What is looked at of the model's graph.
    pub paths: Paths,
    /// Whether the pairs' neurons are scored too.
    pub batch_neurons: bool,
    /// Prompt pairs that were drawn.
    pub draw: Option<Draw>,
    /// Prompt pairs that were entered.
    pub pairs: Vec<PromptPair>,
    /// What the link's sender has to say of it.
    #[serde(skip_serializing_if = "Note::is_empty")]
    pub note: Note,
}

impl Default for View {
    fn default() -> Self {
        Self {
            direction: Direction::default(),
            unit: Unit::default(),
            scale: ScaleChoice::default(),
            neurons_in_view: None,
            pinned: None,
            kind: ComponentKind::Heads,
            selected: Vec::new(),
            highlight: Highlight::default(),
            zero_baseline: false,
            split: false,
            directions_by_ig: false,
            chapter: Panel::default(),
            set: SetChoice::default(),
            ablated: false,
            streams: false,
            parts_by: PartsBy::default(),
            parts: false,
            with: WithChoice::default(),
            paths: Paths::default(),
            batch_neurons: false,
            draw: None,
            pairs: Vec::new(),
            note: Note::default(),
        }
    }
}

impl View {
    /// Whether every number of the view can be: a link is from anybody.
    pub(crate) fn is_possible(&self) -> bool {
        let fits = |c: &Component| c.layer < MOST_LAYERS && c.index < MOST_WIDTH;
        let highlight = match self.highlight {
            Highlight::Quantile(q) => (0.0..=1.0).contains(&q),
            Highlight::AtLeast(score) => score.is_finite() && score >= 0.0,
        };
        highlight
            && self.pinned.iter().chain(&self.selected).all(fits)
            && self.selected.len() <= MOST_SELECTED
            && self.neurons_in_view.is_none_or(|[first, last]| first <= last && last < MOST_WIDTH)
            && self.paths.is_possible()
            && Self::holds(&self.pairs)
            && self.draw.as_ref().is_none_or(|draw| draw.task.len() <= 40 && draw.n <= 1000)
    }

    /// Whether a link may hold these prompt pairs: at most 100, of prompts that can be run. Others it leaves behind.
    pub fn holds(pairs: &[PromptPair]) -> bool {
        pairs.len() <= MOST_PAIRS && pairs.iter().all(is_short)
    }

    /// This view as far as a link has room for it.
    #[must_use]
    pub fn for_link(mut self) -> Self {
        self.selected.truncate(MOST_SELECTED);
        self.paths.shorten();
        // A view with a pair that no link may hold would be refused as a whole.
        if !Self::holds(&self.pairs) {
            self.pairs.clear();
        }
        self
    }
}

/// Whether the prompts of a pair are no longer than prompts may be.
fn is_short(pair: &PromptPair) -> bool {
    [&pair.clean, &pair.corrupted].iter().all(|text| text.chars().count() <= MAX_PROMPT_CHARS)
}

/// A unit by its name. One of a later version is shown in the metric's: that is the default.
fn unit_or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Unit, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.len() > MOST_UNIT {
        return Err(serde::de::Error::custom("no unit has so long a name"));
    }
    Ok(Unit::ALL.into_iter().find(|unit| unit.id() == name).unwrap_or_default())
}
