//! Tokens as transformers gives them, whatever the tokenizer's files are; and what is said before a run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::ops::Range;

use pollster::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use twinbeam_core::models::Catalog;
use twinbeam_core::prompts::{About, Hint};
use twinbeam_core::wire::inspection::TokenizerNote;
use twinbeam_core::wire::{Expected, Problem};
use twinbeam_core::words::{Experiment, Field, PromptError, Written};
use twinbeam_engine::{
    ByteSource, DeviceKind, Downloads, Error, Model, SourceError, Words, inspect, question, read,
};
use twinbeam_gpt2::{PrefixSpace, Tokenizer, TokenizerError, TokenizerFiles};
use twinbeam_tests::{Listener, repository};

const MARK: &[u8] = b"\xef\xbb\xbf";
const BOS: &str = "<|endoftext|>";

/// A model's files in memory, and which of them were asked for.
#[derive(Debug, Clone, Default)]
struct Files {
    bytes: BTreeMap<String, Vec<u8>>,
    is_remote: bool,
    asked: RefCell<Vec<String>>,
}

impl Files {
    fn get(&self, file: &str) -> Result<&Vec<u8>, SourceError> {
        self.asked.borrow_mut().push(file.to_owned());
        self.bytes.get(file).ok_or(SourceError::NotFound)
    }

    fn with(mut self, file: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.bytes.insert(file.to_owned(), bytes.into());
        self
    }

    fn without(mut self, file: &str) -> Self {
        self.bytes.remove(file);
        self
    }

    /// The bundled model with another `tokenizer.json`.
    fn with_tokenizer(change: impl FnOnce(&mut Value)) -> Self {
        let mut tokenizer = mini_tokenizer();
        change(&mut tokenizer);
        mini().with("tokenizer.json", tokenizer.to_string())
    }

    fn with_config(self, change: impl FnOnce(&mut Value)) -> Self {
        let mut config: Value =
            serde_json::from_slice(&self.bytes["config.json"]).expect("a configuration");
        change(&mut config);
        self.with("config.json", config.to_string())
    }

    fn load(&self) -> Result<Model, Error> {
        let device = DeviceKind::cpu("a test");
        let mut host = Listener::default();
        block_on(Model::load(self, &Expected::default(), &device, &mut host))
    }

    fn model(&self) -> Model {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }
}

impl ByteSource for Files {
    fn size(&self, file: &str) -> impl Future<Output = Result<u64, SourceError>> {
        ready(self.get(file).map(|bytes| bytes.len() as u64))
    }

    fn read(
        &self,
        file: &str,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, SourceError>> {
        ready(self.get(file).map(|b| b[range.start as usize..range.end as usize].to_vec()))
    }

    fn downloads(&self) -> Option<&dyn Downloads> {
        self.is_remote.then_some(self as &dyn Downloads)
    }
}

impl Downloads for Files {
    fn announce(&self, _file: &str, _ranges: &[Range<u64>]) {}

    fn fetched(&self) -> u64 {
        0
    }
}

fn mini_file(name: &str) -> Vec<u8> {
    std::fs::read(repository("assets/models/mini").join(name)).expect("it is there")
}

/// Tokens of the bundled model.
fn d_vocab() -> usize {
    Catalog::bundled().first().shape.d_vocab
}

fn mini() -> Files {
    let mut files = Files::default();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        files.bytes.insert(name.to_owned(), mini_file(name));
    }
    files
}

fn mini_tokenizer() -> Value {
    serde_json::from_slice(&mini_file("tokenizer.json")).expect("a tokenizer")
}

fn added(id: u32, content: &str, special: bool) -> Value {
    json!({
        "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": !special, "special": special,
    })
}

/// The tokens of `tokenizer.json` as the two files that there were before it.
fn apart(tokenizer: &Value) -> (Vec<u8>, Vec<u8>) {
    let model = &tokenizer["model"];
    let merges = model["merges"].as_array().expect("merges");
    let line = |pair: &Value| {
        format!("{} {}\n", pair[0].as_str().expect("a piece"), pair[1].as_str().expect("another"))
    };
    let merges: String = merges.iter().map(line).collect();
    (model["vocab"].to_string().into_bytes(), format!("#version: 0.2\n{merges}").into_bytes())
}

fn marked(bytes: &[u8]) -> Vec<u8> {
    [MARK, bytes].concat()
}

/// A reference's tokenizer, each file with a byte order mark if wanted.
fn tokenizer_of(reference: &Value, mark: bool) -> Tokenizer {
    let bytes = |bytes: Vec<u8>| Some(if mark { marked(&bytes) } else { bytes });
    let mut tokenizer = mini_tokenizer();
    for (field, value) in reference["tokenizer"].as_object().expect("fields") {
        tokenizer[field] = value.clone();
    }
    let mut files = TokenizerFiles::default();
    if reference["tokenizer"]["split"] == true {
        let (vocab, merges) = apart(&tokenizer);
        (files.vocab, files.merges) = (bytes(vocab), bytes(merges));
    } else {
        files.tokenizer = bytes(tokenizer.to_string().into_bytes());
    }
    for (name, content) in reference["files"].as_object().expect("files") {
        let content = bytes(content.to_string().into_bytes());
        match name.as_str() {
            "tokenizer_config.json" => files.config = content,
            "special_tokens_map.json" => files.special_tokens_map = content,
            "added_tokens.json" => files.added_tokens = content,
            other => panic!("{other}"),
        }
    }
    Tokenizer::from_files(&files).expect("it is read").expect("it is there")
}

#[test]
fn tokens_are_those_of_transformers() {
    let references = twinbeam_tests::json("tokens.json");
    let references = references.as_array().expect("a list");
    assert!(references.len() >= 20, "{}", references.len());
    for reference in references {
        let name = reference["name"].as_str().expect("a name");
        for mark in [false, true] {
            let tokenizer = tokenizer_of(reference, mark);
            assert_eq!(tokenizer.bos().map(u64::from), reference["bos"].as_u64(), "{name}: BOS");
            for entry in reference["texts"].as_array().expect("texts") {
                let text = entry[0].as_str().expect("a text");
                let ids: Vec<u32> = serde_json::from_value(entry[1].clone()).expect("ids");
                let reading = tokenizer.read(text).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(reading.ids, ids, "{name}: {text:?}");
                let spelt = tokenizer.decode(&ids);
                assert_eq!(reading.read_as.as_ref().unwrap_or(&spelt), &spelt, "{name}: {text:?}");
                assert_eq!(reading.read_as.is_none(), spelt == text, "{name}: {text:?}");
            }
        }
    }
}

fn chat_tokens() -> Value {
    let new = d_vocab() as u32;
    json!([
        added(0, BOS, true),
        added(new, "<|user|>", true),
        added(new + 1, "<|end|>", true),
        added(new + 2, "zork", false),
        added(new + 3, "café", false),
    ])
}

/// The bundled model's tokenizer with tokens of a chat, and its model with as many rows as that takes, or fewer.
fn chat() -> Files {
    Files::with_tokenizer(|tokenizer| tokenizer["added_tokens"] = chat_tokens())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ids_spell_the_text_whatever_special_tokens_stand_in_it(
        parts in proptest::collection::vec(("[ a-zA-Z0-9.,'\\n\\té漢👩]{0,12}", 0_usize..6), 0..8),
    ) {
        let special = [BOS, "<|user|>", "<|end|>", "zork", "café", ""];
        let json = chat().bytes["tokenizer.json"].clone();
        let tokenizer = Tokenizer::from_json(&json).expect("a tokenizer");
        let text: String = parts.iter().flat_map(|(words, n)| [words.as_str(), special[*n]]).collect();
        let reading = tokenizer.read(&text).expect("every byte has a token");
        prop_assert_eq!(reading.read_as, None);
        prop_assert_eq!(tokenizer.decode(&reading.ids), text.clone());
        for token in &special[..5] {
            let [id] = tokenizer.encode(token).expect("one")[..] else { panic!("{token} is one") };
            prop_assert!(tokenizer.is_added(id));
            let n = reading.ids.iter().filter(|other| **other == id).count();
            // Nothing that could be typed here overlaps them.
            prop_assert_eq!(n, text.matches(token).count(), "{}", token);
        }
    }
}

#[test]
fn what_has_no_token_is_refused_and_not_dropped() {
    let vocab = json!({"a": 0, "b": 1, "Ġ": 2, BOS: 3}).to_string().into_bytes();
    let files = TokenizerFiles {
        vocab: Some(vocab),
        merges: Some(b"#version: 0.2\n".to_vec()),
        ..TokenizerFiles::default()
    };
    let tokenizer = Tokenizer::from_files(&files).expect("it is read").expect("it is there");
    assert_eq!(tokenizer.encode("ab a<|endoftext|>").expect("it is spelt"), [0, 1, 2, 0, 3]);
    let Err(TokenizerError::NotReversible { decoded, .. }) = tokenizer.encode("abz") else {
        panic!("z has no token")
    };
    assert_eq!(decoded, "ab");

    // An unknown token would stand for anything.
    let mut with_unknown = mini_tokenizer();
    with_unknown["model"]["unk_token"] = json!(BOS);
    with_unknown["model"]["vocab"] = json!({BOS: 0, "a": 1, "Ġ": 2});
    with_unknown["model"]["merges"] = json!([]);
    let tokenizer = Tokenizer::from_json(with_unknown.to_string().as_bytes()).expect("it is read");
    assert!(matches!(tokenizer.encode("az"), Err(TokenizerError::NotReversible { .. })));
    assert_eq!(tokenizer.encode("a<|endoftext|> a").expect("it is spelt"), [1, 0, 2, 1]);
}

#[test]
fn damaged_files_are_named() {
    let (vocab, merges) = apart(&mini_tokenizer());
    let all = TokenizerFiles {
        vocab: Some(vocab),
        merges: Some(merges.clone()),
        ..TokenizerFiles::default()
    };
    let says = |files: TokenizerFiles| {
        Tokenizer::from_files(&files).expect_err("it is damaged").to_string()
    };
    assert!(Tokenizer::from_files(&all).is_ok());
    let without_merges = says(TokenizerFiles { merges: None, ..all.clone() });
    assert!(without_merges.starts_with("merges.txt: there is none"), "{without_merges}");
    let vocab = says(TokenizerFiles { vocab: Some(br#"{"a""#.to_vec()), ..all.clone() });
    assert!(vocab.starts_with("vocab.json: not JSON"), "{vocab}");
    let ids = says(TokenizerFiles { vocab: Some(br#"{"a": -1}"#.to_vec()), ..all.clone() });
    assert!(ids.starts_with("vocab.json: \"a\": expected a token id"), "{ids}");
    // One line more than there are.
    let n_lines = merges.split(|byte| *byte == b'\n').count();
    for (line, expected) in
        [("three pieces here", "two pieces"), ("a \u{3}", "pieces of vocab.json"), ("abc", "two")]
    {
        let bytes = [merges.as_slice(), line.as_bytes()].concat();
        let says = says(TokenizerFiles { merges: Some(bytes), ..all.clone() });
        let at = format!("merges.txt: line {n_lines}: expected");
        assert!(says.starts_with(&at) && says.contains(expected), "{says}");
    }
    let config = says(TokenizerFiles { config: Some(b"[]".to_vec()), ..all.clone() });
    assert!(config.starts_with("tokenizer_config.json: "), "{config}");
    let map = Some(b"<!doctype html>".to_vec());
    let map = says(TokenizerFiles { special_tokens_map: map, ..all.clone() });
    assert!(map.starts_with("special_tokens_map.json: "), "{map}");
    let tokens = Some(br#"{"x": "y"}"#.to_vec());
    let tokens = says(TokenizerFiles { added_tokens: tokens, ..all });
    assert!(tokens.starts_with("added_tokens.json: \"x\""), "{tokens}");
    // What the library would panic at: a decoder that breaks off, or goes deeper than anything is read.
    let deep = format!("{{\"decoder\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for json in [r#"{"version":"1.0","decoder":{"type":"ByteL"#, &deep] {
        let error = Tokenizer::from_json(json.as_bytes()).expect_err("it is damaged").to_string();
        assert!(error.starts_with("tokenizer.json: not JSON: "), "{error}");
    }
    // Through the engine once, with the same words.
    let error = mini().with("tokenizer.json", "{}").load().expect_err("it is no tokenizer");
    let Problem::Model { message } = error.problem() else { panic!("{error}") };
    assert!(message.starts_with("tokenizer.json: "), "{message}");
    assert_eq!(message.matches("tokenizer.json").count(), 1, "{message}");
}

#[test]
fn tokens_apart_are_the_same_model() {
    let (vocab, merges) = apart(&mini_tokenizer());
    let folder = mini()
        .without("tokenizer.json")
        .with("vocab.json", marked(&vocab))
        .with("merges.txt", marked(&merges));
    let (of_two, of_one) = (folder.model(), mini().model());
    let default = Experiment::default();
    let asked = |model: &Model| question(model, &default).expect("it can be asked");
    assert_eq!(asked(&of_two).tokens, asked(&of_one).tokens);
    assert_eq!(asked(&of_two).answers, asked(&of_one).answers);
    let report = of_two.words().tokenizer_report().expect("it has a tokenizer");
    assert_eq!((report.bos.as_str(), report.notes.len()), (BOS, 0));
}

fn look(model: &Model, draft: &Experiment) -> twinbeam_core::wire::inspection::Inspection {
    block_on(inspect(model, draft)).expect("it can be looked at")
}

fn pair(clean: &str, corrupted: &str) -> Experiment {
    Experiment {
        clean: clean.to_owned(),
        corrupted: corrupted.to_owned(),
        answer: vec![" Kate".to_owned()],
        wrong: vec![" Tom".to_owned()],
        ..Experiment::default()
    }
}

#[test]
fn special_tokens_are_one_aligned_and_marked() {
    let model = mini().model();
    let draft = pair(
        "Kate gave Tom a ring<|endoftext|>Tom gave it to",
        "Kate gave Tom a ring<|endoftext|>Kate gave it to",
    );
    let seen = look(&model, &draft);
    let bos: Vec<_> = seen.clean.tokens.iter().filter(|token| token.text == BOS).collect();
    assert_eq!(bos.len(), 2, "the one in front and the one between");
    assert!(bos[0].bos && bos[0].special && bos[1].special && !bos[1].bos);
    assert_eq!(seen.clean.tokens.iter().filter(|token| token.special).count(), 2);
    let place = seen.clean.tokens.iter().rposition(|token| token.special).expect("it is there");
    let column = seen.columns.iter().find(|column| column.clean == Some(place)).expect("a column");
    assert!(column.equal, "it stands at one place in both");

    // An answer may be special, too.
    let answer = Experiment { wrong: vec![BOS.to_owned()], ..draft };
    let question = question(&model, &Experiment { corrupted: answer.clean.clone(), ..answer });
    assert_eq!(question.expect("it can be asked").answers.wrong(), [0]);
}

#[test]
fn tokens_that_the_model_does_not_have_are_refused_by_name_when_used() {
    let folder = chat();
    let model = folder.model();
    assert!(question(&model, &Experiment::default()).is_ok(), "nobody uses them");
    let refused = |draft: &Experiment| match question(&model, draft) {
        Err(Error::Prompt(error)) => error,
        other => panic!("{other:?}"),
    };
    let expected = PromptError::NotInModel {
        text: "zork".to_owned(),
        id: d_vocab() as u32 + 2,
        d_vocab: d_vocab(),
    };
    let prompt = pair("Kate gave a zork to", "Kate gave a zork to");
    assert_eq!(refused(&prompt), expected);
    assert_eq!(look(&model, &prompt).problem, Some(expected.clone()));
    let default = Experiment::default();
    let answer = Experiment { answer: vec!["zork".to_owned()], ..default.clone() };
    assert_eq!(refused(&answer), expected);
    // An id that no token has is a number.
    let ids = Experiment {
        clean: "1 2 5000".to_owned(),
        corrupted: "1 2 3".to_owned(),
        written: Written::Ids,
        answer: vec!["5".to_owned()],
        wrong: vec!["6".to_owned()],
        ..default
    };
    assert_eq!(refused(&ids), PromptError::UnknownToken { id: 5000, d_vocab: d_vocab() });
}

#[test]
fn the_tokenizers_bos_is_used_and_the_other_is_named() {
    let first = |model: &Model| look(model, &Experiment::default()).clean.tokens[0].clone();
    // config.json names another than the tokenizer's.
    let folder = mini().with_config(|config| config["bos_token_id"] = json!(5));
    let model = folder.model();
    assert_eq!((first(&model).id, first(&model).bos), (0, true));
    let note = TokenizerNote::Bos { used: BOS.to_owned(), used_id: 0, other_id: 5 };
    assert_eq!(model.words().tokenizer_report().expect("a tokenizer").notes, [note]);
    // The tokenizer's files name another than `<|endoftext|>`.
    let tokenizer = br#"{"tokenizer_class": "GPT2Tokenizer", "bos_token": "!"}"#;
    let folder = mini().with("tokenizer_config.json", tokenizer.as_slice());
    let model = folder.model();
    assert_eq!((first(&model).id, first(&model).text.as_str()), (1, "!"));
    let note = TokenizerNote::Bos { used: "!".to_owned(), used_id: 1, other_id: 0 };
    assert_eq!(model.words().tokenizer_report().expect("a tokenizer").notes, [note]);
    // Where they agree there is nothing to say.
    assert_eq!(mini().model().words().tokenizer_report().expect("a tokenizer").notes, []);
    // One that the model does not have cannot stand in front, and everything else works.
    let tokenizer = br#"{"tokenizer_class": "GPT2Tokenizer", "bos_token": "<s>"}"#;
    let model = mini().with("tokenizer_config.json", tokenizer.as_slice()).model();
    let seen = look(&model, &Experiment::default());
    let expected = PromptError::BosNotInModel {
        text: "<s>".to_owned(),
        id: d_vocab() as u32,
        d_vocab: d_vocab(),
    };
    assert_eq!(seen.problem, Some(expected));
    let without = Experiment { prepend_bos: false, ..Experiment::default() };
    assert_eq!(look(&model, &without).problem, None);
}

#[test]
fn a_prefix_space_that_the_files_disagree_about_is_said() {
    let with = |file: bool, config: &str| {
        let folder = Files::with_tokenizer(|tokenizer| {
            tokenizer["pre_tokenizer"]["add_prefix_space"] = json!(file);
        });
        let model = folder.with("tokenizer_config.json", config).model();
        let first = look(&model, &Experiment::default()).clean.tokens[1].text.clone();
        (first, model.words().tokenizer_report().expect("a tokenizer").notes)
    };
    let agreed = r#"{"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": true}"#;
    assert_eq!(with(true, agreed), (" After".to_owned(), vec![]));
    let note = TokenizerNote::PrefixSpace { used: true };
    assert_eq!(with(false, agreed), (" After".to_owned(), vec![note]));
    assert_eq!(with(true, "{}"), (" After".to_owned(), vec![TokenizerNote::PrefixSpaceOfFile]));
    let general = r#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#;
    assert_eq!(with(true, general), (" After".to_owned(), vec![]));
    assert_eq!(PrefixSpace::default(), PrefixSpace::Agreed);

    // There, an answer is a word with or without its space, and no hint says otherwise.
    let folder = Files::with_tokenizer(|tokenizer| {
        tokenizer["pre_tokenizer"]["add_prefix_space"] = json!(true);
    });
    let model = folder.with("tokenizer_config.json", general).model();
    let draft = Experiment { answer: vec!["John".to_owned()], ..Experiment::default() };
    let seen = look(&model, &draft);
    assert_eq!((seen.problem, seen.hints), (None, vec![]));
    assert_eq!(seen.answer.readings[0].pieces, [" John"]);
}

#[test]
fn a_server_is_asked_for_no_more_than_matters() {
    let asked = |folder: Files| {
        let folder = Files { is_remote: true, ..folder };
        folder.model();
        let mut asked = folder.asked.take();
        asked.retain(|file| file != "config.json" && file != "model.safetensors");
        asked.dedup();
        asked
    };
    assert_eq!(asked(mini()), ["tokenizer.json", "tokenizer_config.json"]);
    let extras = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
    let other = mini().with_config(|config| config["bos_token_id"] = json!(5));
    assert_eq!(asked(other), [&["tokenizer.json"][..], &extras].concat());
    let (vocab, merges) = apart(&mini_tokenizer());
    let of_two =
        mini().without("tokenizer.json").with("vocab.json", vocab).with("merges.txt", merges);
    let two = ["tokenizer.json", "vocab.json", "merges.txt"];
    assert_eq!(asked(of_two), [&two[..], &extras].concat());
    assert_eq!(asked(mini().without("tokenizer.json")), two[..2]);
}

#[test]
fn without_a_tokenizer_ids_are_typed_and_give_the_same_numbers() {
    let (with, without) = (mini().model(), mini().without("tokenizer.json").model());
    assert_eq!(without.words().tokenizer_report(), None);
    let text = Experiment::default();
    assert!(matches!(question(&without, &text), Err(Error::NoTokenizer)));
    let seen = look(&without, &text);
    assert_eq!(seen.problem, Some(PromptError::NoTokenizer));
    assert!(seen.clean.tokens.is_empty() && seen.hints.is_empty());

    let asked = question(&with, &text).expect("it can be asked");
    let print = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let ids = Experiment {
        clean: print(asked.tokens.clean()),
        corrupted: print(asked.tokens.corrupted()),
        answer: vec![print(asked.answers.answer())],
        wrong: vec![print(asked.answers.wrong())],
        written: Written::Ids,
        ..text
    };
    for model in [&with, &without] {
        let same = question(model, &ids).expect("it can be asked");
        assert_eq!((same.tokens, same.answers), (asked.tokens.clone(), asked.answers.clone()));
    }
    let seen = look(&without, &ids);
    let first = &seen.clean.tokens[0];
    assert_eq!((first.text.as_str(), first.bos, first.special), ("#0", false, false));
    assert_eq!(seen.answer.readings[0].ids, asked.answers.answer());
    assert!(seen.clean.next.top.iter().all(|token| token.text == format!("#{}", token.id)));
    // With one, the same ids show their texts.
    let seen = look(&with, &ids);
    assert!(seen.clean.tokens[0].special && seen.clean.tokens[1].text == "After");
    assert_eq!((seen.problem, seen.hints), (None, vec![]));
}

#[test]
fn the_small_files_of_a_model_read_text_as_the_model_does() {
    let (vocab, merges) = apart(&mini_tokenizer());
    let apart =
        mini().without("tokenizer.json").with("vocab.json", vocab).with("merges.txt", merges);
    let remote = Files { is_remote: true, ..mini() };
    for files in [mini(), remote, apart, mini().without("tokenizer.json")] {
        let mut model = files.model();
        let handed = model.take_small_files();
        assert!(model.take_small_files().is_empty(), "they are given away once");
        let names: Vec<&str> = handed.iter().map(|(name, _)| *name).collect();
        assert!(names[0] == "config.json" && !names.contains(&"model.safetensors"), "{names:?}");
        let mut small = Files::default();
        for (name, bytes) in handed {
            small.bytes.insert(name.to_owned(), bytes);
        }
        let words = block_on(Words::read(&small)).expect("it reads");
        assert_eq!(words.tokenizer_report(), model.words().tokenizer_report());
        let draft = Experiment::default();
        let longer = Experiment { clean: format!("{} the", draft.clean), ..draft.clone() };
        let ids = Experiment { written: Written::Ids, clean: "5 6".to_owned(), ..draft.clone() };
        for draft in [draft, longer, ids] {
            let mut seen = look(&model, &draft);
            (seen.clean.next, seen.corrupted.next) = Default::default();
            assert_eq!(read(&words, &draft).expect("it is read"), seen, "{names:?}");
        }
    }
}

#[test]
fn prompts_of_unequal_length_are_mended_with_the_models_own_tokens() {
    let model = mini().model();
    let draft = Experiment::default();
    assert!(look(&model, &draft).mends.is_empty());
    let middle = draft.clean.replace(" a ", " a the ");
    let cases = [
        (Experiment { clean: format!("{} the", draft.clean), ..draft.clone() }, Some(&draft)),
        (Experiment { clean: middle, ..draft.clone() }, Some(&draft)),
        (Experiment { clean: draft.clean.replace("John", "Bartholomew"), ..draft.clone() }, None),
    ];
    for (unequal, dropped) in cases {
        let mends = look(&model, &unequal).mends;
        assert!(!mends.is_empty(), "{}", unequal.clean);
        for mend in &mends {
            let mut mended = unequal.clone();
            mend.apply(&mut mended);
            let problem = look(&model, &mended).problem;
            assert!(!matches!(problem, Some(PromptError::Lengths { .. })), "{mend:?}: {problem:?}");
        }
        assert!(dropped.is_none_or(|draft| mends.iter().any(|mend| mend.text == draft.clean)));
    }
}

/// The hints of a draft on the bundled model.
fn hints(draft: &Experiment) -> Vec<Hint> {
    look(&mini().model(), draft).hints
}

#[test]
fn a_draft_that_is_as_it_should_be_has_no_hint() {
    let seen = hints(&Experiment::default());
    assert_eq!(seen, []);
    let examples = std::fs::read(repository("assets/examples.json")).expect("it is there");
    let examples: Vec<Value> = serde_json::from_slice(&examples).expect("a list");
    let model = mini().model();
    for example in examples {
        let text = |field: &str| example[field].as_str().expect("a text").to_owned();
        let list = |field: &str| serde_json::from_value(example[field].clone()).expect("texts");
        let draft = Experiment {
            clean: text("clean"),
            corrupted: text("corrupted"),
            answer: list("answer"),
            wrong: list("wrong"),
            ..Experiment::default()
        };
        assert_eq!(look(&model, &draft).hints, [], "{}", draft.clean);
    }
}

#[test]
fn what_may_not_be_meant_is_said_with_what_mends_it() {
    let default = Experiment::default();
    let about = |draft: &Experiment| {
        let found = hints(draft);
        found.into_iter().map(|hint| (hint.field, hint.about, hint.mends)).collect::<Vec<_>>()
    };
    let mend = |text: &str| vec![(0, text.to_owned())];
    let clean = |text: &str| Experiment { clean: text.to_owned(), ..default.clone() };

    let spaced = clean(&format!("{}  ", default.clean));
    assert_eq!(about(&spaced), [(Field::Clean, About::EndsInSpace, mend(&default.clean))]);

    let accents = clean("a cafe\u{301}");
    assert_eq!(about(&accents), [(Field::Clean, About::NotComposed, mend("a café"))]);

    let hidden = clean("a\u{a0}b\u{200b}c");
    let what = About::Hidden { character: '\u{a0}', at: 2, n: 2 };
    assert_eq!(about(&hidden), [(Field::Clean, what, mend("a bc"))]);
    assert_eq!(
        about(&clean("👩\u{200d}👩\u{200d}👧 and می\u{200c}خواهم")),
        [],
        "they belong there"
    );

    assert_eq!(about(&clean("a\r\nb")), [(Field::Clean, About::LineEnds, mend("a\nb"))]);

    let twice = clean(&format!("{BOS}{}", default.clean));
    assert_eq!(about(&twice), [(Field::Clean, About::BosTwice, mend(&default.clean))]);
    assert_eq!(about(&Experiment { prepend_bos: false, ..twice }), []);

    // Both are one token, so nothing else would say it.
    let single = |text: &str| mini_tokenizer()["model"]["vocab"].get(text).is_some();
    assert!(single("The") && single("ĠThe") && single("When") && single("ĠWhen"));
    let answers = |answer: &[&str]| Experiment {
        answer: answer.iter().map(|text| (*text).to_owned()).collect(),
        ..default.clone()
    };
    let mends = vec![(0, " The".to_owned()), (2, " When".to_owned())];
    assert_eq!(
        about(&answers(&["The", " John", "When"])),
        [(Field::Answer, About::NoLeadingSpace, mends)]
    );
    // After a space, or after a digit, it may be right.
    let open = Experiment { clean: format!("{} ", default.clean), ..answers(&["The"]) };
    assert!(about(&open).iter().all(|(_, about, _)| *about == About::EndsInSpace));
    let year = Experiment { clean: "From 17 54 to the year 17".to_owned(), ..answers(&["5"]) };
    assert_eq!(about(&year), []);

    // Spaces that a token takes along.
    let folder = Files::with_tokenizer(|tokenizer| {
        tokenizer["added_tokens"][0]["lstrip"] = json!(true);
    });
    let draft = clean(&format!("a ring {BOS}Tom"));
    let [hint] = &look(&folder.model(), &draft).hints[..] else { panic!("one hint") };
    assert_eq!(hint.about, About::ReadAs { text: format!("a ring{BOS}Tom") });
}

#[test]
fn ids_are_written_as_text_where_a_text_has_just_these_tokens() {
    let model = mini().model();
    let text =
        pair("Kate gave Tom a café and Tom went to", "Kate gave Tom a café and Kate went to");
    let seen = look(&model, &text);
    assert_eq!(seen.in_text, None, "it is text");
    let ids = |side: &twinbeam_core::wire::inspection::SideView| -> Vec<String> {
        side.tokens.iter().map(|token| token.id.to_string()).collect()
    };
    let answer = |check: &twinbeam_core::wire::inspection::AnswerCheck| {
        vec![check.readings[0].ids[0].to_string()]
    };
    let in_ids = Experiment {
        clean: ids(&seen.clean).join(" "),
        corrupted: ids(&seen.corrupted).join(" "),
        answer: answer(&seen.answer),
        wrong: answer(&seen.wrong),
        written: Written::Ids,
        prepend_bos: false,
        ..text.clone()
    };
    assert_eq!(look(&model, &in_ids).in_text.as_deref(), Some(&text), "BOS is in front again");
    let answers_alone =
        Experiment { answer: in_ids.answer.clone(), written: Written::AnswerIds, ..text.clone() };
    let wrong = Experiment { wrong: answer(&seen.wrong), ..answers_alone };
    assert_eq!(look(&model, &wrong).in_text.as_deref(), Some(&text));

    // Cut inside a character, there is no text of these tokens, and none is made up.
    let part = seen.clean.tokens.iter().position(|token| token.text.contains('\u{fffd}'));
    let cut = &ids(&seen.clean)[..=part.expect("é is two tokens of the bundled model")];
    let half = Experiment { clean: cut.join(" "), ..in_ids.clone() };
    assert_eq!(look(&model, &half).in_text, None);
    // What is no ids stays as it is typed.
    let words = Experiment { clean: "12 abc".to_owned(), ..in_ids };
    assert_eq!(look(&model, &words).in_text.map(|text| text.clean), Some("12 abc".to_owned()));
}

#[test]
fn a_space_in_front_that_only_the_configuration_asks_for_is_asked_of_a_server_too() {
    let wants = r#"{"add_prefix_space": true}"#;
    let first = |is_remote| {
        let files = Files { is_remote, ..mini().with("tokenizer_config.json", wants) };
        let draft = Experiment { clean: "John went".to_owned(), ..Experiment::default() };
        look(&files.model(), &draft).clean.tokens[1].text.clone()
    };
    assert_eq!((first(false), first(true)), (" John".to_owned(), " John".to_owned()));
}

#[test]
fn dropout_of_merges_is_for_training() {
    let dropped =
        Files::with_tokenizer(|tokenizer| tokenizer["model"]["dropout"] = json!(0.9)).model();
    let ids =
        |model: &Model| question(model, &Experiment::default()).expect("it can be asked").tokens;
    assert_eq!(ids(&dropped), ids(&mini().model()));
}
