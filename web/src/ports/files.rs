//! The visitor's own files. The session knows them by a number, since it knows no browser.

use std::cell::RefCell;

use web_sys::File;

use crate::values::Files;

thread_local! {
    /// All that were chosen in this visit. A `File` is a name for something on the disk: it holds no bytes.
    static CHOSEN: RefCell<Vec<Vec<File>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps files that were chosen together.
pub(crate) fn keep(files: Vec<File>) -> Files {
    CHOSEN.with_borrow_mut(|chosen| {
        chosen.push(files);
        Files(chosen.len() as u64 - 1)
    })
}

/// The files of a number.
pub(super) fn of(files: Files) -> Vec<File> {
    CHOSEN.with_borrow(|chosen| chosen.get(files.0 as usize).cloned().unwrap_or_default())
}
