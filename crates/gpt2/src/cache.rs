//! The activations of one forward pass, recorded by a hook that only looks on.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use twinbeam_core::models::HookName;

use crate::Hooks;

/// One cached activation, with three axes or with four.
#[derive(Debug, Clone)]
pub enum Activations {
    /// `[batch, pos, d_model]` or `[batch, pos, d_mlp]`.
    Stream(Tensor<3>),
    /// `[batch, pos, n_heads, d_head]`, or a pattern `[batch, n_heads, query_pos, key_pos]`.
    Heads(Tensor<4>),
}

/// The activations of one forward pass, under TransformerLens's names.
///
/// Passed to a run as its [`Hooks`], a cache records every hook point, or only those that [`ActivationCache::keeping`]
/// wants.
#[derive(Debug, Default)]
pub struct ActivationCache {
    entries: BTreeMap<HookName, Activations>,
    keep: Option<fn(HookName) -> bool>,
}

impl ActivationCache {
    /// An empty cache that records only what `keep` says yes to.
    pub fn keeping(keep: fn(HookName) -> bool) -> Self {
        Self { entries: BTreeMap::new(), keep: Some(keep) }
    }

    /// A recorded activation by its name; `None` where it was not recorded.
    pub fn get(&self, name: HookName) -> Option<&Activations> {
        self.entries.get(&name)
    }

    /// A recorded activation with three axes, `[batch, pos, d_model]` or `[batch, pos, d_mlp]`; `None` where it was not
    /// recorded.
    pub fn stream(&self, name: HookName) -> Option<Tensor<3>> {
        match self.entries.get(&name) {
            Some(Activations::Stream(activation)) => Some(activation.clone()),
            _ => None,
        }
    }

    /// A recorded activation of heads, `[batch, pos, n_heads, d_head]` or a pattern; `None` where it was not recorded.
    pub fn heads(&self, name: HookName) -> Option<Tensor<4>> {
        match self.entries.get(&name) {
            Some(Activations::Heads(activation)) => Some(activation.clone()),
            _ => None,
        }
    }

    /// Names of what was recorded.
    pub fn names(&self) -> impl Iterator<Item = HookName> {
        self.entries.keys().copied()
    }

    fn wants(&self, name: HookName) -> bool {
        self.keep.is_none_or(|keep| keep(name))
    }
}

impl Hooks for ActivationCache {
    fn reads(&self, name: HookName) -> bool {
        self.wants(name)
    }

    fn replaces(&self, _name: HookName) -> bool {
        false
    }

    fn stream(&mut self, name: HookName, activation: Tensor<3>) -> Tensor<3> {
        if self.wants(name) {
            self.entries.insert(name, Activations::Stream(activation.clone()));
        }
        activation
    }

    fn heads(&mut self, name: HookName, activation: Tensor<4>) -> Tensor<4> {
        if self.wants(name) {
            self.entries.insert(name, Activations::Heads(activation.clone()));
        }
        activation
    }
}
