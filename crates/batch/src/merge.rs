//! All parts of a result as one: what a single process would have written, to the last digit.

use std::path::{Path, PathBuf};

use twinbeam_core::scores::Unit;
use twinbeam_core::scores::many::{Merged, Merging};

use crate::entry::{ReadCase, read_line};
use crate::part::{Header, ReadPart};
use crate::{Error, ListFile, PartError};

/// What is made of the parts.
#[derive(Debug, Clone, Copy)]
pub struct Merge<'a> {
    /// File for the list of all cases, as one process writes it.
    pub out: Option<&'a Path>,
    /// The unit of the summary's means.
    pub unit: Unit,
}

/// Puts the parts of a result together. Returns what all cases have in common, and how many failed.
///
/// Cases are taken in the order of the list, one after the other, as one process does it: so the sums are added up in
/// the same order, and have the same rounding. One part is in memory at a time.
///
/// # Errors
/// [`PartError`]: files that are no parts, parts of different results, one share twice or not at all, or a list that would
/// take the name of a part; nothing is written then. [`Error::File`]: one cannot be read, or the result not be written.
pub fn merge(parts: &[PathBuf], Merge { out, unit }: Merge<'_>) -> Result<(Merged, usize), Error> {
    if let Some(out) = out {
        is_no_part(out, parts)?;
    }
    let (ordered, Header { inputs, d_model, .. }) = in_order(parts)?;
    let no_part = |path: &Path, cause: &str| PartError::NoPart {
        path: path.to_owned(),
        cause: cause.to_owned(),
    };
    let metric = inputs.metric().ok_or_else(|| no_part(ordered[0], "it names no metric"))?;
    let mut list = out.map(ListFile::create).transpose()?;
    let mut merging = Merging::new(metric, unit, d_model);
    let mut failed = 0;
    for path in ordered {
        let part = ReadPart::open(path)?;
        failed += part.failed;
        for line in part.lines() {
            if let Some(list) = &mut list {
                list.push_line(line)?;
            }
            let read = read_line(line, metric, d_model);
            match read.map_err(|source| no_part(path, &source.to_string()))? {
                ReadCase::Result(case) => {
                    merging.add(&case);
                }
                ReadCase::Failure { name, error } => merging.leave_out(name, error),
            }
        }
    }
    list.map_or(Ok(()), ListFile::close)?;
    Ok((merging.merged(), failed))
}

/// That a file which is to be written is none of the parts.
///
/// # Errors
/// [`PartError::IsPart`].
pub fn is_no_part(file: &Path, parts: &[PathBuf]) -> Result<(), PartError> {
    // One that is not there yet is none of them.
    let Ok(real) = file.canonicalize() else { return Ok(()) };
    if parts.iter().any(|part| part.canonicalize().is_ok_and(|part| part == real)) {
        return Err(PartError::IsPart { path: file.to_owned() });
    }
    Ok(())
}

/// The parts in the order of their shares, and what they all begin with.
fn in_order(parts: &[PathBuf]) -> Result<(Vec<&Path>, Header), Error> {
    let mut found: Vec<(Header, &Path)> = Vec::new();
    for path in parts {
        let ReadPart { header, .. } = ReadPart::open(path)?;
        if let Some((first, one)) = found.first() {
            let unlike = |(name, one_has, other_has)| {
                let (one, other) = ((*one).to_owned(), path.clone());
                PartError::Unlike { one, other, name, one_has, other_has }
            };
            let shares = |header: &Header| header.shard.of();
            if let Some(difference) = first.inputs.difference(&header.inputs) {
                return Err(unlike(difference).into());
            }
            if shares(first) != shares(&header) {
                let [one, other] = [first, &header].map(|header| shares(header).to_string());
                return Err(unlike(("the number of shares".to_owned(), one, other)).into());
            }
        }
        found.push((header, path));
    }
    found.sort_by_key(|(header, _)| header.shard);
    if let Some([(header, one), (_, other)]) =
        found.array_windows().find(|[(one, _), (other, _)]| one.shard == other.shard)
    {
        let [one, other] = [*one, *other].map(Path::to_owned);
        return Err(PartError::Twice { one, other, shard: header.shard }.into());
    }
    let Some((header, _)) = found.first().cloned() else { return Err(PartError::Nothing.into()) };
    let of = header.shard.of();
    let is_there = |place: &usize| found.iter().any(|(header, _)| header.shard.place() == *place);
    let missing: Vec<usize> = (1..=of).filter(|place| !is_there(place)).collect();
    if !missing.is_empty() {
        return Err(PartError::Missing { missing, of }.into());
    }
    Ok((found.into_iter().map(|(_, path)| path).collect(), header))
}
