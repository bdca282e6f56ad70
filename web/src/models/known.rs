//! What is known of the model on the screen: heads with a studied role, and numbers that were published.

use leptos::prelude::*;
use twinbeam_core::models::{Catalog, CatalogModel, KnownHeads, Published};
use twinbeam_core::words::{Experiment, Metric, parse_ids};

use crate::reactive::memo;
use crate::state::AppState;
use crate::values::{LOCAL, Loaded};

/// Digits of a digest that a link carries at least; fewer say nothing.
const DIGITS: usize = 16;

/// The entry of the list that a model is, by its name and by its weights: what is known of one is not
/// said of another.
fn recognised<'a>(catalog: &'a Catalog, model: &Loaded) -> Option<&'a CatalogModel> {
    let digest = model.fingerprint.as_str();
    if digest.len() < DIGITS {
        return None;
    }
    let is_it = |listed: &&CatalogModel| {
        let has_its_weights = listed.sha256.as_ref().is_some_and(|all| all.starts_with(digest));
        has_its_weights && [listed.id.as_str(), LOCAL].contains(&model.identity.id.as_str())
    };
    catalog.models.iter().find(is_it)
}

/// Heads with a known role in the model that the maps are of.
pub(crate) fn heads(state: AppState) -> Option<KnownHeads> {
    let of = |model: &Loaded| {
        state
            .models
            .listed
            .with(|listed| recognised(&listed.as_ref()?.catalog, model)?.known_heads.clone())
    };
    let shown = state.committed.with(|committed| committed.as_ref().map(|c| of(&c.model)));
    shown.unwrap_or_else(|| state.loaded.with(|loaded| of(loaded.as_ref()?)))
}

/// What was published of the figure on the screen, if it is of the pair that somebody published.
pub(super) fn published(state: AppState) -> Option<Published> {
    state.committed.with(|committed| {
        let committed = committed.as_ref()?;
        state.models.listed.with(|listed| {
            let model = recognised(&listed.as_ref()?.catalog, &committed.model)?;
            let published = model.published.as_ref()?;
            is_of(published, &committed.experiment).then(|| published.clone())
        })
    })
}

fn is_of(published: &Published, experiment: &Experiment) -> bool {
    let is_ids = |text: &str, ids: &[u32]| parse_ids(text).is_ok_and(|typed| typed == ids);
    let is_id = |texts: &[String], id: u32| matches!(texts, [text] if is_ids(text, &[id]));
    let Experiment { clean, corrupted, answer, wrong, written, .. } = experiment;
    let (asks_it, answers_it) = (
        if written.prompts_are_ids() {
            is_ids(clean, &published.clean_ids) && is_ids(corrupted, &published.corrupted_ids)
        } else {
            *clean == published.clean && *corrupted == published.corrupted && experiment.prepend_bos
        },
        if written.answers_are_ids() {
            is_id(answer, published.answer_id) && is_id(wrong, published.wrong_id)
        } else {
            *answer == [published.answer.as_str()] && *wrong == [published.wrong.as_str()]
        },
    );
    asks_it && answers_it && experiment.metric == Metric::LogitDiff
}

/// A class in a corner of a cell: the first letters of its first two words, or of its only one.
pub(crate) fn code(class: &str) -> String {
    let words: Vec<&str> = class.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let letters: String = match words.as_slice() {
        [word] => word.chars().take(2).collect(),
        words => words.iter().filter_map(|word| word.chars().next()).take(2).collect(),
    };
    letters.to_uppercase()
}

/// What the letters say, and what they do not.
fn legend(task: &str, source: &str) -> String {
    // It stands in parentheses itself.
    let source = source.replace(['(', ')'], "");
    format!(
        "Known roles in {task} ({source}), whatever the prompts here ask, and no claim that these heads should score high: "
    )
}

/// What the letters in the cells' corners mean.
#[component]
pub(crate) fn KnownLegend(state: AppState) -> impl IntoView {
    let known = memo(move || heads(state));
    let classes = |known: &KnownHeads| {
        let mut classes: Vec<String> = Vec::new();
        for head in &known.heads {
            if !classes.contains(&head.class) {
                classes.push(head.class.clone());
            }
        }
        classes
    };
    move || {
        known.get().map(|known| {
            let classes = classes(&known).into_iter().map(|class| {
                view! { <span class="known-class"><b>{code(&class)}</b> " " {class}</span> }
            });
            view! {
                <p class="known-legend hint" data-testid="known-legend">
                    {legend(&known.task, &known.source)}
                    {classes.collect_view()}
                </p>
            }
            .into_any()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::{Identity, committed};
    use twinbeam_core::words::Written;

    fn model(id: &str, fingerprint: &str) -> Loaded {
        let identity = Identity::named(id);
        Loaded { identity, fingerprint: fingerprint.to_owned(), ..committed().model }
    }

    #[test]
    fn only_the_right_weights_under_the_right_name_are_known() {
        let catalog = Catalog::bundled();
        let digest = catalog.find("gpt2").and_then(|small| small.sha256.clone()).unwrap();
        let id_of = |id, digest: &str| {
            recognised(&catalog, &model(id, digest)).map(|model| model.id.as_str())
        };
        assert_eq!(id_of("gpt2", &digest), Some("gpt2"));
        assert_eq!(id_of("gpt2", &digest[..16]), Some("gpt2"), "a link carries the beginning");
        assert_eq!(id_of(LOCAL, &digest), Some("gpt2"));
        assert_eq!(id_of("mini", &digest), None);
        assert_eq!(id_of("gpt2", &"ab".repeat(32)), None);
        assert_eq!(id_of("gpt2", ""), None);
    }

    #[test]
    fn the_default_example_is_the_published_pair() {
        let catalog = Catalog::bundled();
        let published = catalog.find("gpt2").and_then(|small| small.published.clone()).unwrap();
        let default = Experiment::default();
        assert!(is_of(&published, &default));
        assert!(!is_of(&published, &Experiment { prepend_bos: false, ..default.clone() }));
        assert!(!is_of(&published, &Experiment { metric: Metric::Kl, ..default.clone() }));
        let print = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        let in_ids = Experiment {
            clean: print(&published.clean_ids),
            corrupted: print(&published.corrupted_ids),
            answer: vec![published.answer_id.to_string()],
            wrong: vec![published.wrong_id.to_string()],
            written: Written::Ids,
            prepend_bos: false,
            ..default
        };
        assert!(is_of(&published, &in_ids));
        assert!(!is_of(&published, &Experiment { written: Written::Text, ..in_ids }));
    }

    #[test]
    fn classes_have_different_codes() {
        let catalog = Catalog::bundled();
        let known = catalog.find("gpt2").and_then(|small| small.known_heads.clone()).unwrap();
        for one in &known.heads {
            for other in &known.heads {
                assert_eq!(one.class == other.class, code(&one.class) == code(&other.class));
            }
        }
        let mut codes: Vec<String> = known.heads.iter().map(|head| code(&head.class)).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes, ["BN", "DT", "IN", "NM", "NN", "PT", "SI"]);
    }

    #[test]
    fn a_legend_has_no_parentheses_in_parentheses() {
        assert_eq!(
            legend("Induction", "Wang et al. (2022), arXiv 2211.00593"),
            "Known roles in Induction (Wang et al. 2022, arXiv 2211.00593), whatever the prompts here ask, and no claim that \
             these heads should score high: "
        );
    }
}
