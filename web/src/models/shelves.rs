//! What the browser's storage holds of models: a folder for each, with its bytes and a journal of them.

use js_sys::{AsyncIterator, IteratorNext, Promise, Reflect};
use leptos::prelude::*;
use twinbeam_core::models::{Completion, Journal};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemRemoveOptions,
    StorageEstimate, StorageManager,
};

use crate::state::AppState;

/// Where the worker keeps models.
const FOLDER: &str = "models";
const JOURNAL: &str = "journal";

/// What is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Shelves {
    /// Not looked at yet.
    #[default]
    Unread,
    /// The browser keeps no files for this page.
    Absent,
    Read(Vec<Shelf>),
}

/// One folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// `None`: in part.
    pub(crate) complete: Option<Completion>,
}

/// Whether a model is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stock {
    Whole,
    InPart { bytes: u64 },
    Not,
}

impl Stock {
    /// Bytes of a model that is not whole.
    pub(crate) const fn in_part(self) -> u64 {
        match self {
            Self::InPart { bytes } => bytes,
            Self::Whole | Self::Not => 0,
        }
    }
}

/// Bytes in the browser's storage for this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) used: u64,
    pub(crate) quota: u64,
}

impl Space {
    pub(crate) const fn free(self) -> u64 {
        self.quota.saturating_sub(self.used)
    }
}

impl Shelf {
    /// Whether anything has arrived in it.
    const fn holds_something(&self) -> bool {
        self.bytes > 0 || self.complete.is_some()
    }
}

impl Shelves {
    /// How much of a folder's model is kept.
    pub(crate) fn stock(&self, name: &str) -> Stock {
        let Self::Read(shelves) = self else { return Stock::Not };
        match shelves.iter().find(|shelf| shelf.name == name) {
            Some(Shelf { complete: Some(_), .. }) => Stock::Whole,
            Some(Shelf { bytes, .. }) if *bytes > 0 => Stock::InPart { bytes: *bytes },
            _ => Stock::Not,
        }
    }

    /// Bytes of all folders.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Read(shelves) => shelves.iter().map(|shelf| shelf.bytes).sum(),
            Self::Unread | Self::Absent => 0,
        }
    }
}

/// Looks again at what is kept.
pub(crate) async fn refresh(state: AppState) {
    let shelves = match root().await {
        Ok(root) => Shelves::Read(read(&root).await),
        Err(_absent) => Shelves::Absent,
    };
    if state.models.shelves.with_untracked(|before| *before != shelves) {
        state.models.shelves.set(shelves);
    }
    state.models.space.set(space().await);
}

/// Deletes a folder.
///
/// # Errors
/// Somebody has it open, or it is gone already.
pub(super) async fn delete(name: &str) -> Result<(), JsValue> {
    let models: FileSystemDirectoryHandle =
        wait(root().await?.get_directory_handle(FOLDER)).await?.unchecked_into();
    let options = FileSystemRemoveOptions::new();
    options.set_recursive(true);
    wait(models.remove_entry_with_options(name, &options)).await.map(drop)
}

/// Asks the browser not to clear the storage when room is short; it may say no.
pub(crate) fn ask_to_persist() {
    if let Some(Ok(asked)) = manager().map(|manager| manager.persist()) {
        wasm_bindgen_futures::spawn_local(async move {
            wait(asked).await.ok();
        });
    }
}

/// The browser's storage. Pages that are not served safely have none.
fn manager() -> Option<StorageManager> {
    let manager = Reflect::get(&window().navigator(), &"storage".into()).ok()?;
    manager.is_object().then(|| manager.unchecked_into())
}

async fn space() -> Option<Space> {
    let estimate = wait(manager()?.estimate().ok()?).await.ok()?;
    let estimate: StorageEstimate = estimate.unchecked_into();
    Some(Space { used: estimate.get_usage()? as u64, quota: estimate.get_quota()? as u64 })
}

async fn root() -> Result<FileSystemDirectoryHandle, JsValue> {
    let manager = manager().ok_or(JsValue::NULL)?;
    if !Reflect::has(&manager, &"getDirectory".into())? {
        return Err(JsValue::NULL);
    }
    wait(manager.get_directory()).await.map(JsValue::unchecked_into)
}

/// The folders of models, those of this page's making and any others.
async fn read(root: &FileSystemDirectoryHandle) -> Vec<Shelf> {
    let Ok(models) = wait(root.get_directory_handle(FOLDER)).await else {
        return Vec::new();
    };
    let mut shelves = Vec::new();
    for entry in entries(models.unchecked_ref()).await {
        if kind(&entry) == "directory" {
            shelves.push(shelf(entry.unchecked_ref()).await);
        }
    }
    shelves.retain(Shelf::holds_something);
    shelves.sort_by(|one, other| one.name.cmp(&other.name));
    shelves
}

async fn shelf(folder: &FileSystemDirectoryHandle) -> Shelf {
    let (mut in_files, mut journal) = (0, Journal::default());
    for entry in entries(folder).await {
        if kind(&entry) != "file" {
            continue;
        }
        let handle: &FileSystemFileHandle = entry.unchecked_ref();
        // What cannot be read, for instance since it is being written, counts as nothing.
        let Ok(file) = wait(handle.get_file()).await else { continue };
        let file: File = file.unchecked_into();
        in_files += file.size() as u64;
        if handle.name() == JOURNAL
            && let Ok(text) = wait(file.text()).await
        {
            (journal, _) = Journal::read(text.as_string().unwrap_or_default().as_bytes());
        }
    }
    let bytes = if journal.pieces.is_empty() { in_files } else { journal.bytes() };
    Shelf { name: folder.name(), bytes, complete: journal.complete }
}

async fn entries(folder: &FileSystemDirectoryHandle) -> Vec<JsValue> {
    let values: AsyncIterator = folder.values();
    let mut entries = Vec::new();
    while let Ok(next) = values.next() {
        let Ok(next) = wait(next).await else { break };
        let next: IteratorNext = next.unchecked_into();
        if next.done() {
            break;
        }
        entries.push(next.value());
    }
    entries
}

fn kind(entry: &JsValue) -> String {
    Reflect::get(entry, &"kind".into()).ok().and_then(|kind| kind.as_string()).unwrap_or_default()
}

async fn wait(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_in_part_and_missing_is_told_apart() {
        let complete = Completion { sha256: String::new(), millis: 0, as_expected: None };
        let shelf = |name: &str, bytes, complete| Shelf { name: name.to_owned(), bytes, complete };
        let shelves = Shelves::Read(vec![
            shelf("a", 9, Some(complete)),
            shelf("b", 5, None),
            shelf("c", 0, None),
        ]);
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| shelves.stock(name)),
            [Stock::Whole, Stock::InPart { bytes: 5 }, Stock::Not, Stock::Not]
        );
        let Shelves::Read(all) = &shelves else { panic!("they were read") };
        let held: Vec<bool> = all.iter().map(Shelf::holds_something).collect();
        assert_eq!(held, [true, true, false], "an empty folder is not listed");
        assert_eq!((shelves.bytes(), Shelves::Absent.stock("a")), (14, Stock::Not));
    }
}
