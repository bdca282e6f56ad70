//! Which of the files that a visitor chose are a model's.

use twinbeam_core::ModelFiles;

/// What a model needs.
const NEEDED: [&str; 3] = [ModelFiles::CONFIG, ModelFiles::WEIGHTS, ModelFiles::TOKENIZER];
/// Endings of weights in formats that are not read, some of which can hold programs.
const OTHER_FORMATS: [&str; 8] = ["bin", "pt", "pth", "ckpt", "pkl", "h5", "msgpack", "onnx"];

/// Why what was chosen is not a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocalFault {
    /// No file at all.
    Nothing,
    /// Files that were not chosen with the others.
    Missing { names: Vec<&'static str> },
    /// Weights in a format that is not read.
    OtherFormat { file: String },
    /// Weights under another name, or in several files.
    OtherName { file: String },
}

/// The places of a model's files, in the order of [`NEEDED`], among paths.
///
/// # Errors
/// What is missing, and what is there in its place.
pub(crate) fn pick(paths: &[String]) -> Result<[usize; 3], LocalFault> {
    if paths.is_empty() {
        return Err(LocalFault::Nothing);
    }
    let found = folders(paths).into_iter().map(|folder| places(paths, folder));
    // Of folders that have as much, the first, which is the outermost.
    let mut best = [None; 3];
    let count = |places: &[Option<usize>; 3]| places.iter().flatten().count();
    for places in found {
        if count(&places) > count(&best) {
            best = places;
        }
    }
    if let [Some(config), Some(weights), Some(tokenizer)] = best {
        return Ok([config, weights, tokenizer]);
    }
    if best[1].is_none() {
        let named = |wanted: &dyn Fn(&str) -> bool| {
            paths.iter().map(|path| name(path)).find(|name| wanted(ending(name))).map(str::to_owned)
        };
        if let Some(file) = named(&|end| end == ending(ModelFiles::WEIGHTS)) {
            return Err(LocalFault::OtherName { file });
        }
        if let Some(file) = named(&|end| OTHER_FORMATS.contains(&end)) {
            return Err(LocalFault::OtherFormat { file });
        }
    }
    let missing = NEEDED.into_iter().zip(best).filter(|(_, place)| place.is_none());
    Err(LocalFault::Missing { names: missing.map(|(name, _)| name).collect() })
}

/// The folder that the files came in, for people.
pub(crate) fn title(paths: &[String]) -> String {
    let folder = paths.iter().find_map(|path| path.split_once('/')).map(|(folder, _)| folder);
    folder.filter(|folder| !folder.is_empty()).unwrap_or("local files").to_owned()
}

fn folders(paths: &[String]) -> Vec<&str> {
    let mut folders: Vec<&str> = paths.iter().map(|path| folder(path)).collect();
    folders.sort_by_key(|folder| (folder.matches('/').count(), *folder));
    folders.dedup();
    folders
}

fn places(paths: &[String], wanted: &str) -> [Option<usize>; 3] {
    NEEDED
        .map(|needed| paths.iter().position(|path| folder(path) == wanted && name(path) == needed))
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
        assert_eq!(pick(&loose), Ok([3, 1, 0]));
        assert_eq!(title(&loose), "local files");

        let inner = format!("top/b/{WEIGHTS}");
        let folder =
            paths(&["top/config.json", "top/b/config.json", &inner, "top/b/tokenizer.json"]);
        assert_eq!(pick(&folder), Ok([1, 2, 3]));
        assert_eq!(title(&folder), "top");
    }

    #[test]
    fn what_was_forgotten_is_named() {
        assert_eq!(pick(&[]), Err(LocalFault::Nothing));
        let missing = |names: &[&'static str]| Err(LocalFault::Missing { names: names.to_vec() });
        assert_eq!(pick(&paths(&[WEIGHTS, "tokenizer.json"])), missing(&["config.json"]));
        assert_eq!(pick(&paths(&["a.txt"])), missing(&NEEDED));
        assert_eq!(pick(&paths(&["config.json"])), missing(&[WEIGHTS, "tokenizer.json"]));
    }

    #[test]
    fn weights_of_another_format_or_name_are_named_as_such() {
        let bin = paths(&["config.json", "pytorch_model.bin", "tokenizer.json"]);
        let file = "pytorch_model.bin".to_owned();
        assert_eq!(pick(&bin), Err(LocalFault::OtherFormat { file }));
        let part = WEIGHTS.replace('.', "-00001-of-00002.");
        let parts = paths(&["config.json", "training_args.bin", &part]);
        assert_eq!(pick(&parts), Err(LocalFault::OtherName { file: part }));
    }
}
