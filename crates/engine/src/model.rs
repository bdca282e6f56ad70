//! A model that is ready to run: loaded from its files, checked, and on its device.

use burn::tensor::{Device, Tensor, TensorCreationOptions};
use twinbeam_attribution::{Budget, RunPair};
use twinbeam_core::models::ModelShape;
use twinbeam_core::wire::Expected;
use twinbeam_gpt2::Gpt2;

use crate::source::fetched;
use crate::watch::Watch;
use crate::weights::{Masks, Weights};
use crate::words::{Words, read_small};
use crate::{ByteSource, DeviceKind, Error, Host, Keeper, Question};

/// A model that is ready to run, from a Hugging Face directory.
#[derive(Debug)]
pub struct Model {
    pub(crate) gpt2: Gpt2,
    /// Whether the model says what it has computed, so that a sample can be computed again elsewhere.
    pub(crate) claims: bool,
    /// How much of the device a batch may take; `None`: what fits a CPU.
    budget: Option<Budget>,
    pub(crate) watch: Watch,
    words: Words,
    pub(crate) fingerprint: String,
    /// Number of files that the weights are in; `None`: one, as usual.
    shards: Option<usize>,
    as_expected: Option<bool>,
}

impl Model {
    /// Reads `config.json`, `model.safetensors` and, if they are there, the files of a tokenizer. Where there is no
    /// `model.safetensors`, weights are those of the files that `model.safetensors.index.json` lists. They are
    /// read part by part, straight to the device.
    ///
    /// Where the weights are not the expected ones, damage in what is kept is looked for, then the causal
    /// masks are read, which are taken for granted at first, then everything is read anew, once.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what a GPT-2 needs, or not the expected one; nothing is half
    /// loaded.
    pub async fn load(
        source: &impl ByteSource,
        expected: &Expected,
        device: &DeviceKind,
        host: &mut impl Host,
    ) -> Result<Self, Error> {
        let keeper = source.keeper();
        let heal = || keeper.is_some_and(Keeper::heal);
        let discard = || keeper.is_some_and(Keeper::discard);
        let mut masks = Masks::Known;
        let mut discarded = false;
        loop {
            let (mut model, has_masks) = match read(source, device, masks, host).await {
                Ok(read) => read,
                Err(error) if error.is_of_bytes() && heal() => continue,
                // What an earlier visit has kept may have been mended where it came from.
                Err(error) if error.is_of_bytes() && fetched(source) == 0 && !discarded => {
                    discarded = true;
                    if discard() {
                        continue;
                    }
                    return Err(error);
                }
                Err(error) => return Err(error),
            };
            let got = &model.fingerprint;
            let before = keeper.and_then(Keeper::completed);
            if before.is_some_and(|before| before.sha256 != *got) && heal() {
                continue;
            }
            model.as_expected = expected.sha256.as_ref().map(|expected| expected == got);
            match &expected.sha256 {
                Some(expected_sha256) if expected_sha256 != got && !expected.any_digest => {
                    if heal() {
                        continue;
                    }
                    if has_masks && masks == Masks::Known {
                        masks = Masks::Read;
                        continue;
                    }
                    if !discarded && discard() {
                        discarded = true;
                        continue;
                    }
                    let (expected, got) = (expected_sha256.clone(), got.clone());
                    return Err(Error::Digest { expected, got });
                }
                _ => {}
            }
            if let Some(keeper) = keeper {
                keeper.complete(got, model.as_expected);
            }
            return Ok(model);
        }
    }

    /// A model without files, that says what it has computed.
    #[cfg(test)]
    pub(crate) fn without_files(gpt2: Gpt2) -> Self {
        Self {
            words: Words::without_tokenizer(gpt2.config()),
            gpt2,
            claims: true,
            budget: None,
            watch: Watch::default(),
            fingerprint: String::new(),
            shards: None,
            as_expected: None,
        }
    }

    /// Both prompts of a question, run once, with batches that fit the device.
    pub(crate) async fn runs(&self, question: &Question) -> Result<RunPair<'_>, Error> {
        let Question { tokens, answers, metric, .. } = question;
        let pair = RunPair::new(&self.gpt2, tokens, answers.clone(), *metric).await?;
        Ok(match self.budget {
            Some(budget) => pair.within(budget),
            None => pair,
        })
    }

    /// This model cut off after its first layers, at least one: what a benchmark grows with.
    #[must_use]
    pub fn cut_after(&self, n_layers: usize) -> Self {
        let gpt2 = self.gpt2.cut_after(n_layers);
        Self {
            words: Words::without_tokenizer(gpt2.config()),
            gpt2,
            claims: self.claims,
            budget: self.budget,
            watch: self.watch.clone(),
            fingerprint: self.fingerprint.clone(),
            shards: self.shards,
            as_expected: self.as_expected,
        }
    }

    /// Whether the weights have the expected digest; `None`: none was expected.
    pub const fn as_expected(&self) -> Option<bool> {
        self.as_expected
    }

    /// Whether a GPU runs the model.
    pub(crate) fn is_on_gpu(&self) -> bool {
        self.gpt2.device() != Device::flex()
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &ModelShape {
        self.gpt2.shape()
    }

    /// SHA-256 of `model.safetensors`, in hexadecimal. Of weights in several files it is that of what `sha256sum`
    /// prints of them in the order of their names: a line for each with its digest, two spaces and its name.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Number of files that the weights are in, where an index lists them.
    pub const fn shards(&self) -> Option<usize> {
        self.shards
    }

    /// Type of the numbers that it computes with: `f32` or `f64`.
    pub fn precision(&self) -> &'static str {
        if self.gpt2.is_double() { "f64" } else { "f32" }
    }

    /// What reads text for the model.
    pub const fn words(&self) -> &Words {
        &self.words
    }

    /// The small files that the model was read from, by their names, for others to read: they are given away once.
    pub fn take_small_files(&mut self) -> Vec<(&'static str, Vec<u8>)> {
        self.words.take_files()
    }

    /// Text of one token; its number where nothing reads text.
    pub(crate) fn token_text(&self, id: u32) -> String {
        self.words.token_text(id)
    }
}

/// A model on the CPU without its blocks, with what reads them. Its digest is not known: nobody has read all of it.
pub(crate) async fn without_blocks(
    source: &impl ByteSource,
    device: &DeviceKind,
) -> Result<(Model, Weights), Error> {
    let (config, words) = read_small(source).await?;
    let options = device.options(&config.shape);
    let weights = Weights::open(source, config).await?;
    let gpt2 = weights.read_without_blocks(source, &options).await?;
    let model = Model {
        gpt2,
        claims: false,
        budget: None,
        watch: device.watch().clone(),
        words,
        fingerprint: String::new(),
        shards: weights.shards(),
        as_expected: None,
    };
    Ok((model, weights))
}

/// A model from its files, and whether its weights come with causal masks.
async fn read(
    source: &impl ByteSource,
    device: &DeviceKind,
    masks: Masks,
    host: &mut impl Host,
) -> Result<(Model, bool), Error> {
    let (config, words) = read_small(source).await?;
    let shape = config.shape;
    let weights = Weights::open(source, config).await?;
    let options = device.options(&shape);
    let mut step = device.watch().begin();
    let read = weights.read(source, masks, &options, host).await;
    let (gpt2, fingerprint) = step.settle(read).await?;
    let watch = device.watch().clone();
    let (budget, as_expected) = (device.budget(), None);
    let model = Model {
        gpt2,
        claims: device.is_checked(),
        budget,
        watch,
        words,
        fingerprint,
        shards: weights.shards(),
        as_expected,
    };
    Ok((model, weights.has_masks()))
}

/// Waits until the device has what was sent to it: a read comes after everything that was written.
pub(crate) async fn arrival(options: &TensorCreationOptions) -> Result<(), Error> {
    let sign = Tensor::<1>::from_data([0.0], options.clone());
    sign.into_data_async().await.map_err(|source| Error::Device(source.to_string()))?;
    Ok(())
}
