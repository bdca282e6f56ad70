//! Where a job is computed and why, and what became of a GPU.

use twinbeam_core::wire::Problem;
use twinbeam_core::wire::devices::{Because, CheckReport, DeviceReport, GpuState, Placement};

use super::problem;
use crate::values::{Notice, percent};

/// Where the last job went, what was expected of both devices, and what is known of the GPU. `device`: of the model that
/// is loaded.
pub(crate) fn line(
    device: &DeviceReport,
    gpu: &GpuState,
    placed: Option<&(DeviceReport, Placement)>,
) -> String {
    let Some((on, placement)) = placed else {
        return match gpu {
            GpuState::Warming => join(device, "The GPU is being made ready behind the work."),
            GpuState::Unused { why } if !device.gpu => join(device, &no_gpu(why)),
            _ => join(device, &device.reason),
        };
    };
    let Placement { because, cpu_seconds, gpu_seconds, workers, .. } = placement;
    let expected = match (cpu_seconds, gpu_seconds) {
        (Some(cpu), Some(gpu)) => {
            format!("Expected: {} on the CPU, {} on the GPU.", seconds(*cpu), seconds(*gpu))
        }
        _ => String::new(),
    };
    let said = &on.reason;
    let line = match (because, gpu) {
        (Because::Chosen, _) if on.gpu => join(on, &format!("{said} As you chose. {expected}")),
        (Because::Sooner, _) => {
            join(on, &format!("{said} It is the sooner of the two. {expected}"))
        }
        (Because::FirstReady, GpuState::Ready { report, .. }) => join(
            on,
            &format!("It was ready first; {} is ready since then, for the next run.", report.name),
        ),
        (Because::FirstReady, GpuState::Warming) => {
            join(on, "It was ready first; the GPU is being made ready.")
        }
        (_, GpuState::Unused { why }) if !on.gpu => join(on, &no_gpu(why)),
        _ => join(on, said),
    };
    match workers {
        0 | 1 => line,
        n => format!("{line} Computed by {n} workers at once, each with the model."),
    }
}

/// How a result of a GPU compares with the CPU's.
pub(crate) fn checked(report: Option<CheckReport>, checking: bool) -> String {
    match (report, checking) {
        (_, true) => "Being checked: the CPU computes a sample of it again.".to_owned(),
        (Some(CheckReport { worst, values }), false) => format!(
            "A sample of {values} numbers was computed again on the CPU: the worst is off by {} of the largest.",
            percent(worst)
        ),
        (None, false) => "This result was not checked against the CPU.".to_owned(),
    }
}

/// A GPU that was chosen and cannot be used.
pub(crate) fn refused(why: &str) -> Notice {
    Notice::new("The GPU cannot be used, so the CPU computes", format!("{}.", capital(why)))
}

/// A GPU that has failed at a job, which the CPU has taken over.
pub(crate) fn moved(cause: &Problem) -> Notice {
    let title = match cause {
        Problem::DeviceLost { .. } => "The GPU was lost, so the CPU computes this run",
        _ => "The GPU failed, so the CPU computes this run",
    };
    Notice::new(
        title,
        format!(
            "{}. Nothing of the GPU’s is shown; your inputs are kept.",
            capital(&cause.to_string())
        ),
    )
}

/// A GPU whose result the CPU does not confirm.
pub(crate) fn withdrawn(cause: &Problem) -> Notice {
    let why = match cause {
        Problem::Untrusted { .. } => problem(cause, true).what_to_do,
        other => format!("The sample could not be computed on the CPU: {other}."),
    };
    Notice::new(
        "This GPU’s result is not to be trusted: it was withdrawn, and the CPU computes it",
        why,
    )
}

fn join(device: &DeviceReport, words: &str) -> String {
    format!("{}. {words}", device.name).trim_end().to_owned()
}

fn no_gpu(why: &str) -> String {
    format!("No usable GPU: {}.", why.trim_end_matches('.'))
}

fn capital(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn seconds(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 0.095 => "under 0.1 s".to_owned(),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu() -> DeviceReport {
        DeviceReport { gpu: false, name: "CPU".into(), reason: String::new() }
    }

    fn gpu() -> DeviceReport {
        DeviceReport {
            gpu: true,
            name: "An adapter".into(),
            reason: "Passed its self-test.".into(),
        }
    }

    fn ready() -> GpuState {
        GpuState::Ready { report: gpu(), speed: None, seconds: 0.8, memory_bytes: 0 }
    }

    fn placed(on: DeviceReport, because: Because) -> (DeviceReport, Placement) {
        let (cpu_seconds, gpu_seconds) = (Some(70.4), Some(0.04));
        let workers = 1;
        let placement = Placement { gpu: on.gpu, because, cpu_seconds, gpu_seconds, workers };
        (on, placement)
    }

    #[test]
    fn the_line_says_where_and_why() {
        let says = |gpu: &GpuState, placed| line(&cpu(), gpu, placed);
        assert_eq!(
            says(&GpuState::Warming, None),
            "CPU. The GPU is being made ready behind the work."
        );
        let chosen = DeviceReport { reason: "As you chose.".into(), ..cpu() };
        assert_eq!(line(&chosen, &GpuState::Unwanted, None), "CPU. As you chose.");
        let none = GpuState::Unused { why: "it failed its self-test.".into() };
        assert_eq!(says(&none, None), "CPU. No usable GPU: it failed its self-test.");
        let there = placed(gpu(), Because::Sooner);
        assert_eq!(
            says(&ready(), Some(&there)),
            "An adapter. Passed its self-test. It is the sooner of the two. Expected: 70 s on the CPU, under 0.1 s on the GPU."
        );
        let first = placed(cpu(), Because::FirstReady);
        assert_eq!(
            says(&ready(), Some(&first)),
            "CPU. It was ready first; An adapter is ready since then, for the next run."
        );
        assert_eq!(
            says(&GpuState::Warming, Some(&first)),
            "CPU. It was ready first; the GPU is being made ready."
        );
        assert!(says(&none, Some(&first)).contains("No usable GPU: it failed"));
        let (on, placement) = placed(chosen.clone(), Because::Chosen);
        let several = (on, Placement { workers: 3, ..placement });
        assert_eq!(
            line(&chosen, &GpuState::Unwanted, Some(&several)),
            "CPU. As you chose. Computed by 3 workers at once, each with the model."
        );
        let own = placed(chosen.clone(), Because::Chosen);
        assert_eq!(line(&chosen, &GpuState::Unwanted, Some(&own)), "CPU. As you chose.");
    }

    #[test]
    fn a_check_is_said_to_be_running_until_it_is_over() {
        let report = CheckReport { worst: 1.5e-5, values: 90 };
        assert!(checked(Some(report), true).starts_with("Being checked"));
        assert!(
            checked(Some(report), false).contains("90 numbers")
                && checked(Some(report), false).contains("0.0015 %")
        );
        assert!(checked(None, false).contains("not checked"));
    }

    #[test]
    fn a_failure_names_its_cause() {
        let lost = moved(&Problem::DeviceLost { message: "the driver went away".into() });
        assert!(lost.title.contains("lost") && lost.what_to_do.contains("the driver went away"));
        let (what, off, allowed) = ("the logits".into(), 0.03, 0.002);
        let wrong = withdrawn(&Problem::Untrusted { what, off, allowed });
        assert!(
            wrong.title.contains("withdrawn")
                && wrong.what_to_do.contains("the logits is off by 3.00 %")
        );
        assert_eq!(refused("none was found").what_to_do, "None was found.");
    }
}
