//! Permalinks: `#v1=` and base64url of raw-deflated JSON. Parsing and printing live here only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde_json::{Map, Value};

use crate::{Direction, Experiment, MAX_PROMPT_CHARS, MAX_STEPS, Metric};

const PREFIX: &str = "v1=";
/// Longer fragments are refused unread.
const MAX_FRAGMENT: usize = 16 * 1024;
/// A small link must not inflate into a large text.
const MAX_JSON: usize = 64 * 1024;
const MAX_ANSWERS: usize = 200;
const MAX_ANSWER_CHARS: usize = 100;

/// Why a link could not be read in full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The fragment is longer than any link of ours.
    #[error("the link is {0} characters long, at most {MAX_FRAGMENT} are read")]
    TooLong(usize),
    /// It says another version, or is not a link of this page.
    #[error("the link is not of a version that this page knows")]
    Version,
    /// It was cut or changed on its way.
    #[error("the link is damaged")]
    Damaged,
}

/// Prints an experiment as a fragment, without the leading `#`.
pub fn print_link(experiment: &Experiment) -> String {
    // Only what differs from the default travels, so that links stay short. A link means the same
    // for ever: the defaults of version 1 are frozen by the link corpus in `tests`.
    let full = to_object(experiment);
    let default = to_object(&Experiment::default());
    let changed: Map<String, Value> =
        full.into_iter().filter(|(key, value)| default.get(key) != Some(value)).collect();
    let json = Value::Object(changed).to_string();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(compress_to_vec(json.as_bytes(), 9)))
}

fn to_object(experiment: &Experiment) -> Map<String, Value> {
    match serde_json::to_value(experiment) {
        Ok(Value::Object(map)) => map,
        // A struct of strings, lists and numbers is always an object.
        _ => Map::new(),
    }
}

/// Reads a fragment, with or without its leading `#`.
///
/// Unknown fields are ignored and impossible values become the default's, so that a link from a
/// later minor version, or from a mischievous hand, still fills the form.
///
/// # Errors
/// Over-long, of another version, or damaged; the page then shows the defaults and says so.
pub fn parse_link(fragment: &str) -> Result<Experiment, LinkError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.len() > MAX_FRAGMENT {
        return Err(LinkError::TooLong(fragment.len()));
    }
    let payload = fragment.strip_prefix(PREFIX).ok_or(LinkError::Version)?;
    let deflated = URL_SAFE_NO_PAD.decode(payload).map_err(|_source| LinkError::Damaged)?;
    let json =
        decompress_to_vec_with_limit(&deflated, MAX_JSON).map_err(|_source| LinkError::Damaged)?;
    let value: Value = serde_json::from_slice(&json).map_err(|_source| LinkError::Damaged)?;
    let Value::Object(fields) = value else {
        return Err(LinkError::Damaged);
    };
    Ok(from_fields(&fields))
}

fn from_fields(fields: &Map<String, Value>) -> Experiment {
    let default = Experiment::default();
    let text = |key: &str, fallback: String| match fields.get(key) {
        Some(Value::String(text)) if text.chars().count() <= MAX_PROMPT_CHARS => text.clone(),
        _ => fallback,
    };
    let words = |key: &str, fallback: Vec<String>| match fields.get(key) {
        Some(Value::Array(items)) if !items.is_empty() && items.len() <= MAX_ANSWERS => {
            let read = |item: &Value| match item {
                Value::String(text) if text.chars().count() <= MAX_ANSWER_CHARS => {
                    Some(text.clone())
                }
                _ => None,
            };
            items.iter().map(read).collect::<Option<Vec<_>>>().unwrap_or(fallback)
        }
        _ => fallback,
    };
    // A model is a name, never an address.
    let is_name = |name: &String| {
        (1..=40).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let model = Some(text("model", default.model.clone())).filter(is_name);
    let id = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let direction = Direction::ALL.into_iter().find(|d| d.id() == id("direction"));
    let metric = Metric::ALL.into_iter().find(|m| m.id() == id("metric"));
    let n_steps = fields.get("n_steps").and_then(Value::as_u64).map(|n| n as usize);
    Experiment {
        model: model.unwrap_or(default.model),
        clean: text("clean", default.clean),
        corrupted: text("corrupted", default.corrupted),
        answer: words("answer", default.answer),
        wrong: words("wrong", default.wrong),
        prepend_bos: fields
            .get("prepend_bos")
            .and_then(Value::as_bool)
            .unwrap_or(default.prepend_bos),
        direction: direction.unwrap_or(default.direction),
        metric: metric.unwrap_or(default.metric),
        n_steps: n_steps.filter(|n| (1..=MAX_STEPS).contains(n)).unwrap_or(default.n_steps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(json: &str) -> String {
        format!("#v1={}", URL_SAFE_NO_PAD.encode(compress_to_vec(json.as_bytes(), 6)))
    }

    #[test]
    fn impossible_values_become_defaults() {
        let link = encode(
            r#"{"model":"https://evil.example/","n_steps":1e308,"metric":"worst","clean":7,
                "answer":[" a",3],"direction":"denoising","__proto__":{"x":1}}"#,
        );
        let expected = Experiment { direction: Direction::Denoising, ..Experiment::default() };
        assert_eq!(parse_link(&link), Ok(expected));
    }

    #[test]
    fn broken_links_are_refused_with_their_cause() {
        assert_eq!(parse_link("#v2=abc"), Err(LinkError::Version));
        assert_eq!(parse_link("#v1=%%%"), Err(LinkError::Damaged));
        assert_eq!(parse_link(&encode("[1]")), Err(LinkError::Damaged));
        assert_eq!(parse_link(&"x".repeat(20_000)), Err(LinkError::TooLong(20_000)));
        let bomb = URL_SAFE_NO_PAD.encode(compress_to_vec(&vec![b' '; 5_000_000], 9));
        assert!(bomb.len() < MAX_FRAGMENT, "the bomb is small before it inflates");
        assert_eq!(parse_link(&format!("v1={bomb}")), Err(LinkError::Damaged));
    }

    proptest! {
        #[test]
        fn a_printed_link_reads_back(
            clean in ".{0,200}", corrupted in ".{0,200}",
            answer in proptest::collection::vec(".{0,20}", 1..4),
            bos in any::<bool>(), steps in 1..=MAX_STEPS, metric in 0_usize..4,
        ) {
            let experiment = Experiment {
                clean, corrupted, answer, prepend_bos: bos, n_steps: steps,
                metric: Metric::ALL[metric], ..Experiment::default()
            };
            prop_assert_eq!(parse_link(&print_link(&experiment)), Ok(experiment));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,300}") {
            parse_link(&text).ok();
            parse_link(&format!("v1={text}")).ok();
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse_link(&format!("v1={}", URL_SAFE_NO_PAD.encode(bytes))).ok();
        }
    }
}
