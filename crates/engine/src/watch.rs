//! What a GPU says beside its results: WebGPU reports errors elsewhere than where they happen, and
//! a shader that it refuses leaves old numbers behind without a word.

use burn::tensor::TensorData;
use twinbeam_attribution::{Error as MethodError, Pace, ReadBack};

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

    /// How often the device was waited for so far.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_self, reason = "as with a GPU"))]
    pub(crate) fn waits(&self) -> u64 {
        #[cfg(feature = "gpu")]
        if let Some(gpu) = &self.gpu {
            return gpu.waits();
        }
        0
    }
}

impl Step {
    /// Ends the step and begins the next.
    ///
    /// # Errors
    /// What the device found wrong with the step's work, [`MethodError::OutOfMemory`] if that did not fit; a device that
    /// is lost.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_async, reason = "as with a GPU"))]
    pub(crate) async fn next(&mut self) -> Result<(), Error> {
        #[cfg(feature = "gpu")]
        if let Some((gpu, open)) = &mut self.watched {
            let found = gpu.turn(open);
            gpu.waited();
            return gpu.verdict(found.await);
        }
        Ok(())
    }

    /// Waits for numbers, ends the step with the work that leads to them, and begins the next. What the device found is
    /// on its way while the numbers are: this is one wait, not two.
    ///
    /// # Errors
    /// Beside the numbers, the errors of [`Self::next`].
    pub(crate) async fn read(
        &mut self,
        numbers: ReadBack<'_>,
    ) -> (Result<Vec<TensorData>, MethodError>, Result<(), Error>) {
        #[cfg(feature = "gpu")]
        if let Some((gpu, open)) = &mut self.watched {
            use std::future::poll_fn;
            use std::task::Poll;

            let mut numbers = numbers;
            // All of the work is submitted by then, so that the scopes that are closed here hold it.
            let first = poll_fn(|context| Poll::Ready(numbers.as_mut().poll(context))).await;
            let found = gpu.turn(open);
            gpu.waited();
            let numbers = match first {
                Poll::Ready(numbers) => numbers,
                Poll::Pending => numbers.await,
            };
            return (numbers, gpu.verdict(found.await));
        }
        (numbers.await, Ok(()))
    }

    /// What is known of the device without waiting for it.
    ///
    /// # Errors
    /// Errors outside of every step; a device that is lost.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_self, reason = "as with a GPU"))]
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unnecessary_wraps, reason = "as with a GPU"))]
    pub(crate) fn look(&self) -> Result<(), Error> {
        #[cfg(feature = "gpu")]
        if let Some((gpu, _)) = &self.watched {
            return gpu.verdict(None);
        }
        Ok(())
    }

    /// How much the device takes at a time; `None`: a CPU.
    #[cfg_attr(not(feature = "gpu"), expect(clippy::unused_self, reason = "as with a GPU"))]
    pub(crate) fn pace(&self) -> Option<&Pace> {
        #[cfg(feature = "gpu")]
        if let Some((gpu, _)) = &self.watched {
            return Some(gpu.pace());
        }
        None
    }

    /// The result of the step, or what was wrong on the device, which is then the cause of the
    /// result.
    ///
    /// # Errors
    /// The error of `result`, or one of [`Self::next`].
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
    use std::future::Future;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, Mutex, OnceLock};

    use burn::tensor::wgpu::wgpu::{
        Device, Error as Reported, ErrorFilter, ErrorScopeGuard, PollType,
    };
    use twinbeam_attribution::{Error as MethodError, Pace};

    use crate::Error;

    /// A GPU with what it has said outside every scope, and what was found of it.
    #[derive(Debug, Clone)]
    pub(crate) struct Gpu {
        device: Device,
        uncaptured: Arc<Mutex<Option<Said>>>,
        lost: Arc<OnceLock<String>>,
        pace: Pace,
        waits: Arc<AtomicU64>,
    }

    /// An error that was reported.
    #[derive(Debug)]
    pub(crate) struct Said {
        message: String,
        /// Whether memory ran out. What is made of a buffer that could not be had is refused as well, so this is the
        /// cause of what else there is.
        out_of_memory: bool,
    }

    impl From<Reported> for Said {
        fn from(error: Reported) -> Self {
            let out_of_memory = matches!(error, Reported::OutOfMemory { .. });
            Self { message: error.to_string(), out_of_memory }
        }
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
            let uncaptured = Arc::<Mutex<Option<Said>>>::default();
            let lost = Arc::<OnceLock<String>>::default();
            // Scopes belong to a thread, and natively Burn works on another one. Burn's own handler
            // panics.
            let first = Arc::clone(&uncaptured);
            device.on_uncaptured_error(Arc::new(move |error| {
                if let Ok(mut first) = first.lock() {
                    first.get_or_insert_with(|| error.into());
                }
            }));
            // Natively this takes the place of Burn's callback, without which a read may succeed: each
            // step asks here before its results are used.
            let why = Arc::clone(&lost);
            device.set_device_lost_callback(move |reason, message| {
                let message = if message.is_empty() { format!("{reason:?}") } else { message };
                why.get_or_init(|| message);
            });
            let (pace, waits) = (Pace::default(), Arc::default());
            Self { device, uncaptured, lost, pace, waits }
        }

        pub(crate) const fn pace(&self) -> &Pace {
            &self.pace
        }

        pub(crate) fn waits(&self) -> u64 {
            self.waits.load(Ordering::Relaxed)
        }

        pub(crate) fn waited(&self) {
            self.waits.fetch_add(1, Ordering::Relaxed);
        }

        /// Closes scopes and opens the next. What the closed ones have found comes later.
        pub(crate) fn turn(&self, open: &mut Option<Scopes>) -> impl Future<Output = Option<Said>> {
            let closed = open.take().map(Scopes::close);
            *open = Some(self.open());
            async move {
                match closed {
                    Some(found) => found.await,
                    None => None,
                }
            }
        }

        pub(crate) fn open(&self) -> Scopes {
            let validation = self.device.push_error_scope(ErrorFilter::Validation);
            let out_of_memory = self.device.push_error_scope(ErrorFilter::OutOfMemory);
            let internal = self.device.push_error_scope(ErrorFilter::Internal);
            Scopes { internal, out_of_memory, validation }
        }

        /// The worst of what has been found.
        pub(crate) fn verdict(&self, found: Option<Said>) -> Result<(), Error> {
            // Natively the news of a loss wait for somebody to ask.
            self.device.poll(PollType::Poll).ok();
            if let Some(message) = self.lost.get() {
                return Err(Error::DeviceLost(message.clone()));
            }
            let uncaptured = self.uncaptured.lock().ok().and_then(|mut first| first.take());
            #[cfg(feature = "faults")]
            let found = crate::faults::memory_ran_out()
                .map_or(found, |message| Some(Said { message, out_of_memory: true }));
            match found.or(uncaptured) {
                Some(Said { message, out_of_memory: true }) => {
                    Err(MethodError::OutOfMemory { message }.into())
                }
                Some(Said { message, .. }) => {
                    Err(Error::Device(format!("the GPU reported: {message}")))
                }
                None => Ok(()),
            }
        }

        #[cfg(feature = "faults")]
        pub(crate) fn device(&self) -> &Device {
            &self.device
        }
    }

    impl Scopes {
        /// Closes the scopes. What comes is what the GPU says when it has looked at all that was submitted inside.
        pub(crate) fn close(self) -> impl Future<Output = Option<Said>> {
            // A scope is closed by `pop`, not by waiting for its answer.
            let (internal, out_of_memory, validation) =
                (self.internal.pop(), self.out_of_memory.pop(), self.validation.pop());
            async move {
                let found = [out_of_memory.await, internal.await, validation.await];
                found.into_iter().flatten().next().map(Said::from)
            }
        }
    }
}
