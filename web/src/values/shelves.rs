//! What the browser keeps of models: a folder for each, whole or in part.

use twinbeam_core::models::Completion;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Shelves {
    /// Not looked at yet.
    #[default]
    Unread,
    /// The browser keeps no files for this page.
    Absent,
    Read(Vec<Shelf>),
}

/// One folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// `None`: in part.
    pub(crate) complete: Option<Completion>,
}

/// Whether a model is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stock {
    Whole,
    InPart { bytes: u64 },
    Not,
}

impl Stock {
    /// Bytes of a model that is not whole.
    pub(crate) const fn in_part(self) -> u64 {
        match self {
            Self::InPart { bytes } => bytes,
            Self::Whole | Self::Not => 0,
        }
    }
}

/// Bytes in the browser's storage for this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) used: u64,
    pub(crate) quota: u64,
}

impl Space {
    pub(crate) const fn free(self) -> u64 {
        self.quota.saturating_sub(self.used)
    }
}

impl Shelf {
    /// Whether anything has arrived in it.
    pub(crate) const fn holds_something(&self) -> bool {
        self.bytes > 0 || self.complete.is_some()
    }
}

impl Shelves {
    /// How much of a folder's model is kept.
    pub(crate) fn stock(&self, name: &str) -> Stock {
        let Self::Read(shelves) = self else { return Stock::Not };
        match shelves.iter().find(|shelf| shelf.name == name) {
            Some(Shelf { complete: Some(_), .. }) => Stock::Whole,
            Some(Shelf { bytes, .. }) if *bytes > 0 => Stock::InPart { bytes: *bytes },
            _ => Stock::Not,
        }
    }

    /// Bytes of all folders.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Read(shelves) => shelves.iter().map(|shelf| shelf.bytes).sum(),
            Self::Unread | Self::Absent => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_in_part_and_missing_is_told_apart() {
        let complete = Completion { sha256: String::new(), millis: 0, as_expected: None };
        let shelf = |name: &str, bytes, complete| Shelf { name: name.to_owned(), bytes, complete };
        let shelves = Shelves::Read(vec![
            shelf("a", 9, Some(complete)),
            shelf("b", 5, None),
            shelf("c", 0, None),
        ]);
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| shelves.stock(name)),
            [Stock::Whole, Stock::InPart { bytes: 5 }, Stock::Not, Stock::Not]
        );
        let Shelves::Read(all) = &shelves else { panic!("they were read") };
        let held: Vec<bool> = all.iter().map(Shelf::holds_something).collect();
        assert_eq!(held, [true, true, false], "an empty folder is not listed");
        assert_eq!((shelves.bytes(), Shelves::Absent.stock("a")), (14, Stock::Not));
    }
}
