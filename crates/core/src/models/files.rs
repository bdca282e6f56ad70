//! Where a model's files are, and what they are called.

use serde::{Deserialize, Serialize};

/// Where a model's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelFiles {
    /// The files are in a folder on a server.
    Address {
        /// Absolute address of the folder, ending in `/`.
        base: String,
        /// Folder of the browser's storage where the files are kept; `None`: they are not kept.
        shelf: Option<String>,
    },
    /// The files are on the visitor's own disk: they travel beside the message.
    Local,
}

impl ModelFiles {
    /// Name of the file with a model's sizes.
    pub const CONFIG: &str = "config.json";
    /// Name of the file with a model's weights.
    pub const WEIGHTS: &str = "model.safetensors";
    /// Name of the file that says which of several files holds which weights, where weights are not in one.
    pub const INDEX: &str = "model.safetensors.index.json";
    /// Name of the file with a model's tokenizer.
    pub const TOKENIZER: &str = "tokenizer.json";
    /// Name of the file with a tokenizer's tokens, where there is no [`Self::TOKENIZER`].
    pub const VOCAB: &str = "vocab.json";
    /// Name of the file that says how tokens are made of others, beside [`Self::VOCAB`].
    pub const MERGES: &str = "merges.txt";
    /// Names of the files that may say more of a tokenizer.
    pub const TOKENIZER_EXTRAS: [&str; 3] =
        ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
    /// All files that say how text becomes tokens, in any of their forms.
    pub const OF_TEXT: [&str; 6] = {
        let [config, special, added] = Self::TOKENIZER_EXTRAS;
        [Self::TOKENIZER, Self::VOCAB, Self::MERGES, config, special, added]
    };
}
