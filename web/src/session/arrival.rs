//! How another model comes into use: in a second worker, while the first stays usable with its own.

use std::sync::Arc;

use twinbeam_core::wire::{Event, Kept, Problem, Wait};
use twinbeam_core::words::Experiment;

use super::address::Held;
use super::msg::{Death, Effect};
use super::session::Session;
use super::workers::{Coming, Role};
use crate::explain::{self, LoadFailure};
use crate::values::{Arriving, LOCAL, Loaded, Progress, Spec, Window};

impl Session {
    /// Brings a model of the list into use, as the visitor has asked.
    pub(super) fn choose(&mut self, id: &str) {
        self.notice = None;
        self.sight.offered = None;
        if let Some(spec) = self.models.spec(id) {
            self.load(spec);
        }
    }

    /// Brings a model into use: at once if it is in use already, else when it has arrived.
    pub(super) fn load(&mut self, spec: Spec) {
        self.workers.refused = None;
        let is_usable = self.loaded.is_some();
        let is_loading = !is_usable && !self.failed;
        let is_it = |other: Option<&Spec>| {
            !spec.is_local() && other.is_some_and(|other| other.identity == spec.identity)
        };
        let is_in_use = is_it(self.workers.spec.as_ref());
        if is_it(self.workers.coming.as_ref().map(|coming| &coming.spec)) {
            // It is asked for a second time.
        } else if is_in_use && (is_usable || is_loading) {
            self.stop_coming();
        } else if is_usable || is_loading {
            self.bring(spec);
        } else {
            // The worker in use has no model to keep.
            self.load_first(spec);
        }
    }

    /// Loads what could not be loaded once more, `any_digest`: with whatever weights are there.
    pub(super) fn load_again(&mut self, any_digest: bool) {
        let Some((role, spec)) = self.workers.refused.take() else {
            self.run_again();
            return;
        };
        let spec = if any_digest { spec.with_any_digest() } else { spec };
        self.notice = None;
        match role {
            Role::Arriving if self.loaded.is_some() => self.bring(spec),
            Role::Arriving | Role::InUse | Role::Reader => self.load_first(spec),
        }
    }

    /// Brings the model that comes with the page into use.
    pub(super) fn use_bundled(&mut self) {
        let id = self.models.listed.as_ref().map(|listed| listed.bundled().id.clone());
        if let Some(id) = id {
            self.choose(&id);
        }
    }

    /// Stops the model on its way. What has arrived is kept for the next time.
    pub(super) fn cancel_load(&mut self) {
        if self.workers.coming.is_some() {
            self.stop_coming();
        } else {
            // The worker in use is loading it: without a model the page is of no use.
            self.failed = true;
            self.use_bundled();
        }
    }

    /// What was on its way begins anew after the device was changed; so does what that device could not load.
    pub(super) fn bring_again(&mut self) {
        let on_its_way = self.close_coming().map(|coming| coming.spec);
        let refused = self.workers.refused.take();
        let refused = refused.filter(|(role, _)| *role == Role::Arriving).map(|(_, spec)| spec);
        if let Some(spec) = on_its_way.or(refused) {
            self.bring(spec);
        }
    }

    /// The worker in use has its model, or will not have it: what is left is what the other one brings.
    pub(super) fn arrived(&mut self) {
        if self.workers.coming.is_none() {
            self.models.arriving = None;
        }
    }

    pub(super) fn is_another_arriving(&self) -> bool {
        self.models.arriving.as_ref().is_some_and(|arriving| arriving.is_another)
    }

    fn load_first(&mut self, spec: Spec) {
        self.close_reader();
        self.failed = false;
        self.workers.spec = Some(spec);
        self.start();
    }

    fn bring(&mut self, spec: Spec) {
        // An older one first: its worker may hold the same files.
        self.stop_coming();
        let worker = self.open_worker();
        let request = spec.request(self.device_choice, self.speeds.clone(), self.most_workers);
        self.tell_worker(worker, request, spec.files());
        self.models.arriving = Some(Arriving::new(&spec, true));
        self.workers.coming = Some(Coming { worker, spec, self_check: None, gpu: None });
    }

    fn stop_coming(&mut self) {
        if self.close_coming().is_some() {
            self.models.arriving = None;
            self.effects.push(Effect::LookAtShelves);
        }
    }

    /// What the second worker says.
    pub(super) fn hear_arriving(&mut self, event: Event) {
        match event {
            Event::Started { build } => self.started(&build, Role::Arriving),
            Event::Progress { phase, done, total, seconds, .. } => {
                self.arriving_progress(Progress { phase, done, total, seconds });
            }
            Event::Waiting { wait } => self.arriving_waits(wait),
            Event::SelfChecked { check } => {
                if let Some(coming) = &mut self.workers.coming {
                    coming.self_check = Some(check);
                }
            }
            Event::Gpu { state } => {
                if let Some(coming) = &mut self.workers.coming {
                    coming.gpu = Some(state);
                }
            }
            Event::Loaded { .. } => {
                self.take_into_use();
                self.take_loaded(event);
            }
            Event::Failed { problem, .. } => {
                if let Some(Coming { spec, .. }) = self.close_coming() {
                    self.models.arriving = None;
                    self.refused(Role::Arriving, spec, &problem);
                }
            }
            // It has not been asked for anything else.
            _ => {}
        }
    }

    pub(super) fn arriving_progress(&mut self, progress: Progress) {
        if let Some(arriving) = &mut self.models.arriving {
            arriving.progress(progress);
        }
    }

    pub(super) fn arriving_waits(&mut self, wait: Wait) {
        if let Some(arriving) = &mut self.models.arriving {
            arriving.wait(wait, self.now.millis);
        }
    }

    /// The second worker becomes the one in use; what the first was doing is lost with it.
    fn take_into_use(&mut self) {
        let Some(Coming { worker, spec, self_check, gpu }) = self.workers.coming.take() else {
            return;
        };
        self.finish();
        self.close_reader();
        self.cpu_speed = None;
        self.failed = false;
        // What a link has named is of its own model, for which it waits.
        if self.models.waiting.as_ref() != Some(&spec.identity.id) {
            (self.sight.named_window, self.sight.window) = (None, Window::default());
        }
        // The example that numbers were published for is what a visitor wants to see of it.
        // So is the one that the page opened with, as long as nothing else was typed.
        let is_untouched = [&Experiment::default(), &self.opening]
            .into_iter()
            .any(|known| self.draft.has_inputs_of(known));
        let runs = spec.has_published() && is_untouched;
        self.workers.run_when_loaded = runs;
        // Who brings files wants to see something of them.
        self.workers.run_if_possible = spec.is_local() && !runs;
        if let Some(old) = self.workers.in_use.replace(worker) {
            self.effects.push(Effect::Close { worker: old });
        }
        self.workers.spec = Some(spec);
        self.models.arriving = None;
        self.models.self_check = self_check;
        self.placed = None;
        self.gpu = gpu.unwrap_or_default();
    }

    /// The worker in use has its model.
    pub(super) fn take_loaded(&mut self, event: Event) {
        let Event::Loaded {
            shape,
            device,
            fingerprint,
            shards,
            as_expected,
            tokenizer,
            kept,
            seconds,
            memory_bytes,
            ..
        } = event
        else {
            return;
        };
        let Some(mut identity) = self.workers.spec.as_ref().map(|spec| spec.identity.clone())
        else {
            return;
        };
        let id = identity.id.clone();
        if id == LOCAL {
            // Known weights are named as what they are, wherever they come from.
            let listed = self.models.listed.as_ref();
            if let Some(known) = listed.and_then(|listed| listed.title_of(&fingerprint)) {
                identity.title = format!("{known}, from {}", identity.title);
            }
        } else {
            // What was chosen before is neither in use nor on its way.
            self.models.chosen = None;
        }
        self.workers.deaths = 0;
        self.draft.model.clone_from(&id);
        let from_memory = match &kept {
            Kept::Memory { reason } => {
                self.models.refused = true;
                Some(explain::from_memory(&identity.title, reason))
            }
            Kept::Stored { .. } => {
                self.models.refused = false;
                None
            }
            Kept::Elsewhere => None,
        };
        let must_be_typed = self.follow_tokenizer(tokenizer.is_some());
        self.loaded = Some(Arc::new(Loaded {
            identity,
            shape,
            device,
            fingerprint,
            shards,
            as_expected,
            tokenizer,
            kept,
            seconds,
            memory_bytes,
        }));
        self.loading = None;
        // It was another model's, or another device's.
        self.bench = None;
        self.arrived();
        self.inspect(true);
        let was_waited_for = self.models.waiting.take_if(|waiting| *waiting == id).is_some();
        let runs = std::mem::take(&mut self.workers.run_when_loaded) || was_waited_for;
        // What is meant for another model waits for that.
        let waits = self.models.waiting.is_some() || self.keeps_link();
        if runs && !must_be_typed && !waits {
            self.run_if_it_can();
        }
        if from_memory.is_some() {
            self.notice = from_memory;
        }
        self.effects.push(Effect::LookAtShelves);
    }

    /// Runs what the address says, or the draft if it turns out to be one that can be run: one that is half typed does
    /// not go into the address.
    fn run_if_it_can(&mut self) {
        let is_in_address = |held: &Held| held.experiment.has_inputs_of(&self.draft);
        let is_asked = self.address.as_deref().is_none_or(is_in_address);
        if self.workers.first.is_some() || is_asked {
            self.run(false);
        } else {
            self.workers.run_if_possible = true;
        }
    }

    /// A model could not be loaded: the inputs stay, and so does the model in use.
    pub(super) fn refused(&mut self, role: Role, spec: Spec, problem: &Problem) {
        let in_use = self.loaded.as_ref().map(|loaded| loaded.identity.title.clone());
        let failure = LoadFailure {
            title: spec.identity.title.clone(),
            in_use: in_use.filter(|_| role == Role::Arriving),
            is_local: spec.is_local(),
            is_bundled: spec.is_bundled(),
            is_offline: !self.now.is_online,
        };
        self.notice = Some(explain::load_failed(problem, &failure));
        self.workers.refused = Some((role, spec));
        self.effects.push(Effect::LookAtShelves);
    }

    /// The second worker is gone.
    pub(super) fn arriving_died(&mut self, death: &Death) {
        let Some(Coming { spec, .. }) = self.close_coming() else {
            return;
        };
        self.models.arriving = None;
        self.notice = Some(match death {
            Death::Stopped(message) => explain::arriving_died(&spec.identity.title, message),
            Death::Unstarted(message) => explain::no_worker(message),
        });
        self.workers.refused = Some((Role::Arriving, spec));
    }
}
