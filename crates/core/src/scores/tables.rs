//! Score tables by their keys, and the parts in which they arrive.

use serde::{Deserialize, Serialize};

use super::{ScoreTable, TableKey};

/// Score tables, at most one of each key, in the order in which they were begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tables(Vec<ScoreTable>);

impl Tables {
    /// The table of a key, if it is there.
    pub fn get(&self, key: TableKey) -> Option<&ScoreTable> {
        self.0.iter().find(|table| table.key() == key)
    }

    /// Puts a table in, in the place of one of the same key.
    pub fn insert(&mut self, table: ScoreTable) {
        match self.get_mut(table.key()) {
            Some(place) => *place = table,
            None => self.0.push(table),
        }
    }

    /// Leaves only those tables of which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&ScoreTable) -> bool) {
        self.0.retain(keep);
    }

    /// All tables, in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, ScoreTable> {
        self.0.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table of a key, to be changed.
    pub(super) fn get_mut(&mut self, key: TableKey) -> Option<&mut ScoreTable> {
        self.0.iter_mut().find(|table| table.key() == key)
    }
}

impl<'a> IntoIterator for &'a Tables {
    type Item = &'a ScoreTable;
    type IntoIter = std::slice::Iter<'a, ScoreTable>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A collection of tables: of several with one key the last one is kept.
impl FromIterator<ScoreTable> for Tables {
    fn from_iter<T: IntoIterator<Item = ScoreTable>>(tables: T) -> Self {
        let mut all = Self::default();
        for table in tables {
            all.insert(table);
        }
        all
    }
}

/// One layer of a table: what is streamed while the table is being computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strip {
    /// Key of the table that the part is of.
    pub key: TableKey,
    /// Which layer; strips of a table come in the order of its layers.
    pub layer: usize,
    /// One score per component.
    pub values: Vec<f32>,
    /// Sum of scores minus joint layer patch; only for methods with a completeness claim.
    pub convergence_delta: Option<f32>,
    /// Points of the line that were used; only for integrals.
    pub n_steps: Option<usize>,
}

impl Strip {
    /// Adds the layer to its table, which its first layer begins.
    pub fn add_to(self, tables: &mut Tables) {
        if let Some(table) = tables.get_mut(self.key) {
            table.add(self);
        } else {
            let mut table = ScoreTable::new(self.key, 0, Vec::new());
            table.add(self);
            tables.insert(table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{ComponentKind, Direction, Method};

    #[test]
    fn strips_become_tables_in_the_order_of_their_layers() {
        let strip = |method, layer, values: [f32; 2]| Strip {
            key: TableKey { kind: ComponentKind::Heads, method, direction: Direction::Noising },
            layer,
            values: values.to_vec(),
            convergence_delta: (method == Method::Ig).then_some(0.5),
            n_steps: (method == Method::Ig).then_some(50),
        };
        let mut tables = Tables::default();
        for strip in [
            strip(Method::Ig, 0, [1.0, 2.0]),
            strip(Method::Ap, 0, [5.0, 6.0]),
            strip(Method::Ig, 1, [3.0, 4.0]),
            strip(Method::Ap, 2, [9.0, 9.0]),
            strip(Method::Ig, 1, [9.0, 9.0]),
        ] {
            strip.add_to(&mut tables);
        }
        let tables: Vec<&ScoreTable> = tables.iter().collect();
        let [ig, ap] = tables.as_slice() else { panic!("two tables: {tables:?}") };
        assert_eq!((ig.n_layers(), ig.values()), (2, [1.0, 2.0, 3.0, 4.0].as_slice()));
        assert_eq!(ig.convergence_delta(), [0.5, 0.5]);
        assert_eq!((ap.n_layers(), ap.get(0, 1), ap.get(1, 0)), (1, Some(6.0), None));
    }
}
