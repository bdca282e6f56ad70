//! Two token rows lined up in columns, so that it shows where they differ.

use serde::{Deserialize, Serialize};

/// One column of two aligned token rows: indices into each, where the row has a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aligned {
    /// Index into the clean tokens.
    pub clean: Option<usize>,
    /// Index into the corrupted tokens.
    pub corrupted: Option<usize>,
    /// Whether both are there and are the same token.
    pub equal: bool,
}

/// Lines two token rows up so that a visitor sees where they differ.
///
/// Rows of equal length pair by position, since that is how patching pairs them. Otherwise with the
/// fewest tokens changed, added or left out.
pub fn align(clean: &[u32], corrupted: &[u32]) -> Vec<Aligned> {
    if clean.len() == corrupted.len() {
        return (0..clean.len())
            .map(|i| Aligned {
                clean: Some(i),
                corrupted: Some(i),
                equal: clean[i] == corrupted[i],
            })
            .collect();
    }
    // `edits[i][j]`: fewest changes that turn `clean[i..]` into `corrupted[j..]`.
    let (n, m) = (clean.len(), corrupted.len());
    let mut edits = vec![vec![0_usize; m + 1]; n + 1];
    for i in (0..=n).rev() {
        for j in (0..=m).rev() {
            edits[i][j] = match (i < n, j < m) {
                (false, _) => m - j,
                (_, false) => n - i,
                _ => {
                    let paired = edits[i + 1][j + 1] + usize::from(clean[i] != corrupted[j]);
                    paired.min(edits[i + 1][j] + 1).min(edits[i][j + 1] + 1)
                }
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut columns = Vec::new();
    while i < n || j < m {
        let equal = i < n && j < m && clean[i] == corrupted[j];
        let paired = i < n && j < m && edits[i][j] == edits[i + 1][j + 1] + usize::from(!equal);
        if paired {
            columns.push(Aligned { clean: Some(i), corrupted: Some(j), equal });
            (i, j) = (i + 1, j + 1);
        } else if i < n && edits[i][j] == edits[i + 1][j] + 1 {
            columns.push(Aligned { clean: Some(i), corrupted: None, equal: false });
            i += 1;
        } else {
            columns.push(Aligned { clean: None, corrupted: Some(j), equal: false });
            j += 1;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_inserted_token_is_the_only_lonely_column() {
        let columns = align(&[1, 2, 3, 4], &[1, 2, 9, 3, 4]);
        let lonely: Vec<_> = columns.iter().filter(|c| !c.equal).collect();
        assert_eq!(lonely.len(), 1);
        assert_eq!((lonely[0].clean, lonely[0].corrupted), (None, Some(2)));
    }

    #[test]
    fn a_changed_token_stays_in_one_column() {
        let columns = align(&[1, 2, 3, 4], &[1, 9, 3]);
        let changed: Vec<_> = columns.iter().filter(|c| !c.equal).collect();
        assert_eq!((changed[0].clean, changed[0].corrupted), (Some(1), Some(1)));
        assert_eq!((changed[1].clean, changed[1].corrupted), (Some(3), None));
        assert_eq!(columns.len(), 4);
    }

    proptest! {
        #[test]
        fn every_token_stands_once_and_in_order(
            clean in proptest::collection::vec(0_u32..5, 0..20),
            corrupted in proptest::collection::vec(0_u32..5, 0..20),
        ) {
            let columns = align(&clean, &corrupted);
            let left: Vec<_> = columns.iter().filter_map(|c| c.clean).collect();
            let right: Vec<_> = columns.iter().filter_map(|c| c.corrupted).collect();
            prop_assert_eq!(left, (0..clean.len()).collect::<Vec<_>>());
            prop_assert_eq!(right, (0..corrupted.len()).collect::<Vec<_>>());
            for column in columns.iter().filter(|c| c.equal) {
                prop_assert_eq!(clean[column.clean.unwrap()], corrupted[column.corrupted.unwrap()]);
            }
        }
    }
}
