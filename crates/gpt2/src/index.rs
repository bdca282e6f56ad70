//! The index of weights in several files, which transformers calls shards.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::damage::json_object;
use crate::load::{WeightPlan, is_left_out};
use crate::{Gpt2Config, NotTheFile};

/// Which shard holds which tensor, as `model.safetensors.index.json` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardIndex {
    /// Names of tensors as they are written, by the shard that holds them.
    shards: BTreeMap<String, Vec<String>>,
}

/// Why an index and its shards are not one model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Something else stands in the index's place, or it is damaged.
    #[error(transparent)]
    NotTheFile(#[from] NotTheFile),
    /// JSON without the list that an index is.
    #[error(
        "expected a \"weight_map\" from the names of tensors to those of files, got none: it is another file; take the \
         one beside the weights"
    )]
    NoMap,
    /// A tensor is listed twice.
    #[error(
        "tensor {tensor:?} is listed twice, in {first} and in {second}: only one of them is right; download the index again"
    )]
    Twice {
        /// Name of the tensor.
        tensor: String,
        /// The shard that is named first.
        first: String,
        /// The shard that is named second, which may be the same.
        second: String,
    },
    /// A shard has a name that is not that of a file beside the index.
    #[error(
        "expected names of safetensors files in the same folder, got {shard:?}: put the shard beside the index, and name it there"
    )]
    Name {
        /// The name that the index has for the shard.
        shard: String,
    },
    /// A shard is not there.
    #[error(
        "{shard} is missing, which holds {n_tensors} of the model’s tensors: put it beside the others"
    )]
    MissingShard {
        /// Name of the shard.
        shard: String,
        /// Tensors that the index puts there.
        n_tensors: usize,
    },
    /// A shard lacks a tensor that the index puts there.
    #[error(
        "tensor {tensor:?} is listed in {shard}, which does not hold it: the two are of different models; take both from one place"
    )]
    MissingTensor {
        /// Name of the tensor.
        tensor: String,
        /// Name of the shard.
        shard: String,
    },
    /// A shard holds a tensor that the index puts into another one, or nowhere.
    #[error("tensor {tensor:?} lies in {shard}, and is listed {}: the two are of different models; take both from one place", in_place(listed.as_deref()))]
    Elsewhere {
        /// Name of the tensor.
        tensor: String,
        /// The shard that holds it.
        shard: String,
        /// The shard that the index names, if it names one.
        listed: Option<String>,
    },
}

fn in_place(listed: Option<&str>) -> String {
    listed.map_or("nowhere".to_owned(), |shard| format!("in {shard}"))
}

impl ShardIndex {
    /// Reads a `model.safetensors.index.json`.
    ///
    /// # Errors
    /// Bytes that are none, a tensor that is listed twice, names that are not those of files in the same folder.
    pub fn from_json(bytes: &[u8]) -> Result<Self, IndexError> {
        let json = json_object(bytes)?;
        let Ok(Raw { weight_map: Entries(entries) }) = serde_json::from_slice(json) else {
            return Err(IndexError::NoMap);
        };
        let mut shards: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut shard_of: BTreeMap<String, String> = BTreeMap::new();
        for (tensor, shard) in entries {
            let is_plain =
                shard.ends_with(".safetensors") && !shard.contains(['/', '\\', ':', '?', '#', '%']);
            if !is_plain || shard.starts_with('.') {
                return Err(IndexError::Name { shard });
            }
            if let Some(first) = shard_of.insert(tensor.clone(), shard.clone()) {
                return Err(IndexError::Twice { tensor, first, second: shard });
            }
            shards.entry(shard).or_default().push(tensor);
        }
        if shards.is_empty() { Err(IndexError::NoMap) } else { Ok(Self { shards }) }
    }

    /// Names of the shards, in their order.
    pub fn shards(&self) -> impl Iterator<Item = &str> {
        self.shards.keys().map(String::as_str)
    }

    /// The error of a shard that is not there.
    pub fn missing(&self, shard: &str) -> IndexError {
        let n_tensors = self.shards.get(shard).map_or(0, Vec::len);
        IndexError::MissingShard { shard: shard.to_owned(), n_tensors }
    }

    /// Checks that a shard holds what the index says, and nothing else but buffers that are no parameters.
    ///
    /// # Errors
    /// A tensor that is missing, or that belongs elsewhere.
    pub fn check(
        &self,
        shard: &str,
        plan: &WeightPlan,
        config: &Gpt2Config,
    ) -> Result<(), IndexError> {
        let listed = self.shards.get(shard).map(Vec::as_slice).unwrap_or_default();
        let shard = shard.to_owned();
        let holds = |name: &String| plan.tensors.iter().any(|tensor| tensor.stored_name == *name);
        let is_param = |name: &&String| !is_left_out(name, &config.shape);
        if let Some(tensor) = listed.iter().filter(is_param).find(|name| !holds(name)) {
            return Err(IndexError::MissingTensor { tensor: tensor.clone(), shard });
        }
        match plan.tensors.iter().find(|tensor| !listed.contains(&tensor.stored_name)) {
            Some(tensor) => {
                let tensor = tensor.stored_name.clone();
                let listed = self.shards.iter().find(|(_, tensors)| tensors.contains(&tensor));
                let listed = listed.map(|(shard, _)| shard.clone());
                Err(IndexError::Elsewhere { tensor, shard, listed })
            }
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Raw {
    weight_map: Entries,
}

/// The entries of an object, those with one name twice included.
struct Entries(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names of tensors with names of files")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
