//! What is typed is looked at beside whatever this worker is doing.
//!
//! What is known without the model is answered at once, and by a worker that has no model and so nothing else to do if
//! there is one. What the model expects behind it is answered between two steps of a running job.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use twinbeam_core::models::ModelFiles;
use twinbeam_core::wire::inspection::Inspection;
use twinbeam_core::wire::{Event, Problem, Request};
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Error, Words, predict, read};
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use crate::browser::{scope, turn};
use crate::source::Source;
use crate::{Worker, send};

/// A draft, and the number of the request to look at it.
type Asked = (u64, Experiment);

/// What is typed, and what reads it.
#[derive(Default)]
pub(crate) struct Typed {
    /// What reads text where there is no model.
    words: RefCell<Option<Words>>,
    /// The files that a model's text was read by, until they are handed out.
    files: RefCell<Vec<(&'static str, Vec<u8>)>>,
    /// The last draft that is to be looked at: nobody waits for those before it.
    inspect: RefCell<Option<Asked>>,
    /// The last draft behind which the model is to say what it expects.
    predict: RefCell<Option<Asked>>,
    /// Whether the drafts are looked at as soon as all that has arrived is heard.
    is_due: Cell<bool>,
}

impl Typed {
    /// Takes what is asked of a draft, and gives back every other request, and those that have to wait for a model.
    pub(crate) fn hear(worker: &Rc<Worker>, request: Request) -> Option<Request> {
        if !matches!(request, Request::Inspect { .. } | Request::Predict { .. }) {
            return Some(request);
        }
        if worker.gpu.has_left() {
            return Some(request);
        }
        if worker.gpu.is_alone() {
            worker.gpu.tell(&request);
            return None;
        }
        let typed = &worker.typed;
        match request {
            Request::Inspect { seq, draft } => typed.inspect.replace(Some((seq, draft))),
            Request::Predict { seq, draft } => typed.predict.replace(Some((seq, draft))),
            other => return Some(other),
        };
        if !typed.is_due.replace(true) {
            let worker = Rc::clone(worker);
            spawn_local(async move {
                turn().await;
                worker.typed.is_due.set(false);
                worker.look();
                if worker.is_on_gpu() {
                    // Its device does one thing after the other.
                    Worker::work(&worker);
                } else if let Err(problem) = worker.predict().await {
                    send(&Event::Failed { job: None, problem });
                }
            });
        }
        None
    }

    /// Whether the model is to say what it expects.
    pub(crate) fn is_asked(&self) -> bool {
        self.predict.borrow().is_some()
    }

    /// Keeps the files that a model's text was read by.
    pub(crate) fn keep(&self, files: Vec<(&'static str, Vec<u8>)>) {
        self.files.replace(files);
    }

    /// Hands the files out, for a worker without a model: a list of them is [`Event::Words`].
    pub(crate) fn hand_out(&self) {
        let message = Array::new();
        for (name, bytes) in self.files.take() {
            let bytes = Array::of1(&Uint8Array::from(bytes.as_slice()));
            match File::new_with_buffer_source_sequence(&bytes, name) {
                Ok(file) => message.push(&file),
                // Without all of them nobody else can read text: this worker does it.
                Err(_) => return,
            };
        }
        scope().post_message(&message).ok();
    }
}

impl Worker {
    /// Reads what reads text, and no model.
    pub(crate) async fn read_words(&self, files: &[File]) -> Result<(), Problem> {
        let source = Source::of(&ModelFiles::Local, files).await;
        let words = Words::read(&source).await.map_err(|error| error.problem())?;
        self.typed.words.replace(Some(words));
        send(&Event::Reads);
        Ok(())
    }

    /// Has what is typed looked at by whoever has the model now: it was the GPU's alone, which is gone.
    pub(crate) async fn look_elsewhere(worker: &Rc<Self>, request: Request) -> Result<(), Problem> {
        worker.is_only_there().await?;
        Typed::hear(worker, request);
        Ok(())
    }

    /// Looks at the last draft. The page asks again once a model is there.
    fn look(&self) {
        let Some((seq, draft)) = self.typed.inspect.take() else {
            return;
        };
        match self.read_draft(&draft) {
            Some(Ok(inspection)) => {
                send(&Event::Inspected { seq, inspection: Box::new(inspection) });
            }
            Some(Err(error)) => send(&Event::Failed { job: None, problem: error.problem() }),
            None => {}
        }
    }

    fn read_draft(&self, draft: &Experiment) -> Option<Result<Inspection, Error>> {
        if let Ok(model) = self.loaded() {
            return Some(read(model.words(), draft));
        }
        self.typed.words.borrow().as_ref().map(|words| read(words, draft))
    }

    /// Says what the model expects behind the last draft.
    pub(crate) async fn predict(&self) -> Result<(), Problem> {
        let Some((seq, draft)) = self.typed.predict.take() else {
            return Ok(());
        };
        let Ok(model) = self.loaded() else {
            return Ok(());
        };
        let predictions = predict(&model, &draft).await.map_err(|error| error.problem())?;
        send(&Event::Predicted { seq, predictions: Box::new(predictions) });
        Ok(())
    }

    /// Whether this worker computes on a GPU.
    fn is_on_gpu(&self) -> bool {
        self.device.borrow().as_ref().is_some_and(|device| device.gpu)
    }
}
