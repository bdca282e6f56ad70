//! Which of the files that a visitor chose are a model's.

use twinbeam_core::models::ModelFiles;

/// Endings of weights in formats that are not read, some of which can hold programs.
const OTHER_FORMATS: [&str; 10] =
    ["bin", "pt", "pth", "ckpt", "pkl", "h5", "msgpack", "onnx", "gguf", "npz"];

/// Why what was chosen is not a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocalFault {
    /// No file at all.
    Nothing,
    /// Files of which none is a model's.
    NotAModel { names: Vec<String> },
    /// Files that were not chosen with the others.
    Missing { names: Vec<&'static str> },
    /// Weights in a format that is not read.
    OtherFormat { file: String },
    /// Weights under another name.
    OtherName { file: String },
    /// Weights in several files, without what says which holds what.
    NoIndex { file: String },
}

/// The places of a model's files among paths, all of one folder. How text becomes tokens may be missing: prompts can be
/// given as token ids.
///
/// # Errors
/// What is missing, and what is there in its place.
pub(crate) fn pick(paths: &[String]) -> Result<Vec<usize>, LocalFault> {
    if paths.is_empty() {
        return Err(LocalFault::Nothing);
    }
    let has = |places: &[usize], wanted: &str| places.iter().any(|p| name(&paths[*p]) == wanted);
    let has_weights =
        |places: &[usize]| has(places, ModelFiles::WEIGHTS) || has(places, ModelFiles::INDEX);
    let needs = |places: &[usize]| {
        usize::from(has(places, ModelFiles::CONFIG)) + usize::from(has_weights(places))
    };
    // Of folders that have as much, the first, which is the outermost.
    let mut best = Vec::new();
    for folder in folders(paths) {
        let places = places(paths, folder);
        if (needs(&places), places.len()) > (needs(&best), best.len()) {
            best = places;
        }
    }
    if needs(&best) == 2 {
        return Ok(best);
    }
    if !has_weights(&best) {
        let named = |wanted: &dyn Fn(&str) -> bool| {
            paths.iter().map(|path| name(path)).find(|name| wanted(name)).map(str::to_owned)
        };
        if let Some(file) = named(&|name| is_weights(name) && name.contains("-of-")) {
            return Err(LocalFault::NoIndex { file });
        }
        if let Some(file) = named(&is_weights) {
            return Err(LocalFault::OtherName { file });
        }
        if let Some(file) = named(&|name| OTHER_FORMATS.contains(&ending(name))) {
            return Err(LocalFault::OtherFormat { file });
        }
    }
    if best.is_empty() {
        let names = paths.iter().map(|path| name(path).to_owned()).collect();
        return Err(LocalFault::NotAModel { names });
    }
    let missing = [
        (ModelFiles::CONFIG, has(&best, ModelFiles::CONFIG)),
        (ModelFiles::WEIGHTS, has_weights(&best)),
    ];
    let names = missing.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name);
    Err(LocalFault::Missing { names: names.collect() })
}

/// Whether a file holds weights in the format that is read.
fn is_weights(name: &str) -> bool {
    ending(name) == ending(ModelFiles::WEIGHTS)
}

fn is_known(name: &str) -> bool {
    is_weights(name)
        || [ModelFiles::CONFIG, ModelFiles::INDEX].contains(&name)
        || ModelFiles::OF_TEXT.contains(&name)
}

/// The folder that a model's file came in, as it was chosen, for people.
pub(crate) fn title(path: &str) -> String {
    let folder = path.split_once('/').map(|(folder, _)| folder);
    folder.filter(|folder| !folder.is_empty()).unwrap_or("local files").to_owned()
}

fn folders(paths: &[String]) -> Vec<&str> {
    let mut folders: Vec<&str> = paths.iter().map(|path| folder(path)).collect();
    folders.sort_by_key(|folder| (folder.matches('/').count(), *folder));
    folders.dedup();
    folders
}

fn places(paths: &[String], wanted: &str) -> Vec<usize> {
    let is_it = |path: &String| folder(path) == wanted && is_known(name(path));
    paths.iter().enumerate().filter(|(_, path)| is_it(path)).map(|(place, _)| place).collect()
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: &str = ModelFiles::WEIGHTS;

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn files_are_found_by_name_in_one_folder() {
        let loose = paths(&["tokenizer.json", WEIGHTS, "notes.txt", "config.json"]);
        assert_eq!(pick(&loose), Ok(vec![0, 1, 3]));
        assert_eq!(title(&loose[0]), "local files");

        let inner = format!("top/b/{WEIGHTS}");
        let folder =
            paths(&["top/config.json", "top/b/config.json", &inner, "top/b/tokenizer.json"]);
        assert_eq!(pick(&folder), Ok(vec![1, 2, 3]));
        assert_eq!(title(&folder[1]), "top");
        // Another folder that comes first has no say.
        let two = paths(&["notes/a.txt", &format!("small/{WEIGHTS}"), "small/config.json"]);
        assert_eq!(pick(&two), Ok(vec![1, 2]));
        assert_eq!(title(&two[1]), "small");
        let without_text = paths(&["config.json", WEIGHTS]);
        assert_eq!(pick(&without_text), Ok(vec![0, 1]));
    }

    #[test]
    fn weights_in_several_files_come_with_all_that_belongs_to_them() {
        let shard = |n: usize| WEIGHTS.replace('.', &format!("-0000{n}-of-00002."));
        let (one, two) = (shard(1), shard(2));
        let text = ["vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json"];
        let mut all = vec!["README.md", "config.json", &one, &two, ModelFiles::INDEX];
        all.extend(text);
        assert_eq!(pick(&paths(&all)), Ok((1..9).collect()));
        let no_index = Err(LocalFault::NoIndex { file: one.clone() });
        assert_eq!(pick(&paths(&["config.json", &one, &two])), no_index);
    }

    #[test]
    fn what_was_forgotten_is_named() {
        assert_eq!(pick(&[]), Err(LocalFault::Nothing));
        let missing = |names: &[&'static str]| Err(LocalFault::Missing { names: names.to_vec() });
        assert_eq!(pick(&paths(&[WEIGHTS, "tokenizer.json"])), missing(&["config.json"]));
        assert_eq!(pick(&paths(&["tokenizer.json"])), missing(&["config.json", WEIGHTS]));
        assert_eq!(pick(&paths(&["config.json"])), missing(&[WEIGHTS]));
        assert_eq!(pick(&paths(&["config.json", "a.txt"])), missing(&[WEIGHTS]));
    }

    #[test]
    fn what_is_no_model_file_is_named() {
        let names = |names: &[&str]| Err(LocalFault::NotAModel { names: paths(names) });
        assert_eq!(pick(&paths(&["hello.txt"])), names(&["hello.txt"]));
        assert_eq!(pick(&paths(&["top/a.png", "top/b"])), names(&["a.png", "b"]));
    }

    #[test]
    fn weights_of_another_format_or_name_are_named_as_such() {
        let bin = paths(&["config.json", "pytorch_model.bin", "tokenizer.json"]);
        let file = "pytorch_model.bin".to_owned();
        assert_eq!(pick(&bin), Err(LocalFault::OtherFormat { file }));
        let file = WEIGHTS.replace("model", "adapter_model");
        let adapter = paths(&["config.json", "training_args.bin", &file]);
        assert_eq!(pick(&adapter), Err(LocalFault::OtherName { file }));
    }
}
