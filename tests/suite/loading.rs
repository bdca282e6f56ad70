//! A model on its way from a server to the device by way of the browser's storage, with everything that
//! can go wrong: rows 13 to 22 of docs/FAULTS.md, without a browser.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, ready};
use std::ops::Range;
use std::rc::Rc;

use burn::tensor::DType;
use pollster::block_on;
use serde_json::json;
use twinbeam_core::models::{ModelFiles, ModelShape};
use twinbeam_core::wire::{Event, Expected, FetchFault, Kept, Problem, Wait};
use twinbeam_core::words::{
    Answers, ComponentKind, Direction, Experiment, Metric, Steps, TokenPair,
};
use twinbeam_engine::{
    Answer, Blob, Body, DeviceKind, Error, Keeper as _, Model, Plan, Question, Remote, Shelf,
    Transport, run,
};
use twinbeam_gpt2::{
    Gpt2Builder, Gpt2Config, INITIAL_STD, Part, StoredDtype, WeightPlan, random_params,
    stored_bytes,
};
use twinbeam_tests::{Listener, fixture, on_cpu, sha256_of, values};

pub(crate) const SHAPE: ModelShape = ModelShape {
    n_layers: 3,
    n_heads: 2,
    d_model: 48,
    d_head: 24,
    d_mlp: 192,
    n_ctx: 64,
    d_vocab: 1000,
};

pub(crate) const WEIGHTS: &str = ModelFiles::WEIGHTS;

/// A file with the published one's layout: names in order, a causal mask in front of each layer.
pub(crate) fn published_layout(mask_of_layer_1: f32) -> Vec<u8> {
    let mut tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)> =
        random_params(&SHAPE, 7, INITIAL_STD).map(|(name, dims, v)| (name, (dims, v))).collect();
    let n = SHAPE.n_ctx;
    for layer in 0..SHAPE.n_layers {
        let one = if layer == 1 { mask_of_layer_1 } else { 1.0 };
        let mask = (0..n * n).map(|i| if i % n <= i / n { one } else { 0.0 }).collect();
        tensors.insert(format!("h.{layer}.attn.bias"), (vec![1, 1, n, n], mask));
    }
    let (mut header, mut data) = (json!({"__metadata__": {"format": "pt"}}), Vec::new());
    for (name, (dims, values)) in tensors {
        let start = data.len();
        data.extend(stored_bytes(&values, StoredDtype::F32));
        header[name] = json!({"dtype": "F32", "shape": dims, "data_offsets": [start, data.len()]});
    }
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [(header.len() as u64).to_le_bytes().to_vec(), header, data].concat()
}

/// What the server does to an answer.
#[derive(Debug, Clone, PartialEq)]
enum Fault {
    None,
    Unreachable,
    Status(u16, Option<u32>),
    /// 200 and a page, by a type that says nothing of it.
    WebPage,
    /// 200 and everything, whatever was asked for.
    Whole,
    WrongRange,
    WrongSize,
    /// The connection breaks after so many bytes.
    Broken(usize),
    /// It ends without a word after so many bytes.
    Short(usize),
    Long,
}

/// A server below one address. Faults strike requests of the weights in turn; the last one stays.
#[derive(Default)]
struct Server {
    files: BTreeMap<String, Vec<u8>>,
    faults: RefCell<VecDeque<Fault>>,
    asked: RefCell<Vec<(String, Option<Range<u64>>)>>,
    waits: RefCell<Vec<Wait>>,
    slept: Cell<f64>,
    sent: Cell<u64>,
}

impl Server {
    fn new(weights: Vec<u8>) -> Rc<Self> {
        let config = Gpt2Config::new(SHAPE, 0).to_json().into_bytes();
        let files = [("config.json".to_owned(), config), (WEIGHTS.to_owned(), weights)];
        Rc::new(Self { files: files.into(), ..Self::default() })
    }

    fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.replace(faults.into_iter().collect());
        self.asked.borrow_mut().clear();
        self.waits.borrow_mut().clear();
        self.slept.set(0.0);
        self.sent.set(0);
    }

    fn requests_of_weights(&self) -> usize {
        self.asked.borrow().iter().filter(|(file, _)| file == WEIGHTS).count()
    }
}

/// A server with the tensors of a file in two, and an index of them.
fn sharded_server(weights: &[u8]) -> (Rc<Server>, [String; 2]) {
    let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let file = safetensors::SafeTensors::deserialize(weights).expect("safetensors");
    let names = file.names();
    let half = names.len() / 2;
    let mut map = serde_json::Map::new();
    let mut files = BTreeMap::new();
    for (names, shard) in [(&names[..half], shards[0]), (&names[half..], shards[1])] {
        let views = names.iter().map(|name| (*name, file.tensor(name).expect("it is there")));
        let bytes = safetensors::serialize(views, None).expect("a file");
        map.extend(names.iter().map(|name| ((*name).to_owned(), json!(shard))));
        files.insert(shard.to_owned(), bytes);
    }
    files.insert("config.json".to_owned(), Gpt2Config::new(SHAPE, 0).to_json().into_bytes());
    let index = json!({ "weight_map": map }).to_string().into_bytes();
    files.insert("model.safetensors.index.json".to_owned(), index);
    (Rc::new(Server { files, ..Server::default() }), shards.map(str::to_owned))
}

#[derive(Clone)]
struct Network(Rc<Server>);

struct Stream {
    chunks: VecDeque<Vec<u8>>,
    breaks: bool,
    server: Rc<Server>,
}

impl Body for Stream {
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, FetchFault>> {
        let chunk = self.chunks.pop_front();
        self.server.sent.set(self.server.sent.get() + chunk.as_ref().map_or(0, Vec::len) as u64);
        ready(match chunk {
            None if self.breaks => Err(FetchFault::Unreachable { message: "it broke".to_owned() }),
            chunk => Ok(chunk),
        })
    }
}

impl Transport for Network {
    type Body = Stream;

    fn get(
        &self,
        address: &str,
        range: Option<Range<u64>>,
    ) -> impl Future<Output = Result<Answer<Stream>, FetchFault>> {
        let file = address.strip_prefix("https://hub/m/").expect("below the base").to_owned();
        self.0.asked.borrow_mut().push((file.clone(), range.clone()));
        let mut faults = self.0.faults.borrow_mut();
        let fault = match file.as_str() {
            WEIGHTS if faults.len() > 1 => faults.pop_front(),
            WEIGHTS => faults.front().cloned(),
            // Without a network there are no small files either.
            _ if faults.len() == 1 => {
                faults.front().filter(|fault| **fault == Fault::Unreachable).cloned()
            }
            _ => None,
        };
        ready(answer(&self.0, &file, range, fault.unwrap_or(Fault::None)))
    }

    fn sleep(&self, seconds: f64) -> impl Future<Output = ()> {
        self.0.slept.set(self.0.slept.get() + seconds);
        ready(())
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn waiting(&self, wait: Wait) {
        self.0.waits.borrow_mut().push(wait);
    }
}

fn answer(
    server: &Rc<Server>,
    file: &str,
    range: Option<Range<u64>>,
    fault: Fault,
) -> Result<Answer<Stream>, FetchFault> {
    if fault == Fault::Unreachable {
        return Err(FetchFault::Unreachable { message: "offline".to_owned() });
    }
    let body = |bytes: &[u8], breaks| {
        let chunks = bytes.chunks(10_000).map(<[u8]>::to_vec).collect();
        Stream { chunks, breaks, server: Rc::clone(server) }
    };
    let plain = |status, bytes: &[u8], breaks| Answer {
        status,
        content_range: None,
        content_encoding: None,
        content_length: Some(bytes.len() as u64),
        retry_after: None,
        body: body(bytes, breaks),
    };
    let Some(bytes) = server.files.get(file) else {
        return Ok(plain(404, b"not here", false));
    };
    let size = bytes.len() as u64;
    let range = range.filter(|_| fault != Fault::Whole);
    let Some(Range { start, end }) = range.map(|range| range.start..range.end.min(size)) else {
        return Ok(plain(200, bytes, false));
    };
    let wanted = &bytes[start as usize..end as usize];
    let ranged = |bytes: &[u8], breaks| Answer {
        content_range: Some(format!("bytes {start}-{}/{size}", end - 1)),
        content_length: Some(wanted.len() as u64),
        ..plain(206, bytes, breaks)
    };
    Ok(match fault {
        Fault::None | Fault::Unreachable | Fault::Whole => ranged(wanted, false),
        Fault::Status(status, retry_after) => {
            Answer { retry_after, ..plain(status, b"<html>", false) }
        }
        Fault::WebPage => plain(200, b"\n<!DOCTYPE html><title>log in</title>", false),
        Fault::WrongRange => Answer {
            content_range: Some(format!("bytes {}-{}/{size}", start + 1, end)),
            ..ranged(wanted, false)
        },
        Fault::WrongSize => Answer {
            content_range: Some(format!("bytes {start}-{}/{}", end - 1, size + 1)),
            ..ranged(wanted, false)
        },
        Fault::Broken(n) => ranged(&wanted[..n.min(wanted.len())], n < wanted.len()),
        Fault::Short(n) => ranged(&wanted[..n.min(wanted.len())], false),
        Fault::Long => ranged(&[wanted, b"more"].concat(), false),
    })
}

/// A file in memory that fails as it is told.
#[derive(Clone, Default)]
pub(crate) struct Memory(Rc<RefCell<Vec<u8>>>, Rc<Cell<Option<Refusal>>>);

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Refusal {
    Throws,
    WritesLess,
    /// What Chrome says at the quota.
    WritesNonsense,
}

impl Blob for Memory {
    fn size(&self) -> Result<u64, String> {
        Ok(self.0.borrow().len() as u64)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<usize, String> {
        let bytes = self.0.borrow();
        let from = bytes.get(at as usize..).unwrap_or_default();
        let n = from.len().min(into.len());
        into[..n].copy_from_slice(&from[..n]);
        Ok(n)
    }

    fn write(&self, at: u64, bytes: &[u8]) -> Result<u64, String> {
        let mut all = self.0.borrow_mut();
        let n = match self.1.get().filter(|_| at > 200_000) {
            Some(Refusal::Throws) => return Err("QuotaExceededError".to_owned()),
            Some(Refusal::WritesLess) => bytes.len() / 2,
            Some(Refusal::WritesNonsense) => return Ok(4_294_967_288),
            None => bytes.len(),
        };
        let end = at as usize + n;
        if all.len() < end {
            all.resize(end, 0);
        }
        all[at as usize..end].copy_from_slice(&bytes[..n]);
        Ok(n as u64)
    }

    fn truncate(&self, len: u64) -> Result<(), String> {
        self.0.borrow_mut().truncate(len as usize);
        Ok(())
    }

    fn flush(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The browser's storage of one model, which survives visits.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) data: Memory,
    pub(crate) journal: Memory,
}

fn remote(server: &Rc<Server>) -> Remote<Network> {
    Remote::new(Network(Rc::clone(server)), "https://hub/m/".to_owned())
}

/// One visit: the model, and what became of its files.
fn visit(server: &Rc<Server>, disk: &Disk, expected: &Expected) -> (Result<Model, Error>, Kept) {
    let shelf = Shelf::new(remote(server), disk.data.clone(), disk.journal.clone(), 1000);
    let model = block_on(Model::load(
        &shelf,
        expected,
        &DeviceKind::cpu("a test"),
        &mut Listener::default(),
    ));
    (model, shelf.kept())
}

pub(crate) fn expecting(sha256: &str) -> Expected {
    Expected { sha256: Some(sha256.to_owned()), ..Expected::default() }
}

pub(crate) fn problem(result: Result<Model, Error>) -> Problem {
    result.expect_err("it must be refused").problem()
}

#[test]
fn few_ranges_bring_a_model_and_leave_its_masks_behind() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    let mut host = Listener::default();
    let (device, source) = (DeviceKind::cpu("a test"), remote(&server));
    let model = block_on(Model::load(&source, &expecting(&sha256), &device, &mut host));
    let model = model.expect("it loads");
    assert_eq!((model.fingerprint(), model.as_expected()), (sha256.as_str(), Some(true)));

    // One for the head, then one run of tensors after each mask but those that the head held.
    assert!(server.requests_of_weights() <= 1 + SHAPE.n_layers, "{:?}", server.asked.borrow());
    let masks = 4 * (SHAPE.n_layers * SHAPE.n_ctx * SHAPE.n_ctx) as u64;
    // The first mask is in the head.
    assert!(server.sent.get() < size - masks / 3 * 2 + 70_000, "{} of {size}", server.sent.get());
    let progress: Vec<(u64, u64)> = host
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Progress { done, total, .. } => Some((*done, *total)),
            _ => None,
        })
        .collect();
    let total = SHAPE.n_params() as u64 * 4;
    assert!(progress.iter().all(|(done, of)| done <= of && *of == total));
    assert_eq!(progress.last(), Some(&(total, total)));
}

#[test]
fn what_passes_is_waited_for_and_costs_nothing() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let server = Server::new(weights);
    for fault in [
        Fault::Unreachable,
        Fault::Status(429, None),
        Fault::Status(500, None),
        Fault::Status(503, None),
        Fault::WrongRange,
        Fault::Broken(40_000),
        Fault::Broken(0),
        Fault::Short(40_000),
        Fault::Long,
    ] {
        // The first request is of the head, the second of a run of tensors.
        for struck in 0..2 {
            let mut faults = vec![Fault::None; struck];
            faults.extend([fault.clone(), fault.clone(), Fault::None]);
            server.will(faults);
            let (model, kept) = visit(&server, &Disk::default(), &expecting(&sha256));
            let model = model.unwrap_or_else(|error| panic!("{fault:?} at {struck}: {error}"));
            assert_eq!(model.fingerprint(), sha256, "{fault:?} at {struck}");
            assert!(matches!(kept, Kept::Stored { healed: 0, .. }), "{kept:?}");
            let waits = server.waits.borrow();
            let retries = |wait: &Wait| matches!(wait, Wait::Retry { .. });
            // Ranges that are wrong from the first on are how the server is: it is asked for all at once.
            let is_its_way = fault == Fault::WrongRange && struck == 0;
            assert!(waits.is_empty() == is_its_way, "{fault:?}: {waits:?}");
            assert!(waits.iter().all(retries), "{fault:?}: {waits:?}");
            assert!(server.slept.get() < 5.0);
        }
    }
}

#[test]
fn a_broken_transfer_goes_on_where_it_broke() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    // It breaks every 100 kB, for ever: each try gets on, so there is no reason to give up.
    server.will([Fault::None, Fault::Broken(100_000)]);
    let (model, _) = visit(&server, &Disk::default(), &expecting(&sha256));
    assert_eq!(model.expect("it loads").fingerprint(), sha256);
    assert!(server.sent.get() < size + size / 8, "{} of {size}", server.sent.get());
    // One that gets nowhere is given up.
    server.will([Fault::None, Fault::Broken(10)]);
    let (model, _) = visit(&server, &Disk::default(), &expecting(&sha256));
    assert!(matches!(problem(model), Problem::Fetch { .. }));
}

#[test]
fn patience_is_what_the_server_asks_for() {
    let server = Server::new(published_layout(1.0));
    server.will([Fault::Status(429, Some(30)), Fault::None]);
    assert!(visit(&server, &Disk::default(), &Expected::default()).0.is_ok());
    assert!((30.0..40.0).contains(&server.slept.get()), "{}", server.slept.get());
    assert!(matches!(
        server.waits.borrow()[..],
        [Wait::Retry { seconds: 30..40, fault: FetchFault::TooMany { .. }, .. }]
    ));
    // Nobody waits for an hour without being asked.
    server.will([Fault::Status(429, Some(3600))]);
    let (model, _) = visit(&server, &Disk::default(), &Expected::default());
    let fault = FetchFault::TooMany { retry_after: Some(3600) };
    assert_eq!(problem(model), Problem::Fetch { file: WEIGHTS.to_owned(), fault });
    assert_eq!((server.slept.get(), server.requests_of_weights()), (0.0, 1));
}

#[test]
fn what_stays_wrong_is_named_and_nothing_of_it_is_kept() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    type Is = fn(&FetchFault) -> bool;
    let cases: [(Fault, Is, usize); 10] = [
        (Fault::Unreachable, |f| matches!(f, FetchFault::Unreachable { .. }), 6),
        (Fault::Status(404, None), |f| matches!(f, FetchFault::NotFound), 1),
        (Fault::Status(403, None), |f| matches!(f, FetchFault::Forbidden { status: 403 }), 1),
        (Fault::Status(401, None), |f| matches!(f, FetchFault::Forbidden { status: 401 }), 1),
        (Fault::Status(429, None), |f| matches!(f, FetchFault::TooMany { retry_after: None }), 6),
        (Fault::Status(502, None), |f| matches!(f, FetchFault::Server { status: 502 }), 6),
        (Fault::Status(418, None), |f| matches!(f, FetchFault::Status { status: 418 }), 1),
        (Fault::WebPage, |f| matches!(f, FetchFault::WebPage), 1),
        // The same to the byte, three times in a row, is no accident.
        (Fault::Short(10), |f| matches!(f, FetchFault::Short { .. }), 3),
        (Fault::Long, |f| matches!(f, FetchFault::Long { .. }), 3),
    ];
    for (fault, is_named, requests) in cases {
        let disk = Disk::default();
        if fault == Fault::Unreachable {
            // The small files arrive, then the network goes.
            server.will([Fault::None]);
        }
        server.will([fault.clone()]);
        let (model, _) = visit(&server, &disk, &expecting(&sha256));
        let Problem::Fetch { file, fault: named } = problem(model) else {
            panic!("{fault:?} is a fault of fetching")
        };
        assert!(is_named(&named), "{fault:?} became {named:?}");
        let asked = server.asked.borrow().iter().filter(|(asked, _)| *asked == file).count();
        assert_eq!(asked, requests, "{fault:?}");
        // The next visit finds nothing that is taken for the file.
        server.will([Fault::None]);
        let (model, _) = visit(&server, &disk, &expecting(&sha256));
        assert_eq!(model.expect("the server is mended").fingerprint(), sha256, "{fault:?}");
        assert!(server.sent.get() <= size + 1000);
    }
    // In the middle of the file its ranges have been right, and its size may not change: it would be another file's.
    let cases: [(Fault, Is); 2] = [
        (Fault::WrongRange, |f| matches!(f, FetchFault::WrongRange { .. })),
        (Fault::WrongSize, |f| matches!(f, FetchFault::Changed)),
    ];
    for (fault, is_named) in cases {
        server.will([Fault::None, fault.clone()]);
        let (model, _) = visit(&server, &Disk::default(), &expecting(&sha256));
        let Problem::Fetch { fault: named, .. } = problem(model) else {
            panic!("{fault:?} is a fault of fetching")
        };
        assert!(is_named(&named), "{fault:?} became {named:?}");
        assert_eq!(server.requests_of_weights(), 1 + 3, "{fault:?}");
    }
}

#[test]
fn a_server_without_ranges_sends_the_file_once() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    server.will([Fault::Whole]);
    let (model, _) = visit(&server, &Disk::default(), &expecting(&sha256));
    assert_eq!(model.expect("it loads").fingerprint(), sha256);
    assert_eq!(server.requests_of_weights(), 1);
    assert!(server.sent.get() <= size + 1000);
}

#[test]
fn the_second_visit_needs_no_network() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let server = Server::new(weights);
    let disk = Disk::default();
    let (first, kept) = visit(&server, &disk, &expecting(&sha256));
    assert!(matches!(kept, Kept::Stored { fetched, healed: 0 } if fetched > 0), "{kept:?}");
    server.will([Fault::Unreachable]);
    let (second, kept) = visit(&server, &disk, &expecting(&sha256));
    assert_eq!(second.expect("it loads").fingerprint(), first.expect("it loads").fingerprint());
    assert_eq!(kept, Kept::Stored { fetched: 0, healed: 0 });
    // Not even for the tokenizer, of which the server said that there is none.
    assert!(server.asked.borrow().is_empty());
}

#[test]
fn weights_in_several_files_are_kept_as_one_file_is() {
    let weights = published_layout(1.0);
    let (server, [one, two]) = sharded_server(&weights);
    let list = [&one, &two].map(|shard| format!("{}  {shard}\n", sha256_of(&server.files[shard])));
    let sha256 = sha256_of(list.concat().as_bytes());
    let disk = Disk::default();
    let (model, kept) = visit(&server, &disk, &expecting(&sha256));
    let model = model.expect("it loads");
    assert_eq!((model.fingerprint(), model.shards()), (sha256.as_str(), Some(2)));
    assert_eq!(model.as_expected(), Some(true));
    assert!(matches!(kept, Kept::Stored { fetched, healed: 0 } if fetched > 0), "{kept:?}");
    // The next visit asks nobody, not even for the single file that there is not.
    server.will([Fault::Unreachable]);
    let (second, kept) = visit(&server, &disk, &expecting(&sha256));
    assert_eq!(second.expect("it loads").fingerprint(), sha256);
    assert_eq!(kept, Kept::Stored { fetched: 0, healed: 0 });
    assert!(server.asked.borrow().is_empty(), "{:?}", server.asked.borrow());

    // The same numbers as from one file.
    let logits = |model: &Model| {
        let experiment = Experiment::default();
        let question = Question {
            tokens: TokenPair::new(vec![0, 7, 9], vec![0, 8, 9], &SHAPE).expect("a pair"),
            answers: Answers::new(vec![5], vec![6], &SHAPE).expect("answers"),
            metric: Metric::LogitDiff,
            n_steps: Steps::Fixed(3),
        };
        let plan = Plan::of(vec![ComponentKind::Heads], Direction::Noising);
        let mut host = Listener::default();
        block_on(run(model, &question, experiment, &plan, 1, &mut host)).expect("it runs").tables
    };
    let whole = visit(&Server::new(weights), &Disk::default(), &Expected::default()).0;
    assert_eq!(logits(&model), logits(&whole.expect("it loads")));
}

#[test]
fn a_shard_that_a_server_lacks_is_named() {
    let (server, [_, two]) = sharded_server(&published_layout(1.0));
    let files = server.files.clone().into_iter().filter(|(name, _)| *name != two).collect();
    let server = Rc::new(Server { files, ..Server::default() });
    let (model, _) = visit(&server, &Disk::default(), &Expected::default());
    let Problem::Model { message } = problem(model) else {
        panic!("it is not the network's fault")
    };
    assert!(message.contains(&format!("{two} is missing")), "{message}");
}

#[test]
fn what_was_kept_and_is_no_model_is_asked_for_once_more() {
    let weights = published_layout(1.0);
    let disk = Disk::default();
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".to_vec();
    let (broken, mended) = (Server::new(pointer), Server::new(weights));
    assert!(matches!(
        problem(visit(&broken, &disk, &Expected::default()).0),
        Problem::Model { .. }
    ));
    // The server was mended: what is kept of before does not stand in the way.
    assert!(visit(&mended, &disk, &Expected::default()).0.is_ok());
}

#[test]
fn a_load_that_was_cut_off_goes_on_at_the_next_visit() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    let total = {
        server.will([Fault::None]);
        assert!(visit(&server, &Disk::default(), &expecting(&sha256)).0.is_ok());
        server.sent.get()
    };
    let disk = Disk::default();
    // Two runs of tensors arrive, then the network is gone for good.
    server.will([Fault::None, Fault::None, Fault::None, Fault::Unreachable]);
    let (model, _) = visit(&server, &disk, &expecting(&sha256));
    assert!(matches!(problem(model), Problem::Fetch { .. }));
    let before = server.sent.get();
    assert!(before > size / 5 && before < total, "{before} of {total}");
    server.will([Fault::None]);
    let (model, _) = visit(&server, &disk, &expecting(&sha256));
    assert_eq!(model.expect("it loads").fingerprint(), sha256);
    // Again: the head, which tells the size, and at most the part that was on its way.
    let after = server.sent.get();
    assert!(before + after < total + total / 10, "{before} and {after} of {total}");

    // Whatever is left of the journal after a power cut, the next visit has the right model.
    let (data, journal) = (disk.data.0.borrow().clone(), disk.journal.0.borrow().clone());
    for cut in (0..journal.len()).step_by(397) {
        let disk = Disk::default();
        disk.data.0.replace(data.clone());
        disk.journal.0.replace(journal[..cut].to_vec());
        let (model, _) = visit(&server, &disk, &expecting(&sha256));
        assert_eq!(model.expect("it loads").fingerprint(), sha256, "journal cut at {cut}");
        server.will([Fault::Unreachable]);
        assert!(visit(&server, &disk, &expecting(&sha256)).0.is_ok(), "journal cut at {cut}");
        server.will([Fault::None]);
    }
}

#[test]
fn damage_is_found_and_mended() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let server = Server::new(weights);
    let disk = Disk::default();
    assert!(visit(&server, &disk, &expecting(&sha256)).0.is_ok());
    let kept_bytes = disk.data.0.borrow().len();
    // In the configuration, in the header, in a weight, at the end, and a storage that lost its tail.
    for spoil in [3, 5000, kept_bytes / 2, kept_bytes - 1, usize::MAX] {
        // Without a digest that is known beforehand the first visit's counts.
        for expected in [expecting(&sha256), Expected::default()] {
            let damaged = Disk::default();
            damaged.data.0.replace(disk.data.0.borrow().clone());
            damaged.journal.0.replace(disk.journal.0.borrow().clone());
            if spoil < kept_bytes {
                damaged.data.0.borrow_mut()[spoil] ^= 0x40;
            } else {
                damaged.data.0.borrow_mut().truncate(kept_bytes - 1000);
            }
            server.will([Fault::Unreachable]);
            let offline = Disk::default();
            offline.data.0.replace(damaged.data.0.borrow().clone());
            offline.journal.0.replace(damaged.journal.0.borrow().clone());
            let (model, _) = visit(&server, &offline, &expected);
            assert!(matches!(problem(model), Problem::Fetch { .. }), "{spoil} is not believed");

            server.will([Fault::None]);
            let (model, _) = visit(&server, &damaged, &expected);
            assert_eq!(model.expect("it heals").fingerprint(), sha256, "{spoil}");
            let sent = server.sent.get();
            assert!(sent < kept_bytes as u64 / 2, "{spoil}: {sent} of {kept_bytes} fetched again");
            server.will([Fault::Unreachable]);
            assert!(visit(&server, &damaged, &expected).0.is_ok(), "{spoil} is mended for good");
        }
    }
}

#[test]
fn without_room_the_model_runs_from_memory() {
    let weights = published_layout(1.0);
    let sha256 = sha256_of(&weights);
    let server = Server::new(weights);
    for refusal in [Refusal::Throws, Refusal::WritesLess, Refusal::WritesNonsense] {
        let disk = Disk::default();
        disk.data.1.set(Some(refusal));
        let (model, kept) = visit(&server, &disk, &expecting(&sha256));
        assert_eq!(model.expect("it runs").fingerprint(), sha256);
        assert!(matches!(kept, Kept::Memory { .. }), "{kept:?}");
        // What fitted is used as soon as there is room for the rest.
        disk.data.1.set(None);
        let (model, kept) = visit(&server, &disk, &expecting(&sha256));
        assert_eq!(model.expect("it runs").fingerprint(), sha256);
        assert!(matches!(kept, Kept::Stored { .. }), "{kept:?}");
    }
    let shelf: Shelf<_, Memory> = Shelf::in_memory(remote(&server), "a private window");
    let device = DeviceKind::cpu("a test");
    let model =
        block_on(Model::load(&shelf, &expecting(&sha256), &device, &mut Listener::default()));
    assert_eq!(model.expect("it runs").fingerprint(), sha256);
    assert_eq!(shelf.kept(), Kept::Memory { reason: "a private window".to_owned() });
}

#[test]
fn another_file_than_expected_is_fetched_once_more_and_then_refused() {
    let weights = published_layout(1.0);
    let (sha256, size) = (sha256_of(&weights), weights.len() as u64);
    let server = Server::new(weights);
    let disk = Disk::default();
    let other = "ab".repeat(32);
    server.will([Fault::None]);
    let (model, _) = visit(&server, &disk, &expecting(&other));
    assert_eq!(problem(model), Problem::Digest { expected: other.clone(), got: sha256.clone() });
    assert!(server.sent.get() > size, "it was fetched again");
    assert!(server.sent.get() < 3 * size, "once");
    // The visitor says so: the weights are not fetched for it, and are known for what they are.
    server.will([Fault::None]);
    let expected = Expected { any_digest: true, ..expecting(&other) };
    let (model, _) = visit(&server, &disk, &expected);
    assert_eq!(model.expect("it loads").as_expected(), Some(false));
    assert_eq!(server.requests_of_weights(), 0);
    // Who does not say so is asked again.
    server.will([Fault::None]);
    let (model, _) = visit(&server, &disk, &expecting(&other));
    assert!(matches!(problem(model), Problem::Digest { .. }));
}

#[test]
fn masks_that_are_not_as_known_are_read_for_the_digest() {
    let weights = published_layout(0.5);
    let sha256 = sha256_of(&weights);
    let server = Server::new(weights);
    let disk = Disk::default();
    let (model, _) = visit(&server, &disk, &expecting(&sha256));
    assert_eq!(model.expect("it loads").as_expected(), Some(true));
    server.will([Fault::Unreachable]);
    let (model, _) = visit(&server, &disk, &expecting(&sha256));
    assert_eq!(model.expect("it loads without a network").as_expected(), Some(true));
}

#[test]
fn a_tensor_in_parts_is_the_tensor() {
    let weights = published_layout(1.0);
    let header = WeightPlan::header_len(&weights[..64], weights.len() as u64).expect("a header");
    let header = &weights[8..8 + header as usize];
    let config = Gpt2Config::new(SHAPE, 0);
    let plan = WeightPlan::new(header, weights.len() as u64, &config).expect("a plan");
    let logits = |most: u64| {
        let mut builder = Gpt2Builder::new(config.clone(), [&plan], on_cpu(DType::F32));
        let parts = plan.parts(most);
        // Nothing of the file is left out.
        let mut at = 8 + header.len() as u64;
        for part in &parts {
            assert_eq!(part.range().start, at);
            at = part.range().end;
            if let Part::Tensor(tensor, range) = part {
                let bytes = &weights[range.start as usize..range.end as usize];
                builder.push(tensor, bytes).expect("it fits");
            }
        }
        assert_eq!(at, weights.len() as u64);
        let model = builder.finish().expect("it is complete");
        (parts.len(), values(&model.forward(model.tokens(&[&[1, 999, 5, 0]]))))
    };
    let (fewest, whole) = logits(u64::MAX);
    assert_eq!(fewest, 3 + 4 + 12 * 3);
    for most in [1, 500, 5000] {
        let (parts, logits) = logits(most);
        assert!(parts > fewest, "{parts} parts of {most}");
        assert_eq!(logits, whole);
    }
}

#[test]
fn the_fixture_of_the_hub_has_the_digest_of_its_file() {
    let bytes = std::fs::read(fixture("hub-layout/model.safetensors")).expect("a fixture");
    let folder = twinbeam_batch::Folder(fixture("hub-layout"));
    let expected = expecting(&sha256_of(&bytes));
    let device = DeviceKind::cpu("a test");
    let model = block_on(Model::load(&folder, &expected, &device, &mut Listener::default()));
    assert_eq!(model.expect("it loads").as_expected(), Some(true));
}
