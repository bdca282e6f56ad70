//! What the browser keeps of a model between two visits: every range that was read, with its digest.
//!
//! Bytes are written first and the journal's line about them afterwards, so that whatever is cut off is
//! fetched again, and nothing is believed that was not written.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use sha2::{Digest as _, Sha256};
use twinbeam_core::models::{Completion, Entry, Journal, Piece};
use twinbeam_core::wire::Kept;

use crate::{ByteSource, Downloads, Keeper, SourceError};

/// A file that can be written anywhere: in the browser one of its private file system.
pub trait Blob {
    /// Size of the file in bytes.
    ///
    /// # Errors
    /// What the system said.
    fn size(&self) -> Result<u64, String>;

    /// Fills a buffer with the bytes from a position on, and returns how many there were.
    ///
    /// # Errors
    /// What the system said.
    fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, String>;

    /// Writes bytes at a position, and returns how many the system says it has written. Where space has run out some
    /// browsers write less, and some say a number that cannot be.
    ///
    /// # Errors
    /// What the system said.
    fn write(&self, at: u64, bytes: &[u8]) -> Result<u64, String>;

    /// Cuts the file to a size in bytes.
    ///
    /// # Errors
    /// What the system said.
    fn truncate(&self, len: u64) -> Result<(), String>;

    /// Makes what was written last.
    ///
    /// # Errors
    /// What the system said.
    fn flush(&self) -> Result<(), String>;
}

/// Longest journal that is read: 200 bytes for each piece of the largest GPT-2 are less.
const MAX_JOURNAL: u64 = 4 << 20;

/// Another source whose bytes are kept as they are read, and read from where they are kept.
#[derive(Debug)]
pub struct Shelf<R, B> {
    remote: R,
    store: RefCell<Option<Store<B>>>,
    /// Why nothing is kept any more.
    refused: RefCell<Option<String>>,
    healed: Cell<u64>,
    /// The moment of this visit, in milliseconds since 1970.
    now: u64,
    /// Files that are not there. They are worth remembering of a whole model only: a server may be mended.
    missing: RefCell<Vec<String>>,
}

#[derive(Debug)]
struct Store<B> {
    data: B,
    lines: B,
    /// End of the journal's last whole line.
    lines_end: u64,
    journal: Journal,
}

impl<B: Blob> Store<B> {
    fn open(data: B, lines: B) -> Result<Self, String> {
        let len = lines.size()?.min(MAX_JOURNAL);
        let mut text = vec![0; len as usize];
        let got = lines.read(0, &mut text)?;
        let (journal, taken) = Journal::read(text.get(..got).unwrap_or_default());
        // What an interrupted write has left behind the last whole line goes.
        lines.truncate(taken as u64)?;
        Ok(Self { data, lines, lines_end: taken as u64, journal })
    }

    /// Writes an entry behind the last one.
    fn note(&mut self, entry: Entry) -> Result<(), String> {
        let line = entry.line();
        write_all(&self.lines, self.lines_end, line.as_bytes())?;
        self.lines.flush()?;
        self.lines_end += line.len() as u64;
        self.journal.add(entry);
        Ok(())
    }

    fn keep(&mut self, file: &str, range: &Range<u64>, bytes: &[u8]) -> Result<(), String> {
        let at = self.journal.end;
        write_all(&self.data, at, bytes)?;
        self.data.flush()?;
        let (file, sha256) = (file.to_owned(), sha256(bytes));
        self.note(Entry::Piece(Piece { file, start: range.start, end: range.end, at, sha256 }))
    }

    /// The bytes of a piece, if they are all there.
    fn bytes(&self, piece: &Piece) -> Option<Vec<u8>> {
        let mut bytes = vec![0; (piece.end - piece.start) as usize];
        let got = self.data.read(piece.at, &mut bytes).ok()?;
        (got == bytes.len()).then_some(bytes)
    }
}

fn write_all<B: Blob>(blob: &B, at: u64, bytes: &[u8]) -> Result<(), String> {
    // At the quota some browsers write a part, and some say a number that cannot be.
    match blob.write(at, bytes)? {
        written if written == bytes.len() as u64 => Ok(()),
        _ => Err("the browser has no room for more of it".to_owned()),
    }
}

fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Bytes as digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl<R: ByteSource, B: Blob> Shelf<R, B> {
    /// Keeps what is read of `remote` in two files: the bytes, and the journal that says what they are and
    /// that it was `now`, in milliseconds since 1970.
    pub fn new(remote: R, data: B, journal: B, now: u64) -> Self {
        Self::with_store(remote, Store::open(data, journal), now)
    }

    /// Keeps nothing, since the browser does not want to.
    pub fn in_memory(remote: R, reason: impl Into<String>) -> Self {
        Self::with_store(remote, Err(reason.into()), 0)
    }

    fn with_store(remote: R, store: Result<Store<B>, String>, now: u64) -> Self {
        Self {
            remote,
            refused: RefCell::new(store.as_ref().err().cloned()),
            store: RefCell::new(store.ok()),
            healed: Cell::new(0),
            now,
            missing: RefCell::default(),
        }
    }

    /// Does something with the store; where that fails, nothing is kept from now on.
    fn with<V>(&self, act: impl FnOnce(&mut Store<B>) -> Result<V, String>) -> Option<V> {
        let mut store = self.store.borrow_mut();
        match act(store.as_mut()?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.refused.replace(Some(reason));
                *store = None;
                None
            }
        }
    }

    /// A piece that is kept.
    fn look_up(&self, file: &str, range: &Range<u64>) -> Option<Vec<u8>> {
        let store = self.store.borrow();
        let store = store.as_ref()?;
        store.bytes(store.journal.piece(file, range.start, range.end)?)
    }

    /// A file's size, if an earlier visit has asked for it.
    fn known_size(&self, file: &str) -> Option<u64> {
        self.store.borrow().as_ref()?.journal.sizes.get(file).copied()
    }

    fn is_absent(&self, file: &str) -> bool {
        let store = self.store.borrow();
        store.as_ref().is_some_and(|store| store.journal.absent.iter().any(|name| name == file))
    }

    /// Remembers a file that is not there.
    fn miss(&self, file: &str, error: &SourceError) {
        if *error == SourceError::NotFound {
            self.missing.borrow_mut().push(file.to_owned());
        }
    }

    fn note(&self, entry: Entry) {
        self.with(|store| store.note(entry));
    }
}

impl<R: ByteSource, B: Blob> ByteSource for Shelf<R, B> {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        if let Some(size) = self.known_size(file) {
            return Ok(size);
        }
        if self.is_absent(file) {
            return Err(SourceError::NotFound);
        }
        let bytes = self.remote.size(file).await.inspect_err(|error| self.miss(file, error))?;
        self.note(Entry::Size { file: file.to_owned(), bytes });
        Ok(bytes)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        if let Some(bytes) = self.look_up(file, &range) {
            return Ok(bytes);
        }
        let bytes = self.remote.read(file, range.clone()).await?;
        self.with(|store| store.keep(file, &range, &bytes));
        Ok(bytes)
    }

    async fn read_all(&self, file: &str, most: u64) -> Result<Vec<u8>, SourceError> {
        if self.is_absent(file) {
            return Err(SourceError::NotFound);
        }
        if let Some(size) = self.known_size(file)
            && size <= most
            && let Some(bytes) = self.look_up(file, &(0..size))
        {
            return Ok(bytes);
        }
        let read = self.remote.read_all(file, most).await;
        let bytes = read.inspect_err(|error| self.miss(file, error))?;
        let size = bytes.len() as u64;
        self.note(Entry::Size { file: file.to_owned(), bytes: size });
        self.with(|store| store.keep(file, &(0..size), &bytes));
        Ok(bytes)
    }

    fn downloads(&self) -> Option<&dyn Downloads> {
        self.remote.downloads().map(|_| self as &dyn Downloads)
    }

    fn keeper(&self) -> Option<&dyn Keeper> {
        Some(self)
    }
}

/// What is not kept comes over the network of the other source.
impl<R: ByteSource, B: Blob> Downloads for Shelf<R, B> {
    fn announce(&self, file: &str, ranges: &[Range<u64>]) {
        let Some(downloads) = self.remote.downloads() else { return };
        let missing = {
            let store = self.store.borrow();
            let is_kept = |range: &Range<u64>| {
                let store = store.as_ref();
                store.is_some_and(|s| s.journal.piece(file, range.start, range.end).is_some())
            };
            ranges.iter().filter(|range| !is_kept(range)).cloned().collect::<Vec<_>>()
        };
        downloads.announce(file, &missing);
    }

    fn fetched(&self) -> u64 {
        self.remote.downloads().map_or(0, Downloads::fetched)
    }
}

impl<R: ByteSource, B: Blob> Keeper for Shelf<R, B> {
    /// A model that is kept whole is complete: what was not asked for then is not asked for later, when perhaps nobody
    /// is there to answer.
    fn may_have(&self, file: &str) -> bool {
        self.completed().is_none() || self.known_size(file).is_some()
    }

    fn kept(&self) -> Kept {
        match &*self.refused.borrow() {
            Some(reason) => Kept::Memory { reason: reason.clone() },
            None => Kept::Stored { fetched: self.fetched(), healed: self.healed.get() },
        }
    }

    fn completed(&self) -> Option<Completion> {
        self.store.borrow().as_ref()?.journal.complete.clone()
    }

    fn complete(&self, sha256: &str, as_expected: Option<bool>) {
        let sha256 = sha256.to_owned();
        let is_known =
            |before: &Completion| before.sha256 == sha256 && before.as_expected == as_expected;
        if !self.completed().as_ref().is_some_and(is_known) {
            let completion = Completion { sha256, millis: self.now, as_expected };
            for file in self.missing.take() {
                self.note(Entry::Absent { file });
            }
            self.note(Entry::Complete(completion));
        }
    }

    fn heal(&self) -> bool {
        let damaged = self.with(|store| {
            let is_damaged = |piece: &&Piece| {
                store.bytes(piece).is_none_or(|bytes| sha256(&bytes) != piece.sha256)
            };
            let pieces = store.journal.pieces.values();
            let damaged: Vec<_> =
                pieces.filter(is_damaged).map(|piece| (piece.file.clone(), piece.start)).collect();
            let n_damaged = damaged.len() as u64;
            for (file, start) in damaged {
                store.note(Entry::Dropped { file, start })?;
            }
            Ok(n_damaged)
        });
        self.healed.set(self.healed.get() + damaged.unwrap_or(0));
        damaged.is_some_and(|damaged| damaged > 0)
    }

    fn discard(&self) -> bool {
        let before = self.with(|store| {
            let bytes = store.journal.bytes();
            store.lines.truncate(0)?;
            store.lines.flush()?;
            store.data.truncate(0)?;
            store.lines_end = 0;
            store.journal = Journal::default();
            Ok(bytes)
        });
        before.is_some_and(|bytes| bytes > 0)
    }
}
