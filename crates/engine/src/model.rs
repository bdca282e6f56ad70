use sha2::{Digest as _, Sha256};
use twinbeam_core::{Event, Phase};
use twinbeam_gpt2::{Gpt2, Gpt2Builder, Gpt2Config, Tokenizer, WeightPlan};

use crate::watch::Watch;
use crate::{ByteSource, DeviceKind, Error, Host, SourceError};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";

/// Largest `config.json` that is read.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// Largest `tokenizer.json` that is read; GPT-2's has 1.4 MB.
const MAX_TOKENIZER_BYTES: u64 = 16 << 20;

/// A model that is ready to run, from a Hugging Face directory.
#[derive(Debug)]
pub struct Model {
    pub(crate) gpt2: Gpt2,
    /// The same on the CPU in double precision, where results are checked.
    pub(crate) twin: Option<Gpt2>,
    pub(crate) watch: Watch,
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) fingerprint: String,
}

impl Model {
    /// Reads `config.json`, `model.safetensors` and, if it is there, `tokenizer.json`. Weights are
    /// read tensor by tensor, straight to the device.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what a GPT-2 needs; nothing is half loaded.
    pub async fn load(
        source: &impl ByteSource,
        device: &DeviceKind,
        host: &mut impl Host,
    ) -> Result<Self, Error> {
        let failed = |file: &str| {
            let file = file.to_owned();
            move |source| Error::Source { file, source }
        };
        let config = source.read_all(CONFIG, MAX_CONFIG_BYTES).await.map_err(failed(CONFIG))?;
        let config = Gpt2Config::from_json(&config).map_err(Error::Config)?;
        let tokenizer = match source.read_all(TOKENIZER, MAX_TOKENIZER_BYTES).await {
            Ok(bytes) => Some(Tokenizer::from_json(&bytes).map_err(Error::Tokenizer)?),
            Err(SourceError::NotFound) => None,
            Err(source) => return Err(failed(TOKENIZER)(source)),
        };
        if let Some(tokenizer) = &tokenizer
            && tokenizer.len() > config.shape.d_vocab
        {
            let (expected, got) = (config.shape.d_vocab, tokenizer.len());
            return Err(Error::Vocabulary { expected, got });
        }

        let file_len = source.size(WEIGHTS).await.map_err(failed(WEIGHTS))?;
        let first = source.read(WEIGHTS, 0..file_len.min(64)).await.map_err(failed(WEIGHTS))?;
        let header_len = WeightPlan::header_len(&first, file_len).map_err(Error::Load)?;
        let header = source.read(WEIGHTS, 8..8 + header_len).await.map_err(failed(WEIGHTS))?;
        let plan = WeightPlan::new(&header, file_len, &config.shape).map_err(Error::Load)?;

        // Of everything that is read, in the order of the file: the file's own SHA-256 unless it has
        // causal masks, which are skipped.
        let mut sha256 = Sha256::new();
        sha256.update(header_len.to_le_bytes());
        sha256.update(&header);
        let begun = host.seconds();
        let mut step = device.watch().begin();
        let mut builder = Gpt2Builder::new(config, device.options(&config.shape));
        let mut twin = device.twin_options(&config.shape).map(|on| Gpt2Builder::new(config, on));
        for tensor in &plan.tensors {
            let bytes =
                source.read(WEIGHTS, tensor.range.clone()).await.map_err(failed(WEIGHTS))?;
            sha256.update(&bytes);
            builder.push(tensor, &bytes).map_err(Error::Load)?;
            if let Some(twin) = &mut twin {
                twin.push(tensor, &bytes).map_err(Error::Load)?;
            }
            host.emit(Event::Progress {
                job: 0,
                phase: Phase::Loading,
                done: tensor.range.end,
                total: file_len,
                seconds: host.seconds() - begun,
            });
            host.pause().await;
        }
        let fingerprint =
            sha256.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let gpt2 = builder.finish().map_err(Error::Load)?;
        let twin = twin.map(Gpt2Builder::finish).transpose().map_err(Error::Load)?;
        // A read comes after everything that was written.
        let arrived = gpt2.vector(&[0.0]).into_data_async().await;
        step.settle(arrived.map_err(|source| Error::Device(source.to_string()))).await?;
        Ok(Self { gpt2, twin, watch: device.watch().clone(), tokenizer, fingerprint })
    }

    /// Sizes of the model.
    pub fn shape(&self) -> &twinbeam_core::ModelShape {
        self.gpt2.shape()
    }

    /// SHA-256 of the weights that were read, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Text of one token; its number where there is no tokenizer.
    pub(crate) fn token_text(&self, id: u32) -> String {
        match &self.tokenizer {
            Some(tokenizer) => tokenizer.decode(&[id]),
            None => format!("#{id}"),
        }
    }

    /// Token ids of a prompt, `<|endoftext|>` in front if wanted.
    pub(crate) fn encode(&self, text: &str, prepend_bos: bool) -> Result<Vec<u32>, Error> {
        let tokenizer = self.tokenizer.as_ref().ok_or(Error::NoTokenizer)?;
        let mut ids = tokenizer.encode(text).map_err(Error::Tokenizer)?;
        if prepend_bos {
            ids.insert(0, self.gpt2.config().bos_token_id);
        }
        Ok(ids)
    }
}
