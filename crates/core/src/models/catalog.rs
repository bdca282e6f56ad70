//! `models.json`: which models the page offers, where their files are, and what is known of them.

use serde::{Deserialize, Serialize};

use super::ModelShape;

/// The catalog that this program was built with.
const BUNDLED: &str = include_str!("../../../../assets/models.json");

/// The models that are offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Address of a hub with Hugging Face's layout, ending in `/`; those who host copies change it.
    pub hub: String,
    /// The models, the one that is loaded first in front.
    pub models: Vec<CatalogModel>,
}

/// One model: where it is, how large, and what its numbers should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CatalogModel {
    /// Name in links and storage.
    pub id: String,
    /// Name for people.
    pub title: String,
    /// One line about the model.
    #[serde(default)]
    pub note: String,
    /// Folder of the model's files, relative to this list or absolute, ending in `/`; stands before `repo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Repository on the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// Commit of the repository, in full: a branch could change between two visits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Sizes of the model.
    pub shape: ModelShape,
    /// Size of `model.safetensors` in bytes.
    pub file_bytes: u64,
    /// SHA-256 of `model.safetensors`, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Numbers that were published of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Heads whose part in a task was studied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_heads: Option<KnownHeads>,
}

/// A prompt pair and the logit differences that somebody published for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// Who published them.
    pub source: String,
    /// The clean prompt.
    pub clean: String,
    /// The corrupted prompt.
    pub corrupted: String,
    /// The answer, one token.
    pub answer: String,
    /// The wrong answer, one token.
    pub wrong: String,
    /// Token ids of the clean prompt, the beginning-of-sequence token in front.
    pub clean_ids: Vec<u32>,
    /// Token ids of the corrupted prompt, the beginning-of-sequence token in front.
    pub corrupted_ids: Vec<u32>,
    /// Token id of the answer.
    pub answer_id: u32,
    /// Token id of the wrong answer.
    pub wrong_id: u32,
    /// Logit difference of the clean run; logits.
    pub logit_diff_clean: f64,
    /// Logit difference of the corrupted run; logits.
    pub logit_diff_corrupted: f64,
}

/// Heads with a known role in a task. Known is what they do there, not that every method must find them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHeads {
    /// The task.
    pub task: String,
    /// Who found them.
    pub source: String,
    /// The heads.
    pub heads: Vec<KnownHead>,
}

/// One head with a known role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHead {
    /// Layer of the head.
    pub layer: usize,
    /// Number of the head in its layer.
    pub head: usize,
    /// Class of the head, for instance `Name Mover`.
    pub class: String,
    /// What heads of the class do, as the end of a sentence that begins with "this head".
    pub role: String,
}

/// Why a catalog cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// The list is not JSON of the right form.
    #[error("not a list of models: {0}")]
    Malformed(String),
    /// The list has no model.
    #[error("it lists no model")]
    Empty,
    /// Two models of the list have one name.
    #[error("two models are called {0:?}")]
    Twice(String),
    /// A field of a model has a value that cannot be.
    #[error("model {model:?}: {field} expects {expected}")]
    Field {
        /// Name of the model.
        model: String,
        /// Name of the field.
        field: &'static str,
        /// What the field must be.
        expected: &'static str,
    },
}

impl Catalog {
    /// Reads a catalog.
    ///
    /// # Errors
    /// Malformed JSON, no model, two of one name, or a field that cannot be.
    pub fn parse(json: &str) -> Result<Self, CatalogError> {
        let catalog: Self = serde_json::from_str(json)
            .map_err(|source| CatalogError::Malformed(source.to_string()))?;
        if catalog.models.is_empty() {
            return Err(CatalogError::Empty);
        }
        for (index, model) in catalog.models.iter().enumerate() {
            if catalog.models.iter().take(index).any(|other| other.id == model.id) {
                return Err(CatalogError::Twice(model.id.clone()));
            }
            model.check()?;
        }
        Ok(catalog)
    }

    /// The catalog that this program was built with.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn bundled() -> Self {
        Self::parse(BUNDLED).expect("the bundled catalog is right")
    }

    /// The model of a name, if the list has it.
    pub fn find(&self, id: &str) -> Option<&CatalogModel> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The model that is loaded first.
    ///
    /// # Panics
    /// Never: [`Self::parse`] refuses an empty catalog.
    pub fn first(&self) -> &CatalogModel {
        self.models.first().expect("a catalog has a model")
    }

    /// The model that weights of this digest and these sizes are, or claim to be: by digest, else the
    /// first of the same sizes.
    pub fn recognise(&self, sha256: &str, shape: &ModelShape) -> Option<&CatalogModel> {
        let by_digest = |model: &&CatalogModel| model.sha256.as_deref() == Some(sha256);
        let by_sizes = |model: &&CatalogModel| model.shape == *shape;
        self.models.iter().find(by_digest).or_else(|| self.models.iter().find(by_sizes))
    }

    /// The model that weights of this digest and these sizes are. One that was trained further has its sizes and is another:
    /// only where the list knows no digest, sizes are enough.
    pub fn identify(&self, sha256: &str, shape: &ModelShape) -> Option<&CatalogModel> {
        let found = self.recognise(sha256, shape)?;
        found.sha256.as_deref().is_none_or(|known| known == sha256).then_some(found)
    }

    /// Folder of a model's files, ending in `/`; relative to the list if the model comes with it.
    pub fn address(&self, model: &CatalogModel) -> String {
        match (&model.base, &model.repo, &model.commit) {
            (None, Some(repo), Some(commit)) => format!("{}{repo}/resolve/{commit}/", self.hub),
            (base, ..) => base.clone().unwrap_or_default(),
        }
    }
}

impl CatalogModel {
    fn check(&self) -> Result<(), CatalogError> {
        let unless = |is_right: bool, field, expected| {
            let model = self.id.clone();
            if is_right { Ok(()) } else { Err(CatalogError::Field { model, field, expected }) }
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_id = (1..=40).contains(&self.id.len()) && self.id.chars().all(is_name);
        unless(is_id, "id", "1 to 40 letters, digits, - or _")?;
        let is_hex = |text: &String, digits: usize| {
            text.len() == digits && text.chars().all(|c| c.is_ascii_hexdigit())
        };
        unless(self.commit.iter().all(|commit| is_hex(commit, 40)), "commit", "40 hex digits")?;
        unless(self.sha256.iter().all(|sha256| is_hex(sha256, 64)), "sha256", "64 hex digits")?;
        let has_base = self.base.as_ref().is_some_and(|base| base.ends_with('/'));
        let has_repo = self.repo.is_some() && self.commit.is_some();
        let is_somewhere = if self.base.is_some() { has_base } else { has_repo };
        unless(is_somewhere, "base", "an address that ends in /, or repo and commit in its place")?;
        let shape = &self.shape;
        let sizes =
            [shape.n_layers, shape.n_heads, shape.d_model, shape.d_mlp, shape.n_ctx, shape.d_vocab];
        let is_whole = shape.n_heads.checked_mul(shape.d_head) == Some(shape.d_model);
        let can_be = is_whole && sizes.iter().all(|size| (1..=1_000_000).contains(size));
        unless(can_be, "shape", "sizes that a GPT-2 can have")?;
        let inside = |head: &KnownHead| head.layer < shape.n_layers && head.head < shape.n_heads;
        let known = self.known_heads.iter().flat_map(|known| &known.heads);
        unless(known.into_iter().all(inside), "known_heads", "heads that the model has")
    }

    /// Whether the model's files come with the page, and need no storage of their own.
    pub fn is_bundled(&self) -> bool {
        self.base.as_ref().is_some_and(|base| !base.contains("://"))
    }

    /// Bytes of the model's weights in single precision, as they lie in memory.
    pub fn weight_bytes(&self) -> u64 {
        (self.shape.n_params() as u64).saturating_mul(4)
    }

    /// Name of the model's folder in the browser's storage; another commit is another folder.
    pub fn shelf(&self) -> String {
        let version = self.commit.as_ref().or(self.sha256.as_ref());
        let version = version.map_or("", |version| version.get(..12).unwrap_or(version));
        if version.is_empty() { self.id.clone() } else { format!("{}-{version}", self.id) }
    }
}

impl KnownHeads {
    /// What is known of a head, if anything is.
    pub fn of(&self, layer: usize, head: usize) -> Option<&KnownHead> {
        self.heads.iter().find(|known| (known.layer, known.head) == (layer, head))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_bundled_catalog_is_right() {
        let catalog = Catalog::bundled();
        let small = catalog.find("gpt2").expect("GPT-2 small is there");
        // The weights, the causal masks of twelve layers, and a header with its length.
        let masks = 12 * 1024 * 1024 * 4;
        assert_eq!(small.file_bytes, small.weight_bytes() + masks + 8 + 14_283);
        assert_eq!(small.known_heads.as_ref().map(|known| known.heads.len()), Some(26));
        assert!(catalog.first().is_bundled() && !small.is_bundled());
        assert_eq!(
            catalog.address(small),
            "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e/"
        );
        assert_eq!(small.shelf(), "gpt2-607a30d783df");
        for model in &catalog.models {
            assert_eq!(catalog.find(&model.id), Some(model));
            let sha256 = model.sha256.as_deref().unwrap_or_default();
            assert_eq!(catalog.recognise(sha256, &model.shape), Some(model));
            assert_eq!(catalog.identify(sha256, &model.shape), Some(model));
            let is_known = model.sha256.is_some();
            assert_eq!(catalog.identify("ab", &model.shape).is_none(), is_known, "{}", model.id);
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let good = serde_json::to_value(Catalog::bundled()).unwrap();
        let spoil = |field: &str, value: Value| {
            let mut catalog = good.clone();
            catalog["models"][1][field] = value;
            Catalog::parse(&catalog.to_string()).unwrap_err()
        };
        for (field, value) in [
            ("id", Value::from("")),
            ("id", "../up".into()),
            ("commit", "main".into()),
            ("sha256", "00".into()),
            ("base", "https://example.org/no-slash".into()),
        ] {
            let CatalogError::Field { field: named, model, .. } = spoil(field, value.clone())
            else {
                panic!("{field} {value}")
            };
            assert_eq!((named, model.is_empty()), (field, value == ""));
        }
        assert_eq!(spoil("id", "mini".into()), CatalogError::Twice("mini".to_owned()));
        assert!(matches!(spoil("shape", 3.into()), CatalogError::Malformed(_)));
        let mut context = good["models"][1]["shape"].clone();
        context["n_ctx"] = 10_333_333_333_333_u64.into();
        assert!(matches!(spoil("shape", context), CatalogError::Field { field: "shape", .. }));
        assert_eq!(
            Catalog::parse(r#"{"hub": "/", "models": []}"#).unwrap_err(),
            CatalogError::Empty
        );
    }
}
