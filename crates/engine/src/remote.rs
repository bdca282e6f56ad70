//! Files on a server, read by ranges: what is asked for, what is believed of the answer, and when it is
//! asked again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;

use twinbeam_core::{FetchFault, Wait};

use crate::source::at_most;
use crate::{ByteSource, SourceError};

/// What a browser, or a test, has to offer.
pub trait Transport {
    /// The body of an answer.
    type Body: Body;

    /// Asks for a file, or for a range of it by one `Range` header, and waits for the answer's headers.
    ///
    /// # Errors
    /// [`FetchFault::Unreachable`] where there is no answer.
    fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Answer<Self::Body>, FetchFault>>;

    /// Waits.
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
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Range`.
    pub content_range: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Length`.
    pub content_length: Option<u64>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// What follows.
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
/// Seconds before the first retry; each later one waits twice as long.
const FIRST_WAIT: f64 = 0.5;
/// A server that asks for more patience than this is taken at its word: the visitor decides.
const MAX_RETRY_AFTER: u32 = 120;
/// Largest file that is taken although it comes compressed: it is held whole.
const MAX_UNPACKED: u64 = 64 << 20;
/// What is asked for to learn a file's size, and kept: the header of a GPT-2 is in it.
const HEAD: u64 = 64 * 1024;

/// Files below an address.
///
/// At most one transfer runs at a time. It goes on from read to read for as long as the reads follow one
/// another, so that few large ranges are asked for; what breaks is asked for again from where it broke.
#[derive(Debug)]
pub struct Remote<T: Transport> {
    transport: T,
    base: String,
    heads: RefCell<BTreeMap<String, Head>>,
    announced: RefCell<Vec<Range<u64>>>,
    open: RefCell<Option<Stream<T::Body>>>,
    fetched: Cell<u64>,
    /// Bytes of reads that go on where they broke.
    progress: Cell<u64>,
}

/// A file's size and its first bytes.
#[derive(Debug, Clone)]
struct Head {
    size: u64,
    bytes: Vec<u8>,
}

/// A running transfer.
#[derive(Debug)]
struct Stream<B> {
    file: String,
    /// Whether it is of the whole file, from a server that knows no ranges.
    is_whole: bool,
    /// Where in the file it began.
    begun: u64,
    /// Position in the file of what comes next.
    at: u64,
    /// Where the transfer ends.
    end: u64,
    body: B,
    /// What has come and was not wanted yet.
    rest: Vec<u8>,
}

impl<T: Transport> Remote<T> {
    /// Files below an address, which ends in `/`.
    pub fn new(transport: T, base: String) -> Self {
        Self {
            transport,
            base,
            heads: RefCell::default(),
            announced: RefCell::default(),
            open: RefCell::new(None),
            fetched: Cell::new(0),
            progress: Cell::new(0),
        }
    }

    /// A file's size and first bytes, asked for once.
    async fn head(&self, file: &str) -> Result<Head, SourceError> {
        if let Some(head) = self.heads.borrow().get(file) {
            return Ok(head.clone());
        }
        let head = self.again(async || self.ask_head(file).await).await?;
        self.heads.borrow_mut().insert(file.to_owned(), head.clone());
        Ok(head)
    }

    async fn ask_head(&self, file: &str) -> Result<Head, FetchFault> {
        self.open.replace(None);
        let (size, mut stream) = match self.ask(file, 0..HEAD).await? {
            Asked::Stream { size, stream } => (size, stream),
            Asked::Packed { encoding, body } => {
                // Its size shows at its end only.
                let bytes = self.collect(body, MAX_UNPACKED).await?;
                let size = bytes.len() as u64;
                let fits = size <= MAX_UNPACKED;
                return if fits {
                    Ok(Head { size, bytes })
                } else {
                    Err(FetchFault::Encoded { encoding })
                };
            }
        };
        let mut bytes = Vec::new();
        self.take(&mut stream, &mut bytes, HEAD.min(size)).await?;
        // A server without ranges sends all of it: reading goes on from here.
        if stream.at < stream.end {
            self.open.replace(Some(stream));
        }
        Ok(Head { size, bytes })
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

    /// Asks for a range, whose end may lie behind the file's, and judges the headers of the answer.
    async fn ask(&self, file: &str, range: Range<u64>) -> Result<Asked<T::Body>, FetchFault> {
        let address = format!("{}{file}", self.base);
        let answer = self.transport.get(&address, Some(range.clone())).await?;
        judge(&answer)?;
        let Answer { status, content_length, body, .. } = answer;
        let identity = |encoding: &String| encoding.is_empty() || encoding == "identity";
        let encoding = answer.content_encoding.filter(|encoding| !identity(encoding));
        let is_whole = status == 200;
        let (at, end, size) = match (content_length, encoding) {
            (Some(size), None) if is_whole => (0, size, size),
            (_, encoding) if is_whole => {
                let encoding = encoding.unwrap_or_else(|| "of unknown length".to_owned());
                return Ok(Asked::Packed { encoding, body });
            }
            (_, Some(encoding)) => return Err(FetchFault::Encoded { encoding }),
            (length, None) => {
                let got = answer.content_range.unwrap_or_default();
                let expected = format!("bytes {}-{}", range.start, range.end - 1);
                let known = self.heads.borrow().get(file).map(|head| head.size);
                let right = content_range(&got).filter(|(start, end, size)| {
                    let of_the_same = known.is_none_or(|known| known == *size);
                    of_the_same && *start == range.start && *end == range.end.min(*size)
                });
                let Some((start, end, size)) = right else {
                    return Err(FetchFault::WrongRange { expected, got });
                };
                let expected = end.saturating_sub(start);
                if let Some(got) = length.filter(|length| *length != expected) {
                    return Err(FetchFault::Short { expected, got });
                }
                (start, end, size)
            }
        };
        let (file, rest) = (file.to_owned(), Vec::new());
        let stream = Stream { file, is_whole, at, begun: at, end, body, rest };
        Ok(Asked::Stream { size, stream })
    }

    /// Adds the next bytes of a transfer until there are `n`; those that came stay if it breaks.
    async fn take(
        &self,
        stream: &mut Stream<T::Body>,
        bytes: &mut Vec<u8>,
        n: u64,
    ) -> Result<(), FetchFault> {
        let promised = stream.end - stream.begun;
        loop {
            let missing = n as usize - bytes.len();
            let used = missing.min(stream.rest.len());
            bytes.extend(stream.rest.drain(..used));
            stream.at += used as u64;
            if used == missing {
                return Ok(());
            }
            let Some(chunk) = self.next(&mut stream.body).await? else {
                let got = stream.at - stream.begun;
                return Err(FetchFault::Short { expected: promised, got });
            };
            if stream.at + chunk.len() as u64 > stream.end {
                return Err(FetchFault::Long { expected: promised });
            }
            // Bytes that are wanted now go straight to where they are wanted.
            let used = (n as usize - bytes.len()).min(chunk.len());
            bytes.extend_from_slice(&chunk[..used]);
            stream.at += used as u64;
            stream.rest = chunk[used..].to_vec();
        }
    }

    /// Adds bytes of a file to those that are there, from the running transfer or a new one.
    async fn read_on(
        &self,
        file: &str,
        range: &Range<u64>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), FetchFault> {
        let at = range.start + bytes.len() as u64;
        let fits = |stream: &Stream<T::Body>| {
            // A gap costs less than another request where the server sends all of the file anyway.
            let leads_there = stream.at == at || (stream.is_whole && stream.at < at);
            stream.file == file && leads_there && range.end <= stream.end
        };
        let mut stream = match self.open.take().filter(fits) {
            Some(stream) => stream,
            None => match self.ask(file, at..self.run_end(at, range.end)).await? {
                Asked::Stream { stream, .. } => stream,
                Asked::Packed { encoding, .. } => return Err(FetchFault::Encoded { encoding }),
            },
        };
        while stream.at < at {
            let gap = (at - stream.at).min(HEAD);
            self.take(&mut stream, &mut Vec::new(), gap).await?;
        }
        self.take(&mut stream, bytes, range.end - range.start).await?;
        if stream.at < stream.end {
            self.open.replace(Some(stream));
        } else if stream.body.next().await?.is_some_and(|more| !more.is_empty()) {
            return Err(FetchFault::Long { expected: stream.end - stream.begun });
        }
        Ok(())
    }

    /// Where the ranges end that will be read one after the other from `at` on.
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
        let mut failed = 0;
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
            let patience = match fault {
                FetchFault::TooMany { retry_after: Some(seconds) } => f64::from(seconds),
                _ => FIRST_WAIT * f64::from(1 << (failed - 1).min(10)),
            };
            let too_long = patience > f64::from(MAX_RETRY_AFTER);
            if failed > RETRIES || too_long || !fault.is_passing() {
                return Err(fault.into());
            }
            let seconds = patience * (1.0 + 0.25 * self.transport.random());
            let left = RETRIES - failed;
            self.transport.waiting(Wait::Retry { seconds: seconds.ceil() as u32, left, fault });
            self.transport.sleep(seconds).await;
        }
    }
}

/// What came of asking for a range.
enum Asked<B> {
    /// The beginning of a transfer, and the size of its file.
    Stream { size: u64, stream: Stream<B> },
    /// The whole file, of a length that nobody knows yet.
    Packed { encoding: String, body: B },
}

/// Refuses answers that are not the file.
fn judge<B>(answer: &Answer<B>) -> Result<(), FetchFault> {
    let status = answer.status;
    match status {
        200 | 206 => {}
        404 | 410 => return Err(FetchFault::NotFound),
        401 | 403 => return Err(FetchFault::Forbidden { status }),
        429 => return Err(FetchFault::TooMany { retry_after: answer.retry_after }),
        500.. => return Err(FetchFault::Server { status }),
        _ => return Err(FetchFault::Status { status }),
    }
    if answer.content_type.as_ref().is_some_and(|kind| kind.contains("text/html")) {
        return Err(FetchFault::WebPage);
    }
    Ok(())
}

/// First byte, byte after the last, and size of the file, of `bytes 0-9/100`.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    let (start, last, size) = (start.parse().ok()?, last.parse::<u64>().ok()?, size.parse().ok()?);
    Some((start, last.checked_add(1)?, size))
}

impl<T: Transport> ByteSource for Remote<T> {
    async fn size(&self, file: &str) -> Result<u64, SourceError> {
        Ok(self.head(file).await?.size)
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        // A visit that goes on in the middle of a file has no use for its beginning.
        if range.start < HEAD {
            let head = self.head(file).await?;
            let known = head.bytes.get(range.start as usize..).unwrap_or_default();
            bytes.extend(known.iter().take((range.end - range.start) as usize));
            if bytes.len() as u64 == range.end - range.start {
                return Ok(bytes);
            }
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

    fn is_remote(&self) -> bool {
        true
    }

    /// One request, since small files may come compressed and then tell no length.
    async fn read_all(&self, file: &str, most: u64) -> Result<Vec<u8>, SourceError> {
        self.again(async || {
            self.open.replace(None);
            let address = format!("{}{file}", self.base);
            let answer = self.transport.get(&address, None).await?;
            judge(&answer)?;
            // What is compressed has been unpacked by the browser, and its length is not that of the file.
            let promised = answer.content_length.filter(|_| answer.content_encoding.is_none());
            let bytes = self.collect(answer.body, most).await?;
            match promised {
                Some(expected) if (bytes.len() as u64) < expected && bytes.len() as u64 <= most => {
                    Err(FetchFault::Short { expected, got: bytes.len() as u64 })
                }
                _ => Ok(bytes),
            }
        })
        .await
        .and_then(|bytes| at_most(bytes.len() as u64, most).map(|()| bytes))
    }

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
