//! Whether a model gives the numbers that were published of it, in words.

use pollster::block_on;
use twinbeam_core::models::{Catalog, CheckedItem, SelfCheck};
use twinbeam_engine::Model;

/// Compares a model that the catalog recognises with what is published of it, and says on the standard error how
/// that went; silent where nothing is published. A difference is no failure: who brings other weights may mean to.
#[expect(clippy::print_stderr, reason = "the standard output is for results")]
pub(crate) fn show(model: &Model) {
    let catalog = Catalog::bundled();
    let Some(entry) = catalog.recognise(model.fingerprint(), model.shape()) else { return };
    let Some(published) = &entry.published else { return };
    eprintln!("Self-check: a model of the sizes of {}, against {}", entry.title, published.source);
    match block_on(twinbeam_engine::self_check(model, published, entry.sha256.as_deref())) {
        Ok(check) => eprint!("{}", describe(&check)),
        Err(error) => eprintln!("Self-check: NOT DONE, {error}"),
    }
}

/// A line for each comparison, and one for all, in the words of the page.
pub fn describe(check: &SelfCheck) -> String {
    let line = |item: &CheckedItem| {
        let verdict = if item.passed { "ok" } else { "DIFFERENT" };
        format!("  {}: expected {}, got {}: {verdict}", item.what, item.expected, item.got)
    };
    let mut lines: Vec<String> = check.items.iter().map(line).collect();
    lines.push(format!("{}\n", check.headline(usize::MAX)));
    lines.join("\n")
}
