//! A share of a list, from its first case to its file.

use std::path::Path;

use twinbeam_engine::{DeviceKind, Host};

use crate::{Case, Compared, Error, Inputs, Models, Part, Settings, Shard, compare, name_of};

/// What is heard of a share while it is computed.
#[derive(Debug)]
pub enum Step<'a> {
    /// It was not done before, and is now begun.
    Begun,
    /// A case is begun.
    Case(&'a str),
    /// It was compared.
    Found(&'a str, &'a Compared),
}

/// How a share has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How many of its cases failed. The file says why.
    pub failed: usize,
    /// Whether it was done before, so that nothing was computed.
    pub before: bool,
}

/// Compares one share of a list, and writes its file, which gets its name when it is whole. Where it is there already, of
/// the same cases, model and options, nothing is computed.
///
/// # Errors
/// [`PartError`](crate::PartError): another file has the name. [`Error::is_of_case`] says which errors are a case's: those
/// stand in the file. All others, as of a device that is lost, end the share, whose file then gets no name.
pub fn compare_share<H: Host>(
    (models, device): (&Models, &DeviceKind),
    (cases, settings): (&[Case], &Settings),
    (shard, out): (Shard, &Path),
    host: &mut H,
    mut hear: impl FnMut(&mut H, Step<'_>),
) -> Result<Done, Error> {
    let inputs = Inputs::of(cases, models, device, settings);
    if let Some(failed) = Part::done(out, shard, &inputs)? {
        return Ok(Done { failed, before: true });
    }
    let range = shard.range(cases.len());
    has_beginning(models, &cases[range.clone()], settings)?;
    hear(host, Step::Begun);
    let mut part = Part::create(out, shard, &inputs, models)?;
    for (index, case) in range.clone().zip(&cases[range]) {
        let name = name_of(case, index);
        hear(host, Step::Case(&name));
        let pair = match case {
            Ok(pair) => pair.clone(),
            Err(bad) => {
                part.push(&name, Err(&bad.to_string()))?;
                continue;
            }
        };
        match compare(models, pair, settings, host) {
            Ok(compared) => {
                hear(host, Step::Found(&name, &compared));
                part.push(&name, Ok(&compared))?;
            }
            Err(error) if error.is_of_case() => part.push(&name, Err(&error.to_string()))?,
            Err(error) => return Err(error),
        }
    }
    Ok(Done { failed: part.close()?, before: false })
}

/// That prompts which are text have what is put in front of them.
///
/// # Errors
/// A model without `<|endoftext|>`, where it is wanted.
pub fn has_beginning(models: &Models, cases: &[Case], settings: &Settings) -> Result<(), Error> {
    let is_text = |case: &Case| case.as_ref().is_ok_and(|pair| !pair.written.prompts_are_ids());
    if settings.prepend_bos && cases.iter().any(is_text) {
        models.model().words().bos()?;
    }
    Ok(())
}
