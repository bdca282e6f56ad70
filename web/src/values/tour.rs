//! The steps of the tour, in their order.

/// Where the tour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Two inputs, small enough to be worked out by hand.
    Inputs,
    /// What each method does to the model in use.
    Methods,
    /// An example where both agree.
    Agree,
    /// One where they do not, and why.
    Differ,
    /// Whether it matters.
    Test,
}

impl Step {
    pub(crate) const ALL: [Self; 5] =
        [Self::Inputs, Self::Methods, Self::Agree, Self::Differ, Self::Test];

    /// Its number, from 1.
    pub(crate) const fn number(self) -> usize {
        self as usize + 1
    }

    /// The one after it; `None`: it is the last.
    pub(crate) fn next(self) -> Option<Self> {
        Self::ALL.get(self as usize + 1).copied()
    }

    /// The one before it; `None`: it is the first.
    pub(crate) fn back(self) -> Option<Self> {
        Self::ALL.get((self as usize).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other_there_and_back() {
        let mut walked = vec![Step::Inputs];
        while let Some(next) = walked[walked.len() - 1].next() {
            assert_eq!(next.back(), walked.last().copied());
            walked.push(next);
        }
        assert_eq!(walked, Step::ALL);
        assert_eq!(Step::Inputs.back(), None);
        assert_eq!(Step::ALL.map(Step::number), [1, 2, 3, 4, 5]);
    }
}
