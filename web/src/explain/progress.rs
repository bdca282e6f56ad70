//! How far a job, or a model on its way, has come.

use twinbeam_core::words::Phase;

use super::waiting;
use crate::values::{Arriving, Job, Progress, bytes, duration, sentence};

/// What is happening to a model on its way, at a time in milliseconds since 1970.
pub(crate) fn arriving(arriving: &Arriving, now: f64) -> String {
    if let Some((wait, until)) = &arriving.wait {
        let left = ((until - now) / 1000.0).ceil().max(0.0);
        return waiting(wait, left as u32, &arriving.source);
    }
    let title = &arriving.identity.title;
    let doing = match arriving.phase {
        None => return format!("{title} from {}: starting", arriving.source),
        Some(Phase::Fetching) => format!("Fetching {title} from {}", arriving.source),
        Some(Phase::Loading) => format!("Reading {title}"),
        Some(other) => return format!("{title}: {}", sentence(other.label()).to_lowercase()),
    };
    let Some(share) = arriving.share() else { return doing };
    let share = (100.0 * share).floor();
    let done =
        format!("{doing}: {} of {} ({share} %)", bytes(arriving.done), bytes(arriving.total));
    let rate = arriving.pace.rate().map(|rate| format!("{}/s", bytes(rate as u64)));
    let left = arriving.pace.left(arriving.total).filter(|_| arriving.done < arriving.total);
    let left = left.map(|left| format!("about {} left", duration(left)));
    [Some(done), rate, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// How much of the worker's program has come: the page has nothing larger, and the browser keeps it for the next visit.
pub(crate) fn program(progress: Progress) -> String {
    if progress.done == progress.total {
        return "Preparing the computing part".to_owned();
    }
    share("Fetching the computing part".to_owned(), progress)
}

/// Phase, share and the time that is left at the speed so far.
pub(crate) fn in_progress(progress: Progress) -> String {
    share(sentence(progress.phase.label()), progress)
}

fn share(phase: String, Progress { done, total, seconds, .. }: Progress) -> String {
    if total == 0 {
        return phase;
    }
    let share = 100.0 * done as f64 / total as f64;
    // Before a twentieth is done the estimate is a guess.
    if done == 0 || share < 5.0 {
        return format!("{phase}: {share:.0} %");
    }
    let left = seconds * total.saturating_sub(done) as f64 / done as f64;
    format!("{phase}: {share:.0} %, about {} left", duration(left))
}

/// What is said of a figure that is complete, and of what is done behind it.
pub(crate) fn done(seconds: Option<f64>, job: Option<Job>, progress: Option<Progress>) -> String {
    let took = seconds.map(|seconds| format!(" in {seconds:.1} s")).unwrap_or_default();
    let share = progress.filter(|progress| progress.total > 0);
    let share = share.map_or_else(String::new, |Progress { done, total, .. }| {
        format!(" {} %", 100 * done.min(total) / total)
    });
    match job {
        None | Some(Job::Heads) => format!("Done{took}"),
        Some(Job::Neurons) => format!("Heads done{took}, neurons{share}"),
        Some(Job::Speed) => format!("Done{took}, measuring the speed{share}"),
        Some(Job::Question(_)) => format!("Done{took}, working for the panels below{share}"),
        Some(Job::Pair) => format!("Done{took}, running many prompts"),
    }
}

/// What Cancel stops.
pub(crate) const fn cancels(job: Job) -> &'static str {
    match job {
        Job::Heads => "Stops the run",
        Job::Neurons => "Stops the neurons; the heads stay",
        Job::Speed => "Stops measuring the speed",
        Job::Question(_) => "Stops what a panel below asks; the figure stays",
        Job::Pair => "Stops running many prompts; those that are done stay",
    }
}

/// What is on the button that runs, with the seconds that this is expected to take where they are worth a word.
pub(crate) fn run_label(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) if seconds >= 1.0 => format!("Run, about {}", duration(seconds)),
        _ => "Run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use twinbeam_core::models::Catalog;
    use twinbeam_core::wire::{FetchFault, Wait};

    use super::*;
    use crate::values::{Files, Spec};

    fn arriving() -> Arriving {
        let catalog = Catalog::bundled();
        let spec = Spec::local("GPT-2".to_owned(), Files(1), catalog.find("gpt2"));
        Arriving::new(&spec, true)
    }

    fn at(seconds: f64, done: u64) -> Progress {
        Progress { phase: Phase::Fetching, done, total: 500_000_000, seconds }
    }

    #[test]
    fn bytes_rate_and_time_are_said_and_never_more_than_all() {
        let mut arriving = arriving();
        assert_eq!(super::arriving(&arriving, 0.0), "GPT-2 from your files: starting");
        arriving.progress(at(0.0, 0));
        arriving.progress(at(2.0, 50_000_000));
        assert_eq!(
            super::arriving(&arriving, 0.0),
            "Fetching GPT-2 from your files: 50 MB of 500 MB (10 %), 25 MB/s, about 18 s left"
        );
        arriving.progress(at(3.0, 500_000_001));
        assert_eq!((arriving.share(), arriving.done), (Some(1.0), 500_000_000));
    }

    #[test]
    fn reading_between_fetches_changes_neither_label_nor_rate() {
        let mut arriving = arriving();
        for step in 0..20 {
            let phase = if step % 4 == 0 { Phase::Fetching } else { Phase::Loading };
            arriving.progress(Progress {
                phase,
                ..at(f64::from(step) * 0.25, step as u64 * 10_000_000)
            });
        }
        let said = super::arriving(&arriving, 0.0);
        assert!(said.starts_with("Fetching") && said.contains("40 MB/s, about 8 s left"), "{said}");
        arriving.progress(Progress { phase: Phase::Loading, ..at(30.0, 200_000_000) });
        assert!(
            super::arriving(&arriving, 0.0).starts_with("Reading GPT-2: 200 MB"),
            "nothing is fetched any more"
        );
    }

    #[test]
    fn the_workers_program_says_how_much_of_it_has_come_and_how_long_the_rest_takes() {
        let of = |done| program(Progress { total: 20_000_000, ..at(3.0, done) });
        assert_eq!(of(0), "Fetching the computing part: 0 %");
        assert_eq!(of(5_000_000), "Fetching the computing part: 25 %, about 9 s left");
        assert_eq!(of(20_000_000), "Preparing the computing part");
    }

    #[test]
    fn what_is_done_and_what_is_not_are_two_things() {
        let progress = Progress { phase: Phase::ApNeurons, ..at(1.0, 45_000_000) };
        assert_eq!(done(Some(0.72), None, None), "Done in 0.7 s");
        assert_eq!(
            done(Some(0.72), Some(Job::Neurons), Some(progress)),
            "Heads done in 0.7 s, neurons 9 %"
        );
        assert_eq!(done(None, Some(Job::Pair), None), "Done, running many prompts");
    }

    #[test]
    fn a_run_says_how_long_it_takes_where_that_is_long() {
        assert_eq!([None, Some(0.4)].map(run_label), ["Run", "Run"]);
        assert_eq!(
            [Some(39.2), Some(100.0)].map(run_label),
            ["Run, about 40 s", "Run, about 2 min"]
        );
    }

    #[test]
    fn a_wait_counts_down_and_ends_with_the_next_step() {
        let mut arriving = arriving();
        let fault = FetchFault::Server { status: 503 };
        arriving.wait(Wait::Retry { seconds: 8, left: 2, fault }, 1000.0);
        assert!(
            super::arriving(&arriving, 6500.0).contains("in 3 s"),
            "{}",
            super::arriving(&arriving, 6500.0)
        );
        assert!(
            super::arriving(&arriving, 60_000.0).contains("now"),
            "{}",
            super::arriving(&arriving, 60_000.0)
        );
        arriving.progress(at(9.0, 1));
        assert!(!arriving.is_waiting());
    }
}
