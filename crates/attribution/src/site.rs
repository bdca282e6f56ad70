//! Where components are, places between halves of blocks, and what a direction changes there.

use twinbeam_core::circuits::{Part, Receiver};
use twinbeam_core::models::HookName;
use twinbeam_core::words::{Component, ComponentKind, Direction, Side};

/// All components of one kind in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) kind: ComponentKind,
    pub(crate) layer: usize,
}

impl Site {
    /// Where a component is.
    pub(crate) const fn of(component: Component) -> Self {
        Self { kind: component.kind, layer: component.layer }
    }

    /// Where the residual stream has got to once the site has written to it.
    pub(crate) const fn depth(self) -> Depth {
        match self.kind {
            ComponentKind::Heads => Depth::mid(self.layer),
            ComponentKind::Neurons => Depth::pre(self.layer + 1),
        }
    }
}

/// A place between halves of blocks: how many of them the residual stream has been through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Depth(usize);

/// One half of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// The attention of a layer.
    Attention(usize),
    /// The MLP of a layer.
    Mlp(usize),
}

impl Depth {
    /// Before the attention of a layer; of the number of layers: the end.
    pub(crate) const fn pre(layer: usize) -> Self {
        Self(2 * layer)
    }

    /// Between attention and MLP of a layer.
    pub(crate) const fn mid(layer: usize) -> Self {
        Self(2 * layer + 1)
    }

    /// Where what a receiver does differently joins the residual stream, in a model of so many layers.
    pub(crate) const fn behind(receiver: Receiver, n_layers: usize) -> Self {
        match receiver {
            Receiver::Head { layer, .. } => Self::mid(layer),
            Receiver::Mlp { layer } => Self::pre(layer + 1),
            Receiver::Logits => Self::pre(n_layers),
        }
    }

    /// Where what a part of a layer does joins the residual stream.
    pub(crate) const fn of_part(part: Part, layer: usize) -> Self {
        match part {
            Part::Port(_) | Part::Pattern => Self::mid(layer),
            Part::MlpOut => Self::pre(layer + 1),
        }
    }

    /// What comes after it, and then the next place.
    pub(crate) const fn step(self) -> (Half, Self) {
        let layer = self.0 / 2;
        let half = if self.0.is_multiple_of(2) { Half::Attention(layer) } else { Half::Mlp(layer) };
        (half, Self(self.0 + 1))
    }

    /// Halves of blocks that are still to be run through in a model of so many layers.
    pub(crate) const fn halves_left(self, n_layers: usize) -> usize {
        2 * n_layers - self.0
    }

    /// The block that was left last, or is being run through.
    pub(crate) const fn block(self) -> usize {
        self.0.saturating_sub(1) / 2
    }

    /// The layer whose attention was left last; `None`: an MLP was, or nothing yet.
    pub(crate) const fn behind_attention(self) -> Option<usize> {
        if self.0 % 2 == 1 { Some(self.0 / 2) } else { None }
    }

    /// The hook point that is cached of it.
    pub(crate) const fn name(self) -> HookName {
        match self.0 {
            0 => HookName::ResidPre(0),
            halves if halves % 2 == 1 => HookName::ResidMid(halves / 2),
            halves => HookName::ResidPost(halves / 2 - 1),
        }
    }
}

/// The run that is changed.
pub(crate) const fn changed(direction: Direction) -> Side {
    match direction {
        Direction::Noising => Side::Clean,
        Direction::Denoising => Side::Corrupted,
    }
}

/// The run whose values are put in.
pub(crate) const fn put_in(direction: Direction) -> Side {
    changed(direction.other())
}

/// Turns "metric after minus metric before" into "supports the clean behaviour".
pub(crate) const fn sign(direction: Direction) -> f64 {
    match direction {
        Direction::Noising => -1.0,
        Direction::Denoising => 1.0,
    }
}
