//! How a model comes into this worker, and into the second one with its GPU.

use std::rc::Rc;

use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::devices::{Claim, DeviceChoice, DeviceReport, GpuState, Speed};
use twinbeam_core::wire::{Event, Expected, Kept, LoadPart, Problem, Request};
use twinbeam_core::words::Experiment;
use twinbeam_engine::{ByteSource as _, DeviceKind, Keeper, Model, check_stored, shape_of, warm};
use web_sys::File;

use crate::browser::{has_adapter, millis};
use crate::gpu::Gpu;
use crate::source::Source;
use crate::{Work, Worker, send};

/// Parameters above which a model is not held on the CPU beside a GPU: GPT-2 small is 500 MB, of which a browser's
/// worker can have 4 GB.
const BESIDE_GPU_PARAMS: usize = 130_000_000;

/// Why there is no GPU where no adapter is.
const NO_ADAPTER: &str = "this browser offers none by WebGPU";

/// The model that is wanted.
struct Wanted {
    name: String,
    files: ModelFiles,
    /// Files of the visitor's own, where the model is there.
    chosen: Vec<File>,
    expected: Expected,
}

impl Wanted {
    async fn source(&self) -> Source {
        Source::of(&self.files, &self.chosen).await
    }
}

impl Worker {
    /// Loads a model on the CPU, and has a GPU made ready behind it; where a GPU was chosen, first.
    pub(crate) async fn load(
        worker: &Rc<Self>,
        request: Request,
        chosen: Vec<File>,
    ) -> Result<(), Problem> {
        let Some((wanted, choice)) = wanted(&request, &chosen) else {
            return Ok(());
        };
        // The old model goes first: two do not fit where memory is short.
        worker.model.replace(None);
        worker.gpu.reset(choice);
        worker.team.reset();
        worker.queue.borrow_mut().retain(|work| !matches!(work, Work::SelfCheck(..)));
        #[cfg(feature = "faults")]
        if is_spoiled(&wanted.files, "fault.txt").await {
            return Ok(());
        }
        let reason = match choice {
            DeviceChoice::Cpu => "As you chose.".to_owned(),
            DeviceChoice::Auto | DeviceChoice::Gpu if has_adapter().await => String::new(),
            DeviceChoice::Auto | DeviceChoice::Gpu => no_gpu(NO_ADAPTER),
        };
        let asks_gpu = reason.is_empty();
        if choice == DeviceChoice::Gpu && !asks_gpu {
            worker.gpu.refuse(NO_ADAPTER);
        }
        let mut read = worker.read(&wanted, &reason, asks_gpu).await?;
        if read.is_none() {
            let sha256 = wanted.expected.sha256.clone();
            Gpu::start(worker, (request.clone(), chosen.clone()), sha256, true);
            worker.gpu.settled().await;
            let Some(why) = worker.gpu.refusal() else {
                // The second worker has told the page that the model is loaded.
                return Ok(());
            };
            worker.gpu.reset(choice);
            worker.gpu.refuse(&why);
            read = worker.read(&wanted, &no_gpu(&why), false).await?;
        }
        let Some(mut loaded) = read else {
            return Ok(());
        };
        let sha256 = worker.loaded().ok().map(|model| model.fingerprint().to_owned());
        let asks_gpu = asks_gpu && worker.gpu.refusal().is_none();
        let keeps_nothing = matches!(loaded, Event::Loaded { kept: Kept::Memory { .. }, .. });
        if let (false, Request::Load { workers, .. }, Some(sha256)) =
            (keeps_nothing, &request, &sha256)
        {
            worker.team.can_load(&request, &chosen, sha256.clone(), *workers);
        }
        if asks_gpu && choice == DeviceChoice::Gpu {
            Gpu::start(worker, (request, chosen), sha256, false);
            worker.gpu.settled().await;
            if let (Event::Loaded { device, .. }, Some(report)) = (&mut loaded, worker.gpu.report())
            {
                *device = report;
            }
            send(&loaded);
            worker.typed.hand_out();
        } else {
            // Nobody waits for a GPU that was not asked for by name.
            send(&loaded);
            worker.typed.hand_out();
            if asks_gpu && keeps_nothing {
                worker.gpu.refuse(
                    "the browser keeps no files, so that the model would be fetched a second time",
                );
            } else if asks_gpu {
                Gpu::start(worker, (request, chosen), sha256, false);
            }
        }
        worker.check_later(wanted.expected);
        Ok(())
    }

    /// Has the model compared with what was published of it, once there is nothing else to do.
    fn check_later(&self, expected: Expected) {
        if let Some(published) = expected.published {
            let check = Work::SelfCheck(Box::new(published), expected.sha256);
            self.queue.borrow_mut().push_back(check);
        }
    }

    /// Reads a model onto the CPU; with a GPU to be asked, unless it is too large to be held beside it: then `None`.
    async fn read(
        &self,
        wanted: &Wanted,
        reason: &str,
        asks_gpu: bool,
    ) -> Result<Option<Event>, Problem> {
        let most = if asks_gpu { most_beside_gpu() } else { usize::MAX };
        self.load_on(wanted, &DeviceKind::cpu(reason), 0.0, most).await
    }

    /// Loads a model of at most so many parameters on a device, from where its files are. `seconds`: that it took until
    /// the device was ready.
    async fn load_on(
        &self,
        wanted: &Wanted,
        device: &DeviceKind,
        seconds: f64,
        most: usize,
    ) -> Result<Option<Event>, Problem> {
        let (Wanted { name, expected, .. }, source) = (wanted, wanted.source().await);
        if most < usize::MAX {
            let shape = shape_of(&source).await.map_err(|error| error.problem())?;
            if shape.n_params() > most {
                return Ok(None);
            }
        }
        let begun = millis();
        let model = Model::load(&source, expected, device, &mut self.host(0)).await;
        let mut model = model.map_err(|error| error.problem())?;
        self.typed.keep(model.take_small_files());
        let loaded = Event::Loaded {
            model: name.clone(),
            shape: *model.shape(),
            device: device.report().clone(),
            fingerprint: model.fingerprint().to_owned(),
            shards: model.shards(),
            as_expected: model.as_expected(),
            tokenizer: model.words().tokenizer_report(),
            kept: source.keeper().map_or(Kept::Elsewhere, Keeper::kept),
            seconds: vec![
                (LoadPart::Device, seconds),
                (LoadPart::Load, (millis() - begun) / 1000.0),
            ],
            memory_bytes: memory_bytes(),
        };
        self.model.replace(Some(Rc::new(model)));
        self.device.replace(Some(device.report().clone()));
        Ok(Some(loaded))
    }

    /// Computes, in the third worker, a sample of what a GPU claims of a model that is stored.
    pub(crate) async fn check(
        &self,
        load: &Request,
        chosen: &[File],
        job: u64,
        experiment: &Experiment,
        claims: &str,
    ) -> Result<(), Problem> {
        let Some((wanted, _)) = wanted(load, chosen) else {
            return Err(Problem::NoModel);
        };
        // OK because the same program has written them.
        let claims: Vec<Claim> = serde_json::from_str(claims).unwrap_or_default();
        let source = wanted.source().await;
        if source.keeper().is_some_and(|keeper| matches!(keeper.kept(), Kept::Memory { .. })) {
            // All of it would come over the network three times more, which nobody has asked for.
            return Err(Problem::NoModel);
        }
        let report = check_stored(&source, experiment, &claims, &mut self.host(job)).await;
        let report = report.map_err(|error| error.problem())?;
        send(&Event::Checked { job, report, seconds: 0.0 });
        Ok(())
    }

    /// Has the CPU take a model over that a GPU had alone and has left.
    pub(crate) async fn take_over(&self) -> Result<(), Problem> {
        let Some((request, chosen)) = self.gpu.load() else {
            return Err(Problem::NoModel);
        };
        let Some((wanted, _)) = wanted(&request, &chosen) else {
            return Err(Problem::NoModel);
        };
        self.read(&wanted, "", false).await?;
        self.gpu.taken_over();
        Ok(())
    }

    /// Loads the model that another worker has, whose weights have a digest, and tells nobody. What is not there any more
    /// is not fetched.
    pub(crate) async fn load_beside(
        &self,
        load: Request,
        chosen: Vec<File>,
        sha256: &str,
    ) -> Result<(), Problem> {
        let Some((wanted, _)) = wanted(&load, &chosen) else {
            return Err(Problem::NoModel);
        };
        #[cfg(feature = "faults")]
        if is_spoiled(&wanted.files, "member-fault.txt").await {
            return Ok(());
        }
        let source = wanted.source().await;
        let completed = source.keeper().map(Keeper::completed);
        if completed.is_some_and(|kept| kept.is_none_or(|kept| kept.sha256 != sha256)) {
            return Err(Problem::NoModel);
        }
        // It is opened again to be read.
        drop(source);
        self.load_on(&wanted, &DeviceKind::cpu(""), 0.0, usize::MAX).await?;
        // Nobody asks it to read what is typed.
        self.typed.keep(Vec::new());
        if self.loaded()?.fingerprint() != sha256 {
            return Err(Problem::NoModel);
        }
        Ok(())
    }

    /// Takes a GPU in the second worker, loads the model there, and looks how fast it is.
    pub(crate) async fn load_on_gpu(
        &self,
        load: Request,
        chosen: Vec<File>,
    ) -> Result<(), Problem> {
        let Some((wanted, choice)) = wanted(&load, &chosen) else {
            return Ok(());
        };
        let Request::Load { speeds, .. } = load else {
            return Ok(());
        };
        #[cfg(feature = "faults")]
        if is_spoiled(&wanted.files, "gpu-fault.txt").await {
            return Ok(());
        }
        let state = match self.take_gpu(&wanted, choice, &speeds).await {
            Ok(ready) => ready,
            Err(why) => GpuState::Unused { why },
        };
        send(&Event::Gpu { state });
        self.check_later(wanted.expected);
        Ok(())
    }

    async fn take_gpu(
        &self,
        wanted: &Wanted,
        choice: DeviceChoice,
        speeds: &[(String, Speed)],
    ) -> Result<GpuState, String> {
        let begun = millis();
        let device = DeviceKind::gpu(choice).await?;
        let seconds = (millis() - begun) / 1000.0;
        let loaded = self.load_on(wanted, &device, seconds, usize::MAX).await;
        if let Some(loaded) = loaded.map_err(|problem| problem.to_string())? {
            send(&loaded);
            self.typed.hand_out();
        }
        let report = device.report().clone();
        let memory_bytes = memory_bytes();
        let speed = match (choice, self.loaded()) {
            (DeviceChoice::Auto, Ok(model)) => {
                let measured = warm(&model, &mut self.host(0)).await;
                let measured = measured.map_err(|error| error.problem().to_string())?;
                // What whole jobs have shown on earlier visits says more than a second of trying.
                Some(known(speeds, &report, &model).unwrap_or(measured))
            }
            _ => None,
        };
        Ok(GpuState::Ready { report, speed, seconds, memory_bytes })
    }
}

/// What was found on an earlier visit of the same adapter with a model as wide.
fn known(speeds: &[(String, Speed)], report: &DeviceReport, model: &Model) -> Option<Speed> {
    let name = report.speed_name(model.shape());
    let found = speeds.iter().find(|(known, _)| *known == name);
    found.map(|(_, speed)| *speed).filter(Speed::is_possible)
}

fn wanted(request: &Request, chosen: &[File]) -> Option<(Wanted, DeviceChoice)> {
    let Request::Load { model, files, expected, device, .. } = request else {
        return None;
    };
    let (name, expected) = (model.clone(), (**expected).clone());
    Some((Wanted { name, files: files.clone(), chosen: chosen.to_vec(), expected }, *device))
}

/// Most parameters of a model that is held on the CPU beside a GPU.
fn most_beside_gpu() -> usize {
    #[cfg(feature = "faults")]
    if twinbeam_engine::faults::is_alone() {
        return 0;
    }
    BESIDE_GPU_PARAMS
}

fn no_gpu(why: &str) -> String {
    format!("No usable GPU: {why}.")
}

/// Most memory that this worker has had: it is never given back.
pub(crate) fn memory_bytes() -> u64 {
    #[cfg(target_arch = "wasm32")]
    return core::arch::wasm32::memory_size::<0>() as u64 * 65536;
    #[cfg(not(target_arch = "wasm32"))]
    return 0;
}

/// Asks the server of the model for a fault, once: a worker with a GPU has a file of its own. Whether the worker is not
/// to go on.
#[cfg(feature = "faults")]
async fn is_spoiled(files: &ModelFiles, file: &str) -> bool {
    use twinbeam_engine::{Body as _, Transport as _, faults as engine};
    let ModelFiles::Address { base, .. } = files else {
        return false;
    };
    let answer = crate::network::Network { cache: false }.get(&format!("{base}{file}"), None).await;
    if let Ok(mut answer) = answer
        && answer.status == 200
        && let Ok(Some(name)) = answer.body.next().await
    {
        let name = String::from_utf8_lossy(&name);
        engine::arm(&name);
        crate::faults::arm(&name);
    }
    let of_another_build = engine::is_of_another_build();
    if of_another_build {
        send(&Event::Started { build: "another".to_owned() });
    }
    of_another_build
}
