//! A GPU's results with a sample of them computed again on the CPU, in a thread of its own beside the run.

use std::future::Future;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use pollster::block_on;
use twinbeam_core::scores::Outcome;
use twinbeam_core::wire::Event;
use twinbeam_core::wire::devices::{CheckReport, Claim};
use twinbeam_core::words::Experiment;
use twinbeam_engine::{Check, Host, Model, Plan, Question, Silent, run};

use crate::Error;

/// Runs a question on a model, and has `on_cpu` hear what it claims. Returns the outcome, and how well the two agree.
///
/// # Errors
/// The errors of the run; [`Untrusted`](twinbeam_engine::Error::Untrusted) where the CPU comes to another result.
pub fn run_checked(
    model: &Model,
    on_cpu: &Model,
    (question, experiment, plan): (&Question, Experiment, &Plan),
    host: &mut impl Host,
) -> Result<(Outcome, CheckReport), Error> {
    let (claims, heard) = channel();
    thread::scope(|scope| {
        let check = scope.spawn(move || {
            block_on(async {
                let mut check = Check::new(on_cpu, question).await?;
                for claim in heard {
                    check.hear(&claim, &mut Silent).await?;
                }
                Ok::<_, twinbeam_engine::Error>(check.report())
            })
        });
        let mut host = Claiming { host, claims, is_over: false };
        let outcome = block_on(run(model, question, experiment, plan, 1, &mut host));
        // Without the sender the check comes to its end.
        drop(host);
        let report = check.join().map_err(|_panic| Error::CheckPanicked)?;
        // What the check has found is why the run was stopped.
        let report = report?;
        Ok((outcome?, report))
    })
}

/// A host that passes claims on.
struct Claiming<'host, H> {
    host: &'host mut H,
    claims: Sender<Claim>,
    /// Whether nobody hears any more: the check has found something wrong.
    is_over: bool,
}

impl<H: Host> Host for Claiming<'_, H> {
    fn emit(&mut self, event: Event) {
        self.host.emit(event);
    }

    fn claim(&mut self, claim: Claim) {
        self.is_over |= self.claims.send(claim).is_err();
    }

    fn seconds(&self) -> f64 {
        self.host.seconds()
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        self.host.pause()
    }

    fn cancelled(&self) -> bool {
        self.is_over || self.host.cancelled()
    }
}
