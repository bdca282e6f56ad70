//! Files on a server, read by ranges: what is asked for, what is believed of the answer, and when it is
//! asked again.
//!
//! Any static host will do. One without ranges, or with ranges that cannot be used (of packed bytes, of
//! another place, of a few bytes each), is asked for the whole file, which is then read as it comes. Where the
//! answer does not say how long it is, or says it of packed bytes, the header of the weights does.

mod first_bytes;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use twinbeam_core::wire::{FetchFault, Wait};

use self::first_bytes::{Claim, LOOK, claim, is_page};
use crate::source::at_most;
use crate::{ByteSource, Downloads, SourceError};

/// The way to a server, as a browser or a test has it.
pub trait Transport {
    /// The body of an answer.
    type Body: Body;

    /// Asks for a file, or for a range of it by one `Range` header, and waits for the answer's headers.
    /// Redirects are followed, and what comes packed is unpacked.
    ///
    /// # Errors
    /// [`FetchFault::Unreachable`] where there is no answer.
    fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Answer<Self::Body>, FetchFault>>;

    /// Waits for some seconds.
    fn sleep(&self, seconds: f64) -> impl Future<Output = ()>;

    /// A random number from 0 to 1, so that many visitors do not ask again at the same moment.
    fn random(&self) -> f64;

    /// Tells the visitor what is waited for.
    fn waiting(&self, wait: Wait);
}

/// An answer's headers, and the body that follows.
#[derive(Debug)]
pub struct Answer<B> {
    /// Status code.
    pub status: u16,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Length`, where it is seen whether that is of packed bytes.
    pub content_length: Option<u64>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// The body.
    pub body: B,
}

/// A body that arrives in pieces; dropping it ends the transfer.
pub trait Body {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`FetchFault::Unreachable`] where the connection breaks.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, FetchFault>>;
}

/// How often a file is asked for again after nothing came of it.
const RETRIES: u32 = 5;
/// How often a file is asked for in all, where the same comes of it every time.
const SAME: u32 = 3;
/// Seconds before the first retry; each later one waits twice as long.
const FIRST_WAIT: f64 = 0.5;
/// Seconds of patience above which a server is taken at its word: the visitor decides.
const MAX_RETRY_AFTER: u32 = 120;
/// Largest file that is taken although nobody says how long it is: it is held whole.
const MAX_UNSIZED: u64 = 64 << 20;
/// First bytes of a file that are asked for to learn its size, and kept: the header of a GPT-2 is in it.
const HEAD: u64 = 64 * 1024;
/// A server may send less than the range that it was asked for. One that sends less than this at a time is
/// asked for the whole file.
const SCANT: u64 = 16 * 1024;

/// Files below an address.
///
/// At most one transfer runs at a time. It goes on from read to read for as long as the reads follow one
/// another, so that few large ranges are asked for; what breaks is asked for again from where it broke.
#[derive(Debug)]
pub struct Remote<T: Transport> {
    transport: T,
    base: String,
    /// Whether a file is first asked for without a range.
    is_whole_first: bool,
    heads: RefCell<BTreeMap<String, Head>>,
    /// Files of which ranges have come as they were asked for (`true`), or cannot be used (`false`).
    has_ranges: RefCell<BTreeMap<String, bool>>,
    /// Whether there was no answer to a range in the middle of a file, and none has come yet.
    is_doubted: Cell<bool>,
    announced: RefCell<Vec<Range<u64>>>,
    open: RefCell<Option<Stream<T::Body>>>,
    fetched: Cell<u64>,
    /// Bytes of reads that go on where they broke.
    progress: Cell<u64>,
}

/// A file's size and its first bytes.
#[derive(Debug)]
struct Head {
    size: u64,
    bytes: Vec<u8>,
}

/// A running transfer.
#[derive(Debug)]
struct Stream<B> {
    file: String,
    /// Whether the transfer is of the whole file, from a server whose ranges are not used.
    is_whole: bool,
    /// Position in the file at which the transfer began.
    begun: u64,
    /// Position in the file of what comes next.
    at: u64,
    /// Position in the file at which the transfer ends; `None`: nobody says.
    end: Option<u64>,
    body: B,
    /// What has come and was not wanted yet.
    rest: Vec<u8>,
}

impl<B> Stream<B> {
    /// Whether a position of a file is what comes next, or comes after bytes that cost less than another
    /// request: a server without ranges would send them again.
    fn leads_to(&self, file: &str, at: u64) -> bool {
        let is_ahead = self.at == at || (self.is_whole && self.at < at);
        self.file == file && is_ahead && self.end.is_none_or(|end| at < end)
    }

    /// Bytes that were promised, or the least that there must be.
    fn promised(&self, least: u64) -> u64 {
        self.end.unwrap_or(least) - self.begun
    }

    fn is_too_long(&self) -> bool {
        self.end.is_some_and(|end| self.at + self.rest.len() as u64 > end)
    }
}

/// The beginning of a transfer, and the size of its file where the server says it.
struct Asked<B> {
    size: Option<u64>,
    stream: Stream<B>,
}

impl<T: Transport> Remote<T> {
    /// Files below an address, which ends in `/`.
    pub fn new(transport: T, base: String) -> Self {
        Self {
            transport,
            base,
            is_whole_first: false,
            heads: RefCell::default(),
            has_ranges: RefCell::default(),
            is_doubted: Cell::new(false),
            announced: RefCell::default(),
            open: RefCell::new(None),
            fetched: Cell::new(0),
            progress: Cell::new(0),
        }
    }

    /// This remote for small files: each is asked for whole first, which every server knows, and may come packed.
    #[must_use]
    pub fn whole_first(self) -> Self {
        Self { is_whole_first: true, ..self }
    }

    /// A file's size, asked for once.
    async fn head(&self, file: &str) -> Result<u64, SourceError> {
        if let Some(size) = self.known_size(file) {
            return Ok(size);
        }
        let head = self.again(async || self.ask_head(file).await).await?;
        let size = head.size;
        self.heads.borrow_mut().insert(file.to_owned(), head);
        Ok(size)
    }

    fn known_size(&self, file: &str) -> Option<u64> {
        self.heads.borrow().get(file).map(|head| head.size)
    }

    async fn ask_head(&self, file: &str) -> Result<Head, FetchFault> {
        self.open.replace(None);
        let range = (!self.is_whole_first).then_some(0..HEAD);
        let Asked { size, mut stream } = self.ask(file, range.clone()).await?;
        let mut bytes = Vec::new();
        if let Some(size) = size {
            let n = HEAD.min(stream.end.unwrap_or(size));
            self.take(&mut stream, &mut bytes, n).await?;
            self.keep(stream).await?;
            return Ok(Head { size, bytes });
        }
        if let Some(end) = stream.end {
            // A range of a file of which the server does not say how long it is.
            self.take(&mut stream, &mut bytes, end).await?;
            match claim(file, &bytes) {
                Claim::Bytes(size) if size >= end => {
                    self.keep(stream).await?;
                    return Ok(Head { size, bytes });
                }
                _ => self.note_ranges(file, false),
            }
            bytes.clear();
            stream = self.ask(file, range).await?.stream;
        }
        let size = match stream.end {
            Some(size) => {
                self.take(&mut stream, &mut bytes, HEAD.min(size)).await?;
                size
            }
            None => self.measure(&mut stream, &mut bytes).await?,
        };
        self.keep(stream).await?;
        Ok(Head { size, bytes })
    }

    /// The length of a file that nobody tells: by what its header says, or by reading it to its end.
    async fn measure(
        &self,
        stream: &mut Stream<T::Body>,
        bytes: &mut Vec<u8>,
    ) -> Result<u64, FetchFault> {
        let mut wanted = HEAD;
        let size = loop {
            let is_there = self.take(stream, bytes, wanted).await?;
            let got = bytes.len() as u64;
            match (claim(&stream.file, bytes), is_there) {
                (Claim::Needs(expected) | Claim::Bytes(expected), false) if got < expected => {
                    return Err(FetchFault::Short { expected, got });
                }
                (Claim::Bytes(size), _) => break size,
                (_, false) => break got,
                (Claim::Needs(more), true) => wanted = more,
                (Claim::Nothing, true) if got <= MAX_UNSIZED => wanted = MAX_UNSIZED + 1,
                (Claim::Nothing, true) => return Err(FetchFault::Unsized),
            }
        };
        stream.end = Some(size);
        if stream.is_too_long() { Err(FetchFault::Long { expected: size }) } else { Ok(size) }
    }

    /// The next piece of a body, counted.
    async fn next(&self, body: &mut T::Body) -> Result<Option<Vec<u8>>, FetchFault> {
        let chunk = body.next().await?;
        self.fetched.set(self.fetched.get() + chunk.as_ref().map_or(0, Vec::len) as u64);
        Ok(chunk)
    }

    /// A whole body; of one that is longer than `most` bytes its beginning, which is longer, too.
    async fn collect(&self, mut body: T::Body, most: u64) -> Result<Vec<u8>, FetchFault> {
        let mut bytes = Vec::new();
        while bytes.len() as u64 <= most
            && let Some(chunk) = self.next(&mut body).await?
        {
            bytes.extend(chunk);
        }
        Ok(bytes)
    }

    /// Sends a request, and judges the status of its answer.
    async fn get(
        &self,
        file: &str,
        range: Option<Range<u64>>,
    ) -> Result<Answer<T::Body>, FetchFault> {
        let has_range = range.is_some();
        let answer = self.transport.get(&format!("{}{file}", self.base), range).await?;
        let status = answer.status;
        match status {
            200 => Ok(answer),
            206 | 416 if has_range => Ok(answer),
            404 | 410 => Err(FetchFault::NotFound),
            401 | 403 => Err(FetchFault::Forbidden { status }),
            429 => Err(FetchFault::TooMany { retry_after: answer.retry_after }),
            500.. => Err(FetchFault::Server { status }),
            _ => Err(FetchFault::Status { status }),
        }
    }

    /// Asks for a range, whose end may lie behind the file's, or for the whole file where there is none, and
    /// where ranges are of no use.
    async fn ask(
        &self,
        file: &str,
        range: Option<Range<u64>>,
    ) -> Result<Asked<T::Body>, FetchFault> {
        let is_forced = range.is_some();
        if let Some(range) = range
            && self.ranges_of(file) != Some(false)
        {
            match self.get(file, Some(range.clone())).await {
                Err(FetchFault::Unreachable { .. }) if self.is_of_ranges(file, range.start) => {}
                answer => {
                    if let Some(asked) = self.ranged(file, range, answer?).await? {
                        return Ok(asked);
                    }
                    self.note_ranges(file, false);
                }
            }
        }
        let answer = self.get(file, None).await?;
        self.whole(file, answer, is_forced).await
    }

    fn ranges_of(&self, file: &str) -> Option<bool> {
        self.has_ranges.borrow().get(file).copied()
    }

    fn note_ranges(&self, file: &str, are_usable: bool) {
        self.has_ranges.borrow_mut().insert(file.to_owned(), are_usable);
    }

    /// Whether no answer may be the answer to a range: browsers give none where what they have asked a range of
    /// comes packed. In the middle of a file, where all before it would have to come too, it is believed the
    /// second time.
    fn is_of_ranges(&self, file: &str, start: u64) -> bool {
        self.ranges_of(file).is_none() && (start == 0 || self.is_doubted.replace(true))
    }

    /// An answer to a range; `None`: it cannot be used.
    async fn ranged(
        &self,
        file: &str,
        range: Range<u64>,
        answer: Answer<T::Body>,
    ) -> Result<Option<Asked<T::Body>>, FetchFault> {
        if answer.status == 200 {
            return self.whole(file, answer, true).await.map(Some);
        }
        // A range of packed bytes is no range of the file.
        if answer.status == 416 || answer.is_packed() {
            return Ok(None);
        }
        let length = answer.length();
        let got = answer.content_range.unwrap_or_default();
        let Some((start, end, size)) = content_range(&got) else { return Ok(None) };
        let known = self.known_size(file);
        let most = range.end.min(known.or(size).unwrap_or(u64::MAX));
        let is_changed = known.is_some() && size.is_some() && size != known;
        let is_wrong = start != range.start || end <= start || end > most;
        // From a server that has sent right ranges it is an accident, otherwise how it is.
        if (is_changed || is_wrong) && self.ranges_of(file).is_none() {
            return Ok(None);
        }
        if is_wrong {
            let expected = format!("bytes {}-{}", range.start, most.saturating_sub(1));
            return Err(FetchFault::WrongRange { expected, got });
        }
        if is_changed {
            return Err(FetchFault::Changed);
        }
        let expected = end - start;
        if end < most && expected < SCANT {
            return Ok(None);
        }
        if let Some(got) = length.filter(|length| *length != expected) {
            return Err(FetchFault::Short { expected, got });
        }
        self.note_ranges(file, true);
        let size = size.or(known);
        let stream = Stream {
            file: file.to_owned(),
            is_whole: false,
            begun: start,
            at: start,
            end: Some(end),
            body: answer.body,
            rest: Vec::new(),
        };
        if start > 0 {
            return Ok(Some(Asked { size, stream }));
        }
        let stream = self.looked_at(stream).await?;
        Ok(Some(Asked { size, stream }))
    }

    /// An answer that is the whole file, if it is the one that was asked for before.
    async fn whole(
        &self,
        file: &str,
        answer: Answer<T::Body>,
        is_whole: bool,
    ) -> Result<Asked<T::Body>, FetchFault> {
        let (known, promised) = (self.known_size(file), answer.length());
        let stream = Stream {
            file: file.to_owned(),
            is_whole,
            begun: 0,
            at: 0,
            end: promised,
            body: answer.body,
            rest: Vec::new(),
        };
        let mut stream = self.looked_at(stream).await?;
        let Some(size) = known else { return Ok(Asked { size: promised, stream }) };
        if promised.is_some_and(|promised| promised != size) {
            return Err(FetchFault::Changed);
        }
        stream.end = Some(size);
        if stream.is_too_long() {
            return Err(FetchFault::Changed);
        }
        let n = self.heads.borrow().get(file).map_or(0, |head| head.bytes.len());
        let mut bytes = Vec::with_capacity(n);
        self.take(&mut stream, &mut bytes, n as u64).await?;
        let is_the_same = self.heads.borrow().get(file).is_none_or(|head| head.bytes == bytes);
        if is_the_same { Ok(Asked { size: known, stream }) } else { Err(FetchFault::Changed) }
    }

    /// A transfer from the beginning of a file, if its first bytes are not those of a web page.
    async fn looked_at(&self, mut stream: Stream<T::Body>) -> Result<Stream<T::Body>, FetchFault> {
        let mut first = Vec::new();
        while (first.len() as u64) < LOOK
            && let Some(chunk) = self.next(&mut stream.body).await?
        {
            first.extend(chunk);
        }
        if is_page(&first) {
            return Err(FetchFault::WebPage);
        }
        stream.rest = first;
        match stream.end {
            Some(expected) if stream.is_too_long() => Err(FetchFault::Long { expected }),
            _ => Ok(stream),
        }
    }

    /// Adds the next bytes of a transfer until there are `n`; those that came stay if it breaks. Whether they
    /// are all there: a transfer of which nobody says where it ends may have ended.
    async fn take(
        &self,
        stream: &mut Stream<T::Body>,
        bytes: &mut Vec<u8>,
        n: u64,
    ) -> Result<bool, FetchFault> {
        loop {
            let missing = (n as usize).saturating_sub(bytes.len());
            let used = missing.min(stream.rest.len());
            bytes.extend(stream.rest.drain(..used));
            stream.at += used as u64;
            if used == missing {
                return Ok(true);
            }
            let Some(chunk) = self.next(&mut stream.body).await? else {
                let Some(end) = stream.end else { return Ok(false) };
                let (expected, got) = (end - stream.begun, stream.at - stream.begun);
                return Err(FetchFault::Short { expected, got });
            };
            stream.rest = chunk;
            if stream.is_too_long() {
                return Err(FetchFault::Long { expected: stream.promised(0) });
            }
            // Bytes that are wanted now go straight to where they are wanted.
            let used = (n as usize - bytes.len()).min(stream.rest.len());
            bytes.extend_from_slice(&stream.rest[..used]);
            stream.at += used as u64;
            stream.rest.drain(..used);
        }
    }

    /// Leaves a transfer to the next read; one that is at its end has to have ended.
    async fn keep(&self, mut stream: Stream<T::Body>) -> Result<(), FetchFault> {
        if stream.end != Some(stream.at) {
            self.open.replace(Some(stream));
            return Ok(());
        }
        while stream.rest.is_empty()
            && let Some(chunk) = self.next(&mut stream.body).await?
        {
            stream.rest = chunk;
        }
        if stream.is_too_long() {
            return Err(FetchFault::Long { expected: stream.promised(0) });
        }
        Ok(())
    }

    /// Adds bytes of a file to those that are there, from the running transfer and from new ones.
    async fn read_on(
        &self,
        file: &str,
        range: &Range<u64>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), FetchFault> {
        let wanted = range.end - range.start;
        while (bytes.len() as u64) < wanted {
            let at = range.start + bytes.len() as u64;
            let leads_there = |stream: &Stream<T::Body>| stream.leads_to(file, at);
            let mut stream = match self.open.take().filter(leads_there) {
                Some(stream) => stream,
                None => self.ask(file, Some(at..self.run_end(at, range.end))).await?.stream,
            };
            let mut is_there = true;
            while is_there && stream.at < at {
                let gap = (at - stream.at).min(HEAD);
                is_there = self.take(&mut stream, &mut Vec::new(), gap).await?;
            }
            let left = stream.end.map_or(wanted, |end| end.saturating_sub(at));
            let n = wanted.min(bytes.len() as u64 + left);
            if !is_there || !self.take(&mut stream, bytes, n).await? {
                let (expected, got) = (stream.promised(range.end), stream.at - stream.begun);
                return Err(FetchFault::Short { expected, got });
            }
            self.keep(stream).await?;
        }
        Ok(())
    }

    /// Position in a file at which the ranges end that will be read one after the other from `at` on.
    fn run_end(&self, at: u64, least: u64) -> u64 {
        let runs = self.announced.borrow();
        let run = runs.iter().find(|run| run.start <= at && at < run.end);
        run.map_or(least, |run| run.end.max(least))
    }

    /// Asks until something comes of it, or cannot.
    async fn again<V>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<V, FetchFault>,
    ) -> Result<V, SourceError> {
        let (mut failed, mut same) = (0, 0);
        let mut last = None;
        loop {
            let before = self.progress.get();
            let fault = match attempt().await {
                Ok(value) => return Ok(value),
                Err(FetchFault::NotFound) => return Err(SourceError::NotFound),
                Err(fault) => fault,
            };
            self.open.replace(None);
            // A transfer that got on before it broke is no reason to give up.
            failed = if self.progress.get() - before >= HEAD { 1 } else { failed + 1 };
            same = if last.as_ref() == Some(&fault) { same + 1 } else { 1 };
            let patience = match fault {
                FetchFault::TooMany { retry_after: Some(seconds) } => f64::from(seconds),
                _ => FIRST_WAIT * f64::from(1 << (failed - 1).min(10)),
            };
            let too_long = patience > f64::from(MAX_RETRY_AFTER);
            // What came to the same byte every time comes so again.
            let too_often = failed > RETRIES || (fault.is_of_bytes() && same >= SAME);
            if too_often || too_long || !fault.is_passing() {
                return Err(fault.into());
            }
            let seconds = patience * (1.0 + 0.25 * self.transport.random());
            let left = RETRIES - failed;
            let left = if fault.is_of_bytes() { left.min(SAME - same - 1) } else { left };
            last = Some(fault.clone());
            let seconds_left = seconds.ceil() as u32;
            self.transport.waiting(Wait::Retry { seconds: seconds_left, left, fault });
            self.transport.sleep(seconds).await;
        }
    }
}

impl<B> Answer<B> {
    /// Whether what was sent is not what comes out of the body.
    fn is_packed(&self) -> bool {
        let encoding = self.content_encoding.as_deref().unwrap_or_default().trim();
        !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")
    }

    /// Length of the body, where it is known.
    fn length(&self) -> Option<u64> {
        self.content_length.filter(|_| !self.is_packed())
    }
}

/// First byte, byte after the last, and size of the file, of `bytes 0-9/100`; the size is `*` where the server
/// does not know it.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.trim().split_once('-')?;
    let (start, last) = (start.parse().ok()?, last.parse::<u64>().ok()?);
    let size = match size.trim() {
        "*" => None,
        size => Some(size.parse().ok()?),
    };
    Some((start, last.checked_add(1)?, size))
}

impl<T: Transport> ByteSource for Remote<T> {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        self.head(file).await
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let wanted = (range.end - range.start) as usize;
        let mut bytes = Vec::with_capacity(wanted);
        // A visit that goes on in the middle of a file has no use for its beginning.
        if range.start < HEAD {
            self.head(file).await?;
        }
        if let Some(head) = self.heads.borrow().get(file) {
            let known = head.bytes.get(range.start as usize..).unwrap_or_default();
            bytes.extend_from_slice(&known[..wanted.min(known.len())]);
        }
        self.again(async || {
            let before = bytes.len();
            let read = self.read_on(file, &range, &mut bytes).await;
            if matches!(read, Err(FetchFault::Long { .. })) {
                // Nobody knows which of them are the file's.
                bytes.truncate(before);
            }
            self.progress.set(self.progress.get() + (bytes.len() - before) as u64);
            read
        })
        .await?;
        Ok(bytes)
    }

    fn downloads(&self) -> Option<&dyn Downloads> {
        Some(self)
    }

    /// One request without a range: small files may come packed.
    async fn read_all(&self, file: &str, most: u64) -> Result<Vec<u8>, SourceError> {
        self.again(async || {
            self.open.replace(None);
            let answer = self.get(file, None).await?;
            let promised = answer.length();
            let bytes = self.collect(answer.body, most).await?;
            let got = bytes.len() as u64;
            match promised {
                _ if is_page(&bytes) => Err(FetchFault::WebPage),
                Some(expected) if got < expected && got <= most => {
                    Err(FetchFault::Short { expected, got })
                }
                Some(expected) if got > expected => Err(FetchFault::Long { expected }),
                _ => Ok(bytes),
            }
        })
        .await
        .and_then(|bytes| at_most(bytes.len() as u64, most).map(|()| bytes))
    }
}

impl<T: Transport> Downloads for Remote<T> {
    fn announce(&self, _file: &str, ranges: &[Range<u64>]) {
        let mut runs: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match runs.last_mut() {
                Some(run) if run.end == range.start => run.end = range.end,
                _ => runs.push(range.clone()),
            }
        }
        self.announced.replace(runs);
    }

    fn fetched(&self) -> u64 {
        self.fetched.get()
    }
}
