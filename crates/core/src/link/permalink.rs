//! Permalinks: `#v1=` and base64url of raw-deflated JSON. Parsing and printing live here only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde_json::{Map, Value};

use super::snapshot::Wire;
use super::v1;
use super::{Panel, Snapshot, View};
use crate::words::{Direction, Experiment, MAX_PROMPT_CHARS, Metric, Steps, Written};

const PREFIX: &str = "v1=";
/// Longest fragment, in characters; longer ones are refused unread, and never printed.
pub const MAX_FRAGMENT: usize = 16 * 1024;
/// Longest JSON that a link is inflated into, in bytes: a small link must not become a large text.
const MAX_JSON: usize = 64 * 1024;
const MAX_ANSWERS: usize = 200;
const MAX_ANSWER_CHARS: usize = 100;

/// The field of a link that holds a result.
const RESULT: &str = "result";
/// The field of a link that holds what is on the screen, but for the direction: that has a field of its own, beside
/// those of the experiment, where version 1 has put it.
const VIEW: &str = "view";
const DIRECTION: &str = "direction";

/// What a link says.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The experiment to run.
    pub experiment: Experiment,
    /// The result that somebody else's run of it gave.
    pub snapshot: Option<Snapshot>,
    /// What of the result is on the screen.
    pub view: View,
    /// Names of fields whose values cannot be used; the default's stand in their place.
    pub refused: Vec<&'static str>,
    /// Whether the link has fields that this version does not know.
    pub has_unknown: bool,
    /// Whether it names a chapter only: the experiment is the one that the page opens with.
    pub is_of_opening: bool,
}

/// Why a link could not be read in full, or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The fragment is longer than any link of ours.
    #[error("the link is {0} characters long, at most {MAX_FRAGMENT} are read")]
    TooLong(usize),
    /// The fragment names another version, or is not a link of this page.
    #[error("the link is not of a version that this page knows")]
    Version,
    /// The link was cut or changed on its way.
    #[error("the link is damaged")]
    Damaged,
}

/// Prints an experiment as a fragment, without the leading `#`, with what is on the screen of it, and with its
/// result if there is one.
///
/// What would make the link too long stays behind: first the prompt pairs, then the result.
///
/// # Errors
/// [`LinkError::TooLong`] where the prompts alone do not fit.
pub fn print_link(
    experiment: &Experiment,
    snapshot: Option<&Snapshot>,
    view: &View,
) -> Result<String, LinkError> {
    // Only what differs from the defaults of version 1 travels, so that links stay short.
    let mut own = difference(to_object(experiment), &to_object(&v1::experiment()));
    let default = v1::view();
    if view.direction != default.direction {
        own.insert(DIRECTION.to_owned(), view.direction.id().into());
    }
    let default = to_object(&View { direction: view.direction, ..default });
    let view = view.clone().for_link();
    let without_pairs = View { pairs: Vec::new(), ..view.clone() };
    let result = snapshot.map(|snapshot| to_value(&snapshot.to_wire()));
    let (all, none) = (Some(&view), None);
    let mut shortest = 0;
    // The figure is what a receiver sees at once: the pairs stay behind before it does.
    for (view, has_result) in [
        (all, true),
        (Some(&without_pairs), true),
        (all, false),
        (Some(&without_pairs), false),
        (none, false),
    ] {
        let mut fields = own.clone();
        let view = view.map(|view| difference(to_object(view), &default)).unwrap_or_default();
        if !view.is_empty() {
            fields.insert(VIEW.to_owned(), Value::Object(view));
        }
        if let Some(result) = result.as_ref().filter(|_| has_result) {
            fields.insert(RESULT.to_owned(), result.clone());
        }
        let json = Value::Object(fields).to_string();
        let link = encode(&json);
        // What is long and repeats itself makes a short link that nobody would inflate.
        if link.len() <= MAX_FRAGMENT && json.len() <= MAX_JSON {
            return Ok(link);
        }
        shortest = link.len();
    }
    Err(LinkError::TooLong(shortest))
}

/// Prints an experiment alone, as text of any length: what a page keeps of a draft. Nothing of it is refused, since a
/// draft may be one that cannot be run yet.
pub fn experiment_to_text(experiment: &Experiment) -> String {
    // OK because it holds strings, lists and numbers.
    serde_json::to_string(experiment).unwrap_or_default()
}

/// Reads what [`experiment_to_text`] has written.
///
/// `None`: it is no such text.
pub fn experiment_from_text(text: &str) -> Option<Experiment> {
    serde_json::from_str(text).ok()
}

/// The fields that are not the default's.
fn difference(full: Map<String, Value>, default: &Map<String, Value>) -> Map<String, Value> {
    full.into_iter().filter(|(key, value)| default.get(key) != Some(value)).collect()
}

fn encode(json: &str) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(compress_to_vec(json.as_bytes(), 9)))
}

/// A snapshot as a JSON value, by way of text, in which an f32 has the fewest digits that tell it apart.
fn to_value(wire: &Wire) -> Value {
    // OK because it holds finite numbers, strings and lists.
    let text = serde_json::to_string(wire).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A value as the fields of a JSON object, by way of text.
fn to_object<T: serde::Serialize>(of: &T) -> Map<String, Value> {
    let text = serde_json::to_string(of).unwrap_or_default();
    // OK because a struct of strings, lists and numbers is always an object.
    serde_json::from_str(&text).unwrap_or_default()
}

/// A value read from a JSON value, by way of text: the page reads JSON as text everywhere, and serde's code for reading
/// from values would come on top.
fn from_value<T: serde::de::DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_str(&value.to_string()).ok()
}

/// Reads a fragment, with or without its leading `#`.
///
/// `#why` and the other chapters' names are links too, to what the page begins with.
///
/// Impossible values become the default's and are named, and unknown fields are left out, so that a
/// link from a later minor version, or from a mischievous hand, still fills the form.
///
/// # Errors
/// Over-long, of another version, or damaged; the page then shows the defaults and says so.
pub fn parse_link(fragment: &str) -> Result<Link, LinkError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.len() > MAX_FRAGMENT {
        return Err(LinkError::TooLong(fragment.len()));
    }
    if let Some(chapter) = Panel::ALL.into_iter().find(|chapter| chapter.id() == fragment) {
        return Ok(of_chapter(chapter));
    }
    let payload = fragment.strip_prefix(PREFIX).ok_or(LinkError::Version)?;
    let deflated = URL_SAFE_NO_PAD.decode(payload).map_err(|_source| LinkError::Damaged)?;
    let json =
        decompress_to_vec_with_limit(&deflated, MAX_JSON).map_err(|_source| LinkError::Damaged)?;
    let json = String::from_utf8(json).map_err(|_source| LinkError::Damaged)?;
    let value: Value = serde_json::from_str(&json).map_err(|_source| LinkError::Damaged)?;
    let Value::Object(fields) = value else {
        return Err(LinkError::Damaged);
    };
    Ok(from_fields(fields))
}

/// A chapter by its name: of what the page opens with, which only the page knows.
fn of_chapter(chapter: Panel) -> Link {
    Link {
        experiment: Experiment::default(),
        snapshot: None,
        view: View { chapter, ..View::default() },
        refused: Vec::new(),
        has_unknown: false,
        is_of_opening: true,
    }
}

/// The fields of a link, each taken out once, and what could not be used.
struct Fields {
    fields: Map<String, Value>,
    refused: Vec<&'static str>,
}

impl Fields {
    /// The value of a field if it is there and `read` can use it, else the default's.
    fn take<T>(
        &mut self,
        key: &'static str,
        fallback: T,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> T {
        let Some(value) = self.fields.remove(key) else {
            return fallback;
        };
        read(value).unwrap_or_else(|| {
            self.refused.push(key);
            fallback
        })
    }
}

fn from_fields(fields: Map<String, Value>) -> Link {
    let (default, default_view) = (v1::experiment(), v1::view());
    let mut fields = Fields { fields, refused: Vec::new() };
    let direction = fields.take(DIRECTION, default_view.direction, |value| {
        Direction::ALL.into_iter().find(|direction| value == direction.id())
    });
    let experiment = Experiment {
        // A model is a name, never an address.
        model: fields
            .take("model", default.model, |value| text(value, 40).filter(|name| is_name(name))),
        clean: fields.take("clean", default.clean, |value| text(value, MAX_PROMPT_CHARS)),
        corrupted: fields.take("corrupted", default.corrupted, |v| text(v, MAX_PROMPT_CHARS)),
        answer: fields.take("answer", default.answer, words),
        wrong: fields.take("wrong", default.wrong, words),
        written: fields.take("written", default.written, |value| {
            Written::ALL.into_iter().find(|written| value == written.id())
        }),
        prepend_bos: fields.take("prepend_bos", default.prepend_bos, |value| value.as_bool()),
        metric: fields.take("metric", default.metric, |value| {
            Metric::ALL.into_iter().find(|metric| value == metric.id())
        }),
        n_steps: fields.take("n_steps", default.n_steps, |value| {
            let steps: Steps = match value {
                Value::String(text) => text.parse().ok()?,
                number => Steps::Fixed(usize::try_from(number.as_u64()?).ok()?),
            };
            steps.is_possible().then_some(steps)
        }),
    };
    let snapshot = fields.take(RESULT, None, |value| {
        from_value::<Wire>(&value).and_then(Snapshot::from_wire).map(Some)
    });
    let left_out = to_object(&default_view);
    let view = fields.take(VIEW, default_view, |value| {
        let Value::Object(own) = value else { return None };
        let whole = Value::Object(left_out.into_iter().chain(own).collect());
        from_value::<View>(&whole).filter(View::is_possible)
    });
    let view = View { direction, ..view };
    // A result belongs to what was asked: where that could not be read, it is of something else.
    let is_whole = fields.refused.iter().all(|field| *field == VIEW);
    let snapshot = snapshot.filter(|_| is_whole);
    let has_unknown = !fields.fields.is_empty();
    Link { experiment, snapshot, view, refused: fields.refused, has_unknown, is_of_opening: false }
}

fn text(value: Value, most: usize) -> Option<String> {
    match value {
        Value::String(text) if text.chars().count() <= most => Some(text),
        _ => None,
    }
}

fn words(value: Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) if (1..=MAX_ANSWERS).contains(&items.len()) => {
            items.into_iter().map(|item| text(item, MAX_ANSWER_CHARS)).collect()
        }
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::tests::snapshot;
    use super::*;
    use crate::link::{EdgesBy, Highlight, PartsBy, Paths, ScaleChoice, SetChoice, WithChoice};
    use crate::prompts::{Draw, PromptPair};
    use crate::scores::{ScoreTable, Unit};
    use crate::words::{Component, ComponentKind, MAX_STEPS};
    use proptest::prelude::*;

    fn encode_text(json: &str) -> String {
        format!("#v1={}", URL_SAFE_NO_PAD.encode(compress_to_vec(json.as_bytes(), 6)))
    }

    fn plain(experiment: Experiment) -> Link {
        Link {
            experiment,
            snapshot: None,
            view: View::default(),
            refused: Vec::new(),
            has_unknown: false,
            is_of_opening: false,
        }
    }

    #[test]
    fn what_a_link_leaves_out_is_that_of_version_1_whatever_a_page_begins_with() {
        // Written out, and compared as JSON: neither may follow from a default of today.
        let experiment = serde_json::json!({
            "model": "mini",
            "clean": "After John and Mary went to the store, Mary gave a bottle of milk to",
            "corrupted": "After John and Mary went to the store, John gave a bottle of milk to",
            "answer": [" John"],
            "wrong": [" Mary"],
            "prepend_bos": true,
            "metric": "logit_diff",
            "n_steps": 50,
        });
        let view = serde_json::json!({
            "direction": "noising",
            "unit": "metric",
            "scale": "shared",
            "neurons_in_view": null,
            "pinned": null,
            "kind": "heads",
            "selected": [],
            "highlight": { "quantile": 0.9 },
            "zero_baseline": false,
            "split": false,
            "directions_by_ig": false,
            // Three panels stood open where a link did not say which; of these the page now opens this one.
            "open": ["why"],
            "set": "both",
            "ablated": false,
            "streams": false,
            "with": "other_run",
            "paths": {
                "n": 20,
                "by": "eap_ig",
                "connected": false,
                "pinned": null,
                "kept": false,
                "by_hand": [],
            },
            "batch_neurons": false,
            "draw": null,
            "pairs": [],
        });
        // An empty object, and one with an empty view.
        for fields in ["{}", r#"{"view":{}}"#] {
            let read = parse_link(&encode_text(fields)).expect("a link");
            assert!(read.refused.is_empty() && !read.has_unknown, "{fields}");
            let text = |value: String| serde_json::from_str::<Value>(&value).expect("JSON");
            let read_experiment = serde_json::to_string(&read.experiment).expect("plain values");
            assert_eq!(text(read_experiment), experiment, "{fields}");
            let read_view = serde_json::to_string(&read.view).expect("plain values");
            assert_eq!(text(read_view), view, "{fields}");
        }
    }

    #[test]
    fn impossible_values_become_defaults_and_are_named() {
        let link = encode_text(
            r#"{"model":"https://evil.example/","n_steps":1e308,"metric":"worst","clean":7,
                "answer":[" a",3],"direction":"denoising","__proto__":{"x":1}}"#,
        );
        let view = View { direction: Direction::Denoising, ..View::default() };
        let refused = vec!["model", "clean", "answer", "metric", "n_steps"];
        let expected = Link { refused, has_unknown: true, view, ..plain(Experiment::default()) };
        assert_eq!(parse_link(&link), Ok(expected));
    }

    #[test]
    fn broken_links_are_refused_with_their_cause() {
        assert_eq!(parse_link("#v2=abc"), Err(LinkError::Version));
        assert_eq!(parse_link("#v1=%%%"), Err(LinkError::Damaged));
        assert_eq!(parse_link(&encode_text("[1]")), Err(LinkError::Damaged));
        assert_eq!(parse_link(&"x".repeat(20_000)), Err(LinkError::TooLong(20_000)));
        let bomb = URL_SAFE_NO_PAD.encode(compress_to_vec(&vec![b' '; 5_000_000], 9));
        assert!(bomb.len() < MAX_FRAGMENT, "the bomb is small before it inflates");
        assert_eq!(parse_link(&format!("v1={bomb}")), Err(LinkError::Damaged));
        let deep = "[".repeat(50_000);
        assert_eq!(parse_link(&encode_text(&deep)), Err(LinkError::Damaged));
    }

    #[test]
    fn a_result_that_cannot_be_is_left_out_and_its_experiment_kept() {
        for result in [r#"{"sha256":"x"}"#, "null", "[]", "1e308", r#"{"heads":[[NaN,""]]}"#] {
            let link = parse_link(&encode_text(&format!(r#"{{"n_steps":7,"result":{result}}}"#)));
            let Ok(link) = link else {
                assert!(result.contains("NaN"), "JSON has no NaN: {result}");
                continue;
            };
            assert_eq!((link.experiment.n_steps, link.snapshot), (Steps::Fixed(7), None));
            assert_eq!(link.refused, ["result"]);
        }
    }

    #[test]
    fn a_result_of_prompts_that_could_not_be_read_is_not_shown() {
        let experiment = Experiment { n_steps: Steps::Fixed(7), ..Experiment::default() };
        let mut fields = to_object(&experiment);
        fields.insert(RESULT.to_owned(), to_value(&snapshot(3, true).to_wire()));
        assert!(
            parse_link(&encode(&Value::Object(fields.clone()).to_string()))
                .expect("a link")
                .snapshot
                .is_some()
        );
        fields.insert("n_steps".to_owned(), Value::from(-1));
        let link = parse_link(&encode(&Value::Object(fields.clone()).to_string())).expect("a link");
        assert_eq!((link.snapshot, link.refused), (None, vec!["n_steps"]));
    }

    #[test]
    fn what_is_on_the_screen_travels_and_what_cannot_be_does_not() {
        let head = |index| Component { kind: ComponentKind::Heads, layer: 1, index };
        let view = View {
            direction: Direction::Denoising,
            unit: Unit::Notebook,
            scale: ScaleChoice::Own,
            neurons_in_view: Some([12, 19]),
            streams: true,
            parts_by: PartsBy::Diff,
            parts: true,
            paths: Paths {
                n: 50,
                by: EdgesBy::Exact,
                connected: true,
                pinned: "L1H3 -> L3H2.k".parse().ok(),
                kept: true,
                by_hand: vec![3, 700],
            },
            pinned: Some(head(3)),
            selected: vec![head(0), head(7)],
            highlight: Highlight::AtLeast(0.25),
            zero_baseline: true,
            chapter: Panel::Ablate,
            set: SetChoice::Selected,
            with: WithChoice::Mean,
            draw: Some(Draw { task: "ioi".to_owned(), n: 8, seed: 3 }),
            ..View::default()
        };
        let experiment = Experiment::default();
        let result = snapshot(3, true);
        let link = print_link(&experiment, Some(&result), &view).expect("it is short");
        let read = parse_link(&link).expect("our own");
        assert_eq!((read.view, read.refused.len()), (view, 0));
        let plain = print_link(&experiment, None, &View::default()).expect("it is short");
        assert_eq!(plain, encode("{}"), "the default is not written");
        for view in [
            r#"{"pinned":{"kind":"heads","layer":1e9,"index":0}}"#,
            r#"{"unit":"a name as long as no unit has"}"#,
            r#"{"scale":"worst"}"#,
            r#"{"neurons_in_view":[9,3]}"#,
            r#"{"neurons_in_view":[0,1000000]}"#,
            r#"{"highlight":{"quantile":2}}"#,
            r#"{"highlight":{"at_least":1e39}}"#,
            r#"{"open":["agreement","x"]}"#,
            r#"{"paths":{"n":0}}"#,
            r#"{"paths":{"pinned":"L1"}}"#,
            r#"{"paths":{"by_hand":[-1]}}"#,
            r#"{"draw":{"task":"ioi","n":1000000,"seed":1}}"#,
            "7",
        ] {
            let link = parse_link(&encode_text(&format!(r#"{{"n_steps":7,"view":{view}}}"#)));
            let link = link.expect("it is JSON");
            assert_eq!((link.view, link.refused), (View::default(), vec!["view"]), "{view}");
            assert_eq!(link.experiment.n_steps, Steps::Fixed(7));
        }
    }

    #[test]
    fn a_link_in_which_panels_stood_open_opens_the_chapter_that_its_sender_had_opened() {
        let opens = |open: &str| {
            let link = parse_link(&encode_text(&format!(r#"{{"view":{{"open":{open}}}}}"#)));
            let link = link.expect("it is JSON");
            assert!(link.refused.is_empty(), "{open}");
            link.view.chapter
        };
        for (open, chapter) in [
            (r#"["agreement","why","directions","ablate"]"#, Panel::Ablate),
            (r#"["ablate","batch"]"#, Panel::Ablate),
            (r#"["agreement","directions"]"#, Panel::Agreement),
            (r#"["batch","batch","batch","batch","batch","batch","batch"]"#, Panel::Batch),
            ("[]", Panel::Why),
        ] {
            assert_eq!(opens(open), chapter, "{open}");
        }
        for chapter in Panel::ALL {
            let view = View { chapter, ..View::default() };
            let link = print_link(&Experiment::default(), None, &view).expect("it is short");
            assert_eq!(parse_link(&link).expect("our own").view.chapter, chapter);
            // By its name alone, an address opens it about what the page begins with.
            let short = parse_link(&format!("#{}", chapter.id())).expect("a chapter");
            let whole = plain(Experiment::default());
            assert_eq!(short, Link { view, is_of_opening: true, ..whole });
        }
    }

    #[test]
    fn the_direction_stands_where_version_1_has_put_it_and_is_never_left_behind() {
        let fields = |link: &str| -> Value {
            let bytes =
                URL_SAFE_NO_PAD.decode(link.strip_prefix(PREFIX).expect("ours")).expect("base64");
            let json = decompress_to_vec_with_limit(&bytes, MAX_JSON).expect("deflated");
            serde_json::from_slice(&json).expect("JSON")
        };
        let view = View { direction: Direction::Denoising, ..View::default() };
        let link = print_link(&Experiment::default(), None, &view).expect("it is short");
        assert_eq!(fields(&link), serde_json::json!({ "direction": "denoising" }));
        // Of a view that cannot be read, and beside one that tries to say another.
        for (text, refused) in [
            (r#"{"direction":"denoising","view":7}"#, &["view"][..]),
            (r#"{"direction":"denoising","view":{"direction":"noising"}}"#, &[]),
        ] {
            let read = parse_link(&encode_text(text)).expect("it is JSON");
            assert_eq!((read.view, read.refused.as_slice()), (view.clone(), refused), "{text}");
        }
        // Of a unit that a later version may have, the rest stays.
        let read =
            parse_link(&encode_text(r#"{"view":{"unit":"bits","split":true}}"#)).expect("JSON");
        assert_eq!(read.view, View { split: true, ..View::default() });
        // Where nothing else of the view fits, it does.
        let long = |n: usize, by: usize| -> String {
            (0..n)
                .map(|i| {
                    char::from_u32(0x4e00 + ((i * i * by + i / 3) % 9000) as u32).unwrap_or('x')
                })
                .collect()
        };
        let pairs = vec![PromptPair {
            clean: long(4000, 7),
            corrupted: long(4000, 11),
            ..Default::default()
        }];
        let view = View { pairs, zero_baseline: true, ..view };
        let directions: Vec<bool> = (0..4000)
            .step_by(100)
            .filter_map(|n| {
                let experiment = Experiment {
                    clean: long(4000, 3),
                    corrupted: long(n, 5),
                    ..Experiment::default()
                };
                print_link(&experiment, None, &view).ok()
            })
            .map(|link| parse_link(&link).expect("ours").view.direction == Direction::Denoising)
            .collect();
        assert!(!directions.is_empty() && directions.iter().all(|is_kept| *is_kept));
    }

    #[test]
    fn a_draft_comes_back_whatever_its_length() {
        let long: String =
            (0..4000).filter_map(|i| char::from_u32(0x4e00 + i * 7 % 9000)).collect();
        let draft = Experiment { clean: long.clone(), corrupted: long, ..Experiment::default() };
        assert_eq!(experiment_from_text(&experiment_to_text(&draft)), Some(draft));
        assert_eq!(experiment_from_text("{}"), Some(Experiment::default()));
        for text in ["", "[1]", "7", "{"] {
            assert_eq!(experiment_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_that_do_not_fit_stay_behind_before_the_rest_does() {
        let pair = |n: usize| PromptPair {
            clean: (0..900).map(|i| char::from(b'a' + ((i * i * n + i / 7) % 26) as u8)).collect(),
            ..PromptPair::default()
        };
        let pairs = (0..100).map(pair).collect();
        let view = View { zero_baseline: true, pairs, ..View::default() };
        let link = print_link(&Experiment::default(), None, &view).expect("without the pairs");
        let read = parse_link(&link).expect("our own").view;
        assert_eq!(read, View { zero_baseline: true, ..View::default() });
    }

    #[test]
    fn a_pair_that_no_link_may_hold_takes_nothing_else_with_it() {
        let clean = "a ".repeat(MAX_PROMPT_CHARS);
        let pairs = vec![PromptPair { clean, ..PromptPair::default() }];
        let view = View { zero_baseline: true, pairs, ..View::default() };
        let link = print_link(&Experiment::default(), None, &view).expect("without the pairs");
        let read = parse_link(&link).expect("our own");
        assert_eq!((read.view.zero_baseline, read.refused.len()), (true, 0));
    }

    #[test]
    fn what_does_not_fit_stays_behind_and_what_cannot_fit_is_an_error() {
        // Digits that deflate cannot shorten below half.
        let long = |n: usize, seed: u64| {
            let mut state = seed;
            let mut next = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from_u32(0x4e00 + (state >> 50) as u32).unwrap_or('x')
            };
            (0..n).map(|_| next()).collect::<String>()
        };
        let with = |n| {
            let corrupted = long(n, 2);
            Experiment { clean: long(4000, 1), corrupted, ..Experiment::default() }
        };
        let snapshot = snapshot(4, true);
        let printed = |n| print_link(&with(n), Some(&snapshot), &View::default());
        let has_result = |link: &str| parse_link(link).expect("a link").snapshot.is_some();
        assert!(has_result(&printed(0).expect("it fits")));
        let without =
            (0..4000).step_by(50).filter_map(|n| printed(n).ok()).find(|l| !has_result(l));
        let without = without.expect("there is a length at which only the result stays behind");
        assert!(without.len() <= MAX_FRAGMENT);
        let error = print_link(&with(4000), None, &View::default());
        assert!(matches!(error, Err(LinkError::TooLong(n)) if n > MAX_FRAGMENT), "{error:?}");
    }

    /// Any JSON, two levels deep.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((".{0,8}", inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_printed_link_reads_back(
            clean in ".{0,200}", corrupted in ".{0,200}",
            answer in proptest::collection::vec(".{0,20}", 1..4),
            bos in any::<bool>(), steps in 1..=MAX_STEPS, auto in proptest::option::of(1_u32..100_000),
            metric in 0_usize..4, written in 0_usize..3,
        ) {
            let auto = auto.map(|tolerance_ppm| Steps::Auto { tolerance_ppm });
            let experiment = Experiment {
                clean, corrupted, answer, prepend_bos: bos,
                n_steps: auto.unwrap_or(Steps::Fixed(steps)),
                written: Written::ALL[written],
                metric: Metric::ALL[metric], ..Experiment::default()
            };
            let link = print_link(&experiment, None, &View::default()).expect("it is short");
            prop_assert_eq!(parse_link(&link), Ok(plain(experiment)));
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

        #[test]
        fn any_value_in_any_place_of_a_result_is_read_without_panic(
            seed in any::<u32>(), place in any::<prop::sample::Index>(), value in any_json(),
        ) {
            let mut fields = Map::new();
            fields.insert(RESULT.to_owned(), to_value(&snapshot(seed, true).to_wire()));
            let mut whole = Value::Object(fields);
            let mut paths = Vec::new();
            collect_paths(&whole, String::new(), &mut paths);
            let path = place.get(&paths);
            *whole.pointer_mut(path).expect("a place in it") = value;
            let Value::Object(fields) = whole else { return Ok(()) };
            // Either refused, or every number in it is one.
            let read = parse_link(&encode(&Value::Object(fields.clone()).to_string())).expect("it is JSON");
            if let Some(snapshot) = read.snapshot {
                let scores = snapshot.heads.iter().flat_map(ScoreTable::values);
                prop_assert!(scores.into_iter().all(|score| score.is_finite()));
                prop_assert!(snapshot.neurons.iter().all(|n| n.ig.is_finite() && n.ap.is_finite()));
            }
        }
    }

    /// JSON pointers to all places below a value.
    fn collect_paths(value: &Value, path: String, paths: &mut Vec<String>) {
        match value {
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    collect_paths(item, format!("{path}/{place}"), paths);
                }
            }
            Value::Object(fields) => {
                for (key, item) in fields {
                    collect_paths(item, format!("{path}/{key}"), paths);
                }
            }
            _ => {}
        }
        if !path.is_empty() {
            paths.push(path);
        }
    }
}
