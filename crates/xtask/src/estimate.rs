//! How long a first build will take, as far as that can be said before it is done.

use crate::say;

/// A step of a build.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    name: String,
    /// What it took on two cores where nothing was there; `None` if it was done before on this machine.
    seconds: Option<f64>,
}

impl Step {
    pub(crate) fn new(name: &str, seconds: f64, is_there: bool) -> Self {
        Self { name: name.to_owned(), seconds: (!is_there).then_some(seconds) }
    }
}

/// Steps in their order. What those that are done took on this machine, in place of the one that was measured, says how
/// long the others will take.
#[derive(Debug)]
pub(crate) struct Plan {
    steps: Vec<Step>,
    next: usize,
    spent: f64,
    expected: f64,
}

/// Steps that were expected to take less, all together, say nothing about a machine.
const TELLING: f64 = 20.0;

impl Plan {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        Self { steps, next: 0, spent: 0.0, expected: 0.0 }
    }

    /// Does the next step, and says before how long it and all that follows may take.
    pub(crate) fn step<T>(
        &mut self,
        step: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        say(&self.words());
        let begun = crate::parts::now();
        let result = step()?;
        self.done(begun.elapsed().as_secs_f64());
        Ok(result)
    }

    /// The next step in words.
    fn words(&self) -> String {
        let Some(step) = self.steps.get(self.next) else { return String::new() };
        let place = format!("{} of {}: {}", self.next + 1, self.steps.len(), step.name);
        let Some(seconds) = step.seconds else {
            return format!("{place} (built before: only what has changed)");
        };
        let left: f64 = self.steps[self.next..].iter().filter_map(|step| step.seconds).sum();
        let (scale, of) = if self.expected < TELLING {
            (1.0, "on two cores")
        } else {
            (self.spent / self.expected, "at the pace so far")
        };
        let [this, left] = [seconds, left].map(|seconds| duration(seconds * scale));
        if this == left {
            format!("{place}: about {this} {of}")
        } else {
            format!("{place}: about {this} of the {left} that are left, {of}")
        }
    }

    /// Goes on to the next step after this one took so many seconds.
    fn done(&mut self, took: f64) {
        if let Some(seconds) = self.steps.get(self.next).and_then(|step| step.seconds) {
            self.spent += took;
            self.expected += seconds;
        }
        self.next += 1;
    }
}

/// A time in words, as exact as an estimate is.
fn duration(seconds: f64) -> String {
    match seconds / 60.0 {
        minutes if minutes < 0.75 => "half a minute".to_owned(),
        minutes if minutes < 1.5 => "a minute".to_owned(),
        minutes => format!("{minutes:.0} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(vec![
            Step::new("a tool", 120.0, false),
            Step::new("another", 60.0, true),
            Step::new("the worker", 300.0, false),
            Step::new("the page", 20.0, false),
        ])
    }

    #[test]
    fn what_is_left_is_said_before_each_step() {
        let mut plan = plan();
        let first = "1 of 4: a tool: about 2 minutes of the 7 minutes that are left, on two cores";
        assert_eq!(plan.words(), first);
        plan.done(120.0);
        assert_eq!(plan.words(), "2 of 4: another (built before: only what has changed)");
        plan.done(1.0);
        let third = "3 of 4: the worker: about 5 minutes of the 5 minutes that are left, at the pace so far";
        assert_eq!(
            plan.words(),
            third.replace("5 minutes of the 5 minutes that are left, ", "5 minutes ")
        );
        plan.done(300.0);
        assert_eq!(plan.words(), "4 of 4: the page: about half a minute at the pace so far");
    }

    #[test]
    fn a_faster_machine_is_noticed() {
        let mut plan = plan();
        plan.done(60.0);
        plan.done(1.0);
        let words = plan.words();
        assert_eq!(
            words,
            "3 of 4: the worker: about 2 minutes of the 3 minutes that are left, at the pace so far"
        );
    }

    #[test]
    fn a_step_that_fails_ends_the_plan() {
        let mut plan = plan();
        let failed = plan.step(|| -> anyhow::Result<()> { anyhow::bail!("no network") });
        assert_eq!(failed.expect_err("it fails").to_string(), "no network");
        assert_eq!(plan.next, 0);
    }
}
