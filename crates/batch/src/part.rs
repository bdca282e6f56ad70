//! A shard of a list and its file: which cases it has, what it was made of, and when it is whole.
//!
//! The file is JSON with a line per case, so that it can be read line by line: the first line has all that its numbers
//! depend on ([`Inputs`]), the last one how many cases failed.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use twinbeam_core::prompts::lists::BadRow;
use twinbeam_core::words::Metric;
use twinbeam_engine::DeviceKind;

use crate::entry::line_of;
use crate::store::{NewFile, hexadecimal, sha256_of};
use crate::{Case, Compared, Error, Models, Settings};

/// One of the shares of a list: the `place`th of `of`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    place: usize,
    of: usize,
}

impl Shard {
    /// Most shards of a list.
    pub const MOST: usize = 1_000_000;

    /// The `place`th of `of` shares, from 1; `None` where there is no such share.
    pub const fn new(place: usize, of: usize) -> Option<Self> {
        if 1 <= place && place <= of && of <= Self::MOST { Some(Self { place, of }) } else { None }
    }

    /// Its place, from 1.
    pub const fn place(self) -> usize {
        self.place
    }

    /// How many shares there are.
    pub const fn of(self) -> usize {
        self.of
    }

    /// Which of `n` cases are in it, from 0: neighbours, so that the shares in their order are the list. Their numbers
    /// differ by one at most.
    pub const fn range(self, n: usize) -> Range<usize> {
        let Self { place, of } = self;
        n * (place - 1) / of..n * place / of
    }
}

/// Writes place and number with a stroke between them, as in `2/8`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = PartError;

    fn try_from(text: String) -> Result<Self, PartError> {
        text.parse()
    }
}

impl FromStr for Shard {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, PartError> {
        let numbers = text.split_once('/');
        let shard =
            numbers.and_then(|(place, of)| Self::new(place.parse().ok()?, of.parse().ok()?));
        shard.ok_or_else(|| PartError::NoShard { got: text.to_owned() })
    }
}

/// All that the numbers of a part depend on, by name: what differs can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs(BTreeMap<String, String>);

impl Inputs {
    /// What a list is compared with: `cases` is the whole list, not one share of it.
    pub fn of(cases: &[Case], models: &Models, device: &DeviceKind, settings: &Settings) -> Self {
        let Settings { prepend_bos, metric, n_steps, directions, neurons, parts } = settings;
        let names = |names: Vec<&str>| names.join(",");
        let report = device.report();
        let device = if report.gpu { report.name.clone() } else { "CPU".to_owned() };
        let precision = models.model().precision().to_owned();
        let mut all = BTreeMap::from([
            ("version of twinbeam".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("number of cases".to_owned(), cases.len().to_string()),
            ("sha256 of the cases".to_owned(), digest(cases)),
            ("sha256 of the weights".to_owned(), models.model().fingerprint().to_owned()),
            ("<|endoftext|> in front".to_owned(), prepend_bos.to_string()),
            ("metric".to_owned(), metric.id().to_owned()),
            ("n_steps".to_owned(), n_steps.to_string()),
            ("directions".to_owned(), names(directions.iter().map(|d| d.id()).collect())),
            ("neurons".to_owned(), neurons.to_string()),
            ("nodes".to_owned(), names(parts.iter().map(|part| part.id()).collect())),
            ("device".to_owned(), device),
            ("precision".to_owned(), precision),
        ]);
        for (file, bytes) in models.model().words().files() {
            all.insert(format!("sha256 of {file}"), sha256_of(bytes));
        }
        Self(all)
    }

    /// The metric, whose unit the scores have; `None` in a file of another program's.
    pub(crate) fn metric(&self) -> Option<Metric> {
        let id = self.0.get("metric")?;
        Metric::ALL.into_iter().find(|metric| metric.id() == id)
    }

    /// Number of all cases.
    pub(crate) fn n_cases(&self) -> Option<usize> {
        self.0.get("number of cases")?.parse().ok()
    }

    /// The first thing in which two differ: its name, what it is here, and what it is there.
    pub(crate) fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let nothing = || "not there".to_owned();
        let names = self.0.keys().chain(other.0.keys());
        names.into_iter().find_map(|name| {
            let (here, there) = (self.0.get(name), other.0.get(name));
            let said = |value: Option<&String>| value.cloned().unwrap_or_else(nothing);
            (here != there).then(|| (name.clone(), said(here), said(there)))
        })
    }
}

/// SHA-256 of a list: of its pairs as they were read, and of the reasons of rows that are none.
fn digest(cases: &[Case]) -> String {
    let line = |case: &Case| match case {
        // OK because a pair is text.
        Ok(pair) => serde_json::to_string(pair).unwrap_or_default(),
        Err(bad @ BadRow { name, .. }) => format!("{name}: {bad}"),
    };
    let mut sha256 = Sha256::new();
    for (place, case) in cases.iter().enumerate() {
        sha256.update(if place == 0 { "" } else { "\n" });
        sha256.update(line(case));
    }
    hexadecimal(&sha256.finalize())
}

/// Why a part of a result cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// A share that there is not.
    #[error(
        "{got} is no share of a list: choose 1/8 to 8/8, for eight of them, and at most {} ",
        Shard::MOST
    )]
    NoShard {
        /// What was asked for.
        got: String,
    },
    /// The file is no part of a result.
    #[error("{}: this is no part of a result ({cause}): choose files that compare --shard has written", path.display())]
    NoPart {
        /// The file.
        path: PathBuf,
        /// In the parser's words, or which line is missing.
        cause: String,
    },
    /// A part that is there was made of something else than is asked for now.
    #[error(
        "{} is there already, of other inputs: {name} is {there} in it and {here} now. Nothing was computed: move it away, \
         or choose another name",
        path.display()
    )]
    OtherInputs {
        /// The file.
        path: PathBuf,
        /// What differs.
        name: String,
        /// What it is in the file.
        there: String,
        /// What it is now.
        here: String,
    },
    /// Two parts were not made of the same inputs.
    #[error(
        "{} and {} are parts of different results: {name} is {one_has} in one and {other_has} in the other",
        one.display(),
        other.display()
    )]
    Unlike {
        /// A part.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        /// What differs.
        name: String,
        /// What it is in the one.
        one_has: String,
        /// What it is in the other.
        other_has: String,
    },
    /// Two files are the same share.
    #[error("{} and {} are both share {shard}: leave one of them out", one.display(), other.display())]
    Twice {
        /// A file.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        /// The share.
        shard: Shard,
    },
    /// Shares of the list are not among the files.
    #[error("{} of {of} shares {} missing: {}. Run compare --shard for each of them, then merge again", missing.len(), if missing.len() == 1 { "is" } else { "are" }, list(missing, *of))]
    Missing {
        /// Their places, from 1.
        missing: Vec<usize>,
        /// How many shares there are.
        of: usize,
    },
    /// The result would be written over a part.
    #[error("{} is one of the parts, which would be lost: choose another name for the result", path.display())]
    IsPart {
        /// The file.
        path: PathBuf,
    },
    /// What has a share's name was cut off, or is something else.
    #[error(
        "{} is there already, and is no share of a list ({cause}). Nothing was computed: remove it and run the same again, or choose \
         another name",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In the parser's words, or which line is missing.
        cause: String,
    },
    /// No file was given.
    #[error("there is no part to merge: name the files that compare --shard has written")]
    Nothing,
}

/// The first of many shares.
fn list(missing: &[usize], of: usize) -> String {
    const SAID: usize = 8;
    let said: Vec<String> =
        missing.iter().take(SAID).map(|place| format!("{place}/{of}")).collect();
    let more = if missing.len() > SAID { ", ..." } else { "" };
    format!("{}{more}", said.join(", "))
}

/// What stands in front of the cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) shard: Shard,
    pub(crate) inputs: Inputs,
    /// Width of the model's residual stream.
    pub(crate) d_model: usize,
}

/// What stands behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Footer {
    failed: usize,
}

/// The file of a shard, which gets its name when it is whole.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    file: NewFile,
    writer: BufWriter<File>,
    n: usize,
    failed: usize,
}

impl Part {
    /// Whether a shard is done: how many of its cases failed; `None`: it is not there. A file that was cut off never
    /// got its name, so one that has it is whole.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be read. [`PartError::Damaged`], [`PartError::OtherInputs`]: another file has the
    /// name.
    pub fn done(path: &Path, shard: Shard, inputs: &Inputs) -> Result<Option<usize>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        let opened = ReadPart::open(path).map_err(|error| match error {
            Error::Part(PartError::NoPart { path, cause }) => {
                PartError::Damaged { path, cause }.into()
            }
            error => error,
        });
        let ReadPart { header, failed, .. } = opened?;
        let of_shards =
            |shard: Shard| Inputs(BTreeMap::from([("the share".to_owned(), shard.to_string())]));
        let differs = header.inputs.difference(inputs);
        let differs = differs.or_else(|| of_shards(header.shard).difference(&of_shards(shard)));
        match differs {
            None => Ok(Some(failed)),
            Some((name, there, here)) => {
                Err(PartError::OtherInputs { path: path.to_owned(), name, there, here }.into())
            }
        }
    }

    /// Begins the file of a shard.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be made.
    pub fn create(
        path: &Path,
        shard: Shard,
        inputs: &Inputs,
        models: &Models,
    ) -> Result<Self, Error> {
        let (file, writer) = NewFile::create(path)?;
        let mut part = Self { path: path.to_owned(), file, writer, n: 0, failed: 0 };
        let d_model = models.model().shape().d_model;
        let header = Header { shard, inputs: inputs.clone(), d_model };
        // OK because keys are text and all else has a form in JSON.
        let header = serde_json::to_string(&header).unwrap_or_default();
        part.write(&format!("{{\"part\": {header}, \"cases\": [\n"))?;
        Ok(part)
    }

    /// Adds what was found of a case, or why nothing was. Cases come in the order of the list.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written.
    pub fn push(&mut self, name: &str, result: Result<&Compared, &str>) -> Result<(), Error> {
        self.failed += usize::from(result.is_err());
        let begin = if self.n == 0 { "" } else { ",\n" };
        self.n += 1;
        self.write(&format!("{begin}{}", line_of(name, result)))
    }

    /// Gives the file its name, now that all of it is on the disk. Returns how many cases failed.
    ///
    /// # Errors
    /// [`Error::File`]: it cannot be written, or not renamed.
    pub fn close(mut self) -> Result<usize, Error> {
        let failed = self.failed;
        let end = if self.n == 0 { "" } else { "\n" };
        self.write(&format!("{end}], \"failed\": {failed}}}\n"))?;
        self.file.written(self.writer)?;
        self.file.name()?;
        Ok(failed)
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.writer.write_all(text.as_bytes()).map_err(Error::file("writing", &self.path))
    }
}

/// A shard's file, as it was written.
#[derive(Debug)]
pub(crate) struct ReadPart {
    pub(crate) header: Header,
    pub(crate) failed: usize,
    text: String,
}

impl ReadPart {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file("reading", path))?;
        let no_part = |cause: String| PartError::NoPart { path: path.to_owned(), cause };
        let cut = || no_part("its first or its last line is missing".to_owned());
        let first = text.lines().next().and_then(|line| line.strip_prefix("{\"part\": "));
        let first = first.and_then(|line| line.strip_suffix(", \"cases\": [")).ok_or_else(cut)?;
        let last = text.lines().next_back().and_then(|line| line.strip_prefix("], "));
        let last = format!("{{{}", last.ok_or_else(cut)?);
        let parsed = |source: serde_json::Error| no_part(source.to_string());
        let header: Header = serde_json::from_str(first).map_err(parsed)?;
        let Footer { failed } = serde_json::from_str(&last).map_err(parsed)?;
        let part = Self { header, failed, text };
        let wanted = part.header.inputs.n_cases().map(|n| part.header.shard.range(n).len());
        let n = part.lines().count();
        if wanted != Some(n) {
            let wanted = wanted.unwrap_or_default();
            return Err(no_part(format!("it has {n} cases, and its share {wanted}")).into());
        }
        Ok(part)
    }

    /// Its cases in the order of the list, a line of JSON each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        let between = self.text.lines().skip(1).filter(|line| !line.starts_with("], "));
        between.map(|line| line.strip_suffix(',').unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_in_their_order_are_the_list() {
        for n in [0, 1, 7, 8, 9, 1000] {
            for of in [1, 2, 7, 8, 1000] {
                let ranges = (1..=of).map(|place| Shard::new(place, of).expect("a share").range(n));
                let ranges: Vec<_> = ranges.collect();
                assert!(ranges.iter().cloned().flatten().eq(0..n), "{n} in {of}: {ranges:?}");
                let sizes = || ranges.iter().map(ExactSizeIterator::len);
                assert!(sizes().max() <= sizes().min().map(|least| least + 1), "{n} in {of}");
            }
        }
    }

    #[test]
    fn a_share_is_written_with_a_stroke_and_counts_from_one() {
        assert_eq!("2/8".parse(), Ok(Shard { place: 2, of: 8 }));
        assert_eq!(Shard { place: 2, of: 8 }.to_string(), "2/8");
        for text in ["0/8", "9/8", "1", "1/0", "a/b", "1/2/3", "-1/2", "1/2000000", ""] {
            let error = text.parse::<Shard>().expect_err(text).to_string();
            assert!(error.contains(text) && error.contains("choose 1/8 to 8/8"), "{error}");
        }
    }

    #[test]
    fn of_many_missing_shares_the_first_are_named() {
        let said = |missing: Vec<usize>| PartError::Missing { missing, of: 20 }.to_string();
        assert!(said(vec![3]).starts_with("1 of 20 shares is missing: 3/20. Run"));
        assert!(
            said((1..=9).collect())
                .contains("are missing: 1/20, 2/20, 3/20, 4/20, 5/20, 6/20, 7/20, 8/20, ....")
        );
    }
}
