//! Names of GPT-2's activations, as TransformerLens has them.

use std::fmt;
use std::str::FromStr;

/// A named activation of GPT-2, spelt as TransformerLens spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookName {
    /// Token embedding; `[batch, pos, d_model]`.
    Embed,
    /// Position embedding; `[batch, pos, d_model]`.
    PosEmbed,
    /// Residual stream entering a block; `[batch, pos, d_model]`.
    ResidPre(usize),
    /// Queries; `[batch, pos, n_heads, d_head]`.
    Q(usize),
    /// Keys; `[batch, pos, n_heads, d_head]`.
    K(usize),
    /// Values; `[batch, pos, n_heads, d_head]`.
    V(usize),
    /// Attention probabilities; `[batch, n_heads, query_pos, key_pos]`.
    Pattern(usize),
    /// Head outputs before the output projection; `[batch, pos, n_heads, d_head]`.
    Z(usize),
    /// What attention adds to the residual stream; `[batch, pos, d_model]`.
    AttnOut(usize),
    /// Residual stream between attention and MLP; `[batch, pos, d_model]`.
    ResidMid(usize),
    /// MLP activations before the non-linearity; `[batch, pos, d_mlp]`.
    Pre(usize),
    /// MLP activations after the non-linearity; `[batch, pos, d_mlp]`.
    Post(usize),
    /// What the MLP adds to the residual stream; `[batch, pos, d_model]`.
    MlpOut(usize),
    /// Residual stream leaving a block; `[batch, pos, d_model]`.
    ResidPost(usize),
}

/// The part of a name after `blocks.{layer}.`, with its constructor.
type InBlock = (&'static str, fn(usize) -> HookName);

const IN_BLOCK: [InBlock; 12] = [
    ("hook_resid_pre", HookName::ResidPre),
    ("attn.hook_q", HookName::Q),
    ("attn.hook_k", HookName::K),
    ("attn.hook_v", HookName::V),
    ("attn.hook_pattern", HookName::Pattern),
    ("attn.hook_z", HookName::Z),
    ("hook_attn_out", HookName::AttnOut),
    ("hook_resid_mid", HookName::ResidMid),
    ("mlp.hook_pre", HookName::Pre),
    ("mlp.hook_post", HookName::Post),
    ("hook_mlp_out", HookName::MlpOut),
    ("hook_resid_post", HookName::ResidPost),
];

impl HookName {
    /// Every hook point of a model with `n_layers` blocks, in the order of the forward pass.
    pub fn all(n_layers: usize) -> impl Iterator<Item = Self> {
        let blocks =
            (0..n_layers).flat_map(|layer| IN_BLOCK.iter().map(move |(_, make)| make(layer)));
        [Self::Embed, Self::PosEmbed].into_iter().chain(blocks)
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (layer, suffix) = match *self {
            Self::Embed => return f.write_str("hook_embed"),
            Self::PosEmbed => return f.write_str("hook_pos_embed"),
            Self::ResidPre(layer) => (layer, "hook_resid_pre"),
            Self::Q(layer) => (layer, "attn.hook_q"),
            Self::K(layer) => (layer, "attn.hook_k"),
            Self::V(layer) => (layer, "attn.hook_v"),
            Self::Pattern(layer) => (layer, "attn.hook_pattern"),
            Self::Z(layer) => (layer, "attn.hook_z"),
            Self::AttnOut(layer) => (layer, "hook_attn_out"),
            Self::ResidMid(layer) => (layer, "hook_resid_mid"),
            Self::Pre(layer) => (layer, "mlp.hook_pre"),
            Self::Post(layer) => (layer, "mlp.hook_post"),
            Self::MlpOut(layer) => (layer, "hook_mlp_out"),
            Self::ResidPost(layer) => (layer, "hook_resid_post"),
        };
        write!(f, "blocks.{layer}.{suffix}")
    }
}

/// The text is not the name of a hook point.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no hook point is called {0:?}")]
pub struct UnknownHook(pub String);

impl FromStr for HookName {
    type Err = UnknownHook;

    fn from_str(name: &str) -> Result<Self, UnknownHook> {
        let unknown = || UnknownHook(name.to_owned());
        match name {
            "hook_embed" => return Ok(Self::Embed),
            "hook_pos_embed" => return Ok(Self::PosEmbed),
            _ => {}
        }
        let rest = name.strip_prefix("blocks.").ok_or_else(unknown)?;
        let (layer, suffix) = rest.split_once('.').ok_or_else(unknown)?;
        let layer = layer.parse().map_err(|_not_a_number| unknown())?;
        let found = IN_BLOCK.iter().find(|(name, _)| *name == suffix);
        found.map(|(_, make)| make(layer)).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_itself() {
        for name in HookName::all(13) {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("blocks.x.hook_resid_pre".parse::<HookName>().is_err());
        assert!("blocks.0.attn.hook_w".parse::<HookName>().is_err());
    }
}
