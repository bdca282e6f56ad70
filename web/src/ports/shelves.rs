//! What the browser's storage holds of models: a folder for each, with its bytes and a journal of them.

use js_sys::{AsyncIterator, IteratorNext, Promise, Reflect};
use leptos::prelude::*;
use twinbeam_core::models::Journal;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemRemoveOptions,
    StorageEstimate, StorageManager,
};

use crate::session::Msg;
use crate::values::{Shelf, Shelves, Space};

/// Where the worker keeps models.
const FOLDER: &str = "models";
const JOURNAL: &str = "journal";

/// Looks at what is kept.
pub(crate) async fn look() -> Msg {
    let shelves = match root().await {
        Ok(root) => Shelves::Read(read(&root).await),
        Err(_absent) => Shelves::Absent,
    };
    Msg::Kept { shelves, space: space().await }
}

/// Deletes a folder.
///
/// # Errors
/// Somebody has it open, or it is gone already.
pub(crate) async fn delete(name: &str) -> Result<(), JsValue> {
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
