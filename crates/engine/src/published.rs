//! Whether a model gives the numbers that were published of it.

use twinbeam_attribution::last_logits;
use twinbeam_core::models::{Published, SelfCheck};

use crate::{Error, Model};

/// Compares a model with what was published of it: its weights, how it reads the prompts, and both logit
/// differences, in the order in which a difference would spread.
///
/// # Errors
/// A device that fails, or a published token that the model does not have.
pub async fn self_check(
    model: &Model,
    published: &Published,
    expected_sha256: Option<&str>,
) -> Result<SelfCheck, Error> {
    let mut check = SelfCheck::default();
    if let Some(expected) = expected_sha256 {
        check.same("sha256 of the weights", expected, model.fingerprint());
    }
    let Published { clean_ids, corrupted_ids, answer_id, wrong_id, .. } = published;
    let print = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    // What cannot be read is another reading, too.
    let read = |text: &str, prepend_bos| match model.words().encode(text, prepend_bos) {
        Ok(ids) => print(&ids),
        Err(error) => error.to_string(),
    };
    if model.words().tokenizer.is_some() {
        for (what, text, ids) in [
            ("tokens of the clean prompt", &published.clean, clean_ids),
            ("tokens of the corrupted prompt", &published.corrupted, corrupted_ids),
        ] {
            check.same(what, &print(ids), &read(text, true));
        }
        for (what, text, id) in [
            ("token of the answer", &published.answer, answer_id),
            ("token of the wrong answer", &published.wrong, wrong_id),
        ] {
            check.same(what, &id.to_string(), &read(text, false));
        }
    }
    for (what, ids, expected) in [
        ("logit difference of the clean run", clean_ids, published.logit_diff_clean),
        ("logit difference of the corrupted run", corrupted_ids, published.logit_diff_corrupted),
    ] {
        let logits = match ids.iter().find(|id| **id as usize >= model.shape().d_vocab) {
            // The tokens above say why.
            Some(_) => Vec::new(),
            None => last_logits(&model.gpt2, ids).await?,
        };
        let logit = |id: u32| logits.get(id as usize).copied().unwrap_or(f64::NAN);
        check.logits(what, expected, logit(*answer_id) - logit(*wrong_id));
    }
    Ok(check)
}
