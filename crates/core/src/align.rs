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
/// Rows of equal length pair by position, since that is how patching pairs them. Otherwise the
/// longest common subsequence is kept together and the rest stands alone.
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
    // `longest[i][j]`: longest common subsequence of `clean[i..]` and `corrupted[j..]`.
    let mut longest = vec![vec![0_usize; corrupted.len() + 1]; clean.len() + 1];
    for i in (0..clean.len()).rev() {
        for j in (0..corrupted.len()).rev() {
            longest[i][j] = if clean[i] == corrupted[j] {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut columns = Vec::new();
    while i < clean.len() || j < corrupted.len() {
        let both = i < clean.len() && j < corrupted.len();
        if both && clean[i] == corrupted[j] {
            columns.push(Aligned {
                clean: Some(i),
                corrupted: Some(j),
                equal: true,
            });
            (i, j) = (i + 1, j + 1);
        } else if j == corrupted.len() || (both && longest[i + 1][j] >= longest[i][j + 1]) {
            columns.push(Aligned {
                clean: Some(i),
                corrupted: None,
                equal: false,
            });
            i += 1;
        } else {
            columns.push(Aligned {
                clean: None,
                corrupted: Some(j),
                equal: false,
            });
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
