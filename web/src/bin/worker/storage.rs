//! What the browser keeps for this page: files of its private file system, open to one at a time.

use js_sys::{Promise, Reflect};
use twinbeam_core::wire::{Event, Wait};
use twinbeam_engine::{Blob, ByteSource, Shelf};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
    StorageManager,
};

use crate::browser::{describe, name, scope, sleep};
use crate::send;

/// Folder of all models.
const MODELS: &str = "models";
/// Seconds between two looks at whether another tab is done.
const LOOK_AGAIN: f64 = 0.5;
/// Looks before the visitor is told: a worker that has just ended holds its files a moment longer.
const QUIET_LOOKS: u32 = 2;

/// A source whose bytes are kept in a folder; where the browser does not want that, in memory.
pub(crate) async fn shelf<R: ByteSource>(remote: R, folder: &str) -> Shelf<R, Stored> {
    match open(folder).await {
        Ok((data, journal)) => Shelf::new(remote, data, journal, js_sys::Date::now() as u64),
        // As in a private window.
        Err(error) if name(&error) == "SecurityError" => {
            let why = format!("this browser refuses private storage here ({})", describe(&error));
            Shelf::in_memory(remote, why)
        }
        Err(error) => Shelf::in_memory(remote, describe(&error)),
    }
}

async fn open(folder: &str) -> Result<(Stored, Stored), JsValue> {
    #[cfg(feature = "faults")]
    crate::faults::on_open()?;
    let navigator = scope().navigator();
    // Over plain http there is none.
    let storage = Reflect::get(&navigator, &JsValue::from_str("storage"))?;
    let storage = storage.dyn_into::<StorageManager>().map_err(|_| missing())?;
    if !Reflect::has(&storage, &JsValue::from_str("getDirectory"))? {
        return Err(missing());
    }
    let root = JsFuture::from(storage.get_directory()).await?.unchecked_into();
    let models = subfolder(&root, MODELS).await?;
    let folder = subfolder(&models, folder).await?;
    // The journal first: who has it has both.
    let journal = Stored::open(&folder, "journal").await?;
    let data = Stored::open(&folder, "data").await?;
    Ok((data, journal))
}

fn missing() -> JsValue {
    js_sys::Error::new("this browser offers no private storage here").into()
}

async fn subfolder(
    parent: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemDirectoryHandle, JsValue> {
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let folder = parent.get_directory_handle_with_options(name, &options);
    Ok(JsFuture::from(folder).await?.unchecked_into())
}

/// An open file, closed when it is dropped.
#[derive(Debug)]
pub(crate) struct Stored(FileSystemSyncAccessHandle);

impl Stored {
    /// Opens a file, and waits for whoever has it.
    async fn open(folder: &FileSystemDirectoryHandle, file: &str) -> Result<Self, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let mut looks = 0;
        loop {
            let entry = JsFuture::from(folder.get_file_handle_with_options(file, &options)).await?;
            let entry: FileSystemFileHandle = entry.unchecked_into();
            match JsFuture::from(create_handle(&entry)?).await {
                Ok(handle) => return Ok(Self(handle.unchecked_into())),
                Err(error) if name(&error) == "NoModificationAllowedError" => {}
                Err(error) => return Err(error),
            }
            looks += 1;
            if looks > QUIET_LOOKS {
                send(&Event::Waiting { wait: Wait::OtherTab });
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Browsers that know files without a handle for workers lack the function, so that it cannot just be called.
fn create_handle(file: &FileSystemFileHandle) -> Result<Promise, JsValue> {
    if Reflect::has(file, &JsValue::from_str("createSyncAccessHandle"))? {
        Ok(file.create_sync_access_handle())
    } else {
        Err(missing())
    }
}

fn at(position: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at_f64(position as f64);
    options
}

impl Blob for Stored {
    fn size(&self) -> Result<u64, String> {
        self.0.get_size().map(|size| size as u64).map_err(|error| describe(&error))
    }

    fn read(&self, position: u64, into: &mut [u8]) -> Result<usize, String> {
        let read = self.0.read_with_u8_array_and_options(into, &at(position));
        read.map(|bytes| bytes as usize).map_err(|error| describe(&error))
    }

    fn write(&self, position: u64, bytes: &[u8]) -> Result<u64, String> {
        #[cfg(feature = "faults")]
        let bytes = match crate::faults::on_write(bytes) {
            crate::faults::Write::All => bytes,
            crate::faults::Write::Part(bytes) => bytes,
            crate::faults::Write::None(outcome) => return outcome,
        };
        let written = self.0.write_with_u8_array_and_options(bytes, &at(position));
        // As it is, even a number that cannot be: the caller compares it.
        written.map(|bytes| bytes as u64).map_err(|error| describe(&error))
    }

    fn truncate(&self, len: u64) -> Result<(), String> {
        self.0.truncate_with_f64(len as f64).map_err(|error| describe(&error))
    }

    fn flush(&self) -> Result<(), String> {
        self.0.flush().map_err(|error| describe(&error))
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.0.close();
    }
}
