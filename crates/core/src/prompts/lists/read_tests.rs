//! Lists of prompt pairs in every form and encoding, whole and damaged.

use proptest::prelude::*;

use super::*;
use crate::words::Written;

fn pair(name: &str, answer: &[&str]) -> PromptPair {
    PromptPair {
        name: name.to_owned(),
        clean: "A, \"b\" c".to_owned(),
        corrupted: "A, d c".to_owned(),
        answer: texts(answer),
        wrong: texts(&[" z"]),
        ..PromptPair::default()
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const MAX_PAIRS: usize = Limits::PAGE.pairs;
const MAX_PAIRS_BYTES: usize = Limits::PAGE.bytes;

fn read_bytes(bytes: &[u8]) -> Result<PairList, PairsError> {
    read_pairs(bytes, Limits::PAGE)
}

fn read(text: &str) -> Result<PairList, PairsError> {
    read_bytes(text.as_bytes())
}

const fn too_many(pairs: usize) -> PairsError {
    PairsError::TooMany { pairs, most: MAX_PAIRS }
}

const fn too_large(bytes: usize) -> PairsError {
    PairsError::TooLarge { bytes, most: MAX_PAIRS_BYTES }
}

/// The pairs of a list whose rows are all pairs.
#[track_caller]
fn pairs(text: &str) -> Vec<PromptPair> {
    let list = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(list.bad().map(BadRow::to_string).collect::<Vec<_>>(), [""; 0], "{text}");
    list.pairs()
}

/// Why a list cannot be read.
#[track_caller]
fn refusal(text: &str) -> String {
    read(text).expect_err("it must be refused").to_string()
}

/// The rows that are none, in words.
#[track_caller]
fn bad(text: &str) -> Vec<String> {
    let list = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    list.bad().map(BadRow::to_string).collect()
}

/// Text as bytes of an encoding, with its mark.
fn encoded(text: &str) -> [Vec<u8>; 4] {
    let units = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    };
    let marked = format!("\u{feff}{text}");
    [
        text.as_bytes().to_vec(),
        marked.as_bytes().to_vec(),
        units(&marked, u16::to_le_bytes),
        units(&marked, u16::to_be_bytes),
    ]
}

#[test]
fn json_is_read_as_a_list_as_lines_and_inside_an_object() {
    let one =
        r#"{"clean":"A, \"b\" c","Corrupt":"A, d c","answer":[" x"," y"],"wrong":" z","seed":[1]}"#;
    let two = r#"{"name":"second","clean":"A, \"b\" c","corrupted":"A, d c","answer":" x","wrong":[" z"]}"#;
    let expected = vec![pair("", &[" x", " y"]), pair("second", &[" x"])];
    for text in [
        format!("\u{feff} [{one},\n{two}]\n"),
        format!("{one}\r\n{two}\n"),
        format!("{one} {two}"),
        format!("{one}{two}"),
        format!("{one},\n{two},\n"),
        format!("\n\n{one}\r\r{two}"),
        format!("{{\"seq_labels\":[\"a\"],\"prompts\":[{one},{two}]}}"),
        format!("{{\"Pairs\":[{one},{two}]}}"),
        format!("{{\"cases\":[{one},{two}],\"prompts\":3}}"),
        // Each object over several lines.
        format!("{one}\n{two}")
            .replace(',', ",\n  ")
            .replace('{', "{\n  ")
            .replace(",\n   d", ", d")
            .replace("A,\n   \\\"b", "A, \\\"b"),
    ] {
        assert_eq!(pairs(&text), expected, "{text}");
    }
    assert_eq!(pairs(&print_pairs(&expected)), expected);
    assert_eq!(pairs(one), expected[..1], "one object is a list of one");
    let titles: Vec<String> = expected.iter().enumerate().map(|(i, p)| p.title(i)).collect();
    assert_eq!(titles, ["pair 1", "second"]);
}

#[test]
fn a_table_is_read_in_any_order_and_case_by_each_separator() {
    let expected = vec![pair("", &[" x", " y"]), pair("second", &[" x"])];
    let comma = "\u{feff}WRONG,Name, corrupt ,note,answer,Clean\r\n\
         \x20z,,\"A, d c\",,\" x| y\",\"A, \"\"b\"\" c\"\r\n\r\n\
         \x20z,second,\"A, d c\" ,?, x,\"A, \"\"b\"\" c\"\r\n,,,,,\r\n";
    assert_eq!(pairs(comma), expected);
    assert_eq!(
        pairs(&comma.replace("\r\n", "\r")),
        expected,
        "one kind of line end is as good as another"
    );
    let semicolon = "clean;corrupted;answer;wrong;name\n\
         \"A, \"\"b\"\" c\";A, d c; x| y; z;\n\"A, \"\"b\"\" c\";A, d c; x|; z;second";
    assert_eq!(pairs(semicolon), expected);
    assert_eq!(pairs(&semicolon.replace(';', "\t")), expected);
    let remark =
        semicolon.replace(";name\n", ";name;remarks, if any\n").replace("second", "second;");
    assert_eq!(
        pairs(&remark.replace(" z;\n", " z;;\n")),
        expected,
        "the separator is what fits the names"
    );
    assert_eq!(pairs(&format!("sep=;\r\n{semicolon}")), expected);
    assert_eq!(pairs(&format!("\"sep=;\"\n\n{semicolon}")), expected);
}

#[test]
fn what_a_table_leaves_out_is_left_out() {
    let one = |text: &str| {
        let read = pairs(text);
        assert_eq!(read.len(), 1, "{text}");
        let PromptPair { clean, corrupted, answer, wrong, .. } = &read[0];
        assert_eq!((clean.as_str(), corrupted.as_str()), ("a", "b"), "{text}");
        assert_eq!((&answer[..], &wrong[..]), (&texts(&[" c"])[..], &texts(&[" d"])[..]), "{text}");
    };
    one("clean,corrupted,answer,wrong\na,b, c, d");
    one(",clean,corrupted,answer,wrong\n470,a,b, c, d");
    one("Unnamed: 0,clean,corrupted,corrupted_hard,answer,wrong\n0,a,b,x, c, d");
    one("clean,corrupted,answer,wrong,,\na,b, c, d,,\n");
    one("clean,corrupted,answer,wrong,,\na,b, c, d\n");
    one("clean,corrupted,answer,wrong\na,b, c, d,,,\n ,\n");
    one("note,note,clean,corrupted,answer,wrong\n1,2,a,b, c, d");
    // A part's own name goes before its others.
    one("clean,corrupted,corrupt,answer,correct,wrong\na,b,x, c,true, d");
    one("Clean Prompt\tcorrupted-prompt\tCorrect Answer\tincorrect answers\na\tb\t c\t d");
    let quoted = pairs("clean,corrupted,answer,wrong\n\"a\n\"\"x\"\"\",\" b\", c ,\"\n\"");
    assert_eq!(quoted[0].clean, "a\n\"x\"");
    assert_eq!(quoted[0].corrupted, " b");
    assert_eq!((&quoted[0].answer, &quoted[0].wrong), (&texts(&[" c "]), &texts(&["\n"])));
    let printed =
        pairs("clean,corrupt,answers,wrong_answers\na,b,\"[' c', \"\" d\"\"]\",\"['it\\'s']\"");
    assert_eq!((&printed[0].answer, &printed[0].wrong), (&texts(&[" c", " d"]), &texts(&["it's"])));
    let literal = pairs("clean,corrupt,answer,wrong\na,b,[c],[]");
    assert_eq!((&literal[0].answer, &literal[0].wrong), (&texts(&["[c]"]), &texts(&["[]"])));
}

#[test]
fn published_lists_are_read_where_they_are_certain() {
    let both = |answer: &[&str], wrong: &[&str], written| PromptPair {
        clean: "a b".to_owned(),
        corrupted: "c d".to_owned(),
        answer: texts(answer),
        wrong: texts(wrong),
        written,
        ..PromptPair::default()
    };
    let ids = both(&["326"], &["319"], Written::AnswerIds);
    for text in [
        ",clean,corrupted,corrupted_hard,correct_idx,incorrect_idx\n470,a b,c d,e f,326,319\n",
        "clean,corrupted,correct_idx,incorrect_idx\na b,c d,326.0,319.0\n",
        "clean,corrupted,clean_answer_idx,corrupted_answer_idx,label\na b,c d,326,319,0\n",
        "clean,capital,country,country_idx,corrupted,corrupted_capital,corrupted_country,corrupted_country_idx\n\
         a b,Kabul,Afghanistan,326,c d,London,United Kingdom,319\n",
        "clean,answers,answers_idx,corrupted,corrupted_answers,corrupted_answers_idx\n\
         a b,['gem'],[326],c d,\"['bug', 'bugs']\",[319]\n",
        r##"{"clean":"a b","corrupt":"c d","answer_id":326,"wrong_id":["#319"]}"##,
        r#"{"clean":"a b","corrupted":"c d","answer":"326","wrong":"319","written":"answer_ids"}"#,
    ] {
        assert_eq!(pairs(text), std::slice::from_ref(&ids), "{text}");
    }
    let several = both(&["326", "7"], &["319", "4294967295"], Written::AnswerIds);
    for text in [
        "clean,corrupted,answers_idx,corrupted_answers_idx\na b,c d,\"[326, 7]\",319|4294967295",
        r#"[{"clean":"a b","corrupted":"c d","answer_id":[326,7],"wrong_id":[319,4294967295]}]"#,
    ] {
        assert_eq!(pairs(text), std::slice::from_ref(&several), "{text}");
    }
    let all = PromptPair {
        clean: "5 6".to_owned(),
        corrupted: "5 7".to_owned(),
        written: Written::Ids,
        ..both(&["8"], &["9"], Written::Ids)
    };
    for text in [
        r#"{"clean_ids":[5,6],"corrupted_ids":[5,7],"answer_id":8,"wrong_id":[9]}"#,
        r#"{"clean":[5,6],"corrupt":[5,7],"answers":[8],"wrong_answers":[9]}"#,
        r#"{"clean":"x","corrupted":"y","clean_ids":"5, 6","corrupted_ids":[5,7],"answer_id":8,"wrong_id":9}"#,
        "clean_ids,corrupted_ids,answer_id,wrong_id\n5 6,\"[5, 7]\",8,9",
    ] {
        assert_eq!(pairs(text), std::slice::from_ref(&all), "{text}");
    }
    let text = both(&[" is"], &[" are"], Written::Text);
    for list in [
        r#"{"clean_prefix":"a b","patch_prefix":"c d","clean_answer":" is","patch_answer":" are","case":"x"}"#,
        r#"{"prompts":[{"clean":"a b","corrupt":"c d","answers":[" is"],"wrong_answers":[" are"]}],"word_idxs":{"a":1}}"#,
        // Text goes before ids: those may be another tokenizer's.
        "clean,corrupted,answer,wrong,correct_idx,incorrect_idx\na b,c d, is, are,326,319",
    ] {
        assert_eq!(pairs(list), std::slice::from_ref(&text), "{list}");
    }
}

#[test]
fn rows_of_one_list_have_forms_of_their_own_and_names_of_any_kind() {
    let lines = "{\"name\":3,\"clean\":\"a\",\"corrupt\":\"b\",\"answer\":\" c\",\"wrong\":\" d\"}\n\
         {\"name\":true,\"clean_ids\":[1],\"corrupted_ids\":[2],\"answer_id\":3,\"wrong_id\":4}\n\
         {\"name\":null,\"clean\":\"a\",\"corrupted\":\"b\",\"correct_idx\":3,\"incorrect_idx\":4}\n\
         {\"name\":[1],\"clean\":\"year 1352 to 13\",\"corrupted\":\"b\",\"label\":52}";
    let read = pairs(lines);
    let names: Vec<&str> = read.iter().map(|pair| pair.name.as_str()).collect();
    assert_eq!(names, ["3", "true", "", ""]);
    let forms: Vec<Written> = read.iter().map(|pair| pair.written).collect();
    assert_eq!(forms, [Written::Text, Written::Ids, Written::AnswerIds, Written::Text]);
    assert_eq!(pairs(&print_pairs(&read)), read);
    let table = "clean,corrupted,answer,wrong,correct_idx,incorrect_idx\na,b, c, d,,\na,b,,,3,4";
    let forms: Vec<Written> = pairs(table).iter().map(|pair| pair.written).collect();
    assert_eq!(forms, [Written::Text, Written::AnswerIds]);
}

#[test]
fn a_label_is_a_year_where_the_prompt_says_so() {
    let war = "The war lasted from the year 1352 to the year 13";
    let read =
        pairs(&format!("clean,corrupted,label\n{war},b,52\n{war},b,4\n{war},b,0\n{war},b,98"));
    let sides = |pair: &PromptPair| (pair.answer.len(), pair.wrong.len());
    assert_eq!(read.iter().map(sides).collect::<Vec<_>>(), [(47, 53), (95, 5), (99, 1), (1, 99)]);
    let [first, .., last] = &read[..] else { panic!("four pairs") };
    assert_eq!((first.answer[0].as_str(), first.wrong[52].as_str()), ("53", "52"));
    assert_eq!((last.answer[0].as_str(), last.wrong[4].as_str()), ("99", "04"));
    assert_eq!(first.written, Written::Text);
    let by_number =
        "clean,corrupted,correct_idx\n\"1208, 1216, 1256, 12\",\"1208, 1216, 1301, 13\",56\n";
    assert_eq!(pairs(by_number)[0].answer[0], "57");
    for row in [
        format!("{war},b,99"),
        format!("{war},b,-1"),
        format!("{war},b,cat"),
        format!("{war} ,b,52"),
        format!("{war}5,b,52"),
        "The poet was promoted because,b,0".to_owned(),
        "From 17 to 13,b,12".to_owned(),
    ] {
        let [said] = &bad(&format!("clean,corrupted,label\n{row}"))[..] else { panic!("{row}") };
        assert!(
            said.starts_with("line 2: label alone says the answers of a greater-than list only"),
            "{said}"
        );
        assert!(
            said.contains("correct_idx")
                && said.ends_with("found with content: clean, corrupted, label"),
            "{said}"
        );
    }
    let other_year = bad(&format!("clean,corrupted,correct_idx\n{war},b,53"));
    assert!(other_year[0].starts_with("line 2: correct_idx alone"), "{other_year:?}");
}

#[test]
fn a_bad_row_says_where_and_why_and_spoils_no_other() {
    let good = r#"{"clean":"a","corrupted":"b","answer":" c","wrong":" d"}"#;
    let rows = [
        (
            r#"{"clean":"a","corrupted":"b","answer":" c"}"#,
            "the wrong answer is missing: wanted are clean, corrupted",
        ),
        (
            r#"{"clean":7,"corrupted":"b","answer":" c","wrong":" d"}"#,
            "clean must be text; a token id goes by",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer":7,"wrong":" d"}"#,
            "answer must be text, or a list of texts; a token",
        ),
        (r#"{"clean":"a","corrupted":"b","answer":[" c",""],"wrong":" d"}"#, "answer is empty"),
        (r#"{"clean":" ","corrupted":"b","answer":" c","wrong":" d"}"#, "clean is empty"),
        (
            r#"{"clean":"","corrupted":"b","answer":" c","wrong":" d"}"#,
            "the clean prompt is missing",
        ),
        (
            r#"{"clean":null,"corrupted":"b","answer":" c","wrong":" d"}"#,
            "the clean prompt is missing",
        ),
        (
            r#"{"clean":"a","Clean":"x","corrupted":"b","answer":" c","wrong":" d"}"#,
            "clean and Clean name the same part",
        ),
        (
            r#"{"clean":"a","clean":"x","corrupted":"b","answer":" c","wrong":" d"}"#,
            "clean and clean name the same part",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answers":" x","correct":" c","wrong":" d"}"#,
            "answers and correct name",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer_id":-1,"wrong_id":2}"#,
            "answer_id must be token ids, which are whole numbers from 0 to 4294967295; found \"-1\"",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer_id":1.5,"wrong_id":2}"#,
            "answer_id must be token ids",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer_id":4294967296,"wrong_id":2}"#,
            "answer_id must be token ids",
        ),
        (r#"{"clean":"a","corrupted":"b","answer_id":[],"wrong_id":2}"#, "answer_id is empty"),
        (
            r#"{"clean":"a","corrupted":"b","answer_id":[[1]],"wrong_id":2}"#,
            "answer_id must be token ids, which are whole numbers from 0 to 4294967295; found \"a list\"",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer":" c","wrong_id":2}"#,
            "one side of a pair whose other side is in ids is missing",
        ),
        (
            r#"{"clean":"a","corrupted":"b","answer":"1","wrong":"2","written":"years"}"#,
            "written must be text, answer_ids",
        ),
        ("[]", "this is a list, not an object with clean"),
        ("3", "this is a number, not an object with clean"),
        ("\"text\"", "this is a text, not an object with clean"),
    ];
    for (row, words) in rows {
        for (text, place) in [
            (format!("[{good},{row},{good}]"), "entry 2: "),
            (format!("{{\"prompts\":[{good},{row},{good}]}}"), "entry 2: "),
            (format!("{good}\r\n\r\n{row}\r\n{good}"), "line 3: "),
        ] {
            let list = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(list.pairs().len(), 2, "{text}");
            let said: Vec<String> = list.bad().map(BadRow::to_string).collect();
            assert_eq!(said.len(), 1, "{text}");
            assert!(said[0].starts_with(&format!("{place}{words}")), "{text}: {}", said[0]);
        }
    }
    let named = read(r#"[{"name":"odd","clean":"a"}]"#).expect("a list");
    assert_eq!(named.bad().map(BadRow::title).collect::<Vec<_>>(), ["odd"]);
    assert!(bad(r#"[{"clean":"a","poem":1}]"#)[0].ends_with("found with content: clean, poem"));
}

#[test]
fn a_line_that_is_not_json_is_one_bad_row() {
    let good = r#"{"clean":"a","corrupted":"b","answer":" c","wrong":" d"}"#;
    for junk in [
        r#"{"clean":"a","corru"#,
        r#"{"clean":"a","x":"#,
        r#"{"clean":"a""#,
        r#"{"clean":NaN}"#,
        "{'clean': 'a'}",
        "{",
        "[",
        "[1,",
        "}",
        "clean a",
        "# a comment",
        "\"",
        "NaN",
    ] {
        for (text, place) in [
            (format!("{good}\n{junk}\n{good}\n{good}\n"), "line 2: "),
            (format!("{good}\n{good}\n{good}\n{junk}"), "line 4: "),
        ] {
            let list = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(list.pairs().len(), 3, "{text}");
            let said: Vec<String> = list.bad().map(BadRow::to_string).collect();
            assert_eq!(said.len(), 1, "{text}: {said:?}");
            assert!(
                said[0].starts_with(&format!("{place}this is not JSON (")),
                "{text}: {}",
                said[0]
            );
        }
    }
    let first = read(&format!("# made by hand\n{good}\n{good}")).expect("lines");
    assert_eq!((first.pairs().len(), first.bad().count()), (2, 1));
    // Objects of several lines: one that is broken ends where the next begins.
    let long = "{\n  \"clean\": \"a\",\n  \"corrupted\": \"b\",\n  \"answer\": \" c\",\n  \"wrong\": \" d\"\n}\n";
    let broken = long.replace("\"b\",", "\"b\"");
    let list = read(&format!("{long}{broken}{long}")).expect("two of three");
    assert_eq!(list.pairs().len(), 2);
    assert_eq!(list.bad().map(|row| row.place).collect::<Vec<_>>(), [RowPlace::Line(7)]);
}

#[test]
fn a_bad_line_of_a_table_is_one_bad_row() {
    let header = "clean,corrupted,answer,wrong";
    for (line, words) in [
        ("a,b,c", "3 fields, where the first line names 4: put text with a comma"),
        ("a, and b,c,d,e", "5 fields, where the first line names 4"),
        ("a,b,|,d", "answer is empty"),
        ("a,,c,d", "the corrupted prompt is missing: wanted are clean"),
        ("\"a,b,c,d", "a quotation mark is not closed"),
        ("a,\"b\" x,c,d", "a quotation mark is not closed, or closed before the end of its field"),
        ("clean,corrupted,answer,wrong", "this is the first line of the table once more"),
    ] {
        for (before, after) in
            [("", ""), ("a,b,c,d\n", "a,b,c,d"), ("\"a\r\nb\",b,c,d\n", "\"x, y\",b,c,d\r\n")]
        {
            let text = format!("{header}\n\n{before}{line}\n{after}");
            let list = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let n = usize::from(!before.is_empty()) + usize::from(!after.is_empty());
            assert_eq!(list.pairs().len(), n, "{text}");
            let said: Vec<String> = list.bad().map(BadRow::to_string).collect();
            let place = 3 + before.matches('\n').count();
            assert_eq!(said.len(), 1, "{text}: {said:?}");
            assert!(said[0].starts_with(&format!("line {place}: {words}")), "{text}: {}", said[0]);
        }
    }
}

#[test]
fn what_makes_a_whole_list_unreadable_is_said_once() {
    for (text, words) in [
        (" \n", "there is no pair: a list is JSON objects, or CSV under a line of names"),
        ("", "there is no pair"),
        ("[]", "there is no pair"),
        ("{\"prompts\":[]}", "there is no pair"),
        ("clean,corrupted,answer,wrong", "there is no pair"),
        ("clean,corrupted,answer,wrong\n\n,,,\n", "there is no pair"),
        (",,,\n", "there is no pair"),
        ("[{},", "line 1, character 4: this is not JSON (EOF while parsing"),
        ("\n[{},\n{x}]", "line 3, character 2: this is not JSON"),
        ("{\"clean\":\n1,,}", "line 2, character 3: this is not JSON"),
        ("{\"prompts\": [{\"clean\": \"a\"", "line 1, character 26: this is not JSON (EOF"),
        ("{\"prompts\":[],\"pairs\":[{}]}", "prompts and pairs are lists, and it is not certain"),
        (
            "clean,answer\na,b",
            "no column is the corrupted prompt: wanted are clean, corrupted, answer and wrong; or, for answers by",
        ),
        ("hello", "no column is the clean prompt: wanted are clean, corrupted, answer and wrong"),
        ("clean,corrupted,group,plural\na,b,c,1", "no column is the answer: wanted are"),
        (
            "clean,Clean,corrupted,answer,wrong\na,b,c,d,e",
            "the columns clean and Clean name the same part",
        ),
        ("clean,corrupted,answer,answer,wrong\na,b,c,d,e", "the columns answer and answer name"),
        (
            "clean,corrupt,corrupted_prompt,answer,wrong\na,b,c,d,e",
            "the columns corrupt and corrupted_prompt",
        ),
    ] {
        let got = refusal(text);
        assert!(got.starts_with(words), "{text}: {got}");
    }
    assert!(
        refusal("clean,corrupted,group,plural\n")
            .ends_with("the first line names clean, corrupted, group, plural")
    );
    let many: Vec<String> = (0..40).map(|n| format!("column{n}")).collect();
    assert!(refusal(&many.join(",")).ends_with("column15 and 24 more"));
}

#[test]
fn too_long_a_list_is_refused_with_its_length() {
    let line = "a,b,c,d\n";
    let csv = |n| format!("clean,corrupted,answer,wrong\n{}", line.repeat(n));
    assert_eq!(pairs(&csv(MAX_PAIRS)).len(), MAX_PAIRS);
    assert_eq!(read(&csv(MAX_PAIRS + 7)), Err(too_many(MAX_PAIRS + 7)));
    let many = vec![pair("", &[" x"]); MAX_PAIRS + 1];
    assert_eq!(read(&print_pairs(&many)), Err(too_many(MAX_PAIRS + 1)));
    let objects = r#"{"clean":"a","corrupted":"b","answer":"c","wrong":"d"}"#.repeat(MAX_PAIRS + 2);
    assert_eq!(read(&objects), Err(too_many(MAX_PAIRS + 2)));
    let words = too_many(1001).to_string();
    assert_eq!(words, "the list has 1001 pairs, at most 1000 are read: split it");
    let bytes = MAX_PAIRS_BYTES + 1;
    assert_eq!(read(&" ".repeat(bytes)), Err(too_large(bytes)));
    // Three bytes in UTF-8 where UTF-16 has two.
    let wide = "\u{4e2d}".repeat(MAX_PAIRS_BYTES / 2 - 1);
    let [.., utf16] = encoded(&wide);
    assert_eq!(read_bytes(&utf16), Err(too_large(wide.len())));
}

#[test]
fn each_encoding_is_read_or_refused_never_guessed() {
    let table = "clean,corrupted,answer,wrong\nCafé 🙂,Thé,\" é\", ü\n";
    let expected = pairs(table);
    assert_eq!(expected[0].clean, "Café 🙂");
    for bytes in encoded(table) {
        assert_eq!(read_bytes(&bytes).map(|list| list.pairs()), Ok(expected.clone()));
    }
    let [_, _, little, big] = encoded(table);
    for bytes in [&little[2..], &big[2..]] {
        assert_eq!(
            read_bytes(bytes).map(|list| list.pairs()),
            Ok(expected.clone()),
            "without a mark"
        );
    }
    let latin: Vec<u8> = table.replace('🙂', "").chars().map(|c| c as u8).collect();
    assert_eq!(
        read_bytes(&latin).expect_err("it is Latin-1").to_string(),
        "line 2: byte 0xe9 at 32 is neither UTF-8 nor UTF-16, so the list is in another encoding, such as Windows-1252 or \
         Latin-1, and its letters are not certain: save it as UTF-8"
    );
    let utf32 = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
        format!("\u{feff}{table}").chars().flat_map(|c| bytes(c as u32)).collect()
    };
    for bytes in [utf32(u32::to_le_bytes), utf32(u32::to_be_bytes)] {
        assert_eq!(read_bytes(&bytes), Err(PairsError::Utf32));
        assert_eq!(read_bytes(&bytes[4..]), Err(PairsError::Utf32), "without a mark");
    }
    assert_eq!(read_bytes(b"clean,corrupted\n\na,\0"), Err(PairsError::Nul { line: 3 }));
    assert_eq!(read_bytes(b"clean\n\0\xff"), Err(PairsError::Nul { line: 2 }));
    assert_eq!(
        read_bytes(&little[..little.len() - 1]),
        Err(PairsError::CutOff { bytes: little.len() - 1 })
    );
    assert_eq!(
        read_bytes("clean é".as_bytes().split_last().expect("bytes").1),
        Err(PairsError::CutOff { bytes: 7 })
    );
    let mut lone = little.clone();
    lone.extend(0xd83d_u16.to_le_bytes());
    assert_eq!(
        read_bytes(&lone),
        Err(PairsError::Encoding { line: 3, offset: little.len(), byte: 0x3d })
    );
}

#[test]
fn files_that_are_no_lists_are_named() {
    for (bytes, what) in [
        (&b"\x1f\x8b\x08\0\0"[..], "a gzip archive"),
        (b"PK\x03\x04\x14\0", "a zip archive"),
        (b"PK\x03\x04\x14\0[Content_Types].xml\0xl/workbook.xml", "a workbook (xlsx or ods)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook (xls)"),
        (
            b"PK\x03\x04\0\0\x08\x08pairs/data.pklFB\0",
            "a file of PyTorch, and no list of pairs: save its rows",
        ),
        (b"PAR1\x15\x04", "a Parquet table"),
        (b"\x80\x04\x95\x10", "a pickle of Python"),
        (b"GGUF\x03\0", "a model’s weights (GGUF)"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "a pointer of Git LFS",
        ),
        (b"<!doctype html><title>404</title>", "a web page (HTML)"),
        (b"\n <html>", "a web page (HTML)"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "a web page (HTML)"),
    ] {
        let said = read_bytes(bytes).expect_err("it is no list").to_string();
        assert!(said.starts_with(&format!("this is {what}")), "{said}");
        assert!(said.contains(", and no list of pairs: "), "{said}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        begin in 0..6_usize,
    ) {
        let begins: [&[u8]; 6] =
            [b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"clean,corrupted,answer,wrong\n", b"{\0"];
        read_bytes(&[begins[begin], &bytes[..]].concat()).ok();
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(?s).{0,300}") {
        for text in [
            text.clone(),
            format!("clean,corrupted,answer,wrong\n{text}"),
            format!("[{text}]"),
            format!("{{\"clean\":{text}}}\n{{\n{text}"),
            format!("[{{\"clean\":{text:?},\"answer\":[{text:?},{text}]}}]"),
        ] {
            if let Ok(list) = read(&text) {
                let pairs = list.pairs();
                prop_assert!(pairs.iter().all(|p| !p.clean.is_empty() && !p.wrong.is_empty()));
                if !pairs.is_empty() {
                    let again = read(&print_pairs(&pairs)).map(|list| list.pairs());
                    prop_assert_eq!(again, Ok(pairs));
                }
            }
        }
    }

    #[test]
    fn any_text_like_a_list_is_read_without_panic(text in "[a-c,;|\"{}:\\[\\]\r\n\té]{0,80}") {
        read(&text).ok();
        read(&format!("clean,corrupted,answer,wrong\n{text}")).ok();
        read(&format!("{{\n{text}")).ok();
    }

    #[test]
    fn a_printed_list_reads_back_in_each_encoding(list in proptest::collection::vec(any_pair(), 1..6)) {
        for bytes in encoded(&print_pairs(&list)) {
            prop_assert_eq!(read_bytes(&bytes).map(|read| read.pairs()), Ok(list.clone()));
        }
        let lines: Vec<String> =
            list.iter().map(|pair| serde_json::to_string(pair).expect("JSON")).collect();
        for bytes in encoded(&lines.join("\r\n")) {
            prop_assert_eq!(read_bytes(&bytes).map(|read| read.pairs()), Ok(list.clone()));
        }
    }

    #[test]
    fn pairs_read_back_from_a_table_too(
        fields in proptest::collection::vec("[a-c,;\"\r\n\té ]{1,20}", 4),
        separator in 0..3_usize,
    ) {
        // A prompt of spaces is none, and a list in a cell is a list.
        prop_assume!(fields[..2].iter().all(|field| !field.trim().is_empty()));
        let separator = [",", ";", "\t"][separator];
        let quoted: Vec<String> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        let names = ["clean", "corrupted", "answer", "wrong"].join(separator);
        let read = read(&format!("{names}\r\n{}\r\n", quoted.join(separator)));
        let [clean, corrupted, answer, wrong] = fields.try_into().expect("four");
        let (name, answer, wrong) = (String::new(), vec![answer], vec![wrong]);
        let pair = PromptPair { name, clean, corrupted, answer, wrong, ..PromptPair::default() };
        prop_assert_eq!(read.map(|list| list.rows), Ok(vec![Ok(pair)]));
    }

    #[test]
    fn a_bad_row_anywhere_leaves_the_others_as_they_were(
        list in proptest::collection::vec(any_pair(), 1..6),
        at in any::<prop::sample::Index>(),
        junk in "(\\{\"clean\": ?\"[a-c]{0,3}|\\{|\\[|[a-c]{1,5}|\\{\"clean\":\"a\"\\}|[1-9]|\"|\\}){1}",
        form in 0..3_usize,
    ) {
        let at = at.index(list.len() + 1);
        let place = |lines_before: usize| RowPlace::Line(at + 1 + lines_before);
        let (text, place) = match form {
            0 => {
                let mut rows: Vec<String> =
                    list.iter().map(|pair| serde_json::to_string(pair).expect("JSON")).collect();
                // A first line that is no object makes no list of JSON lines, or one of another kind.
                let at = at.max(1);
                rows.insert(at, junk);
                (rows.join("\n"), RowPlace::Line(at + 1))
            }
            1 => {
                let mut rows: Vec<String> =
                    list.iter().map(|pair| serde_json::to_string(pair).expect("JSON")).collect();
                rows.insert(at, "{\"clean\":\"a\"}".to_owned());
                (format!("[{}]", rows.join(",")), RowPlace::Entry(at + 1))
            }
            _ => {
                // A lone mark and the marks of the cell below can make one whole cell over two lines: no row is bad then.
                let plain = |pair: &PromptPair| pair.name.starts_with(char::is_alphanumeric);
                prop_assume!(junk != "\"" || list.get(at).is_none_or(plain));
                let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
                let line = |pair: &PromptPair| {
                    let PromptPair { name, clean, corrupted, answer, wrong, written } = pair;
                    let [answer, wrong] = [answer, wrong].map(|words| words.join("|"));
                    let cells = [name, clean, corrupted, &answer, &wrong, written.id()];
                    cells.map(cell).join(",")
                };
                let mut rows: Vec<String> = list.iter().map(line).collect();
                rows.insert(at, junk);
                (format!("name,clean,corrupted,answer,wrong,written\n{}", rows.join("\n")), place(1))
            }
        };
        let read = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        prop_assert_eq!(read.pairs(), list, "{}", text);
        let places: Vec<RowPlace> = read.bad().map(|row| row.place).collect();
        prop_assert_eq!(places, [place], "{}", text);
    }
}

/// Pairs of all forms that a list can hold, without line ends and `|`, which a table writes in another way.
fn any_pair() -> impl Strategy<Value = PromptPair> {
    let text = "[a-zé🙂 \"\\\\,;\\[{]{0,12}[a-z\u{fffd}]";
    let word = || "[ a-zé\"\\\\,;]{1,8}";
    let id = || any::<u32>().prop_map(|id| id.to_string());
    let ids = || {
        proptest::collection::vec(any::<u32>(), 1..5)
            .prop_map(|ids| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" "))
    };
    let texts = (
        text,
        text,
        proptest::collection::vec(word(), 1..3),
        proptest::collection::vec(word(), 1..3),
    );
    let half =
        (text, text, proptest::collection::vec(id(), 1..3), proptest::collection::vec(id(), 1..3));
    let all = (
        ids(),
        ids(),
        proptest::collection::vec(id(), 1..3),
        proptest::collection::vec(id(), 1..3),
    );
    let name = "[a-z]{0,4}";
    prop_oneof![
        (name, texts).prop_map(|(name, of)| (name, of, Written::Text)),
        (name, half).prop_map(|(name, of)| (name, of, Written::AnswerIds)),
        (name, all).prop_map(|(name, of)| (name, of, Written::Ids)),
    ]
    .prop_map(|(name, (clean, corrupted, answer, wrong), written)| PromptPair {
        name,
        clean,
        corrupted,
        answer,
        wrong,
        written,
    })
}

#[test]
fn spaces_in_front_of_a_quotation_mark_are_no_part_of_a_cell() {
    let text =
        "name, clean, corrupted, correct_idx, incorrect_idx\nx, \"a, b\", \"a, c\" , 326, 319\n";
    let list = read_bytes(text.as_bytes()).expect("a list");
    let pair = list.rows[0].as_ref().expect("a pair");
    assert_eq!((pair.clean.as_str(), pair.corrupted.as_str()), ("a, b", "a, c"));
    assert_eq!(
        (&pair.answer[..], &pair.wrong[..]),
        (&["326".to_owned()][..], &["319".to_owned()][..])
    );
}
