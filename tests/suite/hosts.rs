//! A model from any static host: whatever a server tells of lengths, ranges and packing, a file is read to
//! exactly its bytes, or an error names what is wrong.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, ready};
use std::ops::Range;
use std::rc::Rc;

use pollster::block_on;
use proptest::prelude::*;
use twinbeam_core::wire::{Expected, FetchFault, Problem, Wait};
use twinbeam_engine::{
    Answer, Blob as _, Body, ByteSource, DeviceKind, Error, Model, Remote, Shelf, SourceError,
    Transport,
};
use twinbeam_gpt2::Gpt2Config;
use twinbeam_tests::{Listener, repository, sha256_of};

use crate::loading::{Disk, SHAPE, WEIGHTS, expecting, problem, published_layout};

const PAGE: &[u8] = b"<!doctype html><html><title>A page of this host</title>";

/// What a host makes of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ranges {
    Known,
    /// 200, and all of it.
    Ignored,
    /// 206, and `*` in place of the size.
    OfUnknown,
    /// 206, and never more than so many bytes.
    AtMost(u64),
    /// 206, and no `Content-Range` that could be seen.
    Hidden,
    /// 206, of bytes beside those that were asked for.
    Shifted,
    /// 416 for all that ends behind the file.
    Strict,
    /// 206, of the bytes as they are packed.
    OfPacked,
    /// No answer: what a browser makes of one that is packed although it must not be.
    Unanswered,
}

/// A static host.
#[derive(Debug, Clone)]
struct Host {
    /// Whether it says how long a whole file is.
    has_length: bool,
    ranges: Ranges,
    /// `Content-Encoding` of whole files; the length, if it is said, is that of packed bytes.
    packing: Option<&'static str>,
    /// Bytes that arrive at once.
    chunk: usize,
    /// After how many bytes an answer ends too early, in their order: with a word or without one.
    cuts: Vec<(usize, bool)>,
    /// Whether it sends a page in place of what it does not have.
    has_page_for_missing: bool,
}

const HONEST: Host = Host {
    has_length: true,
    ranges: Ranges::Known,
    packing: None,
    chunk: 10_000,
    cuts: Vec::new(),
    has_page_for_missing: false,
};

/// The hosts that a file must come from without a fault.
fn kinds() -> Vec<(&'static str, Host)> {
    let chunked = Host { has_length: false, ..HONEST };
    let ranges = |ranges| Host { ranges, ..HONEST };
    vec![
        ("honest", HONEST),
        ("no ranges", ranges(Ranges::Ignored)),
        ("no length", chunked.clone()),
        ("neither", Host { ranges: Ranges::Ignored, ..chunked.clone() }),
        ("neither, in crumbs", Host { ranges: Ranges::Ignored, chunk: 7, ..chunked.clone() }),
        ("ranges of unknown size", ranges(Ranges::OfUnknown)),
        (
            "ranges of unknown size, no length",
            Host { ranges: Ranges::OfUnknown, ..chunked.clone() },
        ),
        ("short ranges", ranges(Ranges::AtMost(50_000))),
        ("crumbs of ranges", ranges(Ranges::AtMost(100))),
        ("ranges of another origin", ranges(Ranges::Hidden)),
        ("ranges beside what was asked", ranges(Ranges::Shifted)),
        ("no range behind the end", Host { ranges: Ranges::Strict, ..chunked.clone() }),
        ("gzip", Host { packing: Some("gzip"), ranges: Ranges::Ignored, ..HONEST }),
        ("br without length", Host { packing: Some("br"), ranges: Ranges::Ignored, ..chunked }),
        (
            "zstd, ranges of packed bytes",
            Host { packing: Some("zstd"), ranges: Ranges::OfPacked, ..HONEST },
        ),
        ("deflate, ranges as asked", Host { packing: Some("deflate"), ..HONEST }),
        (
            "br, and no answer to ranges",
            Host { packing: Some("br"), ranges: Ranges::Unanswered, ..HONEST },
        ),
        ("identity by name", Host { packing: Some("identity"), ..HONEST }),
    ]
}

struct Site {
    host: Host,
    files: BTreeMap<String, Vec<u8>>,
    cuts: RefCell<VecDeque<(usize, bool)>>,
    asked: RefCell<Vec<(String, Option<Range<u64>>)>>,
    sent: Cell<u64>,
    waits: Cell<usize>,
}

impl Site {
    fn new(host: &Host, files: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Rc<Self> {
        Rc::new(Self {
            host: host.clone(),
            files: files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect(),
            cuts: RefCell::new(host.cuts.iter().copied().collect()),
            asked: RefCell::default(),
            sent: Cell::new(0),
            waits: Cell::new(0),
        })
    }

    fn answer(self: &Rc<Self>, file: &str, range: Option<Range<u64>>) -> Answer<Arrival> {
        let host = &self.host;
        let answer = |status, bytes: Vec<u8>| {
            let cut = self.cuts.borrow_mut().pop_front().filter(|(at, _)| *at < bytes.len());
            Answer {
                status,
                content_range: None,
                content_encoding: None,
                content_length: Some(bytes.len() as u64),
                retry_after: None,
                body: Arrival {
                    left: bytes.len().min(cut.map_or(usize::MAX, |(at, _)| at)),
                    bytes,
                    at: 0,
                    breaks: cut.is_some_and(|(_, is_clean)| !is_clean),
                    has_paused: false,
                    site: Rc::clone(self),
                },
            }
        };
        let Some(bytes) = self.files.get(file) else {
            let status = if host.has_page_for_missing { 200 } else { 404 };
            return answer(status, PAGE.to_vec());
        };
        let size = bytes.len() as u64;
        let Some(range) = range.filter(|_| host.ranges != Ranges::Ignored) else {
            let whole = answer(200, bytes.clone());
            let content_length = whole.content_length.filter(|_| host.has_length);
            let is_packed = host.packing.is_some_and(|encoding| encoding != "identity");
            return Answer {
                // Packed it is shorter, mostly.
                content_length: content_length.map(|n| if is_packed { n / 2 + 20 } else { n }),
                content_encoding: host.packing.map(str::to_owned),
                ..whole
            };
        };
        let is_behind = host.ranges == Ranges::Strict && range.end > size;
        if range.start >= size || is_behind {
            return Answer {
                content_range: Some(format!("bytes */{size}")),
                ..answer(416, vec![])
            };
        }
        let (start, end) = (range.start, range.end.min(size));
        let part = |range: Range<u64>| bytes[range.start as usize..range.end as usize].to_vec();
        let ranged = |range: Range<u64>, size: &str| Answer {
            content_range: Some(format!("bytes {}-{}/{size}", range.start, range.end - 1)),
            ..answer(206, part(range))
        };
        match host.ranges {
            Ranges::OfUnknown => ranged(start..end, "*"),
            Ranges::AtMost(most) => ranged(start..end.min(start + most), &size.to_string()),
            Ranges::Hidden => answer(206, part(start..end)),
            Ranges::Shifted if end < size => ranged(start + 1..end + 1, &size.to_string()),
            Ranges::Shifted if start + 1 < end => ranged(start + 1..end, &size.to_string()),
            Ranges::OfPacked => Answer {
                content_encoding: host.packing.map(str::to_owned),
                content_range: Some(format!("bytes {start}-{}/{}", end - 1, size / 2 + 20)),
                // What the browser makes of a piece of something packed.
                ..answer(206, vec![0xaa; (end - start) as usize * 3])
            },
            Ranges::Known
            | Ranges::Shifted
            | Ranges::Strict
            | Ranges::Ignored
            | Ranges::Unanswered => ranged(start..end, &size.to_string()),
        }
    }
}

#[derive(Clone)]
struct Way(Rc<Site>);

struct Arrival {
    bytes: Vec<u8>,
    at: usize,
    /// Bytes that come.
    left: usize,
    breaks: bool,
    has_paused: bool,
    site: Rc<Site>,
}

impl Body for Arrival {
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, FetchFault>> {
        // A piece of nothing is no end.
        self.has_paused = !self.has_paused;
        let n = if self.has_paused { 0 } else { self.site.host.chunk.min(self.left) };
        if self.left == 0 {
            let broken = FetchFault::Unreachable { message: "it broke".to_owned() };
            return ready(if self.breaks { Err(broken) } else { Ok(None) });
        }
        let piece = self.bytes[self.at..self.at + n].to_vec();
        (self.at, self.left) = (self.at + n, self.left - n);
        self.site.sent.set(self.site.sent.get() + n as u64);
        ready(Ok(Some(piece)))
    }
}

impl Transport for Way {
    type Body = Arrival;

    fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Answer<Arrival>, FetchFault>> {
        let file = address.strip_prefix("https://host/m/").expect("below the base");
        let is_unanswered = range.is_some() && self.0.host.ranges == Ranges::Unanswered;
        if let Some(range) = &range {
            assert!(range.start < range.end, "{range:?} cannot be asked for");
        }
        self.0.asked.borrow_mut().push((file.to_owned(), range.clone()));
        assert!(self.0.asked.borrow().len() < 500, "it asks for ever");
        let failed = FetchFault::Unreachable { message: "Failed to fetch".to_owned() };
        ready(if is_unanswered { Err(failed) } else { Ok(self.0.answer(file, range)) })
    }

    fn sleep(&self, _seconds: f64) -> impl Future<Output = ()> {
        ready(())
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn waiting(&self, _wait: Wait) {
        self.0.waits.set(self.0.waits.get() + 1);
    }
}

fn remote(site: &Rc<Site>, is_whole_first: bool) -> Remote<Way> {
    let remote = Remote::new(Way(Rc::clone(site)), "https://host/m/".to_owned());
    if is_whole_first { remote.whole_first() } else { remote }
}

fn load(source: &impl ByteSource, sha256: &str) -> Result<Model, Error> {
    let device = DeviceKind::cpu("a test");
    block_on(Model::load(source, &expecting(sha256), &device, &mut Listener::default()))
}

fn config() -> Vec<u8> {
    Gpt2Config::new(SHAPE, 0).to_json().into_bytes()
}

fn fault(error: SourceError) -> FetchFault {
    let SourceError::Fetch(fault) = error else { panic!("{error} is no fault of fetching") };
    fault
}

#[test]
fn a_model_comes_from_every_kind_of_host() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    for (kind, host) in kinds() {
        for is_whole_first in [false, true] {
            for has_page_for_missing in [false, true] {
                let host = Host { has_page_for_missing, ..host.clone() };
                let site =
                    Site::new(&host, [("config.json", config()), (WEIGHTS, weights.clone())]);
                let model = load(&remote(&site, is_whole_first), &sha256);
                let model = model.unwrap_or_else(|error| panic!("{kind}: {error}"));
                assert_eq!(model.as_expected(), Some(true), "{kind}");
                // In the middle of a file no answer may be an accident.
                let waits = usize::from(is_whole_first && host.ranges == Ranges::Unanswered);
                assert_eq!(site.waits.get(), waits, "{kind} is how the host is, not an accident");
                let most = 2 * weights.len() as u64 + 100_000;
                assert!(site.sent.get() < most, "{kind}: {} bytes", site.sent.get());

                // And into the browser's storage.
                let disk = Disk::default();
                let (data, journal) = (disk.data.clone(), disk.journal.clone());
                let site =
                    Site::new(&host, [("config.json", config()), (WEIGHTS, weights.clone())]);
                let shelf = Shelf::new(remote(&site, is_whole_first), data, journal, 1000);
                assert!(load(&shelf, &sha256).is_ok(), "{kind}, kept");
            }
        }
    }
}

#[test]
fn the_bundled_model_comes_in_one_request_for_each_file() {
    let folder = repository("assets/models/mini");
    let read = |file| std::fs::read(folder.join(file)).expect("it is there");
    let names = ["config.json", "tokenizer.json", "tokenizer_config.json", WEIGHTS];
    let sha256 = sha256_of(&read(WEIGHTS));
    for (kind, host) in kinds() {
        let site = Site::new(&host, names.map(|name| (name, read(name))));
        let model = load(&remote(&site, true), &sha256).unwrap_or_else(|e| panic!("{kind}: {e}"));
        assert_eq!(model.as_expected(), Some(true), "{kind}");
        let asked: Vec<_> = names.map(|name| (name.to_owned(), None)).into();
        assert_eq!(*site.asked.borrow(), asked, "{kind}");
        let size: usize = names.map(|name| read(name).len()).iter().sum();
        assert_eq!(site.sent.get(), size as u64, "{kind}: to its end");
    }
}

#[test]
fn a_file_that_may_be_missing_is_missing_where_a_page_comes_in_its_place() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let host = Host { has_page_for_missing: true, ..HONEST };
    let disk = Disk::default();
    let visit = |files: Vec<(&'static str, Vec<u8>)>| {
        let site = Site::new(&host, files);
        let (data, journal) = (disk.data.clone(), disk.journal.clone());
        (load(&Shelf::new(remote(&site, false), data, journal, 1000), &sha256), site)
    };
    let tokenizer_was_asked_for =
        |site: &Site| site.asked.borrow().iter().any(|(file, _)| file == "tokenizer.json");
    let files = || vec![("config.json", config()), (WEIGHTS, weights.clone())];
    let (model, site) = visit(files());
    assert!(model.is_ok() && tokenizer_was_asked_for(&site));
    // That is not remembered, since a login page looks the same.
    let (model, site) = visit(files());
    assert!(model.is_ok() && tokenizer_was_asked_for(&site));

    // What may not be missing is named for what came.
    for missing in ["config.json", WEIGHTS] {
        let files = files().into_iter().filter(|(name, _)| *name != missing);
        let site = Site::new(&host, files);
        let Problem::Fetch { file, fault } = problem(load(&remote(&site, true), &sha256)) else {
            panic!("{missing} is needed");
        };
        assert_eq!((file.as_str(), fault), (missing, FetchFault::WebPage));
        assert_eq!(site.waits.get(), 0, "it would come again");
    }
}

#[test]
fn a_host_that_is_mended_is_believed_at_the_next_visit() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n".to_vec();
    let (disk, many) = (Disk::default(), weights.clone());
    let visit = |config: Vec<u8>, weights: Vec<u8>| {
        let site = Site::new(&HONEST, [("config.json", config), (WEIGHTS, weights)]);
        let (data, journal) = (disk.data.clone(), disk.journal.clone());
        let result = load(&Shelf::new(remote(&site, false), data, journal, 1000), &sha256);
        (result.map(|_model| ()), site.asked.borrow().len())
    };
    for (config_then, weights_then) in [(config(), pointer), (b"{}".to_vec(), many)] {
        let (result, requests) = visit(config_then.clone(), weights_then.clone());
        // The configuration, the tokenizer in either of its forms, which is not there, and the weights.
        assert!(matches!(result, Err(Error::Load { .. } | Error::Config(_))) && requests <= 4);
        // As long as it is not mended it is asked for once a visit, and the tokenizer's two forms twice.
        let (result, again) = visit(config_then, weights_then);
        assert!(result.is_err() && again <= requests + 2, "{again}");
        let (result, _) = visit(config(), weights.clone());
        assert!(result.is_ok(), "{result:?}");
        disk.data.truncate(0).and_then(|()| disk.journal.truncate(0)).expect("it is emptied");
    }
}

#[test]
fn weights_are_as_long_as_their_header_says_where_nobody_else_does() {
    let weights = published_layout(1.0);
    let host = Host { has_length: false, ranges: Ranges::Ignored, ..HONEST };
    let outcome = |weights: Vec<u8>, host: &Host| {
        let site = Site::new(host, [("config.json", config()), (WEIGHTS, weights)]);
        let device = DeviceKind::cpu("a test");
        let (source, expected) = (remote(&site, false), Expected::default());
        let host = &mut Listener::default();
        let model = Model::load(&source, &expected, &device, host);
        (block_on(model).map(|_model| ()), site.asked.borrow().len())
    };
    let size = weights.len() as u64;
    let longer = [&weights[..], b"!"].concat();
    let (result, requests) = outcome(longer, &host);
    let Err(Error::Source { cause: source, .. }) = result else { panic!("too long") };
    assert_eq!((fault(source), requests), (FetchFault::Long { expected: size }, 3 + 3));
    for cut in [0, 5, 100, 70_000, weights.len() - 1] {
        let (result, requests) = outcome(weights[..cut].to_vec(), &host);
        let Err(Error::Source { cause: source, .. }) = result else { panic!("cut at {cut}") };
        let FetchFault::Short { got, expected } = fault(source) else { panic!("cut at {cut}") };
        // Before the header is there, it says only how long itself is.
        assert!(got == cut as u64 && (expected == size || cut <= 100), "{got} of {expected}");
        assert_eq!(requests, 3 + 3, "cut at {cut}");
    }
    // With a length that is true there is nothing to ask again: the file is what is wrong.
    let (result, requests) = outcome(weights[..70_000].to_vec(), &HONEST);
    assert!(matches!(result, Err(Error::Load { .. })), "{result:?}");
    assert_eq!(requests, 4);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_mixed() {
    let before: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let mut after = before.clone();
    after[10] ^= 1;
    for has_length in [true, false] {
        let then = Host { has_length, ranges: Ranges::Ignored, ..HONEST };
        // Read to the middle, where the connection breaks; then the server has another file of the same size.
        let first = Host { cuts: vec![(100_000, false)], ..then.clone() };
        let way = Replaced {
            first: Way(Site::new(&first, [("a.bin", before.clone())])),
            then: Way(Site::new(&then, [("a.bin", after.clone())])),
            asked: Cell::new(0),
        };
        let remote = Remote::new(way, "https://host/m/".to_owned());
        let read = block_on(async {
            let size = remote.size("a.bin").await?;
            remote.read("a.bin", 0..size).await
        });
        match read {
            Ok(bytes) => assert!(bytes == after && !has_length, "read from one answer"),
            Err(error) => assert_eq!(fault(error), FetchFault::Changed),
        }
    }
}

/// A server whose files are replaced after the first request.
struct Replaced {
    first: Way,
    then: Way,
    asked: Cell<usize>,
}

impl Transport for Replaced {
    type Body = Arrival;

    fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Answer<Arrival>, FetchFault>> {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() == 1 {
            self.first.get(address, range)
        } else {
            self.then.get(address, range)
        }
    }

    fn sleep(&self, _seconds: f64) -> impl Future<Output = ()> {
        ready(())
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn waiting(&self, _wait: Wait) {}
}

#[test]
fn what_nobody_knows_the_end_of_is_not_held_without_limit() {
    let host = Host { has_length: false, ranges: Ranges::Ignored, chunk: 1 << 20, ..HONEST };
    let site = Site::new(&host, [("a.bin", vec![1; 70 << 20]), ("b.bin", vec![1; 3 << 20])]);
    let remote = remote(&site, false);
    assert_eq!(fault(block_on(remote.size("a.bin")).expect_err("too large")), FetchFault::Unsized);
    assert_eq!(block_on(remote.size("b.bin")), Ok(3 << 20));
    assert_eq!(block_on(remote.read("b.bin", 2_000_000..2_000_003)), Ok(vec![1; 3]));
}

/// A file that says how long it is, or one that does not.
fn file(is_weights: bool, n: usize) -> (&'static str, Vec<u8>) {
    let data = (0..n).map(|i| (i * i % 251) as u8);
    if !is_weights {
        return ("vocab.json", data.collect());
    }
    let header = format!(r#"{{"a":{{"dtype":"U8","shape":[{n}],"data_offsets":[0,{n}]}}}}"#);
    let length = (header.len() as u64).to_le_bytes();
    (WEIGHTS, length.into_iter().chain(header.into_bytes()).chain(data).collect())
}

fn hosts() -> impl Strategy<Value = Host> {
    let ranges = prop_oneof![
        Just(Ranges::Known),
        Just(Ranges::Ignored),
        Just(Ranges::OfUnknown),
        (1..150_000_u64).prop_map(Ranges::AtMost),
        Just(Ranges::Hidden),
        Just(Ranges::Shifted),
        Just(Ranges::Strict),
        Just(Ranges::OfPacked),
        Just(Ranges::Unanswered),
    ];
    let packing = prop_oneof![
        3 => Just(None),
        1 => proptest::sample::select(vec![Some("gzip"), Some("br"), Some("zstd"), Some("identity")]),
    ];
    let chunk = prop_oneof![1..100_usize, 100..100_000_usize, Just(usize::MAX)];
    let cut = prop_oneof![0..300_usize, 0..300_000_usize];
    let cuts = proptest::collection::vec((cut, any::<bool>()), 0..5);
    (any::<bool>(), ranges, packing, chunk, cuts).prop_map(
        |(has_length, ranges, packing, chunk, cuts)| {
            // Ranges of packed bytes say so.
            let packing = if ranges == Ranges::OfPacked { Some("gzip") } else { packing };
            Host { has_length, ranges, packing, chunk, cuts, has_page_for_missing: false }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn a_file_is_read_to_exactly_its_bytes_or_the_error_names_the_fault(
        mut host in hosts(),
        is_weights: bool,
        n in prop_oneof![0..200_usize, 0..250_000_usize],
        is_whole_first: bool,
        at_once: bool,
        stops in proptest::collection::vec(0.0..1.0_f64, 0..6),
    ) {
        let (name, bytes) = file(is_weights, n);
        let is_told = host.has_length && host.packing.is_none_or(|packing| packing == "identity");
        if !(is_told || (is_weights && !at_once)) {
            // An answer that ends early without a word is what a shorter file would be: nobody can tell.
            host.cuts.iter_mut().for_each(|(_, is_clean)| *is_clean = false);
        }
        let site = Site::new(&host, [(name, bytes.clone())]);
        let remote = remote(&site, is_whole_first);
        let read = block_on(async {
            if at_once {
                return remote.read_all(name, 1 << 20).await;
            }
            let size = remote.size(name).await?;
            assert_eq!(size, bytes.len() as u64);
            let mut stops: Vec<u64> = stops.iter().map(|part| (part * size as f64) as u64).collect();
            stops.extend([0, size]);
            stops.sort_unstable();
            let mut all = Vec::new();
            for stop in stops.windows(2) {
                all.extend(remote.read(name, stop[0]..stop[1]).await?);
            }
            Ok(all)
        });
        match read {
            Ok(read) => prop_assert!(read == bytes, "other bytes"),
            Err(error) => {
                prop_assert!(!host.cuts.is_empty(), "{error} without a cause");
                let fault = fault(error);
                let is_cut = matches!(fault, FetchFault::Short { .. } | FetchFault::Unreachable { .. });
                prop_assert!(is_cut, "{fault}");
            }
        }
    }
}
