//! What there is to say of models: where they come from, and why one could not be loaded.

use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::{FetchFault, Problem, Wait};

use super::{MORE_MEMORY, problem, says_memory};
use crate::values::{CatalogFault, LocalFault, Notice, WayOn, count, sentence};

/// What a model's loading was, when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LoadFailure {
    pub(crate) title: String,
    /// The model that stays in use, if there is one.
    pub(crate) in_use: Option<String>,
    pub(crate) is_local: bool,
    pub(crate) is_bundled: bool,
    /// Whether the browser says so.
    pub(crate) is_offline: bool,
}

/// Why a model could not be loaded, and what is left.
pub(crate) fn load_failed(cause: &Problem, failure: &LoadFailure) -> Notice {
    let LoadFailure { title, in_use, is_local, is_bundled, is_offline } = failure;
    let mut notice = match cause {
        Problem::File { file, message } if *is_local => Notice::new(
            format!("{file} could not be read"),
            format!(
                "{message}. It may have been moved or changed since you chose it: choose it again."
            ),
        )
        .offering([WayOn::LoadAgain, WayOn::UseLocalFiles]),
        // Over the network, and the model is the other way on already.
        Problem::File { .. } | Problem::Model { .. } => {
            problem(cause, false).offering([WayOn::LoadAgain, WayOn::UseLocalFiles])
        }
        Problem::Device { .. } | Problem::DeviceLost { .. } | Problem::Untrusted { .. } => Notice {
            title: "The device could not take the model".to_owned(),
            ..problem(cause, false)
        }
        .offering([WayOn::UseCpu, WayOn::LoadAgain]),
        _ => problem(cause, false),
    };
    if *is_offline && !is_local {
        notice.what_to_do = format!("The browser says that it is offline. {}", notice.what_to_do);
    }
    if *is_bundled {
        notice.ways_on.retain(|way_on| *way_on != WayOn::UseBundled);
    } else if !notice.ways_on.contains(&WayOn::UseBundled) {
        notice.ways_on.push(WayOn::UseBundled);
    }
    let kept = match in_use {
        Some(in_use) => format!(" {title} is not loaded; {in_use} stays in use."),
        None => format!(" {title} is not loaded."),
    };
    notice.what_to_do += &kept;
    notice
}

/// Why a file could not be fetched.
pub(super) fn fetch(file: &str, fault: &FetchFault) -> Notice {
    let (what, next) = match fault {
        FetchFault::Unreachable { message } => (
            format!("the server does not answer ({message})"),
            "Check the connection; a firewall or a blocker in the browser can be in the way too.",
        ),
        FetchFault::NotFound => (
            "the server has no such file".to_owned(),
            "It was moved or deleted there: files of your own can take its place.",
        ),
        FetchFault::Forbidden { status } => (
            format!("the server refuses it ({status})"),
            "It may ask for a login, which this page does not have: files of your own can take its place.",
        ),
        FetchFault::TooMany { retry_after: Some(seconds) } => (
            format!("the server asks for patience, for {seconds} s (429)"),
            "Try again after that.",
        ),
        FetchFault::TooMany { retry_after: None } => {
            ("the server asks for patience (429)".to_owned(), "Try again in a few minutes.")
        }
        FetchFault::Server { status } => (
            format!("the server has failed ({status})"),
            "That is on its side, and usually passes: try again later.",
        ),
        FetchFault::Status { status } => (
            format!("the server answers {status}"),
            "That is not a file: try again later, or take files of your own.",
        ),
        FetchFault::WebPage => (
            "a web page came in its place".to_owned(),
            "Many servers answer like this where they have no such file, and so do networks with a login page: there, open \
             any other site, log in, and try again.",
        ),
        FetchFault::WrongRange { expected, got } => (
            format!("the server sent other bytes ({got:?}) than it was asked for ({expected:?})"),
            "Something on the way may keep an old copy: try again later, or on another network.",
        ),
        FetchFault::Short { expected, got } => (
            format!("the answer ended after {got} of {expected} bytes"),
            "The connection was cut: try again.",
        ),
        FetchFault::Long { expected } => (
            format!("more than the {expected} bytes that were asked for came"),
            "The file may have changed on the server: try again later.",
        ),
        FetchFault::Changed => (
            "it is another file than before".to_owned(),
            "It is being replaced on the server, or old copies are kept on the way: try again later.",
        ),
        FetchFault::Unsized => (
            "neither the server nor the file says how long it is".to_owned(),
            "A server that sends Content-Length helps; otherwise take files of your own.",
        ),
    };
    // The small files come first, and are fetched whole: before the weights there is nothing to go on from.
    let format = ModelFiles::WEIGHTS.trim_start_matches("model");
    let kept = if file.ends_with(format) {
        " If a part of it has arrived, trying again goes on from there."
    } else {
        ""
    };
    Notice::new(format!("{file} could not be fetched: {what}"), format!("{next}{kept}")).offering([
        WayOn::LoadAgain,
        WayOn::UseLocalFiles,
        WayOn::UseBundled,
    ])
}

/// Weights that are not those that were expected.
pub(super) fn digest(expected: &str, got: &str) -> Notice {
    Notice::new(
        "The file is not the expected GPT-2",
        format!(
            "It is complete, and its sha256 is {got}, where {expected} was expected: it was changed on the server or on its \
             way. Nothing of it is used unless you say so."
        ),
    )
    .offering([WayOn::LoadAgain, WayOn::UseAllTheSame, WayOn::UseLocalFiles, WayOn::UseBundled])
}

/// A fault as the beginning of what is said of a wait, without a full stop.
fn what_failed(fault: &FetchFault) -> String {
    match fault {
        FetchFault::Unreachable { message } => {
            format!("No answer ({})", message.trim_end_matches('.'))
        }
        other => sentence(&other.to_string()),
    }
}

/// What loading waits for, and for how many more seconds.
pub(crate) fn waiting(wait: &Wait, seconds: u32, source: &str) -> String {
    match wait {
        Wait::Retry { left, fault, .. } => {
            let when = if seconds == 0 { "now".to_owned() } else { format!("in {seconds} s") };
            let times = match left {
                0 => "for the last time".to_owned(),
                1 => "and once more after that".to_owned(),
                times => format!("and {times} more times after that"),
            };
            format!("{}. {source} is asked again {when}, {times}.", what_failed(fault))
        }
        Wait::OtherTab => {
            "Another tab of this page is using the model’s files: this one goes on when that one is done.".to_owned()
        }
    }
}

/// Why a list of models is not used.
pub(crate) fn catalog(fault: &CatalogFault) -> Notice {
    let instead = "The models that this page was built with are offered instead.";
    match fault {
        CatalogFault::Foreign { address } => Notice::new(
            "The list of models in the address is on another site",
            format!(
                "{address} is not read: only a list beside this page is, and that is used instead."
            ),
        ),
        CatalogFault::Unreachable { address, message } => Notice::new(
            "The list of models could not be fetched",
            format!("{address}: {message}. {instead}"),
        ),
        CatalogFault::Status { address, status } => Notice::new(
            "The list of models could not be fetched",
            format!("{address}: the server answers {status}. {instead}"),
        ),
        CatalogFault::WebPage { address } => Notice::new(
            "The list of models could not be fetched",
            format!("{address}: a web page came in its place. {instead}"),
        ),
        CatalogFault::Broken { address, error } => {
            Notice::new("The list of models is broken", format!("{address}: {error}. {instead}"))
        }
    }
}

/// Names that are said one by one.
const MOST_NAMED: usize = 6;

/// What a visitor has chosen, so that it can be seen what it was.
pub(crate) fn chosen(paths: &[String]) -> String {
    let names: Vec<&str> =
        paths.iter().map(|path| path.rsplit('/').next().unwrap_or(path)).collect();
    let folder = paths.first().and_then(|path| path.split_once('/')).map(|(folder, _)| folder);
    let names = if names.is_empty() {
        "nothing".to_owned()
    } else if names.len() <= MOST_NAMED {
        in_words(&names)
    } else {
        count(names.len(), "file")
    };
    match folder {
        Some(folder) => format!("Chosen: {folder} with {names}."),
        None => format!("Chosen: {names}."),
    }
}

/// Files that are not a model.
pub(crate) fn local_files(fault: &LocalFault) -> Notice {
    let weights = ModelFiles::WEIGHTS;
    let format = weights.rsplit_once('.').map_or(weights, |(_, format)| format);
    let index = ModelFiles::INDEX;
    let needed = format!(
        "A GPT-2 in Hugging Face’s layout is {}, {weights} (or {index} and the files that it lists) and {}, chosen together or \
         as their folder.",
        ModelFiles::CONFIG,
        ModelFiles::TOKENIZER
    );
    let (title, what_to_do) = match fault {
        LocalFault::Nothing => ("There is no file in what was chosen".to_owned(), needed),
        LocalFault::NotAModel { names } => {
            let title = match names.as_slice() {
                [name] => format!("{name} is not a model file"),
                names if names.len() <= MOST_NAMED => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    format!("{} are not model files", in_words(&names))
                }
                names => format!("None of these {} files is a model’s", names.len()),
            };
            (title, needed)
        }
        LocalFault::NoIndex { file } => (
            format!("{index} is missing, and {file} is there"),
            format!(
                "Weights in several files are read by their index: choose it with them. {needed}"
            ),
        ),
        LocalFault::Missing { names } => {
            let be = if names.len() == 1 { "is" } else { "are" };
            (format!("{} {be} missing", in_words(names)), needed)
        }
        LocalFault::OtherFormat { file } => (
            format!("{file} is not read"),
            format!(
                "Weights in that format can hold programs, or are of another library: convert it to {format}, for instance with \
                 save_pretrained of Hugging Face’s transformers. {needed}"
            ),
        ),
        LocalFault::OtherName { file } => (
            format!("{weights} is missing, and {file} is there"),
            format!(
                "Weights are read from a file of that name: rename it if it is what you mean. {needed}"
            ),
        ),
    };
    Notice::new(title, what_to_do).offering([WayOn::UseLocalFiles])
}

/// A link's model is not here yet.
pub(crate) fn offer(id: &str, title: &str, size: &str, has_figure: bool) -> Notice {
    let shown =
        if has_figure { "The figure below came with the link" } else { "Its prompts are below" };
    Notice::new(
        format!("The link is of {title}, which is not in this browser yet"),
        format!("{shown}; nothing is fetched unless you say so."),
    )
    .offering([WayOn::Fetch { id: id.to_owned(), label: format!("Load {title} ({size})") }])
}

/// A model that the browser does not keep.
pub(crate) fn from_memory(title: &str, reason: &str) -> Notice {
    Notice::new(
        format!("{title} runs from memory"),
        format!(
            "{}. It is lost when another model is chosen or the page is closed, and is fetched again after that.",
            sentence(reason.trim_end_matches('.'))
        ),
    )
}

/// The worker in which a model was arriving is gone.
pub(crate) fn arriving_died(title: &str, message: &str) -> Notice {
    let help = if says_memory(message) { format!("{MORE_MEMORY} ") } else { String::new() };
    Notice::new(
        format!("{title} could not be loaded: its part of the page stopped"),
        format!(
            "{}. {help}Your inputs are kept, and so is any part of it that the browser has stored.",
            message.trim_end_matches('.')
        ),
    )
    .offering([WayOn::LoadAgain, WayOn::UseBundled])
}

/// Storage that is not given back.
pub(crate) fn not_deleted(name: &str, message: &str) -> Notice {
    Notice::new(
        format!("{name} could not be deleted"),
        format!(
            "{message}. It is most likely in use, here or in another tab: close that one, or wait until loading is done, and \
             delete it then."
        ),
    )
}

fn in_words(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Vec<FetchFault> {
        let text = || "x".to_owned();
        vec![
            FetchFault::Unreachable { message: text() },
            FetchFault::NotFound,
            FetchFault::Forbidden { status: 401 },
            FetchFault::TooMany { retry_after: Some(7) },
            FetchFault::TooMany { retry_after: None },
            FetchFault::Server { status: 503 },
            FetchFault::Status { status: 302 },
            FetchFault::WebPage,
            FetchFault::WrongRange { expected: text(), got: text() },
            FetchFault::Short { expected: 9, got: 4 },
            FetchFault::Long { expected: 9 },
            FetchFault::Changed,
            FetchFault::Unsized,
        ]
    }

    fn fetch_problem(fault: FetchFault) -> Problem {
        Problem::Fetch { file: "config.json".to_owned(), fault }
    }

    #[test]
    fn each_fault_has_its_own_sentence_and_three_ways_on() {
        let failure = LoadFailure { title: "GPT-2 small".to_owned(), ..LoadFailure::default() };
        let notices: Vec<Notice> = faults()
            .into_iter()
            .map(|fault| load_failed(&fetch_problem(fault), &failure))
            .collect();
        for (place, notice) in notices.iter().enumerate() {
            assert_eq!(notice.ways_on, [WayOn::LoadAgain, WayOn::UseLocalFiles, WayOn::UseBundled]);
            assert!(notices[..place].iter().all(|other| other.title != notice.title));
        }
    }

    #[test]
    fn what_stays_and_that_it_is_offline_is_said() {
        let failure = LoadFailure {
            title: "GPT-2 small".to_owned(),
            in_use: Some("Bundled model".to_owned()),
            is_offline: true,
            ..LoadFailure::default()
        };
        let notice = load_failed(&fetch_problem(FetchFault::NotFound), &failure);
        assert!(notice.what_to_do.contains("offline"), "{}", notice.what_to_do);
        assert!(notice.what_to_do.ends_with("Bundled model stays in use."));
        let bundled = LoadFailure { is_bundled: true, ..failure };
        let notice = load_failed(&fetch_problem(FetchFault::NotFound), &bundled);
        assert!(!notice.ways_on.contains(&WayOn::UseBundled), "it is what failed");
    }

    #[test]
    fn other_weights_are_used_only_on_purpose() {
        let problem = Problem::Digest { expected: "ab".repeat(32), got: "cd".repeat(32) };
        let notice = load_failed(&problem, &LoadFailure::default());
        assert!(notice.ways_on.contains(&WayOn::UseAllTheSame));
        assert!(notice.what_to_do.contains(&"ab".repeat(32)));
        assert!(notice.what_to_do.contains(&"cd".repeat(32)));
        let file = load_failed(&fetch_problem(FetchFault::WebPage), &LoadFailure::default());
        assert!(!file.ways_on.contains(&WayOn::UseAllTheSame));
    }

    #[test]
    fn a_model_without_room_in_memory_is_not_called_a_broken_one() {
        let message = "\"wte.weight\": no memory for 67108864 bytes".to_owned();
        let notice = load_failed(&Problem::Model { message }, &LoadFailure::default());
        assert!(notice.title.contains("not enough memory"), "{}", notice.title);
        assert!(notice.what_to_do.contains("a smaller model"), "{}", notice.what_to_do);
        assert!(notice.ways_on.contains(&WayOn::UseBundled));
    }

    #[test]
    fn forgotten_files_and_other_formats_are_named() {
        let missing = LocalFault::Missing { names: vec![ModelFiles::CONFIG, ModelFiles::WEIGHTS] };
        let title = local_files(&missing).title;
        assert!(title.starts_with("config.json and ") && title.ends_with("are missing"), "{title}");
        let text = LocalFault::NotAModel { names: vec!["hello.txt".to_owned()] };
        assert_eq!(local_files(&text).title, "hello.txt is not a model file");
        let several = LocalFault::NotAModel { names: ["a", "b"].map(str::to_owned).to_vec() };
        assert_eq!(local_files(&several).title, "a and b are not model files");
        let many = LocalFault::NotAModel { names: vec!["a".to_owned(); 17] };
        assert_eq!(local_files(&many).title, "None of these 17 files is a model’s");
        let file = "pytorch_model.bin".to_owned();
        let notice = local_files(&LocalFault::OtherFormat { file });
        assert!(notice.what_to_do.contains("convert it to safe"), "{}", notice.what_to_do);
    }

    #[test]
    fn what_was_chosen_is_said() {
        let words = |paths: &[&str]| {
            chosen(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(words(&["config.json", "a.txt"]), "Chosen: config.json and a.txt.");
        assert_eq!(words(&["top/config.json", "top/b/x"]), "Chosen: top with config.json and x.");
        assert_eq!(words(&["x"; 9]), "Chosen: 9 files.");
        assert_eq!(words(&[]), "Chosen: nothing.");
    }

    #[test]
    fn the_cause_of_damaged_files_is_said_once() {
        let cause = "config.json: expected a JSON object, got an empty file: the download was cut off; download it again";
        let problem = Problem::Model { message: cause.to_owned() };
        let Notice { title, what_to_do, .. } = load_failed(&problem, &LoadFailure::default());
        let all = format!("{title}. {what_to_do}");
        assert_eq!(all.matches("an empty file").count(), 1, "{all}");
        assert_eq!(all.matches("config.json").count(), 1, "{all}");
    }

    #[test]
    fn a_wait_says_for_what_and_how_often() {
        let wait =
            |left| Wait::Retry { seconds: 4, left, fault: FetchFault::Server { status: 503 } };
        assert_eq!(
            waiting(&wait(2), 3, "hub.example"),
            "The server failed (503). hub.example is asked again in 3 s, and 2 more times after that."
        );
        let fault = FetchFault::Unreachable { message: "Failed to fetch".to_owned() };
        let no_answer = Wait::Retry { seconds: 1, left: 1, fault };
        assert_eq!(
            waiting(&no_answer, 1, "hub.example"),
            "No answer (Failed to fetch). hub.example is asked again in 1 s, and once more after that."
        );
        assert!(waiting(&wait(0), 0, "hub.example").ends_with("now, for the last time."));
        assert!(waiting(&Wait::OtherTab, 0, "hub.example").starts_with("Another tab"));
    }
}
