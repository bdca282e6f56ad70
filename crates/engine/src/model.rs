use std::cell::OnceCell;

use burn::tensor::{Device, Tensor, TensorCreationOptions};
use sha2::{Digest as _, Sha256};
use twinbeam_attribution::{Budget, RunPair};
use twinbeam_core::{
    Event, Expected, FetchFault, ModelFiles, Phase, PromptError, TokenizerNote, TokenizerReport,
};
use twinbeam_gpt2::{
    Gpt2, Gpt2Builder, Gpt2Config, Part, PrefixSpace, Reading, Tokenizer, TokenizerError,
    TokenizerFiles, WeightPlan,
};

use crate::shelf::hexadecimal;
use crate::watch::Watch;
use crate::{ByteSource, DeviceKind, Error, Host, Question, SourceError};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";

/// Largest `config.json` that is read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Largest file of a tokenizer that is read; GPT-2's `tokenizer.json` has 1.4 MB.
const MAX_TOKENIZER_BYTES: u64 = 16 << 20;
/// Bytes of the weights that are read at a time.
const PART_BYTES: u64 = 8 << 20;
/// Bytes on their way to a GPU before it is waited for.
const UPLOAD_BYTES: u64 = 32 << 20;

/// A model that is ready to run, from a Hugging Face directory.
#[derive(Debug)]
pub struct Model {
    pub(crate) gpt2: Gpt2,
    /// The same on the CPU, where results are checked.
    pub(crate) twin: OnceCell<Gpt2>,
    /// How the twin is to be made, if there is to be one.
    twin_options: Option<TensorCreationOptions>,
    /// How much of the device a batch may take; `None`: what fits a CPU.
    budget: Option<Budget>,
    pub(crate) watch: Watch,
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) fingerprint: String,
    as_expected: Option<bool>,
    masks: Masks,
}

/// How the digest of a file takes in its causal masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Masks {
    /// As what they must be, without reading them.
    Known,
    /// As what they are.
    Read,
}

impl Model {
    /// Reads `config.json`, `model.safetensors` and, if they are there, the files of a tokenizer. Weights are
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
        let mut masks = Masks::Known;
        let mut discarded = false;
        loop {
            let (mut model, has_masks) = match read(source, device, masks, host).await {
                Ok(read) => read,
                Err(error) if error.is_of_bytes() && source.heal() => continue,
                Err(error) => return Err(error),
            };
            let got = &model.fingerprint;
            let before = source.completed();
            if before.is_some_and(|before| before.sha256 != *got) && source.heal() {
                continue;
            }
            model.as_expected = expected.sha256.as_ref().map(|expected| expected == got);
            match &expected.sha256 {
                Some(expected_sha256) if expected_sha256 != got && !expected.any_digest => {
                    if source.heal() {
                        continue;
                    }
                    if has_masks && masks == Masks::Known {
                        masks = Masks::Read;
                        continue;
                    }
                    if !discarded && source.discard() {
                        discarded = true;
                        continue;
                    }
                    let (expected, got) = (expected_sha256.clone(), got.clone());
                    return Err(Error::Digest { expected, got });
                }
                _ => {}
            }
            source.complete(got, model.as_expected);
            return Ok(model);
        }
    }

    /// Whether results are to be checked by a copy on the CPU that is not there yet.
    pub fn wants_twin(&self) -> bool {
        self.twin_options.is_some() && self.twin.get().is_none()
    }

    /// Reads the weights once more, for the copy on the CPU that checks results. Without it, results are
    /// shown as not checked.
    ///
    /// # Errors
    /// As [`Self::load`]; files that have changed since; memory that is not there.
    pub async fn load_twin(
        &self,
        source: &impl ByteSource,
        job: u64,
        host: &mut impl Host,
    ) -> Result<(), Error> {
        let Some(options) = self.twin_options.clone() else {
            return Ok(());
        };
        let weights = Weights::open(source, *self.gpt2.config()).await?;
        let read = weights.read(source, self.masks, &[options], (job, host)).await;
        let (models, got) = read?;
        if got != self.fingerprint {
            return Err(Error::Digest { expected: self.fingerprint.clone(), got });
        }
        for twin in models {
            // The first stays, if there were two: they are equal.
            self.twin.set(twin).ok();
        }
        Ok(())
    }

    /// A model without files, and its copy.
    #[cfg(test)]
    pub(crate) fn checked_by(gpt2: Gpt2, twin: Gpt2) -> Self {
        Self {
            gpt2,
            twin: OnceCell::from(twin),
            twin_options: None,
            budget: None,
            watch: Watch::default(),
            tokenizer: None,
            fingerprint: String::new(),
            as_expected: None,
            masks: Masks::Known,
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

    /// The same cut off after its first layers, at least one: what a benchmark grows with. It is not checked
    /// by a copy on the CPU.
    #[must_use]
    pub fn cut_after(&self, n_layers: usize) -> Self {
        Self {
            gpt2: self.gpt2.cut_after(n_layers),
            twin: OnceCell::new(),
            twin_options: None,
            budget: self.budget,
            watch: self.watch.clone(),
            tokenizer: None,
            fingerprint: self.fingerprint.clone(),
            as_expected: self.as_expected,
            masks: self.masks,
        }
    }

    /// Whether the weights have the expected digest; `None`: none was expected.
    pub const fn as_expected(&self) -> Option<bool> {
        self.as_expected
    }

    /// Whether a GPU runs it.
    pub(crate) fn is_on_gpu(&self) -> bool {
        self.gpt2.device() != Device::flex()
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &twinbeam_core::ModelShape {
        self.gpt2.shape()
    }

    /// SHA-256 of `model.safetensors`, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Text of one token; its number where the tokenizer has none for it, or there is no tokenizer.
    pub(crate) fn token_text(&self, id: u32) -> String {
        match &self.tokenizer {
            Some(tokenizer) if tokenizer.contains(id) => tokenizer.decode(&[id]),
            _ => format!("#{id}"),
        }
    }

    /// Whether a token is found in texts as it stands: a special or an added one.
    pub(crate) fn is_special(&self, id: u32) -> bool {
        self.tokenizer.as_ref().is_some_and(|tokenizer| tokenizer.is_added(id))
    }

    /// The token that goes in front of prompts: the tokenizer's, as TransformerLens has it, else that of `config.json`.
    ///
    /// # Errors
    /// One that the model does not have.
    pub(crate) fn bos(&self) -> Result<u32, Error> {
        let id = self.named_bos();
        let d_vocab = self.shape().d_vocab;
        if id as usize >= d_vocab {
            let text = self.token_text(id);
            return Err(PromptError::BosNotInModel { text, id, d_vocab }.into());
        }
        Ok(id)
    }

    /// The same, whether the model has it or not.
    fn named_bos(&self) -> u32 {
        let of_tokenizer = self.tokenizer.as_ref().and_then(Tokenizer::bos);
        of_tokenizer.unwrap_or(self.gpt2.config().bos_token_id)
    }

    /// What there is to say of the tokenizer; `None`: there is none.
    pub fn tokenizer_report(&self) -> Option<TokenizerReport> {
        let tokenizer = self.tokenizer.as_ref()?;
        let (used_id, other_id) = (self.named_bos(), self.gpt2.config().bos_token_id);
        let bos = self.token_text(used_id);
        let mut notes = Vec::new();
        if used_id != other_id {
            notes.push(TokenizerNote::Bos { used: bos.clone(), used_id, other_id });
        }
        match tokenizer.prefix_space() {
            PrefixSpace::Agreed => {}
            PrefixSpace::OfConfig(used) => notes.push(TokenizerNote::PrefixSpace { used }),
            PrefixSpace::OfFile => notes.push(TokenizerNote::PrefixSpaceOfFile),
        }
        Some(TokenizerReport { bos, notes })
    }

    /// Token ids of a prompt, the beginning-of-sequence token in front if wanted.
    pub(crate) fn encode(&self, text: &str, prepend_bos: bool) -> Result<Vec<u32>, Error> {
        let mut ids = self.read_text(text)?.ids;
        if prepend_bos {
            ids.insert(0, self.bos()?);
        }
        Ok(ids)
    }

    /// A text in tokens, and what was made of it first.
    pub(crate) fn read_text(&self, text: &str) -> Result<Reading, Error> {
        let tokenizer = self.tokenizer.as_ref().ok_or(Error::NoTokenizer)?;
        tokenizer.read(text).map_err(|error| match error {
            TokenizerError::NotReversible { text, decoded: spelt } => {
                PromptError::NotSpelt { text, spelt }.into()
            }
            error => Error::Tokenizer(error),
        })
    }
}

/// What a model's weights are, before they are read.
struct Weights {
    config: Gpt2Config,
    header: Vec<u8>,
    plan: WeightPlan,
}

impl Weights {
    async fn open(source: &impl ByteSource, config: Gpt2Config) -> Result<Self, Error> {
        let file_len = source.size(WEIGHTS).await.map_err(of_weights)?;
        let first = source.read(WEIGHTS, 0..file_len.min(64)).await.map_err(of_weights)?;
        let header_len = WeightPlan::header_len(&first, file_len).map_err(Error::Load)?;
        let header = source.read(WEIGHTS, 8..8 + header_len).await.map_err(of_weights)?;
        let plan = WeightPlan::new(&header, file_len, &config.shape).map_err(Error::Load)?;
        Ok(Self { config, header, plan })
    }

    /// The model on each of some devices, and the SHA-256 of the file.
    async fn read(
        &self,
        source: &impl ByteSource,
        masks: Masks,
        devices: &[TensorCreationOptions],
        (job, host): (u64, &mut impl Host),
    ) -> Result<(Vec<Gpt2>, String), Error> {
        let parts = self.plan.parts(PART_BYTES);
        let is_read = |part: &Part<'_>| masks == Masks::Read || !matches!(part, Part::Mask(..));
        let ranges: Vec<_> =
            parts.iter().filter(|part| is_read(part)).map(|part| part.range().clone()).collect();
        source.announce(WEIGHTS, &ranges);
        let mut sha256 = Sha256::new();
        sha256.update((self.header.len() as u64).to_le_bytes());
        sha256.update(&self.header);
        let builder = |options| Gpt2Builder::new(self.config, &self.plan, options);
        let mut builders: Vec<_> = devices.iter().cloned().map(builder).collect();
        let begun = host.seconds();
        let total = ranges.iter().map(|range| range.end - range.start).sum();
        let (mut done, mut on_the_way) = (0, 0);
        for part in &parts {
            if let Part::Mask(mask, _) = part
                && !is_read(part)
            {
                mask.rows().for_each(|row| sha256.update(&row));
                continue;
            }
            let fetched = source.fetched();
            let bytes = source.read(WEIGHTS, part.range().clone()).await.map_err(of_weights)?;
            sha256.update(&bytes);
            if let Part::Tensor(tensor, _) = part {
                for builder in &mut builders {
                    builder.push(tensor, &bytes).map_err(Error::Load)?;
                }
            }
            let n = bytes.len() as u64;
            // Before anything is waited for: the memory is needed for the next part.
            drop(bytes);
            (done, on_the_way) = (done + n, on_the_way + n);
            if on_the_way > UPLOAD_BYTES {
                on_the_way = 0;
                arrival(devices).await?;
            }
            let phase = if source.fetched() > fetched { Phase::Fetching } else { Phase::Loading };
            let seconds = host.seconds() - begun;
            host.emit(Event::Progress { job, phase, done, total, seconds });
            host.pause().await;
            if host.cancelled() {
                return Err(twinbeam_attribution::Error::Cancelled.into());
            }
        }
        let models = builders.into_iter().map(Gpt2Builder::finish).collect::<Result<_, _>>();
        let models = models.map_err(Error::Load)?;
        arrival(devices).await?;
        Ok((models, hexadecimal(&sha256.finalize())))
    }
}

fn of_weights(source: SourceError) -> Error {
    Error::Source { file: WEIGHTS.to_owned(), source }
}

/// A model from its files, and whether its weights come with causal masks.
async fn read(
    source: &impl ByteSource,
    device: &DeviceKind,
    masks: Masks,
    host: &mut impl Host,
) -> Result<(Model, bool), Error> {
    let (config, tokenizer) = read_small(source).await?;
    let weights = Weights::open(source, config).await?;
    let twin_options = device.twin_options(&config.shape);
    // A small twin is made along with the model, a large one when it is needed.
    let at_once = twin_options.clone().filter(|_| config.shape.fits_double());
    let devices: Vec<_> = [device.options(&config.shape)].into_iter().chain(at_once).collect();
    let mut step = device.watch().begin();
    let read = weights.read(source, masks, &devices, (0, host)).await;
    let (models, fingerprint) = step.settle(read).await?;
    let mut models = models.into_iter();
    // OK because there is one model per device.
    let gpt2 = models.next().expect("a model of the first device");
    let twin = models.next().map_or_else(OnceCell::new, OnceCell::from);
    let watch = device.watch().clone();
    let (budget, as_expected) = (device.budget(), None);
    let model = Model {
        gpt2,
        twin,
        twin_options,
        budget,
        watch,
        tokenizer,
        fingerprint,
        as_expected,
        masks,
    };
    Ok((model, weights.plan.has_masks()))
}

/// Waits until the device has what was sent to it: a read comes after everything that was written.
async fn arrival(devices: &[TensorCreationOptions]) -> Result<(), Error> {
    for options in devices {
        let sign = Tensor::<1>::from_data([0.0], options.clone());
        sign.into_data_async().await.map_err(|source| Error::Device(source.to_string()))?;
    }
    Ok(())
}

async fn read_small(source: &impl ByteSource) -> Result<(Gpt2Config, Option<Tokenizer>), Error> {
    let config = source.read_all(CONFIG, MAX_CONFIG_BYTES).await;
    let config = config.map_err(|source| Error::Source { file: CONFIG.to_owned(), source })?;
    let config = Gpt2Config::from_json(&config).map_err(Error::Config)?;
    let tokenizer = read_tokenizer(source, config.bos_token_id).await?;
    Ok((config, tokenizer))
}

/// The tokenizer, from one file or from the two that GPT-2 was published with, and from those beside them; `None`
/// where there is none.
async fn read_tokenizer(source: &impl ByteSource, bos: u32) -> Result<Option<Tokenizer>, Error> {
    let tokenizer = optional(source, ModelFiles::TOKENIZER).await?;
    let mut files = TokenizerFiles { tokenizer, ..TokenizerFiles::default() };
    if files.tokenizer.is_none() {
        files.vocab = optional(source, ModelFiles::VOCAB).await?;
        if files.vocab.is_none() {
            return Ok(None);
        }
        files.merges = optional(source, ModelFiles::MERGES).await?;
    } else if source.is_remote() {
        let alone = Tokenizer::from_files(&files).map_err(Error::Tokenizer)?;
        // A question to a server costs a moment, and an error on the console where there is no such file: it is not
        // asked for what would change nothing.
        if alone.as_ref().is_some_and(|tokenizer| tokenizer.bos() == Some(bos)) {
            return Ok(alone);
        }
    }
    let [config, special_tokens_map, added_tokens] = ModelFiles::TOKENIZER_EXTRAS;
    files.config = extra(source, config).await?;
    files.special_tokens_map = extra(source, special_tokens_map).await?;
    files.added_tokens = extra(source, added_tokens).await?;
    Tokenizer::from_files(&files).map_err(Error::Tokenizer)
}

/// A file of a tokenizer, if it is there.
async fn optional(source: &impl ByteSource, file: &str) -> Result<Option<Vec<u8>>, Error> {
    match source.read_all(file, MAX_TOKENIZER_BYTES).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(SourceError::NotFound) => Ok(None),
        Err(source) => Err(Error::Source { file: file.to_owned(), source }),
    }
}

/// The same of a file that most models lack: servers have other answers to that than 404.
async fn extra(source: &impl ByteSource, file: &str) -> Result<Option<Vec<u8>>, Error> {
    match optional(source, file).await {
        Err(Error::Source {
            source: SourceError::Fetch(FetchFault::WebPage | FetchFault::Forbidden { .. }),
            ..
        }) => Ok(None),
        read => read,
    }
}
