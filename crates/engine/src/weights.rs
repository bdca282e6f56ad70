//! A model's weights, in one file or in several: what is read, in which order, and what their digest is.

use burn::tensor::TensorCreationOptions;
use sha2::{Digest as _, Sha256};
use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::Event;
use twinbeam_core::words::Phase;
use twinbeam_gpt2::{
    FileKind, Gpt2, Gpt2Builder, Gpt2Config, LoadError, Params, Part, PlannedTensor, ShardIndex,
    WeightPlan,
};

use crate::model::arrival;
use crate::shelf::hexadecimal;
use crate::source::fetched;
use crate::{ByteSource, Error, Host, SourceError};

/// Weights as PyTorch saves them, which are not read.
const PYTORCH: &str = "pytorch_model.bin";
/// Bytes of a file's beginning that say what it is.
const FIRST_BYTES: u64 = 64;
/// Largest index that is read: that of a thousand tensors has a tenth of it.
const MAX_INDEX_BYTES: u64 = 1 << 20;
/// Bytes of the weights that are read at a time.
const PART_BYTES: u64 = 8 << 20;
/// Bytes on their way to a GPU before it is waited for.
const UPLOAD_BYTES: u64 = 32 << 20;

/// How the digest of a file takes in its causal masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masks {
    /// Masks count as what they must be, without being read.
    Known,
    /// Masks count as what they are in the file.
    Read,
}

/// What a model's weights are, before they are read.
#[derive(Debug)]
pub struct Weights {
    config: Gpt2Config,
    /// The files in the order of their names.
    files: Vec<WeightFile>,
    /// Whether an index lists the files.
    are_listed: bool,
}

/// One of the files that weights are in.
#[derive(Debug)]
struct WeightFile {
    name: String,
    header: Vec<u8>,
    plan: WeightPlan,
}

impl Weights {
    /// Reads what the files say of themselves. One file with everything goes before an index, as in
    /// transformers.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what the configuration and the index say.
    pub async fn open(source: &impl ByteSource, config: Gpt2Config) -> Result<Self, Error> {
        let index = match source.size(ModelFiles::WEIGHTS).await {
            Ok(_) => None,
            Err(cause) if cause.is_absent() => Some(read_index(source, cause).await?),
            Err(cause) => return Err(unread(ModelFiles::WEIGHTS, cause)),
        };
        let mut files = Vec::new();
        match &index {
            None => files.push(WeightFile::open(source, ModelFiles::WEIGHTS, &config).await?),
            Some(index) => {
                for shard in index.shards() {
                    let file = match WeightFile::open(source, shard, &config).await {
                        Err(Error::Source { cause: SourceError::NotFound, .. }) => {
                            return Err(Error::Index(index.missing(shard)));
                        }
                        file => file?,
                    };
                    index.check(shard, &file.plan, &config).map_err(Error::Index)?;
                    files.push(file);
                }
            }
        }
        let mut weights = Self { config, files, are_listed: index.is_some() };
        let mut plans: Vec<_> = weights.files.iter_mut().map(|file| &mut file.plan).collect();
        let complete = WeightPlan::complete(&mut plans, &weights.config);
        complete.map_err(|cause| refused(weights.name(), cause))?;
        Ok(weights)
    }

    /// Number of files that the weights are in; `None`: one, and no index says so.
    pub(crate) fn shards(&self) -> Option<usize> {
        self.are_listed.then_some(self.files.len())
    }

    /// Every tensor with the file that holds it, in the order of the files.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &PlannedTensor)> {
        self.files
            .iter()
            .flat_map(|file| file.plan.tensors.iter().map(|tensor| (file.name.as_str(), tensor)))
    }

    pub(crate) fn has_masks(&self) -> bool {
        self.files.iter().any(|file| file.plan.has_masks())
    }

    /// The model on a device, and the SHA-256 of the file, or of the list of all files' as `sha256sum`
    /// prints it.
    pub(crate) async fn read(
        &self,
        source: &impl ByteSource,
        masks: Masks,
        options: &TensorCreationOptions,
        host: &mut impl Host,
    ) -> Result<(Gpt2, String), Error> {
        let is_read = |part: &Part<'_>| masks == Masks::Read || !matches!(part, Part::Mask(..));
        let plans = || self.files.iter().map(|file| &file.plan);
        let mut builder = Gpt2Builder::new(self.config.clone(), plans(), options.clone());
        let begun = host.seconds();
        let len = |part: &Part<'_>| part.range().end - part.range().start;
        let all_parts = plans().flat_map(|plan| plan.parts(PART_BYTES));
        let total = all_parts.filter(|part| is_read(part)).map(|part| len(&part)).sum();
        let (mut done, mut on_the_way) = (0, 0);
        let mut digests = Vec::with_capacity(self.files.len());
        for WeightFile { name, header, plan } in &self.files {
            let parts = plan.parts(PART_BYTES);
            let read = parts.iter().filter(|part| is_read(part));
            if let Some(downloads) = source.downloads() {
                let ranges: Vec<_> = read.map(|part| part.range().clone()).collect();
                downloads.announce(name, &ranges);
            }
            let mut sha256 = Sha256::new();
            sha256.update((header.len() as u64).to_le_bytes());
            sha256.update(header);
            for part in &parts {
                if let Part::Mask(mask, _) = part
                    && !is_read(part)
                {
                    mask.rows().for_each(|row| sha256.update(&row));
                    continue;
                }
                let before = fetched(source);
                let bytes = source.read(name, part.range().clone()).await;
                let bytes = bytes.map_err(|cause| unread(name, cause))?;
                sha256.update(&bytes);
                if let Part::Tensor(tensor, _) = part {
                    builder.push(tensor, &bytes).map_err(|cause| refused(name, cause))?;
                }
                let n = bytes.len() as u64;
                // Before anything is waited for: the memory is needed for the next part.
                drop(bytes);
                (done, on_the_way) = (done + n, on_the_way + n);
                if on_the_way > UPLOAD_BYTES {
                    on_the_way = 0;
                    arrival(options).await?;
                }
                let phase = if fetched(source) > before { Phase::Fetching } else { Phase::Loading };
                let (job, seconds) = (0, host.seconds() - begun);
                host.emit(Event::Progress { job, phase, done, total, seconds });
                host.pause().await;
                if host.cancelled() {
                    return Err(twinbeam_attribution::Error::Cancelled.into());
                }
            }
            digests.push(hexadecimal(&sha256.finalize()));
        }
        let model = builder.finish().map_err(|cause| refused(self.name(), cause))?;
        arrival(options).await?;
        Ok((model, self.fingerprint(digests)))
    }

    /// The model without its blocks, on a device: each of them is read when it is needed.
    pub(crate) async fn read_without_blocks(
        &self,
        source: &impl ByteSource,
        options: &TensorCreationOptions,
    ) -> Result<Gpt2, Error> {
        let outside = |tensor: &PlannedTensor| tensor.layer().is_none() && !tensor.is_head();
        let builder = self.read_some(source, options, outside).await?;
        builder.finish_without_blocks().map_err(|cause| refused(self.name(), cause))
    }

    /// The parameters of one block, on a device.
    pub(crate) async fn read_block(
        &self,
        source: &impl ByteSource,
        layer: usize,
        options: &TensorCreationOptions,
    ) -> Result<Params, Error> {
        let inside = |tensor: &PlannedTensor| tensor.layer() == Some(layer);
        Ok(self.read_some(source, options, inside).await?.into_params())
    }

    async fn read_some(
        &self,
        source: &impl ByteSource,
        options: &TensorCreationOptions,
        is_wanted: impl Fn(&PlannedTensor) -> bool,
    ) -> Result<Gpt2Builder, Error> {
        let mut builder = Gpt2Builder::new(self.config.clone(), [], options.clone());
        for WeightFile { name, plan, .. } in &self.files {
            // In the same parts as all of it, which is how a browser keeps it.
            for part in plan.parts(PART_BYTES) {
                if let Part::Tensor(tensor, range) = part
                    && is_wanted(tensor)
                {
                    let bytes = source.read(name, range).await;
                    let bytes = bytes.map_err(|cause| unread(name, cause))?;
                    builder.push(tensor, &bytes).map_err(|cause| refused(name, cause))?;
                }
            }
        }
        Ok(builder)
    }

    /// Name of the file that stands for all of them where something is wrong with them together.
    pub(crate) const fn name(&self) -> &'static str {
        if self.are_listed { ModelFiles::INDEX } else { ModelFiles::WEIGHTS }
    }

    /// The digest of the only file, or that of the list of all.
    fn fingerprint(&self, mut digests: Vec<String>) -> String {
        if !self.are_listed {
            return digests.pop().unwrap_or_default();
        }
        let lines = digests.iter().zip(&self.files);
        let list = lines
            .fold(String::new(), |list, (digest, file)| format!("{list}{digest}  {}\n", file.name));
        hexadecimal(&Sha256::digest(list.as_bytes()))
    }
}

impl WeightFile {
    async fn open(
        source: &impl ByteSource,
        name: &str,
        config: &Gpt2Config,
    ) -> Result<Self, Error> {
        let unread = |cause| unread(name, cause);
        let refused = |cause| refused(name, cause);
        let len = source.size(name).await.map_err(unread)?;
        let first = source.read(name, 0..len.min(FIRST_BYTES)).await.map_err(unread)?;
        let header_len = WeightPlan::header_len(&first, len).map_err(refused)?;
        let header = source.read(name, 8..8 + header_len).await.map_err(unread)?;
        let plan = WeightPlan::of_shard(&header, len, config).map_err(refused)?;
        Ok(Self { name: name.to_owned(), header, plan })
    }
}

/// The index of weights in several files, where there seems to be no single one because of `cause`.
async fn read_index(source: &impl ByteSource, cause: SourceError) -> Result<ShardIndex, Error> {
    match source.read_all(ModelFiles::INDEX, MAX_INDEX_BYTES).await {
        Ok(bytes) => ShardIndex::from_json(&bytes).map_err(Error::Index),
        Err(index) if !index.is_absent() => Err(unread(ModelFiles::INDEX, index)),
        // The first answer is what is to be said.
        Err(_) if cause != SourceError::NotFound => Err(unread(ModelFiles::WEIGHTS, cause)),
        Err(_) => Err(no_weights(source).await),
    }
}

/// Why there are no weights: perhaps because they are in a format that is not read.
async fn no_weights(source: &impl ByteSource) -> Error {
    let Ok(len) = source.size(PYTORCH).await else { return Error::NoWeights };
    let Ok(first) = source.read(PYTORCH, 0..len.min(FIRST_BYTES)).await else {
        return Error::NoWeights;
    };
    match FileKind::Weights.check(&first) {
        Ok(()) => Error::NoWeights,
        Err(cause) => Error::NotTheFile { file: PYTORCH.to_owned(), cause },
    }
}

fn unread(file: &str, cause: SourceError) -> Error {
    Error::Source { file: file.to_owned(), cause }
}

pub(crate) fn refused(file: &str, cause: LoadError) -> Error {
    Error::Load { file: file.to_owned(), cause }
}
