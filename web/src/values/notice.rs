//! Something a visitor should know, and what can be done about it. The words are made in `explain/`.

/// Something a visitor should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) title: String,
    pub(crate) what_to_do: String,
    pub(crate) ways_on: Vec<WayOn>,
}

/// What a notice offers to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WayOn {
    RunAgain,
    UseCpu,
    Reload,
    /// Load the newer build that waits.
    LoadNewer,
    /// Load what could not be loaded once more.
    LoadAgain,
    /// Load it once more, whatever its weights are.
    UseAllTheSame,
    UseLocalFiles,
    UseBundled,
    /// Prompts and answers are token ids from now on.
    TypeIds,
    /// Take the inputs of the figure in place of what was typed.
    DropDraft,
    /// Fetch a model of the list.
    Fetch {
        id: String,
        label: String,
    },
}

impl Notice {
    pub(crate) fn new(title: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { title: title.into(), what_to_do: what_to_do.into(), ways_on: Vec::new() }
    }

    pub(crate) fn offering(self, ways_on: impl Into<Vec<WayOn>>) -> Self {
        Self { ways_on: ways_on.into(), ..self }
    }

    /// Offers to run again, and the CPU to those who are not on it.
    pub(crate) fn offering_another_run(self, on_gpu: bool) -> Self {
        let ways_on =
            if on_gpu { vec![WayOn::UseCpu, WayOn::RunAgain] } else { vec![WayOn::RunAgain] };
        self.offering(ways_on)
    }
}
