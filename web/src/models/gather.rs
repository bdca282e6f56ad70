//! Files that a visitor chooses or drops, folders included.

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use js_sys::{Array, Promise, Reflect};
use leptos::prelude::*;
use twinbeam_core::models::{CatalogModel, ModelFiles};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    DragEvent, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry,
    HtmlInputElement,
};

use crate::explain;
use crate::ports::keep_files;
use crate::reactive::live;
use crate::session::Visitor;
use crate::state::AppState;

use crate::values::{Spec, pick, title};

/// Files that are looked at; a folder with more is not a model's.
const MOST_FILES: usize = 500;
/// Milliseconds after the last sign of a drag.
const DRAG_MILLIS: u32 = 400;

/// Files with the paths under which they were chosen.
type Chosen = Vec<(String, File)>;

/// What is in a file input.
pub(super) fn of_input(input: &HtmlInputElement) -> Chosen {
    let Some(files) = input.files() else { return Vec::new() };
    (0..files.length())
        .filter_map(|place| files.get(place))
        .map(|file| {
            let path = Reflect::get(&file, &"webkitRelativePath".into()).ok();
            let path = path.and_then(|path| path.as_string()).filter(|path| !path.is_empty());
            (path.unwrap_or_else(|| file.name()), file)
        })
        .collect()
}

/// Loads what was chosen, or says what is missing.
pub(super) fn load(state: AppState, chosen: Chosen) {
    let (paths, files): (Vec<String>, Vec<File>) = chosen.into_iter().unzip();
    let model = match pick(&paths) {
        Ok(places) => {
            let files: Vec<File> =
                places.iter().filter_map(|place| files.get(*place).cloned()).collect();
            let weights = files.iter().find(|file| file.name() == ModelFiles::WEIGHTS);
            let size = weights.map_or(0, |file| file.size() as u64);
            let claimed = state.models.listed.with_untracked(|listed| {
                let of_its_size = |model: &&CatalogModel| model.file_bytes == size;
                listed.as_ref()?.catalog.models.iter().find(of_its_size).cloned()
            });
            let title = title(places.first().map_or("", |place| &paths[*place]));
            Ok(Box::new(Spec::local(title, keep_files(files), claimed.as_ref())))
        }
        Err(fault) => Err(explain::local_files(&fault)),
    };
    state.tell(Visitor::ChooseFiles { words: explain::chosen(&paths), model });
}

/// Takes files and folders that are dropped anywhere on the page.
#[component]
pub(crate) fn DropTarget(state: AppState) -> impl IntoView {
    let dragging = RwSignal::new(false);
    let over = StoredValue::new_local(None::<Timeout>);
    // Without these the browser would open the file in place of the page.
    listen("dragover", move |event| {
        dragging.set(true);
        // No event says for sure that a drag has left: so it has when it is heard of no more.
        over.set_value(Some(Timeout::new(DRAG_MILLIS, move || dragging.set(false))));
        if let Some(data) = event.data_transfer() {
            data.set_drop_effect("copy");
        }
    });
    listen("drop", move |event| {
        dragging.set(false);
        // Later the browser takes them back.
        let (entries, files) = dropped(event);
        spawn_local(async move { load(state, of_entries(entries, files).await) });
    });
    view! {
        <div class="drop-target" hidden=live(move || !dragging.get()) aria-hidden="true">
            <p>"Drop a GPT-2’s folder or files"</p>
        </div>
    }
}

/// Hears of files that are dragged, as long as the page lives; other drags are none of its business.
fn listen(name: &'static str, mut hear: impl FnMut(&DragEvent) + 'static) {
    let options = EventListenerOptions::enable_prevent_default();
    EventListener::new_with_options(&window(), name, options, move |event| {
        let event: &DragEvent = event.unchecked_ref();
        let types = event.data_transfer().map(|data| data.types());
        if types.is_some_and(|types| types.includes(&"Files".into(), 0)) {
            event.prevent_default();
            hear(event);
        }
    })
    .forget();
}

/// What was dropped: entries, which may be folders, and files where the browser makes no entry of them.
fn dropped(event: &DragEvent) -> (Vec<FileSystemEntry>, Chosen) {
    let (mut entries, mut files) = (Vec::new(), Vec::new());
    let Some(items) = event.data_transfer().map(|data| data.items()) else {
        return (entries, files);
    };
    for item in (0..items.length()).filter_map(|place| items.get(place)) {
        if let Ok(Some(entry)) = item.webkit_get_as_entry() {
            entries.push(entry);
        } else if let Ok(Some(file)) = item.get_as_file() {
            files.push((file.name(), file));
        }
    }
    (entries, files)
}

/// The files, and those below the entries.
async fn of_entries(mut waiting: Vec<FileSystemEntry>, mut chosen: Chosen) -> Chosen {
    // What cannot be read is as if it were not there: what is then missing is named.
    while let Some(entry) = waiting.pop() {
        if chosen.len() >= MOST_FILES {
            break;
        }
        if entry.is_directory() {
            waiting.extend(children(entry.unchecked_ref()).await.unwrap_or_default());
        } else if let Ok(file) = file(entry.unchecked_ref()).await {
            chosen.push((entry.full_path().trim_start_matches('/').to_owned(), file));
        }
    }
    chosen
}

async fn children(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    // Each reading gives some of them, the last none.
    loop {
        let some = Promise::new(&mut |keep, refuse| {
            if let Err(error) = reader.read_entries_with_callback_and_callback(&keep, &refuse) {
                refuse.call1(&JsValue::NULL, &error).ok();
            }
        });
        let some: Array = JsFuture::from(some).await?.unchecked_into();
        if some.length() == 0 || all.len() >= MOST_FILES {
            return Ok(all);
        }
        all.extend(some.iter().map(JsValue::unchecked_into::<FileSystemEntry>));
    }
}

async fn file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let file = Promise::new(&mut |keep, refuse| {
        entry.file_with_callback_and_callback(&keep, &refuse);
    });
    JsFuture::from(file).await.map(JsValue::unchecked_into)
}
