//! What a GPU says beside its results: WebGPU reports errors elsewhere than where they happen, and
//! a shader that it refuses leaves old numbers behind without a word.

use crate::Error;

/// An eye on one device; a CPU needs none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    #[cfg(feature = "gpu")]
    gpu: Option<gpu::Gpu>,
}

/// A piece of work on a watched device. It ends with a read, so that all of it has been submitted.
#[derive(Debug)]
pub(crate) struct Step {
    #[cfg(feature = "gpu")]
    watched: Option<(gpu::Gpu, Option<gpu::Scopes>)>,
}

impl Watch {
    /// Watches a GPU from now on, also between steps.
    #[cfg(feature = "gpu")]
    pub(crate) fn gpu(device: burn::tensor::wgpu::wgpu::Device) -> Self {
        Self { gpu: Some(gpu::Gpu::new(device)) }
    }

    /// Begins a step.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_self, reason = "as with a GPU"))]
    pub(crate) fn begin(&self) -> Step {
        Step {
            #[cfg(feature = "gpu")]
            watched: self.gpu.clone().map(|gpu| {
                let scopes = gpu.open();
                (gpu, Some(scopes))
            }),
        }
    }
}

impl Step {
    /// Ends the step and begins the next.
    ///
    /// # Errors
    /// What the device found wrong with the step's work; a device that is lost.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_async, reason = "as with a GPU"))]
    pub(crate) async fn next(&mut self) -> Result<(), Error> {
        #[cfg(feature = "gpu")]
        if let Some((gpu, open)) = &mut self.watched {
            let found = match open.take() {
                Some(scopes) => scopes.close().await,
                None => None,
            };
            *open = Some(gpu.open());
            return gpu.verdict(found);
        }
        Ok(())
    }

    /// The result of the step, or what was wrong on the device, which is then the cause of the
    /// result.
    ///
    /// # Errors
    /// That of `result`, or as [`Self::next`].
    pub(crate) async fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.next().await?;
        if result.is_err() {
            // A read can fail of a lost device before the news of the loss are here.
            self.next().await?;
        }
        result
    }

    /// The watched device itself.
    #[cfg(all(feature = "gpu", feature = "faults"))]
    pub(crate) fn device(&self) -> Option<&burn::tensor::wgpu::wgpu::Device> {
        self.watched.as_ref().map(|(gpu, _)| gpu.device())
    }
}

#[cfg(feature = "gpu")]
mod gpu {
    use std::sync::{Arc, Mutex, OnceLock};

    use burn::tensor::wgpu::wgpu::{Device, ErrorFilter, ErrorScopeGuard, PollType};

    use crate::Error;

    /// A GPU with what it has said outside every scope.
    #[derive(Debug, Clone)]
    pub(crate) struct Gpu {
        device: Device,
        uncaptured: Arc<Mutex<Option<String>>>,
        lost: Arc<OnceLock<String>>,
    }

    /// Open error scopes. They are a stack and a drop closes them too, so the last opened is first.
    #[derive(Debug)]
    pub(crate) struct Scopes {
        internal: ErrorScopeGuard,
        out_of_memory: ErrorScopeGuard,
        validation: ErrorScopeGuard,
    }

    impl Gpu {
        pub(crate) fn new(device: Device) -> Self {
            let uncaptured = Arc::<Mutex<Option<String>>>::default();
            let lost = Arc::<OnceLock<String>>::default();
            // Scopes belong to a thread, and natively Burn works on another one. Burn's own handler
            // panics.
            let first = Arc::clone(&uncaptured);
            device.on_uncaptured_error(Arc::new(move |error| {
                if let Ok(mut first) = first.lock() {
                    first.get_or_insert_with(|| error.to_string());
                }
            }));
            // Natively this takes the place of Burn's callback, without which a read may succeed: each
            // step asks here before its results are used.
            let why = Arc::clone(&lost);
            device.set_device_lost_callback(move |reason, message| {
                let message = if message.is_empty() { format!("{reason:?}") } else { message };
                why.get_or_init(|| message);
            });
            Self { device, uncaptured, lost }
        }

        pub(crate) fn open(&self) -> Scopes {
            let validation = self.device.push_error_scope(ErrorFilter::Validation);
            let out_of_memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
            let internal = self.device.push_error_scope(ErrorFilter::Internal);
            Scopes { internal, out_of_memory, validation }
        }

        /// The worst of what has been found.
        pub(crate) fn verdict(&self, found: Option<String>) -> Result<(), Error> {
            // Natively the news of a loss wait for somebody to ask.
            self.device.poll(PollType::Poll).ok();
            if let Some(message) = self.lost.get() {
                return Err(Error::DeviceLost(message.clone()));
            }
            let uncaptured = self.uncaptured.lock().ok().and_then(|mut first| first.take());
            match found.or(uncaptured) {
                Some(message) => Err(Error::Device(format!("the GPU reported: {message}"))),
                None => Ok(()),
            }
        }

        #[cfg(feature = "faults")]
        pub(crate) fn device(&self) -> &Device {
            &self.device
        }
    }

    impl Scopes {
        /// Waits until the GPU has looked at all that was submitted inside.
        pub(crate) async fn close(self) -> Option<String> {
            // A scope is closed by `pop`, not by waiting for its answer.
            let (internal, out_of_memory, validation) =
                (self.internal.pop(), self.out_of_memory.pop(), self.validation.pop());
            let found = [internal.await, out_of_memory.await, validation.await];
            found.into_iter().flatten().next().map(|error| error.to_string())
        }
    }
}
